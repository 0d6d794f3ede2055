"""How long spans of one kind took, over HTTP."""

import time

import httpx

from tests.pages.sent_traces import Sender


def test_spans_of_one_kind_are_counted_by_the_steps_of_their_durations(service: str) -> None:
    sent = Sender(service, "kinds", begin=time.time_ns() - 60_000_000_000)
    for n, took in enumerate((1, 1, 20)):
        sent.span(f"s{n}", None, "stock, old", "GET /stock", n, took, kind="server")
    sent.span("other", None, "stock, old", "GET /stock", 5, 3, kind="client")
    sent.send()
    asked = {"service": "stock, old", "operation": "GET /stock", "kind": "server"}
    found = httpx.get(f"{service}/services/durations", params=asked).json()
    # 4 · log2(1,000) = 39.9 and 4 · log2(20,000) = 57.2.
    assert found == {"steps": {"39": 2, "57": 1}}
    elsewhere = httpx.get(f"{service}/services/durations", params={**asked, "env": "trial"})
    assert elsewhere.json() == {"steps": {}}
    for hostile in ("a\x00b", "-", "\\", "x" * 1_000):
        reply = httpx.get(f"{service}/services/durations", params={**asked, "service": hostile})
        assert (reply.status_code, reply.json()) == (200, {"steps": {}})
    assert httpx.get(f"{service}/services/durations", params={"service": "a"}).status_code == 400
