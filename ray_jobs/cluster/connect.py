"""The cluster that a job runs in: the one it was submitted to, or a local Ray of its own."""

from __future__ import annotations

import json
import logging
import os
from contextlib import suppress
from typing import Any

import psutil
import ray
from ray.data import DataContext

from ray_jobs.cluster.open_api import find_exposure, refuse_open_cluster
from ray_jobs.cluster.patience import patient_start, without_noise
from ray_jobs.cluster.secret_refs import VARIABLE
from ray_jobs.cluster.tracing import HOOK, check_tracing
from ray_jobs.cluster.watch import watch
from ray_jobs.run.config import OFFLINE, RayConfig
from ray_jobs.run.ending import obey_sigterm
from serve.client.upstream import SERVE_SETTINGS
from serve.engines.guard import CALLBACK
from serve.settings import check_port_free

log = logging.getLogger("wavecoder.ray_jobs")


DASHBOARD_PORT = 8265
"""Ray's own; it takes the next free one where it is not told one."""

_LOCAL_RAY = {
    "RAY_BACKEND_LOG_LEVEL": "fatal",  # else a line of C++ for every pool of actors
    # Ray keeps a process for each CPU although nothing uses it, and one that has loaded torch holds half a gigabyte,
    # which the engine of the next stage needs on a laptop. Here a process goes after this long without a task.
    "RAY_num_workers_soft_limit": "0",
    "RAY_idle_worker_killing_time_threshold_ms": "10000",
    # Ray Train takes one report of each worker when it looks, every two seconds by default: checkpoints in a row wait.
    "RAY_TRAIN_HEALTH_CHECK_INTERVAL_S": "0.5",
    # A process for each group of workers, which listens for nodes that will be taken away. This is the only node.
    "RAY_TRAIN_ENABLE_PREEMPTION_WATCHER": "0",
}


def worker_environment(config: RayConfig) -> dict[str, str]:
    """Environment variables of every worker."""
    environment = {"TOKENIZERS_PARALLELISM": "false"} | CALLBACK | SERVE_SETTINGS
    if config.offline:
        environment |= OFFLINE
    return environment


def connect(config: RayConfig) -> None:
    """Connect to the cluster named by RAY_ADDRESS (a submitted job has it set), or start a local Ray; once.

    A local Ray ends with this process.

    Raises:
        ValueError: anybody on the internet can submit jobs to the cluster, and that was not allowed.
    """
    context = DataContext.get_current()
    context.enable_progress_bars = False  # each stage logs its own progress, which a job's log can show
    context.raise_original_map_exception = True  # Ray's own wrapper keeps the cause only as text
    if ray.is_initialized():
        return
    environment = worker_environment(config)
    os.environ.update(environment)
    if os.environ.get("RAY_ADDRESS"):
        join_cluster(environment)
        refuse_open_cluster(find_exposure(dashboard_port()), allowed=config.allow_open_cluster)
        watch(ray.get_runtime_context().gcs_address)
    else:
        _start_local(config, environment)
    obey_sigterm()  # Ray has set handlers of its own
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)  # a failure ends as one line of ours


def join_cluster(environment: dict[str, str]) -> None:
    """Connect to the cluster named by RAY_ADDRESS, with these environment variables in every worker.

    Of a variable that the submission sets too, its value counts: Ray refuses to be told twice.
    """
    submitted = json.loads(os.environ.get("RAY_JOB_CONFIG_JSON_ENV_VAR") or "{}").get("runtime_env", {})
    told = submitted.get("env_vars") or {}
    runtime_env: dict[str, Any] = {"env_vars": {name: value for name, value in environment.items() if name not in told}}
    if os.environ.get(VARIABLE):
        runtime_env["worker_process_setup_hook"] = "ray_jobs.cluster.secret_refs.resolve"
    ray.init(address="auto", runtime_env=runtime_env, log_to_driver=False, logging_level=logging.ERROR)


def _start_local(config: RayConfig, environment: dict[str, str]) -> None:
    for name, value in _LOCAL_RAY.items():
        os.environ.setdefault(name, value)
    if config.dashboard and config.dashboard_port:
        check_port_free("127.0.0.1", config.dashboard_port, "ray.dashboard_port")
    if config.tracing:
        check_tracing()
    start_patiently(
        _tracing_startup_hook=HOOK if config.tracing else None,
        num_cpus=config.num_cpus,
        object_store_memory=config.object_store_mb * 2**20,
        include_dashboard=config.dashboard,
        dashboard_host="127.0.0.1",
        dashboard_port=config.dashboard_port,
        runtime_env={"env_vars": environment},
        log_to_driver=False,
        logging_level=logging.ERROR,
    )
    # Ten times a second it looks into every worker's log, for a driver that shows none: a hundredth of a core.
    ray._private.worker._global_node.kill_log_monitor(check_alive=False)
    address = ray._private.worker.get_dashboard_url()
    dashboard = f", dashboard on http://{address}" if address else ""
    if address and config.dashboard_port is None and not address.endswith(f":{DASHBOARD_PORT}"):
        dashboard += f" (port {DASHBOARD_PORT} is taken)"
    log.info("started a local Ray, %s logical CPUs%s", ray.cluster_resources().get("CPU", 0), dashboard)


def start_patiently(**options: Any) -> None:
    """A local Ray, with options of `ray.init`; waits while it makes progress, and starts one that hangs again.

    Raises:
        OSError: it hung in three tries.
    """
    before = set(psutil.Process().children(recursive=True))
    for left in (2, 1, 0):
        try:
            with patient_start(), without_noise():
                ray.init(address="local", **options)
            return
        except Exception as error:  # Ray has no other for this
            if "timed out during startup" not in str(error):
                raise
        ray.shutdown()
        for process in set(psutil.Process().children(recursive=True)) - before:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        if left:
            log.info("Ray's own processes made no progress for 30 s, or ended; starting them again")
    raise OSError("Ray did not start: in three tries its processes made no progress for 30 s, or ended (load "
                  f"{os.getloadavg()[0]:.0f}); run the same command again when the machine is less busy; their logs "
                  "are in /tmp/ray/session_latest/logs")  # fmt: skip


def dashboard_port() -> int:
    """Port of the cluster's dashboard and job API."""
    return int((ray._private.worker.get_dashboard_url() or ":8265").rpartition(":")[2])
