"""The first code inside the sandbox for Python: sets the limits, then plays one of its parts.

`program` runs a whole program. `candidate` defines the candidate's code and answers the calls that come over a socket;
`rows` makes calls that come with the order (`rows.py`).
`tests` runs the benchmark's tests, whose calls of the candidate go over that socket: no line of the candidate is ever
executed in that process, so that its last word can be believed. `proof` and `candidates` are the same for many
candidates at once (`proving.py`, `supervisor.py`).

Run by `eval/sandbox/run.py` as a script in the sandboxed interpreter, or inside a fork of it by
`eval/sandbox/inside/zygote.py`. Its last word is `<nonce> <status>` on the file descriptor of the report.
"""

from __future__ import annotations

import builtins
import contextlib
import dis
import fcntl
import importlib
import json
import marshal
import os
import resource
import site
import socket
import sys
import traceback
import types
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from eval.sandbox.inside import ahead, rows, wire
from eval.sandbox.inside.codec import Gone  # the folder of this file is not on the path of an isolated interpreter
from eval.sandbox.inside.proof import proving, supervisor

sys.path.pop(0)
site.setquit()  # `exit` and `quit`, which programs call: an interpreter without site-packages has them not
site.sethelper()

REPORT, PEER = 3, 4
"""File descriptors, as the host lays them out."""

ONE_THREAD = dict.fromkeys(("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"), "1") | {
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": "/tmp",  # noqa: S108 - inside the sandbox
}
"""For packages: threads of their own would need memory and bring nothing, and nobody sees a window."""

NOT_STARTED = 97
"""Exit code of a sandbox that could not be set up."""


def play(order: dict[str, Any]) -> None:
    """Play the order's part to its end and report it; never returns."""
    for name, limit in order["limits"].items():
        resource.setrlimit(getattr(resource, name), (limit, limit + 1 if name == "RLIMIT_CPU" else limit))
    sys.argv = ["program.py"]
    if "path" in order:
        show_packages(order["path"])
    os.write(REPORT, f"{order['nonce']} ready\n".encode())
    status = _PARTS[order["part"]](order)
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        os.write(REPORT, f"{order['nonce']} {status}".encode())
        os._exit(0)


def show_packages(path: list[str]) -> None:
    """Let programs import what lies in some folders."""
    if path:
        sys.path += path
        os.environ |= ONE_THREAD


def _program(order: dict[str, Any]) -> str:
    space = _module(order["module"]) if order.get("module") else {"__name__": "__main__", "__builtins__": builtins}
    status, _ = _execute(order["source"], space)
    return status


def _module(name: str) -> dict[str, Any]:
    """The names of a new module: main guards do not run in it, and dataclasses, pickle and typing find it."""
    sys.modules[name] = module = types.ModuleType(name)
    vars(module)["__builtins__"] = builtins
    return vars(module)


def _candidate(order: dict[str, Any]) -> str:
    space = _module("program")  # no `__main__`, as in the benchmarks' own tools
    peer = wire.Peer(socket.socket(fileno=PEER), space)
    status, error = _execute(order["source"], space)
    peer.announce(error)
    if status == "passed":
        peer.serve()
    return status


def _rows(order: dict[str, Any]) -> str:
    space = _module("program")
    status, _ = _execute(order["source"], space)
    if status == "passed":
        calls = marshal.loads(bytes.fromhex(order["calls"]))  # noqa: S302 - the host's
        try:
            rows.write_answers(PEER, space[order["entry_point"]], calls)
        except BaseException:  # noqa: BLE001 - what it is another run tells, with a process of the tests
            return "exception"
    return status


def _tests(order: dict[str, Any]) -> str:
    peer = wire.Peer(socket.socket(fileno=PEER))
    try:
        peer.wait_ready()
    except BaseException as error:  # noqa: BLE001 - the candidate's own process tells what it was
        return "memory" if isinstance(error, MemoryError) else "gone"
    status, _ = _execute(order["source"], Names(peer, order["entry_point"]), order["entry_point"])
    return status


def _candidates(order: dict[str, Any]) -> str:
    supervisor.supervise(order, PEER, _execute, order.get("install_filter"))
    return "passed"


def _proof(order: dict[str, Any]) -> str:
    try:
        found = proving.prove(order, PEER)
    except supervisor.Lost:
        return "gone"
    os.write(REPORT, f"{order['nonce']} found {json.dumps(found)}\n".encode())
    return "passed"


_PARTS = {"program": _program, "candidate": _candidate, "rows": _rows, "tests": _tests, "candidates": _candidates,
          "proof": _proof}  # fmt: skip
_BUILTINS = {name: value for name, value in vars(builtins).items()
             if not name.startswith("_") and name not in {"print", "input", "open"}}  # fmt: skip
"""For a look at a name that is found later costs microseconds each time; but for those that tests may patch."""


class Names(dict[str, Any]):
    """The global names of the tests: their own first, then Python's, and only then the candidate's.

    Only the entry point may hide a builtin or a module of the standard library: a candidate that defines its own `abs`
    or `math` changes nothing for the tests.
    """

    def __init__(self, peer: wire.Peer, entry_point: str | None) -> None:
        super().__init__(_BUILTINS, __name__="__main__", __builtins__=builtins)
        self.pop(entry_point or "", None)
        self[ahead.BEGIN], self[rows.TAKE] = peer.ahead.begin, peer.ahead.take
        self[ahead.PREPARE] = peer.ahead.prepare
        self[ahead.CHECK] = lambda function, number: peer.ahead.check(function, self.rows[number])
        self.rows: list[rows.Rows] = []
        self.peer, self._entry_point = peer, entry_point

    def find_for_classes(self, code: types.CodeType) -> None:
        """Have what class bodies of the tests name and Python has not."""
        for name in sorted(_names_in_classes(code)):
            if name == self._entry_point or not (hasattr(builtins, name) or name in sys.stdlib_module_names):
                with contextlib.suppress(KeyError):
                    self[name] = self[name]

    def __missing__(self, name: str) -> Any:
        if name != self._entry_point:
            if hasattr(builtins, name):
                raise KeyError(name)
            if name in sys.stdlib_module_names:
                return importlib.import_module(name)
        try:
            return self.peer.look(name, named=self._entry_point not in (None, name))
        except NameError as error:
            raise KeyError(name) from error


def _names_in_classes(code: types.CodeType) -> set[str]:
    """The names that class bodies look up: Python does not ask `__missing__` there."""
    inner = [each for each in code.co_consts if isinstance(each, types.CodeType)]
    own = set[str]()
    if code.co_names[:2] == ("__name__", "__module__"):
        own = {step.argval for step in dis.get_instructions(code) if step.opname == "LOAD_NAME"}
    return own.union(*map(_names_in_classes, inner))


def _execute(source: str, space: dict[str, Any], calls: str | None = None) -> tuple[str, BaseException | None]:
    """Run source in a namespace: how it ended, and what it raised.

    Args:
        source: a program.
        space: its global names.
        calls: the function whose calls may be sent ahead.
    """
    try:
        text = source
        if isinstance(space, Names):
            text, space.rows = ahead.send_ahead(source, calls)
        try:
            code = compile(text, "program.py", "exec", dont_inherit=True)
        except SyntaxError:  # told of the text as it was
            code = compile(source, "program.py", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        traceback.print_exc(limit=0)
        return "syntax", error
    try:
        if isinstance(space, Names):
            space.find_for_classes(code)
            space.peer.watch(source)
        exec(code, space)  # noqa: S102 - this process is the sandbox's child
    except MemoryError as error:
        return "memory", error
    except SystemExit as error:
        sys.stderr.write("the program ended itself before its tests did\n")
        return "exception", error
    except Gone as error:
        return "gone", error
    except BaseException as error:  # noqa: BLE001 - whatever the program raises is its outcome
        frames = error.__traceback__.tb_next if error.__traceback__ else None
        traceback.print_exception(type(error), error, frames, limit=-3)
        return "failed" if isinstance(error, AssertionError) else "exception", error
    return "passed", None


def main() -> None:
    """Take the descriptors of order, report and peer from the command line, lay them out, and play."""
    order, *rest = [fcntl.fcntl(int(word), fcntl.F_DUPFD, 10) for word in sys.argv[1:]]
    with open(order, "rb") as stream:  # noqa: PTH123 - a descriptor
        given = json.loads(stream.read())
    for place, descriptor in enumerate(rest):
        os.dup2(descriptor, REPORT + place)
    os.closerange(REPORT + len(rest), 1024)
    play(given)


if __name__ == "__main__":
    main()
