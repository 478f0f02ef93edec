"""Generate: tokens a second through the whole stage, against `vllm.LLM.chat` on the same questions and engine settings.

`python -m bench.generation [--rows N] [--model NAME]` prints one JSON object. The stage runs first, with the demo's
settings on vLLM replicas behind Ray Serve; every question that it asks, of either role, is written down.
Then one bare engine is handed all of them at once: it waits for no verdict and no network. Engine start is left out of
both. Rows are documented functions of this Python's standard library.

Both parts are processes of their own, because two engines do not fit in one.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.machine import describe_machine
from ray_jobs.models import resolve_model
from serve.engines import EngineConfig, engine_arguments

RECIPE = "configs/demo.yaml"
ALONE = 12
"""Questions that are asked again one by one, to see whether batching changes an answer."""


def run_stage(rows: int, model: str, questions: Path) -> dict[str, Any]:
    """The stage on Ray Serve; writes its questions down."""
    from pyarrow import fs as pafs

    from bench.embedding import functions
    from codeocean.generate_flow import generate
    from codeocean.tasks import load_tasks
    from ray_jobs.config import load_config
    from ray_jobs.generate import open_roles

    settings = [f"generate.{role}.model={model}" for role in ("generator", "discriminator")]
    config = load_config(RECIPE, [*settings, "ray.dashboard=false", "serve.port=8141"])
    chosen = [row for row in functions(20 * rows).to_pylist() if len(row["code"]) <= config.generate.max_code_chars]
    with open_roles(config) as roles, questions.open("w") as file, tempfile.TemporaryDirectory() as folder:

        def recorded(chat: Any) -> Any:
            async def ask(**question: Any) -> Any:
                answer = await chat(**question)
                file.write(json.dumps(question) + "\n")
                return answer

            return ask

        recording = {role: (recorded(chat), name) for role, (chat, name) in roles.items()}
        begun = time.perf_counter()
        result, ledger = generate(
            config.generate, load_tasks(), chosen[:rows], recording, pafs.LocalFileSystem(), folder
        )
        seconds = time.perf_counter() - begun
    used = list(ledger.whole().used.values())
    return {
        "rows": rows,
        "questions": sum(one.questions for one in used),
        "accepted": len(result.accepted),
        "seconds": round(seconds, 2),
        "prompt_tokens": sum(one.prompt_tokens for one in used),
        "completion_tokens": sum(one.completion_tokens for one in used),
        "cached_share": round(sum(one.cached_tokens for one in used) / sum(one.prompt_tokens for one in used), 4),
        "mean_in_flight": round(sum(one.seconds for one in used) / seconds, 1),
    }


def run_bare(model: str, questions: Path) -> dict[str, Any]:
    """All the questions at once, in this process."""
    from vllm import LLM, SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    asked = [json.loads(line) for line in questions.read_text().splitlines()]
    llm = LLM(model=resolve_model(model, "--model"), **engine_arguments(EngineConfig()))
    parameters = [
        SamplingParams(
            max_tokens=one["max_tokens"], temperature=one["temperature"], seed=one["seed"],
            structured_outputs=StructuredOutputsParams(json=one["schema"]),
        )
        for one in asked
    ]  # fmt: skip
    begun = time.perf_counter()
    answers = llm.chat([one["messages"] for one in asked], parameters, use_tqdm=False)
    seconds = time.perf_counter() - begun
    prompt = sum(len(answer.prompt_token_ids or []) for answer in answers)
    few = range(0, len(asked), max(1, len(asked) // ALONE))
    alone = [llm.chat(asked[place]["messages"], parameters[place], use_tqdm=False)[0] for place in few]
    same = [one.outputs[0].text == answers[place].outputs[0].text for place, one in zip(few, alone, strict=True)]
    return {
        "alone_asked": len(same),
        "alone_same": sum(same),
        "seconds": round(seconds, 2),
        "prompt_tokens": prompt,
        "completion_tokens": sum(len(answer.outputs[0].token_ids) for answer in answers),
        "cached_share": round(sum(answer.num_cached_tokens or 0 for answer in answers) / prompt, 4),
    }


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=48)
    parser.add_argument("--model", default="package:smollm2-135m-instruct")
    parser.add_argument("--part", choices=["stage", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--questions", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        part = (
            run_stage(options.rows, options.model, options.questions)
            if options.part == "stage"
            else run_bare(options.model, options.questions)
        )
        print(json.dumps(part))
        return
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for part_name in ("stage", "bare"):
            command = [sys.executable, "-m", "bench.generation", "--part", part_name, "--rows", str(options.rows),
                       "--model", options.model, "--questions", f"{folder}/questions.jsonl"]  # fmt: skip
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=_environment())
            found[part_name] = json.loads(done.stdout.splitlines()[-1])
    rates = {name: part["completion_tokens"] / part["seconds"] for name, part in found.items()}
    found["times_bare"] = round(rates["stage"] / rates["bare"], 3)
    found |= {f"{name}_tokens_per_s": round(rate, 1) for name, rate in rates.items()}
    print(json.dumps({"bench": "generation", "model": options.model, "machine": describe_machine()} | found))


def _environment() -> dict[str, str]:
    """Of an engine as the replicas have it."""
    import os

    from serve.engines import engine_environment

    return os.environ | engine_environment(EngineConfig()) | {"VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1"}


if __name__ == "__main__":
    main()
