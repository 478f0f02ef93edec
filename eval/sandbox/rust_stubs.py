"""Rust: how the candidate's program calls its functions, and what stands for them in the tests' program.

A generic function is called with types that the tests' program names by number (`Tag` in `drivers/wire.rs`). The
candidate's program holds a call for each type of a list that the function's own bounds allow: whether they do, the
compiler decides (`_Yes` is found before `_No` only where its bounds hold). Iterators cross as lists.
"""

from __future__ import annotations

import itertools
import re

from eval.sandbox.functions import Function

TAGS = ("i32", "i64", "u64", "usize", "f64", "char", "String", "&'static str", "u8", "u32", "bool", "f32", "i8", "i16",
        "u16", "i128", "u128", "isize", "Vec<i32>", "Vec<String>", "Vec<char>", "Vec<f64>", "Vec<u8>", "Vec<i64>",
        "Vec<&'static str>", "(i32, i32)", "Option<i32>")  # fmt: skip
"""Types that a generic function may be called with, by number; as in `drivers/wire.rs`."""
_PATHS = {"Ordering": "std::cmp", "Cow": "std::borrow", "BinaryHeap": "std::collections", "Range": "std::ops",
          "RangeInclusive": "std::ops", "ParseIntError": "std::num", "ParseFloatError": "std::num"}  # fmt: skip
"""Names that tests may not have imported."""
_FIRST = {1: len(TAGS), 2: 8, 3: 4}
"""How many of them are tried for each of so many type parameters."""


def owned(kind: str) -> str:
    """The type that a parameter's value has while it crosses."""
    borrowed = re.match(r"&\s*(?:'\w+\s+)?(mut\s+)?", kind)
    found = kind[borrowed.end() :].strip() if borrowed else kind
    found = {"str": "String", "dyn Any": "Box<dyn Any>"}.get(found, found)
    found = re.sub(r"^\[([^;]+)\]$", r"Vec<\1>", found)
    return re.sub(r"&\s*(?:'\w+\s+)?", "&'static ", found)


def is_mutable(kind: str) -> bool:
    """Whether a parameter is changed for its caller."""
    return re.match(r"&\s*(?:'\w+\s+)?mut\b", kind) is not None


def candidate_case(number: int, f: Function) -> str:
    """The arm of a `match` that answers a call of a function."""
    body = _answer(f)
    if not f.dispatched:
        return f"{number} => {{ {body} }}"
    names = [each.name for each in f.dispatched]
    arms = [
        f"({', '.join(f'{at}u8' for at in places)},) => (&_W{number}::<{', '.join(TAGS[at] for at in places)}>"
        "(std::marker::PhantomData)).answer(from),"
        for places in itertools.product(range(_FIRST.get(len(names), 2)), repeat=len(names))
    ]
    tags = "".join("u8::get(&mut from), " for _ in names)
    return f"{number} => {{ match ({tags}) {{ {' '.join(arms)} _ => std::process::exit(90) }} }}"


def candidate_items(number: int, f: Function) -> str:
    """What a generic function's arm needs beside the `match`."""
    if not f.dispatched:
        return ""
    names = ", ".join(each.name for each in f.dispatched)
    mine = [each for each in f.generics if each.item is None]
    bounds = ", ".join(f"{each.name}: {each.bounds}" if each.bounds else each.name for each in mine)
    where = [f"{each.name}: Get + Put + 'static" for each in f.dispatched]
    where += [f"{owned(kind)}: Get" for _, kind in f.parameters if "&" not in kind and not _item_of(kind, f)]
    where += [part for part in [f.where] if part]
    return f"""
pub struct _W{number}<{names}>(std::marker::PhantomData<({names},)>);
pub trait _Yes{number} {{ fn answer(&self, from: In) -> Vec<u8>; }}
pub trait _No{number} {{ fn answer(&self, from: In) -> Vec<u8>; }}
impl<{bounds}> _Yes{number} for _W{number}<{names}> where {", ".join(where)} {{
    fn answer(&self, mut from: In) -> Vec<u8> {{ {_answer(f)} }}
}}
impl<{names}> _No{number} for &_W{number}<{names}> {{ fn answer(&self, _: In) -> Vec<u8> {{ std::process::exit(90) }} }}
"""


def _item_of(kind: str, f: Function) -> str | None:
    """What an iterator's type parameter goes through."""
    return next((each.item for each in f.generics if each.name == kind), None)


def _answer(f: Function) -> str:
    given, taken, back = [], [], []
    for place, (_, kind) in enumerate(f.parameters):
        name, item = f"a{place}", _item_of(kind, f)
        if item is not None:
            held = owned(item) if not re.fullmatch(r"&\s*(?:'\w+\s+)?str", item) else "&'static str"
            taken.append(f"let mut {name} = <Vec<{held}> as Get>::get(&mut from);")
            given.append(f"{name}.iter()" if item.startswith("&") and held[0] != "&" else f"{name}.into_iter()")
            continue
        hold = owned(kind)
        taken.append(f"let mut {name} = <{hold} as Get>::get(&mut from);")
        star = "*" if hold == "Box<dyn Any>" else ""
        borrow = "&mut " if is_mutable(kind) else "&"
        given.append(f"{borrow}{star}{name}" if kind.startswith("&") else name)
        back += [f"Put::put(&{name}, out);"] if is_mutable(kind) else []
    kinds = ["_" if each.item is not None else each.name for each in f.generics if not each.is_implied]
    call = f"{f.name}{f'::<{chr(44).join(kinds)}>' if kinds else ''}({', '.join(given)})"
    collected = ".collect::<Vec<_>>()" if _yields(f) else ""
    changed = f"{{ let out = &mut answer; {' '.join(back)} }}" if back else ""
    return (f"{' '.join(taken)} let mut answer = guarded(|out| unsafe {{ Put::put(&{call}{collected}, out); }}); "
            f"{changed} answer")  # fmt: skip


def _yields(f: Function) -> str | None:
    """What the iterator that a function returns goes through."""
    found = re.fullmatch(
        r"(?:impl|Box\s*<\s*dyn)\b.*?\bIterator\s*<\s*Item\s*=\s*(.+?)>\s*(?:\+\s*'\w+\s*)*>?", f.returns
    )
    return found[1].strip() if found else None


def stub(number: int, f: Function) -> str:
    """The function that asks for one of the candidate's."""
    returns, yields = re.sub(r"&\s*(?:'\w+\s+)?", "&'static ", f.returns or "()"), _yields(f)
    crossing = f"Vec<{re.sub(r'&' + chr(92) + 's*', '&' + chr(39) + 'static ', yields)}>" if yields else returns
    changed = [kind for _, kind in f.parameters if is_mutable(kind)]
    words = set(re.findall(r"\w+", f"{crossing} {' '.join(changed)}"))
    static = " + 'static" if "&" in f.returns else ""
    written = [*(kind for _, kind in f.parameters), *(each.item or "" for each in f.generics)]
    generics = sorted({word for kind in written for word in re.findall(r"'(?!static\b)[a-z]\w*", kind)})
    for each in f.generics:
        if each.item is not None:
            generics.append(f"{each.name}: IntoIterator<Item = {each.item}>")
        else:
            generics.append(
                f"{each.name}: wire::Tag + wire::Put" + (f" + wire::Get{static}" if each.name in words else "")
            )
    parameters = ", ".join(f"{name}: {kind}" for name, kind in f.parameters)
    puts = [f"<{each.name} as Tag>::TAG.put(&mut out);" for each in f.dispatched]
    for name, kind in f.parameters:
        listed = f"{name}.into_iter().collect::<Vec<_>>()" if _item_of(kind, f) else name
        puts.append(f"Put::put(&{listed}, &mut out);")
    back = " ".join(_back(name, kind) for name, kind in f.parameters if is_mutable(kind))
    value = "value.into_iter()" if yields else "value"
    shown = f"impl Iterator<Item = {crossing[4:-1]}>" if yields else returns
    given = f"<{', '.join(generics)}>" if generics else ""
    made = f"""fn {f.name}{given}({parameters}) -> {shown} {{
    use wire::*;
    let mut out = vec![{number}u8];
    {" ".join(puts)}
    let (mut from, whole) = call(out);
    let value = whole.then(|| <{crossing} as Get>::get(&mut from));
    {back}
    let value = value.expect("the candidate panicked");
    {value}
}}"""
    made = re.sub(r"\bdyn Error\b", "dyn std::error::Error", made)
    for name, path in _PATHS.items():
        made = re.sub(rf"(?<!::)\b{name}\b", f"{path}::{name}", made)
    return made


def _back(name: str, kind: str) -> str:
    if re.search(r"mut\s+\[", kind):
        return f"for (old, new) in {name}.iter_mut().zip(<{owned(kind)} as Get>::get(&mut from)) {{ *old = new }}"
    return f"*{name} = Get::get(&mut from);"
