"""Tests that are data, as a program of a language: it makes each call twice and writes a letter for each.

The program is the tests' side of `eval.sandbox.oracle.judge`: the calls go to the solution's process. A line begins
with a mark that the solution does not know; `calls/lines.py` writes a test. Not covered: types that are not plain data,
and methods of objects; such a test is "X".
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from eval.answers.braces import cut_at_close
from eval.sandbox.calls.lines import NOTHING, UNTYPED, Called, NeverSo, line_of
from eval.sandbox.calls.own_types import OwnType, cpp_comparisons, java_path, own_types, rust_comparisons
from eval.sandbox.calls.script_literals import ScriptTypes
from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.literals import Unwritable
from eval.sandbox.plain_text import fits, without_comments
from eval.sandbox.signatures import functions_of
from eval.sandbox.stubs import driver, own_names
from eval.sandbox.typescript import needs_compiler

Row = dict[str, Any]

_JAVA_TYPE = (
    r"\b(?!(?:static|public|private|protected|final|synchronized)\b)[\w.]+(?:\s*<[\w\s<>,.\[\]?]+>)?(?:\s*\[\])*"
)
_TEMPLATE = re.compile(
    r"template\s*<((?:\s*(?:typename|class)\s+\w+\s*,?)+)>\s*(?:(?:static|inline|constexpr)\s+)*"
    r"([\w:<>,&\s]+?[\s&>])(\w+)\s*\(((?:[^(){};])*)\)\s*(?:noexcept\s*)?\{"
)


class NotCallable(ValueError):  # noqa: N818 - what it says of a function
    """The function cannot be called with data."""


_NEVER = {
    "cpp": "run({}, []() -> bool {{ return false; }});",
    "go": "wcRun({}, func() bool {{ return false }})",
    "java": "run({}, () -> false);",
    "rust": "run({}, || false);",
}
"""A test that nothing passes."""


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
            lines.append(line_of(place, tests[place], called))
        except NeverSo:
            lines.append(_NEVER[language].format(place))
        except Unwritable as error:
            left.append(place)
            types.add(str(error))
    if not lines and types and all(why.startswith("type ") for why in types):
        raise NotCallable(f"{min(types)} is no plain data")
    program = driver(_PROGRAMS[language]).replace("WAVECODER_MARK", mark)
    if language == "cpp" and called.own:
        program = program.replace("// WAVECODER_TYPES", cpp_comparisons(called.own))
    if language == "rust" and called.own:
        kinds = [called.function.returns, *(kind for _, kind in called.function.parameters)]
        words = set(re.findall(r"\w+", " ".join(kinds)))
        program = program.replace("// WAVECODER_TYPES", rust_comparisons(called.own, words))
    head, _, tail = program.partition("// WAVECODER_TESTS")
    return _candidate(solution, language, name), head + "\n".join(lines) + tail, left


def _function(solution: str, language: str, name: str) -> Called:
    if language == "typescript" and (construct := needs_compiler(solution)):
        raise NotCallable(f"{construct} needs a compiler")
    if language in UNTYPED:
        types = ScriptTypes(solution, name) if language == "typescript" else None
        returns = "void" if types is not None and types.returns_nothing else ""
        return Called(Function(name, returns, ()), language, script=types)
    own = own_types((language == "java" and _forwarded(solution, name)) or solution, language)
    if language == "java":
        return _java_method(solution, name, own)
    declared, defaults = _without_defaults(without_cpp_aliases(solution), name) if language == "cpp" else (solution, 0)
    known = frozenset(own) | {part for each in own.values() for part in each.name.split("::")}
    known |= own_names(solution, language)  # of which no value is written, as of a `Result`'s errors
    found = next((one for one in functions_of(declared, language, known) if one.name == name), None)
    names = [each.name for each in found.generics] if found else []
    if found is None and language == "cpp":
        found, names = _template(declared, name)
    if found is None or (found.returns in NOTHING and not _changes_its_first(found, language)):
        raise NotCallable("no function of a result and plain types")
    if any(each.is_constant for each in found.generics):
        raise NotCallable("a number as a parameter of its type")
    if any(each.item for each in found.generics):
        found = _with_lists(found)
    takes_more = bool(found.parameters) and found.parameters[-1][1].startswith("...")
    return Called(found, language, tuple(names), own=own, defaults=defaults, takes_more=takes_more)


def without_cpp_aliases(source: str) -> str:
    """C++ with types in place of the other names that it gives them: `using Row = std::array<int, 3>;`."""
    text = without_comments(source, "cpp")
    alias = re.compile(r"^[ \t]*(?:using\s+(\w+)\s*=([^;{}]+)|typedef\s+([^;{}()]+?)\s*\b(\w+));", re.MULTILINE)
    while (match := alias.search(text)) is not None:
        name, kind = match[1] or match[4], (match[2] or match[3]).strip()
        rest = text[match.end() :]
        if fits(rest, name, kind, source):
            rest = re.sub(rf"(?<!::)\b{name}\b", lambda _, kind=kind: kind, rest)  # type: ignore[misc]
        text = text[: match.start()] + rest
    return text


def _without_defaults(source: str, name: str) -> tuple[str, int]:
    """C++ whose function has no default arguments, and how many it had."""
    count = 0

    def bare(match: re.Match[str]) -> str:
        nonlocal count
        parts = split_at_commas(match[2])
        count = max(count, sum("=" in part for part in parts))
        return f"{match[1]}{', '.join(part.partition('=')[0].rstrip() for part in parts)})"

    inside = r"((?:[^(){};]|\([^(){};]*\)|\{[^{}]*\})*)\)(?=\s*(?:noexcept\s*)?\{)"
    return re.sub(rf"(\b{re.escape(name)}\s*\(){inside}", bare, without_comments(source, "cpp")), count


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
    for given, returns, named, parameters in _TEMPLATE.findall(without_comments(solution, "cpp")):
        if named == name:
            parts = [re.fullmatch(r"(.+?[\s&])(\w+)", " ".join(part.split())) for part in split_at_commas(parameters)]
            if all(parts):
                kinds = tuple((each[2], each[1].strip()) for each in parts if each)
                return Function(name, returns.strip(), kinds), re.findall(r"(?:typename|class)\s+(\w+)", given)
    return None, []


def _java_method(solution: str, name: str, own: dict[str, OwnType]) -> Called:
    declared = rf"({_JAVA_TYPE})\s+{re.escape(name)}\s*\(([^)]*)\)\s*(?:throws\s+[\w\s.,]+)?\{{"
    match = next((one for one in re.finditer(declared, solution) if one[1] not in {"return", "new", "else"}), None)
    if match is None:
        raise NotCallable("no such method")
    kind = _last_type(match[1])
    parts = [part.strip() for part in split_at_commas(match[2]) if part.strip()]
    split = [re.fullmatch(rf"(?:final\s+)?({_JAVA_TYPE}|{_JAVA_TYPE}\s*\.\.\.)\s+(\w+)", part) for part in parts]
    if not all(split):
        raise NotCallable("a parameter of no plain type")
    kinds = ((one[2], java_path(one[1].replace("...", "[]"), own)) for one in split if one)
    found = Function(name, java_path(kind, own), tuple(kinds))
    if found.returns == "void" and not _changes_its_first(found, "java"):
        raise NotCallable("it returns nothing")
    generics = tuple(_java_generics(solution[: match.end(1) - len(kind)]))
    return Called(found, "java", generics, own=own, takes_more="..." in match[2])


def _last_type(text: str) -> str:
    """The type at the end of a text, which may begin inside of a bound: `Comparable<? super T>> List<T>`."""
    depth = 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ">") - (text[at] == "<")
        if depth == 0 and text[at].isspace() and not re.match(r"\s*[<\[]", text[at:]):
            return text[at:].strip()
    return text


def _java_generics(before: str) -> list[str]:
    """The type parameters that stand at the end of a text."""
    text, depth = before.rstrip(), 0
    for at in range(len(text) - 1, -1, -1):
        depth += (text[at] == ">") - (text[at] == "<")
        if depth == 0:
            inner = text[at + 1 : -1] if text[at] == "<" else ""
            return re.findall(r"\w+", " ".join(part.split()[0] for part in split_at_commas(inner) if part.strip()))
    return []


def _forwarded(solution: str, name: str) -> str:
    """Java whose method stands in a class of another name, with a class that hands calls on; empty if it does not."""
    text = without_comments(solution, "java")
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
        own = own_types(f"{text}\nclass Solution {{}}", "java")
        kinds = java_path(head[2], own), java_path(head[3], own)
        bare = re.sub(r"^\s*package [^;]+;", "", bare, flags=re.MULTILINE)
        return (f"{imports}{bare}\n\nclass Solution {{\n"
                f"    public {kinds[0]} {name}({kinds[1]}){head[4] or ''} {{ {call} }}\n}}\n")  # fmt: skip
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
