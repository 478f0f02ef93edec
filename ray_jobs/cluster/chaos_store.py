"""A door in front of an object store that can be shut: jobs behind it see a store that cannot be reached. No Ray here.

Bytes pass as they are, so that signatures hold. The host that is signed is the door's: AWS itself would not take it.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
LOOK_S, PIECE = 0.1, 1 << 16


class Door:
    """A TCP relay on a free port of 127.0.0.1; shut, it cuts what is open and refuses what comes."""

    def __init__(self, host: str, port: int) -> None:
        """Args: host and port: where the store listens."""
        self._store, self._shut_until = (host, port), 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(LOOK_S)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True, name="door")
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread.start()

    def shut(self, seconds: float) -> None:
        """Let nothing through for so long."""
        self._shut_until = time.monotonic() + seconds

    @property
    def is_shut(self) -> bool:
        """Whether nothing gets through now."""
        return time.monotonic() < self._shut_until

    def close(self) -> None:
        """End; what is open is cut."""
        self._ended.set()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            with contextlib.suppress(TimeoutError, OSError):
                client, _ = self._listener.accept()
                threading.Thread(target=self._relay, args=(client,), daemon=True).start()

    def _relay(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            if self.is_shut:
                return
            with socket.create_connection(self._store, timeout=10) as store, selectors.DefaultSelector() as selector:
                selector.register(client, selectors.EVENT_READ, store)
                selector.register(store, selectors.EVENT_READ, client)
                while not (self._ended.is_set() or self.is_shut):
                    for key, _ in selector.select(LOOK_S):
                        there: socket.socket = key.data
                        piece = key.fileobj.recv(PIECE)  # type: ignore[union-attr]  # a socket was registered
                        if not piece:
                            return
                        there.sendall(piece)


@contextmanager
def store_door() -> Iterator[Door]:
    """A door in front of the store that the environment names; jobs that start while it is open go through it.

    Raises:
        ValueError: none is named, or it is one of TLS, whose certificate would not be the door's.
    """
    named = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if named is None:
        raise ValueError("--kill store stands between the jobs and a store of your own: set AWS_ENDPOINT_URL to it")
    parts = urlsplit(os.environ[named])
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError(f"--kill store: {named} is {os.environ[named]!r}; it has to be plain http://HOST:PORT, for a "
                         "certificate would not be that of what stands in between")  # fmt: skip
    before, door = os.environ[named], Door(parts.hostname, parts.port or 80)
    os.environ[named] = door.url
    try:
        yield door
    finally:
        os.environ[named] = before
        door.close()
