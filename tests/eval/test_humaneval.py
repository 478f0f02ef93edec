"""The benchmark's own solutions pass, and other programs do not."""

import gzip
import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from eval.humaneval import build_program, load_humaneval
from eval.sandbox import run_program


def verdict(program):
    return run_program(program, language="python", timeout=20.0, memory_mb=1024).outcome


@pytest.mark.slow
def test_all_canonical_solutions_pass():
    problems, _ = load_humaneval()
    programs = [build_program(problem, problem.canonical_solution) for problem in problems]
    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(verdict, programs))
    assert len(outcomes) == 164
    assert [problem.task_id for problem, outcome in zip(problems, outcomes, strict=True) if outcome != "passed"] == []


def test_a_body_that_does_nothing_fails():
    problems, _ = load_humaneval()
    assert {verdict(build_program(problem, "    return None")) for problem in problems[:8]} <= {"failed", "exception"}


def test_a_plain_or_packed_file_is_read(tmp_path):
    problems, _ = load_humaneval()
    line = json.dumps({name: getattr(problems[0], name) for name in
                       ("task_id", "prompt", "entry_point", "canonical_solution", "test")})  # fmt: skip
    (tmp_path / "a.jsonl").write_text(line + "\n")
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(line.encode()))
    for name in ("a.jsonl", "a.jsonl.gz"):
        assert load_humaneval(str(tmp_path / name))[0] == problems[:1]


@pytest.mark.parametrize("content", [b"", b"{", b'{"task_id": 1}', b"\x1f\x8bxx", b"[1]", b"\xff\xfe"])
def test_file_that_is_no_benchmark_is_one_clear_line(tmp_path, content):
    (tmp_path / "bad.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=r"is not HumanEval|holds no problem"):
        load_humaneval(str(tmp_path / "bad.jsonl"))


def test_missing_file_is_one_clear_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="which is no file"):
        load_humaneval(str(tmp_path / "none"))
