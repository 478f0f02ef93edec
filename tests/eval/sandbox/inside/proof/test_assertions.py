"""What an assertion of a model may do."""

import pytest

from eval.sandbox.inside.proof.assertions import NotAllowed, compiled, names_for


@pytest.mark.parametrize(
    ("text", "holds"),
    [("assert f(2) == 4", True), ("assert f(2) == 5, 'no'", False), ("f(3) > 8", True), ("assert not f(0)", True),
     ("assert abs(f(1.5) - 2.25) < 1e-9", True), ("assert isinstance(f(2), int)", True),
     ("assert all(f(x) >= x for x in [1, 2, 3])", True), ("assert sorted([f(2), f(1)]) == [1, 4]", True),
     ("assert str(f(2)).startswith('4')", True), ("assert f(*[3]) in (9, 10)", True)],
)  # fmt: skip
def test_comparisons_are_evaluated(text, holds):
    assert bool(eval(compiled(text, "f"), names_for("f", lambda x: x * x))) is holds


@pytest.mark.parametrize(
    "text",
    ["assert True", "assert 1 == 1", "import os", "exit()", "print(f(1))", "assert open('/etc/passwd') and f(1)",
     "assert f.__globals__ and f(1)", "assert f(1) or ().__class__", "assert (lambda: f(1))()", "f = 1", "assert",
     "assert f(10 ** 10 ** 10)", "assert f([0] * 10 ** 9) == 1", "assert f([0] * 9999999999)", "x := f(1)",
     "assert f(1 << 99999)", "assert getattr(f, 'x')(1)", "assert [f for f in [len]][0]([])", "while True: f(1)",
     "f(1); return 1", "for n in [1]: assert f(n)", "assert f'{f(1)}'", "assert '%s' % f(1) and __import__('os')", "assert g(f(1))",
     "assert f(" + "(" * 500 + ")" * 500 + ")", "assert f(1) == '" + "x" * 5000 + "'", "assert await_ and f(1)"],
)  # fmt: skip
def test_anything_else_is_refused(text):
    with pytest.raises(NotAllowed):
        compiled(text, "f")
