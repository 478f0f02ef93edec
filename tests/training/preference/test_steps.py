"""trl's losses on our model and rows: against the formulas of the papers, and cut off and resumed."""

import math

import pytest
import torch
from torch.nn import functional
from transformers import AutoModelForCausalLM

from tests.training.preference.test_pairs import PAIRS
from training.adapters import is_adapter
from training.checkpoint import CheckpointWriter, identity_of, load_checkpoint
from training.model import build_learner, load_tokenizer
from training.optimizers import make_optimizer
from training.preference.pairs import dpo_rows, in_order, kto_rows, tokenize_pairs
from training.preference.steps import num_steps, take_steps
from training.settings import TrainConfig

pytest.importorskip("trl")
CPU = torch.device("cpu")


def prepared(folder, **settings):
    defaults = {"model": folder, "packing": False, "workers": 1, "max_length": 256, "global_batch": 4, "micro_batch": 2,
                "objective": "dpo", "learning_rate": 5e-3}  # fmt: skip
    config = TrainConfig(**(defaults | settings))
    tokenizer = load_tokenizer(folder)
    learner = build_learner(config, tokenizer, CPU)
    pairs, _ = tokenize_pairs(PAIRS, tokenizer, config.max_length)
    rows = dpo_rows(pairs) if config.objective == "dpo" else kto_rows(pairs)
    return config, tokenizer, learner, make_optimizer(learner, config), rows


def run(folder, **settings):
    config, tokenizer, learner, optimizer, rows = prepared(folder, **settings)
    records = []
    take_steps(learner, optimizer, rows, config, tokenizer, told=records.append)
    return records, learner


def answer_logps(model, row, name):
    """Log-probability of one answer, of one row alone."""
    ids = torch.tensor([row["prompt_ids"] + row[name]])
    logits = model(ids).logits[0, :-1].log_softmax(-1)
    found = logits.gather(1, ids[0, 1:, None])[:, 0]
    return found[len(row["prompt_ids"]) - 1 :].sum()


def test_dpo_is_the_papers_loss_and_prefers_what_was_accepted(model_folder):
    """Rafailov et al. 2023, equation 7, by a plain loop over single rows."""
    records, _ = run(model_folder, epochs=2)
    config, _, _, _, rows = prepared(model_folder, epochs=2)
    plain, reference = (AutoModelForCausalLM.from_pretrained(model_folder, dtype=torch.float32) for _ in range(2))
    optimizer = torch.optim.AdamW(plain.parameters(), lr=config.learning_rate, weight_decay=0.0)
    ordered = in_order(rows, config.global_batch, config.epochs, config.seed)
    losses = []
    for number, record in enumerate(records):
        batch = ordered[4 * number : 4 * number + 4]
        margins = torch.stack(
            [
                (answer_logps(plain, row, "chosen_ids") - answer_logps(reference, row, "chosen_ids").detach())
                - (answer_logps(plain, row, "rejected_ids") - answer_logps(reference, row, "rejected_ids").detach())
                for row in batch
            ]
        )
        loss = -functional.logsigmoid(config.preference_beta * margins).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(plain.parameters(), config.max_grad_norm)
        optimizer.param_groups[0]["lr"] = record["learning_rate"]
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    assert len(records) == num_steps(rows, config) == 4
    assert [record["loss"] for record in records] == pytest.approx(losses, abs=1e-4)
    assert losses[0] == pytest.approx(math.log(2), abs=1e-5)
    assert records[-1]["loss"] < records[0]["loss"] and records[-1]["reward_margins"] > 0
    assert 0 < records[0]["fill"] <= 1 and records[0]["response_tokens"] < records[0]["tokens"]


def test_kto_learns_and_adapters_alone_may(model_folder):
    records, learner = run(model_folder, objective="kto", epochs=3, lora_rank=4, global_batch=8, micro_batch=4)
    assert records[0]["loss"] == pytest.approx(0.5, abs=1e-3)  # Ethayarajh et al. 2024: λ (1 - σ(0))
    assert records[-1]["reward_chosen"] > records[-1]["reward_rejected"]
    frozen = [name for name, weight in learner.named_parameters() if not weight.requires_grad]
    assert frozen and not any(is_adapter(name) for name in frozen)


def test_cut_off_and_resumed_it_ends_with_the_same_model(model_folder, tmp_path):
    whole, expected = run(model_folder, epochs=2)
    config, tokenizer, learner, optimizer, rows = prepared(model_folder, epochs=2)
    identity = identity_of(learner, config, len(rows))
    writer, records = CheckpointWriter(), []

    class CutOffError(Exception):
        pass

    def told(record):
        records.append(record)
        if len(records) == 2:
            writer.save(str(tmp_path), learner, optimizer, {"identity": identity, "records": records}).result()
            raise CutOffError

    with pytest.raises(CutOffError):
        take_steps(learner, optimizer, rows, config, tokenizer, told=told)
    writer.close()
    _, _, resumed, optimizer, _ = prepared(model_folder, epochs=2)
    take_steps(resumed, optimizer, rows, config, tokenizer, told=records.append,
               resume=lambda: len(load_checkpoint(str(tmp_path), resumed, optimizer, identity)))  # fmt: skip
    assert [record["step"] for record in records] == [0, 1, 2, 3]
    assert [record["loss"] for record in records] == [record["loss"] for record in whole]
    for (name, ours), theirs in zip(resumed.named_parameters(), expected.parameters(), strict=True):
        assert torch.equal(ours, theirs), name


@pytest.mark.parametrize(("settings", "match"), [
    ({"objective": "dpo", "global_batch": 3, "micro_batch": 2}, "multiple of micro_batch × workers, 4; it is 3"),
    ({"objective": "dpo", "holdout": 0.5}, "does not go with holdout"),
    ({"objective": "kto", "micro_batch": 1}, "set micro_batch to 2 or more"),
])  # fmt: skip
def test_what_trl_cannot_do_is_refused_in_one_line(settings, match):
    with pytest.raises(ValueError, match=match):
        TrainConfig(model="m", **settings)


def test_a_missing_trl_is_one_line(monkeypatch):
    from training.preference import pairs

    monkeypatch.setattr(pairs, "find_spec", lambda name: None if name == "trl" else True)
    with pytest.raises(ValueError, match=r"trl is not installed; pip install 'wavecoder-ray\[preference\]'"):
        pairs.check_trl()
