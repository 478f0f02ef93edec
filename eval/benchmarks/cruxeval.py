"""CRUXEval (Gu et al. 2024): 800 short functions; which output an input gives, or which input gives an output.

The predicted value, or the arguments, are computed in the candidate's process and arrive as plain data. The function
itself is the benchmark's and runs with the tests; the candidate's process does not have it.
"""

from __future__ import annotations

from typing import Any, Literal

from eval.answers.programs import PREDICTION
from eval.problems import Benchmark, Problem

FUNCTION = "f"
_PLAIN = """

def _is_plain(value):
    if type(value) in (list, tuple, set, frozenset):
        return all(map(_is_plain, value))
    if type(value) is dict:
        return all(map(_is_plain, value)) and all(map(_is_plain, value.values()))
    return value is None or type(value) in (bool, int, float, complex, str, bytes)
"""
_OUTPUT = """{code}
{plain}

_found = {prediction}()
assert _is_plain(_found) and _found == ({output}), _found
"""
_INPUT = """{code}
{plain}

_given, _named = {prediction}()
assert _is_plain(_given) and _is_plain(_named)
assert f(*_given, **_named) == ({output})
"""
_ASKED = {
    "output": "Here are a Python function and an assertion about it. Complete the assertion with the value that the "
    "call returns, even if the function seems wrong: a literal, without calls or unsimplified expressions.",
    "input": "Here are a Python function and an assertion about it. Complete the assertion with arguments for which it "
    "holds. There may be several; give one.",
}  # fmt: skip


def read_problem(row: dict[str, Any], part: Literal["input", "output"]) -> Problem:
    """One row of cruxeval.jsonl, `code, input, output, id`, to predict one part."""
    code, given, output = row["code"].strip(), row["input"].strip(), row["output"].strip()
    left = f"assert {FUNCTION}({given if part == 'output' else '??'})"
    question = f"{left} == {output if part == 'input' else '??'}"
    tests = _OUTPUT if part == "output" else _INPUT
    return Problem(
        task_id=str(row["id"]),
        language="python",
        kind="value" if part == "output" else "call",
        entry_point=PREDICTION,
        instruction=f"{_ASKED[part]} Write the whole assertion between [ANSWER] and [/ANSWER].\n\n"
        f"```python\n{code}\n{question}\n```",
        plain=f"{code}\n{left} =="
        if part == "output"
        else f"{code}\n# so that the result is {output}:\nassert {FUNCTION}(",
        reference=output if part == "output" else f"{FUNCTION}({given})",
        tests=tests.format(code=code, plain=_PLAIN, prediction=PREDICTION, output=output),
        stop=("\n", "# done"),
    )


BENCHMARKS = {
    f"cruxeval-{part}": Benchmark(
        read=lambda rows, _, part=part: [read_problem(row, part) for row in rows],  # type: ignore[misc]
        dataset="cruxeval",
        source="cruxeval-org/cruxeval",
        hub_file="test.jsonl",
    )
    for part in ("input", "output")
}
