"""Files of a web server: large ones, damage, and a network that fails."""

import bz2
import functools
import gzip
import http.server
import io
import lzma
import random
import threading

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeocean.collect.pairs import _damage
from codeocean.collect.readers import list_units, read_unit
from core.json_records import json_records
from tests.codeocean.collect.test_readers import dataset, hub_table, original, rows_of


@pytest.fixture
def web(tmp_path):
    """A server of `tmp_path` that cannot send a part of a file, as many cannot."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=tmp_path))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_files_of_a_web_server_are_read_also_large_ones(tmp_path, web):
    letters = random.Random(0)  # must not compress below fsspec's block of 5 MiB
    rows = pa.table({"language": ["go"] * 4000, "func_documentation_string": ["Does it."] * 4000,
                     "func_code_string": [letters.randbytes(1000).hex() for _ in range(4000)]})  # fmt: skip
    pq.write_table(rows, tmp_path / "a.parquet", row_group_size=2000)
    (tmp_path / "a.jsonl").write_text(original())
    with gzip.open(tmp_path / "b.jsonl.gz", "wt") as file:
        file.write("\n".join(original(code, "go") for code in rows["func_code_string"].to_pylist()))
    assert (tmp_path / "a.parquet").stat().st_size > 5 << 20
    assert len(list_units(dataset(f"{web}/a.parquet"))) == 2
    counts = [sum(not row["reason"] for row in rows_of(dataset(f"{web}/{name}")))
              for name in ("a.parquet", "a.jsonl", "b.jsonl.gz")]  # fmt: skip
    assert counts == [4000, 1, 4000]


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress,
                                  lambda raw: pa.Codec("zstd").compress(raw, asbytes=True)])  # fmt: skip
def test_a_damaged_packing_at_a_url_is_a_corrupt_file(tmp_path, web, pack):
    raw = pack("\n".join(original() for _ in range(50)).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(raw[: len(raw) // 2] + b"\xff" * 60)
    assert [row["reason"] for row in rows_of(dataset(f"{web}/a.jsonl.gz"))][-1] == "corrupt file"


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress, lzma.compress,
                                  lambda raw: pa.Codec("zstd").compress(raw, asbytes=True)])  # fmt: skip
def test_a_network_that_fails_under_a_packing_is_no_damage(pack):
    class Failing(io.BytesIO):
        def read(self, size=-1):
            if self.tell() >= 20:
                raise ConnectionResetError("reset by peer")
            return super().read(min(size, 20))

    with pytest.raises(ConnectionResetError, match="reset by peer"):
        list(json_records(Failing(pack(original().encode()))))


def test_missing_file_of_a_web_server_is_found_before_the_work_starts(web):
    for name in ("no.parquet", "no.jsonl"):
        with pytest.raises(FileNotFoundError, match=f"{name} does not exist or cannot be reached"):
            list_units(dataset(f"{web}/{name}"))


def test_failing_network_is_no_damage_to_a_file():
    assert _damage("/data/a.parquet", OSError("Unexpected end of stream"))["reason"] == "corrupt file"
    with pytest.raises(OSError, match="reset by peer"):
        _damage("https://example.org/a.parquet", OSError("reset by peer"))


def test_parquet_without_rows_is_a_unit_without_rows(tmp_path):
    pq.ParquetWriter(tmp_path / "a.parquet", hub_table(1).schema).close()
    assert len(list_units(dataset(tmp_path))) == 1
    assert rows_of(dataset(tmp_path)) == []


def test_a_file_that_vanishes_from_the_web_is_no_dropped_row(tmp_path, web):
    (tmp_path / "a.jsonl").write_text(original())
    (unit,) = list_units(dataset(f"{web}/a.jsonl"))
    (tmp_path / "a.jsonl").unlink()
    with pytest.raises(FileNotFoundError):
        list(read_unit(unit))
