"""Values of Python against JSON."""

import json
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.sandbox.inside.values import same


@dataclass
class Pair:
    one: object
    other: object


class Shade(Enum):
    DARK = "dark"
    YES = "no"
    ONE = 1


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_a_value_is_the_same_as_itself_through_json(value):
    assert same(value, json.loads(json.dumps(value)))


@given(JSON, JSON)
def test_what_python_tells_apart_is_not_the_same(one, other):
    if one != other and not isinstance(one, float) and not isinstance(other, float):
        assert json.dumps(one) == json.dumps(other) or not same(one, other) or "." in json.dumps([one, other])


@pytest.mark.parametrize(
    ("value", "expected"),
    [((1, 2), [1, 2]), ({3, 1}, [1, 3]), ({1: "a"}, {"1": "a"}), (iter([1, 2]), [1, 2]), (0.1 + 0.2, 0.3), (2.0, 2),
     (range(2), [0, 1]), ({(1, 2)}, [[1, 2]]), (True, 1), ({None: 1}, {"null": 1}),
     ({(1, 2): 0}, {"(1, 2)": 0}), (Fraction(3, 2), 1.5), (Decimal("0.1"), 0.1), (Decimal(2), 2), (Pair(1, "b"), {"one": 1, "other": "b"}),
     (Shade.DARK, "dark"), (Shade.DARK, "DARK"), (Shade.YES, "no"), (Shade.ONE, "ONE"), (Shade.ONE, 1), (2.0**60, 2**60), (3_000_000_000.0, 3_000_000_000)],
)  # fmt: skip
def test_what_json_cannot_tell_apart_is_the_same(value, expected):
    assert same(value, expected)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("12", ["1", "2"]), ([1, 2], [2, 1]), ({1, 2}, [1, 1]), ({1: 1}, [1]), (iter(int, 1), []), ("1", 1), (1, "1"),
     (None, False), (0, None), ([1], [1, 2]), ({"a": 1}, {"a": 1, "b": 2}), (float("nan"), 1.0), (10**400, 1.5),
     ({1: 1, "1": 1}, {"1": 1}), (object(), {}), (b"a", "a"),
     (3_000_000_001.0, 3_000_000_000), (2.0**60, 2**60 + 1), (Fraction(1, 3), 1), (Decimal("nan"), 1.0), (Shade.DARK, "light"),
     (Shade.YES, "YES"),
     (Pair(1, 2), {"one": 1}), (Pair(1, 2), {"one": 1, "other": 3}), (Pair(1, 2), [1, 2]), ({(1, 2): 0}, {"(1, 3)": 0})],
)  # fmt: skip
def test_other_values_are_not(value, expected):
    assert not same(value, expected)


def test_depth_is_bounded():
    deep = []
    for _ in range(5000):
        deep = [deep]
    assert not same(deep, deep)
