"""The Serve application as Ray builds it from the settings. Running it is tests/test_main_job.py's part."""

import pytest
from ray.serve._private.http_util import ASGIAppReplicaWrapper

from serve.engines.settings import EngineConfig, Model, deployment_of
from serve.settings import ServeConfig

pytestmark = [pytest.mark.slow, pytest.mark.engine]  # no engine starts, but vLLM is imported


@pytest.fixture(scope="module")
def deployments(local_ray):  # Ray would start one of its own at the first question about its nodes
    """Name → its deployment, of three models with different replicas."""
    from serve.engines.flow import applications

    engines = {
        "teacher": EngineConfig(
            gpus=2, cpus=4, accelerator_type="A10G", min_replicas=0, max_replicas=3, idle_s=90, drain_s=20,
            routing="prefix", adapters="s3://bucket/adapters", max_adapters=2,
        ),
        "judge": EngineConfig(gpus=0.5),
    }  # fmt: skip
    models = [Model("teacher", "s3://bucket/teacher"), Model("judge", "org/judge"), Model("wavecoder", "/m/tuned")]
    made = applications(models, ServeConfig(engines=engines), {"HF_HUB_OFFLINE": "1"}, "s3cret")
    return {name: app._bound_deployment for name, app in made.items()}


def test_every_model_has_its_own_application_and_bounds(deployments):
    assert {name: each.name for name, each in deployments.items()} == {
        name: deployment_of(name) for name in ("teacher", "judge", "wavecoder")
    }
    scaling = {name: each._deployment_config.autoscaling_config for name, each in deployments.items()}
    assert (scaling["teacher"].min_replicas, scaling["teacher"].max_replicas) == (0, 3)
    assert scaling["teacher"].downscale_delay_s == 90
    assert (scaling["wavecoder"].min_replicas, scaling["wavecoder"].max_replicas) == (1, 1)


def test_replicas_take_several_gpus_a_part_of_one_or_none(deployments):
    bundles = {name: each._replica_config.placement_group_bundles for name, each in deployments.items()}
    assert bundles["teacher"] == [
        {"CPU": 4.0, "GPU": 1.0, "accelerator_type:A10G": 0.001},
        {"GPU": 1.0, "accelerator_type:A10G": 0.001},
    ]
    assert bundles["judge"] == [{"CPU": 1.0, "GPU": 0.5}]
    assert bundles["wavecoder"] == [{"CPU": 1.0, "GPU": 0}]
    arguments = {name: each.init_kwargs["llm_config"].engine_kwargs for name, each in deployments.items()}
    assert arguments["teacher"]["tensor_parallel_size"] == 2
    assert arguments["judge"]["gpu_memory_utilization"] == 0.45


def test_a_replica_drains_and_answers_http_itself(deployments):
    from serve.engines.replica import Replica

    assert deployments["teacher"]._deployment_config.graceful_shutdown_timeout_s == 20
    for each in deployments.values():
        assert issubclass(each.func_or_class, ASGIAppReplicaWrapper) and issubclass(each.func_or_class, Replica)
        assert each.init_kwargs["secret"] == "s3cret"


def test_weights_and_adapters_come_from_disk_hub_or_object_storage(deployments):
    engines = {name: each.init_kwargs["llm_config"] for name, each in deployments.items()}
    sources = {name: engine.get_engine_config() for name, engine in engines.items()}
    assert sources["teacher"].mirror_config is None  # the replica copies them, with patience
    assert deployments["teacher"].init_kwargs["source"] == "s3://bucket/teacher"
    assert sources["judge"].hf_model_id == "org/judge"
    assert sources["wavecoder"].hf_model_id == "/m/tuned"
    assert engines["teacher"].lora_config.dynamic_lora_loading_path == "s3://bucket/adapters"
    assert engines["teacher"].engine_kwargs["enable_lora"] is True
    assert engines["teacher"].lora_config.max_num_adapters_per_replica == 2
