"""Tests that are data, as a program of a language: it makes each call twice and writes a letter for each.

The program is the tests' side of `eval.sandbox.oracle.judge`: the calls go to the solution's process. A line begins
with a mark that the solution does not know. Not covered: types that are not plain data, and methods of objects; such a
test is "X".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.literals import Unwritable, literal
from eval.sandbox.signatures import functions_of
from eval.sandbox.stubs import driver
from eval.sandbox.typescript import needs_compiler

Row = dict[str, Any]

_UNTYPED = {"javascript", "typescript"}
"""Languages whose values need no type: TypeScript's types are left out."""
_JAVA_TYPE = r"[\w.]+(?:\s*<[\w\s<>,.\[\]?]+>)?(?:\s*\[\])*"


class NotCallable(ValueError):  # noqa: N818 - what it says of a function
    """The function cannot be called with data."""


def program_of(
    solution: str, tests: Sequence[Row], places: Sequence[int], language: str, name: str, mark: str
) -> tuple[str, str, list[int]]:
    """The solution as the tests' program expects it, that program, and the places of tests that it does not hold.

    Args:
        solution: its source.
        tests: all tests of the problem.
        places: of those to run.
        language: of the solution, other than Python.
        name: of its function.
        mark: begins each line of the program's that counts.

    Raises:
        NotCallable: the function cannot be called with data.
    """
    function = _function(solution, language, name)
    lines, left = list[str](), list[int]()
    for place in places:
        try:
            lines.append(_line(place, tests[place], function, language))
        except Unwritable:
            left.append(place)
    program = driver(_PROGRAMS[language]).replace("WAVECODER_MARK", mark)
    head, _, tail = program.partition("// WAVECODER_TESTS")
    return _candidate(solution, language), head + "\n".join(lines) + tail, left


def _function(solution: str, language: str, name: str) -> Function:
    if language == "typescript" and (construct := needs_compiler(solution)):
        raise NotCallable(f"{construct} needs a compiler")
    if language in _UNTYPED:
        return Function(name, "", ())
    if language == "java":
        return _java_method(solution, name)
    found = next((one for one in functions_of(solution, language) if one.name == name), None)
    if found is None or found.returns in {"", "()", "void"}:
        raise NotCallable("no function of a result and plain types")
    return found


def _java_method(solution: str, name: str) -> Function:
    declared = rf"({_JAVA_TYPE})\s+{re.escape(name)}\s*\(([^)]*)\)\s*(?:throws\s+[\w\s.,]+)?\{{"
    match = next((one for one in re.finditer(declared, solution) if one[1] not in {"return", "new", "else"}), None)
    if match is None or match[1] == "void":
        raise NotCallable("no such method")
    parts = [part.strip() for part in split_at_commas(match[2]) if part.strip()]
    split = [re.fullmatch(rf"(?:final\s+)?({_JAVA_TYPE})\s+(\w+)", part) for part in parts]
    if not all(split):
        raise NotCallable("a parameter of no plain type")
    return Function(name, match[1], tuple((one[2], one[1]) for one in split if one))


def _line(place: int, test: Row, function: Function, language: str) -> str:
    """A test as a statement."""
    if "arguments" not in test:
        raise Unwritable("an assertion")
    given, kinds = test["arguments"], [kind for _, kind in function.parameters]
    if language in _UNTYPED:
        call = f"{function.name}({', '.join(literal(one, '', language) for one in given)})"
        if "expected" not in test:
            return f"wavecoderNote({place}, () => {call});"
        return f"wavecoderRun({place}, () => wavecoderSame({call}, {literal(test['expected'], '', language)}));"
    if "expected" not in test:
        raise Unwritable("nothing to compare with")
    if len(given) != len(kinds):
        raise Unwritable("another number of arguments")
    arguments = [literal(one, kind, language) for one, kind in zip(given, kinds, strict=True)]
    if language == "go":
        return _go_line(place, function, arguments, test["expected"])
    expected = literal(test["expected"], function.returns, language)
    if language == "cpp":
        named = "".join(f"Bare<{kinds[n]}> a{n} = {value}; " for n, value in enumerate(arguments))
        call = f"{function.name}({', '.join(f'a{n}' for n in range(len(given)))})"
        same = f"Same<Bare<{function.returns}>>::of({call}, {expected})"
        return f"run({place}, [&]() -> bool {{ {named}return {same}; }});"
    call = f"{function.name}({', '.join(arguments)})"
    if language == "rust":
        kind = re.sub(r"&\s*'\w+\s*", "&", function.returns)
        return f"run({place}, || {{ let x = {call}; let y: {kind} = {expected}; x.same(&y) }});"
    return f"run({place}, () -> same(new Solution().{call}, {expected}));"


def _go_line(place: int, function: Function, arguments: list[str], expected: Any) -> str:
    """A test of a function of one result or several; an error behind them has to be none."""
    inner = re.fullmatch(r"\((.*)\)", function.returns)
    kinds = [part.strip() for part in split_at_commas(inner[1])] if inner else [function.returns]
    failing = kinds[-1] == "error" and len(kinds) > 1
    kinds = kinds[: len(kinds) - failing]
    values = [expected] if len(kinds) == 1 else expected
    if not isinstance(values, list) or len(values) != len(kinds):
        raise Unwritable("another number of results")
    names = [f"r{n}" for n in range(len(kinds))]
    same = " && ".join(f"wcSame(reflect.ValueOf({name}), reflect.ValueOf({literal(value, kind, 'go')}))"
                       for name, value, kind in zip(names, values, kinds, strict=True))  # fmt: skip
    call = f"{', '.join([*names, *['err'] * failing])} := {function.name}({', '.join(arguments)})"
    return f"wcRun({place}, func() bool {{ {call}; {'wcNoError(err); ' * failing}return {same} }})"


def _candidate(solution: str, language: str) -> str:
    """A solution with what its file had around it, where it is a function alone."""
    if language == "cpp" and "#include" not in solution:
        return f"using namespace std;\n{solution}"
    if language == "rust":
        return f"use std::collections::*;\n{solution}"  # what it names itself comes first
    if language != "java" or re.search(r"\bclass\s+Solution\b", solution):
        return solution
    imports = re.findall(r"^\s*import [^;]+;", solution, re.MULTILINE)
    body = re.sub(r"^\s*(?:package|import) [^;]+;", "", solution, flags=re.MULTILINE)
    return "\n".join(["import java.util.*;", "import java.util.function.*;", "import java.util.stream.*;", *imports,
                      f"class Solution {{\n{body}\n}}"])  # fmt: skip


_PROGRAMS = {
    "javascript": "proof.js",
    "typescript": "proof.js",
    "cpp": "proof.cpp",
    "go": "proof.go",
    "java": "Proof.java",
    "rust": "proof.rs",
}
