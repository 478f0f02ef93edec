"""The benchmarks' own solutions through the sandbox: canonical ones should pass, buggy ones should fail.

`python -m bench.solutions --datasets FOLDER [--languages L …] [--every N]` prints one JSON object with the counts and
the problems that are exceptions. FOLDER holds `mbpp.jsonl` and `humanevalpack/<language>.jsonl`; HumanEval comes out of
its package. Canonical solutions continue their declaration, as in `wavecoder evaluate --reference`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.machine import describe_machine
from eval.answers.assemble import candidate_of_continuation
from eval.benchmarks.catalogue import ProblemSet, known_benchmarks, load_benchmarks
from eval.benchmarks.datasets import read_dataset
from eval.problems import Problem
from eval.sandbox.toolchains import missing_toolchains
from eval.settings import EvaluateConfig
from eval.verdict import judge_candidate

CONFIG = EvaluateConfig(timeout_s=30.0)


def measure(problems: list[Problem]) -> dict[str, Any]:
    """How many of the problems' references pass, and the outcomes of those that do not."""
    begun = time.perf_counter()

    def outcome(problem: Problem) -> str:
        candidate = candidate_of_continuation(problem, problem.reference, cut=False)
        return str(judge_candidate(candidate, problem, CONFIG)["outcome"])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = dict(zip((p.task_id for p in problems), pool.map(outcome, problems), strict=True))
    counts = {kind: list(outcomes.values()).count(kind) for kind in sorted(set(outcomes.values()))}
    return {
        "problems": len(problems),
        "outcomes": counts,
        "passed": [task for task, kind in outcomes.items() if kind == "passed"],
        "not_passed": {task: kind for task, kind in outcomes.items() if kind != "passed"},
        "seconds": round(time.perf_counter() - begun, 1),
    }


def buggy(problems: ProblemSet, folder: str) -> list[Problem]:
    """The problems of HumanEvalPack with the buggy solution in place of the canonical one."""
    hub_file = known_benchmarks()["humanevalfix"].hub_file
    rows = read_dataset(folder, "humanevalpack", problems.language, hub_file).rows
    wrong = {row["task_id"]: row["buggy_solution"] for row in rows}
    return [replace(problem, reference=wrong[problem.task_id]) for problem in problems.problems]


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--datasets", type=Path, required=True, help="folder of mbpp.jsonl and humanevalpack/")
    parser.add_argument("--languages", nargs="*", default=["python", "javascript", "cpp", "rust", "go", "java"])
    parser.add_argument("--every", type=int, default=1, help="only every N-th problem")
    options = parser.parse_args()
    pack, missing = str(options.datasets / "humanevalpack"), missing_toolchains(options.languages)
    results: dict[str, Any] = {}
    if "python" in options.languages:
        for name, source in (("humaneval", None), ("mbpp", str(options.datasets / "mbpp.jsonl"))):
            results[name] = measure(load_benchmarks([name], source)[0].problems[:: options.every])
            sys.stderr.write(f"{name}: {results[name]['outcomes']}\n")
    for language in (language for language in options.languages if language not in missing):
        (problems,) = load_benchmarks([f"humanevalfix-{language}"], pack)
        for kind, chosen in (("canonical", problems.problems), ("buggy", buggy(problems, pack))):
            result = measure(chosen[:: options.every])
            del result["passed" if kind == "canonical" else "not_passed"]
            results[f"humanevalpack-{language}-{kind}"] = result
            sys.stderr.write(f"{language} {kind}: {result}\n")
    for name in ("humaneval", "mbpp"):
        results.get(name, {}).pop("passed", None)
    print(json.dumps({"bench": "solutions", "machine": describe_machine(), "results": results, "missing": missing}))


if __name__ == "__main__":
    main()
