"""A local Ray on a busy machine: Ray gives its own processes a fixed 30 s; here they have as long as they work.

The raylet registers once its agents run, which load Python and a good part of Ray first. Progress is CPU time of the
raylet and of what it started: one that hangs uses none.
"""

from __future__ import annotations

import inspect
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import ray

log = logging.getLogger("wavecoder.ray_jobs")

WINDOW_S = 30.0
"""How long Ray waits, and how often progress is looked for after that."""
LEAST_CORES = 0.01
"""Less than this share of a core is no progress."""
MOST_S = 1800.0

ENVIRONMENT = {
    "RAY_gcs_server_port_wait_time_s": "300",
    "RAY_agent_register_timeout_ms": "600000",
    "RAY_worker_register_timeout_seconds": "300",
}
"""Ray's other limits of the same start, for its processes."""

AGENT_PORTS = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
"""Ports of the raylet's agents. It waits 15 s for the file of each that it was not told, and then ends itself."""
UNTOLD = "dashboard_agent_listen_port"
"""Ray 2.60 does not tell the raylet this one, even where it is named: its file is written beforehand."""


class Patience:
    """Ray's `get_node`, asked again for as long as the raylet makes progress."""

    def __init__(
        self,
        get_node: Callable[[str, str], Any],
        cpu_seconds: Callable[[], float],
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """Args: get_node: raises `RuntimeError` while the node is unknown. cpu_seconds: used so far by the raylet."""
        self._get_node, self._cpu_seconds, self._clock, self._sleep = get_node, cpu_seconds, clock, sleep

    def __call__(self, gcs_address: str, node_id: str) -> Any:
        """The node's facts; raises `RuntimeError` when there is no progress."""
        begun = looked = self._clock()
        used = self._cpu_seconds()
        while True:
            try:
                return self._get_node(gcs_address, node_id)
            except RuntimeError:
                now = self._clock()
                if now - looked >= WINDOW_S:
                    before, used = used, self._cpu_seconds()
                    if used - before < LEAST_CORES * (now - looked) or now - begun > MOST_S:
                        raise
                    if looked == begun:
                        log.info("this machine is busy (load %.0f): Ray is still starting after %.0f s; waiting for as "
                                 "long as it makes progress", os.getloadavg()[0], now - begun)  # fmt: skip
                    looked = now
            self._sleep(0.2)


NOISE = b"Set ray log level from environment variable"
"""Ray's C++ side says at each start, before its level counts, that it was told a level."""


@contextmanager
def without_noise() -> Iterator[None]:
    """What this process writes to its standard error while it is open goes there line by line, but for `NOISE`."""
    sys.stderr.flush()
    kept = os.dup(2)
    reading, writing = os.pipe()
    os.dup2(writing, 2)
    os.close(writing)

    def pass_on() -> None:
        with os.fdopen(reading, "rb") as lines, os.fdopen(os.dup(kept), "wb", 0) as out:
            for line in lines:
                if NOISE not in line:
                    out.write(line)

    thread = threading.Thread(target=pass_on, daemon=True, name="standard error")
    thread.start()
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        thread.join(1.0)  # processes that Ray started may hold its other end
        os.close(kept)


@contextmanager
def patient_start() -> Iterator[None]:
    """While it is open, a local Ray that starts may take as long as it makes progress."""
    services, constants = ray._private.services, ray._private.ray_constants
    get_node, dashboard_s = services.get_node, constants.RAY_DASHBOARD_STARTUP_TIMEOUT_S
    for name, value in ENVIRONMENT.items():
        os.environ.setdefault(name, value)
    services.get_node = Patience(get_node, raylet_cpu_seconds)
    parameter = ray._private.parameter
    params, parameter.RayParams = parameter.RayParams, with_agent_ports(parameter.RayParams)
    start_raylet, services.start_raylet = services.start_raylet, with_port_file(services.start_raylet)
    constants.RAY_DASHBOARD_STARTUP_TIMEOUT_S = MOST_S  # it is left earlier when the dashboard's process ends
    try:
        yield
    finally:
        services.get_node, constants.RAY_DASHBOARD_STARTUP_TIMEOUT_S = get_node, dashboard_s
        parameter.RayParams, services.start_raylet = params, start_raylet


def with_agent_ports(params: type) -> Callable[..., Any]:
    """Ray's parameters of a start, in which the agents' ports are named: free ones, other ones at each start."""

    def named(*arguments: Any, **options: Any) -> Any:
        found = params(*arguments, **options)
        with ExitStack() as taken:  # all at once, or two would be the same
            sockets = [taken.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in AGENT_PORTS]
            for name, each in zip(AGENT_PORTS, sockets, strict=True):
                if not getattr(found, name):
                    setattr(found, name, each.getsockname()[1])
        return found

    return named


def with_port_file(start_raylet: Callable[..., Any]) -> Callable[..., Any]:
    """Ray's start of the raylet, before which the file of the port that it is not told is there."""
    signature = inspect.signature(start_raylet)

    def start(*arguments: Any, **options: Any) -> Any:
        told = signature.bind(*arguments, **options).arguments
        if told.get(UNTOLD):
            Path(told["session_dir"], f"{UNTOLD}_{told['node_id']}").write_text(str(told[UNTOLD]))
        return start_raylet(*arguments, **options)

    return start


def raylet_cpu_seconds() -> float:
    """CPU time of the raylets below this process and of what they started; 0 where there is none."""
    seconds = 0.0
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if child.name() == "raylet":
                for process in (child, *child.children(recursive=True)):
                    with suppress(psutil.Error):
                        times = process.cpu_times()
                        seconds += times.user + times.system
    return seconds
