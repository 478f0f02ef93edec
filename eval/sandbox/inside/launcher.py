"""Inside the sandbox, for languages other than Python: write the files, compile, wait for the other side, run.

Run by `eval/sandbox/toolchains.py` as a script: `launcher.py ORDER REPORT [PEER]`, three file descriptors. The
program gets the peer's as its fourth, nothing else of ours: the report and this process's memory are closed to it.
Words on the report: `<nonce> started`, `<nonce> ready` when the program is about to start, then how it ended.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

PEER = 4
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 4, 38, 22


def main() -> None:
    """Carry out the order."""
    ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)  # nobody reads /proc/<this process>
    descriptors = [int(word) for word in sys.argv[1:]]
    for before, descriptor in zip([2, *sorted(descriptors)], [*sorted(descriptors), 2**20], strict=True):
        os.closerange(before + 1, descriptor)
    for descriptor in descriptors:  # no program inherits them
        os.set_inheritable(descriptor, False)
    with open(descriptors[0], "rb") as stream:  # noqa: PTH123 - a descriptor
        order = json.loads(stream.read())
    report, peer = descriptors[1], descriptors[2] if len(descriptors) > 2 else None

    def tell(word: str) -> None:
        os.write(report, f"{order['nonce']} {word}\n".encode())

    tell("started")
    for name, text in order["files"].items():
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8", errors="replace")
    for step in order["compile"]:
        for command in step:
            status = _run(command, order["environment"], _limiter(order["compile_limits"], b"", None))
            if status == 0:
                break
        else:
            tell(_refused(status, peer, order["part"]))
            return
    if peer is not None and not _meet(peer, order["part"]):
        tell("gone")
        return
    tell("ready")
    status = _run(order["run"], order["environment"], _limiter(order["limits"], bytes.fromhex(order["filter"]), peer))
    tell(f"signal {os.WTERMSIG(status)}" if os.WIFSIGNALED(status) else f"exit {os.WEXITSTATUS(status)}")


def _refused(status: int, peer: int | None, part: str) -> str:
    """What it means that a program does not compile.

    Tests are the benchmark's own: it is the candidate that does not compile either (then its own process tells), or it
    does and has not what the tests call, of types that they could be called with.
    """
    if os.WIFSIGNALED(status):
        return f"compiler {os.WTERMSIG(status)}"
    if peer is None or part == "candidate":
        return "syntax"
    return "signature" if _meet(peer, part) else "gone"


def _meet(peer: int, part: str) -> bool:
    """The candidate's side says that it starts; the tests' side starts after that."""
    if part == "candidate":
        return os.write(peer, b"R") == 1
    return os.read(peer, 1) == b"R"


def _limiter(limits: dict[str, int], program: bytes, peer: int | None) -> Callable[[], None]:
    """What the child does between fork and exec."""

    def limit() -> None:
        if peer is not None:
            os.dup2(peer, PEER)
            os.set_inheritable(PEER, True)
        for name, value in limits.items():
            resource.setrlimit(getattr(resource, name), (value, value + 1 if name == "RLIMIT_CPU" else value))
        if program:
            libc = ctypes.CDLL(None)
            libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)

            class Filter(ctypes.Structure):
                _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

            code = Filter(len(program) // 8, program)
            if libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(code), 0, 0) != 0:
                os._exit(126)

    return limit


def _run(command: list[str], environment: dict[str, str], prepare: Callable[[], None]) -> int:
    """Wait status of a command."""
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            prepare()
            os.execve(command[0], command, environment)  # noqa: S606 - the order's own command
        except BaseException as error:  # noqa: BLE001 - between fork and exec
            os.write(2, f"{command[0]}: {error}\n".encode())
        os._exit(127)
    _, status = os.waitpid(child, 0)
    return status


if __name__ == "__main__":
    main()
