"""What is deployed beside what Ray's own builder deploys, and the arguments that vLLM takes."""

import dataclasses

import pytest
import ray

from serve.engines.checks import vllm_arguments
from serve.engines.flow import REPLICA, applications
from serve.engines.rebalance import begin_with
from serve.engines.settings import EngineConfig, Model, llm_config
from serve.settings import ServeConfig

pytestmark = [pytest.mark.slow, pytest.mark.engine]  # no engine starts, but vLLM is imported

ENGINES = {
    "teacher": EngineConfig(
        gpus=2, cpus=4, accelerator_type="A10", min_replicas=0, max_replicas=3, idle_s=90, drain_s=20,
        routing="prefix", adapters="s3://bucket/adapters", max_adapters=2,
    ),
    "judge": EngineConfig(gpus=0.5, engine_metrics=True),
    "whole": EngineConfig(gpus=1, accelerator_type="H100", extra={"seed": 7}),
    "v2.5": EngineConfig(cpus=3, max_num_seqs=7),
}  # fmt: skip
MODELS = [
    Model("teacher", "s3://bucket/teacher"), Model("judge", "org/judge"), Model("whole", "org/whole", "{{ chat }}"),
    Model("v2.5", "/m/tuned"), Model("org/code.r", "/m/tuned"),
]  # fmt: skip
ENVIRONMENT = {"HF_HUB_OFFLINE": "1"}


def ours_and_rays(replicas=None):
    """For each model the fields of its LLMConfig, our deployment, and what Ray's builder makes of the fields."""
    from ray.serve.llm import LLMConfig, build_llm_deployment

    from serve.engines.replica import Replica

    config = ServeConfig(engines=ENGINES, replicas=replicas)
    begin = begin_with([model.name for model in MODELS], replicas)
    made = applications(MODELS, config, ENVIRONMENT, "s3cret", ray.get_runtime_context().runtime_env)
    for model in MODELS:
        fields = llm_config(model, config.engine_of(model.name), ENVIRONMENT, begin.get(model.name))
        theirs = build_llm_deployment(LLMConfig(**fields), name_prefix="LLMServer:", deployment_cls=Replica)
        yield fields, made[model.name]._bound_deployment, theirs._bound_deployment


@pytest.mark.parametrize("replicas", [None, 12])
def test_rays_own_builder_would_deploy_the_same(local_ray, replicas):
    for fields, ours, rays in ours_and_rays(replicas):
        assert ours.name == rays.name
        assert ours._deployment_config == rays._deployment_config
        assert ours.init_kwargs["llm_config"] == fields
        mine, other = ours._replica_config, rays._replica_config
        assert mine.placement_group_bundles == other.placement_group_bundles
        assert mine.placement_group_strategy == other.placement_group_strategy
        assert mine.resource_dict == other.resource_dict
        # A hook in an actor's environment is shown and never run: Ray runs that of a job.
        assert other.ray_actor_options["runtime_env"].pop("worker_process_setup_hook")
        assert mine.ray_actor_options == other.ray_actor_options


def test_a_replica_answers_http_itself():
    from ray.serve._private.http_util import ASGIAppReplicaWrapper
    from ray.serve._private.replica import _load_deployment_def_from_import_path
    from ray.serve.llm.deployment import LLMServer

    replica = _load_deployment_def_from_import_path(REPLICA)
    assert issubclass(replica, ASGIAppReplicaWrapper) and issubclass(replica, LLMServer)


def test_weights_and_adapters_come_from_disk_hub_or_object_storage():
    from ray.serve.llm import LLMConfig

    config = ServeConfig(engines=ENGINES)
    engines = {model.name: LLMConfig(**llm_config(model, config.engine_of(model.name), {})) for model in MODELS}
    sources = {name: engine.get_engine_config() for name, engine in engines.items()}
    assert sources["teacher"].mirror_config is None  # the replica copies them, with patience
    assert sources["judge"].hf_model_id == "org/judge"
    assert sources["v2.5"].hf_model_id == "/m/tuned"
    assert engines["teacher"].lora_config.dynamic_lora_loading_path == "s3://bucket/adapters"
    assert engines["teacher"].engine_kwargs["enable_lora"] is True
    assert engines["teacher"].lora_config.max_num_adapters_per_replica == 2


def test_the_arguments_that_vllm_takes_are_read_from_its_source_as_it_has_them():
    from vllm.engine.arg_utils import AsyncEngineArgs
    from vllm.entrypoints.launchers.cli_args import FrontendArgs

    taken = {field.name for kind in (AsyncEngineArgs, FrontendArgs) for field in dataclasses.fields(kind)}
    assert vllm_arguments() == taken
