"""One job at a time in a stage's folder: a lock of the kernel on a disk, a lease in an object store.

Object stores know no locks, and not all know conditional writes. They do list what was written before (S3 since 2020,
Google Cloud Storage and Azure always), and that is enough. A job writes a claim under a name of its own, then lists all
claims, and holds the lease if no other claim is alive. Of two jobs at once, the one that wrote later sees the other's.
So both never hold it; both may withdraw. Ages are taken from the store's own clock, by the claim just written.
"""

from __future__ import annotations

import _thread
import fcntl
import json
import logging
import os
import posixpath
import random
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from core.storage import write_bytes

log = logging.getLogger("wavecoder.ray_jobs")


@dataclass(frozen=True)
class Times:
    """How long a lease lasts, in seconds."""

    expiry: float = 60.0
    """A claim that nobody renewed for so long counts as left by a dead job."""
    renewal: float = 15.0
    poll: float = 5.0
    """Between two looks of a job that waits for an old claim to be renewed or to expire."""


@contextmanager
def lock_file(path: Path, what: str) -> Iterator[None]:
    """Hold a file's lock.

    Raises:
        ValueError: another process holds it.
    """
    with path.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise ValueError(
                f"{what} is being written by another job (process {lock.read().strip() or 'unknown'}); "
                "wait for it, or take another --run-dir"
            ) from None
        except OSError as error:  # NFS without locks, say: work goes on as it would elsewhere
            log.warning("%s cannot be locked (%s); start no second job on this run directory", lock.name, error)
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        yield


@contextmanager
def hold_lease(fs: pafs.FileSystem, folder: str, what: str, times: Times = Times()) -> Iterator[None]:
    """Hold the lease of a folder of claims, renewed by a thread.

    Raises:
        ValueError: another job holds it, or took it while this one was cut off from the store for too long.
    """
    lease = Lease(fs, folder, what, times)
    lease.acquire()
    try:
        yield
    except KeyboardInterrupt:
        if lease.lost:
            raise ValueError(f"{what}: another job took it, for this one renewed no lease for {times.expiry:.0f} s; "
                             "run the same command again when that job has ended") from None  # fmt: skip
        raise
    finally:
        lease.release()


class Lease:
    """One job's claim on a folder."""

    def __init__(self, fs: pafs.FileSystem, folder: str, what: str, times: Times) -> None:
        """Args: fs and folder: where claims lie. what: is held, for the messages. times: of expiry and renewal."""
        self._fs, self._folder, self._what, self._times = fs, folder, what, times
        self._name = f"{uuid.uuid4().hex}.json"
        self._claim = {"host": socket.gethostname(), "process": os.getpid(), "machine": _machine(),
                       "since": datetime.now(UTC).isoformat(timespec="seconds")}  # fmt: skip
        self._renewed = 0.0
        self._ends, self._renewing = threading.Event(), threading.Thread(target=self._renew, daemon=True)
        self.lost = False
        """Whether another job took the lease from this one."""

    def acquire(self) -> None:
        """Take the lease; waits for a claim to expire whose job may be dead.

        Raises:
            ValueError: another job holds it.
            OSError: the store refuses, or does not list what was just written.
        """
        seen: dict[str, int] = {}
        limit = time.monotonic() + 2 * self._times.expiry + 4 * self._times.poll
        while others := self._try():
            name, written = next(iter(others.items()))
            owner = self._owner(name)
            if seen.get(name, written) != written or time.monotonic() > limit:
                raise ValueError(f"{self._what} is being written by another job ({_in_words(owner)}); wait for it, or "
                                 "take another --run-dir")  # fmt: skip
            if not seen:
                log.info("%s was begun by a job (%s); waiting up to %.0f s to see whether it is alive",
                         self._what, _in_words(owner), self._times.expiry)  # fmt: skip
            seen |= others
            time.sleep(self._times.poll * random.uniform(0.5, 1.5))  # two that look at once do not again
        self._renewing.start()

    def release(self) -> None:
        """Give the lease back."""
        self._ends.set()
        if self._renewing.is_alive():
            self._renewing.join()
        self._withdraw(self._name)

    def _try(self) -> dict[str, int]:
        """Write the claim; holds the lease if there is no other. Else it is withdrawn, and the others are returned.

        Returns:
            Other live claims and when they were written, in ns of the store's clock.
        """
        begun = _clock()
        write_bytes(self._fs, posixpath.join(self._folder, self._name), json.dumps(self._claim).encode())
        infos = self._fs.get_file_info(pafs.FileSelector(self._folder, allow_not_found=True))
        written = {info.base_name: info.mtime_ns for info in infos if info.is_file}
        if self._name not in written:
            self._withdraw(self._name)
            raise OSError(f"{self._what}: the store does not list what was just written, and only its listing keeps "
                          "two jobs apart; take a store that does, as those of AWS, Google and Azure do")  # fmt: skip
        now, others = written.pop(self._name), {}
        for name, when in written.items():
            if now - when > self._times.expiry * 1e9 or _is_dead(self._owner(name)):
                self._withdraw(name)
            else:
                others[name] = when
        if others:
            self._withdraw(self._name)
        else:
            self._renewed = begun
        return others

    def _renew(self) -> None:
        """Write the claim again and again.

        Others see a claim that is written again in time as alive, and withdraw. One that comes late may have been taken
        for dead: then it counts only if nobody else has one.
        """
        while not self._ends.wait(self._times.renewal):
            begun = _clock()
            try:
                if begun - self._renewed < self._times.expiry:
                    write_bytes(self._fs, posixpath.join(self._folder, self._name), json.dumps(self._claim).encode())
                    if _clock() - self._renewed < self._times.expiry:
                        self._renewed = begun
                        continue
                lost = bool(self._try())
            except OSError as error:  # the store does not answer: nor does it to others who would take the lease
                log.warning("the lease of %s could not be renewed: %s", self._what, " ".join(str(error).split())[:200])
                continue
            if lost:
                self.lost = True
                _thread.interrupt_main()
                return

    def _owner(self, name: str) -> dict[str, Any]:
        try:
            with self._fs.open_input_stream(posixpath.join(self._folder, name)) as stream:
                owner: dict[str, Any] = json.loads(stream.read())
        except (OSError, ValueError):
            return {}
        return owner

    def _withdraw(self, name: str) -> None:
        with suppress(OSError):  # gone already, or it expires by itself
            self._fs.delete_file(posixpath.join(self._folder, name))


def _machine() -> str:
    """This boot of this machine and this namespace of process numbers."""
    boot = Path("/proc/sys/kernel/random/boot_id")
    if not boot.exists():
        return ""
    return f"{boot.read_text().strip()} {Path('/proc/self/ns/pid').stat().st_ino}"


def _is_dead(owner: dict[str, Any]) -> bool:
    """Whether the job ran on this machine and is gone."""
    here = bool(owner.get("machine")) and owner["machine"] == _machine()
    return here and not Path(f"/proc/{owner['process']}").exists()


def _in_words(owner: dict[str, Any]) -> str:
    process, host = owner.get("process", "?"), owner.get("host", "an unknown host")
    return f"process {process} on {host}, since {owner.get('since', '?')}"


def _clock() -> float:
    """Seconds that also pass while the machine sleeps."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
