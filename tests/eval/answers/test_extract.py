"""Code out of the answers that chat models really give, and the program that it stands for."""

import html
import json
import re
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.answers.extract import Question, read_code
from eval.answers.prompts import read_answer, read_with_reason
from eval.answers.repairs import without_marks
from eval.answers.trees import brace_units, is_code
from eval.problems import Problem
from tests.eval.answers.reading_table import ADD, ALONE, AROUND, FUNCTIONS, PYTHON, WRAPPED, WRONG, fenced

MODULE = {"__name__": "program"}


@pytest.mark.parametrize("name", PYTHON)
def test_an_answer_becomes_a_program_that_adds(name, adding):
    space: dict = dict(MODULE)
    exec(read_answer(adding, "chat", PYTHON[name])[1], space)  # the test's own text, not a model's
    assert space["add"](2, 3) == 5
    assert space["math"].pi > 3
    assert space["helper"](1) == 1


@pytest.mark.parametrize("around", AROUND)
def test_what_stands_around_an_answer_changes_nothing(around, adding):
    """Every fifth answer of the table, another fifth for each surrounding."""
    for name in list(PYTHON)[list(AROUND).index(around) % 5 :: 5]:
        answer = AROUND[around].replace("{wrong}", WRONG).replace("{answer}", PYTHON[name])
        space: dict = dict(MODULE)
        exec(read_answer(adding, "chat", answer)[1], space)  # the test's own text, not a model's
        assert space["add"](2, 3) == 5, name


def test_an_unfenced_answer_counts_before_a_fenced_one_that_the_text_calls_wrong(adding):
    answer = f"A wrong attempt:\n{fenced(WRONG)}\nBetter:\n\n{ADD}\n\nThat adds."
    assert read_answer(adding, "chat", answer)[0] == ADD
    assert (
        "return a + b"
        in read_answer(adding, "chat", f"A wrong attempt:\n{fenced(WRONG)}\nBetter:\n{fenced('return a + b')}")[0]
    )
    assert read_answer(adding, "chat", f"The original, buggy code:\n{fenced(ADD)}")[0] == ADD


HALVING = Problem(task_id="T/1", language="python", entry_point="half", instruction="Halve.\nassert half(4) == 2",
                  plain="", reference="def half(n):\n    return n / 2\n", tests="assert half(4) == 2\n")  # fmt: skip


@pytest.mark.parametrize("name", ALONE)
def test_an_answer_to_a_question_without_a_declaration(name):
    space: dict = dict(MODULE)
    exec(read_answer(HALVING, "chat", ALONE[name])[1], space)  # the test's own text, not a model's
    assert space["half"](5) == 2.5


def wrapped(form: str, language: str) -> str:
    code = FUNCTIONS[language]
    lines = code.split("\n")
    head, _, _ = code.partition("return" if language != "rust" else "n / 2")
    fills = {
        "code": code,
        "tag": language,
        "wrong": code.replace("/ 2", "* 3"),
        "empty": re.sub(r"(half[^\n]*\{).*?\n(?=[ ]*\}(?:\n|\Z))", r"\1\n", code, flags=re.DOTALL),
        "indented": "\n".join(f"   {line}" for line in lines),
        "quoted": "\n".join(f"> {line}" for line in lines),
        "json": json.dumps({"why": "It divides.", "code": code}),
        "entities": html.escape(code.replace("n / 2", "n / 2 + 0 * (1 < 2)" if False else "n / 2")),
        "numbered": "\n".join(f"{number:3} | {line}" for number, line in enumerate(lines, 1)),
        "nbsp": code.replace("  ", "\u00a0\u00a0"),
    }
    assert head
    return re.sub(r"\{(" + "|".join(fills) + r")\}", lambda match: fills[match[1]], WRAPPED[form])


@pytest.mark.parametrize("language", FUNCTIONS)
@pytest.mark.parametrize("form", WRAPPED)
def test_an_answer_in_a_language_with_braces_is_its_function(form, language):
    answer = wrapped(form, language)
    reading = read_code(answer, Question("half", language))
    assert squeezed(reading.code) == squeezed(FUNCTIONS[language]), (reading, answer)


def squeezed(code: str) -> str:
    """Code without what a reading may leave out or set otherwise: comments and white space."""
    return re.sub(r"\s+", "", re.sub(r"//[^\n]*|/\*.*?\*/", "", code, flags=re.DOTALL))


def test_the_table_is_large():
    assert len(PYTHON) + len(ALONE) + len(WRAPPED) * len(FUNCTIONS) >= 300


@pytest.mark.parametrize("answer", ["", "I cannot help.", "```", "```python\n```", "<think>\nand so on", "</think>",
                                    "\x00", "{" * 500, "(" * 500, "```\n" * 500])  # fmt: skip
@pytest.mark.parametrize("language", ["python", *FUNCTIONS])
def test_an_answer_without_code_is_still_a_text(answer, language):
    problem = replace(HALVING, language=language)
    assert isinstance(read_answer(problem, "chat", answer)[1], str)


@given(st.text(alphabet="`~>'\"\n adef(){}:;=[]<think/>1.|\\", max_size=200), st.sampled_from(["python", *FUNCTIONS]))
def test_any_text_is_read(text, language):
    assert isinstance(read_code(text, Question("half", language)).code, str)


def test_what_was_thought_is_never_the_answer(adding):
    for thought in (f"<think>{fenced(ADD)}</think>\nAs above.", f"{fenced(ADD)}\n</think>\nAs above.",
                    f"<thinking>\n{ADD}\n</thinking>", f"[THINK]{ADD}[/THINK] So it is."):  # fmt: skip
        assert "return a + b" not in read_answer(adding, "chat", thought)[1]


def test_a_repeated_question_is_the_answer_only_if_there_is_no_other(adding):
    buggy = replace(adding, instruction=f"{WRONG}\nFix bugs in add.")
    assert "a - b" in read_answer(buggy, "chat", fenced(WRONG))[0]
    for answer in (f"{fenced(WRONG)}\nThe fix:\n{fenced(ADD)}", f"{fenced(ADD)}\nIt was:\n{fenced(WRONG)}"):
        assert "a - b" not in read_answer(buggy, "chat", answer)[0]


def test_of_several_whole_functions_the_last_counts(adding):
    other = "def add(a, b):\n    c = a\n    c += b\n    return c"
    assert read_answer(adding, "chat", f"{fenced(other)}\nShorter:\n{fenced(ADD)}")[0] == ADD
    assert read_answer(adding, "chat", f"{fenced(ADD)}\nLonger:\n{fenced(other)}")[0] == other


def test_code_that_needs_nothing_left_out_is_kept_to_the_letter(adding):
    code = "# Adds.\nimport os  # unused? no: below\n\n\ndef add(a, b):  # so\n    return a + b + 0 * len(os.sep)\n"
    assert read_answer(adding, "chat", f"```python\n{code}```")[0] == code.rstrip()


def test_the_choice_and_the_runners_up_are_told(adding):
    why = json.loads(read_with_reason(adding, "chat", f"{fenced(WRONG, 'text')}\n{fenced(ADD)}")[2])
    assert why["chosen"] == "block 2 of 2: defines the function"
    assert why["runners_up"][0] == "block 1 of 2: defines the function"


def test_another_spelling_is_refused_by_name(verdict_of):
    answer = "def Half(n):\n    return n / 2\n"
    candidate, why = read_with_reason(HALVING, "chat", answer)[1:]
    assert json.loads(why)["chosen"] == "text outside of fences: does not define it but Half"
    assert verdict_of(candidate, HALVING) == "exception"


@pytest.mark.parametrize("language", FUNCTIONS)
def test_functions_of_other_languages_are_found(language):
    code = FUNCTIONS[language]
    assert is_code(code, language)
    assert any("half" in unit.names | unit.methods for unit in brace_units(code, language))


JAVASCRIPT = """const readline = require('readline');
const rl = readline.createInterface({ input: process.stdin });
const TWO = 2, THREE = 3;
const divide = (n, k) => n / k;
export const half = (n) => divide(n, TWO);
Number.prototype.half = function () { return this / 2; };
rl.on('line', (line) => console.log(half(+line)));
if (require.main === module) { half(0); }
module.exports = { half };
"""


def test_javascript_runs_nothing_but_what_the_function_needs():
    code = read_code(f"```js\n{JAVASCRIPT}```", Question("half", "javascript")).code
    assert "divide" in code and "TWO" in code and "prototype" in code
    for left_out in ("readline", "module", "rl.on", "export"):
        assert left_out not in code


def test_of_two_definitions_in_blocks_that_go_together_a_compiler_sees_one():
    helper = "int two() {\n    return 2;\n}"
    draft = "double half(double n) {\n    return n;\n}"
    answer = f"```cpp\n{helper}\n{draft}\n```\nThat was wrong. The function again:\n```cpp\n{draft.replace('n;', 'n / two();')}\n```"
    code = read_code(answer, Question("half", "cpp")).code
    assert code.count("double half(") == 1 and "n / two()" in code


def test_a_line_of_one_sign_is_read_in_time_that_grows_with_its_length():
    begun = time.process_time()
    assert without_marks("#" * 60_000) == "#" * 60_000
    assert without_marks("####### Answer: 5") == "\n5"
    assert time.process_time() - begun < 5
