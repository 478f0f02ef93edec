"""Indexes made in a process of its own, so that the memory they took goes back to the system when they are there.

The process is told its work in a line of JSON. It answers with lines `{"share": …}`, each of which it has to be told
to go on after, and with one line `{"made": …}` or `{"error": …}` at the end. If its parent ends it stops by itself.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, Any

from report.explore.index import RunFiles, remove_spilled, write_index
from report.explore.search import build_text_index


def write_index_apart(
    files: RunFiles, beside: Path | None, target: Path, tell: Callable[[float], bool] = lambda _: True
) -> None:
    """As `write_index`; it ends when `tell`, which is asked twice a second, says False.

    Raises:
        ValueError: a file of the run cannot be read.
        CancelledError: `tell` said False.
    """
    if not _made_apart({"index": None, "beside": beside, "target": target}, files, tell):
        raise CancelledError


def build_text_index_apart(files: RunFiles, index: Path, tell: Callable[[float], bool]) -> bool:
    """As `build_text_index`.

    Raises:
        ValueError: a file cannot be read or written.
    """
    return _made_apart({"index": index, "beside": None, "target": None}, files, tell)


def _made_apart(work: dict[str, Any], files: RunFiles, tell: Callable[[float], bool]) -> bool:
    with subprocess.Popen(
        [sys.executable, "-m", "report.explore.apart"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        start_new_session=True,  # Ctrl-C is for the parent, whose end ends it
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            _say(process.stdin, work | {"files": asdict(files)})
            for line in process.stdout:
                told = json.loads(line)
                if "error" in told:
                    raise ValueError(told["error"])
                if "made" in told:
                    return bool(told["made"])
                if not tell(told["share"]):
                    return False
                _say(process.stdin, {})
        finally:
            process.kill()  # what it has not finished has another name, and is of no use
            process.wait()
            with suppress(BrokenPipeError):  # what it was told last may not have reached it
                process.stdin.close()
            remove_spilled(files.folder, process.pid)
    raise ValueError(f"the process that made an index ended with {process.returncode}")


def _say(stream: IO[str], told: dict[str, Any]) -> None:
    with suppress(BrokenPipeError):  # it has ended, which is seen next
        stream.write(json.dumps(told, default=str) + "\n")
        stream.flush()


def _paths(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else Path(value)


def _ask_on(tell: Callable[[float], bool]) -> None:
    """End this process when its parent is gone or wants no index: DuckDB does not say how far it is."""
    while tell(0.0):
        time.sleep(0.5)
    os._exit(1)


def main() -> None:
    """The process."""
    work = json.loads(sys.stdin.readline())
    files = RunFiles(**{name: _paths(value) for name, value in work["files"].items()})

    def tell(share: float) -> bool:
        _say(sys.stdout, {"share": share})
        return bool(sys.stdin.readline())

    try:
        if work["index"]:
            made = build_text_index(files, Path(work["index"]), tell)
        else:
            threading.Thread(target=_ask_on, args=(tell,), daemon=True).start()
            write_index(files, Path(work["beside"]) if work["beside"] else None, Path(work["target"]))
            made = True
    except (ValueError, OSError) as error:
        _say(sys.stdout, {"error": str(error)})
    else:
        _say(sys.stdout, {"made": made})


if __name__ == "__main__":
    main()
