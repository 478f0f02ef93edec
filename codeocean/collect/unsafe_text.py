"""Text in raw code that speaks to the model that reads it later.

Looks for few, certain patterns, because what they find is dropped. Each pattern is asked only where its fixed part
occurs, which keeps a row at microseconds; every repetition is bounded, so that no text makes a pattern slow.
Not covered: injections that are phrased as ordinary prose.
"""

from __future__ import annotations

import re
import unicodedata

_CHAT_MARKS = tuple(
    (mark, re.compile(pattern, re.MULTILINE))
    for mark, pattern in (
        ("<|", (r"<\|(?:im_start|im_end|im_sep|system|user|assistant|end|endoftext|eot_id|begin_of_text|end_header_id"
               r"|start_header_id)\|>")),
        ("INST]", r"\[/?INST\]"),
        ("SYS>>", r"<</?SYS>>"),
        ("_turn>", r"<(?:start|end)_of_turn>"),
        ("###", r"^[^\w\n]{0,20}### {0,3}(?:Instruction|Response|System|Assistant)s? {0,3}:"),
    )
)  # fmt: skip
_PHRASES = tuple(
    (mark, re.compile(pattern))
    for mark, pattern in (
        ("instructions above", (r"\b(?:ignore|disregard|forget)\s{1,9}(?:(?:all|the|your|my)\s{1,9}){0,2}"
                                r"instructions above\b")),
        ("instructions", (r"\bnot follow (?:(?:the|your|any) ){0,2}(?:previous|prior|above|earlier|system) "
                          r"instructions\b")),
        *((mark, (r"\b(?:ignore|disregard|forget)\s{1,9}(?:(?:all|any|of|the|your|my|these)\s{1,9}){0,4}"
                  r"(?:previous|prior)\s{1,9}" + rest)) for mark, rest in (
            ("directi", r"directi(?:ons|ves)\b"), ("guidelines", r"guidelines\b"))),
        ("everything you", r"\bforget everything you (?:were told|have been told|know|learned)\b"),
        ("instructions", (r"\b(?:ignore|disregard|forget|override|bypass)\s{1,9}"
                          r"(?:(?:all|any|of|the|your|my|these)\s{1,9}){0,4}"
                          r"(?:previous|prior|above|earlier|preceding|foregoing|former|system)\s{1,9}"
                          r"(?:\w{1,20}\s{1,9})?instructions\b")),
        ("prompt", (r"\b(?:ignore|disregard|forget|override|reveal|print|repeat|show|output)\s{1,9}"
                    r"(?:(?:all|of|the|me)\s{1,9}){0,3}(?:your|previous|prior|above|system)\s{1,9}"
                    r"(?:system\s{1,9})?prompts?\b")),
        ("instructions", (r"\b(?:reveal|print|repeat|show)\s{1,9}(?:me\s{1,9})?your\s{1,9}"
                          r"(?:\w{1,20}\s{1,9})?instructions\b")),
        ("you are", (r"\byou are (?:now )?(?:chatgpt|claude|gpt-\d|an? (?:ai|helpful|large) (?:language )?"
                    r"(?:assistant|model)|dan\b)")),
        ("as an ai", r"\bas an ai (?:language )?(?:model|assistant)\b"),
    )
)  # fmt: skip


_COMMENT_MARKS = re.compile(r"(?<=\n)[ \t]{0,40}(?://+|#+|\*+|--)[ \t]")
"""What stands before a comment's next line, in the middle of its sentence."""

SUSPECT = r"[^\x00-\x7f]|(?i)" + "|".join(sorted({re.escape(mark) for mark, _ in (*_CHAT_MARKS, *_PHRASES)}))
"""For RE2: a text without it speaks to nobody (`suspects.py`)."""
HIDDEN = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction of writing
    "\u200b\u2060-\u2064\ufeff\U000e0000-\U000e007f"  # without width; joiners are not here: scripts and emoji need them
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]"
)
"""Bidirectional, invisible and other control characters, which make a text read otherwise than it is."""


def speaks_to_a_model(text: str) -> bool:
    """Whether a text holds marks of a chat, or asks its reader to drop the instructions that it has."""
    if not text.isascii():  # letters that only look like others, and signs that nobody sees between them
        text = "".join(sign for sign in unicodedata.normalize("NFKC", text) if unicodedata.category(sign) != "Cf")
    if any(mark in text and pattern.search(text) for mark, pattern in _CHAT_MARKS):
        return True
    lower = text.lower()
    if not any(mark in lower for mark, _ in _PHRASES):
        return False
    lower = _COMMENT_MARKS.sub(" ", lower)
    return any(mark in lower and pattern.search(lower) for mark, pattern in _PHRASES)
