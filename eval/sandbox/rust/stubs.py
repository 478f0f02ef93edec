"""Rust: how the candidate's program calls its functions, and what stands for them in the tests' program.

A generic function is called with types that the tests' program names by number (`Tag` in `drivers/wire.rs`). The
candidate's program holds a call for each type of a list that the function's own bounds allow: whether they do, the
compiler decides (`_Yes` is found before `_No` only where its bounds hold). Iterators cross as lists.
"""

from __future__ import annotations

import itertools
import re

from eval.sandbox.functions import Function
from eval.sandbox.rust.closures import asking, closure, closure_of, lent, owned, words_of

TAGS = ("i32", "i64", "u64", "usize", "f64", "char", "String", "&'static str", "u8", "u32", "bool", "f32", "i8", "i16",
        "u16", "i128", "u128", "isize", "Vec<i32>", "Vec<String>", "Vec<char>", "Vec<f64>", "Vec<u8>", "Vec<i64>",
        "Vec<&'static str>", "(i32, i32)", "Option<i32>")  # fmt: skip
"""Types that a generic function may be called with, by number; as in `drivers/wire.rs`."""
OWN = 100
"""The first number of a type of the candidate's own."""
_PATHS = {"Ordering": "std::cmp", "Cow": "std::borrow", "BinaryHeap": "std::collections", "Range": "std::ops",
          "RangeInclusive": "std::ops", "ParseIntError": "std::num", "ParseFloatError": "std::num"}  # fmt: skip
"""Names that tests may not have imported."""
_FIRST = {1: len(TAGS), 2: 8, 3: 4}
"""How many of them are tried for each of so many type parameters."""


def is_mutable(kind: str) -> bool:
    """Whether a parameter is changed for its caller."""
    return re.match(r"&\s*(?:'\w+\s+)?mut\b", kind) is not None


def candidate_case(number: int, f: Function, own: tuple[str, ...] = ()) -> str:
    """The arm of a `match` that answers a call of a function; `own`: the candidate's types, tried for one parameter."""
    body = _answer(f)
    if not f.dispatched:
        return f"{number} => {{ {body} }}"
    names = [each.name for each in f.dispatched]
    known = list(enumerate(TAGS))[: _FIRST.get(len(names), 2)]
    known += [(OWN + n, name) for n, name in enumerate(own) if len(names) == 1]
    arms = [
        f"({', '.join(f'{tag}u8' for tag, _ in chosen)},) => (&_W{number}::<{', '.join(kind for _, kind in chosen)}>"
        "(std::marker::PhantomData)).answer(from),"
        for chosen in itertools.product(known, repeat=len(names))
    ]
    tags = "".join("u8::get(&mut from), " for _ in names)
    return f"{number} => {{ match ({tags}) {{ {' '.join(arms)} _ => std::process::exit(90) }} }}"


def candidate_items(number: int, f: Function) -> str:
    """What a generic function's arm needs beside the `match`."""
    if not f.dispatched:
        return ""
    names = ", ".join(each.name for each in f.dispatched)
    mine = f.dispatched
    bounds = ", ".join(f"{each.name}: {each.bounds}" if each.bounds else each.name for each in mine)
    where = [f"{each.name}: Get + Put + 'static" for each in f.dispatched]
    where += [
        f"{owned(kind)}: Get"
        for _, kind in f.parameters
        if "&" not in kind and not _item_of(kind, f) and not closure_of(kind, f)
    ]
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
        if made := closure_of(kind, f):
            number = f"n{place}" if made.trait != "fn" else f"crate::wire::pointed({place})"
            taken.append(f"let n{place} = u32::get(&mut from); crate::wire::point({place}, n{place});")
            taken.append(
                f"let mut {name} = {asking(number, made).removeprefix('move ' if made.trait == 'fn' else '')};"
            )
            borrow = "&mut " if is_mutable(kind) else "&"
            given.append(f"{borrow}{name}" if kind.startswith("&") else f"Box::new({name})" if made.is_boxed else name)
            continue
        hold = owned(kind)
        leaks = kind.startswith("&") and closure(f.returns)  # what is returned may hold it
        held = f"<{hold} as Get>::get(&mut from)"
        taken.append(f"let mut {name} = {f'Box::leak(Box::new({held}))' if leaks else held};")
        star = "*" * bool(leaks) + "*" * (hold.startswith("Box<dyn") and kind.startswith("&"))
        borrow = "&mut " if is_mutable(kind) else "&"
        given.append(f"{borrow}{star}{name}" if kind.startswith("&") else name)
        back += [f"Put::put(&{name}, out);"] if is_mutable(kind) else []
    kinds = [
        "_" if each.item is not None or each.is_function else each.name for each in f.generics if not each.is_implied
    ]
    where = "super::" if f.name.isidentifier() and not f.name.startswith("wavecoder_") else ""
    call = f"{where}{f.name}{f'::<{chr(44).join(kinds)}>' if kinds else ''}({', '.join(given)})"
    collected = ".collect::<Vec<_>>()" if _yields(f) else ""
    changed = f"{{ let out = &mut answer; {' '.join(back)} }}" if back else ""
    value = f"{call}{collected}"
    if made := closure(f.returns):  # it may hold what it was given
        value = f"{{ let mut g = {call}; {lent('g', made, 'lend')} }}"
    return (f"{' '.join(taken)} let mut answer = crate::wire::guarded(|out| unsafe {{ Put::put(&{value}, out); }}); "
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
    changed = [kind for _, kind in f.parameters if is_mutable(kind) and not closure_of(kind, f)]
    words = set(re.findall(r"\w+", f"{crossing} {' '.join(changed)}")) | words_of(f)
    made_function = closure(f.returns)
    outlives = " + 'static" if made_function else ""
    static = " + 'static" if "&" in f.returns else ""
    written = [*(kind for _, kind in f.parameters), *(each.item or "" for each in f.generics)]
    generics = sorted({word for kind in written for word in re.findall(r"'(?!static\b)[a-z]\w*", kind)})
    for each in f.generics:
        if each.item is not None:
            generics.append(f"{each.name}: IntoIterator<Item = {each.item}>")
        elif each.is_function:
            generics.append(f"{each.name}: {each.bounds.replace('→', '->')}{outlives}")
        else:
            generics.append(
                f"{each.name}: wire::Tag + wire::Put" + (f" + wire::Get{static}" if each.name in words else "")
            )
    parameters = ", ".join(f"{name}: {kind.replace('→', '->')}" for name, kind in f.parameters)
    back = " ".join(_back(name, kind) for name, kind in f.parameters if is_mutable(kind) and not closure_of(kind, f))
    value = "value.into_iter()" if yields else "value"
    shown = f"impl Iterator<Item = {crossing[4:-1]}>" if yields else returns
    if made_function:
        crossing, shown = "u32", f.returns
        value = asking("value", made_function)
        value = f"Box::new({value})" if made_function.is_boxed else value
    given = f"<{', '.join(generics)}>" if generics else ""
    made = f"""fn {f.name}{given}({parameters}) -> {shown} {{
    use wire::*;
    let mut out = vec![{number}u8];
    {" ".join(_puts(f))}
    let (mut from, whole) = call(out);
    let value = whole.then(|| <{crossing} as Get>::get(&mut from));
    {back}
    let value = value.expect("the candidate panicked");
    {value}
}}"""
    return with_paths(made)


def _puts(f: Function) -> list[str]:
    """How the tests' function writes down what it is given."""
    puts = [f"<{each.name} as Tag>::TAG.put(&mut out);" for each in f.dispatched]
    for name, kind in f.parameters:
        if made := closure_of(kind, f):
            kept = closure(f.returns) and "&" not in kind  # what is returned may ask for it
            puts.append(f"let {name} = {lent(name, made, 'keep' if kept else 'now')};")
            puts.append(f"{name}{'' if kept else '.0'}.put(&mut out);")
        else:
            listed = f"{name}.into_iter().collect::<Vec<_>>()" if _item_of(kind, f) else name
            puts.append(f"Put::put(&{listed}, &mut out);")
    return puts


def with_paths(text: str) -> str:
    """With the library's names in full: tests may not have imported them."""
    text = re.sub(r"\bdyn Error\b", "dyn std::error::Error", text)
    for name, path in _PATHS.items():
        text = re.sub(rf"(?<!::)\b{name}\b", f"{path}::{name}", text)
    return text


def _back(name: str, kind: str) -> str:
    if re.search(r"mut\s+\[", kind):
        return f"for (old, new) in {name}.iter_mut().zip(<{owned(kind)} as Get>::get(&mut from)) {{ *old = new }}"
    return f"*{name} = Get::get(&mut from);"
