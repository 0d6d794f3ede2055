"""Web servers: access lines (common, combined and kin) and nginx's and Apache's error lines."""

import re

from logstream.receive.severity import severity_number
from logstream.receive.text_shapes.header import Header
from logstream.receive.text_shapes.times import Times

_ACCESS = re.compile(
    r"(?P<before>\S+(?: \S+){1,4}) \[(?P<time>[^\]]{10,40})\] "
    r"(?P<rest>\"(?P<request>(?:[^\"\\]|\\.)*+)\" (?P<status>\d{3}|-) (?P<bytes>\d+|-)"
    r"(?: \"(?P<referer>(?:[^\"\\]|\\.)*+)\" \"(?P<agent>(?:[^\"\\]|\\.)*+)\")?.*)",
    re.DOTALL,
)
_REQUEST = re.compile(r"([A-Za-z]+) (\S+?)(?:\?(\S*))?(?: HTTP/([\d.]+))?$")
_NGINX = re.compile(
    r"(?P<time>\d{4}/\d\d/\d\d \d\d:\d\d:\d\d(?:\.\d+)?) \[(?P<level>[a-z]+)\] "
    r"(?P<pid>\d+)#(?P<tid>\d+): (?:\*(?P<connection>\d+) )?(?P<body>.*)",
    re.DOTALL,
)
_APACHE = re.compile(
    r"\[(?P<time>[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:.]+ \d{4})\] "
    r"\[(?:(?P<module>[\w-]*):)?(?P<level>[a-z]+\d?)\] "
    r"(?:\[pid (?P<pid>\d+)(?::tid (?P<tid>\d+))?\] )?"
    r"(?:\[client (?P<client>[^\]]+)\] )?(?P<body>.*)",
    re.DOTALL,
)
_QUOTED_REQUEST = re.compile(r"\"[A-Z]{3,8} \S+ HTTP/[\d.]+\"")
_STATUS = re.compile(r" ([1-5]\d\d)(?= )")
_REQUEST_REACH = 4_000
_PLACEHOLDERS = ("-", "")


def parse_access(line: str, times: Times) -> Header | None:
    """`1.2.3.4 - ann [time] "GET /a?b HTTP/1.1" 200 17 "referer" "agent"`.

    A virtual host before the address and further fields after the agent are allowed.
    5xx is an error, 4xx a warning, the rest info.
    """
    match = _ACCESS.match(line)
    if match is None:
        return None
    found = times.find(match["time"], reach=0)
    if found is None:
        return None
    attributes: dict[str, object] = {}
    before = match["before"].split(" ")
    # host? address identity user: the last three are the common log format's.
    if len(before) >= 3:
        attributes["client.address"] = before[-3]
        if len(before) > 3:
            attributes["server.address"] = " ".join(before[:-3])
        if before[-1] not in _PLACEHOLDERS:
            attributes["user.name"] = before[-1]
        if before[-2] not in _PLACEHOLDERS:
            attributes["user.identity"] = before[-2]
    else:
        attributes["client.address"] = before[0]
    request = _REQUEST.match(match["request"])
    if request:
        attributes["http.request.method"] = request[1]
        attributes["url.path"] = request[2]
        if request[3]:
            attributes["url.query"] = request[3]
        if request[4]:
            attributes["network.protocol.version"] = request[4]
    number = 9
    if match["status"] != "-":
        status = int(match["status"])
        attributes["http.response.status_code"] = status
        number = _of_status(status)
    if match["bytes"] != "-":
        attributes["http.response.body.size"] = int(match["bytes"])
    for key, name in (("referer", "http.request.header.referer"), ("agent", "user_agent.original")):
        if match[key] is not None and match[key] not in _PLACEHOLDERS:
            attributes[name] = match[key]
    return Header(
        body=match["rest"],
        timestamp_unix_nano=found[0],
        severity_number=number,
        attributes=attributes,
    )


def status_severity(text: str) -> int | None:
    """The severity of a line that quotes a request and names its status, in any order.

    Load balancers do: HAProxy and ALB put the status before the request.
    """
    request = _QUOTED_REQUEST.search(text, 0, _REQUEST_REACH)
    if request is None:
        return None
    status = _STATUS.match(text, request.end()) or _STATUS.search(text, 0, request.start())
    return None if status is None else _of_status(int(status[1]))


def parse_nginx_error(line: str, times: Times) -> Header | None:
    """`2026/01/31 14:05:00 [error] 31#31: *1 open() failed, client: …`."""
    match = _NGINX.match(line)
    return None if match is None else _error_header(match, times, "nginx")


def parse_apache_error(line: str, times: Times) -> Header | None:
    """`[Sat Jan 31 14:05:00.1 2026] [core:error] [pid 1:tid 2] [client …] message`."""
    match = _APACHE.match(line)
    return None if match is None else _error_header(match, times, None)


def _of_status(status: int) -> int:
    return 17 if status >= 500 else 13 if status >= 400 else 9


def _error_header(match: re.Match[str], times: Times, service: str | None) -> Header | None:
    found = times.find(match["time"], reach=0)
    number = severity_number(match["level"])
    if found is None or number is None:
        return None
    groups = match.groupdict()
    attributes: dict[str, object] = {}
    for key, name in (("pid", "process.pid"), ("tid", "thread.id"), ("connection", "connection")):
        if groups.get(key):
            attributes[name] = int(match[key])
    if groups.get("client"):
        attributes["client.address"] = match["client"]
    if groups.get("module"):
        attributes["module"] = match["module"]
    return Header(
        body=match["body"],
        timestamp_unix_nano=found[0],
        severity_number=number,
        severity_text=match["level"],
        service=service,
        attributes=attributes,
    )
