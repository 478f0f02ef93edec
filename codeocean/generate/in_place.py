"""Whether an exercise asks for its arguments to be changed, by its words and its signature. Pure.

Where it does not, a function leaves what it is given as it was: of solutions that answer alike, those that change an
argument are not believed then.
"""

from __future__ import annotations

import re

_HOLDER = (
    r"(?:list|array|slice|vector|map|dict(?:ionary)?|object|set|matrix|grid|board|graph|arguments?|parameters?|input)s?"
)
_ASKED = re.compile(
    r"\bin[- ]?place\b|\bdestructive(?:ly)?\b|\bmutat(?:e|es|ing)\b|"
    rf"\b(?:modif(?:y|ies|ying)|updat(?:e|es|ing)|alter(?:s|ing)?|overwrit(?:e|es|ing))\s+(?:\w+\s+){{0,4}}?{_HOLDER}\b|"
    rf"\b{_HOLDER}\s+itself\b",
    re.IGNORECASE,
)
_DENIED = re.compile(
    r"\b(?:without|not|never|avoid\w*|rather than|instead of|no)\b[^.;]{0,25}$|n't\b[^.;]{0,25}$", re.IGNORECASE
)
_SAID = {"rust": r"&\s*(?:'\w+\s+)?mut\b"}
"""What a signature has in it that gives leave; C++'s plain references are too common to mean it."""


def asks_in_place(text: str, signature: str, language: str) -> bool:
    """Whether arguments are to be changed.

    Args:
        text: what the exercise says.
        signature: of its function.
        language: of it.
    """
    asked = any(not _DENIED.search(text, 0, match.start()) for match in _ASKED.finditer(text))
    return asked or re.search(_SAID.get(language, r"(?!)"), signature) is not None
