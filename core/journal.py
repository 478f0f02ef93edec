"""Answers as they come, safe from a kill at any moment: small files, each written whole or not at all, never changed.

Answers that come while a file is being written go into the next one together. So a slow object store gets few files, a
fast disk one for almost every answer, and nobody waits for more than the write before his. A file that cannot be read
(a disk's fault, not a kill's) counts as not written: its questions are asked again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import posixpath
from collections.abc import Awaitable, Callable
from typing import Any

from pyarrow import fs as pafs

from core.object_store import is_object_store
from core.storage import delete_files, read_files, write_bytes

Row = dict[str, Any]

STORE_PAUSE_S = 0.25
"""Between two files in an object store, where each is a request that costs money and is one to read after a kill."""
_PREFIX = ".answers-"


class Journal:
    """`.answers-000000.jsonl` and so on in a folder; one asyncio loop writes, whoever comes later reads."""

    def __init__(self, fs: pafs.FileSystem, folder: str) -> None:
        """Args: fs and folder: where the files are; the folder is made when the first is written."""
        self._fs, self._folder = fs, folder
        self._waiting: list[tuple[str, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None
        self._next: int | None = None
        self._pause_s = STORE_PAUSE_S if is_object_store(fs) else 0.0

    def read(self) -> list[Row]:
        """Every entry that was kept, in the order of writing."""
        entries: list[Row] = []
        for text in read_files(self._fs, [posixpath.join(self._folder, name) for name in self._names()]):
            try:
                entries += [json.loads(line) for line in text.decode("ascii").splitlines()]
            except ValueError:
                continue
        return entries

    async def keep(self, entry: Row) -> None:
        """Return when the entry is in a finished file."""
        kept = asyncio.get_running_loop().create_future()
        self._waiting.append((json.dumps(entry), kept))  # ASCII: no text of a stranger can spoil a line
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        await kept

    def forget(self) -> None:
        """Delete the files: what they hold is elsewhere now."""
        delete_files(self._fs, [posixpath.join(self._folder, name) for name in self._names()])

    async def _write_all(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            failure: Exception | None = None
            try:
                await asyncio.to_thread(self._write, [line for line, _ in batch])
            except Exception as error:  # noqa: BLE001 - whoever waits for the write gets its failure
                failure = error
            for _, kept in batch:
                if kept.done():
                    continue
                kept.set_result(None) if failure is None else kept.set_exception(failure)
            if self._pause_s:
                await asyncio.sleep(self._pause_s)
        self._writing = None

    def _write(self, lines: list[str]) -> None:
        if self._next is None:
            names = self._names()
            self._next = int(names[-1][len(_PREFIX) : -len(".jsonl")]) + 1 if names else 0
        name = f"{_PREFIX}{self._next:06d}.jsonl"
        self._next += 1
        content = "".join(f"{line}\n" for line in lines).encode("ascii")
        write_bytes(self._fs, posixpath.join(self._folder, name), content)

    def _names(self) -> list[str]:
        infos = self._fs.get_file_info(pafs.FileSelector(self._folder, allow_not_found=True))
        names = (info.base_name for info in infos)
        return sorted(name for name in names if name.startswith(_PREFIX) and name.endswith(".jsonl"))


class Remembered:
    """Results that are made once, however often a job is killed: each is kept by what it was made from."""

    def __init__(self, journal: Journal, within: object = None) -> None:
        """Args: journal: read now, and written to; within: a JSON value with what decides all results."""
        self._journal, self._within = journal, within
        self._known = {entry["key"]: entry["made"] for entry in journal.read()}

    async def make(
        self, of: object, work: Callable[[], Awaitable[Any]], worth: Callable[[Any], bool] = lambda _: True
    ) -> Any:
        """What is known of it, else what the work makes of it.

        Args:
            of: a JSON value with what decides this result.
            work: makes it, a JSON value.
            worth: whether a result is kept.
        """
        key = hashlib.sha256(json.dumps([self._within, of], sort_keys=True).encode()).hexdigest()[:32]
        if key in self._known:
            return self._known[key]
        made = await work()
        if worth(made):
            await self._journal.keep({"key": key, "made": made})
        return made
