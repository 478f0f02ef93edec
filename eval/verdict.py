"""The seam between problems and the sandbox: a candidate and its tests → a verdict. No Ray here."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from eval.problems import Problem
from eval.sandbox.cgroups import delegated
from eval.sandbox.machine_speed import slowness
from eval.sandbox.oracle import Allowed, judge, judge_beside
from eval.sandbox.run import isolation
from eval.settings import EvaluateConfig


def judge_candidate(candidate: str, problem: Problem, config: EvaluateConfig) -> dict[str, Any]:
    """`passed, outcome, seconds, stderr, isolation, oracle` of a candidate.

    Raises:
        OSError: the sandbox failed, which is never the candidate's fault.
    """
    allowed: Allowed = {
        "timeout": config.timeout_s,
        "memory_mb": config.memory_mb,
        "packages": config.shown_packages(),
        "unsafe_no_sandbox": config.unsafe_no_sandbox,
    }
    if problem.beside:
        outcome = judge_beside(candidate, problem.tests, **allowed)
    else:
        entry_point, language = problem.entry_point, problem.language
        outcome = judge(candidate, problem.tests, language=language, entry_point=entry_point, **allowed)
    verdict = asdict(outcome)
    return {name: verdict[name] for name in ("passed", "outcome", "seconds", "stderr", "isolation", "oracle")}


def check_isolation(config: EvaluateConfig) -> None:
    """Raise `PermissionError` when this machine offers no isolation and none was waived."""
    if not config.unsafe_no_sandbox:
        isolation()


def describe_conditions() -> dict[str, Any]:
    """What a result must say of how it came about: machine, its calibration, and versions."""
    found = {}
    for package in ("wavecoder-ray", "ray", "openai", "pyarrow", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "processors": os.cpu_count(),
        "slowness": round(slowness(), 2),
        "control_groups": delegated()[0] is not None,
        "versions": found,
    }
