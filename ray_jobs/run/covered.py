"""Which settings decide the data of each stage: what its digest covers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from codeocean.collect.filters import CUSTOM
from codeocean.generate.turns import roles_of
from core.user_code import source_digest
from eval.benchmarks.catalogue import folder_digest
from ray_jobs.run.config import Config
from ray_jobs.run.fingerprint import Covered
from ray_jobs.run.models import served_name
from training.settings import read_prompt


def covered_by(stage: str, config: Config) -> Covered:
    """The settings of a stage; its inputs, such as the model's files, are the job's to name.

    Args:
        stage: a name of `core.stages.STAGES`.
        config: the whole configuration.
    """
    elsewhere, section = _ELSEWHERE.get(stage), getattr(config, stage)
    if stage == "train":  # the template itself decides the model, not where its file lies
        section = section.model_copy(update={"prompt": read_prompt(section.prompt)})
    return Covered(section, elsewhere(config) if elsewhere else {})


def _rules(config: Config) -> dict[str, Any]:
    """The source of rules of the user's own; that of a source's function is in the digest of the units."""
    custom = config.collect.filters.custom
    return {"code": {name: source_digest(name, CUSTOM) for name in custom}} if custom else {}


def _teachers(config: Config) -> dict[str, Any]:
    """Engines of our own have a say in the answers: their type of numbers, their context, their adapters."""
    roles = {role: getattr(config.generate, role) for role in roles_of(config.generate)}
    return {"engines": {role: config.serve.engine_of(served_name(settings.model)).identity()
                        for role, settings in roles.items() if settings.endpoint is None}}  # fmt: skip


def _scored(config: Config) -> dict[str, Any]:
    """Which models are scored, and on which engine."""
    return {
        "models": list(config.evaluate_models),
        "base": config.train.model,
        "engine": config.serve.engine.identity(),
        **({"code": folder_digest(folder)} if (folder := config.evaluate.benchmark_folder) else {}),
    }


_ELSEWHERE: dict[str, Callable[[Config], dict[str, Any]]] = {
    "collect": _rules,
    "generate": _teachers,
    "evaluate": _scored,
}
