"""The signatures of Rust's functions, read from their text: visibility, generics, bounds, `where`, lifetimes."""

from __future__ import annotations

import re
from collections.abc import Iterator

from eval.sandbox.functions import Function, Generic, split_at_commas

_WORDS = r"""(?:pub(?:\s*\([^)]*\))?\s+)?(?:(?:const|unsafe|extern(?:\s+"[^"]*")?)\s+)*"""
_HEAD = re.compile(rf"^[ \t]*{_WORDS}fn\s+([A-Za-z_]\w*)\s*", re.MULTILINE)
_ITEM = re.compile(r"\b(?:Into|DoubleEnded|ExactSize)?Iterator\s*<\s*Item\s*=\s*(.+)>\s*(?:\+.*)?")


def rust_functions(text: str) -> Iterator[Function]:
    """The functions of a source without comments; of `async` ones nobody could await the answer."""
    for head in _HEAD.finditer(text):
        at, generics = head.end(), ""
        if text[at : at + 1] == "<":
            end = _closing(text, at)
            generics, at = text[at + 1 : end - 1], end
        at = len(text) - len(text[at:].lstrip())
        if text[at : at + 1] != "(":
            continue
        end = _closing(text, at)
        tail = re.match(r"\s*(?:->\s*(?P<returns>.+?))?\s*(?:\bwhere\b(?P<where>.*?))?\s*\{", text[end:], re.DOTALL)
        if tail is None or ";" in re.sub(r"\[[^\]]*\]", "", tail[0]):
            continue
        yield _function(head[1], generics, text[at + 1 : end - 1], tail["returns"] or "", tail["where"] or "")


def _closing(text: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(text)):
        if text[at] in "<([{":
            depth += 1
        elif text[at] in ")]}" or (text[at] == ">" and text[at - 1] not in "-="):
            depth -= 1
            if depth == 0:
                return at + 1
    return len(text)


def _function(name: str, generics: str, given: str, returns: str, where: str) -> Function:
    bounds: dict[str, str] = {}
    for part in split_at_commas(generics.replace("->", "→")):
        kind, _, bound = part.partition(":")
        if kind.strip() and not kind.strip().startswith("'"):
            bounds[" ".join(kind.split())] = bound.partition("=")[0].strip() if "<" not in bound else bound.strip()
    rest = []
    for part in split_at_commas(where.replace("->", "→")):
        kind, _, bound = (" ".join(each.split()) for each in part.partition(":"))
        if kind in bounds:
            bounds[kind] = " + ".join(each for each in (bounds[kind], bound) if each)
        elif kind and not kind.startswith("'"):
            rest.append(f"{kind}: {bound}")
    implied: dict[str, str] = {}
    parameters = []
    for part in split_at_commas(given.replace("->", "→")):
        if not part.strip():
            continue
        parameter, _, kind = part.partition(":")
        kind = " ".join(kind.split())
        if found := re.match(r"(&\s*(?:'\w+\s+)?(?:mut\s+)?)?(?:\(\s*)?impl\s+(.+?)\s*\)?$", kind):
            implied[f"Implied{len(implied)}"] = found[2]
            kind = f"{found[1] or ''}Implied{len(implied) - 1}"
        parameters.append((re.sub(r"\bmut\s+", "", parameter).strip(), kind))
    made = [Generic(kind, bound, _item(bound)) for kind, bound in bounds.items()]
    made += [Generic(kind, bound, _item(bound), is_implied=True) for kind, bound in implied.items()]
    return Function(name, " ".join(returns.split()), tuple(parameters), tuple(made), ", ".join(rest))


def _item(bound: str) -> str | None:
    found = _ITEM.fullmatch(bound)
    return found[1].strip() if found else None


def unknown_bounds(f: Function) -> bool:
    """Whether a function wants what cannot cross: functions, constants as parameters."""
    return any(re.search(r"\b(?:Fn|FnMut|FnOnce|fn)\b", f"{each.name} {each.bounds}") or not each.name.isidentifier()
               for each in f.generics)  # fmt: skip
