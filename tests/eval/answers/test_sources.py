"""Answers from an endpoint and from files."""

import asyncio
import gzip
import json
from pathlib import Path

import pytest

from eval.answers.prompts import read_answer
from eval.answers.sources import EndpointAnswers, GivenAnswers, choose_problems
from eval.benchmarks.catalogue import load_benchmarks
from eval.settings import EvaluateConfig

DATASETS = {"mbpp": str(Path(__file__).parents[2] / "data" / "benchmarks" / "mbpp.jsonl")}


class Scripted:
    """A chat at our own seam that answers by the question."""

    def __init__(self, answers):
        self.answers, self.asked = list(answers), []

    async def __call__(self, request):
        self.asked.append(request)
        text, error, *blame = self.answers.pop(0)
        return {"text": text, "finish_reason": "stop", "error": error, "blame": "".join(blame)}

    complete = __call__


def ask(config, chat, problem, sample=0):
    return asyncio.run(EndpointAnswers(config, chat, "m")(problem, sample))


def test_explaining_and_writing_again_is_one_step(problems_of):
    problem = problems_of("humanevalexplain-python")[0]
    chat = Scripted([("It compares all pairs.", ""), (f"```python\n{problem.declaration}{problem.reference}```", "")])
    row = ask(EvaluateConfig(seed=5), chat, problem, sample=2)
    first, second = (request.messages[0]["content"] for request in chat.asked)
    assert problem.reference.strip() in first and problem.reference.strip() not in second
    assert second.startswith("It compares all pairs.\nWrite functional code in Python")
    assert (row["description"], row["seed"], row["error"]) == ("It compares all pairs.", 7, "")
    assert problem.reference.strip() in row["candidate"]
    assert chat.asked[0].seed == 7


def test_a_refused_description_is_a_refused_sample(problems_of):
    chat = Scripted([("", "the endpoint says 400: too long", "question")])
    row = ask(EvaluateConfig(), chat, problems_of("humanevalexplain-go")[0])
    assert row["error"] == "the endpoint says 400: too long" and len(chat.asked) == 1


def test_a_failure_of_the_endpoint_is_no_wrong_answer(problems_of):
    with pytest.raises(ConnectionError, match="no answer in time"):
        ask(EvaluateConfig(), Scripted([("", "no answer in time", "endpoint")]), problems_of("mbpp")[0])


def test_plain_forms_are_not_sent_as_chat(problems_of):
    chat = Scripted([("def remove_Occ(s, ch):\n    return s\n[DONE]", "")])
    row = ask(EvaluateConfig(prompt="completion"), chat, problems_of("mbpp-3shot")[0])
    (asked,) = chat.asked
    assert asked.messages[0]["content"].endswith("[BEGIN]\n") and asked.stop == ["[DONE]"]
    assert row["candidate"] == "def remove_Occ(s, ch):\n    return s\n"


def test_samples_of_every_published_form_are_read(tmp_path):
    sets = load_benchmarks(["humaneval"], None, limit=2)
    one, two = sets[0].problems
    lines = [{"task_id": one.task_id, "completion": one.reference}, {"task_id": one.task_id, "solution": "x = 1"},
             {"task_id": two.task_id, "completion": ["a\u2028", "b"], "model": "ignored"}]  # fmt: skip
    text = "\n".join(json.dumps(line, ensure_ascii=False) for line in lines) + "\n\n"
    (tmp_path / "a.jsonl").write_text(text)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(text.encode()))
    for name in ("a.jsonl", "a.jsonl.gz"):
        given = GivenAnswers(str(tmp_path / name), "m")
        assert [given.number(problem) for problem in (one, two)] == [2, 2]
        rows = [asyncio.run(given(one, sample)) for sample in range(2)]
        assert rows[0]["candidate"] == one.declaration + one.reference
        assert (rows[1]["candidate"], rows[1]["form"]) == ("x = 1", "solution")
        assert choose_problems(sets, given, allow_missing=False) == sets


def test_mbpps_numbers_may_be_written_as_its_harness_does(tmp_path, problems_of):
    (tmp_path / "a.jsonl").write_text(json.dumps({"task_id": "Mbpp/11", "solution": "x"}))
    sets = load_benchmarks(["mbpp"], DATASETS, limit=1)
    given = GivenAnswers(str(tmp_path / "a.jsonl"), "m")
    assert choose_problems(sets, given, allow_missing=False) == sets
    assert given.number(problems_of("mbpp")[0]) == 1


def test_samples_that_leave_problems_out_are_refused(tmp_path):
    sets = load_benchmarks(["humaneval"], None, limit=2)
    (tmp_path / "a.jsonl").write_text(json.dumps({"task_id": "HumanEval/0", "completion": ""}))
    given = GivenAnswers(str(tmp_path / "a.jsonl"), "m")
    with pytest.raises(ValueError, match="no sample for 1 of 2 problems of humaneval, such as HumanEval/1"):
        choose_problems(sets, given, allow_missing=False)
    assert choose_problems(sets, given, allow_missing=True) == sets
    (tmp_path / "b.jsonl").write_text(json.dumps({"task_id": "HumanEval/999", "completion": ""}))
    with pytest.raises(ValueError, match="'HumanEval/999'"):
        choose_problems(sets, GivenAnswers(str(tmp_path / "b.jsonl"), "m"), allow_missing=True)


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", '{"task_id": 1}', '{"completion": "x"}', '{"task_id": 1, "completion": 2}', "\x1f\x8bxx", "null"],
)
def test_a_file_without_samples_is_one_clear_line(tmp_path, content):
    (tmp_path / "a.jsonl").write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"--samples .*a\.jsonl") as caught:
        GivenAnswers(str(tmp_path / "a.jsonl"), "m")
    assert "\n" not in str(caught.value)


def test_half_characters_do_not_stop_a_run(tmp_path, problems_of):
    row = ask(EvaluateConfig(), Scripted([("x = '\ud800'", "")]), problems_of("mbpp")[0])
    assert row["raw_answer"] == "x = '?'"
    (tmp_path / "a.jsonl").write_text('{"task_id": "T", "completion": "\\ud800"}')
    assert GivenAnswers(str(tmp_path / "a.jsonl"), "m").samples == {"T": [("completion", "?")]}


@pytest.mark.parametrize("language", ["python", "javascript", "java", "go", "cpp", "rust"])
@pytest.mark.parametrize("answer", ["(" * 20_000, "use a::" + "{" * 5_000, "```\n" * 3_000, "not " * 3_000 + "x", "\x00", "if " + "-" * 5_000 + "1: pass",
                                    "def " * 5_000, "class Main " * 2_000, "import (" * 2_000, "/*" * 9_000, "'" * 9_001])  # fmt: skip
def test_no_answer_breaks_the_reading_of_it(problems_of, language, answer):
    problem = problems_of(f"humanevalfix-{language}")[0]
    for form in ("chat", "completion", "paper"):
        for text in (answer, f"```{language}\n{answer}\n```", f"{problem.declaration}{answer}"):
            code, candidate = read_answer(problem, form, text)
            assert isinstance(code + candidate, str)


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf" + b'{"task_id": "T", "completion": "x"}',
                                     b"\n" * 3000 + b'[{"task_id": "T", "completion": ["x"]}]'])  # fmt: skip
def test_samples_behind_a_byte_order_mark_or_in_an_array_are_read(tmp_path, content):
    (tmp_path / "a.jsonl").write_bytes(content)
    assert GivenAnswers(str(tmp_path / "a.jsonl"), "m").samples == {"T": [("completion", "x")]}
