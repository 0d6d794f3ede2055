"""Tokens that the filter of a sealed segment knows: what holds a digit.

Letters and digits are ASCII's; everything is compared in lower case as `text_query.folded`
makes it. What `tokens_of` gives for a text that stands whole in a message (no edge of it
cuts a token) is contained in what it gives for the message: that is all a lookup needs.
"""

import re
import zlib
from collections.abc import Iterable

MIN_TOKEN_CHARACTERS = 3
# A number of the filter's positions, each a bit for every block of ids.
POSITIONS = 1 << 18
BLOCKS = 256
IDS_PER_BLOCK = 4096
POSITIONS_PER_CHUNK = 256
BYTES_PER_POSITION = BLOCKS // 8

# Each begins where a run begins and never goes back, so that no text is slow to read.
_RUN = re.compile(rb"(?<![0-9a-z])[a-z]*+[0-9][0-9a-z]*+")
_NUMBER_BESIDE_LETTERS = re.compile(rb"(?<=[a-z])[0-9]{3,}+|(?<![0-9])[0-9]{3,}+(?=[a-z])")
_DOTTED = re.compile(rb"(?<![0-9])(?=([0-9]{1,3}\.[0-9]{1,3})(?![0-9]))")
# A token never crosses another character than these, so a space may stand for any of them.
_KEPT = b"0123456789abcdefghijklmnopqrstuvwxyz."
_FOLD = bytes(
    byte if byte in _KEPT else byte + 32 if 65 <= byte <= 90 else 32 for byte in range(256)
)
# The characters beyond ASCII whose lower case is in ASCII: Kelvin's sign, and İ by `folded`.
_FOLDED_TO_ASCII = (("\u212a".encode(), b"k"), ("\u0130".encode(), b"i"))
_POSITION_MASK = POSITIONS - 1
_SPREAD = 0x9E37_79B9_7F4A_7C15


def tokens_of(text: str) -> set[str]:
    """The tokens of a text, in lower case.

    Runs of letters and digits that hold a digit; the numbers inside such a run; and pairs of
    short numbers joined by a dot (addresses, versions). Runs and numbers of fewer than three
    characters are too common to help, and left out.
    """
    return {token.decode() for token in tokens_in(text.encode("utf-8", "replace"))}


def tokens_in(text: bytes) -> set[bytes]:
    """`tokens_of` for UTF-8: many messages at once, when something stands between them."""
    if not text.isascii():
        for character, folded in _FOLDED_TO_ASCII:
            text = text.replace(character, folded)
    # Words repeat: the expressions read each of them once.
    words = b" ".join(set(text.translate(_FOLD).split()))
    tokens = {run for run in _RUN.findall(words) if len(run) >= MIN_TOKEN_CHARACTERS}
    tokens.update(_NUMBER_BESIDE_LETTERS.findall(words))
    tokens.update(_DOTTED.findall(words))
    return tokens


def positions_of(token: str) -> tuple[int, ...]:
    """Where a token sets its bits, 0 <= position < POSITIONS; the same in every process."""
    spread = zlib.crc32(token.encode()) * _SPREAD
    return tuple(spread >> shift & _POSITION_MASK for shift in (20, 30, 38, 46))


def set_bits(plane: bytearray, tokens: Iterable[bytes], mask: int) -> None:
    """Set `mask` in the byte of every position of the tokens; `positions_of`, unrolled."""
    crc32 = zlib.crc32
    for token in tokens:
        spread = crc32(token) * _SPREAD
        plane[spread >> 20 & _POSITION_MASK] |= mask
        plane[spread >> 30 & _POSITION_MASK] |= mask
        plane[spread >> 38 & _POSITION_MASK] |= mask
        plane[spread >> 46 & _POSITION_MASK] |= mask


def chunk_and_offset(position: int) -> tuple[int, int]:
    """(`token_filters.chunk`, first byte in its `bits`, from 0) of a position's 32 bytes."""
    return position // POSITIONS_PER_CHUNK, position % POSITIONS_PER_CHUNK * BYTES_PER_POSITION
