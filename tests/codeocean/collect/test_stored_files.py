"""CodeSearchNet's files in a bucket, against a real S3 server: the same rows as from a folder, in few requests."""

import gzip
import json
import random

import pytest

from codeocean.collect.readers import CodeSearchNetSource, list_units, read_unit
from codeocean.collect.settings import JsonlSource
from codeocean.export.mix import AlpacaSource, read_sources
from core.object_store import open_url
from core.storage import read_files, write_bytes

ROWS = 9_000


def lines():
    rng = random.Random(7)
    return "".join(
        json.dumps({
            "repo": "o/r", "path": f"src/{number}.py", "func_name": f"scaled_{number}", "language": "python",
            "code": f"def scaled_{number}(x):\n    return x * {rng.random()}", "docstring": f"Scale x by no. {number}.",
            "sha": f"{number:040d}",
        }) + "\n"
        for number in range(ROWS)
    ).encode()  # fmt: skip


def rows_of(path):
    source = CodeSearchNetSource(kind="codesearchnet", path=str(path))
    batches = [batch for unit in list_units(source) for batch in read_unit(unit)]
    return [row | {"path": ""} for batch in batches for row in batch.to_pylist()]


def test_a_url_with_its_key_gives_rows_and_messages_without_it(store):
    fs, root = open_url(store.bucket())
    url = f"s3://me:secret@{root}/train?scheme=http&endpoint_override={store.url.removeprefix('http://')}"
    source = CodeSearchNetSource(kind="codesearchnet", path=url)
    with pytest.raises(FileNotFoundError, match=f"'s3://{root}/train' does not exist"):
        list_units(source)
    write_bytes(fs, f"{root}/train/a.csv", b"code")
    with pytest.raises(ValueError, match=f"'s3://{root}/train' holds no .parquet.* file, but a.csv"):
        list_units(source)
    write_bytes(fs, f"{root}/train/a.jsonl", lines())
    own = JsonlSource(kind="jsonl", path=url, language="python")
    counted, read = ([row for batch in read_unit(unit) for row in batch.to_pylist()] for unit in list_units(own))
    assert [row["reason"] for row in counted] == ["another form"]
    assert {row["path"] for row in read} == {f"s3://{root}/train/a.jsonl"}
    write_bytes(fs, f"{root}/train/_delta_log/0.json", b"{}")
    with pytest.raises(ValueError, match=f"'s3://{root}/train' is a Delta table"):
        list_units(source)


def test_a_url_that_leads_nowhere_is_told_without_its_key():
    url = "http://me:secret@127.0.0.1:9/a.json"
    with pytest.raises(OSError, match=r"^collect\.sources: http://127\.0\.0\.1:9/a\.json ") as told:
        list_units(JsonlSource(kind="jsonl", path=url, language="python"))
    assert "secret" not in str(told.value)
    with pytest.raises(ValueError, match=r"^mix\.sources: 'http://127\.0\.0\.1:9/a\.json' cannot be read") as told:
        read_sources([AlpacaSource(name="mine", path=url)])
    assert "secret" not in str(told.value)


@pytest.mark.parametrize("name", ["0.jsonl", "0.jsonl.gz"])
def test_a_bucket_gives_the_rows_of_a_folder_by_one_read_for_each_8_mb(store, tmp_path, name):
    content = gzip.compress(lines()) if name.endswith("gz") else lines()
    (tmp_path / name).write_bytes(content)
    url = store.bucket()
    fs, root = open_url(url)
    write_bytes(fs, f"{root}/train/{name}", content)
    assert store.requests[-1].path.endswith(name)
    assert read_files(fs, [f"{root}/train/{name}"]) == [content]  # as it was, whatever its name says
    store.requests.clear()
    rows = rows_of(url)
    assert len(rows) == ROWS
    assert rows == rows_of(tmp_path)
    assert store.counts()["GET"] == 1
