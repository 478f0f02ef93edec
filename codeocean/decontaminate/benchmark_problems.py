"""What benchmarks ask and answer, as text that training data is compared with. Read as data, never run.

Knows the fields of HumanEval (Chen et al. 2021), MBPP (Austin et al. 2021) and HumanEvalPack (Muennighoff et al. 2023).
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from core.json_records import Record, json_records

_STATEMENTS = ("docstring", "text", "prompt", "instruction")
_SOLUTIONS = ("canonical_solution", "code", "output")


@dataclass(frozen=True)
class BenchmarkText:
    """One problem of a benchmark."""

    benchmark: str
    problem: str
    """Its id there."""
    statement: str
    """What is asked."""
    solution: str
    """The reference answer."""


def read_benchmark(name: str, path: str) -> list[BenchmarkText]:
    """The problems of a benchmark file.

    Args:
        name: of the benchmark, in `leakage.parquet` and on the page.
        path: JSON, one problem a line or one array, also .gz.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a record is no problem; file and line are named.
    """
    file = Path(path).expanduser()
    if not file.is_file():
        raise FileNotFoundError(
            f"decontaminate.files.{name} is {path!r}, which is no file; give the benchmark as .jsonl"
        )
    try:
        with file.open("rb") as stream:
            problems = [_problem(name, path, record) for record in json_records(stream)]
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"decontaminate.files.{name}: {path} cannot be read ({error})") from None
    if not problems:
        raise ValueError(f"decontaminate.files.{name}: {path} holds no problem")
    return problems


def _problem(name: str, path: str, record: Record) -> BenchmarkText:
    fields = record.value if isinstance(record.value, dict) else {}
    statement, solution = (next((fields[key] for key in keys if isinstance(fields.get(key), str)), None)
                           for keys in (_STATEMENTS, _SOLUTIONS))  # fmt: skip
    if statement is None or solution is None:
        needed = f"one of {', '.join(_STATEMENTS)} and one of {', '.join(_SOLUTIONS)}"
        raise ValueError(f"decontaminate.files.{name}: {record.place} of {path} is no problem of HumanEval, MBPP or "
                         f"HumanEvalPack: it needs {needed}")  # fmt: skip
    declaration = fields.get("declaration")
    head = declaration if isinstance(declaration, str) else ""
    return BenchmarkText(name, str(fields.get("task_id", record.number)), statement, head + solution)


def benchmark_digest(problems: Sequence[BenchmarkText]) -> str:
    """First 16 hex digits of the SHA-256 of all texts, in order."""
    return hashlib.sha256(json.dumps([vars(problem) for problem in problems]).encode()).hexdigest()[:16]
