"""The shapes by name, and which one a file speaks."""

from collections.abc import Sequence

from logstream.receive.text_shapes.containers import parse_compose, parse_cri, parse_docker
from logstream.receive.text_shapes.header import Parse, without_colours
from logstream.receive.text_shapes.json_lines import parse_json
from logstream.receive.text_shapes.key_values import parse_logfmt
from logstream.receive.text_shapes.program_text import parse_anything, parse_klog, parse_program
from logstream.receive.text_shapes.syslog import parse_syslog, parse_syslog_5424
from logstream.receive.text_shapes.times import Times
from logstream.receive.text_shapes.web_access import (
    parse_access,
    parse_apache_error,
    parse_nginx_error,
)

# The more particular before the more general: of two shapes that read as many lines of a
# sample, the earlier one is taken.
SHAPES: dict[str, Parse] = {
    "docker": parse_docker,
    "json": parse_json,
    "cri": parse_cri,
    "compose": parse_compose,
    "syslog5424": parse_syslog_5424,
    "access": parse_access,
    "nginx-error": parse_nginx_error,
    "apache-error": parse_apache_error,
    "klog": parse_klog,
    "logfmt": parse_logfmt,
    "syslog": parse_syslog,
    "program": parse_program,
    "plain": parse_anything,
}
# Shapes whose every line stands alone: a line that is none of theirs is read on its own.
LINE_SHAPES = frozenset({"docker", "json", "cri", "compose", "logfmt", "plain"})
WRAPPERS = frozenset({"docker", "cri", "compose"})
_LEAST_SHARE = 0.05
_NEARLY_ALL = 0.9


def shape_of(sample: Sequence[str], times: Times) -> str:
    """The name of the shape that reads most of the lines; `plain` when none reads any."""
    lines = [without_colours(line) for line in sample if line.strip() and not line[0].isspace()]
    if not lines:
        return "plain"
    counts = {
        name: sum(1 for line in lines if parse(line, times) is not None)
        for name, parse in SHAPES.items()
        if name != "plain"
    }
    most = max(counts.values())
    if most < max(1, _LEAST_SHARE * len(lines)):
        return "plain"
    return next(name for name, count in counts.items() if count >= _NEARLY_ALL * most)
