"""The notice that a spot machine is taken is heard, from servers that answer as the clouds' metadata services do."""

import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ray_jobs.spot import listen, seconds_left

NOW = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


@pytest.fixture
def metadata():
    """Start a metadata service with these answers: "METHOD path" → text."""
    servers = []

    def start(answers):
        class Service(BaseHTTPRequestHandler):
            def answer(self):
                text = answers.get(f"{self.command} {self.path}")
                self.send_response(404 if text is None else 200)
                self.send_header("Content-Length", str(len(text or "")))
                self.end_headers()
                self.wfile.write((text or "").encode())

            do_GET = do_PUT = answer

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return "127.0.0.1", server.server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


TOKEN = {"PUT /latest/api/token": "t"}
ACTION = "GET /latest/meta-data/spot/instance-action"
TAKEN = "GET /computeMetadata/v1/instance/preempted"


@pytest.mark.parametrize(
    ("answers", "left"),
    [
        ({}, None),
        (TOKEN, None),
        (TOKEN | {ACTION: '{"action": "terminate", "time": "2026-01-01T12:02:00Z"}'}, 120.0),
        (TOKEN | {ACTION: '{"action": "terminate", "time": "2026-01-01T11:59:00Z"}'}, 0.0),
        (TOKEN | {ACTION: "not JSON"}, 0.0),
        ({TAKEN: "FALSE"}, None),
        ({TAKEN: "TRUE"}, 30.0),
    ],
)
def test_each_clouds_notice(metadata, answers, left):
    assert seconds_left(NOW, *metadata(answers)) == left


def test_no_metadata_service_is_no_notice():
    assert seconds_left(NOW, "127.0.0.1", 1) is None


def test_it_acts_once_when_the_notice_comes():
    heard = iter([None, None, 42.0])
    acted = []
    listen(lambda: next(heard), acted.append, interval_s=0)
    assert acted == [42.0]
