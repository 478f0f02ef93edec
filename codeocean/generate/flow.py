"""Generate: coreset → generations and verdicts. The wiring of book, scheduler and engines, and what Ray shows of them.

The scheduler runs in the job's own process: it waits for answers, and the engines are behind endpoints. With
`generate.processes` others ask in its place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from pyarrow import fs as pafs
from ray.util.metrics import Gauge

from codeocean.export.instances import Yield
from codeocean.generate.asking.one_question import Ask, asks
from codeocean.generate.asking.one_question import Roles as Roles
from codeocean.generate.asking.processes import spread
from codeocean.generate.few_shot import plan_rounds
from codeocean.generate.jobs import SandboxJob
from codeocean.generate.ledger import Ledger
from codeocean.generate.round_state import RoundBook
from codeocean.generate.round_store import Rounds
from codeocean.generate.scheduler import DRAIN_S, Question, answer_all
from codeocean.generate.settings import GenerateConfig, SpendingConfig
from codeocean.generate.tasks import Task
from codeocean.generate.turns import role_of
from core.chat import Chat
from core.metrics import RowMetrics

log = logging.getLogger("wavecoder.codeocean")

Prover = Callable[[SandboxJob], Awaitable[dict[str, Any]]]
"""Finds in a sandbox what a job proves."""
OpenRoles = Callable[[], AbstractContextManager[Roles]]
"""Starts whoever answers, while the context is open."""
Follow = Callable[[Mapping[str, int]], object]
"""Told how many questions of each role are open, in flight or not."""

LINE_EVERY_S = 10.0
METRICS = {
    "accepted": "Instances that the discriminator accepted.",
    "rejected": "Instances that the discriminator turned down.",
    "failed": "Rows that ended without an instance or without a verdict.",
    "rows": "Rows of the coreset.",
    "tokens_per_s": "Tokens out, of both roles, a second.",
    "eta_s": "Seconds that the rest will take at the speed so far.",
    "in_flight": "Questions in flight.",
    "acceptance": "Share of the judged instances that were accepted.",
    "prompt_tokens": "Tokens in, of both roles, earlier runs included.",
    "completion_tokens": "Tokens out, of both roles, earlier runs included.",
    "cost": "Money for tokens and engines, in the currency of generate.spending.",
}


def generate(
    config: GenerateConfig,
    tasks: dict[str, Task],
    rows: list[dict[str, Any]],
    roles: Roles | OpenRoles,
    fs: pafs.FileSystem,
    folder: str,
    follow: Follow | None = None,
) -> tuple[Yield, Ledger]:
    """Coreset → `round-*/generations.parquet` and `verdicts.parquet`, and what came of it.

    Finished rounds are read back, and of the others every answer that was kept.

    Args:
        config: roles, rounds, retries, budget.
        tasks: by name.
        rows: RAW_CODE rows in coreset order.
        roles: "generator" and "discriminator", and "tester" where there is one → a chat and the model's name there.
            With `config.tests` also "sandbox" → a `Prover`, and no name. Or what opens them: it is not called where
            nothing is left to ask, as engines take minutes to load.
        fs: filesystem of the run directory.
        folder: the stage's folder.
        follow: told once a second how many questions of each role are open.

    Raises:
        ConnectionError, PermissionError: an endpoint is gone, refuses the key, or has nothing left to spend.
        ValueError: the budget is spent, or all rows, or nearly all, failed alike.
    """
    files = Rounds(fs, folder, {row["id"]: row for row in rows})
    book = RoundBook(config, tasks, rows, files)
    questions = asyncio.run(book.begin())
    finished = not questions
    if questions and not _is_over(book, config):
        with roles() if callable(roles) else contextlib.nullcontext(roles) as opened:
            finished = asyncio.run(_answer_spread(book, questions, config, tasks, opened, follow))
    hopeless = book.tally.looks_hopeless(config.failed_alike)
    if not finished and not hopeless:
        raise ValueError(_budget_line(book, config.spending))
    if useless := book.tally.why_useless(config.failed_alike):
        raise ValueError(f"{useless}; wavecoder inspect shows what came. Run again when that is mended: rows that the "
                         "endpoint refused are asked again")  # fmt: skip
    return files.total(range(len(plan_rounds(len(rows), config.round_size))))


async def _answer_spread(
    book: RoundBook,
    questions: Sequence[Question],
    config: GenerateConfig,
    tasks: dict[str, Task],
    roles: Roles,
    follow: Follow | None,
) -> bool:
    async with spread(config, tasks, roles) as ask:
        return await answer_book(book, questions, config, roles, follow, ask)


async def answer_book(
    book: RoundBook,
    questions: Sequence[Question],
    config: GenerateConfig,
    roles: Roles,
    follow: Follow | None = None,
    ask: Ask | None = None,
) -> bool:
    """Ask the questions that the book opens until none is left; False when budget or failures of all ended it."""
    ask = ask or asks(config, roles)
    book.start_clock()
    in_flight, begun = 0, time.monotonic()
    unanswered = Counter(dict.fromkeys(roles, 0))

    async def answer(question: Question) -> Iterable[Question]:
        nonlocal in_flight
        in_flight += 1
        try:
            result = await ask(question, book.task_of(question), book.job(question))
            opened = await book.keep(question, result)
            unanswered.update(role_of(one.turn, config) for one in opened)
            unanswered[role_of(question.turn, config)] -= 1
            return opened
        finally:
            in_flight -= 1

    async def report() -> None:
        gauges = {name: Gauge(f"wavecoder_generate_{name}", text) for name, text in METRICS.items()}
        metrics, shown = RowMetrics("generate"), -math.inf
        while True:
            seconds = time.monotonic() - begun
            figures = book.tally.figures(seconds) | {"in_flight": in_flight, "cost": book.spent()[1]}
            for name, value in figures.items():
                gauges[name].set(value)
            metrics.tell(**{name: figures[name] for name in ("accepted", "rejected", "failed")})
            if follow is not None:
                follow(unanswered)
            if seconds - shown >= LINE_EVERY_S:
                shown = seconds
                log.info("generate: %s", book.tally.line(seconds, in_flight))
            await asyncio.sleep(1.0)

    # Roles that share an endpoint share its places.
    lanes = {role: str(id(chat)) for role, (chat, _) in roles.items()}
    unanswered.update(role_of(one.turn, config) for one in questions)
    reporter = asyncio.create_task(report())
    try:
        return await answer_all(
            questions,
            answer,
            lambda question: lanes[role_of(question.turn, config)],
            {lanes[role]: _places(chat, config) for role, (chat, _) in roles.items()},
            lambda: _is_over(book, config),
            DRAIN_S,
        )
    finally:
        reporter.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await reporter
        log.info("generate: %s", book.tally.line(time.monotonic() - begun, in_flight))


def _places(chat: Chat, config: GenerateConfig) -> int:
    """Questions in flight at an endpoint; a batch takes all of the two rounds that are open."""
    return 2 * config.round_size if getattr(chat, "in_batches", False) else config.concurrency


def _is_over(book: RoundBook, config: GenerateConfig) -> bool:
    """Whether nothing more is asked: the budget is spent, or all that was asked failed alike."""
    tokens, money = book.spent()
    limits = config.spending
    spent = tokens >= (limits.max_tokens or math.inf) or money >= (limits.max_cost or math.inf)
    return spent or book.tally.looks_hopeless(config.failed_alike)


def _budget_line(book: RoundBook, spending: SpendingConfig) -> str:
    tokens, money = book.spent()
    limit = "max_tokens" if spending.max_tokens and tokens >= spending.max_tokens else "max_cost"
    return (
        f"the budget generate.spending.{limit} = {getattr(spending, limit):g} is spent "
        f"({tokens:,} tokens, {money:.2f} in money) with {book.tally.ended:,} of {book.tally.rows:,} rows done; "
        "raise it and run the same command again: every answer is kept"
    )
