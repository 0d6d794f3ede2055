"""A small shop's log lines, a way to land them, and a way to open a page on them."""

import asyncio
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from streamlit.components.v2.bidi_component.main import _make_trigger_id
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Button

from logstream.land.group_commit import GroupCommit
from logstream.land.postgres import PostgresWriter
from logstream.land.spool import Spool
from logstream.model import NANOS_PER_SECOND, LogRecord, Span
from logstream.ports import Batch

ROOT = Path(__file__).resolve().parents[1]
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HOSTILE_NAME = "[pay](http://x)<b>"

OpenPage = Callable[..., AppTest]


def shop_lines(now_unix_nano: int) -> list[LogRecord]:
    """Seven lines of the last minutes and one two hours old.

    checkout: 3 info, 2 error · cart: 1 warn · a service with a hostile name: 1 fatal (staging)
    · shipping: 1 info, old.
    """

    def line(
        minutes_ago: float, service: str, severity: int, body: str, environment: str = "production"
    ) -> LogRecord:
        at = now_unix_nano - int(minutes_ago * 60 * NANOS_PER_SECOND)
        return LogRecord(
            timestamp_unix_nano=at,
            observed_unix_nano=at,
            environment=environment,
            service_name=service,
            severity_number=severity,
            body=body,
            trace_id=TRACE if severity == 17 else None,
        )

    return [
        line(1, "checkout", 9, "order 71244 created for user-88"),
        line(2, "checkout", 9, "order 71245 created for user-14"),
        line(3, "checkout", 9, "order 71246 created for user-31"),
        line(2.2, "checkout", 17, "payment provider timed out after 5000 ms"),
        line(3.2, "checkout", 17, "payment provider timed out after 5000 ms"),
        line(4, "cart", 13, "retry 2 of 5 reading cart 5521"),
        line(5, HOSTILE_NAME, 21, "out of memory: worker 3 killed", "staging"),
        line(120, "shipping", 9, "parcel 8841 handed over"),
    ]


def land(database_url: str, records: list[LogRecord], spans: Sequence[Span] = ()) -> None:
    """Land records and spans the way the service does, and wait for the commit."""

    async def run(folder: str) -> None:
        writer = GroupCommit(
            PostgresWriter(database_url),
            Spool(Path(folder) / "spool", max_bytes=1024 * 1024),
            on_landed=lambda first_id, records: None,
            max_pending_bytes=1024 * 1024,
            land_timeout_seconds=5,
        )
        writer.start()
        await writer.land(Batch(records, environment="production", spans=spans))
        await writer.close()

    with TemporaryDirectory() as folder:
        asyncio.run(run(folder))


def open_by_name(name: str = "live", /, **parameters: str) -> AppTest:
    """The page after its first run, with these URL parameters (`from_` means `from`)."""
    page = AppTest.from_file(str(ROOT / "logstream/show/main.py"), default_timeout=30)
    for key, value in parameters.items():
        page.query_params[key.rstrip("_")] = value
    page.run()
    if name != "live":
        page.switch_page(f"../../pages/{name}.py").run()
    return page


def url_of(page: AppTest) -> dict[str, str]:
    """The page's URL parameters."""
    values = {name: page.query_params[name] for name in page.query_params}
    return {
        name: value if isinstance(value, str) else ",".join(value) for name, value in values.items()
    }


def chips(page: AppTest) -> list[str]:
    """The labels of the chips, without their escapes."""
    return [button.label.replace("\\", "") for button in chip_buttons(page)]


def chip_buttons(page: AppTest) -> list[Button]:
    """The chips in their order."""
    return [
        button
        for button in page.button
        if button.key and button.key.startswith(("chip-", "problem-"))
    ]


def query_box(page: AppTest) -> dict[str, Any]:
    """What the box for searches was told."""
    told = [json.loads(part.proto.json) for part in page.get("bidi_component") if part.proto.json]
    (box,) = [data for data in told if "maxCharacters" in data]
    return box  # type: ignore[no-any-return]


def type_search(page: AppTest, text: str) -> AppTest:
    """The page after a search was typed into the box, as the browser tells it."""
    (box,) = [
        part.proto.id
        for part in page.get("bidi_component")
        if part.proto.json and "maxCharacters" in json.loads(part.proto.json)
    ]
    states = page._tree.get_widget_states()
    told = states.widgets.add()
    # As Streamlit names what a component triggers; AppTest has no way of its own to do so.
    told.id = _make_trigger_id(box, "events")
    value = {"text": text, "turn": time.time_ns()}
    told.json_trigger_value = json.dumps([{"event": "typed", "value": value}])
    return page._run(states)


def text_of(page: AppTest) -> str:
    """Everything the page says in HTML, as one string."""
    return "\n".join(str(block.proto.body) for block in page.html)
