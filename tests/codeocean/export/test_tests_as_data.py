"""Tests of instances as calls: what is one, what is not, and what graders read of it."""

import json

import pytest

from codeocean.export.tests_as_data import call_tests, entry_point

ADD = "def add(a, b=0):\n    '''Sum.'''\n    return a + b"


def instance(tests, output: str = ADD, language: str = "python", **fields) -> dict:
    text = tests if isinstance(tests, str) else json.dumps(tests)
    return {"language": language, "output": output, "tests": text} | fields


def test_calls_become_inputs_outputs_and_assertions():
    tests = call_tests(instance([{"arguments": [1, 2], "expected": 3}, {"assertion": "assert add(1) == 1"},
                                 {"arguments": ["a\nb", "ü"], "expected": "a\nbü"}]))  # fmt: skip
    assert (tests.name, tests.declaration, tests.parameters, tests.docstring) == (
        "add", "def add(a, b=0):", "a, b=0", "Sum.",
    )  # fmt: skip
    units = tests.unit_tests()
    assert units["fn_name"] == "add"
    assert [[json.loads(line) for line in given.split("\n")] for given in units["inputs"]] == [[1, 2], ["a\nb", "ü"]]
    assert [json.loads(text) for text in units["outputs"]] == [3, "a\nbü"]
    for assertion in tests.asserted():
        exec(f"{ADD}\n{assertion}", {})


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (instance([]), "no tests"),
        (instance("not JSON"), "no tests"),
        ({"language": "python", "output": ADD}, "no tests"),
        (instance([{"arguments": [1], "expected": 1}], language="go"), "graders run Python alone: go"),
        (instance([{"arguments": [1], "expected": 1}], output="x = 1"), "no function to call"),
        (instance([{"arguments": [1], "expected": 1}], output="def f(:"), "no function to call"),
        (instance([{"assertion": "assert add(1) > 0"}]), "no test is a call"),
        (instance([{"arguments": [[1], 2], "expected": None, "after": [[1, 2], 2]}]), "no test is a call"),
        (instance([{"arguments": [1], "expected": {"(1, 2)": 1}}]), "its result may be no JSON"),
        (instance([{"arguments": [1], "expected": [{"1,2": 1}]}]), "its result may be no JSON"),
        (
            instance([{"arguments": [1], "expected": {"a": 1}}], output=f"@dataclass\nclass A:\n    a: int\n{ADD}"),
            "its result may be no JSON",
        ),
        (instance([{"arguments": [float("nan")], "expected": 1}]), "no test is a call"),
        (instance([{"arguments": [1], "expected": 1}], pass_rate=0.0), "the answer fails one of its tests"),
    ],
)
def test_why_there_are_none(row, reason):
    assert call_tests(row) == reason


def test_the_function_that_others_do_not_call_is_meant():
    code = "def outer(n):\n    return helper(n) + 1\n\ndef helper(n):\n    return n and outer"
    assert entry_point("def helper():\n    return 1\n\ndef main():\n    return helper()").name == "main"
    assert entry_point("def main():\n    return helper()\n\ndef helper():\n    return 1").name == "main"
    assert entry_point(code).name == "helper"  # each calls the other: the last
    assert entry_point("def f(n):\n    return f(n - 1) if n else 0").name == "f"
