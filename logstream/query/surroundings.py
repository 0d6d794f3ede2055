"""Which lines surround one: of its service, its trace or its host."""

from typing import Literal, get_args

from logstream.errors import FilterError
from logstream.filter import Choice, LogFilter
from logstream.model import LogLine
from logstream.query.attributes import values_of
from logstream.text_query import term_for

Surroundings = Literal["service", "trace", "host"]
SURROUNDINGS: tuple[Surroundings, ...] = get_args(Surroundings)
# Where senders say which machine a line is from: OpenTelemetry, Elastic and Beats, GELF and
# syslog, OpenTelemetry's and Fluent Bit's Kubernetes.
HOST_ATTRIBUTES = (
    *("host.name", "host", "hostname", "host.hostname"),
    *("k8s.node.name", "kubernetes.host", "kubernetes.node.name", "nodename", "node"),
)


def around(line: LogLine, what: Surroundings) -> LogFilter:
    """The lines of the same environment that share this with it; what LogReader.context takes.

    Raises FilterError when the line names no trace or no host.
    """
    environment = Choice((line.environment,))
    match what:
        case "service":
            return LogFilter(environment=environment, service=Choice((line.service_name,)))
        case "trace":
            if line.trace_id:
                return LogFilter(environment=environment, trace_id=line.trace_id)
            hint = "ask for scope=service or scope=all"
        case "host":
            for name in HOST_ATTRIBUTES:
                for value in values_of(line.attributes, name):
                    if value and (term := term_for(name, value)):
                        return LogFilter(environment=environment, q=term)
            hint = f"it has none of {', '.join(HOST_ATTRIBUTES)}; ask for scope=service"
    raise FilterError("scope", f"line {line.id} names no {what}", hint)
