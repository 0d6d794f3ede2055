"""How a trace's id may be spelled."""

from logstream.model import normal_trace_id

_PADDING = "0" * 16


def forms_of_trace_id(text: str) -> tuple[str, ...]:
    """How the id may be stored: 64-bit ids are also sent with zeros before them, as 128-bit."""
    trace_id = normal_trace_id(text.strip())
    if len(trace_id) == 16:
        return trace_id, _PADDING + trace_id
    if len(trace_id) == 32 and trace_id.startswith(_PADDING):
        return trace_id, trace_id[16:]
    return (trace_id,)
