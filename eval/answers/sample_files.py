"""Files of samples as several tools write them → samples by problem. Pure, apart from reading the file.

HumanEval's harness and EvalPlus write one object a line, with `task_id` and `completion` or `solution`. They spell
MBPP's problem 2 as `2`, `Mbpp/2` or `MBPP/2`; editors on Windows put a byte order mark before the first line.
"""

from __future__ import annotations

import ast
import io
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from core.json_records import STREAM_ERRORS, Record, json_records
from core.python_syntax import python_tree
from core.text import storable
from eval.answers.units import python_units
from eval.benchmarks.catalogue import ProblemSet
from eval.problems import Problem

log = logging.getLogger("wavecoder.eval")

Samples = dict[str, list[tuple[str, str]]]
"""`task_id` → (completion or solution, its text)."""

SIBLINGS = {"mbpp": "mbppplus", "mbpp-3shot": "mbppplus", "mbppplus": "mbpp"}
"""Benchmarks that share problems and differ in the signatures that their tests call."""


def parse_samples(content: bytes, path: str) -> Samples:
    """The samples of a file.

    Raises:
        ValueError: a line is no sample; its number is named.
    """
    found: Samples = defaultdict(list)
    try:
        for record in json_records(io.BytesIO(content)):
            task_id, kind, texts = _sample(record, path)
            found[task_id] += [(kind, storable(entry)) for entry in texts]
    except STREAM_ERRORS as error:
        raise ValueError(f"--samples {path} cannot be read ({type(error).__name__}: {error})") from None
    if not found:
        raise ValueError(f"--samples {path} holds no sample")
    return dict(found)


def _sample(record: Record, path: str) -> tuple[str, str, list[str]]:
    """A problem's id, "solution" or "completion", and the texts."""
    row, what = record.value, ""
    if isinstance(row, str):
        what = row
    else:
        kind = "solution" if "solution" in row else "completion"
        given = row.get(kind)
        texts: list[Any] = given if isinstance(given, list) else [given]
        if "task_id" in row and all(isinstance(entry, str) for entry in texts):
            return str(row["task_id"]), kind, texts
        what = f"{kind} is no text" if "task_id" in row else "it has no task_id"
    raise ValueError(f"--samples {path}, {record.place}: a sample has task_id and completion or solution ({what})")


def by_known_ids(samples: Samples, sets: Sequence[ProblemSet], *, allow_missing: bool) -> Samples:
    """The samples under the benchmarks' own names of their problems.

    Args:
        samples: under the names of their file.
        sets: the chosen benchmarks.
        allow_missing: samples of other problems may be there too; they are left out, and said to be.

    Raises:
        ValueError: a problem is in no chosen benchmark.
    """
    known = {task_id: task_id for each in sets for task_id in each.all_ids}
    spelt = {_plain(task_id, each.benchmark): task_id for each in sets for task_id in each.all_ids}
    numbers: dict[str, set[str]] = defaultdict(set)
    for each_id in known:
        numbers[each_id.rpartition("/")[2]].add(each_id)
    found: Samples = defaultdict(list)
    strangers: list[str] = []
    for name, texts in samples.items():
        task_id = (
            known.get(name)
            or spelt.get(_plain(name, ""))
            or (next(iter(numbers[name])) if len(numbers.get(name, ())) == 1 else None)
        )
        if task_id is None:
            strangers.append(name)
        else:
            found[task_id] += texts
    if strangers and not (allow_missing and found):
        others = f" and {len(strangers) - 1} others" if len(strangers) > 1 else ""
        benchmarks = ", ".join(each.name for each in sets)
        advice = "; --allow-missing leaves them out" if found else ""
        raise ValueError(f"the samples name {strangers[0]!r}{others}, which no chosen benchmark has ({benchmarks})"
                         f"{_fitting(strangers, sets)}{advice}")  # fmt: skip
    if strangers:
        log.warning("evaluate: samples of %d problems are left out, which no chosen benchmark has, such as %s%s",
                    len(strangers), strangers[0], _fitting(strangers, sets))  # fmt: skip
    return dict(found)


def _plain(task_id: str, benchmark: str) -> str:
    """`Mbpp/2`, `MBPP/2`, and `2` of a benchmark whose name begins with mbpp → mbpp/2."""
    family, slash, number = task_id.rpartition("/")
    if not slash and benchmark.startswith("mbpp"):
        family = "mbpp"
    return f"{family}/{number}".lower() if family else task_id.lower()


def _fitting(strangers: Iterable[str], sets: Sequence[ProblemSet]) -> str:
    """A hint at the benchmark of names that are not known, where they say it."""
    names = {each.benchmark for each in sets}
    families = {name.rpartition("/")[0].lower() for name in strangers}
    if "mbpp" in families and "mbppplus" not in names:
        return "; EvalPlus's MBPP samples fit --benchmark mbppplus"
    if "humaneval" in families and not any(name.startswith("humaneval") for name in names):
        return "; they fit --benchmark humaneval"
    return ""


def signature_warnings(samples: Samples, sets: Sequence[ProblemSet]) -> list[str]:
    """One line for each benchmark whose samples define functions that its tests cannot call."""
    found = []
    for each in sets:
        wrong = [text for problem in each.problems
                 if (text := _unlike(problem, samples.get(problem.task_id, [])))]  # fmt: skip
        if wrong:
            other = SIBLINGS.get(each.benchmark)
            hint = f"; such samples were made for {other}: --benchmark {other}" if other else ""
            found.append(f"{each.name}: {len(wrong)} of {len(each.problems)} problems have samples with another "
                         f"signature or name than the tests call, such as {wrong[0]}{hint}")  # fmt: skip
    return found


def _unlike(problem: Problem, samples: Sequence[tuple[str, str]]) -> str:
    """How the first sample's function differs from the reference's; empty if the same calls fit both."""
    solutions = [text for kind, text in samples if kind == "solution"]
    if problem.language != "python" or not solutions:
        return ""
    units = python_units(solutions[0])
    defined = [name for unit in units if unit.kind == "definition" for name in unit.names]
    if defined and not any(problem.entry_point in unit.names | unit.methods for unit in units):
        return f"{problem.task_id}, where the sample defines {defined[-1]} and no {problem.entry_point}"
    wanted = _positions(problem.declaration + problem.reference, problem.entry_point)
    given = _positions(solutions[0], problem.entry_point)
    if wanted is None or given is None or (given[0] <= wanted[0] <= given[1]):
        return ""
    return f"{problem.task_id}, where {problem.entry_point} takes {wanted[0]} arguments and the sample's {given[0]}"


def _positions(code: str, name: str) -> tuple[int, int] | None:
    """The fewest and the most positional arguments of a function."""
    for unit in reversed(python_units(code)):
        if name not in unit.names or unit.kind != "definition":
            continue
        node = python_tree(unit.text).body[-1]
        if not isinstance(node, ast.FunctionDef):
            return None
        most = len(node.args.posonlyargs) + len(node.args.args)
        return most - len(node.args.defaults), 10**6 if node.args.vararg else most
    return None
