"""What a stage's digest covers: the settings that decide its data, and the digests of what it reads."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # pydantic costs what only looks at a run a fifth of its start
    from core.settings import Settings


class InputDigest(str):
    """The digest of an input, with the one that an earlier version computed of the same input."""

    __slots__ = ("earlier",)

    def __new__(cls, digest: str, earlier: str) -> InputDigest:
        """Args: digest: today's. earlier: that of version 0.1.0."""
        made = super().__new__(cls, digest)
        made.earlier = earlier  # type: ignore[attr-defined]
        return made


def recorded(section: type[Settings], config: dict[str, Any]) -> tuple[Settings, dict[str, Any]]:
    """Settings of a manifest, and the JSON values in it that come from outside the section.

    Raises:
        ValueError: the section no longer allows them.
    """
    known = {name: value for name, value in config.items() if name in section.model_fields}
    elsewhere = {name: value for name, value in config.items() if name not in section.model_fields}
    return section.from_record(known), elsewhere


@dataclass(frozen=True)
class Covered:
    """The settings of a stage."""

    section: Settings
    """Its section of the recipe."""
    more: dict[str, Any] = field(default_factory=dict)
    """JSON values from elsewhere that decide its data too."""

    @property
    def config(self) -> dict[str, Any]:
        """All of them as JSON values, for the manifest: settings of speed too."""
        return self.section.model_dump(mode="json") | self.more

    @property
    def identity(self) -> dict[str, Any]:
        """Those that decide the data."""
        return self.section.identity() | self.more

    def same_as(self, config: dict[str, Any], *, done: bool = False) -> bool:
        """Whether settings that were written down ask for the same data.

        Args:
            config: of a manifest. What an older version did not write down counts as the same.
            done: the stage is finished, so that a default that has changed since does not matter.
        """
        try:
            earlier, elsewhere = recorded(type(self.section), config)
        except ValueError:
            return False
        if done:
            earlier = self.section.accepting(earlier)
        return earlier.identity() == self.section.identity() and all(
            elsewhere.get(name, value) == value for name, value in self.more.items()
        )


def stage_digest(stage: str, identity: dict[str, Any], inputs: dict[str, str]) -> str:
    """First 16 hex digits of the SHA-256 of a stage's name, the settings that decide its data, and its inputs."""
    text = json.dumps([stage, identity, inputs], sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def is_same(record: dict[str, Any], stage: str, covered: Covered, inputs: dict[str, str]) -> bool:
    """Whether a stage.json or manifest is of the same data as is asked for now.

    The digest in a record stays its name, whichever version computed it: up to 0.1.0 it covered settings of speed too,
    and stage.json did not keep the inputs.
    """
    config = record.get("config")
    if config is None or not covered.same_as(config, done=bool(record.get("done"))):
        return False
    earlier = {name: getattr(digest, "earlier", digest) for name, digest in inputs.items()}
    if "inputs" in record:
        return record["inputs"] in (inputs, earlier)
    return record["digest"] in {stage_digest(stage, config, each) for each in (inputs, earlier)}
