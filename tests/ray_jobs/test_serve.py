"""`wavecoder serve` around a stub of Ray Serve's endpoint: who may ask, and how it ends. The engine is test_main_job.py's."""

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ray_jobs.cli import main
from serve.gateway.keys import create_key
from tests.serve.stub import stub_upstream, until

ROOT = Path(__file__).parents[2]

# The job as it is, with a running stub in the place of the engine.
JOB = """
import contextlib, sys
import ray_jobs.serve as job
from serve.client.upstream import OneServer

@contextlib.contextmanager
def serving(config, models):
    yield OneServer(f"http://127.0.0.1:{config.serve.port}/v1")

job.serving, job.free_port = serving, lambda: int(sys.argv[1])
job.model_source, job.record_serving = lambda *_: ("wavecoder", "a model"), lambda *_: None
sys.exit(job.main(sys.argv[2:]))
"""


def answers(url):
    try:
        return httpx.get(f"{url}/health", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.timeout(240)
def test_it_answers_who_has_a_key_until_it_is_interrupted(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    secret, _ = create_key(tmp_path / "keys.json", name="x")
    settings = {"serve.port": port, "serve.host": "0.0.0.0", "serve.gateway.keys": tmp_path / "keys.json"}
    overrides = [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]
    url = f"http://127.0.0.1:{port}"
    with stub_upstream() as upstream:
        arguments = ["--config", "configs/demo.yaml", "--run-dir", str(tmp_path / "run"), *overrides]
        process = subprocess.Popen(
            [sys.executable, "-c", JOB, upstream.url.split(":")[2].split("/")[0], *arguments],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        until(lambda: answers(url) or process.poll() is not None, timeout_s=150)  # imports, on a busy machine
        body = {"model": "wavecoder", "messages": [{"role": "user", "content": "hello"}]}
        with httpx.Client(trust_env=False, base_url=url) as client:
            assert client.post("/v1/chat/completions", json=body).status_code == 401
            client.headers["Authorization"] = f"Bearer {secret}"
            chat = client.post("/v1/chat/completions", json=body)
        assert chat.json()["choices"][0]["message"]["content"] == "one two three"
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=120)
    assert process.returncode == 0, log
    assert "Ctrl-C ends it" in log
    assert '"path": "/v1/chat/completions"' in log  # the access log
    assert secret not in log


@pytest.mark.timeout(240)
def test_before_a_server_of_others_it_is_the_gateway_alone(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    secret, _ = create_key(tmp_path / "keys.json", name="x")
    with stub_upstream() as upstream:
        upstream.key = "the engine's own"
        settings = {"serve.port": port, "serve.gateway.keys": tmp_path / "keys.json", "serve.upstream": upstream.url,
                    "serve.upstream_key_env": "ENGINE_KEY", "serve.gateway.processes": 2}  # fmt: skip
        process = subprocess.Popen(
            [sys.executable, "-m", "ray_jobs.serve", "--config", "configs/demo.yaml", "--run-dir", str(tmp_path / "run"),
             *(part for key, value in settings.items() for part in ("--set", f"{key}={value}"))],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT), "ENGINE_KEY": upstream.key}, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        until(lambda: answers(url) or process.poll() is not None, timeout_s=150)
        body = {"model": "wavecoder", "messages": [{"role": "user", "content": "hello"}]}
        with httpx.Client(trust_env=False, base_url=url) as client:
            assert client.post("/v1/chat/completions", json=body).status_code == 401
            assert client.get("/v1/models").status_code == 401
            client.headers["Authorization"] = f"Bearer {secret}"
            chat = client.post("/v1/chat/completions", json=body)
            models = client.get("/v1/models").json()["data"]
            upstream.key = "another since"
            refused = client.post("/v1/chat/completions", json=body), client.get("/v1/models")
        process.send_signal(signal.SIGINT)
        _, log = process.communicate(timeout=120)
    assert chat.json()["choices"][0]["message"]["content"] == "one two three"
    assert models
    assert [answer.status_code for answer in refused] == [502, 502]
    assert log.count("does not take the gateway's key (401)") == 2
    assert "the engine's own" not in log
    assert process.returncode == 0, log
    assert f"answers for {upstream.url}" in log
    assert "local Ray" not in log


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        (["serve.upstream=http://host:8000"], "is no URL that ends in /v1"),
        (["serve.upstream=http://host/v1", "serve.beside=[generator]"], "leave one of them out"),
        (["serve.upstream=http://host/v1", "serve.upstream_key_env=NOT_SET"], "from $NOT_SET, which is not set"),
        (["serve.beside=[generator]", "generate.generator.model=org/wavecoder"], "takes the tuned model's name"),
        (["serve.upstream_key_env=A_KEY"], "a server that serve.upstream does not name"),
        (["serve.gateway.keys=nowhere/keys.json"], "wavecoder keys create --keys nowhere/keys.json"),
        (["serve.gateway.keys=configs/demo.yaml"], "configs/demo.yaml is no file of keys"),
        (["serve.host=0.0.0.0"], "serve.gateway.keys must name a file"),
        (["serve.gateway.access_log=/proc/nowhere/log"], "/proc/nowhere/log"),
    ],
)
def test_what_is_wrong_is_said_before_an_engine_starts(tmp_path, capsys, monkeypatch, settings, line):
    monkeypatch.chdir(ROOT)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        settings = [*settings, f"serve.port={probe.getsockname()[1]}"]
    overrides = [part for setting in settings for part in ("--set", setting)]
    assert main(["serve", "--config", "configs/demo.yaml", "--run-dir", str(tmp_path), *overrides]) == 2
    (shown,) = [shown for shown in capsys.readouterr().err.splitlines() if shown.startswith("wavecoder")]
    assert line in shown
