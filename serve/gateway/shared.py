"""Counts that all processes of a gateway share: an account is a small file, locked by whoever changes it.

So a limit holds whichever process a request comes to. A change takes a lock, a read and a write of 100 bytes, some
microseconds; only processes that serve the same key at the same moment wait for each other. What a process has under
way is kept apart from what the others have: nothing of a process that died stays taken but the tokens that its requests
had reserved.
"""

from __future__ import annotations

import fcntl
import os
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from serve.gateway.limits import SAVED, Account, Bucket, Limiter, account_from

_ACCOUNT = struct.Struct("<4d5d")
"""Both buckets, and what outlives the gateway, in `SAVED`'s order; behind it the requests under way of each process."""

_NUMBER = struct.Struct("<q")

_KEY = "key-"

_ALL_KEYS = ""
"""Id of the account that counts the places that are taken; no key has it."""


class SharedLimiter(Limiter):
    """A limiter whose counts are in a folder that other processes use, too."""

    def __init__(self, folder: Path, process: int) -> None:
        """Use the counts of a folder.

        Args:
            folder: on a local disk, or in memory; only its owner may read it.
            process: number of this one, from 0; nothing that a former one of this number had under way counts any more.
        """
        super().__init__()
        self._folder, self._process = folder, process
        self.forget(process)

    def forget(self, process: int) -> None:
        """What a process that ended had under way does not count any more."""
        for path in self._folder.iterdir():
            with _locked(path) as file:
                os.pwrite(file, _NUMBER.pack(0), _place_of(process))

    @contextmanager
    def _open(self, key_id: str) -> Iterator[Account]:
        with _locked(self._file(key_id)) as file:
            account, others = self._read(file)
            account.parallel += others
            yield account
            self._write(file, account, account.parallel - others)

    def _file(self, key_id: str) -> Path:
        return self._folder / f"{_KEY}{key_id.encode().hex()}"  # an id may be any text

    def _read(self, file: int) -> tuple[Account, int]:
        """An account with this process's requests, and the number of the others'."""
        raw = os.pread(file, 1 << 16, 0)
        if len(raw) < _ACCOUNT.size:
            return Account(), 0
        numbers = [number for (number,) in _NUMBER.iter_unpack(raw[_ACCOUNT.size :])]
        mine = numbers[self._process] if self._process < len(numbers) else 0
        taken, at, tokens, tokens_at, *saved = _ACCOUNT.unpack(raw[: _ACCOUNT.size])
        account = account_from(dict(zip(SAVED, saved, strict=True)))
        account.day, account.day_tokens = int(account.day), int(account.day_tokens)
        account.total_tokens, account.total_requests = int(account.total_tokens), int(account.total_requests)
        account.requests, account.tokens, account.parallel = Bucket(taken, at), Bucket(tokens, tokens_at), mine
        return account, sum(numbers) - mine

    def _write(self, file: int, account: Account, mine: int) -> None:
        buckets = account.requests.taken, account.requests.at, account.tokens.taken, account.tokens.at
        os.pwrite(file, _ACCOUNT.pack(*buckets, *(getattr(account, name) for name in SAVED)), 0)
        os.pwrite(file, _NUMBER.pack(mine), _place_of(self._process))

    def take_place(self, most: int) -> bool:
        """As of `Limiter`, of all processes together."""
        with self._open(_ALL_KEYS) as all_keys:
            there = all_keys.parallel < most
            all_keys.parallel += there
        return there

    def leave_place(self) -> None:
        """As of `Limiter`."""
        with self._open(_ALL_KEYS) as all_keys:
            all_keys.parallel -= 1

    def state(self) -> dict[str, dict[str, Any]]:
        """As of `Limiter`, whichever process counted."""
        found = {}
        for path in self._folder.iterdir():
            with _locked(path) as file:
                account, _ = self._read(file)
            found[bytes.fromhex(path.name.removeprefix(_KEY)).decode()] = {
                name: getattr(account, name) for name in SAVED
            }
        found.pop(_ALL_KEYS, None)
        return found

    def begin_with(self, state: dict[str, dict[str, Any]]) -> None:
        """Go on where a limiter of another gateway ended, before any process counts."""
        for key_id, saved in state.items():
            with _locked(self._file(key_id)) as file:
                self._write(file, account_from(saved), 0)


def _place_of(process: int) -> int:
    return _ACCOUNT.size + process * _NUMBER.size


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield file
    finally:
        os.close(file)
