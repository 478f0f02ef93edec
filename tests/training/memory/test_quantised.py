"""Less memory: states of 8 bits, bases of 4, float8 products; each against what it stands for."""

import importlib.util

import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM

from tests.training.test_packing import tiny
from tests.training.test_step import CPU, losses_of, prepared, run
from training.adapters import quantise_base
from training.export import export_model
from training.flops import Workload
from training.memory.float8 import check_float8, use_float8
from training.memory.quantised import Nf4Linear, dequantise, dynamic_table, nf4_table, quantise
from training.model import load_tokenizer
from training.optimizers import AdamW8bit
from training.settings import TrainConfig

QLORA = {"lora_rank": 4, "lora_base": "nf4"}


def test_the_tables_are_those_of_the_papers():
    """NF4 as QLoRA's appendix E prints it; the dynamic type's largest, smallest and middle values."""
    printed = [-1.0, -0.6961928, -0.5250731, -0.3949175, -0.2844414, -0.1847734, -0.0910500, 0.0, 0.0795803, 0.1609302,
               0.2461123, 0.3379152, 0.4407098, 0.5626170, 0.7229568, 1.0]  # fmt: skip
    assert nf4_table(CPU).tolist() == pytest.approx(printed, abs=1e-6)
    signed, unsigned = (dynamic_table(CPU, signed=signed) for signed in (True, False))
    assert len(signed.unique()) == len(unsigned.unique()) == 256
    assert (float(signed[0]), float(signed[-1]), float(unsigned[0])) == (pytest.approx(-0.9929688), 1.0, 0.0)
    assert float(unsigned[unsigned > 0].min()) == pytest.approx(3.25e-7)


@pytest.mark.parametrize(("shape", "block"), [((5, 64), 64), ((3, 4, 70), 64), ((7, 10), 256), ((2, 513), 256)])
def test_each_number_is_the_nearest_of_its_block_and_blocks_end_with_rows(shape, block):
    torch.manual_seed(0)
    values = torch.randn(shape) * 10.0 ** torch.randint(-9, 3, (*shape[:-1], 1))
    values[0] = 0.0
    table = nf4_table(CPU)
    places, scales = quantise(values, table, block)
    found = dequantise(places, scales, table, block)
    for start in range(0, shape[-1], block):
        part = values[..., start : start + block]
        largest = part.abs().amax(-1, keepdim=True)
        nearest = (part[..., None] - largest[..., None] * table).abs().amin(-1)
        torch.testing.assert_close((found[..., start : start + block] - part).abs(), nearest, atol=1e-12, rtol=1e-4)
    parts = [quantise(part, table, block) for part in values.split(1)]
    assert torch.equal(torch.cat([part for part, _ in parts]), places)


def test_eight_bits_follow_adamw_with_a_fourth_of_its_state():
    torch.manual_seed(0)
    start = [torch.randn(300, 513) * 0.1, torch.randn(513)]
    ours, theirs = ([nn.Parameter(value.clone()) for value in start] for _ in range(2))
    optimizers = AdamW8bit(ours, 1e-3, 0.01), torch.optim.AdamW(theirs, lr=1e-3, weight_decay=0.01)
    for _ in range(20):
        for our, their in zip(ours, theirs, strict=True):
            our.grad = torch.randn_like(our) * 0.01 + 0.01 * our.detach().sign()
            their.grad = our.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    moved = (theirs[0] - start[0]).abs().mean()
    assert float(((ours[0] - theirs[0]).abs().mean() / moved).detach()) < 0.03
    torch.testing.assert_close(ours[1], theirs[1])
    sizes = [sum(value.nbytes for state in each.state.values() for value in state.values()) for each in optimizers]
    assert sizes[0] < 0.27 * sizes[1]


def test_eight_bits_learn_as_adamw_does(model_folder, rows):
    settings = {"epochs": 3, "learning_rate": 3e-3}
    plain = losses_of(model_folder, rows, **settings)
    assert plain[-1] < plain[0] - 0.2
    assert losses_of(model_folder, rows, optimizer="adamw_8bit", **settings) == pytest.approx(plain, abs=3e-2)


def test_a_layer_of_four_bits_computes_and_passes_gradients_on_as_its_weight():
    torch.manual_seed(0)
    plain = nn.Linear(130, 24)
    layer = Nf4Linear(plain)
    assert layer.pairs.nbytes + layer.scales.nbytes < 0.16 * plain.weight.nbytes
    assert float((layer.weight - plain.weight).abs().max()) < 0.16 * float(plain.weight.abs().max())
    x = torch.randn(2, 7, 130, requires_grad=True)
    expected = nn.functional.linear(x, layer.weight, plain.bias)
    wanted = torch.autograd.grad(expected.square().sum(), x)[0]
    found = layer(x)
    torch.testing.assert_close(found, expected)
    torch.testing.assert_close(torch.autograd.grad(found.square().sum(), x)[0], wanted)
    assert layer(x.bfloat16()).dtype == torch.bfloat16


@pytest.mark.parametrize("settings", [{}, {"dtype": "bfloat16"}, {"activation_checkpointing": "full"}], ids=str)
def test_adapters_over_four_bits_are_adapters_over_the_rounded_base(model_folder, rows, tmp_path, settings):
    """The same losses as LoRA on a base whose files hold the rounded weights; the export is what was trained."""
    limits = QLORA | {"epochs": 4, "learning_rate": 1e-2} | settings
    base = AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32)
    for name, layer in base.named_modules():
        if isinstance(layer, nn.Linear) and name != "lm_head":
            layer.weight.data = Nf4Linear(layer).weight
    base.save_pretrained(tmp_path / "rounded")
    load_tokenizer(model_folder).save_pretrained(tmp_path / "rounded")
    records, learner = run(model_folder, rows, **limits)
    expected = losses_of(str(tmp_path / "rounded"), rows, **(limits | {"lora_base": "float32"}))
    within = 1e-5 if "dtype" not in settings else 2e-2
    losses = [record["loss"] for record in records]
    assert losses == pytest.approx(expected, abs=within)
    assert losses[-1] < losses[0] - 0.1
    assert losses[0] != pytest.approx(losses_of(model_folder, rows, **(limits | {"lora_base": "float32"}))[0], abs=1e-4)
    if "dtype" in settings:
        return
    export_model(learner, load_tokenizer(model_folder), model_folder, str(tmp_path / "tuned"), {})
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "tuned", dtype=torch.float32)
    assert exported.state_dict().keys() == base.state_dict().keys()
    ids = torch.arange(3, 60)[None]
    ours = learner.causal.set_attn_implementation("eager") or learner.causal
    with torch.no_grad():
        torch.testing.assert_close(exported(ids).logits, ours(ids).logits, atol=1e-5, rtol=0)


def test_four_bits_hold_less_and_count_as_much_work(model_folder, rows):
    held, flop = {}, {}
    for kind in ("float32", "nf4"):
        learner = prepared(model_folder, rows, lora_rank=4, lora_base=kind)[3]
        layers = learner.causal.model.layers
        held[kind] = sum(value.nbytes for value in [*layers.parameters(), *layers.buffers()])
        flop[kind] = Workload(learner.causal).flop([100], 50)
    assert flop["nf4"] == flop["float32"]
    assert held["nf4"] < 0.45 * held["float32"]  # adapters of rank 4 are a third of so small a layer


@pytest.mark.parametrize(("settings", "line"), [
    ({"lora_base": "nf4"}, "lora_base nf4 needs a lora_rank above 0"),
    ({"lora_base": "nf4", "lora_rank": 4, "lora_dora": True}, "lora_base nf4 needs a lora_rank above 0, without lora_dora"),
    ({"fp8": True}, "fp8 needs dtype: bfloat16"), ({"fp8": True, "dtype": "bfloat16", "lora_rank": 4}, "fp8 needs"),
    ({"offload": True, "optimizer": "muon", "use_gpu": True}, "offload takes the optimizer's step on CPUs"),
    ({"context_parallel": 2, "packing": False}, "context_parallel shares packed rows"),
    ({"context_parallel": 2, "workers": 3}, "context_parallel 2 needs workers that are a multiple"),
    ({"context_parallel": 2, "min_workers": 1}, "and no min_workers"),
    ({"objective": "dpo", "offload": True, "workers": 1}, "objective dpo does not go with offload"),
    ({"objective": "dpo", "context_parallel": 2, "workers": 2}, "objective dpo does not go with context_parallel"),
], ids=str)  # fmt: skip
def test_what_cannot_go_together_is_refused_in_one_line(settings, line):
    with pytest.raises(ValueError, match=line):
        TrainConfig(model="m", **settings)


def test_layers_that_are_not_kept_in_four_bits_are_refused_by_name():
    from training.adapters import insert_adapters

    causal = tiny("gpt2")
    insert_adapters(causal, 2, 4)
    with pytest.raises(ValueError, match=r"train\.lora_base nf4: .*c_attn is a Conv1D"):
        quantise_base(causal, CPU)


def test_float8_without_torchao_is_one_line(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr("training.memory.float8.find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"train\.fp8 needs torchao; pip install 'wavecoder-ray\[fp8\]'"):
        check_float8()


def test_float8_learns_what_bfloat16_learns_and_exports_the_same_names(model_folder, rows, tmp_path):
    pytest.importorskip("torchao")
    settings = {"dtype": "bfloat16", "epochs": 3, "learning_rate": 3e-3}
    plain = losses_of(model_folder, rows, **settings)
    records, learner = run(model_folder, rows, fp8=True, **settings)
    kinds = [type(layer).__name__ for layer in learner.causal.model.layers.modules()]
    assert kinds.count("Float8Linear") == 7 * len(learner.causal.model.layers)
    losses = [record["loss"] for record in records]
    assert losses == pytest.approx(plain, abs=5e-2) and losses != plain
    export_model(learner, load_tokenizer(model_folder), model_folder, str(tmp_path / "tuned"), {})
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "tuned", dtype=torch.float32)
    for name, weight in exported.named_parameters():
        assert torch.equal(learner.causal.get_parameter(name), weight)


def test_sizes_that_float8_cannot_take_stay_as_they_are():
    pytest.importorskip("torchao")
    layers = nn.Sequential(nn.Linear(32, 48), nn.Linear(48, 20))
    use_float8(layers, CPU)
    assert [type(layer).__name__ for layer in layers] == ["Float8Linear", "Linear"]
