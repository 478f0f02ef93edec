"""Teachers: eighteen odd ones over real HTTP; what of their right answers is used, and whose bill is right.

`python -m bench.teachers [--rows N] [--only NAME …]` prints one JSON object. Each teacher of `odd.py` and `newer.py`
generates and judges N rows (200). Bars: at least 99 % of the right answers used, nothing fatal, and the ledger's cost
within 2 % of the teacher's own count. A row that a teacher refuses by design has no right answer.
"""

from __future__ import annotations

import argparse
import json
import sys

from bench.machine import describe_machine
from bench.teachers.measure import BARS, TEACHERS, measure


def main() -> None:
    """Print the JSON object; exit code 1 where a bar is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=200)
    parser.add_argument("--only", nargs="*", default=list(TEACHERS), choices=list(TEACHERS))
    options = parser.parse_args()
    found = {name: measure(name, options.rows) for name in options.only}
    worst = {
        "used": min(one["used"] for one in found.values()),
        "cost_error": max(one["cost_error"] for one in found.values()),
        "fatal": [name for name, one in found.items() if one["fatal"]],
    }
    print(json.dumps({"teachers": found, "worst": worst, "bars": BARS, "machine": describe_machine()}))
    missed = worst["used"] < BARS["used"] or worst["cost_error"] > BARS["cost_error"] or worst["fatal"]
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
