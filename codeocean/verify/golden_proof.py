"""What the discriminator keeps of the golden set's second half, what the proof keeps, and what both do. No Ray.

The tests are the recipe's tester's: it sees instruction and signature, as in a run. An instance is kept by the proof if
`proof` is `tests`, `equivalent` or `round_trip` and it passes all tests. Precision is the share of sound instances
among the kept, recall the share of kept ones among the sound.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from codeocean.generate.ask import judge_one
from codeocean.generate.ask_tests import ask_solution, ask_tests
from codeocean.generate.few_shot import draw_number, is_accepted
from codeocean.generate.golden_faults import FaultCase
from codeocean.generate.jobs import ProofJob, SandboxJob, proof_job
from codeocean.generate.ledger import Account, Usage, token_cost
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import Task
from codeocean.verify.columns import unproved
from codeocean.verify.edits import prove_edit
from codeocean.verify.proof import Prove, columns_of_proof, run_proof
from core.chat import Chat
from core.journal import Remembered

Row = dict[str, Any]

TESTS = 8
"""Asked for where the recipe asks for none."""
WAYS = ("discriminator", "proof", "both")


@dataclass(frozen=True)
class Judges:
    """Who decides."""

    config: GenerateConfig
    tasks: Mapping[str, Task]
    discriminator: tuple[Chat, str]
    """A chat, and the model's name there."""
    tester: tuple[Chat, str]
    prove: Prove
    solver: tuple[Chat, str]
    """Who writes code from a summary."""
    remembered: Remembered
    """What the sandbox found in a run that was killed."""


async def decide(cases: Sequence[FaultCase], judges: Judges, ended: Callable[[], object] = lambda: None) -> list[Row]:
    """What each way says of each case: `{discriminator, proof, why, used: {…}, seconds}`.

    Args:
        cases: the instances.
        judges: who decides.
        ended: called when a case is decided.
    """
    sandboxes = asyncio.Semaphore(2)

    async def decided(case: FaultCase) -> Row:
        found = await _decide(case, judges, sandboxes)
        ended()
        return found

    return list(await asyncio.gather(*map(decided, cases)))


async def _decide(case: FaultCase, judges: Judges, sandboxes: asyncio.Semaphore) -> Row:
    config = judges.config.model_copy(update={"tests": judges.config.tests or TESTS, "round_trip": True})
    task = judges.tasks[case.task]
    verdict = await judge_one(case.generation, task, config, *judges.discriminator)
    used = {"discriminator": verdict["used"], "proof": Usage().as_json()}
    found: Row = {"discriminator": is_accepted(verdict["rows"][-1]), "proof": False, "why": "nothing to run"}
    found |= {"used": used, "seconds": 0.0}
    job = proof_job(config, task, case.generation, case.source)
    if job is None:
        return found
    answer = await ask_tests(job, config, *judges.tester)
    tested, code = answer["rows"][-1], ""
    took = Usage.from_json(answer["used"])
    if job.retold:
        retold = await ask_solution(job, config, 1, *judges.solver)
        code = retold["rows"][-1]["solution"]
        took.add(Usage.from_json(retold["used"]))
    found["used"]["proof"] = took.as_json()

    async def run() -> Row:
        async with sandboxes:
            begun = time.monotonic()
            columns, why = await asyncio.to_thread(prove_case, case, task, job, tested, code, judges)
            seconds = time.monotonic() - begun
        kept = columns["proof"] in {"tests", "equivalent", "round_trip"} and columns["pass_rate"] == 1
        return {"proof": kept, "why": why, "seconds": seconds}

    decides = [case.generation, case.source, tested["tests"], tested["error"], code]
    return found | await judges.remembered.make(decides, run)


def prove_case(case: FaultCase, task: Task, job: ProofJob, tested: Row, code: str, judges: Judges) -> tuple[Row, str]:
    """Columns of proof and a word, as a run has them.

    Args:
        case: the instance.
        task: of it.
        job: what is proved.
        tested: the tester's `tests` and `error`.
        code: of a summary, written from it.
        judges: with the sandbox.
    """
    tests, error = tested["tests"], tested["error"]
    if not tests:
        return unproved(), error or "no tests"
    if not job.chooses:
        columns, checks = prove_edit(task, case.generation, case.source, tests, judges.prove, code)
        return columns, next(iter(checks.values()), "nothing to run")
    solutions, seed = [case.generation["solution"]], draw_number("mutants", case.generation["id"])
    order = SandboxJob(job.language, job.name, tests, solutions, judges.config.mutants, seed)
    found = run_proof(order, judges.prove)
    row = {"tests": json.dumps(tests), "found": json.dumps(found), "solutions": 1, "error": error}
    return columns_of_proof(row)


def figures(cases: Sequence[FaultCase], decided: Sequence[Row], roles: Mapping[str, RoleConfig]) -> Row:
    """Way → precision, recall and what an instance takes, by task and over all tasks with code.

    Args:
        cases: the instances.
        decided: of `decide`, in their order.
        roles: discriminator and tester, for their prices.
    """
    pairs = list(zip(cases, decided, strict=True))
    tasks = list(dict.fromkeys(case.task for case in cases))
    parts = {task: [pair for pair in pairs if pair[0].task == task] for task in tasks}
    return {
        name: {way: _figures_of(part, way, roles) for way in WAYS} for name, part in (parts | {"all": pairs}).items()
    }


def _figures_of(pairs: list[tuple[FaultCase, Row]], way: str, roles: Mapping[str, RoleConfig]) -> Row:
    named = ("discriminator", "proof") if way == "both" else (way,)
    kept = [(case, all(row[name] for name in named)) for case, row in pairs]
    sound, right = [k for case, k in kept if case.sound], [case.sound for case, k in kept if k]
    used = {name: Usage() for name in named}
    for _, row in pairs:
        for name in named:
            used[name].add(Usage.from_json(row["used"][name]))
    charged = {"discriminator": roles["discriminator"], "proof": roles["tester"]}
    seconds = sum(row["seconds"] for _, row in pairs) if "proof" in named else 0.0
    return {
        "n": len(pairs),
        "kept": len(right),
        "precision": sum(right) / len(right) if right else None,
        "recall": sum(sound) / len(sound) if sound else None,
        "tokens_per_instance": round(sum(one.tokens for one in used.values()) / max(1, len(pairs)), 1),
        "cost_per_instance": round(token_cost(Account(used=used), charged) / max(1, len(pairs)), 6),
        "sandbox_s_per_instance": round(seconds / max(1, len(pairs)), 3),
    }
