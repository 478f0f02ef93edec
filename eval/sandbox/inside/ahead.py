"""Calls that the tests will make in any case, found in their text and sent ahead in one message.

Three forms: assertions in a row, each with one call of literal arguments; a loop whose body begins with one call of
arguments that the loop alone decides; a loop that first makes its arguments, at random perhaps, and after the call does
nothing but compare (`_prepared`). The candidate's process makes the calls in the same order as ever, and answers while
the tests compare: only the waiting between them is gone. Each such call becomes `take()`; where `begin` was not given a
function of the candidate's, `take` makes the call itself. Rows that compare with a literal become data (`rows.py`).

The rows of assertions are found by expressions over the text, as a syntax tree of 700 assertions costs three times what
running them does. A line that is not surely of this form stays as it is.
"""

from __future__ import annotations

import ast
import itertools
import re
import textwrap
from collections.abc import Collection, Iterable
from itertools import pairwise

from eval.sandbox.inside.rows import LITERAL, NOTHING, STRING, TAKE, Row, Rows, row_of

BEGIN, CHECK, ROWS = "__wavecoder_begin__", "__wavecoder_check__", "__wavecoder_rows__"
PREPARE, PREPARED = "__wavecoder_prepare__", "__wavecoder_prepared__"
AT_MOST = 2_000
"""Calls in one message."""

_TOKEN = re.compile(rf"{STRING}|[()\[\]{{}}]")
_WORDS = re.compile(rf"""{STRING}|\d[\d._]*(?:[eE][-+]?\d+)?|([A-Za-z_]\w*)|(==|!=|<=?|>=?)|(["'#;\\]|:=)""")
_INERT = frozenset({
    "abs", "all", "any", "bool", "float", "int", "isinstance", "len", "list", "max", "min", "round", "set", "sorted",
    "str", "sum", "tuple", "type", "frozenset", "dict", "True", "False", "None", "not", "in", "is", "math", "isclose",
})  # fmt: skip
_LOOPS = frozenset({"enumerate", "zip", "range", "list"})
_LOOP = re.compile(r"^([ \t]*)for .*:[ \t]*\n(?:\1[ \t]+.*\n|[ \t]*\n)+", re.MULTILINE)
_FUNCTION = re.compile(r"^def .*:[ \t]*\n(?:[ \t]+.*\n|[ \t]*\n)+", re.MULTILINE)
_SIMPLE = (ast.Assign, ast.AnnAssign, ast.Expr, ast.Assert)
_QUIET = _INERT | _LOOPS | {"copy", "deepcopy"}
"""Names of functions and modules that change nothing."""
_OF_MATH = re.compile(r"math\.\w+")
_LEAVING = (ast.Break, ast.Continue, ast.Return, ast.Yield, ast.YieldFrom, ast.Await, ast.Global, ast.Nonlocal, ast.Try,
            ast.With, ast.Delete, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda, ast.Import,
            ast.ImportFrom, ast.Match, ast.NamedExpr, ast.AsyncFor, ast.AsyncWith)  # fmt: skip


def send_ahead(source: str, entry_point: str | None) -> tuple[str, list[Rows]]:
    """The tests with their calls sent ahead where that changes nothing, and the rows that they name by number."""
    name = rf"\b(candidate|{re.escape(entry_point)})\(" if entry_point else r"\b(candidate)\("
    called = re.compile(name)
    lines, tables = source.split("\n"), list[Rows]()
    _find_rows(lines, {"candidate", entry_point or "candidate"}, tables)
    run: list[tuple[int, str, str, str]] = []  # line, indentation and name, arguments, the line that takes
    for number, line in enumerate([*lines, ""]):
        found = _assertion(line, called)
        if run and (found is None or found[0] != run[0][1] or len(run) >= AT_MOST):
            _send_run(lines, run)
            run = []
        if found is not None:
            run.append((number, *found))
    text = "\n".join(lines)
    made: dict[str, str] = {}  # a test may be there many times
    for match in reversed(list(_LOOP.finditer(text))):
        if (names := called.findall(match[0])) and BEGIN not in match[0] and CHECK not in match[0]:
            if match[0] not in made:
                made[match[0]] = _loop_ahead(match[0], match[1], names[0], source)
            text = text[: match.start()] + made[match[0]] + text[match.end() :]
    return text, tables


def _find_rows(lines: list[str], names: set[str], tables: list[Rows]) -> None:
    """Make tables of rows that follow each other, with nothing between them that does anything."""
    rows: list[Row] = []
    for number, line in enumerate([*lines, "end"]):
        row = row_of(line, number, names)
        if row is None and NOTHING.fullmatch(line):
            continue
        if rows and (row is None or row.head != rows[0].head or len(rows) >= AT_MOST):
            _check_rows(lines, rows, tables)
            rows = []
        if row is not None:
            rows.append(row)


def _check_rows(lines: list[str], rows: list[Row], tables: list[Rows]) -> None:
    """Have rows checked as one, where their first line is."""
    if len(rows) < 2:
        return
    head = rows[0].head
    name = head.lstrip()
    for row in rows:
        lines[row.number] = f"{head[: -len(name)]}pass"
    lines[rows[0].number] = f"{head[: -len(name)]}{CHECK}({name}, {len(tables)})"
    tables.append(Rows(rows))


def _assertion(line: str, called: re.Pattern[str]) -> tuple[str, str, str] | None:
    """Of a line that asserts something of one call with literals: where it stands, the arguments, what takes."""
    head = re.match(r"([ \t]*)assert ", line)
    calls = called.findall(line) if head else []
    if head is None or len(calls) != 1:
        return None
    start = called.search(line)
    assert start is not None
    end = _closing(line, start.end())
    if re.search("[\"'#]", re.sub(STRING, "", line[: start.start()])):  # inside a string or a comment
        return None
    if end < 0 or LITERAL.fullmatch(arguments := line[start.end() : end]) is None:
        return None
    rest = line[head.end() : start.start()] + "_" + line[end + 1 :]
    compared = 0
    for match in _WORDS.finditer(rest):
        word, comparison, strange = match.groups()
        compared += comparison is not None
        if strange or (word and word != "_" and word not in _INERT):
            return None
    if compared > 1 or _closing(rest + ")", 0) != len(rest):
        return None
    return f"{head[1]}{calls[0]}", arguments, f"{line[: start.start()]}{TAKE}(){line[end + 1 :]}"


def _closing(text: str, start: int) -> int:
    """Where the bracket closes that was open at `start`; -1 if it does not."""
    depth = 1
    for match in _TOKEN.finditer(text, start):
        if match[0] in "([{":
            depth += 1
        elif match[0] in ")]}":
            depth -= 1
            if not depth:
                return match.start()
    return -1


def _send_run(lines: list[str], run: list[tuple[int, str, str, str]]) -> None:
    if len(run) < 2:
        return
    place = run[0][1]
    name = place.lstrip()
    rows = "".join(
        f"({arguments.rstrip().rstrip(',')},)," if arguments.strip() else "()," for _, _, arguments, _ in run
    )
    for number, _, _, line in run:
        lines[number] = line
    first = run[0][0]
    lines[first] = f"{place[: -len(name)]}{BEGIN}({name}, [{rows}]); {lines[first].lstrip()}"


def _loop_ahead(text: str, indentation: str, name: str, source: str) -> str:
    """The text of a loop with its calls sent ahead; as it is if it is not of that form."""
    try:
        (loop,) = ast.parse(textwrap.dedent(text)).body
    except (SyntaxError, ValueError, RecursionError):
        return text
    if not isinstance(loop, ast.For) or (found := _only_call(loop, name)) is None:
        return text
    made = _loop(loop, name, *found)
    if made is None:
        quiet = _quiet_functions(source)
        made = _prepared(loop, name, *found, quiet, "nonlocal" if indentation else "global")
    if made is None:
        return text
    module = ast.fix_missing_locations(ast.Module(made, []))
    return textwrap.indent(ast.unparse(module), indentation) + "\n"


def _only_call(loop: ast.For, name: str) -> tuple[int, ast.Call] | None:
    """The place of the statement with the one call that each turn is sure to make, and the call."""
    found: list[tuple[int, ast.Call]] = []
    for place, statement in enumerate(loop.body):
        found += [
            (place, node) for node in ast.walk(statement) if isinstance(node, ast.Call) and _is_call_of(node, name)
        ]
    mentions = sum(isinstance(node, ast.Name) and node.id == name for node in ast.walk(loop))
    if len(found) != 1 or mentions != 1 or loop.orelse or not _is_plain_iterable(loop.iter):
        return None
    ((place, call),) = found
    statement = loop.body[place]
    return (place, call) if isinstance(statement, _SIMPLE) and _is_unconditional(statement, call) else None


def _loop(loop: ast.For, name: str, place: int, call: ast.Call) -> list[ast.stmt] | None:
    """A loop with all its calls sent before it; None if their arguments are not the loop's alone."""
    before = loop.body[: place + 1]
    targets = {node.id for node in ast.walk(loop.target) if isinstance(node, ast.Name)}
    if not all(isinstance(statement, _SIMPLE) for statement in before):
        return None
    if not all(_depends_on(x, targets) for x in call.args) or call.keywords:
        return None
    if any(isinstance(node, ast.Name) and node.id in targets and not isinstance(node.ctx, ast.Load)
           for statement in before for node in ast.walk(statement)):  # fmt: skip
        return None
    rows = ast.Assign([ast.Name(ROWS, ast.Store())], ast.Call(_name("list"), [loop.iter], []))
    all_given = ast.ListComp(ast.Tuple(call.args, ast.Load()), [ast.comprehension(loop.target, _name(ROWS), [], 0)])
    begin = ast.Expr(ast.Call(_name(BEGIN), [_name(name), all_given], []))
    loop.iter = _name(ROWS)
    loop.body[place] = _Taking(name).visit(before[-1])
    return [rows, begin, loop]


def _prepared(
    loop: ast.For, name: str, place: int, call: ast.Call, quiet: frozenset[str], scope: str
) -> list[ast.stmt] | None:
    """A loop in two: a generator of each turn's arguments and names, and what is done with the answers.

    What comes before the call runs for some turns at once. So what comes after it may change nothing but names of its
    own, and look at nothing that the other part may change; `batches.Ahead.prepare` watches what no text tells.
    """
    before, after, there = loop.body[:place], loop.body[place:], set(map(id, ast.walk(call)))
    first = [loop.target, loop.iter, *before, *call.args]
    if call.keywords or any(isinstance(node, _LEAVING) for node in ast.walk(loop)):
        return None
    stored = [loop.target, *(target for each in before if isinstance(each, ast.Assign) for target in each.targets)]
    fresh, bound, looked_at = _names(stored, ast.Store), _names(first, ast.Store), _names(after, ast.Load, there)
    others = looked_at - fresh - _QUIET - quiet
    if _names(after, ast.Store) & (bound | _names(first, ast.Load)) or others & (bound | _names(first, ast.Load)):
        return None
    if not _names(call.args, ast.Load) - _QUIET <= fresh or not _are_quiet(after, there, fresh, quiet):
        return None
    kept, names = sorted(fresh & looked_at), sorted(bound)
    turn = ast.Tuple([ast.Tuple(call.args, ast.Load()), ast.Tuple([_name(x) for x in kept], ast.Load())], ast.Load())
    made = ast.parse(f"def {PREPARED}(): {scope} {', '.join(names)}\nif 0: {' = '.join(names)} = 0").body
    assert isinstance(made[0], ast.FunctionDef)
    made[0].body.append(ast.For(loop.target, loop.iter, [*before, ast.Expr(ast.Yield(turn))], []))
    target = ast.Tuple([ast.Name(x, ast.Store()) for x in kept], ast.Store())
    turns = ast.Call(_name(PREPARE), [_name(name), ast.Call(_name(PREPARED), [], [])], [])
    return [*made, ast.For(target, turns, [_Taking(name).visit(after[0]), *after[1:]], [])]


def _names(nodes: Iterable[ast.AST], context: type[ast.expr_context], without: Collection[int] = ()) -> set[str]:
    found = (x for node in nodes for x in ast.walk(node) if isinstance(x, ast.Name) and id(x) not in without)
    return {x.id for x in found if isinstance(x.ctx, context)}


def _are_quiet(statements: list[ast.stmt], there: set[int], fresh: set[str], quiet: frozenset[str]) -> bool:
    """Whether statements change nothing but names of their own, but for what is done `there`."""
    for node in itertools.chain.from_iterable(map(ast.walk, statements)):
        if id(node) in there:
            continue
        if isinstance(node, ast.Call):
            said = ast.unparse(node.func)
            if said in fresh or not (said in _INERT | quiet or _OF_MATH.fullmatch(said)):
                return False
        if isinstance(node, ast.stmt) and not isinstance(node, ast.Assign | ast.Assert):
            return False
        if isinstance(node, ast.Attribute | ast.Subscript | ast.Starred) and not isinstance(node.ctx, ast.Load):
            return False
        if isinstance(node, ast.Attribute) and not _OF_MATH.fullmatch(ast.unparse(node)):
            return False
    return True


def _quiet_functions(source: str) -> frozenset[str]:
    """The tests' own functions that return one expression of what they are given."""
    texts = [
        match[0] for match in _FUNCTION.finditer(source) if " return " in match[0] and "(candidate)" not in match[0]
    ]
    try:
        functions = [node for node in ast.parse("".join(texts)).body if isinstance(node, ast.FunctionDef)]
    except (SyntaxError, ValueError, RecursionError):
        return frozenset()
    found = set[str]()
    for function in functions:
        said = [x for x in function.body if not (isinstance(x, ast.Expr) and isinstance(x.value, ast.Constant))]
        own = {each.arg for each in ast.walk(function.args) if isinstance(each, ast.arg)} | _names(said, ast.Store)
        calls = [node.func for each in said for node in ast.walk(each) if isinstance(node, ast.Call)]
        computes = all(
            _OF_MATH.fullmatch(ast.unparse(node)) or (isinstance(node, ast.Name) and node.id not in own)
            for node in calls
        )
        alone = len(said) == 1 and isinstance(said[0], ast.Return) and not function.decorator_list
        if alone and computes and _names(said, ast.Load) - own <= _QUIET | found:
            found.add(function.name)
    return frozenset(
        name for name in found if len(re.findall(rf"\b(?:def|class)[ \t]+{name}\b|\b{name}\s*=[^=]", source)) == 1
    )


def _is_plain_iterable(node: ast.expr) -> bool:
    if isinstance(node, ast.Call):
        return (isinstance(node.func, ast.Name) and node.func.id in _LOOPS and not node.keywords
                and all(_is_plain_iterable(x) or isinstance(x, ast.Constant) for x in node.args))  # fmt: skip
    return isinstance(node, ast.Name | ast.Constant)


def _is_unconditional(statement: ast.stmt, call: ast.Call) -> bool:
    """Whether nothing in a statement could keep its call from being made."""
    trail = [statement, *_path_to(statement, call)]
    hiding = (ast.BoolOp, ast.IfExp, ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return not any(isinstance(node, hiding) for node in trail) and all(
        not isinstance(node, ast.Compare) or len(node.ops) == 1 for node, _ in pairwise(trail)
    )


def _path_to(node: ast.AST, wanted: ast.AST) -> list[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if child is wanted:
            return [child]
        if path := _path_to(child, wanted):
            return [child, *path]
    return []


def _depends_on(node: ast.AST, targets: set[str]) -> bool:
    allowed = (
        ast.Name,
        ast.Starred,
        ast.Constant,
        ast.Load,
        ast.Subscript,
        ast.Tuple,
        ast.List,
        ast.Attribute,
        ast.Call,
    )
    for each in ast.walk(node):
        if not isinstance(each, allowed):
            return False
        if isinstance(each, ast.Call) and ast.unparse(each.func) not in ("copy.deepcopy", "deepcopy"):
            return False
        if isinstance(each, ast.Name) and each.id not in targets | {"copy", "deepcopy"}:
            return False
    return True


class _Taking(ast.NodeTransformer):
    def __init__(self, name: str) -> None:
        self._name = name

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """Take the answer instead."""
        return ast.Call(_name(TAKE), [], []) if _is_call_of(node, self._name) else self.generic_visit(node)


def _name(name: str) -> ast.Name:
    return ast.Name(name, ast.Load())


def _is_call_of(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
