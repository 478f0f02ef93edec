"""What models are sent, in three forms."""

import jinja2
import pytest

from eval.answers.prompts import read_answer, request_description, request_for
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
