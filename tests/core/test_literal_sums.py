"""Arithmetic of literals, worked out without running anything."""

import ast

import pytest

from core.literal_sums import literal_value


def value(text: str) -> object:
    return literal_value(ast.parse(text, mode="eval").body)


@pytest.mark.parametrize(
    "text",
    ["3 * 19 * 3", "2 ** 10 - 1", "7 // 2 + 1 / 4", "'ab' + 'c' * 3", "[0] * 3 + [1 + 1]", "(1, -(2 + 3))",
     "{'a': 2 * 2, 1 + 1: [3 - 4]}", "-5", "[True, None, b'x', {1}]", "1 + 2j", "0 ** 0"],
)  # fmt: skip
def test_it_comes_to_what_python_says(text):
    assert value(text) == eval(text) and type(value(text)) is type(eval(text))


@pytest.mark.parametrize(
    "text",
    ["f(2)", "x + 1", "'%d' % 3", "1 << 900", "2 ** 99999", "9 ** 9 ** 9", "'a' * 10 ** 9", "10 ** 9 * [0]", "1 / 0", "'a' + 1",
     "[1][0]", "1 if 1 else 2", "{**{}}", "'a' * 9999 * 9", "2.0 ** 5000", "not 1"],
)  # fmt: skip
def test_what_is_no_arithmetic_or_too_large_is_refused(text):
    with pytest.raises((ValueError, TypeError, ArithmeticError)):
        value(text)
