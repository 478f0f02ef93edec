"""Answers → scores on Ray: programs run all over the cluster while the next answers come."""

from __future__ import annotations

import asyncio
import itertools
import logging
import time
from collections import Counter
from typing import Any

import pyarrow as pa
import ray
from pyarrow import fs as pafs
from ray.util.metrics import Gauge

from eval.answers.sources import Answers
from eval.benchmarks.catalogue import ProblemSet, load_benchmarks
from eval.problems import Problem
from eval.samples import FLUSH_SECONDS, Journal
from eval.sandbox.oracle import judge
from eval.sandbox.packages import import_names, shown_paths
from eval.sandbox.toolchains import missing_toolchains
from eval.scores import compare_samples, score_samples
from eval.settings import EvaluateConfig
from eval.verdict import check_isolation, describe_conditions, judge_candidate

log = logging.getLogger("wavecoder.eval")

NOT_RUN = {"isolation": "", "oracle": ""}

PROGRESS_TICKS = 30
"""A line of progress every so many flushes."""


def load_problems(config: EvaluateConfig) -> list[ProblemSet]:
    """The benchmarks to be asked; those whose language cannot run here are left out, and said to be.

    Raises:
        ValueError, FileNotFoundError: a data set is missing or unusable, or nothing is left.
        PermissionError: this machine offers no isolation.
    """
    sets = load_benchmarks(config.benchmarks, config.dataset, config.limit, (config.after, config.before),
                           config.benchmark_folder)  # fmt: skip
    check_isolation(config)
    missing = missing_toolchains(dict.fromkeys(each.language for each in sets))
    for language, reason in missing.items():
        log.warning("evaluate: %s is left out: %s", language, reason)
    found = [each for each in sets if each.language not in missing]
    shown = import_names(shown_paths(config.shown_packages()))
    for each in found:
        lacking = Counter(name for problem in each.problems for name in problem.needs if name not in shown)
        if lacking:
            named = ", ".join(f"{name} ({count} problems)" for name, count in lacking.most_common())
            log.warning("evaluate: %s imports packages that evaluate.packages does not show, so no answer passes: %s",
                        each.name, named)  # fmt: skip
    if not found:
        raise ValueError(f"evaluate.benchmark: none can run here; {'; '.join(f'{a}: {b}' for a, b in missing.items())}")
    return found


def judge_rows(
    rows: ray.data.Dataset, *, language: str, timeout_s: float = 10.0, memory_mb: int = 1024, num_cpus: float = 0.5
) -> ray.data.Dataset:
    """The same rows with columns `passed`, `outcome` and `stderr`: each program judged by its tests, in the sandbox.

    Args:
        rows: with text columns `candidate`, a whole program, and `tests`, the code that follows it.
        language: of both.
        timeout_s: seconds for a candidate and its tests together.
        memory_mb: for each of the two processes.
        num_cpus: logical CPUs that Ray reserves for one program.
    """

    def judged(batch: pa.Table) -> pa.Table:
        pairs = zip(batch["candidate"].to_pylist(), batch["tests"].to_pylist(), strict=True)
        ended = [judge(candidate, tests, language=language, timeout=timeout_s, memory_mb=memory_mb)
                 for candidate, tests in pairs]  # fmt: skip
        for name in ("passed", "outcome", "stderr"):
            batch = batch.append_column(name, pa.array([getattr(one, name) for one in ended]))
        return batch

    return rows.map_batches(judged, batch_format="pyarrow", batch_size=8, num_cpus=num_cpus)


def evaluate(
    config: EvaluateConfig,
    sets: list[ProblemSet],
    *,
    answers: Answers,
    label: str,
    fs: pafs.FileSystem,
    folder: str,
) -> tuple[list[dict[str, Any]], dict[str, pa.Table]]:
    """Score one model; finished samples are read back, not made again.

    Args:
        config: limits and seeds.
        sets: the benchmarks, of `load_problems`.
        answers: of the model.
        label: first word of the sample files, such as "base".
        fs: filesystem of the results.
        folder: where `<label>-<benchmark>.parquet` are written.

    Returns:
        A result for each benchmark, which says everything it depends on, and each benchmark's samples.

    Raises:
        ConnectionError, OSError: the endpoint or the sandbox failed; finished samples stay.
        ValueError: the endpoint refused every question, or the folder holds samples of other settings.
    """
    begun = time.monotonic()
    journals = {each.name: _open_journal(config, each, answers, label, fs, folder) for each in sets}
    asyncio.run(_answer_and_judge(config, sets, answers, journals))
    results, tables = [], {}
    for each in sets:
        order = [(problem.task_id, sample) for problem, sample in _samples_of(each, answers)]
        tables[each.name] = samples = journals[each.name].finish(order)
        fewest = min((answers.number(problem) for problem in each.problems if answers.number(problem)), default=1)
        scores = score_samples(samples, (*config.k, fewest), config.seed)
        if scores["outcomes"] == {"refused": len(order)}:
            raise ValueError(
                f"the endpoint refused every question of {each.name}: {samples['stderr'][0].as_py()[:300]}"
            )
        log.info("evaluate: %s, %s: %.1f %% of %d problems (%.1f to %.1f)", label, each.name,
                 100 * scores["pass_at_1"], scores["n"], 100 * scores["low"], 100 * scores["high"])  # fmt: skip
        results.append({
            "label": label,
            "model": answers.model,
            "benchmark": each.name,
            "language": each.language,
            "dataset": each.source,
            "dataset_digest": each.file_digest,
            "problems_digest": each.digest,
            "problems": len(each.all_ids),
            **{name: day for name, day in (("after", config.after), ("before", config.before)) if day},
            "isolation": ", ".join(sorted({*samples["isolation"].to_pylist()} - {"", None})),
            "settings": answers.key() | config.of_answers(),
        } | scores)  # fmt: skip
    conditions = describe_conditions() | {"seconds": round(time.monotonic() - begun, 1)}
    return [result | conditions for result in results], tables


def compare(first: dict[str, pa.Table], second: dict[str, pa.Table], labels: tuple[str, str], seed: int) -> list[Any]:
    """What changed from one model to the other, for each benchmark that both have."""
    named = {"from": labels[0], "to": labels[1]}
    shared = [name for name in first if name in second]
    return [named | {"benchmark": name} | compare_samples(first[name], second[name], seed) for name in shared]


def _open_journal(
    config: EvaluateConfig, each: ProblemSet, answers: Answers, label: str, fs: pafs.FileSystem, folder: str
) -> Journal:
    depends_on = {"answers": answers.key(), "settings": config.of_answers(), "problems": each.digest}
    return Journal(fs, folder, f"{label}-{each.name}", depends_on)


def _samples_of(each: ProblemSet, answers: Answers) -> list[tuple[Problem, int]]:
    return [(problem, sample) for problem in each.problems for sample in range(answers.number(problem))]


async def _answer_and_judge(
    config: EvaluateConfig, sets: list[ProblemSet], answers: Answers, journals: dict[str, Journal]
) -> None:
    # A failure of the sandbox is retried, on other workers too, and then fails the run: it is never a wrong answer.
    judge = ray.remote(num_cpus=config.cpus_per_program, max_retries=3, retry_exceptions=[OSError])(judge_candidate)
    failures: list[Exception] = []

    async def one(each: ProblemSet, problem: Problem, sample: int) -> None:
        async with asking:
            if failures:  # ask no more, but keep what was answered already
                return
            row = await answers(problem, sample)
        candidate, error = row.pop("candidate"), row.pop("error")
        row |= {"benchmark": each.name, "model": answers.model, "task_id": problem.task_id, "sample": sample}
        row |= {"language": problem.language, "program": f"{candidate}\n\n{problem.tests}"}
        if error:  # the model was not able to answer: counted, and not passed
            verdict = {"passed": False, "outcome": "refused", "seconds": 0.0, "stderr": error} | NOT_RUN
        else:
            verdict = await judge.remote(candidate, problem, config)
        journals[each.name].add(row | verdict)

    def note_failure(task: asyncio.Task[None]) -> None:
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            failures.append(error)

    left = [
        (each, problem, sample)
        for each in sets
        for problem, sample in _samples_of(each, answers)
        if (problem.task_id, sample) not in journals[each.name].rows
    ]
    # A Batch API is asked for all at once: what waits for a place would become a second batch, hours later.
    asking = asyncio.Semaphore(max(1, len(left)) if getattr(answers, "in_batches", False) else config.concurrency)
    log.info("evaluate: %d samples of %s to be made", len(left), ", ".join(each.name for each in sets))
    tasks = [asyncio.create_task(one(*sample)) for sample in left]
    for task in tasks:
        task.add_done_callback(note_failure)
    keeper = asyncio.create_task(_keep(journals, tasks))
    try:
        await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        keeper.cancel()
        for journal in journals.values():
            journal.flush()
    if failures:
        raise failures[0]


async def _keep(journals: dict[str, Journal], tasks: list[asyncio.Task[None]]) -> None:
    """Bring finished samples to disk, and say now and then how many there are."""
    rows = Gauge("wavecoder_stage_rows", "Rows of a stage so far, by outcome", ("stage", "outcome"))
    rate, begun = Gauge("wavecoder_evaluate_verdicts_per_s", "Verdicts a second in this run"), time.monotonic()
    for ticks in itertools.count(1):
        await asyncio.sleep(FLUSH_SECONDS)
        for journal in journals.values():
            journal.flush()
        rate.set(sum(task.done() for task in tasks) / (time.monotonic() - begun))
        outcomes = Counter(row["outcome"] for journal in journals.values() for row in journal.rows.values())
        for outcome, count in outcomes.items():
            rows.set(count, {"stage": "evaluate", "outcome": outcome})
        if ticks % PROGRESS_TICKS == 0:
            log.info("evaluate: %d of %d samples are done", sum(task.done() for task in tasks), len(tasks))
