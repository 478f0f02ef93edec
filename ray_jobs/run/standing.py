"""How far each stage of a run directory is, by the settings that are asked for now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple

from codeocean.generate.compare_runs import compare_settings
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.fingerprint import Covered, recorded
from ray_jobs.run.rundir import RunDir, record_of


class Standing(NamedTuple):
    """Where a stage stands."""

    state: str
    """`done`, `cut off`, `to do`, or `again`: it was made by other settings, or from what is made again."""
    why: str = ""
    """The settings that differ; empty where a stage is made again only because one before it is."""


def standings(config: Config, run: RunDir, stages: Iterable[str]) -> dict[str, Standing]:
    """Where stages stand. Whether files outside the run directory have changed is seen only when a stage runs.

    Args:
        config: the whole configuration.
        run: the run directory.
        stages: names, in the order of the data.

    Returns:
        stage → where it stands.
    """
    found: dict[str, Standing] = {}
    for stage in stages:
        again = any(standing.state == "again" for standing in found.values())
        found[stage] = _standing(run, stage, covered_by(stage, config), again=again)
    return found


def told_again(found: Mapping[str, Standing]) -> str:
    """A line for each stage that other settings made, and one for those behind them; empty where nothing is again."""
    lines = [f"{stage} is made again: {standing.why}" for stage, standing in found.items() if standing.why]
    behind = [stage for stage, standing in found.items() if standing.state == "again" and not standing.why]
    if behind:
        lines.append(f"made again behind it: {', '.join(behind)}")
    if lines:
        lines.append("what is there is kept in superseded/, and comes back with its settings")
    return "\n".join(lines)


def _standing(run: RunDir, stage: str, covered: Covered, *, again: bool) -> Standing:
    record = record_of(run, stage)
    if record is None:
        return Standing("to do")
    done = bool(record.get("done"))
    if not covered.same_as(record["config"], done=done):
        return Standing("again", ", ".join(_changes(stage, covered, record["config"], done=done)))
    if again:
        return Standing("again")
    return Standing("done" if done else "cut off")


def _changes(stage: str, covered: Covered, config: dict[str, Any], *, done: bool) -> list[str]:
    """`section.key was …, is …`, for each setting that decides the data."""
    earlier = config
    with suppress(ValueError):  # of a version whose settings are no longer known: all of them are compared
        section, elsewhere = recorded(type(covered.section), config)
        earlier = (covered.section.accepting(section) if done else section).identity() | elsewhere
    changed = compare_settings(earlier, covered.identity, stage)
    return [f"{key} was {_short(then)}, is {_short(now)}" for key, then, now in changed]


def _short(value: Any) -> str:
    text = str(value)
    return text if len(text) <= 40 else f"{text[:37]}..."
