"""Inputs that are made of known ones."""

import json

from hypothesis import given
from hypothesis import strategies as st

from codeocean.verify.inputs import MOST, more_inputs

LEAVES = (
    st.booleans()
    | st.integers(-(2**31), 2**31)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)


def test_the_edges_of_each_argument_come_first():
    assert more_inputs([[[3, 1], 7]], 6) == [[[], 7], [[3, 1], 0], [[3], 7], [[3, 1], 1], [[1, 3], 7], [[3, 1], 8]]
    assert more_inputs([["ab"]], 3) == [[""], ["a"], ["ba"]]
    assert more_inputs([[True, {"a": 1, "b": 2}]], 4) == [
        [False, {"a": 1, "b": 2}],
        [True, {}],
        [True, {"a": 1}],
        [True, {"a": 0, "b": 2}],
    ]
    assert more_inputs([[None]]) == more_inputs([[]]) == more_inputs([]) == []


@given(st.lists(st.lists(VALUES, max_size=3), max_size=4))
def test_inputs_are_new_few_of_the_same_types_and_the_same_each_time(calls):
    found = more_inputs(calls)
    texts = [json.dumps(call, sort_keys=True) for call in [*calls, *found]]
    known = len({json.dumps(call, sort_keys=True) for call in calls})
    assert len(found) <= MOST and len(set(texts)) == known + len(found) and found == more_inputs(calls)
    kinds = {tuple(map(type, call)) for call in calls}
    assert all(tuple(map(type, call)) in kinds for call in found)
