"""TypeScript → JavaScript, by leaving out what is only a type; as Node's own type stripping does (`--strip-types`).

No type is checked: a program with type errors runs, as it does in Node. The result does not depend on Node's version,
and no compiler has to be installed. Enums, namespaces and parameters that are properties become what a compiler makes
of them. Other syntax that a compiler turns into code has no such form: `needs_compiler` names it.

Not covered: JSX; imports that are only used as types and do not say so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

import tree_sitter_typescript
from tree_sitter import Language, Node, Parser


def _set(names: str) -> frozenset[str]:
    return frozenset(names.split())


_TYPES = _set("type_annotation type_predicate_annotation asserts_annotation type_parameters type_arguments "
              "implements_clause accessibility_modifier override_modifier")  # fmt: skip
"""Nodes that are left out wherever they stand."""
_STATEMENTS = _set("interface_declaration type_alias_declaration ambient_declaration function_signature "
                   "abstract_method_signature method_signature index_signature")  # fmt: skip
"""Nodes in whose place an empty statement stands, which a class may hold too."""
_MARKS = {
    "optional_parameter": "? readonly", "required_parameter": "readonly", "method_definition": "?",
    "public_field_definition": "? ! readonly abstract",
    "variable_declarator": "!", "non_null_expression": "!", "abstract_class_declaration": "abstract",
}  # fmt: skip
"""Node → its own signs and words that are left out."""
_COMPILED = {
    "module": "a module",
    "import_require_clause": "import = require", "import_alias": "an import alias", "decorator": "a decorator",
}  # fmt: skip


@cache
def _parser() -> Parser:
    return Parser(Language(tree_sitter_typescript.language_typescript()))


def parsed(source: str) -> Node:
    """The syntax tree of a program."""
    return _parser().parse(source.encode("utf-8", "replace")).root_node


def needs_compiler(source: str) -> str:
    """The first construct that a compiler would have to turn into code; empty where types are all there is."""
    for node in _nodes(_parser().parse(source.encode("utf-8", "replace")).root_node):
        if node.type in _COMPILED:
            return _COMPILED[node.type]
        if node.type == "export_statement" and _has(node, "="):
            return "export ="
    return ""


def without_types(source: str) -> str:
    """The program without its types; what does not parse stays as it is, for Node to refuse."""
    text = source.encode("utf-8", "replace")
    made, place = list[bytes](), 0
    cuts = _cuts(_parser().parse(text).root_node, text)
    for begin, end, instead in sorted(cuts, key=lambda cut: (cut[0], -cut[1])):  # of two the one around the other
        if begin >= place:
            made += [text[place:begin], instead]
            place = end
    return b"".join([*made, text[place:]]).decode("utf-8", "replace")


Cut = tuple[int, int, bytes]


def _cuts(root: Node, text: bytes) -> Iterator[Cut]:
    """What is left out: first and last byte, and what stands there instead."""
    names: dict[str, list[str]] = {}  # of namespaces: what they export so far
    for node in _nodes(root):
        if node.type in _TYPES:
            before = node.prev_sibling
            line = before is not None and node.parent is not None and node.parent.type == "arrow_function"
            # No line may begin with the arrow.
            yield before.end_byte if line and before else node.start_byte, node.end_byte, b" "
        elif node.type == "internal_module":
            yield from _namespace(node, names)
        elif node.type == "enum_declaration":
            yield node.start_byte, node.end_byte, _enum(node).encode()
        elif node.type in {"import_specifier", "export_specifier"} and _has(node, "type"):
            yield _with_comma(node, text)
        elif _is_type_statement(node):
            yield node.start_byte, node.end_byte, b";"
        elif node.type in {"as_expression", "satisfies_expression"}:
            yield node.children[0].end_byte, node.end_byte, _separator(node, text)
        elif node.type == "required_parameter" and _has(node, "this"):
            yield _with_comma(node, text)
        elif node.type in _MARKS:
            yield from _given_properties(node)
            signs = _MARKS[node.type].split()
            yield from ((one.start_byte, one.end_byte, b" ") for one in node.children if one.type in signs)


def _enum(node: Node) -> str:
    """An enum as an object: member → value, and number → member."""
    name, body = _text(node.child_by_field_name("name")), node.child_by_field_name("body")
    made, known = list[str](), list[str]()
    for number, each in enumerate(body.named_children if body else ()):
        if each.type == "comment":
            continue
        value = each.child_by_field_name("value")
        member = _text(each.child_by_field_name("name") or each).strip("'\"`")
        said = f"{name}[{json.dumps(known[-1])}] + 1" if known else "0"
        if value is not None:
            said = _text(value)
            for one in known if value.type not in {"string", "template_string"} else ():
                said = re.sub(rf"(?<![\w$.'\"]){re.escape(one)}(?![\w$'\"])", f"{name}[{json.dumps(one)}]", said)
        key, held = json.dumps(member), f"$wavecoder{number}"
        made.append(f"const {held} = {name}[{key}] = {said}; if (typeof {held} === 'number') {name}[{held}] = {key};")
        known.append(member)
    return f"var {name} = ({name} => {{ {' '.join(made)} return {name} }})({name} ?? {{}});"


def _namespace(node: Node, known: dict[str, list[str]]) -> Iterator[Cut]:
    """A namespace as a function that fills an object; what it exports is read there as it is now."""
    named, body = node.child_by_field_name("name"), node.child_by_field_name("body")
    if named is None or body is None:
        return
    path, before = _text(named).replace(" ", "").split("."), list[str]()
    exports = [each for each in body.named_children if each.type == "export_statement"]
    mine = [name for each in exports for name in _declared(each)]
    whole = ".".join([*_owners(node), *path])
    earlier = [name for name in known.setdefault(whole, []) if name not in mine]
    known[whole] += [name for name in mine if name not in known[whole]]
    for at in range(1, len(path)):
        known.setdefault(".".join([*_owners(node), *path[:at]]), []).append(path[at])
    opened, closed = "", ""
    for at, name in enumerate(path):
        owner = f"{path[at - 1]}.{name}" if at else name
        opened += f"{'' if at else f'var {name}; '}(({name}) => {{ "
        closed = f"; }})({owner} ??= {{}})" + closed
        before.append(name)
    own = path[-1]
    opened += f"const {{ {', '.join(earlier)} }} = {own}; " if earlier else ""
    for name in mine:
        opened += (f"Object.defineProperty({own}, '{name}', {{ get: () => {name}, set: ($v) => {{ {name} = $v; }}, "
                   "enumerable: true, configurable: true }); ")  # fmt: skip
    above = node.parent if node.parent is not None and node.parent.type == "export_statement" else None
    yield (above or node).start_byte, body.start_byte + 1, opened.encode()
    yield body.end_byte - 1, body.end_byte, f"{closed};".encode()
    for each in exports:
        inner = each.child_by_field_name("declaration")
        if inner is not None and inner.type != "internal_module" and not _is_type_statement(each):
            yield each.start_byte, inner.start_byte, b""


def _owners(node: Node) -> list[str]:
    """The names of the namespaces that a node stands in, the outermost first."""
    found = list[str]()
    at = node.parent
    while at is not None:
        if at.type == "internal_module":
            found.insert(0, _text(at.child_by_field_name("name")))
        at = at.parent
    return found


def _declared(export: Node) -> list[str]:
    """The names of values that an `export` declares."""
    inner = export.child_by_field_name("declaration")
    inner = inner.named_children[0] if inner is not None and inner.type == "expression_statement" else inner
    if inner is None or _is_type_statement(export):
        return []
    if inner.type in {"lexical_declaration", "variable_declaration"}:
        return [
            _text(each.child_by_field_name("name"))
            for each in inner.named_children
            if each.type == "variable_declarator"
        ]
    return [_text(inner.child_by_field_name("name")).partition(".")[0]]


def _given_properties(method: Node) -> Iterator[Cut]:
    """What a constructor does with the parameters that are properties: behind a call of `super`, else at once."""
    given, body = (method.child_by_field_name(field) for field in ("parameters", "body"))
    if method.type != "method_definition" or given is None or body is None:
        return
    marked = [each for each in given.named_children if _has(each, "accessibility_modifier readonly override_modifier")]
    names = [_text(each.child_by_field_name("pattern")) for each in marked]
    above = next((each for each in body.named_children if (each.text or b"").startswith(b"super(")), None)
    place = above.end_byte if above is not None else body.start_byte + 1
    if names:
        yield place, place, "".join(f" this.{name} = {name};" for name in names).encode()


def _text(node: Node | None) -> str:
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def _is_type_statement(node: Node) -> bool:
    """Whether a whole statement, or a member of a class, says something about types alone."""
    if node.type == "export_statement":
        return _has(node, "type") or any(child.type in _STATEMENTS for child in node.children)
    if node.type == "import_statement":
        return _has(node, "type")
    return node.type in _STATEMENTS or (node.type == "public_field_definition" and _has(node, "declare"))


def _with_comma(node: Node, text: bytes) -> Cut:
    """A member of a list and the comma behind it."""
    comma = re.compile(rb"\s*,").match(text, node.end_byte)
    return node.start_byte, comma.end() if comma else node.end_byte, b" "


def _separator(node: Node, text: bytes) -> bytes:
    """What ends an expression whose type ended it: the next line might go on with it (`a as T`, then `(b)`)."""
    return b";" if re.compile(rb"[ \t]*\r?\n\s*[(\[`+\-/*]").match(text, node.end_byte) else b" "


def _has(node: Node, types: str) -> bool:
    wanted = types.split()
    return any(child.type in wanted for child in node.children)


def _nodes(root: Node) -> Iterator[Node]:
    pending = [root]
    while pending:  # a stack, not recursion: code nests deep
        node = pending.pop()
        yield node
        pending.extend(reversed(node.children))
