"""What a function needs of its file: imports, constants, helpers and classes, so that it can be run alone.

What a function needs is what it and its helpers name, transitively, by Python's own parser and symbol table, and what
changes such an object: `TABLE["a"] = f`. What is missing is said, since code that lacks something would be taken for
wrong.

Of the class of a method those parts are kept that are named, how it is made, and its special methods as far as they
can be; all of them where the class has a decorator or a base, but for methods. Not covered: statements of other files;
a name that `exec` or `globals()` makes.
"""

from __future__ import annotations

import ast
import builtins
import symtable
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from codeocean.context.python_class import ClassParts, bound_names, python_lines
from codeocean.context.reasons import INNER, MAX_CHARS, PLACE, RELATIVE, STAR, TOO_LONG, UNKNOWN, UNREAD, Context
from core.python_syntax import python_tree

_GIVEN = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__", "__spec__", "__package__", "__builtins__"}


@dataclass
class _Statement:
    """A statement of a module."""

    node: ast.stmt
    text: str
    """Its lines, decorators included."""

    @cached_property
    def binds(self) -> frozenset[str]:
        """Names that it defines."""
        if isinstance(self.node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            return frozenset({self.node.name})
        return frozenset(bound_names(self.node))

    @cached_property
    def changes(self) -> frozenset[str]:
        """Names whose objects it changes: `TABLE["a"] = 1`, `NAMES.append("b")`."""
        return frozenset() if isinstance(self.node, _DEFINITIONS) else frozenset(_changed(self.node))

    @cached_property
    def runs(self) -> frozenset[str]:
        """Names that it reads when it is run, not when a function that it defines is called."""
        return _read_at_once(self.text)


_DEFINITIONS = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom


class PythonFile:
    """A module's statements."""

    def __init__(self, source: str) -> None:
        """Args: source: the module's text."""
        lines = python_lines(source)
        try:
            nodes = python_tree(source).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            nodes = None
        self._statements = None if nodes is None else [_Statement(node, _text_of(node, lines)) for node in nodes]
        self._needs: dict[int, frozenset[str] | None] = {}
        self._head = ""
        imported = set[str]()
        for node in nodes or []:
            imported |= set(bound_names(node)) if isinstance(node, ast.Import | ast.ImportFrom) else set()
            self._head = _FUTURE if _is_future(node) else self._head
        self._imported = frozenset(imported)

    def context(self, name: str, code: str) -> Context:
        """What a function of the module needs.

        Args:
            name: of the function, behind its class if it has one (`Stack.push`).
            code: of the function, as collect gives it.
        """
        if self._statements is None or any(PLACE in one.text for one in self._statements):
            return Context(missing=UNREAD)
        outer, _, last = name.partition(".")
        own = [
            number for number, one in enumerate(self._statements) if outer in one.binds and outer in _defined(one.node)
        ]
        if not own:
            return Context(missing=INNER)
        if last:
            return self._method(own[-1], last, code)
        wanted = needed_names(self._head + code)
        if wanted is None:
            return Context(missing=UNREAD)
        taken, missing = self._close(wanted - {name}, {name})
        texts = {number: self._statements[number].text for number in taken}
        if any(number > own[-1] and not isinstance(self._statements[number].node, _DEFINITIONS) for number in taken):
            texts[own[-1]] = f"{PLACE}\n"  # what stands behind the function may need it at once
        return self._whole(texts, missing, own[-1], name)

    def _whole(self, texts: dict[int, str], missing: str, own: int, name: str) -> Context:
        """The texts of statements in their order, unless one that stands before `name` is defined needs it at once."""
        assert self._statements is not None
        if missing or any(number < own and name in self._statements[number].runs for number in texts):
            return Context(missing=missing or f"{UNKNOWN}: {name}")
        text = (self._head + "".join(texts[number] for number in sorted(texts))).rstrip("\n")
        return Context(missing=TOO_LONG) if len(text) > MAX_CHARS else Context(text)

    def _method(self, number: int, name: str, code: str) -> Context:
        """What a method needs: its class with a mark where it stands, and what both need of the module."""
        assert self._statements is not None
        statement = self._statements[number]
        if not isinstance(statement.node, ast.ClassDef):
            return Context(missing=INNER)
        parts = ClassParts(statement.node, statement.text)
        own = parts.number_of(name, code)
        if own is None:
            return Context(missing=INNER)
        kept, optional = parts.needed(own), parts.special - {own}
        taken, missing = self._around(parts, kept, code)
        if missing:
            return Context(missing=missing)
        for some in (optional, *({part} for part in sorted(optional))):
            more, lost = self._around(parts, kept | some, code) if some - kept else (taken, "")
            if not lost:
                kept, taken = kept | some, more
        texts = {one: self._statements[one].text for one in taken} | {number: parts.text(kept, own)}
        return self._whole(texts, "", number, parts.name)

    def _around(self, parts: ClassParts, kept: set[int], code: str) -> tuple[set[int], str]:
        """As `_close`, of a class with some of its parts and a method."""
        wanted = needed_names(self._head + parts.text(kept, None, code))
        if wanted is None:
            return set(), UNREAD
        taken, missing = self._close(wanted - {parts.name}, {parts.name})
        return taken - {number for number in taken if self._is_class(number, parts.name)}, missing

    def _is_class(self, number: int, name: str) -> bool:
        assert self._statements is not None
        node = self._statements[number].node
        return isinstance(node, ast.ClassDef) and node.name == name

    def _close(self, wanted: frozenset[str], known: set[str]) -> tuple[set[int], str]:
        """Numbers of the statements that names need, transitively, and why that is not all."""
        assert self._statements is not None
        taken, pending = set[int](), set(wanted)
        while pending - known:
            names = pending - known
            known |= names
            found = {number: one for number, one in enumerate(self._statements)
                     if number not in taken and not _is_future(one.node)
                     and (one.binds | one.changes - self._imported) & names}  # fmt: skip
            bound = frozenset[str]().union(
                *(one.binds for one in found.values()), *(self._statements[n].binds for n in taken)
            )
            if lost := names - bound - _GIVEN:
                star = any(
                    isinstance(one.node, ast.ImportFrom) and one.node.names[0].name == "*" for one in self._statements
                )
                return taken, f"{STAR if star else UNKNOWN}: {min(lost)}"
            for number, one in found.items():
                if _is_relative(one.node):
                    return taken, RELATIVE
                needs = self._needs_of(number, one)
                if needs is None:
                    return taken, UNREAD
                pending |= needs
            taken |= found.keys()
        return taken, ""

    def _needs_of(self, number: int, statement: _Statement) -> frozenset[str] | None:
        if number not in self._needs:
            needs = needed_names(self._head + statement.text)
            self._needs[number] = None if needs is None else needs | frozenset(_renewed(statement.node))
        return self._needs[number]


_FUTURE = "from __future__ import annotations\n"


def needed_names(code: str) -> frozenset[str] | None:
    """Names that code reads and does not define, by Python's own symbol table; None where it does not compile."""
    try:
        table = symtable.symtable(code, "code", "exec")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    own = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    inner = {symbol.get_name() for child in _inner(table) for symbol in child.get_symbols()
             if symbol.is_referenced() and _is_global(symbol)}  # fmt: skip
    read = {symbol.get_name() for symbol in table.get_symbols() if symbol.is_referenced()}
    return frozenset((read | inner) - own - {"__class__"})  # a function that reads `super` has that too


def _is_global(symbol: symtable.Symbol) -> bool:
    """In a scope called "top", symtable takes all that is bound for global as well: findings/symtable_top.sh."""
    return symbol.is_declared_global() or (symbol.is_global() and not symbol.is_local())


def _read_at_once(code: str) -> frozenset[str]:
    """Names that a statement reads itself or in the bodies of classes; none where it does not compile."""
    try:
        tables = [symtable.symtable(code, "code", "exec")]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return frozenset()
    found = {symbol.get_name() for symbol in tables[0].get_symbols() if symbol.is_referenced()}
    while tables:
        tables = [child for table in tables for child in table.get_children() if child.get_type() == "class"]
        found |= {
            one.get_name() for table in tables for one in table.get_symbols() if one.is_referenced() and _is_global(one)
        }
    return frozenset(found)


def _defined(node: ast.AST) -> Iterator[str]:
    """Names of the functions and classes that a statement defines in its own scope."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield one.name
        else:
            pending += [child for child in ast.iter_child_nodes(one) if not isinstance(child, ast.expr)]


def _renewed(node: ast.AST) -> Iterator[str]:
    """Names to which a statement assigns what it makes of them: `A = A + 1`."""
    pending = [node]
    while pending:
        one = pending.pop()
        if isinstance(one, ast.AugAssign) and isinstance(one.target, ast.Name):
            yield one.target.id
        elif isinstance(one, ast.Assign):
            targets = {name.id for target in one.targets for name in ast.walk(target) if isinstance(name, ast.Name)}
            yield from (name.id for name in ast.walk(one.value) if isinstance(name, ast.Name) and name.id in targets)
        elif not isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.expr):
            pending += ast.iter_child_nodes(one)


def _inner(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    for child in table.get_children():
        yield child
        yield from _inner(child)


def _text_of(node: ast.stmt, lines: list[str]) -> str:
    decorators = getattr(node, "decorator_list", [])
    begin = min((one.lineno for one in decorators), default=node.lineno)
    text = "".join(lines[begin - 1 : node.end_lineno])
    return text if text.endswith("\n") else text + "\n"


def _changed(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.If) and "__main__" in ast.dump(node.test):
        return
    for one in ast.walk(node):
        base: ast.AST = one
        if isinstance(one, ast.Expr) and isinstance(one.value, ast.Call):
            base = one.value.func
        elif not (isinstance(one, ast.Subscript | ast.Attribute) and isinstance(one.ctx, ast.Store | ast.Del)):
            continue
        while isinstance(base, ast.Subscript | ast.Attribute):
            base = base.value
            if isinstance(base, ast.Name):
                yield base.id


def _is_relative(node: ast.stmt) -> bool:
    return any(isinstance(one, ast.ImportFrom) and one.level > 0 for one in ast.walk(node))


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"
