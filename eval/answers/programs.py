"""Answers that are no function: a whole program that reads its input, or an expression. Pure, text to text.

The tests call such a candidate as any other, in its own process: `run_program(text)` runs the program once and answers
what it wrote, `prediction()` answers the value of the expression. What is right never reaches that process.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from core.python_syntax import python_tree
from eval.answers.carriers import from_latex
from eval.answers.repairs import cleaned, without_marks
from eval.answers.thoughts import without_thoughts

RUN_PROGRAM, PREDICTION = "run_program", "prediction"
"""The names that the tests call."""

_PROGRAM = '''_CODE = compile({source!r}, "program.py", "exec")


def run_program(text):
    """Run the program once; its standard input and output are files, so that every way to read and write works."""
    import atexit, gc, os, sys, tempfile, threading

    others, register, at_end = set(threading.enumerate()), atexit.register, []

    def register_here(function, *args, **kwargs):
        at_end.append(lambda: function(*args, **kwargs))
        return function


    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as written:
        given.write(text.encode())
        given.seek(0)
        streams, kept = (sys.stdin, sys.stdout), (os.dup(0), os.dup(1))
        os.dup2(given.fileno(), 0)
        os.dup2(written.fileno(), 1)
        sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)
        atexit.register = register_here
        try:
            try:
                exec(_CODE, {{"__name__": "__main__", "__builtins__": __builtins__}})
            except SystemExit:
                pass
            for thread in set(threading.enumerate()) - others:
                if not thread.daemon:
                    gc.collect()  # a pool that nobody shuts down ends with its owner, as where Python ends
                    thread.join()
            while at_end:
                at_end.pop()()
        finally:
            atexit.register = register
            sys.stdout.flush()
            sys.stdin, sys.stdout = streams
            for number, saved in enumerate(kept):
                os.dup2(saved, number)
                os.close(saved)
        written.seek(0)
        return written.read().decode("utf-8", "replace")
'''


def program_candidate(code: str, prelude: str = "") -> str:
    """A candidate that runs a program for each input it is given.

    Args:
        code: the program.
        prelude: imports that the benchmark grants it.
    """
    return _PROGRAM.format(source=f"{prelude.rstrip()}\n\n{code}" if prelude else code)


_MARKS = re.compile(r"^[ \t]*(?:#*[ \t]*(?:BEGIN|END) SOLUTION|</?code>|<(?:BEGIN|END) SOLUTION>)[ \t]*\n?", re.M)


def lines_candidate(code: str) -> str:
    """A candidate of lines, as the text `code` that the tests put into their program."""
    return f"code = {_MARKS.sub('', code)!r}\n"


def prediction_candidate(expression: str, function: str = "") -> str:
    """A candidate that answers the value of an expression.

    Args:
        expression: of Python.
        function: its name in a call whose arguments are wanted; it answers them as (positional, named).
    """
    caught = f"def {function}(*given, **named):\n    return given, named\n\n\n" if function else ""
    return f"{caught}def {PREDICTION}():\n    return ({expression.strip() or None})\n"


def read_prediction(answer: str, function: str, *, wants_call: bool) -> str:
    """The expression in an answer: the right side of its assertion, or the call on the left.

    Args:
        answer: with the assertion between [ANSWER] and [/ANSWER], in a fence, or on a line of its own.
        function: the name of the function in it.
        wants_call: the call is wanted, with its arguments; else the value.

    Returns:
        the expression as it is written; the last line if there is none that parses.
    """
    text = without_thoughts(cleaned(answer))
    marked = re.findall(r"\[ANSWER\](.*?)(?:\[/ANSWER\]|\Z)", text, re.DOTALL) or [text]
    boxed = from_latex(marked[-1])
    lines = [
        line
        for line in (boxed or without_marks(marked[-1])).split("\n")
        if line.strip() and not re.match(r"\s*(?:```|~~~)", line)
    ]
    for choice in ["\n".join(lines), *reversed(lines), *_labelled("\n".join(lines))]:
        found = _expression(choice.strip().strip("`").strip(), function, wants_call=wants_call)
        if found is not None:
            return found
    return lines[-1].strip() if lines else ""


def _labelled(text: str) -> Iterator[str]:
    """What a text names as its answer: in a field of JSON, behind a word, between ticks; the last first."""
    fields = re.findall(r"[\"'](?:answer|output|result|input)[\"']\s*:\s*(.+?)\s*\}?\s*\Z", text, re.DOTALL)
    yield from (each.strip('"') for each in fields)
    bare = re.sub(r"[*`]+", "", text)
    yield from (_KIND.sub("", each.strip()).rstrip(" .") for each in reversed(_LABEL.findall(bare)))
    yield from reversed(re.findall(r"`([^`\n]+)`", text))


_KIND = re.compile(r"^(?:the )?(?:list|tuple|string|dictionary|value|set|number)[ ]+")
_LABEL = re.compile(
    r"(?:(?:output|answer|result|value|input)\b[^:\n]{0,30}:|→|=>|->"
    r"|\b(?:is|are|be|returns?|gives?|outputs?|yields?|to)\b|^==)[ \t]*([^\n]+)", re.IGNORECASE | re.MULTILINE,
)  # fmt: skip


def _expression(text: str, function: str, *, wants_call: bool) -> str | None:
    """The wanted expression of a line; None if it is none."""
    match = re.search(rf"\bassert\b.*|\b{re.escape(function)}\(.*", text, re.DOTALL)
    try:
        body = python_tree(match.group() if match else text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if not body or _is_answer_field(body[-1]):
        return None
    node = body[-1].test if isinstance(body[-1], ast.Assert) else getattr(body[-1], "value", None)
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], ast.Eq):
        sides = (node.left, node.comparators[0])
        calls = [_is_call(side, function) for side in sides]
        if any(calls):
            return ast.unparse(sides[calls.index(True)] if wants_call else sides[calls.index(False)])
    if not isinstance(node, ast.expr) or isinstance(node, ast.Name):
        return None
    if wants_call:
        return ast.unparse(node) if _is_call(node, function) else None
    return None if _is_call(node, function) else ast.unparse(node)


def _is_answer_field(node: ast.stmt) -> bool:
    """Whether it is JSON around an answer."""
    keys = [each.value for each in ast.walk(node) if isinstance(each, ast.Constant)][:1]
    is_dict = isinstance(node, ast.Expr) and isinstance(node.value, ast.Dict)
    return is_dict and keys in (["answer"], ["output"], ["result"], ["input"])


def _is_call(node: ast.expr, function: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == function
