"""JSON values as expressions of JavaScript, by the types that a TypeScript function writes down where it does.

JSON has no `Map`, `Set`, `bigint`, `undefined` or `Date`. A parameter of such a type is given one. Aliases, interfaces,
unions, tuples and optional parameters are followed; what has no type, or one that is not known, is the JSON value.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tree_sitter import Node

from eval.sandbox.literals import Unwritable, plain_script
from eval.sandbox.typescript import parsed

MAX_DEPTH = 40
"""Of a type; one that names itself has no end."""

_LISTS, _SETS, _MAPS = {"Array", "ReadonlyArray", "Iterable"}, {"Set", "ReadonlySet"}, {"Map", "ReadonlyMap"}
_TYPED = {"Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
          "Float32Array", "Float64Array"}  # fmt: skip
_FUNCTIONS = {"function_declaration", "generator_function_declaration", "arrow_function", "function_expression",
              "generator_function"}  # fmt: skip


class ScriptTypes:
    """The types of a function's parameters.

    Args:
        source: TypeScript.
        name: of the function.
    """

    def __init__(self, source: str, name: str) -> None:
        self._names: dict[str, Node] = {}
        self._parameters: list[Node] = []
        self.returns_nothing = False
        for node in _nodes(parsed(source)):
            if node.type in {"type_alias_declaration", "interface_declaration"} and not _field(node, "type_parameters"):
                value = _field(node, "value") or _field(node, "body")
                if value is not None:
                    self._names.setdefault(_text(_field(node, "name")), value)
            function = _function_of(node, name)
            if function is not None:
                given = _field(function, "parameters")
                kinds = {"required_parameter", "optional_parameter"}
                self._parameters = [each for each in given.named_children if each.type in kinds] if given else []
                returns = _field(function, "return_type")
                self.returns_nothing = returns is not None and _text(returns).lstrip(": ") == "void"

    def argument(self, place: int, value: Any) -> str:
        """An argument as an expression.

        Raises:
            Unwritable: a number that the parameter has no room for.
        """
        if not self._parameters:
            return plain_script(value)
        parameter = self._parameters[min(place, len(self._parameters) - 1)]
        kind, pattern = _annotated(parameter), _field(parameter, "pattern")
        if pattern is not None and pattern.type == "rest_pattern":
            kind = next(iter(kind.named_children), None) if kind is not None and kind.type == "array_type" else None
        elif place >= len(self._parameters):
            return plain_script(value)
        if value is None and (parameter.type == "optional_parameter" or _field(parameter, "value")):
            return "null" if kind is not None and self._holds(kind, "null") else "undefined"
        return self._written(value, kind, 0)

    def _written(self, value: Any, kind: Node | None, depth: int) -> str:
        if kind is None or depth > MAX_DEPTH:
            return plain_script(value)
        match kind.type:
            case "parenthesized_type" | "readonly_type":
                return self._written(value, next(iter(kind.named_children), None), depth + 1)
            case "union_type":
                return self._one_of(value, list(_alternatives(kind)), depth + 1)
            case "array_type":
                return self._items(value, kind.named_children[:1] * len(_listed(value)), depth)
            case "tuple_type":
                return self._items(value, [_member(each) for each in kind.named_children], depth)
            case "object_type" | "interface_body":
                return self._object(value, kind, depth)
            case "generic_type":
                return self._generic(value, kind, depth)
            case "predefined_type" | "type_identifier":
                return self._named(value, kind, depth)
            case _:
                return plain_script(value)

    def _named(self, value: Any, kind: Node, depth: int) -> str:
        name = _text(kind)
        if name == "bigint" and type(value) is int:
            return f"{value}n"
        if name in _TYPED and isinstance(value, list):
            return f"{name}.from({plain_script(value)})"
        if name == "Date" and isinstance(value, str | int):
            return f"new Date({plain_script(value)})"
        known = self._names.get(name)
        return plain_script(value) if known is None else self._written(value, known, depth + 1)

    def _one_of(self, value: Any, kinds: list[Node], depth: int) -> str:
        if value is None:
            names = {_text(each) for each in kinds}
            return "undefined" if "undefined" in names and "null" not in names else "null"
        fits = {bool: "boolean", int: "number", float: "number", str: "string"}.get(type(value), "")
        others = [each for each in kinds if _text(each) not in {"null", "undefined"}]
        if any(_text(each) == fits for each in others):
            return plain_script(value)
        for each in others:  # the first that makes something of the value
            if (text := self._written(value, each, depth)) != _or_empty(value):
                return text
        return plain_script(value)

    def _generic(self, value: Any, kind: Node, depth: int) -> str:
        name, given = _text(_field(kind, "name")), _field(kind, "type_arguments")
        kinds = given.named_children if given is not None else []
        if name in _LISTS | _SETS and isinstance(value, list) and kinds:
            items = self._items(value, kinds[:1] * len(value), depth)
            return f"new Set({items})" if name in _SETS else items
        if name in _MAPS and isinstance(value, dict | list) and len(kinds) == 2:
            pairs = [(_key(key, kinds[0]), one) for key, one in value.items()] if isinstance(value, dict) else value
            written = (self._items(list(pair), kinds, depth) for pair in pairs if len(_listed(list(pair))) == 2)
            return f"new Map([{', '.join(written)}])"
        if name in {"Readonly", "Partial", "Required", "NonNullable"} and kinds:
            return self._written(value, kinds[0], depth + 1)
        if name == "Record" and isinstance(value, dict) and len(kinds) == 2:
            return _object({key: self._written(one, kinds[1], depth + 1) for key, one in value.items()})
        return plain_script(value)

    def _items(self, value: Any, kinds: list[Node], depth: int) -> str:
        if not isinstance(value, list):
            return plain_script(value)
        known = [*kinds, *[None] * len(value)]
        return f"[{', '.join(self._written(one, known[n], depth + 1) for n, one in enumerate(value))}]"

    def _object(self, value: Any, kind: Node, depth: int) -> str:
        if not isinstance(value, dict):
            return plain_script(value)
        signed = [each for each in kind.named_children if each.type == "property_signature"]
        kinds = {_text(_field(each, "name")).strip("'\""): _annotated(each) for each in signed}
        return _object({key: self._written(one, kinds.get(key), depth + 1) for key, one in value.items()})

    def _holds(self, kind: Node, word: str) -> bool:
        return any(_text(each) == word for each in _alternatives(kind))


def _function_of(node: Node, name: str) -> Node | None:
    """The function that a statement gives a name."""
    named = _field(node, "name")
    if named is None or _text(named) != name:
        return None
    if node.type in _FUNCTIONS:
        return node
    value = _field(node, "value") if node.type == "variable_declarator" else None
    return value if value is not None and value.type in _FUNCTIONS else None


def _alternatives(kind: Node) -> Iterator[Node]:
    if kind.type in {"union_type", "parenthesized_type"}:
        for each in kind.named_children:
            yield from _alternatives(each)
    else:
        yield kind


def _annotated(node: Node) -> Node | None:
    annotation = _field(node, "type")
    return next(iter(annotation.named_children), None) if annotation is not None else None


def _member(node: Node) -> Node:
    """The type of a tuple's member, which may have a name or a mark."""
    return (_annotated(node) or node) if node.type in {"required_parameter", "optional_parameter"} else node


def _key(name: str, kind: Node) -> Any:
    """A key of JSON as a key of a map."""
    if _text(kind) in {"number", "bigint"}:
        try:
            return json.loads(name)
        except ValueError:
            raise Unwritable("no number as a key") from None
    return name


def _object(fields: dict[str, str]) -> str:
    return f"({{{', '.join(f'[{json.dumps(name)}]: {text}' for name, text in fields.items())}}})"


def _or_empty(value: Any) -> str:
    try:
        return plain_script(value)
    except Unwritable:
        return ""


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _field(node: Node, name: str) -> Node | None:
    return node.child_by_field_name(name)


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def _nodes(root: Node) -> Iterator[Node]:
    pending = [root]
    while pending:
        node = pending.pop()
        yield node
        pending.extend(reversed(node.named_children))
