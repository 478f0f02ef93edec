"""The paper's prompt as a chat template, so that training, serving and evaluation cannot disagree.

It is the Alpaca prompt (Taori et al. 2023; WaveCoder, section 3.1) with and without input. A chat client sends
instruction and input in one user message, with the line `### Input:` between them; a message without it is the form
without input.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.tokenizer import load_served

TEMPLATE = Path(__file__).with_name("chat_template.jinja").read_text(encoding="utf-8").rstrip("\n")

INPUT_MARK = "\n\n### Input:\n"


def to_messages(instruction: str, input_: str) -> list[dict[str, str]]:
    """The chat that asks for an instance's output."""
    content = f"{instruction}{INPUT_MARK}{input_}" if input_ else instruction
    return [{"role": "user", "content": content}]


def chat_template_for(model: str) -> str | None:
    """The paper's prompt for a model whose tokenizer has no chat template; None for one that brings its own.

    Args:
        model: Hugging Face folder or id.

    Raises:
        ValueError: an engine would read text otherwise than training does, or its tokenizer loses code.
    """
    tokenizer = load_served(model)
    return None if tokenizer.chat_template else paper_template(tokenizer)


def paper_template(tokenizer: Any) -> str:
    """The template, with a beginning-of-sequence token where the tokenizer adds one."""
    starts = tokenizer("x").input_ids[:1] == [tokenizer.bos_token_id]
    return ("{{- bos_token -}}" if starts else "") + TEMPLATE


def install_chat_template(tokenizer: Any) -> None:
    """Bake the paper's prompt into a tokenizer.

    Raises:
        ValueError: the tokenizer has no end-of-sequence token, so that no answer could end.
    """
    if tokenizer.eos_token_id is None:
        raise ValueError("train.model: its tokenizer has no end-of-sequence token; choose a model that has one")
    tokenizer.chat_template = paper_template(tokenizer)
