"""A problem → what a model is sent, in three forms; and its answer → the code in it and the candidate.

- `chat`: one user message; the endpoint puts it into the model's own chat template. For instruction-tuned models.
- `completion`: plain text that the model continues. For base models.
- `paper`: the Alpaca prompt that WaveCoder was trained and evaluated with, sent as plain text, so that it is the same
  whatever template the endpoint has; where the answer is to begin with given code, the prompt ends with it, as in the
  harness that the paper used.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Literal

from eval.answers.assemble import candidate_of_code, candidate_of_continuation, cut_continuation
from eval.answers.extract import Question, read_code
from eval.answers.programs import read_prediction
from eval.answers.thoughts import without_thoughts
from eval.problems import Problem

Form = Literal["chat", "completion", "paper"]

ALPACA = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n{instruction}\n\n### Response:"
)
"""Taori et al. 2023; the same text is in the chat template that training bakes into a tokenizer."""


@dataclass(frozen=True)
class Request:
    """What one call of the endpoint takes: messages of a chat, or plain text with what ends its continuation."""

    text: str
    chat: bool
    stop: tuple[str, ...] = ()


def request_for(problem: Problem, form: Form) -> Request:
    """The question of a problem."""
    if form == "completion":
        return Request(
            problem.plain.rstrip() if problem.declaration else problem.plain, chat=False, stop=problem.stop[:4]
        )
    if form == "paper":
        opening = f"\n{problem.opening}" if problem.opening else ""
        return Request(
            ALPACA.format(instruction=problem.instruction) + opening, chat=False, stop=("\n### Instruction:",)
        )
    if not problem.opening:
        return Request(problem.instruction, chat=True)
    begin = f"```{problem.language}\n{problem.opening}\n```"
    return Request(
        f"{problem.instruction}\n\nAnswer with the whole code in one code block that begins so:\n\n{begin}", chat=True
    )


def request_description(problem: Problem, form: Form) -> Request:
    """The first question of a problem that has one."""
    assert problem.describe is not None
    question = problem.describe.question
    text = ALPACA.format(instruction=question) if form == "paper" else question
    return Request(text, chat=form == "chat")


def read_answer(problem: Problem, form: Form, answer: str) -> tuple[str, str]:
    """The code in an answer, and the candidate that it stands for."""
    code, candidate, _ = read_with_reason(problem, form, answer)
    return code, candidate


def read_with_reason(problem: Problem, form: Form, answer: str) -> tuple[str, str, str]:
    """The code in an answer, the candidate that it stands for, and why it was read so, as JSON."""
    if form == "completion" or (form == "paper" and problem.opening):
        text = without_thoughts(answer.replace("\r\n", "\n"))
        return cut_continuation(problem, text.rstrip()), candidate_of_continuation(problem, text), ""
    if problem.kind in {"value", "call"}:
        code = read_prediction(answer, "f", wants_call=problem.kind == "call")
        return code, candidate_of_code(problem, code), ""
    reading = read_code(answer, question_of(problem))
    chosen = {"chosen": reading.reason, "runners_up": reading.runners_up}
    return reading.code, candidate_of_code(problem, reading.code), json.dumps(chosen)


def question_of(problem: Problem) -> Question:
    """What is known of a problem when its answer is read."""
    return Question(
        entry_point=problem.entry_point if problem.kind == "function" else "",
        language=problem.language,
        declaration=problem.declaration,
        prelude=problem.prelude,
        text=problem.instruction,
        tests=problem.tests,
        reads_input=problem.kind == "program",
    )
