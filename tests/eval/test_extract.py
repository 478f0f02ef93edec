"""Code out of the answers that chat models really give, and the program that it stands for."""

import pytest

from eval.extract import complete_program, extract_code

ADD = "def add(a, b):\n    return a + b"
PROMPT = 'import math\n\n\ndef helper(x):\n    return x\n\n\ndef add(a, b):\n    """Add."""\n'

ANSWERS = {
    "fenced": f"```python\n{ADD}\n```",
    "fenced without a language": f"```\n{ADD}\n```",
    "prose around": f"Here is the function:\n\n```python\n{ADD}\n```\n\nIt adds.",
    "several blocks, the example first": f"Call it so:\n```python\nprint(add(1, 2))\n```\nThe code:\n```py\n{ADD}\n```",
    "cut off": f"Sure!\n```python\n{ADD}",
    "no fence": ADD,
    "no fence, prose around": f"Here is the code:\n\n{ADD}\n\nThis function adds two numbers.",
    "repeats the prompt": f"```python\n{PROMPT}    return a + b\n```",
    "only the body": "    return a + b",
    "only the body, not indented": "return a + b",
    "fence on one line's end": f"```python\n{ADD}```",
    "windows line ends": f"```python\r\n{ADD}\r\n```".replace("\r\n", "\n"),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_becomes_a_program_that_adds(name):
    space: dict = {}
    program = complete_program(PROMPT, "add", extract_code(ANSWERS[name], "add"))
    exec(program, space)  # the test's own text, not a model's
    assert space["add"](2, 3) == 5
    assert space["math"].pi > 3
    assert space["helper"](1) == 1


def test_a_name_that_only_starts_alike_does_not_define_the_entry_point():
    code = extract_code("```python\ndef address():\n    pass\n```\n```python\ndef add(a, b):\n    return 0\n```", "add")
    assert code.startswith("def add(")


@pytest.mark.parametrize("answer", ["", "I cannot help.", "```", "```python\n```"])
def test_answer_without_code_is_still_a_text(answer):
    assert isinstance(complete_program(PROMPT, "add", extract_code(answer, "add")), str)
