"""Tests that are data, as a program of a language: it makes each call twice and writes a letter for each.

The program is the tests' side of `eval.sandbox.oracle.judge`: the calls go to the solution's process. A line begins
with a mark that the solution does not know. What is expected of a function that returns nothing is what its first
argument holds after the call. Not covered: types that are not plain data, and methods of objects; such a test is "X".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eval.answers.braces import cut_at_close
from eval.sandbox.calls.bound_types import with_types
from eval.sandbox.calls.own_types import OwnType, own_literal, own_types, rust_comparisons
from eval.sandbox.calls.script_literals import ScriptTypes
from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.literals import NoRoom, Unwritable, literal, plain_script
from eval.sandbox.signatures import functions_of, without_comments
from eval.sandbox.stubs import driver
from eval.sandbox.typescript import needs_compiler

Row = dict[str, Any]

_UNTYPED = {"javascript", "typescript"}
"""Languages whose results need no type."""
_NOTHING = {"", "()", "void"}
"""What a function returns that returns nothing."""
_JAVA_TYPE = r"[\w.]+(?:\s*<[\w\s<>,.\[\]?]+>)?(?:\s*\[\])*"
_TEMPLATE = re.compile(
    r"template\s*<((?:\s*(?:typename|class)\s+\w+\s*,?)+)>\s*(?:(?:static|inline|constexpr)\s+)*"
    r"([\w:<>,&\s]+?[\s&>])(\w+)\s*\(((?:[^(){};])*)\)\s*(?:noexcept\s*)?\{"
)


class NotCallable(ValueError):  # noqa: N818 - what it says of a function
    """The function cannot be called with data."""


class _NeverSo(Exception):  # noqa: N818 - what it says of a test
    """The function's result has no room for what is expected: no answer of it is right."""


_NEVER = {
    "cpp": "run({}, []() -> bool {{ return false; }});",
    "go": "wcRun({}, func() bool {{ return false }})",
    "java": "run({}, () -> false);",
    "rust": "run({}, || false);",
}
"""A test that nothing passes."""


@dataclass(frozen=True)
class _Called:
    """A function and what its values are written with."""

    function: Function
    language: str
    parameters: tuple[str, ...] = ()
    """Names of its type parameters."""
    script: ScriptTypes | None = None
    own: dict[str, OwnType] | None = None
    """The candidate's types."""

    def write(self, value: Any, kind: str) -> str:
        """A value as an expression."""
        return literal(value, kind, self.language, self.write_own if self.own else None)

    def write_result(self, value: Any, kind: str) -> str:
        """What is expected as an expression.

        Raises:
            _NeverSo: the type has no room for it.
        """
        try:
            return self.write(value, kind)
        except NoRoom:
            raise _NeverSo from None

    def write_own(self, value: Any, kind: str) -> str | None:
        """A value of the candidate's types as an expression."""
        found = (self.own or {}).get(kind.rpartition(".")[2])
        return own_literal(value, found, self.language, self.write) if found else None


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
    called = _function(solution, language, name)
    lines, left, types = list[str](), list[int](), set[str]()
    for place in places:
        try:
            lines.append(_line(place, tests[place], called))
        except _NeverSo:
            lines.append(_NEVER[language].format(place))
        except Unwritable as error:
            left.append(place)
            types.add(str(error))
    if not lines and types and all(why.startswith("type ") for why in types):
        raise NotCallable(f"{min(types)} is no plain data")
    program = driver(_PROGRAMS[language]).replace("WAVECODER_MARK", mark)
    if language == "rust" and called.own:
        kinds = [called.function.returns, *(kind for _, kind in called.function.parameters)]
        words = set(re.findall(r"\w+", " ".join(kinds)))
        program = program.replace("// WAVECODER_TYPES", rust_comparisons(called.own, words))
    head, _, tail = program.partition("// WAVECODER_TESTS")
    return _candidate(solution, language, name), head + "\n".join(lines) + tail, left


def _function(solution: str, language: str, name: str) -> _Called:
    if language == "typescript" and (construct := needs_compiler(solution)):
        raise NotCallable(f"{construct} needs a compiler")
    if language in _UNTYPED:
        types = ScriptTypes(solution, name) if language == "typescript" else None
        returns = "void" if types is not None and types.returns_nothing else ""
        return _Called(Function(name, returns, ()), language, script=types)
    own = own_types(solution, language)
    if language == "java":
        return _java_method(solution, name, own)
    found = next((one for one in functions_of(solution, language, frozenset(own)) if one.name == name), None)
    names = [each.name for each in found.generics] if found else []
    if found is None and language == "cpp":
        found, names = _template(solution, name)
    if found is None or (found.returns in _NOTHING and not _changes_its_first(found, language)):
        raise NotCallable("no function of a result and plain types")
    if any(each.is_constant for each in found.generics):
        raise NotCallable("a number as a parameter of its type")
    if any(each.item for each in found.generics):
        found = _with_lists(found)
    return _Called(found, language, tuple(names), own=own)


def _changes_its_first(function: Function, language: str) -> bool:
    """Whether what a function does shows in its first argument."""
    kind = function.parameters[0][1] if function.parameters else ""
    pattern = {"cpp": r"(?!.*\bconst\b).*&", "go": r"\[\]|map\[", "rust": r"&\s*(?:'\w+\s+)?mut\b",
               "java": r".*(?:\[\]|>)$", "typescript": ""}  # fmt: skip
    return re.match(pattern[language], kind) is not None


def _with_lists(function: Function) -> Function:
    """With lists in place of Rust's iterators, which a list is given for."""
    items = {each.name: f"Vec<{each.item}>" for each in function.generics if each.item}
    parameters = tuple((name, items.get(kind, kind)) for name, kind in function.parameters)
    return Function(function.name, function.returns, parameters, function.generics)


def _template(solution: str, name: str) -> tuple[Function | None, list[str]]:
    """A function template of C++ and the names of its parameters."""
    for given, returns, named, parameters in _TEMPLATE.findall(without_comments(solution)):
        if named == name:
            parts = [re.fullmatch(r"(.+?[\s&])(\w+)", " ".join(part.split())) for part in split_at_commas(parameters)]
            if all(parts):
                kinds = tuple((each[2], each[1].strip()) for each in parts if each)
                return Function(name, returns.strip(), kinds), re.findall(r"(?:typename|class)\s+(\w+)", given)
    return None, []


def _java_method(solution: str, name: str, own: dict[str, OwnType]) -> _Called:
    declared = rf"({_JAVA_TYPE})\s+{re.escape(name)}\s*\(([^)]*)\)\s*(?:throws\s+[\w\s.,]+)?\{{"
    match = next((one for one in re.finditer(declared, solution) if one[1] not in {"return", "new", "else"}), None)
    if match is None:
        raise NotCallable("no such method")
    parts = [part.strip() for part in split_at_commas(match[2]) if part.strip()]
    split = [re.fullmatch(rf"(?:final\s+)?({_JAVA_TYPE}|{_JAVA_TYPE}\s*\.\.\.)\s+(\w+)", part) for part in parts]
    if not all(split):
        raise NotCallable("a parameter of no plain type")
    found = Function(name, match[1], tuple((one[2], one[1].replace("...", "[]")) for one in split if one))
    if found.returns == "void" and not _changes_its_first(found, "java"):
        raise NotCallable("it returns nothing")
    return _Called(found, "java", tuple(_java_generics(solution[: match.start()])), own=own)


def _java_generics(before: str) -> list[str]:
    """The type parameters that stand at the end of a text."""
    text, depth = before.rstrip(), 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ">") - (text[at] == "<")
        if depth == 0:
            inner = text[at + 1 : -1] if text[at] == "<" else ""
            return re.findall(r"\w+", " ".join(part.split()[0] for part in split_at_commas(inner) if part.strip()))
    return []


def _line(place: int, test: Row, called: _Called) -> str:
    """A test as a statement."""
    if "arguments" not in test:
        raise Unwritable("an assertion")
    given, language = test["arguments"], called.language
    if language in _UNTYPED:
        return _script_line(place, test, called)
    if "expected" not in test:
        raise Unwritable("nothing to compare with")
    if len(given) != len(called.function.parameters):
        raise Unwritable("another number of arguments")
    expected = test["expected"]
    values = [(one, kind) for one, (_, kind) in zip(given, called.function.parameters, strict=True)]
    function = with_types(called.function, called.parameters, [*values, (expected, called.function.returns)], language)
    kinds = [kind for _, kind in function.parameters]
    arguments = [called.write(one, kind) for one, kind in zip(given, kinds, strict=True)]
    if function.returns in _NOTHING:
        return _changed_line(place, called, function, arguments, called.write_result(expected, _held(kinds[0])))
    if language == "go":
        return _go_line(place, called, function, arguments, expected)
    if language == "rust":
        return _rust_line(place, called, function, arguments, expected)
    told = called.write_result(expected, function.returns)
    if language == "cpp":
        named = "".join(f"Bare<{kinds[n]}> a{n} = {value}; " for n, value in enumerate(arguments))
        call = f"{function.name}({', '.join(f'a{n}' for n in range(len(given)))})"
        same = f"Same<Bare<{function.returns}>>::of({call}, {told})"
        return f"run({place}, [&]() -> bool {{ {named}return {same}; }});"
    return f"run({place}, () -> same(new Solution().{function.name}({', '.join(arguments)}), {told}));"


def _held(kind: str) -> str:
    """The type of what a reference refers to."""
    return re.sub(r"^&\s*(?:'\w+\s+)?mut\s+", "", kind)


def _changed_line(place: int, called: _Called, function: Function, arguments: list[str], told: str) -> str:
    """A test of a function that returns nothing and changes its first argument."""
    kinds, name = [kind for _, kind in function.parameters], function.name
    rest = "".join(f", {one}" for one in arguments[1:])
    if called.language == "go":
        same = f"wcSame(reflect.ValueOf(a0), reflect.ValueOf({told}))"
        return f"wcRun({place}, func() bool {{ a0 := {arguments[0]}; {name}(a0{rest}); return {same} }})"
    if called.language == "rust":
        made = arguments[0].removeprefix("&mut ")
        return f"run({place}, || {{ let mut a0 = {made}; {name}(&mut a0{rest}); let y = {told}; a0.same(&y) }});"
    if called.language == "cpp":
        named = "".join(f"Bare<{kinds[n]}> a{n} = {value}; " for n, value in enumerate(arguments))
        call = f"{name}({', '.join(f'a{n}' for n in range(len(arguments)))})"
        return f"run({place}, [&]() -> bool {{ {named}{call}; return Same<Bare<{kinds[0]}>>::of(a0, {told}); }});"
    first = f"{kinds[0]} a0 = {arguments[0]};"
    return f"run({place}, () -> {{ {first} new Solution().{name}(a0{rest}); return same(a0, {told}); }});"


def _script_line(place: int, test: Row, called: _Called) -> str:
    name, types = called.function.name, called.script
    write = types.argument if types is not None else lambda _, value: plain_script(value)
    arguments = [write(number, one) for number, one in enumerate(test["arguments"])]
    call = f"{name}({', '.join(arguments)})"
    if "expected" not in test:
        return f"await wavecoderNote({place}, () => {call});"
    told = plain_script(test["expected"], big=True)
    if called.function.returns == "void":
        if not isinstance(test["expected"], list | dict) or not arguments:
            raise Unwritable("nothing that is returned")
        call = f"{name}({', '.join(['a0', *arguments[1:]])})"
        body = f"{{ const a0 = {arguments[0]}; await {call}; return wavecoderSame(a0, {told}) }}"
        return f"await wavecoderRun({place}, async () => {body});"
    return f"await wavecoderRun({place}, async () => wavecoderSame(await {call}, {told}));"


def _rust_line(place: int, called: _Called, function: Function, arguments: list[str], expected: Any) -> str:
    call, kind = f"{function.name}({', '.join(arguments)})", re.sub(r"&\s*'\w+\s*", "&", function.returns)
    steps = re.fullmatch(r"(?:impl|Box\s*<\s*dyn)\b.*?\bIterator\s*<\s*Item\s*=\s*(.+?)>\s*(?:\+\s*'\w+\s*)*>?", kind)
    if steps is not None:
        kind, call = f"Vec<{steps[1].strip()}>", f"{call}.collect::<Vec<_>>()"
    if kind.startswith("Result<"):  # whose error may have a name that the tests do not know
        kind = split_at_commas(kind[len("Result<") : kind.rindex(">")])[0].strip()
        held = f"let y: {kind} = {called.write_result(expected, kind)}; matches!(x, Ok(ref z) if z.same(&y))"
        return f"run({place}, || {{ let x = {call}; {held} }});"
    told = called.write_result(expected, kind)
    return f"run({place}, || {{ let x = {call}; let y: {kind} = {told}; x.same(&y) }});"


def _go_line(place: int, called: _Called, function: Function, arguments: list[str], expected: Any) -> str:
    """A test of a function of one result or several; an error behind them has to be none."""
    inner = re.fullmatch(r"\((.*)\)", function.returns)
    kinds = [part.strip() for part in split_at_commas(inner[1])] if inner else [function.returns]
    failing = kinds[-1] == "error" and len(kinds) > 1
    kinds = kinds[: len(kinds) - failing]
    values = [expected] if len(kinds) == 1 else expected
    if not isinstance(values, list) or len(values) != len(kinds):
        raise Unwritable("another number of results")
    names = [f"r{n}" for n in range(len(kinds))]
    same = " && ".join(f"wcSame(reflect.ValueOf({name}), reflect.ValueOf({called.write_result(value, kind)}))"
                       for name, value, kind in zip(names, values, kinds, strict=True))  # fmt: skip
    call = f"{', '.join([*names, *['err'] * failing])} := {function.name}({', '.join(arguments)})"
    return f"wcRun({place}, func() bool {{ {call}; {'wcNoError(err); ' * failing}return {same} }})"


def _forwarded(solution: str, name: str) -> str:
    """Java whose method stands in a class of another name, with a class that hands calls on; empty if it does not."""
    text = without_comments(solution)
    for owner in re.finditer(r"^(?:public\s+|final\s+)*class\s+(\w+)[^{;]*\{", text, re.MULTILINE):
        body = cut_at_close(text[owner.end() :], "java")
        marks, generic = r"((?:(?:public|protected|static|final|synchronized)\s+)*)", r"(?:<[^(){};]+>\s*)?"
        head = re.search(
            rf"^[ \t]*{marks}({generic}{_JAVA_TYPE})\s+{name}\s*\(([^)]*)\)(\s*throws[^{{;]*)?\s*\{{",
            body,
            re.MULTILINE,
        )
        if head is None:
            continue
        given = ", ".join(part.split()[-1] for part in split_at_commas(head[3]) if part.strip())
        target = owner[1] if "static" in head[1].split() else f"new {owner[1]}()"
        call = f"{'' if head[2].split()[-1] == 'void' else 'return '}{target}.{name}({given});"
        bare = re.sub(r"^public\s+(?=(?:(?:final|abstract)\s+)*(?:class|interface|enum|record)\b)", "", solution,
                      flags=re.MULTILINE)  # fmt: skip
        imports = "import java.util.*;\nimport java.util.function.*;\nimport java.util.stream.*;\n"
        bare = re.sub(r"^\s*package [^;]+;", "", bare, flags=re.MULTILINE)
        return (f"{imports}{bare}\n\nclass Solution {{\n"
                f"    public {head[2]} {name}({head[3]}){head[4] or ''} {{ {call} }}\n}}\n")  # fmt: skip
    return ""


def _candidate(solution: str, language: str, name: str) -> str:
    """A solution with what its file had around it, where it is a function alone."""
    if language == "cpp" and "#include" not in solution:
        return f"using namespace std;\n{solution}"
    if language == "rust":
        return f"use std::collections::*;\n{solution}"  # what it names itself comes first
    if language != "java" or re.search(r"\bclass\s+Solution\b", solution):
        return solution
    if forwarded := _forwarded(solution, name):
        return forwarded
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
