"""A function → what stands around it: what it needs of its file, or a whole program that a compiler can judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from tree_sitter import Node

from codeocean.context.placed import placed
from codeocean.context.reasons import PLACE
from codeocean.generate.signatures import function_node
from codeocean.grammars import parse

_GO_PACKAGES = {"rand": "math/rand", "utf8": "unicode/utf8", "list": "container/list", "heap": "container/heap"}
_GO_USE = re.compile(
    r"\b(strings|fmt|math|sort|errors|strconv|unicode|bytes|os|time|regexp|rand|utf8|list|heap|slices|maps)\.[A-Z]"
)
_JAVA = "import java.util.*;\nimport java.util.function.*;\nimport java.util.regex.*;\nimport java.util.stream.*;\n"
_CPP = "#include <bits/stdc++.h>\nusing namespace std;\n"
_RUST = "#![allow(unused)]\nuse std::collections::*;\n"


def in_context(source: Mapping[str, Any], code: str) -> str:
    """Code of a row's function behind or inside what it needs of its file, where collect kept that.

    Args:
        source: RAW_CODE row.
        code: its function, or an edit of it.
    """
    context, language = source.get("context") or "", source["language"]
    if PLACE not in context:
        return placed(context, code, language)
    alone = _CALLED_ALONE.get(language)
    return alone(context, code, source["name"]) if alone else placed(context, code, language)


def _python_method(context: str, code: str, name: str) -> str:
    text = placed(context, code, "python")
    return f"{text}\n\n\n{name.rpartition('.')[2]} = {name}\n" if re.match(r"@(static|class)method", code) else text


def _script_method(context: str, code: str, name: str, language: str = "javascript") -> str:
    text, last = placed(context, code, language), name.rpartition(".")[2]
    return f"{text}\n\nconst {last} = (...given) => {name}(...given);\n" if code.startswith("static") else text


def _java_method(context: str, code: str, name: str) -> str:
    """Beside the class one that hands calls on, as the sandbox expects it."""
    code = re.sub(r"\bprivate\s+", "", code, count=1) if code.find("private") < code.find("(") else code
    text, owner = placed(context, code, "java"), name.rpartition(".")[0]
    method = function_node(code, "java", name.rpartition(".")[2])
    fields = {field: (node.text or b"").decode() for field in ("type_parameters", "type", "name", "parameters")
              if method is not None and (node := method.child_by_field_name(field)) is not None}  # fmt: skip
    if method is None or "type" not in fields:
        return text
    head = (method.text or b"").decode().partition("(")[0]
    thrown = next(((child.text or b"").decode() for child in method.children if child.type == "throws"), "")
    given = ", ".join(re.findall(r"(\w+)\s*(?:\[\]\s*)*[,)]", re.sub(r"<[^()]*>", "", fields["parameters"])))
    target = owner if re.search(r"\bstatic\b", head) else f"new {owner}()"
    call = f"{target}.{fields['name']}({given});"
    body = call if fields["type"] == "void" else f"return {call}"
    head = (
        f"static {fields.get('type_parameters', '')} {fields['type']} {fields['name']}{fields['parameters']} {thrown}"
    )
    bare = re.sub(r"^public\s+(?=((final|abstract)\s+)*(class|interface|enum|record)\s)", "", text, flags=re.MULTILINE)
    return f"{bare}\n\nclass Solution {{\n{head} {{ {body} }}\n}}\n"


def _cpp_function(context: str, code: str, _: str) -> str:
    """With the names of its namespaces."""
    text = placed(context, code, "cpp")
    at, spaces = len(context[: context.index(PLACE)].encode()), list[str]()
    node: Node | None = parse(text.encode(), "cpp").descendant_for_byte_range(at, at + 1)
    while node is not None:
        name = node.child_by_field_name("name") if node.type == "namespace_definition" else None
        spaces = [(name.text or b"").decode(), *spaces] if name is not None else spaces
        node = node.parent
    return f"{text}\n\nusing namespace {'::'.join(spaces)};\n" if spaces else text


_CALLED_ALONE: dict[str, Callable[[str, str, str], str]] = {
    "python": _python_method, "javascript": _script_method, "java": _java_method, "cpp": _cpp_function,
    "typescript": partial(_script_method, language="typescript"),
}  # fmt: skip
"""Languages in which what stands in a class or a namespace is made callable by its name alone."""


def whole_program(code: str, language: str) -> str | None:
    """Source of a program that defines the code and does nothing; None for a language that we make none of."""
    make = _MAKERS.get(language)
    return make(code) if make else None


def _go(code: str) -> str:
    if not re.search(r"^\s*package\s", code, re.MULTILINE):
        used = sorted(set(_GO_USE.findall(code)))
        imports = "" if re.search(r"^\s*import\b", code, re.MULTILINE) else "".join(
            f'import "{_GO_PACKAGES.get(name, name)}"\n' for name in used
        )  # fmt: skip
        code = f"package main\n\n{imports}\n{code}"
    return code if re.search(r"^func\s+main\s*\(", code, re.MULTILINE) else f"{code}\n\nfunc main() {{}}\n"


def _java(code: str) -> str:
    imports = "".join(f"{line}\n" for line in re.findall(r"^\s*import [^;]+;", code, re.MULTILINE))
    code = re.sub(r"^\s*(package|import) [^;]+;\s*", "", code, flags=re.MULTILINE)
    main = "public static void main(String[] arguments) {}"
    if re.search(r"^\s*((public|final|abstract)\s+)*(class|interface|enum|record)\s", code, re.MULTILINE):
        if re.search(r"\bclass\s+Main\b", code):
            return _JAVA + imports + code
        code = re.sub(
            r"^public\s+(?=((final|abstract)\s+)*(class|interface|enum|record)\s)", "", code, flags=re.MULTILINE
        )
        return f"{_JAVA}{imports}{code}\n\npublic class Main {{\n{main}\n}}\n"
    return f"{_JAVA}{imports}public class Main {{\n{code}\n\n{main}\n}}\n"


def _cpp(code: str) -> str:
    return _CPP + (code if re.search(r"\bint\s+main\s*\(", code) else f"{code}\n\nint main() {{}}\n")


def _rust(code: str) -> str:
    return _RUST + (code if re.search(r"\bfn\s+main\s*\(", code) else f"{code}\n\nfn main() {{}}\n")


_MAKERS: dict[str, Callable[[str], str]] = {
    "javascript": str, "typescript": str, "go": _go, "java": _java, "cpp": _cpp, "rust": _rust
}  # fmt: skip
