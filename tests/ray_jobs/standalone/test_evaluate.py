"""The evaluation alone, against an endpoint that is not ours and with samples that are there already."""

import gzip
import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from eval.benchmarks.catalogue import load_benchmarks
from ray_jobs.evaluate import main
from tests.scripted_batches import ScriptedBatches
from tests.scripted_teacher import completion

ROOT = Path(__file__).parents[3]
MBPP = f"mbpp={ROOT / 'tests' / 'data' / 'benchmarks' / 'mbpp.jsonl'}"


class Foreign(BaseHTTPRequestHandler):
    """An OpenAI-compatible server over HTTP: `good` answers with the reference, `bad` with prose; each has bad moments."""

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        chat = "chat" in self.path
        asked = request["messages"][0]["content"] if chat else request["prompt"]
        self.server.asked.append(asked)
        time.sleep(self.server.seconds)
        if request["model"] not in {"good", "bad"}:
            self.answer(404, {"error": {"message": f"no model {request['model']}"}})
        elif len(self.server.asked) % 7 == 2:  # the client asks again
            self.answer(503, {"error": {"message": "overloaded"}})
        else:
            problem = next(p for p in self.server.problems if asked in {p.instruction, p.plain.rstrip()})
            text = (
                f"Sure:\n```python\n{problem.declaration}{problem.reference}\n```" if chat else "\n" + problem.reference
            )
            text = text if request["model"] == "good" else "I would rather not."
            choice = {"index": 0, "finish_reason": "stop"}
            choice |= {"message": {"role": "assistant", "content": text}} if chat else {"text": text}
            self.answer(200, {"id": "x", "object": "x", "created": 1, "model": request["model"], "choices": [choice]})

    def answer(self, status, content):
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Retry-After-Ms", "10")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    made = ThreadingHTTPServer(("127.0.0.1", 0), Foreign)
    made.asked, made.seconds = [], 0.0
    made.problems = [
        *load_benchmarks(["humaneval"], None)[0].problems,
        *load_benchmarks(["mbpp"], MBPP[5:])[0].problems,
    ]
    made.url = f"http://127.0.0.1:{made.server_port}/v1"
    threading.Thread(target=made.serve_forever, daemon=True).start()
    yield made
    made.shutdown()


def run(capsys, *arguments):
    code = main([str(argument) for argument in arguments])
    printed = capsys.readouterr()
    return code, printed.out, [line for line in printed.err.splitlines() if line.startswith("wavecoder")]


@pytest.mark.slow
def test_two_models_of_a_foreign_endpoint_are_scored_and_compared(local_ray, server, capsys, tmp_path):
    code, out, _ = run(capsys, "--endpoint", server.url, "--model", "good", "--model", "bad", "--benchmark",
                       "humaneval,mbpp", "--dataset", MBPP, "--limit", 3, "--out", tmp_path, "--timeout-s", 30)  # fmt: skip
    assert code == 0
    found = json.loads((tmp_path / "scores.json").read_text())
    assert [(score["label"], score["benchmark"], score["pass_at_1"]) for score in found["scores"]] == [
        ("good", "humaneval", 1.0), ("good", "mbpp", 1.0), ("bad", "humaneval", 0.0), ("bad", "mbpp", 0.0)]  # fmt: skip
    score = found["scores"][0]
    assert (
        score["settings"]["prompt"] == "chat" and score["settings"]["seed"] == 0 and score["isolation"] == "namespaces"
    )
    assert len(score["dataset_digest"]) == 64 and score["versions"]["ray"]
    assert score["slowness"] >= 1 and score["processors"] >= 1
    assert {(d["from"], d["to"], d["difference"]) for d in found["differences"]} == {("good", "bad", -1.0)}
    page = (tmp_path / "scores.md").read_text()
    assert "| **good** (ours) | 100.0 (first 3) | 100.0 (first 3) |  |  |" in page
    assert "| WaveCoder-Ultra-6.7B | 78.6 | 64.4 | 79.9 | 64.6 |" in page
    assert "pass@1 changed by -100.0 points" in out
    assert pq.read_table(tmp_path / "scores.parquet")["pass_at_k"].to_pylist() == [1.0, 1.0, 0.0, 0.0]
    rows = pq.read_table(tmp_path / "good-humaneval.parquet").to_pylist()
    assert rows[0]["raw_answer"].startswith("Sure:") and rows[0]["completion"].startswith("from typing")
    assert "check(has_close_elements)" in rows[0]["program"]
    asked = len(server.asked)
    again = run(capsys, "--endpoint", server.url, "--model", "good", "--model", "bad", "--benchmark", "humaneval",
                "--benchmark", "mbpp", "--dataset", MBPP, "--limit", 3, "--out", tmp_path, "--timeout-s", 30)  # fmt: skip
    assert again[0] == 0 and len(server.asked) == asked
    other = run(capsys, "--endpoint", server.url, "--model", "good", "--benchmark", "humaneval", "--limit", 3, "--out",
                tmp_path, "--temperature", 0.5)  # fmt: skip
    assert other[0] == 2 and "holds samples of other settings" in other[2][0]


@pytest.mark.slow
def test_plain_forms_go_to_the_other_path_and_samples_are_drawn(local_ray, server, capsys, tmp_path):
    code, _, _ = run(capsys, "--endpoint", server.url, "--model", "good", "--benchmark", "humaneval", "--limit", 2, "--n", 3,
                     "--temperature", 0.8, "--prompt", "completion", "--out", tmp_path, "--timeout-s", 30)  # fmt: skip
    assert code == 0
    rows = pq.read_table(tmp_path / "good-humaneval.parquet").to_pylist()
    assert [(row["sample"], row["seed"], row["passed"]) for row in rows] == [(n, n, True) for n in range(3)] * 2
    assert rows[0]["raw_answer"].startswith("\n    for")


@pytest.mark.slow
def test_a_batch_api_is_asked_once_for_all_samples(local_ray, capsys, tmp_path):
    problems = {problem.instruction: problem for problem in load_benchmarks(["humaneval"], None, limit=3)[0].problems}

    def script(_, body):
        problem = problems[body["messages"][0]["content"]]
        return completion(f"```python\n{problem.declaration}{problem.reference}\n```")

    batches = ScriptedBatches(script, looks=0)
    with batches.running() as url:
        for _ in range(2):
            code, *_ = run(capsys, "--endpoint", f"{url}/v1", "--model", "good", "--benchmark", "humaneval", "--limit", 3,
                           "--n", 2, "--temperature", 0.8, "--batch", "--concurrency", 1, "--out", tmp_path,
                           "--timeout-s", 30)  # fmt: skip
            assert code == 0
    assert (len(batches.batches), batches.lines) == (1, 6)
    assert pq.read_table(tmp_path / "good-humaneval.parquet")["passed"].to_pylist() == [True] * 6


@pytest.mark.slow
def test_samples_that_are_there_are_judged_task_by_task(local_ray, capsys, tmp_path):
    problems = load_benchmarks(["humaneval"], None, limit=4)[0].problems
    right = [{"task_id": p.task_id, "completion": p.reference} for p in problems]
    mixed = [
        {"task_id": p.task_id, "solution": p.declaration + (p.reference if n % 2 else "    pass")}
        for n, p in enumerate(problems)
    ]
    (tmp_path / "right.jsonl").write_text("\n".join(map(json.dumps, right)))
    (tmp_path / "mixed.jsonl.gz").write_bytes(gzip.compress("\n".join(map(json.dumps, mixed)).encode()))
    code, out, _ = run(capsys, "--samples", tmp_path / "right.jsonl", "--samples", tmp_path / "mixed.jsonl.gz", "--benchmark",
                       "humaneval", "--limit", 4, "--out", tmp_path / "out", "--timeout-s", 30)  # fmt: skip
    assert code == 0
    assert pq.read_table(tmp_path / "out" / "right-humaneval.parquet")["passed"].to_pylist() == [True] * 4
    assert pq.read_table(tmp_path / "out" / "mixed-humaneval.parquet")["passed"].to_pylist() == [False, True] * 2
    assert "from right to mixed, pass@1 changed by -50.0 points" in " ".join(out.split())


@pytest.mark.slow
def test_the_benchmarks_own_solutions_pass(local_ray, capsys, tmp_path):
    code, _, _ = run(
        capsys, "--reference", "--benchmark", "mbpp", "--dataset", MBPP, "--out", tmp_path, "--timeout-s", 30
    )
    assert code == 0
    assert pq.read_table(tmp_path / "reference-mbpp.parquet")["passed"].to_pylist() == [True] * 4


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_kill_loses_only_what_was_in_flight(local_ray, server, capsys, tmp_path):
    server.seconds = 0.5
    arguments = ["--endpoint", server.url, "--model", "good", "--benchmark", "humaneval", "--limit", "12", "--concurrency", "1",
                 "--out", str(tmp_path), "--timeout-s", "30"]  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "ray_jobs.evaluate", *arguments], cwd=ROOT, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while len(list((tmp_path / "good-humaneval.parts").glob("part-*.parquet"))) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    kept = sum(pq.read_metadata(path).num_rows for path in (tmp_path / "good-humaneval.parts").glob("part-*.parquet"))
    assert 2 <= kept < 12
    server.seconds, before = 0.0, len(server.asked)
    assert run(capsys, *arguments)[0] == 0
    assert len(set(server.asked[before:])) == 12 - kept
    assert pq.read_table(tmp_path / "good-humaneval.parquet")["passed"].to_pylist() == [True] * 12


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--benchmark", "humaneval"], "say where answers come from"),
        (["--benchmark", "humanevl", "--samples", "x.jsonl"], "--benchmark: there is no benchmark 'humanevl'"),
        (["--benchmark", "humaneval", "--samples", "nowhere.jsonl"], "--samples nowhere.jsonl: there is no such file"),
        (["--benchmark", "humaneval", "--endpoint", "http://x/v1"], "say where answers come from"),
        (["--benchmark", "humaneval", "--endpoint", "http://x/v1", "--model", "m", "--samples", "x"], "leave one out"),
        (
            ["--benchmark", "humaneval", "--endpoint", "http://x/v1", "--model", "m", "--n", "0"],
            "--n: Input should be",
        ),
        (["--benchmark", "mbpp", "--samples", "x", "--dataset", "nowhere.jsonl"], "is no file"),
        (["--benchmark", "humaneval", "--reference", "--batch"], "--batch is a way to ask an --endpoint"),
        (
            ["--benchmark", "humaneval", "--endpoint", "http://x/v1", "--model", "m", "--batch", "--prompt", "paper"],
            "--batch asks for chats",
        ),
    ],
)
def test_a_mistake_is_one_line(capsys, tmp_path, arguments, line):
    code, _, lines = run(capsys, *arguments, "--out", tmp_path)
    assert code == 2
    assert len(lines) == 1
    assert line in lines[0]


@pytest.mark.slow
def test_an_endpoint_without_the_model_is_one_line(local_ray, server, capsys, tmp_path):
    code, _, lines = run(capsys, "--endpoint", server.url, "--model", "other", "--benchmark", "humaneval", "--limit", 1,
                         "--out", tmp_path)  # fmt: skip
    assert code == 2
    assert "404: " in lines[0] and "no model other" in lines[0]
