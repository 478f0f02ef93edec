"""The whole pipeline on three nodes, of which the one that does the work is killed in two stages."""

import json
import tempfile
from pathlib import Path

import pytest

from tests.cluster_head import add_node, start_head, stop_head
from tests.ray_jobs.nodes import follow, settings, submit, without_dumps
from tests.test_main_job import OVERRIDES

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(2400)]


def test_the_pipeline_outlives_the_nodes_that_do_its_work(tmp_path, capsys):
    head = start_head(Path(tempfile.mkdtemp()), cpus=0)
    try:
        for number in range(2):
            add_node(head, number)
        command = ["ray_jobs.pipeline", "--config", "configs/demo.yaml", "--run-dir", str(tmp_path / "run")]
        collect = {key: value for key, value in OVERRIDES.items() if key.startswith("collect.")}
        few = [word for key, value in collect.items() for word in ("--set", f"{key}={value}")]
        job = submit(head, "pipeline", *command, *settings(full=False), *few)
        end = follow(head, *job, ["generate", "train"], tmp_path / "run", within_s=2300)
    finally:
        stop_head(head)
    said = without_dumps(capsys.readouterr().out)
    assert end == "SUCCEEDED", said[-6000:]
    assert said.count("killed node") == 2, said
    stages = {path.parent.name: json.loads(path.read_text()) for path in (tmp_path / "run").glob("*/manifest.json")}
    assert stages["embed"]["rows_out"] == stages["collect"]["rows_out"] == 10
    generated = stages["generate"]
    assert generated["rows_in"] == generated["rows_out"] + sum(generated["dropped"].values()) == 8
    assert all(stage["attempts"] == 1 for stage in stages.values())  # no stage failed and was begun again
    assert {"train", "evaluate"} <= stages.keys()
