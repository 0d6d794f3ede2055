"""Tokens that the filter of a sealed segment knows: what holds a digit.

Letters and digits are ASCII's; everything is compared in lower case as `text_query.folded`
makes it. What `tokens_of` gives for a text that stands whole in a message (no edge of it
cuts a token) is contained in what it gives for the message: that is all a lookup needs.
"""

import hashlib
import re

MIN_TOKEN_CHARACTERS = 3
# A number of the filter's positions, each a bit for every block of ids.
POSITIONS = 1 << 18
POSITIONS_PER_TOKEN = 4
BLOCKS = 256
IDS_PER_BLOCK = 4096
POSITIONS_PER_CHUNK = 256

# Each begins where a run begins and never goes back, so that no text is slow to read.
_RUN = re.compile(r"(?<![0-9a-z])[a-z]*+[0-9][0-9a-z]*+")
_NUMBER_BESIDE_LETTERS = re.compile(r"(?<=[a-z])[0-9]{3,}+|(?<![0-9])[0-9]{3,}+(?=[a-z])")
_DOTTED = re.compile(r"(?<![0-9])(?=([0-9]{1,3}\.[0-9]{1,3})(?![0-9]))")


def tokens_of(folded_text: str) -> set[str]:
    """The tokens of a text that is in lower case.

    Runs of letters and digits that hold a digit; the numbers inside such a run; and pairs of
    short numbers joined by a dot (addresses, versions). Runs and numbers of fewer than three
    characters are too common to help, and left out.
    """
    tokens = {run for run in _RUN.findall(folded_text) if len(run) >= MIN_TOKEN_CHARACTERS}
    tokens.update(_NUMBER_BESIDE_LETTERS.findall(folded_text))
    tokens.update(_DOTTED.findall(folded_text))
    return tokens


def positions_of(token: str) -> tuple[int, ...]:
    """Where a token sets its bits, 0 <= position < POSITIONS."""
    digest = int.from_bytes(hashlib.blake2b(token.encode(), digest_size=10).digest(), "big")
    return tuple((digest >> (18 * n)) % POSITIONS for n in range(POSITIONS_PER_TOKEN))
