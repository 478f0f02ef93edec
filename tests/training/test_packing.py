"""Packing: best fit, even rows; a packed row computes what its documents compute by themselves."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM

from training.attention import NAME, choose_kernel
from training.batches import _pad
from training.examples import IGNORED, Example
from training.loss import Learner
from training.model import switch_dropout_off
from training.model_types import PLAIN_HEAD, check_rules
from training.packing import _fullest, _least_slack, best_fit, fill_of, pack, pack_evenly, packed_batch
from training.rope import choose_by_row

KERNELS = ["documents", "sdpa"]  # flex has no backward pass on a CPU; its forward pass is tested here, flash needs CUDA
SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4, "n_inner": 64,
         "num_key_value_heads": 2, "vocab_size": 97, "max_position_embeddings": 128, "pad_token_id": 0, "bos_token_id": 1,
         "eos_token_id": 2, "head_dim": 8}  # fmt: skip


EXPERTS = {"num_experts": 4, "num_local_experts": 4, "n_routed_experts": 4, "num_experts_per_tok": 2}
SHARED = EXPERTS | {"moe_intermediate_size": 16, "n_shared_experts": 1, "n_group": 1, "topk_group": 1}
OLDER = {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_inner": 64, "n_positions": 128, "vocab_size": 97}
WINDOW = {"sliding_window": 12}  # shorter than most documents
OF_TYPE = {
    "gpt_bigcode": OLDER, "qwen3_moe": SHARED, "mixtral": EXPERTS, "granitemoe": EXPERTS, "gpt_oss": EXPERTS | WINDOW,
} | dict.fromkeys(("gemma2", "gemma3_text", "mistral", "phi3"), WINDOW)  # fmt: skip


def tiny(model_type, attention=NAME, **settings):
    sizes = {} if OF_TYPE.get(model_type) is OLDER else SIZES
    torch.manual_seed(1)
    config = AutoConfig.for_model(model_type, **(sizes | OF_TYPE.get(model_type, {}) | settings))
    switch_dropout_off(config)
    return AutoModelForCausalLM.from_config(config, attn_implementation=attention).train()


def documents(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    found = []
    for _ in range(count):
        length, prompt = (int(torch.randint(low, high, (1,), generator=generator)) for low, high in ((9, 40), (1, 8)))
        ids = torch.randint(3, 97, (length,), generator=generator).tolist()
        found.append(Example(ids, [IGNORED] * prompt + ids[prompt:], False))
    return found


def loss_and_gradients(model, rows, kernel, dtype=None):
    learner = Learner(model, kernel, dtype)
    model.zero_grad()
    total = sum(float(_backward(learner(packed_batch(row)))) for row in rows)
    return total, {name: weight.grad.clone() for name, weight in model.named_parameters()}


def _backward(loss):
    loss.backward()
    return loss.detach()


def assert_same(ours, theirs, tolerance):
    count = 400
    assert ours[0] / count == pytest.approx(theirs[0] / count, abs=tolerance)
    for name, gradient in theirs[1].items():
        torch.testing.assert_close(ours[1][name] / count, gradient / count, atol=tolerance, rtol=0, msg=name)


UNLIKE = sorted(PLAIN_HEAD | {"gemma2", "gemma3_text", "gpt_oss", "granite", "qwen3_moe"})


@pytest.mark.parametrize("model_type", UNLIKE)
def test_packed_equals_single_rows_under_the_librarys_own_attention(model_type):
    """Every kernel; with windows, bounded scores, sinks, experts, scaled logits. All types: test_model_types.py."""
    rows, total = documents(8), 0.0
    plain = tiny(model_type, "eager")
    for row in rows:
        logits = plain(torch.tensor([row.input_ids]), use_cache=False).logits[0, :-1]
        loss = functional.cross_entropy(logits.float(), torch.tensor(row.labels[1:]), reduction="sum")
        total += float(_backward(loss))
    gradients = {name: weight.grad for name, weight in plain.named_parameters() if weight.grad is not None}
    for kernel in KERNELS:
        assert_same(loss_and_gradients(tiny(model_type), [rows[:5], rows[5:]], kernel), (total, gradients), 1e-5)


@pytest.mark.parametrize("model_type", ["mixtral", "qwen3_moe", "gpt_oss", "granitemoe"])
def test_routing_loss_is_that_of_transformers_by_the_models_own_configuration(model_type):
    """Each row's loss is the library's own, packed or padded; weighed by its response tokens."""
    rows, options = documents(4), {"output_router_logits": True, "router_aux_loss_coef": 0.3}
    plain, total = tiny(model_type, "eager", **options), 0.0
    for row in rows:
        count = sum(label != IGNORED for label in row.labels[1:])
        found = plain(torch.tensor([row.input_ids]), labels=torch.tensor([row.labels]), use_cache=False)
        assert found.aux_loss > 0
        total += float(_backward(found.loss * count))
    gradients = {name: weight.grad for name, weight in plain.named_parameters() if weight.grad is not None}
    packed = loss_and_gradients(tiny(model_type, **options), [rows[:3], rows[3:]], "documents")
    assert_same(packed, (total, gradients), 1e-5)
    model = tiny(model_type, "eager", **options)
    padded = float(_backward(Learner(model, None)(_pad(rows, 0))))
    assert_same((padded, {name: weight.grad for name, weight in model.named_parameters()}), (total, gradients), 1e-5)
    silent = Learner(tiny(model_type, **options), "documents").eval()(packed_batch(rows))
    assert float(silent.detach()) < total - 1  # held-out losses are without it


@pytest.mark.parametrize("kernel", KERNELS)
def test_bfloat16_agrees_to_its_precision(kernel):
    model, rows = tiny("llama"), documents(12)
    alone = loss_and_gradients(model, [[row] for row in rows], kernel, torch.bfloat16)
    assert_same(loss_and_gradients(model, [rows], kernel, torch.bfloat16), alone, 1e-3)
    assert_same(loss_and_gradients(model, [rows], kernel), alone, 2e-2)  # and it is the same loss


@torch.no_grad()
def test_flex_equals_the_others_forward():
    model, rows = tiny("llama"), documents(12)
    losses = [float(Learner(model, kernel)(packed_batch(rows))) / 400 for kernel in ("flex", "documents", "sdpa")]
    assert losses == pytest.approx([losses[0]] * 3, abs=1e-5)


@pytest.mark.parametrize(
    ("model_type", "kernel"),
    [*((name, kernel) for name in sorted(PLAIN_HEAD) for kernel in KERNELS), ("llama", "flex")],
)
def test_nothing_leaks_from_one_document_into_the_next(model_type, kernel):
    """Bit for bit: what stands in the first document changes nothing in the second."""
    first, other, second = (example.input_ids for example in documents(3))
    other = (other * 9)[: len(first)]
    model = tiny(model_type)
    states = []
    for neighbour in (first, other):
        batch = packed_batch([Example(ids, ids, False) for ids in (neighbour, second)])
        with torch.no_grad():
            from training.attention import describe_documents

            states.append(model.base_model(
                input_ids=batch.input_ids_S[None], position_ids=batch.positions_S[None], use_cache=False,
                documents=describe_documents(batch.lengths, kernel, torch.device("cpu")),
            ).last_hidden_state[0])  # fmt: skip
    assert torch.equal(states[0][len(first) :], states[1][len(first) :])
    assert not torch.equal(states[0][: len(first)], states[1][: len(first)])


def test_a_layer_that_is_not_told_the_documents_stops():
    with pytest.raises(AssertionError, match="was not told the documents"):
        tiny("llama")(torch.tensor([[3, 4, 5]]))


def test_kernels_that_do_not_know_a_models_rules_are_refused():
    with pytest.raises(ValueError, match="attention flex: .* window of 256 tokens, shorter than train.max_length 512"):
        check_rules(AutoConfig.for_model("mistral", sliding_window=256), 512, "flex")
    with pytest.raises(ValueError, match="attention flash: the scores of model type 'gemma2' have rules"):
        check_rules(AutoConfig.for_model("gemma2"), 512, "flash")
    with pytest.raises(ValueError, match="chunks of 256 tokens, shorter than train.max_length 512"):
        check_rules(AutoConfig.for_model("llama4_text", attention_chunk_size=256), 512, "auto")
    check_rules(AutoConfig.for_model("mistral", sliding_window=256), 512, "auto")
    assert choose_kernel("auto", torch.device("cuda"), torch.bfloat16, "gpt_oss") == "documents"


def test_kernel_is_chosen_by_device_and_type():
    assert choose_kernel("auto", torch.device("cpu"), torch.bfloat16) == "documents"
    assert choose_kernel("auto", torch.device("cuda"), torch.bfloat16) == "flash"
    assert choose_kernel("sdpa", torch.device("cpu"), torch.float32) == "sdpa"


def slow_best_fit(lengths, capacity):
    rows = []
    for number in sorted(range(len(lengths)), key=lambda document: -lengths[document]):
        rooms = [(capacity - sum(lengths[other] for other in row), place) for place, row in enumerate(rows)]
        fitting = [room for room in rooms if room[0] >= lengths[number]]
        if fitting:
            rows[min(fitting)[1]].append(number)
        else:
            rows.append([number])
    return rows


@given(st.lists(st.integers(1, 100), max_size=60), st.integers(1, 5), st.sampled_from([100, 101, 173]))
def test_packing_loses_nothing_and_never_needs_more_rows_than_best_fit(lengths, workers, capacity):
    assert best_fit(lengths, capacity) == slow_best_fit(lengths, capacity)
    rows = pack(lengths, capacity)
    assert len(rows) <= len(best_fit(lengths, capacity))
    assert rows == pack(lengths, capacity)
    even = pack_evenly(lengths, capacity, workers)
    for packing in (rows, even, _least_slack(lengths, capacity)):
        assert sorted(number for row in packing for number in row) == list(range(len(lengths)))
        assert all(sum(lengths[number] for number in row) <= capacity for row in packing)
    assert len(even) == -(-len(rows) // workers) * workers


@given(st.lists(st.integers(1, 40), max_size=10), st.integers(0, 120))
def test_a_row_is_filled_as_full_as_any_choice_makes_it(lengths, room):
    chosen, _ = _fullest(sorted(Counter(lengths).items(), reverse=True), room)
    assert not Counter(chosen) - Counter(lengths)
    sums = {0}
    for length in lengths:
        sums |= {total + length for total in sums}
    assert sum(chosen) == max(total for total in sums if total <= room)


def test_exact_filling_ends_when_its_budget_is_spent(monkeypatch):
    lengths = [2 * length for length in range(10, 60)] * 3
    whole = _least_slack(lengths, 333)
    monkeypatch.setattr("training.packing._MOST_SHIFTS", 40)
    cut = _least_slack(lengths, 333)
    assert cut[0] == whole[0]
    assert cut != whole
    assert sorted(number for row in cut for number in row) == list(range(150))
    assert max(sum(lengths[number] for number in row) for row in cut) <= 333


def test_even_rows_are_even():
    lengths = torch.randint(20, 400, (300,), generator=torch.Generator().manual_seed(0)).tolist()
    sums = [sum(lengths[number] for number in row) for row in pack_evenly(lengths, 2048, 4)]
    assert len(sums) % 4 == 0
    assert max(sums) / (sum(sums) / len(sums)) < 1.02


def test_fill_of_instruction_lengths():
    """At least 98 %, on lengths spread as CodeAlpaca's: log-normal, median 130 tokens."""
    draws = torch.randn(2000, generator=torch.Generator().manual_seed(0))
    lengths = (130 * torch.exp(0.55 * draws)).int().clamp(30, 1024).tolist()
    for capacity in (1024, 2048):
        assert fill_of(pack(lengths, capacity), lengths, capacity) >= 0.98


def test_fill_of_codealpaca():
    file = Path(__file__).parents[3] / "shared" / "data" / "codealpaca_2k.json.gz"
    if not file.is_file():
        pytest.skip("the CodeAlpaca sample is not beside the repository")
    rows = json.loads(gzip.decompress(file.read_bytes()))
    lengths = [60 + sum(len(row[name]) for name in ("instruction", "input", "output")) // 4 for row in rows]
    for capacity in (512, 1024, 2048):
        kept = [min(length, capacity) for length in lengths]
        assert fill_of(pack(kept, capacity), kept, capacity) >= 0.98


@pytest.mark.parametrize("packing", [True, False])
def test_longrope_follows_each_rows_length(tmp_path, packing):
    """Phi-3's frequencies for long rows apply to long rows alone, whatever stands beside them."""
    factors = {"short_factor": [1.0, 1.2, 1.4, 1.6], "long_factor": [3.0, 6.0, 12.0, 24.0]}
    described = {"rope_scaling": {"type": "longrope"} | factors, "original_max_position_embeddings": 25,
                 "initializer_range": 0.3}  # fmt: skip
    torch.manual_seed(1)
    base = AutoModelForCausalLM.from_config(AutoConfig.for_model("phi3", **SIZES | described))
    base.save_pretrained(tmp_path)
    rows = documents(8)
    assert min(len(row.input_ids) for row in rows) < 25 < max(len(row.input_ids) for row in rows)
    expected = sum(alone(base, row) for row in rows)
    ours = AutoModelForCausalLM.from_pretrained(tmp_path, attn_implementation=NAME if packing else "sdpa")
    choose_by_row(ours)
    learner = Learner(ours, "documents" if packing else None)
    batch = packed_batch(rows) if packing else _pad(rows, 0)
    assert float(learner(batch)) == pytest.approx(expected, abs=2e-4)


def alone(model, row):
    """Summed loss of one row under the library's own attention."""
    logits = model(torch.tensor([row.input_ids])).logits[0, :-1]
    return float(functional.cross_entropy(logits, torch.tensor(row.labels[1:]), reduction="sum"))
