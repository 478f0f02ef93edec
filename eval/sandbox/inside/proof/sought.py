"""What a solution looks for and does not find: a file or folder, a program, the network, whatever it makes of that.

The interpreter tells of each look before it is made (PEP 578), but for `stat`. A solution that passes nothing and
looked for something in vain is no wrong one. One that looks without a reason passes nothing anyway.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from typing import Any

NAME = "__sought__"
"""Under which a solution's namespace holds what was sought."""
NETWORK, INTERNET = "the network", (2, 10)
"""What is said of it, and the families of its addresses, versions 4 and 6."""


def watch() -> list[str]:
    """Note what this process looks for in vain from now on; the first of it is in the list that is returned."""
    found: list[str] = []
    busy = False

    def note(event: str, args: tuple[Any, ...]) -> None:
        nonlocal busy
        if busy or found or event not in _LOOKS:
            return
        busy = True  # what is asked here is a look, too
        try:
            if missing := _LOOKS[event](*args):
                found.append(missing)
        except Exception:  # noqa: BLE001, S110 - an argument of the solution's own making
            pass
        finally:
            busy = False

    sys.addaudithook(note)
    os.stat = _telling(os.stat, lambda path: note("os.stat", (path,)))
    return found


def _telling(stat: Callable[..., Any], note: Callable[[Any], None]) -> Callable[..., Any]:
    @functools.wraps(stat)
    def told(path: Any, *args: Any, **named: Any) -> Any:
        try:
            return stat(path, *args, **named)
        except OSError:
            note(path)
            raise

    return told


def _file(path: Any, _: str | None, flags: int) -> str:
    named = os.fsdecode(path)
    if flags & os.O_CREAT and "__pycache__" not in named:
        inside = named if os.path.isdir(named) else os.path.dirname(named)  # noqa: PTH112, PTH120 - tempfile opens a folder
        return "" if os.access(inside or ".", os.W_OK) else named
    return _folder(named)


def _folder(path: Any = None) -> str:
    named = os.fsdecode("." if path is None else path)  # a number is none
    return "" if os.access(named, os.R_OK) or "__pycache__" in named else named


def _program(name: Any, given: Any, *_: Any) -> str:
    return os.fsdecode(name or given[0])


_LOOKS: dict[str, Callable[..., str]] = {
    "open": _file,
    "os.stat": os.fsdecode,
    "os.listdir": _folder,
    "os.scandir": _folder,
    "os.chdir": _folder,
    "subprocess.Popen": _program,
    "os.system": lambda command: os.fsdecode(command).split()[0],
    "socket.__new__": lambda _, family, *__: NETWORK if family in INTERNET else "",
    "socket.getaddrinfo": lambda *_: NETWORK,
    "socket.gethostbyname": lambda *_: NETWORK,
}
