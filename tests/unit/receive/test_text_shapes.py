from typing import Any

import pytest

from logstream.model import iso_time
from logstream.receive.text_shapes.grouping import MAX_JOINED_LINES, Grouper, Line
from logstream.receive.text_shapes.header import Header
from logstream.receive.text_shapes.shapes import SHAPES, shape_of
from logstream.receive.text_shapes.times import Times
from logstream.receive.timestamps import parse_timestamp

REFERENCE = 1_769_904_000_000_000_000  # 2026-02-01T00:00:00Z


def times(zone: str = "UTC") -> Times:
    return Times(REFERENCE, zone)


def records(text: str, shape: str = "auto") -> list[Header]:
    lines = text.split("\n")
    name = shape_of(lines, times()) if shape == "auto" else shape
    grouped = Grouper(name, times()).records([Line(line, 0) for line in lines])
    return [record.header for record in grouped]


# (shape, line, time, severity number, service, body, some attributes)
LINES: list[tuple[str, str, str | None, int | None, str | None, str, dict[str, Any]]] = [
    (
        "syslog",
        "Jan 31 14:05:00 web1 sshd[812]: Accepted key for deploy",
        "2026-01-31T14:05:00.000Z",
        None,
        "sshd",
        "Accepted key for deploy",
        {"host.name": "web1", "process.pid": 812},
    ),
    (
        "syslog",
        "<11>Jan 31 14:05:00 web1 backup: disk full",
        "2026-01-31T14:05:00.000Z",
        17,  # 11 = facility 1, severity 3
        "backup",
        "disk full",
        {"syslog.facility.code": 1},
    ),
    (
        "syslog",
        "2026-01-31T14:05:00.5+01:00 web1 postfix/smtpd[9]: warning: no such host",
        "2026-01-31T13:05:00.500Z",
        13,
        "smtpd",
        "warning: no such host",
        {},
    ),
    (
        "syslog5424",
        '<165>1 2026-01-31T14:05:00.003Z web1 orders 77 ID47 [meta seq="3" say="a\\"b"] paid',
        "2026-01-31T14:05:00.003Z",
        9,  # 165 = facility 20, severity 5: notice
        "orders",
        "paid",
        {"meta.seq": "3", "meta.say": 'a"b', "syslog.msgid": "ID47", "host.name": "web1"},
    ),
    (
        "access",
        '10.0.0.7 - ann [31/Jan/2026:14:05:00 +0100] "GET /cart?id=7 HTTP/1.1" 503 17 "-" "curl/8"',
        "2026-01-31T13:05:00.000Z",
        17,
        None,
        '"GET /cart?id=7 HTTP/1.1" 503 17 "-" "curl/8"',
        {
            "client.address": "10.0.0.7",
            "user.name": "ann",
            "http.request.method": "GET",
            "url.path": "/cart",
            "url.query": "id=7",
            "http.response.status_code": 503,
            "http.response.body.size": 17,
            "user_agent.original": "curl/8",
        },
    ),
    (
        "access",
        '10.0.0.7 - - [31/Jan/2026:14:05:00 +0000] "GET /nope HTTP/1.1" 404 0',
        "2026-01-31T14:05:00.000Z",
        13,
        None,
        '"GET /nope HTTP/1.1" 404 0',
        {"http.response.status_code": 404},
    ),
    (
        "nginx-error",
        "2026/01/31 14:05:00 [crit] 31#32: *7 connect() to upstream failed",
        "2026-01-31T14:05:00.000Z",
        21,
        "nginx",
        "connect() to upstream failed",
        {"process.pid": 31, "thread.id": 32, "connection": 7},
    ),
    (
        "apache-error",
        "[Sat Jan 31 14:05:00.25 2026] [core:error] [pid 9:tid 8] [client 10.0.0.7:1] no such file",
        "2026-01-31T14:05:00.250Z",
        17,
        None,
        "no such file",
        {"module": "core", "client.address": "10.0.0.7:1"},
    ),
    (
        "klog",
        "W0131 14:05:00.000123      12 reflector.go:34] watch ended",
        "2026-01-31T14:05:00.000123Z",
        13,
        None,
        "watch ended",
        {"code.file.path": "reflector.go", "code.line.number": 34, "thread.id": 12},
    ),
    (
        "program",  # Python logging with the usual format
        "2026-01-31 14:05:00,250 - shop.cart - ERROR - cart 7 is gone",
        "2026-01-31T14:05:00.250Z",
        17,
        None,
        "cart 7 is gone",
        {"log.header": "shop.cart"},
    ),
    (
        "program",  # Python logging without a format
        "WARNING:shop.cart:cart 7 is slow",
        None,
        13,
        None,
        "cart 7 is slow",
        {"logger": "shop.cart"},
    ),
    (
        "program",  # HDFS
        "260131 140500 148 WARN dfs.DataNode$PacketResponder: block 7 late",
        "2026-01-31T14:05:00.000Z",
        13,
        None,
        "block 7 late",
        {"process.pid": 148, "logger": "dfs.DataNode$PacketResponder"},
    ),
    (
        "program",  # Spark
        "26/01/31 14:05:00 ERROR executor.Executor: task 3 lost",
        "2026-01-31T14:05:00.000Z",
        17,
        None,
        "task 3 lost",
        {"logger": "executor.Executor"},
    ),
    (
        "program",  # Windows component servicing
        "2026-01-31 14:05:00, Info                  CBS    Loaded stack",
        "2026-01-31T14:05:00.000Z",
        9,
        None,
        "CBS    Loaded stack",
        {},
    ),
    (
        "program",  # Spring Boot
        "2026-01-31 14:05:00.250  WARN 812 --- [nio-8080-exec-1] c.a.shop.Cart  : cart 7 is slow",
        "2026-01-31T14:05:00.250Z",
        13,
        None,
        "cart 7 is slow",
        {"process.pid": 812, "thread.name": "nio-8080-exec-1", "logger": "c.a.shop.Cart"},
    ),
    (
        "program",  # Logback
        "14:05:00.250 [main] DEBUG com.acme.Cart - loading",
        "2026-01-31T14:05:00.250Z",  # no date: the latest such time before the reference
        5,
        None,
        "loading",
        {"log.header": "main", "logger": "com.acme.Cart"},
    ),
    (
        "program",  # Kafka
        "[2026-01-31 14:05:00,250] FATAL broker stopped (kafka.Kafka)",
        "2026-01-31T14:05:00.250Z",
        21,
        None,
        "broker stopped (kafka.Kafka)",
        {},
    ),
    (
        "program",  # PostgreSQL
        "2026-01-31 14:05:00.250 CET [44] user=shop,db=shop LOG:  checkpoint starting",
        "2026-01-31T13:05:00.250Z",
        9,
        None,
        "checkpoint starting",
        {},
    ),
    (
        "program",  # Ruby
        "E, [2026-01-31T14:05:00.250000 #77]  ERROR -- : payment failed",
        "2026-01-31T14:05:00.250Z",
        17,
        None,
        "payment failed",
        {},
    ),
    (
        "program",  # one-letter level
        "2026-01-31T14:05:00.250Z E t0 cart.cc:47 no cart",
        "2026-01-31T14:05:00.250Z",
        17,
        None,
        "t0 cart.cc:47 no cart",
        {},
    ),
    (
        "program",  # a level was given: a word in the message is only a word
        "2026-01-31 14:05:00 INFO 0 errors, ERROR rate is zero",
        "2026-01-31T14:05:00.000Z",
        9,
        None,
        "0 errors, ERROR rate is zero",
        {},
    ),
    (
        "program",  # no level at all
        "2026/01/31 14:05:00 listening on :8080",
        "2026-01-31T14:05:00.000Z",
        None,
        None,
        "listening on :8080",
        {},
    ),
    (
        "cri",
        "2026-01-31T14:05:00.123456789Z stderr F ERROR: no cart",
        "2026-01-31T14:05:00.123456789Z",
        17,
        None,
        "no cart",
        {"log.iostream": "stderr"},
    ),
    (
        "docker",
        '{"log":"level=warn msg=\\"cart slow\\" id=7\\n","stream":"stdout",'
        '"time":"2026-01-31T14:05:00.5Z"}',
        "2026-01-31T14:05:00.500Z",
        13,
        None,
        "cart slow",
        {"log.iostream": "stdout", "id": "7"},
    ),
    (
        "compose",
        "checkout-1  | 2026-01-31 14:05:00 ERROR no cart",
        "2026-01-31T14:05:00.000Z",
        17,
        "checkout",
        "no cart",
        {"container.name": "checkout-1"},
    ),
    (
        "logfmt",
        'time=2026-01-31T14:05:00Z level=error msg="no \\"cart\\"" service=cart trace_id=abc n=7',
        "2026-01-31T14:05:00.000Z",
        17,
        "cart",
        'no "cart"',
        {"n": "7"},
    ),
    (
        "json",  # pino
        '{"level":50,"time":1769868300250,"pid":7,"hostname":"web1","name":"cart","msg":"no cart"}',
        "2026-01-31T14:05:00.250Z",
        17,
        "cart",
        "no cart",
        {"pid": 7, "hostname": "web1"},
    ),
    (
        "json",  # Elastic Common Schema
        '{"@timestamp":"2026-01-31T14:05:00.250Z","log.level":"WARN","message":"slow",'
        '"service.name":"cart","log.logger":"a.B"}',
        "2026-01-31T14:05:00.250Z",
        13,
        "cart",
        "slow",
        {"log.logger": "a.B"},
    ),
    (
        "json",  # journald
        '{"__REALTIME_TIMESTAMP":"1769868300250000","PRIORITY":"3","SYSLOG_IDENTIFIER":"sshd",'
        '"MESSAGE":"bad key"}',
        "2026-01-31T14:05:00.250Z",
        17,
        "sshd",
        "bad key",
        {},
    ),
    (
        "json",  # zap: seconds as a float
        '{"level":"info","ts":1769868300.25,"logger":"http","msg":"handled","status":200}',
        "2026-01-31T14:05:00.250Z",
        9,
        None,
        "handled",
        {"logger": "http", "status": 200},
    ),
    (
        "json",  # our own API
        '{"source":"cart","message":"paid","severity":"info","createdAt":"2026-01-31T14:05:00Z",'
        '"metadata":{"latency":7}}',
        "2026-01-31T14:05:00.000Z",
        9,
        "cart",
        "paid",
        {"latency": 7},
    ),
]


@pytest.mark.parametrize(
    ("shape", "line", "moment", "number", "service", "body", "attributes"),
    LINES,
    ids=[f"{row[0]}-{index}" for index, row in enumerate(LINES)],
)
def test_a_line_is_read_by_the_shape_its_file_is_found_to_have(
    shape: str,
    line: str,
    moment: str | None,
    number: int | None,
    service: str | None,
    body: str,
    attributes: dict[str, Any],
) -> None:
    assert shape_of([line] * 5, times()) == shape
    (header,) = records(line)
    found = header.timestamp_unix_nano
    assert (None if found is None else iso_time(found)) == moment
    assert header.severity_number == number
    assert header.service == service
    assert header.body == body
    assert {name: header.attributes.get(name) for name in attributes} == attributes


def test_a_java_stack_trace_is_one_record() -> None:
    first, second = records(
        "2026-01-31 14:05:00,250 ERROR [main] com.acme.Cart - no cart\n"
        "java.lang.IllegalStateException: no cart\n"
        "\tat com.acme.Cart.load(Cart.java:12)\n"
        "Caused by: java.io.IOException: closed\n"
        "\n"
        "\t... 12 more\n"
        "2026-01-31 14:05:01,250 INFO [main] com.acme.Cart - going on"
    )
    assert first.body.split("\n") == [
        "no cart",
        "java.lang.IllegalStateException: no cart",
        "\tat com.acme.Cart.load(Cart.java:12)",
        "Caused by: java.io.IOException: closed",
        "",
        "\t... 12 more",
    ]
    assert first.severity_number == 17
    assert second.body == "going on"


def test_a_python_traceback_in_a_plain_file_is_one_record() -> None:
    bodies = [
        header.body
        for header in records(
            "starting\n"
            "Traceback (most recent call last):\n"
            '  File "cart.py", line 7, in load\n'
            "    return carts[7]\n"
            "KeyError: 7\n"
            "stopped"
        )
    ]
    assert bodies[0].startswith("starting\nTraceback")
    assert bodies[0].endswith("KeyError: 7")
    assert bodies[1:] == ["stopped"]


def test_the_two_lines_of_java_util_logging_are_one_record() -> None:
    (header,) = records("Jan 31, 2026 2:05:00 PM com.acme.Cart load\nSEVERE: no cart")
    assert header.severity_number == 17
    assert header.body == "com.acme.Cart load\nno cart"
    assert header.timestamp_unix_nano is not None
    assert iso_time(header.timestamp_unix_nano) == "2026-01-31T14:05:00.000Z"


def test_lines_that_a_container_runtime_cut_are_joined() -> None:
    (header,) = records(
        "2026-01-31T14:05:00.1Z stdout P order \n2026-01-31T14:05:00.2Z stdout F 7 paid"
    )
    assert header.body == "order 7 paid"


def test_a_broken_json_line_is_kept_as_text_and_its_neighbours_are_read() -> None:
    good = '{"level":"warn","msg":"slow","time":"2026-01-31T14:05:00Z"}'
    first, broken, last = records(f'{good}\n{{"level":"error","msg":\n{good}')
    assert (first.severity_number, last.severity_number) == (13, 13)
    assert broken.body == '{"level":"error","msg":'
    assert broken.severity_number is None


def test_a_file_without_times_or_levels_is_a_record_a_line() -> None:
    headers = records("hello\n  indented\n\nbye")
    assert [header.body for header in headers] == ["hello", "  indented", "bye"]
    assert all(header.has_no_sign for header in headers)


def test_colours_are_ignored_by_the_reader_and_kept_in_the_body() -> None:
    (header,) = records(
        "\x1b[32m2026-01-31 14:05:00\x1b[0m \x1b[31mERROR\x1b[0m no \x1b[1mcart\x1b[0m"
    )
    assert header.severity_number == 17
    assert header.body == "no \x1b[1mcart\x1b[0m"


def test_joining_is_bounded() -> None:
    text = "2026-01-31 14:05:00 ERROR deep\n" + "\n".join(["\tat a.b(c)"] * (MAX_JOINED_LINES + 5))
    lines = [Line(line, 0) for line in text.split("\n")]
    grouped = list(Grouper("program", times()).records(lines))
    assert [record.lines for record in grouped] == [1_000, 6]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(
    "line",
    ["", "{", "[", "<", "<999>", "=", "| ", "\ud800", "[99/Foo/2026:99:99:99 +0000] x", "E9999"],
)
def test_no_shape_fails_on_a_strange_line(shape: str, line: str) -> None:
    SHAPES[shape](line, times())


def test_every_line_belongs_to_exactly_one_record_or_is_blank() -> None:
    text = "a\n\n b\n2026-01-31 14:05:00 INFO c\n\n\td\n}\n\n"
    lines = [Line(line, index) for index, line in enumerate(text.split("\n"))]
    for shape in SHAPES:
        grouper = Grouper(shape, times())
        taken = sum(record.lines for record in grouper.records(lines))
        assert taken + grouper.blank == len(lines)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("Jan 31 14:05:00 x", "2026-01-31T14:05:00.000Z"),
        ("Feb 28 14:05:00 x", "2025-02-28T14:05:00.000Z"),  # more than a day ahead: last year
        ("Feb 29 14:05:00 x", "2024-02-29T14:05:00.000Z"),
        ("août 19 11:08:37 x", "2025-08-19T11:08:37.000Z"),
        ("Sat Jan 31 14:05:00 PST 2026 x", "2026-01-31T22:05:00.000Z"),
        ("20260131-14:05:00:606|x", "2026-01-31T14:05:00.606Z"),
        ("1769868300.5 x", "2026-01-31T14:05:00.500Z"),
        # TAI64N counts ten seconds from 1970 on: 0x697e0c16 is 1,769,868,310
        ("@40000000697e0c161dcd6500 x", "2026-01-31T14:05:00.500Z"),
        ("01/31/2026 02:05:00 PM x", "2026-01-31T14:05:00.000Z"),
        ("31/01/2026 14:05:00 x", "2026-01-31T14:05:00.000Z"),
    ],
)
def test_times_are_found_in_many_spellings(text: str, moment: str) -> None:
    found = times().find(text)
    assert found is not None
    assert iso_time(found[0]) == moment


def test_a_time_without_a_zone_is_in_the_given_one() -> None:
    found = times("Europe/Berlin").find("2026-01-31 15:05:00 x")
    assert found is not None
    assert iso_time(found[0]) == "2026-01-31T14:05:00.000Z"


@pytest.mark.parametrize(
    ("reference", "moment"),
    [
        ("2026-02-01T16:00:00Z", "2026-02-01T14:05:00.000Z"),
        ("2026-02-01T14:04:00Z", "2026-02-01T14:05:00.000Z"),  # a clock may be a little fast
        ("2026-02-01T13:00:00Z", "2026-01-31T14:05:00.000Z"),  # not hours after the last write
    ],
)
def test_a_time_without_a_date_never_lies_hours_ahead(reference: str, moment: str) -> None:
    found = Times(parse_timestamp(reference)).find("14:05:00 ready")
    assert found is not None and iso_time(found[0]) == moment
