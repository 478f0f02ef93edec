"""Models → OpenAI-compatible endpoints on Ray Serve: an application of one deployment for each.

A deployment names its class by import path. So only a replica imports `ray.serve.llm`, and vLLM with it, which takes
several seconds of CPU.

Each replica answers HTTP itself with vLLM's own server ("direct ingress"), on a port that Serve gives it; Serve counts
these requests as its own when it scales and drains. Ray asks for HAProxy, which binds to all addresses, to spread them;
`serve.upstream` does that here, told by a thread which replicas there are.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray import serve
from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE
from ray.serve.config import HTTPOptions
from ray.util.accelerators import accelerators

from serve.client.upstream import Replicas
from serve.engines.checks import check_engine
from serve.engines.rebalance import begin_with
from serve.engines.replicas import keeping_told
from serve.engines.settings import Model, application_of, deployment_options, llm_config, slug_of
from serve.settings import ServeConfig, choose_port

log = logging.getLogger("wavecoder.serve")

LOOPBACK = "127.0.0.1"
REPLICA = "serve.engines.replica.Replica"
ACCELERATORS = [kind for name, kind in vars(accelerators).items() if not name.startswith(("_", "GOOGLE_TPU"))]
"""Types of GPU that Ray knows."""


@contextmanager
def endpoint(models: Sequence[Model], config: ServeConfig, environment: dict[str, str]) -> Iterator[Replicas]:
    """What answers for `models` while the context is open.

    Args:
        models: what is served.
        config: the port of Serve's proxy, and the engines.
        environment: environment variables of the replicas.

    Raises:
        OSError: the port is taken.
        ValueError: no replica could start like this.
        RuntimeError: a replica did not start in time; Serve's reason is in the message.
    """
    port = choose_port(config.replica_host, config.port, "serve.port", named=config.port_named)
    url = f"http://{LOOPBACK}:{port}"
    begun = time.monotonic()
    log.info(
        "starting %s on %s (loading an engine takes a minute or two on a CPU)",
        ", ".join(model.name for model in models),
        url,
    )
    secret = secrets.token_urlsafe(32)
    shared = begin_with([model.name for model in models], config.replicas)
    targets = [
        serve.RunTarget(app, application_of(name), f"/{slug_of(name)}", external_scaler_enabled=bool(shared))
        for name, app in applications(
            models, config, environment, secret, ray.get_runtime_context().runtime_env
        ).items()
    ]
    # Serve sets its logger to INFO at every start. What a user has to know is in our own lines.
    logging.getLogger("ray.serve").addFilter(_only_errors)
    serve.start(http_options=HTTPOptions(host=config.replica_host, port=port))
    replicas = Replicas(url, {model.name: config.engine_of(model.name) for model in models}, secret)
    try:
        serve.run_many(targets, wait_for_applications_running=False)
        _wait_until_ready([target.name for target in targets], config.ready_timeout_s)
        log.info("ready after %.0f s", time.monotonic() - begun)
        with keeping_told(replicas, [model.name for model in models], config.replica_host):
            yield replicas
    finally:
        _shut_down()


def applications(
    models: Sequence[Model],
    config: ServeConfig,
    environment: dict[str, str],
    secret: str,
    inherited: Mapping[str, Any],
) -> dict[str, Any]:
    """Model's name → its Serve application.

    Args:
        models: as of `endpoint`.
        config: as of `endpoint`.
        environment: as of `endpoint`.
        secret: what replicas ask for.
        inherited: runtime environment of the job.

    Raises:
        ValueError: no replica could start like this.
    """
    begin = begin_with([model.name for model in models], config.replicas)
    made = {}
    for model in models:
        engine = config.engine_of(model.name)
        check_engine(engine, ACCELERATORS)
        fields = llm_config(model, engine, environment, begin.get(model.name))
        deployment = serve.deployment(**deployment_options(fields, inherited))(REPLICA)
        made[model.name] = deployment.bind(llm_config=fields, secret=secret, source=model.source)
    return made


def _shut_down() -> None:
    """End Serve. Its own call ends the controller, which Ray would try again, and tells everybody's terminal so."""
    with suppress(ValueError, ray.exceptions.RayError):  # there is none; or it has ended by this
        controller = ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE)
        ray.get(controller.graceful_shutdown.options(max_task_retries=0).remote(), timeout=60)
    serve.shutdown()


def _only_errors(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _wait_until_ready(names: Sequence[str], timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        applications = [serve.status().applications[name] for name in names]
        if all(application.status == "RUNNING" for application in applications):
            return
        failed = [each for each in applications if each.status in {"DEPLOY_FAILED", "UNHEALTHY"}]
        if failed or time.monotonic() > deadline:
            late = failed or [each for each in applications if each.status != "RUNNING"]
            reasons = [
                f"{name}: {part.message}" for each in late for name, part in each.deployments.items() if part.message
            ]
            raise RuntimeError(f"the endpoint did not start ({late[0].status}): {' · '.join(reasons)[-2000:]}")
        time.sleep(0.5)
