"""The main job with nothing mocked: real code, a real teacher on vLLM, real training, a real endpoint, real programs.

One run goes through. A second one is killed while it generates and started again: it must end with the same files. To make
that a test of ours and not of rounding, its engine takes one question at a time and caches no prefixes.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.cluster_head import free_port

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.engine, pytest.mark.slow, pytest.mark.timeout(1800)]

OVERRIDES = {
    "collect.sources": f"[{{kind: folder, path: {ROOT / 'tests' / 'data' / 'functions'}, languages: [python]}}]",
    "collect.sample": "1.0",
    "select.size": "4",  # two rounds: one is done when the second run is killed, one is not
    "generate.tasks": "{summarization: 1}",
    "generate.round_size": "2",
    "generate.generator.max_tokens": "160",
    "generate.discriminator.max_tokens": "192",
    "generate.max_answer_chars": "300",
    "codeocean.quality": "null",  # so small a teacher repeats what it was given
    "train.global_batch": "2",
    "serve.port": str(free_port()),
    "serve.engine.extra": "{max_num_seqs: 1, enable_prefix_caching: false}",
    "evaluate.limit": "2",
    "evaluate.max_tokens": "48",
    "evaluate_models": "[tuned]",
    "ray.dashboard": "false",
}


def start(job: str, run_dir: Path) -> subprocess.Popen:
    settings = [part for key, value in OVERRIDES.items() for part in ("--set", f"{key}={value}")]
    command = [
        sys.executable,
        "-m",
        f"ray_jobs.{job}",
        "--config",
        "configs/demo.yaml",
        "--run-dir",
        str(run_dir),
        *settings,
    ]
    return subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def finish(process: subprocess.Popen) -> str:
    output, _ = process.communicate(timeout=1700)
    assert process.returncode == 0, output[-3000:]
    return output


def modified(run_dir: Path) -> dict[str, int]:
    return {str(path): path.stat().st_mtime_ns for path in run_dir.rglob("*.parquet")}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    run_dir = tmp_path_factory.mktemp("whole")
    return run_dir, finish(start("pipeline", run_dir))


def test_every_stage_is_done_and_the_end_says_so(finished):
    run_dir, output = finished
    manifests = {path.parent.name: json.loads(path.read_text()) for path in run_dir.glob("*/manifest.json")}
    assert set(manifests) == {
        "collect",
        "embed",
        "select",
        "generate",
        "codeocean",
        "train",
        "serve",
        "evaluate",
        "report",
    }
    assert manifests["codeocean"]["rows_out"] > 0
    assert manifests["codeocean"]["rows_in"] + sum(manifests["generate"]["dropped"].values()) == 4
    assert (
        manifests["codeocean"]["rows_out"] + sum(manifests["codeocean"]["dropped"].values())
        == manifests["codeocean"]["rows_in"]
    )
    assert manifests["codeocean"]["details"]["sandbox"] is True
    assert manifests["serve"]["details"]["streamed_equal"] is True
    assert manifests["serve"]["details"]["models"] == ["wavecoder"]
    (score,) = manifests["evaluate"]["details"]["scores"]
    assert (score["label"], score["n"]) == ("tuned", 2)
    assert "what happened" in output
    assert str(run_dir / "report" / "index.html") in output
    assert "Accepted instances" in (run_dir / "report" / "index.html").read_text()


def test_instances_are_traceable_and_exported_twice(finished):
    run_dir, _ = finished
    rows = pq.read_table(run_dir / "codeocean" / "part-00000.parquet").to_pylist()
    lines = [json.loads(line) for line in (run_dir / "codeocean" / "codeocean.jsonl").read_text().splitlines()]
    assert lines == [{name: row[name] for name in ("instruction", "input", "output")} for row in rows]
    coreset = set(pq.read_table(run_dir / "select" / "coreset.parquet")["id"].to_pylist())
    assert {row["raw_id"] for row in rows} <= coreset
    assert all(json.loads(row["provenance"])["overall"] == "yes" for row in rows)


def test_a_second_run_does_nothing_again(finished):
    run_dir, _ = finished
    before = modified(run_dir)
    output = finish(start("pipeline", run_dir))
    assert modified(run_dir) == before
    assert output.count("done before, skipped") == 8


def test_killed_while_generating_it_ends_with_the_same_data(finished, tmp_path):
    whole, _ = finished
    for stage in ("collect", "embed", "select"):
        shutil.copytree(whole / stage, tmp_path / stage)
    process = start("generate", tmp_path)
    first = tmp_path / "generate" / "round-00000" / "generations.parquet"
    deadline = time.monotonic() + 1000
    while not first.with_name("ledger.json").exists():  # the last file of a round
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    written = first.stat().st_mtime_ns
    assert not (tmp_path / "generate" / "manifest.json").exists()
    finish(start("generate", tmp_path))
    assert first.stat().st_mtime_ns == written  # finished rounds are not asked for again
    for path in sorted((whole / "generate").rglob("*.parquet")):
        name = path.relative_to(whole)
        assert pq.read_table(tmp_path / name).equals(pq.read_table(path)), name
