"""`<run>/select` → `<run>/generate/round-*`."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any, Literal

import ray

from codeocean.generate.few_shot import plan_rounds
from codeocean.generate.flow import Follow, Prover, Roles, generate
from codeocean.generate.jobs import SandboxJob
from codeocean.generate.ledger import ROLES, Ledger, cost_rows
from codeocean.generate.prompts import prompt_version
from codeocean.generate.round_store import Rounds
from codeocean.generate.tasks import load_tasks
from codeocean.generate.tester import prompt_digest
from codeocean.generate.turns import SANDBOX, roles_of
from codeocean.select.picked_rows import picked_rows
from codeocean.verify.proof import run_proof
from core.chat import Chat
from eval.sandbox.isolation import isolation
from eval.sandbox.proof import prove
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.models import served_name
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, required, run_stage
from ray_jobs.serve import client_of, data_engines, endpoint_client, endpoint_of, hosted_models, serving
from serve.client.batches import BatchChat
from serve.engines.rebalance import begin_with
from serve.engines.replicas import rebalancer
from serve.engines.settings import Model

log = logging.getLogger("wavecoder.ray_jobs")

INSIDE: tuple[Literal["data", "sglang"], ...] = ("data", "sglang")
"""Engines of a role that run inside Ray Data."""

OWN_RETRIES = 12
"""Tries at engines of our own, with pauses of 70 s in all: Ray Serve takes up to 35 s to replace a proxy that died."""


def run_generate(config: Config, run: RunDir) -> Manifest:
    """Generate and judge."""
    selected = required(run, "select")
    tasks = load_tasks(config.generate.task_folder)
    rows = picked_rows(run.fs, run.root)

    def work() -> StageResult:
        learnt: dict[str, list[str]] = {}

        @contextmanager
        def opened() -> Iterator[Roles]:
            connect(config.ray)
            sandbox = {SANDBOX: (prover(config), "")} if config.generate.tests else {}
            with open_roles(config, roles_of(config.generate), run=run) as models:
                yield models | sandbox
            told = {role: getattr(chat, "learnt", {}).get(model) for role, (chat, model) in models.items()}
            learnt.update({role: said for role, said in told.items() if said})

        follow = replica_follower(config)
        result, ledger = generate(config.generate, tasks, rows, opened, run.fs, run.path("generate"), follow)
        models = {role: getattr(config.generate, role).model for role in roles_of(config.generate)}
        rounds = len(plan_rounds(len(rows), config.generate.round_size))
        details = {"rounds": rounds, "yields": result.tasks, "rules": result.rules} | models
        files = Rounds(run.fs, run.path("generate"), {})
        details |= _costs(config, files, ledger, rounds) | {"endpoints": learnt}
        unanswered = files.unanswered(range(rounds))
        return StageResult(len(rows), len(result.accepted), dict(result.dropped), result.examples, details, unanswered)

    versions = {name: prompt_version(task) for name, task in tasks.items()}
    if config.generate.tests:
        versions["of tests"] = prompt_digest(round_trip=config.generate.round_trip)
    inputs = {"select": selected["digest"]} | {f"prompt {name}": version for name, version in versions.items()}
    return run_stage(run, "generate", covered_by("generate", config), inputs, work)


def _costs(config: Config, files: Rounds, ledger: Ledger, rounds: int) -> dict[str, Any]:
    """The ledger for the manifest: in all, by role, and what an accepted instance took by task and by round."""
    whole = ledger.whole()
    roles = {role: getattr(config.generate, role) for role in roles_of(config.generate)}
    by_round = [(str(number), files.ledger(number).whole()) for number in range(rounds)]
    parts = {"tasks": ledger.tasks.items(), "rounds": by_round, "all": [("all", whole)]}
    hosted = sorted({served_name(role.model) for role in roles.values() if role.endpoint is None})
    begin = begin_with(hosted, config.serve.replicas)
    engines = [(config.serve.engine_of(name), begin.get(name)) for name in hosted]
    replicas = [(engine, engine.min_replicas if number is None else number) for engine, number in engines]
    return {
        "tokens": {
            "prompt": sum(used.prompt_tokens for used in whole.used.values()),
            "cached": sum(used.cached_tokens for used in whole.used.values()),
            "completion": sum(used.completion_tokens for used in whole.used.values()),
        },
        "ledger": {
            "wall_s": round(ledger.wall_s, 1),
            "cpu_s": round(ledger.wall_s * sum(number * engine.cpus for engine, number in replicas), 1),
            "gpu_s": round(ledger.wall_s * sum(number * engine.gpus for engine, number in replicas), 1),
            "roles": {role: used.as_json() for role, used in whole.used.items()},
        }
        | {name: cost_rows(part, ledger, roles, config.generate.spending) for name, part in parts.items()},
    }


@contextmanager
def open_roles(
    config: Config, names: tuple[str, ...] = ROLES, run: RunDir | None = None
) -> Iterator[dict[str, tuple[Chat, str]]]:
    """Role → a chat and the model's name there; models without an endpoint are loaded while the context is open.

    Args:
        config: the whole configuration.
        names: of the roles.
        run: where batches are noted; without it questions are asked one by one.
    """
    roles = {name: getattr(config.generate, name) for name in names}
    with ExitStack() as stack:
        served = hosted_models(config, names, "serve")
        upstream = stack.enter_context(serving(config, served)) if served else None
        inside = {(kind, name): stack.enter_context(data_engines(config, name, source, kind))
                  for kind in INSIDE for name, source in hosted_models(config, names, kind).items()}  # fmt: skip
        chats: dict[tuple[str, ...], Chat] = {}
        opened = {}
        for name, role in roles.items():
            model = role.model if role.endpoint else served_name(role.model)
            # Roles at one endpoint share a client, which finds out how many requests it bears. Models of our own have
            # engines of their own.
            how = (str(role.preset), str(role.rules), str(role.thinking), str(role.batch))
            place = (role.endpoint, role.api_key_env or "", *how) if role.endpoint else (role.engines, model)
            if place not in chats and place in inside:
                chats[place] = inside[role.engines, model]
            elif place not in chats and role.endpoint and role.batch and run is not None:
                chats[place] = BatchChat(endpoint_of(role, 1), run.fs, run.path("generate", ".batches"))
            elif place not in chats and role.endpoint:
                chats[place] = endpoint_client(role, config.generate.concurrency)
            elif place not in chats and upstream is not None:
                chats[place] = client_of(
                    upstream, model, max_retries=OWN_RETRIES, concurrency=config.generate.concurrency
                )
            opened[name] = (chats[place], model)
        yield opened


def replica_follower(config: Config) -> Follow | None:
    """What moves replicas between the models of the two roles as their queues need; None where none can move."""
    served = hosted_models(config, roles_of(config.generate), "serve")
    balance = rebalancer([Model(name, source) for name, source in served.items()], config.serve)
    if balance is None:
        return None
    names = roles_of(config.generate)
    model_of = {name: served_name(getattr(config.generate, name).model) for name in names}

    def follow(unanswered: Mapping[str, int]) -> None:
        move = balance.follow({model: unanswered[name] for name, model in model_of.items()}, time.monotonic())
        if move is not None:
            log.info("one replica moves from %s to %s: %s", *move, balance.replicas)

    return follow


def prover(config: Config) -> Prover:
    """What runs solutions against tests, as Ray tasks.

    Raises:
        ValueError: tests are asked for, and this machine offers no isolation.
    """
    try:
        isolation()
    except PermissionError as error:
        raise ValueError(f"generate.tests needs the sandbox: {error}; or set generate.tests to 0") from None
    verify = config.codeocean.verify
    task = ray.remote(num_cpus=verify.cpus_per_program, max_retries=3)(run_proof)
    sandboxed = partial(prove, timeout=verify.timeout_s / 2, memory_mb=verify.memory_mb)

    async def run(job: SandboxJob) -> dict[str, Any]:
        found: dict[str, Any] = await task.remote(job, sandboxed)
        return found

    return run


main = main_of("generate")

if __name__ == "__main__":
    sys.exit(main())
