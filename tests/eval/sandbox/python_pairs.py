"""Candidate and tests in Python, judged as the tests of objects, heirs and surroundings do."""

from eval.sandbox.oracle import judge
from eval.sandbox.run import Outcome


def verdict(candidate: str, tests: str, memory_mb: int = 1024) -> Outcome:
    """How tests that call `f` end."""
    return judge(candidate, tests, language="python", entry_point="f", timeout=20.0, memory_mb=memory_mb)
