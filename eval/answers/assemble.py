"""A problem and an answer's code → the candidate: a whole program but for the tests. Pure, one function a language.

Code that defines the entry point replaces the problem's declaration, of which it keeps the imports and helpers that it
lacks; any other code is the body that continues the declaration. What would collide with the tests is taken out: main
functions, test modules, package lines. In Go and Rust, where a wrong import does not compile, imports follow their use.
"""

from __future__ import annotations

import re
import textwrap

from eval.answers.bodies import as_body
from eval.answers.braces import cut_at_close, open_brackets, without_block, without_comments
from eval.answers.candidates import units_of
from eval.answers.declarations import defined_names, definition_start
from eval.answers.extract import binds
from eval.answers.owners import as_function, owner_of
from eval.answers.programs import lines_candidate, prediction_candidate, program_candidate
from eval.problems import Problem

GO_PACKAGES = ("bytes", "crypto/md5", "encoding/hex", "errors", "fmt", "math", "math/big", "math/bits", "math/rand",
               "os", "reflect", "regexp", "sort", "strconv", "strings", "time", "unicode", "unicode/utf8")  # fmt: skip
"""Packages of Go's standard library that are imported where they are used, whether or not the answer says so."""

_IMPORT_LINE = (
    r"^[ \t]*(?:#include\b.*|using[ \t][^(]*;|typedef\b.*;|(?:pub[ \t]+)?use[ \t][^;]*;|import\b[^;\n]*;?)[ \t]*$"
)

_GO_IMPORTS = re.compile(r"^import[ \t]*(?:\([^)]*\)|[\w.]*[ \t]*\"[^\"]+\")", re.MULTILINE)


def candidate_of_code(problem: Problem, code: str) -> str:
    """The candidate that an extracted answer stands for."""
    name, language = problem.entry_point, problem.language
    if problem.kind != "function":
        return _called(problem, code)
    if language != "java" and (owner := owner_of(code, name, language)):
        code = f"{code}\n\n{as_function(problem.declaration, name, language, owner, code)}"
    elif not binds(code, name, language) and (problem.declaration or language != "python"):
        return candidate_of_continuation(problem, as_body(code, problem.declaration, language), cut=False)
    if language == "python":
        return _python(problem.prelude, _before(problem), textwrap.dedent(code))
    if problem.language == "java":
        return _java(problem, code)
    before = _GO_IMPORTS.sub("", _before(problem)) if problem.language == "go" else _before(problem)
    imports, helpers = _split(before, code, problem.language)
    return _assemble(problem, _joined(imports, helpers, code))


def _called(problem: Problem, code: str) -> str:
    """The candidate of a program, of lines or of an expression."""
    if problem.kind == "lines":
        return lines_candidate(code)
    if problem.kind == "program":
        return program_candidate(code, problem.prelude)
    return prediction_candidate(code, "f" if problem.kind == "call" else "")


def candidate_of_continuation(problem: Problem, text: str, *, cut: bool = True) -> str:
    """The candidate of a text that continues the declaration.

    Args:
        problem: whose declaration it continues.
        text: what the model wrote.
        cut: leave off what stands behind the function.
    """
    text = cut_continuation(problem, text.rstrip()) if cut else text.rstrip()
    if problem.kind != "function":
        return _called(problem, text)
    if problem.declaration and problem.language == "java":
        text = f"{text}\n" + "}\n" * max(0, open_brackets(f"{problem.declaration}\n{text}", "java"))
    if problem.declaration:
        separator = "" if text.startswith("\n") else "\n"
        text = f"{problem.declaration.rstrip()}{separator}{text}"
    return _java(problem, text) if problem.language == "java" else _assemble(problem, text)


def candidate_of_solution(problem: Problem, solution: str) -> str:
    """The candidate of a whole program, as it is: samples that somebody already has are not improved.

    Main guards are not run, as in the tools that made published verdicts: a candidate is a module, not `__main__`.
    """
    if problem.kind != "function":
        return _called(problem, solution)
    if problem.language == "java" or (problem.language == "python" and not problem.prelude):
        return solution
    return _assemble(problem, solution)


def cut_continuation(problem: Problem, text: str) -> str:
    """A continuation without what the model wrote behind the function."""
    for stop in problem.stop:
        text = text.partition(stop)[0]
    if not problem.declaration:
        return text
    if problem.language == "python":
        lines = text.split("\n")
        first = next((number for number, line in enumerate(lines) if line.strip()), 0)
        ends = (number for number, line in enumerate(lines) if number > first and re.match(r"\S", line))
        return "\n".join(lines[: next(ends, len(lines))])
    return cut_at_close(text, problem.language, 2 if problem.language == "java" else 1)


def go_imports(code: str, packages: set[str]) -> str:
    """The import block of those packages that code uses."""
    seen = without_comments(code, "go")
    used = sorted(package for package in packages if re.search(rf"\b{package.rpartition('/')[2]}\.\w", seen))
    return "import (\n" + "".join(f'    "{package}"\n' for package in used) + ")\n" if used else ""


def _joined(*parts: str) -> str:
    return "\n".join(part.strip("\n") for part in parts if part.strip()) + "\n"


def _before(problem: Problem) -> str:
    """What stands before the entry point in the declaration: imports and helpers."""
    return problem.declaration[: definition_start(problem.declaration, problem.entry_point, problem.language) or 0]


def _split(before: str, code: str, language: str) -> tuple[str, str]:
    """Imports, and those helpers that the code does not bring itself."""
    lines = re.sub(r"/\*.*?\*/", "", before, flags=re.DOTALL).split("\n")
    imports = [line for line in lines if re.match(_IMPORT_LINE, line)]
    helpers = "\n".join(line for line in lines if not re.match(_IMPORT_LINE, line))
    helpers = without_block(helpers, r"fn[ \t]+main[ \t]*\(", language)
    redefined = set(defined_names(helpers, language)) & set(defined_names(code, language))
    imports = [line for line in imports if line.strip() not in code]
    return "\n".join(imports), "" if redefined else helpers


def _assemble(problem: Problem, code: str) -> str:
    """Whole code of a language, in the form that the tests expect."""
    language = problem.language
    if language == "python":
        return _python(problem.prelude, code)
    if language == "javascript":
        code = re.sub(r"^export[ \t]*\{[^{}]*\}[ \t]*;?[ \t]*$|^export[ \t]+default[ \t]+\w+[ \t]*;?[ \t]*$", "", code,
                      flags=re.MULTILINE)  # fmt: skip
        return re.sub(r"^export[ \t]+(?:default[ \t]+)?(?=(?:const|let|var|function|class|async)\b)", "", code,
                      flags=re.MULTILINE)  # fmt: skip
    if language == "cpp":
        return _joined(problem.prelude, without_block(code, r"(?:int|auto|void)[ \t]+main[ \t]*\(", language))
    if language == "go":
        return _go(code, problem.prelude)
    if language == "rust":
        return _rust(code)
    return code


def _python(*parts: str) -> str:
    """The parts in order, but for imports from the future, which stand first or do not compile."""
    code = _joined(*parts)
    futures = re.findall(r"^from __future__ import .*\n", code, re.MULTILINE)
    return "".join(futures) + re.sub(r"^from __future__ import .*\n", "", code, flags=re.MULTILINE) if futures else code


def _go(code: str, prelude: str) -> str:
    """In package main, with the imports that it uses and no others."""
    code = re.sub(r"^package[ \t]+\w+[ \t]*$", "", code, flags=re.MULTILINE)
    own = " ".join(match.group() for match in _GO_IMPORTS.finditer(code))
    packages = {*GO_PACKAGES, *re.findall(r'"([^"]+)"', own + prelude)}
    code = without_block(_GO_IMPORTS.sub("", code), r"func[ \t]+main[ \t]*\(", "go")
    return _joined("package main\n", go_imports(code, packages), code)


def _rust(code: str) -> str:
    """With one empty main, without tests of its own, and every name imported once."""
    code = without_block(code, r"(?:pub[ \t]+)?fn[ \t]+main[ \t]*\(", "rust")
    code = without_block(code, r"(?:#\[cfg\(test\)\]\s*)?mod[ \t]+tests?\b", "rust")
    seen: set[str] = set()
    uses = re.compile(r"^(?:pub[ \t]+)?use[ \t]+([^;]*);", re.MULTILINE)
    kept = []
    for match in reversed(list(uses.finditer(code))):  # the answer's own, which stand last, before the declaration's
        for path in _use_paths(match.group(1)):
            name = path.rpartition(" as ")[2].rpartition("::")[2]
            if name == "*" or name not in seen:
                seen.add(name)
                kept.append(f"#[allow(unused_imports)]\nuse {path};")
    return _joined("fn main(){}", "\n".join(reversed(kept)), uses.sub("", code))


def _use_paths(tree: str, depth: int = 0) -> list[str]:
    """`a::{b, c::{self, d}}` → `a::b`, `a::c`, `a::c::d`."""
    tree = tree.strip()
    head, brace, rest = tree.partition("{")
    if not brace or depth > 20:  # nobody nests so deep but to break us
        return [tree.removesuffix("::self")]
    parts, depth, part = [], 0, ""
    for character in rest.rpartition("}")[0]:
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += character
    return [
        path
        for entry in [*parts, part]
        if entry.strip()
        for path in _use_paths(head.strip() + entry.strip(), depth + 1)
    ]


def _java_owner(code: str, name: str) -> str:
    """The class that has the entry point."""
    units = units_of(code, "java")
    return next((owner for unit in units if name in unit.methods - unit.names for owner in unit.names), "")


def _java(problem: Problem, code: str) -> str:
    """Imports, then `class Solution`; the tests bring `class Main`."""
    code = re.sub(r"^package[ \t][^;]*;", "", code, flags=re.MULTILINE)
    owner = _java_owner(code, problem.entry_point)
    if owner != "Main":
        code = without_block(code, r"(?:public[ \t]+)?(?:final[ \t]+)?class[ \t]+Main\b", "java")
    if owner and owner != "Solution" and not re.search(r"\bclass[ \t]+Solution\b", code):
        code = re.sub(rf"\b{owner}\b", "Solution", code)  # the tests make a Solution
    imports = re.findall(r"^import[ \t][^;]*;", f"{problem.declaration}\n{code}", re.MULTILINE)
    code = re.sub(r"^import[ \t][^;]*;[ \t]*\n?", "", code, flags=re.MULTILINE)
    code = re.sub(r"^([ \t]*)public[ \t]+(?=(?:final[ \t]+)?class[ \t]+Solution\b)", r"\1", code, flags=re.MULTILINE)
    if not re.search(r"\bclass[ \t]+Solution\b", code):
        helpers = _before(problem).partition("class Solution {")[2]
        mine = set(defined_names(code, "java"))
        helpers = "" if mine & set(defined_names(helpers, "java")) else helpers
        code = f"class Solution {{\n{_joined(helpers, code)}}}"
    return _joined("\n".join(dict.fromkeys(imports)), code)
