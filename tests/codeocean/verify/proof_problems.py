"""Problems of MBPP, HumanEval and HumanEvalPack as exercises: a solution, tests as data, and the benchmark's own tests.

Tests of HumanEvalPack's other languages are HumanEval's calls: the same problems, whose values every language writes in
its own way. TypeScript is its JavaScript with the types of its Java.
"""

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from codeocean.generate.signatures import signature_of
from core.languages import name_in_files
from core.literal_sums import literal_value
from eval.benchmarks.humanevalpack import read_problem
from eval.sandbox.call_tests import program_of
from eval.sandbox.signatures import split_at_commas

Row = dict[str, Any]


@dataclass(frozen=True)
class Exercise:
    """A problem that a teacher may solve and a tester may test."""

    id: str
    language: str
    name: str
    """Of its function."""
    code: str
    """Its canonical solution."""
    buggy: str
    """A wrong solution by hand; empty where the data set has none."""
    tests: tuple[Row, ...]
    """What a tester that knows the problem answers."""
    oracle: str
    """The benchmark's own tests."""

    def candidate(self, code: str) -> str:
        """Some code as the benchmark's own tests want it."""
        return program_of(code, [], [], self.language, self.name, "-")[0] if self.language == "java" else code


def python_exercises(data: Path) -> Iterator[Exercise]:
    """MBPP's and HumanEval's."""
    for row in _rows(data / "mbpp.jsonl"):
        code = f"{row.get('test_setup_code') or ''}\n{row['code']}".replace("\r", "").strip()
        signature = signature_of(code, "python", "\n".join(row["test_list"]))
        if signature is not None:
            tests = tuple({"assertion": text} for text in row["test_list"])
            oracle = "\n".join(row["test_list"])
            yield Exercise(f"mbpp/{row['task_id']}", "python", signature.name, code, "", tests, oracle)
    for row in _rows(data / "humaneval.jsonl"):
        name, code = row["entry_point"], row["prompt"] + row["canonical_solution"]
        oracle = f"{row['test']}\ncheck({name})"
        yield Exercise(row["task_id"], "python", name, code, "", humaneval_tests(row), oracle)


def humaneval_tests(row: Row) -> tuple[Row, ...]:
    """The assertions of HumanEval's `check`."""
    asserts = [node for node in ast.walk(ast.parse(row["test"])) if isinstance(node, ast.Assert)]
    texts = [ast.unparse(ast.Assert(node.test)).replace("candidate", row["entry_point"]) for node in asserts]
    return tuple({"assertion": text} for text in texts)


_OTHERWISE = {
    "javascript": "71 87 92 103 107 136 155", "typescript": "71 87 92 103 107 136 155", "cpp": "2 71 92 103", "go": "103",
    "java": "103 160", "rust": "2 33 65 71 87 92 103",
}  # fmt: skip
OTHERWISE = {f"{language}/{number}" for language, numbers in _OTHERWISE.items() for number in numbers.split()}
"""Problems whose own solutions in HumanEvalPack do not answer as HumanEval asks, and whose tests there ask otherwise:
floats of 32 bits (2), another
rule (33, 65), no rounding or text (71), another order (87), 3.0 is whole (92), halves rounded up or no `0b` (103),
`return (a, b)`, which is b alone in JavaScript (107, 136, 155), another operator (160)."""


COUNTED_IN_TEXT = {"cpp/125", "rust/125"}
"""Problems that answer a number as a list of one text, where HumanEval asks for the number."""


def _counted_in_text(test: Row) -> Row:
    expected = test["expected"]
    return test | {"expected": [str(expected)] if isinstance(expected, int) else expected}


def pack_exercises(data: Path, language: str) -> Iterator[Exercise]:
    """HumanEvalPack's of a language, those whose tests have calls that are data."""
    calls = {row["task_id"].rpartition("/")[2]: _calls(row) for row in _rows(data / "humaneval.jsonl")}
    java = {row["task_id"].rpartition("/")[2]: row for row in _rows(data / "humanevalpack" / "java.jsonl")}
    file = name_in_files("javascript" if language == "typescript" else language)
    for row in _rows(data / "humanevalpack" / f"{file}.jsonl"):
        number = row["task_id"].rpartition("/")[2]
        problem = read_problem(row, "javascript" if language == "typescript" else language, "fix")
        head = problem.prelude + problem.declaration if language == "cpp" else problem.declaration
        codes = [head + row[name] for name in ("canonical_solution", "buggy_solution")]
        if language == "java":
            codes = [_method(code) for code in codes]
        if language == "typescript":
            codes = [_typed(code, problem.entry_point, java[number]["declaration"]) for code in codes]
        id_ = f"{language}/{number}"
        if calls[number] and id_ not in OTHERWISE:
            tests = tuple(map(_counted_in_text, calls[number])) if id_ in COUNTED_IN_TEXT else calls[number]
            yield Exercise(id_, language, problem.entry_point, codes[0], codes[1], tests, problem.tests)


def _rows(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def _calls(row: Row) -> tuple[Row, ...]:
    """The tests of a HumanEval problem that are calls with data; tuples become lists, as other languages have them."""
    found = list[Row]()
    for node in ast.walk(ast.parse(row["test"])):
        call, value = _asserted(node.test) if isinstance(node, ast.Assert) else (None, None)
        if not isinstance(call, ast.Call) or value is None:
            continue
        try:
            given, expected = [literal_value(each) for each in call.args], literal_value(value)
        except (ValueError, TypeError):
            continue
        if _has_text_keys([given, expected]):
            found.append(json.loads(json.dumps({"arguments": given, "expected": expected})))
    return tuple(found)


def _asserted(test: ast.expr) -> tuple[ast.expr | None, ast.expr | None]:
    """A call and the value that is asserted of it, where a test says so in one of HumanEval's ways."""
    match test:
        case ast.Compare(ops=[ast.Eq()], left=ast.Call(func=ast.Name("tuple"), args=[call]),
                         comparators=[ast.Call(func=ast.Name("tuple"), args=[value])]):  # fmt: skip
            return call, value
        case ast.Compare(ops=[ast.Eq() | ast.Is()], left=call, comparators=[value]):
            return call, value
        case ast.Compare(ops=[ast.Lt()], left=ast.Call(func=ast.Name("abs"), args=[ast.BinOp(call, ast.Sub(), value)])):
            return call, value
        case ast.UnaryOp(ast.Not(), call):
            return call, ast.Constant(False)
    return test, ast.Constant(True)


def _has_text_keys(value: object) -> bool:
    """Whether JSON has all keys as they are."""
    if isinstance(value, dict):
        return all(isinstance(key, str) and _has_text_keys(item) for key, item in value.items())
    return not isinstance(value, list | tuple) or all(map(_has_text_keys, value))


def _method(code: str) -> str:
    """The class's members alone, and the imports."""
    imports, _, body = code.partition("class Solution {")
    return f"{imports.strip()}\n\n{body.rpartition('}')[0].strip()}"


_SCRIPT_TYPES = {"int": "number", "Integer": "number", "long": "number", "Long": "number", "double": "number",
                 "Double": "number", "String": "string", "boolean": "boolean", "Boolean": "boolean"}  # fmt: skip


def _script_type(kind: str) -> str:
    kind = kind.strip()
    if match := re.fullmatch(r"(?:List|ArrayList)<(.+)>", kind):
        return f"Array<{_script_type(match[1])}>"
    if match := re.fullmatch(r"Optional<(.+)>", kind):
        return f"{_script_type(match[1])} | null"
    return f"{_script_type(kind[:-2])}[]" if kind.endswith("[]") else _SCRIPT_TYPES.get(kind, "any")


def _typed(code: str, name: str, declaration: str) -> str:
    """JavaScript's function with the types of Java's."""
    java = re.search(rf"public (\S+) {name}\((.*)\)", declaration)
    script = re.search(rf"const {name} = \((.*)\) => ", code)
    if java is None or script is None:
        return code
    kinds = [_script_type(part.strip().rpartition(" ")[0]) for part in split_at_commas(java[2])]
    names = [part.strip() for part in script[1].split(",")]
    if len(kinds) != len(names):
        return code
    given = ", ".join(f"{one}: {kind}" for one, kind in zip(names, kinds, strict=True) if one)
    return code.replace(script[0], f"const {name} = ({given}): {_script_type(java[1])} => ", 1)
