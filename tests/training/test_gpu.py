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


def losses_on_a_card(folder, rows, mesh=None, **settings):
    from training.optimizers import make_optimizer
    from training.step import train_steps

    limits = {"model": folder, "max_length": 256, "global_batch": 5, "learning_rate": 1e-2, "use_gpu": True}
    config = TrainConfig(**limits | settings)
    tokenizer = load_tokenizer(folder)
    examples, _ = tokenize_instances(rows, tokenizer, config.max_length)
    learner = build_learner(config, tokenizer, torch.device("cuda"), mesh)
    records = train_steps(learner, make_optimizer(learner, config), examples, config, tokenizer.pad_token_id, 0)
    return [record["loss"] for record in records]


@pytest.mark.gpu
@pytest.mark.parametrize("settings", [
    {}, {"optimizer": "adamw_8bit", "learning_rate": 1e-3}, {"lora_rank": 4, "lora_base": "nf4"},
], ids=str)  # fmt: skip
def test_a_card_learns_what_the_cpu_learns(tiny_llama, rows, settings):
    assert torch.cuda.is_available()
    on_cpu = [record["loss"] for record in run(tiny_llama, rows, **settings)[0]]
    assert on_cpu[-1] < on_cpu[0]
    assert losses_on_a_card(tiny_llama, rows, **settings) == pytest.approx(on_cpu, abs=1e-3)


@pytest.mark.gpu
def test_float8_on_a_card_follows_bfloat16(tiny_llama, rows):
    pytest.importorskip("torchao")
    plain = losses_on_a_card(tiny_llama, rows, dtype="bfloat16", learning_rate=3e-3)
    assert losses_on_a_card(tiny_llama, rows, dtype="bfloat16", learning_rate=3e-3, fp8=True) == pytest.approx(
        plain, abs=5e-2
    )


@pytest.mark.gpu
def test_a_card_that_offloads_learns_what_one_does_that_does_not(tiny_llama, rows, tmp_path):
    meeting = f"file://{tmp_path}/meeting"
    torch.distributed.init_process_group("cpu:gloo,cuda:nccl", init_method=meeting, rank=0, world_size=1)
    try:
        mesh = torch.distributed.device_mesh.init_device_mesh("cuda", (1,))
        found = losses_on_a_card(tiny_llama, rows, mesh, offload=True)
    finally:
        torch.distributed.destroy_process_group()
    assert found == pytest.approx(losses_on_a_card(tiny_llama, rows), abs=1e-3)
