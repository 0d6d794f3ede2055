"""What container runtimes wrap around a line: CRI, Docker's JSON file, docker compose."""

import re

from logstream.receive.text_shapes.header import Header, Parse, without_colours
from logstream.receive.text_shapes.json_lines import parse_json
from logstream.receive.text_shapes.key_values import parse_logfmt
from logstream.receive.text_shapes.program_text import parse_klog, parse_program
from logstream.receive.text_shapes.times import Times
from logstream.receive.text_shapes.web_access import parse_access, parse_nginx_error

_CRI = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)) "
    r"(stdout|stderr) ([FP])(?::\S+)? ?"
)
_COMPOSE = re.compile(r"(?:\d+\|)?(?P<name>[A-Za-z0-9][\w.-]*?)(?P<number>[-_]\d+)?\s*\|(?: |$)")
_INNER: tuple[Parse, ...] = (
    parse_json,
    parse_klog,
    parse_access,
    parse_nginx_error,
    parse_logfmt,
    parse_program,
)


def parse_cri(line: str, times: Times) -> Header | None:
    """`2026-01-31T14:05:00.1Z stdout F message`; P marks a line that goes on."""
    match = _CRI.match(line)
    moment = times.parse(match[1]) if match else None
    if match is None or moment is None:
        return None
    wrapper = Header(
        body=line[match.end() :],
        timestamp_unix_nano=moment,
        attributes={"log.iostream": match[2]},
        is_partial=match[3] == "P",
    )
    return wrapped(wrapper, times)


def parse_docker(line: str, times: Times) -> Header | None:
    """`{"log":"message\\n","stream":"stdout","time":"…"}`; no \\n at the end: it goes on."""
    outer = parse_json(line, times) if '"log"' in line and '"stream"' in line else None
    if outer is None or "stream" not in outer.attributes:
        return None
    attributes = {"log.iostream": outer.attributes["stream"]}
    attributes |= {key: value for key, value in outer.attributes.items() if key != "stream"}
    wrapper = Header(
        body=outer.body.removesuffix("\n").removesuffix("\r"),
        timestamp_unix_nano=outer.timestamp_unix_nano,
        attributes=attributes,
        is_partial=not outer.body.endswith("\n"),
    )
    return wrapped(wrapper, times)


def parse_compose(line: str, times: Times) -> Header | None:
    """`web-1  | message`: the name before the bar, without its number, is the service."""
    match = _COMPOSE.match(line)
    if match is None:
        return None
    attributes = {"container.name": match["name"] + (match["number"] or "")}
    wrapper = Header(body=line[match.end() :], service=match["name"], attributes=attributes)
    return wrapped(wrapper, times)


def wrapped(wrapper: Header, times: Times) -> Header:
    """The wrapper around the header of the line inside it, when that has one."""
    text = without_colours(wrapper.body)
    for parse in _INNER:
        inner = parse(text, times)
        if inner is not None:
            return wrapper.inside(inner)
    return wrapper
