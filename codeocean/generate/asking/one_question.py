"""One question → its answer, by whoever answers its turn. No Ray: it also runs in processes beside the job's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from codeocean.generate.ask import generate_one, judge_any
from codeocean.generate.ask_tests import ask_solution, ask_tests
from codeocean.generate.jobs import GenerationJob, Job, SandboxJob, TurnAnswer
from codeocean.generate.ledger import Usage
from codeocean.generate.scheduler import Question
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.tasks import Task
from codeocean.generate.turns import SOLVE, TEST, role_of

Roles = Mapping[str, tuple[Any, str]]
"""Role → who answers for it, and the model's name there."""
Ask = Callable[[Question, Task, Job], Awaitable[TurnAnswer]]


def asks(config: GenerateConfig, roles: Roles) -> Ask:
    """What answers a question in this process."""

    async def ask(question: Question, task: Task, job: Job) -> TurnAnswer:
        turn = question.turn
        chat, model = roles[role_of(turn, config)]
        if isinstance(job, SandboxJob):
            return {"rows": [await chat(job)], "used": Usage().as_json(), "open": False}
        if isinstance(job, GenerationJob):
            return await generate_one(job, task, config, chat, model)
        if isinstance(job, list):
            return await judge_any(job, task, config, chat, model)
        if turn == TEST:
            return await ask_tests(job, config, chat, model)
        return await ask_solution(job, config, turn - SOLVE + 1, chat, model)

    return ask
