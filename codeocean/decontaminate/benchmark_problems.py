"""What benchmarks ask and answer, as text that training data is compared with. Read as data, never run.

Knows the fields of HumanEval (Chen et al. 2021), MBPP (Austin et al. 2021), HumanEvalPack (Muennighoff et al. 2023),
LiveCodeBench (Jain et al. 2024), CRUXEval (Gu et al. 2024), MultiPL-E (Cassano et al. 2023), BigCodeBench (Zhuo et al.
2024) and DS-1000 (Lai et al. 2022).
"""

from __future__ import annotations

import hashlib
import io
import itertools
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from core.json_records import STREAM_ERRORS, TOO_LARGE, Record, json_records, unpacked

_STATEMENTS = ("docstring", "text", "question_content", "complete_prompt", "prompt", "instruction", "input")
_SOLUTIONS = ("canonical_solution", "code", "reference_code", "output", "starter_code")
_IDS = ("task_id", "question_id", "id", "name")
_WITHOUT_SOLUTION = frozenset({"name", "language", "prompt", "tests"})
"""MultiPL-E's fields: it has no solutions."""


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
        path: JSON, one problem a line or one array, also .gz; or Parquet.

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
            problems = [_problem(name, path, record) for record in _records(stream)]
    except (*STREAM_ERRORS, pa.ArrowException) as error:
        raise ValueError(f"decontaminate.files.{name}: {path} cannot be read ({error})") from None
    if not problems:
        raise ValueError(f"decontaminate.files.{name}: {path} holds no problem")
    return problems


def _records(stream: BinaryIO) -> Iterator[Record]:
    """The rows of a file; of rows that are too large for `json_records`, whose tests may be, one line at a time."""
    if stream.read(4) == b"PAR1":
        rows = pq.ParquetFile(stream)
        numbers = itertools.count(1)
        for batch in rows.iter_batches(batch_size=64):
            yield from (Record(row, next(numbers), in_array=False) for row in batch.to_pylist())
        return
    stream.seek(0)
    for record in json_records(stream):
        if record.value != TOO_LARGE or record.in_array:
            yield record
            continue
        stream.seek(0)
        for number, line in enumerate(io.BufferedReader(unpacked(stream)), 1):
            if number >= record.number and line.strip():
                yield Record(json.loads(line), number, in_array=False)
        return


def _problem(name: str, path: str, record: Record) -> BenchmarkText:
    fields = record.value if isinstance(record.value, dict) else {}
    statement, solution = (next((fields[key] for key in keys if isinstance(fields.get(key), str)), None)
                           for keys in (_STATEMENTS, _SOLUTIONS))  # fmt: skip
    if solution is None and fields.keys() >= _WITHOUT_SOLUTION:
        solution = ""
    if statement is None or solution is None:
        needed = f"one of {', '.join(_STATEMENTS)} and one of {', '.join(_SOLUTIONS)}"
        raise ValueError(f"decontaminate.files.{name}: {record.place} of {path} is no problem of a benchmark that "
                         f"is known: it needs {needed}")  # fmt: skip
    declaration = fields.get("declaration")
    head = declaration if isinstance(declaration, str) else ""
    problem = next((str(fields[key]) for key in _IDS if key in fields), str(record.number))
    return BenchmarkText(name, problem, statement, head + solution)


def benchmark_digest(problems: Sequence[BenchmarkText]) -> str:
    """First 16 hex digits of the SHA-256 of all texts, in order."""
    return hashlib.sha256(json.dumps([vars(problem) for problem in problems]).encode()).hexdigest()[:16]
