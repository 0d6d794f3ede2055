"""Two live services under OpenTelemetry, one calling the other: traced from end to end."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.integration.clients.traced import BROWSER, EXPIRED, VALID, check_out_twice


@pytest.fixture(scope="module")
def product_with_traces(clients_home: Path, product: str) -> str:
    """LogStream's base URL, after one check-out with each card."""
    check_out_twice(clients_home, product)
    return product


def whole(product: str, trace_id: str) -> dict[str, Any]:
    found = httpx.get(f"{product}/traces/{trace_id}", params={"env": "traced"})
    assert found.status_code == 200, found.text
    return found.json()


def test_a_call_that_fails_is_told_by_both_services(product_with_traces: str) -> None:
    trace = whole(product_with_traces, EXPIRED)
    spans = {(span["service"], span["name"], span["kind"]): span for span in trace["spans"]}
    # storefront: the request and its call; payments: the request and the charging in it.
    assert len(spans) == 4
    served = next(one for key, one in spans.items() if key[0] == "storefront" and "server" in key)
    calling = next(one for key, one in spans.items() if "client" in key)
    answered = next(one for key, one in spans.items() if key[0] == "payments" and "server" in key)
    charging = spans["payments", "charge card", "internal"]
    assert calling["parentSpanId"] == served["spanId"]
    assert answered["parentSpanId"] == calling["spanId"]
    assert charging["parentSpanId"] == answered["spanId"]
    assert {one["status"] for one in (served, calling, answered, charging)} == {"error"}
    assert served["parentSpanId"] == BROWSER


def test_the_exception_and_the_lines_are_on_their_spans(product_with_traces: str) -> None:
    trace = whole(product_with_traces, EXPIRED)
    names = {span["spanId"]: (span["service"], span["name"]) for span in trace["spans"]}
    events = {names[span["spanId"]]: span["events"] for span in trace["spans"] if span["events"]}
    # The card in payments; the answer 500, as an exception of its own, in the storefront's call.
    assert set(events) == {("payments", "charge card"), ("storefront", "GET")}
    [thrown] = events["payments", "charge card"]
    assert thrown["name"] == "exception"
    assert thrown["attributes"]["exception.message"] == "card ended in 2024-03"
    assert thrown["attributes"]["exception.type"].endswith("CardExpired")
    lines = {line["message"].partition("\n")[0]: line for line in trace["logs"]}
    assert names[lines["charging card expired"]["spanId"]] == ("payments", "charge card")
    # Logged where it was caught: in the request, outside the charging.
    assert names[lines["charging failed"]["spanId"]][0] == "payments"
    assert lines["charging failed"]["severity"] == "error"
    assert names[lines["checkout of card expired started"]["spanId"]][0] == "storefront"
    assert lines["checkout failed: payments answered 500"]["severity"] == "error"


def test_the_browsers_span_that_nobody_sent_is_not_missed(product_with_traces: str) -> None:
    trace = whole(product_with_traces, VALID)
    root = next(span for span in trace["spans"] if span["parentSpanId"] == BROWSER)
    assert root["service"] == "storefront"
    assert root["status"] != "error"
    assert any(f"{BROWSER} is not known" in warning for warning in root["warnings"])
