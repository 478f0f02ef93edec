"""Rust's traits that a candidate declares or implements for its own types of data.

The tests' program has the same traits and implementations, whose methods ask for the candidate's. Two values are equal
by an equality of the candidate's only if they hold the same, too: so no `eq` that always says yes is believed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from eval.answers.braces import cut_at_close
from eval.sandbox.functions import Function
from eval.sandbox.rust.signatures import OwnType, method, rust_functions, stub_name

_OPS = (
    *("Add", "Sub", "Mul", "Div", "Rem", "Neg", "Not", "BitAnd", "BitOr", "BitXor", "Shl", "Shr"),
    *("AddAssign", "SubAssign", "MulAssign", "DivAssign", "RemAssign"),
)
_PATHS = {
    **{name: f"std::ops::{name}" for name in _OPS},
    **dict.fromkeys(("Default", "From", "TryFrom", "Iterator"), ""),
    **dict.fromkeys(("PartialEq", "PartialOrd", "Ord", "Eq", "Clone", "Copy"), ""),
    "FromStr": "std::str::FromStr",
    "Display": "std::fmt::Display",
    "Debug": "std::fmt::Debug",
    "Error": "std::error::Error",
}
"""The library's traits that cross, and where they are; nothing: in the prelude."""
_TRAIT = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?trait[ \t]+(\w+)[ \t]*(?::([^{]*))?\{", re.MULTILINE)
_IMPL = re.compile(
    r"^[ \t]*impl(?:<[^{}>]*>)?[ \t]+([\w:]+)[ \t]*(<[^{}]*?>)?[ \t]+for[ \t]+(\w+)[ \t]*\{", re.MULTILINE
)
_PUT = "wavecoder_put(&self, _out: &mut Vec<u8>)"
_FMT = {"Display": '"{}"', "Debug": '"{:?}"'}


@dataclass(frozen=True)
class Implementation:
    """A trait for one of the candidate's types."""

    head: str
    body: str
    """Beside its methods: the types that it names."""
    methods: tuple[tuple[str, Function], ...]
    """Heads in the tests' program, and the functions that they ask for."""

    def text(self) -> str:
        """As the tests' program has it."""
        return f"{self.head} {{ {self.body} {' '.join(head for head, _ in self.methods)} }}"


def traits(source: str) -> dict[str, tuple[str, list[str]]]:
    """Name → declaration without bodies, and the texts of its methods as if they had some.

    Args:
        source: Rust without comments.
    """
    found = {}
    for match in _TRAIT.finditer(source):
        block = cut_at_close(source[match.end() :], "rust")[:-1]
        if re.search(r"\b(?:type|const)\b(?!\s+fn)|\bfn\s+\w+\s*<(?!\s*')", block):
            continue
        heads = re.findall(r"\bfn\b[^;{]*", block)
        above = f": {match[2].strip()}" if match[2] else ""
        declared = " ".join(f"{' '.join(head.split())};" for head in heads)
        declared += f' fn {_PUT} {{ panic!("a type of the tests is no type of the candidate") }}'
        found[match[1]] = (f"pub trait {match[1]}{above} {{ {declared} }}", [f"{head} {{ }}" for head in heads])
    return found


def implementations(source: str, types: dict[str, OwnType]) -> Iterator[Implementation]:
    """The candidate's implementations of its own and of the library's traits for its types.

    Args:
        source: Rust without comments.
        types: its types that are data.
    """
    own = traits(source)
    for match in _IMPL.finditer(source):
        name, given, owner = match[1].rpartition("::")[2], match[2] or "", match[3]
        block = re.sub(r"(?<=[;}])\s*(?=(?:\w+\s+)*fn\b)", "\n", cut_at_close(source[match.end() :], "rust")[:-1])
        if owner not in types or (name not in own and name not in _PATHS):
            continue
        given = re.sub(r"\bSelf\b", owner, given)
        path = name if name in own else _PATHS[name] or name
        named = dict(re.findall(r"\btype\s+(\w+)\s*=\s*([^;]+);", block))
        body = (
            f"fn {_PUT} {{ wire::Put::put(&<Self as wire::Tag>::TAG, _out); wire::Put::put(self, _out) }} "
            if name in own
            else ""
        )
        body += " ".join(f"type {each} = {re.sub(r'(?<!:)Self(?!:)', owner, kind)};" for each, kind in named.items())
        head = f"impl {path}{given} for {owner}"
        if name in _FMT:
            shown = Function(f"wavecoder_{name}_{owner}", "String", (("a0", f"&{owner}"),))
            written = (
                f"fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {{ f.write_str(&{shown.name}(self)) }}"
            )
            yield Implementation(head, body, ((written, shown),))
            continue
        if name in {"Clone", "PartialEq"} and given not in {"", f"<{owner}>"}:
            continue
        text = "\n".join(own[name][1]) if name in own else block
        for each, kind in named.items():
            text = re.sub(rf"\bSelf::{each}\b", lambda _, kind=kind: kind, text)  # type: ignore[misc]
        made = []
        for f in rust_functions(text):
            written, function = method(owner, replace(f, name=f.name), text)
            function = replace(function, name=f"<{owner} as {path}{given}>::{f.name}")
            call = stub_name(function.name)
            written = written.removeprefix("pub ").replace(stub_name(f"{owner}::{f.name}"), call)
            if name == "PartialEq":
                written = written.replace(f"{{ {call}", f"{{ wire::same(self, b0) && {call}")
            made.append((written, function))
        yield Implementation(head, body, tuple(made))


def crossing(source: str, types: dict[str, OwnType], tag: int) -> tuple[list[str], list[str]]:
    """How objects of the candidate's traits are written in the tests' program, and read in the candidate's.

    Args:
        source: Rust without comments.
        types: the candidate's types that are data.
        tag: the number of the first of them.
    """
    puts, gets = [], []
    names = list(types)
    for name in traits(source):
        owners = [match[3] for match in _IMPL.finditer(source) if match[1] == name and match[3] in types]
        arms = "".join(f"{tag + names.index(owner)} => Box::new(<{owner} as Get>::get(from)), " for owner in owners)
        puts.append(
            f"impl wire::Put for dyn {name} + '_ {{ fn put(&self, out: &mut Vec<u8>) {{ self.wavecoder_put(out) }} }}"
        )
        gets.append(f"impl Get for Box<dyn {name}> {{ fn get(from: &mut In) -> Self {{ match u8::get(from) "
                    f"{{ {arms}_ => std::process::exit(90) }} }} }}")  # fmt: skip
    return puts, gets


def shown_by(implementation: Implementation) -> str:
    """What the candidate's program needs to write down one of its values by a trait of formatting."""
    texts = []
    for _, f in implementation.methods:
        if found := re.fullmatch(r"wavecoder_(Display|Debug)_(\w+)", f.name):
            texts.append(f"fn {f.name}(x: &{found[2]}) -> String {{ format!({_FMT[found[1]]}, x) }}")
    return " ".join(texts)
