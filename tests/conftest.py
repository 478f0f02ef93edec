"""One local Ray for all tests that run jobs in this process, and one tiny model for all that train."""

import atexit
import gc
import os
from pathlib import Path

import hypothesis
import pytest
from xdist.scheduler import LoadFileScheduling

ENGINE_FILES = {path for path in Path(__file__).parent.rglob("test_*.py") if "mark.engine" in path.read_text()}

# Ray's workers give way to everything else by default. Two processes of tests share the machine as equals.
os.environ.setdefault("RAY_worker_niceness", "0")
# As the command line does: threads that spin take the cores from the other process of tests.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
# Ray Train takes one report of each worker when it looks, every two seconds by default: a checkpoint waits as long.
os.environ.setdefault("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.2")
os.environ.setdefault("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")  # a process for each group of workers
# A test never fails for its time: the machine may be busy.
hypothesis.settings.register_profile(
    "busy", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow], derandomize=True
)
hypothesis.settings.load_profile("busy")


@pytest.hookimpl(wrapper=True)
def pytest_collection():
    """Modules and tests stay to the end: the collector need not look for garbage in them, now or later."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # else libraries in C++ tell at the end of all that was not freed
        gc.enable()


def pytest_collection_modifyitems(items):
    """Files that start engines first, then those with slow tests: the longest begin first."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: (item.path not in ENGINE_FILES, item.path not in slow))


def pytest_xdist_make_scheduler(config, log):
    """A file at a time, and all files that start engines in one process.

    Two engines on two cores answer one token a second and outlast every timeout. (`--dist loadgroup` is meant for this,
    but pytest-xdist 3.8 groups nothing under pytest 9.2: findings/xdist_groups.sh.)
    """
    return OneProcessForEngines(config, log)


class OneProcessForEngines(LoadFileScheduling):
    def _split_scope(self, nodeid):
        file = super()._split_scope(nodeid)
        return "engine" if Path(self.config.rootpath, file) in ENGINE_FILES else file


@pytest.fixture(scope="session")
def local_ray():
    import ray

    from ray_jobs.cluster.connect import start_patiently
    from serve.client.upstream import SERVE_SETTINGS
    from serve.engines.guard import CALLBACK

    os.environ.setdefault(
        "RAY_SERVE_PROXY_HEALTH_CHECK_PERIOD_S", "1"
    )  # 10 s otherwise: a killed proxy is back in 35 s
    os.environ.update(SERVE_SETTINGS | CALLBACK)
    with pytest.MonkeyPatch.context() as patch:  # four idle workers take 3 % of a core for as long as the tests go on
        patch.setenv("RAY_num_workers_soft_limit", "0")
        patch.setenv("RAY_idle_worker_killing_time_threshold_ms", "60000")
        start_patiently(num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    ray._private.worker._global_node.kill_log_monitor(check_alive=False)  # it looks for logs that nobody is shown
    yield
    ray.shutdown()


@pytest.fixture(scope="session")
def object_store():
    """A server that speaks S3, for all tests of this process."""
    from tests.object_store import ObjectStore

    store = ObjectStore()
    yield store
    store.stop()


@pytest.fixture
def store(object_store, monkeypatch):
    """The server without faults, and the environment of a user whose key it knows."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    object_store.fault = None
    object_store.requests.clear()
    yield object_store
    object_store.fault = None


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
