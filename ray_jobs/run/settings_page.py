"""Every setting of a recipe as one page, docs/settings.md, made from the settings classes.

A part that several sections share, such as an engine, is listed once.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from core.settings import Settings, is_execution
from ray_jobs.run.config import Config

HEAD = """# Settings

Every setting that a recipe can hold, by section. This page is made from the code:
`python -m ray_jobs.run.settings_page > docs/settings.md`.

A recipe is one YAML file with a mapping for each section. `--set section.key=value` overrides one setting:

```bash
wavecoder pipeline --config configs/demo.yaml --set select.size=200 --set serve.engine.max_num_seqs=16
```

*how* marks a setting that changes how a stage works and never what it makes. Finished work stays done when
it changes. Every other setting redoes its stage and those behind it.
"""


def settings_page() -> str:
    """The page's text."""
    parts, told = [HEAD], set[type[Settings]]()
    for name, field in Config.model_fields.items():
        if not _models(field.annotation):
            parts += ["## The whole", "", *_table({name: field}), ""] if name == "run_dir" else _single(name, field)
        else:
            parts += list(_sections(name, field, told))
    return "\n".join(parts).rstrip("\n") + "\n"


def _single(name: str, field: FieldInfo) -> list[str]:
    return [f"## {name}", "", *_table({name: field}), ""]


def _sections(name: str, field: FieldInfo, told: set[type[Settings]]) -> Iterator[str]:
    for model in _models(field.annotation):
        if model in told:
            continue
        told.add(model)
        kind = model.model_fields.get("kind")
        named = f"{name}, kind {_type(kind.annotation)}" if kind else name
        described = model.__doc__ if kind else field.description
        yield from (f"{'#' * min(4, 2 + name.count('.'))} {named}", "", _line(described), "")
        yield from (*_table(model.model_fields), "")
        for inner, each in model.model_fields.items():
            yield from _sections(f"{name}.{inner}", each, told)


def _table(fields: dict[str, FieldInfo]) -> list[str]:
    rows = ["| setting | type | default | |", "|---|---|---|---|"]
    for name, field in fields.items():
        mark = "*how.* " if is_execution(field) else ""
        rows.append(f"| `{name}` | {_type(field.annotation)} | {_default(field)} | {mark}{_line(field.description)} |")
    return rows


def _models(annotation: Any) -> list[type[Settings]]:
    """Settings classes that a type holds, however deep."""
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return [annotation]
    return list(dict.fromkeys(model for part in get_args(annotation) for model in _models(part)))


def _type(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type(parts[0])
    if origin is Literal:
        return ", ".join(f"`{json.dumps(part)}`" for part in parts).replace('"', "")
    if isinstance(annotation, type) and issubclass(annotation, Settings):
        return "section"
    if origin in (tuple, list):
        return f"list of {_type(parts[0])}"
    if origin is dict:
        return f"mapping to {_type(parts[1])}"
    if origin is Union or parts:
        return " or ".join(dict.fromkeys("null" if part is type(None) else _type(part) for part in parts))
    return {"str": "text", "int": "whole number", "float": "number", "bool": "true, false"}.get(
        getattr(annotation, "__name__", ""), "any"
    )


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "needed"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, Settings):
        return ""
    return f"`{_short(json.dumps(value, ensure_ascii=False, default=str))}`"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"


def _line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(settings_page())
