"""Instances → token rows with the loss on the response only. No Ray here."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from training.conversation import Learn, Message, UncleanSplitError, tokenize_chat
from training.template import to_messages
from training.tokenizer import LossyTextError

IGNORED = -100
"""Label of a token that is not learnt from."""


REASONS = {
    "prompt_too_long": "leaves room for a response in train.max_length {}",
    "changed_by_tokenizer": "is given back by the tokenizer of train.model; take another",
    "unclean_split": "has answers that the chat template of train.prompt tells from the rest; take another, or "
    "train.loss_on: last",
}
"""Why a row is left out, and what to say when none is left."""


@dataclass(frozen=True)
class Example:
    """One row: the prompt, the response, and the end of sequence; of a conversation all its turns."""

    input_ids: list[int]
    labels: list[int]
    """The same tokens; `IGNORED` where they are not learnt from."""
    truncated: bool
    """Whether the response's end was cut off."""
    task: str = ""
    """Which of the code tasks it belongs to, where that is known."""


def tokenize_instance(row: dict[str, Any], tokenizer: Any, max_length: int, learn: Learn = "all") -> Example | None:
    """One instance as tokens; None when its prompt leaves no room for a response.

    Prompt and response are tokenised apart: the prompt's tokens are the very ones that serving produces. Text that
    spells a special token stays text.

    Args:
        row: `instruction, input, output`, or `messages` (a list of `role, content`, or its JSON); and `task` where it
            is known.
        tokenizer: with a chat template installed.
        max_length: most tokens of the row.
        learn: the answers of a conversation that are learnt from.

    Raises:
        LossyTextError: the tokenizer does not give the response back, or does not know the prompt's text.
        UncleanSplitError: the template does not tell the answers of this row from the rest.
    """
    ids, learnt = tokenize_chat(tokenizer, messages_of(row), learn)
    labels = [token if counts else IGNORED for token, counts in zip(ids, learnt, strict=True)]
    kept = labels[:max_length]
    if all(label == IGNORED for label in kept):
        return None
    return Example(ids[:max_length], kept, len(ids) > max_length, row.get("task") or "")


def messages_of(row: dict[str, Any]) -> list[Message]:
    """A row's conversation, its answer included.

    Raises:
        UncleanSplitError: `messages` is no list of messages, or neither that nor an instruction with output.
    """
    messages = row.get("messages")
    if not messages:
        if row.get("instruction") is None or row.get("output") is None:
            raise UncleanSplitError("a row holds no messages, and no instruction with an output")
        return [
            *to_messages(row["instruction"], row.get("input") or ""),
            {"role": "assistant", "content": row["output"]},
        ]
    if isinstance(messages, str):
        try:
            messages = json.loads(messages)
        except ValueError:
            messages = None
    if not isinstance(messages, list) or not all(isinstance(message, dict) for message in messages):
        raise UncleanSplitError("messages is no list of messages")
    return messages


def tokenize_instances(
    rows: Sequence[dict[str, Any]], tokenizer: Any, max_length: int, learn: Learn = "all"
) -> tuple[list[Example], dict[str, int]]:
    """All rows that fit, in order, and the counts of `truncated` and of rows left out, by reason.

    Raises:
        ValueError: not one row is left.
    """
    found = [tokenize_or_reason(row, tokenizer, max_length, learn) for row in rows]
    examples = [example for example in found if isinstance(example, Example)]
    reasons = [reason for reason in found if isinstance(reason, str)]
    counts = count_reasons(reasons, len(found), max_length)
    return examples, {"truncated": sum(example.truncated for example in examples)} | counts


def tokenize_or_reason(row: dict[str, Any], tokenizer: Any, max_length: int, learn: Learn) -> Example | str:
    """One instance as tokens, or the reason for which it is left out."""
    try:
        return tokenize_instance(row, tokenizer, max_length, learn) or "prompt_too_long"
    except LossyTextError:
        return "changed_by_tokenizer"
    except UncleanSplitError:
        return "unclean_split"


def count_reasons(reasons: Sequence[str], num_rows: int, max_length: int) -> dict[str, int]:
    """How many rows each reason left out; but for `prompt_too_long` only those that left out any.

    Raises:
        ValueError: all rows are left out.
    """
    counts = {reason: reasons.count(reason) for reason in REASONS}
    if len(reasons) == num_rows:
        most = max(counts, key=lambda reason: counts[reason])
        raise ValueError(f"none of {num_rows} instances {REASONS[most].format(max_length)}")
    return {reason: count for reason, count in counts.items() if count or reason == "prompt_too_long"}
