"""A LoRA adapter from a folder, served by a real engine under its own name beside its base model."""

import asyncio

import aiohttp
import psutil
import pytest

from core.chat import ChatRequest
from ray_jobs.run.models import resolve_model
from serve.engines.settings import EngineConfig, Model, engine_environment, local_adapters
from serve.gateway.settings import free_port
from serve.settings import ServeConfig
from tests.processes import processes_below

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(400)]

QUESTION = [{"role": "user", "content": "Write a Python function that adds two numbers."}]
ANSWERED = 12
"""Tokens of an answer."""


@pytest.fixture(scope="module")
def source():
    return resolve_model("package:smollm2-135m-instruct", "source")


@pytest.fixture(scope="module")
def adapted(source, tmp_path_factory):
    """(folder of adapters, the greedy answer of the model with the one in it)."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.manual_seed(0)
    tokenizer = AutoTokenizer.from_pretrained(source)
    settings = LoraConfig(r=8, lora_alpha=32, target_modules=["q_proj", "v_proj"], init_lora_weights=False)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32), settings)
    folder = tmp_path_factory.mktemp("adapters")
    model.save_pretrained(folder / "mine")
    prompt = tokenizer.apply_chat_template(QUESTION, add_generation_prompt=True, return_tensors="pt", return_dict=True)
    whole = model.generate(**prompt, max_new_tokens=ANSWERED, do_sample=False)
    return folder, tokenizer.decode(whole[0, prompt["input_ids"].shape[1] :], skip_special_tokens=True)


def test_an_adapter_answers_under_its_name_and_its_base_under_its_own(local_ray, source, adapted):
    from serve.client.chat import ChatClient
    from serve.client.settings import EndpointConfig
    from serve.engines.flow import endpoint

    folder, expected = adapted
    engine = EngineConfig(adapters=str(folder), max_lora_rank=8, max_num_seqs=4, max_model_len=512)
    environment = engine_environment(engine) | {"HF_HUB_OFFLINE": "1"}

    async def ask(upstream):
        client = ChatClient(EndpointConfig(url=upstream.base_url("base")), upstream)
        answers = [await client(ChatRequest(name, QUESTION, ANSWERED)) for name in ("base", "base:mine")]
        async with aiohttp.ClientSession() as session:
            listed = [model["id"] for model in await upstream.models(session)]
            address = f"{upstream.base_url('base')}/models"
            refused = [(await session.get(address, headers=headers)).status for headers in ({}, {"Origin": "null"})]
        return [answer["text"] for answer in answers], listed, refused

    with endpoint([Model("base", source)], ServeConfig(engine=engine, port=free_port()), environment) as upstream:
        (base, mine), listed, refused = asyncio.run(ask(upstream))
        assert not processes_below(psutil.Process(), "ray::TelemetryAgent")  # it would keep 0.25 GiB
    assert mine == expected
    assert base not in {"", mine}
    assert listed == ["base", "base:mine"]
    assert refused == [401, 403]  # without the endpoint's secret, and as a page would ask


def test_what_is_no_adapter_in_safetensors_is_said_before_an_engine_starts(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no folder with an adapter_config.json"):
        local_adapters(str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "adapter_config.json").write_text("{}")
    (tmp_path / "mine" / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="mine holds no adapter_model.safetensors"):
        local_adapters(str(tmp_path))
