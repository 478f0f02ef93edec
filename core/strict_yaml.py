"""YAML that people write, read strictly: a key given twice is an error, where YAML itself keeps the last in silence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

KeyPath = tuple[str | int, ...]
"""Keys and list indexes that lead to a value."""


class RepeatedKeyError(ValueError):
    """A mapping has a key twice; the message names each such key and its lines."""


@dataclass(frozen=True)
class Document:
    """A YAML file's value, and where its keys are."""

    value: Any
    lines: dict[KeyPath, int]
    """Path of a key or a list entry → its line, from 1."""

    def line_of(self, path: KeyPath) -> int | None:
        """Line of a key, or of the nearest mapping around it that is there; None for the file itself."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)

    def place(self, path: KeyPath) -> str:
        """The line as words."""
        line = self.line_of(path)
        return "in the file" if line is None else f"line {line}"


def read_yaml(text: str) -> Document:
    """The one document of a text.

    Raises:
        RepeatedKeyError: a mapping has a key twice.
        yaml.YAMLError: it is not YAML.
    """
    loader = yaml.SafeLoader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return Document(None, {})
        places = list(_places(root, (), set()))
        _refuse_repeats(places)
        return Document(loader.construct_document(root), dict(places))
    finally:
        loader.dispose()


def read_yaml_file(file: Path, name: str) -> Document:
    """The one document of a file.

    Args:
        file: UTF-8.
        name: what a refusal calls it.

    Raises:
        ValueError: one line: a mapping has a key twice, or it is not YAML.
        OSError: it cannot be read.
    """
    return read_yaml_bytes(file.read_bytes(), name)


def read_yaml_bytes(content: bytes, name: str) -> Document:
    """The same of a file's content."""
    try:
        return read_yaml(content.decode("utf-8"))
    except RepeatedKeyError as error:
        raise ValueError(f"{name}: {error}") from None
    except UnicodeDecodeError as error:
        line, byte = content[: error.start].count(b"\n") + 1, content[error.start]
        raise ValueError(f"{name} is not UTF-8 text: line {line} holds byte {byte:#04x}; save it as UTF-8") from None
    except RecursionError:
        raise ValueError(f"{name} is not YAML: it is nested too deep") from None
    except yaml.YAMLError as error:
        raise ValueError(f"{name} is not YAML: {_fault(error)}") from None


def _fault(error: yaml.YAMLError) -> str:
    """PyYAML's words on one line; of the place, line and column."""
    mark = getattr(error, "problem_mark", None)
    if mark is not None and (mark.buffer or "")[mark.pointer : mark.pointer + 1] == "\t":
        return f"line {mark.line + 1}, column {mark.column + 1}: a tab cannot indent; use spaces"
    return " ".join(str(error).replace('\n  in "<unicode string>"', "").split())


def _places(node: yaml.Node, path: KeyPath, seen: set[int]) -> Iterator[tuple[KeyPath, int]]:
    """Path and line of every key and list entry; an anchored node counts where it is written."""
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            inner = (*path, _name(key))
            yield inner, key.start_mark.line + 1
            yield from _places(value, inner, seen)
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield (*path, index), value.start_mark.line + 1
            yield from _places(value, (*path, index), seen)


def _name(key: yaml.Node) -> str:
    """A key as a string; "1" and 1 are different keys of YAML."""
    if not isinstance(key, yaml.ScalarNode):
        return f"({key.tag} on line {key.start_mark.line + 1}, column {key.start_mark.column + 1})"
    kind = key.tag.rpartition(":")[2]
    return str(key.value) if kind in {"str", "merge"} else f"{key.value} ({kind})"


def _refuse_repeats(places: list[tuple[KeyPath, int]]) -> None:
    lines: dict[KeyPath, list[int]] = {}
    for path, line in places:
        lines.setdefault(path, []).append(line)
    twice = {path for path, found in lines.items() if len(found) > 1}
    outermost = [path for path in lines if path in twice and not any(path[:end] in twice for end in range(len(path)))]
    repeats = [f"{'.'.join(map(str, path))} is given on {_listed(sorted(set(lines[path])))}" for path in outermost]
    if repeats:
        raise RepeatedKeyError(f"{'; '.join(repeats)}: YAML keeps only the last of them, so leave one")


def _listed(lines: list[int]) -> str:
    if len(lines) == 1:
        return f"line {lines[0]}"
    return f"lines {', '.join(map(str, lines[:-1]))} and {lines[-1]}"
