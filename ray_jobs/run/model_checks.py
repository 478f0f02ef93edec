"""Every model that a recipe names, looked at before any work starts: all that are not there are named at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from codeocean.generate.turns import roles_of
from codeocean.teachers import TeacherConfig
from ray_jobs.run.config import Config
from ray_jobs.run.models import WEIGHTS, check_folder, check_model, check_stored_adapters, served_name
from serve.client.rules import rules_for
from serve.engines.sampling import sglang_arguments
from serve.engines.settings import is_object_storage, local_adapters


def check_models(config: Config, *, here: bool) -> None:
    """Refuse models that are not there.

    Args:
        config: the whole configuration.
        here: this machine does the work. On a cluster the cache of its nodes counts, which is not seen from here: an id
            is then only checked for its form.

    Raises:
        ValueError: one line that names each of them, its setting and what to do.
    """
    faults = []
    here = here and not os.environ.get("RAY_ADDRESS")
    for check in _checks(config, here=here):
        try:
            check()
        except (ValueError, OSError) as error:
            faults.append(str(error))
    if faults:
        raise ValueError("; ".join(dict.fromkeys(faults)))


def _checks(config: Config, *, here: bool) -> Iterator[Callable[[], object]]:
    told = os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}
    look = partial(check_model, offline=here and (config.ray.offline or told), stores=here)
    tokenizer, answers, adapters = config.collect.filters.tokenizer, config.mix.answers, config.serve.engine.adapters
    if tokenizer is not None:
        yield partial(look, tokenizer, "collect.filters.tokenizer", files=("tokenizer.json",))
    yield partial(look, config.embed.model, "embed.model", files=WEIGHTS)
    for name in roles_of(config.generate):
        role = getattr(config.generate, name)
        if role.endpoint is None:
            yield partial(look, role.model, f"generate.{name}.model", files=WEIGHTS)
            if role.engines == "sglang":
                yield partial(sglang_arguments, config.serve.engine_of(served_name(role.model)))
        if role.endpoint is not None or role.batch:
            yield partial(_check_rules, role, f"generate.{name}")
    if answers is not None and answers.endpoint is not None:
        yield partial(_check_rules, answers, "mix.answers")
    elif answers is not None:
        if answers.batch:
            yield partial(_check_rules, answers, "mix.answers")
        yield partial(look, answers.model, "mix.answers.model", files=WEIGHTS)
    yield partial(look, config.train.model, "train.model")  # also what `evaluate` scores as "base"
    if here and (folder := _folder_here(config.train.model)) is not None:
        yield partial(_trainable, config, folder)
    if here and adapters is not None:
        yield partial(check_stored_adapters if is_object_storage(adapters) else local_adapters, adapters)


def _check_rules(teacher: TeacherConfig, key: str) -> None:
    """Refuse a preset, rules or a way of asking that an endpoint does not have."""
    url, batch = teacher.endpoint or "", getattr(teacher, "batch", False)
    try:
        rules = rules_for(url, teacher.model, teacher.preset, teacher.rules, thinking=teacher.thinking)
    except ValueError as error:
        raise ValueError(f"{key}: {error}") from None
    if batch and (not url or rules.api != "chat"):
        where = url or "a model of our own"
        raise ValueError(f"{key}: batches are asked in OpenAI's form, which {where} does not have; leave batch out")


def _folder_here(model: str) -> Path | None:
    """The model's folder, or that of a hub id which lies whole in this machine's cache."""
    from huggingface_hub import try_to_load_from_cache

    if Path(model).is_dir():
        return Path(model)
    try:
        found = try_to_load_from_cache(model, "config.json")
        if isinstance(found, str):
            check_folder(Path(found).parent, model, WEIGHTS)
            return Path(found).parent
    except ValueError:  # a URL, a packaged model, or a download that was cut off
        pass
    return None


def _trainable(config: Config, folder: Path) -> None:
    """What training would refuse only after the data is paid for."""
    from training.model import check_trainable  # imports what takes seconds

    try:
        check_trainable(config.train.model_copy(update={"model": str(folder)}))
    except ValueError as error:
        raise ValueError(str(error).replace(str(folder), config.train.model)) from None
