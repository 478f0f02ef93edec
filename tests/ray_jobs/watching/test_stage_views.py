"""How far a run is, told from its folder alone, on a disk and in a bucket."""

import json
import os
import re
import time

import pytest
from rich.console import Console

from core.storage import write_bytes
from ray_jobs.run.rundir import RunDir, StageResult, run_stage
from ray_jobs.watching import job
from ray_jobs.watching.stage_views import StageWatcher, lines_of
from tests.object_store import error, when


def write(run, name, content=b"x"):
    write_bytes(
        run.fs, run.path(*name.split("/")), content if isinstance(content, bytes) else json.dumps(content).encode()
    )


def half_way(run):
    """Collect is done with three parts, embed has made one of them, and the job at it is this process."""
    for number in range(3):
        write(run, f"collect/part-{number:05d}.parquet")
    done = {
        "digest": "d",
        "rows_in": 4000,
        "rows_out": 1500,
        "seconds": 12.5,
        "attempts": 2,
        "dropped": {"syntax error": 2500},
    }
    write(run, "collect/stage.json", {"digest": "a", "attempts": 2})
    write(run, "collect/manifest.json", done)
    write(run, "embed/stage.json", {"digest": "b", "attempts": 1})
    write(run, "embed/part-00000.parquet")
    if run.local:
        write(run, ".embed.lock", str(os.getpid()).encode())
    else:
        write(run, ".leases/embed/me.json", {})


@pytest.mark.parametrize("where", ["disk", "bucket"])
def test_a_run_half_way(where, tmp_path, request):
    run = RunDir(str(tmp_path) if where == "disk" else f"{request.getfixturevalue('store').bucket()}/run")
    half_way(run)
    views = {view.stage: view for view in StageWatcher(run).look(time.time())}
    collect, embed = views["collect"], views["embed"]
    assert (collect.state, collect.made, collect.rows_out, collect.attempts) == ("done", 3, 1500, 2)
    assert (embed.state, embed.made, embed.of, embed.unit) == ("running", 1, 3, "parts")
    assert views["select"].state == "not begun"
    assert StageWatcher(run).look(time.time() + 3600)[1].state == ("running" if where == "disk" else "stopped")


def test_what_may_not_be_read_is_not_said_to_be_unbegun(store, capsys):
    run = RunDir(f"{store.bucket()}/run")
    half_way(run)
    store.fault = when(
        lambda method, path: method == "GET" and "list-type" not in path, error("403 Forbidden", "AccessDenied")
    )
    assert job.main(["--run-dir", run.url, "--once"]) == 2
    out = capsys.readouterr().out
    assert "lacks the right s3:GetObject" in out and "begun" not in out and len(out.splitlines()) == 1


def test_lines_for_a_pipe(tmp_path):
    run = RunDir(str(tmp_path))
    half_way(run)
    write(run, ".embed.lock", b"")  # no job holds it
    assert lines_of(StageWatcher(run).look(time.time())) == [
        "collect: done, 4,000 rows in, 1,500 out, 12 s",
        "embed: stopped, 1 of 3 parts; the same command goes on",
        "select: not begun",
    ]


@pytest.mark.parametrize("text", [b"", b'{"rows_in": 4', b"[1]", b'{"a": 1}', b'{"rows_in": "4", "rows_out": 1}'])
def test_a_manifest_that_is_none_is_said_to_be_damaged_and_what_to_do(tmp_path, text):
    run = RunDir(str(tmp_path))
    half_way(run)
    write(run, "collect/manifest.json", text)
    (line, *_) = lines_of(StageWatcher(run).look(time.time()))
    assert re.fullmatch(r"collect: damaged: .*collect/manifest.json .*; delete it to redo the stage", line)


def test_a_folder_in_the_place_of_a_manifest_is_said(tmp_path):
    run = RunDir(str(tmp_path))
    half_way(run)
    (tmp_path / "collect" / "manifest.json").unlink()
    write(run, "collect/manifest.json/y")
    assert "collect/manifest.json is a folder" in lines_of(StageWatcher(run).look(time.time()))[0]


def test_rounds_are_counted_against_the_coreset(tmp_path):
    run = RunDir(str(tmp_path))
    write(run, "select/stage.json", {})
    write(run, "select/manifest.json", {"digest": "d", "rows_in": 90, "rows_out": 50, "dropped": {}})
    write(run, "generate/stage.json", {"attempts": 3, "config": {"round_size": 20}})
    write(run, "generate/round-00000/ledger.json", {})
    write(run, "generate/round-00001/.answers-000000.jsonl")
    write(run, "superseded/generate-0/round-00000/ledger.json", {})
    view = next(view for view in StageWatcher(run).look(time.time()) if view.stage == "generate")
    assert (view.made, view.of, view.unit, view.attempts) == (1, 3, "rounds", 3)


def test_each_look_at_a_bucket_is_one_request_once_manifests_are_known(store):
    run = RunDir(f"{store.bucket()}/run")
    half_way(run)
    watcher = StageWatcher(run)
    watcher.look(time.time())
    store.requests.clear()
    watcher.look(time.time())
    assert store.counts() == {"LIST": 1}


def test_what_a_real_stage_writes_is_understood(tmp_path):
    run, seen = RunDir(str(tmp_path)), []

    class Nothing:
        config, identity = {}, {}

        def same_as(self, *_, **__):
            return True

    def work():
        seen.extend(StageWatcher(run).look(time.time()))
        return StageResult(3, 2, {"missing field": 1})

    run_stage(run, "collect", Nothing(), {}, work)
    assert (seen[0].stage, seen[0].state) == ("collect", "running")
    after = StageWatcher(run).look(time.time())[0]
    assert (after.state, after.rows_in, after.rows_out) == ("done", 3, 2)


def test_a_run_that_is_not_there_is_one_line(capsys):
    assert job.main(["--run-dir", "/nowhere/at/all"]) == 2
    assert "there is no run directory '/nowhere/at/all'" in capsys.readouterr().err


def test_once_and_json(tmp_path, capsys):
    half_way(RunDir(str(tmp_path)))
    assert job.main(["--run-dir", str(tmp_path), "--once"]) == 0
    assert "embed: running, 1 of 3 parts" in capsys.readouterr().out
    assert job.main(["--run-dir", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["stages"][1]["made"] == 1


def test_a_pipe_gets_only_lines_that_are_new(tmp_path, capsys, monkeypatch):
    run = RunDir(str(tmp_path))
    half_way(run)
    looks = []

    def sleep(_):
        looks.append(1)
        if len(looks) == 3:
            raise KeyboardInterrupt
        write(run, ".embed.lock", b"")

    monkeypatch.setattr(job.time, "sleep", sleep)
    with pytest.raises(KeyboardInterrupt):
        job.follow(job.Watch(run, None, 1e-9), Console(force_terminal=False))
    said = [re.sub(r"^[\d:]+ ", "", line) for line in capsys.readouterr().out.splitlines()]
    assert [line for line in said if line.startswith("embed: stopped")] == [
        "embed: stopped, 1 of 3 parts; the same command goes on"
    ]
    assert len([line for line in said if line.startswith("collect")]) == 1
