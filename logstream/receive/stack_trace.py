"""Stack traces: the type and message a text of one tells, and the text of one in frames."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

_PYTHON_HEAD = "Traceback (most recent call last)"
_DESCRIPTION = re.compile(
    r"(?:Uncaught |Unhandled exception\. |Exception in thread \"[^\"]*\" )?"
    r"([A-Za-z_$][\w$]*(?:[.:/\\]+[\w$]+)*(?:`\d+)?)(?:\s*\([^()]*\))?(?:: ?(.*))?",
)
_LOOKS_LIKE_A_TYPE = re.compile(
    r"(?:Error|Exception|Throwable|Fault|Warning|Exit|Interrupt)$|[.\\]"
)


def described(trace: str) -> dict[str, str]:
    """`exception.type`, `.message` and `.stacktrace` of a trace as its language prints it.

    Python names the exception in its last line, others in the first. What cannot be told is
    left out.
    """
    found = {"exception.stacktrace": trace}
    lines = [line for line in trace.strip().splitlines() if line.strip()]
    if not lines:
        return {}
    line = lines[0]
    if any(text.lstrip().startswith(_PYTHON_HEAD) for text in lines):
        # The message may go on for lines: the description is the last line before it that
        # is not indented and follows a frame.
        frames = [at for at, text in enumerate(lines) if text.startswith("  ")]
        line = lines[frames[-1] + 1] if frames and frames[-1] + 1 < len(lines) else lines[-1]
    match = _DESCRIPTION.fullmatch(line.strip())
    if match is not None and _LOOKS_LIKE_A_TYPE.search(match[1]):
        found["exception.type"] = match[1]
        if match[2]:
            found["exception.message"] = match[2]
    return found


def printed(kind: str, message: str, frames: Iterable[Mapping[str, Any]], platform: str) -> str:
    """A trace's text, as the platform prints it, from frames that begin with the oldest call."""
    description = f"{kind}: {message}" if kind and message else kind or message
    rows = [_frame(frame, platform) for frame in frames]
    if platform == "python":
        return "\n".join([f"{_PYTHON_HEAD}:", *rows, description]) if rows else description
    return "\n".join([description, *reversed(rows)])


def _frame(frame: Mapping[str, Any], platform: str) -> str:
    path = _first_text(frame, "abs_path", "filename", "module", "package") or "<unknown>"
    function = _first_text(frame, "function")
    line, column = frame.get("lineno"), frame.get("colno")
    if platform == "python":
        row = f'  File "{path}", line {line}, in {function or "<module>"}'
        context = _first_text(frame, "context_line").strip()
        return f"{row}\n    {context}" if context else row
    if platform == "java":
        module = _first_text(frame, "module")
        name = f"{module}.{function}" if module else function
        file = _first_text(frame, "filename") or "Unknown Source"
        return f"\tat {name}({file}{_after(line)})"
    where = f"{path}{_after(line)}{_after(column) if line is not None else ''}"
    return f"    at {function} ({where})" if function else f"    at {where}"


def _after(number: object) -> str:
    return "" if number is None else f":{number}"


def _first_text(frame: Mapping[str, Any], *names: str) -> str:
    return next((v for name in names if isinstance(v := frame.get(name), str) and v), "")
