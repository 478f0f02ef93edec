"""Export: accepted generations → CodeOcean, verified and without duplicates and benchmarks; CodeOcean and others → mix.

What belongs to other rooms is handed in: the sandbox, a gate of decontamination, a way to have rows answered again.
Every accepted instance is written, or its reason is counted and kept in `dropped.parquet`.
"""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.decontaminate.leakage import Leakage
from codeocean.export.formats import FORMATS, Rival, json_lines, write_format
from codeocean.export.instances import (
    CardFacts,
    CodeOceanConfig,
    Yield,
    dataset_card,
    find_duplicates,
    to_instances,
    without,
)
from codeocean.export.mix import MixConfig, mix_card, mixed, read_sources, with_answers
from codeocean.export.reanswer import Answers
from codeocean.export.require import why_left_out
from codeocean.export.rivals import find_rivals, killed_mutants
from codeocean.generate.few_shot import plan_rounds
from codeocean.generate.prompts import prompt_version
from codeocean.generate.round_store import Rounds
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.tasks import Task, load_tasks
from codeocean.verify.checks import count_verified, why_dropped
from codeocean.verify.distribution import distribution_of
from codeocean.verify.flow import Proofs, verify
from codeocean.verify.proof import refused_tests
from codeocean.verify.quality import find_fault
from core.stages import StageResult
from core.storage import write_bytes, write_part

Row = dict[str, Any]
Gate = Callable[[pa.Table], Leakage]
"""INSTANCES rows → those of them that repeat a benchmark."""

EXAMPLES_PER_REASON = 3
_MIXES = {"tasks": "task", "languages": "language"}


@dataclass(frozen=True)
class Export:
    """What the stage `codeocean` is told and handed."""

    config: CodeOceanConfig
    generate: GenerateConfig
    fs: pafs.FileSystem
    root: str
    """The run directory."""
    raw: dict[str, Row]
    """Id → RAW_CODE row of the coreset."""
    marks: Mapping[str, str]
    """Id of a generation → "keep" or "drop", where a person has said so."""
    sandbox: Callable[..., Any] | None
    """Runs programs; None runs none."""
    prove: Callable[..., Row]
    """Runs solutions against tests."""
    connect: Callable[[], object]
    """Makes sure of a Ray to verify on."""
    gate: Gate

    def path(self, *parts: str) -> str:
        """Path inside the run directory."""
        return posixpath.join(self.root, *parts)

    def write_text(self, text: str, name: str) -> None:
        """Write a file of the stage whole or not at all."""
        write_bytes(self.fs, self.path("codeocean", name), text.encode())

    @cached_property
    def tasks(self) -> dict[str, Task]:
        """By name."""
        return load_tasks(self.generate.task_folder)

    @cached_property
    def rounds(self) -> Rounds:
        """What was generated and judged."""
        return Rounds(self.fs, self.path("generate"), self.raw)

    @property
    def numbers(self) -> range:
        """Of the rounds."""
        return range(len(plan_rounds(len(self.raw), self.generate.round_size)))

    def in_the_end(self, id_: str, reason: str) -> str:
        """The reason why an instance stops, once a person has had the last word on it."""
        return {"keep": "", "drop": "dropped by a person"}.get(self.marks.get(id_, ""), reason)


def accepted(job: Export) -> Yield:
    """What became of the raw code, with what a person keeps although the discriminator turned it down."""
    result, _ = job.rounds.total(job.numbers)
    accept_kept(result, job.rounds, job.numbers, job.marks)
    return result


def accept_kept(result: Yield, rounds: Rounds, numbers: Iterable[int], marks: Mapping[str, str]) -> None:
    """Take in what a person keeps although it was turned down; without a verdict there is no instance."""
    wanted = {id_ for id_, mark in marks.items() if mark == "keep"} - {row["id"] for row, _ in result.accepted}
    for number in numbers if wanted else ():
        verdicts = {row["id"]: row for row in rounds.read(number, "verdicts") if not row["error"]}
        last = {row["raw_id"]: row for row in rounds.read(number, "generations")}
        kept = [row for row in last.values() if row["id"] in wanted & set(verdicts)]
        result.accepted += [(row, verdicts[row["id"]]) for row in kept]
        result.dropped -= Counter({"rejected by the discriminator": len(kept)})


def export(job: Export, result: Yield) -> StageResult:
    """Write the data set: Parquet, the forms that the recipe names, a card, and what was dropped."""
    proofs = Proofs(job.rounds.proofs(job.numbers) if job.generate.tests else {}, job.prove)
    verified = verify_all(job, result, proofs)
    instances = to_instances(result.accepted, job.raw, verified, proofs.columns)
    reasons = _reasons(job, result, instances, verified)
    kept = without(instances, reasons)
    leakage = job.gate(kept)
    dropped, examples = Counter(reason for reason in reasons if reason), _examples(instances, reasons)
    if leakage.reasons:
        late = [leakage.reasons.get(row, "") for row in range(kept.num_rows)]
        dropped, examples = dropped + Counter(leakage.dropped), examples | _examples(kept, late)
        reasons = _with_late(instances, reasons, dict(zip(kept["id"].to_pylist(), late, strict=True)))
        kept = without(kept, late)
    _write_dropped(job, instances, reasons)
    left = set(kept["id"].to_pylist())
    pairs = [
        (row["task"], checks) for (row, _), checks in zip(result.accepted, verified, strict=True) if row["id"] in left
    ]
    counts = count_verified(pairs)
    write_part(job.fs, job.path("codeocean", "part-00000.parquet"), kept)
    facts = CardFacts(
        models={role: getattr(job.generate, role).model for role in ("generator", "discriminator")},
        prompts={name: prompt_version(task) for name, task in job.tasks.items()},
        dropped=dropped,
        verified=counts,
        sandbox=job.sandbox is not None,
        proofs=distribution_of(kept, len(job.raw), [refused_tests(row) for row in proofs.of.values()]),
        leakage=leakage.details(),
        formats=write_formats(job, kept),
    )
    job.write_text(dataset_card(kept, result, facts), "README.md")
    details: dict[str, Any] = {name: dict(Counter(kept[column].to_pylist())) for name, column in _MIXES.items()}
    details |= {
        "proof": facts.proofs,
        "verified": counts,
        "sandbox": facts.sandbox,
        "leakage": facts.leakage,
        "encoder_window": leakage.window,
        "formats": facts.formats,
    }
    return StageResult(len(result.accepted), kept.num_rows, dict(dropped), examples, details)


def verify_all(job: Export, result: Yield, proofs: Proofs) -> list[dict[str, str]]:
    """Check → result, for each accepted instance in order; `proofs` takes the columns of proof."""
    if not result.accepted:
        return []
    job.connect()
    pairs = [(row, job.raw[row["raw_id"]]) for row, _ in result.accepted]
    folder = job.path("codeocean", ".verified")
    return verify(job.config.verify, job.tasks, pairs, job.sandbox, job.fs, folder, proofs)


def _reasons(job: Export, result: Yield, instances: pa.Table, verified: Sequence[Mapping[str, str]]) -> list[str]:
    """Why each instance stops before the benchmarks are looked at; empty where it goes on."""
    needed = [why_left_out(row, job.config.require) for row in instances.to_pylist()]
    reasons = [
        job.in_the_end(row["id"], _fault(job, row) or why_dropped(job.config.verify, checks) or lack)
        for (row, _), checks, lack in zip(result.accepted, verified, needed, strict=True)
    ]
    repeated = find_duplicates(instances, job.config.near_duplicates, reasons)
    return [
        job.in_the_end(row["id"], one or other)
        for (row, _), one, other in zip(result.accepted, reasons, repeated, strict=True)
    ]


def _fault(job: Export, row: Row) -> str:
    """Why an instance stops without being run; empty when it goes on."""
    if job.config.quality is None:
        return ""
    language = row["target_language"] or job.raw[row["raw_id"]]["language"]
    prose = job.tasks[row["task"]].solution == "prose"
    fault = find_fault(job.config.quality, row, prose=prose, language=language)
    return f"quality: {fault}" if fault else ""


def _with_late(instances: pa.Table, reasons: Sequence[str], late: Mapping[str, str]) -> list[str]:
    return [reason or late.get(id_, "") for id_, reason in zip(instances["id"].to_pylist(), reasons, strict=True)]


def _write_dropped(job: Export, instances: pa.Table, reasons: Sequence[str]) -> None:
    """Id and reason of each accepted instance that stopped here: no row is lost without a word."""
    stopped = [(id_, why) for id_, why in zip(instances["id"].to_pylist(), reasons, strict=True) if why]
    columns = {"id": [id_ for id_, _ in stopped], "reason": [why for _, why in stopped]}
    schema = pa.schema([("id", pa.string()), ("reason", pa.string())])
    write_part(job.fs, job.path("codeocean", "dropped.parquet"), pa.table(columns, schema=schema))


def _examples(instances: pa.Table, reasons: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row, reason in zip(instances.select(["id", "task", "instruction"]).to_pylist(), reasons, strict=True):
        shown = found.setdefault(reason, []) if reason else []
        if reason and len(shown) < EXAMPLES_PER_REASON:
            shown.append(f"{row['task']} {row['id']} {row['instruction'][:200]}")
    return found


def write_formats(job: Export, kept: pa.Table) -> dict[str, dict[str, Any]]:
    """Write the data set in each form that the recipe names; form → file, rows, and what it leaves out."""
    rivals, found = dict[str, list[Rival]](), dict[str, dict[str, Any]]()
    if "preference" in job.config.formats:
        rows = {kind: [row for number in job.numbers for row in job.rounds.read(number, kind)]
                for kind in ("generations", "verdicts")}  # fmt: skip
        rivals = find_rivals(kept, rows["generations"], rows["verdicts"])
        if job.generate.tests:
            tested = job.rounds.proofs(job.numbers)
            for id_, more in killed_mutants(kept, rows["generations"], tested, job.generate).items():
                rivals.setdefault(id_, []).extend(more)
    for name in job.config.formats:
        form, written = FORMATS[name], write_format(name, kept, rivals)
        if form.schema is None:
            job.write_text("".join(json_lines(written.records)), form.file)
        else:
            table = pa.Table.from_pylist(written.records, schema=form.schema)
            write_part(job.fs, job.path("codeocean", form.file), table)
        found[name] = {"file": form.file, "rows": len(written.records), "left_out": dict(written.left_out)}
    return found


@dataclass(frozen=True)
class Mix:
    """What the stage `mix` is told and handed."""

    config: MixConfig
    fs: pafs.FileSystem
    folder: str
    """The stage's."""
    answer: Callable[[pa.Table], tuple[Answers, dict[str, list[str]]]]
    """Rows → another model's answers, and what its endpoint turned out not to take; asked where `answers` is set."""
    gate: Gate

    def write_text(self, text: str, name: str) -> None:
        """Write a file of the stage whole or not at all."""
        write_bytes(self.fs, posixpath.join(self.folder, name), text.encode())


def mix(job: Mix, ocean: pa.Table) -> StageResult:
    """CodeOcean's rows and those of other sets, without duplicates and benchmarks, perhaps answered again."""
    foreign = read_sources(job.config.sources)
    rows, dropped = mixed(ocean, foreign), Counter(foreign.dropped)
    repeated = find_duplicates(rows, job.config.near_duplicates, [""] * rows.num_rows)
    rows, dropped = without(rows, repeated), dropped + Counter(reason for reason in repeated if reason)
    unanswered: list[str] = []
    details: dict[str, Any] = {}
    answered_by = ""
    if job.config.answers is not None:
        answered_by = job.config.answers.model
        answers, learnt = job.answer(rows)
        unanswered, details = answers.unanswered, {"endpoint": learnt} if learnt else {}
        rows, failed = with_answers(rows, answers.found, answered_by)
        rows, dropped = without(rows, failed), dropped + Counter(reason for reason in failed if reason)
    leakage = job.gate(rows)
    rows = without(rows, [leakage.reasons.get(row, "") for row in range(rows.num_rows)])
    dropped += Counter(leakage.dropped)
    write_part(job.fs, posixpath.join(job.folder, "part-00000.parquet"), rows)
    job.write_text("".join(json_lines(write_format("alpaca", rows, {}).records)), "mix.jsonl")
    licenses = {source.name: source.license for source in job.config.sources}
    job.write_text(mix_card(rows, dict(dropped), leakage.details(), answered_by, licenses), "README.md")
    details |= {
        "tasks": dict(Counter(rows["task"].to_pylist())),
        "answered_by": answered_by,
        "leakage": leakage.details(),
        "encoder_window": leakage.window,
    }
    return StageResult(
        ocean.num_rows + foreign.num_read, rows.num_rows, dict(dropped), details=details, unanswered=unanswered
    )
