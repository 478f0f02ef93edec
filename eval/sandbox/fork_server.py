"""The host's end of the fork server: one sandboxed interpreter for each process of ours, started when first needed."""

from __future__ import annotations

import os
import socket
import subprocess
import threading

from eval.sandbox.isolation import MOUNTED, interpreter, namespaces, path_of, seccomp_filter
from eval.sandbox.process_tree import SandboxError, Streams, WarmTree

START_TIMEOUT_S = 30.0


class ForkServer:
    """An interpreter inside the sandbox that forks for each program; it ends with this process."""

    def __init__(self, packages: tuple[str, ...] = ()) -> None:
        """Args: packages: paths of Python packages that its forks may import."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = [
            *namespaces(forks=True, packages=packages),
            *interpreter(),
            f"{MOUNTED}/zygote.py",
            str(theirs.fileno()),
            f"{seccomp_filter().hex()},{seccomp_filter(processes=True).hex()}",
            *path_of(packages, mounted=True),
        ]
        with theirs:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                env={},
            )
        ours.settimeout(START_TIMEOUT_S)
        try:
            ready = ours.recv(64)
        except TimeoutError:
            ready = b""
        if ready != b"ready":
            self._process.kill()
            _, stderr = self._process.communicate()
            raise SandboxError(f"the fork server did not start: {stderr.decode('utf-8', 'replace')[-300:]}")
        ours.settimeout(None)
        self._socket = ours
        self.owner, self.process_id = os.getpid(), self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it can still fork, for this process."""
        return self.owner == os.getpid() and self._process.poll() is None

    def spawn(self, order: int, stdin: int, peer: int | None) -> WarmTree:
        """Start a program.

        Args:
            order: descriptor of the order's file.
            stdin: descriptor of its input.
            peer: descriptor of its end of the socket to another program.
        """
        control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        streams = Streams()
        descriptors = [theirs.fileno(), order, stdin, *streams.theirs, *([] if peer is None else [peer])]
        with theirs:
            try:
                socket.send_fds(self._socket, [b"fork"], descriptors)
            except OSError as error:
                control.close()
                streams.close()
                raise SandboxError(f"the fork server is gone: {error}") from None
        streams.handed_over()
        return WarmTree(control, streams)

    def stop(self) -> None:
        """End it and whatever it forked."""
        self._socket.close()
        self._process.kill()
        self._process.communicate()


_servers: dict[tuple[str, ...], ForkServer] = {}
_lock = threading.Lock()


def fork_server(packages: tuple[str, ...] = ()) -> ForkServer:
    """This process's fork server for these packages, started anew when it is gone."""
    with _lock:
        found = _servers.get(packages)
        if found is None or not found.alive:
            found = _servers[packages] = ForkServer(packages)
        return found
