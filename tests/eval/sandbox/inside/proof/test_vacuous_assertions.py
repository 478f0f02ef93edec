"""Assertions that hold of any value are told from those that say something."""

import pytest

from eval.sandbox.inside.proof.assertions import Recorder, compiled, names_for, says_nothing

VALUES = {1: 3, 2: "ab", 3: [1, 2], 4: None, 5: True, 6: {"a": 1}, 7: 0.5, 8: (1,), 9: {2}, 10: ""}


@pytest.mark.parametrize(
    ("text", "nothing"),
    [("f(1) == 3", False), ("f(1) == f(1)", True), ("f(1) + f(7) == 3.5", False), ("isinstance(f(1), int)", True),
     ("f(1) > 0", False), ("f(1) is not None", True), ("f(2).startswith('a')", False), ("f(2) + 'c' == f(2) + 'c'", True),
     ("len(f(3)) == 2", False), ("len(f(3)) >= 0", True), ("f(3)[0] == f(3)[0]", True), ("f(3)[1] == 2", False),
     ("f(4) is None", False), ("f(4) is None or f(4) is not None", True), ("f(5)", False), ("f(5) in (True, False)", True),
     ("'a' in f(6)", False), ("type(f(6)) == dict", True), ("abs(f(7) - 0.5) < 1e-6", False), ("f(8) == (1,)", False),
     ("2 in f(9)", False), ("f(9) == set(f(9))", True), ("f(10) == ''", False), ("not [f(x) for x in []]", True),
     ("f(1) != f(2)", False), ("str(f(1)).isdigit() or True", True)],
)  # fmt: skip
def test_an_assertion_is_run_with_functions_that_answer_otherwise(text, nothing):
    test = compiled(text, "f")
    recorder = Recorder(VALUES.get)
    assert eval(test, names_for("f", recorder))
    assert says_nothing(test, "f", recorder.seen) is nothing


def test_a_value_of_an_unknown_type_counts():
    assert not says_nothing(compiled("f(1) == f(1)", "f"), "f", [object()])


def test_an_argument_by_name_is_no_other_argument():
    test = compiled("f(1) == f(x=1)", "f")
    assert says_nothing(test, "f", [3])
