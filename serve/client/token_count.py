"""Tokens of a question and its answer where the endpoint does not tell them: by the model's tokenizer, or estimated.

Special tokens and the chat template's own are not counted.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer

BYTES_PER_TOKEN = 4
"""Of English and code, about, in UTF-8; where no tokenizer is named."""


def counted(tokenizer: str, body: dict[str, Any], answer: dict[str, Any]) -> dict[str, int]:
    """What stands in for the tokens that the endpoint did not tell.

    Args:
        tokenizer: file `tokenizer.json` of the model, or empty.
        body: of the request.
        answer: `text, reasoning`.

    Returns:
        `prompt_tokens, completion_tokens, reasoning_tokens`, and `estimated`, which is 1: an answer counted here.

    Raises:
        ValueError: the file is no tokenizer.
    """
    asked = [*_texts(body.get("system")), *_texts(body.get("messages")), *_texts(body.get("prompt"))]
    thought = _count(tokenizer, [answer["reasoning"]])
    return {
        "prompt_tokens": _count(tokenizer, asked),
        "completion_tokens": _count(tokenizer, [answer["text"]]) + thought,
        "reasoning_tokens": thought,
        "estimated": 1,
    }


def _count(tokenizer: str, texts: list[str]) -> int:
    if not tokenizer:
        return -(-sum(len(text.encode()) for text in texts) // BYTES_PER_TOKEN)
    return sum(len(encoding) for encoding in _loaded(tokenizer).encode_batch(texts, add_special_tokens=False))


@cache
def _loaded(file: str) -> Tokenizer:
    try:
        return Tokenizer.from_file(str(Path(file).expanduser()))
    except Exception as error:  # noqa: BLE001 - the library raises Exception itself
        raise ValueError(f"rules.tokenizer is {file!r}, which is no tokenizer.json ({str(error)[:200]})") from None


def _texts(value: Any) -> list[str]:
    """Every text of a message's content; names and roles are not content."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, dict):
        return [text for name in ("content", "text") for text in _texts(value.get(name))]
    return []
