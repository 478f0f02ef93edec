"""MBPP (Austin et al. 2021): the 500 test problems (task_id 11 to 510), as an instruction or behind three solved ones.

`mbpp` asks as WaveCoder's own script does: the text, and the tests that the function should pass. `mbpp-3shot` is the
paper's few-shot prompt, with problems 2, 3 and 4 solved. MBPP+ has fewer problems and more tests.
"""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import Any

from core.python_syntax import python_tree
from eval.benchmarks.plus_inputs import typed_inputs
from eval.benchmarks.plus_tests import MBPP_RULES, differential_tests, without_numpy
from eval.problems import Benchmark, Problem

FIRST, LAST = 11, 510
STOP = ("\nassert ", '\n"""', "\nprint(", "\nif __name__", "\n```")
SHOTS = json.loads(Path(__file__).with_name("mbpp_shots.json").read_text(encoding="utf-8"))["rows"]

_TASK = (
    "You are an expert Python programmer, and here is your task: {text} Your code should pass these tests:\n\n"
    "{tests}\n[BEGIN]\n"
)


def read_rows(rows: list[dict[str, Any]], *, few_shot: bool) -> list[Problem]:
    """The test problems among the rows, in order."""
    chosen = sorted((row for row in rows if FIRST <= number_of(row) <= LAST), key=number_of)
    return [read_problem(row, few_shot=few_shot) for row in chosen]


def number_of(row: dict[str, Any]) -> int:
    """Of a row's `task_id`, which is a number or ends with one ("Mbpp/2")."""
    return int(str(row["task_id"]).rpartition("/")[2])


def read_problem(row: dict[str, Any], *, few_shot: bool) -> Problem:
    """One row of MBPP, full or sanitized, or of MBPP+ in the form that has tests."""
    text = row["text"] if "text" in row else row["prompt"]
    code, shown = row["code"].replace("\r\n", "\n"), row["test_list"]
    setup = row.get("test_setup_code") or "\n".join(row.get("test_imports", ()))
    tests = without_numpy(row["test"]) if "test" in row else "\n".join(shown)
    prompt = f'"""\n{text}\n' + "\n".join(shown) + '\n"""\n'
    if few_shot:
        solved = "".join(
            f"{_TASK.format(text=shot['text'], tests=_lines(shot))}{shot['code']}\n[DONE]\n\n" for shot in SHOTS
        )
        prompt = solved + _TASK.format(text=text, tests=_lines(row))
    question = f"{text}\nthe function should pass the following test code:\n" + "\n".join(shown)
    return Problem(
        task_id=str(row["task_id"]),
        language="python",
        entry_point=entry_point_of(code, shown),
        instruction=prompt.removesuffix("[BEGIN]\n") if few_shot else question,
        plain=prompt,
        reference=code,
        tests=setup.replace("\r\n", "\n") + "\n" + tests + "\n",
        stop=("[DONE]",) if few_shot else STOP,
    )


def _lines(row: dict[str, Any]) -> str:
    return "\n".join(row["test_list"])


def entry_point_of(code: str, tests: list[str]) -> str:
    """The function of the reference solution that the tests call.

    Raises:
        ValueError: the reference does not parse, or the tests call nothing that it defines.
    """
    defined = {node.name for node in python_tree(code).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
    calls = [node for test in tests for node in ast.walk(python_tree(test.strip())) if isinstance(node, ast.Call)]
    called = [node.func.id for node in calls if isinstance(node.func, ast.Name) and node.func.id in defined]
    if not called:
        raise ValueError(f"the tests call none of {', '.join(sorted(defined))}")
    return called[0]


def read_plus_problem(row: dict[str, Any]) -> Problem:
    """One row of MBPP+, in the form with tests or in that with inputs (MbppPlus.jsonl)."""
    if "base_input" not in row:
        return read_problem(row, few_shot=False)
    inputs = typed_inputs(number_of(row), [*row["base_input"], *row["plus_input"]])
    prompt, reference = row["prompt"], row["canonical_solution"].strip("\n")
    return Problem(
        task_id=str(row["task_id"]),
        language="python",
        entry_point=row["entry_point"],
        instruction=prompt.strip().strip('"').strip(),
        plain=prompt,
        reference=reference,
        tests=differential_tests(row, reference, inputs, MBPP_RULES.get(row["entry_point"], "")),
        stop=STOP,
    )


BENCHMARKS = {
    "mbpp": Benchmark(
        read=lambda rows, _: read_rows(rows, few_shot=False),
        dataset="mbpp",
        source="google-research-datasets/mbpp",
        hub_file="full/test-*.parquet",
    ),
    "mbpp-3shot": Benchmark(
        read=lambda rows, _: read_rows(rows, few_shot=True),
        dataset="mbpp",
        source="google-research-datasets/mbpp",
        hub_file="full/test-*.parquet",
    ),
    "mbppplus": Benchmark(
        read=lambda rows, _: [read_plus_problem(row) for row in rows],
        dataset="mbppplus",
        source="evalplus/mbppplus",
        hub_file="data/test-*.parquet",
    ),
}
