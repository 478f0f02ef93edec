"""The kernels that only a card has, against those that run anywhere. `pytest -m gpu`, and no Ray."""

import pytest
import torch

from tests.training.test_step import run
from training.batches import micro_batches
from training.examples import tokenize_instances
from training.model import build_learner, load_tokenizer
from training.settings import TrainConfig


def gradients(folder, rows, **settings):
    """Loss of one packed row of all instances, and the gradients of all weights."""
    config = TrainConfig(**{"model": folder, "max_length": 256, "micro_batch": 8, "use_gpu": True} | settings)
    tokenizer = load_tokenizer(folder)
    examples, _ = tokenize_instances(rows, tokenizer, config.max_length)
    learner = build_learner(config, tokenizer, torch.device("cuda"))
    (batch,) = micro_batches(examples, range(len(examples)), config, rank=0, world=1, pad_id=tokenizer.pad_token_id)
    loss = learner(batch)
    loss.backward()
    return float(loss), torch.cat([weight.grad.flatten().float() for weight in learner.parameters()])


@pytest.mark.gpu
@pytest.mark.parametrize(("kernel", "dtype", "least"), [
    ("flash", "bfloat16", 0.99), ("flex", "bfloat16", 0.99), ("flex", "float32", 0.99999), ("sdpa", "float32", 0.99999),
])  # fmt: skip
def test_gradients_of_each_kernel_are_those_of_single_documents(tiny_llama, rows, kernel, dtype, least):
    expected, wanted = gradients(tiny_llama, rows, attention="documents")
    loss, found = gradients(tiny_llama, rows, attention=kernel, dtype=dtype)
    assert loss == pytest.approx(expected, rel=1e-2 if dtype == "bfloat16" else 1e-5)
    assert float(torch.nn.functional.cosine_similarity(found, wanted, dim=0)) > least


@pytest.mark.gpu
def test_a_card_learns_what_the_cpu_learns(tiny_llama, rows):
    assert torch.cuda.is_available()
    on_cpu = [record["loss"] for record in run(tiny_llama, rows)[0]]
    assert on_cpu[-1] < on_cpu[0]
    config = TrainConfig(model=tiny_llama, max_length=256, global_batch=5, learning_rate=1e-2, use_gpu=True)
    tokenizer = load_tokenizer(tiny_llama)
    examples, _ = tokenize_instances(rows, tokenizer, config.max_length)
    from training.optimizers import make_optimizer
    from training.step import train_steps

    learner = build_learner(config, tokenizer, torch.device("cuda"))
    records = train_steps(learner, make_optimizer(learner, config), examples, config, tokenizer.pad_token_id, 0)
    assert [record["loss"] for record in records] == pytest.approx(on_cpu, abs=1e-3)
