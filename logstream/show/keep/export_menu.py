"""The whole result as a file, fetched by the browser from the service itself."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from logstream.errors import LogStreamError
from logstream.show import session
from logstream.show.http_relay import relay_path
from logstream.show.url_state import View
from logstream.show.words import whole

_HERE = Path(__file__).parent
FORMS = {"NDJSON": "ndjson", "CSV": "csv", "Parquet": "parquet"}
_WORDS = {
    "NDJSON": "One JSON object a line, as the API gives it: for programs, and to import again.",
    "CSV": "For spreadsheets. What could be a formula begins with an apostrophe.",
    "Parquet": "Typed columns, compressed: for DuckDB, pandas, Spark.",
}
_mounts: list[Any] = []


def draw_export(view: View) -> None:
    """The menu: form, order, how many lines, and the download with its progress."""
    with (
        st.container(key="keep-export", width="content"),
        st.popover("Export", icon=":material/download:"),
    ):
        form = st.segmented_control(
            "Form", FORMS, key="export-form", default="NDJSON", required=True
        )
        form = form or "NDJSON"
        st.markdown(_WORDS[form])
        order = st.segmented_control(
            "Order", ("Newest first", "Oldest first"), key="export-order", default="Newest first",
            required=True,
        )  # fmt: skip
        total = _expected(view)
        st.markdown(
            "Every matching line, counted when it begins."
            if total is None
            else f"About {whole(total)} lines."
            if total
            else "No line matches now; the file would be empty."
        )
        parameters = {
            **view.log_filter.to_url(),
            "format": FORMS[form],
            "order": "oldest" if order == "Oldest first" else "newest",
            **({"bom": "true"} if form == "CSV" else {}),
        }
        _download(parameters, total or 0)


def _expected(view: View) -> int | None:
    # Counting lines that hold a text needs the lines.
    if view.log_filter.needs_rows:
        return None
    try:
        return sum(session.severity_breakdown(view.log_filter).answer.values())
    except LogStreamError:
        return None


def _download(parameters: dict[str, str], expected: int) -> None:
    if not _mounts:
        scripts = (_HERE / "save_file.js", _HERE / "export.js")
        _mounts.append(
            st.components.v2.component(
                "logstream_export",
                html="<div class='export'></div>",
                css=(_HERE / "keep.css").read_text("utf-8"),
                js="\n".join(path.read_text("utf-8") for path in scripts),
            )
        )
    settings = session.settings()
    _mounts[0](
        key="export-download",
        data={
            "parameters": parameters,
            "expected": expected,
            "serviceUrl": settings.public_url or "",
            "servicePort": urlsplit(settings.url).port or settings.port,
            "pass": session.page_pass(),
            "relayPath": relay_path(),
        },
    )
