"""The browser of refused records: counts, a list, one opened, corrected and sent again."""

from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, tzinfo

import streamlit as st

from logstream.errors import LogStreamError, StoreUnavailable
from logstream.kept_reject import KeptReject, RejectCount, RejectFilter, readable
from logstream.show import service_calls, session, url_state
from logstream.show.cards import empty, guarded, outcome
from logstream.show.system_protocols import format_words
from logstream.show.system_tables import facts_table, heading, moment, table
from logstream.show.words import counted, short, size, whole

MOST_SHOWN = 100
# What an editor in a browser still handles well.
MOST_EDITED_CHARACTERS = 20_000
_ENCODINGS = {
    "utf-8": "",
    "escaped": ", bytes that are not text shown as \\x…",
    "base64": ", not text, so shown in base64",
}
_REASONS = {
    "bad_record": "a record could not be read",
    "bad_request": "a whole body could not be read",
    "too_large": "a body was too large",
    "unsupported_encoding": "an encoding is not known",
    "unstorable": "the database could not hold it",
}


@st.fragment
@guarded("The refused records cannot be listed.")
def draw_refused_records() -> None:
    """Draw the browser. It stands still while it is read; a button asks again."""
    zone = url_state.shown().zone
    try:
        counts = session.reject_counts()
        wanted = _filters(counts)
        found = session.rejects(wanted, MOST_SHOWN) if counts else []
    except StoreUnavailable:
        empty("Refused records are in the database, which does not answer.", "They come back.")
        return
    if not counts:
        return
    has_senders = any(kept.sender for kept in found)
    table(
        "",
        (
            *("#", "Time", "Protocol", "Environment"),
            *(("Key",) if has_senders else ()),
            *("Why", "Sent again", "As received"),
        ),
        [_row(kept, zone, has_senders) for kept in found],
        "None of these is kept.",
        is_wide=True,
    )
    _opened(found, zone)


def reason_words(reason: str) -> str:
    """A reason's code as people say it."""
    return _REASONS.get(reason, reason.replace("_", " "))


def count_words(counts: Sequence[RejectCount]) -> str:
    """`12 kept · a record could not be read: 10 · a body was too large: 2`."""
    by_reason: dict[str, int] = {}
    for count in counts:
        by_reason[count.reason] = by_reason.get(count.reason, 0) + count.count
    parts = " · ".join(
        f"{reason_words(reason)}: {whole(number)}"
        for reason, number in sorted(by_reason.items(), key=lambda item: -item[1])
    )
    return f"{whole(sum(by_reason.values()))} kept · {parts}" if parts else "Nothing was refused."


def _filters(counts: Sequence[RejectCount]) -> RejectFilter:
    heading("Refused records", count_words(counts))
    if not counts:
        return RejectFilter()
    with st.container(key="reject-filters", horizontal=True, gap="small"):
        format = _choice("Protocol", [one.format for one in counts], format_words)
        reason = _choice("Reason", [one.reason for one in counts], reason_words)
        sender = None
        if any(one.sender for one in counts):
            sender = _choice("Key", [one.sender for one in counts], lambda key: key or "no key")
        st.button("Refresh", key="refresh-rejects", icon=":material/refresh:")
    return RejectFilter(format, reason, sender)


def _choice(label: str, values: Iterable[str], words: Callable[[str], str]) -> str | None:
    """One of the values, each offered once, or None for all of them."""
    picked: str | None = st.selectbox(
        label,
        list(dict.fromkeys(values)),
        index=None,
        placeholder=f"{label}: all",
        format_func=words,
        width=220,
        key=f"reject-{label.lower()}",
        label_visibility="collapsed",
    )
    return picked


def _opened(found: Sequence[KeptReject], zone: tzinfo) -> None:
    by_id = {kept.id: kept for kept in found}

    def words(reject_id: int) -> str:
        kept = by_id[reject_id]
        return f"#{kept.id} · {format_words(kept.format)} · {short(kept.error, 90)}"

    picked = st.selectbox(
        "Open a refused record",
        list(by_id),
        index=None,
        placeholder="Open one to see it whole, correct it and send it again",
        format_func=words,
        key="open-reject",
        label_visibility="collapsed",
    )
    kept = session.reject(picked) if picked is not None else None
    if kept is not None:
        with st.container(key="reject-opened"):
            _whole(kept, zone)


def _whole(kept: KeptReject, zone: tzinfo) -> None:
    encoding, text = readable(kept.raw)
    what = f"{format_words(kept.format)}, {reason_words(kept.reason)}"
    facts_table(
        f"Refused record #{kept.id}",
        [
            ("Why", kept.error),
            ("Received", f"{_time(kept.rejected_unix_nano, zone)} · {what}"),
            ("Kept of it", f"{size(kept.size_bytes)}{_ENCODINGS[encoding]}"),
            *([("API key", kept.sender)] if kept.sender else []),
            *(
                []
                if kept.resent_unix_nano is None
                else [("Sent again", _time(kept.resent_unix_nano, zone))]
            ),
        ],
    )
    if encoding == "base64" or len(text) > MOST_EDITED_CHARACTERS:
        st.code(text[:MOST_EDITED_CHARACTERS], language=None, wrap_lines=True, height=120)
        if st.button("Send again as it is", key=f"resend-{kept.id}"):
            _send(kept, None)
        return
    with st.form(f"resend-form-{kept.id}", border=False):
        corrected = st.text_area(
            "As received; correct it here", text, key=f"correct-{kept.id}", height=180
        )
        is_asked = st.form_submit_button("Send again", key=f"resend-{kept.id}")
    if is_asked:
        # Unchanged, the bytes that are kept count, which the text may only describe.
        _send(kept, None if corrected == text else corrected)


def _send(kept: KeptReject, corrected: str | None) -> None:
    try:
        reply = service_calls.send_again(kept.id, corrected)
    except StoreUnavailable as error:
        outcome("It was not sent.", f"{error.message}; try again soon.", is_failure=True)
        return
    except LogStreamError as error:
        outcome("It was refused again.", error.one_line(), is_failure=True)
        return
    refused = reply.get("rejected") or []
    words = f"{counted(reply.get('accepted') or 0, 'record')} landed."
    if refused:
        words += f" {counted(len(refused), 'record')} refused: {refused[0]['error']}"
    outcome("Sent again.", words)


def _row(kept: KeptReject, zone: tzinfo, has_senders: bool) -> tuple[str, ...]:
    _, raw = readable(kept.raw)
    return (
        str(kept.id),
        _time(kept.rejected_unix_nano, zone),
        format_words(kept.format),
        kept.environment or "–",
        *((kept.sender or "–",) if has_senders else ()),
        kept.error,
        "–" if kept.resent_unix_nano is None else _time(kept.resent_unix_nano, zone),
        raw[:300],
    )


def _time(unix_nano: int, zone: tzinfo) -> str:
    return moment(datetime.fromtimestamp(unix_nano / 1e9, UTC), zone)
