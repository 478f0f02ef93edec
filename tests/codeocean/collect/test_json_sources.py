"""Instruction data and code in JSON: mapped columns, arrays, byte order marks, packings, damage."""

import bz2
import gzip
import json
import lzma

import pyarrow as pa
import pytest

from tests.codeocean.collect.test_readers import CODE, GO, MAPPED, STRIPPED, dataset, jsonl, original, rows_of


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz", "a.json", "lines.json"])
def test_json_with_mapped_columns_is_read(tmp_path, name):
    records = [{"content": CODE, "summary": "Add two.", "license": "MIT", "file": "x.py", "more": [1]},
               {"content": CODE, "summary": "Add two."}, {"content": CODE}]  # fmt: skip
    lines = json.dumps(records, indent=1) if name == "a.json" else "\n".join(map(json.dumps, records))
    (tmp_path / name).write_bytes(gzip.compress(lines.encode()) if name.endswith("gz") else lines.encode())
    first, second, third = rows_of(jsonl(tmp_path, columns=MAPPED, language="python", license="BSD-3-Clause"))
    assert (first["code"], first["docstring"], first["license"], first["path"]) == (STRIPPED, "Add two.", "MIT", "x.py")
    assert (second["license"], second["language"], second["source"]) == ("BSD-3-Clause", "python", "jsonl")
    assert third["reason"] == "missing field"


def test_json_with_its_own_languages(tmp_path):
    lines = [json.dumps({"code": GO, "docstring": "Adds.", "lang": lang}) for lang in ("go", "cobol", "rust")]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    columns = {"code": "code", "docstring": "docstring", "language": "lang"}
    reasons = [row["reason"] for row in rows_of(jsonl(tmp_path, columns=columns, languages=("go",)))]
    assert reasons == ["", "language not asked for", "language not asked for"]


@pytest.mark.parametrize("settings", [{}, {"columns": {"code": "c"}, "language": "go"}, {"language": "cobol"},
                                      {"columns": {"code": "c", "docstring": "d", "language": "l"}, "language": "go"}])  # fmt: skip
def test_json_without_what_it_needs_is_refused(settings):
    with pytest.raises(ValueError, match=r"language|columns"):
        jsonl("x", **settings)


@pytest.mark.parametrize(
    ("content", "reasons"),
    [(b"[1, 2", ["corrupt row", "corrupt file"]), (b"[" * 100_000, ["corrupt file"]), (b"[3]", ["corrupt row"]),
     (b"[{}]", ["missing field"])],
)  # fmt: skip
def test_a_damaged_array_is_counted(tmp_path, content, reasons):
    (tmp_path / "a.json").write_bytes(content)
    assert [row["reason"] for row in rows_of(jsonl(tmp_path, language="go"))] == reasons


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.jsonl.gz"])
def test_an_array_behind_a_byte_order_mark_is_read_whatever_the_suffix(tmp_path, name):
    content = b"\xef\xbb\xbf" + b" \n" * 2000 + json.dumps([{"code": GO, "docstring": "Adds."}] * 3).encode()
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    assert [row["reason"] for row in rows_of(jsonl(tmp_path, language="go"))] == [""] * 3


@pytest.mark.parametrize("name", ["a.NDJSON", "a.json.gz", "a.jsonl.zst", "a.ndjson.bz2", "a.jsonl.xz", "A.JSON.XZ"])
def test_json_of_every_suffix_and_packing_is_read(tmp_path, name):
    content = (json.dumps({"code": GO, "docstring": "Adds."}) + "\n").encode() * 3
    packed = {"gz": gzip.compress, "zst": lambda raw: pa.Codec("zstd").compress(raw, asbytes=True),
              "bz2": bz2.compress, "xz": lzma.compress}  # fmt: skip
    (tmp_path / name).write_bytes(packed.get(name.rpartition(".")[2].lower(), bytes)(content))
    assert [row["reason"] for row in rows_of(jsonl(tmp_path, language="go"))] == [""] * 3


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress])
@pytest.mark.parametrize("damage", [lambda raw: raw[:-9], lambda raw: raw[:40] + bytes(20) + raw[60:]])
def test_a_damaged_packing_is_a_corrupt_file(tmp_path, pack, damage):
    (tmp_path / "a.jsonl.gz").write_bytes(damage(pack(original().encode() * 50)))
    assert [row["reason"] for row in rows_of(dataset(tmp_path))][-1] == "corrupt file"
