"""The values in OTLP's JSON: attributes, ids, numbers and enums, in every spelling senders use."""

import base64
import binascii
import math
import re
from functools import lru_cache
from typing import Any

import msgspec

from logstream.receive.json_text import MAX_DEPTH, clean_text
from logstream.receive.native_values import Refused, too_deep
from logstream.receive.severity import severity_number

_END_NANO = 2**64
_WHOLE = re.compile(r"-?\d{1,4000}", re.ASCII).fullmatch
_HEX = re.compile(r"[0-9a-fA-F]*").fullmatch
_LOWER_HEX = re.compile(r"[0-9a-f]*").fullmatch


def camel_names(members: dict[str, Any]) -> dict[str, Any]:
    """The members under the names of the specification; of two spellings the first counts."""
    for name in members:
        if "_" in name:
            break
    else:
        return members
    renamed: dict[str, Any] = {}
    for name, value in members.items():
        renamed.setdefault(_camel(name), value)
    return renamed


@lru_cache(maxsize=1024)
def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(map(str.capitalize, others))


def attributes_of(value: Any) -> dict[str, Any]:
    """Attributes by name; none when there is no value. Raises Refused."""
    return {} if not value else _kvlist(value, 0)


def _kvlist(value: Any, depth: int) -> dict[str, Any]:
    """The members of an array of {key, value}, or of a plain object."""
    if isinstance(value, dict):
        return {str(name): value_of(inner, depth + 1) for name, inner in value.items()}
    if not isinstance(value, list):
        raise Refused(f"attributes are {shown(value)}; send an array of key and value")
    attributes: dict[str, Any] = {}
    for member in value:
        if type(member) is not dict:
            raise Refused(f"an attribute is {shown(member)}; send an object of key and value")
        key, inner = member.get("key"), member.get("value")
        # What nearly every attribute is.
        if type(inner) is dict and len(inner) == 1 and type(inner.get("stringValue")) is str:
            inner = inner["stringValue"]
        else:
            inner = value_of(inner, depth + 1)
        attributes[key if type(key) is str else text_of(key)] = inner
    return attributes


def value_of(value: Any, depth: int) -> Any:
    """A Python value of an AnyValue, or of bare JSON where one should be. Raises Refused."""
    if depth > MAX_DEPTH:
        raise too_deep()
    if isinstance(value, dict):
        for name, inner in value.items():
            read = _READERS.get(name)
            if read is not None and inner is not None:
                return read(inner, depth)
        if value.keys() <= _READERS.keys():
            return None
        return {name: value_of(inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list):
        return [value_of(element, depth + 1) for element in value]
    return value


def _bool_value(value: Any, _depth: int) -> Any:
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


def _int_value(value: Any, _depth: int) -> Any:
    if isinstance(value, str) and _WHOLE(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _double_value(value: Any, _depth: int) -> Any:
    if isinstance(value, str):
        try:
            number = float(value)
        except ValueError:
            return value
        return number if math.isfinite(number) else value
    return value


def _array_value(value: Any, depth: int) -> Any:
    values = value.get("values") if isinstance(value, dict) else value
    return [value_of(element, depth + 1) for element in values] if isinstance(values, list) else []


def _kvlist_value(value: Any, depth: int) -> Any:
    if isinstance(value, dict) and "values" in value:
        value = value["values"]
    return _kvlist(value, depth) if value else {}


def _bytes_value(value: Any, _depth: int) -> Any:
    try:
        return base64.b64decode(value, validate=True)
    except (TypeError, ValueError):
        return value


_READERS = {
    "stringValue": lambda value, _depth: text_of(value),
    "boolValue": _bool_value,
    "intValue": _int_value,
    "doubleValue": _double_value,
    "arrayValue": _array_value,
    "kvlistValue": _kvlist_value,
    "bytesValue": _bytes_value,
}
_READERS.update({re.sub("V", "_v", name): read for name, read in _READERS.items()})


def id_of(value: Any, size: int, name: str, malformed: dict[str, Any]) -> str:
    """A valid id in lower case, else empty; one that is neither valid nor zero is malformed."""
    if not value:
        return ""
    if type(value) is str:
        if len(value) == 2 * size and _LOWER_HEX(value):
            return value if value.strip("0") else ""
        bare = value.strip()
        # Base64 of either size ends in a padding, which no hexadecimal text has.
        if bare.endswith("=") and len(bare) == (size + 2) // 3 * 4:
            try:
                bare = base64.b64decode(bare, validate=True).hex()
            except binascii.Error:
                bare = value
        else:
            bare = bare.replace("-", "")
        if len(bare) == 2 * size and _HEX(bare):
            return bare.lower() if bare.strip("0") else ""
    malformed[name] = value
    return ""


def severity_of(value: Any) -> int:
    """A severityNumber, also of its name; 0 when that is not known. Raises Refused."""
    if type(value) is int:
        return value
    if isinstance(value, str) and not _WHOLE(value):
        return severity_number(value.lower().removeprefix("severity_number_")) or 0
    return whole_number(value, "severityNumber")


def enum_of(value: Any, name: str, prefix: str, words: tuple[str, ...]) -> int:
    """An enum's number, also of its name. Raises Refused."""
    if isinstance(value, str):
        word = value.lower().removeprefix(prefix)
        if word in words:
            return words.index(word)
    return whole_number(value, name)


def whole_number(value: Any, name: str) -> int:
    """A whole number, also from its text; 0 when there is none. Raises Refused."""
    if type(value) is int:
        return value
    if value is None or value == "":
        return 0
    if isinstance(value, str) and _WHOLE(value):
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Refused(f"{name} {shown(value)} is not a whole number; send one")


def unix_nano_of(value: Any, name: str) -> int:
    """A fixed64 of nanoseconds; 0 when there is none. Raises Refused."""
    if type(value) is str and value.isdecimal() and value.isascii() and len(value) <= 20:
        number = int(value)
    else:
        number = whole_number(value, name)
    if not 0 <= number < _END_NANO:
        raise Refused(f"{name} {shown(value)} is no time; send nanoseconds since 1970")
    return number


def text_of(value: Any) -> str:
    """Text as it is, other JSON as its text, nothing as empty text."""
    if type(value) is str:
        return value
    return "" if value is None else msgspec.json.encode(value).decode()


def shown(value: Any) -> str:
    """A value as an error may quote it."""
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return f"'{clean_text(text[:80])}'"
