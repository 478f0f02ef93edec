"""The command: what is no run is refused in one line, before anything is served; a run in a bucket is copied."""

import json
import socket
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from core.object_store import open_url
from core.storage import write_bytes
from ray_jobs.standalone.explore import main
from ray_jobs.standalone.run_copy import copy_rows
from report.explore.rows import Explorer
from report.explore.server import ExplorerServer
from tests.report.explore.conftest import make_run


@pytest.mark.parametrize(
    ("folder", "said"),
    [("none", "there is no such folder"), ("s3://bucket-none/run", "no such bucket"), (".", "holds no generate/")],
)
def test_what_is_no_run_is_refused(tmp_path, monkeypatch, capsys, store, folder, said):
    monkeypatch.chdir(tmp_path)
    assert main(["--run-dir", folder]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_and_no_port_are_said_before_anything_is_made(tmp_path, capsys):
    run = make_run(tmp_path / "run")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["--run-dir", str(run), "--port", str(port)]) == 2
    assert f"--port {port} cannot be listened at (Address already in use); without --port" in capsys.readouterr().err
    assert main(["--run-dir", str(run), "--port", "70000"]) == 2
    assert "between 0 and 65535" in capsys.readouterr().err
    assert not (run / ".explore").exists()


def test_the_option_whose_folder_is_not_there_is_named(tmp_path, capsys):
    assert main(["--run-dir", str(make_run(tmp_path / "run")), "--beside", str(tmp_path / "none")]) == 2
    assert "--beside is" in capsys.readouterr().err


@pytest.fixture
def stored(tmp_path, monkeypatch, store):
    """A run, and the URL of the same in a bucket with weights that nobody needs here."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run, url = make_run(tmp_path / "run"), f"{store.bucket()}/run"
    fs, path = open_url(url)
    for file in run.rglob("*.parquet"):
        write_bytes(fs, f"{path}/{file.relative_to(run)}", file.read_bytes())
    write_bytes(fs, f"{path}/train/model/model.safetensors", b"weights")
    return run, url, fs, path


def test_a_run_in_a_bucket_is_copied_without_weights_and_only_what_changed(store, stored):
    run, url, fs, path = stored
    folder = copy_rows(url)
    there = {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert there == {file.relative_to(run).as_posix(): file.read_bytes() for file in run.rglob("*.parquet")}
    store.requests.clear()
    assert copy_rows(url) == folder
    assert store.counts() == {"LIST": 1}
    fs.delete_file(f"{path}/codeocean/dropped.parquet")
    write_bytes(fs, f"{path}/config.yaml", b"run_dir: x\n")
    copy_rows(url)
    assert not (folder / "codeocean" / "dropped.parquet").exists()
    assert (folder / "config.yaml").read_text() == "run_dir: x\n"


def test_marks_of_a_run_in_a_bucket_are_kept_there(stored):
    _, url, fs, path = stored
    server = ExplorerServer(Explorer(copy_rows(url)), marked_in=open_url(url))
    client = TestClient(server.app(), base_url="http://127.0.0.1:80")
    asked = {"id": "r1", "mark": "drop", "note": "no"}
    answer = client.post(f"/{server.secret}/api/mark", json=asked, headers={"host": "127.0.0.1:80"})
    assert answer.status_code == 200, answer.text
    with fs.open_input_stream(f"{path}/marks.json") as stream:
        assert json.loads(stream.read())["r1"]["mark"] == "drop"
    assert not list(Path(copy_rows(url)).glob("marks.json"))
