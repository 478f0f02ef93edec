"""Accepted generations → `<run>/codeocean`: verified, without duplicates and benchmarks; Parquet, JSONL, a card."""

from __future__ import annotations

import json
import logging
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import pyarrow as pa

from codeocean.decontaminate.benchmark_problems import BenchmarkText
from codeocean.decontaminate.leakage import Leakage
from codeocean.export.formats import FORMATS, Rival, json_lines, write_format
from codeocean.export.instances import (
    CardFacts,
    Yield,
    dataset_card,
    find_duplicates,
    to_instances,
    without,
)
from codeocean.export.require import why_left_out
from codeocean.export.rivals import find_rivals
from codeocean.generate.few_shot import plan_rounds
from codeocean.generate.prompts import prompt_version
from codeocean.generate.round_store import Rounds
from codeocean.generate.tasks import Task, load_tasks
from codeocean.select.picked_rows import picked_rows
from codeocean.verify.checks import count_verified, why_dropped
from codeocean.verify.distribution import distribution_of
from codeocean.verify.flow import Proofs, verify
from codeocean.verify.quality import find_fault
from core.storage import write_part
from eval.sandbox.proof import prove
from eval.sandbox.run import run_program
from ray_jobs.cli import run_job
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.leakage import benchmark_texts, check_rows, gate_inputs
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, output_digest, required, run_stage
from report.explore.marks import Mark, by_a_person, marks_digest, read_marks

log = logging.getLogger("wavecoder.ray_jobs")

EXAMPLES_PER_REASON = 3


def run_codeocean(config: Config, run: RunDir) -> Manifest:
    """Write the data set."""
    generated, rows = required(run, "generate"), picked_rows(run.fs, run.root)
    benchmarks = benchmark_texts(config, "instances")

    def work() -> StageResult:
        raw = {row["id"]: row for row in rows}
        numbers = range(len(plan_rounds(len(rows), config.generate.round_size)))
        rounds = Rounds(run.fs, run.path("generate"), raw)
        result, _ = rounds.total(numbers)
        _accept_kept(result, rounds, numbers, marks)
        return _export(config, run, result, raw, benchmarks)

    inputs = {"generate": output_digest(generated)} | gate_inputs(config, benchmarks)
    marks = read_marks(run.fs, run.root)
    if marks:
        inputs["marks"] = marks_digest(marks)
    return run_stage(run, "codeocean", covered_by("codeocean", config), inputs, work)


def _export(
    config: Config, run: RunDir, result: Yield, raw: dict[str, dict[str, Any]], benchmarks: list[BenchmarkText]
) -> StageResult:
    tasks, sandbox = load_tasks(config.generate.task_folder), find_sandbox(config)
    rounds = Rounds(run.fs, run.path("generate"), raw)
    numbers = range(len(plan_rounds(len(raw), config.generate.round_size)))
    proofs = Proofs(rounds.proofs(numbers) if config.generate.tests else {}, prove)
    verified = _verified(config, run, result, raw, tasks, sandbox, proofs)
    instances = to_instances(result.accepted, raw, verified, proofs.columns)
    marks = read_marks(run.fs, run.root)
    needed = [why_left_out(row, config.codeocean.require) for row in instances.to_pylist()]
    reasons = [
        by_a_person(marks, row["id"], _fault(config, tasks[row["task"]], row, raw)
                    or why_dropped(config.codeocean.verify, checks) or lack)
        for (row, _), checks, lack in zip(result.accepted, verified, needed, strict=True)
    ]  # fmt: skip
    repeated = find_duplicates(instances, config.codeocean.near_duplicates, reasons)
    reasons = [
        by_a_person(marks, row["id"], one or other)
        for (row, _), one, other in zip(result.accepted, reasons, repeated, strict=True)
    ]
    kept = without(instances, reasons)
    leakage = check_rows(config, run, "codeocean", benchmarks, kept) if benchmarks else Leakage()
    dropped, examples = Counter(reason for reason in reasons if reason), _examples(instances, reasons)
    if leakage.reasons:
        late = [leakage.reasons.get(row, "") for row in range(kept.num_rows)]
        dropped, examples = dropped + Counter(leakage.dropped), examples | _examples(kept, late)
        reasons = _with_late(instances, reasons, dict(zip(kept["id"].to_pylist(), late, strict=True)))
        kept = without(kept, late)
    _write_dropped(run, instances, reasons)
    left = set(kept["id"].to_pylist())
    pairs = [
        (row["task"], checks) for (row, _), checks in zip(result.accepted, verified, strict=True) if row["id"] in left
    ]
    counts = count_verified(pairs)
    write_part(run.fs, run.path("codeocean", "part-00000.parquet"), kept)
    facts = CardFacts(
        models={role: getattr(config.generate, role).model for role in ("generator", "discriminator")},
        prompts={name: prompt_version(task) for name, task in tasks.items()},
        dropped=dropped,
        verified=counts,
        sandbox=sandbox is not None,
        proofs=distribution_of(kept, len(raw), [json.loads(row["refused"]) for row in proofs.of.values()]),
        leakage=leakage.details(),
        formats=_write_formats(config, run, kept, raw),
    )
    run.write_text(dataset_card(kept, result, facts), "codeocean", "README.md")
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


def _accept_kept(result: Yield, rounds: Rounds, numbers: Iterable[int], marks: Mapping[str, Mark]) -> None:
    """Take in what a person keeps although the discriminator turned it down; without a verdict there is no instance."""
    wanted = {id_ for id_, mark in marks.items() if mark.mark == "keep"} - {row["id"] for row, _ in result.accepted}
    for number in numbers if wanted else ():
        verdicts = {row["id"]: row for row in rounds.read(number, "verdicts") if not row["error"]}
        last = {row["raw_id"]: row for row in rounds.read(number, "generations")}
        kept = [row for row in last.values() if row["id"] in wanted & set(verdicts)]
        result.accepted += [(row, verdicts[row["id"]]) for row in kept]
        result.dropped -= Counter({"rejected by the discriminator": len(kept)})


def _with_late(instances: pa.Table, reasons: Sequence[str], late: Mapping[str, str]) -> list[str]:
    return [reason or late.get(id_, "") for id_, reason in zip(instances["id"].to_pylist(), reasons, strict=True)]


def _write_dropped(run: RunDir, instances: pa.Table, reasons: Sequence[str]) -> None:
    """Id and reason of each accepted instance that stopped here: no row is lost without a word."""
    stopped = [(id_, why) for id_, why in zip(instances["id"].to_pylist(), reasons, strict=True) if why]
    columns = {"id": [id_ for id_, _ in stopped], "reason": [why for _, why in stopped]}
    schema = pa.schema([("id", pa.string()), ("reason", pa.string())])
    write_part(run.fs, run.path("codeocean", "dropped.parquet"), pa.table(columns, schema=schema))


def _fault(config: Config, task: Task, row: dict[str, Any], raw: dict[str, dict[str, Any]]) -> str:
    """Why an instance stops without being run; empty when it goes on."""
    if config.codeocean.quality is None:
        return ""
    language = row["target_language"] or raw[row["raw_id"]]["language"]
    fault = find_fault(config.codeocean.quality, row, prose=task.solution == "prose", language=language)
    return f"quality: {fault}" if fault else ""


def _write_formats(
    config: Config, run: RunDir, kept: pa.Table, raw: dict[str, dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Write the data set in each form that the recipe names; form → file, rows, and what it leaves out."""
    rivals, found = dict[str, list[Rival]](), dict[str, dict[str, Any]]()
    if "preference" in config.codeocean.formats:
        rounds, plan = Rounds(run.fs, run.path("generate"), raw), plan_rounds(len(raw), config.generate.round_size)
        rows = {kind: [row for number in range(len(plan)) for row in rounds.read(number, kind)]
                for kind in ("generations", "verdicts")}  # fmt: skip
        rivals = find_rivals(kept, rows["generations"], rows["verdicts"])
    for name in config.codeocean.formats:
        form, written = FORMATS[name], write_format(name, kept, rivals)
        if form.schema is None:
            run.write_text("".join(json_lines(written.records)), "codeocean", form.file)
        else:
            table = pa.Table.from_pylist(written.records, schema=form.schema)
            write_part(run.fs, run.path("codeocean", form.file), table)
        found[name] = {"file": form.file, "rows": len(written.records), "left_out": dict(written.left_out)}
    return found


_MIXES = {"tasks": "task", "languages": "language"}


def _verified(
    config: Config,
    run: RunDir,
    result: Yield,
    raw: dict[str, dict[str, Any]],
    tasks: dict[str, Task],
    sandbox: Callable[..., Any] | None,
    proofs: Proofs,
) -> list[dict[str, str]]:
    if not result.accepted:
        return []
    connect(config.ray)
    pairs = [(row, raw[row["raw_id"]]) for row, _ in result.accepted]
    folder = run.path("codeocean", ".verified")
    return verify(config.codeocean.verify, tasks, pairs, sandbox, run.fs, folder, proofs)


def _examples(instances: pa.Table, reasons: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for row, reason in zip(instances.select(["id", "task", "instruction"]).to_pylist(), reasons, strict=True):
        shown = found.setdefault(reason, []) if reason else []
        if reason and len(shown) < EXAMPLES_PER_REASON:
            shown.append(f"{row['task']} {row['id']} {row['instruction'][:200]}")
    return found


def find_sandbox(config: Config) -> Callable[..., Any] | None:
    """What runs programs; None, and a line in the log, where verification is not to run any or this machine cannot."""
    if not config.codeocean.verify.execute:
        log.info("codeocean: codeocean.verify.execute is false, so instances are not run")
        return None
    try:
        run_program("", language="python", timeout=30.0, memory_mb=512)
    except PermissionError as error:
        log.warning("codeocean: instances are not run: %s", error)
        return None
    return run_program


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("codeocean", run_codeocean, arguments)


if __name__ == "__main__":
    sys.exit(main())
