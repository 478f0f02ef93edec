"""What an answer's prose says of its blocks: which are wrong or only a variant, and which one is chosen. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from eval.answers.fences import Block

_WRONG = re.compile(
    r"\b(?:wrong|incorrect|buggy|bugs?|mistakes?|fails?|broken|naive|avoid|do not|don't|instead of|bad|not work"
    r"|not like|pitfalls?|gotchas?|anti-?patterns?|original|first attempt|first try)\b"
    r"|^\W*never\b|^\W*before\b\W*(?:\([^()]*\))?\W*$|[❌👎🚫✗✘]",
    re.IGNORECASE,
)
_RIGHT = re.compile(
    r"\b(?:correct(?:ed)?|fix(?:ed|es)?|right|final|solution|improved|better|after|good)\b|[✅👍✔]", re.IGNORECASE
)
_WRONG_BEHIND = re.compile(
    r"^\W*(?:(?:but|however|wait|oops|sorry|no|hmm|unfortunately|actually)\b[, .!]*)*"
    r"(?:this|that|it|which|the (?:above|code above))"
    r"\b(?:(?!\b(?:not|never|n't|nothing|if|when)\b)[^.!?\n]){0,40}?\b(?:wrong|incorrect|buggy|mistaken|has a bug"
    r"|(?:is|does)(?: not|n't) (?:right|correct|work))\b",
    re.IGNORECASE,
)
"""How a sentence behind a block begins that calls the block wrong."""
_VARIANT = re.compile(
    r"\b(?:if you(?:'d| would| want| prefer| need| wish| like)|you (?:can|could|may|might) also)\b", re.IGNORECASE
)
_WRONG_COMMENT = re.compile(
    r"(?:#|//)\W*(?:(?:\w+\W+){0,2}(?:wrong|incorrect|buggy|broken)|bad|original)\b", re.IGNORECASE
)
"""How a block begins that the answer shows as what not to write, or as what there was."""
_KINDS = r"(?:option|version|approach|solution|method|variant|candidate|attempt|implementation)"
_CHOSEN = re.compile(
    r"(?<!not )(?<!n't )(?<!never )"
    r"\b(?:use|recommend(?:ed)?|prefer(?:red)?|choose|go with|submit|final (?:answer|choice))"
    rf"\b[^.\n]{{0,20}}?\b(?:(?P<nth>first|second|third) (?:one|{_KINDS})|(?P<name>{_KINDS} #?(?:\d+|[A-Z])))\b",
    re.IGNORECASE,
)
_NTH = ("first", "second", "third")


def is_called_wrong(block: Block) -> bool:
    """Whether the sentence before a block, the one behind it or its own first comment calls it wrong, or a variant."""
    sentence = re.split(r"[.!?](?:\s|\Z)", re.sub(r"[*_`]", "", block.before).rstrip(" .:!"))[-1]
    if _WRONG.search(sentence) and not _RIGHT.search(sentence):
        return True
    return bool(_VARIANT.search(sentence) or _WRONG_COMMENT.match(block.code) or _WRONG_BEHIND.match(block.behind))


def chosen_block(blocks: Sequence[Block], outside: str) -> int | None:
    """Which of several whole definitions an answer says to take; None if it does not say.

    Args:
        blocks: those that define what is wanted.
        outside: the prose around them.
    """
    said = list(_CHOSEN.finditer(re.sub(r"[*_`]", "", outside)))
    if not said or len(blocks) < 2:
        return None
    if said[-1]["nth"]:
        place = _NTH.index(said[-1]["nth"].lower())
        return place if place < len(blocks) else None
    name = re.compile(rf"\b{re.escape(said[-1]['name'])}\b", re.IGNORECASE)
    return next((place for place, block in enumerate(blocks) if name.search(block.before)), None)
