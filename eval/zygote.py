"""The fork server inside the sandbox: an interpreter that never runs a program, only forks for each.

Each fork gets namespaces of its own (processes, mounts, ipc), an empty /tmp, no /proc, no capability, and the seccomp
filter, before a line of its program runs. The forks share one network namespace, which is empty, and may open no
socket. A parent outside of those namespaces waits for each, answers how long it had to wait for a processor, and kills
it when the host hangs up.

Run by `eval/warm.py` inside bubblewrap, as the process that may still make namespaces. Nothing that a program does can
reach it: it reads only the host's socket, and its memory is copied, not shared.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from eval import bootstrap  # the folder of this file is not on the path of an isolated interpreter

PRELOADED = ("typing", "math", "re", "collections", "itertools", "functools", "string", "random", "hashlib", "heapq",
             "bisect", "datetime", "copy", "operator", "enum")  # fmt: skip
"""What programs of the benchmarks import; imported once, before the first fork."""

MOUNTS = 0x00020000
NEW_NAMESPACES = MOUNTS | 0x20000000 | 0x08000000  # and processes, ipc
READ_ONLY, NO_SUID, NO_DEVICES, NO_EXEC, PRIVATE = 1, 2, 4, 8, 0x4000 | 0x40000
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, PR_SET_PDEATHSIG = 24, 38, 22, 1

libc = ctypes.CDLL(None, use_errno=True)


def serve(host: socket.socket) -> None:
    """Fork for each message of the host: `[control, order, stdin, stdout, stderr, report, (peer)]` as descriptors."""
    for name in PRELOADED:
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    _prepare()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # whoever waited for a program is not waited for
    host.send(b"ready")
    while True:
        message, descriptors, _, _ = socket.recv_fds(host, 64, 8)
        if not message:
            os._exit(0)
        if os.fork() == 0:
            host.close()
            attend(descriptors)
        for descriptor in descriptors:
            os.close(descriptor)


def attend(descriptors: list[int]) -> None:
    """Start one program and stay with it to its end; never returns."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    control = socket.socket(fileno=descriptors[0])
    try:
        _checked(libc.unshare(NEW_NAMESPACES), "unshare")
        child = os.fork()
    except OSError as error:
        control.send(json.dumps({"error": str(error)}).encode())
        os._exit(1)
    if child == 0:
        become(descriptors[1:])
    for descriptor in descriptors[1:]:
        os.close(descriptor)
    ended = os.pidfd_open(child)
    while True:
        ready, _, _ = select.select([ended, control.fileno()], [], [])
        if ended in ready:
            break
        if control.recv(16) == b"wait":
            control.send(json.dumps({"waited": waited_s(child)}).encode())
        else:
            os.kill(child, signal.SIGKILL)  # the first process of its namespace: all others die with it
            break
    _, status, usage = os.wait4(child, 0)
    result = {"status": status, "cpu": usage.ru_utime + usage.ru_stime}
    try:
        control.send(json.dumps(result).encode())
    finally:
        os._exit(0)


def become(descriptors: list[int]) -> None:
    """Turn this fork into the sandboxed process of the order; never returns."""
    try:
        os.setsid()  # a signal to its process group, which reaches across namespaces, finds only itself
        order_fd, *rest = [os.dup(descriptor) for descriptor in descriptors]
        with open(order_fd, "rb") as stream:  # noqa: PTH123 - a descriptor
            order = json.loads(stream.read())
        for place, descriptor in enumerate(rest):
            os.dup2(descriptor, place)
        os.closerange(len(rest), 1024)
        _enclose(order["limits"].pop("tmp_bytes"))
        _disarm(bytes.fromhex(order.pop("filter")))
    except OSError as error:
        os.write(2, f"sandbox: {error}".encode())
        os._exit(bootstrap.NOT_STARTED)
    bootstrap.play(order)


def _prepare() -> None:
    """What all forks inherit: mounts that are seen by nobody else, a hidden /proc, no capability to be regained."""
    _checked(libc.unshare(MOUNTS), "unshare")  # bubblewrap's mounts belong to a user namespace outside of ours
    _checked(libc.mount(b"none", b"/", None, PRIVATE, None), "mount /")
    os.chdir("/proc")  # stays within reach of those who wait for a program
    hidden = NO_SUID | NO_DEVICES | READ_ONLY | NO_EXEC
    _checked(libc.mount(b"tmpfs", b"/proc", b"tmpfs", hidden, b"size=0,mode=555"), "mount /proc")
    capability = 0
    while libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) == 0:
        capability += 1


def _enclose(tmp_bytes: int) -> None:
    size = f"size={tmp_bytes},mode=1777"
    _checked(libc.mount(b"tmpfs", b"/tmp", b"tmpfs", NO_SUID | NO_DEVICES, size.encode()), "mount /tmp")
    os.chdir("/tmp")  # noqa: S108 - inside the sandbox


def _disarm(program: bytes) -> None:
    """Give up every capability, then install the filter."""
    header, nothing = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
    _checked(libc.capset(header, nothing), "capset")
    _checked(libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges")
    if program:
        install_filter(program)


def install_filter(program: bytes) -> None:
    """Install a seccomp filter, given as BPF instructions of eight bytes."""

    class Filter(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]

    code = Filter(len(program) // 8, program)
    _checked(libc.prctl(PR_SET_SECCOMP, 2, ctypes.byref(code), 0, 0), "seccomp")


def waited_s(process: int) -> float:
    """Seconds that a process was ready to run and had no processor, of the thread that waited longest.

    The working folder is /proc.
    """
    waits = [0.0]
    for thread in Path(f"{process}/task").glob("*/schedstat"):
        try:
            waits.append(int(thread.read_text().split()[1]) / 1e9)
        except (OSError, ValueError, IndexError):
            continue
    return max(waits)


def _checked(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
