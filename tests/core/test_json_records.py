"""Every form of JSON file gives the same records; damage costs the records that it hits, and is counted."""

import gzip
import io
import json
import tracemalloc

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import json_records as module
from core.json_records import CORRUPT_FILE, CORRUPT_RECORD, TOO_LARGE, json_records

ROWS = [{"name": "naïve 日本 \U0001f600", "n": [1, {"a": None}]}, {"name": 'quo"te ] [ , {', "n": 2.5}, {}]
FORMS = {
    "lines": lambda rows: "\n".join(json.dumps(row) for row in rows),
    "lines of Windows": lambda rows: "".join(json.dumps(row, ensure_ascii=False) + "\r\n" for row in rows),
    "lines apart": lambda rows: "\n\n \n".join(json.dumps(row) for row in rows) + "\n",
    "array": lambda rows: json.dumps(rows),
    "array, pretty": lambda rows: json.dumps(rows, indent=4, ensure_ascii=False),
    "array, one entry a line": lambda rows: "[\n" + "".join(json.dumps(row) + ",\n" for row in rows) + "]\n",
    "lines with a comma": lambda rows: "".join(json.dumps(row) + ",\n" for row in rows),
    "batches, one a line": lambda rows: "\n".join(json.dumps(batch) for batch in (rows[:2], rows[2:]) if batch),
    "an array of batches": lambda rows: json.dumps([batch for batch in (rows[:1], rows[1:]) if batch]),
    "pretty objects": lambda rows: "\n".join(json.dumps(row | {"z": 1}, indent=2) for row in rows),
    "arrays, one a line": lambda rows: json.dumps(rows[:1]) + "\n" + "\n".join(map(json.dumps, rows[1:])),
}


def values(content: bytes):
    return [record.value for record in json_records(io.BytesIO(content))]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be-sig"])
@pytest.mark.parametrize("white", ["", "\n \t\r\n", " " * 300_000])
@pytest.mark.parametrize("packed", ["", "gzip", "zstd"])
def test_every_form_gives_the_same_records(form, encoding, white, packed):
    text = white + FORMS[form](ROWS)
    content = ("\ufeff" + text).encode("utf-16-be") if encoding == "utf-16-be-sig" else text.encode(encoding)
    pack = {"gzip": gzip.compress, "zstd": lambda raw: pa.Codec("zstd").compress(raw, asbytes=True)}.get(packed, bytes)
    assert values(pack(content)) == [row | ({"z": 1} if form == "pretty objects" else {}) for row in ROWS]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.dictionaries(st.text(max_size=3), st.text() | st.integers() | st.lists(st.floats(0, 1)), max_size=3)),
       st.sampled_from(sorted(FORMS)), st.integers(1, 40))  # fmt: skip
def test_records_do_not_depend_on_how_the_stream_is_cut(rows, form, chunk):
    before, module.CHUNK_BYTES = module.CHUNK_BYTES, chunk
    try:
        more = {"z": 1} if form == "pretty objects" else {}
        assert values(FORMS[form](rows).encode()) == [row | more for row in rows]
    finally:
        module.CHUNK_BYTES = before


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b'{\n "a": 1\n}\n{\n "a": oops}' + b" " * 99, [{"a": 1}, CORRUPT_FILE]),
        (b'{\n "a": 1\n', [CORRUPT_FILE]),
        (b"\xef\xbb\xbf", []),
        (b"[]", []),
        (b'{"a": 1}\n{\n[2]\n"x"\nnull\n{"a": 2}', [{"a": 1}, *[CORRUPT_RECORD] * 4, {"a": 2}]),
        (b'[{"a": 1}, 3, "x", {"a": 2}]', [{"a": 1}, CORRUPT_RECORD, CORRUPT_RECORD, {"a": 2}]),
        (b'[{"a": 1}, {"a": ', [{"a": 1}, CORRUPT_FILE]),
        (b'[{"a": 1}', [CORRUPT_FILE]),
        (b'[{"a": 1}, {"a": oops}, {"a": 2}]' + b" " * 99, [{"a": 1}, CORRUPT_FILE]),
        (b"[" * 100_000, [CORRUPT_FILE]),
        (b"[" + b"9" * 5000 + b"]", [CORRUPT_FILE]),
        (b'{"a": "\xff"}\n{"a": 1}', [CORRUPT_RECORD, {"a": 1}]),
        (b"\x1f\x8b no gzip", None),
        (gzip.compress(b'{"a": 1}\n' * 9, mtime=0)[:-9], None),
    ],
)
def test_damage_costs_the_records_that_it_hits(content, expected):
    if expected is None:
        with pytest.raises(module.DamagedPackingError):
            values(content)
    else:
        assert values(content) == expected


@pytest.mark.parametrize("array", [False, True])
def test_a_record_that_is_too_large_is_counted_and_never_held_whole(monkeypatch, array):
    monkeypatch.setattr(module, "MAX_RECORD_BYTES", 100_000)
    monkeypatch.setattr(module, "CHUNK_BYTES", 10_000)
    rows = ['{"a": 1}', json.dumps({"a": "x" * 5_000_000}), '{"a": 2}']
    content = io.BytesIO(("[" + ",".join(rows) + "]" if array else "\n".join(rows)).encode())
    tracemalloc.start()
    found = [record.value for record in json_records(content)]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == ([{"a": 1}, TOO_LARGE, CORRUPT_FILE] if array else [{"a": 1}, TOO_LARGE, {"a": 2}])
    assert peak < 2_000_000


def test_a_large_array_is_never_held_whole():
    content = io.BytesIO(json.dumps([{"a": "x" * 1000}] * 20_000).encode())
    tracemalloc.start()
    assert sum(1 for _ in json_records(content)) == 20_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_a_record_says_where_it_is():
    lines = [record.place for record in json_records(io.BytesIO(b'{"a": 1}\n\n{'))]
    entries = [record.place for record in json_records(io.BytesIO(b'[{"a": 1}, 3]'))]
    assert (lines, entries) == (["line 1", "line 3"], ["entry 1", "entry 2"])
