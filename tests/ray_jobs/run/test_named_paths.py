"""What is read from a disk and named by a bucket's URL is refused in one line, before any work starts."""

import pytest

from ray_jobs.run.config import load_config
from ray_jobs.run.named_paths import check_no_urls
from ray_jobs.train import main

DEMO = "configs/demo.yaml"


def settings(*overrides):
    return load_config(DEMO, list(overrides), "s3://bucket/run").model_dump(mode="json")


def test_what_may_lie_in_a_bucket_may():
    check_no_urls(settings(
        "train.model=s3://b/m", "embed.model=gs://b/m", "collect.filters.tokenizer=s3://b/m",
        "serve.engine.adapters=s3://b/adapters", "select.grow=s3://b/run/select/coreset.parquet",
        "collect.sources=[{kind: codesearchnet, path: 's3://b/data'}]",
        "mix.sources=[{name: evol, path: 's3://b/evol.jsonl', license: MIT}]",
    ))  # fmt: skip


@pytest.mark.parametrize(
    ("override", "key"),
    [
        ("collect.sources=[{kind: folder, path: 's3://b/code', languages: [python]}]", "collect.sources.0.path"),
        ("generate.task_folder=s3://b/tasks", "generate.task_folder"),
        ("decontaminate.files={mbpp: 's3://b/mbpp.jsonl'}", "decontaminate.files.mbpp"),
        ("evaluate.dataset=gs://b/humaneval.jsonl", "evaluate.dataset"),
        ("evaluate.benchmark_folder=s3://b/own", "evaluate.benchmark_folder"),
        ("serve.gateway.keys=s3://b/keys.json", "serve.gateway.keys"),
    ],
)
def test_what_is_read_from_a_disk_is_refused(override, key):
    with pytest.raises(ValueError, match=f"^{key} is .*read from a disk: copy it") as caught:
        check_no_urls(settings(override))
    assert "\n" not in str(caught.value)


def test_a_job_says_so_before_its_run_directory_is_touched(capsys, tmp_path):
    arguments = ["--config", DEMO, "--run-dir", str(tmp_path / "run"), "--set", "generate.task_folder=s3://b/tasks"]
    assert main(arguments) == 2
    assert "generate.task_folder is 's3://b/tasks', and is read from a disk" in capsys.readouterr().err
    assert not (tmp_path / "run").exists()
