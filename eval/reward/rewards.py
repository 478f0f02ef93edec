"""`code_reward`: the oracle in the form of trl's reward functions.

trl calls a reward function as `f(prompts=…, completions=…, **columns)`, with the columns of the data set as lists, and
takes a list of floats, where None means "no reward": such a completion is left out of its group's mean and has no
advantage (trl 1.16, `GRPOTrainer._calculate_rewards` and `trl/trainer/grpo_trainer.py`). So a failure of the sandbox
is None, never 0.0.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from eval.answers.declarations import defines
from eval.reward.judging import Judged, Sample, judge_sample
from eval.reward.settings import RewardConfig
from eval.sandbox.run import isolation
from eval.sandbox.toolchains import require_toolchain

log = logging.getLogger("wavecoder.eval")

Rewards = list[float | None]
RewardFunction = Callable[..., Rewards]
Completion = str | Sequence[dict[str, Any]]

TESTS = ("tests", "test", "test_list")
"""Columns that may hold the tests: text, or a list of assertions."""


def code_reward(prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any) -> Rewards:
    """1.0 for each completion whose code passes its tests, 0.0 for one that does not.

    Args:
        prompts: texts or lists of messages, one for each completion.
        completions: texts or lists of messages, of which the last of the assistant counts.
        columns: of the data set. `tests` (or HumanEval's `test`, or MBPP's `test_list`) holds the tests: text or a list
            of assertions. Optional: `entry_point`, `language`, `declaration`, `test_setup_code`. Others are ignored.

    Returns:
        One reward for each completion; None where a row has no tests, or where the sandbox failed.

    Raises:
        ValueError: there is no column of tests, or a language is unknown.
        FileNotFoundError, PermissionError: this machine has not the toolchain, or no isolation.
    """
    return code_reward_with(RewardConfig())(prompts, completions, **columns)


def code_reward_with(
    config: RewardConfig, judge: Callable[[Sample, RewardConfig], Judged] = judge_sample
) -> RewardFunction:
    """`code_reward` with other limits.

    Args:
        config: time, memory and how many at a time.
        judge: what judges a sample.
    """

    def code_reward(prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any) -> Rewards:
        samples = samples_of(prompts, completions, columns)
        distinct = list(dict.fromkeys(sample for sample in samples if sample is not None))
        for language in {sample.language for sample in distinct}:
            require_toolchain(language)
        isolation()
        with ThreadPoolExecutor(config.workers) as pool:
            judged = dict(zip(distinct, pool.map(lambda sample: judge(sample, config), distinct), strict=True))
        found = [judged[sample] if sample is not None else None for sample in samples]
        _tell(found, columns)
        return [each.reward if each is not None else None for each in found]

    return code_reward


def samples_of(
    prompts: Sequence[Any], completions: Sequence[Completion], columns: dict[str, Any]
) -> list[Sample | None]:
    """The completions with their tests; None for a row without tests.

    Raises:
        ValueError: there is no column of tests, or a column is shorter than the completions.
    """
    name = next((each for each in TESTS if columns.get(each) is not None), None)
    if name is None:
        raise ValueError(f"code_reward wants a column of tests, named {', '.join(TESTS)}; "
                         f"the data set has {', '.join(sorted(columns)) or 'none'}")  # fmt: skip
    wanted = (name, "entry_point", "language", "declaration", "test_setup_code")
    rows = {each: _column(each, columns.get(each), len(completions)) for each in wanted}
    samples: list[Sample | None] = []
    for row, (prompt, completion) in enumerate(zip(prompts, completions, strict=True)):
        tests = _text_of_tests(rows[name][row], rows["test_setup_code"][row])
        entry_point = rows["entry_point"][row] or ""
        language = rows["language"][row] or "python"
        declaration = rows["declaration"][row] or ""
        if not declaration and entry_point and isinstance(prompt, str) and defines(prompt, entry_point, language):
            declaration = prompt
        sample = Sample(
            completion=text_of(completion),
            tests=tests,
            language=language,
            entry_point=entry_point,
            prompt=text_of(prompt, role="user"),
            declaration=declaration,
        )
        samples.append(sample if tests else None)
    return samples


def text_of(said: Completion | dict[str, Any] | None, role: str = "assistant") -> str:
    """The text of a completion or prompt: itself, or the last message of a role that has any."""
    if said is None or isinstance(said, str):
        return said or ""
    messages = [said] if isinstance(said, dict) else list(said)
    for message in reversed([each for each in messages if isinstance(each, dict)]):
        content = message.get("content")
        if isinstance(content, list):
            content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
        if message.get("role", role) == role and content:
            return str(content)
    return ""


def _column(name: str, values: Any, count: int) -> Sequence[Any]:
    if values is None or isinstance(values, str):
        return [values] * count
    if len(values) != count:
        raise ValueError(f"code_reward: column {name} has {len(values)} rows for {count} completions")
    return list(values)


def _text_of_tests(tests: Any, setup: str | None) -> str:
    text = tests if isinstance(tests, str) else "\n".join(tests or ())
    return f"{setup}\n{text}" if setup and text else text


def _tell(found: list[Judged | None], columns: dict[str, Any]) -> None:
    """Tell the log, and trl's own tables where it offers them, how the completions ended."""
    failures = [each for each in found if each is not None and each.infra_error]
    if failures:
        log.warning("code_reward: %d of %d completions have no reward, as the sandbox failed: %s",
                    len(failures), len(found), failures[0].stderr[:300])  # fmt: skip
    outcomes = ["no tests" if each is None else each.outcome for each in found]
    if callable(log_extra := columns.get("log_extra")):
        log_extra("outcome", outcomes)
    if callable(log_metric := columns.get("log_metric")):
        log_metric("code_reward/infra_error", len(failures) / max(1, len(found)))
