"""LLaMA-Factory's training steps, by its own trainer, in an environment of its own and in turns with others.

It pins other versions than this project, so it is run by a Python that has it: `bench.training --llama-factory PYTHON`.
This file is both sides: the one that asks for a step with a line, and, run as a script, the one that takes it.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

IGNORED = -100


def llama_factory_steps(
    python: str, model: str, rows: Sequence[dict[str, str]], max_length: int, accumulated: int
) -> Iterator[int]:
    """Steps of a full fine-tuning in float32 with packing; each yields how many tokens it learnt from.

    Args:
        python: an interpreter with `llamafactory`.
        model: folder of a model.
        rows: `instruction, input, output`.
        max_length: of a packed row.
        accumulated: packed rows of a step.
    """
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "rows.json").write_text(json.dumps(list(rows)))
        Path(folder, "dataset_info.json").write_text(json.dumps({"rows": {"file_name": "rows.json"}}))
        settings = {
            "stage": "sft", "do_train": True, "finetuning_type": "full", "model_name_or_path": model,
            "dataset": "rows", "dataset_dir": folder, "template": "alpaca", "output_dir": f"{folder}/out",
            "cutoff_len": max_length, "packing": True, "per_device_train_batch_size": 1,
            "gradient_accumulation_steps": accumulated, "max_steps": 1000, "learning_rate": 5e-5, "use_cpu": True,
            "disable_gradient_checkpointing": True, "flash_attn": "sdpa", "report_to": "none", "save_strategy": "no",
        }  # fmt: skip
        with (
            Path(folder, "log").open("w") as log,
            subprocess.Popen(
                [python, __file__, json.dumps(settings)],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
            ) as process,
        ):  # fmt: skip
            assert process.stdin is not None
            assert process.stdout is not None
            try:
                while True:
                    print("step", file=process.stdin, flush=True)
                    yield int(process.stdout.readline())
            except (ValueError, BrokenPipeError):
                raise RuntimeError(f"LLaMA-Factory ended: {Path(folder, 'log').read_text()[-2000:]}") from None
            finally:
                process.kill()


def take_steps(settings: dict[str, Any]) -> None:
    """Train by LLaMA-Factory: a step for each line of standard input, its learnt tokens on standard output."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # its log has the rest
    import transformers
    from llamafactory.train.tuner import run_exp

    learnt, trainer = 0, cast(Any, transformers.Trainer)
    step = trainer.training_step

    def counted(self: Any, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
        nonlocal learnt
        learnt += int((inputs["labels"] != IGNORED).sum())
        return step(self, model, inputs, *more, **named)

    class Turns(transformers.TrainerCallback):
        def on_step_begin(self, *_: Any, **__: Any) -> None:
            if not sys.stdin.readline():
                sys.exit()

        def on_step_end(self, *_: Any, **__: Any) -> None:
            nonlocal learnt
            print(learnt, file=answers, flush=True)
            learnt = 0

    trainer.training_step = counted
    run_exp(settings, callbacks=[Turns()])


if __name__ == "__main__":
    take_steps(json.loads(sys.argv[1]))
