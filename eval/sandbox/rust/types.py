"""Rust's types that a candidate declares: structs and enums, with type parameters, too.

Structs and enums with derived traits are nothing but data. The tests' program declares them as the candidate does, so
that its values can be compared by derived equality, as the language defines it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from eval.answers.braces import cut_at_close
from eval.sandbox.functions import split_at_commas

_DERIVED = frozenset({"Debug", "Clone", "Copy", "PartialEq", "Eq", "PartialOrd", "Ord", "Hash", "Default"})
_TEXT = """Option Some None Result Ok Err Vec String Box In Put Get Tag Any Ordering Rng ThreadRng Iter Index TypeId
HashMap HashSet BTreeMap BTreeSet VecDeque RtnType Self Iterator"""
_TAKEN = frozenset(_TEXT.split())
"""Names that a declaration of the candidate's must not take from the tests."""
_TYPE = re.compile(
    r"^((?:[ \t]*#\[(?:derive|allow|repr|must_use|non_exhaustive)\b[^\]]*\]\s*)*)"
    r"[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?(struct|enum)[ \t]+(\w+)[ \t]*(?:<([^{}()]*?)>)?[ \t]*(?=[{(;])",
    re.MULTILINE,
)
_MARKED = re.compile(r"#\[(?:default|allow\([^)]*\))\]\s*")
_CONSTANT = re.compile(
    r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?(?:const|static)[ \t]+([A-Z][A-Z0-9_]*)[ \t]*:"
    r"[ \t]*((?:[^=;{}\[\]]|\[[^=\[\]]*\])+?)[ \t]*=[ \t]*((?:[^;\[]|\[[^\[\]]*\])+);",
    re.MULTILINE,
)
_KEYED = re.compile(r"\b(HashMap|HashSet|BTreeMap|BTreeSet|BinaryHeap)\s*<\s*(\w+)")


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
    given: str = ""
    """Its type parameters, as it declares them."""

    @property
    def words(self) -> set[str]:
        """The words of the types of its fields that are no parameters of its own."""
        kinds = [kind for _, fields, _ in self.forms for _, kind in fields]
        kinds = [re.sub(r"'\w+", "", kind) for kind in kinds]
        return {word for kind in kinds for word in re.findall(r"[A-Za-z_]\w*", kind)} - set(self.parameters)

    @property
    def parameters(self) -> list[str]:
        """The names of its parameters."""
        return [part.partition(":")[0].replace("const ", "").strip() for part in split_at_commas(self.given) if part]

    @property
    def path(self) -> str:
        """Its name with its parameters."""
        return f"{self.name}<{', '.join(self.parameters)}>" if self.given else self.name

    @property
    def borrows(self) -> bool:
        """Whether its parameters are lifetimes."""
        return self.given.startswith("'")

    def _bound(self, trait: str) -> str:
        """Its parameters, of which each has a trait, and keys of maps what keys have."""
        if not self.given or self.borrows:
            return f"<{self.given}>" if self.given else ""
        kinds = " ".join(kind for _, fields, _ in self.forms for _, kind in fields)
        keys = {name: "Ord" if kind[0] == "B" else "Eq + std::hash::Hash" for kind, name in _KEYED.findall(kinds)}
        said = []
        for part in split_at_commas(self.given):
            name, _, bounds = (each.strip() for each in part.partition(":"))
            if not name.startswith("const "):
                bounds = " + ".join(each for each in (bounds, trait, keys.get(name, "")) if each)
            said.append(f"{name}: {bounds}")
        return f"<{', '.join(said)}>"

    def declaration(self) -> str:
        """As the tests declare it."""
        head = f"#[derive({self.derives})]\n" if self.derives else ""
        given = f"<{self.given}>" if self.given else ""
        if self.is_enum:
            return f"{head}pub enum {self.name}{given} {self.body}"
        _, fields, opens = self.forms[0]
        return f"{head}pub struct {self.name}{given} {_fields(fields, opens)}{'' if opens == '{' else ';'}"

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
        put, get = f"{wire}::Put", f"{wire}::Get"
        if self.words & {"Rc", "Arc"}:
            put = get = f"{put} + {get} + 'static"
        bound, path = self._bound(get), self.path
        if self.borrows:  # what is read of a message lasts
            bound, path = "", re.sub(r"'\w+", "'static", path)
        return f"""impl{self._bound(put)} {wire}::Put for {self.path} {{
    fn put(&self, out: &mut Vec<u8>) {{ use {wire}::Put; match self {{ {" ".join(puts)} }} }}
}}
impl{bound} {wire}::Get for {path} {{
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
        attributes, kind, name, given = match.groups()
        rest = source[match.end() :]
        body = f"{{{cut_at_close(rest[1:], 'rust')}" if rest[0] == "{" else rest[: rest.find(";")].rstrip()
        plain = _MARKED.sub("", body)
        lifetimes = re.fullmatch(r"(?:\s*'\w+\s*,?)+", given or "")
        if "#" in plain or not (lifetimes or re.fullmatch(r"[\w\s:+,<>?]*", given or "")):
            continue
        derives = [
            each.strip() for each in re.findall(r"[\w: ]+", ",".join(re.findall(r"derive\(([^)]*)\)", attributes)))
        ]
        forms = _forms(name, kind, plain)
        if forms is not None and name not in _TAKEN | known and set(derives) <= _DERIVED:
            found[name] = OwnType(name, ", ".join(derives), kind == "enum", forms, body, given or "")
    while wrong := [name for name, each in found.items() if not each.words <= known | set(found)]:
        for name in wrong:
            del found[name]
    return found


def constants(text: str, types: dict[str, OwnType], known: set[str]) -> list[str]:
    """Declarations of constants that are made of literals and of the candidate's types.

    Args:
        text: Rust without comments, of a program or of the inside of an `impl`.
        types: the candidate's types that are data.
        known: words of plain types.
    """
    found, names = [], {"true", "false", "Self", "mut"}
    forms = [form for each in types.values() for form in each.forms]
    parts = {word for name, fields, _ in forms for word in (name, *(field for field, _ in fields))}
    text = re.sub(r"(?<=[;{}])[ \t]*(?=(?:pub(?:\([^)]*\))? +)?(?:const|static) +[A-Z_])", "\n", text)
    depth = place = 0
    for match in _CONSTANT.finditer(text):
        depth += text.count("{", place, match.start()) - text.count("}", place, match.start())
        place = match.start()
        if depth:
            continue
        name, kind, value = match.groups()
        bare = re.sub(r"b?'(?:\\.|[^'\\])'|b?\"(?:\\.|[^\"\\])*\"|\b\d[\w.]*", "", value)
        words = set(re.findall(r"[A-Za-z_]\w*", bare))
        of_kind = set(re.findall(r"[A-Za-z_]\w*", kind)) - {"static", "Self"}
        if words <= names | set(types) | parts | known and of_kind <= known | set(types) and not set("|!") & set(bare):
            names.add(name)
            found.append(f"pub const {name}: {kind} = {value};")
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
    if any("&" in re.sub(r"&'\w+ str\b", "", part) for part in parts):
        return None
    if opens == "(":
        return tuple((str(n), part) for n, part in enumerate(parts)), "("
    pairs = [tuple(each.strip() for each in part.split(":", 1)) for part in parts]
    return (tuple((pair[0], pair[1]) for pair in pairs), "{") if all(len(pair) == 2 for pair in pairs) else None
