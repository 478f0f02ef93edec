"""The seam between problems and the sandbox: a candidate and its tests → a verdict. No Ray here."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from eval.problems import Problem
from eval.sandbox import isolation, run_program
from eval.settings import EvaluateConfig


def judge_candidate(candidate: str, problem: Problem, config: EvaluateConfig) -> dict[str, Any]:
    """`passed, outcome, seconds, stderr, isolation, oracle` of a candidate.

    Raises:
        OSError: the sandbox failed, which is never the candidate's fault.
    """
    outcome = run_program(
        f"{candidate}\n\n{problem.tests}\n",
        language=problem.language,
        timeout=config.timeout_s,
        memory_mb=config.memory_mb,
        unsafe_no_sandbox=config.unsafe_no_sandbox,
    )
    verdict = {"isolation": "none" if config.unsafe_no_sandbox else "bubblewrap", "oracle": "nonce"} | asdict(outcome)
    return {name: verdict[name] for name in ("passed", "outcome", "seconds", "stderr", "isolation", "oracle")}


def missing_toolchains(languages: Iterable[str]) -> dict[str, str]:
    """Language → why its programs cannot run here."""
    return {language: "the sandbox does not run it" for language in languages if language != "python"}


def check_isolation(config: EvaluateConfig) -> None:
    """Raise `PermissionError` when this machine offers no isolation and none was waived."""
    if not config.unsafe_no_sandbox:
        isolation()


def describe_conditions() -> dict[str, Any]:
    """What a result must say of how it came about: machine and versions."""
    found = {}
    for package in ("wavecoder-ray", "ray", "openai", "pyarrow", "numpy"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {
        "machine": f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        "versions": found,
    }
