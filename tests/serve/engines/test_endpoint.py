"""One real engine on Ray Serve: a LoRA adapter under its own name beside its base model, and foreign clients of both APIs
through the gateway."""

import asyncio

import aiohttp
import psutil
import pytest

from core.chat import ChatRequest
from ray_jobs.run.models import resolve_model
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from serve.engines.settings import EngineConfig, Model, engine_environment, local_adapters
from serve.gateway.settings import free_port
from serve.settings import ServeConfig
from tests.processes import processes_below
from tests.serve.clients.run import NODE, OWN, PYTHON, ask_all, commands
from tests.serve.stub import running_gateway

pytestmark = [pytest.mark.slow, pytest.mark.engine, pytest.mark.timeout(600)]

QUESTION = [{"role": "user", "content": "Write a Python function that adds two numbers."}]
ANSWERED = 12
"""Tokens of an answer."""
NAME, CONTEXT = "wavecoder", 1024


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


@pytest.fixture(scope="module")
def served(local_ray, source, adapted):
    """Who asks the engine."""
    from serve.engines.flow import endpoint

    engine = EngineConfig(adapters=str(adapted[0]), max_lora_rank=8, max_num_seqs=4, max_model_len=CONTEXT,
                          tool_parser="hermes")  # fmt: skip
    environment = engine_environment(engine) | {"HF_HUB_OFFLINE": "1"}
    with endpoint([Model(NAME, source)], ServeConfig(engine=engine, port=free_port()), environment) as upstream:
        yield upstream


def test_an_adapter_answers_under_its_name_and_its_base_under_its_own(served, adapted):
    async def ask():
        client = ChatClient(EndpointConfig(url=served.base_url(NAME)), served)
        answers = [await client(ChatRequest(name, QUESTION, ANSWERED)) for name in (NAME, f"{NAME}:mine")]
        async with aiohttp.ClientSession() as session:
            listed = [model["id"] for model in await served.models(session)]
            address = f"{served.base_url(NAME)}/models"
            refused = [(await session.get(address, headers=headers)).status for headers in ({}, {"Origin": "null"})]
        return [answer["text"] for answer in answers], listed, refused

    (base, mine), listed, refused = asyncio.run(ask())
    assert not processes_below(psutil.Process(), "ray::TelemetryAgent")  # it would keep 0.25 GiB
    assert mine == adapted[1]
    assert base not in {"", mine}
    assert listed == [NAME, f"{NAME}:mine"]
    assert refused == [401, 403]  # without the endpoint's secret, and as a page would ask


@pytest.fixture(scope="module")
def results(served, clients, tmp_path_factory):
    """Script → what its steps gave, of all foreign clients that could be installed."""
    folder = clients[0]
    with running_gateway(served, tmp_path_factory.mktemp("gateway"), context=CONTEXT) as gateway:
        return {script: found for script, found, _ in ask_all(commands(folder), gateway, "engine", folder)}


@pytest.mark.parametrize("script", [*OWN, *PYTHON, *NODE])
def test_every_step_of_a_foreign_client_passes_or_is_refused_by_name(script, results, clients):
    if script not in results and script not in OWN:
        pytest.skip("; ".join(clients[1]))
    assert results[script]
    assert [(step, result) for step, result in results[script] if result.startswith("failed")] == []
    assert {step for step, result in results[script] if result.startswith("refused")} <= {"embeddings"}


def test_what_is_no_adapter_in_safetensors_is_said_before_an_engine_starts(tmp_path):
    with pytest.raises(FileNotFoundError, match="holds no folder with an adapter_config.json"):
        local_adapters(str(tmp_path))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "adapter_config.json").write_text("{}")
    (tmp_path / "mine" / "adapter_model.bin").write_bytes(b"")
    with pytest.raises(FileNotFoundError, match="mine holds no adapter_model.safetensors"):
        local_adapters(str(tmp_path))
