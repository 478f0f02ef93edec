"""Small samples of the benchmarks, and the judging of a candidate without Ray."""

from pathlib import Path

import pytest

from eval.benchmarks.catalogue import load_benchmarks
from eval.problems import Problem
from eval.settings import EvaluateConfig
from eval.verdict import judge_candidate

DATA = Path(__file__).parents[1] / "data" / "benchmarks"
DATASETS = {"mbpp": str(DATA / "mbpp.jsonl"), "humanevalpack": str(DATA / "humanevalpack")}


@pytest.fixture(scope="session")
def problems_of():
    """Name → the problems of the samples."""
    return lambda name: load_benchmarks([name], DATASETS)[0].problems


@pytest.fixture(scope="session")
def verdict_of():
    """A candidate's outcome on a problem, in the sandbox."""

    def verdict(candidate: str, problem: Problem, timeout_s: float = 30.0) -> str:
        return judge_candidate(candidate, problem, EvaluateConfig(timeout_s=timeout_s))["outcome"]

    return verdict


@pytest.fixture
def adding():
    """A problem with an import and a helper before the function."""
    declaration = 'import math\n\n\ndef helper(x):\n    return x\n\n\ndef add(a, b):\n    """Add, as in add(1, 2)."""\n'
    return Problem(task_id="T/0", language="python", entry_point="add", instruction="Add.", plain=declaration,
                   declaration=declaration, reference="    return a + b\n", tests="assert add(2, 3) == 5\n")  # fmt: skip
