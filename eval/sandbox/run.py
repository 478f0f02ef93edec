"""Programs that a model wrote, run where they can do no harm: namespaces, a seccomp filter, resource limits.

Each program gets processes of its own with no network, no view of the host's processes, a read-only view of the
toolchains and system libraries, a private /tmp, an empty environment, and no way to start another process.

`run_program` believes the program itself: for Python a nonce that only a normal end writes, otherwise exit code 0.
A verdict that a program must not be able to forge is `eval.sandbox.oracle.judge`'s.
"""

from __future__ import annotations

import json
import marshal
import math
import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from eval.sandbox.caches import cache_of
from eval.sandbox.cgroups import Group, delegated
from eval.sandbox.fork_server import fork_server
from eval.sandbox.isolation import (
    INSIDE,
    MOUNTED,
    Isolation,
    interpreter,
    isolation,
    landlocked,
    namespaces,
    path_of,
    seccomp_filter,
)
from eval.sandbox.machine_speed import slowness
from eval.sandbox.process_tree import MAX_OUTPUT_BYTES, ColdTree, SandboxError, Streams, Tree, watch
from eval.sandbox.toolchains import COMPILE_LIMITS, binds, describe_end, limits_of, require_toolchain, toolchain_of
from eval.sandbox.typescript import without_types

__all__ = ["MAX_OUTPUT_BYTES", "Outcome", "SandboxError", "isolation", "run_program"]

PREPARING_S, COMPILE_TMP_MB = 60.0, 512
"""What the start of a sandbox and a compiler may take: seconds, not counting waits, and space in /tmp."""

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": ".", "TMPDIR": ".", "LANG": "C.UTF-8", "OPENSSL_CONF": "/dev/null"}

ATTEMPTS = 3
"""Tries of a sandbox that fails for its own reasons, before that is raised."""

PYTHON_ENDS = frozenset({"passed", "failed", "exception", "memory", "syntax", "gone"})
"""Last words of `eval/sandbox/inside/bootstrap.py`."""


Result = TypeVar("Result", bound=Any)


@dataclass(frozen=True)
class Outcome:
    """How a program ended."""

    passed: bool
    outcome: str
    """passed, failed (an assertion), exception, timeout, memory, syntax (or it does not compile), signature (it
    compiles, and the tests do not compile against it), crashed (a fault, or an end before the tests'), killed (by a
    signal from outside, such as a limit's)."""
    seconds: float
    stdout: str
    stderr: str
    oracle: str = "program"
    """Who decided: program (nobody else), process (tests in a process of their own), nonce (tests beside it)."""
    isolation: str = "none"
    """namespaces, landlock, or none."""


@dataclass(frozen=True)
class Limits:
    """What a program may use."""

    timeout: float
    memory_mb: int

    @property
    def wall_s(self) -> float:
        """Time on this machine: `timeout` is that of the machine that `eval.sandbox.machine_speed` compares with."""
        return self.timeout * slowness()

    def rlimits(self) -> dict[str, int]:
        """Resource limits of a Python process."""
        return {
            "RLIMIT_AS": self.memory_mb * 2**20,
            "RLIMIT_CPU": math.ceil(self.wall_s) + 1,
            "RLIMIT_FSIZE": 64 * 2**20,
            "RLIMIT_NOFILE": 64,
            "RLIMIT_CORE": 0,
        }


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
        language: python, javascript, typescript, java, go, cpp or rust.
        timeout: seconds that it may take; waiting for a busy processor is not counted.
        memory_mb: address space in MB.
        stdin: what it can read.
        unsafe_no_sandbox: run it without isolation.

    Raises:
        ValueError: the language is not supported.
        PermissionError: this machine offers no isolation.
        FileNotFoundError: the language's toolchain is not here; the message names the packages.
        OSError: the sandbox could not start; never the program's fault, and never its score.
    """
    limits = Limits(timeout, memory_mb)
    require_toolchain(language)

    def attempt() -> Outcome:
        begun = time.monotonic()
        if language == "python":
            order = python_order("program", source, limits)
            tree = start_python(order, stdin=stdin, unsafe=unsafe_no_sandbox)
        else:
            text = without_types(source) if language == "typescript" else source
            order = compiled_order("program", {toolchain_of(language).source: text}, language, limits)
            tree = start_compiled(order, language, stdin=stdin, unsafe=unsafe_no_sandbox)
        in_time = watch([tree], limits.wall_s, PREPARING_S * slowness())
        status = ending(tree, order, in_time=in_time, language=language)
        return outcome_of(status, [tree], time.monotonic() - begun, "program", unsafe=unsafe_no_sandbox)

    return retried(attempt)


def retried(attempt: Callable[[], Result], end_of: Callable[[Result], str] = lambda result: result.outcome) -> Result:
    """Try again after a failure of the sandbox, or of a machine without memory; the last one is raised.

    Args:
        attempt: runs programs.
        end_of: the word for how they ended, "killed" for a signal from outside.
    """
    for number in range(ATTEMPTS):
        killed_before = kills_for_memory()
        try:
            outcome = attempt()
            if end_of(outcome) == "killed" and kills_for_memory() > killed_before:
                raise SandboxError("the machine ran out of memory and killed programs; run fewer at a time")
        except SandboxError:
            if number + 1 == ATTEMPTS:
                raise
            time.sleep(0.2 * 2**number)
        else:
            return outcome
    raise AssertionError


def kills_for_memory() -> int:
    """Processes that the kernel has killed for want of memory since it started; 0 where it does not say."""
    try:
        counts = dict(line.split() for line in Path("/proc/vmstat").read_text().splitlines())
    except OSError:
        return 0
    return int(counts.get("oom_kill", 0))


def outcome_of(status: str, trees: Sequence[Tree], seconds: float, oracle: str, *, unsafe: bool) -> Outcome:
    """The outcome, with what the trees wrote, the deciding one last."""
    stdout, stderr = ("".join(tree.streams.text(name) for tree in reversed(trees)) for name in ("stdout", "stderr"))
    kind = "none" if unsafe else isolation().name
    return Outcome(status == "passed", status, seconds, stdout, stderr, oracle, kind)


def python_order(part: str, source: str, limits: Limits, **more: Any) -> dict[str, Any]:
    """What `eval/sandbox/inside/bootstrap.py` is to do; `packages` are paths of those that it may import."""
    order = {"part": part, "source": source, "nonce": secrets.token_hex(16), "limits": limits.rlimits()}
    return order | {"packages": ()} | more


def compiled_order(part: str, files: dict[str, str], language: str, limits: Limits) -> dict[str, Any]:
    """What `eval/sandbox/inside/launcher.py` is to do."""
    toolchain, cached = toolchain_of(language), str(cache_of(language))
    return {
        "part": part,
        "nonce": secrets.token_hex(16),
        "files": files,
        "compile": toolchain.compile(list(files), cached),
        "run": toolchain.run(limits.memory_mb, cached, part),
        "limits": limits_of(language, limits.memory_mb, math.ceil(limits.wall_s)),
        "compile_limits": COMPILE_LIMITS,
        "environment": ENVIRONMENT,
        "filter": seccomp_filter().hex(),
    }


def start_compiled(
    order: dict[str, Any], language: str, *, stdin: str = "", peer: socket.socket | None = None, unsafe: bool = False
) -> Tree:
    """Start the launcher of a language; arguments as those of `start_python`."""
    offered = Isolation("none") if unsafe else isolation()
    shown = (*binds(language), str(cache_of(language)))
    return start_cold("launcher.py", order, offered, stdin=stdin, peer=peer, shown=shown)


def start_python(
    order: dict[str, Any], *, stdin: str = "", peer: socket.socket | None = None, unsafe: bool = False
) -> Tree:
    """Start a Python process of the sandbox: a fork of the fork server where there is one, else a new interpreter.

    Args:
        order: as `python_order` makes it.
        stdin: what it can read.
        peer: its end of a socket to another one.
        unsafe: without isolation.
    """
    offered = Isolation("none") if unsafe else isolation()
    packages = order["packages"]
    if not offered.forks:
        order = order | {"path": path_of(packages, mounted=offered.name == "namespaces")}
        return start_cold("bootstrap.py", order, offered, stdin=stdin, peer=peer)
    given, typed = _in_memory(marshal.dumps(order | {"limits": order["limits"] | {"tmp_bytes": 64 * 2**20}})), -1
    try:
        typed = _in_memory(stdin.encode("utf-8", "replace")) if stdin else os.open(os.devnull, os.O_RDONLY)
        return fork_server(packages).spawn(given, typed, None if peer is None else peer.fileno())
    finally:
        os.close(given)
        if typed >= 0:
            os.close(typed)


def start_cold(
    script: str,
    order: dict[str, Any],
    offered: Isolation,
    *,
    stdin: str = "",
    peer: socket.socket | None = None,
    shown: tuple[str, ...] = (),
) -> ColdTree:
    """Start a script of ours in a process tree of its own: `prefix… python script order report (peer)`.

    Args:
        script: its name in this folder; the launcher may start processes.
        order: what it is to do.
        offered: what keeps it in.
        stdin: what it can read.
        peer: its end of a socket to another tree.
        shown: paths that it sees beside the system's.
    """
    processes, packages = script == "launcher.py", order.get("packages", ())
    folder, scripts = _folder(offered)
    streams = Streams()
    stdout, stderr, report = streams.theirs
    with _file(order) as given, _file(stdin) as typed, _file(seccomp_filter(processes=processes)) as program:
        prefix: list[str] = []
        if offered.name == "namespaces":
            prefix = namespaces(binds=shown, packages=packages, tmp_mb=COMPILE_TMP_MB if processes else 64)
            prefix += ["--seccomp", str(program.fileno())] if seccomp_filter() else []
        elif offered.name == "landlock":
            prefix = landlocked(folder or "", binds=shown, packages=packages, processes=processes)
        handed = [given.fileno(), report, *([] if peer is None else [peer.fileno()])]
        group = None
        try:
            if processes and offered.name != "none" and (group := _group(order)) is not None:
                prefix = [*group.prefix(), *prefix]
            process = subprocess.Popen(
                [*prefix, *interpreter(), f"{scripts}/{script}", *map(str, handed)],
                stdin=typed,
                stdout=stdout,
                stderr=stderr,
                pass_fds=(*handed, program.fileno()),
                start_new_session=True,
                cwd=folder,
                env={},
            )
        except OSError as error:
            streams.close()
            if group is not None:
                group.remove()
            raise SandboxError(f"the sandbox did not start: {error}") from None
    streams.handed_over()
    return ColdTree(process, streams, folder, group)


def ending(tree: Tree, order: dict[str, Any], *, in_time: bool, language: str = "python") -> str:
    """The word of a process that has ended, if that knows its order's nonce; else what its end looks like.

    Raises:
        SandboxError: the sandbox did not start.
    """
    nonce = order["nonce"]
    report, stderr, status = tree.streams.text("report"), tree.streams.text("stderr"), tree.status
    if not report.startswith(nonce) or status is None:  # our own first word, before anything of the program ran
        raise SandboxError(f"the sandbox did not start: {stderr[:300]}")
    if not in_time:
        return "timeout"
    told, _, word = report.strip().rpartition("\n")[2].partition(" ")
    if told == nonce and language != "python" and word != "ready":
        if tree.ran_out and word != "exit 0":
            return "memory"
        return describe_end(language, word, stderr, tree.streams.text("stdout"))
    if told == nonce and word in PYTHON_ENDS:
        return word
    if tree.ran_out:
        return "memory"
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    # The first process of a namespace is sent no SIGXCPU: it goes on to the second limit, which kills it.
    if number == signal.SIGXCPU or (number == signal.SIGKILL and tree.cpu_s > order["limits"]["RLIMIT_CPU"]):
        return "timeout"
    return "killed" if number in {signal.SIGKILL, signal.SIGTERM, signal.SIGSYS, signal.SIGXFSZ} else "crashed"


def _group(order: dict[str, Any]) -> Group | None:
    """A control group for a tree with a compiler in it, where there may be one."""
    parent, _ = delegated()
    program = next(order["limits"][name] for name in ("RLIMIT_AS", "RLIMIT_DATA") if name in order["limits"])
    compiler = order["compile_limits"]["RLIMIT_DATA"] if order["compile"] else 0
    return None if parent is None else Group(parent, max(program, compiler) + COMPILE_TMP_MB * 2**20)


def _folder(offered: Isolation) -> tuple[str | None, str]:
    """A folder of the host for a tree that has no /tmp of its own, and where it finds our scripts."""
    if offered.name == "namespaces":
        return None, MOUNTED
    folder = tempfile.mkdtemp(prefix="wavecoder-")
    if offered.name == "none":
        return folder, str(INSIDE)
    copies = Path(folder + MOUNTED)  # what it may not read it must have
    shutil.copytree(INSIDE, copies)
    return folder, str(copies)


def _in_memory(content: bytes) -> int:
    """The descriptor of a file in memory, at its beginning."""
    descriptor = os.memfd_create("wavecoder", os.MFD_CLOEXEC)
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _file(content: dict[str, Any] | str | bytes) -> BinaryIO:
    """A file in memory, open at its beginning."""
    stream = os.fdopen(os.memfd_create("wavecoder"), "w+b")
    stream.write(content if isinstance(content, bytes) else (
        content if isinstance(content, str) else json.dumps(content)).encode("utf-8", "replace"))  # fmt: skip
    stream.seek(0)
    return stream
