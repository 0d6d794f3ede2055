"""Python's LogRecord as its handlers send it raw: HTTPHandler as a form, Axiom's as JSON."""

import ast
import re
from contextlib import suppress
from typing import Any

import msgspec

from logstream.receive.json_text import clean_text, merged

# A short message can name a long argument many times.
_MAX_ARGS, _MAX_MESSAGE = 10_000, 4_000
# Conversions of the % operator whose result cannot be much longer than the argument.
_HARMLESS = re.compile(
    r"(?:[^%]|%%|%(?:\(\w+\))?[-#0 +]*\d{0,3}(?:\.\d{0,3})?[diouxXeEfFgGcrsa])*+"
)
_EXC_INFO = re.compile(r"\(<class '([\w.]+)'>, (.*), <traceback object at \w+>\)", re.DOTALL)


class _Parts(msgspec.Struct, gc=False):
    msg: str
    args: list[Any] | dict[str, Any]
    message: Any = None


_decode_parts = msgspec.json.Decoder(_Parts).decode


def object_of_form(fields: dict[str, str]) -> bytes:
    """The form's fields as one JSON object, with the message that Python would have written."""
    members = {clean_text(name): clean_text(value) for name, value in fields.items()}
    # `message` is only there when a handler before has formatted the record.
    if "msg" in members and "args" in members and "message" not in members:
        members["message"] = clean_text(_interpolated(members["msg"], members["args"]))
    # `exc_info` is the text of a tuple; the stack trace is in `exc_text` if anywhere.
    match = _EXC_INFO.fullmatch(members.get("exc_info", "")[:_MAX_ARGS])
    if match is not None:
        members["exception.type"] = match[1].rpartition(".")[2]
        members["exception.message"] = match[2]
    return msgspec.json.encode(members)


def _interpolated(message: str, args: str) -> str:
    if args in ("", "()", "None") or len(args) > _MAX_ARGS or not _is_harmless(message):
        return message
    try:
        return str(message % ast.literal_eval(args))
    except (ValueError, TypeError, KeyError, OverflowError):
        return message
    except (SyntaxError, RecursionError, MemoryError):  # a text that only looks like values
        return message


def _is_harmless(message: str) -> bool:
    return len(message) <= _MAX_MESSAGE and _HARMLESS.fullmatch(message) is not None


def with_message(piece: bytes) -> bytes:
    """The JSON object, with the message Python would have written where only its parts are."""
    if b'"levelno"' not in piece or b'"args"' not in piece:
        return piece
    try:
        record = _decode_parts(piece)
    except (msgspec.DecodeError, RecursionError):
        return piece
    is_short = len(piece) <= _MAX_ARGS + _MAX_MESSAGE
    if record.message is not None or not is_short or not _is_harmless(record.msg):
        return piece
    args = tuple(record.args) if isinstance(record.args, list) else record.args
    with suppress(ValueError, TypeError, KeyError, OverflowError):
        return merged(piece, {"message": clean_text(record.msg % args)}) if args else piece
    return piece
