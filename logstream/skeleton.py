"""Skeletons: what is left of a message when its hexadecimal digits are deleted.

Lines of one log statement share a skeleton, because what varies is mostly numbers and ids.
Deleting single characters keeps substrings: when a message holds a text, the message's key
holds the text's key. Known weakness: words made only of a–f vanish.
"""

import hashlib

HEXADECIMAL_DIGITS = b"0123456789abcdefABCDEF"
# As much of a key as is stored; of a longer one nobody can say what it does not hold.
MAX_KEY_CHARACTERS = 8_000
# JavaScript's largest whole number: ids travel through JSON.
_ID_MASK = (1 << 53) - 1


def skeleton_key(message: bytes) -> bytes:
    """The key of a message's UTF-8 bytes; valid UTF-8 again."""
    return message.translate(None, HEXADECIMAL_DIGITS)


def skeleton_id(key: bytes) -> int:
    """The id of a key: positive, 53 bits."""
    digest = hashlib.blake2b(key, digest_size=8).digest()
    return int.from_bytes(digest, "big") & _ID_MASK or 1


def overflow_id(service_name: str) -> int:
    """The id that a service's rare messages share; no message has it."""
    return skeleton_id(b"\x00overflow " + service_name.encode())
