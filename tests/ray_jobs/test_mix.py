"""What cannot be mixed or kept out is refused in one line before any work starts."""

import pytest

from ray_jobs.mix import check_mix, training_stage
from ray_jobs.run.config import load_config
from ray_jobs.run.leakage import benchmark_texts, check_benchmarks
from ray_jobs.run.model_checks import check_models

DEMO = "configs/demo.yaml"


def here(config):
    check_models(config, here=True)


def test_the_demo_mixes_nothing_and_keeps_humaneval_out_at_every_gate():
    config = load_config(DEMO, [])
    check_mix(config)
    check_benchmarks(config)
    assert training_stage(config) == "codeocean"
    assert {len(benchmark_texts(config, gate)) for gate in config.decontaminate.gates} == {164}


@pytest.mark.parametrize(
    ("check", "override", "message"),
    [
        (check_mix, "mix.sources=[{name: a, path: /nowhere.json}]", "mix.sources: '/nowhere.json' is no file"),
        (here, "mix.answers={model: 'package:nothing'}", "mix.answers.model is 'package:nothing'"),
        (here, "mix.answers={model: m, endpoint: 'https://api.anthropic.com/v1', batch: true}",
         "mix.answers: batches are asked in OpenAI's form"),
        (here, "mix.answers={model: 'package:smollm2-135m-instruct', batch: true}", "which a model of our own does not have"),
        (
            check_benchmarks,
            "decontaminate.files={mbpp: /nowhere.jsonl}",
            "decontaminate.files.mbpp is '/nowhere.jsonl'",
        ),
        (
            check_benchmarks,
            "decontaminate.files={mbpp: configs/demo.yaml}",
            "line 1 of configs/demo.yaml is no problem",
        ),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(check, override, message):
    config = load_config(DEMO, [override])
    with pytest.raises((ValueError, OSError)) as caught:
        check(config)
    assert message in str(caught.value)


def test_an_unreadable_benchmark_matters_only_where_a_gate_is_open():
    config = load_config(DEMO, ["decontaminate.files={mbpp: /nowhere.jsonl}", "decontaminate.gates=[]"])
    check_benchmarks(config)
    assert benchmark_texts(config, "raw code") == []
