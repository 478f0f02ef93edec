"""The files of the generation rounds, and what they add up to. No Ray here."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.generation import GenerateConfig
from codeocean.given import given_fields
from codeocean.instances import Yield
from codeocean.parts import read_note, read_part, write_part
from codeocean.records import GENERATIONS, VERDICTS
from codeocean.rounds import cases_of_round, choose_target_language, draw_number, draw_shots
from codeocean.tasks import Case, Task

Row = dict[str, Any]

_SCHEMAS = {"generations": GENERATIONS, "verdicts": VERDICTS}


class Rounds:
    """`round-00000/generations.parquet` and `verdicts.parquet` of a stage's folder."""

    def __init__(self, fs: pafs.FileSystem, folder: str, raw: dict[str, Row]) -> None:
        """Args: fs and folder: where; raw: id → RAW_CODE row of the coreset."""
        self._fs, self._folder, self._raw = fs, folder, raw

    def _path(self, number: int, kind: str) -> str:
        return posixpath.join(self._folder, f"round-{number:05d}", f"{kind}.parquet")

    def has(self, number: int, kind: str) -> bool:
        """Whether a file of a round is finished."""
        return bool(self._fs.get_file_info(self._path(number, kind)).is_file)

    def read(self, number: int, kind: str) -> list[Row]:
        """Rows of a finished file; raises `ValueError` when it cannot be read."""
        return list(read_part(self._fs, self._path(number, kind)).to_pylist())

    def write(self, number: int, kind: str, answers: Iterable[Row]) -> None:
        """Write a round's answers, with the tokens that they took as the file's note."""
        rows: list[Row] = []
        tokens: Counter[str] = Counter()
        for answer in answers:
            rows += answer["rows"]
            tokens += Counter(prompt=answer["prompt_tokens"], completion=answer["completion_tokens"])
        table = pa.Table.from_pylist(rows, schema=_SCHEMAS[kind])
        write_part(self._fs, self._path(number, kind), table, {"tokens": dict(tokens)})

    def cases(self, numbers: Iterable[int]) -> dict[str, list[Case]]:
        """Task → judged cases of these rounds."""
        cases: dict[str, list[Case]] = {}
        for number in numbers:
            found = cases_of_round(self.read(number, "generations"), self.read(number, "verdicts"), self._raw)
            for task, more in found.items():
                cases.setdefault(task, []).extend(more)
        return cases

    def total(self, numbers: Iterable[int]) -> tuple[Yield, dict[str, int]]:
        """What became of the raw code of finished rounds, and the tokens that it took."""
        result, tokens = Yield(), Counter(prompt=0, completion=0)
        for number in numbers:
            result.add_round(self.read(number, "generations"), self.read(number, "verdicts"))
            for kind in _SCHEMAS:
                tokens.update(read_note(self._fs, self._path(number, kind)).get("tokens", {}))
        return result, dict(tokens)


def generation_job(config: GenerateConfig, task: Task, row: Row, number: int, cases: dict[str, list[Case]]) -> Row:
    """What `generate_one` needs for one raw code.

    Args:
        config: seed and few-shot settings.
        task: the row's task.
        row: RAW_CODE row.
        number: of the round.
        cases: task → judged cases of rounds at least two back.
    """
    shot_set = draw_number(config.seed, "set", row["id"]) % config.shot_sets
    where = (config.seed, number, shot_set)
    shots = draw_shots(task, cases.get(task.name, []), where, config.good_shots, config.bad_shots)
    return {
        "raw": {name: row[name] for name in ("id", "language", "code", "docstring")},
        "given": given_fields(task, row, config.seed),
        "round": number,
        "target_language": choose_target_language(task, row["id"], row["language"], config.seed),
        "shots": [case.model_dump() for case in shots],
    }
