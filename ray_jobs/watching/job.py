"""`wavecoder watch --run-dir DIR`: how far each stage is, and what runs where; in the terminal or on a page."""

from __future__ import annotations

import dataclasses
import os
import socket
import sys
import threading
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.text import Text

from core.object_store import is_object_store
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.cluster.job_api import check_address
from ray_jobs.run.command_line import as_json, flag, option, parse
from ray_jobs.run.rundir import RunDir
from ray_jobs.watching import placement, stage_views

EVERY_S, EVERY_IN_A_BUCKET_S = 2.0, 15.0
"""Between two looks; in an object store each is a request that costs money."""
NO_CLUSTER = "No cluster is named: --address http://127.0.0.1:8265 shows what runs on which node."


class Watch:
    """One run and, where one is named, the cluster."""

    def __init__(self, run: RunDir, address: str | None, every_s: float) -> None:
        """Args: run: opened. address: URL of Ray's dashboard. every_s: between two looks."""
        self._run, self._address, self.every_s = run, address, every_s
        self._stages = stage_views.StageWatcher(run)
        self._lock, self._last, self._looked = threading.Lock(), dict[str, Any](), float("-inf")

    def look(self) -> dict[str, Any]:
        """`{run, at, every_s, stages, nodes, cluster, error}`; no more often than every `every_s`, however many ask."""
        with self._lock:
            if time.monotonic() - self._looked >= 0.9 * self.every_s:
                self._last, self._looked = self._looked_at(time.time()), time.monotonic()
            return self._last

    def _looked_at(self, now: float) -> dict[str, Any]:
        stages: list[stage_views.StageView] = []
        nodes: list[placement.NodeView] = []
        errors = []
        try:
            stages = self._stages.look(now)
        except OSError as error:  # it may answer the next time
            errors.append(str(error))
        if self._address is not None:
            try:
                nodes = placement.look_at(self._address)
            except ConnectionError as error:
                errors.append(str(error))
        return {
            "run": self._run.shown(), "at": now, "every_s": self.every_s, "error": "; ".join(errors),
            "stages": [dataclasses.asdict(view) for view in stages],
            "nodes": [dataclasses.asdict(view) for view in nodes], "cluster": "" if self._address else NO_CLUSTER,
        }  # fmt: skip


def lines_of(found: dict[str, Any]) -> list[str]:
    """What a look found, a line each."""
    stages = [stage_views.StageView(**view) for view in found["stages"]]
    nodes = [placement.NodeView(**view) for view in found["nodes"]]
    return [*stage_views.lines_of(stages), *placement.lines_of(nodes), *([found["error"]] if found["error"] else [])]


def follow(watch: Watch, console: Console) -> None:
    """Show every look until Ctrl-C: redrawn in a terminal; into a pipe a line for each that is new."""
    if console.is_terminal:
        with Live(console=console, auto_refresh=False) as live:
            while True:
                live.update(Text("\n".join(lines_of(watch.look()))), refresh=True)
                time.sleep(watch.every_s)
    said: set[str] = set()
    while True:
        lines = lines_of(watch.look())
        for line in lines:
            if line not in said:
                print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)
        said = set(lines)
        time.sleep(watch.every_s)


def serve_page(watch: Watch, port: int) -> None:
    """Serve the page on 127.0.0.1 until Ctrl-C; raises `OSError` where the port is taken."""
    import uvicorn

    from ray_jobs.watching.server import application

    app, secret = application(watch.look)
    with socket.create_server(("127.0.0.1", port)) as listener:
        print(f"Ctrl-C ends. Open http://127.0.0.1:{listener.getsockname()[1]}/{secret}/", flush=True)
        settings = uvicorn.Config(app, log_level="error", access_log=False, lifespan="off", ws="none")
        uvicorn.Server(settings).run([listener])


def _open(url: str) -> RunDir:
    if "://" not in url and not Path(url).expanduser().is_dir():
        raise FileNotFoundError(f"there is no run directory {url!r}")
    return RunDir(url, create=False)


def _address(given: str | None) -> str | None:
    named = given or os.environ.get("RAY_API_SERVER_ADDRESS")
    return check_address(named) if named else None


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    given = parse("watch", JOBS["watch"], {
        "run_dir": option(str, "run directory to look at", "runs/demo", metavar="DIR"),
        "address": option(str | None, "URL of Ray's dashboard; else RAY_API_SERVER_ADDRESS", metavar="URL"),
        "every": option(float | None, "seconds between two looks (2; 15 of a bucket)", None, metavar="SECONDS"),
        "once": flag("once", "look once and end"),
        "json": flag("json", "look once: one line of JSON"),
        "page": flag("page", "a page on 127.0.0.1 instead of the terminal"),
        "port": option(int, "port of the page; 0 takes a free one", 0, metavar="N"),
    }, arguments)  # fmt: skip

    def work(_: list[RunDir]) -> None:
        if given.every is not None and given.every <= 0:
            raise ValueError(f"--every is {given.every}; it is a number of seconds above 0")
        run = _open(given.run_dir)
        every_s = given.every or (EVERY_IN_A_BUCKET_S if is_object_store(run.fs) else EVERY_S)
        watch = Watch(run, _address(given.address), every_s)
        if given.json:
            print(as_json(watch.look()))
        elif given.once:
            found = watch.look()
            print("\n".join(lines_of(found)))
            if found["error"] and not found["stages"]:
                raise OSError("what there is could not be seen")
        elif given.page:
            serve_page(watch, given.port)
        else:
            follow(watch, Console())

    return run_guarded("watch", work)


if __name__ == "__main__":
    sys.exit(main())
