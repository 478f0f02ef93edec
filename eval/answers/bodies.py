"""A function's body on its own: whether a text is one, set in as its declaration wants it. Pure."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Iterator

from core.python_syntax import python_tree
from eval.answers.braces import cut_at_close, open_brackets, without_comments
from eval.answers.trees import is_code
from eval.answers.units import IncompleteError, is_python, last_unit, python_units

MAX_LINES = 120
"""A longer text without a fence is no body."""
_AT_MARGIN = re.compile(r"(?:def|class|async def|import|from|@\w)")
"""How a definition behind a body begins."""


def as_body(code: str, declaration: str, language: str) -> str:
    """A body, set in so that it continues a declaration; as it is where no way of setting in parses."""
    code = code.strip("\n").rstrip()
    if language != "python" or _with_helpers(code.split("\n"), declaration) == code:
        return code
    return next((each for each in _settings(code) if _continues(each, declaration)), _settings(code)[0])


def find_body(text: str, declaration: str, language: str, *, fenced: bool) -> str | None:
    """The body in a text.

    Args:
        text: a block, or prose with a body in it.
        declaration: what the body continues.
        language: of both.
        fenced: the text is a block: all of it is code.
    """
    lines = text.strip("\n").split("\n")
    if language != "python":
        return _brace_body(text, declaration, language) if fenced else None
    whole = as_body(text, declaration, language)
    if whole.strip() and _continues(whole, declaration):
        return whole
    if (split := _with_helpers(lines, declaration)) is not None:
        return split
    if fenced or len(lines) > MAX_LINES:
        return None
    for first in range(len(lines)):
        for last in range(len(lines), first, -1):
            piece = "\n".join(lines[first:last])
            if re.search(r"\b(?:return|yield)\b", piece) and _continues(
                body := as_body(piece, declaration, language), declaration
            ):
                return body
    return None


def set_in(text: str, name: str) -> str:
    """A text whose function of Python has its body at the margin, with the body set in; empty if it has none so."""
    lines = text.split("\n")
    heads = [n for n, line in enumerate(lines) if re.match(rf"(?:async )?def {re.escape(name)}\b.*:[ \t]*$", line)]
    for head in heads[-1:]:
        begin = next((n for n in range(head + 1, len(lines)) if lines[n][:1].strip()), len(lines))
        for end in range(min(len(lines), begin + MAX_LINES), begin, -1):
            body = textwrap.indent("\n".join(lines[begin:end]), "    ")
            function = "\n".join([*lines[head:begin], body])
            if re.search(r"^    return\b", body, re.MULTILINE) and is_python(function):
                return "\n".join([*lines[:head], function, *lines[end:]])
    return ""


def _with_helpers(lines: list[str], declaration: str) -> str | None:
    """A body and, behind it at the margin, definitions that it needs; None if a text is not that."""
    margins = [n for n, line in enumerate(lines) if n and _AT_MARGIN.match(line)]
    for margin in margins[:1]:
        body = as_body("\n".join(lines[:margin]), declaration, "python")
        units = python_units("\n".join(lines[margin:]))
        if units and _continues(body, declaration):
            helpers = [unit.text for unit in units if unit.kind in {"definition", "import", "value"}]
            return "\n\n\n".join([body.rstrip(), *helpers])
    return None


def returns_something(body: str, declaration: str, language: str) -> bool:
    """Whether a body ends with a value, or an exception: words in its strings do not count."""
    if language != "python":
        return language == "rust" or bool(re.search(r"\b(?:return|yield|throw)\b", without_comments(body, language)))
    try:
        tree = python_tree(f"{declaration.rstrip()}\n{body}\n")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return bool(re.search(r"\b(?:return|yield|raise)\b", body))
    function = [node for node in tree.body if node.lineno <= declaration.rstrip().count("\n") + 1][-1]
    return any(isinstance(each, ast.Return | ast.Yield | ast.YieldFrom | ast.Raise) for each in _own_nodes(function))


def _own_nodes(function: ast.stmt) -> Iterator[ast.AST]:
    """What is in a function, and in none that is defined in it."""
    waiting: list[ast.AST] = list(ast.iter_child_nodes(function))
    while waiting:
        each = waiting.pop()
        yield each
        if not isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda):
            waiting += ast.iter_child_nodes(each)


def _brace_body(text: str, declaration: str, language: str) -> str | None:
    """A body up to its closing brackets, which are added where they lack."""
    body = text.strip("\n").rstrip()
    opened = open_brackets(f"{declaration}\n{body}", language)
    if not body.strip() or opened < 0 or opened > 2:
        return None
    closed = body + "\n}" * opened
    return closed if is_code(f"{declaration}\n{closed}", language) else None


def _settings(code: str) -> list[str]:
    """Ways to set a body in: as it is, all of it by four, its first line like the others."""
    first, newline, rest = code.partition("\n")
    set_in = textwrap.indent(textwrap.dedent(code), "    ")
    depths = [re.match(r"[ \t]*", line)[0] for line in rest.split("\n") if line.strip()]  # type: ignore[index]
    shallowest = min(depths, key=len, default="")
    mended = textwrap.indent(textwrap.dedent(f"{shallowest}{first.lstrip()}{newline}{rest}"), "    ")
    return [code, set_in, mended] if code[:1] in {" ", "\t"} else [set_in, mended]


def _continues(body: str, declaration: str) -> bool:
    return bool(body.strip()) and is_python(f"{declaration.rstrip()}\n{body}\n") and _is_longer(body, declaration)


def _is_longer(body: str, declaration: str) -> bool:
    """Whether the body is in the declaration's function, and not behind it."""
    try:
        unit = last_unit(f"{declaration.rstrip()}\n{body}\n")
    except (SyntaxError, IncompleteError):
        return False
    return unit is not None and body.strip() in unit.text and unit.kind == "definition"


def has_body(unit: str, language: str, name: str = "") -> bool:
    """Whether a definition does something.

    Args:
        unit: a function, or a class that has it.
        language: of both.
        name: of the function.
    """
    if language != "python":
        return _has_brace_body(unit, language, name)
    try:
        node = python_tree(textwrap.dedent(unit)).body[-1]
    except (SyntaxError, ValueError, RecursionError, MemoryError, IndexError):
        return True
    if isinstance(node, ast.ClassDef):
        named = [each for each in node.body if isinstance(each, ast.FunctionDef) and each.name == name]
        node = named[-1] if named else node
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return True
    return not all(_is_nothing(each) for each in node.body)


def _has_brace_body(unit: str, language: str, name: str) -> bool:
    seen = without_comments(unit, language)
    head = re.search(rf"\b{re.escape(name)}\b[^;{{}}]*\{{", seen) if name else None
    if head is None:
        code = seen if "{" in unit else "{x}"
        return bool(re.sub(r"[\s{}();]", "", code[code.find("{") :]))
    body = cut_at_close(seen[head.end() :], language)
    return not re.fullmatch(r"(?:return(?:[ \t]+(?:null|undefined|nil))?;?|todo!\(.*|unimplemented!\(.*|panic!?\(.*"
                            r"|throw\b[^;]*;?)?\}", re.sub(r"\s+", " ", body).strip().replace(" }", "}"))  # fmt: skip


def _is_nothing(node: ast.stmt) -> bool:
    if isinstance(node, ast.Pass):
        return True
    if isinstance(node, ast.Raise):
        return "NotImplementedError" in ast.unparse(node)
    if isinstance(node, ast.Return):
        return node.value is None or (isinstance(node.value, ast.Constant) and node.value.value is None)
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def shape_of(unit: str, language: str) -> str:
    """A definition without comments, docstring, annotations and white space, to be compared."""
    if language != "python":
        return re.sub(r"\s+", "", re.sub(r"//[^\n]*|/\*.*?\*/", "", unit, flags=re.DOTALL))
    try:
        tree = python_tree(textwrap.dedent(unit))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return re.sub(r"\s+", "", unit)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = node.body[1:] or [ast.Pass()]
        elif isinstance(node, ast.arg):
            node.annotation = None
    try:
        return ast.dump(tree)
    except RecursionError:
        return unit
