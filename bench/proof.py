"""Proofs a second: solutions against tests, the choice, and mutants; beside one `run_program` for each pair.

`python -m bench.proof [--instances N] [--languages L …]` prints one JSON object. An instance of Python has 4 solutions
(two right, two wrong), 8 tests and 10 mutants. Both ways take turns over the same solutions and tests, so that what
else the machine does falls on both alike; `run_program` has no mutants to run. `cores` runs as many at a time as there
are cores. `processor_milliseconds` is what all processes together took, the sandbox's too, which says what a core does
when others do not want it. Other languages have 2 solutions, 4 tests and 2 mutants, and are compiled for each. If the
processor time of an instance is the same one by one and on all cores at once, the rate is linear in free cores.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from bench.machine import describe_machine
from codeocean.generate.jobs import SandboxJob
from codeocean.verify.proof import run_proof
from eval.sandbox.proof import prove
from eval.sandbox.run import run_program
from eval.sandbox.toolchains import missing_toolchains

MUTANTS, TESTS, SOLUTIONS = 10, 8, 4
ELSEWHERE_INSTANCES = 4
"""Of each other language, for each core."""

SOLUTIONS_OF = {
    "longest_run": """
def longest_run(xs):
    best = run = 0
    for i, x in enumerate(xs):
        run = run + 1 if i > 0 and xs[i - 1] == x else 1
        best = max(best, run)
    return best
---
from itertools import groupby
def longest_run(xs):
    return max((len(list(g)) for _, g in groupby(xs)), default=0)
---
def longest_run(xs):
    return max((xs.count(x) for x in xs), default=0)
---
def longest_run(xs):
    return len(xs)
""",
    "word_count": """
def word_count(text):
    counts = {}
    for word in text.lower().split():
        counts[word] = counts.get(word, 0) + 1
    return counts
---
from collections import Counter
def word_count(text):
    return dict(Counter(text.lower().split()))
---
def word_count(text):
    return {word: text.count(word) for word in text.split()}
---
def word_count(text):
    return {word: 1 for word in text.lower().split()}
""",
    "merge_ranges": """
def merge_ranges(ranges):
    merged = []
    for a, b in sorted(ranges):
        if merged and a <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], b)
        else:
            merged.append([a, b])
    return merged
---
def merge_ranges(ranges):
    out = []
    for pair in sorted(ranges):
        if not out or out[-1][1] < pair[0]:
            out.append(list(pair))
        elif pair[1] > out[-1][1]:
            out[-1][1] = pair[1]
    return out
---
def merge_ranges(ranges):
    return [list(r) for r in sorted(ranges)]
---
def merge_ranges(ranges):
    return [[min(a for a, _ in ranges), max(b for _, b in ranges)]]
""",
    "to_roman": """
def to_roman(n):
    text = ''
    for value, sign in [(10, 'X'), (9, 'IX'), (5, 'V'), (4, 'IV'), (1, 'I')]:
        text += sign * (n // value)
        n %= value
    return text
---
def to_roman(n):
    tens, ones = divmod(n, 10)
    return 'X' * tens + ['', 'I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX'][ones]
---
def to_roman(n):
    return 'X' * (n // 10) + 'V' * (n % 10 // 5) + 'I' * (n % 5)
---
def to_roman(n):
    return 'I' * n
""",
}
"""Of each problem two right solutions, then two wrong ones."""

CALLS: dict[str, list[tuple[list[Any], Any]]] = {
    "longest_run": [
        ([[]], 0),
        ([[1]], 1),
        ([[1, 1, 2]], 2),
        ([[1, 2, 1]], 1),
        ([[3, 3, 3]], 3),
        ([[1, 2, 2, 2, 1]], 3),
        ([["a", "a"]], 2),
        ([[0, 0, 1, 1, 1, 0]], 3),
    ],
    "word_count": [
        ([""], {}),
        (["a"], {"a": 1}),
        (["a b a"], {"a": 2, "b": 1}),
        (["A a"], {"a": 2}),
        (["an a"], {"an": 1, "a": 1}),
        (["x  y"], {"x": 1, "y": 1}),
        (["one two two"], {"one": 1, "two": 2}),
        ([" z "], {"z": 1}),
    ],
    "merge_ranges": [
        ([[]], []),
        ([[[1, 2]]], [[1, 2]]),
        ([[[1, 3], [2, 4]]], [[1, 4]]),
        ([[[5, 6], [1, 2]]], [[1, 2], [5, 6]]),
        ([[[1, 2], [2, 3]]], [[1, 3]]),
        ([[[1, 9], [2, 3]]], [[1, 9]]),
        ([[[1, 1]]], [[1, 1]]),
        ([[[1, 2], [4, 5], [2, 4]]], [[1, 5]]),
    ],
    "to_roman": [
        ([0], ""),
        ([1], "I"),
        ([4], "IV"),
        ([5], "V"),
        ([8], "VIII"),
        ([9], "IX"),
        ([14], "XIV"),
        ([30], "XXX"),
    ],
}
"""Arguments and what they give."""

ELSEWHERE = {
    "javascript": ("function twice(n) { return n > 0 ? n + n : 0 }", "n + n", "n * n"),
    "typescript": ("function twice(n: number): number { return n > 0 ? n + n : 0 }", "n + n", "n * n"),
    "go": ("func twice(n int) int {\n\tif n > 0 {\n\t\treturn n + n\n\t}\n\treturn 0\n}", "n + n", "n * n"),
    "cpp": ("int twice(int n) { if (n > 0) return n + n; return 0; }", "n + n", "n * n"),
    "java": ("static int twice(int n) { if (n > 0) return n + n; return 0; }", "n + n", "n * n"),
    "rust": ("fn twice(n: i32) -> i32 { if n > 0 { return n + n; } 0 }", "n + n", "n * n"),
}


def python_job(number: int) -> SandboxJob:
    """The `number`-th instance: its solutions differ from any other's in a comment."""
    name = list(CALLS)[number % len(CALLS)]
    solutions = SOLUTIONS_OF[name].strip("\n").split("\n---\n")
    tests = [{"arguments": given, "expected": value} for given, value in CALLS[name][:TESTS]]
    texts = [f"{code}\n# {number}" for code in solutions[:SOLUTIONS]]
    return SandboxJob("python", name, tests, texts, MUTANTS, number)


def one_by_one(job: SandboxJob) -> int:
    """How many pairs pass when each is a program of its own."""
    passed = 0
    for code in job.solutions:
        for test in job.tests:
            given = ", ".join(map(repr, test["arguments"]))
            program = f"{code}\nassert {job.name}({given}) == {test['expected']!r}\n"
            passed += run_program(program, language="python", timeout=5.0, memory_mb=512).passed
    return passed


USAGE: list[Path] = []
"""The file of a control group that says what all of its processes have used."""


def processor_s() -> float:
    """Processor seconds of this process and of all that it has started, those that have ended too.

    Of what ran in a namespace of processes the system tells the parent only a part; a control group is told all.
    """
    if USAGE:
        words = USAGE[0].read_text().split()
        return int(words[0]) / 1e9 if len(words) == 1 else int(words[words.index("usage_usec") + 1]) / 1e6
    this = psutil.Process()
    return sum(sum(each.cpu_times()[:4]) for each in (this, *this.children(recursive=True)))


def measure_python(instances: int) -> dict[str, Any]:
    """Instances a second of one core and of all, and the ratio to one program for each pair."""
    sandboxed = partial(prove, timeout=5.0, memory_mb=512)
    jobs = [python_job(number) for number in range(instances)]
    run_proof(jobs[0], sandboxed)
    one_by_one(jobs[0])
    ours, theirs = list[float](), list[float]()
    for job in jobs:
        begun = time.perf_counter()
        found = run_proof(job, sandboxed)
        ours.append(time.perf_counter() - begun)
        assert found["chosen"] == [0, 1], found
        begun = time.perf_counter()
        passed = one_by_one(job)
        theirs.append(time.perf_counter() - begun)
        assert passed == sum(row.count("P") for row in found["outcomes"]), (passed, found)
    used = -processor_s()
    for job in jobs:
        run_proof(job, sandboxed)
    used += processor_s()
    cores = os.cpu_count() or 1
    at_once = -processor_s()
    with ThreadPoolExecutor(cores) as pool:
        begun = time.perf_counter()
        list(pool.map(lambda job: run_proof(job, sandboxed), jobs))
        together = time.perf_counter() - begun
    at_once += processor_s()
    return {
        "instances": instances,
        "per_second": round(1 / statistics.median(ours), 1),
        "milliseconds": round(1e3 * statistics.median(ours), 1),
        "processor_milliseconds": round(1e3 * used / instances, 1),
        "processor_milliseconds_on_all_cores": round(1e3 * at_once / instances, 1),
        "per_second_of_a_free_core": round(instances / used, 1),
        "quickest_per_second": round(1 / min(ours), 1),
        "times_one_program_a_pair": round(statistics.median(theirs) / statistics.median(ours), 2),
        "cores": cores,
        "per_second_of_all_cores": round(instances / together, 1),
    }


def language_job(language: str, number: int) -> SandboxJob:
    """The `number`-th instance of a language: its solutions differ from any other's in the function's name."""
    right, old, new = (text.replace("twice", f"twice_{number}") for text in ELSEWHERE[language])
    tests = [{"arguments": [n], "expected": 2 * max(n, 0)} for n in (0, 1, 3, -2)]
    return SandboxJob(language, f"twice_{number}", tests, [right, right.replace(old, new)], mutants=2, seed=0)


def measure_language(language: str) -> dict[str, Any]:
    """Seconds of an instance by the clock and of processor time, and instances a second on all cores."""
    run: Callable[[SandboxJob], dict[str, Any]] = partial(run_proof, prove=partial(prove, timeout=20.0, memory_mb=1024))
    cores = os.cpu_count() or 1
    run(language_job(language, 0))
    seconds, used = list[float](), -processor_s()
    for number in range(1, ELSEWHERE_INSTANCES + 1):
        begun = time.perf_counter()
        found = run(language_job(language, number))
        seconds.append(time.perf_counter() - begun)
    used = (used + processor_s()) / ELSEWHERE_INSTANCES
    jobs = [language_job(language, number) for number in range(100, 100 + cores * ELSEWHERE_INSTANCES)]
    together = -processor_s()
    with ThreadPoolExecutor(cores) as pool:
        begun = time.perf_counter()
        list(pool.map(run, jobs))
        clock = time.perf_counter() - begun
    together = (together + processor_s()) / len(jobs)
    return {
        "seconds": round(statistics.median(seconds), 2),
        "processor_seconds": round(used, 3),
        "processor_seconds_on_all_cores": round(together, 3),
        "per_second_of_all_cores": round(len(jobs) / clock, 2),
        "chosen": found["chosen"],
        "mutants": len(found["kills"]),
        "killed": sum(found["kills"]),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--instances", type=int, default=24)
    parser.add_argument("--languages", nargs="*", default=list(ELSEWHERE))
    parser.add_argument("--usage", type=Path, help="cpuacct.usage or cpu.stat of a control group that only this is in")
    options = parser.parse_args()
    USAGE.extend([options.usage] if options.usage else [])
    missing = missing_toolchains(options.languages)
    found = {name: measure_language(name) for name in options.languages if name not in missing}
    print(json.dumps({
        "machine": describe_machine(), "python": measure_python(options.instances), "languages": found,
        "missing": sorted(missing),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
