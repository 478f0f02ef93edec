"""Endpoint → scores on Ray: answers are asked for concurrently, and programs run while the next answers come."""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import posixpath
from dataclasses import asdict
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.parquet as pq
import ray
from pyarrow import fs as pafs

from eval.extract import extract_code
from eval.humaneval import Problem, build_program, load_humaneval, messages_for
from eval.sandbox import isolation, run_program
from eval.scores import SAMPLES, score_samples
from eval.settings import EvaluateConfig

log = logging.getLogger("wavecoder.eval")

_KEY = b"wavecoder"


class Chat(Protocol):
    """Asks an LLM; a failure of one question is data: its `error` is not empty."""

    async def __call__(
        self, *, model: str, messages: list[dict[str, str]], max_tokens: int, temperature: float, seed: int
    ) -> dict[str, Any]:
        """`{text, finish_reason, prompt_tokens, completion_tokens, error}`."""


def load_problems(config: EvaluateConfig) -> tuple[list[Problem], str]:
    """The problems to answer and the digest of their file; raises as `load_humaneval` does, and without a sandbox."""
    problems, digest = load_humaneval(config.dataset)
    if not config.unsafe_no_sandbox:
        isolation()
    return problems[: config.limit], digest


def evaluate(
    config: EvaluateConfig, *, chat: Chat, model: str, label: str, fs: pafs.FileSystem, folder: str
) -> dict[str, Any]:
    """Score one model; finished parts are read back, not done again.

    Args:
        config: benchmark and limits.
        chat: the endpoint.
        model: its name there.
        label: first word of the part files, such as "base".
        fs: filesystem of the run directory.
        folder: the stage's folder.

    Returns:
        `{label, model, benchmark, n, samples_per_problem, pass_at_1, outcomes, dataset_digest, seconds}`.

    Raises:
        ConnectionError: the endpoint is gone; finished parts stay.
    """
    problems, digest = load_problems(config)
    settings = config.model_dump_json(exclude={"concurrency", "cpus_per_program"})
    key = hashlib.sha256(json.dumps([settings, model, digest]).encode()).hexdigest()[:16]
    tables = []
    for number, start in enumerate(range(0, len(problems), config.part_size)):
        path = posixpath.join(folder, f"{label}-part-{number:05d}.parquet")
        table = _finished_part(fs, path, key)
        if table is None:
            part = problems[start : start + config.part_size]
            table = pa.Table.from_pylist(asyncio.run(_answer_and_run(config, part, chat, model)), schema=SAMPLES)
            _write(fs, path, table.replace_schema_metadata({_KEY: key.encode()}))
        tables.append(table.replace_schema_metadata(None))
        done = pa.concat_tables(tables)
        passed = sum(done["passed"].to_pylist())
        log.info("evaluate: %s, %d of %d problems, %d of %d samples passed", label,
                 min(start + config.part_size, len(problems)), len(problems), passed, done.num_rows)  # fmt: skip
    scores = score_samples(pa.concat_tables(tables))
    return {"label": label, "model": model, "benchmark": config.benchmark, "dataset_digest": digest} | scores


async def _answer_and_run(
    config: EvaluateConfig, problems: list[Problem], chat: Chat, model: str
) -> list[dict[str, Any]]:
    limit = asyncio.Semaphore(config.concurrency)
    run = ray.remote(num_cpus=config.cpus_per_program, max_retries=3)(_run_candidate)

    async def one(problem: Problem, sample: int) -> dict[str, Any]:
        messages = messages_for(problem)
        async with limit:
            answer = await chat(model=model, messages=messages, max_tokens=config.max_tokens,
                                temperature=config.temperature, seed=config.seed + sample)  # fmt: skip
        completion = extract_code(answer["text"], problem.entry_point)
        row: dict[str, Any] = {
            "benchmark": config.benchmark,
            "model": model,
            "task_id": problem.task_id,
            "language": problem.language,
            "sample": sample,
            "prompt": messages[-1]["content"],
            "raw_answer": answer["text"],
            "completion": completion,
            "program": build_program(problem, completion),
        }
        if answer["error"]:  # the model was not able to answer: counted, and not passed
            return row | {"passed": False, "outcome": "refused", "seconds": 0.0, "stderr": answer["error"]}
        return row | await run.remote(row["program"], config)

    return await asyncio.gather(*[one(problem, n) for problem in problems for n in range(config.samples)])


def _run_candidate(program: str, config: EvaluateConfig) -> dict[str, Any]:
    outcome = run_program(
        program,
        language="python",
        timeout=config.timeout_s,
        memory_mb=config.memory_mb,
        unsafe_no_sandbox=config.unsafe_no_sandbox,
    )
    return {name: value for name, value in asdict(outcome).items() if name != "stdout"}


def _finished_part(fs: pafs.FileSystem, path: str, key: str) -> pa.Table | None:
    """The part, unless it is missing, damaged, or of other settings."""
    if not fs.get_file_info(path).is_file:
        return None
    try:
        table = pq.read_table(path, filesystem=fs)
    except pa.ArrowInvalid:
        return None
    return table if (table.schema.metadata or {}).get(_KEY) == key.encode() else None


def _write(fs: pafs.FileSystem, path: str, table: pa.Table) -> None:
    fs.create_dir(posixpath.dirname(path), recursive=True)
    making = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.making")
    with fs.open_output_stream(making) as stream:
        pq.write_table(table, stream, compression="zstd")
    fs.move(making, path)
