"""The train job: the paper's recipes, and one model without each task."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.fs as pafs
import pyarrow.parquet as pq
import pytest
from transformers import AutoModelForCausalLM

from codeocean.export.formats import FORMATS, json_lines
from ray_jobs.plan import check_resources, plan_stages
from ray_jobs.run.config import load_config
from ray_jobs.run.rundir import RunDir
from ray_jobs.train import read_pairs, run_train, tracking_of

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(("recipe", "model", "batch", "rate"), [
    ("paper-ds-6.7b", "deepseek-ai/deepseek-coder-6.7b-base", 512, 5e-5),
    ("paper-pro-6.7b", "deepseek-ai/deepseek-coder-6.7b-base", 512, 5e-5),
    ("paper-ultra-6.7b", "deepseek-ai/deepseek-coder-6.7b-base", 512, 5e-5),
    ("paper-sc-15b", "bigcode/starcoder", 256, 2e-5),
    ("paper-cl-7b", "codellama/CodeLlama-7b-hf", 256, 2e-5),
    ("paper-cl-13b", "codellama/CodeLlama-13b-hf", 256, 2e-5),
])  # fmt: skip
def test_recipes_train_as_the_paper_says_and_pass_a_dry_run(recipe, model, batch, rate):
    config = load_config(str(ROOT / "configs" / f"{recipe}.yaml"), [])
    train = config.train
    assert (train.model, train.global_batch, train.learning_rate, train.epochs) == (model, batch, rate, 3)
    assert (train.optimizer, train.schedule, train.packing, train.holdout) == ("adamw", "cosine", True, 0.0)
    assert (config.mix.answers is not None, bool(config.mix.sources)) == (
        "pro" in recipe or "ultra" in recipe,
        "ultra" in recipe,
    )
    planned = {stage.stage: stage for stage in plan_stages(config, reach_out=False, here=False)}
    assert planned["train"].gpus == train.workers


def test_engines_that_differ_are_planned_each_by_what_it_asks_for():
    config = load_config(str(ROOT / "configs" / "demo.yaml"), [
        "generate.discriminator.model=some/judge", "serve.engines={judge: {cpus: 3, min_replicas: 2, max_replicas: 2}}",
    ])  # fmt: skip
    lines = [stage for stage in plan_stages(config, reach_out=False, here=False) if stage.stage == "generate"]
    assert [(line.workers, line.each["CPU"], line.beside) for line in lines] == [(2, 3, 1), (1, 1, 0)]
    with pytest.raises(ValueError, match="stage generate asks for 8 CPUs but ray.num_cpus is 4"):
        check_resources(config, lines)


def codeocean(run, tasks):
    (Path(run.root) / "codeocean").mkdir(parents=True)
    rows = [{"instruction": f"Write {number}.", "input": "", "output": f"x = {number}", "task": task}
            for number, task in enumerate(tasks)]  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), run.path("codeocean", "part-00000.parquet"))
    run.write_json({"stage": "codeocean", "rows_out": len(rows), "digest": "d"}, "codeocean", "manifest.json")


def test_leaving_a_task_out_needs_two(tmp_path):
    run = RunDir(str(tmp_path))
    codeocean(run, ["repair", "repair"])
    config = load_config(str(ROOT / "configs" / "demo.yaml"), [])
    with pytest.raises(ValueError, match="needs instances of two tasks or more; .* holds \\['repair'\\]"):
        run_train(config, run, ablate="task")


def test_curves_are_kept_beside_the_model_and_not_in_a_bucket(tmp_path):
    config = load_config(str(ROOT / "configs" / "demo.yaml"), ["train.track=[wandb, mlflow]", "train.track_project=p"])
    found = tracking_of(config, RunDir(str(tmp_path / "run")), "train")
    assert (found.folder, found.name, found.project) == (f"{tmp_path}/run/train", "run/train", "p")
    assert found.trackers == ["wandb", "mlflow"] and found.settings["track_project"] == "p"
    bucket = RunDir(f"file://{tmp_path}/run")
    bucket.fs = pafs.SubTreeFileSystem(str(tmp_path), pafs.LocalFileSystem())  # any that is not this machine's disk
    with pytest.raises(ValueError, match="train.track keeps files beside the model, .* is in an object store"):
        tracking_of(config, bucket, "train")
    assert tracking_of(load_config(str(ROOT / "configs" / "demo.yaml"), []), bucket, "train") is None


@pytest.mark.parametrize(("given", "line"), [
    ({"dry_run": True}, "train --dry-run says what --push would send"),
    ({"push": "me/model", "ablate": "task"}, "sends the one model of a local run directory, without --ablate"),
    ({"push": "no repository"}, "is no repository of the hub; give OWNER/NAME"),
    ({"push": "me/model", "dry_run": True}, "holds no trained model with its card; run: wavecoder train"),
])  # fmt: skip
def test_a_push_that_cannot_be_is_one_line_before_anything_is_trained(tmp_path, given, line):
    config, run = load_config(str(ROOT / "configs" / "demo.yaml"), []), RunDir(str(tmp_path))
    with pytest.raises(ValueError, match=line):
        run_train(config, run, **given)
    assert not (tmp_path / "train").exists()


def test_pairs_may_hold_what_text_takes_for_a_line_break(tmp_path):
    run, (good, bad) = RunDir(str(tmp_path)), ('return "\u2028"', 'return "\x85"')
    pair = {"id": "a", "chosen": [{"content": good}], "rejected": [{"content": bad}]}
    file = Path(run.path("codeocean", FORMATS["preference"].file))
    file.parent.mkdir()
    file.write_text("".join(json_lines([pair])))
    asked = pa.table({"id": ["a"], "instruction": ["Name a separator."], "input": [""]})
    assert [(one["chosen"], one["rejected"]) for one in read_pairs(run, asked)] == [(good, bad)]


def count_weights(config, run, stage, snapshot, step):
    """Stands for a benchmark; reads the snapshot as an engine would."""
    return {"weights": float(len(list(AutoModelForCausalLM.from_pretrained(snapshot).parameters())))}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_one_model_without_each_task(local_ray, tiny_llama, tmp_path, monkeypatch):
    run = RunDir(str(tmp_path / "run"))
    codeocean(run, ["generation", "repair", "repair", "generation", "repair", "repair"])
    settings = {"model": tiny_llama, "workers": 1, "holdout": 0.25, "global_batch": 2, "max_length": 256,
                "optimizer": "adafactor", "learning_rate": 0.1, "evaluate_every": 1}  # fmt: skip
    overrides = [f"train.{name}={value}" for name, value in settings.items()]
    config = load_config(str(ROOT / "configs" / "demo.yaml"), overrides)
    monkeypatch.setattr("ray_jobs.train._score_snapshot", count_weights)
    manifests = run_train(config, run, ablate="task")
    assert [manifest["stage"] for manifest in manifests] == ["ablate/generation", "ablate/repair"]
    for manifest, without, kept, held_out in zip(manifests, ("generation", "repair"), (4, 2), (1, 1), strict=True):
        assert manifest["dropped"] == {"without_task": 6 - kept}
        assert (manifest["details"]["rows"], manifest["details"]["held_out_rows"]) == (kept - held_out, held_out)
        folder = Path(run.path("ablate", without))
        steps = pq.read_table(folder / "steps.parquet").to_pylist()
        assert len(steps) == -(-(kept - held_out) // 2)
        left = "repair" if without == "generation" else "generation"
        assert steps[-1]["held_out_loss"] == steps[-1][f"held_out_loss.{left}"] > 0
        before, last = manifest["details"]["held_out"][left]
        assert (before, last) == (steps[0]["before.held_out_loss"], steps[-1]["held_out_loss"])
        assert before > last
        board = b"".join(file.read_bytes() for file in (folder / "tensorboard").glob("events.*"))
        assert manifest["details"]["scores"] == ({"1": {"weights": 20.0}} if len(steps) == 2 else {})
        assert (b"train/score.weights" in board) == (len(steps) == 2)
        assert not list((folder / ".checkpoints").glob("snapshots/*"))
        card = (folder / "model" / "README.md").read_text()
        assert f"without_task: {without}" in card and "- codeocean: d" in card and '"learning_rate"' in card
        AutoModelForCausalLM.from_pretrained(folder / "model")
    other_machine = load_config(str(ROOT / "configs" / "demo.yaml"), [*overrides, "train.workers=2"])
    assert run_train(other_machine, run, ablate="task") == manifests  # done before; the same run on another machine
    assert json.loads((Path(run.root) / "ablate" / "repair" / "manifest.json").read_text())["digest"]
