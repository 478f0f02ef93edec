"""The loss against a plain loop, and its independence of micro-batches, workers and interruptions."""

import math

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch.nn import functional

from training.batches import global_batches, micro_batches
from training.checkpoint import load_checkpoint, save_checkpoint
from training.examples import tokenize_instances
from training.export import export_model
from training.model import load_model, load_tokenizer, shard_model
from training.settings import TrainConfig
from training.step import learning_rate_factor, make_optimizer, train_steps


def prepared(folder, rows, **settings):
    config = TrainConfig(**({"model": folder, "global_batch": 5, "epochs": 1, "learning_rate": 1e-2} | settings))
    tokenizer = load_tokenizer(folder)
    examples, _ = tokenize_instances(rows, tokenizer, 512)
    return config, tokenizer, examples, load_model(folder, tokenizer)


def losses_of(folder, rows, **settings):
    config, tokenizer, examples, model = prepared(folder, rows, **settings)
    optimizer = make_optimizer(model, config)
    return [record["loss"] for record in train_steps(model, optimizer, examples, config, tokenizer.pad_token_id, 0)]


def test_losses_equal_a_plain_loop(model_folder, rows):
    config, _, examples, model = prepared(model_folder, rows)
    steps = global_batches(len(examples), config.global_batch, config.epochs, config.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.0)
    expected = []
    for number, step in enumerate(steps):
        sums, count = 0.0, 0
        for row in step:  # one row at a time, no padding, full logits
            ids = torch.tensor([examples[row].input_ids])
            labels = torch.tensor(examples[row].labels)[1:]
            sums = sums + functional.cross_entropy(model(ids).logits[0, :-1], labels, reduction="sum")
            count += int((labels != -100).sum())
        loss = sums / count
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), config.max_grad_norm)
        optimizer.param_groups[0]["lr"] = config.learning_rate * learning_rate_factor(number, len(steps), config)
        optimizer.step()
        optimizer.zero_grad()
        expected.append(float(loss.detach()))
    assert losses_of(model_folder, rows) == pytest.approx(expected, abs=1e-5)
    assert expected[-1] < expected[0]


def test_losses_do_not_depend_on_micro_batches(model_folder, rows):
    assert losses_of(model_folder, rows, micro_batch=1) == pytest.approx(
        losses_of(model_folder, rows, micro_batch=4), abs=1e-5
    )


def _worker(rank, world, port, folder, rows, target):
    dist.init_process_group("gloo", init_method=f"tcp://127.0.0.1:{port}", rank=rank, world_size=world)
    torch.set_num_threads(1)
    config, tokenizer, examples, model = prepared(folder, rows)
    mesh = dist.device_mesh.init_device_mesh("cpu", (world,))
    shard_model(model, mesh, torch.float32, activation_checkpointing=True)
    optimizer = make_optimizer(model, config)
    records = list(train_steps(model, optimizer, examples, config, tokenizer.pad_token_id, 0))
    save_checkpoint(f"{target}/checkpoint", model, optimizer, records)
    export_model(model, tokenizer, folder, f"{target}/model", {"base_model": "tiny"})
    dist.destroy_process_group()


@pytest.mark.slow
def test_two_sharded_workers_equal_one(model_folder, rows, tmp_path):
    """Losses, the exported weights, and the checkpoint of two that one can load."""
    import socket

    (tmp_path / "checkpoint").mkdir()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    mp.spawn(_worker, args=(2, port, model_folder, rows, str(tmp_path)), nprocs=2)
    config, tokenizer, examples, model = prepared(model_folder, rows)
    optimizer = make_optimizer(model, config)
    alone = list(train_steps(model, optimizer, examples, config, tokenizer.pad_token_id, 0))
    _, _, _, restored = prepared(model_folder, rows)
    records = load_checkpoint(str(tmp_path / "checkpoint"), restored, make_optimizer(restored, config))
    assert [record["loss"] for record in records] == pytest.approx([record["loss"] for record in alone], abs=1e-5)
    exported = load_model(str(tmp_path / "model"), load_tokenizer(str(tmp_path / "model")))
    for name, weight in model.named_parameters():
        torch.testing.assert_close(restored.get_parameter(name), weight, atol=2e-4, rtol=1e-3)
        torch.testing.assert_close(exported.get_parameter(name), restored.get_parameter(name))


def test_resumed_run_equals_an_undisturbed_one_bit_for_bit(model_folder, rows, tmp_path):
    whole = losses_of(model_folder, rows, epochs=2)
    config, tokenizer, examples, model = prepared(model_folder, rows, epochs=2)
    optimizer = make_optimizer(model, config)
    steps = train_steps(model, optimizer, examples, config, tokenizer.pad_token_id, 0)
    taken = [next(steps), next(steps)]
    save_checkpoint(str(tmp_path), model, optimizer, taken)
    _, _, _, fresh = prepared(model_folder, rows, epochs=2)
    fresh_optimizer = make_optimizer(fresh, config)
    records = load_checkpoint(str(tmp_path), fresh, fresh_optimizer)
    records += list(train_steps(fresh, fresh_optimizer, examples, config, tokenizer.pad_token_id, len(records)))
    assert [record["loss"] for record in records] == whole


def test_loss_that_is_not_finite_stops_with_one_clear_line(model_folder, rows):
    config, tokenizer, examples, model = prepared(model_folder, rows)
    with torch.no_grad():
        model.model.norm.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="the loss of step 0 is nan; lower"):
        list(train_steps(model, make_optimizer(model, config), examples, config, tokenizer.pad_token_id, 0))


@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_workers_share_a_batch_without_loss_and_with_equal_counts(model_folder, rows, world):
    _, tokenizer, examples, _ = prepared(model_folder, rows)
    shares = [micro_batches(examples, range(7), rank, world, 2, tokenizer.pad_token_id) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    learnt = sum(int((batch.labels_BS != -100).sum()) for share in shares for batch in share)
    assert learnt == sum(label != -100 for example in examples[:7] for label in example.labels)


def test_every_epoch_sees_every_row_once_in_its_own_order():
    steps = global_batches(10, 4, 2, seed=3)
    first, second = [row for step in steps[:3] for row in step], [row for step in steps[3:] for row in step]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert steps == global_batches(10, 4, 2, seed=3) != global_batches(10, 4, 2, seed=4)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_schedule_warms_up_and_falls(schedule):
    config = TrainConfig(model="m", schedule=schedule, warmup_ratio=0.2)
    rates = [learning_rate_factor(step, 20, config) for step in range(20)]
    assert rates[:4] == sorted(rates[:4])
    assert max(rates) == 1.0
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] < 0.1 or schedule == "constant"
