"""Chaos: the schedule follows the seed alone, jobs that are struck start again, and a byte that differs is told."""

import json
import os
import subprocess
import sys
import time

import psutil
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.object_store import open_url
from core.storage import read_files, write_bytes, write_part
from ray_jobs.cluster import chaos
from ray_jobs.cluster.chaos import KINDS, Kill, compare, is_same, kind_of, run_struck, schedule
from ray_jobs.cluster.chaos_job import main, names_of, seconds_of
from ray_jobs.cluster.chaos_store import ENDPOINTS, store_door
from ray_jobs.run.rundir import RunDir


@given(st.integers(), st.sets(st.sampled_from(KINDS), min_size=1), st.floats(1, 100), st.floats(1, 1000))
def test_the_schedule_is_a_function_of_the_seed(seed, kinds, every, during):
    kinds = sorted(kinds)
    planned = schedule(seed, kinds, every, during)
    assert planned == schedule(seed, kinds, every, during)
    assert [kill.at_s for kill in planned] == sorted(kill.at_s for kill in planned)
    assert all(kill.kind in kinds and 0 <= kill.draw < 1 for kill in planned)
    assert abs(len(planned) - during / every) <= 1
    longer = schedule(seed, kinds, every, during + 500)
    assert longer[: len(planned)] == planned  # a longer run meets the same kills first


def test_other_seeds_kill_otherwise():
    assert len({tuple(schedule(seed, KINDS, 10, 100)) for seed in range(20)}) == 20


JOB = """
import pathlib, sys, time
done = pathlib.Path(sys.argv[1])
for _ in range(8):
    time.sleep(0.1)
    with done.open("a") as file:
        file.write("x")
    if len(done.read_text()) >= 8:
        sys.exit(0)
"""


def test_a_job_that_is_killed_is_started_again_until_it_ends(tmp_path, monkeypatch):
    monkeypatch.setattr(chaos, "LOOK_S", 0.02)
    monkeypatch.setattr(chaos, "REST_S", 0.0)
    command = [sys.executable, "-c", JOB, str(tmp_path / "done")]
    kills = [Kill(0.3, "driver", 0.0), Kill(0.35, "replica", 0.5), Kill(99.0, "driver", 0.0)]
    struck = run_struck(["collect"], lambda stage: command, kills, tmp_path / "log")
    assert struck.starts == {"collect": 2}
    assert [(kill["kind"], "process" in kill) for kill in struck.kills] == [("driver", True), ("replica", False)]


def test_a_job_that_is_killed_more_often_than_it_gets_on_is_left_alone_for_longer(tmp_path, monkeypatch):
    """Each start needs longer than the pause between two kills; no kill is lost."""
    monkeypatch.setattr(chaos, "LOOK_S", 0.02)
    monkeypatch.setattr(chaos, "REST_S", 0.6)
    monkeypatch.setattr(chaos, "_end", lambda family, job: job.wait())
    file = tmp_path / "done"
    program = f"import pathlib, time; time.sleep(1.0); pathlib.Path({str(file)!r}).touch(); time.sleep(9)"
    program = f"import pathlib, sys; pathlib.Path({str(file)!r}).exists() and sys.exit(0); {program}"
    kills = [Kill(0.2 * number, "driver", 0.0) for number in range(1, 9)]
    struck = run_struck(["embed"], lambda stage: [sys.executable, "-c", program], kills, tmp_path / "log")
    assert file.exists() and 3 <= struck.starts["embed"] <= len(kills) + 1
    assert [kill["at_s"] for kill in struck.kills] == [kill.at_s for kill in kills[: len(struck.kills)]]
    assert (tmp_path / "log").read_text().count("--- chaos: {") == len(struck.kills)


def test_what_a_clock_measured_is_not_compared(tmp_path):
    runs = [RunDir(str(tmp_path / name)) for name in ("a", "b")]
    for number, run in enumerate(runs):
        for stage, name, columns in (("train", "steps", {"loss": [1.5]}), ("evaluate", "tuned", {"passed": [True]})):
            table = pa.table(columns | {"seconds": [0.1 + number]})
            write_part(run.fs, run.path(stage, f"{name}.parquet"), table, {})
        run.write_json({"wall_s": number, "tasks": [{"rows": 2, "seconds": number}]}, "generate", "ledger.json")
        run.write_text("x", "train", "tensorboard", f"events.{number}")
    assert is_same(compare(*runs, ["generate", "train", "evaluate"]))
    runs[1].write_json({"wall_s": 1, "tasks": [{"rows": 3, "seconds": 1}]}, "generate", "ledger.json")
    write_part(runs[1].fs, runs[1].path("train", "steps.parquet"), pa.table({"loss": [1.25], "seconds": [0.1]}), {})
    found = compare(*runs, ["generate", "train", "evaluate"])
    assert [found[stage]["differ"] for stage in found] == [["ledger.json"], ["steps.parquet"], []]


def test_the_store_is_cut_off_for_a_while_and_nothing_is_lost(store, tmp_path, monkeypatch):
    with store_door() as door:
        fs, root = open_url(f"{store.bucket()}/run")
        write_bytes(fs, f"{root}/before", b"1")
        door.shut(1.5)
        write_bytes(fs, f"{root}/meanwhile", b"2")  # asked again until it is there
        assert not door.is_shut
        assert read_files(fs, [f"{root}/before", f"{root}/meanwhile"]) == [b"1", b"2"]
        assert os.environ["AWS_ENDPOINT_URL"] == door.url != store.url
    assert os.environ["AWS_ENDPOINT_URL"] == store.url


def test_who_is_no_store_of_ones_own_is_not_cut_off(monkeypatch, capsys, tmp_path):
    for name in ENDPOINTS:
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ValueError, match="set AWS_ENDPOINT_URL"), store_door():
        pass
    monkeypatch.setenv("AWS_ENDPOINT_URL", "https://s3.example")
    with pytest.raises(ValueError, match="has to be plain http"), store_door():
        pass
    assert main(["--config", "configs/demo.yaml", "--run-dir", str(tmp_path / "run"), "--kill", "store"]) == 2
    assert "s3://… is wanted" in capsys.readouterr().err


def test_a_job_that_ends_without_its_store_is_started_again(tmp_path, monkeypatch):
    monkeypatch.setattr(chaos, "LOOK_S", 0.02)
    file, shut = tmp_path / "store", []
    program = f"import pathlib, sys, time; time.sleep(0.5); sys.exit(2 * pathlib.Path({str(file)!r}).exists())"

    def away(seconds):
        file.touch() if not shut else None
        shut.append(seconds)

    monkeypatch.setattr(chaos, "_end", lambda family, job: file.unlink(missing_ok=True))
    struck = run_struck(["embed"], lambda stage: [sys.executable, "-c", program], [Kill(0.1, "store", 0.5)],
                        tmp_path / "log", away)  # fmt: skip
    assert (struck.starts, shut) == ({"embed": 2}, [20.0])
    assert struck.kills[0]["away_s"] == 20.0
    assert struck.stage_s["embed"] > 0.5


def test_a_job_that_fails_by_itself_is_not_started_again(tmp_path):
    with pytest.raises(ValueError, match="collect ended with exit code 3 and nothing was killed"):
        run_struck(["collect"], lambda stage: [sys.executable, "-c", "raise SystemExit(3)"], [], tmp_path / "log")


def test_a_byte_a_file_and_a_row_that_differ_are_told(tmp_path):
    runs = [RunDir(str(tmp_path / name)) for name in ("a", "b")]
    for seconds, run in enumerate(runs):
        run.write_text("same", "collect", "part-00000.parquet")
        run.write_json({"digest": "d", "rows_out": 2, "seconds": seconds}, "collect", "manifest.json")
    assert is_same(compare(*runs, ["collect"]))
    runs[1].write_text("more", "collect", "part-00001.parquet")
    runs[1].write_text("Same", "collect", "part-00000.parquet")
    found = compare(*runs, ["collect"])["collect"]
    assert (found["differ"], found["more"], found["rows"]) == (["part-00000.parquet"], ["part-00001.parquet"], [2, 2])
    assert not is_same({"collect": found})
    assert not is_same({"collect": found | {"differ": [], "more": [], "rows": [2, 3]}})


def test_times_and_names():
    assert [seconds_of(text, "every") for text in ("60s", "1.5m", "2h")] == [60, 90, 7200]
    for wrong in ("", "5", "0s", "-1m", "1d"):
        with pytest.raises(ValueError, match="--every is"):
            seconds_of(wrong, "every")
    with pytest.raises(ValueError, match="driver, node, worker, replica"):
        names_of("driver,moon", KINDS, "kill")


def test_on_a_cluster_it_refuses(monkeypatch, capsys, tmp_path):
    monkeypatch.setenv("RAY_ADDRESS", "10.0.0.1:6379")
    arguments = ["--config", "configs/demo.yaml", "--run-dir", str(tmp_path)]
    assert main(arguments) == 2
    assert "which others may use" in capsys.readouterr().err
    assert json.dumps(list(tmp_path.iterdir())) == "[]"


@pytest.mark.parametrize(
    ("title", "kind"),
    [("ray::MapBatches(_tokenise)", "worker"), ("ray::_Encoder.encode", "worker"), ("ray::IDLE", None),
     ("ray::DashboardAgent", None), ("ray::RuntimeEnvAgent", None), ("ray::ServeReplica:app:model", "replica"),
     ("/site-packages/ray/core/src/ray/raylet/raylet", "node"), ("gcs_server", None)],
)  # fmt: skip
def test_what_a_process_is_by_its_title(title, kind):
    with subprocess.Popen([title, "60"], executable="/bin/sleep") as process:
        try:
            started = psutil.Process(process.pid)
            while started.cmdline() != [title, "60"]:  # for a moment a new program has no title
                time.sleep(0.01)
            assert kind_of(started, os.getpid()) == kind
        finally:
            process.kill()
