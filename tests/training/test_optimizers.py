"""Muon and Adafactor beside torch's own, and the learning rate's schedules."""

import pytest
import torch

from tests.training.test_step import prepared, run
from training.optimizers import Adafactor, Muon, learning_rate_factor, make_optimizer
from training.settings import TrainConfig
from training.step import train_steps


@pytest.mark.parametrize(("shape", "decay"), [((8, 24), 0.0), ((24, 8), 0.1), ((16, 16), 0.1)])
def test_muon_takes_the_steps_of_torchs_own_and_of_adamw(shape, decay):
    torch.manual_seed(3)
    ours, theirs = ([torch.nn.Parameter(value.clone()) for value in start]
                    for start in [(torch.randn(shape), torch.randn(7))] * 2)  # fmt: skip
    mine = Muon(ours[:1], ours[1:], lr=0.02, weight_decay=decay)
    plain = [
        torch.optim.Muon(theirs[:1], lr=0.02, weight_decay=decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(theirs[1:], lr=0.02, weight_decay=decay),
    ]
    for _ in range(4):
        for one, other in zip(ours, theirs, strict=True):
            one.grad = torch.randn(one.shape)
            other.grad = one.grad.clone()
        mine.step()
        for optimizer in plain:
            optimizer.step()
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_muon_takes_the_decoders_matrices_alone(model_folder, rows):
    records, learner = run(model_folder, rows, optimizer="muon", epochs=3)
    assert records[-1]["loss"] < records[0]["loss"] - 0.2
    optimizer = make_optimizer(learner, TrainConfig(model=model_folder, optimizer="muon"))
    matrices, others = ({id(weight) for weight in group["params"]} for group in optimizer.param_groups)
    layers = {name for name, weight in learner.named_parameters() if id(weight) in matrices}
    assert all(".layers." in name and "norm" not in name for name in layers) and len(layers) == 14
    assert len(matrices) + len(others) == len(list(learner.parameters()))
    with pytest.raises(ValueError, match="optimizer muon is for whole matrices"):
        TrainConfig(model="m", optimizer="muon", lora_rank=4)


def test_adafactor_learns_with_a_state_much_smaller_than_the_weights(model_folder, rows):
    settings = {"optimizer": "adafactor", "epochs": 3, "learning_rate": 0.5}
    config, tokenizer, examples, learner, optimizer = prepared(model_folder, rows, **settings)
    losses = [r["loss"] for r in train_steps(learner, optimizer, examples, config, tokenizer.pad_token_id, 0)]
    assert losses[-1] < losses[0] - 0.2
    held = sum(value.numel() for state in optimizer.state.values() for value in state.values())
    assert held < 0.2 * sum(weight.numel() for weight in learner.parameters())


def test_adafactor_equals_torchs():
    torch.manual_seed(0)
    ours = [torch.nn.Parameter(torch.randn(6, 5)), torch.nn.Parameter(torch.randn(5))]
    theirs = [torch.nn.Parameter(parameter.detach().clone()) for parameter in ours]
    optimizers = Adafactor(ours, 0.1, 0.01), torch.optim.Adafactor(theirs, lr=0.1, weight_decay=0.01)
    for _ in range(5):
        for our, their in zip(ours, theirs, strict=True):
            our.grad = torch.randn_like(our)
            their.grad = our.grad.clone()
        for optimizer in optimizers:
            optimizer.step()
    for our, their in zip(ours, theirs, strict=True):
        torch.testing.assert_close(our, their)


@pytest.mark.parametrize("schedule", ["cosine", "linear", "constant"])
def test_schedule_warms_up_and_falls(schedule):
    config = TrainConfig(model="m", schedule=schedule, warmup_ratio=0.2)
    rates = [learning_rate_factor(step, 20, config) for step in range(20)]
    assert rates[:4] == sorted(rates[:4])
    assert max(rates) == 1.0
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert rates[-1] < 0.1 or schedule == "constant"
