"""Text as tokens in which only a template's own control tokens are control tokens. No Ray here.

What a row of data or a user of an endpoint writes may spell a control token (`<|im_end|>`, `</s>` in HTML). Broken up
by a noncharacter before a chat template is applied, it is told from the template's own, and is encoded as the text that
it is: a copy of the tokenizer knows its control tokens under marked names alone.
"""

from __future__ import annotations

import json
import re
from typing import Any

from tokenizers import Tokenizer

_CONTROL = re.compile(r"<[|｜].+[|｜]>|<(?:start|end)_of_\w+>")
"""Names of control tokens, also where a tokenizer's file calls them no special ones."""

MARK = "\ufdd0"
"""A Unicode noncharacter: in no text that is meant for exchange."""


class LiteralText:
    """A tokenizer of the tokenizers library that reads control tokens only where they are whole."""

    def __init__(self, tokenizer: Any) -> None:
        """Find the control tokens; the copies are made when a text is first encoded.

        Args:
            tokenizer: of `transformers`, with a `backend_tokenizer`.
        """
        named = {str(token) for token in tokenizer.all_special_tokens}
        self.control: dict[str, int] = {}
        """Text and number of each token that stands for no text."""
        for number, token in tokenizer.added_tokens_decoder.items():
            content = str(token)
            if token.special or content in named or _CONTROL.fullmatch(content):
                self.control[content] = number
        longest_first = sorted(self.control, key=len, reverse=True)
        self.spelled = re.compile("|".join(map(_whole, longest_first)) or "(?!)")
        # Looks ahead, so that a token inside another one, or behind its beginning, is found too.
        self._begins = re.compile(f"(?=(?:{self.spelled.pattern}))(.)", re.DOTALL)
        self._backend = tokenizer.backend_tokenizer
        self._copies: dict[bool, tuple[Tokenizer, dict[int, int]]] = {}

    def __deepcopy__(self, memo: Any) -> LiteralText:
        return self  # it never changes, and its copies of a tokenizer are large

    def defused(self, text: str) -> str:
        """The text with the control tokens that it spells broken up by `MARK`; one of one character has it before."""
        return self._begins.sub(lambda found: (MARK if found[1] in self.control else "") + found[1] + MARK, text)

    def encode(self, text: str) -> list[int]:
        """Tokens of a text: whole control tokens as such, those that are broken up as text."""
        parts = re.split(f"({self.spelled.pattern})", text)
        marked = "".join(MARK + part if number % 2 else part.replace(MARK, "") for number, part in enumerate(parts))
        return self._encode(marked, continues=False)

    def encode_plain(self, text: str) -> list[int]:
        """Tokens of a text without `MARK` that goes on behind another: no space before it, no control token in it."""
        return self._encode(text, continues=True)

    def _encode(self, text: str, *, continues: bool) -> list[int]:
        if continues not in self._copies:
            self._copies[continues] = self._copy(continues=continues)
        copy, numbers = self._copies[continues]
        return [numbers.get(token, token) for token in copy.encode(text, add_special_tokens=False).ids]

    def _copy(self, *, continues: bool) -> tuple[Tokenizer, dict[int, int]]:
        """The pipeline with marked names, and its tokens' numbers, as those that were renamed have got others."""
        described = json.loads(self._backend.to_str())
        numbers = {}
        for token in described["added_tokens"]:
            if token["content"] in self.control:
                token["content"] = MARK + token["content"]
            numbers[token["content"]] = token["id"]
        described |= {"post_processor": None, "truncation": None, "padding": None}
        if continues:
            for part in ("normalizer", "pre_tokenizer"):
                described[part] = _without_prefix(described[part])
        copy = Tokenizer.from_str(json.dumps(described))
        return copy, {number: numbers[token.content] for number, token in copy.get_added_tokens_decoder().items()}


def _whole(token: str) -> str:
    """A pattern of a control token that is not broken up."""
    return re.escape(token) if len(token) > 1 else f"(?<!{MARK}){re.escape(token)}"


def _without_prefix(part: Any) -> Any:
    """A normalizer or pre-tokenizer that puts no space before a text."""
    if part is None or part["type"] == "Prepend":
        return None
    if part["type"] == "Metaspace":
        return part | {"prepend_scheme": "never"}
    if part["type"] == "ByteLevel":
        return part | {"add_prefix_space": False}
    if part["type"] == "Sequence":
        name = "normalizers" if "normalizers" in part else "pretokenizers"
        kept = [_without_prefix(each) for each in part[name]]
        return part | {name: [each for each in kept if each is not None]}
    return part
