"""The notice that a spot machine is taken: heard from servers that answer as the clouds' do, and obeyed by a real Ray."""

import sys
import threading
from collections import Counter
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ray_jobs.cluster.spot import listen, seconds_left
from tests.cluster_head import add_node, start_head, stop_head

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


WORK = """
import sys, time
import ray
from ray_jobs.cluster.spot import drain

seen, gcs, taken = sys.argv[1:]

def begun_there():
    return any(taken in line for line in open(seen))

def work(row):
    with open(seen, "a") as file:  # short lines: appended whole
        file.write(f"{row['id']} begun {ray.util.get_node_ip_address()} {time.time()}\\n")
    while not begun_there():  # a busy machine takes a while to start workers there; all rows could be done here by then
        time.sleep(0.1)
    time.sleep(1)
    with open(seen, "a") as file:
        file.write(f"{row['id']} ended {ray.util.get_node_ip_address()} {time.time()}\\n")
    return row

ray.init(address=gcs, log_to_driver=False)  # "auto" may find the head of a test beside this one

@ray.remote(num_cpus=0)
def notice():
    while not begun_there():
        time.sleep(0.1)
    drain(gcs, 30.0, [taken])
    return time.time()

open(seen, "w").close()
told = notice.remote()
rows = ray.data.range(24, override_num_blocks=24).map(work, num_cpus=1).take_all()
print(ray.get(told), sorted(row["id"] for row in rows) == list(range(24)))
"""


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_node_that_will_be_taken_ends_what_it_does_and_begins_nothing_more(tmp_path):
    head = start_head(tmp_path, cpus=2)
    try:
        taken = add_node(head, 0)
        seen = tmp_path / "seen"
        done = head.run(sys.executable, "-c", WORK, str(seen), head.gcs, taken)
    finally:
        stop_head(head)
    assert done.returncode == 0, done.stdout + done.stderr
    drained, whole = done.stdout.split()[-2:]
    assert whole == "True"
    lines = [line.split() for line in seen.read_text().splitlines()]
    times = Counter((row, what) for row, what, _, _ in lines)
    assert len(times) == 48 and set(times.values()) == {1}  # nothing was done twice
    begun = [float(when) for _, what, where, when in lines if where == taken and what == "begun"]
    # Its two CPUs may have been promised before, to processes that were still starting; 24 rows would have gone there else.
    assert begun and sum(when > float(drained) for when in begun) <= 2
