"""The tests of an instance, as graders of other projects want them: calls with a name, inputs and outputs. Pure.

Those graders (verl's prime_code, NeMo Gym's code_gen, KodCode's pytest) run Python alone, so an instance in another
language, or without tests that are calls, has no such form; the reason is a short fixed string that is counted.
"""

from __future__ import annotations

import ast
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.python_syntax import python_tree


@dataclass(frozen=True)
class CallTests:
    """A function and what it must return."""

    name: str
    declaration: str
    """Its first line, such as `def add(a, b):`."""
    docstring: str
    parameters: str
    """As written between the parentheses."""
    calls: tuple[tuple[tuple[Any, ...], Any], ...]
    """Arguments and the expected value, all of them JSON values."""
    assertions: tuple[str, ...]
    """Tests that are not data, as code."""

    def unit_tests(self) -> dict[str, Any]:
        """LiveCodeBench's form of functional tests: each input is one line of JSON for each argument.

        Its graders fail every answer to a call without arguments, so there is none of these.

        Source: `lcb_runner/evaluation/testing_util.py` of github.com/LiveCodeBench/LiveCodeBench, `grade_call_based`.
        """
        calls = [call for call in self.calls if call[0]]
        return {
            "inputs": ["\n".join(map(json.dumps, arguments)) for arguments, _ in calls],
            "outputs": [json.dumps(expected) for _, expected in calls],
            "fn_name": self.name,
        }

    def asserted(self) -> list[str]:
        """Each test as one assertion of Python, behind `import json`: data has one kind of list, and keys are text."""
        calls = []
        for arguments, expected in self.calls:
            call = f"{self.name}({', '.join(map(repr, arguments))})"
            if isinstance(expected, list | dict):
                call = f"json.loads(json.dumps({call}, default=list))"
            calls.append(f"assert {call} == {expected!r}")
        return [*calls, *self.assertions]


def call_tests(instance: Mapping[str, Any]) -> CallTests | str:
    """The tests of an instance, or why it has none that are calls of a Python function.

    Args:
        instance: INSTANCES row; the columns `tests` and `pass_rate` may be missing.
    """
    tests = _listed(instance.get("tests"))
    if not tests:
        return "no tests"
    if instance["language"] != "python":
        return f"graders run Python alone: {instance['language']}"
    rate = instance.get("pass_rate")
    if rate is not None and rate < 1.0:
        return "the answer fails one of its tests"
    function = entry_point(instance["output"])
    if function is None:
        return "no function to call"
    calls = [(tuple(test["arguments"]), test.get("expected")) for test in tests if _is_call(test)]
    assertions = [test["assertion"] for test in tests if isinstance(test.get("assertion"), str)]
    if not calls:
        return "no test is a call"
    # The sandbox reads these as JSON, a grader does not.
    if _NO_JSON.search(instance["output"]) or any(_has_odd_keys(expected) for _, expected in calls):
        return "its result may be no JSON"
    return CallTests(
        name=function.name,
        declaration=_declaration(function),
        docstring=ast.get_docstring(function) or "",
        parameters=ast.unparse(function.args),
        calls=tuple(calls),
        assertions=tuple(assertions),
    )


def graded_tests(instance: Mapping[str, Any]) -> CallTests | str:
    """Those that graders of LiveCodeBench's form can run, or why they cannot."""
    tests = call_tests(instance)
    if isinstance(tests, str):
        return tests
    if "class Solution" in instance["output"]:  # where there is one they look for the function inside of it
        return "graders take a class Solution for the answer"
    return tests if any(arguments for arguments, _ in tests.calls) else "no test has arguments"


def entry_point(code: str) -> ast.FunctionDef | None:
    """The function that a Python answer is about: the last at its top that no other of them calls."""
    try:
        tree = python_tree(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    called = {
        node.id
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Name) and node.id != function.name
    }
    free = [function for function in functions if function.name not in called]
    candidates = free or functions
    return candidates[-1] if candidates else None


def _declaration(function: ast.FunctionDef) -> str:
    returns = f" -> {ast.unparse(function.returns)}" if function.returns else ""
    return f"def {function.name}({ast.unparse(function.args)}){returns}:"


def _listed(text: str | None) -> list[dict[str, Any]]:
    try:
        tests = json.loads(text or "[]")
    except ValueError:
        return []
    return [test for test in tests if isinstance(test, dict)] if isinstance(tests, list) else []


_NO_JSON = re.compile(r"^\s*@(\w+\.)?dataclass\b|\b(Int|Str)?Enum\b|\bFraction\b|\bDecimal\b", re.MULTILINE)


def _has_odd_keys(value: Any) -> bool:
    """Whether a key stands for a tuple."""
    if isinstance(value, dict):
        return any(re.fullmatch(r"[(\[].*[)\]]|[^,]+,.*", key) for key in value) or any(
            map(_has_odd_keys, value.values())
        )
    return any(map(_has_odd_keys, value)) if isinstance(value, list) else False


def _is_call(test: Mapping[str, Any]) -> bool:
    """Whether a test is data that JSON carries, and asks for a value alone: NaN and the infinities are not."""
    call = isinstance(test.get("arguments"), list) and "expected" in test and "after" not in test
    return call and _is_finite([*test.values()])


def _is_finite(value: Any) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    return all(map(_is_finite, value)) if isinstance(value, list) else True
