"""Questions to an indexed run: a page of rows, counts, one row with all that is known of it, neighbours, the map.

Every answer is bounded: a page, a sample, or one row; DuckDB reads Parquet within its memory limit.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from report.explore.apart import build_text_index_apart, write_index_apart
from report.explore.index import (
    ASKED_MEMORY,
    FACETS,
    RunFiles,
    build_index,
    connect,
    first_rows,
    is_large,
    listed,
    quoted,
    run_files,
    write_index,
)
from report.explore.search import TextIndex, TextSearch, text_columns

log = logging.getLogger("wavecoder.report")

PAGE_ROWS, MAX_PAGE_ROWS = 50, 200
MAX_VALUES = 60
"""Values of a facet that are listed, the commonest first."""
MAP_POINTS = 6_000
NEIGHBOURS = 8
INDEXED_ROWS = 20_000
"""From so many rows on texts are indexed; fewer are scanned in less than 0.1 s."""
COLORS = (*FACETS, "mark", "radius")
"""What the map is coloured by."""
SORTS = {"rank": "n", "radius": "radius DESC NULLS LAST, n", "attempts": "attempt DESC, n"}

Row = dict[str, Any]
Prompt = Callable[[str, str], Any]
"""(task, id of raw code) → the messages that were sent."""


@dataclass(frozen=True)
class Filter:
    """Which rows are wanted."""

    values: Mapping[str, str] = field(default_factory=dict)
    """Facet → value; also `mark`."""
    text: str = ""
    """Occurs in instruction, input, answer or raw code, whatever its case."""
    radius: tuple[float | None, float | None] = (None, None)
    """Least and most."""


class Explorer:
    """One run. Each thread has its own cursor, so that a slow search does not hold up a page."""

    def __init__(
        self,
        root: Path,
        beside: Explorer | None = None,
        *,
        first: int | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        """Index the run, if it is not yet.

        Args:
            root: directory of the run.
            beside: another run, to whose rows this one's are compared.
            first: only so many rows, without an index, which are there in a second.
            go_on: asked while the index of a large run is made.

        Raises:
            ValueError: it is no run, or a file of it cannot be read.
            CancelledError: `go_on` said False.
        """
        self.files: RunFiles = run_files(root)
        self.whole = first is None
        self._database = connect(self.files.folder, ASKED_MEMORY)
        self._database.execute("CREATE TABLE marks (id VARCHAR, mark VARCHAR)")
        if first is None:
            self.index: Path = self._indexed(beside, go_on)
            self._database.execute(f"CREATE VIEW rows AS SELECT * FROM read_parquet('{quoted(self.index)}')")
        else:
            first_rows(self._database, self.files, first)
        self._local = threading.local()
        self.total: int = self._one("SELECT count(*) FROM rows")[0]
        self._unfiltered: Row | None = None
        self._unfiltered = self.counts(Filter())  # before the first page asks
        self._texts: TextIndex | None = None
        self._closing = threading.Event()
        self._scanning = threading.Lock()
        self._indexer: threading.Thread | None = None
        self.indexed: float | None = None
        """Share of the texts' index that is made; below 1 a search reads all texts. None where there is no index."""

    def _indexed(self, beside: Explorer | None, go_on: Callable[[], bool]) -> Path:
        apart = functools.partial(write_index_apart, tell=lambda _: go_on())
        return build_index(self.files, beside.index if beside else None, apart if is_large(self.files) else write_index)

    def index_texts(self, least: int = INDEXED_ROWS) -> None:
        """Make the texts' index in a thread, unless there are fewer rows than `least`; `close` ends it."""
        if self.total >= least:
            self.indexed = 0.0
            self._indexer = threading.Thread(target=self._index_texts)
            self._indexer.start()

    def close(self) -> None:
        """Wait for what works in the background, after telling it to stop."""
        self._closing.set()
        if self._indexer is not None:
            self._indexer.join()

    def _index_texts(self) -> None:
        def tell(share: float) -> bool:
            self.indexed = min(share, 0.99)
            with self._scanning:  # a search that reads all texts goes first
                pass
            return not self._closing.is_set()

        try:
            while not build_text_index_apart(self.files, self.index, tell):  # another explorer may make it
                if self._closing.wait(2):
                    return
            self._texts, self.indexed = TextIndex(self.index, self.total), 1.0
        except (ValueError, pa.ArrowException, OSError) as error:
            log.warning("explore: no index of texts (%s); a search reads all texts", str(error).splitlines()[0])
            self.indexed = None

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        if not hasattr(self._local, "cursor"):
            self._local.cursor = self._database.cursor()
        found: duckdb.DuckDBPyConnection = self._local.cursor
        return found

    def _all(self, query: str, *values: Any) -> list[Row]:
        answer = self._cursor().execute(query, list(values))
        names = [column[0] for column in answer.description]
        return [dict(zip(names, row, strict=True)) for row in answer.fetchall()]

    def _one(self, query: str, *values: Any) -> tuple[Any, ...]:
        found = self._cursor().execute(query, list(values)).fetchall()  # to its end, or the cursor takes no table
        return found[0] if found else ()

    def set_marks(self, marks: Mapping[str, str]) -> None:
        """Id → keep or drop, of all marked rows."""
        cursor = self._database.cursor()
        cursor.execute("BEGIN; DELETE FROM marks")
        if marks:
            cursor.executemany("INSERT INTO marks VALUES (?, ?)", [list(item) for item in marks.items()])
        cursor.execute("COMMIT")

    def page(self, wanted: Filter, start: int = 0, rows: int = PAGE_ROWS, sort: str = "rank") -> Row:
        """Rows of the list, and whether there are more."""
        search = self._search(wanted.text)
        where, values = self._where(wanted, with_text=search is None)
        rows, start = max(1, min(rows, MAX_PAGE_ROWS)), max(0, start)
        query = f"SELECT n FROM rows {where} ORDER BY {SORTS.get(sort, 'n')}"
        if search is None:
            with self._before_indexing(wanted.text):
                places = [row["n"] for row in self._all(f"{query} LIMIT ? OFFSET ?", *values, rows + 1, start)]
        else:
            ordered = self._cursor().execute(query, values).fetchnumpy()["n"]
            places = search.first(self._cursor(), ordered, start + rows + 1)[start:].tolist()
        shown = places[:rows]
        found = {row["n"]: row for row in self._all(_LISTED, shown)} if shown else {}
        return {"rows": [found[n] for n in shown], "more": len(places) > rows, "start": start}

    def _before_indexing(self, text: str) -> contextlib.AbstractContextManager[object]:
        """Within it a search that reads all texts has the machine and DuckDB's memory before what makes the index."""
        return self._scanning if text else contextlib.nullcontext()

    def _search(self, text: str) -> TextSearch | None:
        """What the texts' index knows of a text; None where there is no index, or nothing to search."""
        if not text or self._texts is None:
            return None
        return self._texts.search(self._one("SELECT lower(?)", text)[0])

    def counts(self, wanted: Filter, *, at_once: bool = False) -> Row:
        """How many rows a filter leaves, and of each facet how many for each value.

        Args:
            wanted: the filter.
            at_once: with an index of texts, do not read texts: what is sought may be in fewer rows if `exact` is false.
        """
        if wanted == Filter() and self._unfiltered is not None:
            return self._unfiltered
        search, exact = self._search(wanted.text), True
        where, values = self._where(wanted, with_text=search is None)
        if search is not None:
            rows, exact = search.possible() if at_once else (search.all(self._cursor()), True)
            self._cursor().register("found", pa.table({"n": rows}))
            where = f"{where} {'AND' if where else 'WHERE'} n IN (SELECT n FROM found)"
        names = ", ".join(FACETS)
        sets = ", ".join(f"({name})" for name in FACETS)
        query = (f"SELECT grouping({names}) AS which, {names}, count(*) AS number FROM rows {where} "
                 f"GROUP BY GROUPING SETS ({sets}, ())")  # fmt: skip
        facets: dict[str, list[tuple[str, int]]] = {name: [] for name in FACETS}
        total = 0
        with self._before_indexing("" if search else wanted.text):
            found = self._all(query, *values)
        for row in found:
            grouped = [name for place, name in enumerate(reversed(FACETS)) if not row["which"] >> place & 1]
            if grouped:
                facets[grouped[0]].append((row[grouped[0]], row["number"]))
            else:
                total = row["number"]
        ordered = {name: sorted(many, key=lambda item: -item[1])[:MAX_VALUES] for name, many in facets.items()}
        counted = {"total": total, "of": self.total, "facets": ordered, "exact": exact}
        if wanted == Filter():
            self._unfiltered = counted
        return counted

    def _where(self, wanted: Filter, *, with_text: bool) -> tuple[str, list[Any]]:
        clauses, values = [], list[Any]()
        for name, value in wanted.values.items():
            if name == "mark":
                clauses.append("id IN (SELECT id FROM marks WHERE mark = ?)")
            elif name == "rule":
                clauses.append("contains(rules, ?)" if value else "rules = ''")
                values += [f"|{value}|"] if value else []
                continue
            elif name in FACETS:
                clauses.append(f"{name} = ?")
            else:
                raise ValueError(f"there is no filter {name!r}; there are {', '.join((*FACETS, 'mark'))}")
            values.append(value)
        for sign, bound in zip((">=", "<="), wanted.radius, strict=True):
            if bound is not None:
                clauses.append(f"radius {sign} ?")
                values.append(bound)
        if wanted.text and with_text:
            clause, more = self._found_in(wanted.text)
            clauses.append(clause)
            values += more
        return (f"WHERE {' AND '.join(clauses)}" if clauses else ""), values

    def _found_in(self, text: str) -> tuple[str, list[Any]]:
        """Rows in whose texts a text occurs; every letter stands for itself."""
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        clauses, values = [], list[Any]()
        for paths, key, columns in text_columns(self.files):
            any_of = " OR ".join(f"{name} ILIKE ? ESCAPE '\\'" for name in columns)
            clauses.append(f"raw_id IN (SELECT {key} FROM {listed(paths)} WHERE {any_of})")
            values += [pattern] * len(columns)
        return f"({' OR '.join(clauses)})", values

    def row(self, raw_id: str) -> Row | None:
        """One row with its raw code, every attempt, verdicts, tests with outcomes, and the finished instance.

        None if it is not there.
        """
        found = self._all("SELECT * FROM rows WHERE raw_id = ?", raw_id)
        if not found:
            return None
        row = found[0]
        asked_in, raw_in = row.pop("asked_in"), row.pop("raw_in")
        attempts = list[Row]()
        if self.files.generations:
            attempts = self._all(f"SELECT * EXCLUDE (filename) FROM {listed((asked_in,))} WHERE raw_id = ? "
                                 "ORDER BY attempt", raw_id)  # fmt: skip
        ids = [attempt["id"] for attempt in attempts]
        judged_in, proved_in = (str(Path(asked_in).with_name(f"{name}.parquet")) for name in ("verdicts", "proofs"))
        verdicts = self._of(ids, (judged_in,) if judged_in in self.files.verdicts else ())
        proofs = list[Row]()
        if proved_in in self.files.proofs:
            proofs = self._all(f"SELECT * EXCLUDE (filename) FROM {listed((proved_in,))} WHERE raw_id = ?", raw_id)
        instances = self._of([row["id"]], self.files.instances)
        return {
            "row": row,
            "raw": next(iter(self._of([raw_id], (raw_in,) if raw_in else ())), None),
            "attempts": attempts,
            "verdicts": {verdict["id"]: verdict for verdict in verdicts},
            "proof": proofs[0] if proofs else None,
            "instance": instances[0] if instances else None,
        }

    def _of(self, ids: list[str], paths: tuple[str, ...]) -> list[Row]:
        if not ids or not paths:
            return []
        marks = ", ".join("?" * len(ids))
        return self._all(f"SELECT * EXCLUDE (filename) FROM {listed(paths)} WHERE id IN ({marks})", *ids)

    def neighbours(self, raw_id: str) -> list[Row]:
        """The rows of this list whose raw code is nearest by the cosine of the embeddings, nearest first."""
        if not self.files.embeddings:
            return []
        source = listed(self.files.embeddings)
        vector = self._one(f"SELECT embedding::FLOAT[] FROM {source} WHERE id = ?", raw_id)
        if not vector:
            return []
        return self._all(_NEAREST.format(source=source), vector[0], raw_id, NEIGHBOURS)

    def points(self, color: str) -> Row:
        """A sample of the rows as points of the plane of the first two principal components.

        Args:
            color: the facet whose value each point has; or `mark`, or `radius`, which is given as its quintile.
        """
        if color not in COLORS:
            raise ValueError(f"there is no colour {color!r}; there are {', '.join(COLORS)}")
        if not self.files.embeddings:
            return {"points": []}
        stride = max(1, self.total // MAP_POINTS)
        value = "(SELECT mark FROM marks WHERE marks.id = rows.id)" if color == "mark" else color
        query = (f"SELECT raw_id, {value} AS value, e.embedding::FLOAT[] AS embedding FROM rows "
                 f"JOIN {listed(self.files.embeddings)} e ON e.id = raw_id WHERE n % ? = 0 ORDER BY n")  # fmt: skip
        rows = self._all(query, stride)
        places = plane_of(np.array([row.pop("embedding") for row in rows], np.float32))
        values = [row["value"] for row in rows]
        values = quintiles_of(values) if color == "radius" else [value or "" for value in values]
        points = [
            [*map(float, place), row["raw_id"], value] for place, row, value in zip(places, rows, values, strict=True)
        ]
        return {"points": points}


def quintiles_of(values: list[float | None]) -> list[str]:
    """For each value the range of its fifth of all values, such as `0.5 to 0.75`; empty for None."""
    known = [value for value in values if value is not None]
    if not known:
        return [""] * len(values)
    bounds = np.unique(np.quantile(known, np.linspace(0, 1, 6)))
    names = [f"{low:.3g} to {high:.3g}" for low, high in pairwise(bounds)] or [f"{bounds[0]:.3g}"]
    inner = bounds[1:-1]
    return ["" if value is None else names[int(np.searchsorted(inner, value, "right"))] for value in values]


def plane_of(vectors_ND: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """(N, 2): coordinates on the first two principal components, each scaled to lie between -1 and 1."""
    if len(vectors_ND) < 3:
        return np.zeros((len(vectors_ND), 2), np.float32)
    centred = vectors_ND - vectors_ND.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    plane = centred @ axes[:, :-3:-1]
    return plane / np.maximum(np.abs(plane).max(axis=0), 1e-9)


_LISTED = """
SELECT n, id, raw_id, task, language, state, reason, rule, proof, radius, attempt, instruction, beside,
       (SELECT mark FROM marks WHERE marks.id = rows.id) AS mark
FROM rows WHERE n IN (SELECT unnest(?))
"""
_NEAREST = """
WITH near AS (
  SELECT e.id, list_cosine_similarity(e.embedding::FLOAT[], ?::FLOAT[]) AS similarity
  FROM {source} e WHERE e.id <> ? AND e.id IN (SELECT raw_id FROM rows) ORDER BY similarity DESC LIMIT ?
)
SELECT near.similarity, rows.raw_id, rows.task, rows.language, rows.state, rows.instruction
FROM near JOIN rows ON rows.raw_id = near.id ORDER BY similarity DESC
"""
