"""Rust's signatures, read from their text (visibility, generics, bounds, `where`, lifetimes), and the types in them.

Structs and enums with derived traits are nothing but data. The tests' program declares them as the candidate does, so
that its values can be compared by derived equality, as the language defines it. A trait that the candidate implements
itself stays in its program. So do methods; the tests call those that they name, but none that is told what a value
ought to be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from eval.answers.braces import cut_at_close
from eval.sandbox.functions import Function, Generic, split_at_commas
from eval.sandbox.rust.closures import closure

_WORDS = r"""(?:pub(?:\s*\([^)]*\))?\s+)?(?:(?:const|unsafe|extern(?:\s+"[^"]*")?)\s+)*"""
_HEAD = re.compile(rf"^[ \t]*{_WORDS}fn\s+([A-Za-z_]\w*)\s*", re.MULTILINE)
_ITEM = re.compile(r"\b(?:Into|DoubleEnded|ExactSize)?Iterator\s*<\s*Item\s*=\s*(.+)>\s*(?:\+.*)?")

_DERIVED = frozenset({"Debug", "Clone", "Copy", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Default"})
_TEXT = """Option Some None Result Ok Err Vec String Box In Put Get Tag Any Ordering Rng ThreadRng Iter Index TypeId
HashMap HashSet BTreeMap BTreeSet VecDeque RtnType Self Iterator"""
_TAKEN = frozenset(_TEXT.split())
"""Names that a declaration of the candidate's must not take from the tests."""
_TYPE = re.compile(
    r"^((?:[ \t]*#\[derive\([^)]*\)\]\s*)*)[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?(struct|enum)[ \t]+(\w+)[ \t]*(?=[{(;])",
    re.MULTILINE,
)
_IMPL = re.compile(r"^[ \t]*impl[ \t]+(\w+)[ \t]*\{", re.MULTILINE)
_JUDGING = re.compile(r"^eq$|^ne$|equal|cmp|compare|^lt|^gt|^le$|^ge$|match|contain|same|^has|^is_", re.IGNORECASE)


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
        if tail is None or ";" in re.sub(r"\[[^\]]*\]", "", tail[0]):
            continue
        yield _function(head[1], generics, text[at + 1 : end - 1], tail["returns"] or "", tail["where"] or "")


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
    parameters = []
    for part in split_at_commas(given.replace("->", "→")):
        if not part.strip():
            continue
        parameter, _, kind = part.partition(":")
        kind = " ".join(kind.split())
        if found := re.match(r"(&\s*(?:'\w+\s+)?(?:mut\s+)?)?(?:\(\s*)?impl\s+(.+?)\s*\)?$", kind):
            implied[f"Implied{len(implied)}"] = found[2]
            kind = f"{found[1] or ''}Implied{len(implied) - 1}"
        parameters.append((re.sub(r"\bmut\s+", "", parameter).strip(), kind))
    made = [
        Generic(kind, bound, _item(bound), is_implied=kind in implied, is_function=closure(bound) is not None)
        for kind, bound in (bounds | implied).items()
    ]
    return Function(name, " ".join(returns.split()), tuple(parameters), tuple(made), ", ".join(rest))


def _item(bound: str) -> str | None:
    found = _ITEM.fullmatch(bound)
    return found[1].strip() if found else None


def unknown_bounds(f: Function) -> bool:
    """Whether a function wants what cannot cross: functions that take or give functions, constants as parameters."""
    return any(re.search(r"\b(?:Fn|FnMut|FnOnce|fn)\b", f"{each.name} {each.bounds}") or not each.name.isidentifier()
               for each in f.generics if not each.is_function)  # fmt: skip


@dataclass(frozen=True)
class OwnType:
    """A type of the candidate's, and the forms that its values have: one of a struct, several of an enum."""

    name: str
    derives: str
    is_enum: bool
    forms: tuple[tuple[str, tuple[tuple[str, str], ...], str], ...]
    """Name, fields (their names are numbers where they have none) and `{`, `(` or nothing."""
    body: str
    """What the candidate's text has between its brackets, and they."""

    @property
    def words(self) -> set[str]:
        """The words of the types of its fields."""
        return {word for _, fields, _ in self.forms for _, kind in fields for word in re.findall(r"[A-Za-z_]\w*", kind)}

    def declaration(self) -> str:
        """As the tests declare it."""
        head = f"#[derive({self.derives})]\n" if self.derives else ""
        if self.is_enum:
            return f"{head}pub enum {self.name} {self.body}"
        _, fields, opens = self.forms[0]
        return f"{head}pub struct {self.name} {_fields(fields, opens)}{'' if opens == '{' else ';'}"

    def crossing(self, wire: str) -> str:
        """How its values are written and read; `wire` is the module's path."""
        puts, gets = [], []
        for place, (name, fields, opens) in enumerate(self.forms):
            path = f"{self.name}::{name}" if self.is_enum else self.name
            bound = ", ".join(f"{field}: a{n}" if opens == "{" else f"a{n}" for n, (field, _) in enumerate(fields))
            read = ", ".join(
                f"{field}: {wire}::Get::get(from)" if opens == "{" else f"{wire}::Get::get(from)" for field, _ in fields
            )
            closed = {"{": "}", "(": ")", "": ""}[opens]
            written = "".join(f" Put::put(a{n}, out);" for n in range(len(fields)))
            puts.append(f"{path}{opens}{bound}{closed} => {{ out.push({place});{written} }}")
            gets.append(f"{place} => {path}{opens}{read}{closed},")
        return f"""impl {wire}::Put for {self.name} {{
    fn put(&self, out: &mut Vec<u8>) {{ use {wire}::Put; match self {{ {" ".join(puts)} }} }}
}}
impl {wire}::Get for {self.name} {{
    fn get(from: &mut {wire}::In) -> Self {{
        match <u8 as {wire}::Get>::get(from) {{ {" ".join(gets)} _ => std::process::exit(90) }}
    }}
}}
"""


def _fields(fields: tuple[tuple[str, str], ...], opens: str) -> str:
    if not opens:
        return ""
    if opens == "{":
        return "{ " + ", ".join(f"pub {name}: {kind}" for name, kind in fields) + " }"
    return f"({', '.join(f'pub {kind}' for _, kind in fields)})"


def own_types(source: str, known: set[str]) -> dict[str, OwnType]:
    """Name → type, of those that are data.

    Args:
        source: Rust without comments.
        known: words of plain types.
    """
    found: dict[str, OwnType] = {}
    for match in _TYPE.finditer(source):
        attributes, kind, name = match.groups()
        rest = source[match.end() :]
        body = f"{{{cut_at_close(rest[1:], 'rust')}" if rest[0] == "{" else rest[: rest.find(";")].rstrip()
        if "#" in body:
            continue
        derives = [each.strip() for each in re.findall(r"[\w: ]+", ",".join(re.findall(r"\(([^)]*)\)", attributes)))]
        forms = _forms(name, kind, body)
        if forms is not None and name not in _TAKEN | known and set(derives) <= _DERIVED:
            found[name] = OwnType(name, ", ".join(derives), kind == "enum", forms, body)
    while wrong := [name for name, each in found.items() if not each.words <= known | set(found)]:
        for name in wrong:
            del found[name]
    return found


def _forms(name: str, kind: str, body: str) -> tuple[tuple[str, tuple[tuple[str, str], ...], str], ...] | None:
    if kind == "struct":
        fields = _read_fields(body)
        return None if fields is None else ((name, *fields),)
    forms = []
    for part in [" ".join(each.split()) for each in split_at_commas(body[1:-1]) if each.strip()]:
        head = re.fullmatch(r"(\w+)\s*([({].*[)}])?(?:= ?-?\d+)?", part)
        fields = _read_fields(head[2]) if head and head[2] else ((), "")
        if head is None or fields is None:
            return None
        forms.append((head[1], *fields))
    return tuple(forms) or None


def _read_fields(body: str) -> tuple[tuple[tuple[str, str], ...], str] | None:
    if not body:
        return (), ""
    opens, inner = body[0], body.rstrip("; \t")[1:-1]
    parts = [
        re.sub(r"^pub(?:\([^)]*\))? ", "", " ".join(each.split())) for each in split_at_commas(inner) if each.strip()
    ]
    if any("<'" in part or "&" in part for part in parts):
        return None
    if opens == "(":
        return tuple((str(n), part) for n, part in enumerate(parts)), "("
    pairs = [tuple(each.strip() for each in part.split(":", 1)) for part in parts]
    return (tuple((pair[0], pair[1]) for pair in pairs), "{") if all(len(pair) == 2 for pair in pairs) else None


def methods(source: str, tests: str, types: dict[str, OwnType]) -> list[tuple[str, str, Function]]:
    """Owner, head in the tests, and function of the methods that tests call; the receiver is the first parameter.

    Args:
        source: Rust without comments.
        tests: which call them.
        types: of the candidate's own.
    """
    found = []
    for match in _IMPL.finditer(source):
        owner, block = match[1], cut_at_close(source[match.end() :], "rust")
        for f in rust_functions(block) if owner in types else ():
            if _JUDGING.search(f.name) or f.generics or not re.search(rf"(?:\.|\b{owner}::){f.name}\s*\(", tests):
                continue
            found.append((owner, *method(owner, f, block)))
    return found


def stub_name(name: str) -> str:
    """The name of the tests' function that asks for one of the candidate's, whose name may be a path."""
    return name if name.isidentifier() else f"wavecoder_{re.sub(r'[^A-Za-z0-9_]+', '_', name)}"


def method(owner: str, f: Function, block: str) -> tuple[str, Function]:
    """A method's head in the tests, and the function that takes its receiver as its first parameter."""
    receiver = re.search(rf"\bfn\s+{f.name}\s*\(\s*(&\s*)?(?:'\w+\s+)?(mut\s+)?self\b", block)
    borrow = "" if receiver is None or not receiver[1] else "&mut " if receiver[2] else "&"
    kinds = [re.sub(r"\bSelf\b", owner, kind) for _, kind in f.parameters[1 if receiver else 0 :]]
    taken = [f"b{n}: {kind}" for n, kind in enumerate(kinds)]
    given = [f"b{n}" for n in range(len(kinds))]
    if receiver:
        taken, given, kinds = [f"{borrow}self", *taken], ["self", *given], [f"{borrow}{owner}", *kinds]
    returns = re.sub(r"\bSelf\b", owner, f.returns)
    made = replace(f, name=f"{owner}::{f.name}", returns=returns,
                   parameters=tuple((f"a{n}", kind) for n, kind in enumerate(kinds)))  # fmt: skip
    arrow = f" -> {returns}" if returns else ""
    return f"pub fn {f.name}({', '.join(taken)}){arrow} {{ {stub_name(made.name)}({', '.join(given)}) }}", made
