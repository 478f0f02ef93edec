"""The statements of a Python class, of which a method needs some."""

from __future__ import annotations

import ast
import io
import re
from collections.abc import Iterator
from functools import cached_property

from codeocean.context.reasons import PLACE
from codeocean.context.tables import words_of

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef
_MAKES = words_of(
    "__init__ __new__ __post_init__ __slots__ __init_subclass__ __getattr__ __getattribute__ __setattr__ "
    "__match_args__ __call__"
)
"""Parts that say how an object is made and what its parts are."""


class ClassParts:
    """The statements of a class."""

    def __init__(self, node: ast.ClassDef, text: str) -> None:
        """Args: node: the class; text: its lines, decorators included."""
        first = _first_line(node)
        lines = python_lines(text)
        begins = [_first_line(part) - first for part in node.body]
        self.name, self._node = node.name, node
        self._head = "".join(lines[: begins[0]])
        self._texts = ["".join(lines[begin : (part.end_lineno or 0) - first + 1]).rstrip("\n") + "\n"
                       for begin, part in zip(begins, node.body, strict=True)]  # fmt: skip
        self._space = " " * node.body[0].col_offset
        self._names = [_names_of(part) for part in node.body]
        self._needs = [_needs_of(part) for part in node.body]

    def number_of(self, name: str, code: str) -> int | None:
        """Which of the parts a method is: a property's getter and setter have one name."""
        head = code.partition("\n")[0].strip()
        same = [number for number, part in enumerate(self._node.body) if isinstance(part, _FUNCTIONS)
                and part.name == name]  # fmt: skip
        return next((one for one in same if self._texts[one].lstrip().startswith(head)), None)

    def needed(self, own: int) -> set[int]:
        """Numbers of the parts that a method cannot do without: what it names behind a dot, and how it is made."""
        fields = bool(self._node.decorator_list or self._node.bases or self._node.keywords)
        kept = {number for number, part in enumerate(self._node.body)
                if self._names[number] & _MAKES or (fields and not isinstance(part, _FUNCTIONS))}  # fmt: skip
        kept, known = kept | {own}, set[str]()
        while wanted := self._names[own].union(*(self._needs[number] for number in kept)) - known:
            known |= wanted
            kept |= {number for number, names in enumerate(self._names) if names & wanted}
        return kept - {own}

    @cached_property
    def special(self) -> set[int]:
        """Numbers of methods that no name reaches, such as `__len__`."""
        return {number for number, part in enumerate(self._node.body)
                if isinstance(part, _FUNCTIONS) and re.fullmatch(r"__\w+__", part.name)}  # fmt: skip

    def text(self, kept: set[int], own: int | None, code: str = "") -> str:
        """The class with some of its parts, and a mark where a method stands; with code, that behind them."""
        lines = [self._head]
        for number, text in enumerate(self._texts):
            lines.append(f"{self._space}{PLACE}\n" if number == own else text if number in kept else "")
        return "".join([*lines, *(f"{self._space}{line}\n" for line in code.split("\n") if code)])


def python_lines(text: str) -> list[str]:
    """The lines with their ends, as Python's parser counts them: a form feed or U+2028 ends none."""
    return io.StringIO(text, newline="").readlines()


def _first_line(node: ast.stmt) -> int:
    return min((one.lineno for one in getattr(node, "decorator_list", [])), default=node.lineno)


def _names_of(part: ast.stmt) -> set[str]:
    return {part.name} if isinstance(part, _FUNCTIONS | ast.ClassDef) else set(bound_names(part))


def _needs_of(part: ast.stmt) -> set[str]:
    """Names of a class's parts: behind a dot, in strings for `getattr`, and what its own scope reads."""
    found = {one.attr for one in ast.walk(part) if isinstance(one, ast.Attribute)}
    found |= {one.value for one in ast.walk(part) if isinstance(one, ast.Constant) and isinstance(one.value, str)
              and one.value.isidentifier()}  # fmt: skip
    scope: list[ast.AST] = [part]
    if isinstance(part, _FUNCTIONS):
        scope = [*part.decorator_list, part.args, *([part.returns] if part.returns else [])]
    return found | {name.id for one in scope for name in ast.walk(one) if isinstance(name, ast.Name)}


def bound_names(node: ast.AST) -> Iterator[str]:
    """Names that a statement defines in its own scope, however deep in `if`, `try` and loops."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, ast.Import | ast.ImportFrom):
            yield from ((alias.asname or alias.name.partition(".")[0]) for alias in one.names)
        elif isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield one.name
        elif isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store):
            yield one.id
        elif not isinstance(one, ast.Lambda | ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp):
            pending += ast.iter_child_nodes(one)
