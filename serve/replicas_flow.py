"""Replicas of a running Serve application, given by number: what Serve's own scaling endpoint does.

Serve's autoscaling looks at one deployment at a time; whoever knows all queues scales from outside. A replica that goes
finishes what it has, as long as `graceful_shutdown_timeout_s` of its deployment allows.
"""

from __future__ import annotations

from collections.abc import Sequence

import ray
from ray.serve._private.common import DeploymentID
from ray.serve._private.constants import SERVE_CONTROLLER_NAME, SERVE_NAMESPACE

from serve.endpoint import APPLICATION, ServeConfig
from serve.engines import Model, deployment_of
from serve.replicas import Rebalancer, begin_with


def rebalancer(models: Sequence[Model], config: ServeConfig) -> Rebalancer | None:
    """Moves replicas of the running endpoint; None where none can move. Arguments as `serve.app.endpoint`."""
    begin = begin_with([model.name for model in models], config.replicas)
    deployments = {model.name: deployment_of(model) for model in models}
    if not begin:
        return None
    capacity = {name: config.engine_of(name).max_num_seqs for name in begin}
    return Rebalancer(begin, capacity, lambda name, number: set_replicas(APPLICATION, deployments[name], number))


def set_replicas(application: str, deployment: str, number: int) -> None:
    """Have so many replicas of a deployment from now on; returns before they are there.

    Args:
        application: run with `external_scaler_enabled=True`.
        deployment: its name there.
        number: of replicas.
    """
    controller = ray.get_actor(SERVE_CONTROLLER_NAME, namespace=SERVE_NAMESPACE)
    ray.get(controller.update_deployment_replicas.remote(DeploymentID(name=deployment, app_name=application), number))
