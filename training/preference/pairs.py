"""Answers that were accepted and rejected for one instruction → rows for trl's trainers. No Ray and no trl here.

Prompt and answers are tokenised as in fine-tuning: the prompt is the very one that serving produces, and text that
spells a special token stays text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

from training.batches import global_batches
from training.examples import IGNORED, Example, count_reasons, tokenize_or_reason


@dataclass(frozen=True)
class Pair:
    """Tokens of one instruction and its two answers."""

    prompt: list[int]
    chosen: list[int]
    rejected: list[int]
    truncated: bool
    """Whether the end of an answer was cut off."""


def check_trl() -> None:
    """Refuse preference optimisation where trl is missing.

    Raises:
        ValueError: it is.
    """
    missing = [name for name in ("trl", "datasets") if find_spec(name) is None]
    if missing:
        raise ValueError(f"train.objective: {' and '.join(missing)} is not installed; pip install "
                         "'wavecoder-ray[preference]', or set train.objective: sft")  # fmt: skip


def tokenize_pairs(
    rows: Sequence[dict[str, Any]], tokenizer: Any, max_length: int
) -> tuple[list[Pair], dict[str, int]]:
    """All pairs that fit, in order, and the counts of `truncated` and of pairs left out, by reason.

    Args:
        rows: `instruction, input, chosen, rejected`.
        tokenizer: with a chat template installed.
        max_length: most tokens of a prompt with one answer.

    Raises:
        ValueError: not one pair is left.
    """
    found = [_tokenize(row, tokenizer, max_length) for row in rows]
    pairs = [pair for pair in found if isinstance(pair, Pair)]
    reasons = [reason for reason in found if isinstance(reason, str)]
    counts = count_reasons(reasons, len(found), max_length)
    return pairs, {"truncated": sum(pair.truncated for pair in pairs)} | counts


def _tokenize(row: dict[str, Any], tokenizer: Any, max_length: int) -> Pair | str:
    asked = {"instruction": row.get("instruction"), "input": row.get("input")}
    halves = [tokenize_or_reason(asked | {"output": row.get(name)}, tokenizer, max_length, "last")
              for name in ("chosen", "rejected")]  # fmt: skip
    reason = next((half for half in halves if isinstance(half, str)), None)
    if reason is not None:
        return reason
    chosen, rejected = (half for half in halves if isinstance(half, Example))
    (prompt, accepted), (other, turned_down) = _split(chosen), _split(rejected)
    if prompt != other or accepted == turned_down:  # alike up to the cut: nothing to prefer
        return "unclean_split" if prompt != other else "prompt_too_long"
    return Pair(prompt, accepted, turned_down, chosen.truncated or rejected.truncated)


def _split(example: Example) -> tuple[list[int], list[int]]:
    first = next(number for number, label in enumerate(example.labels) if label != IGNORED)
    return example.input_ids[:first], example.input_ids[first:]


Row = dict[str, Any]


def dpo_rows(pairs: Sequence[Pair]) -> list[Row]:
    """A row for each pair, as trl's `DPOTrainer` tokenises them."""
    return [{"prompt_ids": pair.prompt, "chosen_ids": pair.chosen, "rejected_ids": pair.rejected} for pair in pairs]


def kto_rows(pairs: Sequence[Pair]) -> list[Row]:
    """A row for each different answer, as trl's `KTOTrainer` tokenises them: `label` says whether it was accepted."""
    rows: dict[tuple[tuple[int, ...], ...], Row] = {}
    for pair in pairs:
        for answer, label in ((pair.chosen, True), (pair.rejected, False)):
            key = (tuple(pair.prompt), tuple(answer), (int(label),))
            rows.setdefault(key, {"prompt_ids": pair.prompt, "completion_ids": answer, "label": label})
    return list(rows.values())


def in_order(rows: Sequence[Row], batch: int, epochs: int, seed: int) -> list[Row]:
    """The rows of all epochs in the order in which they are learnt, each epoch a permutation of its own."""
    return [rows[number] for step in global_batches(len(rows), batch, epochs, seed) for number in step]


def with_mismatched(rows: Sequence[Row], micro_batch: int) -> list[Row]:
    """KTO's rows with `KL_completion_ids`: the answer of the row before within a forward pass, as trl pairs them."""
    found = []
    for start in range(0, len(rows), micro_batch):
        group = rows[start : start + micro_batch]
        found += [row | {"KL_completion_ids": group[place - 1]["completion_ids"]} for place, row in enumerate(group)]
    return found


def lengths_of(row: Row) -> Iterator[tuple[int, int]]:
    """Tokens, and tokens that are learnt from, of each sequence that a row becomes."""
    for name in ("chosen_ids", "rejected_ids", "completion_ids"):
        if name in row:
            yield len(row["prompt_ids"]) + len(row[name]), len(row[name])
