"""A run directory, local or in a bucket → how far each stage is, from the names and times of its files.

One look is one listing, and a read of each manifest that is new. In an object store a listing is one request for each
thousand files.
Not covered: rows inside a part that is being made.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from core.manifest import check_manifest, read_object
from core.stages import STAGES
from ray_jobs.run.rundir import RunDir

LEASE_S = 60.0
"""A lease in a bucket that nobody renewed in so long is of a dead job (`ray_jobs.run.lease`)."""
STEPS = {"generate": "rounds", "train": "checkpoints", "evaluate": "files of samples"}
"""Stage → what its steps are called; others make parts."""


@dataclass(frozen=True)
class StageView:
    """One stage at one moment."""

    stage: str
    state: str
    """`done`, `running`, `stopped` (begun, and no job is at it), `damaged` (its record is none) or `not begun`."""
    made: int = 0
    """Parts, rounds or checkpoints that are finished."""
    of: int | None = None
    """How many there will be, where that is known."""
    unit: str = "parts"
    rows_in: int | None = None
    rows_out: int | None = None
    seconds: float | None = None
    """That the work took; of a stage that is not done, since its last start."""
    attempts: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    """Reason → rows."""
    why: str = ""
    """What is damaged, and what to do."""


@dataclass(frozen=True)
class _File:
    name: str
    changed_s: float


class StageWatcher:
    """Looks at one run again and again; manifests that have not changed are not read again."""

    def __init__(self, run: RunDir) -> None:
        """Args: run: opened without creating it."""
        self._run, self._read = run, dict[tuple[str, float], Any]()

    def look(self, now: float) -> list[StageView]:
        """All stages, in the order of the data, at time `now` (seconds since 1970).

        Raises:
            OSError: the store does not answer, or refuses.
        """
        files = self._listed()
        views: list[StageView] = []
        rows: dict[str, int] = {}
        parts: dict[str, int] = {}
        for stage in STAGES:
            own = {name.removeprefix(f"{stage}/"): file for name, file in files.items() if name.startswith(f"{stage}/")}
            parts[stage] = sum(_is_part(name) for name in own)
            view = self._view(stage, own, now, _expected(stage, parts, rows, self._json(own.get("stage.json"))),
                              self._is_held(stage, files, now))  # fmt: skip
            if view.rows_out is not None:
                rows[stage] = view.rows_out
            views.append(view)
        return views

    def _listed(self) -> dict[str, _File]:
        selector = pafs.FileSelector(self._run.root, recursive=True, allow_not_found=True)
        infos = self._run.fs.get_file_info(selector)
        found = (_File(posixpath.relpath(info.path, self._run.root), (info.mtime_ns or 0) / 1e9)
                 for info in infos if info.is_file)  # fmt: skip
        return {file.name: file for file in found if not file.name.startswith("superseded/")}

    def _json(self, file: _File | None) -> dict[str, Any]:
        if file is None:
            return {}
        key = (file.name, file.changed_s)
        if key not in self._read:
            try:
                found = read_object(self._run.fs, self._run.path(file.name))
                if found is None:  # it is moved aside at this moment
                    return {}
                self._read[key] = found
            except ValueError as error:
                self._read[key] = str(error)
        found = self._read[key]
        return found if isinstance(found, dict) else {}

    def _damage(self, stage: str, own: Mapping[str, _File]) -> str:
        """What is wrong with the records of a stage; empty where nothing is."""
        for name in ("manifest.json", "stage.json"):
            path = self._run.shown(stage, name)
            if any(each.startswith(f"{name}/") for each in own):
                return f"{path} is a folder and should be a file; move it away to redo the stage"
            read = self._read.get((own[name].name, own[name].changed_s)) if name in own else None
            if isinstance(read, str):
                return read
            if name == "manifest.json" and read is not None:
                try:
                    check_manifest({"rows_in": None, "rows_out": None} | read, path)
                except ValueError as error:
                    return str(error)
        return ""

    def _is_held(self, stage: str, files: Mapping[str, _File], now: float) -> bool:
        """Whether a job holds the stage: its lock's process runs here, or its lease was renewed."""
        if self._run.local is None:
            leases = [file for name, file in files.items() if name.startswith(f".leases/{stage}/")]
            return any(now - file.changed_s < LEASE_S for file in leases)
        with suppress(OSError):
            owner = (self._run.local / f".{stage}.lock").read_text().strip()
            return bool(owner) and Path(f"/proc/{owner}").exists()
        return False

    def _view(self, stage: str, own: Mapping[str, _File], now: float, of: int | None, held: bool) -> StageView:  # noqa: FBT001
        made, unit = _made(stage, own), STEPS.get(stage, "parts")
        manifest, begun = self._json(own.get("manifest.json")), self._json(own.get("stage.json"))
        if why := self._damage(stage, own):
            return StageView(stage, "damaged", made, of, unit, why=why)
        if manifest:
            return StageView(
                stage, "done", made, made, unit, rows_in=manifest.get("rows_in"), rows_out=manifest.get("rows_out"),
                seconds=manifest.get("seconds"), attempts=manifest.get("attempts", 1),
                dropped=manifest.get("dropped") or {},
            )  # fmt: skip
        if "stage.json" not in own:
            return StageView(stage, "not begun", unit=unit, of=of)
        seconds = max(0.0, now - own["stage.json"].changed_s) if held else None
        return StageView(stage, "running" if held else "stopped", made, of, unit, seconds=seconds,
                         attempts=begun.get("attempts", 1))  # fmt: skip


def _is_part(name: str) -> bool:
    return name.startswith("part-") and name.endswith(".parquet")


def _made(stage: str, own: Mapping[str, _File]) -> int:
    if stage == "generate":
        return sum(name.startswith("round-") and name.endswith("/ledger.json") for name in own)
    if stage == "train":
        found = {name.split("/")[2] for name in own if name.startswith(".checkpoints/") and name.count("/") > 2}
        return sum(name.startswith("checkpoint") for name in found)
    if stage == "evaluate":
        return sum(name.endswith(".parquet") and not name.startswith(".") for name in own)
    return sum(_is_part(name) for name in own)


def _expected(stage: str, parts: Mapping[str, int], rows: Mapping[str, int], begun: Mapping[str, Any]) -> int | None:
    """How many parts or rounds a stage will have, where that follows from the stages before it."""
    if stage == "embed":
        return parts.get("collect") if "collect" in rows else None
    size = (begun.get("config") or {}).get("round_size")
    if stage == "generate" and size and "select" in rows:
        return -(-rows["select"] // int(size))
    return None


def lines_of(views: Sequence[StageView]) -> list[str]:
    """One line for each stage that was begun, and one for the first that was not."""
    found = [_line(view) for view in views if view.state != "not begun"]
    waiting = next((view.stage for view in views if view.state == "not begun" and view.stage != "mix"), None)
    return [*found, *([f"{waiting}: not begun"] if waiting else [])]


def _line(view: StageView) -> str:
    if view.state == "damaged":
        return f"{view.stage}: damaged: {view.why}"
    if view.state == "done":
        seconds = f", {view.seconds:,.0f} s" if view.seconds is not None else ""
        return f"{view.stage}: done, {view.rows_in:,} rows in, {view.rows_out:,} out{seconds}"
    of = f" of {view.of:,}" if view.of is not None else ""
    attempt = f", attempt {view.attempts}" if view.attempts > 1 else ""
    since = f", {view.seconds:,.0f} s" if view.seconds is not None else ""
    more = "; the same command goes on" if view.state == "stopped" else ""
    return f"{view.stage}: {view.state}, {view.made:,}{of} {view.unit}{attempt}{since}{more}"


def as_text(views: Sequence[StageView]) -> str:
    """The views as one line of JSON."""
    return json.dumps([view.__dict__ for view in views])
