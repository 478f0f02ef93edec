"""Rust's modules within a candidate: what they hold stands at its top level, and the tests find it under both names."""

from __future__ import annotations

import re

from eval.answers.braces import cut_at_close

_MODULE = re.compile(r"^[ \t]*(?:#\[[^\]]*\]\s*)*(?:pub(?:\([^)]*\))?[ \t]+)?mod[ \t]+(\w+)[ \t]*\{", re.MULTILINE)
_ITEM = re.compile(
    r"^[ \t]*(?:pub(?:\([^)]*\))?\s+)?(?:(?:const|unsafe|async)\s+)*"
    r"(?:fn|struct|enum|trait|type|union|static|const)\s+(?:mut\s+)?(\w+)",
    re.MULTILINE,
)
_USE = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?use\s+([^;]+);[ \t]*\n?", re.MULTILINE)


def flattened(candidate: str, tests: str) -> tuple[str, str]:
    """A candidate without the modules that its tests name, and tests that have such modules.

    As they are where two modules declare the same name.
    """
    text = re.sub(r"(?<=[;{}])[ \t]*(?=(?:pub(?:\([^)]*\))?[ \t]+)?(?:mod|use|fn|struct|enum|impl)\b)", "\n", candidate)
    text = re.sub(r"^([^\n]*#\[derive\([^)]*\)\])[ \t]*(?=\w)", r"\1\n", text, flags=re.MULTILINE)
    tree: dict[str, list[str]] = {"": []}
    items: list[str] = []
    text = _opened(text, "", tree, items)
    names = [name for name in tree if name]
    named = any(re.search(rf"\b{name.rpartition('::')[2]}\s*::", tests) for name in names)
    if not named or len(set(items)) < len(items) or {name.rpartition("::")[2] for name in names} & set(items):
        return candidate, tests
    words = "|".join(sorted({name.rpartition("::")[2] for name in names}))
    seen: set[str] = set()

    def kept(match: re.Match[str]) -> str:
        path = " ".join(match[1].split())
        own = re.match(rf"(?:(?:crate|self|super)\b|(?:{words})\b)", path)
        is_first = path not in seen
        seen.add(path)
        return match[0] if is_first and not own else ""

    text = _USE.sub(kept, text)
    text = re.sub(rf"(?<![\w:])(?:(?:crate|self|super|{words})\s*::\s*)+(?=\w)", "", text)
    return text, f"{tests}\n{''.join(_module(name, tree) for name in tree[''])}\n"


def _opened(text: str, path: str, tree: dict[str, list[str]], items: list[str]) -> str:
    """A text without the heads and brackets of its modules."""
    made, outside, at = list[str](), list[str](), 0
    while match := _MODULE.search(text, at):
        body = cut_at_close(text[match.end() :], "rust")
        outside.append(text[at : match.start()])
        at = match.end() + len(body)
        made.append(outside[-1])
        if "cfg(test)" in match[0]:
            continue
        inner = f"{path}::{match[1]}" if path else match[1]
        tree[path].append(match[1])
        tree[inner] = []
        made.append(_opened(body.rstrip()[:-1], inner, tree, items) + "\n")
    items += _declared("".join([*outside, text[at:]]))
    made.append(text[at:])
    return "".join(made)


def _declared(text: str) -> list[str]:
    """The names of the items of one module: what stands in no brackets."""
    flat, depth = [], 0
    for character in re.sub(r"//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])'", "", text):
        depth += (character == "{") - (character == "}")
        flat.append(character if depth == 0 or character == "\n" else "")
        if character == "}" and depth == 0:
            flat.append("\n")
    return _ITEM.findall("".join(flat))


def _module(name: str, tree: dict[str, list[str]], path: str = "") -> str:
    whole = f"{path}::{name}" if path else name
    inner = "".join(_module(each, tree, whole) for each in tree[whole])
    return f"pub mod {name} {{ #[allow(unused_imports)] pub use super::*; {inner}}}\n"
