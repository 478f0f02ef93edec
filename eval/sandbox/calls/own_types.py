"""Records and enums that a candidate declares, as the expressions that make their values of JSON.

Go's structs and named types, Rust's structs and enums, Java's records and enums, and C++'s enums and structs that are
made of their fields are declared in the tests' program as the candidate declares them (`eval/sandbox/stubs.py`). A
value is an object of its fields, the list of them, or the name of an enum's member.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from eval.answers.braces import cut_at_close
from eval.sandbox import go_types
from eval.sandbox.cpp.declared import declared
from eval.sandbox.cpp.heads import Member
from eval.sandbox.functions import split_at_commas
from eval.sandbox.literals import Unwritable
from eval.sandbox.plain_text import without_comments
from eval.sandbox.rust.programs import types_of

Write = Callable[[Any, str], str]
"""A value and a type → an expression."""


@dataclass(frozen=True)
class OwnType:
    """A type of the candidate's."""

    name: str
    """As the tests' program names it."""
    fields: tuple[tuple[str, str], ...] = ()
    """Names and types of a record's."""
    members: tuple[str, ...] = ()
    """Names of an enum's."""
    base: str = ""
    """What another name of a plain type stands for."""
    opens: str = "{"
    """How Rust writes a struct: `{`, or `(` where its fields have no names."""


def own_types(source: str, language: str) -> dict[str, OwnType]:
    """Name → type, of those whose values JSON can say."""
    readers = {"go": _of_go, "rust": _of_rust, "java": _of_java, "cpp": _of_cpp}
    return readers[language](without_comments(source, language)) if language in readers else {}


def own_literal(value: Any, kind: OwnType, language: str, write: Write) -> str:
    """A value of such a type as an expression.

    Raises:
        Unwritable: the value is none of the type.
    """
    if kind.members:
        if value not in kind.members:
            raise Unwritable(f"no {kind.name}")
        return f"{kind.name}{'.' if language == 'java' else '::'}{value}"
    if kind.base:
        return f"{kind.name}({write(value, kind.base)})"
    values = _in_order(value, kind)
    parts = [write(one, each) for one, (_, each) in zip(values, kind.fields, strict=True)]
    named = [f"{name}: {part}" for (name, _), part in zip(kind.fields, parts, strict=True)]
    if language == "java":
        return f"new {kind.name}({', '.join(parts)})"
    if language == "cpp":
        return f"{kind.name}{{{', '.join(parts)}}}"
    if language == "go":
        return f"{kind.name}{{{', '.join(named)}}}"
    return f"{kind.name}({', '.join(parts)})" if kind.opens == "(" else f"{kind.name} {{ {', '.join(named)} }}"


def _in_order(value: Any, kind: OwnType) -> list[Any]:
    names = [name.lower() for name, _ in kind.fields]
    if isinstance(value, dict):
        given = {name.lower().replace("_", ""): one for name, one in value.items()}
        value = [given.get(name.replace("_", "")) for name in names] if len(given) == len(names) else None
    if not isinstance(value, list) or len(value) != len(names):
        raise Unwritable(f"no {kind.name}")
    return value


def rust_comparisons(types: Mapping[str, OwnType], words: set[str]) -> str:
    """Implementations of `Same` (`drivers/proof.rs`) for the types that a result is made of."""
    made, pending, seen = list[str](), sorted(words & set(types)), set[str]()
    while pending:
        each = types[pending.pop()]
        if each.name in seen:
            continue
        seen.add(each.name)
        pending += sorted({word for _, kind in each.fields for word in re.findall(r"\w+", kind)} & set(types))
        if each.members:
            arms = "".join(f"({each.name}::{name}, {each.name}::{name}) => true, " for name in each.members)
            body = f"match (self, other) {{ {arms}_ => false }}" if len(each.members) > 1 else "true"
        else:
            body = " && ".join(f"self.{name}.same(&other.{name})" for name, _ in each.fields) or "true"
        made.append(f"impl Same for {each.name} {{ fn same(&self, other: &Self) -> bool {{ {body} }} }}")
    return "\n".join(made)


def cpp_comparisons(types: Mapping[str, OwnType]) -> str:
    """Forms of `Same` (`drivers/proof.cpp`) for structs, which may have no equality or one of their own."""
    made = []
    for each in types.values():
        if each.fields:
            same = " && ".join(f"Same<Bare<decltype(a.{name})>>::of(a.{name}, b.{name})" for name, _ in each.fields)
            head = f"static bool of(const {each.name}& a, const {each.name}& b)"
            made.append(f"template <> struct Same<{each.name}> {{ {head} {{ return {same}; }} }};")
    return "\n".join(made)


def _of_cpp(source: str) -> dict[str, OwnType]:
    found = {}
    for each in declared(source).types:
        if each.parameters or (each.base and each.head == "struct"):
            continue
        if each.head.startswith("enum"):
            found[each.short] = OwnType(
                each.path, members=tuple(str(part).split("=")[0].strip() for part in each.parts)
            )
            continue
        hidden = {"private:", "protected:"} & {part for part in each.parts if isinstance(part, str)}
        fields = tuple((field.name, field.kind) for field in each.fields())
        if (
            fields
            and _takes_fields(each.parts, fields)
            and not hidden
            and not any(field.size for field in each.fields())
        ):
            found[each.short] = OwnType(each.path, fields)
    return found


def _takes_fields(parts: Sequence[object], fields: Sequence[tuple[str, str]]) -> bool:
    """Whether a struct is made of its fields' values: it has no constructors, or one that takes them in their order."""
    made = [part.kinds for part in parts if isinstance(part, Member) and not part.name]
    return not made or [_bare(kind) for _, kind in fields] in [list(map(_bare, kinds)) for kinds in made]


def _bare(kind: str) -> str:
    return re.sub(r"\bconst\b|\bstd::|[&\s]", "", kind)


def _of_go(source: str) -> dict[str, OwnType]:
    found = {}
    for name, text in go_types.data_types(source).items():
        body = re.fullmatch(r"type \w+ struct \{(.*)\}", text, re.DOTALL)
        if " interface {" in text or go_types.is_opaque(text) or re.match(r"type \w+\[", text):
            continue
        if body is None:
            found[name] = OwnType(name, base=text.removeprefix(f"type {name} "))
            continue
        fields = list[tuple[str, str]]()
        for line in re.split(r"[\n;]", re.sub(r"`[^`]*`", "", body[1])):
            names, _, kind = re.sub(r"\s*,\s*", ",", line.strip()).partition(" ")
            fields += [(each, kind.strip()) for each in names.split(",") if kind.strip()]
        found[name] = OwnType(name, tuple(fields))
    return found


def _of_rust(source: str) -> dict[str, OwnType]:
    found = {}
    for name, each in types_of(source).items():
        if each.given:
            continue
        if not each.is_enum:
            found[name] = OwnType(name, each.forms[0][1], opens=each.forms[0][2] or "{")
        elif not any(fields for _, fields, _ in each.forms):
            found[name] = OwnType(name, members=tuple(form for form, _, _ in each.forms))
    return found


def java_path(kind: str, own: dict[str, OwnType]) -> str:
    """A type of Java with the candidate's own ones as another class names them: `List<Solution.Run>`."""
    return re.sub(r"(?<![\w.])\w+", lambda word: own[word[0]].name if word[0] in own else word[0], kind)


def _of_java(source: str) -> dict[str, OwnType]:
    found = {}
    for match in re.finditer(r"\b(record|enum)\s+(\w+)\s*(?:\(([^)]*)\))?[^{;]*\{", source):
        before = source[: match.start()]
        depth = before.count("{") - before.count("}")
        owner = re.findall(r"\bclass\s+(\w+)[^{;]*\{", before) if depth else []
        # A solution without a class stands in one of this name (`eval/sandbox/call_tests.py`).
        outside = re.search(r"\bclass\s+Solution\b", source) and not depth
        path = match[2] if outside else f"{owner[-1] if owner else 'Solution'}.{match[2]}"
        if match[1] == "record":
            fields = [re.fullmatch(r"(.+?)\s+(\w+)", " ".join(part.split())) for part in split_at_commas(match[3] or "")
                      if part.strip()]  # fmt: skip
            if fields and all(fields):
                found[match[2]] = OwnType(path, tuple((each[2], each[1]) for each in fields if each))
        else:
            body = cut_at_close(source[match.end() :], "java").partition(";")[0].rstrip("} \n\t")
            members = [re.match(r"\s*(\w+)", part) for part in split_at_commas(body) if part.strip()]
            if members and all(members):
                found[match[2]] = OwnType(path, members=tuple(each[1] for each in members if each))
    return {
        name: replace(kind, fields=tuple((field, java_path(each, found)) for field, each in kind.fields))
        for name, kind in found.items()
    }
