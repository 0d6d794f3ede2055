"""What was refused and kept, for programs; the System page asks the same."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from ingest_service.reading import caller_of
from ingest_service.replies import JsonReply
from ingest_service.resend import MAX_ID, find_kept
from logstream.kept_reject import RejectFilter
from logstream.model import iso_time
from logstream.ports import LogReader

MAX_LIMIT = 500

router = APIRouter(tags=["rejects"])
_Choice = Annotated[str | None, Query(max_length=200)]


@router.get("/rejects", summary="What was refused, newest first")
def rejects(
    request: Request,
    format: _Choice = None,
    reason: _Choice = None,
    sender: _Choice = None,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = 50,
    cursor: Annotated[int | None, Query(ge=1, le=MAX_ID)] = None,
) -> JsonReply:
    """`{"rejects", "cursor"}`; `raw` holds the first 2,000 bytes as `rawEncoding` says.

    `cursor`: give it back for the next page; null when there is none. `sender` is the visible
    part of an API key, empty for those without one.
    """
    wanted = _wanted(request, format, reason, sender)
    found = _reader(request).rejects(wanted, limit=limit + 1, before_id=cursor)
    page = found[:limit]
    return JsonReply(
        {
            "rejects": [kept.to_api() for kept in page],
            "cursor": page[-1].id if len(found) > limit else None,
        }
    )


@router.get("/rejects/summary", summary="How many were refused, by format, reason and sender")
def summary(
    request: Request, format: _Choice = None, reason: _Choice = None, sender: _Choice = None
) -> JsonReply:
    """Of what is kept, most first; how many were refused since start is in `/metrics`."""
    wanted = _wanted(request, format, reason, sender)
    counts = _reader(request).reject_counts(wanted)
    return JsonReply(
        [
            {
                "format": count.format,
                "reason": count.reason,
                "sender": count.sender or None,
                "count": count.count,
                "newestAt": iso_time(count.newest_unix_nano),
            }
            for count in counts
        ]
    )


@router.get("/rejects/{reject_id}", summary="One refused record, whole")
def reject(request: Request, reject_id: int) -> JsonReply:
    """404 when it is not kept (any more)."""
    caller = caller_of(request)
    kept = find_kept(_reader(request), reject_id, caller)
    return JsonReply(kept.to_api())


def _wanted(
    request: Request, format: str | None, reason: str | None, sender: str | None
) -> RejectFilter:
    # Nothing stored holds a NUL, and the database takes no question with one.
    format, reason, sender = (
        value and value.replace("\x00", "\ufffd") for value in (format, reason, sender)
    )
    return RejectFilter(format, reason, sender, caller_of(request).environment)


def _reader(request: Request) -> LogReader:
    reader: LogReader = request.app.state.reader
    return reader
