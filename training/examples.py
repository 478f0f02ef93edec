"""Instances → token rows with the loss on the response only. No Ray here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.template import to_messages

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

    Prompt and response are tokenised apart: the prompt's tokens are the very ones that serving produces.

    Args:
        row: `instruction, input, output`, and `task` where it is known.
        tokenizer: with the paper's chat template installed.
        max_length: most tokens of the row.
    """
    prompt = tokenizer.apply_chat_template(
        to_messages(row["instruction"], row["input"]), add_generation_prompt=True, tokenize=True, return_dict=False
    )
    response = [*tokenizer(row["output"], add_special_tokens=False).input_ids, tokenizer.eos_token_id]
    room = max_length - len(prompt)
    if room < 1:
        return None
    kept = response[:room]
    return Example([*prompt, *kept], [IGNORED] * len(prompt) + kept, len(response) > room, row.get("task", ""))


def tokenize_instances(
    rows: Sequence[dict[str, str]], tokenizer: Any, max_length: int
) -> tuple[list[Example], dict[str, int]]:
    """All rows that fit, in order, and the counts of `truncated` and `prompt_too_long`.

    Raises:
        ValueError: not one row fits.
    """
    found = [tokenize_instance(row, tokenizer, max_length) for row in rows]
    examples = [example for example in found if example is not None]
    if not examples:
        raise ValueError(f"none of {len(found)} instances leaves room for a response in train.max_length {max_length}")
    counts = {
        "truncated": sum(example.truncated for example in examples),
        "prompt_too_long": len(found) - len(examples),
    }
    return examples, counts
