"""MultiPL-E (Cassano et al. 2023): HumanEval and MBPP translated into other languages, in its published fields.

Its programs are prompt, completion and tests in one file. Here the tests are a program of their own that calls the
candidate, so what closes the completion in them is left off, and they call the function by its name.
"""

from __future__ import annotations

import re
from typing import Any

from eval.answers.assemble import go_imports
from eval.benchmarks.humanevalpack import PRELUDES
from eval.problems import Benchmark, Problem

NAMES = {"js": "javascript", "java": "java", "go": "go", "go_test.go": "go", "cpp": "cpp", "rs": "rust"}
"""Its names of languages."""
LANGUAGES = ("javascript", "java", "go", "cpp", "rust")
_TITLES = {"javascript": "JavaScript", "java": "Java", "go": "Go", "cpp": "C++", "rust": "Rust"}
_CANDIDATE = re.compile(r"^[ \t]*(?:let|auto)?[ \t]*candidate[ \t]*:?=[ \t]*(\w+)[ \t]*;?[ \t]*\n", re.MULTILINE)


def read_rows(rows: list[dict[str, Any]], language: str) -> list[Problem]:
    """The problems of one language.

    Raises:
        KeyError, TypeError, ValueError: the rows are not MultiPL-E's, or none is of this language.
    """
    return [read_problem(row, language) for row in rows if NAMES.get(row["language"]) == language]


def read_problem(row: dict[str, Any], language: str) -> Problem:
    """One row, `name, language, prompt, tests, stop_tokens`."""
    prompt, name = row["prompt"], entry_point_of(row)
    question = f"Complete this {_TITLES[language]} function. Answer with the whole function in one code block."
    return Problem(
        task_id=row["name"],
        language=language,
        entry_point=name,
        instruction=f"{question}\n\n```{language}\n{prompt.rstrip()}\n```",
        plain=prompt,
        declaration=_declaration(prompt, language),
        prelude=PRELUDES.get(language, ""),
        reference="",
        tests=_tests(row, name, language),
        stop=tuple(row["stop_tokens"]) if language == "javascript" else (),
    )


def entry_point_of(row: dict[str, Any]) -> str:
    """The function that the tests call.

    Raises:
        ValueError: the row names none.
    """
    match = _CANDIDATE.search(row["tests"]) or re.search(r"(\w+)\s*\([^()]*\)\s*\{\s*\Z", row["prompt"])
    if match is None:
        raise ValueError(f"{row['name']} names no function")
    return match[1]


def _declaration(prompt: str, language: str) -> str:
    if language != "go":
        return prompt
    return re.sub(r"^package \w+\n|^[ \t]*\"testing\"\n", "", prompt, flags=re.MULTILINE)


def _tests(row: dict[str, Any], name: str, language: str) -> str:
    """The tests as a program that calls the candidate by its name."""
    tests = _CANDIDATE.sub("", row["tests"]).replace("candidate(", f"{name}(")
    if language == "cpp":
        return _without_close(tests)
    if language == "rust":
        body = re.sub(r"fn[ \t]+main\(\)", "fn answers_are_right()", _without_close(tests).strip())
        return f"#[cfg(test)]\nmod tests {{\n    use super::*;\n\n    #[test]\n    {body}\n}}\n"
    if language == "go":
        imports = go_imports(tests, {"fmt", "testing"}).replace('    "testing"\n', "")
        return f'package main\n\nimport "testing"\n\n{imports}\n{tests}'
    if language == "java":
        return _java_tests(tests, name, row["prompt"])
    return tests


def _without_close(tests: str) -> str:
    """Tests without the bracket that closes the completion."""
    return re.sub(r"\A\s*\}\s*\n", "", tests)


def _java_tests(tests: str, name: str, prompt: str) -> str:
    """The asserts, in a class of their own that has the candidate's class answer."""
    body = _without_close(tests).strip().removesuffix("}").rstrip()
    calls = re.sub(rf"(?<![\w.]){name}\(", f"s.{name}(", body)
    checked = re.sub(r"^([ \t]*)assert\((.*)\);[ \t]*$", r"\1if (!(\2)) throw new AssertionError();", calls,
                     flags=re.MULTILINE)  # fmt: skip
    opened = re.sub(r"(main\(String\[\] args\)[ \t]*\{)", r"\1\n    Solution s = new Solution();", checked, count=1)
    imports = "\n".join(re.findall(r"^import [^;]*;", prompt, re.MULTILINE))
    return f"{imports}\n\npublic class Main {{\n    {opened}\n}}\n"


BENCHMARKS = {
    f"multiple-{origin}": Benchmark(
        read=read_rows,
        dataset=f"multiple{origin}",
        source="nuprl/MultiPL-E",
        hub_file=f"{origin}-{{code}}/test-*.parquet",
        languages=LANGUAGES,
    )
    for origin in ("humaneval", "mbpp")
}
