"""LiveCodeBench in its published fields, on rows of our own."""

import base64
import json
import pickle
import zlib
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from eval.answers.assemble import candidate_of_solution
from eval.answers.prompts import read_answer, request_for
from eval.benchmarks.catalogue import load_benchmarks
from eval.benchmarks.livecodebench import pickled_string, read_problem
from eval.problems import digest_of
from eval.settings import EvaluateConfig

FILE = Path(__file__).parents[2] / "data" / "benchmarks" / "livecodebench.jsonl"
ROWS = [json.loads(line) for line in FILE.read_text().splitlines()]
GAP, PAIRS, LINES = map(read_problem, ROWS)

GAPS = {
    "a method": "class Solution:\n    def widestGap(self, nums: List[int]) -> int:\n        nums.sort()\n"
    "        return max((b - a for a, b in pairwise(nums)), default=0)",
    "a function": "def widestGap(nums):\n    nums = sorted(nums)\n"
    "    return max([b - a for a, b in zip(nums, nums[1:])] or [0])",
    "a helper in the class": "class Solution:\n    def gaps(self, nums):\n        return [b - a for a, b in zip(nums, nums[1:])]\n\n"
    "    def widestGap(self, nums):\n        return max(self.gaps(sorted(nums)) or [0])",
}


@pytest.mark.parametrize("name", GAPS)
def test_a_right_method_passes(verdict_of, name):
    for answer in (f"So:\n```python\n{GAPS[name]}\n```\nIt sorts.", GAPS[name]):
        assert verdict_of(read_answer(GAP, "chat", answer)[1], GAP) == "passed"
    assert verdict_of(candidate_of_solution(GAP, GAPS[name]), GAP) in {"passed", "exception"}


def test_private_tests_count_and_tuples_are_no_fault(verdict_of):
    only_public = "class Solution:\n    def widestGap(self, nums):\n        return 6"
    assert verdict_of(read_answer(GAP, "chat", only_public)[1], GAP) == "failed"
    tuples = "class Solution:\n    def pairs(self, nums, k):\n        return tuple([a, b] for a, b in pairwise(nums) if a + b == k)"
    assert verdict_of(read_answer(PAIRS, "chat", tuples)[1], PAIRS) == "passed"


PROGRAMS = {
    "input()": "n = int(input())\ntotal = sum(int(input()) for _ in range(n))\nprint(total)\nprint(total / 2)",
    "a main guard": "def main():\n    n, *rest = map(int, sys.stdin.read().split())\n    print(sum(rest), sum(rest) / 2, sep='\\n')\n\n"
    "if __name__ == '__main__':\n    main()",
    "readline": "import sys\nread = sys.stdin.readline\nt = sum(int(read()) for _ in range(int(read())))\nsys.stdout.write(f'{t}\\n{t / 2}\\n')",
    "bytes": "import sys\nn, *rest = map(int, sys.stdin.buffer.read().split())\nsys.stdout.buffer.write(b'%d\\n%.1f' % (sum(rest), sum(rest) / 2))",
    "open(0)": "n, *rest = map(int, open(0))\nprint(sum(rest), f'{sum(rest) / 2:.2f}', sep='  \\n ')\nexit()",
    "os.read": "import os\nn, *rest = map(int, os.read(0, 10**6).split())\nos.write(1, f'{sum(rest)}\\n{sum(rest) / 2}'.encode())",
    "a thread": "import threading\n\ndef work():\n    n = int(input())\n    t = sum(int(input()) for _ in range(n))\n    print(t)\n"
    "    print(t / 2)\n\nthreading.Thread(target=work).start()",
    "for line in sys.stdin": "import sys\nvalues = [int(line) for line in sys.stdin][1:]\nprint(sum(values))\nprint(sum(values) / 2)",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_right_program_passes_however_it_reads_and_writes(verdict_of, name):
    answer = f"Example input:\n```\n2\n3\n4\n```\nThe program:\n```python\n{PROGRAMS[name]}\n```\nIts output:\n```\n7\n3.5\n```"
    assert verdict_of(read_answer(LINES, "chat", answer)[1], LINES) == "passed"
    assert verdict_of(candidate_of_solution(LINES, PROGRAMS[name]), LINES) == "passed"


@pytest.mark.parametrize(("program", "outcome"), [
    ("print(7)\nprint(3.5)", "failed"),
    ("n = int(input())\nprint(sum(int(input()) for _ in range(n)))", "failed"),
    ("raise KeyError", "exception"),
    ("print(undefined", "exception"),
    ("import os\nos._exit(0)", "exception"),
    ("class S(str):\n    def __eq__(self, other):\n        return True\nprint(S())", "failed"),
])  # fmt: skip
def test_a_wrong_program_does_not_pass(verdict_of, program, outcome):
    found = verdict_of(candidate_of_solution(LINES, program), LINES)
    assert found != "passed" and (found == outcome or outcome == "exception")


def test_what_is_asked_says_the_form():
    assert "class Solution" in request_for(GAP, "chat").text and "neighbours" in request_for(GAP, "chat").text
    assert "standard input" in request_for(LINES, "chat").text and "class Solution" not in LINES.instruction


def test_a_window_of_days_chooses_problems():
    def ids(after=None, before=None):
        return [
            problem.task_id
            for problem in load_benchmarks(["livecodebench"], str(FILE), None, (after, before))[0].problems
        ]

    assert ids() == ["9001", "9002", "abc900_a"]
    assert ids(after="2024-06-30") == ["9002", "abc900_a"]
    assert ids(before="2024-06-30") == ["9001"]
    assert ids("2024-02-01", "2024-08-01") == ["9002"]
    with pytest.raises(ValueError, match="2024-01-15 to 2024-09-01"):
        ids(after="2030-01-01")
    with pytest.raises(ValueError, match="humaneval does not say when"):
        load_benchmarks(["humaneval"], None, None, ("2024-01-01", None))
    with pytest.raises(ValidationError, match="after"):
        EvaluateConfig(after="last May")


def test_releases_in_several_files_are_one_benchmark(tmp_path):
    for number, row in enumerate(ROWS, 1):
        (tmp_path / f"test{number}.jsonl").write_text(json.dumps(row) + "\n")
    parts = load_benchmarks(["livecodebench"], str(tmp_path))[0]
    whole = load_benchmarks(["livecodebench"], str(FILE))[0]
    assert parts.digest == whole.digest and parts.source.endswith("3 files")


def packed(value) -> str:
    return base64.b64encode(zlib.compress(pickle.dumps(value))).decode()


def test_nothing_in_a_file_is_executed():
    text = json.dumps([{"input": "1\n2\n", "output": "2\n1", "testtype": "stdin"}])
    read = read_problem(ROWS[2] | {"private_test_cases": packed(text)})
    assert read.tests == read_problem(ROWS[2] | {"private_test_cases": text}).tests
    for other in (len, ["a"], {"a": "b"}, 7):
        with pytest.raises(ValueError, match="pickled as"):
            pickled_string(pickle.dumps(other))
    with pytest.raises(ValueError, match="neither JSON nor compressed"):
        read_problem(ROWS[2] | {"private_test_cases": "###"})


def test_fields_that_came_later_leave_older_digests_alone():
    old = load_benchmarks(["humaneval"], None, limit=1)[0].problems[0]
    assert digest_of([old]) == digest_of([replace(old, kind="function", date="")])
    assert digest_of([old]) != digest_of([replace(old, date="2024-01-01")])
