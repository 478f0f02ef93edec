"""The Serve application as it is built from the settings. Running it is tests/test_main_job.py's part."""

import pickle

import pytest

from serve.engines.flow import applications
from serve.engines.settings import EngineConfig, Model, deployment_of, llm_config
from serve.settings import ServeConfig

pytestmark = [pytest.mark.slow, pytest.mark.engine]  # no engine starts, but vLLM is imported to compare

ENGINES = {
    "teacher": EngineConfig(
        gpus=2, cpus=4, accelerator_type="A10", min_replicas=0, max_replicas=3, idle_s=90, drain_s=20,
        routing="prefix", adapters="s3://bucket/adapters", max_adapters=2,
    ),
    "judge": EngineConfig(gpus=0.5, engine_metrics=True),
    "whole": EngineConfig(gpus=1, accelerator_type="H100", extra={"enable_auto_tool_choice": False}),
    "v2.5": EngineConfig(cpus=3, max_num_seqs=7),
}  # fmt: skip
MODELS = [
    Model("teacher", "s3://bucket/teacher"), Model("judge", "org/judge"), Model("whole", "org/whole", "{{ chat }}"),
    Model("v2.5", "/m/tuned"), Model("wavecoder", "/m/tuned"),
]  # fmt: skip
ENVIRONMENT = {"HF_HUB_OFFLINE": "1"}


def built(replicas=None):
    """Name → its deployment."""
    made = applications(MODELS, ServeConfig(engines=ENGINES, replicas=replicas), ENVIRONMENT, "s3cret")
    return {name: app._bound_deployment for name, app in made.items()}


@pytest.fixture(scope="module")
def deployments(local_ray):  # Ray would start one of its own at the first question about its nodes
    return built()


def test_every_model_has_its_own_application_and_bounds(deployments):
    assert {name: each.name for name, each in deployments.items()} == {
        model.name: deployment_of(model.name) for model in MODELS
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
    arguments = {name: each.init_kwargs["llm_config"]["engine_kwargs"] for name, each in deployments.items()}
    assert arguments["teacher"]["tensor_parallel_size"] == 2
    assert arguments["judge"]["gpu_memory_utilization"] == 0.45


@pytest.mark.parametrize("replicas", [None, 12])
def test_ray_s_own_builder_would_deploy_the_same(deployments, replicas):
    from ray.serve.llm import LLMConfig, build_llm_deployment

    from serve.engines.rebalance import begin_with
    from serve.engines.replica import Replica

    begin = begin_with([model.name for model in MODELS], replicas)
    for model in MODELS:
        ours = (deployments if replicas is None else built(replicas))[model.name]
        engine = ServeConfig(engines=ENGINES).engine_of(model.name)
        fields = LLMConfig(**llm_config(model, engine, ENVIRONMENT, begin.get(model.name)))
        app = build_llm_deployment(fields, name_prefix="LLMServer:", deployment_cls=Replica)
        rays = app._bound_deployment
        assert ours.name == rays.name
        assert ours._deployment_config == rays._deployment_config
        mine, other = ours._replica_config, rays._replica_config
        assert mine.placement_group_bundles == other.placement_group_bundles
        assert mine.placement_group_strategy == other.placement_group_strategy
        assert mine.resource_dict == other.resource_dict
        # Of an actor's environment Ray only shows the hook; it runs that of a job.
        assert other.ray_actor_options["runtime_env"].pop("worker_process_setup_hook")
        assert mine.ray_actor_options == other.ray_actor_options
        assert LLMConfig(**ours.init_kwargs["llm_config"]).model_dump() == fields.model_dump()


def test_a_replica_drains_and_answers_http_itself(deployments):
    from ray.serve._private.http_util import ASGIAppReplicaWrapper
    from ray.serve._private.replica import _load_deployment_def_from_import_path
    from ray.serve.llm import LLMServer

    assert deployments["teacher"]._deployment_config.graceful_shutdown_timeout_s == 20
    for each in deployments.values():
        replica = _load_deployment_def_from_import_path(each.func_or_class)
        assert issubclass(replica, ASGIAppReplicaWrapper) and issubclass(replica, LLMServer)
        assert each.init_kwargs["secret"] == "s3cret"
        assert len(pickle.dumps((each.func_or_class, each.init_kwargs))) < 2000


def test_weights_and_adapters_come_from_disk_hub_or_object_storage(deployments):
    from ray.serve.llm import LLMConfig

    engines = {name: LLMConfig(**each.init_kwargs["llm_config"]) for name, each in deployments.items()}
    sources = {name: engine.get_engine_config() for name, engine in engines.items()}
    assert sources["teacher"].mirror_config is None  # the replica copies them, with patience
    assert deployments["teacher"].init_kwargs["source"] == "s3://bucket/teacher"
    assert sources["judge"].hf_model_id == "org/judge"
    assert sources["wavecoder"].hf_model_id == "/m/tuned"
    assert engines["teacher"].lora_config.dynamic_lora_loading_path == "s3://bucket/adapters"
    assert engines["teacher"].engine_kwargs["enable_lora"] is True
    assert engines["teacher"].lora_config.max_num_adapters_per_replica == 2
