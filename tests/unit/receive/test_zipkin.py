import contextlib
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from logstream.errors import DecodeError
from logstream.model import Decoded, Span
from logstream.ports import Arrival
from logstream.receive.zipkin import decode
from tests.unit.receive.test_native_json import any_json, any_text, texts_in

RECEIVED = 1_767_225_600_000_000_000  # 2026-01-01T00:00:00Z
START_MICROS = 1_767_225_590_266_815

CHARGE = {
    "traceId": "A9482C193D267FBB6FE1D5D51F5E328F",
    "id": "11824d00d66de4ca",
    "parentId": "463ac35c9f6413ad",
    "kind": "CLIENT",
    "name": "charge card",
    "timestamp": START_MICROS,
    "duration": 24_500,
    "localEndpoint": {"serviceName": "checkout", "ipv4": "10.0.0.7", "port": 0},
    "remoteEndpoint": {"serviceName": "payments", "ipv4": "10.0.0.9", "ipv6": "::9", "port": 443},
    "annotations": [{"timestamp": START_MICROS + 5, "value": "retry"}],
    "tags": {"http.method": "POST", "deployment.environment": "staging"},
    "debug": True,
}


def decoded(*spans: object, wants_origins: bool = False) -> Decoded:
    body = json.dumps(spans).encode()
    return decode(Arrival(body, RECEIVED, "production", wants_origins=wants_origins))


def only(**changes: object) -> Span:
    result = decoded({**CHARGE, **changes})
    assert result.rejects == []
    (span,) = result.spans
    return span


def test_every_field_of_a_span_has_its_place() -> None:
    span = only()
    assert span.trace_id == "a9482c193d267fbb6fe1d5d51f5e328f"
    assert (span.span_id, span.parent_span_id) == ("11824d00d66de4ca", "463ac35c9f6413ad")
    assert (span.kind, span.name, span.service_name) == ("client", "charge card", "checkout")
    assert span.environment == "staging"
    assert span.start_unix_nano == START_MICROS * 1_000
    assert span.duration_nano == 24_500_000
    assert span.observed_unix_nano == RECEIVED
    assert (span.status, span.status_message) == ("unset", None)
    assert json.loads(span.attributes) == {
        "http.method": "POST",
        "deployment.environment": "staging",
        "peer.service": "payments",
        "network.local.address": "10.0.0.7",
        "network.local.port": 0,
        "network.peer.address": "10.0.0.9",
        "remoteEndpoint.ipv6": "::9",
        "network.peer.port": 443,
        "debug": True,
    }
    assert json.loads(span.events) == [
        {"name": "retry", "timeUnixNano": f"{START_MICROS + 5}000", "attributes": {}}
    ]


def test_what_opentelemetry_for_python_sends_is_read() -> None:
    """In the shape of a recorded request: no kind, the status and the service in tags."""
    event = {"exception": {"exception.type": "ValueError", "exception.stacktrace": "Traceback …"}}
    span = only(
        kind=None,
        localEndpoint={"serviceName": "unknown_service:python"},
        remoteEndpoint=None,
        annotations=[{"timestamp": START_MICROS, "value": json.dumps(event)}],
        tags={"otel.status_code": "ERROR", "error": "ValueError: no such card", "otel.scope": ""},
    )
    assert (span.kind, span.service_name) == ("internal", "unknown_service:python")
    assert (span.status, span.status_message) == ("error", "ValueError: no such card")
    [exception] = json.loads(span.events)
    assert exception["name"] == "exception"
    assert exception["attributes"] == event["exception"]


@pytest.mark.parametrize(
    ("tags", "status", "message"),
    [
        ({"error": "timeout after 5 s"}, "error", "timeout after 5 s"),
        ({"error": ""}, "error", None),
        ({"error": "true"}, "error", None),
        ({"error": True}, "error", None),
        ({"error": "false"}, "unset", None),
        ({"otel.status_code": "OK"}, "ok", None),
        ({"otel.status_code": "ERROR", "otel.status_description": "broken"}, "error", "broken"),
        ({"message": "error"}, "unset", None),
    ],
)
def test_the_error_tag_is_the_status(
    tags: dict[str, object], status: str, message: str | None
) -> None:
    span = only(tags=tags)
    assert (span.status, span.status_message) == (status, message)
    assert tags.items() <= json.loads(span.attributes).items()


@pytest.mark.parametrize(
    ("sent", "stored"),
    [
        ("463ac35c9f6413ad", "463ac35c9f6413ad"),
        ("463AC35C9F6413AD", "463ac35c9f6413ad"),
        ("3ac35c9f6413ad", "003ac35c9f6413ad"),
        ("0000000000000000463ac35c9f6413ad", "0000000000000000463ac35c9f6413ad"),
    ],
)
def test_a_trace_id_is_kept_at_its_length(sent: str, stored: str) -> None:
    assert only(traceId=sent).trace_id == stored


def test_a_root_may_have_no_parent_or_one_of_zeros() -> None:
    assert only(parentId=None).parent_span_id is None
    assert only(parentId="0000000000000000").parent_span_id is None


def test_both_halves_of_a_shared_span_are_kept() -> None:
    result = decoded(CHARGE, {**CHARGE, "kind": "SERVER", "shared": True, "timestamp": None})
    client, server = result.spans
    assert client.span_id == server.span_id
    assert json.loads(server.attributes)["shared"] is True
    assert server.start_unix_nano == (START_MICROS + 5) * 1_000, "the first annotation's"


@pytest.mark.parametrize(
    ("timestamp", "nanos"),
    [
        (START_MICROS + 0.2, START_MICROS * 1_000 + 200),
        (str(START_MICROS), START_MICROS * 1_000),
        (0, RECEIVED),
        (None, RECEIVED),
    ],
)
def test_microseconds_are_read_exactly(timestamp: object, nanos: int) -> None:
    assert only(timestamp=timestamp, annotations=[]).start_unix_nano == nanos


def test_a_service_nobody_names_is_unknown() -> None:
    assert only(localEndpoint=None).service_name == "unknown_service"
    assert only(localEndpoint={"serviceName": " "}).service_name == "unknown_service"
    assert only(localEndpoint=None, tags={"service.name": "cart"}).service_name == "cart"


def test_what_has_no_place_stays_under_the_senders_name_beside_the_tags() -> None:
    span = only(kind="WEIRD", debug=False, tags={"debug": "yes"}, mood={"level": 10**30})
    attributes = json.loads(span.attributes)
    assert span.kind == "internal"
    assert (attributes["kind"], attributes["debug"], attributes["field_debug"]) == (
        "WEIRD",
        "yes",
        False,
    )
    assert attributes["mood"] == {"level": 10**30}
    assert json.loads(only(annotations="none", tags=[1]).attributes)["annotations"] == "none"


@pytest.mark.parametrize(
    ("changes", "reason", "said"),
    [
        ({"traceId": "xyz"}, "bad_id", 'traceId "xyz" is no id'),
        ({"traceId": 17}, "bad_id", "traceId the number 17 is no id"),
        ({"traceId": "a" * 33}, "bad_id", "is no id"),
        ({"id": None}, "bad_id", "id is missing"),
        ({"parentId": "no"}, "bad_id", 'parentId "no" is no id'),
        ({"timestamp": "yesterday"}, "bad_time", 'timestamp "yesterday"'),
        ({"timestamp": 10**18}, "bad_time", "outside the years 1 to 9999"),
        ({"duration": 10**17}, "bad_time", "over 292 years"),
        ({"duration": []}, "bad_time", "duration an array"),
        ({"localEndpoint": {"serviceName": "s" * 201}}, "bad_name", "201 characters"),
        ({"tags": {"env": "e" * 201}}, "bad_name", "201 characters"),
    ],
)
def test_a_span_that_cannot_be_stored_is_named_and_its_neighbours_are_read(
    changes: dict[str, object], reason: str, said: str
) -> None:
    result = decoded(CHARGE, {**CHARGE, **changes}, CHARGE)
    assert len(result.spans) == 2
    (reject,) = result.rejects
    assert (reject.index, reject.reason) == (1, reason)
    assert reject.error.startswith("span 1: ") and said in reject.error
    assert json.loads(reject.raw) == {**CHARGE, **changes}


def test_a_span_that_is_no_json_costs_only_itself() -> None:
    good = json.dumps(CHARGE)
    result = decode(Arrival(f'[{good},{{"traceId":NaN}},7,{good}]'.encode(), RECEIVED, "prod"))
    assert len(result.spans) == 2
    assert [(reject.index, reject.reason) for reject in result.rejects] == [
        (1, "bad_json"),
        (2, "bad_span"),
    ]


def test_nothing_is_nested_deeper_than_can_be_stored() -> None:
    deep = "[" * 200 + "]" * 200
    body = json.dumps([CHARGE, CHARGE]).replace('"retry"', deep, 1)
    result = decode(Arrival(body.encode(), RECEIVED, "production"))
    assert len(result.spans) == 1
    assert "nested deeper" in result.rejects[0].error


def test_one_span_without_an_array_is_read_and_an_empty_array_is_fine() -> None:
    body = json.dumps(CHARGE).encode()
    assert len(decode(Arrival(body, RECEIVED, "production")).spans) == 1
    assert decoded() == Decoded([])


@pytest.mark.parametrize("body", [b"", b"  ", b"hello", b"[{", b'[{"id":]', b'{"traceId"'])
def test_a_body_of_which_nothing_can_be_read_is_an_error(body: bytes) -> None:
    with pytest.raises(DecodeError):
        decode(Arrival(body, RECEIVED, "production"))


def test_origins_name_the_field_that_was_read() -> None:
    result = decoded(CHARGE, {**CHARGE, "timestamp": None, "tags": {}}, wants_origins=True)
    first, second = result.span_origins
    assert first["service_name"] == "localEndpoint.serviceName"
    assert first["environment"] == "tag deployment.environment"
    assert first["start_unix_nano"] == "timestamp"
    assert second["environment"] == "LOGSTREAM_DEFAULT_ENVIRONMENT"
    assert second["start_unix_nano"] == "the first annotation"
    assert first.keys() <= set(Span.__struct_fields__)
    assert decoded(CHARGE).span_origins == []


def assert_storable(result: Decoded) -> None:
    for span in result.spans:
        texts = [span.trace_id, span.span_id, span.parent_span_id or "", span.environment]
        texts += [span.service_name, span.name, span.kind, span.status, span.status_message or ""]
        attributes, events = json.loads(span.attributes), json.loads(span.events)
        assert isinstance(attributes, dict)
        assert isinstance(events, list) and all(isinstance(event, dict) for event in events)
        for text in (*texts, *texts_in(attributes), *texts_in(events)):
            assert "\x00" not in text
            text.encode()
    for reject in result.rejects:
        assert "\x00" not in reject.error
        reject.error.encode()


any_span = st.dictionaries(
    st.sampled_from(["name", "kind", "timestamp", "duration", "localEndpoint", "remoteEndpoint"])
    | st.sampled_from(["annotations", "tags", "debug", "shared", "parentId", "traceId", "id"])
    | any_text,
    any_json
    | st.fixed_dictionaries({"serviceName": any_text, "ipv4": any_json, "error": any_text})
    | st.lists(st.fixed_dictionaries({"timestamp": any_json, "value": any_json | any_text})),
    max_size=6,
).map(lambda fields: CHARGE | fields)


@settings(max_examples=200, deadline=None)
@given(st.lists(any_span, max_size=4))
def test_whatever_json_is_sent_what_lands_can_be_stored(spans: list[dict[str, object]]) -> None:
    result = decoded(CHARGE, *spans, wants_origins=True)
    assert_storable(result)
    assert len(result.spans) + len(result.rejects) == 1 + len(spans)
    assert len(result.span_origins) == len(result.spans)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 400), st.binary(max_size=3))
def test_any_bytes_are_decoded_or_refused(noise: bytes, cut: int, changed: bytes) -> None:
    whole = json.dumps([CHARGE, CHARGE]).encode()
    for body in (noise, whole[:cut], whole[:cut] + changed + whole[cut + len(changed) :]):
        with contextlib.suppress(DecodeError):
            assert_storable(decode(Arrival(body, RECEIVED, "production")))
