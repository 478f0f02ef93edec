"""The Serve applications that a driver builds of its settings, without an engine and without Ray."""

import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from serve.engines.flow import applications
from serve.engines.settings import EngineConfig, Model, deployment_of
from serve.settings import ServeConfig

ROOT = Path(__file__).parents[3]
JOB = {"working_dir": "gcs://job.zip", "env_vars": {"OF_JOB": "1"}}
ENGINES = {
    "teacher": EngineConfig(
        gpus=2, cpus=4, accelerator_type="A10G", min_replicas=0, max_replicas=3, idle_s=90, drain_s=20,
        routing="prefix", adapters="s3://bucket/adapters", max_adapters=2,
    ),
    "judge": EngineConfig(gpus=0.5),
}  # fmt: skip
MODELS = [Model("teacher", "s3://bucket/teacher"), Model("judge", "org/judge"), Model("wavecoder", "/m/tuned")]


def built(models, engines):
    """Name → its deployment."""
    made = applications(models, ServeConfig(engines=engines), {"HF_HUB_OFFLINE": "1"}, "s3cret", JOB)
    return {name: app._bound_deployment for name, app in made.items()}


@pytest.fixture(scope="module")
def deployments():
    return built(MODELS, ENGINES)


def test_every_model_has_its_own_application_and_bounds(deployments):
    assert {name: each.name for name, each in deployments.items()} == {
        model.name: deployment_of(model.name) for model in MODELS
    }
    scaling = {name: each._deployment_config.autoscaling_config for name, each in deployments.items()}
    assert (scaling["teacher"].min_replicas, scaling["teacher"].max_replicas) == (0, 3)
    assert scaling["teacher"].downscale_delay_s == 90
    assert (scaling["wavecoder"].min_replicas, scaling["wavecoder"].max_replicas) == (1, 1)
    assert deployments["teacher"]._deployment_config.graceful_shutdown_timeout_s == 20


def test_replicas_take_several_gpus_a_part_of_one_or_none(deployments):
    bundles = {name: each._replica_config.placement_group_bundles for name, each in deployments.items()}
    assert bundles["teacher"] == [
        {"CPU": 4.0, "GPU": 1.0, "accelerator_type:A10G": 0.001},
        {"GPU": 1.0, "accelerator_type:A10G": 0.001},
    ]
    assert bundles["judge"] == [{"CPU": 1.0, "GPU": 0.5}]
    assert bundles["wavecoder"] == [{"CPU": 1.0, "GPU": 0}]
    arguments = {name: each.init_kwargs["llm_config"]["engine_kwargs"] for name, each in deployments.items()}
    assert arguments["teacher"]["tensor_parallel_size"] == 2
    assert arguments["judge"]["gpu_memory_utilization"] == 0.45


def test_a_replica_is_told_the_secret_and_the_source_and_has_the_jobs_environment(deployments):
    environment = deployments["judge"].ray_actor_options["runtime_env"]
    assert environment == {"working_dir": "gcs://job.zip", "env_vars": {"HF_HUB_OFFLINE": "1"}}
    assert deployments["teacher"].init_kwargs["source"] == "s3://bucket/teacher"
    for each in deployments.values():
        assert each.init_kwargs["secret"] == "s3cret"
        assert len(pickle.dumps((each.func_or_class, each.init_kwargs))) < 2000


@pytest.mark.parametrize(
    ("engine", "line"),
    [
        (EngineConfig(accelerator_type="H100"), r"accelerator_type H100 names a GPU, and .* none \(gpus: 0\)"),
        (EngineConfig(gpus=1, accelerator_type="H1000"), "accelerator_type H1000 is none that Ray knows: .*H100, "),
        (EngineConfig(gpus=1, accelerator_type="TPU-V4"), "accelerator_type TPU-V4 is none"),
        (EngineConfig(extra={"max_num_seq": 8, "seed": 1}), "vLLM has no engine argument max_num_seq$"),
        (EngineConfig(engine_metrics=True, extra={"disable_log_stats": True}), "leave disable_log_stats out"),
    ],
)
def test_what_a_replica_would_refuse_is_refused_before_it_starts(engine, line):
    with pytest.raises(ValueError, match=line):
        built([Model("judge", "org/judge")], {"judge": engine})


def test_a_driver_that_builds_an_application_imports_neither_vllm_nor_rays_part_for_it():
    program = (
        "import sys; from tests.serve.engines.test_applications import *\n"
        "assert built(MODELS, ENGINES)\n"
        "print({name for name in sys.modules if name.split('.')[0] in {'vllm', 'torch', 'transformers'}\n"
        "       or name.startswith(('ray.llm', 'ray.serve.llm'))})"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
