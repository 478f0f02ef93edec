"""What each stage takes for so many pairs and GPUs: the formulas of docs/scale.md, from what was measured.

`python -m bench.scale` prints the page's table; `--pairs N --gpus G …` another one. Nothing is run: it computes.
"""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict, dataclass

CORES_PER_GPU, MIN_CORES = 16, 32
COLLECT_S, COLLECT_DRIVER_S, COLLECT_DRIVER_BYTES = 161e-6, 69e-6, 304
"""CPU seconds of a worker for each row and of the job's process (12 µs, and 57 µs of the duplicates' index), and what
that process keeps for each row: measured."""
KEPT = 0.56
"""Rows that the rules keep: measured, 1,118,090 of 2,000,000."""
ROW_BYTES, TOKENS_PER_ROW = 1_200, 126
ROWS_PER_PART = 50_000
DIMENSIONS, PICKS = 1_024, 20_000
ENCODER_PARAMETERS, ENCODER_MFU = 303e6, 0.40
PEAK_FLOPS, GPU_BYTES = 989e12, 80e9
SELECT_S = 2.6
"""Of 2,000,000 x 1,024 to 20,000 picks on one H100: measured."""
QUESTIONS, PROMPT_TOKENS, ANSWER_TOKENS = 2 * PICKS, 1_500, 300
ENGINE_TOKENS_S, SCHEDULER_S = 2_500, 1.1e-3
"""Answer tokens a second of one GPU with a model of 7 to 8 billion parameters, and CPU seconds of a question."""
TRAIN_PARAMETERS, TRAIN_TOKENS, TRAIN_MFU = 6.7e9, 3 * PICKS * 500, 0.275
CORE_HOUR, GPU_HOUR = 0.048, 4.0


@dataclass(frozen=True)
class Need:
    """What a stage needs."""

    stage: str
    seconds: float
    bound: str
    """What would have to grow for it to be faster."""
    gigabytes: float
    """Moved between the run directory, nodes and engines."""
    requests: int
    """Of an object store; without leases, four a minute."""
    dollars: float


def estimate(pairs: int, gpus: int) -> list[Need]:
    """The needs of the stages, in order."""
    cores = min(max(MIN_CORES, CORES_PER_GPU * gpus), -(-COLLECT_S // COLLECT_DRIVER_S))  # more would wait for the job
    kept = KEPT * pairs
    parts = -(-int(kept) // ROWS_PER_PART)
    workers, driver = pairs * COLLECT_S / cores, pairs * COLLECT_DRIVER_S
    collect = max(workers, driver)
    encode = 2 * ENCODER_PARAMETERS * TOKENS_PER_ROW * kept / (PEAK_FLOPS * ENCODER_MFU * gpus)
    matrix = kept * DIMENSIONS * 2
    select = SELECT_S * (kept / 2e6) * (PICKS / 20_000) / gpus + matrix / (1e9 * max(1, gpus // 8))
    answering = QUESTIONS * ANSWER_TOKENS / (ENGINE_TOKENS_S * gpus)
    asking = QUESTIONS * SCHEDULER_S
    train = 6 * TRAIN_PARAMETERS * TRAIN_TOKENS / (PEAK_FLOPS * TRAIN_MFU * gpus)
    memory = "does not fit: memory of the GPUs" if 1.09 * matrix > GPU_BYTES * gpus else "reading the matrix"
    driver_gb = pairs * COLLECT_DRIVER_BYTES / 1e9
    one = "cores" if workers > driver else f"the job's process ({driver_gb:.0f} GB of memory)"

    def cost(seconds: float, on_gpus: bool) -> float:  # noqa: FBT001
        return seconds / 3600 * (GPU_HOUR * gpus if on_gpus else CORE_HOUR * cores)

    return [
        Need("collect", collect, one, pairs * ROW_BYTES / 1e9, 20 + 2 * parts, cost(collect, False)),
        Need("embed", encode, "GPUs", (kept * ROW_BYTES + matrix) / 1e9, 20 + 12 * parts, cost(encode, True)),
        Need("select", select, memory, matrix / 1e9 + gpus * PICKS * DIMENSIONS * 4 / 1e9, 20 + 20 * parts,
             cost(select, True)),
        Need("generate", max(answering, asking), "GPUs" if answering > asking else "the job's process",
             QUESTIONS * 4 * (PROMPT_TOKENS + ANSWER_TOKENS) / 1e9, 200 + int(4 * max(answering, asking)),
             cost(max(answering, asking), True)),
        Need("train", train, "GPUs", TRAIN_PARAMETERS * 14 / 1e9, 200, cost(train, True)),
    ]  # fmt: skip


def in_words(seconds: float) -> str:
    """A time in the unit that it is read in."""
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"


def table(pairs: list[int], gpus: list[int]) -> str:
    """The page's table, in Markdown."""
    lines = ["| pairs | GPUs | stage | takes | bound by | GB moved | requests | USD |"]
    lines.append("|---:|---:|---|---:|---|---:|---:|---:|")
    for count in pairs:
        for number in gpus:
            lines += [
                f"| {count:,} | {number} | {need.stage} | {in_words(need.seconds)} | {need.bound} "
                f"| {need.gigabytes:,.0f} | {need.requests:,} | {need.dollars:,.2f} |"
                for need in estimate(count, number)
            ]
    return "\n".join(lines)


def main() -> None:
    """Print the table, and one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, nargs="+", default=[2_000_000, 20_000_000, 1_000_000_000])
    parser.add_argument("--gpus", type=int, nargs="+", default=[1, 8, 64, 256])
    options = parser.parse_args()
    print(table(options.pairs, options.gpus))
    found = [{"pairs": count, "gpus": number, "stages": [asdict(need) for need in estimate(count, number)]}
             for count in options.pairs for number in options.gpus]  # fmt: skip
    print(json.dumps({"bench": "scale", "estimates": found}))


if __name__ == "__main__":
    main()
