"""A tester's answer → tests; whatever else it writes is counted."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.tester import ParsedTests, messages_for_tests, parse_tests, schema_of_tests, select_tests

CALL = {"arguments": [1, [2]], "expected": 3}


def parsed(*tests: object, most: int = 8, language: str = "python") -> ParsedTests:
    found = parse_tests(json.dumps({"tests": list(tests)}), "stop", "f", language, most)
    assert isinstance(found, ParsedTests)
    return found


def test_calls_and_assertions_are_kept_as_data_where_they_can_be():
    found = parsed(
        CALL, {"assertion": "assert f(2) == [4]"}, {"assertion": "assert f((1, 2)) == 3"}, {"assertion": "f(1) > 0"}
    )
    assert found.kept == [CALL, {"arguments": [2], "expected": [4]}, {"assertion": "assert f((1, 2)) == 3"},
                          {"assertion": "f(1) > 0"}]  # fmt: skip
    assert not found.refused


@pytest.mark.parametrize(
    ("tests", "reason"),
    [(["f(1) == 2"], "no test"), ([{"arguments": 1, "expected": 2}], "no test"), ([{"arguments": [1]}], "no test"),
     ([{"assertion": "f(1) should give the next number"}], "no test"),
     ([{"assertion": ""}], "no test"), ([{"assertion": "assert True"}], "never calls the function"),
     ([{"arguments": ["x" * 5000], "expected": 1}], "too large"), ([CALL, CALL], "repeats another"),
     ([CALL | {"after": [1]}], "no test"), ([CALL | {"after": 3}], "no test"),
     ([CALL, CALL | {"after": [1, [2]]}], "repeats another"),
     ([CALL | {"after": [1, [3]]}, CALL | {"after": [1, [2]]}], "contradicts another"),
     ([CALL, CALL | {"expected": 4}], "contradicts another"), ([{"arguments": [n], "expected": n} for n in range(9)],
                                                               "more than asked for")],
)  # fmt: skip
def test_what_is_no_test_is_counted_by_name(tests, reason):
    assert parsed(*tests).refused[reason] > 0


def test_arithmetic_of_literals_is_worked_out():
    found = parsed(
        {"assertion": "assert f(3 * 19, 'ab' * 2) == [3, 20 - 1]"}, {"assertion": "assert f(57, 'abab') == [3, 19]"}
    )
    assert (found.kept, found.refused) == ([{"arguments": [57, "abab"], "expected": [3, 19]}], {"repeats another": 1})
    assert parsed({"assertion": "assert f(10 ** 9 ** 9) == 1"}).kept == [{"assertion": "assert f(10 ** 9 ** 9) == 1"}]
    assert parsed({"assertion": "assert f(1) == 1 / 0"}).refused == {"no test": 1}  # no right answer passes it


def test_contradicting_tests_both_go_whatever_their_form():
    found = parsed(CALL, {"assertion": "assert f(1, [2]) == 4"}, {"arguments": [5], "expected": 5})
    assert found.kept == [{"arguments": [5], "expected": 5}]
    assert found.refused == {"contradicts another": 2}


@pytest.mark.parametrize(("language", "kept"), [("javascript", 0), ("typescript", 0), ("python", 2), ("java", 2)])
def test_a_call_with_another_spelling_of_a_number_is_the_same_in_javascript_alone(language, kept):
    found = parsed({"arguments": [[1]], "expected": 1}, {"arguments": [[1.0]], "expected": 2}, language=language)
    assert (len(found.kept), found.refused["contradicts another"]) == (kept, 2 - kept)


@pytest.mark.parametrize("depth", [60, 300, 480, 900])
@pytest.mark.parametrize("form", ['{"arguments": [%s], "expected": 1}', '{"arguments": [1], "expected": %s}',
                                  '{"arguments": [1], "expected": 1, "after": [%s]}', '{"assertion": "assert f(1) == %s"}'])  # fmt: skip
def test_values_nested_deep_are_too_large_and_end_nothing(form, depth):
    found = parse_tests('{"tests": [%s]}' % (form % ("[" * depth + "]" * depth)), "stop", "f", "python", 4)
    assert (
        found == "not JSON"
        or (not found.kept and set(found.refused) <= {"too large", "no test"})
        or "assertion" in form
    )


def test_what_the_arguments_are_afterwards_is_kept():
    assert parsed(CALL | {"after": [1, []]}).kept == [CALL | {"after": [1, []]}]


def test_other_languages_run_data_alone():
    assert parsed({"assertion": "assert(f(1) == 2)"}, CALL, language="go").kept == [CALL]


@pytest.mark.parametrize(("text", "finish", "reason"), [("x", "stop", "not JSON"), ("{}", "length", "truncated"),
                                                        ('{"tests": 1}', "stop", "wrong fields")])  # fmt: skip
def test_an_answer_without_tests_says_why(text, finish, reason):
    assert parse_tests(text, finish, "f", "python", 4) == reason


@given(st.lists(st.recursive(st.none() | st.integers() | st.text() | st.floats(), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["arguments", "expected", "assertion"]), x), max_leaves=8), max_size=6), st.integers(1, 4))  # fmt: skip
def test_nothing_is_lost_and_nothing_raises(listed, most):
    found = select_tests(listed, "f", "python", most)
    assert len(found.kept) + found.refused.total() == len(listed)
    assert len(found.kept) <= most
    json.dumps(found.kept, allow_nan=False)


def test_the_tester_is_told_how_many_and_in_which_language():
    messages = messages_for_tests("Double x.", "", "def f(x)", "python", 4)
    assert "4 different tests" in messages[0]["content"]
    assert "def f(x)" in messages[1]["content"]
    assert schema_of_tests(4)["properties"]["tests"]["maxItems"] == 4


def test_the_same_value_written_otherwise_is_no_contradiction():
    listed = [{"arguments": [1], "expected": 2}, {"arguments": [1], "expected": 2.0}, {"assertion": "assert 2 == f(1)"}]
    found = select_tests(listed, "f", "python", 8)
    assert (found.kept, dict(found.refused)) == ([{"arguments": [1], "expected": 2}], {"repeats another": 2})
    found = select_tests([*listed, {"assertion": "assert 3 == f(1)"}], "f", "python", 8)
    assert found.kept == []
