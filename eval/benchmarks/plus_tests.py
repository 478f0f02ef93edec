"""The tests of HumanEval+ and MBPP+ (Liu et al. 2023), made to run where there is nothing but Python itself.

Published with tests (the hub's evalplus/humanevalplus and evalplus/mbppplus, the releases' OriginFmt files), they need
numpy for one comparison; published as inputs (HumanEvalPlus.jsonl, MbppPlus.jsonl), the reference solution runs beside
the candidate, and what it answers is compared as EvalPlus 0.3.1 does.
"""

from __future__ import annotations

import re
from typing import Any

_CLOSE = """
def _close(out, exp, rtol=1e-07, atol=1e-08):
    if isinstance(exp, (list, tuple)):
        return len(out) == len(exp) and all(_close(o, e, rtol, atol) for o, e in zip(out, exp))
    return out == exp or (abs(exp) != float("inf") and abs(out - exp) <= atol + rtol * abs(exp))
"""

_NUMPY = f'''
{_CLOSE}

class np:
    """As much of numpy as the tests use."""

    ndarray = type("ndarray", (), {{}})
    float64 = float32 = float
    inf = float("inf")
    nan = float("nan")
    allclose = staticmethod(_close)
    isclose = staticmethod(_close)
'''

_DIFFERENTIAL = """
{close}

inf, nan = float("inf"), float("nan")


def _floats(value):
    return isinstance(value, float) or (isinstance(value, (list, tuple)) and all(isinstance(v, float) for v in value))


def _check(candidate):
    import copy, math

    space = {{}}
    exec({reference!r}, space)
    reference, tolerance = space[{entry_point!r}], {atol!r}
    for given in {inputs!r}:
        out = candidate(*copy.deepcopy(given))
        if {entry_point!r} == "find_zero":
            assert abs(space["poly"](*copy.deepcopy(given), out)) <= tolerance
            continue
        expected = reference(*copy.deepcopy(given))
        if {rule}:
            continue
        if tolerance == 0 and _floats(expected):
            tolerance = 1e-6
        alike = tolerance and type(out) is type(expected) and _close(out, expected, 1e-07, tolerance)
        assert alike, (given, out, expected)


_check({entry_point})
"""

_SAME_SET = "set(out) == set(expected)"
_SAME_EXISTENCE = "(out if isinstance(out, bool) else out is not None) == (expected is not None)"

MBPP_RULES = {
    "are_equivalent": "True",  # its reference is wrong for some inputs, so any answer counts
    "sum_div": "out == expected or out == 0",
    "surface_Area": "out == expected or abs(out - round(given[0] ** 2 + 2 * given[0] * math.sqrt((given[0] / 2) ** 2 "
    "+ given[1] ** 2))) <= tolerance",
    "digit_distance_nums": "out == expected or out == sum(abs(int(a) - int(b)) for a, b in "
    "zip(*(str(n).zfill(len(str(max(given)))) for n in given)))",
} | dict.fromkeys(
    ("similar_elements", "find_char_long", "common_in_nested_lists", "extract_singly", "larg_nnum",
     "intersection_array", "find_dissimilar", "Diff"), _SAME_SET,
) | dict.fromkeys(("check_str", "text_match_three", "text_starta_endb"), _SAME_EXISTENCE)  # fmt: skip
"""Functions of MBPP+ whose answers are right under another condition than equality."""


def without_numpy(tests: str) -> str:
    """Tests that bring the little of numpy that they use."""
    return re.sub(r"^import numpy as np[ \t]*$", lambda _: _NUMPY, tests, flags=re.MULTILINE)


def differential_tests(row: dict[str, Any], reference: str, inputs: list[list[Any]], rule: str = "") -> str:
    """Tests that compare a candidate with the reference program.

    Args:
        row: `entry_point, atol`.
        reference: the benchmark's own solution, whole.
        inputs: argument lists, of literals.
        rule: when an answer is right, in terms of `out, expected, given, tolerance`; equality unless given.
    """
    return _DIFFERENTIAL.format(
        close=_CLOSE,
        reference=reference,
        entry_point=row["entry_point"],
        inputs=inputs,
        atol=row.get("atol", 0),
        rule=rule or "out == expected",
    )
