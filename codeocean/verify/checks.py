"""What is checked of an accepted instance, by looking and by running. No Ray, and no sandbox of its own.

Code parses (candidates that do not are gone by now). Python code passes the examples that its instruction, its
documentation, or the documentation of its raw code give (doctest; the latter where the raw code itself passes them). A
bug is a bug: an example, or a call with arguments from a small pool, comes out otherwise before the repair
(`codeocean/verify/sandboxed/probe.py`, run in the sandbox that is handed in). A translation compiles, where the
sandbox has a compiler for it. Names that a summary mentions are there in the code.

Each check ends as "passed", "failed", or the reason why it says nothing.

Not covered: running languages other than Python beyond loading them; methods, which cannot be called alone; and a
program that is written to deceive the check that runs in its own process.
"""

from __future__ import annotations

import ast
import builtins
import json
import re
import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any, Protocol

from pydantic import PositiveFloat, PositiveInt

from codeocean.generate.tasks import Task
from codeocean.verify.programs import in_context, whole_program
from core.python_syntax import python_tree
from core.settings import Before, Execution, Settings

PROBE = Path(__file__).with_name("sandboxed") / "probe.py"
NO_SANDBOX = "not run: no sandbox"
WORDS_OF_LANGUAGES = frozenset(dir(builtins)) | frozenset(
    re.findall(r"\w+", "null nil true false undefined self this string boolean array number void char double long")
)
"""Names that a summary may use of any code."""

Row = dict[str, Any]

_EXAMPLE = re.compile(r"^\s*>>> ", re.MULTILINE)


class VerifyConfig(Settings):
    """What is checked of accepted instances, and what of it an instance must pass."""

    execute: bool = True
    """Run code in the sandbox. Where the machine offers none, nothing is run, and the manifest and the card say so."""

    drop_failed: bool = True
    """An instance that fails a check stops, with the check as its reason; otherwise it only says so."""

    drop_hidden_bugs: bool = False
    """A repair whose bug no example and no call shows stops too; by default it only says so. Code that cannot be called
    alone always goes on."""

    drop_changed_arguments: Annotated[bool, Before(False)] = False
    """An answer that changes an argument where the exercise does not ask for it stops too; by default it only says so.
    With several solutions, one that leaves them as they are is preferred in any case."""

    timeout_s: PositiveFloat = 20.0
    """Wall time of one program."""

    memory_mb: PositiveInt = 1024
    """Address space of one program."""

    cpus_per_program: Annotated[PositiveFloat, Execution()] = 0.5
    """Logical CPUs that Ray reserves for one program."""


class Ended(Protocol):
    """How a program ended; the sandbox's outcome."""

    outcome: str
    stdout: str
    stderr: str


Run = Callable[[str, str, str], Ended]
"""(program, language, stdin) → how it ended, in a sandbox; raises `ValueError` for a language that it does not run."""


def check_instance(
    task: Task, generation: Mapping[str, Any], source: Mapping[str, Any], run: Run | None
) -> dict[str, str]:
    """Check → how it came out.

    Args:
        task: of the instance.
        generation: GENERATIONS row.
        source: RAW_CODE row that it was made from.
        run: the sandbox; None where there is none.
    """
    if task.solution == "prose":
        return {"names": check_names(generation["solution"], generation["information"] or source["code"])}
    found = {"parses": "passed"}
    language = generation["target_language"] or source["language"]
    repair = task.information == "mutated code"
    if task.target_languages:
        found["compiles"] = check_compiles(generation["solution"], language, run)
    own, of_raw = examples_of(generation, source)
    if language != "python" or not (own or of_raw or repair):
        return found | ({"bug": f"not run: {language}"} if repair else {})
    edited = in_context if repair else lambda _, code: code  # other answers are no edits of the raw code
    order = {
        "code": edited(source, generation["solution"]),
        "mutant": edited(source, generation["information"]) if repair else "",
        "name": source["name"] if source.get("context") else "",
        "reference": in_context(source, source["code"]),
        "examples": own,
        "raw_examples": of_raw,
    }
    return found | (_judge(order, _probe(order, run)) if run else dict.fromkeys(_asked(order), NO_SANDBOX))


def check_compiles(code: str, language: str, run: Run | None) -> str:
    """Whether code compiles with nothing around it but the language's library."""
    if language == "python":
        return "passed"  # by its own parser, or it would not be here
    program = whole_program(code, language)
    if run is None or program is None:
        return NO_SANDBOX if run is None else f"not run: {language}"
    try:
        ended = run(program, language, "")
    except (ValueError, OSError):  # the sandbox does not know it, or the machine has no compiler
        return f"not run: {language}"
    outcome = ended.outcome
    if outcome == "syntax" or "SyntaxError" in ended.stderr:  # node has no compiler that could say so
        return "does not compile alone"
    return f"not run: {outcome}" if outcome in {"timeout", "memory", "crashed", "killed"} else "passed"


def _asked(order: Row) -> list[str]:
    return ["examples"] * bool(order["examples"] + order["raw_examples"]) + ["bug"] * bool(order["mutant"])


def _probe(order: Row, run: Run) -> Row | str:
    """What the probe found, or how it ended without."""
    mark = secrets.token_hex(8)
    ended = run(PROBE.read_text(encoding="utf-8"), "python", json.dumps(order | {"mark": mark}))
    for line in reversed(ended.stdout.splitlines()):
        if line.startswith(mark):
            found: Row = json.loads(line.removeprefix(mark))
            return found
    return ended.outcome


def _judge(order: Row, found: Row | str) -> dict[str, str]:
    if isinstance(found, str):  # it ended its process, or used up its time or memory
        return dict.fromkeys(_asked(order), f"not run: {found}")
    results: dict[str, str] = {}
    examples = found["examples"]
    if examples["tried"]:
        results["examples"] = "failed" if examples["failed"] else "passed"
    if order["mutant"]:
        compared, before = found["compared"], found["mutant_examples"]
        if compared["shown"] or (examples["tried"] and not examples["failed"] and before["failed"]):
            results["bug"] = "passed"
        else:
            results["bug"] = "no call shows it" if compared["answered"] else "cannot be called alone"
        if compared["shown"]:
            results["shown by"] = compared["shown"]
    return results


def examples_of(generation: Mapping[str, Any], source: Mapping[str, Any]) -> tuple[str, str]:
    """Texts with doctest examples: the instance's own, and those of the raw code, which bind what bears its name."""
    texts = [generation["instruction"], generation["information"], *_docstrings(generation["solution"])]
    own = "\n\n".join(text for text in texts if _EXAMPLE.search(text))
    name = re.search(r"^\s*def\s+(\w+)", source["code"], re.MULTILINE)
    bound = name and re.search(rf"^def\s+{re.escape(name[1])}\b", generation["solution"], re.MULTILINE)
    return own, source["docstring"] if bound and _EXAMPLE.search(source["docstring"]) else ""


def _docstrings(code: str) -> list[str]:
    try:
        tree = python_tree(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
    return [ast.get_docstring(node) or "" for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]  # fmt: skip


def check_names(prose: str, code: str) -> str:
    """Whether every name that prose mentions is in the code: in backticks, with `()`, snake_case or camelCase."""
    quoted = [word for part in re.findall(r"`([^`\n]+)`", prose) for word in re.findall(r"[^\W\d]\w*", part)]
    plain = re.sub(r"`[^`\n]+`", " ", prose)
    written = re.findall(r"\b[^\W\d]\w*(?=\(\))|\b[^\W\d]\w*_\w+|\b[a-z]+[A-Z]\w*", plain)
    names = {*quoted, *written} - WORDS_OF_LANGUAGES
    if not names:
        return "mentions none"
    present = set(re.findall(r"\w+", code))
    return "passed" if names <= present else "failed"


def why_dropped(config: VerifyConfig, verified: Mapping[str, str]) -> str:
    """The reason why an instance stops; empty when it goes on."""
    failed = [check for check, result in verified.items() if result == "failed"]
    if failed and config.drop_failed:
        return f"verification: {failed[0]} failed"
    if config.drop_hidden_bugs and verified.get("bug") == "no call shows it":
        return "verification: no call shows the bug"
    if config.drop_changed_arguments and "arguments" in verified:
        return f"verification: arguments {verified['arguments']}"
    return ""


def count_verified(rows: Iterable[tuple[str, Mapping[str, str]]]) -> dict[str, dict[str, int]]:
    """`task: check` → result → instances, of (task, verified) pairs."""
    counts: dict[str, Counter[str]] = {}
    for task, verified in rows:
        for check, result in verified.items():
            if check != "shown by":
                counts.setdefault(f"{task}: {check}", Counter())[result] += 1
    return {name: dict(found.most_common()) for name, found in sorted(counts.items())}
