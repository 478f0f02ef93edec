"""Instructions → a stronger model's answers, by asking it; a failure of one question is data. No Ray here."""

from __future__ import annotations

import logging
import posixpath
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.export.mix import AnswerConfig
from codeocean.generate.few_shot import draw_number
from codeocean.generate.scheduler import DRAIN_S, Question, answer_all
from codeocean.teachers import LEFT_OPEN, failed_alike
from core.chat import Chat, ChatRequest
from core.journal import Journal
from core.storage import part_names, read_part, write_part
from core.text import storable

log = logging.getLogger("wavecoder.codeocean")


@dataclass
class Answers:
    """The answers to some rows, in their order."""

    found: list[tuple[str, str]] = field(default_factory=list)
    """Text, and why there is none, empty where there is."""
    unanswered: list[str] = field(default_factory=list)
    """Ids of the rows that the endpoint refused or failed: they are asked again on the next run."""


@dataclass
class _Part:
    """Answers that become one part file."""

    rows: list[dict[str, Any]]
    journal: Journal
    entries: dict[int, dict[str, Any]] = field(default_factory=dict)
    """By place in the part: `place, text, error, open`."""

    def table(self) -> pa.Table:
        entries = [self.entries[place] for place in range(len(self.rows))]
        texts, errors = ([entry[name] for entry in entries] for name in ("text", "error"))
        return pa.table({"id": [row["id"] for row in self.rows], "text": texts, "error": errors})

    @property
    def is_whole(self) -> bool:
        return len(self.entries) == len(self.rows) and not any(entry["open"] for entry in self.entries.values())


async def answer_rows(
    config: AnswerConfig, rows: pa.Table, chat: Chat, model: str, fs: pafs.FileSystem, folder: str
) -> Answers:
    """The answer to each row; what was answered in earlier runs is read back, not asked for again.

    Args:
        config: limits.
        rows: with `id`, `instruction` and `input`.
        chat: the endpoint.
        model: its name there.
        fs: filesystem of the run directory.
        folder: where answers are kept.

    Raises:
        ConnectionError, PermissionError: the endpoint is gone, refuses the key, or has nothing left to spend; every
            answer stays.
        ValueError: all rows, or nearly all, failed alike.
    """
    parts = _parts(config, rows, fs, folder)
    done = set(part_names(fs, folder))
    open_parts = {number: part for number, part in enumerate(parts) if _name(number) not in done}
    ended = rows.num_rows - sum(len(part.rows) - len(part.entries) for part in open_parts.values())

    async def answer(question: Question) -> Iterable[Question]:
        nonlocal ended
        part = open_parts[question.round]
        entry = {"place": question.place} | await _answer(config, part.rows[question.place], chat, model)
        await part.journal.keep(entry)
        part.entries[question.place] = entry
        ended += 1
        if part.is_whole:
            write_part(fs, posixpath.join(folder, _name(question.round)), part.table())
            part.journal.forget()
        if ended % config.rows_per_part == 0 or ended == rows.num_rows:
            log.info("mix: %d of %d answers", ended, rows.num_rows)
        return ()

    questions = [Question(number, 0, place) for number, part in open_parts.items()
                 for place in range(len(part.rows)) if place not in part.entries]  # fmt: skip
    at_once = max(1, rows.num_rows) if getattr(chat, "in_batches", False) else config.concurrency
    await answer_all(questions, answer, lambda _: "", {"": at_once}, drain_s=DRAIN_S)
    result = Answers()
    examples: dict[str, str] = {}
    for number, part in enumerate(parts):
        table = part.table() if number in open_parts else read_part(fs, posixpath.join(folder, _name(number)))
        result.found += zip(table["text"].to_pylist(), table["error"].to_pylist(), strict=True)
        for place, entry in part.entries.items():
            examples.setdefault(entry["error"], entry.get("details", ""))
            if entry["open"]:
                result.unanswered.append(part.rows[place]["id"])
    failed = Counter(error for _, error in result.found if error)
    if useless := failed_alike(failed, examples, rows.num_rows, config.failed_alike):
        raise ValueError(f"mix.answers: {useless}; mend that and run the same command again")
    return result


def _parts(config: AnswerConfig, rows: pa.Table, fs: pafs.FileSystem, folder: str) -> list[_Part]:
    """The parts, those that are open with what was answered before."""
    parts = []
    for number, start in enumerate(range(0, rows.num_rows, config.rows_per_part)):
        journal = Journal(fs, posixpath.join(folder, _name(number).removesuffix(".parquet")))
        entries = {entry["place"]: entry for entry in journal.read()}
        kept = {place: entry for place, entry in entries.items() if not entry["open"]}
        parts.append(_Part(rows.slice(start, config.rows_per_part).to_pylist(), journal, kept))
    return parts


def _name(number: int) -> str:
    return f"part-{number:05d}.parquet"


async def _answer(config: AnswerConfig, row: dict[str, Any], chat: Chat, model: str) -> dict[str, Any]:
    question = f"{row['instruction']}\n\n{row['input']}" if row["input"].strip() else row["instruction"]
    messages, seed = [{"role": "user", "content": question}], draw_number("answer", row["id"])
    answer = await chat(ChatRequest(model, messages, config.max_tokens, config.temperature, seed))
    text, error = storable(answer["text"]), answer["error"]
    reason = f"no answer: {error.partition(':')[0]}" if error else ""
    if not error and answer["finish_reason"] == "length":
        reason = "answer cut off"
    return {"text": text, "error": reason, "open": answer.get("blame") in LEFT_OPEN, "details": error}
