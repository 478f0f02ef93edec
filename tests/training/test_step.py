"""The loss against a plain loop, and its independence of packing, micro-batches, workers and interruptions."""

import math
import multiprocessing
import shutil

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from safetensors.torch import load_file, save_file
from torch.nn import functional
from transformers import AutoModelForCausalLM

from training.batches import global_batches, micro_batches, split_holdout
from training.checkpoint import CheckpointWriter, identity_of, load_checkpoint
from training.examples import tokenize_instances
from training.export import export_model
from training.loss import sliced_cross_entropy
from training.model import build_learner, load_tokenizer, mesh_of_workers
from training.optimizers import learning_rate_factor, make_optimizer
from training.settings import TrainConfig
from training.step import held_out_losses, train_steps

CPU = torch.device("cpu")


def prepared(folder, rows, mesh=None, **settings):
    config = TrainConfig(**{"model": folder, "global_batch": 5, "learning_rate": 1e-2, "max_length": 256} | settings)
    tokenizer = load_tokenizer(folder)
    examples, _ = tokenize_instances(rows, tokenizer, config.max_length)
    learner = build_learner(config, tokenizer, CPU, mesh)
    return config, tokenizer, examples, learner, make_optimizer(learner, config)


def run(folder, rows, mesh=None, **settings):
    config, tokenizer, examples, learner, optimizer = prepared(folder, rows, mesh, **settings)
    return list(train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0)), learner


def losses_of(folder, rows, **settings):
    return [record["loss"] for record in run(folder, rows, **settings)[0]]


def save(folder, learner, optimizer, config, examples, records):
    writer = CheckpointWriter()
    notes = {"identity": identity_of(learner, config, len(examples)), "records": records}
    writer.save(str(folder), learner, optimizer, notes).result()
    writer.close()


def load(folder, learner, optimizer, config, examples):
    return load_checkpoint(str(folder), learner, optimizer, identity_of(learner, config, len(examples)))


@pytest.fixture(scope="module")
def plain(model_folder, rows):
    """Losses of a loop without any of our code: one row at a time, no padding, full logits."""
    config, _, examples, _, _ = prepared(model_folder, rows)
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    steps = global_batches(len(examples), config.global_batch, config.epochs, config.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=0.0)
    losses = []
    for number, step in enumerate(steps):
        sums, count = 0.0, 0
        for row in step:
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
        losses.append(float(loss.detach()))
    return losses


@pytest.mark.parametrize("settings", [
    {}, {"packing": False}, {"packing": False, "micro_batch": 4}, {"max_length": 300}, {"micro_batch": 3},
    {"attention": "sdpa"}, {"activation_checkpointing": "full"}, {"activation_checkpointing": "selective"},
], ids=str)  # fmt: skip
def test_losses_equal_a_plain_loop(model_folder, rows, plain, settings):
    """Whatever the packing, the micro-batches, the kernel and what is kept for the backward pass."""
    assert losses_of(model_folder, rows, **settings) == pytest.approx(plain, abs=1e-5)
    assert plain[-1] < plain[0]


def test_bfloat16_follows_float32(model_folder, rows, plain):
    assert losses_of(model_folder, rows, dtype="bfloat16") == pytest.approx(plain, abs=3e-2)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_compiled_layers_give_the_same_loss(model_folder, rows, plain):
    config, tokenizer, examples, learner, optimizer = prepared(model_folder, rows, compile=True)
    steps = train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0)
    assert [next(steps)["loss"], next(steps)["loss"]] == pytest.approx(plain[:2], abs=1e-5)


@pytest.mark.parametrize("size", [1, 3, 7, 64])
def test_sliced_cross_entropy_equals_the_plain_one(size):
    torch.manual_seed(0)
    hidden, weight = torch.randn(7, 8, requires_grad=True), torch.randn(31, 8, requires_grad=True)
    targets = torch.randint(31, (7,))
    expected = functional.cross_entropy(hidden @ weight.T, targets, reduction="sum") / 3
    wanted = torch.autograd.grad(expected, (hidden, weight))
    loss = sliced_cross_entropy(hidden, weight, targets, size) / 3
    torch.testing.assert_close(loss, expected)
    for ours, theirs in zip(torch.autograd.grad(loss, (hidden, weight)), wanted, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_records_tell_what_was_done(model_folder, rows):
    records, _ = run(model_folder, rows)
    _, _, examples, _, _ = prepared(model_folder, rows)
    assert sum(record["tokens"] for record in records) == sum(len(example.input_ids) for example in examples)
    for record in records:
        assert record["fill"] == 1.0  # one worker pads nothing and waits for nobody
        assert 0 < record["mfu"] < 1.5
        assert record["memory_bytes"] > 2**20
        assert record["response_tokens"] < record["tokens"]
    padded, _ = run(model_folder, rows, packing=False, micro_batch=4)
    assert min(record["fill"] for record in padded) < 0.95


def test_held_out_rows_are_measured_by_task(model_folder, rows):
    tasks = [row | {"task": "repair" if number % 3 else "generation"} for number, row in enumerate(rows)]
    config, tokenizer, examples, learner, _ = prepared(model_folder, tasks)
    learnt, held_out = split_holdout(len(examples), 0.5, seed=0)
    assert sorted(learnt + held_out) == list(range(12)) and len(held_out) == 6
    losses = held_out_losses(learner, examples, held_out, config, tokenizer.pad_token_id)
    assert set(losses) == {"", "repair", "generation"}
    model = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    sums, count = 0.0, 0
    for row in held_out:
        labels = torch.tensor(examples[row].labels)[1:]
        logits = model(torch.tensor([examples[row].input_ids])).logits[0, :-1]
        sums += functional.cross_entropy(logits, labels, reduction="sum").item()
        count += int((labels != -100).sum())
    assert losses[""] == pytest.approx(sums / count, abs=1e-5)
    assert min(losses.values()) < losses[""] < max(losses.values())


def test_a_worker_alone_is_sharded_only_where_that_makes_its_low_weights(tmp_path):
    alone = {dtype: TrainConfig(model="m", dtype=dtype) for dtype in ("float32", "bfloat16")}
    assert mesh_of_workers(alone["bfloat16"], CPU) is None
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meeting", rank=0, world_size=1)
    try:
        assert mesh_of_workers(alone["float32"], CPU) is None
        assert mesh_of_workers(alone["bfloat16"], CPU).size() == 1
    finally:
        dist.destroy_process_group()


def _worker(rank, world, folder, rows, target, settings):
    # They meet in a file: a port that was free when it was looked for may be taken when they listen.
    dist.init_process_group("gloo", init_method=f"file://{target}/meeting", rank=rank, world_size=world)
    torch.set_num_threads(1)
    mesh = dist.device_mesh.init_device_mesh("cpu", (world,))
    config, tokenizer, examples, learner, optimizer = prepared(folder, rows, mesh, **settings)
    records = []
    if (target / "from").is_dir():
        records = load(target / "from", learner, optimizer, config, examples)
    for record in train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, len(records)):
        records.append(record)
        if len(records) == 1:
            save(target / "first", learner, optimizer, config, examples, records)
    save(target / "last", learner, optimizer, config, examples, records)
    export_model(learner, tokenizer, folder, f"{target}/model", {"base_model": "tiny"}, file_bytes=40_000)
    dist.destroy_process_group()


def in_workers(world, folder, rows, target, **settings):
    for name in ("first", "last"):
        (target / name).mkdir(parents=True)
    # Imported once, by the server that all workers are forked from.
    multiprocessing.set_forkserver_preload(["transformers.models.llama.modeling_llama", "training.export",
                                            "training.checkpoint", "training.step"])  # fmt: skip
    mp.start_processes(_worker, (world, folder, rows, target, settings), world, start_method="forkserver")


@pytest.mark.slow
@pytest.mark.parametrize(("settings", "folders"), [
    ({"activation_checkpointing": "full"}, ("two", "four")), ({"lora_rank": 4, "optimizer": "adafactor"}, ("two",)),
    ({"optimizer": "muon"}, ("two",)), ({"optimizer": "adamw_8bit", "offload": True}, ("two",)),
    ({"lora_rank": 4, "lora_base": "nf4"}, ("two",)), ({"context_parallel": 2, "offload": True}, ("two", "four")),
], ids=["full", "lora-adafactor", "muon", "8bit-offload", "nf4", "shared-offload"])  # fmt: skip
def test_sharded_workers_equal_one_and_resume_on_another_number(model_folder, rows, tmp_path, settings, folders):
    """1 × 4 = 2 × 2 = 4 × 1; the export's logits; two workers' checkpoint goes on with one and with four."""
    limits = {"global_batch": 12, "max_length": 256, "learning_rate": 1e-3, "epochs": 3} | settings
    single = limits | {"context_parallel": 1}
    config, tokenizer, examples, alone, optimizer = prepared(model_folder, rows, **single)
    batch = global_batches(12, 12, 1, 0)[0]
    assert len(micro_batches(examples, batch, config, rank=0, world=1, pad_id=0)) >= 4
    expected = list(train_steps(alone, optimizer, examples, config, tokenizer.pad_token_id, 0))
    in_workers(2, model_folder, rows, tmp_path / "two", **limits)
    first = tmp_path / "two" / "first"
    if "four" in folders:
        (tmp_path / "four").mkdir()
        first = first.rename(tmp_path / "four" / "from")
        in_workers(4, model_folder, rows, tmp_path / "four", **limits)
    for folder in folders:
        config, _, examples, restored, optimizer = prepared(model_folder, rows, **single)
        records = load(tmp_path / folder / "last", restored, optimizer, config, examples)
        assert [r["loss"] for r in records] == pytest.approx([r["loss"] for r in expected], abs=1e-5)
        exported = AutoModelForCausalLM.from_pretrained(tmp_path / folder / "model", dtype=torch.float32)
        ours = restored.causal.set_attn_implementation("eager") or restored.causal
        ids = torch.tensor([examples[0].input_ids])
        torch.testing.assert_close(exported(ids).logits, ours(ids).logits, atol=1e-5, rtol=0)
        assert len(list((tmp_path / folder / "model").glob("model-*-of-*.safetensors"))) > 1
        again = build_learner(TrainConfig(model=str(tmp_path / folder / "model"), max_length=256), tokenizer, CPU)
        for name, weight in exported.named_parameters():
            assert torch.equal(again.causal.get_parameter(name), weight)
        for name, weight in alone.named_parameters():
            torch.testing.assert_close(restored.get_parameter(name), weight, atol=3e-4, rtol=1e-3)
    config, tokenizer, examples, fresh, optimizer = prepared(model_folder, rows, **single)
    records = load(first, fresh, optimizer, config, examples)
    records += list(train_steps(fresh, optimizer, examples, config, tokenizer.pad_token_id, len(records)))
    assert [r["loss"] for r in records] == pytest.approx([r["loss"] for r in expected], abs=1e-5)


@pytest.mark.parametrize("settings", [
    {}, {"optimizer": "adafactor"}, {"optimizer": "muon"}, {"optimizer": "adamw_8bit"}, {"lora_rank": 4},
    {"lora_rank": 4, "lora_base": "nf4", "optimizer": "adamw_8bit"},
], ids=str)  # fmt: skip
def test_resumed_run_equals_an_undisturbed_one_bit_for_bit(model_folder, rows, tmp_path, settings):
    whole = losses_of(model_folder, rows, epochs=2, **settings)
    config, tokenizer, examples, learner, optimizer = prepared(model_folder, rows, epochs=2, **settings)
    steps = train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0)
    taken = [next(steps), next(steps)]
    save(tmp_path, learner, optimizer, config, examples, taken)
    _, _, _, fresh, fresh_optimizer = prepared(model_folder, rows, epochs=2, **settings)
    records = load(tmp_path, fresh, fresh_optimizer, config, examples)
    records += list(train_steps(fresh, fresh_optimizer, examples, config, tokenizer.pad_token_id, len(records)))
    assert [record["loss"] for record in records] == whole


def test_what_is_saved_is_the_state_of_that_moment(model_folder, rows, tmp_path):
    """Writing goes on in the background while the weights move on."""
    config, tokenizer, examples, learner, optimizer = prepared(model_folder, rows)
    steps = train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0)
    taken = [next(steps)]
    before = learner.causal.model.norm.weight.detach().clone()
    writer = CheckpointWriter()
    writing = writer.save(str(tmp_path), learner, optimizer,
                          {"identity": identity_of(learner, config, 12), "records": taken})  # fmt: skip
    next(steps)
    writing.result()
    load(tmp_path, learner, optimizer, config, examples)
    assert torch.equal(learner.causal.model.norm.weight, before)


@pytest.mark.parametrize(("change", "line"), [
    ({"lora_rank": 2}, "its lora_rank is 0, this run's 2"), ({"seed": 5}, "its seed is 0, this run's 5"),
    ({"epochs": 3}, "its steps is 3, this run's 9"), ({"optimizer": "adafactor"}, "its optimizer is adamw, this run's adafactor"),
], ids=["adapters", "seed", "steps", "optimizer"])  # fmt: skip
def test_checkpoint_of_another_run_is_one_clear_line(model_folder, rows, tmp_path, change, line):
    config, _, examples, learner, optimizer = prepared(model_folder, rows)
    save(tmp_path, learner, optimizer, config, examples, [])
    config, _, examples, other, optimizer = prepared(model_folder, rows, **change)
    expected = line if "lora_rank" not in change else "is of another run: its trained weights is"
    with pytest.raises(ValueError, match=expected):
        load(tmp_path, other, optimizer, config, examples)


def test_adapters_learn_and_leave_the_base_as_it_is(model_folder, rows):
    records, learner = run(model_folder, rows, lora_rank=4, epochs=4, learning_rate=2e-2)
    assert records[-1]["loss"] < records[0]["loss"] - 0.1
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    weights = dict(learner.causal.named_parameters())
    for name, weight in base.named_parameters():
        ours = weights.get(name, weights.get(name.replace(".weight", ".base_layer.weight")))
        assert torch.equal(ours, weight), name


def test_loss_that_is_not_finite_stops_with_one_clear_line(model_folder, rows):
    config, tokenizer, examples, learner, optimizer = prepared(model_folder, rows)
    with torch.no_grad():
        learner.causal.model.norm.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="the loss of step 0 is nan; lower"):
        list(train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0))


def test_gradient_that_is_not_finite_is_not_applied(model_folder, rows):
    config, tokenizer, examples, learner, optimizer = prepared(model_folder, rows)
    before = [weight.detach().clone() for weight in learner.parameters()]
    learner.causal.model.layers[0].mlp.up_proj.weight.register_hook(lambda gradient: gradient * math.inf)
    with pytest.raises(FloatingPointError, match="the gradient of step 0 is nan, its loss"):
        next(train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0))
    assert all(map(torch.equal, learner.parameters(), before))


@pytest.mark.parametrize("settings", [{"global_batch": 12}, {"checkpoint_every": 1}], ids=str)
def test_model_that_a_step_made_worthless_is_not_kept(model_folder, rows, settings):
    """The last step of a run, or one before a checkpoint: no later loss would tell."""
    limits = {"learning_rate": 1e30, "warmup_ratio": 0.0} | settings
    config, tokenizer, examples, learner, optimizer = prepared(model_folder, rows, **limits)
    with pytest.raises(FloatingPointError, match="step 0 has made the model worthless"):
        next(train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0))


@pytest.mark.parametrize("settings", [{}, {"lora_rank": 4}], ids=str)
def test_checkpoint_over_another_base_of_the_same_sizes_is_one_clear_line(model_folder, rows, tmp_path, settings):
    base = shutil.copytree(model_folder, tmp_path / "base")
    config, _, examples, learner, optimizer = prepared(str(base), rows, **settings)
    save(tmp_path, learner, optimizer, config, examples, [])
    weights = load_file(base / "model.safetensors")
    save_file({name: tensor * 1.5 for name, tensor in weights.items()}, base / "model.safetensors")
    config, _, examples, learner, optimizer = prepared(str(base), rows, **settings)
    with pytest.raises(ValueError, match="is of another run: its base model is"):
        load(tmp_path, learner, optimizer, config, examples)


@pytest.mark.parametrize("packing", [True, False])
@pytest.mark.parametrize("world", [1, 2, 3, 4])
def test_workers_share_a_batch_without_loss_and_with_equal_counts(model_folder, rows, world, packing):
    config = TrainConfig(model="m", packing=packing, micro_batch=2, max_length=256)
    examples, _ = tokenize_instances(rows, load_tokenizer(model_folder), 256)
    shares = [micro_batches(examples, range(7), config, rank=rank, world=world, pad_id=0) for rank in range(world)]
    assert len({len(share) for share in shares}) == 1
    learnt = sum(len(b.targets_K) if packing else int((b.labels_BS != -100).sum()) for share in shares for b in share)
    assert learnt == sum(label != -100 for example in examples[:7] for label in example.labels)


@pytest.mark.parametrize(("num_rows", "share", "expected"), [
    (10, 0.0, 0), (10, 0.01, 1), (2, 0.1, 1), (1, 0.5, 0), (40, 0.25, 10),
])  # fmt: skip
def test_a_share_of_few_rows_still_holds_one_out(num_rows, share, expected):
    learnt, held_out = split_holdout(num_rows, share, seed=1)
    assert (len(learnt), len(held_out)) == (num_rows - expected, expected)
    assert sorted(learnt + held_out) == list(range(num_rows))


def test_every_epoch_sees_every_row_once_in_its_own_order():
    steps = global_batches(10, 4, 2, seed=3)
    first, second = [row for step in steps[:3] for row in step], [row for step in steps[3:] for row in step]
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second
    assert steps == global_batches(10, 4, 2, seed=3) != global_batches(10, 4, 2, seed=4)
