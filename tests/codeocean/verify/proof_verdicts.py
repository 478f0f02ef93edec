"""Whether proof keeps what is right and turns down what is wrong, on MBPP's, HumanEval's and HumanEvalPack's problems.

`python -m tests.codeocean.verify.proof_verdicts --data FOLDER [--languages L …] [--problems N] [--kills N]` prints one JSON
object. The folder holds `mbpp.jsonl`, `humaneval.jsonl` and `humanevalpack/<language>.jsonl`.

A scripted teacher writes each problem's canonical solution; once more a mutant of it; and, where the data set has one, a
wrong solution made by hand. A scripted tester writes the problem's tests. They go through the rounds of `generate`, with the
scheduler, the journals and the real sandbox. An instance is kept by `{proof: tests, pass_rate: 1}`. A wrong solution is
killable when the benchmark's own tests, run by the oracle, fail it. Everything is run twice, and once more in processes
that are killed at random moments: no proof may differ.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from bench.machine import describe_machine
from codeocean.generate.bugs import draw_bugs
from codeocean.generate.flow import answer_book
from codeocean.generate.jobs import SandboxJob
from codeocean.generate.round_state import RoundBook
from codeocean.generate.round_store import Rounds
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from codeocean.generate.turns import SANDBOX
from codeocean.verify.proof import check_arguments, columns_of_proof, run_proof
from core.chat import ChatRequest
from core.languages import EXECUTED
from eval.sandbox.oracle import judge
from eval.sandbox.proof import prove
from tests.codeocean.conftest import raw_row
from tests.codeocean.scripted import USED
from tests.codeocean.verify.proof_problems import Exercise, pack_exercises, python_exercises

Row = dict[str, Any]

SECONDS = {"python": 10.0, "javascript": 10.0, "typescript": 10.0}
"""Time limit of a solution; other languages have 30."""
TESTS = 60


class Answer:
    """What a teacher writes of an exercise."""

    def __init__(self, exercise: Exercise, kind: str, code: str) -> None:
        self.exercise, self.kind, self.code = exercise, kind, code


def answers_of(exercises: list[Exercise]) -> list[Answer]:
    """The right answer, a mutant, and the wrong one by hand, of each exercise."""
    found = []
    for number, one in enumerate(exercises):
        bugs = draw_bugs(one.code, one.language, 1, number)
        found.append(Answer(one, "right", one.code))
        found += [Answer(one, "mutant", bug.code) for bug in bugs]
        found += [Answer(one, "by hand", one.buggy)] if one.buggy else []
    return found


class Script:
    """Teacher, tester and judge: each answer depends on the question alone."""

    def __init__(self, answers: list[Answer]) -> None:
        self._answers = answers

    async def __call__(self, request: ChatRequest) -> Row:
        """An answer in the form that the schema asks for."""
        assert request.schema is not None
        fields = request.schema["properties"]
        numbers = re.findall(r"exercise (\d+)\b", " ".join(message["content"] for message in request.messages))
        if "overall" in fields:
            said = {"reason": "It holds.", "answer": "yes"}
            text = dict.fromkeys(fields, said) | {"overall": "yes"}
        elif "tests" in fields:
            text = {"tests": list(self._answers[int(numbers[-1])].exercise.tests)}
        else:
            one = self._answers[int(numbers[-1])]
            instruction = f"Solve exercise {numbers[-1]} with the function {one.exercise.name}."
            whole = {"task_name": "x", "instruction": instruction, "information": "", "solution": one.code.split("\n")}
            text = {field: whole[field] for field in fields}
        return USED | {"text": json.dumps(text), "finish_reason": "stop", "error": ""}


def rows_of(answers: list[Answer]) -> list[Row]:
    """A RAW_CODE row for each answer; it names the answer and does not hold it."""
    return [raw_row(number, one.exercise.language) | {"code": f"exercise {number}", "docstring": ""}
            for number, one in enumerate(answers)]  # fmt: skip


def run_rounds(answers: list[Answer], folder: Path, mutants: int) -> list[Row]:
    """PROOFS rows of all answers; what an earlier run kept in the folder is not asked again."""
    role, rows = RoleConfig(model="scripted", max_tokens=8192), rows_of(answers)
    config = GenerateConfig(generator=role, discriminator=role, tests=TESTS, mutants=mutants, tasks={"generation": 1},
                            round_size=max(1, -(-len(rows) // 2)), good_shots=1, bad_shots=0, attempts=1,
                            max_answer_chars=20_000)  # fmt: skip
    files = Rounds(pafs.LocalFileSystem(), str(folder), {row["id"]: row for row in rows})
    pool = ThreadPoolExecutor(os.cpu_count())

    async def run(job: SandboxJob) -> Row:
        seconds = SECONDS.get(job.language, 30.0)
        sandboxed = partial(prove, timeout=seconds, memory_mb=1024)
        return await asyncio.get_running_loop().run_in_executor(pool, run_proof, job, sandboxed)

    chat = Script(answers)
    roles = {"generator": (chat, "m"), "discriminator": (chat, "m"), SANDBOX: (run, "")}
    book = RoundBook(config, load_tasks(), rows, files)
    asyncio.run(answer_book(book, asyncio.run(book.begin()), config, roles))
    found = files.proofs(range(2))
    return [found.get(row["id"], {}) for row in rows]


def killed_run(arguments: list[str], folder: Path, kills: int, seconds: float) -> int:
    """Run the rounds in processes that are killed, `kills` times within the time that a run takes; kills that hit."""
    dice, done = random.Random(0), 0
    command = [sys.executable, "-m", "tests.codeocean.verify.proof_verdicts", *arguments, "--into", str(folder)]
    while True:
        child = subprocess.Popen(command, start_new_session=True)
        if done >= kills:
            assert child.wait() == 0
            return done
        try:
            assert child.wait(timeout=dice.uniform(0.3, 1.2) * seconds / kills) == 0
            return done
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
            done += 1


def is_killable(answer: Answer) -> bool:
    """Whether the benchmark's own tests fail an answer."""
    one = answer.exercise
    seconds = SECONDS.get(one.language, 30.0)
    return not judge(one.candidate(answer.code), one.oracle, language=one.language, entry_point=one.name,
                     timeout=seconds, memory_mb=1024).passed  # fmt: skip


def verdict(proof: Row) -> tuple[bool, str]:
    """Whether an instance is kept, and a word why."""
    if not proof:
        return False, "nothing to test"
    columns, word = columns_of_proof(proof)
    kept = columns["proof"] == "tests" and columns["pass_rate"] == 1
    return kept, word if word != "passed" or kept else "fails a test"


def figures(answers: list[Answer], proofs: list[Row], killable: list[bool]) -> Row:
    """Shares of right answers kept, of those that can be run, and of killable wrong ones turned down."""
    found = list(zip(answers, map(verdict, proofs), killable, strict=True))
    told = [said[1] for one, said, _ in found if one.kind == "right" and said[1].startswith("not run")]
    right = [(one, said) for one, said, _ in found if one.kind == "right" and not said[1].startswith("not run")]
    lost = [(one, said) for one, said in right if not said[0]]
    more: Row = {"not_run": dict(Counter(told)), "right": len(right), "right_kept": round(1 - len(lost) / max(1, len(right)), 4),
                 "why_lost": dict(Counter(said[1].partition(":")[0] for _, said in lost).most_common()),
                 "lost": [one.exercise.id for one, _ in lost][:40]}  # fmt: skip
    more["change_arguments"] = [one.exercise.id for one, proof in zip(answers, proofs, strict=True)
                                if one.kind == "right" and proof and check_arguments(proof)]  # fmt: skip
    for kind in ("mutant", "by hand"):
        wrong = [(one, said) for one, said, kills in found if one.kind == kind and kills]
        passed = [one.exercise.id for one, said in wrong if said[0]]
        share = round(1 - len(passed) / len(wrong), 4) if wrong else None
        more[kind] = {"killable": len(wrong), "turned_down": share, "kept_wrongly": passed[:40]}
    return more


def exercises_of(options: argparse.Namespace, language: str) -> list[Exercise]:
    """The exercises of a language, at most as many as asked for, drawn evenly."""
    data = Path(options.data)
    listed = list(python_exercises(data) if language == "python" else pack_exercises(data, language))
    step = max(1.0, len(listed) / options.problems)
    return [listed[int(place * step)] for place in range(min(options.problems, len(listed)))]


def measure(options: argparse.Namespace, language: str) -> Row:
    """All figures of a language."""
    answers = answers_of(exercises_of(options, language))
    mutants = 10 if language == "python" else 3
    with ThreadPoolExecutor(os.cpu_count()) as pool, tempfile.TemporaryDirectory() as folder:
        begun = time.monotonic()
        runs = [run_rounds(answers, Path(folder, "0"), mutants)]
        seconds = time.monotonic() - begun
        runs += [run_rounds(answers, Path(folder, str(number)), mutants) for number in range(1, options.runs)]
        arguments = ["--data", options.data, "--languages", language, "--problems", str(options.problems)]
        kills = killed_run(arguments, Path(folder, "killed"), options.kills, seconds) if options.kills else 0
        killed = run_rounds(answers, Path(folder, "killed"), mutants) if options.kills else runs[0]
        killable = list(pool.map(lambda one: one.kind != "right" and is_killable(one), answers))
    pairs = zip(answers, zip(*runs, strict=True), strict=True)
    differ = [one.exercise.id for one, rows in pairs if any(row != rows[0] for row in rows)]
    return figures(answers, runs[0], killable) | {
        "seconds": round(seconds, 1),
        "differ_between_runs": len(differ),
        "differing": differ[:40],
        "kills": kills,
        "differ_after_kills": sum(one != other for one, other in zip(runs[0], killed, strict=True)),
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--languages", nargs="+", choices=EXECUTED, default=list(EXECUTED))
    parser.add_argument("--problems", type=int, default=10**6, help="most of each language")
    parser.add_argument("--runs", type=int, default=2)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--into", help="run the rounds of one language into this folder and print nothing")
    options = parser.parse_args()
    if options.into:
        answers = answers_of(exercises_of(options, options.languages[0]))
        run_rounds(answers, Path(options.into), 10 if options.languages[0] == "python" else 3)
        return
    found = {language: measure(options, language) for language in options.languages}
    print(json.dumps({"machine": describe_machine(), "languages": found}))


if __name__ == "__main__":
    main()
