"""`wavecoder reward serve` as a process of its own."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from eval.reward.client import post, remote_code_reward
from ray_jobs.reward import KEY, main
from serve.gateway.settings import free_port

GOOD, TESTS = "def double(x):\n    return 2 * x", "assert double(4) == 8"


@pytest.fixture(scope="module")
def url():
    port = free_port()
    command = [sys.executable, "-m", "ray_jobs.reward", "serve", "--port", str(port), "--workers", "2", "--queue", "2"]
    process = subprocess.Popen(command, env=os.environ | {KEY: "k"}, stderr=subprocess.PIPE, text=True)
    yield f"http://127.0.0.1:{port}"
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "rewards at http://127.0.0.1" in stderr
    assert "Traceback" not in stderr


def test_a_trainer_elsewhere_gets_the_same_rewards(url):
    reward = remote_code_reward(url, "k", samples_a_request=2)
    wrong = [{"role": "assistant", "content": "def double(x):\n    return x"}]
    assert reward(["p"] * 4, [GOOD, wrong, GOOD, GOOD], tests=[TESTS, TESTS, None, TESTS]) == [1.0, 0.0, None, 1.0]


def test_a_key_in_the_url_is_one(url):
    requests = pytest.importorskip("requests")
    body = {"code": "print(1)", "language": "python", "stdin": ""}
    address = url.replace("//", "//any:k@") + "/run_code"
    assert requests.post(address, data=json.dumps(body), timeout=120).json()["run_result"]["stdout"] == "1\n"


def test_what_will_never_be_answered_is_said_at_once(url):
    with pytest.raises(ValueError, match="answers 401"):
        post(url, "wrong", [{"completion": GOOD, "tests": TESTS}], 5)
    with pytest.raises(ValueError, match="answers 413.*at most 4 fit"):
        post(url, "k", [{"completion": GOOD, "tests": TESTS}] * 5, 5)
    with pytest.raises(ValueError, match="begins with http"):
        remote_code_reward("file:///etc/passwd", "k")


def test_a_server_that_is_not_there_is_named():
    begun = time.monotonic()
    with pytest.raises(ConnectionError, match="does not answer"):
        post(f"http://127.0.0.1:{free_port()}", "k", [], 0.5)
    assert time.monotonic() - begun < 30


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--workers", "0"], "--workers: Input should be greater than 0"),
        (["--timeout-s", "inf"], "--timeout-s: Input should be a finite number"),
    ],
)
def test_settings_that_cannot_be_are_one_line(arguments, line, capsys):
    assert main(["serve", *arguments]) == 2
    assert line in capsys.readouterr().err
