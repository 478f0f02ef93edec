"""One local Ray for all tests that run jobs in this process, and one tiny model for all that train."""

import os

import hypothesis
import pytest
import ray

from serve.client.upstream import SERVE_SETTINGS
from serve.engines.guard import CALLBACK

# Ray's workers give way to everything else by default. Two processes of tests share the machine as equals.
os.environ.setdefault("RAY_worker_niceness", "0")
# A test never fails for its time: the machine may be busy.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize=True
)
hypothesis.settings.load_profile("busy")


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the groups
def pytest_collection_modifyitems(items):
    """A group for every file, and one for all files that start engines.

    Two engines on two cores answer one token a second and outlast every timeout. One process runs all of them, the other
    the rest, files with slow tests first.
    """
    engine = {item.path for item in items if item.get_closest_marker("engine")}
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    for item in items:
        item.add_marker(pytest.mark.xdist_group("engine" if item.path in engine else str(item.path)))
    items.sort(key=lambda item: (item.path not in engine, item.path not in slow))


@pytest.fixture(scope="session")
def local_ray():
    from ray_jobs.cluster.connect import start_patiently

    os.environ.setdefault(
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S", "1"
    )  # 10 s otherwise: a killed proxy is back in 35 s
    os.environ.update(SERVE_SETTINGS | CALLBACK)
    start_patiently(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory):
    """A tiny real Llama with random weights and a tokenizer trained on the spot, saved as a Hugging Face folder."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("tiny-llama")
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=400, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet)
    prompt = "Below is an instruction that describes a task. Write a response that appropriately completes the request."
    texts = [
        f"{prompt}\n\n### Instruction:\n### Input:\n### Response: Write a function that adds {n} to x. def add(x):\n    return x + {n}"
        for n in range(12)
    ]
    bpe.train_from_iterator(texts, trainer)
    PreTrainedTokenizerFast(tokenizer_object=bpe, bos_token="<s>", eos_token="</s>").save_pretrained(folder)
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=512, hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    return str(folder)
