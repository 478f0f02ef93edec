"""The book of a generation: what may be asked now, given what was answered. No Ray, and no clock but for the ledger.

A generation that passes the checks opens its judgement at once. A round opens when all rounds ≤ r - 2 are done, because
its few-shot cases are drawn from their verdicts. So at most two rounds are open, and nothing waits for anything else.
Cases depend on finished rounds alone, files are written in the order of the coreset: whatever the order of the answers,
and however often the work was cut off, the same answers make the same files.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from codeocean.generate.few_shot import assign_tasks, is_accepted, plan_rounds
from codeocean.generate.jobs import Job, ProofJob, TurnAnswer, generation_job, proof_job
from codeocean.generate.ledger import Account, Ledger, Usage, spent
from codeocean.generate.round_store import Rounds, draw_sets
from codeocean.generate.scheduler import GENERATE, JUDGE, Question
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.tally import Tally
from codeocean.generate.tasks import Case, Task, task_shares
from codeocean.generate.turns import (
    PROVE,
    finished_rows,
    is_over,
    judged_generations,
    role_of,
    roles_of,
    sandbox_job,
    turns_after,
    turns_between,
)
from core.journal import Journal

Row = dict[str, Any]


@dataclass
class _OpenRound:
    """A round that is not done."""

    journal: Journal
    sets: dict[str, list[list[Case]]]
    """Task → few-shot sets."""
    left: int
    """Places about which something is still to be asked."""
    answers: dict[tuple[int, int], TurnAnswer] = field(default_factory=dict)
    """By turn and place."""
    places: dict[int, dict[int, TurnAnswer]] = field(default_factory=dict)
    """The same by place, then turn."""
    earlier: dict[tuple[int, int], Row] = field(default_factory=dict)
    """By turn and place, what was used in an earlier run by a question that the endpoint failed."""
    wall_s: float = 0.0
    """Clock of earlier runs that finished the round but for such questions."""

    @property
    def is_whole(self) -> bool:
        """Whether no question is left that the endpoint failed."""
        return not any(answer.get("open") for answer in self.answers.values())

    def of(self, place: int) -> dict[int, TurnAnswer]:
        """Turn → answer, of one place."""
        return self.places.setdefault(place, {})

    def take(self, turn: int, place: int, answer: TurnAnswer) -> None:
        """Note an answer."""
        self.answers[turn, place] = self.of(place)[turn] = answer
        self.left -= is_over(turn, self.of(place))


class RoundBook:
    """Keeps answers and opens questions; reads back what an earlier run kept."""

    def __init__(self, config: GenerateConfig, tasks: dict[str, Task], rows: Sequence[Row], files: Rounds) -> None:
        """Args: config, tasks by name, RAW_CODE rows in coreset order, and the rounds' files."""
        shares = task_shares(tasks, config.tasks)
        self._names = assign_tasks([row["language"] for row in rows], tasks, shares, config.seed)
        self._config, self._tasks, self._rows, self._files = config, tasks, rows, files
        self._planned = plan_rounds(len(rows), config.round_size)
        self._open: dict[int, _OpenRound] = {}
        self._done: set[int] = set()
        self._num_done = 0
        """Rounds that are done with all rounds before them."""
        self._cases: dict[str, list[Case]] = {}
        """Task → cases of those."""
        self._clock = time.monotonic()
        self._wall_s = 0.0
        self.tally = Tally(len(rows))

    async def begin(self) -> list[Question]:
        """Read what earlier runs kept; returns what is open."""
        self._files.reopen(range(len(self._planned)))
        for number in range(len(self._planned)):
            if self._files.done(number):
                self._done.add(number)
                self._count_done(number)
        opened = [*self._open_round(0), *self._open_round(1), *self._advance()]
        opened += await self._finish_rounds()
        self.tally.begin()
        return opened

    def start_clock(self) -> None:
        """From now on engines are paid for: before that they may have been loaded, or were not needed."""
        self._clock = time.monotonic()

    def task_of(self, question: Question) -> Task:
        """The task that a question is about."""
        return self._tasks[self._names[self._planned[question.round][question.place]]]

    def job(self, question: Question) -> Job:
        """What `generate_one`, `judge_any`, the tester, a solver or the sandbox needs."""
        found = self._open[question.round]
        answers = found.of(question.place)
        if question.turn == JUDGE:
            return judged_generations(self._config, answers)
        if question.turn == GENERATE:
            row, task = self._rows[self._planned[question.round][question.place]], self.task_of(question)
            return generation_job(self._config, task, row, question.round, found.sets[task.name])
        job = self._proof_job(question.round, question.place, answers)
        assert job is not None
        return sandbox_job(self._config, job, answers) if question.turn == PROVE else job

    def _proof_job(self, number: int, place: int, answers: dict[int, TurnAnswer]) -> ProofJob | None:
        rank = self._planned[number][place]
        generation = answers[GENERATE]["rows"][-1]
        if generation["error"]:
            return None
        return proof_job(self._config, self._tasks[self._names[rank]], generation, self._rows[rank])

    def _next(self, number: int, turn: int, place: int) -> list[int]:
        """The turns that an answer opens."""
        answers = self._open[number].of(place)
        return turns_after(turn, answers, turns_between(self._config, self._proof_job(number, place, answers)))

    async def keep(self, question: Question, answer: TurnAnswer) -> list[Question]:
        """Keep an answer for good; returns the questions that it opens."""
        number, turn, place = question
        found = self._open[number]
        if (turn, place) in found.earlier:
            used = Usage.from_json(found.earlier.pop((turn, place)))
            used.add(Usage.from_json(answer["used"]))
            answer = {**answer, "used": used.as_json()}
        await found.journal.keep({"turn": turn, "place": place, "answer": answer})
        self._count(turn, answer)
        found.take(turn, place, answer)
        opened = [question._replace(turn=each) for each in self._next(number, turn, place)]
        return opened or await self._finish_rounds()

    def spent(self) -> tuple[int, float]:
        """Tokens and money so far, those of earlier runs included."""
        roles = {role: getattr(self._config, role) for role in roles_of(self._config)}
        wall_s = self._wall_s + time.monotonic() - self._clock
        ledger = Ledger({"": Account(used=self.tally.used)}, wall_s)
        return self.tally.tokens, spent(ledger, roles, self._config.spending)

    def _open_round(self, number: int) -> list[Question]:
        """Open a round, with the answers that its journal holds; returns what is left to ask."""
        if number >= len(self._planned) or number in self._done:
            return []
        places = range(len(self._planned[number]))
        names = {self._names[rank] for rank in self._planned[number]}
        sets = {name: draw_sets(self._config, self._tasks[name], number, self._cases.get(name, [])) for name in names}
        found = _OpenRound(self._files.journal(number), sets, len(places))
        entries = found.journal.read()
        kept = {(entry["turn"], entry["place"]): entry["answer"] for entry in entries if "answer" in entry}
        found.earlier = {key: answer["used"] for key, answer in kept.items() if answer.get("open")}
        kept = {key: answer for key, answer in kept.items() if key not in found.earlier}
        found.wall_s = sum(entry["wall_s"] for entry in entries if "wall_s" in entry)
        self._wall_s += found.wall_s
        self._open[number] = found
        questions = []
        for place in places:
            pending = [GENERATE]
            while pending:
                turn = pending.pop()
                if (turn, place) not in kept:
                    questions.append(Question(number, turn, place))
                    continue
                self._count(turn, kept[turn, place])
                found.take(turn, place, kept[turn, place])
                pending += self._next(number, turn, place)
        return questions

    def _advance(self) -> list[Question]:
        """Take in the cases of the rounds that are done, one by one, and open the round that each of them opens."""
        opened: list[Question] = []
        while self._num_done in self._done:
            for task, cases in self._files.cases(self._num_done).items():
                self._cases.setdefault(task, []).extend(cases)
            self._num_done += 1
            opened += self._open_round(self._num_done + 1)
        return opened

    async def _finish_rounds(self) -> list[Question]:
        """Write the rounds about which nothing is left to ask; returns the questions that they open."""
        opened: list[Question] = []
        while ready := [number for number, found in self._open.items() if found.left == 0]:
            number = min(ready)
            found = self._open.pop(number)
            parts = [finished_rows(self._config, found.of(place)) for place in range(len(self._planned[number]))]
            generations, proofs = ([row for part in parts for row in part[which]] for which in (0, 1))
            judged = [found.of(place)[JUDGE] for place in range(len(parts)) if JUDGE in found.of(place)]
            verdicts = [row for answer in judged for row in answer["rows"]]
            ledger = self._ledger(number, found)
            if not found.is_whole:  # its answers stay, so that the next run asks what is missing
                await found.journal.keep({"wall_s": ledger.wall_s - found.wall_s})
            await asyncio.to_thread(self._files.finish, number, generations, verdicts, ledger, proofs)
            if found.is_whole:
                await asyncio.to_thread(found.journal.forget)
            self._done.add(number)
            opened += self._advance()
        return opened

    def _ledger(self, number: int, found: _OpenRound) -> Ledger:
        now = time.monotonic()
        ledger = Ledger(wall_s=now - self._clock + found.wall_s)
        self._clock, self._wall_s = now, self._wall_s + now - self._clock
        for place, rank in enumerate(self._planned[number]):
            account = ledger.tasks.setdefault(self._names[rank], Account())
            account.rows += 1
            for turn, answer in found.of(place).items():
                if turn != PROVE:
                    role = role_of(turn, self._config)
                    account.used.setdefault(role, Usage()).add(Usage.from_json(answer["used"]))
                account.accepted += turn == JUDGE and is_accepted(answer["rows"][-1])
        return ledger

    def _count(self, turn: int, answer: TurnAnswer) -> None:
        if turn != PROVE:
            used = self.tally.used.setdefault(role_of(turn, self._config), Usage())
            used.add(Usage.from_json(answer["used"]))
        if turn in (GENERATE, JUDGE):
            (self.tally.judged if turn == JUDGE else self.tally.generated)(answer["rows"][-1])

    def _count_done(self, number: int) -> None:
        ledger = self._files.ledger(number)
        self._wall_s += ledger.wall_s
        for role, used in ledger.whole().used.items():
            self.tally.used.setdefault(role, Usage()).add(used)
        last = {row["raw_id"]: row for row in self._files.read(number, "generations")}
        for row in last.values():
            self.tally.generated(row)
        deciding = {row["id"] for row in last.values()}
        for row in self._files.read(number, "verdicts"):
            if row["id"] in deciding:
                self.tally.judged(row)
