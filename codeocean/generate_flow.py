"""Generate: coreset → generations and verdicts, in rounds, on Ray Data with a bounded number of questions in flight."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

import pyarrow as pa
import ray
from pyarrow import fs as pafs

from codeocean.asking import Chat, generate_one, judge_one
from codeocean.generation import GenerateConfig
from codeocean.instances import Yield
from codeocean.roundfiles import Rounds, generation_job
from codeocean.rounds import assign_tasks, plan_rounds
from codeocean.tasks import Task, task_shares

log = logging.getLogger("wavecoder.codeocean")


class Asker:
    """Asks the two roles; one raw code or one judgement a row, each with its retries."""

    def __init__(self, config: GenerateConfig, tasks: dict[str, Task], roles: dict[str, tuple[Chat, str]]) -> None:
        """Remember whom to ask; connections are opened by the first question."""
        self._config, self._tasks, self._roles = config, tasks, roles

    async def __call__(self, batch: pa.Table) -> AsyncIterator[pa.Table]:
        """Answers of a batch, in the order in which they come."""

        async def answer(question: dict[str, Any]) -> pa.Table:
            job, task = json.loads(question["job"]), self._tasks[question["task"]]
            chat, model = self._roles[question["role"]]
            ask = generate_one if question["role"] == "generator" else judge_one
            result = await ask(job, task, self._config, chat, model)
            return pa.table(
                {"number": [question["number"]], "role": [question["role"]], "answer": [json.dumps(result)]}
            )

        for done in asyncio.as_completed([answer(question) for question in batch.to_pylist()]):
            yield await done


def generate(
    config: GenerateConfig,
    tasks: dict[str, Task],
    rows: list[dict[str, Any]],
    roles: dict[str, tuple[Chat, str]],
    fs: pafs.FileSystem,
    folder: str,
) -> tuple[Yield, dict[str, int]]:
    """Coreset → `round-*/generations.parquet` and `verdicts.parquet`, and what came of it.

    In step t round t is generated and round t - 1 judged: their questions go out together, so that replicas stay busy.
    The few-shot cases of round t come from verdicts of rounds ≤ t - 2, complete by then. A step's files are written
    before the next step begins; finished rounds are read back.

    Args:
        config: roles, rounds, retries.
        tasks: by name.
        rows: RAW_CODE rows in coreset order.
        roles: "generator" and "discriminator" → a chat and the model's name there.
        fs: filesystem of the run directory.
        folder: the stage's folder.

    Raises:
        ConnectionError, PermissionError: an endpoint is gone or refuses the key.
    """
    shares = task_shares(tasks, config.tasks)
    names = assign_tasks([row["language"] for row in rows], tasks, shares, config.seed)
    rounds = Rounds(fs, folder, {row["id"]: row for row in rows})
    planned = plan_rounds(len(rows), config.round_size)
    for step in range(len(planned) + 1):
        questions: list[dict[str, Any]] = []
        if step < len(planned) and not rounds.has(step, "generations"):
            cases = rounds.cases(range(step - 1))
            jobs = [generation_job(config, tasks[names[rank]], rows[rank], step, cases) for rank in planned[step]]
            questions += [
                _question("generator", names[rank], job) for rank, job in zip(planned[step], jobs, strict=True)
            ]
        if step > 0 and not rounds.has(step - 1, "verdicts"):
            passed = [row for row in rounds.read(step - 1, "generations") if not row["error"]]
            questions += [_question("discriminator", row["task"], row) for row in passed]
        answers = _answers(config, tasks, roles, questions, f"step {step + 1} of {len(planned) + 1}")
        if step < len(planned) and not rounds.has(step, "generations"):
            rounds.write(step, "generations", answers["generator"])
        if step > 0 and not rounds.has(step - 1, "verdicts"):
            rounds.write(step - 1, "verdicts", answers["discriminator"])
    return rounds.total(range(len(planned)))


def _question(role: str, task: str, job: dict[str, Any]) -> dict[str, Any]:
    return {"role": role, "task": task, "job": json.dumps(job)}


def _answers(
    config: GenerateConfig,
    tasks: dict[str, Task],
    roles: dict[str, tuple[Chat, str]],
    questions: list[dict[str, Any]],
    label: str,
) -> dict[str, list[dict[str, Any]]]:
    """Role → answers, in the order of the questions."""
    numbered = [question | {"number": number} for number, question in enumerate(questions)]
    answers: dict[str, dict[int, dict[str, Any]]] = {"generator": {}, "discriminator": {}}
    if not numbered:
        return {role: [] for role in answers}
    # A block for each question: an answer is known here as soon as it is given, and `concurrency` are in flight.
    blocks = [pa.Table.from_pylist([question]) for question in numbered]
    pool = ray.data.ActorPoolStrategy(
        size=1, max_tasks_in_flight_per_actor=config.concurrency, max_concurrent_calls_per_actor=config.concurrency
    )
    dataset = ray.data.from_arrow(blocks).map_batches(
        Asker,
        fn_constructor_args=(config, tasks, roles),
        batch_size=None,
        batch_format="pyarrow",
        compute=pool,
        num_cpus=0.1,  # it waits for answers; the engines do the work
    )
    dataset.context.execution_options.preserve_order = False  # answers are numbered: none waits for a slower one
    begun, tokens, done, shown = time.monotonic(), 0, 0, 0.0
    for row in dataset.iter_rows():
        answer = json.loads(row["answer"])
        answers[row["role"]][row["number"]] = answer
        done, tokens = done + 1, tokens + answer["completion_tokens"]
        seconds = time.monotonic() - begun
        if seconds - shown > 10 or done == len(numbered):
            shown = seconds
            log.info("generate: %s, %d of %d answers, %.0f tokens/s", label, done, len(numbered), tokens / seconds)
    return {role: [found[number] for number in sorted(found)] for role, found in answers.items()}
