"""A packed row that two workers share computes what one worker computes."""

import multiprocessing

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from transformers import AutoConfig

from tests.training.test_packing import documents, loss_and_gradients, tiny
from training.batches import _divisible, micro_batches
from training.examples import IGNORED, Example
from training.loss import Learner
from training.memory.sequence import share_of, stretch_of
from training.model_types import check_shared
from training.packing import packed_batch
from training.settings import TrainConfig

KINDS = ["llama", "gpt_bigcode", "gemma2", "gpt_oss", "deepseek_v3"]
"""Fewer key heads than queries, one of them, bounded scores and windows, sinks and experts, values of another width."""
OF_KIND = {"deepseek_v3": {"kv_lora_rank": 16, "qk_rope_head_dim": 8, "qk_nope_head_dim": 8, "v_head_dim": 4,
                           "q_lora_rank": None, "num_key_value_heads": 4, "n_routed_experts": 4, "n_group": 1,
                           "topk_group": 1, "num_experts_per_tok": 2, "moe_intermediate_size": 16}}  # fmt: skip


def rows():
    """Five documents whose tokens are odd in number; the second stretch begins inside one of them."""
    found = documents(5, seed=3)
    extra = [] if sum(len(each.input_ids) for each in found) % 2 else [Example([5], [IGNORED], False)]
    return found + extra


def _worker(rank, folder, parts):
    dist.init_process_group("gloo", init_method=f"file://{folder}/meeting", rank=rank, world_size=parts)
    torch.set_num_threads(1)
    share = share_of(dist.device_mesh.init_device_mesh("cpu", (parts,)), parts)
    found = {}
    for kind in KINDS:
        for kernel in ("documents", "sdpa"):
            model = tiny(kind, **OF_KIND.get(kind, {}))
            loss = Learner(model, kernel, None, share)(packed_batch(_divisible(rows(), parts, 0)))
            loss.backward()
            total = loss.detach()
            dist.all_reduce(total)
            for weight in model.parameters():
                dist.all_reduce(weight.grad)
            found[kind, kernel] = float(total), {name: weight.grad for name, weight in model.named_parameters()}
    if rank == 0:
        torch.save(found, folder / "found.pt")
    dist.destroy_process_group()


@pytest.mark.slow
@pytest.mark.parametrize("parts", [2, 4])
def test_shared_rows_have_the_loss_and_gradients_of_whole_ones(tmp_path, parts):
    """Four workers and two heads of keys: each key head serves two workers."""
    multiprocessing.set_forkserver_preload(["transformers.models.llama.modeling_llama", "training.loss"])
    mp.start_processes(_worker, (tmp_path, parts), parts, start_method="forkserver")
    found = torch.load(tmp_path / "found.pt", weights_only=True)
    for kind in KINDS:
        loss, gradients = loss_and_gradients(tiny(kind, **OF_KIND.get(kind, {})), [rows()], "documents")
        for kernel in ("documents", "sdpa"):
            theirs, shared = found[kind, kernel]
            assert theirs == pytest.approx(loss, rel=1e-5), (kind, kernel)
            for name, gradient in gradients.items():
                torch.testing.assert_close(shared[name], gradient, atol=1e-4, rtol=1e-4, msg=f"{kind} {kernel} {name}")


def test_the_stretches_of_a_row_are_the_row():
    row = packed_batch(_divisible(rows(), 4, 0))
    from training.memory.sequence import Share

    parts = [stretch_of(row, Share(None, part, 4)) for part in range(4)]
    size = row.num_tokens // 4
    assert torch.equal(torch.cat([part.input_ids_S for part in parts]), row.input_ids_S)
    assert torch.equal(torch.cat([part.positions_S for part in parts]), row.positions_S)
    assert torch.equal(torch.cat([part.targets_K for part in parts]), row.targets_K)
    predicted = torch.cat([part.predicted_K + number * size for number, part in enumerate(parts)])
    assert torch.equal(predicted, row.predicted_K)
    assert {part.lengths for part in parts} == {row.lengths}


@pytest.mark.parametrize(("world", "parts"), [(2, 2), (4, 2), (4, 4)])
def test_neighbours_get_the_same_rows_and_all_rows_are_learnt_from_once(world, parts):
    config = TrainConfig(model="m", max_length=64, workers=world, context_parallel=parts)
    examples = documents(9)
    shares = [micro_batches(examples, range(9), config, rank=rank, world=world, pad_id=0) for rank in range(world)]
    for first in range(0, world, parts):
        for other in shares[first : first + parts]:
            assert [each.lengths for each in other] == [each.lengths for each in shares[first]]
    assert all(batch.num_tokens % parts == 0 for share in shares for batch in share)
    learnt = sum(len(batch.targets_K) for share in shares[::parts] for batch in share)
    assert learnt == sum(label != IGNORED for example in examples for label in example.labels[1:])


@pytest.mark.parametrize(("settings", "parts", "line"), [
    ({"num_attention_heads": 6, "num_key_value_heads": 2}, 4, "the model has 6 heads and 2 of keys and values"),
    ({"num_attention_heads": 12, "num_key_value_heads": 4}, 6, "the model has 12 heads and 4 of keys"),
    ({"num_attention_heads": 8, "num_key_value_heads": 2, "output_router_logits": True}, 2, "routing loss need whole"),
], ids=str)  # fmt: skip
def test_models_whose_rows_cannot_be_shared_are_refused_in_one_line(settings, parts, line):
    with pytest.raises(ValueError, match=line):
        check_shared(AutoConfig.for_model("mixtral", **settings), parts)
    check_shared(AutoConfig.for_model("llama", num_attention_heads=8, num_key_value_heads=2), 4)
