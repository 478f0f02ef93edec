"""What of a row the encoder is sent, and what of it no longer fits the encoder's window.

An encoder reads so many tokens and drops the rest in silence: with MiniLM's 256 a third of real rows is cut, and where
long documentation comes first, no token of the code is left. So what is sent is a setting, and what is cut is counted.
Texts are cut where a token ends, and are tokenised again by the library, which sees nothing unusual.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import numpy as np

Sent = Literal["docstring and code", "code and docstring", "code", "share", "head and tail", "windows"]
"""What is encoded.

"docstring and code", "code and docstring": one behind the other, cut at the end. "code": without the documentation.
"share": half of the window for each, and what one does not need for the other. "head and tail": documentation and
code, of which the middle is left out. "windows": all of both, as the mean of the vectors of as many texts as it takes.
"""

Offsets = Sequence[tuple[int, int]]
"""Where each token of a text begins and ends."""


@dataclass(frozen=True)
class SentTexts:
    """Texts for the encoder."""

    texts: list[str]
    rows: np.ndarray[Any, np.dtype[np.int32]]
    """The row of each text."""
    cut: int = 0
    """Rows of which the encoder does not see all."""
    without_code: int = 0
    """Rows of whose code it sees nothing."""


@dataclass(frozen=True)
class Window:
    """How much an encoder reads, and how it counts."""

    tokens: int
    """Tokens of a text, without those that the model adds."""
    offsets: Callable[[list[str]], list[Offsets]]
    """Texts → their tokens."""


def window_of(model: Any) -> Window | None:
    """The window of a `SentenceTransformer`; None where it has none, or where only the library knows its tokens."""
    tokenizer: Any = getattr(model, "tokenizer", None)
    limit = model.max_seq_length
    if limit is None or not getattr(tokenizer, "is_fast", False):
        return None
    prompt = model.prompts.get(model.default_prompt_name) or ""
    added = tokenizer.num_special_tokens_to_add() + len(tokenizer.tokenize(prompt))

    def offsets(texts: list[str]) -> list[Offsets]:
        found = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, truncation=False, verbose=False)
        offsets: list[Offsets] = found["offset_mapping"]
        return offsets

    return Window(max(1, limit - added), offsets)


def choose_texts(docstrings: Sequence[str], codes: Sequence[str], sent: Sent, window: Window | None) -> SentTexts:
    """The texts that stand for rows.

    Args:
        docstrings: of each row.
        codes: of each row.
        sent: what is sent of them.
        window: of the encoder; None sends all of both, cuts nowhere and counts nothing.
    """
    pairs = list(zip(docstrings, codes, strict=True))
    whole = [_joined(docstring, code, sent) for docstring, code in pairs]
    rows = np.arange(len(pairs), dtype=np.int32)
    if window is None:
        return SentTexts(whole, rows)
    # A token has a byte at least: most rows need no counting.
    long = [row for row, text in enumerate(whole) if len(text.encode("utf-8", "replace")) + 2 > window.tokens]
    of_docstrings = window.offsets([docstrings[row] for row in long]) if long else []
    of_codes = window.offsets([codes[row] for row in long]) if long else []
    texts = [[text] for text in whole]
    cut = without_code = 0
    for row, *offsets in zip(long, of_docstrings, of_codes, strict=True):
        counts = [0 if sent == "code" else len(offsets[0]), len(offsets[1])]
        if sum(counts) <= window.tokens:
            continue
        cut += sent != "windows"
        without_code += sent == "docstring and code" and counts[0] >= window.tokens
        texts[row] = _fitting(pairs[row], (offsets[0], offsets[1]), sent, window.tokens)
    owners = np.repeat(rows, [len(each) for each in texts]).astype(np.int32)
    return SentTexts([text for each in texts for text in each], owners, cut, without_code)


def _joined(docstring: str, code: str, sent: Sent) -> str:
    if sent == "code":
        return code
    return f"{code}\n{docstring}" if sent == "code and docstring" else f"{docstring}\n{code}"


def _fitting(pair: tuple[str, str], offsets: tuple[Offsets, Offsets], sent: Sent, most: int) -> list[str]:
    """The texts of a row that is too long."""
    docstring, code = pair
    if sent == "share":
        for_docstring = min(len(offsets[0]), max(most // 2, most - len(offsets[1])))
        return [f"{_first(docstring, offsets[0], for_docstring)}\n{_first(code, offsets[1], most - for_docstring)}"]
    joined = f"{docstring}\n{code}"
    behind = len(docstring) + 1
    tokens = [*offsets[0], *((begin + behind, end + behind) for begin, end in offsets[1])]
    if sent == "head and tail":
        head, tail = joined[: tokens[most // 2 - 1][1]] if most > 1 else "", joined[tokens[most // 2 - most][0] :]
        return [f"{head}\n{tail}"]
    if sent == "windows":
        cuts = [0, *(tokens[at][0] for at in range(most, len(tokens), most)), len(joined)]
        return [joined[begin:end] for begin, end in pairwise(cuts)]
    return [_joined(docstring, code, sent)]  # the library cuts the end


def _first(text: str, offsets: Offsets, count: int) -> str:
    return text[: offsets[count - 1][1]] if count > 0 else ""
