"""CodeSearchNet's files in a bucket, against a real S3 server: the same rows as from a folder, in few requests."""

import gzip
import json
import random

import pytest

from codeocean.collect.readers import CodeSearchNetSource, list_units, read_unit
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
