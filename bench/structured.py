"""Structured output: tokens a second with the tasks' JSON schema by two grammar libraries, with less, and with none.

`python -m bench.structured [--task NAME] [--rows N] [--rounds N] [--max-tokens N] [--model NAME] [--compact]` prints
one JSON object. One engine with the demo's settings answers the generator's own questions about documented functions of
this Python's standard library, all at once. The ways take turns, in another order each round; figures are medians.

- `schema`: as the product sends it, decoded by llguidance. `xgrammar`: the same schema, by vLLM's first choice.
  `unlimited`: by xgrammar, without lengths of strings. `object`: any JSON object. `free`: no grammar.

- `tokens_per_s`: tokens out by the clock, of whole answers and of those that were cut off.
- `times_free`: of that, the median over rounds of the ratio to the way without a grammar, in the same round.
- `usable`: share of answers that the generator's own checks of the form take.
- `usable_per_s`: those by the clock: what matters, as whatever is not usable is asked again.
- `escapes`: share of answers that hold an escape of JSON, such as a quotation mark in code.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import statistics
import sys
import time
from typing import Any

from bench.machine import describe_machine

WAYS = ("schema", "xgrammar", "unlimited", "object", "free")
DIALECTS = {"schema": "vllm", "xgrammar": "full", "unlimited": "unlimited"}
GIVEN = {"information": "the code"}
"""What the generator is not asked for by some tasks."""


def questions(name: str, rows: int, max_chars: int) -> list[tuple[list[dict[str, str]], dict[str, Any]]]:
    """Messages and schema of the generator's questions."""
    from bench.embedding import functions
    from codeocean.generate.prompts import generator_messages, generator_schema
    from codeocean.generate.tasks import load_tasks

    task = load_tasks()[name]
    fitting = (row for row in functions(20 * rows).to_pylist() if len(row["code"]) <= max_chars)
    schema = generator_schema(task, max_chars)
    return [(generator_messages(task, [], row, ""), schema) for row in itertools.islice(fitting, rows)]


def sampling(way: str, schema: dict[str, Any], seed: int, max_tokens: int) -> Any:
    """Parameters of one question, as vLLM takes them."""
    from vllm import SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    from serve.client.schema_dialects import in_dialect

    grammar = None
    if way in DIALECTS:
        grammar = StructuredOutputsParams(json=in_dialect(schema, DIALECTS[way]))
    elif way == "object":
        grammar = StructuredOutputsParams(json_object=True)
    return SamplingParams(max_tokens=max_tokens, temperature=0.7, seed=seed, structured_outputs=grammar)


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--task", default="summarization")
    parser.add_argument("--rows", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--max-tokens", type=int, default=256)
    parser.add_argument("--model", default="package:smollm2-135m-instruct")
    parser.add_argument("--compact", action="store_true", help="JSON without white space between its tokens")
    options = parser.parse_args()

    from ray_jobs.run.config import load_config
    from ray_jobs.run.models import resolve_model
    from serve.engines.settings import engine_arguments, engine_environment

    config = load_config("configs/demo.yaml", [])
    os.environ |= engine_environment(config.serve.engine) | {"HF_HUB_OFFLINE": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    from vllm import LLM

    # Without white space an engine has one library for all: `xgrammar` and `unlimited` are llguidance's then, too.
    form = (
        {"structured_outputs_config": {"backend": "guidance", "disable_any_whitespace": True}}
        if options.compact
        else {}
    )
    llm = LLM(model=resolve_model(options.model, "--model"), **engine_arguments(config.serve.engine) | form)
    asked = questions(options.task, options.rows, config.generate.max_answer_chars)
    messages = [one for one, _ in asked]
    for way in WAYS:  # prefixes, grammars
        llm.chat(messages, [sampling(way, schema, 0, 1) for _, schema in asked], use_tqdm=False)
    found: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for number in range(options.rounds):
        for way in WAYS[number % 5 :] + WAYS[: number % 5]:
            parameters = [sampling(way, schema, number, options.max_tokens) for _, schema in asked]
            found[way].append(measure(llm, messages, parameters))
            print(f"{way}: {found[way][-1]}", file=sys.stderr, flush=True)
    shown: dict[str, Any] = {}
    for way in WAYS:
        ratios = [
            one["tokens_per_s"] / free["tokens_per_s"] for one, free in zip(found[way], found["free"], strict=True)
        ]
        shown[way] = {name: round(statistics.median(one[name] for one in found[way]), 3) for name in found[way][0]}
        shown[way]["times_free"] = round(statistics.median(ratios), 3)
    print(json.dumps({"bench": "structured", "task": options.task, "model": options.model,
                      "rows": options.rows, "rounds": options.rounds,
                      "compact": options.compact, "machine": describe_machine()} | shown))  # fmt: skip


def measure(llm: Any, messages: list[list[dict[str, str]]], parameters: list[Any]) -> dict[str, float]:
    """One turn of one way."""
    from codeocean.generate.parse import Candidate, parse_candidate

    begun = time.monotonic()
    answers = [answer.outputs[0] for answer in llm.chat(messages, parameters, use_tqdm=False)]
    seconds = time.monotonic() - begun
    tokens = sum(len(answer.token_ids) for answer in answers)
    usable = sum(isinstance(parse_candidate(one.text, one.finish_reason or "", GIVEN), Candidate) for one in answers)
    escapes = sum("\\" in one.text for one in answers)
    return {"tokens_per_s": tokens / seconds, "usable": usable / len(answers), "usable_per_s": usable / seconds,
            "escapes": escapes / len(answers), "tokens": tokens}  # fmt: skip


if __name__ == "__main__":
    main()
