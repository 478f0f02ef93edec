"""The files of the generation rounds, and what they add up to. No Ray here.

`round-00000/generations.parquet` and `verdicts.parquet` are written when the round's last verdict is there, in the
order of the coreset, whatever the order of the answers; `ledger.json` is written last and says that the round is done.
Until then its answers are in the journal beside them; it stays where the endpoint left questions open.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterable
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.export.instances import Yield
from codeocean.generate.few_shot import cases_of_round, draw_shots
from codeocean.generate.ledger import Ledger
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.tasks import Case, Task
from codeocean.records import GENERATIONS, PROOFS, VERDICTS
from core.journal import Journal
from core.storage import read_part, write_bytes, write_part

Row = dict[str, Any]

_SCHEMAS = {"generations": GENERATIONS, "verdicts": VERDICTS, "proofs": PROOFS}


class Rounds:
    """The rounds in a stage's folder."""

    def __init__(self, fs: pafs.FileSystem, folder: str, raw: dict[str, Row]) -> None:
        """Args: fs and folder: where; raw: id → RAW_CODE row of the coreset."""
        self._fs, self._folder, self._raw = fs, folder, raw

    def _path(self, number: int, name: str) -> str:
        return posixpath.join(self._folder, f"round-{number:05d}", name)

    def journal(self, number: int) -> Journal:
        """Answers of a round that is not done."""
        return Journal(self._fs, posixpath.dirname(self._path(number, "x")))

    def done(self, number: int) -> bool:
        """Whether the round's files are finished."""
        return bool(self._fs.get_file_info(self._path(number, "ledger.json")).is_file)

    def read(self, number: int, kind: str) -> list[Row]:
        """Rows of a finished file; raises `ValueError` when it cannot be read."""
        return list(read_part(self._fs, self._path(number, f"{kind}.parquet")).to_pylist())

    def proofs(self, numbers: Iterable[int]) -> dict[str, Row]:
        """`raw_id` → PROOFS row, of finished rounds whose exercises were tested."""
        found = [row for number in numbers if self._fs.get_file_info(self._path(number, "proofs.parquet")).is_file
                 for row in self.read(number, "proofs")]  # fmt: skip
        return {row["raw_id"]: row for row in found}

    def ledger(self, number: int) -> Ledger:
        """What a finished round took."""
        path = self._path(number, "ledger.json")
        with self._fs.open_input_stream(path) as stream:
            try:
                return Ledger.from_json(json.loads(stream.read()))
            except (ValueError, KeyError, TypeError):
                raise ValueError(f"{path} is no ledger; delete it and run again") from None

    def finish(
        self, number: int, generations: list[Row], verdicts: list[Row], ledger: Ledger, proofs: list[Row] | None = None
    ) -> None:
        """Write a round's files, the ledger last; then the journal is needed for nothing but questions left open."""
        files = {"generations": generations, "verdicts": verdicts} | ({"proofs": proofs} if proofs else {})
        for kind, rows in files.items():
            table = pa.Table.from_pylist(rows, schema=_SCHEMAS[kind])
            write_part(self._fs, self._path(number, f"{kind}.parquet"), table)
        write_bytes(self._fs, self._path(number, "ledger.json"), json.dumps(ledger.as_json(), indent=1).encode())

    def unanswered(self, numbers: Iterable[int]) -> list[str]:
        """Questions of finished rounds that the endpoint refused or failed, as `round turn place`."""
        found = []
        for number in numbers:
            if self.done(number):
                entries = [entry for entry in self.journal(number).read() if "answer" in entry]
                last = {(entry["turn"], entry["place"]): entry["answer"] for entry in entries}
                found += [
                    f"{number} {turn} {place}" for (turn, place), answer in sorted(last.items()) if answer.get("open")
                ]
        return found

    def reopen(self, numbers: Iterable[int]) -> None:
        """Take rounds for unfinished in which the endpoint left questions open: their answers are in the journal."""
        for number in {int(question.split()[0]) for question in self.unanswered(numbers)}:
            self._fs.delete_file(self._path(number, "ledger.json"))

    def cases(self, number: int) -> dict[str, list[Case]]:
        """Task → judged cases of a finished round."""
        return cases_of_round(self.read(number, "generations"), self.read(number, "verdicts"), self._raw)

    def total(self, numbers: Iterable[int]) -> tuple[Yield, Ledger]:
        """What became of the raw code of finished rounds, and what it took."""
        result, ledger = Yield(), Ledger()
        for number in numbers:
            result.add_round(self.read(number, "generations"), self.read(number, "verdicts"))
            ledger.add(self.ledger(number))
        return result, ledger


def draw_sets(config: GenerateConfig, task: Task, number: int, cases: Iterable[Case]) -> list[list[Case]]:
    """The few-shot sets of a task in a round, from judged cases of rounds at least two back."""
    pool = list(cases)
    return [
        draw_shots(task, pool, (config.seed, number, shot_set), config.good_shots, config.bad_shots)
        for shot_set in range(config.shot_sets)
    ]
