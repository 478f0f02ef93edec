"""`wavecoder explore --run-dir DIR`: a local page over a run's rows, until Ctrl-C."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
import sys
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.object_store import open_url, shown_url
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import option, parse
from ray_jobs.standalone.run_copy import copy_rows

if TYPE_CHECKING:
    import uvicorn


def run_explore(run_dir: str, beside: str | None, port: int) -> None:
    """Index the run where that is needed, and serve its page on 127.0.0.1.

    Raises:
        ValueError: a directory is no run, or the port is taken.
        OSError: an object store refuses.
    """
    import uvicorn

    from report.explore.opening import Opening
    from report.explore.server import ExplorerServer

    with _listening(port) as listener:
        root, other = _local(run_dir, "run-dir"), _local(beside, "beside") if beside else None
        with contextlib.closing(Opening(root, other)) as opening, ThreadPoolExecutor(1) as worker:
            recipe = root / "config.yaml"
            prompt = functools.partial(_prompt, str(recipe)) if recipe.is_file() else None
            server = ExplorerServer(*opening.shown, prompt, open_url(run_dir) if "://" in run_dir else None)
            where = f"http://127.0.0.1:{listener.getsockname()[1]}/{server.secret}/"
            shown = shown_url(run_dir) if "://" in run_dir else root
            until = " (the first ones; all others are being indexed)" if opening.late else ""
            print(f"{opening.shown[0].total:,} rows{until} of {shown}; Ctrl-C ends. Open {where}", flush=True)
            settings = uvicorn.Config(server.app(), log_level="error", access_log=False, lifespan="off", ws="none")
            web = uvicorn.Server(settings)
            finishing = worker.submit(opening.finish, server.show)
            finishing.add_done_callback(functools.partial(_end_if_failed, web))
            try:
                web.run([listener])
            finally:
                opening.stop()
        with contextlib.suppress(CancelledError):
            finishing.result()


def _end_if_failed(web: uvicorn.Server, finishing: Future[None]) -> None:
    web.should_exit = web.should_exit or finishing.exception() is not None


def _listening(port: int) -> socket.socket:
    """A socket at a port, before anything is indexed."""
    try:
        return socket.create_server(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        said = "it is between 0 and 65535" if isinstance(error, OverflowError) else os.strerror(error.errno or 0)
        raise ValueError(f"--port {port} cannot be listened at ({said}); without --port a free one is taken") from None


def _local(path: str, name: str) -> Path:
    if "://" in path:
        return copy_rows(path)
    folder = Path(path).expanduser().resolve()
    if not folder.is_dir():
        raise ValueError(f"--{name} is {path!r}, and there is no such folder")
    return folder


def _prompt(recipe: str, task: str, raw_id: str) -> dict[str, Any]:
    from codeocean.generate.tasks import load_tasks
    from ray_jobs.prompts import row_prompts
    from ray_jobs.run.config import load_config
    from ray_jobs.run.rundir import RunDir

    root = str(Path(recipe).parent)
    config = load_config(recipe, [], root)
    tasks = load_tasks(config.generate.task_folder)
    if task not in tasks:
        raise ValueError(f"there is no task {task!r}; there are {', '.join(tasks)}")
    return dict(row_prompts(tasks[task], config, RunDir(root, create=False), raw_id))


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    options = parse("explore", JOBS["explore"], {
        "run_dir": option(str, "run directory to look at", "runs/demo", metavar="DIR"),
        "beside": option(str | None, "another run, to compare with", metavar="DIR"),
        "port": option(int, "port on 127.0.0.1; 0 takes a free one", 0, metavar="N"),
    }, arguments)  # fmt: skip
    return run_guarded("explore", lambda _: run_explore(options.run_dir, options.beside, options.port))


if __name__ == "__main__":
    sys.exit(main())
