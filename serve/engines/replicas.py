"""What Serve knows of running replicas: where they listen; and how many there are to be.

Serve's autoscaling looks at one deployment at a time; whoever knows all queues scales from outside. A replica that goes
finishes what it has, as long as `graceful_shutdown_timeout_s` of its deployment allows.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import ray
from ray.serve._private.common import DeploymentID
from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE

from serve.client.upstream import Replicas
from serve.engines.rebalance import Rebalancer, begin_with
from serve.engines.settings import Model, application_of, deployment_of, slug_of
from serve.gateway.settings import is_loopback
from serve.settings import ServeConfig

LOOK_EVERY_S = 0.5


@contextmanager
def keeping_told(replicas: Replicas, models: Sequence[str], host: str = "127.0.0.1") -> Iterator[None]:
    """Tell `replicas` which there are while the context is open.

    Args:
        replicas: who is told.
        models: names.
        host: address that replicas listen on.
    """
    over = threading.Event()
    looking = threading.Thread(target=_keep_telling, args=(replicas, models, host, over), daemon=True)
    looking.start()
    try:
        yield
    finally:
        over.set()
        looking.join()


def _keep_telling(replicas: Replicas, models: Sequence[str], host: str, over: threading.Event) -> None:
    here = ray.util.get_node_ip_address() if is_loopback(host) else None
    controller = ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE)
    model_of = {application_of(name): name for name in models}
    while not over.is_set():
        with suppress(ray.exceptions.RayError):  # the controller starts again; what was there last holds till then
            groups = ray.get(controller.get_target_groups.remote(), timeout=5)
            there = {model_of[group.app_name]: group.targets for group in groups if group.app_name in model_of}
            replicas.update({name: _reachable(targets, name, here) for name, targets in there.items()})
        over.wait(LOOK_EVERY_S)


def _reachable(targets: Sequence[Any], model: str, here: str | None) -> list[str]:
    """URLs of replicas.

    Args:
        targets: as Serve lists them: while none runs, its proxy.
        model: its name.
        here: address of this machine if replicas listen on the loopback address: then, with one on another machine,
            Serve's proxy has to spread all requests.
    """
    if here is not None and any(target.ip != here for target in targets):
        return []
    running = [target for target in targets if target.name.startswith("SERVE_REPLICA::")]
    return [f"http://{'127.0.0.1' if here else target.ip}:{target.port}/{slug_of(model)}/v1" for target in running]


def rebalancer(models: Sequence[Model], config: ServeConfig) -> Rebalancer | None:
    """Moves replicas of the running endpoint; None where none can move. Arguments as `serve.engines.flow.endpoint`."""
    begin = begin_with([model.name for model in models], config.replicas)
    if not begin:
        return None
    capacity = {name: config.engine_of(name).max_num_seqs for name in begin}
    return Rebalancer(
        begin, capacity, lambda name, number: set_replicas(application_of(name), deployment_of(name), number)
    )


def set_replicas(application: str, deployment: str, number: int) -> None:
    """Have so many replicas of a deployment from now on; returns before they are there.

    Args:
        application: run with `external_scaler_enabled=True`.
        deployment: its name there.
        number: of replicas.
    """
    controller = ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE)
    ray.get(controller.update_deployment_replicas.remote(DeploymentID(name=deployment, app_name=application), number))
