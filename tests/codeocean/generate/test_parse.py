"""Answers of a generator: good, broken, hostile. Every one is a candidate or a counted reason, never an exception."""

import json
from difflib import SequenceMatcher

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.generate.ask import fails_to_parse
from codeocean.generate.parse import (
    COPY_RATIO,
    Candidate,
    _similar,
    check_candidate,
    count_sentences,
    parse_candidate,
    parse_object,
    strip_fence,
)

FIELDS = {"task_name": "code repair", "instruction": "Fix it.", "information": "x =", "solution": "x = 1"}


def test_code_may_come_as_lines_or_as_text():
    lines = parse_candidate(json.dumps(FIELDS | {"solution": ["def f():", "    return 1"]}), "stop")
    text = parse_candidate(json.dumps(FIELDS | {"solution": "def f():\n    return 1"}), "stop")
    assert lines == text == Candidate("code repair", "Fix it.", "x =", "def f():\n    return 1")


@pytest.mark.parametrize(
    ("text", "finish", "expected"),
    [
        (json.dumps(FIELDS)[:-3], "length", "truncated"),
        (json.dumps(FIELDS) + ' Or better: {"task_name"', "length", "truncated"),
        ("Let me see. " + json.dumps(FIELDS), "length", "truncated"),
        ("I cannot do that.", "stop", "not JSON"),
        ("[1, 2]", "stop", "not JSON"),
        ("[" * 100_000, "stop", "not JSON"),
        ("{}", "stop", "wrong fields"),
        (json.dumps(FIELDS | {"solution": 1}), "stop", "wrong fields"),
        (json.dumps(FIELDS | {"solution": ["x", 1]}), "stop", "wrong fields"),
        (json.dumps(FIELDS | {"solution": None}), "stop", "wrong fields"),
    ],
)
def test_what_is_no_candidate_has_a_reason(text, finish, expected):
    assert parse_candidate(text, finish) == expected


@given(st.text(), st.sampled_from(["stop", "length", ""]))
def test_any_text_has_an_answer(text, finish):
    assert isinstance(parse_candidate(text, finish), str | Candidate)


@given(st.builds(Candidate, st.text(), st.text(), st.text(), st.text()))
def test_any_candidate_can_be_checked(tasks, candidate):
    for task in tasks.values():
        assert isinstance(check_candidate(candidate, task, "python", task.good, fails_to_parse), str)


def test_a_fence_around_everything_comes_off_and_no_other():
    assert strip_fence("```json\n{}\n```") == "{}"
    assert strip_fence("see ```x``` there") == "see ```x``` there"
    assert strip_fence("```python\n    x = 1\n```") == "    x = 1"


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("Write a function.", 1),
        ("Write a function. It returns 3.5 or more.", 2),
        ("Use str.join, e.g. for lists. Return it! Why?", 3),
        ("No full stop at all", 1),
        ("Call `a.b()`. Then stop.", 2),
        ("", 0),
    ],
)
def test_sentences_are_counted_as_a_reader_counts_them(text, number):
    assert count_sentences(text) == number


def repaired(**changes: str) -> Candidate:
    fields = {
        "task_name": "code repair",
        "instruction": "Fix the function so that it adds its two arguments.",
        "information": "def add(a, b):\n    return a - b",
        "solution": "def add(a, b):\n    return a + b",
    }
    return Candidate(**fields | changes)


@pytest.mark.parametrize(
    ("task", "candidate", "reason"),
    [
        ("repair", repaired(), ""),
        ("repair", repaired(instruction="..."), "no instruction"),
        ("repair", repaired(instruction="One. Two. Three."), "instruction longer than two sentences"),
        ("repair", repaired(solution=" \n"), "no solution"),
        ("repair", repaired(information="def add(a, b):\n\n  return a + b"), "solution equals information"),
        ("repair", repaired(solution="def add(a, b):"), "solution does not parse"),
        ("generation", repaired(information=""), ""),
        ("summarization", repaired(), "solution is not prose"),
        ("summarization", repaired(solution="It adds."), "solution is not prose"),
        ("summarization", repaired(solution="The function takes two numbers and returns their sum."), ""),
        (
            "translation",
            repaired(solution="def addition(first, second):\n    return first + second"),
            "solution does not parse",
        ),
        ("translation", repaired(solution="def add(a, b) :\n    return a - b"), "solution copies the source"),
        ("translation", repaired(solution="function add(a, b) { return a + b; }"), ""),
    ],
)
def test_checks_name_their_reason(tasks, task, candidate, reason):
    language = "javascript" if task == "translation" else "python"
    assert check_candidate(candidate, tasks[task], language, (), fails_to_parse) == reason


def test_where_the_instruction_is_all_that_is_written_it_must_not_be_a_cases(tasks):
    case = tasks["repair"].good[1]
    assert check_candidate(
        repaired(instruction=case.instruction), tasks["repair"], "python", [case], fails_to_parse
    ) == ("copy of a few-shot case")
    assert check_candidate(repaired(), tasks["repair"], "python", [case], fails_to_parse) == ""
    prose = "The function takes two numbers and returns their sum."
    common = repaired(instruction=tasks["summarization"].good[0].instruction, solution=prose)
    assert check_candidate(common, tasks["summarization"], "python", tasks["summarization"].good, fails_to_parse) == ""


def test_a_task_whose_generator_writes_the_code_needs_it(tasks):
    own = tasks["summarization"].model_copy(update={"information": "code"})
    prose = repaired(information="", solution="The function takes two numbers and returns their sum.")
    assert check_candidate(prose, own, "python", (), fails_to_parse) == "no information"


def test_what_is_given_is_not_read_from_the_answer():
    given = {"information": "  def f(): pass", "solution": "```x```"}
    answer = parse_candidate(json.dumps({"task_name": "t", "instruction": "```\nFix it.\n```"}), "stop", given)
    assert answer == Candidate("t", "Fix it.", "  def f(): pass", "```x```")


def test_a_copy_of_a_few_shot_case_is_found(tasks):
    case = tasks["repair"].good[0]
    copied = repaired(information=case.information, solution=case.solution.replace("numbers", "numbers "))
    assert check_candidate(copied, tasks["repair"], "python", [case], fails_to_parse) == "copy of a few-shot case"


WHOLE = json.dumps(FIELDS)
WANTED = list(FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        f'<think>\nA draft: {{"task_name": 1}} or {WHOLE.replace("x = 1", "draft")}\n</think>\n{WHOLE}',
        f'The template opened it, so this is thought {{"a": 2}}\n</think>\n\n{WHOLE}',
        f"Sure! Here it is:\n\n~~~~json\n{WHOLE}\n~~~~\nTell me if it should be harder.",
        f"```JSON\r\n{WHOLE}\r\n```\r\n",
        f"  ```\n{WHOLE}```",
        f"\ufeff\n{WHOLE}",
        f"{WHOLE}</s>",
        f"{WHOLE}<|eot_id|><|start_header_id|>user",
        f"<|channel|>final<|message|>{WHOLE}",
        f"[{WHOLE}]",
        json.dumps(WHOLE),
        json.dumps({"exercise": FIELDS}),
        json.dumps({"name": "answer", "arguments": WHOLE}),
        json.dumps({"data": {"result": FIELDS}}),
        json.dumps(json.dumps(WHOLE)),
        f"<tool_call>\n{json.dumps({'name': 'answer', 'arguments': FIELDS})}\n</tool_call>",
        WHOLE.removesuffix("}") + ",\n}",
        f"First try: {WHOLE.replace('x = 1', 'x = 2')}\nNo, better: {WHOLE}",
        f'In Python a set is {{"a", "b"}} and a dict {{}}. {WHOLE}',
        f"{WHOLE}\nThe empty dict {{}} would be wrong.",
    ],
)
def test_right_json_is_read_whatever_it_is_wrapped_in(text):
    assert parse_object(text, WANTED) == FIELDS
    assert parse_candidate(text, "stop") == Candidate(**FIELDS)


@pytest.mark.parametrize("tail", ["", " \n" * 300, "\n```\n\nThis repairs the", "<|im_end|><|im_end|>"])
@pytest.mark.parametrize("head", ["", "\ufeff\n", "```json\n"])
def test_an_object_before_the_place_where_an_answer_was_cut_off_is_whole(head, tail):
    assert parse_candidate(f"{head}{json.dumps(FIELDS, indent=1)}{tail}", "length") == Candidate(**FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps(FIELDS).replace('"', '\\"'),
        "The answer: " + json.dumps(FIELDS, indent=1).replace("\n", "\\n"),
        json.dumps(FIELDS, indent=1).replace(" ", "\u00a0", 1),
        "\u200b" + json.dumps(FIELDS, indent=1).replace("\n", "\n\u3000"),
        json.dumps(FIELDS).replace('"', "&quot;"),
        json.dumps(FIELDS, indent=1).replace("{\n", "{ # four fields\n"),
        json.dumps([FIELDS | {"solution": "x = 2"}, FIELDS]),
        json.dumps({"candidates": [FIELDS | {"solution": "x = 2"}, FIELDS]}),
    ],
)
def test_right_json_is_read_though_it_was_escaped_spaced_or_listed(text):
    assert parse_candidate(text, "stop", {"task_name": FIELDS["task_name"]}).solution == FIELDS["solution"]


def test_marks_of_thinking_inside_the_json_are_the_jsons():
    fields = FIELDS | {"solution": "text.split('</think>')[-1]  # behind <think>"}
    assert parse_object(json.dumps(fields), WANTED) == fields
    assert parse_object(f"Here: {json.dumps(fields)}", WANTED) == fields


def test_lines_may_end_inside_a_text():
    assert parse_object('{"task_name": "a\nb"}') == {"task_name": "a\nb"}


@pytest.mark.parametrize("end", [", // all of it\n}", " /* the end */ }", ",\n  // last\n  // comma\n}"])
def test_comments_in_json_cost_no_answer(end):
    fields = FIELDS | {"solution": "x = 7 // 2  # see http://x/ and /* this */"}
    assert parse_candidate(json.dumps(fields)[:-1] + end, "stop") == Candidate(**fields)


def test_escapes_that_json_lacks_and_last_commas_cost_no_answer():
    text = r"""{"task_name": "it\'s", "solution": ["re.match(r'\d{1,}\s', \"x,}\") # \u00e9 \\d", "f(a, ]",],}"""
    assert parse_object(f"Here:\n{text}", ["task_name"]) == {
        "task_name": "it's", "solution": [r'''re.match(r'\d{1,}\s', "x,}") # é \d''', "f(a, ]"]}  # fmt: skip
    whole = json.dumps(FIELDS | {"solution": "a, }"})
    assert parse_object(whole, WANTED)["solution"] == "a, }"  # right JSON is never mended


@pytest.mark.parametrize("text", [WHOLE[:-20], f"<think>{WHOLE}", "<think>only thoughts</think>", "{'task_name': 'x'}"])
def test_what_holds_no_whole_object_is_none(text):
    assert parse_object(text, [*WANTED, "more"]) is None


@pytest.mark.timeout(20)
@pytest.mark.parametrize("text", ['{"' * 400_000, '{"a":' * 200_000, '{"a":[1,' * 100_000, "<think>" * 140_000, "```\n" * 250_000,
                                  '{"a":{}, ' * 100_000, "```\n" + " " * 900_000 + "x```", "<think></think>" * 60_000, '{"' + '\\"' * 400_000, "," * 1_000_000 + "}",
                                  ", " * 500_000, "\\" * 1_000_000])  # fmt: skip
def test_a_megabyte_of_rubbish_is_read_in_seconds(text):
    assert parse_object(text, WANTED) is None


@given(st.text(), st.lists(st.text(max_size=3), max_size=2))
def test_any_text_is_an_object_or_none(text, wanted):
    assert isinstance(parse_object(text, wanted), dict | None)


@given(st.text("ab\n", max_size=60), st.data())
def test_copies_are_told_as_difflib_tells_them(text, data):
    """Of texts with some letters changed, moved or left out, and with none."""
    letters = list(text)
    for _ in range(data.draw(st.integers(0, 4))):
        place = data.draw(st.integers(0, len(letters)))
        letters[place : place + data.draw(st.integers(0, 1))] = data.draw(st.lists(st.sampled_from("abc"), max_size=2))
    other = "".join(letters)
    ratio = SequenceMatcher(None, text, other, autojunk=False).ratio()
    assert _similar(text, other) == (ratio >= COPY_RATIO)
