"""Code out of the answers that chat models really give, and the program that it stands for."""

import pytest

from eval.answers.assemble import candidate_of_code
from eval.answers.extract import defined_names, defines, extract_code, without_main_guard

ADD = "def add(a, b):\n    return a + b"
PROMPT = 'import math\n\n\ndef helper(x):\n    return x\n\n\ndef add(a, b):\n    """Add."""\n'

ANSWERS = {
    "fenced": f"```python\n{ADD}\n```",
    "fenced without a language": f"```\n{ADD}\n```",
    "prose around": f"Here is the function:\n\n```python\n{ADD}\n```\n\nIt adds.",
    "several blocks, the example first": f"Call it so:\n```python\nprint(add(1, 2))\n```\nThe code:\n```py\n{ADD}\n```",
    "the same in another language first": f"In C:\n```c\nint add(int a, int b) {{}}\n```\nIn Python:\n```python\n{ADD}\n```",
    "a wrong version first, untagged": f"```text\ndef add(a, b):\n    return 0\n```\n```python\n{ADD}\n```",
    "cut off": f"Sure!\n```python\n{ADD}",
    "no fence": ADD,
    "no fence, prose around": f"Here is the code:\n\n{ADD}\n\nThis function adds two numbers.",
    "repeats the prompt": f"```python\n{PROMPT}    return a + b\n```",
    "only the body": "    return a + b",
    "only the body, not indented": "return a + b",
    "fence on one line's end": f"```python\n{ADD}```",
    "windows line ends": f"```python\r\n{ADD}\r\n```".replace("a + b", "a + b"),
    "tildes": f"~~~python\n{ADD}\n~~~",
    "four ticks around three": f"````python\n{ADD}\n# ```\n````",
    "in a list": "1. The code:\n\n   ```python\n   def add(a, b):\n       return a + b\n   ```\n2. Done.",
    "indented as a whole": "```python\n    def add(a, b):\n        return a + b\n```",
    "a demo that wants input": f'```python\n{ADD}\n\nif __name__ == "__main__":\n    print(add(int(input()), 2))\n```',
    "aloud thoughts": f"<think>\n```python\ndef add(a, b):\n    return 0\n```\n</think>\n```python\n{ADD}\n```",
    "attributes of the fence": f'```python title="add.py"\n{ADD}\n```',
    "a future import": f"```python\nfrom __future__ import annotations\n\nimport os\n\n{ADD}\n```",
    "async elsewhere": f"```python\nimport os\n\n{ADD}\n```",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_answer_becomes_a_program_that_adds(name, adding):
    space: dict = {}
    exec(candidate_of_code(adding, extract_code(ANSWERS[name], "add")), space)  # the test's own text, not a model's
    assert space["add"](2, 3) == 5
    assert space["math"].pi > 3
    assert space["helper"](1) == 1


def test_a_name_that_only_starts_alike_does_not_define_the_entry_point():
    code = extract_code("```python\ndef address():\n    pass\n```\n```python\ndef add(a, b):\n    return 0\n```", "add")
    assert code.startswith("def add(")


@pytest.mark.parametrize("answer", ["", "I cannot help.", "```", "```python\n```", "<think>\nand so on", "</think>"])
def test_answer_without_code_is_still_a_text(answer, adding):
    assert isinstance(candidate_of_code(adding, extract_code(answer, "add")), str)


FUNCTIONS = {
    "javascript": ["const add = (a, b) => {\n  return a + b\n}", "function add(a, b) {\n  return a + b\n}"],
    "java": ["class Solution {\n    public int add(int a, int b) {\n        return a + b;\n    }\n}",
             "    public List<Map.Entry<String, int[]>> add(int a) throws Exception {\n        return null;\n    }"],
    "go": ["func add(a int, b int) int {\n\treturn a + b\n}", "func add[T any](a T) T {\n\treturn a\n}"],
    "cpp": ["#include <vector>\nstd::vector<int> add(const std::vector<int>& a, int b) {\n  return a;\n}",
            "int add(int a, int b){ return a + b; }"],
    "rust": ["fn add(a: i32, b: i32) -> i32 {\n    a + b\n}", "pub fn add<T: Ord>(a: T) -> T {\n    a\n}"],
}  # fmt: skip


@pytest.mark.parametrize("language", FUNCTIONS)
def test_functions_of_other_languages_are_found(language):
    for code in FUNCTIONS[language]:
        assert defines(code, "add", language)
        assert "add" in defined_names(code, language)
        assert not defines(code.replace("add", "address"), "add", language)
        answer = f"In Python:\n```python\ndef add(a, b): ...\n```\nand:\n```{language}\n{code}\n```\nDone."
        assert extract_code(answer, "add", language) == code.rstrip()
        assert extract_code(f"Here it is:\n\n{code}\n\nThis adds two numbers.", "add", language).strip() == code.strip()


def test_a_call_is_no_definition():
    for language, call in {"javascript": "add(1, 2)", "java": "    return add(1, 2);", "go": "x := add(1, 2)",
                           "cpp": "  if (add(1, 2)) {", "rust": "let x = add(1, 2);"}.items():  # fmt: skip
        assert not defines(call, "add", language)


def test_a_main_guard_goes_and_the_rest_stays():
    code = "import sys\n\nif sys.argv:\n    x = 1\n\nif __name__ == '__main__':\n    main()\n"
    assert without_main_guard(code) == "import sys\n\nif sys.argv:\n    x = 1"
    for same in ("def f(:", "x = 1\n\n", "a = '\\x0c'\r\n"):
        assert without_main_guard(same) == same
    assert (
        without_main_guard("a = 1  # \x0c \u2028\nif __name__ == 'x':\n    b = 1\nc = 1\n")
        == "a = 1  # \x0c \u2028\nc = 1"
    )
