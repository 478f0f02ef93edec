"""Settings: frozen, strict, documented for each field, which also says whether it changes *what* is made or only *how*.

A stage's digest covers its `identity`: a run that has other settings of speed, size of machine or price goes on, and
one that asks for other data begins anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self, TypeVar

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

Marker = TypeVar("Marker")


@dataclass(frozen=True)
class Execution:
    """Marks a field that changes how a stage works and never what it makes, but for rounding where its docs say so."""


@dataclass(frozen=True)
class Before:
    """Marks a field that came later, where records without it were made otherwise than by its default."""

    value: Any
    """What those records stand for, as a JSON value."""


@dataclass(frozen=True)
class EarlierDefault:
    """Marks a field whose default has changed: what was finished by the earlier one stays done unless it is set."""

    value: Any
    """The default of earlier versions, as a JSON value."""


class Settings(BaseModel):
    """A section of the recipe, or a part of one."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True, allow_inf_nan=False
    )

    def identity(self) -> dict[str, Any]:
        """What decides the data, as JSON values: every field but those marked `Execution`, in parts of parts too."""
        return _covered(self, self.model_dump(mode="json"))

    @classmethod
    def from_record(cls, values: dict[str, Any]) -> Self:
        """Settings that a manifest kept, which an older version may have written.

        Args:
            values: JSON values; fields that they lack take their `Before`, or else their default.

        Raises:
            ValueError: they hold a field that is no longer there, or a value that is no longer allowed.
        """
        later = {name: marker.value for name, field in cls.model_fields.items()
                 if (marker := _marker(field, Before)) and name not in values}  # fmt: skip
        return cls.model_validate(values | later, strict=False)

    def accepting(self, earlier: Self) -> Self:
        """`earlier`, with the values of these settings where only a default has changed since (`EarlierDefault`)."""
        accepted, plain = dict[str, Any](), earlier.model_dump(mode="json")
        for name, field in type(self).model_fields.items():
            mine, then = getattr(self, name), getattr(earlier, name)
            marker = _marker(field, EarlierDefault)
            if isinstance(mine, Settings) and type(mine) is type(then):
                accepted[name] = mine.accepting(then)
            elif marker is not None and plain[name] == marker.value and name not in self.model_fields_set:
                accepted[name] = mine
        return earlier.model_copy(update=accepted)


def is_execution(field: FieldInfo) -> bool:
    """Whether a field changes only how a stage works."""
    return _marker(field, Execution) is not None


def _marker(field: FieldInfo, kind: type[Marker]) -> Marker | None:
    return next((each for each in field.metadata if isinstance(each, kind)), None)


def _covered(value: Any, plain: Any) -> Any:
    """`plain`, the JSON of `value`, without what is marked `Execution`."""
    if isinstance(value, Settings):
        fields = type(value).model_fields
        return {name: _covered(getattr(value, name), plain[name])
                for name, field in fields.items() if not is_execution(field)}  # fmt: skip
    if isinstance(value, dict):
        return {key: _covered(value[key], plain[str(key)]) for key in value}
    if isinstance(value, tuple | list):
        return [_covered(one, its) for one, its in zip(value, plain, strict=True)]
    return plain
