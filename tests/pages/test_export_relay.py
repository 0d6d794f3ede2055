"""An export passes through the dashboard piece by piece, and is cut where the service cuts it."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from logstream.show import session
from logstream.show.http_relay import relay_routes

HEADERS = {"Content-Disposition": 'attachment; filename="lines.ndjson"', "X-LogStream-Total": "2"}
LINE = b'{"id": 1}\n'


class Exporting(BaseHTTPRequestHandler):
    """Two lines as two chunks; or cut after the first."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_cut = "cut" in self.path
        self.send_response(200)
        for name, value in HEADERS.items():
            self.send_header(name, value)
        self.send_header("Content-Type", "application/x-ndjson")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunk = b"%x\r\n%b\r\n" % (len(LINE), LINE)
        self.wfile.write(chunk if is_cut else chunk + chunk + b"0\r\n\r\n")
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def through(dashboard: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """The relay in front of a service that exports."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Exporting)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    dashboard.setenv("LOGSTREAM_URL", f"http://127.0.0.1:{server.server_address[1]}")
    with TestClient(Starlette(routes=relay_routes())) as client:
        client.headers["authorization"] = f"Bearer {session.page_pass()}"
        yield client
    server.shutdown()
    server.server_close()
    thread.join()


def test_an_export_passes_with_what_a_page_needs_to_know(through: TestClient) -> None:
    answer = through.get("/relay/logs/export?format=ndjson")
    assert answer.content == LINE + LINE
    assert answer.headers["x-logstream-relay"] == "1"
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert through.get("/relay/logs/export", headers={"authorization": "none"}).status_code == 401


def test_an_export_that_the_service_cuts_is_no_whole_answer(through: TestClient) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        through.get("/relay/logs/export?q=cut")


def test_a_service_that_is_away_is_said_to_be(
    through: TestClient, dashboard: pytest.MonkeyPatch
) -> None:
    dashboard.setenv("LOGSTREAM_URL", "http://127.0.0.1:9")
    session.settings.clear()
    answer = through.get("/relay/logs/export")
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "service_unreachable")
