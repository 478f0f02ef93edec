"""SGLang inside Ray Data, as far as it can be seen without GPUs: what the installed Ray makes of our settings."""

import asyncio
import json

import pytest

from core.chat import ChatRequest
from serve.engines.sampling import sglang_arguments, sglang_sampling
from serve.engines.settings import EngineConfig, Model

ENGINE = EngineConfig(gpus=2, dtype="bfloat16", max_model_len=4096, max_num_seqs=128, enforce_eager=False, max_replicas=3,
                      accelerator_type="H100", extra={"mem_fraction_static": 0.8})  # fmt: skip
NAMED = {"task": "generate", "dtype": "bfloat16", "context_length": 4096, "max_running_requests": 128,
         "disable_cuda_graph": False, "tp_size": 2, "trust_remote_code": False, "skip_tokenizer_init": False,
         "mem_fraction_static": 0.8}  # fmt: skip


def test_settings_and_questions_have_sglangs_names():
    assert sglang_arguments(ENGINE) == NAMED
    asked = sglang_sampling(ChatRequest("m", [], 99, 0.5, 7, {"type": "object"}, ["###"]))
    assert asked == {"max_new_tokens": 99, "temperature": 0.5, "sampling_seed": 7, "stop": ["###"],
                     "json_schema": json.dumps({"type": "object"})}  # fmt: skip
    assert sglang_sampling(ChatRequest("m", [], 9))["json_schema"] is None


@pytest.mark.parametrize("engine", [EngineConfig(), EngineConfig(gpus=0.5), EngineConfig(gpus=1, adapters="/a")])
def test_what_it_cannot_be_asked_for_is_one_line(engine):
    with pytest.raises(ValueError, match="engines: sglang"):
        sglang_arguments(engine)


@pytest.mark.slow
def test_rays_processor_takes_them_and_asks_for_the_gpus(local_ray, tiny_llama):
    from serve.engines.ray_data import sglang_engines

    processor = sglang_engines(Model("m", tiny_llama, "{{ messages[0].content }}"), ENGINE, {"A": "b"}, 8)
    template, stage = processor.stages.values()
    assert type(template).__name__ == "ChatTemplateStage"
    assert stage.fn_constructor_kwargs["engine_kwargs"] == NAMED
    kwargs = stage.map_batches_kwargs
    assert (kwargs["num_gpus"], kwargs["accelerator_type"], kwargs["max_concurrency"]) == (2, "H100", 8)
    assert (kwargs["compute"].min_size, kwargs["compute"].max_size) == (1, 3)
    assert kwargs["runtime_env"] == {"env_vars": {"A": "b"}}

    class Refusing:
        async def generate_async(self, row):
            raise ValueError(f"the input is too long: {row['prompt']}")

        def shutdown(self):
            """Nothing runs."""

    async def answers():
        udf = object.__new__(stage.fn)
        udf.llm = Refusing()
        return [one async for one in udf.udf([{"prompt": "x", udf.IDX_IN_BATCH_COLUMN: 0}])]

    (answer,) = asyncio.run(answers())
    assert answer["__inference_error__"] == "ValueError: the input is too long: x"
    assert answer["generated_text"] is None
