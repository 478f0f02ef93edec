"""The fork server inside the sandbox: an interpreter that never runs a program, only forks for each.

Each fork gets namespaces of its own (processes, mounts, ipc), an empty /tmp, no /proc, no capability, and the seccomp
filter, before a line of its program runs. The forks share one network namespace, which is empty, and may open no
socket. The server, outside of those namespaces, waits for all of them, answers how long one had to wait for a
processor, and kills it when the host hangs up.

Run by `eval/sandbox/fork_server.py` inside bubblewrap, as the process that may still make namespaces. Nothing that a
program does can reach it: it reads only the host's socket, and its memory is copied, not shared.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import json
import marshal
import os
import select
import signal
import socket
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
from eval.sandbox.inside import bootstrap, clocks  # an isolated interpreter has no folder of ours on its path

PRELOADED = ("typing", "math", "re", "collections", "itertools", "functools", "string", "random", "hashlib", "heapq",
             "bisect", "datetime", "copy", "operator", "enum", "statistics",
              "decimal", "fractions", "json", "dataclasses")  # fmt: skip
"""What programs of the benchmarks import; imported once, before the first fork."""

MOUNTS, IPC, PROCESSES = 0x00020000, 0x08000000, 0x20000000
MAX_DESCRIPTORS, FIRST_FREE = 2**20, 10
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, PRIVATE = 1, 2, 4, 8, 0x4000 | 0x40000
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_PDEATHSIG = 24, 38, 22, 1

libc = ctypes.CDLL(None, use_errno=True)


class Filter(ctypes.Structure):
    """The kernel's `sock_fprog`."""

    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


# Made once: each fork would copy the memory in which it makes them.
_NO_CAPABILITY = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
_filters: list[Any] = []


def serve(host: socket.socket, filters: list[bytes], path: list[str]) -> None:
    """Fork for each message of the host: `[control, order, stdin, stdout, stderr, report, (peer)]` as descriptors.

    Over `control` the host may ask `wait`; what comes over it last is how the program ended. Hanging up kills it.

    Args:
        host: the socket.
        filters: for a fork that runs a program, and for one that forks again.
        path: of packages that programs may import.
    """
    _filters.extend(_prepared(code) for code in filters)
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    home = _prepare()
    os.environ.clear()
    bootstrap.show_packages(path)
    while os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) < FIRST_FREE:
        pass  # so that what the host sends lies beyond the places that forks give it
    host.send(b"ready")
    poller, programs = select.poll(), dict[int, Program]()
    poller.register(host, select.POLLIN)
    while True:
        for descriptor, _ in poller.poll():
            if descriptor == host.fileno():
                message, descriptors, _, _ = socket.recv_fds(host, 64, 8)
                if not message:
                    os._exit(0)
                if (started := start(descriptors, home)) is not None:
                    for handle in started.handles:
                        programs[handle] = started
                        poller.register(handle, select.POLLIN)
            elif descriptor in programs:  # it may have been let go of a moment ago
                for handle in programs[descriptor].attend(descriptor):
                    poller.unregister(handle)
                    del programs[handle]


def start(descriptors: list[int], home: int) -> Program | None:
    """Fork a process that is the first of a process namespace, for a program.

    No process between: the namespace is made for the next child only, then this process turns back to its own.

    Args:
        descriptors: of the message.
        home: of this process's own namespace.
    """
    control, *rest = descriptors
    try:
        _checked(libc.unshare(PROCESSES), "unshare")
        child = os.fork()
    except OSError as error:
        _send(control, json.dumps({"error": str(error)}))
        os.close(control)
        child = -1
    if child == 0:
        become(rest)
    _checked(libc.setns(home, PROCESSES), "setns")
    for descriptor in rest:
        os.close(descriptor)
    return None if child < 0 else Program(child, control)


class Program:
    """A running program, as this process sees it.

    Args:
        child: its number.
        control: descriptor of the socket to the host.
    """

    def __init__(self, child: int, control: int) -> None:
        self._child, self._control, self._ended = child, control, os.pidfd_open(child)
        self.handles = [self._ended, control]
        """What may still tell something."""

    def attend(self, handle: int) -> list[int]:
        """Do what a handle calls for; the handles that tell nothing more."""
        if handle == self._ended:
            _, status, usage = os.wait4(self._child, 0)
            _send(self._control, f'{{"status": {status}, "cpu": {usage.ru_utime + usage.ru_stime}}}')
            os.close(self._ended)
            os.close(self._control)
            return self.handles
        try:
            asked = os.read(handle, 16)
        except OSError:
            asked = b""
        if asked:
            _send(handle, json.dumps(times_of(self._ended)))
            return []
        os.kill(self._child, signal.SIGKILL)  # the first process of its namespace: all others die with it
        self.handles = [self._ended]  # which tells when it is dead: nobody is kept waiting for that here
        return [handle]


def become(descriptors: list[int]) -> None:
    """Turn this fork into the sandboxed process of the order; never returns."""
    try:
        os.setsid()  # a signal to its process group, which reaches across namespaces, finds only itself
        order_fd, *rest = descriptors
        order = marshal.loads(os.read(order_fd, os.fstat(order_fd).st_size))  # noqa: S302 - the host's
        for place, descriptor in enumerate(rest):
            os.dup2(descriptor, place)
        os.closerange(len(rest), MAX_DESCRIPTORS)  # other programs' too
        _checked(libc.unshare(MOUNTS | IPC), "unshare")
        _enclose(order["limits"].pop("tmp_bytes"))
        _disarm(_filters["child_filter" in order])
        if "child_filter" in order:  # it runs no line of a program: its forks do, which get that filter
            order["install_filter"] = install_filter
    except OSError as error:
        os.write(2, f"sandbox: {error}".encode())
        os._exit(bootstrap.NOT_STARTED)
    bootstrap.play(order)


def _send(control: int, message: str) -> None:
    with contextlib.suppress(OSError):  # the host has hung up
        os.write(control, message.encode())


def _prepare() -> int:
    """What all forks inherit: mounts that are seen by nobody else, a hidden /proc, no capability to be regained.

    Bubblewrap's own namespaces belong to a user namespace outside of ours: we could neither mount in them nor turn
    back to them. So the server lives in namespaces of its own, as their first process.

    Returns:
        the descriptor of its process namespace.
    """
    _checked(libc.unshare(MOUNTS | PROCESSES), "unshare")
    if (server := os.fork()) != 0:
        os.waitpid(server, 0)
        os._exit(1)
    home = os.open("/proc/self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    _checked(libc.mount(b"none", b"/", None, PRIVATE, None), "mount /")
    os.chdir("/proc")  # stays within reach of those who wait for a program
    hidden = NO_SUID | NO_DEVICES | READ_ONLY | NO_EXEC
    _checked(libc.mount(b"tmpfs", b"/proc", b"tmpfs", hidden, b"size=0,mode=555"), "mount /proc")
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1
    return home


def _enclose(tmp_bytes: int) -> None:
    size = f"size={tmp_bytes},mode=1777"
    _checked(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", NO_SUID | NO_DEVICES, size.encode()), "mount /tmp")
    os.chdir("/tmp")  # noqa: S108 - inside the sandbox


def _disarm(code: Any) -> None:
    """Give up every capability, then install the filter."""
    _checked(libc.capset(*_NO_CAPABILITY), "capset")
    _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if code is not None:
        _checked(libc.prctl(PR_SET_SECCOMP, 2, code, 0, 0), "seccomp")


def _prepared(program: bytes) -> Any:
    """A seccomp filter, given as BPF instructions of eight bytes, as the kernel reads it; None where there is none."""
    return ctypes.pointer(Filter(len(program) // 8, program)) if program else None


def install_filter(program: bytes) -> None:
    """Install a seccomp filter."""
    _checked(libc.prctl(PR_SET_SECCOMP, 2, _prepared(program), 0, 0), "seccomp")


def times_of(process: int) -> dict[str, float]:
    """As `eval.sandbox.inside.clocks` has them, of a process and those that it started.

    Args:
        process: its pidfd. The working folder is /proc, of another namespace, where it has another number.
    """
    known = dict(line.split(":", 1) for line in Path(f"self/fdinfo/{process}").read_text().splitlines())
    return clocks.times_of(clocks.threads_of(int(known["Pid"]), Path()))


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    number, filters, *shown = sys.argv[1:]
    serve(socket.socket(fileno=int(number)), [bytes.fromhex(code) for code in filters.split(",")], shown)
