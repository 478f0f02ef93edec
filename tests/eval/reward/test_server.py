"""The reward server over its three forms: keys, limits, back-pressure and metrics."""

import asyncio
import base64
import threading

import httpx
import pytest

from eval.reward.judging import Judged, Program
from eval.reward.server import RewardServer, one_key, shown_key
from eval.reward.settings import RewardConfig
from eval.reward.workers import FullError, Workers
from eval.sandbox.process_tree import SandboxError

KEY = {"authorization": "Bearer secret-key"}
GOOD = {"completion": "def double(x):\n    return 2 * x", "tests": "assert double(4) == 8"}
BAD = GOOD | {"completion": "def double(x):\n    return x"}


def passed(task, config):
    return Judged(reward=1.0, outcome="passed", seconds=0.1)


class Client:
    """Asks an application that lives in this process."""

    def __init__(self, judge=None, **settings):
        self.settings, self.judge = settings, judge

    def ask(self, *requests):
        async def all_of_them():
            config = RewardConfig(**{"workers": 2} | self.settings)
            self.workers = Workers(config, self.judge) if self.judge else Workers(config)
            transport = httpx.ASGITransport(RewardServer(self.workers, one_key("secret-key")).app())
            async with httpx.AsyncClient(transport=transport, base_url="http://here", timeout=60) as client:
                return await asyncio.gather(*[client.request(*one, **more) for one, more in requests])

        return asyncio.run(all_of_them())

    def post(self, path, body, headers=KEY):
        return self.ask((("POST", path), {"json": body, "headers": headers}))[0]


def test_one_sample_and_a_list_of_them():
    client = Client()
    one = client.post("/reward", GOOD).json()
    assert (one["reward"], one["outcome"], one["infra_error"], one["oracle"]) == (1.0, "passed", False, "process")
    assert [each["reward"] for each in client.post("/reward", [GOOD, BAD, GOOD]).json()] == [1.0, 0.0, 1.0]
    assert client.post("/reward", []).json() == []


@pytest.mark.parametrize(
    ("body", "status", "reward"),
    [
        ({"code": "print(1)"}, "Success", 1.0),
        ({"code": "print(int(input()) + 1)\nexit()", "stdin": "4"}, "Success", None),
        ({"code": "raise SystemExit(3)", "stdin": ""}, "Failed", None),
        ({"code": "assert 1 == 2"}, "Failed", 0.0),
        ({"code": "import sys\nsys.exit(0)\nassert False"}, "Failed", 0.0),
        ({"code": "def f(): return 1", "tests": "assert f() == 1"}, "Success", 1.0),
        ({"code": "def f(): return 2", "tests": ["assert f() == 1"], "entry_point": "f"}, "Failed", 0.0),
    ],
)
def test_sandbox_fusions_form(body, status, reward):
    full = {"language": "python", "compile_timeout": 5, "run_timeout": 5, "files": {}, "fetch_files": []} | body
    answer = Client().post("/run_code", full).json()
    assert (answer["status"], answer["reward"], answer["infra_error"]) == (status, reward, False)
    assert answer["run_result"]["status"] == "Finished"
    assert (answer["run_result"]["return_code"] == 0) == (status == "Success")
    if "stdin" in body and status == "Success":
        assert answer["run_result"]["stdout"] == "5\n"


def test_sandbox_fusions_words_for_ends():
    def ending(outcome):
        return (
            Client(lambda *_: Judged(reward=0.0, outcome=outcome))
            .post("/run_code", {"code": "x", "language": "cpp"})
            .json()
        )

    assert ending("timeout")["run_result"]["status"] == "TimeLimitExceeded"
    assert ending("syntax")["compile_result"]["return_code"] == 1
    assert ending("memory")["run_result"]["return_code"] == 1


def response(text):
    content = [{"type": "output_text", "text": text, "annotations": []}]
    said = [{"type": "reasoning", "summary": [{"type": "summary_text", "text": "def double(x): return 0"}]},
            {"type": "message", "role": "assistant", "content": content}]  # fmt: skip
    return {"id": "r", "object": "response", "output": said}


@pytest.mark.parametrize(
    ("told", "right", "wrong"),
    [
        ({"tests": "assert double(4) == 8"}, "def double(x): return 2 * x", "def double(x): return x"),
        ({"unit_tests": {"inputs": ["4\n"], "outputs": ["8"], "fn_name": None}}, "print(int(input()) * 2)", "print(4)"),
        ({"unit_tests": {"inputs": ["[1, 2]\n3"], "outputs": ["6"], "fn_name": "total"}},
         "class Solution:\n    def total(self, xs: List[int], y):\n        return sum(xs) + y",
         "class Solution:\n    def total(self, xs, y):\n        return y"),
    ],
)  # fmt: skip
def test_nemo_gyms_form(told, right, wrong):
    asked = {
        "responses_create_params": {"input": [{"role": "user", "content": "Double it."}]},
        "verifier_metadata": told,
    }
    bodies = [asked | {"response": response(f"```python\n{text}\n```")} for text in (right, wrong)]
    answers = Client().post("/verify", bodies).json()
    assert [each["reward"] for each in answers] == [1.0, 0.0]
    assert answers[0]["response"] == bodies[0]["response"]
    assert not answers[0]["mask_sample"]


@pytest.mark.parametrize("path", ["/reward", "/run_code", "/verify"])
def test_a_failure_of_the_sandbox_is_never_zero(monkeypatch, path):
    def broken(*_, **__):
        raise SandboxError("no more processes")

    monkeypatch.setattr("eval.reward.judging.judge", broken)
    monkeypatch.setattr("eval.reward.judging.run_program", broken)
    body = {"/reward": GOOD, "/run_code": {"code": "x", "language": "python"},
            "/verify": {"response": response("x"), "verifier_metadata": {"tests": "assert f()"}}}[path]  # fmt: skip
    answer = Client().post(path, body)
    found = answer.json()
    assert (answer.status_code, found["reward"], found["outcome"], found["infra_error"]) == (
        200,
        None,
        "infra_error",
        True,
    )
    assert found.get("status", "SandboxError") == "SandboxError"
    assert found.get("mask_sample", True)


def test_whatever_else_fails_in_a_worker_is_an_infra_error_too():
    def broken(task, config):
        raise KeyError("a bug of ours")

    assert Client(broken).post("/reward", [GOOD]).json()[0]["infra_error"]


@pytest.mark.parametrize("path", ["/reward", "/run_code", "/verify", "/metrics"])
@pytest.mark.parametrize(
    "headers", [{}, {"authorization": "Bearer wrong"}, {"authorization": "Basic x"}, {"x-api-key": ""}]
)
def test_nobody_asks_without_the_key(path, headers):
    method = "GET" if path == "/metrics" else "POST"
    assert Client(passed).ask(((method, path), {"headers": headers}))[0].status_code == 401


def test_a_key_comes_in_three_ways():
    basic = base64.b64encode(b"any:secret").decode()
    assert shown_key("Bearer secret", "") == shown_key(f"Basic {basic}", "") == shown_key("", "secret") == "secret"


@pytest.mark.parametrize(
    ("path", "body", "says"),
    [
        ("/reward", {"completion": "x"}, "tests: Field required"),
        ("/reward", [GOOD, GOOD | {"tests": " "}], "sample 1: tests: are empty"),
        ("/reward", GOOD | {"language": "cobol"}, "language"),
        ("/reward", GOOD | {"timeout_s": 1e9}, "at most"),
        ("/reward", GOOD | {"timeout": 3}, "timeout: Extra inputs"),
        ("/reward", "x", "an object is wanted"),
        ("/run_code", {"code": "x", "language": "lean"}, "does not run here"),
        ("/run_code", {"code": "x", "language": "python", "files": {"a": "eA=="}}, "files: not supported"),
        ("/verify", {"response": {}, "verifier_metadata": {}}, "neither unit_tests nor tests"),
    ],
)
def test_a_request_of_another_form_is_refused_by_name(path, body, says):
    answer = Client(passed).post(path, body)
    assert answer.status_code == 422
    assert says in answer.json()["detail"]


def test_bodies_that_are_too_large_or_not_json():
    client = Client(passed, max_body_mb=1)
    large, endless, nonsense, deep = client.ask(
        *[(("POST", "/reward"), {"content": content, "headers": KEY})
          for content in (b" " * 2**21, _chunks(), b"{", b"[" * 200_000)]
    )  # fmt: skip
    assert [each.status_code for each in (large, endless, nonsense, deep)] == [413, 413, 400, 400]


async def _chunks():
    while True:
        yield b" " * 65536


def test_above_the_bound_the_answer_is_429_and_what_was_taken_on_is_judged():
    gate = threading.Event()

    def slow(task, config):
        gate.wait(10)
        return passed(task, config)

    async def scenario():
        workers = Workers(RewardConfig(workers=1, queue=2), slow)
        transport = httpx.ASGITransport(RewardServer(workers, one_key("secret-key")).app())
        async with httpx.AsyncClient(transport=transport, base_url="http://here", headers=KEY) as client:
            first = asyncio.create_task(client.post("/reward", json=[GOOD, BAD, GOOD]))
            while workers.samples < 3:
                await asyncio.sleep(0.001)
            refused = await client.post("/reward", json=GOOD)
            too_many = await client.post("/reward", json=[GOOD] * 4)
            gate.set()
            taken = await first
            again = await client.post("/reward", json=GOOD)
            metrics = (await client.get("/metrics")).text
            return refused, too_many, taken, again, metrics

    refused, too_many, taken, again, metrics = asyncio.run(scenario())
    assert (refused.status_code, too_many.status_code, taken.status_code, again.status_code) == (429, 413, 200, 200)
    assert int(refused.headers["retry-after"]) >= 1
    assert [each["reward"] for each in taken.json()] == [1.0] * 3
    assert 'wavecoder_reward_verdicts_total{language="python",outcome="passed"} 4.0' in metrics
    assert 'wavecoder_reward_requests_total{path="/reward",status="429"} 1.0' in metrics


def test_samples_that_nobody_waits_for_any_more_are_left_out():
    gate, begun = threading.Event(), []

    def slow(task, config):
        begun.append(task)
        gate.wait(10)
        return passed(task, config)

    async def scenario():
        workers = Workers(RewardConfig(workers=1, queue=5), slow)
        workers.reserve(4)
        judging = asyncio.create_task(workers.judge([Program(code=str(number)) for number in range(4)]))
        while not begun:
            await asyncio.sleep(0.001)
        judging.cancel()
        await asyncio.gather(judging, return_exceptions=True)
        gate.set()
        while workers.samples:
            await asyncio.sleep(0.001)
        with pytest.raises(FullError):
            workers.reserve(7)

    asyncio.run(scenario())
    assert len(begun) == 1


CODE = "```python\ndef double(x):\n    return 2 * x\n```"
OUTPUT = [{"type": "message", "content": [{"type": "output_text", "text": CODE}]}]
TOLD = {"tests": GOOD["tests"]}


@pytest.mark.parametrize(
    ("path", "body", "reward"),
    [
        ("/reward", GOOD | {"completion": [{"role": "assistant", "content": [{"text": 5}]}]}, 0.0),
        ("/reward", GOOD | {"prompt": [{"role": "user", "content": [{"text": [1]}, 7]}]}, 1.0),
        ("/verify", {"response": {"output": 5}, "verifier_metadata": TOLD}, 0.0),
        ("/verify", {"response": {"output": [{"type": "message", "content": 5}]}, "verifier_metadata": TOLD}, 0.0),
        ("/verify", {"responses_create_params": {"input": ["a", None, 3]}, "response": {"output": OUTPUT},
                     "verifier_metadata": TOLD}, 1.0),
    ],
)  # fmt: skip
def test_messages_of_odd_parts_are_read_as_far_as_they_are_texts(path, body, reward):
    answer = Client().post(path, body)
    assert (answer.status_code, answer.json()["reward"]) == (200, reward)


def test_numbers_beyond_any_and_bodies_too_deep_to_give_back_are_refused():
    client, deep = Client(passed), '{"response": {}, "verifier_metadata": {"tests": "x"}, "x": @}'
    brief = client.post("/run_code", {"language": "python", "code": "1", "run_timeout": 1e-9})
    assert (brief.status_code, "run_timeout: Input should be greater than or equal to 0.1" in brief.text) == (422, True)
    huge = client.post("/reward", GOOD | {"memory_mb": 10**400})
    assert (huge.status_code, "memory_mb: is too large" in huge.text) == (422, True)
    bodies = [deep.replace("@", "[" * depth + "]" * depth) for depth in range(850, 1000)]
    more = [(("POST", "/verify"), {"content": body, "headers": KEY}) for body in bodies]
    assert {answer.status_code for answer in client.ask(*more)} == {200, 400}
