"""Whether proof keeps what is right and turns down what is wrong, on MBPP's and HumanEval's own solutions and tests.

`python -m tests.codeocean.verify.proof_verdicts --mbpp FILE [--humaneval FILE] [--problems N]` prints one JSON object. A scripted
teacher writes each problem's canonical solution, and once more one of its mutants. A scripted tester writes the
problem's assertions. An instance is kept by `{proof: tests, pass_rate: 1}`. A mutant is killable when the problem's own
tests, run by the oracle as the benchmark does, fail it. Everything is run twice; verdicts must not differ.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from bench.machine import describe_machine
from codeocean.generate.bugs import draw_bugs
from codeocean.generate.signatures import signature_of
from codeocean.generate.tester import select_tests
from codeocean.verify.proof import columns_of_proof, run_proof
from eval.sandbox.oracle import judge
from eval.sandbox.proof import prove

Row = dict[str, Any]

MUTANTS, MOST_TESTS = 10, 8


def mbpp(path: str) -> Iterator[Row]:
    """`{id, code, tests, name}` of each problem."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        setup = row.get("test_setup_code") or ""
        code = f"{setup}\n{row['code']}".replace("\r", "").strip()
        signature = signature_of(code, "python", "\n".join(row["test_list"]))
        if signature is not None:
            yield {"id": f"mbpp/{row['task_id']}", "code": code, "tests": row["test_list"], "name": signature.name}


def humaneval(path: str) -> Iterator[Row]:
    """The same, with the assertions of `check`."""
    for line in Path(path).read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        name = row["entry_point"]
        asserts = [ast.unparse(node) for node in ast.walk(ast.parse(row["test"])) if isinstance(node, ast.Assert)]
        tests = [text.replace("candidate", name) for text in asserts]
        yield {"id": row["task_id"], "code": row["prompt"] + row["canonical_solution"], "tests": tests, "name": name}


def verdict(problem: Row, code: str) -> Row:
    """Whether an answer is kept, and a word why."""
    listed = [{"assertion": text} for text in problem["tests"]]
    tests = select_tests(listed, problem["name"], "python", MOST_TESTS).kept
    job = {"language": "python", "name": problem["name"], "tests": tests, "solutions": [code], "mutants": MUTANTS,
           "seed": 0}  # fmt: skip
    found = (
        run_proof(job, partial(prove, timeout=10.0, memory_mb=512)) if tests else {"outcomes": [], "ended": "no tests"}
    )
    row = {"tests": json.dumps(tests), "found": json.dumps(found), "solutions": 1, "error": ""}
    columns, word = columns_of_proof(row)
    kept = columns["proof"] == "tests" and columns["pass_rate"] == 1
    return {"kept": kept, "why": word if word != "passed" or kept else f"pass rate {columns['pass_rate']:.2f}",
            "outcomes": found["outcomes"]}  # fmt: skip


def measure(problem: Row, number: int) -> Row:
    """The verdicts on a problem's solution and on a mutant of it, and whether the mutant is killable."""
    bugs = draw_bugs(problem["code"], "python", 1, number)
    right = verdict(problem, problem["code"])
    wrong = verdict(problem, bugs[0].code) if bugs else None
    killable = False
    if bugs:
        tests = "\n".join(problem["tests"])
        killable = not judge(bugs[0].code, tests, language="python", entry_point=problem["name"], timeout=10.0,
                             memory_mb=512).passed  # fmt: skip
    return {"id": problem["id"], "right": right, "wrong": wrong, "killable": killable}


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mbpp", required=True)
    parser.add_argument("--humaneval")
    parser.add_argument("--problems", type=int, default=10**6)
    options = parser.parse_args()
    problems = [*mbpp(options.mbpp), *(humaneval(options.humaneval) if options.humaneval else ())][: options.problems]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = [list(pool.map(measure, problems, range(len(problems)))) for _ in range(2)]
    found = runs[0]
    killable = [row for row in found if row["killable"]]
    lost = [row for row in found if not row["right"]["kept"]]
    passed = [row["id"] for row in killable if row["wrong"]["kept"]]
    print(json.dumps({
        "machine": describe_machine(),
        "problems": len(found),
        "right_kept": round(1 - len(lost) / len(found), 4),
        "why_lost": dict(Counter(row["right"]["why"].partition(":")[0] for row in lost).most_common()),
        "lost": [row["id"] for row in lost][:20],
        "killable_mutants": len(killable),
        "turned_down": round(1 - len(passed) / len(killable), 4) if killable else None,
        "kept_wrongly": passed[:20],
        "verdicts_that_differ": sum(one != other for one, other in zip(*runs, strict=True)),
    }))  # fmt: skip


if __name__ == "__main__":
    main()
