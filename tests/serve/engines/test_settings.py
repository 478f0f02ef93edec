"""What engines are started with, and a port that is taken."""

import socket

import pytest

from serve.engines.settings import EngineConfig, Model, engine_arguments, engine_environment, llm_config
from serve.settings import ServeConfig, check_port_free, choose_port, listen


def test_no_engine_runs_foreign_code_and_every_one_caches_prefixes():
    for config in (EngineConfig(), EngineConfig(gpus=1), EngineConfig(gpus=4, cpus=8)):
        arguments = engine_arguments(config)
        assert arguments["trust_remote_code"] is False
        assert arguments["enable_prefix_caching"] is True


def test_a_cpu_engine_never_prefills_in_chunks():
    """vLLM 0.29 dies there when a request has a seed; tests/test_main_job.py shows the whole of it."""
    assert engine_arguments(EngineConfig(max_model_len=100)) | {
        "enable_chunked_prefill": False,
        "max_num_batched_tokens": 100,
    } == (engine_arguments(EngineConfig(max_model_len=100)))
    assert "enable_chunked_prefill" not in engine_arguments(EngineConfig(gpus=1))


@pytest.mark.parametrize(
    ("gpus", "bundles", "parallel"),
    [
        (0, [{"CPU": 2}], None),
        (0.5, [{"CPU": 2, "GPU": 0.5}], None),
        (1, [{"CPU": 2, "GPU": 1.0}], None),
        (2, [{"CPU": 2, "GPU": 1.0}, {"GPU": 1.0}], 2),
    ],
)
def test_bundles_and_parallelism_follow_the_gpus(gpus, bundles, parallel):
    fields = llm_config(Model("m", "/models/m"), EngineConfig(gpus=gpus, cpus=2), {"A": "1"})
    assert fields["placement_group_config"] == {"bundles": bundles}
    assert fields["engine_kwargs"].get("tensor_parallel_size") == parallel
    assert fields["runtime_env"]["env_vars"]["A"] == "1"
    assert ("VLLM_CPU_KVCACHE_SPACE" in engine_environment(EngineConfig(gpus=gpus))) == (gpus == 0)


def test_batch_invariance_is_a_mode_of_engines_on_gpus():
    fields = llm_config(Model(name="m", source="/m"), EngineConfig(gpus=1, batch_invariant=True), {})
    assert fields["runtime_env"]["env_vars"]["VLLM_BATCH_INVARIANT"] == "1"
    assert "VLLM_BATCH_INVARIANT" not in engine_environment(EngineConfig(gpus=1))
    with pytest.raises(ValueError, match="batch_invariant needs gpus"):
        EngineConfig(batch_invariant=True)


def test_extra_arguments_win():
    assert engine_arguments(EngineConfig(extra={"max_num_seqs": 1}))["max_num_seqs"] == 1


def test_servers_bind_the_loopback_address_unless_told():
    assert ServeConfig().host == "127.0.0.1"


def test_a_taken_port_is_one_line_that_says_what_to_do():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"127.0.0.1:{port}.*--set serve.port=PORT"):
            check_port_free("127.0.0.1", port, "serve.port")
    check_port_free("127.0.0.1", port, "serve.port")


def test_a_port_that_nobody_named_gives_way():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        if port == 65535:
            pytest.skip("there is no next port")
        assert choose_port("127.0.0.1", port, "serve.port", named=False) > port
        with listen("127.0.0.1", port, "serve.port", named=False) as other:
            assert other.getsockname()[1] > port
        with pytest.raises(OSError, match=f"127.0.0.1:{port}"):
            listen("127.0.0.1", port, "serve.port", named=True)
    assert choose_port("127.0.0.1", port, "serve.port", named=False) == port


def test_an_address_that_is_not_this_machines_is_one_line():
    for host in ("192.0.2.1", "no such host"):
        with pytest.raises(OSError, match="cannot listen on"):
            choose_port(host, 8000, "serve.port", named=False)


def test_only_a_port_of_the_recipe_is_named():
    assert not ServeConfig().port_named
    assert ServeConfig(port=8000).port_named


def test_a_model_without_a_chat_template_is_given_one():
    given = llm_config(Model("m", "/models/m", "{{ x }}"), EngineConfig(), {})
    assert given["engine_kwargs"]["chat_template"] == "{{ x }}"
    assert "chat_template" not in llm_config(Model("m", "/models/m"), EngineConfig(), {})["engine_kwargs"]


def test_a_model_has_the_replicas_of_its_name_or_else_those_of_all():
    config = ServeConfig(engines={"teacher": EngineConfig(gpus=2)})
    assert config.engine_of("teacher").gpus == 2
    assert config.engine_of("wavecoder") == config.engine


@pytest.mark.parametrize(
    ("settings", "line"),
    [
        ({"gpus": 1.5}, "a part of one GPU, or whole GPUs"),
        ({"adapters": "my/adapters"}, "by absolute path, or in object storage: s3://, gs://"),
        ({"min_replicas": 2, "max_replicas": 1}, "max_replicas 1 is below min_replicas 2"),
        ({"idle_s": 0.0}, "greater than 0"),
    ],
)
def test_what_ray_would_refuse_late_is_refused_at_once(settings, line):
    with pytest.raises(ValueError, match=line):
        EngineConfig(**settings)


def test_an_engine_without_a_gpu_computes_in_its_schedulers_process_unless_it_has_workers_to_start():
    assert engine_arguments(EngineConfig())["distributed_executor_backend"] == "serve.engines.executor.OneProcess"
    assert engine_environment(EngineConfig())["OMP_WAIT_POLICY"] == "passive"
    assert "distributed_executor_backend" not in engine_arguments(EngineConfig(gpus=1))
    assert "distributed_executor_backend" not in engine_arguments(EngineConfig(extra={"tensor_parallel_size": 2}))


def test_a_grammar_that_writes_no_quotation_mark_is_refused():
    with pytest.raises(ValueError, match="name backend: guidance, or none"):
        EngineConfig(extra={"structured_outputs_config": {"backend": "xgrammar"}})
    guidance = {"structured_outputs_config": {"backend": "guidance", "disable_any_whitespace": True}}
    assert EngineConfig(extra=guidance).extra == guidance
