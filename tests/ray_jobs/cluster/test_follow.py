"""Following a job over a connection that breaks: a server that speaks Ray's job API and fails as told."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import ray

from ray_jobs.cluster import follow
from ray_jobs.cluster.job_api import job_api


@pytest.fixture
def server(monkeypatch):
    """Its URL, and what it does with each request for a job: an HTTP status, or None to hang up; then it answers."""
    monkeypatch.setattr(follow, "POLL_S", 0.01)
    monkeypatch.setattr(asyncio, "sleep", lambda _, pause=asyncio.sleep: pause(0.01))
    troubles = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/api/version":
                return self.answer(200, {"version": "4", "ray_version": ray.__version__})
            if troubles:
                status = troubles.pop(0)
                return self.answer(status, {}) if status else None
            return self.answer(
                200, {"type": "SUBMISSION", "submission_id": "j", "status": "SUCCEEDED", "entrypoint": "x"}
            )

        def answer(self, status, body):
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever).start()
        yield f"http://127.0.0.1:{listening.server_port}", troubles
        listening.shutdown()


def ended(url):
    with job_api(url) as client:
        return asyncio.run(follow._until_ended(client, "j"))


def test_a_broken_connection_and_a_busy_head_are_asked_again(server):
    url, troubles = server
    troubles += [None, 500, 503, None]
    assert ended(url)["status"] == "SUCCEEDED"


@pytest.mark.parametrize(
    ("trouble", "line"),
    [([500] * follow.TRIES, "the job goes on: wavecoder logs j --follow"),
     ([None] * follow.TRIES, "the job goes on: wavecoder logs j --follow"),
     ([404], "status code 404")],
)  # fmt: skip
def test_what_does_not_pass_is_one_line(server, trouble, line):
    url, troubles = server
    troubles += trouble
    with pytest.raises((OSError, ValueError), match=line) as failed:
        ended(url)
    assert "\n" not in str(failed.value)
    assert not troubles
