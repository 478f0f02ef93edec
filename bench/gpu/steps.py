"""The GPU bars of the project in order of worth: what each step runs, what it needs, and what it has to reach. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Step:
    """One command of one bar."""

    name: str
    command: tuple[str, ...]
    """Arguments of `python`; `{out}` is the folder of the results."""
    rehearsal: tuple[str, ...]
    """The same at a size that a CPU does in seconds; empty where another step's imports are the same."""
    limit_s: float
    bar: str
    """In words, for the table."""
    figure: Callable[[Figures], float | None] = lambda _: None
    """The JSON object of the command → the figure that the bar is about."""
    least: float | None = None
    most: float | None = None
    needs: tuple[str, ...] = ()
    """Modules beside those of all steps."""
    when_missed: tuple[str, ...] = ()
    """What runs, and tells why, when the bar is missed."""

    def meets(self, figures: Figures) -> bool:
        """Whether the bar is met; a step without a figure has met it when it ended well."""
        value = self.figure(figures)
        if value is None:
            return self.least is None and self.most is None
        return (self.least is None or value >= self.least) and (self.most is None or value <= self.most)


def _mfu(figures: Figures) -> float | None:
    return figures.get("mfu_median")


def _first(name: str) -> Callable[[Figures], float | None]:
    return lambda figures: (figures.get("sizes") or [{}])[0].get(name)


def _mfu_step(size: str, *options: str, name: str = "", limit_s: float = 200.0) -> Step:
    run = ("-m", "bench.mfu", "--size", size, *options)
    tiny = ("-m", "bench.mfu", "--size", "tiny", "--batch", "4", "--steps", "1", "--micro-batch", "1")
    adapters = ("--lora-rank", "4") if size == "7b" else ()
    label = name or f"mfu {size}"
    profile = ("--profile", "{out}/profile-" + label.replace(" ", "-") + ".txt")
    rehearsal = () if "--compile" in options else (*tiny, *adapters, *options, *profile)  # a CPU compiles for a minute
    return Step(
        label, (*run, "--steps", "4"), rehearsal, limit_s, "45 % MFU in bfloat16", _mfu,
        least=0.45, when_missed=(*run, "--batch", "24", "--steps", "1", *profile),
    )  # fmt: skip


def gpu_tests(files: tuple[str, ...]) -> Step:
    """The tests marked `gpu`, by their files: others may need what a bare card has not."""
    run = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "-m", "gpu", *files)
    return Step("tests", run, (*run, "--collect-only"), 180.0, "all pass")


STEPS = (
    Step(
        "kcenter",
        ("-m", "bench.kcenter", "--device", "cuda", "--sizes", "2000000", "--dimensions", "1024", "--picks", "20000",
         "--runs", "1"),
        ("-m", "bench.kcenter", "--sizes", "2000", "--dimensions", "16", "--picks", "50", "--runs", "1"),
        150.0, "2,000,000 × 1,024 → 20,000 in 0.6 s", _first("seconds"), most=0.6,
    ),
    _mfu_step("1b", "--micro-batch", "8", "--activation-checkpointing", "none", limit_s=150.0),
    _mfu_step("1b", "--micro-batch", "8", "--activation-checkpointing", "none", "--compile", name="mfu 1b compiled",
              limit_s=240.0),
    _mfu_step("7b", limit_s=240.0),
    Step(
        "training", ("-m", "bench.training", "--model", "random:135m", "--batch", "32"),
        ("-m", "bench.training", "--model", "random:tiny", "--batch", "4", "--steps", "1", "--max-length", "512"),
        120.0, "2 × padded", lambda figures: figures.get("times_padded"), least=2.0,
    ),
    Step(
        "embedding",
        ("-m", "bench.embedding", "--bare", "--roberta-large", "24", "--sizes", "8000", "--tokens-per-batch", "65536"),
        ("-m", "bench.embedding", "--bare", "--roberta-large", "1", "--sizes", "8"),
        200.0, "1.5 × `encode`", _first("times_baseline"), least=1.5,
    ),
    Step(
        "generation",
        ("-m", "bench.generation", "--rows", "400", "--set", "serve.engine.gpus=0.5", "--set",
         "serve.engine.dtype=auto"),
        ("-c", "import bench.generation, bench.embedding, codeocean.generate.flow, ray_jobs.generate, ray.serve.llm"),
        400.0, "0.98 × bare `LLM.chat`", lambda figures: figures.get("times_bare"), least=0.98, needs=("ray", "vllm"),
    ),
)  # fmt: skip
"""Behind the tests, in order of worth."""
