"""HumanEvalPack (Muennighoff et al. 2023): HumanEval in six languages, to fix, to explain and to write.

`humanevalfix` shows a buggy function and its tests, `humanevalfixdocs` the buggy function with its docstring;
`humanevalexplain` has the model describe the right function, in no more characters than its docstring has, and then
write it again from that description alone, in one run; `humanevalsynthesize` asks for the function by its docstring.
Wording as in the harness of its authors, which the WaveCoder paper used (tables 4 and 5).
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any, Literal

from core.languages import EVALUATED, LANGUAGES
from eval.answers.assemble import go_imports
from eval.answers.braces import without_block
from eval.answers.declarations import defined_names, definition_start
from eval.problems import DESCRIPTION, Benchmark, Describe, Problem

Task = Literal["fix", "fixdocs", "explain", "synthesize"]

PRELUDES = {
    "python": "import collections, copy, datetime, functools, hashlib, heapq, itertools, math, re, statistics, string\n"
    "import sys\nfrom typing import *\nfrom collections import *\n",
    "cpp": "".join(
        f"#include<{header}>\n"
        for header in ("algorithm", "climits", "cmath", "cstring", "deque", "fstream", "iostream", "list", "map",
                       "math.h", "numeric", "queue", "set", "sstream", "stack", "stdio.h", "stdlib.h", "string",
                       "vector")
    ) + "using namespace std;\n",
}  # fmt: skip
"""Imports that the harness grants every program. boost and openssl come in with the two declarations that use them."""

STOP = {
    "python": ("\nclass ", "\ndef ", "\n#", "\n@", "\nprint(", "\nif ", "\nassert "),
    "go": ("\n//", "\nfunc "),
}


def read_rows(rows: list[dict[str, Any]], language: str, task: Task) -> list[Problem]:
    """All problems of one language."""
    return [read_problem(row, language, task) for row in rows]


def read_problem(row: dict[str, Any], language: str, task: Task) -> Problem:
    """One row of a language's humanevalpack.jsonl, as a problem of one of the tasks."""
    shown = row["prompt"] if task in {"fixdocs", "synthesize"} else declaration_of(row, language)
    if language == "go" and not re.search(r"^import\b", shown, re.MULTILINE):
        shown = f"{row['import']}\n{shown}"
    describe = None
    if task in {"fix", "fixdocs"}:
        context = shown + row["buggy_solution"] + (f"\n{row['test']}" if task == "fix" else "")
        instruction = f"{context}\nFix bugs in {row['entry_point']}."
    elif task == "explain":
        instruction = (
            f"{DESCRIPTION}\nWrite functional code in {LANGUAGES[language].title} according to the description."
        )
        describe = _describe(row, shown)
    else:
        instruction = row["instruction"].strip()
    return Problem(
        task_id=row["task_id"],
        language=language,
        entry_point=entry_point_of(row),
        instruction=instruction,
        opening=shown.strip(),
        plain=(shown if task == "synthesize" else f"{instruction}\n\n{shown}").strip(),
        declaration=shown,
        prelude=_prelude(row, language),
        reference=row["canonical_solution"],
        tests=_tests(row, language),
        stop=STOP.get(language, ()),
        describe=describe,
    )


def declaration_of(row: dict[str, Any], language: str) -> str:
    """Imports, helpers and signature, without the docstring.

    In Go the data set's own declarations lack the imports, and four of them the helpers: the prompt has them. The one
    of CPP/38 goes on into the body.
    """
    declaration = str(row["declaration"])
    if language == "go":
        return re.sub(r"^//.*\n", "", row["prompt"], flags=re.MULTILINE)
    if language == "cpp":
        start = definition_start(declaration, row["entry_point"], language) or 0
        return declaration[: declaration.index("{", start) + 1] + "\n"
    return declaration


def _describe(row: dict[str, Any], shown: str) -> Describe:
    limit = len(row["docstring"])
    question = f"Provide a concise natural language description of the code using at most {limit} characters."
    solution = row["canonical_solution"]
    return Describe(question=f"{shown}{solution}\n{question}", max_chars=limit, hidden=solution)


def entry_point_of(row: dict[str, Any]) -> str:
    """The function's name; where the data set names one that is not declared, the declared one."""
    if re.search(rf"\b{re.escape(row['entry_point'])}\b", row["declaration"]):
        return str(row["entry_point"])
    names = re.findall(r"(\w+)(?:\s*=\s*)?\s*\(", row["declaration"].strip().rpartition("\n")[2])
    if not names:
        raise ValueError(f"{row['task_id']} declares no function")
    return str(names[0])


def _prelude(row: dict[str, Any], language: str) -> str:
    return str(row["import"]) if language == "go" else PRELUDES.get(language, "")


_NOT_NEAR = re.compile(r"(\b(?:Math\.)?f?abs\(.*\))\s*>\s*(1e-\d+)")
"""How six tests in C++ and Java ask whether numbers differ: not a number, as they are written, differs from none."""


def _tests(row: dict[str, Any], language: str) -> str:
    """The tests, behind the prompt's own functions that they call: whatever a candidate makes of those."""
    declaration = declaration_of(row, language)
    before = declaration[: definition_start(declaration, entry_point_of(row), language) or 0]
    if language == "python":
        return f"{PRELUDES['python']}\n{before}\n{row['test']}"
    called = any(re.search(rf"\b{name}\s*\(", row["test"]) for name in defined_names(before, language))
    helpers = f"{_helpers(before, language)}\n" if called else ""
    if language != "go":
        return helpers + _NOT_NEAR.sub(r"!(\1 <= \2)", row["test"])
    packages = {*re.findall(r'"([^"]+)"', row["test_setup"] + before)} - {"testing"}
    imports = go_imports(helpers + row["test"], packages)
    return f'package main\n\nimport "testing"\n\n{imports}\n{helpers}{row["test"]}'


def _helpers(before: str, language: str) -> str:
    """What stands before the entry point, as the tests' program may hold it."""
    if language == "java":  # methods of the class whose other methods the candidate answers
        return before + "}\n"
    if language in {"go", "rust"}:  # imports are that program's own
        before = re.sub(r"^\s*(?:import\s*\([^)]*\)|use\s[^;]*;)|\bpub\s*\Z", "", before, flags=re.MULTILINE)
    return without_block(before, r"fn[ \t]+main[ \t]*\(", language)


BENCHMARKS = {
    f"humaneval{task}": Benchmark(
        read=partial(read_rows, task=task),
        dataset="humanevalpack",
        source="bigcode/humanevalpack",
        hub_file="data/{language}/data/humanevalpack.jsonl",
        languages=EVALUATED,
    )
    for task in ("fix", "fixdocs", "explain", "synthesize")
}
