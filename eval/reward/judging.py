"""A completion and its tests → a reward with its reason. Pure but for the sandbox; no server and no trainer here.

The completion is read as an evaluation reads answers (`eval/answers`), and judged by the oracle: its tests run in
another process than the code, so a policy that is trained against this reward cannot learn to forge it. A failure of
the sandbox or the machine is no verdict: it has no reward, rather than 0.0, which a trainer would learn from.
"""

from __future__ import annotations

import ast
import builtins
from dataclasses import dataclass
from typing import Literal

from core.python_syntax import python_tree
from core.text import storable
from eval.answers.declarations import definition_start
from eval.answers.extract import read_code
from eval.answers.programs import RUN_PROGRAM
from eval.answers.prompts import question_of, read_with_reason
from eval.problems import Problem
from eval.reward.settings import RewardConfig
from eval.sandbox.oracle import judge
from eval.sandbox.run import Outcome, run_program

INFRA_ERROR = "infra_error"
"""The outcome of a sample that nobody could judge."""

_LATE_EXIT = """import sys
try:
    exec(compile({code!r}, "program.py", "exec"), {{"__name__": "__main__", "__builtins__": __builtins__}})
except SystemExit as end:
    if end.code not in (None, 0):
        raise
"""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a policy wrote, and how it is judged."""

    completion: str
    tests: str
    language: str = "python"
    entry_point: str = ""
    """The function that the tests call; found in Python's tests if it is not given."""
    prompt: str = ""
    """What was asked: code that is repeated from it is no answer."""
    declaration: str = ""
    """Code that a completion without a definition continues."""
    prelude: str = ""
    """Imports that every completion is granted."""
    kind: Literal["function", "program"] = "function"
    """program: it reads its standard input, and the tests call `run_program(text)`."""
    timeout_s: float | None = None
    memory_mb: int | None = None


@dataclass(frozen=True, kw_only=True)
class Program:
    """A program to be run as it is: nobody but itself says that it ended well."""

    code: str
    language: str = "python"
    stdin: str | None = None
    """Given: the caller compares what the program writes, and an end by `exit(0)` is a normal one."""
    timeout_s: float | None = None
    memory_mb: int | None = None


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What became of a sample."""

    reward: float | None
    """1.0: it passed; 0.0: it did not; None: nobody knows, by a failure that is not its own, or it had no tests."""
    outcome: str
    """As of `eval.sandbox.run.Outcome`, or `infra_error`."""
    infra_error: bool = False
    seconds: float = 0.0
    code: str = ""
    """The candidate as it was read from the completion."""
    stdout: str = ""
    stderr: str = ""
    oracle: str = ""
    """Who decided: process (tests in a process of their own), or program (the program itself)."""


def judge_sample(sample: Sample | Program, config: RewardConfig) -> Judged:
    """Judge one sample; never raises for what the sample or the sandbox does.

    Raises:
        ValueError, FileNotFoundError, PermissionError: the language or the machine cannot be used at all.
    """
    timeout, memory_mb = sample.timeout_s or config.timeout_s, sample.memory_mb or config.memory_mb
    code = ""
    try:
        if isinstance(sample, Program):
            return _run(sample, timeout, memory_mb)
        problem = problem_of(sample)
        code = candidate_of(problem, sample.completion)
        outcome = judge(
            code,
            problem.tests,
            language=problem.language,
            entry_point=problem.entry_point or None,
            timeout=timeout,
            memory_mb=memory_mb,
        )
    except (PermissionError, FileNotFoundError):
        raise
    except (OSError, MemoryError) as error:
        return infra_error(error, code)
    return _judged(outcome, float(outcome.passed), code)


def infra_error(error: Exception, code: str = "") -> Judged:
    """A sample that nobody could judge, and why."""
    said = f"{type(error).__name__}: {error}"[:1000]
    return Judged(reward=None, outcome=INFRA_ERROR, infra_error=True, code=code, stderr=said)


def _run(program: Program, timeout: float, memory_mb: int) -> Judged:
    code = storable(program.code)
    given = program.stdin is not None
    source = _LATE_EXIT.format(code=code) if given and program.language == "python" else code
    outcome = run_program(
        source, language=program.language, timeout=timeout, memory_mb=memory_mb, stdin=storable(program.stdin or "")
    )
    return _judged(outcome, None if given else float(outcome.passed), code)


def _judged(outcome: Outcome, reward: float | None, code: str) -> Judged:
    return Judged(
        reward=reward,
        outcome=outcome.outcome,
        seconds=round(outcome.seconds, 4),
        code=code,
        stdout=outcome.stdout,
        stderr=outcome.stderr,
        oracle=outcome.oracle,
    )


def candidate_of(problem: Problem, completion: str) -> str:
    """The program in a completion."""
    text = storable(completion)
    if not problem.entry_point:
        return read_code(text, question_of(problem)).code
    return read_with_reason(problem, "chat", text)[1]


def problem_of(sample: Sample) -> Problem:
    """The sample as a problem of a benchmark."""
    tests, declaration = storable(sample.tests), storable(sample.declaration)
    entry_point = RUN_PROGRAM if sample.kind == "program" else sample.entry_point
    if sample.language == "python" and sample.kind == "function":
        entry_point = entry_point or called_by(tests)
        tests = _with_helpers(tests, declaration, entry_point) + _missing_call(tests, entry_point)
    return Problem(
        task_id="",
        language=sample.language,
        entry_point=entry_point,
        instruction=storable(sample.prompt),
        plain="",
        declaration=declaration,
        prelude=sample.prelude,
        reference="",
        tests=tests,
        kind=sample.kind,
    )


def _with_helpers(tests: str, declaration: str, entry_point: str) -> str:
    """Helpers that the question defines and the tests call are the tests' own, as in HumanEval."""
    begin = definition_start(declaration, entry_point, "python") if entry_point else None
    return f"{declaration[: begin or 0]}{tests}" if begin else tests


def _missing_call(tests: str, entry_point: str) -> str:
    """HumanEval's column `test` defines `check` and does not call it."""
    tree = _parsed(tests)
    defined = any(isinstance(node, ast.FunctionDef) and node.name == "check" for node in tree.body)
    called = any(isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) for node in tree.body)
    return f"\n\ncheck({entry_point})\n" if defined and not called and entry_point else ""


def called_by(tests: str) -> str:
    """The first name that Python tests call and do not define themselves; empty if there is none."""
    nodes = [node for node in ast.walk(_parsed(tests)) if not isinstance(node, ast.Load | ast.Store)]
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)}
    bound |= {node.arg for node in nodes if isinstance(node, ast.arg)}
    bound |= {node.name for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    bound |= {(node.asname or node.name).partition(".")[0] for node in nodes if isinstance(node, ast.alias)}
    bound |= set(dir(builtins))
    free = [node for node in nodes if isinstance(node, ast.Name) and node.id not in bound]
    called = {id(node.func) for node in nodes if isinstance(node, ast.Call)}
    free.sort(key=lambda node: (id(node) not in called, node.lineno, node.col_offset))
    return free[0].id if free else ""


def _parsed(tests: str) -> ast.Module:
    try:
        return python_tree(tests)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module(body=[], type_ignores=[])
