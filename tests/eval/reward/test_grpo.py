"""trl's own GRPOTrainer with `code_reward` on a real small model. Skipped where trl is missing."""

import math

import pytest

from eval.reward import code_reward
from ray_jobs.run.models import resolve_model

trl = pytest.importorskip("trl", reason="trl is an extra: wavecoder-ray[preference]")
datasets = pytest.importorskip("datasets")

TASKS = [
    ("add(a, b) that returns the sum of a and b", "assert add(2, 3) == 5 and add(-1, 1) == 0"),
    ("double(x) that returns twice x", "assert double(4) == 8"),
    ("is_even(n) that tells whether n is even", "assert is_even(4) and not is_even(7)"),
    ("first(xs) that returns the first element of the list xs", "assert first([7, 8]) == 7"),
]


@pytest.fixture
def one_thread():
    """Two wait for the memory as long as one, and for each other."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_grpo_trains_ten_steps_on_instances_with_tests(one_thread, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = resolve_model("package:smollm2-135m-instruct", "train.model")
    model, tokenizer = AutoModelForCausalLM.from_pretrained(folder), AutoTokenizer.from_pretrained(folder)
    rows = [
        {"prompt": [{"role": "user", "content": f"Write a Python function {what}. Answer with the code only."}],
         "tests": tests, "entry_point": what.partition("(")[0]}
        for what, tests in TASKS
    ]  # fmt: skip
    seen = []

    def recorded(**given):
        rewards = code_reward(**given)
        seen.append(rewards)
        return rewards

    settings = trl.GRPOConfig(
        output_dir=str(tmp_path),
        max_steps=10,
        per_device_train_batch_size=2,
        num_generations=2,
        max_completion_length=32,  # enough for a right answer
        learning_rate=1e-5,
        logging_steps=1,
        gradient_checkpointing=False,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
        seed=1,
    )
    trainer = trl.GRPOTrainer(
        model=model,
        reward_funcs=recorded,
        args=settings,
        train_dataset=datasets.Dataset.from_list(rows),
        processing_class=tokenizer,
    )
    before = next(model.parameters()).detach().clone()
    trainer.train()
    assert trainer.state.global_step == 10
    assert len(seen) == 10
    assert all(len(rewards) == 2 and set(rewards) <= {0.0, 1.0} for rewards in seen)
    told = [line["reward"] for line in trainer.state.log_history if "reward" in line]
    assert told == pytest.approx([sum(rewards) / 2 for rewards in seen])
    assert {0.0, 1.0} <= {reward for rewards in seen for reward in rewards}
    losses = [line["loss"] for line in trainer.state.log_history if "loss" in line]
    assert all(math.isfinite(loss) for loss in losses)
    assert not before.equal(next(model.parameters()))
