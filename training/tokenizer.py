"""A model's tokenizer as its own file describes it, proved on code; text as tokens, never as special ones. No Ray here.

`transformers` 5 may rebuild a tokenizer from its vocabulary under the rules of the class that its configuration names:
DeepSeek-Coder's byte-level file, labelled `LlamaTokenizerFast`, then loses all white space. Here `tokenizer.json` is
taken as it is.

Text of the data that spells a special token (`</s>` in HTML) stays text (core/literal_text.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from core.literal_text import MARK, LiteralText
from core.text import is_storable

PROBE = "class Add:\n  def add(a, b):\n\tif a  ==  b:\n\t\treturn {a: [b]}\n\n\n    # then\n        x = 'a\\tb'  \n"
"""Code that every tokenizer must give back: spaces, tabs, line breaks, indentation."""

_ANCHOR = ":"
"""Stands before a text that goes on; the paper's prompt ends so, too."""


class LossyTextError(ValueError):
    """A text that the tokenizer does not give back."""


def load_own(model: str) -> Any:
    """The tokenizer of a folder or hub id, by its `tokenizer.json` where it has one.

    Raises:
        ValueError: there is none, or it does not give code back.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    try:
        own = has_tokenizer_file(model)
        tokenizer = (PreTrainedTokenizerFast if own else AutoTokenizer).from_pretrained(model, trust_remote_code=False)
        if own and tokenizer.eos_token is None:  # some are named by the class alone
            tokenizer.eos_token = AutoTokenizer.from_pretrained(model, trust_remote_code=False).eos_token
    except Exception as error:  # noqa: BLE001 - the tokenizers library raises bare Exceptions
        raise ValueError(f"{model!r} has no tokenizer that loads: {_line(error)}") from None
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        raise ValueError(f"{model!r}: its tokenizer {type(tokenizer).__name__} is not one of the tokenizers library; "
                         "choose a model with a tokenizer.json")  # fmt: skip
    _check_round_trip(tokenizer, model)
    return tokenizer


def load_served(model: str) -> Any:
    """The tokenizer as engines load it, when it reads text as `tokenizer.json` and training do.

    Engines load tokenizers through `AutoTokenizer`, which may rebuild one.

    Args:
        model: folder or hub id.

    Raises:
        ValueError: the tokens of code differ, or they do not give it back; the line says what to change.
    """
    from transformers import AutoTokenizer, PreTrainedTokenizerFast

    served = AutoTokenizer.from_pretrained(model, trust_remote_code=False)
    if getattr(served, "backend_tokenizer", None) is None:
        return served
    if has_tokenizer_file(model):
        own = PreTrainedTokenizerFast.from_pretrained(model, trust_remote_code=False)
        for text in (PROBE, "".join(map(str, own.all_special_tokens)) + PROBE):
            if served(text, add_special_tokens=False).input_ids != own(text, add_special_tokens=False).input_ids:
                raise ValueError(
                    f"{model!r}: transformers rebuilds its tokenizer as {type(served).__name__}, which reads code "
                    'otherwise than its tokenizer.json; set "tokenizer_class": "PreTrainedTokenizerFast" in its '
                    "tokenizer_config.json"
                )
    _check_round_trip(served, model)
    return served


def save_tokenizer(tokenizer: Any, folder: Path) -> None:
    """Write a tokenizer that `transformers` 4 and 5 and vLLM load as it is, whatever class its base named."""
    tokenizer.save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    described = json.loads(file.read_text(encoding="utf-8"))
    described["tokenizer_class"] = "PreTrainedTokenizerFast"
    if isinstance(described.get("extra_special_tokens"), list):  # a list has another name in transformers 4
        described["additional_special_tokens"] = described.pop("extra_special_tokens")
    file.write_text(json.dumps(described, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def has_tokenizer_file(model: str) -> bool:
    """Whether a folder or hub id holds a `tokenizer.json`; that of a hub id is fetched."""
    from transformers.utils.hub import cached_file

    if Path(model).is_dir():
        return (Path(model) / "tokenizer.json").is_file()
    try:
        return cached_file(model, "tokenizer.json") is not None
    except OSError:
        return False


class TextEncoder:
    """Prompts and answers as tokens, in which the text itself never becomes a special token."""

    def __init__(self, tokenizer: Any) -> None:
        """For a tokenizer of the tokenizers library."""
        self._literal = LiteralText(tokenizer)
        self.control, self.spelled = self._literal.control, self._literal.spelled
        self._special = set(self.control.values())
        self._decode = tokenizer.backend_tokenizer.decode
        self._anchor = self._literal.encode_plain(_ANCHOR)

    def prompt(self, tokenizer: Any, messages: list[dict[str, str]]) -> list[int]:
        """A chat's tokens up to the answer, as the tokenizer's template has them.

        Raises:
            LossyTextError: a message holds characters that the tokenizer does not know.
        """
        defused = [message | {"content": self.defused(message["content"])} for message in messages]
        return self.rendered(tokenizer.apply_chat_template(defused, add_generation_prompt=True, tokenize=False))

    def rendered(self, text: str, behind: str = "") -> list[int]:
        """Tokens of a piece of what a template made of defused messages.

        Args:
            text: the piece.
            behind: the control token before it, where it is not the first.

        Raises:
            LossyTextError: it holds characters that the tokenizer does not know.
        """
        ids = self._literal.encode(behind + text)
        if sum(token in self._special for token in ids) != len(self.spelled.findall(behind + text)):
            raise LossyTextError(f"the prompt {text[:60]!r} holds text that the tokenizer does not know")
        return ids[1:] if behind else ids

    def answer(self, text: str) -> list[int]:
        """The tokens of a text that goes on behind a prompt: no space before it, no special token in it.

        Raises:
            LossyTextError: these tokens do not give the text back.
        """
        ids = self._literal.encode_plain(text)
        given = self._decode([*self._anchor, *ids], skip_special_tokens=False)
        if given != _ANCHOR + text or not self._special.isdisjoint(ids):
            at = next((n for n, pair in enumerate(zip(_ANCHOR + text, given, strict=False)) if pair[0] != pair[1]),
                      len(given)) - len(_ANCHOR)  # fmt: skip
            at = max(0, at)
            raise LossyTextError(f"{text[at : at + 20]!r} comes back as {given[at + 1 : at + 21]!r}")
        return ids

    def defused(self, text: str) -> str:
        """The text with special tokens that it spells broken up, so that only the template's are left.

        Raises:
            LossyTextError: it holds the noncharacter that breaks them up, or half a pair of surrogates.
        """
        if MARK in text or not is_storable(text):
            raise LossyTextError(f"a message holds the noncharacter {MARK!r} or half a pair of surrogates")
        return self._literal.defused(text)


_ENCODERS: WeakKeyDictionary[Any, TextEncoder] = WeakKeyDictionary()


def encoder_of(tokenizer: Any) -> TextEncoder:
    """The tokenizer's encoder, made once."""
    if tokenizer not in _ENCODERS:
        _ENCODERS[tokenizer] = TextEncoder(tokenizer)
    return _ENCODERS[tokenizer]


def _check_round_trip(tokenizer: Any, model: str) -> None:
    try:
        encoder_of(tokenizer).answer(PROBE)
    except LossyTextError as error:
        raise ValueError(f"{model!r}: its tokenizer does not give code back: {error}") from None


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
