"""What an instance says of its proof: the columns, their types, and the words that they hold. Pure.

`tests` is a JSON list. Each element is a call as data, `{"arguments": [...], "expected": value}`, maybe with `after`,
the arguments as they are after the call; or an assertion for what data cannot say, `{"assertion": "assert f(2) < 3"}`.
The names of the other columns are those of OpenCodeInstruct and CodeT where they have one.
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa

PROOFS = ("none", "parses", "examples", "tests", "equivalent", "round_trip")
"""What was shown of an instance, weakest first for code: nothing; its code parses (or compiles); examples of its own
pass; tests that another prompt wrote pass; source and target answer the same inputs alike; code written from a summary
alone answers as the summarized code does."""

PROOF_COLUMNS = pa.schema([
    ("tests", pa.string()),
    ("pass_rate", pa.float64()),
    ("solutions_agreeing", pa.int32()),
    ("mutants", pa.int32()),
    ("mutants_killed", pa.int32()),
    ("difficulty", pa.float64()),
    ("proof", pa.string()),
])  # fmt: skip
"""Of each instance.

tests: those that were run, a JSON list; "[]" where there are none.
pass_rate: share of the tests that the instance's answer passes, 0 to 1; null without tests.
solutions_agreeing: solutions that pass the same tests as the answer, itself included; null where only one was asked
for.
mutants: edits of the answer that were run against the tests that it passes; null where none were.
mutants_killed: how many of them fail one of those tests.
difficulty: share of all solutions that pass every test that the answer passes, 0 to 1; null where only one was asked
for.
proof: one of `PROOFS`.
"""


def unproved() -> dict[str, object]:
    """The columns of an instance of which nothing was shown."""
    return dict[str, object].fromkeys(PROOF_COLUMNS.names) | {"tests": "[]", "proof": "none"}


def proof_of_checks(checks: Mapping[str, str]) -> str:
    """The strongest of `PROOFS` that the checks of an instance, check → result, show without tests."""
    if checks.get("examples") == "passed":
        return "examples"
    return "parses" if "passed" in (checks.get("parses"), checks.get("compiles")) else "none"
