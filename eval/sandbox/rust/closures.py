"""Rust's functions as values: closures, pointers to functions and boxed ones, given to a function or returned by it.

A function stays in its program. The other program holds one that asks for it by number (`lend` in `drivers/wire.rs`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eval.sandbox.functions import Function, split_at_commas


@dataclass(frozen=True)
class Closure:
    """The type of a function that is a value."""

    trait: str
    """Fn, FnMut, FnOnce or fn."""
    given: tuple[str, ...]
    returns: str
    is_boxed: bool

    @property
    def taken(self) -> str:
        """Its parameters, as a closure of the same type declares them."""
        return ", ".join(f"x{n}: {kind}" for n, kind in enumerate(self.given))


def closure(kind: str) -> Closure | None:
    """The function type that a type, bound or reference stands for; None: it is none, or one that cannot cross."""
    text = re.sub(r"^&\s*(?:'\w+\s+)?(?:mut\s+)?", "", " ".join(kind.replace("->", "→").split()))
    boxed = re.fullmatch(r"(?:std::boxed::)?Box\s*<\s*dyn (.+)>", text)
    text = boxed[1] if boxed else re.sub(r"^\(?(?:dyn|impl) ", "", text)
    text = re.sub(r"^for ?<[^>]*> ?", "", text)
    head = re.match(r"(FnMut|FnOnce|Fn|fn) ?\(", text)
    if head is None:
        return None
    depth, at = 1, head.end()
    while depth and at < len(text):
        depth += (text[at] in "([<") - (text[at] in ")]>")
        at += 1
    given = tuple(part.strip() for part in split_at_commas(text[head.end() : at - 1]) if part.strip())
    behind = re.fullmatch(r" ?(?:→ ?(.+?))?(?: ?\+ ?(?:'\w+|Send|Sync|Copy|Clone|Unpin))*\)?", text[at:])
    if behind is None or any("mut " in part or closure(part) for part in given) or closure(behind[1] or ""):
        return None
    return Closure(head[1], given, behind[1] or "()", is_boxed=boxed is not None)


def closure_of(kind: str, f: Function) -> Closure | None:
    """The function type of a parameter of a function, which may be one of its type parameters."""
    bare = re.sub(r"^&\s*(?:'\w+\s+)?(?:mut\s+)?", "", kind)
    return closure(next((each.bounds for each in f.generics if each.name == bare and each.is_function), kind))


def words_of(f: Function) -> set[str]:
    """The words of the types of all functions that a function is given or returns."""
    kinds = [each for _, kind in f.parameters if (each := closure_of(kind, f))]
    kinds += [each for each in [closure(f.returns)] if each]
    return {word for each in kinds for part in (*each.given, each.returns) for word in re.findall(r"\w+", part)}


def _outside(text: str) -> str:
    """What stands in no brackets."""
    kept, depth = "", 0
    for character in text:
        depth += (character in "[(<") - (character in "])>")
        kept += character if depth == 0 else ""
    return kept


def owned(kind: str) -> str:
    """The type that a parameter's value has while it crosses."""
    borrowed = re.match(r"&\s*(?:'\w+\s+)?(mut\s+)?", kind)
    found = (kind[borrowed.end() :].strip() if borrowed else kind).replace("→", "->")
    found = f"Box<{found}>" if found.startswith("dyn ") else "String" if found == "str" else found
    if found.startswith("[") and found.endswith("]") and ";" not in _outside(found[1:-1]):
        found = f"Vec<{found[1:-1]}>"
    return re.sub(r"'\w+", "'static", re.sub(r"&\s*(?:'\w+\s+)?", "&'static ", found))


def lent(name: str, kind: Closure, how: str) -> str:
    """A function of this program, lent: for one call (`now`), or under a number for good (`keep`, `lend`)."""
    reads = "".join(f"let x{n} = <{owned(each)} as Get>::get(from); " for n, each in enumerate(kind.given))
    passed = ", ".join(f"{'&' if each.startswith('&') else ''}x{n}" for n, each in enumerate(kind.given))
    once = kind.trait == "FnOnce"
    called = f'{name}.take().expect("a function that is called once")' if once else name
    held = f"let mut {name} = {f'Some({name})' if once else name};"
    work = f"move |from: &mut In, out: &mut Vec<u8>| {{ {reads}Put::put(&({called})({passed}), out); }}"
    return f"{{ {held} crate::wire::{how}(Box::new({work})) }}"


def asking(number: str, kind: Closure) -> str:
    """A function that asks for the other program's of a number."""
    puts = " ".join(f"Put::put(&x{n}, out);" for n in range(len(kind.given)))
    returns = re.sub(r"&\s*(?:'\w+\s+)?", "&'static ", kind.returns)
    return f"move |{kind.taken}| -> {returns} {{ crate::wire::ask::<{returns}>({number}, |out| {{ {puts} }}) }}"
