"""BigCodeBench (Zhuo et al. 2024), full and hard: functions that use libraries, with unit tests.

Rows in the fields of `bigcode/bigcodebench` and `bigcode/bigcodebench-hard`. Asked in a chat they are its Instruct
part, as plain text its Complete part. The tests patch the candidate's modules and look at its files, so they run beside
it, as in the authors' harness: one module, one process (`eval.sandbox.oracle.judge_beside`).
"""

from __future__ import annotations

import ast
import sys
from typing import Any

from eval.problems import Benchmark, Problem

STOP = ("\nclass ", "\ndef ", "\nif __name__", "\n```")
QUESTION = "Please provide a self-contained Python script that solves the following problem in a markdown code block:\n"

_RUN = """

def _run_tests():
    import sys
    import unittest

    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(TestCases).run(result)
    wrong = result.failures + result.errors
    if wrong:
        sys.stderr.write(wrong[0][1])
    assert result.testsRun and not wrong, f"{len(wrong)} of {result.testsRun} tests failed"


_run_tests()
"""


def read_problem(row: dict[str, Any]) -> Problem:
    """One row.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    prompt = row["complete_prompt"]
    return Problem(
        task_id=str(row["task_id"]),
        language="python",
        entry_point=row["entry_point"],
        instruction=QUESTION + row["instruct_prompt"].strip(),
        plain=prompt,
        declaration=prompt,
        reference=row["canonical_solution"],
        tests=row["test"] + _RUN,
        stop=STOP,
        beside=True,
        needs=needed_packages(row["libs"]),
    )


def needed_packages(libs: str | list[str]) -> tuple[str, ...]:
    """The modules of a row's `libs` that are not Python's own."""
    names = ast.literal_eval(libs) if isinstance(libs, str) else libs
    return tuple(sorted({name.partition(".")[0] for name in names} - sys.stdlib_module_names))


BENCHMARKS = {
    name: Benchmark(
        read=lambda rows, _: [read_problem(row) for row in rows],
        dataset=name.replace("-", ""),
        source=f"bigcode/{name}",
        hub_file="data/v0.1.4-*.parquet",
    )
    for name in ("bigcodebench", "bigcodebench-hard")
}
