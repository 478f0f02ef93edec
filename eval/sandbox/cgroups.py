"""Control groups (version 2): limits of a whole process tree, where this process may make any.

A tree with a compiler or a virtual machine in it has more than one process, and files in /tmp are memory too: resource
limits count neither together. A group does. Made below this process's own group, if that one is delegated to us: in a
scope of `systemd-run --user --scope -p Delegate=yes …`, as root of a container with a group of its own, or as root of
the machine. Version 1 is not used.

Python's programs need none: they are one process each, and its /tmp is bounded.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import time
from functools import cache
from pathlib import Path

ROOT, MAIN = Path("/sys/fs/cgroup"), "wavecoder-main"
CONTROLLERS = {"memory", "pids"}
MAX_PROCESSES = 512
"""Of one tree, threads included."""

_numbers = itertools.count()

JOIN = 'group=$1; shift; echo $$ > "$group/cgroup.procs" || exit 97; exec "$@"'
"""A shell's script: this process, and so all that it will start, goes into the group, then becomes the command."""


@cache
def delegated() -> tuple[Path | None, str]:
    """The group below which ours may be made, or None and why."""
    own = next((line[3:] for line in Path("/proc/self/cgroup").read_text().splitlines() if line[:3] == "0::"), None)
    if own is None or not (ROOT / "cgroup.controllers").is_file():
        return None, "control groups are of version 1"
    group = ROOT / own.lstrip("/")
    group = group.parent if group.name == MAIN else group
    try:
        missing = CONTROLLERS - set((group / "cgroup.controllers").read_text().split())
        if missing:
            return None, f"the group has no {' and no '.join(sorted(missing))} controller"
        if not set((group / "cgroup.subtree_control").read_text().split()) >= CONTROLLERS:
            _enable(group)
        probe = group / f"wavecoder-{os.getpid()}-probe"
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        hint = "; start in one of your own: systemd-run --user --scope -p Delegate=yes …"
        return None, f"the group is not ours ({error.strerror}){hint}"
    return group, ""


def _enable(group: Path) -> None:
    """Hand the controllers down; a group of ours that has processes must first send them into a child."""
    words = " ".join(f"+{name}" for name in sorted(CONTROLLERS))
    try:
        (group / "cgroup.subtree_control").write_text(words)
    except OSError as error:
        if error.errno != errno.EBUSY or not _is_delegated(group):
            raise
        (group / MAIN).mkdir(exist_ok=True)
        for process in (group / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                (group / MAIN / "cgroup.procs").write_text(process)
        (group / "cgroup.subtree_control").write_text(words)


def _is_delegated(group: Path) -> bool:
    """Whether the system's manager left this group, and whatever is in it, to us."""
    for name in ("user.delegate", "trusted.delegate"):
        with contextlib.suppress(OSError):
            if os.getxattr(group, name) == b"1":
                return True
    return group == ROOT  # of a container, whose processes are all ours


class Group:
    """A group for one tree.

    Args:
        parent: as `delegated` found it.
        memory_bytes: of all its processes and their files in /tmp.
    """

    def __init__(self, parent: Path, memory_bytes: int) -> None:
        self.folder = parent / f"wavecoder-{os.getpid()}-{next(_numbers)}"
        self.folder.mkdir()
        (self.folder / "pids.max").write_text(str(MAX_PROCESSES))
        with contextlib.suppress(FileNotFoundError):  # a kernel without swap
            (self.folder / "memory.swap.max").write_text("0")
        (self.folder / "memory.oom.group").write_text("1")
        (self.folder / "memory.max").write_text(str(memory_bytes))

    def prefix(self) -> list[str]:
        """What stands before a command that is to run in it."""
        return ["/bin/sh", "-c", JOIN, "sh", str(self.folder)]

    def ran_out(self) -> bool:
        """Whether the kernel killed one of its processes for want of memory."""
        events = dict(line.split() for line in (self.folder / "memory.events").read_text().splitlines())
        return int(events.get("oom_kill", 0)) > 0

    def remove(self) -> None:
        """Kill what is left in it, and take it away."""
        with contextlib.suppress(OSError):
            (self.folder / "cgroup.kill").write_text("1")
        deadline = time.monotonic() + 2.0
        while time.monotonic() < deadline:
            try:
                self.folder.rmdir()
            except OSError as error:
                if error.errno != errno.EBUSY:
                    return
                time.sleep(0.005)
            else:
                return
