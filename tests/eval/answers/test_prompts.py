"""What models are sent, in three forms."""

import jinja2
import pytest

from eval.answers.prompts import read_answer, request_description, request_for
from eval.problems import with_description
from training.template import TEMPLATE


def test_the_papers_prompt_is_the_one_that_training_bakes_in(problems_of):
    problem = problems_of("mbpp")[0]
    messages = [{"role": "user", "content": problem.instruction}]
    baked = (
        jinja2.Environment()
        .from_string(TEMPLATE)
        .render(messages=messages, add_generation_prompt=True, eos_token="</s>")
    )
    request = request_for(problem, "paper")
    assert (request.text, request.chat) == (baked, False)


def test_the_papers_prompt_ends_with_the_code_that_the_answer_begins_with(problems_of):
    problem = problems_of("humanevalfix-python")[0]
    text = request_for(problem, "paper").text
    assert text.endswith(f"Fix bugs in {problem.entry_point}.\n\n### Response:\n{problem.declaration.strip()}")
    code, candidate = read_answer(problem, "paper", problem.reference + "\n\nprint(1)\n### Instruction:")
    assert "print" not in code + candidate
    assert candidate.endswith(f"{problem.declaration.rstrip()}\n{problem.reference.rstrip()}\n")


@pytest.mark.parametrize("language", ["python", "javascript", "java", "go", "cpp", "rust"])
@pytest.mark.parametrize("task", ["fix", "fixdocs", "explain", "synthesize"])
def test_every_form_of_every_task_names_the_function(problems_of, task, language):
    problem = problems_of(f"humaneval{task}-{language}")[0]
    for form in ("chat", "completion", "paper"):
        request = request_for(problem, form)
        assert problem.entry_point in request.text
        assert request.chat == (form == "chat")
        assert len(request.stop) <= 4  # more, and the OpenAI API refuses
        if problem.describe:
            first = request_description(problem, form)
            assert first.text.count("characters") >= 1 and first.chat == (form == "chat")


def test_a_plain_continuation_begins_where_the_prompt_ends(problems_of):
    problem = problems_of("humanevalsynthesize-python")[0]
    text = request_for(problem, "completion").text
    assert text == problem.declaration.strip()
    _, candidate = read_answer(problem, "completion", "\n" + problem.reference + "\n\ndef other():\n    pass\n")
    assert "def other" not in candidate
    few = problems_of("mbpp-3shot")[0]
    assert request_for(few, "completion").text.endswith("[BEGIN]\n")
    code, _ = read_answer(few, "completion", "def remove_Occ(s, ch):\n    return s\n[DONE]\n\nYou are an expert")
    assert code == "def remove_Occ(s, ch):\n    return s\n"


THOUGHTS = ("<think>\n{}\n</think>\n", "{}\n</think>\n", "<thinking>{}</thinking>", "[THINK]{}[/THINK]", "◁think▷{}◁/think▷",
            "<reasoning>\n{}</reasoning>\n", "<seed:think>{}</seed:think>", "<|channel|>analysis<|message|>{}<|end|>",
            "<|begin_of_thought|>{}<|end_of_thought|>", "<|START_THINKING|>{}<|END_THINKING|>")  # fmt: skip


@pytest.mark.parametrize("mark", THOUGHTS)
@pytest.mark.parametrize("language", ["python", "go"])
def test_what_was_thought_is_no_description(problems_of, mark, language):
    problem = problems_of(f"humanevalexplain-{language}")[0]
    aloud = mark.format("Let me see what it does. " * 60)
    asked = with_description(problem, f"{aloud}It compares all pairs.")
    assert asked.instruction.startswith("It compares all pairs.\n")
    assert "Let me see" not in asked.instruction + asked.plain
    assert with_description(problem, "<think>and so on, never done").instruction.startswith("\n")


@pytest.mark.parametrize("mark", THOUGHTS)
def test_what_was_thought_is_no_continuation(problems_of, mark):
    problem = problems_of("humanevalfix-python")[0]
    for form in ("completion", "paper"):
        candidate = read_answer(problem, form, mark.format("    return None") + problem.reference)[1]
        assert "return None" not in candidate and problem.reference.strip() in candidate


def test_the_few_shot_form_ends_as_its_own_prompt_shows(problems_of):
    few = problems_of("mbpp-3shot")[0]
    for form in ("chat", "paper", "completion"):
        for answer in (f"{few.reference}\n[DONE]", f"{few.reference}\n[DONE]\n\nYou are an expert Python programmer"):
            assert "DONE" not in read_answer(few, form, answer)[1]
            assert few.entry_point in read_answer(few, form, answer)[1]
