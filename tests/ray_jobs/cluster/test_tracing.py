"""OpenTelemetry: spans of a job's tasks reach a collector over HTTP, and no secret is in them."""

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from ray_jobs.cluster.tracing import ENDPOINTS, check_tracing
from tests.serve.stub import until

SECRET = "planted-secret-4711"
JOB = """
import ray
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import RayConfig

connect(RayConfig(num_cpus=1, dashboard=False, tracing=True))

@ray.remote
def works(value):
    return value

@ray.remote(max_retries=0)
def fails(value):
    raise ValueError(f"refused: Authorization: Bearer {value}, and {value} again")

assert ray.get(works.remote("planted-secret-4711")) == "planted-secret-4711"
try:
    ray.get(fails.remote("planted-secret-4711"))
except ValueError:
    pass
input()  # until the workers' spans are there, too: on a busy machine they take a while
from opentelemetry import trace
trace.get_tracer_provider().force_flush()
"""


@pytest.fixture
def collector():
    """What was sent to it: the requests' bodies."""
    bodies = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Collector)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", bodies
    server.shutdown()


WANTED = {"works ray.remote", "works ray.remote_worker", "fails ray.remote_worker"}


def spans_of(bodies):
    return [span for body in list(bodies) for resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for scope in resource.scope_spans for span in scope.spans]  # fmt: skip


def names_of(spans):
    return {span.name.removeprefix("__main__.") for span in spans}


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_spans_of_tasks_reach_the_collector_without_secrets(collector, monkeypatch):
    url, bodies = collector
    for name, value in {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_EXPORTER_OTLP_COMPRESSION": "none",
                        "OTEL_BSP_SCHEDULE_DELAY": "200", "TEAM_API_KEY": SECRET}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    pipes = {"stdin": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with subprocess.Popen([sys.executable, "-c", JOB], **pipes) as job:
        until(lambda: job.poll() is not None or names_of(spans_of(bodies)) >= WANTED, timeout_s=150)
        _, said = job.communicate("go on\n")
    assert job.returncode == 0, said
    spans = spans_of(bodies)
    assert names_of(spans) >= WANTED
    assert any(event.name == "exception" for span in spans for event in span.events)
    assert any(b"[hidden]" in body for body in bodies) and not any(SECRET.encode() in body for body in bodies)


def test_what_would_end_each_process_of_ray_is_refused_before_it_starts(monkeypatch):
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="set it, to http://127"):
        check_tracing()
    monkeypatch.setenv(ENDPOINTS[1], "http://127.0.0.1:4318")
    check_tracing()
