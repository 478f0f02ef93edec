"""C++'s streams as arguments of functions: what carries them to the candidate (`drivers/streams.hpp`)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from eval.sandbox.functions import Function

WORDS = frozenset(["ostream", "istream", "iostream", "ostringstream", "istringstream", "stringstream"])
_OF_STRINGS = {"ostream": "ostringstream", "istream": "istringstream", "iostream": "stringstream"}
_STREAM = re.compile(rf"(?:std::)?\b({'|'.join(sorted(WORDS))})\s*&")


def carried(kind: str) -> str:
    """The type that the candidate's program reads in place of a stream's; of any other the same."""
    match = _STREAM.fullmatch(kind.strip())
    name = _OF_STRINGS.get(match[1], match[1]) if match else ""
    return f"wavecoder::Carried<std::{name}>&" if match else kind


def crosses(f: Function) -> bool:
    """Whether all streams of a function are references, and one that it returns is one that it was given."""
    kinds = [kind for _, kind in f.parameters]
    named = [kind for kind in (*kinds, f.returns) if WORDS & set(re.findall(r"\w+", kind))]
    return all(_STREAM.fullmatch(kind.strip()) for kind in named) and (f.returns not in named or f.returns in kinds)


def returned(f: Function) -> str:
    """The name of the stream that a function gives back; empty if it returns something else."""
    is_stream = carried(f.returns) != f.returns
    return next((name for name, kind in f.parameters if is_stream and kind == f.returns), "")


def has_streams(kinds: Iterable[str]) -> bool:
    """Whether any of these types of parameters is a stream."""
    return any(carried(kind) != kind for kind in kinds)
