"""Rust: how the candidate's program calls its functions, and what stands for them in the tests' program.

A generic function is called with types that the tests' program names by number (`Tag` in `drivers/wire.rs`). The
candidate's program holds a call for each type of a list that the function's own bounds allow: whether they do, the
compiler decides (`_Yes` is found before `_No` only where its bounds hold). Iterators cross as lists.
"""

from __future__ import annotations

import itertools
import re

from eval.sandbox.functions import Function
from eval.sandbox.rust.closures import asking, closure, closure_of, lent, owned
from eval.sandbox.rust.generics import brackets, crossing, declared, is_held, is_mutable, yields

TAGS = ("i32", "i64", "u64", "usize", "f64", "char", "String", "&'static str", "u8", "u32", "bool", "f32", "i8", "i16",
        "u16", "i128", "u128", "isize", "Vec<i32>", "Vec<String>", "Vec<char>", "Vec<f64>", "Vec<u8>", "Vec<i64>",
        "Vec<&'static str>", "(i32, i32)", "Option<i32>")  # fmt: skip
"""Types that a generic function may be called with, by number; as in `drivers/wire.rs`."""
OWN = 100
"""The first number of a type of the candidate's own."""
_PATHS = {"Ordering": "std::cmp", "Cow": "std::borrow", "BinaryHeap": "std::collections", "Range": "std::ops",
          "RangeInclusive": "std::ops", "ParseIntError": "std::num", "ParseFloatError": "std::num", "Rc": "std::rc",
          "RefCell": "std::cell", "Cell": "std::cell", "Arc": "std::sync", "Mutex": "std::sync",
          "RwLock": "std::sync"}  # fmt: skip
"""Names that tests may not have imported."""
_OFTEN = ("i32", "String", "f64", "usize", "&'static str", "char", "i64", "u64", "bool")
_FIRST = {2: 8, 3: 5}
"""The types that several parameters are tried with, and how many of them for each of so many."""
_SIZES = {1: 33, 2: 9, 3: 5}
"""How many numbers are tried for each of so many parameters that are numbers."""
_SHARED = re.compile(r"\b(?:Rc|Arc)\b")


def candidate_case(number: int, f: Function, own: list[tuple[int, str]]) -> str:
    """The arm of a `match` that answers a call of a function; `own`: the candidate's types, tried for one parameter."""
    body = _answer(f)
    if not f.dispatched:
        return f"{number} => {{ {body} }}"
    names = f.dispatched
    known = list(enumerate(TAGS))
    if len(names) > 1:
        known = [(TAGS.index(each), each) for each in _OFTEN[: _FIRST.get(len(names), 2)]]
    known += own if len(names) == 1 else []
    sizes = [(n, str(n)) for n in range(_SIZES.get(len(names), 3))]
    arms = [
        f"({', '.join(f'{tag}u16' for tag, _ in chosen)},) => (&_W{number}::<{', '.join(kind for _, kind in chosen)}>"
        "(std::marker::PhantomData)).answer(from),"
        for chosen in itertools.product(*[sizes if each.is_constant else known for each in names])
    ]
    tags = "".join("u16::get(&mut from), " for _ in names)
    return f"{number} => {{ match ({tags}) {{ {' '.join(arms)} _ => std::process::exit(90) }} }}"


def candidate_items(number: int, f: Function) -> str:
    """What a generic function's arm needs beside the `match`."""
    if not f.dispatched:
        return ""
    mine = f.dispatched
    names = ", ".join(each.name for each in mine)
    kinds = [each.name for each in mine if not each.is_constant]
    held = "".join(f"{name}, " for name in kinds)
    plain = ", ".join(f"const {each.name}: {each.bounds}" if each.is_constant else each.name for each in mine)
    bounds = ", ".join(
        f"{'const ' if each.is_constant else ''}{each.name}: {each.bounds}" if each.bounds else each.name
        for each in mine
    )
    where = [f"{name}: Get + Put + 'static" for name in kinds]
    where += [
        f"{owned(kind)}: Get"
        for _, kind in f.parameters
        if "&" not in kind and not _item_of(kind, f) and not closure_of(kind, f)
    ]
    where += [part for part in [f.where] if part]
    return f"""
pub struct _W{number}<{plain}>(std::marker::PhantomData<({held})>);
pub trait _Yes{number} {{ fn answer(&self, from: In) -> Vec<u8>; }}
pub trait _No{number} {{ fn answer(&self, from: In) -> Vec<u8>; }}
impl<{bounds}> _Yes{number} for _W{number}<{names}> where {", ".join(where)} {{
    fn answer(&self, mut from: In) -> Vec<u8> {{ {_answer(f)} }}
}}
impl<{plain}> _No{number} for &_W{number}<{names}> {{ fn answer(&self, _: In) -> Vec<u8> {{ std::process::exit(90) }} }}
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
        back += [f"Put::put(&{name}, out);"] if is_mutable(kind) or is_held(kind) else []
    kinds = [
        "_" if each.item is not None or each.is_function else each.name
        for each in f.generics
        if not each.is_implied and not each.is_outer
    ]
    where = "super::" if f.name.isidentifier() and not f.name.startswith("wavecoder_") else ""
    kinds = [] if any(each.is_implied for each in f.generics) else kinds  # then none may be named
    call = f"{where}{f.name}{f'::<{chr(44).join(kinds)}>' if kinds else ''}({', '.join(given)})"
    collected = ".collect::<Vec<_>>()" if yields(f) else ""
    shares = is_shared(f)
    taken += ["let shared = crate::wire::shared();"] if shares else []
    back += ["crate::wire::put_shared(shared, out);"] if shares else []
    changed = f"{{ let out = &mut answer; {' '.join(back)} }}" if back else ""
    value = f"{call}{collected}"
    if made := closure(f.returns):  # it may hold what it was given
        value = f"{{ let mut g = {call}; {lent('g', made, 'lend')} }}"
    elif "dyn " in f.returns and not collected:  # what it lends must stay
        value = f"*std::mem::ManuallyDrop::new({call})"
    return (f"{' '.join(taken)} let mut answer = crate::wire::guarded(|out| unsafe {{ Put::put(&{value}, out); }}); "
            f"{changed} answer")  # fmt: skip


def is_shared(f: Function) -> bool:
    """Whether what several own crosses with a call."""
    return any(_SHARED.search(kind) for kind in (f.returns, *(kind for _, kind in f.parameters)))


def stub(number: int, f: Function) -> str:
    """The function that asks for one of the candidate's."""
    answer, made_function = crossing(f), closure(f.returns)
    value = "value.into_iter()" if yields(f) else "value"
    shown = f"impl Iterator<Item = {answer[4:-1]}>" if yields(f) else answer
    if f.returns.startswith("Box") and yields(f):
        shown, value = f"Box<dyn Iterator<Item = {answer[4:-1]}>>", f"Box::new({value})"
    if made_function:
        answer, shown = "u32", f.returns
        value = asking("value", made_function)
        value = f"Box::new({value})" if made_function.is_boxed else value
    given = brackets([*declared(f, outer=False), *declared(f, outer=True)])
    parameters = ", ".join(f"{name}: {kind.replace('→', '->')}" for name, kind in f.parameters)
    shares = is_shared(f)
    return f"""fn {f.name}{given}({parameters}) -> {shown} {{
    use wire::*;
    {"begin(); " if shares else ""}let mut out = vec![{number}u8];
    {" ".join(_puts(f))}
    {"let shared = shared();" if shares else ""}
    let (mut from, whole) = call(out);
    let value = whole.then(|| <{answer} as Get>::get(&mut from));
    {_backs(f)}
    {"renew_shared(shared, &mut from);" if shares else ""}
    let value = value.expect("the candidate panicked");
    {value}
}}"""


def _backs(f: Function) -> str:
    """What the tests' function does with the arguments when the answer is there."""
    done = []
    for name, kind in f.parameters:
        if closure_of(kind, f):
            continue
        if is_mutable(kind) or is_held(kind):
            done.append(_back(name, kind))
        elif re.search(r"dyn Fn\b", kind):  # no pointer to a function may outlive it
            done.append("forbid(lent_before);" if kind.startswith("&") else f"std::mem::forget({name});")
    return " ".join(done)


def _puts(f: Function) -> list[str]:
    """How the tests' function writes down what it is given."""
    puts = [f"({f'{each.name} as u16' if each.is_constant else f'<{each.name} as Tag>::TAG as u16'}).put(&mut out);"
            for each in f.dispatched]  # fmt: skip
    puts += ["let lent_before = lent();"] if any(re.match(r"&.*dyn Fn\b", kind) for _, kind in f.parameters) else []
    for name, kind in f.parameters:
        if made := closure_of(kind, f):
            kept = closure(f.returns) and "&" not in kind  # what is returned may ask for it
            puts.append(f"let {name} = {lent(name, made, 'keep' if kept else 'now')};")
            puts.append(f"{name}{'' if kept else '.0'}.put(&mut out);")
        else:
            listed = f"{name}.into_iter().collect::<Vec<_>>()" if _item_of(kind, f) else name
            puts.append(f"Put::put(&{listed}, &mut out);")
    return puts


def with_paths(text: str, own: frozenset[str]) -> str:
    """With the library's names in full: tests may not have imported them. `own` are names of the candidate's."""
    text = text if "Error" in own else re.sub(r"\bdyn Error\b", "dyn std::error::Error", text)
    for name, path in ((name, path) for name, path in _PATHS.items() if name not in own):
        text = re.sub(rf"(?<!::)\b{name}\b", f"{path}::{name}", text)
    return text


def _back(name: str, kind: str) -> str:
    if re.search(r"mut\s+\[", kind):
        return f"for (old, new) in {name}.iter_mut().zip(<{owned(kind)} as Get>::get(&mut from)) {{ *old = new }}"
    if is_held(kind):
        return f"{name}.renew(Get::get(&mut from));"
    return f"*{name} = Get::get(&mut from);"
