"""What pydantic found wrong with a file that people write → one line that names every fault, its place and its remedy.

A union reports the fault of each of its members: here a value is named once, with all that is allowed there.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from core.languages import canonical
from core.strict_yaml import KeyPath

SHOWN_CHARS = 120


def explain(error: ValidationError, model: type[BaseModel], tree: Any, place: Callable[[KeyPath], str]) -> str:
    """All faults on one line.

    Args:
        error: of validating `tree`.
        model: what it was validated as.
        tree: the whole value, as JSON values.
        place: path of a key → where it was given, such as "recipe.yaml, line 3".
    """
    found: dict[KeyPath, list[dict[str, Any]]] = {}
    for each in error.errors(include_url=False):
        found.setdefault(_real_path(each["loc"], tree, missing=each["type"] == "missing"), []).append(dict(each))
    found = {path: faults for path, faults in found.items() if not _follows(path, faults, found)}
    said = [f"{place(path)}: {_say(path, faults, model, tree)}" for path, faults in found.items()]
    if len(said) == 1:
        return said[0]
    return f"{len(said)} settings are wrong: " + " ".join(f"({number}) {line}" for number, line in enumerate(said, 1))


def _follows(path: KeyPath, faults: list[dict[str, Any]], found: Iterable[KeyPath]) -> bool:
    """Whether a list is called too short only because an entry of it is wrong."""
    inside = any(other[: len(path)] == path and other != path for other in found)
    return inside and all(each["type"] == "too_short" for each in faults)


def _real_path(location: tuple[int | str, ...], tree: Any, *, missing: bool) -> KeyPath:
    """A fault's location without the names of union members that pydantic puts in between."""
    path: list[int | str] = []
    for number, part in enumerate(location):
        if (isinstance(tree, dict) and part in tree) or (
            isinstance(tree, list) and isinstance(part, int) and part < len(tree)
        ):
            tree = tree[part]  # type: ignore[index]
            path.append(part)
        elif missing and number == len(location) - 1:
            path.append(part)
    return tuple(path)


def _say(path: KeyPath, faults: list[dict[str, Any]], model: type[BaseModel], tree: Any) -> str:
    key, first = ".".join(map(str, path)) or "the file", faults[0]
    if first["type"] == "extra_forbidden":
        return f"unknown key {key}{_remedy(path, model, tree)}"
    if first["type"] == "missing":
        return f"{key} is missing"
    messages = [_in_words(each) for each in faults]
    allowed, message = dict.fromkeys(text.removeprefix("Input should be ") for text in messages), messages[0]
    if len(allowed) > 1:
        message = f"Input should be {' or '.join(allowed)}"
    hint = "" if len(allowed) > 1 else _hint(first)
    return f"{key} is {_shown(first['input'])}; {message}{_number_hint(first)}{hint}"


_KINDS = {"a valid string": "text", "a valid array": "a list", "an object": "a mapping of keys to values",
          "a valid boolean": "true or false"}  # fmt: skip
"""JSON's words for what YAML calls otherwise."""


def _in_words(fault: dict[str, Any]) -> str:
    said = str(fault["msg"]).removeprefix("Value error, ")
    kind = said.removeprefix("Input should be ")
    return f"Input should be {_KINDS[kind]}" if kind in _KINDS else said


def _hint(fault: dict[str, Any]) -> str:
    """What to write in the place of a value of another kind, or of a word that is not allowed."""
    given, kind = fault["input"], fault["type"]
    if kind == "string_type" and given is not None:
        return "; put it in quotes"
    if kind.startswith("bool") and isinstance(given, str):
        return ", without quotes"
    if kind in {"tuple_type", "list_type"} and isinstance(given, str | int | float):
        return f", such as [{given}]"
    if kind != "literal_error" or not isinstance(given, str):
        return ""
    allowed = re.findall(r"'([^']+)'", fault["ctx"]["expected"])
    word = given.lower()
    near = difflib.get_close_matches(canonical(word), allowed, 1) or [each for each in allowed if each.lower() == word]
    return f"; did you mean {near[0]}?" if near else ""


def _shown(value: Any) -> str:
    text = json.dumps(value, default=str, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def _number_hint(fault: dict[str, Any]) -> str:
    """YAML 1.1 takes 2e-5 for text."""
    text = fault["input"]
    if not isinstance(text, str) or not fault["type"].startswith(("float", "int")):
        return ""
    try:
        number = float(text)
    except ValueError:
        return ""
    plain = repr(number) if "." in repr(number).partition("e")[0] else repr(number).replace("e", ".0e")
    plain = plain if fault["type"].startswith("float") or not number.is_integer() else str(int(number))
    return f"; it was read as text: write {plain}, without quotes"


def _remedy(path: KeyPath, model: type[BaseModel], tree: Any) -> str:
    """What is allowed beside an unknown key, and what was probably meant."""
    known = list(dict.fromkeys(name for each in _models_at(model, path[:-1], tree) for name in each.model_fields))
    wrong = str(path[-1])
    near = difflib.get_close_matches(wrong, known, 1) or [name for name in known if wrong in name.split("_")]
    elsewhere = [".".join(where) for where in _fields_named(model) if where[-1] == wrong]
    meant = near or elsewhere
    listed = f"; allowed there: {', '.join(known)}" if known else ""
    return listed + (f"; did you mean {' or '.join(meant[:3])}?" if meant else "")


def _models_at(annotation: Any, path: KeyPath, tree: Any) -> list[type[BaseModel]]:
    """The settings classes that a value at this path may be."""
    models = [each for each in _members(annotation) if _admits(each, tree)]
    for part in path:
        fields = [each.model_fields[part].annotation for each in models
                  if isinstance(part, str) and part in each.model_fields]  # fmt: skip
        # A key that is no field is an entry of a mapping or a list, whose values are of the same annotation.
        inner: Any = tree
        tree = inner[part] if isinstance(inner, dict | list) else None  # type: ignore[index]
        members = [member for field in fields for member in _members(field)] if fields else models
        admitted = [each for each in members if _admits(each, tree)]
        models = admitted if isinstance(tree, dict) else members
    return models


def _members(annotation: Any) -> Iterator[type[BaseModel]]:
    """Settings classes in an annotation, inside unions, sequences and mappings too."""
    if isinstance(annotation, type) and get_origin(annotation) is None:
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for part in get_args(annotation):
        yield from _members(part)


def _admits(model: type[BaseModel], tree: Any) -> bool:
    """Whether the words that tell the members of a union apart fit."""
    if not isinstance(tree, dict):
        return True
    words = {name: get_args(field.annotation) for name, field in model.model_fields.items()
             if get_origin(field.annotation) is Literal and len(get_args(field.annotation)) == 1}  # fmt: skip
    return all(tree[name] in allowed for name, allowed in words.items() if name in tree)


def _fields_named(model: type[BaseModel], prefix: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Paths of all settings below sections."""
    for name, field in model.model_fields.items():
        yield (*prefix, name)
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _fields_named(field.annotation, (*prefix, name))
