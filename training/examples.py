"""Instances → token rows with the loss on the response only. No Ray here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.template import to_messages
from training.tokenizer import LossyTextError, encoder_of

IGNORED = -100
"""Label of a token that is not learnt from."""


@dataclass(frozen=True)
class Example:
    """One row: the prompt, the response, and the end of sequence."""

    input_ids: list[int]
    labels: list[int]
    """The same tokens; `IGNORED` where they belong to the prompt."""
    truncated: bool
    """Whether the response's end was cut off."""
    task: str = ""
    """Which of the code tasks it belongs to, where that is known."""


def tokenize_instance(row: dict[str, str], tokenizer: Any, max_length: int) -> Example | None:
    """One instance as tokens; None when its prompt leaves no room for a response.

    Prompt and response are tokenised apart: the prompt's tokens are the very ones that serving produces. Text that
    spells a special token stays text.

    Args:
        row: `instruction, input, output`, and `task` where it is known.
        tokenizer: with the paper's chat template installed.
        max_length: most tokens of the row.

    Raises:
        LossyTextError: the tokenizer does not give the response back, or does not know the prompt's text.
    """
    encoder = encoder_of(tokenizer)
    prompt = encoder.prompt(tokenizer, to_messages(row["instruction"], row["input"]))
    response = [*encoder.answer(row["output"]), tokenizer.eos_token_id]
    room = max_length - len(prompt)
    if room < 1:
        return None
    kept = response[:room]
    return Example([*prompt, *kept], [IGNORED] * len(prompt) + kept, len(response) > room, row.get("task", ""))


def tokenize_instances(
    rows: Sequence[dict[str, str]], tokenizer: Any, max_length: int
) -> tuple[list[Example], dict[str, int]]:
    """All rows that fit, in order, and the counts of `truncated` and of rows left out, by reason.

    Raises:
        ValueError: not one row is left.
    """
    found = [tokenize_or_reason(row, tokenizer, max_length) for row in rows]
    examples = [example for example in found if isinstance(example, Example)]
    reasons = [reason for reason in found if isinstance(reason, str)]
    counts = count_reasons(reasons, len(found), max_length)
    return examples, {"truncated": sum(example.truncated for example in examples)} | counts


def tokenize_or_reason(row: dict[str, str], tokenizer: Any, max_length: int) -> Example | str:
    """One instance as tokens, or the reason for which it is left out."""
    try:
        return tokenize_instance(row, tokenizer, max_length) or "prompt_too_long"
    except LossyTextError:
        return "changed_by_tokenizer"


def count_reasons(reasons: Sequence[str], num_rows: int, max_length: int) -> dict[str, int]:
    """How many rows each reason left out; `changed_by_tokenizer` only where there are any.

    Raises:
        ValueError: all rows are left out.
    """
    lossy, too_long = (reasons.count(reason) for reason in ("changed_by_tokenizer", "prompt_too_long"))
    if lossy == num_rows > 0:
        raise ValueError(f"none of {num_rows} instances is given back by the tokenizer of train.model; take another")
    if lossy + too_long == num_rows:
        raise ValueError(f"none of {num_rows} instances leaves room for a response in train.max_length {max_length}")
    return {"prompt_too_long": too_long} | ({"changed_by_tokenizer": lossy} if lossy else {})
