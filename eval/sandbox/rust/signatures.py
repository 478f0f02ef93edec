"""Rust's signatures, read from their text: visibility, generics, bounds, `where`, lifetimes, `impl`.

A trait that the candidate implements itself stays in its program. So do methods; the tests call those that they name,
but none that is told what a value ought to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from eval.answers.braces import cut_at_close
from eval.sandbox.functions import Function, Generic, split_at_commas
from eval.sandbox.rust.closures import closure
from eval.sandbox.rust.generics import brackets, declared
from eval.sandbox.rust.types import OwnType

_WORDS = r"""(?:pub(?:\s*\([^)]*\))?\s+)?(?:(?:const|unsafe|extern(?:\s+"[^"]*")?)\s+)*"""
_HEAD = re.compile(rf"^[ \t]*{_WORDS}fn\s+([A-Za-z_]\w*)\s*", re.MULTILINE)
_ITEM = re.compile(r"\b(?:Into|DoubleEnded|ExactSize)?Iterator\s*<\s*Item\s*=\s*(.+)>\s*(?:\+.*)?")

_ARRAY = re.compile(r"\[(?:[^\[\]]|\[(?:[^\[\]]|\[[^\[\]]*\])*\])*\]")
_PATTERN = re.compile(
    r"\s*(?:&\s*)?(?:mut\s+)?(?:\([^()]*(?:\([^()]*\)[^()]*)*\)|[\w:]+\s*\{[^}]*\}|\[[^\]]*\])\s*(?=:)"
)
"""A parameter that takes its value apart."""
_BLOCK = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?(?:unsafe[ \t]+)?(?:impl|trait)\b[^;{}]*\{", re.MULTILINE)
_IMPL = re.compile(r"^[ \t]*(?:unsafe[ \t]+)?impl\b[ \t]*", re.MULTILINE)
_SIZES = frozenset(["usize", "u8", "u16", "u32", "u64", "i8", "i16", "i32", "i64", "isize"])
_COMPARING = r"^eq$|^ne$|equal|cmp|compare|^lt|^gt|^le$|^ge$|match|same"
_ASKING = re.compile(r"contain|^has|^is_", re.IGNORECASE)
JUDGING = re.compile(rf"{_COMPARING}|{_ASKING.pattern}", re.IGNORECASE)
"""Methods that are told what a value ought to be, or to hold."""


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
        if tail is None or ";" in _ARRAY.sub("", tail[0]):
            continue
        yield _function(head[1], generics, text[at + 1 : end - 1], tail["returns"] or "", tail["where"] or "")


def without_blocks(text: str) -> str:
    """A source without what belongs to its types and traits."""
    made, at = "", 0
    while match := _BLOCK.search(text, at):
        made += text[at : match.start()]
        at = match.end() + len(cut_at_close(text[match.end() :], "rust"))
    return made + text[at:]


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
    parameters: list[tuple[str, str]] = []
    for part in split_at_commas(given.replace("->", "→")):
        if not part.strip():
            continue
        pattern = _PATTERN.match(part)
        parameter, _, kind = (f"a{len(parameters)}", "", part[pattern.end() + 1 :]) if pattern else part.partition(":")
        kind = " ".join(kind.split())
        if found := re.match(r"(&\s*(?:'\w+\s+)?(?:mut\s+)?)?(?:\(\s*)?impl\s+(.+?)\s*\)?$", kind):
            implied[f"Implied{len(implied)}"] = found[2]
            kind = f"{found[1] or ''}Implied{len(implied) - 1}"
        parameters.append((re.sub(r"\bmut\s+", "", parameter).strip(), kind))
    made = [
        Generic(
            kind.removeprefix("const "),
            bound,
            _item(bound),
            is_implied=kind in implied,
            is_function=closure(bound) is not None,
            is_constant=kind.startswith("const "),
        )
        for kind, bound in (bounds | implied).items()
    ]
    return Function(name, " ".join(returns.split()), tuple(parameters), tuple(made), ", ".join(rest))


def _item(bound: str) -> str | None:
    found = _ITEM.fullmatch(bound)
    return found[1].strip() if found else None


def unknown_bounds(f: Function) -> bool:
    """Whether a function wants what cannot cross: functions that take or give functions, constants but numbers."""
    return any(re.search(r"\b(?:Fn|FnMut|FnOnce|fn)\b", f"{each.name} {each.bounds}") or not each.name.isidentifier()
               or (each.is_constant and each.bounds not in _SIZES)
               for each in f.generics if not each.is_function)  # fmt: skip


@dataclass(frozen=True)
class Impl:
    """A block that gives a type its methods, or a trait's."""

    generics: tuple[Generic, ...]
    trait: str
    """Nothing: its own methods."""
    given: str
    """The trait's arguments, with their brackets."""
    owner: str
    path: str
    """The owner with its arguments."""
    block: str

    @property
    def head(self) -> str:
        """What stands before its owner in the tests' program."""
        made = Function("", "", (), self.generics)
        lifetimes = sorted(set(re.findall(r"'(?!static\b|_\b)\w+", f"{self.path} {self.given}")))
        return f"impl{brackets([*lifetimes, *declared(made, outer=True)])}"


def impls(source: str) -> Iterator[Impl]:
    """The blocks of a program without comments."""
    for match in _IMPL.finditer(source):
        at, generics = match.end(), ""
        if source[at : at + 1] == "<":
            end = _closing(source, at)
            generics, at = source[at + 1 : end - 1], end
        opened = source.find("{", at)
        head, _, where = source[at:opened].partition(" where ")
        trait, owner = ("", head) if not (of := re.split(r"\bfor\b(?!\s*<)", head, maxsplit=1))[1:] else of
        of_trait, of_owner = (re.fullmatch(r"\s*([\w:]*)\s*(<.*>)?\s*", each, re.DOTALL) for each in (trait, owner))
        if opened < 0 or of_trait is None or of_owner is None or not of_owner[1].isidentifier():
            continue
        block = cut_at_close(source[opened + 1 :], "rust")
        block = re.sub(r"(?<=[;}\]])\s*(?=(?:(?:pub(?:\([^)]*\))?|const|unsafe)\s+)*fn\b)", "\n", block)
        outer = tuple(replace(each, is_outer=True) for each in _function("", generics, "", "", where).generics)
        path = " ".join(owner.split())
        yield Impl(outer, of_trait[1], " ".join((of_trait[2] or "").split()), of_owner[1], path, block)


def methods(source: str, tests: str, types: dict[str, OwnType]) -> list[tuple[Impl, str, Function]]:
    """Block, text in the tests, and function of the methods that tests call; the receiver is the first parameter.

    Args:
        source: Rust without comments.
        tests: which call them.
        types: of the candidate's own.
    """
    found = []
    for each in impls(source):
        for f in rust_functions(each.block) if each.owner in types and not each.trait else ():
            called = re.search(rf"(?:\.|\b{each.owner}(?:::<[^;]*?>)?::){f.name}\s*(?:::<[^;]*?>\s*)?\(", tests)
            made = method(each, f)
            judges = JUDGING.search(f.name) and len(made[1].parameters) > 1
            if called and not (judges and (re.search(_COMPARING, f.name) or not is_constructed(each.owner, tests))):
                found.append((each, *made))
    return found


def is_constructed(name: str, tests: str) -> bool:
    """Whether the tests make a value of a type: then it is what is tested, and asked what it holds."""
    return bool(re.search(rf"\b{name}\s*(?:::<[^;]*?>\s*)?(?:\{{|::(?:new|with|from|default)\w*\s*\()", tests))


def stub_name(name: str) -> str:
    """The name of the tests' function that asks for one of the candidate's, whose name may be a path."""
    return name if name.isidentifier() else f"wavecoder_{re.sub(r'[^A-Za-z0-9_]+', '_', name)}"


def method(of: Impl, f: Function) -> tuple[str, Function]:
    """A method's text in the tests, and the function that takes its receiver as its first parameter."""
    owner, block = without_lifetimes(of.path), of.block
    receiver = re.search(rf"\bfn\s+{f.name}\s*(?:<[^(]*>)?\s*\(\s*(&\s*)?(?:'\w+\s+)?(mut\s+)?self\b", block)
    borrow = "" if receiver is None or not receiver[1] else "&mut " if receiver[2] else "&"
    kinds = [re.sub(r"\bSelf\b", owner, kind) for _, kind in f.parameters[1 if receiver else 0 :]]
    taken = [f"b{n}: {kind}" for n, kind in enumerate(kinds)]
    given = [f"b{n}" for n in range(len(kinds))]
    if receiver:
        taken, given, kinds = [f"{borrow}self", *taken], ["self", *given], [f"{borrow}{owner}", *kinds]
    lasting = re.sub(r"'\w+", "'static", of.path)
    returns, arrow = re.sub(r"\bSelf\b", lasting, f.returns), f.returns
    behind = ""
    gives_self = re.fullmatch(r"&\s*(?:'\w+\s+)?(?:mut\s+)?Self", f.returns) and _ends_in_self(f.name, block)
    if receiver and borrow and gives_self:
        returns, behind = "", "; self"  # the receiver itself
    name = f"{owner}::{f.name}" if owner.isidentifier() else f"<{owner}>::{f.name}"
    made = replace(f, name=name, returns=returns, generics=of.generics + f.generics,
                   parameters=tuple((f"a{n}", kind) for n, kind in enumerate(kinds)))  # fmt: skip
    outer = re.findall(r"'\w+", f"{of.path} {of.given}")
    own = brackets([each for each in declared(replace(made, returns=f.returns), outer=False) if each not in outer])
    arrow = f" -> {arrow}" if arrow else ""
    text = ", ".join(taken).replace("→", "->")
    return f"pub fn {f.name}{own}({text}){arrow} {{ {stub_name(made.name)}({', '.join(given)}){behind} }}", made


def without_lifetimes(kind: str) -> str:
    """A type without those that the compiler finds by itself."""
    return re.sub(r"<\s*'\w+(?:\s*,\s*'\w+)*\s*>", "", kind)


def _ends_in_self(name: str, block: str) -> bool:
    """Whether a method's last word is its receiver."""
    head = re.search(rf"\bfn\s+{name}\b[^{{]*\{{", block)
    return head is not None and cut_at_close(block[head.end() :], "rust").rstrip("} \n\t").endswith("self")
