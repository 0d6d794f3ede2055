"""The whole result of a question as a file, and the question as SQL."""

import time
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from ingest_service.compressed import Encoding, accepted_encoding, asked_encoding, compression
from ingest_service.replies import JsonReply
from ingest_service.routes.logs import FILTER_PARAMETERS, asked_filter
from ingest_service.streamed_export import Exports, StreamedExport
from logstream.filter import LogFilter
from logstream.query.export.as_sql import as_sql
from logstream.query.export.exporter import Export
from logstream.query.export.forms import Form, Name
from logstream.wiring import Store

router = APIRouter(tags=["logs"])
_DOCUMENTED = {"parameters": FILTER_PARAMETERS}
_EXTENSIONS: dict[Encoding, str] = {"": "", "gzip": ".gz", "zstd": ".zst"}
_FILES = {
    "application/x-ndjson": {"schema": {"type": "string"}},
    "text/csv": {"schema": {"type": "string"}},
    "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
    "application/gzip": {"schema": {"type": "string", "format": "binary"}},
    "application/zstd": {"schema": {"type": "string", "format": "binary"}},
}


@router.get(
    "/logs/export",
    openapi_extra=_DOCUMENTED,
    response_class=Response,
    responses={200: {"description": "The file.", "content": _FILES}},
    summary="Every matching line, as a file",
)
async def export(
    request: Request,
    format: Annotated[Name, Query()] = "ndjson",
    order: Annotated[Literal["newest", "oldest"], Query(description="Which comes first.")] = (
        "newest"
    ),
    limit: Annotated[int | None, Query(ge=1, le=10**12)] = None,
    compress: Annotated[
        str, Query(max_length=40, description="gzip or zstd: the file itself is compressed.")
    ] = "",
    bom: Annotated[bool, Query(description="CSV begins with a byte order mark, for Excel.")] = (
        False
    ),
) -> Response:
    """All lines of one moment, streamed; see docs/share.md for the columns.

    `X-LogStream-Total` is how many lines to expect, where that is known at once. An export
    that cannot be finished is cut off, so that no client takes it for whole. Without
    `compress`, `Accept-Encoding` may ask for gzip or zstd on the way. 429 while too many
    exports are under way.
    """
    exports: Exports = request.app.state.exports
    store: Store = request.app.state.store
    encoding = asked_encoding(compress)
    form = Form(format, bom)
    exports.enter()
    begun: Export | None = None
    try:
        log_filter = await exports.run(lambda: asked_filter(request))
        begun = await exports.run(
            lambda: store.exporter.export(
                log_filter,
                form,
                now_unix_nano=time.time_ns(),
                is_newest_first=order == "newest",
                limit=limit,
            )
        )
        pieces = iter(begun)
        # What goes wrong from the start is an error with a status, not a file that is cut off.
        first = await exports.run(lambda: next(pieces, None))
    except BaseException:
        if begun is not None:
            await exports.run(begun.close)
        exports.leave()
        raise
    headers = _headers(form, encoding)
    if begun.total is not None:
        headers["X-LogStream-Total"] = str(begun.total)
    on_the_way: Encoding = ""
    if not encoding:
        headers["Vary"] = "Accept-Encoding"
        if format != "parquet":  # it is compressed already
            on_the_way = accepted_encoding(request.headers.get("accept-encoding", ""))
        if on_the_way:
            headers["Content-Encoding"] = on_the_way
    return StreamedExport(
        exports, begun, pieces, first, compression(encoding or on_the_way), headers
    )


@router.get("/logs/sql", openapi_extra=_DOCUMENTED, summary="The question as SQL")
def sql(request: Request) -> JsonReply:
    """`{"sql"}`: a statement for psql and other tools that gives exactly the lines meant now.

    Times are absolute. The tables are those of docs/share.md.
    """
    log_filter: LogFilter = asked_filter(request)
    return JsonReply({"sql": as_sql(log_filter, now_unix_nano=time.time_ns())})


def _headers(form: Form, encoding: Encoding) -> dict[str, str]:
    named = time.strftime("logstream-%Y%m%d-%H%M%S", time.gmtime())
    name = f"{named}.{form.name}{_EXTENSIONS[encoding]}"
    content_type = f"application/{encoding}" if encoding else form.media_type
    return {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="{name}"',
    }
