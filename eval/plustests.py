"""The tests of HumanEval+ and MBPP+ (Liu et al. 2023), made to run where there is nothing but Python itself.

Published with tests (the hub's evalplus/humanevalplus and evalplus/mbppplus, the releases' OriginFmt files), they need
numpy for one comparison; published as inputs (HumanEvalPlus.jsonl), the reference solution runs beside the candidate.

Not covered: MbppPlus.jsonl, whose inputs need the harness's own table of types.
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

def _floats(value):
    return isinstance(value, float) or (isinstance(value, (list, tuple)) and all(isinstance(v, float) for v in value))


def _check(candidate):
    import copy

    space = {{}}
    exec({reference!r}, space)
    reference = space[{entry_point!r}]
    for given in {inputs!r}:
        out, tolerance = candidate(*copy.deepcopy(given)), {atol!r}
        if {entry_point!r} == "find_zero":
            assert abs(space["poly"](*copy.deepcopy(given), out)) <= tolerance
            continue
        expected = reference(*copy.deepcopy(given))
        if tolerance == 0 and _floats(expected):
            tolerance = 1e-6
        assert out == expected or (tolerance and _close(out, expected, 1e-07, tolerance)), (given, out, expected)


_check({entry_point})
"""


def without_numpy(tests: str) -> str:
    """Tests that bring the little of numpy that they use."""
    return re.sub(r"^import numpy as np[ \t]*$", lambda _: _NUMPY, tests, flags=re.MULTILINE)


def differential_tests(row: dict[str, Any], reference: str) -> str:
    """Tests that compare a candidate with the reference program on a row's inputs.

    Args:
        row: `entry_point, base_input, plus_input, atol`.
        reference: the benchmark's own solution, whole.
    """
    return _DIFFERENTIAL.format(
        close=_CLOSE,
        reference=reference,
        entry_point=row["entry_point"],
        inputs=[*row["base_input"], *row["plus_input"]],
        atol=row.get("atol", 0),
    )
