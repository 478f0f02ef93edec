"""A tokenizer that reads what a user writes as text: control tokens that a message spells never become such."""

from __future__ import annotations

import copy
from typing import Any

from transformers import BatchEncoding

from core.literal_text import MARK, LiteralText


def literal_tokenizer(tokenizer: Any, rules: LiteralText | None = None) -> Any:
    """The same tokenizer, in whose chats only the template's own control tokens are control tokens.

    A prompt that is no chat is encoded as ever.

    Args:
        tokenizer: of `transformers`; one that is not of the tokenizers library is given back as it is.
        rules: the tokenizer's, where they are known already.
    """
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        return tokenizer
    known = rules or LiteralText(tokenizer)

    class LiteralTokenizer(tokenizer.__class__):
        def apply_chat_template(self, conversation: Any, tools: Any = None, **options: Any) -> Any:
            """As in the base class, control tokens that the messages and tools spell broken up."""
            return super().apply_chat_template(_defused(conversation, known), _defused(tools, known), **options)

        def _encode_plus(self, text: Any, *rest: Any, **options: Any) -> BatchEncoding:
            """As in the base class, which lies behind every way to encode; what was broken up is text."""
            if isinstance(text, str) and MARK in text:
                found = self._encode_broken_up(text, **options)
                return BatchEncoding({"input_ids": found, "attention_mask": [1] * len(found)})
            if isinstance(text, list) and any(isinstance(each, str) and MARK in each for each in text):
                each_alone = [self._encode_plus(each, *rest, **options) for each in text]
                return BatchEncoding({name: [one[name] for one in each_alone] for name in each_alone[0]})
            return super()._encode_plus(text, *rest, **options)

        def _encode_broken_up(
            self, text: str, *, add_special_tokens: bool = True, truncation_strategy: Any = None,
            max_length: int | None = None, **_: Any,
        ) -> list[int]:  # fmt: skip
            first = super()._encode_plus("", add_special_tokens=True)["input_ids"] if add_special_tokens else []
            ids = [*first, *known.encode(text)]
            whole = getattr(truncation_strategy, "value", None) == "do_not_truncate"
            if whole or max_length is None or len(ids) <= max_length:
                return ids
            return ids[len(ids) - max_length :] if self.truncation_side == "left" else ids[:max_length]

        def __reduce__(self) -> Any:  # vLLM makes copies, and its own tokenizers copy themselves without this class
            return literal_tokenizer, (tokenizer, known)

    made = copy.copy(tokenizer)
    made.__class__ = LiteralTokenizer
    return made


def _defused(value: Any, rules: LiteralText) -> Any:
    """Messages or tools with the control tokens in all their texts broken up."""
    if isinstance(value, str):
        return rules.defused(value.replace(MARK, ""))
    if isinstance(value, dict):
        return {name: _defused(each, rules) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_defused(each, rules) for each in value]
    return value
