"""API keys: who may ask what, kept in one JSON file that holds no key.

A key is `wc-<id>-<secret>`, 256 random bits; the file keeps its SHA-256. A slow hash would add nothing: nobody guesses
256 bits, and a fast one lets every request be checked. The file is written atomically and under a lock, readable by its
owner only. A running gateway reads it again when it changes: a revoked key is refused from the next request on.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import math
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import AwareDatetime, BaseModel, Field, ValidationError

from serve.gateway.limits import SAVED, Limits

log = logging.getLogger("wavecoder.serve")

Route = Literal["models", "chat", "completions", "embeddings", "metrics"]
"""What a key can be scoped to. `metrics` is for operators: no key has it unless it is given."""

CLIENT_ROUTES: tuple[Route, ...] = tuple(route for route in get_args(Route) if route != "metrics")


class Key(BaseModel, frozen=True, extra="forbid", use_attribute_docstrings=True):
    """What is known of a key; not the key."""

    id: str
    """Names it in lists and logs."""

    name: str = Field(min_length=1, max_length=100)
    """Whose it is, in the operator's words."""

    digest: str = Field(pattern="^[0-9a-f]{64}$")
    """SHA-256 of the whole key, hexadecimal."""

    created: AwareDatetime
    """When it was made."""

    expires: AwareDatetime | None = None
    """From when on it is refused; None: never."""

    revoked: AwareDatetime | None = None
    """When it was taken back; None: it was not."""

    models: tuple[str, ...] | None = None
    """Names of the models that it may ask; None: all."""

    routes: tuple[Route, ...] = CLIENT_ROUTES
    """What it may call."""

    limits: Limits = Limits()
    """How much it may use."""

    def standing(self, now: datetime) -> Literal["active", "expired", "revoked"]:
        """Whether it is good at a time."""
        if self.revoked is not None:
            return "revoked"
        return "expired" if self.expires is not None and now >= self.expires else "active"


class _KeyFile(BaseModel, frozen=True, extra="forbid"):
    version: Literal[1] = 1
    keys: tuple[Key, ...] = ()


def read_keys(path: Path) -> tuple[Key, ...]:
    """All keys of a file, also those that are no longer good.

    Raises:
        ValueError: it is no file of keys, or others can write to it.
        OSError: it cannot be read.
    """
    if not path.exists():
        raise FileNotFoundError(
            f"there is no file of keys at {path}; make one with: wavecoder keys create --keys {path} --name WHO"
        )
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder, where a file of keys is wanted, such as {path / 'keys.json'}")
    if path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise ValueError(f"{path} can be changed by other users, who could add keys; run: chmod 600 {path}")
    try:
        return _KeyFile.model_validate_json(path.read_bytes()).keys
    except ValidationError as error:
        said = (f"{'.'.join(map(str, each['loc'])) or 'the file'}: {each['msg']}"
                for each in error.errors(include_url=False, include_input=False))  # fmt: skip
        raise ValueError(f"{path} is no file of keys ({'; '.join(said)})") from None


def create_key(path: Path, **fields: Any) -> tuple[str, Key]:
    """Add a key to the file, which is made if need be.

    Args:
        path: the file.
        fields: of `Key`, aside from id, digest and created.

    Returns:
        The key itself, which is stored nowhere, and what is kept of it.

    Raises:
        ValueError: a field is not allowed, or what lies there is no file of keys.
    """
    id_ = secrets.token_hex(4)
    secret = f"wc-{id_}-{secrets.token_urlsafe(32)}"
    key = Key(id=id_, digest=digest_of(secret), created=datetime.now(UTC).replace(microsecond=0), **fields)
    with _changing(path, new=True) as keys:
        keys.append(key)
    return secret, key


def revoke_key(path: Path, id_: str) -> Key:
    """Refuse a key from now on; it stays in the list. Revoking twice changes nothing.

    Raises:
        ValueError: there is no such key.
        FileNotFoundError: there is no such file.
    """
    with _changing(path, new=False) as keys:
        for place, key in enumerate(keys):
            if key.id == id_:
                if key.revoked is None:
                    keys[place] = key.model_copy(update={"revoked": datetime.now(UTC).replace(microsecond=0)})
                return keys[place]
        raise ValueError(f"{path} holds no key {id_!r}; `wavecoder keys list` shows their ids")


def digest_of(secret: str) -> str:
    """What is kept of a key."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


@contextmanager
def _changing(path: Path, *, new: bool) -> Iterator[list[Key]]:
    """The keys, of a file that may be `new`, written back at the end unless it fails; one process at a time."""
    if new:
        path.parent.mkdir(parents=True, exist_ok=True)
    else:
        read_keys(path)
    with path.with_name(path.name + ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        keys = list(read_keys(path)) if path.exists() else []
        yield keys
        write_private(path, _KeyFile(keys=tuple(keys)).model_dump_json(indent=1))


def write_private(path: Path, text: str) -> None:
    """Replace a file atomically by one that only its owner reads."""
    making = path.with_name(f"{path.name}.{os.getpid()}.new")
    with os.fdopen(os.open(making, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    making.replace(path)


class KeyRing:
    """The keys of a file as a running gateway sees them: read again whenever the file changes."""

    def __init__(self, path: Path) -> None:
        """Args: path: file of keys, which must be one now.

        Raises:
            ValueError: it is not.
            OSError: it cannot be read.
        """
        self._path = path
        self._seen = self._stamp()
        self._keys = {key.digest: key for key in read_keys(path)}

    def find(self, secret: str, now: datetime) -> Key | None:
        """The key, if it is one and good now."""
        self._refresh()
        key = self._keys.get(digest_of(secret))
        return key if key is not None and key.standing(now) == "active" else None

    def _refresh(self) -> None:
        stamp = self._stamp()
        if stamp == self._seen:
            return
        self._seen = stamp
        try:
            self._keys = {key.digest: key for key in read_keys(self._path)}
        except (OSError, ValueError) as error:
            self._keys = {}  # rather nobody than somebody who was revoked
            log.error("no key is accepted until this is mended: %s", error)

    def _stamp(self) -> tuple[int, int, int]:
        try:
            status = self._path.stat()
        except OSError:
            return (0, 0, 0)
        return (status.st_mtime_ns, status.st_ino, status.st_size)


def read_usage(keys: Path) -> dict[str, dict[str, Any]]:
    """What the gateway noted of each key's use, beside the file of keys; empty where it noted nothing.

    Raises:
        ValueError: what lies there is damaged.
        OSError: it cannot be read.
    """
    path = usage_path(keys)
    try:
        found: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError):
        found = {"": {}}
    accounts = found.values() if isinstance(found, dict) else [None]
    if not all(_are_counts(account) for account in accounts):
        raise ValueError(f"{path} is damaged: it does not hold what keys have used; delete it to start counting anew")
    return found


def write_usage(keys: Path, state: dict[str, dict[str, Any]]) -> None:
    """Note the use of a file's keys; where that fails, whoever runs the gateway is told."""
    try:
        write_private(usage_path(keys), json.dumps(state))
    except OSError as error:
        log.error("the use of keys cannot be noted: %s", error)


def _are_counts(account: Any) -> bool:
    values = [account.get(name) for name in SAVED] if isinstance(account, dict) else [None]
    return all(isinstance(value, int | float) and math.isfinite(value) and value >= 0 for value in values)


def usage_path(keys: Path) -> Path:
    """Where the use of a file's keys is noted."""
    return keys.with_name(keys.name + ".usage")
