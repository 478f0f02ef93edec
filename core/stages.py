"""The stages of a run, in the order of the data: folders of the run directory, and what each one makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Stage:
    """One folder of a run directory."""

    name: str
    makes: str
    """What goes in and what comes out."""
    job: str
    """The command that writes it."""


STAGES = {stage.name: stage for stage in (
    Stage("collect", "sources → filtered raw code", "collect"),
    Stage("embed", "raw code → vectors", "embed"),
    Stage("select", "vectors → coreset", "select"),
    Stage("generate", "coreset → judged instances", "generate"),
    Stage("codeocean", "judged instances → data set", "codeocean"),
    Stage("mix", "data set and those of others → training data", "mix"),
    Stage("train", "data set → model", "train"),
    Stage("serve", "model → endpoint", "evaluate"),
    Stage("evaluate", "endpoint → scores", "evaluate"),
    Stage("report", "all of it → one HTML page", "report"),
)}  # fmt: skip


@dataclass(frozen=True)
class StageResult:
    """What a stage says of its work, for the manifest."""

    rows_in: int
    rows_out: int
    dropped: dict[str, int] = field(default_factory=dict)
    examples: dict[str, list[str]] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)
    unanswered: list[str] = field(default_factory=list)
    """Questions that an endpoint refused or failed: they are asked again on the next run."""
