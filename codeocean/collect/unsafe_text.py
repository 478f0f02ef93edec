"""What raw code must not carry on: secrets, and text that speaks to the model that reads it later.

Both look for few, certain patterns, because what they find is dropped. Each pattern is asked only where its fixed part
occurs, which keeps a row at microseconds; every repetition is bounded, so that no text makes a pattern slow.
Not covered: secrets without a form of their own, and injections that are phrased as ordinary prose.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter

_SECRETS = tuple(
    (mark, re.compile(pattern))
    for mark, pattern in (
        ("AKIA", r"\bAKIA[0-9A-Z]{16}\b(?<!EXAMPLE)"),
        ("ASIA", r"\bASIA[0-9A-Z]{16}\b(?<!EXAMPLE)"),
        ("gh", r"\bgh[pousr]_[A-Za-z0-9]{36}\b"),
        ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{82}\b"),
        ("glpat-", r"\bglpat-[A-Za-z0-9_-]{20}\b"),
        ("xox", r"\bxox[abposr]-[0-9]{8,14}-[0-9A-Za-z-]{10,80}"),
        ("hooks.slack.com/services/", r"hooks\.slack\.com/services/T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{20,30}"),
        ("AIza", r"\bAIza[0-9A-Za-z_-]{35}\b"),
        ("_live_", r"\b[sr]k_live_[0-9A-Za-z]{24,99}\b"),
        ("sk-", r"\bsk-(?:proj-|ant-[a-z0-9]{3,6}-)[A-Za-z0-9_-]{40,200}"),
        ("sk-", r"\bsk-[A-Za-z0-9]{20}T3BlbkFJ[A-Za-z0-9]{20}\b"),
        ("hf_", r"\bhf_[A-Za-z0-9]{34}\b"),
        ("npm_", r"\bnpm_[A-Za-z0-9]{36}\b"),
        ("pypi-", r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,200}"),
        ("SG.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
        ("PRIVATE KEY", (r"-----BEGIN (?:[A-Z]{2,9} ){0,2}PRIVATE KEY(?: BLOCK)?-----[^A-Za-z0-9]{0,40}(?:n[^A-Za-z0-9]"
                        r"{0,9})?[A-Za-z0-9+/]{20}")),
        ("eyJ", r"\beyJ[A-Za-z0-9_-]{15,500}\.eyJ[A-Za-z0-9_-]{15,2000}\.[A-Za-z0-9_-]{20}"),
    )
)  # fmt: skip

_ASSIGNED = re.compile(
    r"(?:secret|passw(?:or)?d|api_?key|access_?key|auth_?token|access_?token|private_?key|client_?secret)"
    r"['\"]?\s{0,3}(?::=|=>|=|:)\s{0,3}['\"]([A-Za-z0-9+/=_.-]{20,200})['\"]",
    re.IGNORECASE,
)
_ASSIGNED_MARKS = ("secret", "passw", "key", "token")
_PLACEHOLDER = re.compile(r"example|your|placeholder|change|dummy|sample|test|xxx|\.\.|abcdef|12345678", re.IGNORECASE)
MIN_BITS = 3.7
"""Entropy of a random password's characters, in bits each; words and paths have less."""

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


def has_secret(text: str) -> bool:
    """Whether a key, token, password or private key stands in a text."""
    if any(mark in text and pattern.search(text) for mark, pattern in _SECRETS):
        return True
    lower = text.lower()
    if not any(mark in lower for mark in _ASSIGNED_MARKS):
        return False
    return any(_is_random(match[1]) for match in _ASSIGNED.finditer(text))


def _is_random(literal: str) -> bool:
    """Whether a literal looks drawn: digits, small and large letters, few repeats, no placeholder's word."""
    kinds = (any(map(str.isdigit, literal)), any(map(str.islower, literal)), any(map(str.isupper, literal)))
    if sum(kinds) < (2 if re.fullmatch(r"[0-9a-f]+", literal) else 3) or _PLACEHOLDER.search(literal):
        return False
    counts = Counter(literal).values()
    bits = -sum(count / len(literal) * math.log2(count / len(literal)) for count in counts)
    return bits >= (3.2 if re.fullmatch(r"[0-9a-f]+", literal) else MIN_BITS)


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
