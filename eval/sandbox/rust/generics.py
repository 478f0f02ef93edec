"""Rust's type parameters: what the tests' program declares for those of a candidate's function."""

from __future__ import annotations

import re

from eval.sandbox.functions import Function, Generic
from eval.sandbox.rust.closures import closure, closure_of, words_of

_BOUNDS = {
    **dict.fromkeys(("Clone", "Copy", "Eq", "PartialEq", "Ord", "PartialOrd", "Default"), "std::cmp"),
    "Clone": "std::clone",
    "Copy": "std::marker",
    "Default": "std::default",
    "Debug": "std::fmt",
    "Display": "std::fmt",
    "Hash": "std::hash",
}
"""Bounds that a type parameter has in the tests, too."""


def is_mutable(kind: str) -> bool:
    """Whether a parameter is changed for its caller."""
    return re.match(r"&\s*(?:'\w+\s+)?mut\b", kind) is not None


def is_held(kind: str) -> bool:
    """Whether a parameter is a reference to what may be changed through it."""
    return re.match(r"&\s*(?:'\w+\s+)?(?:[\w:]+::)?(?:RefCell|Cell|Mutex|RwLock)\s*<", kind) is not None


def yields(f: Function) -> str | None:
    """What the iterator that a function returns goes through."""
    found = re.fullmatch(
        r"(?:impl|Box\s*<\s*dyn)\b.*?\bIterator\s*<\s*Item\s*=\s*(.+?)>\s*(?:\+\s*'\w+\s*)*>?", f.returns
    )
    return found[1].strip() if found else None


def static(kind: str) -> str:
    """A type whose references last for ever."""
    return re.sub(r"'\w+", "'static", re.sub(r"&\s*(?:'\w+\s+)?", "&'static ", kind))


def crossing(f: Function) -> str:
    """The type of what comes back."""
    made = yields(f)
    return f"Vec<{static(made)}>" if made else static(f.returns or "()")


def declared(f: Function, *, outer: bool) -> list[str]:
    """Lifetimes and type parameters of a function in the tests' program, or those of its method's type."""
    changed = [kind for _, kind in f.parameters if is_mutable(kind) and not closure_of(kind, f)]
    words = set(re.findall(r"\w+", f"{crossing(f)} {' '.join(changed)}")) | words_of(f)
    outlives = " + 'static" if closure(f.returns) or outer or "&" in f.returns else ""
    written = [*(kind for _, kind in f.parameters), *(each.item or "" for each in f.generics)]
    names = sorted({word for kind in written for word in re.findall(r"'(?!static\b)[a-z_]\w*", kind)} - {"'_"})
    found = [] if outer else names
    for each in f.generics:
        if each.is_outer != outer:
            continue
        if each.is_constant:
            found.append(f"const {each.name}: {each.bounds}")
        elif each.item is not None:
            found.append(f"{each.name}: IntoIterator<Item = {each.item}>")
        elif each.is_function:
            found.append(f"{each.name}: {each.bounds.replace('→', '->')}{outlives if closure(f.returns) else ''}")
        else:
            get = f" + wire::Get{outlives}" if each.name in words or outer else ""
            found.append(f"{each.name}: wire::Tag + wire::Put{get}{_bounds(each)}")
    return found


def _bounds(each: Generic) -> str:
    """The bounds of the library's that a type has in any program."""
    names = [part.strip().rpartition("::")[2] for part in each.bounds.split("+")]
    return "".join(f" + {_BOUNDS[name]}::{name}" for name in names if name in _BOUNDS)


def brackets(parts: list[str]) -> str:
    """Type parameters as they are written; nothing where there are none."""
    return f"<{', '.join(parts)}>" if parts else ""
