"""Units → parts: the same rows and parts however the input is cut, and from wherever a cut-off run goes on."""

import itertools
import json
import random
from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import fs as pafs

from codeocean.collect.accounting import (
    Account,
    CollectConfig,
    DroppedRows,
    cut_parts,
    in_sample,
    keys_of,
    read_filtered,
)
from codeocean.collect.duplicates import Duplicates, NearDuplicates
from codeocean.collect.readers import list_units
from codeocean.collect.settings import JsonlSource
from codeocean.records import RAW_CODE

WORDS = [f"word{number}" for number in range(300)]


def records(count, seed=0):
    """Rows among which are exact copies, near copies, and rows that the rules stop."""
    chance, made = random.Random(seed), []
    for number in range(count):
        kind = chance.random()
        if made and kind < 0.15:
            record = dict(chance.choice(made))
        elif made and kind < 0.3:
            record = dict(chance.choice(made))
            record["code"] += f"\n    extra = {number}"
        else:
            body = "\n".join(f"    {chance.choice(WORDS)} = {chance.choice(WORDS)}({number})" for _ in range(20))
            record = {"code": f"def f{number}(a, b):\n{body}", "docstring": "Does what it says." if kind < 0.9 else "x"}
        made.append(record | {"path": str(number)})
    return made


@pytest.fixture(scope="module")
def rows():
    return records(400)


def units_of(rows, folder, sizes):
    """The rows in files of these many rows."""
    folder.mkdir(exist_ok=True)
    start = 0
    for number, size in enumerate(sizes):
        lines = [json.dumps(row) for row in rows[start : start + size]]
        (folder / f"{number:03}.jsonl").write_text("\n".join(lines))
        start += size
    columns = {"code": "code", "docstring": "docstring", "path": "path"}
    source = JsonlSource(kind="jsonl", path=str(folder), columns=columns, language="python")
    return CollectConfig(sources=(source,), rows_per_part=50), list_units(source)


def filtered(config, units, at=(0, 0)):
    for number in range(at[0], len(units)):
        yield from read_filtered(units[number], (number, at[1] if number == at[0] else 0), config)


def parts_of(config, units, tables=None):
    tables = filtered(config, units) if tables is None else tables
    return list(cut_parts(tables, Duplicates(config.near_duplicates), config.rows_per_part, (len(units), 0)))


def kept(parts):
    return [part.rows.drop_columns(["source"]).to_pylist() for part in parts]


def without_folder(parts):
    return [[row["path"] for row in rows] for rows in kept(parts)], [part.account for part in parts]


def test_parts_hold_as_many_rows_as_asked_for_and_account_for_all(rows, tmp_path):
    config, units = units_of(rows, tmp_path / "a", [400])
    parts = parts_of(config, units)
    assert [part.rows.num_rows for part in parts[:-1]] == [50] * (len(parts) - 1)
    assert all(part.rows.schema == RAW_CODE and part.keys.num_rows == part.rows.num_rows for part in parts)
    total = Account()
    for part in parts:
        total.merge(part.account)
    assert total.rows_in == 400 == sum(part.rows.num_rows for part in parts) + sum(total.dropped.values())
    assert {"duplicate code", "near duplicate", "documentation too short"} <= set(total.dropped)


@pytest.mark.parametrize("sizes", [[1] * 400, [7] * 58, [399, 1], [100, 0, 300]])
def test_the_same_rows_go_on_for_any_size_of_the_units(rows, tmp_path, sizes):
    whole, cut = (parts_of(*units_of(rows, tmp_path / str(len(s)), s)) for s in ([400], sizes))
    assert without_folder(cut) == without_folder(whole)


@settings(max_examples=20, deadline=None)
@given(st.lists(st.integers(0, 400), max_size=8))
def test_the_same_parts_come_however_the_rows_come_in_tables(tmp_path_factory, cuts):
    config, units = units_of(records(400), tmp_path_factory.mktemp("x"), [150, 250])
    whole = pa.concat_tables(list(filtered(config, units)))
    bounds = [0, *sorted(cuts), 400]
    tables = [whole.slice(a, b - a) for a, b in itertools.pairwise(bounds) if b > a]
    mine, theirs = parts_of(config, units, tables), parts_of(config, units)
    assert kept(mine) == kept(theirs)
    assert [(part.behind, part.account, keys_of(part.keys)[0].tolist()) for part in mine] == [
        (part.behind, part.account, keys_of(part.keys)[0].tolist()) for part in theirs]  # fmt: skip


@pytest.mark.parametrize("near", [NearDuplicates(), None])
def test_a_run_goes_on_behind_any_part_inside_a_unit_too(rows, tmp_path, near):
    config, units = units_of(rows, tmp_path / "a", [230, 170])
    config = config.model_copy(update={"near_duplicates": near})
    parts = parts_of(config, units)
    assert any(part.behind[1] > 0 for part in parts)
    for done in range(1, len(parts)):
        duplicates = Duplicates(near)
        for part in parts[:done]:
            duplicates.add(*keys_of(part.keys))
        tables = filtered(config, units, parts[done - 1].behind)
        rest = list(cut_parts(tables, duplicates, config.rows_per_part, (len(units), 0)))
        assert kept(rest) == kept(parts[done:])
        assert [part.account for part in rest] == [part.account for part in parts[done:]]


def test_a_run_that_keeps_nothing_still_accounts_for_it(tmp_path):
    config, units = units_of([{"code": "x", "docstring": "y", "path": "z"}] * 5, tmp_path / "a", [5])
    (part,) = parts_of(config, units)
    assert (part.rows.num_rows, part.account.rows_in, part.behind) == (0, 5, (1, 0))


def test_a_row_that_stops_takes_no_code_along(rows, tmp_path):
    config, units = units_of(rows, tmp_path / "a", [400])
    stopped = [row for table in filtered(config, units) for row in table.to_pylist() if row["reason"]]
    assert stopped
    assert all(row["code"] == row["docstring"] == "" and row["path"] for row in stopped)


def write_dropped(config, units, folder, parts=()):
    """Files of dropped rows, by name, after these parts were done."""
    config = config.model_copy(update={"keep_dropped": True})
    duplicates, sink = (
        Duplicates(config.near_duplicates),
        DroppedRows(pafs.LocalFileSystem(), str(folder), len(parts), 30),
    )
    for part in parts:
        duplicates.add(*keys_of(part.keys))
    tables = filtered(config, units, parts[-1].behind if parts else (0, 0))
    done = []
    for part in cut_parts(tables, duplicates, config.rows_per_part, (len(units), 0), sink.add):
        sink.end_part()
        done.append(part)
    return done, {file.name: pq.read_table(file).to_pylist() for file in sorted((folder / "dropped").iterdir())}


def test_dropped_rows_are_kept_whole_with_their_reasons_and_a_resume_writes_the_same(rows, tmp_path):
    config, units = units_of(rows, tmp_path / "a", [230, 170])
    parts, files = write_dropped(config, units, tmp_path / "b")
    assert kept(parts) == kept(parts_of(config, units))
    found = [row for file in files.values() for row in file]
    assert Counter(row["reason"] for row in found) == sum((part.account.dropped for part in parts), Counter())
    assert all(row["code"] and row["docstring"] for row in found)
    assert max(map(len, files.values())) <= 30
    assert len({name.rpartition("-")[0] for name in files}) == len(parts)
    assert write_dropped(config, units, tmp_path / "b", parts[:2])[1] == files


def test_a_secret_is_not_kept_among_dropped_rows(tmp_path):
    line = "    aws = 'AKIA" + "Q3EGRCR5ZTMYDN6V'\n"
    config, units = units_of(
        [{"code": f"def f(a):\n{line}    b = a + 1\n    return a, b, aws", "docstring": "Does what it says.", "path": "p"}],
        tmp_path / "a", [1],
    )  # fmt: skip
    _, files = write_dropped(config, units, tmp_path / "b")
    (row,) = next(iter(files.values()))
    assert (row["reason"], row["code"], row["docstring"], row["path"]) == ("secret", "", "", "p")


def test_a_smaller_sample_is_part_of_a_larger_one():
    ids = [f"{number * 7919 % 65536:04x}" for number in range(2000)]
    small, large = ({id_ for id_ in ids if in_sample(id_, share)} for share in (0.1, 0.3))
    assert small < large
    assert 0.07 < len(small) / len(set(ids)) < 0.13
    assert all(in_sample(id_, 1.0) for id_ in ids)
