"""The prompt as a chat template, so that training, serving and evaluation cannot disagree: by default the paper's.

It is the Alpaca prompt (Taori et al. 2023; WaveCoder, section 3.1) with and without input. A chat client sends
instruction and input in one user message, with the line `### Input:` between them; a message without it is the form
without input.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from training.conversation import UncleanSplitError, template_of
from training.settings import read_prompt
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


def install_chat_template(tokenizer: Any, prompt: str = "paper") -> None:
    """Bake a prompt into a tokenizer.

    Args:
        tokenizer: changed.
        prompt: as `train.prompt`.

    Raises:
        ValueError: the tokenizer has no end-of-sequence token, so that no answer could end; it has no template of its
            own where that is asked for; or the template's answers cannot be told from its prompts.
    """
    if tokenizer.eos_token_id is None:
        raise ValueError("train.model: its tokenizer has no end-of-sequence token; choose a model that has one")
    prompt = read_prompt(prompt)
    if prompt == "paper":
        tokenizer.chat_template = paper_template(tokenizer)
        return
    if prompt == "model" and not tokenizer.chat_template:
        raise ValueError("train.prompt is model, but the tokenizer of train.model has no chat template; take paper or "
                         "the file of one")  # fmt: skip
    if prompt == "model" and isinstance(tokenizer.chat_template, dict) and "default" not in tokenizer.chat_template:
        raise ValueError("train.prompt is model, but the tokenizer of train.model has several chat templates "
                         f"({', '.join(tokenizer.chat_template)}) and none called default; write one of them to a file "
                         "and name that")  # fmt: skip
    tokenizer.chat_template = tokenizer.get_chat_template() if prompt == "model" else prompt
    try:
        template_of(tokenizer).check()
    except UncleanSplitError as error:
        source = "the chat template of train.model" if prompt == "model" else "train.prompt"
        raise ValueError(f"{source} cannot be trained with: {error}") from None
