"""`<run>/select` → `<run>/generate/round-*` → `<run>/codeocean`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from codeocean.asking import Chat
from codeocean.generate_flow import generate
from codeocean.parts import read_part, read_parts
from codeocean.prompts import prompt_version
from codeocean.rounds import plan_rounds
from codeocean.tasks import load_tasks
from ray_jobs.cli import run_job
from ray_jobs.cluster import connect
from ray_jobs.config import Config
from ray_jobs.export import write_codeocean
from ray_jobs.models import resolve_model, served_name
from ray_jobs.rundir import Manifest, RunDir, StageResult, required, run_stage
from ray_jobs.serve import serving
from serve.client import ChatClient
from serve.endpoint import EndpointConfig

ROLES = ("generator", "discriminator")


def run_generate(config: Config, run: RunDir) -> Manifest:
    """Generate and judge, then write CodeOcean."""
    selected = required(run, "select")
    tasks = load_tasks(config.generate.task_folder)
    rows = _coreset_rows(run)

    def work() -> StageResult:
        connect(config.ray)
        with _roles(config) as roles:
            result, tokens = generate(config.generate, tasks, rows, roles, run.fs, run.path("generate"))
        models = {role: getattr(config.generate, role).model for role in ROLES}
        rounds = len(plan_rounds(len(rows), config.generate.round_size))
        details = {"rounds": rounds, "tokens": tokens, "yields": result.tasks, "rules": result.rules} | models
        return StageResult(len(rows), len(result.accepted), dict(result.dropped), result.examples, details)

    versions = {name: prompt_version(task) for name, task in tasks.items()}
    inputs = {"select": selected["digest"]} | {f"prompt {name}": version for name, version in versions.items()}
    generated = run_stage(run, "generate", config.section("generate"), inputs, work)
    return write_codeocean(config, run, rows, generated)


def _coreset_rows(run: RunDir) -> list[dict[str, Any]]:
    """RAW_CODE rows of the coreset, in the order of the picks."""
    ids = read_part(run.fs, run.path("select", "coreset.parquet"), ["id"])["id"].to_pylist()
    wanted = pa.array(ids)
    raw = read_parts(run.fs, run.path("collect"))
    found = {row["id"]: row for row in raw.filter(pc.is_in(raw["id"], wanted)).to_pylist()}
    return [found[id_] for id_ in ids]


@contextmanager
def _roles(config: Config) -> Iterator[dict[str, tuple[Chat, str]]]:
    """Role → a chat and the model's name there; models without an endpoint are served while the context is open."""
    settings = {role: getattr(config.generate, role) for role in ROLES}
    hosted = {
        served_name(role.model): resolve_model(role.model, f"generate.{name}.model")
        for name, role in settings.items()
        if role.endpoint is None
    }
    if not hosted:
        yield {name: _foreign(role) for name, role in settings.items()}
        return
    with serving(config, hosted) as url:
        ours = ChatClient(EndpointConfig(url=url))
        yield {
            name: (ours, served_name(role.model)) if role.endpoint is None else _foreign(role)
            for name, role in settings.items()
        }


def _foreign(role: Any) -> tuple[Chat, str]:
    return ChatClient(EndpointConfig(url=role.endpoint, api_key_env=role.api_key_env)), role.model


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    return run_job("generate", run_generate, arguments)


if __name__ == "__main__":
    sys.exit(main())
