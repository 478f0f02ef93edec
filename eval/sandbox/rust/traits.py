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
from eval.sandbox.rust.generics import is_mutable, static
from eval.sandbox.rust.signatures import JUDGING, Impl, impls, is_constructed, method, rust_functions, stub_name
from eval.sandbox.rust.types import OwnType

_OPS = (
    *("Add", "Sub", "Mul", "Div", "Rem", "Neg", "Not", "BitAnd", "BitOr", "BitXor", "Shl", "Shr"),
    *("AddAssign", "SubAssign", "MulAssign", "DivAssign", "RemAssign"),
)
_PATHS = {
    **{name: f"std::ops::{name}" for name in _OPS},
    **dict.fromkeys(("Default", "From", "TryFrom", "Iterator", "AsRef"), ""),
    **dict.fromkeys(("PartialEq", "PartialOrd", "Ord", "Eq", "Clone", "Copy"), ""),
    "FromStr": "std::str::FromStr",
    "Display": "std::fmt::Display",
    "Debug": "std::fmt::Debug",
    "Error": "std::error::Error",
    "Index": "std::ops::Index",
    "Deref": "std::ops::Deref",
}
"""The library's traits that cross, and where they are; nothing: in the prelude."""
_TRAIT = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?trait[ \t]+(\w+)[ \t]*(?::([^{]*))?\{", re.MULTILINE)
_SIZED = re.compile(r"\b(?:Sized|Copy|Clone|Default|PartialEq|Eq|PartialOrd|Ord|Hash|From|Into|\w+<)")
"""Traits above a trait of which no `dyn` can be made."""
_SCALARS = frozenset(["i32", "i64", "u32", "u64", "usize", "u8", "f64", "f32", "char", "bool", "String", "str"])
"""Types of the language for which tests call what a candidate's trait gives them."""
LENT = 255
"""In place of a type's number: an object that stays at the candidate's."""
_TOLD_TEXT = """contains starts_with ends_with find rfind matches rmatches match_indices split rsplit splitn rsplitn
split_once rsplit_once split_terminator split_inclusive strip_prefix strip_suffix trim_matches trim_start_matches
trim_end_matches eq_ignore_ascii_case cmp partial_cmp total_cmp eq ne lt le gt ge get replace replacen"""
_TOLD = frozenset(_TOLD_TEXT.split())
"""Methods of texts, letters and numbers that borrow and are told what a value ought to be."""
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


@dataclass(frozen=True)
class Trait:
    """A trait that a candidate declares."""

    name: str
    declaration: str
    """Without the bodies of its methods."""
    heads: tuple[str, ...]
    """Its methods, as if they had bodies."""
    is_object: bool
    """Whether its objects may cross: it has no types and no traits above it, and borrows its objects."""
    is_dyn: bool
    """Whether the language lets it have objects of any type: `dyn Trait`."""

    @property
    def methods(self) -> list[Function]:
        """Its methods, whose first parameter is the receiver."""
        return list(rust_functions("\n".join(self.heads)))


def traits(source: str) -> dict[str, Trait]:
    """Name → trait, of those whose methods can cross.

    Args:
        source: Rust without comments.
    """
    found = {}
    for match in _TRAIT.finditer(source):
        block = cut_at_close(source[match.end() :], "rust")[:-1]
        if re.search(r"\bconst\b(?!\s+fn)|\bfn\s+\w+\s*<(?!\s*')", block):
            continue
        kinds = re.findall(r"\btype\s+\w+[^;=]*;", block)
        heads = [" ".join(head.split()) for head in re.findall(r"\bfn\b[^;{]*", block)]
        above = f": {match[2].strip()}" if match[2] else ""
        declared = f"{' '.join(kinds)} {' '.join(f'{head};' for head in heads)}"
        declared += f' fn {_PUT} {{ panic!("a type of the tests is no type of the candidate") }}'
        borrowed = all(re.search(r"\(\s*&\s*(?:'\w+\s+)?(?:mut\s+)?self\b", head) for head in heads)
        whole = f"pub trait {match[1]}{above} {{ {declared} }}"
        is_dyn = not kinds and not _SIZED.search(above) and not any(map(_needs_type, heads))
        bare = tuple(f"{head} {{ }}" for head in heads)
        made = Trait(match[1], whole, bare, is_dyn and borrowed and not above, is_dyn)
        if not any(map(_is_judging, made.methods)):
            found[match[1]] = made
    return found


def _needs_type(head: str) -> bool:
    """Whether a method is of a type, not of an object: it has no receiver, or names `Self` beside it."""
    receiver, _, rest = head.partition("(")[2].partition("self")
    if re.search(r"\bSelf\s*:\s*Sized\b", rest):  # objects do without it
        return False
    own = re.match(r"\s*:[^,)]*", rest)
    return "," in receiver or not rest or bool(re.search(r"\bSelf\b", rest[own.end() :] if own else rest))


def _hides(of: Impl) -> bool:
    """Whether a trait for one of the library's types has a method that may stand for one of the type's own.

    A method that takes the value itself comes before the type's own, which borrows it: it would be told what tests ask.
    """
    return any(f.name in _TOLD for f in rust_functions(of.block))


def _is_judging(f: Function) -> bool:
    """Whether a method may be told what a value ought to be: so its name says, and it takes something."""
    return JUDGING.search(f.name) is not None and len(f.parameters) > 1


def implementations(source: str, tests: str, types: dict[str, OwnType]) -> Iterator[Implementation]:
    """The candidate's implementations of its own and of the library's traits for its types.

    Args:
        source: Rust without comments.
        tests: the benchmark's.
        types: its types that are data.
    """
    own = traits(source)
    for of in impls(source):
        name, owner = of.trait.rpartition("::")[2], of.owner
        of_number = (
            owner not in types and name in {*_OPS, "From"} and bool(set(re.findall(r"\w+", of.given)) & set(types))
        )
        if name not in own and ((owner not in types and not of_number) or name not in _PATHS):
            continue
        if owner not in types and (of.path not in _SCALARS or _hides(of)):
            continue
        if (
            name in _OPS
            and _is_told_data(of, types)
            and not any(
                is_constructed(each, tests) for each in set(re.findall(r"\w+", f"{of.owner} {of.given}")) & set(types)
            )
        ):
            continue
        given = re.sub(r"\bSelf\b", of.path, of.given)
        path = name if name in own else _PATHS[name] or name
        named = dict(re.findall(r"\btype\s+(\w+)\s*=\s*([^;]+);", of.block))
        body = ""
        if name in own and owner in types and not types[owner].given:
            body = f"fn {_PUT} {{ wire::Put::put(&<Self as wire::Tag>::TAG, _out); wire::Put::put(self, _out) }} "
        body += " ".join(f"type {each} = {re.sub(r'(?<!:)Self(?!:)', of.path, kind)};" for each, kind in named.items())
        head = f"{of.head} {path}{given} for {of.path}"
        if name in _FMT:
            shown = Function(f"wavecoder_{name}_{owner}", "String", (("a0", f"&{of.path}"),), of.generics)
            written = (
                f"fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {{ f.write_str(&{shown.name}(self)) }}"
            )
            yield Implementation(head, body, ((written, shown),))
        elif name not in {"Clone", "PartialEq"} or given in {"", f"<{of.path}>"}:
            text = "\n".join(own[name].heads) if name in own else of.block
            for each, kind in named.items():
                text = re.sub(rf"\bSelf::{each}\b", lambda _, kind=kind: kind, text)  # type: ignore[misc]
            yield Implementation(head, body, tuple(_methods(replace(of, block=text), f"{path}{given}", name)))


def _is_told_data(of: Impl, types: dict[str, OwnType]) -> bool:
    """Whether an operator takes plain data beside a value of the candidate's and gives plain data.

    `(f(x) - 5.0).abs() < 1e-6` holds for whoever answers 0.
    """
    output = re.search(r"\btype\s+Output\s*=\s*([^;]+);", of.block)
    sides = [set(re.findall(r"\w+", each)) & {*types, "Self"} for each in (of.owner, of.given or of.owner)]
    return output is not None and not set(re.findall(r"\w+", output[1])) & {*types, "Self"} and not all(sides)


def _methods(of: Impl, path: str, name: str) -> Iterator[tuple[str, Function]]:
    """The methods of a trait for a type, in the tests' program and as functions."""
    for f in rust_functions(of.block):
        written, function = method(of, f)
        asked = function.name
        function = replace(function, name=f"<{of.path} as {path}>::{f.name}")
        call = stub_name(function.name)
        written = written.removeprefix("pub ").replace(stub_name(asked), call)
        if name == "PartialEq":
            written = written.replace(f"{{ {call}", f"{{ wire::same(self, b0) && {call}")
        yield written, function


def crossing(source: str, types: dict[str, OwnType], tag: int, lifted: set[str]) -> tuple[list[str], list[str]]:
    """How objects of the candidate's traits are written and read in the tests' program, and in the candidate's.

    Args:
        source: Rust without comments.
        types: the candidate's types that are data.
        tag: the number of the first of them.
        lifted: the traits whose objects the candidate may return.
    """
    ours, theirs = [], []
    names = list(types)
    for name, trait in traits(source).items():
        mine = [of.owner for of in impls(source) if of.trait == name and of.owner in types]
        owners = [owner for owner in mine if not types[owner].given]
        arms = "".join(f"{tag + names.index(owner)} => Box::new(<{owner} as Get>::get(from)), " for owner in owners)
        if not trait.is_dyn:
            continue
        ours.append(
            f"impl wire::Put for dyn {name} + '_ {{ fn put(&self, out: &mut Vec<u8>) {{ self.wavecoder_put(out) }} }}"
        )
        if name in lifted:
            tests, candidate = _lent(trait)
            ours.append(tests)
            theirs.append(candidate)
            arms += f"{LENT} => Box::new(Wavecoder{name}(OF_{name}.with(|all| all.borrow()[&u32::get(from)]))), "
        theirs.append(f"impl Get for Box<dyn {name}> {{ fn get(from: &mut In) -> Self {{ match u8::get(from) "
                      f"{{ {arms}_ => std::process::exit(90) }} }} }}")  # fmt: skip
    return ours, theirs


def _lent(trait: Trait) -> tuple[str, str]:
    """A trait's objects that stay at the candidate's: what stands for one in the tests, and what answers for it."""
    name, asks, forwards, arms = trait.name, [], [], []
    for number, (head, f) in enumerate(zip(trait.heads, trait.methods, strict=True)):
        shown = re.sub(r"\s*\{ \}$", "", head)
        given = [each for each, _ in f.parameters[1:]]
        returns = static(f.returns or "()")
        puts = "".join(f"wire::Put::put(&{each}, out); " for each in given)
        asks.append(
            f"{shown} {{ wire::ask::<{returns}>(self.0, |out| {{ wire::Put::put(&{number}u8, out); {puts}}}) }}"
        )
        forwards.append(f"{shown} {{ unsafe {{ &mut *self.0 }}.{f.name}({', '.join(given)}) }}")
        reads = "".join(f"let {each} = <{static(kind)} as Get>::get(from); " for each, kind in f.parameters[1:])
        arms.append(f"{number} => {{ {reads}Put::put(&it.{f.name}({', '.join(given)}), out) }}")
    tests = f"""pub struct Wavecoder{name}(u32);
impl {name} for Wavecoder{name} {{
    {" ".join(asks)}
    fn {_PUT} {{ wire::Put::put(&{LENT}u8, _out); wire::Put::put(&self.0, _out) }}
}}
impl wire::Get for Box<dyn {name}> {{
    fn get(from: &mut wire::In) -> Self {{
        <u8 as wire::Get>::get(from);
        Box::new(Wavecoder{name}(<u32 as wire::Get>::get(from)))
    }}
}}"""
    candidate = f"""thread_local! {{
    static OF_{name}: std::cell::RefCell<std::collections::HashMap<u32, *mut dyn {name}>> = Default::default();
}}
pub struct Wavecoder{name}(*mut dyn {name});
impl {name} for Wavecoder{name} {{ {" ".join(forwards)} }}
impl Put for dyn {name} {{
    fn put(&self, out: &mut Vec<u8>) {{
        let it = self as *const dyn {name} as *mut dyn {name};
        let number = crate::wire::lend(Box::new(move |from: &mut In, out: &mut Vec<u8>| {{
            let it = unsafe {{ &mut *it }};
            match u8::get(from) {{ {" ".join(arms)} _ => std::process::exit(90) }}
        }}));
        OF_{name}.with(|all| all.borrow_mut().insert(number, it));
        {LENT}u8.put(out);
        number.put(out)
    }}
}}"""
    return tests, candidate


def is_lifted(trait: Trait) -> bool:
    """Whether its objects can stay at the candidate's: no method changes an argument."""
    return trait.is_object and not any(is_mutable(kind) for f in trait.methods for _, kind in f.parameters[1:])


def shown_by(implementation: Implementation) -> str:
    """What the candidate's program needs to write down one of its values by a trait of formatting."""
    texts = []
    for _, f in implementation.methods:
        if found := re.fullmatch(r"wavecoder_(Display|Debug)_(\w+)", f.name):
            bounds = ", ".join(f"{each.name}: {each.bounds}" if each.bounds else each.name for each in f.generics)
            given = f"<{bounds}>" if bounds else ""
            texts.append(f"fn {f.name}{given}(x: {f.parameters[0][1]}) -> String {{ format!({_FMT[found[1]]}, x) }}")
    return " ".join(texts)
