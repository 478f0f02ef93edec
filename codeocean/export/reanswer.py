"""Instructions → a stronger model's answers, by asking it; a failure of one question is data. No Ray here."""

from __future__ import annotations

import asyncio
import logging
import posixpath
from typing import Any, Protocol

import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.export.mix import AnswerConfig
from codeocean.generate.few_shot import draw_number
from core.storage import part_names, read_part, write_part

log = logging.getLogger("wavecoder.codeocean")


class Chat(Protocol):
    """Asks an LLM; a failure of one question is data: its `error` is not empty."""

    async def __call__(
        self, *, model: str, messages: list[dict[str, str]], max_tokens: int, temperature: float, seed: int
    ) -> dict[str, Any]:
        """`{text, finish_reason, …, error}`."""


async def answer_all(
    config: AnswerConfig, rows: pa.Table, chat: Chat, model: str, fs: pafs.FileSystem, folder: str
) -> list[tuple[str, str]]:
    """Text and error of the answer to each row, in order; finished parts are read back, not asked for again.

    Args:
        config: limits.
        rows: with `id`, `instruction` and `input`.
        chat: the endpoint.
        model: its name there.
        fs: filesystem of the run directory.
        folder: where parts are kept.

    Raises:
        ConnectionError, PermissionError: the endpoint is gone or refuses the key; finished parts stay.
    """
    done, limit = set(part_names(fs, folder)), asyncio.Semaphore(config.concurrency)
    answers: list[tuple[str, str]] = []
    for number, start in enumerate(range(0, rows.num_rows, config.rows_per_part)):
        path = posixpath.join(folder, f"part-{number:05d}.parquet")
        if posixpath.basename(path) not in done:
            part = rows.slice(start, config.rows_per_part).to_pylist()
            found = await asyncio.gather(*[_answer(config, row, chat, model, limit) for row in part])
            texts, errors = zip(*found, strict=True)
            write_part(fs, path, pa.table({"id": [row["id"] for row in part], "text": texts, "error": errors}))
            log.info("mix: %d of %d answers", min(start + config.rows_per_part, rows.num_rows), rows.num_rows)
        table = read_part(fs, path)
        answers += zip(table["text"].to_pylist(), table["error"].to_pylist(), strict=True)
    return answers


async def _answer(
    config: AnswerConfig, row: dict[str, Any], chat: Chat, model: str, limit: asyncio.Semaphore
) -> tuple[str, str]:
    question = f"{row['instruction']}\n\n{row['input']}" if row["input"].strip() else row["instruction"]
    async with limit:
        answer = await chat(
            model=model,
            messages=[{"role": "user", "content": question}],
            max_tokens=config.max_tokens,
            temperature=config.temperature,
            seed=draw_number("answer", row["id"]),
        )
    text = answer["text"].encode("utf-8", "replace").decode()
    return text, "no answer" if answer["error"] else "answer cut off" if answer["finish_reason"] == "length" else ""
