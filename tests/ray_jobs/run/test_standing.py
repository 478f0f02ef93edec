"""What the plan says of stages that other settings made."""

import pytest

from core.stages import StageResult
from ray_jobs.run.config import load_config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.rundir import RunDir, run_stage
from ray_jobs.run.standing import Standing, standings, told_again

STAGES = ["collect", "embed", "select", "generate", "train"]


def config(tmp_path, *overrides):
    return load_config("configs/demo.yaml", [f"run_dir={tmp_path}", *overrides])


@pytest.fixture
def run(tmp_path):
    """Collect, embed and select done, generate cut off."""
    found, digest = RunDir(str(tmp_path)), "0"
    for stage in STAGES[:3]:
        digest = run_stage(found, stage, covered_by(stage, config(tmp_path)), {"before": digest},
                           lambda: StageResult(1, 1))["digest"]  # fmt: skip

    def killed():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_stage(found, "generate", covered_by("generate", config(tmp_path)), {"before": digest}, killed)
    return found


def states(config, run):
    return [standing.state for standing in standings(config, run, STAGES).values()]


def test_the_same_settings_go_on(run, tmp_path):
    found = standings(config(tmp_path), run, STAGES)
    assert [each.state for each in found.values()] == ["done", "done", "done", "cut off", "to do"]
    assert told_again(found) == ""


def test_settings_of_speed_leave_everything_done(run, tmp_path):
    faster = config(tmp_path, "embed.actors=3", "select.cpus_per_shard=2")
    assert states(faster, run) == ["done", "done", "done", "cut off", "to do"]


def test_another_setting_is_named_and_what_lies_behind_is_made_again(run, tmp_path):
    found = standings(config(tmp_path, "embed.actors=2", "select.size=40", "select.seed=3"), run, STAGES)
    assert [each.state for each in found.values()] == ["done", "done", "again", "again", "to do"]
    assert found["select"] == Standing("again", "select.size was 80, is 40, select.seed was 0, is 3")
    assert told_again(found).splitlines()[:2] == [
        "select is made again: select.size was 80, is 40, select.seed was 0, is 3",
        "made again behind it: generate",
    ]


def test_a_setting_from_another_section_counts_too(run, tmp_path):
    (found,) = standings(config(tmp_path, "serve.engine.dtype=bfloat16"), run, ["generate"]).values()
    assert found.state == "again"
    assert "dtype was float32, is bfloat16" in found.why
