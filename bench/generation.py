"""Generate: tokens a second through the whole stage, against `vllm.LLM.chat` on the same questions and engine settings.

`python -m bench.generation [--rows N] [--engines serve|data] [--model NAME] [--alone N] [--set KEY=VALUE …]` prints
one JSON object. The stage has the demo's settings, those given, and all rows in one round, on vLLM replicas behind Ray
Serve or inside Ray Data. A first run writes every question down, of either role. Then the stage runs again while one
bare engine, which waits for no verdict and no network, is handed all of these questions at once: the two take turns of
ten seconds (`bench/turns.py`), as the speed of a machine drifts by more than what is to be measured. Engine start is
left out of both. Rows are documented functions of this Python's standard library. The cached share is what the engines
themselves count.

Stage and engine are processes of their own, because two engines do not fit in one.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import psutil

from bench.machine import describe_machine
from bench.turns import say_result, take_turns, wait_for_turn
from core.chat import ChatRequest
from ray_jobs.run.models import resolve_model
from serve.engines.settings import EngineConfig, engine_arguments, engine_environment
from serve.gateway.settings import free_port

RECIPE, TURN_S = "configs/demo.yaml", 10.0

WARM_UP: dict[str, Any] = {
    "messages": [{"role": "user", "content": "Say yes or no."}], "max_tokens": 8, "temperature": 0.0, "seed": 0,
    "schema": {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"]},
}  # fmt: skip


def cpu_seconds() -> Counter[str]:
    """CPU seconds so far of this process, of vLLM's engines under it, of all else under it (Ray), and each part of Ray.

    A part is named as Ray names its process: `ray ServeController`, `ray raylet`.
    """
    found: Counter[str] = Counter()
    me = psutil.Process()
    for process in (me, *me.children(recursive=True)):
        with contextlib.suppress(psutil.Error):
            times, title = process.cpu_times(), process.cmdline() or [process.name()]  # it has ended
            spent = times.user + times.system
            if process == me or "VLLM" in title[0]:
                found["job" if process == me else "engines"] += spent
            else:
                found["ray"] += spent
                found[f"ray {_part(title)}"] += spent
    return found


def _part(title: Sequence[str]) -> str:
    """Which part of Ray a process with this command line is; an actor's says which method it is in."""
    if title[0].startswith("ray::"):
        return re.split(r"[:.]", title[0].removeprefix("ray::"))[0].strip()
    program = next((word for word in title if word.endswith(".py")), title[0])
    return Path(program).stem


def run_stage(options: argparse.Namespace) -> None:
    """The stage; the first time, which is not measured, writing its questions down."""
    from pyarrow import fs as pafs

    from bench.embedding import functions
    from codeocean.generate.flow import generate
    from codeocean.generate.tasks import load_tasks
    from ray_jobs.generate import open_roles
    from ray_jobs.run.config import load_config

    rows, of_roles = options.rows, (f"model={options.model}", f"engines={options.engines}")
    settings = [f"generate.{role}.{what}" for role in ("generator", "discriminator") for what in of_roles]
    more = ["ray.dashboard=false", f"serve.port={free_port()}", f"generate.round_size={rows}"]
    config = load_config(RECIPE, [*settings, *more, *options.set])
    fitting = (row for row in functions(20 * rows).to_pylist() if len(row["code"]) <= config.generate.max_code_chars)
    chosen = list(itertools.islice(fitting, rows))
    with open_roles(config) as opened, tempfile.TemporaryDirectory() as folder:
        for chat, name in opened.values():  # engines inside Ray Data start with their first question
            asyncio.run(chat(ChatRequest(name, **WARM_UP)))
        if options.part == "record":
            asked = {role: (_recorded(chat, options.questions), name) for role, (chat, name) in opened.items()}
        else:
            asked = opened
            wait_for_turn()
        before, begun = cpu_seconds(), time.monotonic()
        result, ledger = generate(config.generate, load_tasks(), chosen, asked, pafs.LocalFileSystem(), folder)
        ended = time.monotonic()
        spent = {name: round(value, 1) for name, value in (cpu_seconds() - before).items()}
        used = list(ledger.whole().used.values())
        prompt = sum(one.prompt_tokens for one in used)
        found = {
            "rows": len(chosen),
            "questions": sum(one.questions for one in used),
            "accepted": len(result.accepted),
            "cpu_s": spent,
            "prompt_tokens": prompt,
            "completion_tokens": sum(one.completion_tokens for one in used),
            "cached_share": round(sum(one.cached_tokens for one in used) / prompt, 4),
            "mean_in_flight": round(sum(one.seconds for one in used) / (ended - begun), 1),
        }
        say_result(found, begun, ended)


def _recorded(chat: Any, file: Path) -> Any:
    """The chat, which writes each answered question down."""

    async def ask(request: ChatRequest) -> Any:
        answer = await chat(request)
        with file.open("a") as written:
            written.write(json.dumps(vars(request)) + "\n")
        return answer

    return ask


def engine_of(settings: list[str]) -> EngineConfig:
    """How the engines of both parts run."""
    from ray_jobs.run.config import load_config

    return load_config(RECIPE, settings).serve.engine


def run_bare(options: argparse.Namespace) -> None:
    """All the questions at once, in this process; then some of them one by one: does batching change an answer?"""
    from vllm import LLM, SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    asked = [json.loads(line) for line in options.questions.read_text().splitlines()]
    llm = LLM(model=resolve_model(options.model, "--model"), **engine_arguments(engine_of(options.set)))
    warm, *parameters = [
        SamplingParams(
            max_tokens=one["max_tokens"], temperature=one["temperature"], seed=one["seed"],
            structured_outputs=StructuredOutputsParams(json=one["schema"]),
        )
        for one in (WARM_UP, *asked)
    ]  # fmt: skip
    llm.chat([WARM_UP["messages"]], [warm], use_tqdm=False)
    wait_for_turn()
    before, begun = cpu_seconds(), time.monotonic()
    answers = llm.chat([one["messages"] for one in asked], parameters, use_tqdm=False)
    ended = time.monotonic()
    spent = {name: round(value, 1) for name, value in (cpu_seconds() - before).items()}
    prompt = sum(len(answer.prompt_token_ids or []) for answer in answers)
    count = min(options.alone, len(asked))
    few = [len(asked) * number // count for number in range(count)]
    alone = [llm.chat(asked[place]["messages"], parameters[place], use_tqdm=False)[0] for place in few]
    same = [one.outputs[0].text == answers[place].outputs[0].text for place, one in zip(few, alone, strict=True)]
    found = {
        "alone_asked": len(same),
        "alone_same": sum(same),
        "cpu_s": spent,
        "prompt_tokens": prompt,
        "completion_tokens": sum(len(answer.outputs[0].token_ids) for answer in answers),
        "cached_share": round(sum(answer.num_cached_tokens or 0 for answer in answers) / prompt, 4),
    }
    say_result(found, begun, ended)


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=40)
    parser.add_argument("--engines", choices=["serve", "data"], default="serve")
    parser.add_argument("--model", default="package:smollm2-135m-instruct")
    parser.add_argument("--alone", type=int, default=6, help="questions to ask the bare engine again, one by one")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="a setting of the recipe")
    parser.add_argument("--part", choices=["record", "stage", "bare"], help=argparse.SUPPRESS)
    parser.add_argument("--questions", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        (run_bare if options.part == "bare" else run_stage)(options)
        return
    found: dict[str, Any] = {"bench": "generation", "model": options.model, "engines": options.engines}
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "bench.generation", *sys.argv[1:], "--questions", f"{folder}/questions.jsonl"]
        parts = {part: [*command, "--part", part] for part in ("record", "stage", "bare")}
        environment = _environment(options.set)
        subprocess.run(parts.pop("record"), stdout=subprocess.DEVNULL, check=True, env=environment)
        found |= take_turns(parts, TURN_S, environment)
    rates = {name: found[name]["completion_tokens"] / found[name]["seconds"] for name in ("stage", "bare")}
    found["times_bare"] = round(rates["stage"] / rates["bare"], 3)
    found |= {f"{name}_tokens_per_s": round(rate, 1) for name, rate in rates.items()}
    print(json.dumps(found | {"machine": describe_machine()}))


def _environment(settings: list[str]) -> dict[str, str]:
    """Of an engine as the replicas have it; and as urgent as the bare one, where Ray gives way to all."""
    more = {"VLLM_LOGGING_LEVEL": "ERROR", "HF_HUB_OFFLINE": "1", "RAY_worker_niceness": "0"}
    return os.environ | engine_environment(engine_of(settings)) | more


if __name__ == "__main__":
    main()
