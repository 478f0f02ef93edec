"""Models → one OpenAI-compatible endpoint on Ray Serve, with a `ray.serve.llm` deployment for each."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ray import serve
from ray.serve.config import HTTPOptions
from ray.serve.llm import LLMConfig, build_openai_app

from serve.endpoint import APPLICATION, ServeConfig, check_port_free
from serve.engines import Model, llm_config
from serve.replicas import begin_with

log = logging.getLogger("wavecoder.serve")

LOOPBACK = "127.0.0.1"
"""Where Ray Serve listens, always: it knows no keys. The gateway stands in front of it."""

_INGRESS: dict[str, Any] = {
    # It only passes requests on: it must not take a CPU away from the engines, nor wait for one.
    "ray_actor_options": {"num_cpus": 0},
    "autoscaling_config": {"min_replicas": 1, "max_replicas": 4, "target_ongoing_requests": 256},
    "max_ongoing_requests": 4096,
}


@contextmanager
def endpoint(models: Sequence[Model], config: ServeConfig, environment: dict[str, str]) -> Iterator[str]:
    """The URL (ending in /v1) of an endpoint that answers for `models` while the context is open.

    Args:
        models: what it serves.
        config: its port, and its engines.
        environment: environment variables of the replicas.

    Raises:
        OSError: the port is taken.
        RuntimeError: a replica did not start in time; Serve's reason is in the message.
    """
    check_port_free(LOOPBACK, config.port, "serve.port")
    url = f"http://{LOOPBACK}:{config.port}/v1"
    begun = time.monotonic()
    log.info(
        "starting %s on %s (loading an engine takes a minute or two on a CPU)",
        ", ".join(model.name for model in models),
        url,
    )
    # Importing ray.serve.llm sets the root logger to INFO, and Serve its own at every start: a line for every request.
    # What a user has to know is in our own lines.
    logging.getLogger().setLevel(logging.WARNING)
    logging.getLogger("ray.serve").addFilter(_only_errors)
    logging.getLogger("ray.serve.ray").setLevel(logging.ERROR)  # parent of all of ray.llm's
    serve.start(http_options=HTTPOptions(host=LOOPBACK, port=config.port))
    try:
        shared = begin_with([model.name for model in models], config.replicas)
        app = application(models, config, environment)
        serve.run(app, name=APPLICATION, blocking=False, external_scaler_enabled=bool(shared))
        _wait_until_ready(config.ready_timeout_s)
        log.info("ready after %.0f s", time.monotonic() - begun)
        yield url
    finally:
        serve.shutdown()


def application(models: Sequence[Model], config: ServeConfig, environment: dict[str, str]) -> Any:
    """The Serve application: an ingress, and behind it a deployment for each model.

    Args: as of `endpoint`.
    """
    begin = begin_with([model.name for model in models], config.replicas)
    configs = [
        LLMConfig(**llm_config(model, config.engine_of(model.name), environment, begin.get(model.name)))
        for model in models
    ]
    return build_openai_app({"llm_configs": configs, "ingress_deployment_config": _INGRESS})


def _only_errors(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _wait_until_ready(timeout_s: float) -> None:
    deadline = time.monotonic() + timeout_s
    while True:
        application = serve.status().applications[APPLICATION]
        if application.status == "RUNNING":
            return
        if application.status in {"DEPLOY_FAILED", "UNHEALTHY"} or time.monotonic() > deadline:
            reasons = [f"{name}: {part.message}" for name, part in application.deployments.items() if part.message]
            raise RuntimeError(f"the endpoint did not start ({application.status}): {' · '.join(reasons)[-2000:]}")
        time.sleep(0.5)
