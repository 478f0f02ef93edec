"""Rust: the candidate's program, which answers calls, and the tests' program, which makes them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from eval.sandbox.functions import Function
from eval.sandbox.plain_text import without_comments
from eval.sandbox.rust import signatures, stubs, traits
from eval.sandbox.rust.types import OwnType, constants, own_types
from eval.sandbox.signatures import is_plain, plain_words, without_aliases

_USED = {"Rc": "std::rc", "RefCell": "std::cell", "Cell": "std::cell", "Arc": "std::sync", "Mutex": "std::sync",
         "RwLock": "std::sync", "FromStr": "std::str", "BinaryHeap": "std::collections", "Cow": "std::borrow",
         "Duration": "std::time", "fmt": "std", "rc": "std", "cell": "std"}  # fmt: skip
"""Names that tests behind a candidate see because it has imported them."""
_HEAD = "#![allow(warnings)]\nmod wire;\n"


def types_of(candidate: str) -> dict[str, OwnType]:
    """The types that a candidate declares and that are data."""
    source = without_aliases(without_comments(candidate, "rust"))
    mine = set(re.findall(r"\b(?:struct|enum)\s+(\w+)", source)) & set(_USED)  # its own Cell is no other
    return own_types(source, plain_words("rust") - mine)


def programs(
    candidate: str, tests: str, functions: list[Function], driver: Callable[[str], str], *, plain: bool = False
) -> tuple[dict[str, str], dict[str, str]]:
    """The files of both programs.

    Args:
        candidate: its source.
        tests: the benchmark's.
        functions: those of the candidate that the tests call.
        driver: name → text of a file of `eval/drivers`.
        plain: no types and traits of the candidate's cross.
    """
    whole = without_aliases(without_comments(candidate, "rust"))
    source = "" if plain else whole
    types = {name: each for name, each in types_of(source).items()
             if not re.search(rf"\b(?:struct|enum)\s+{name}\b", tests)}  # fmt: skip
    theirs = set(re.findall(r"\btrait\s+(\w+)", tests))
    declared = {name: each for name, each in traits.traits(source).items() if name not in theirs}
    known = frozenset(types) | frozenset(declared)
    lifted = {
        name
        for name, each in declared.items()
        if traits.is_lifted(each) and all(is_plain(_without_self(f), "rust", known) for f in each.methods)
    }
    methods = [each for each in signatures.methods(source, tests, types) if is_plain(each[2], "rust", known)]
    given = [each for each in traits.implementations(source, tests, types)
             if all(is_plain(f, "rust", known) for _, f in each.methods)]  # fmt: skip
    kept = set(declared) - lifted
    functions = [f for f in functions if not kept & set(re.findall(r"\bdyn (\w+)", f.returns))]
    functions += [f for _, _, f in methods] + [f for each in given for _, f in each.methods]
    puts, gets = traits.crossing(source, types, stubs.OWN, lifted)
    tagged = [name for name, each in types.items() if not each.given]
    own = [(stubs.OWN + list(types).index(name), name) for name in tagged]
    items = [each.crossing("crate::wire") for each in types.values()] + [traits.shown_by(each) for each in given] + gets
    items += [stubs.candidate_items(number, f) for number, f in enumerate(functions)]
    cases = [stubs.candidate_case(number, f, own) for number, f in enumerate(functions)]
    made = [part for each in types.values() for part in (each.declaration(), each.crossing("crate::wire"))]
    made += [
        f"impl wire::Tag for {name} {{ const TAG: u8 = {stubs.OWN + list(types).index(name)}; }}" for name in tagged
    ]
    made += [stubs.stub(number, replace(f, name=signatures.stub_name(f.name))) for number, f in enumerate(functions)]
    made += [f"{of.head} {of.path} {{ {text} }}" for of, text, _ in methods] + [each.text() for each in given]
    made += [*_constants(source, tests, types), *(each.declaration for each in declared.values()), *puts]
    named = frozenset(re.findall(r"\b(?:struct|enum|trait|union)\s+(\w+)", whole))
    odd = driver("rtntype.rs") if any(f.returns.startswith("RtnType<") for f in functions) else ""
    arms = stubs.with_paths(" ".join(cases), named)
    serve = (f"\npub mod wavecoder_serve {{ #![allow(unused)] use super::*; use crate::wire::{{Get, In, Put}}; {odd} "
        f"{stubs.with_paths(' '.join(items), named)} "
        f"pub fn answer(mut from: In) -> Vec<u8> {{ match u8::get(&mut from) {{ {arms} "
             "crate::wire::ASKS => crate::wire::call_lent(from), _ => std::process::exit(90) } } }\n")  # fmt: skip
    wire = {"wire.rs": driver("wire.rs")}
    stubbed = "\n".join(stubs.with_paths(each, named) for each in made)
    return (
        {"candidate.rs": f"{_HEAD}mod candidate {{\n{candidate}\n{serve}\n}}\n"
         "fn main() { wire::serve(candidate::wavecoder_serve::answer) }\n"} | wire,
        {"tests.rs": f"{_HEAD}{driver('tests.rs')}\n{_uses(whole)}{stubbed}\n{tests}\n"} | wire,
    )  # fmt: skip


def _without_self(f: Function) -> Function:
    return replace(f, parameters=f.parameters[1:])


def _constants(source: str, tests: str, types: dict[str, OwnType]) -> list[str]:
    """The constants of a candidate that its text tells, and those of its types."""
    known = plain_words("rust")
    given = set(re.findall(r"\b(?:const|static|let)\s+(\w+)", tests))
    made = [each for each in constants(source, types, known) if each.split(":")[0].split()[-1] not in given]
    own = [of for of in signatures.impls(source) if of.owner in types and not of.trait]
    return made + [f"{of.head} {of.path} {{ {' '.join(constants(of.block, types, known))} }}" for of in own]


def _uses(source: str) -> str:
    """A module of the names that a candidate imports from the library; whatever else has such a name goes first."""
    lines = re.findall(r"^[ \t]*(?:pub )?use\s+(?:std|core|alloc)::[^;]+;", source, re.MULTILINE)
    imported = {word for line in lines for word in re.findall(r"\w+", line)}
    names = "".join(f"pub use {path}::{name}; " for name, path in _USED.items() if name in imported)
    names += "pub use std::cmp::Ordering; " if "Ordering" in imported and "atomic" not in imported else ""
    return f"mod wavecoder_uses {{ {names}}}\nuse wavecoder_uses::*;\n" if names else ""
