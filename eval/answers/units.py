"""Code → its top-level statements, with what each binds and needs. Text between them that is no code is left out.

One text may be code, code with prose around it, or prose. A statement begins on a line that is not set in, and goes on
while it is incomplete; a line at which none begins is prose.
"""

from __future__ import annotations

import ast
import codeop
import symtable
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from core.python_syntax import python_tree

MAX_LINES = 2000
"""A longer answer is read as it is."""
MAX_FAILED = 300
"""Lines that are no code, behind which no more are looked at."""
MAX_GROWTH = 40
"""Lines that are not set in, over which an incomplete statement may go on."""

_SETTINGS = ("set", "seed", "stack_size", "filterwarnings", "simplefilter")
"""How names of calls begin that change how a program runs: `sys.setrecursionlimit`, `random.seed`."""


_MUTATORS = frozenset(
    ["heapify", "heappush", "heappop", "heappushpop", "heapreplace", "shuffle", "insort", "insort_left", "insort_right"]
)
"""Functions of the standard library that change their first argument."""


@dataclass(frozen=True)
class Unit:
    """A top-level statement, or what a language calls so."""

    text: str
    kind: str
    """import, definition, value or action."""
    names: frozenset[str] = frozenset()
    """What it binds."""
    uses: frozenset[str] = frozenset()
    """Global names that it, or a function in it, refers to."""
    changes: frozenset[str] = frozenset()
    """Names whose objects it changes in place."""
    always: bool = False
    """Needed whatever is needed: an import of everything, a setting of the interpreter."""
    key: str = ""
    """Of two with one key, the language takes only one."""
    methods: frozenset[str] = field(default=frozenset())
    """Of a class: the names of its functions."""
    effects: frozenset[str] = field(default=frozenset())
    """Of a function: the global names that a call of it binds or changes; `*`: its arguments."""
    calls: frozenset[str] = field(default=frozenset())
    """Functions that run when the statement does, as statements or decorators of their own."""
    given: frozenset[str] = field(default=frozenset())
    """Names that it gives to `calls`."""


class IncompleteError(Exception):
    """The text is the beginning of a statement."""


def grow_units(text: str, parse: Callable[[str], list[Unit]], goes_on: Callable[[str], bool]) -> list[Unit]:
    """The statements of a text, whatever stands between them.

    Args:
        text: with line feeds as its line ends.
        parse: the statements of a text that is code; raises `IncompleteError`, or `SyntaxError` for what is none.
        goes_on: whether a line that is not set in belongs to the statement before it.
    """
    lines = text.split("\n")
    starts = [n for n, line in enumerate(lines) if line[:1].strip() and not goes_on(line)]
    found: list[Unit] = []
    place = failed = 0
    while place < len(starts) and failed < MAX_FAILED:
        units, used = _grow(lines, [*starts[place : place + MAX_GROWTH], len(lines)], parse)
        found += units
        failed += not units
        place = next((n for n in range(place + 1, len(starts)) if starts[n] >= used), len(starts))
    return found


def _grow(lines: list[str], bounds: list[int], parse: Callable[[str], list[Unit]]) -> tuple[list[Unit], int]:
    """The statement at the first bound, and the line behind it; none, and the next line, if there is no code."""
    begin = bounds[0]
    for end in bounds[1:]:
        try:
            return parse("\n".join(lines[begin:end])), end
        except IncompleteError:
            continue
        except SyntaxError:  # set-in prose behind it?
            for cut in range(end - 1, max(begin, end - MAX_GROWTH), -1):
                try:
                    return parse("\n".join(lines[begin:cut])), cut
                except (SyntaxError, IncompleteError):
                    continue
            break
    return [], begin + 1


@lru_cache(maxsize=512)
def python_units(text: str) -> tuple[Unit, ...]:
    """The statements of Python in a text; none if there is no Python."""
    if text.count("\n") > MAX_LINES:
        return ()
    try:
        return tuple(parse_python(text))
    except (SyntaxError, IncompleteError):
        pass
    return tuple(grow_units(text, parse_python, _is_clause))


@lru_cache(maxsize=64)
def is_python(text: str) -> bool:
    """Whether a text as a whole is Python."""
    try:
        _tree(text)
        symtable.symtable(text, "answer", "exec")
    except (SyntaxError, IncompleteError, ValueError, RecursionError, MemoryError):
        return False
    return True


def is_open_python(text: str) -> bool:
    """Whether a text ends inside a string or a bracket."""
    for each in (text, f"{text}\n    pass\n"):  # the second: a header waits for its body, and is not open
        try:
            _tree(each)
        except IncompleteError:
            continue
        except SyntaxError:
            return False
        return False
    return True


def _is_clause(line: str) -> bool:
    return line.startswith(("else:", "elif ", "except:", "except ", "finally:", ")", "]", "}"))


def _tree(text: str) -> ast.Module:
    """Raises: IncompleteError, SyntaxError."""
    incomplete = codeop.PyCF_ALLOW_INCOMPLETE_INPUT  # type: ignore[attr-defined]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = python_tree(text, flags=incomplete)
    except SyntaxError as error:
        if str(error.msg).startswith("incomplete input"):
            raise IncompleteError from None
        raise
    except (ValueError, RecursionError, MemoryError, OverflowError) as error:
        raise SyntaxError(str(error)) from None
    return tree


def parse_python(text: str) -> list[Unit]:
    """The statements of a program.

    Raises:
        IncompleteError: it is the beginning of one.
        SyntaxError: it is none.
    """
    return [_unit(group, nodes) for group, nodes in _statements(text)]


def last_unit(text: str) -> Unit | None:
    """The last statement of a program, if it has any; raises as `parse_python`, which looks into all of them."""
    statements = _statements(text)
    return _unit(*statements[-1]) if statements else None


def _statements(text: str) -> list[tuple[str, list[ast.stmt]]]:
    lines = text.split("\n")
    groups: list[tuple[int, int, list[ast.stmt]]] = []
    for node in _tree(text).body:
        first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", ()))]) - 1
        last = node.end_lineno or node.lineno
        if groups and first < groups[-1][1]:  # a; b
            groups[-1] = (groups[-1][0], last, [*groups[-1][2], node])
        else:
            groups.append((first, last, [node]))
    return [("\n".join(lines[first:last]), nodes) for first, last, nodes in groups]


def _unit(text: str, nodes: list[ast.stmt]) -> Unit:
    try:
        table = symtable.symtable(text, "answer", "exec")
    except (ValueError, RecursionError, MemoryError) as error:
        raise SyntaxError(str(error)) from None
    names, uses = _symbols(table)
    names |= {name for node in nodes for name in _named_by_text(node)}
    imports = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    star = any(alias.name == "*" for node in imports for alias in node.names)
    future = any(isinstance(node, ast.ImportFrom) and node.module == "__future__" for node in imports)
    defines = all(isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) for node in nodes)
    kind = "import" if len(imports) == len(nodes) else "definition" if defines else "value" if names else "action"
    changes = frozenset(_roots_changed(nodes)) if kind in {"value", "action"} else frozenset()
    calls, given = _calls(nodes) if kind != "import" else (frozenset[str](), frozenset[str]())
    changes |= frozenset(_decorator_roots(nodes)) | (given if calls & _MUTATORS else frozenset())
    methods = [each.name for node in nodes if isinstance(node, ast.ClassDef)
               for each in node.body if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef)]  # fmt: skip
    setting = all(_is_setting(node) for node in nodes)
    effects = frozenset(each for node in nodes if isinstance(node, ast.FunctionDef) for each in _effects(node))
    return Unit(text, kind, names, uses, changes, star or future or setting, methods=frozenset(methods),
                effects=effects, calls=calls, given=given)  # fmt: skip


def _symbols(table: symtable.SymbolTable) -> tuple[frozenset[str], frozenset[str]]:
    """What a module's symbols bind, and what they and its functions refer to."""
    names = {each.get_name() for each in table.get_symbols() if each.is_assigned() or each.is_imported()}
    uses = {each.get_name() for each in table.get_symbols() if each.is_referenced()}
    tables = list(table.get_children())
    while tables:
        child = tables.pop()
        tables += child.get_children()
        for each in child.get_symbols():
            if each.is_global():
                uses.add(each.get_name())
            if each.is_declared_global() and each.is_assigned():
                uses.add(each.get_name())
    return frozenset(names), frozenset(uses)


def _named_by_text(node: ast.stmt) -> Iterator[str]:
    """Names that `globals()["name"] = value` binds."""
    for target in node.targets if isinstance(node, ast.Assign) else ():
        match target:
            case ast.Subscript(value=ast.Call(func=ast.Name(id="globals" | "vars" | "locals"), args=[]),
                               slice=ast.Constant(value=str(name))):  # fmt: skip
                yield name


def _calls(nodes: list[ast.stmt]) -> tuple[frozenset[str], frozenset[str]]:
    """Functions that statements call for their effect, by their last name, and the names given to them."""
    calls: set[str] = set()
    given: set[str] = set()
    for top in nodes:
        if isinstance(top, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found = [each.func if isinstance(each, ast.Call) else each for each in top.decorator_list]
        else:
            done = [each.value for each in ast.walk(top) if isinstance(each, ast.Expr)]
            found = [each.func for each in done if isinstance(each, ast.Call)]
            given |= {arg.id for each in done if isinstance(each, ast.Call) for arg in each.args
                      if isinstance(arg, ast.Name)}  # fmt: skip
        calls |= {each.id if isinstance(each, ast.Name) else each.attr for each in found
                  if isinstance(each, ast.Name | ast.Attribute)}  # fmt: skip
    return frozenset(calls), frozenset(given)


def _decorator_roots(nodes: list[ast.stmt]) -> Iterator[str]:
    """`half` of `@half.register`."""
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield from (_root_of(each) for each in node.decorator_list if not isinstance(each, ast.Name))


def _effects(function: ast.FunctionDef) -> Iterator[str]:
    """Global names that a function binds or changes; `*` for its arguments."""
    arguments = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)}
    stored = {each.id for each in ast.walk(function) if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    declared = {name for each in ast.walk(function) if isinstance(each, ast.Global) for name in each.names}
    changed = _roots_changed(list(function.body)) | _iterated(function)
    yield from declared | (changed - arguments - (stored - declared))
    if changed & arguments:
        yield "*"


def _iterated(function: ast.FunctionDef) -> set[str]:
    """Names whose items a function changes in place by `heapq` and the like."""
    found: set[str] = set()
    for each in ast.walk(function):
        if isinstance(each, ast.Call):
            called = each.func.attr if isinstance(each.func, ast.Attribute) else _root_of(each.func)
            found |= {arg.id for arg in each.args if isinstance(arg, ast.Name)} if called in _MUTATORS else set()
    return found


def _is_setting(node: ast.stmt) -> bool:
    if isinstance(node, ast.Assign):
        call = node.targets[0]
        if isinstance(call, ast.Subscript) and ast.unparse(call.value) == "os.environ":
            return True
        return isinstance(call, ast.Attribute) and isinstance(call.value, ast.Call)  # getcontext().prec = 50
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    function = node.value.func
    return isinstance(function, ast.Attribute) and function.attr.startswith(_SETTINGS)


def _roots_changed(nodes: list[ast.stmt]) -> set[str]:
    """Names at the root of what is assigned to, deleted, or called a method of, as a statement."""
    found: set[str] = set()
    for node in (each for top in nodes for each in ast.walk(top)):
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign):
            targets = [node.target]
        elif isinstance(node, ast.Delete):
            targets = node.targets
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            targets = [node.value.func] if isinstance(node.value.func, ast.Attribute) else []
        found |= {root for target in targets if (root := _root_of(target))}
    return found


def _root_of(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Call | ast.Starred):
        node = node.func if isinstance(node, ast.Call) else node.value
    return node.id if isinstance(node, ast.Name) else ""
