"""Replays recorded client requests against a running service and says what became of each.

    python -m scripts.replay_requests requests.jsonl http://127.0.0.1:8000 [syslog=P] [gelf=P] …

A recording is one JSON object a line: client, transport (http, tcp, udp), method, path,
headers (pairs) and body_b64, the bytes as they were sent. TCP and UDP ones go to the port
named for their client's kind (syslog, gelf, forward), or are left out and counted.
"""

import base64
import http.client
import json
import socket
import sys
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

# Which listener a client that does not speak HTTP sends to.
KINDS = {"fluent": "forward", "pygelf": "gelf", "graylog": "gelf", "stdlib": "syslog"}
# Said again by the client library that sends the recording.
OWN_HEADERS = {"content-length", "transfer-encoding", "host"}


def main() -> int:
    """1 when anything was refused."""
    path, base, *listeners = sys.argv[1:]
    ports = {name: int(port) for name, port in (one.split("=") for one in listeners)}
    outcomes: Counter[str] = Counter()
    for line in Path(path).read_text().splitlines():
        recording = json.loads(line)
        outcome = (
            over_http(base, recording)
            if recording["transport"] == "http"
            else over_socket(urlsplit(base).hostname or "", ports, recording)
        )
        outcomes[outcome.split(" ", 1)[0]] += 1
        where = f"{recording.get('method', recording['transport'])} {recording.get('path', '')}"
        print(f"{recording['client']:<22} {where:<60.60} {outcome}")
    print(", ".join(f"{count} x {outcome}" for outcome, count in sorted(outcomes.items())))
    return 1 if any(not outcome.startswith(("2", "sent")) for outcome in outcomes) else 0


def over_http(base: str, recording: dict[str, Any]) -> str:
    """The status and the beginning of the answer."""
    parts = urlsplit(base)
    headers = {
        name: value for name, value in recording["headers"] if name.lower() not in OWN_HEADERS
    }
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=10)
    body = base64.b64decode(recording["body_b64"])
    is_chunked = any(name.lower() == "transfer-encoding" for name, _ in recording["headers"])
    connection.request(
        recording["method"],
        recording["path"],
        body=iter([body]) if is_chunked else body,
        headers=headers,
        encode_chunked=is_chunked,
    )
    answer = connection.getresponse()
    text = answer.read()[:100].decode("utf-8", "replace")
    connection.close()
    return f"{answer.status} {text}"


def over_socket(host: str, ports: dict[str, int], recording: dict[str, Any]) -> str:
    """Sent, or left out because its listener's port is not known."""
    name = recording["client"].split(":")[1]
    port = next((ports.get(kind, 0) for part, kind in KINDS.items() if part in name), 0)
    if not port:
        return "left-out (no port given)"
    kind = socket.SOCK_DGRAM if recording["transport"] == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as sender:
        sender.connect((host, port))
        sender.sendall(base64.b64decode(recording["body_b64"]))
    return "sent"


if __name__ == "__main__":
    sys.exit(main())
