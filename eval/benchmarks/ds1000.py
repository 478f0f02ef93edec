"""DS-1000 (Lai et al. 2023): the missing lines of programs that use numpy, pandas and the like.

Rows in the fields of `ds1000.jsonl`: `prompt, reference_code, metadata, code_context`. The context has a program with a
place for the answer, runs it, and compares what it leaves, all in one process as in the authors' harness.
"""

from __future__ import annotations

import json
import re
from typing import Any

from eval.problems import Benchmark, Problem

STOP = ("</code>", "# SOLUTION END", "\nEND SOLUTION", "\n```")
QUESTION = (
    "Write the missing lines of this program, where the solution belongs. Answer with these lines only, in one code "
    "block; do not repeat what is there.\n\n"
)
_LIBRARIES = {"Sklearn": "sklearn", "Pytorch": "torch", "Tensorflow": "tensorflow"}
"""What the names of libraries are imported as, where lower case does not say it."""


def read_problem(row: dict[str, Any]) -> Problem:
    """One row.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    told, context = row["metadata"], row["code_context"]
    told = json.loads(told) if isinstance(told, str) else told
    checks = "test_execution(code)\n" + ("test_string(code)\n" if re.search(r"^def test_string", context, re.M) else "")
    library = str(told["library"])
    return Problem(
        task_id=str(told["problem_id"]),
        language="python",
        kind="lines",
        entry_point="",
        instruction=QUESTION + row["prompt"].strip(),
        plain=row["prompt"],
        reference=row["reference_code"],
        tests=f"{context}\n\n{checks}",
        stop=STOP,
        beside=True,
        needs=(_LIBRARIES.get(library, library.lower()),),
    )


BENCHMARKS = {
    "ds1000": Benchmark(
        read=lambda rows, _: [read_problem(row) for row in rows],
        dataset="ds1000",
        source="xlangai/DS-1000",
        hub_file="test.jsonl",
    ),
}
