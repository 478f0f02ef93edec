"""The command line of every job: `wavecoder <job> …` and `python -m ray_jobs.<job> …` are the same.

A failure that a user can cause ends with one clear line and exit code 2; its traceback is kept in the run directory.
"""

from __future__ import annotations

import argparse
import importlib
import json
import logging
import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import yaml

from ray_jobs.config import Config, load_config
from ray_jobs.rundir import RunDir

log = logging.getLogger("wavecoder.ray_jobs")

JOBS = {
    "pipeline": "all stages in order, skipping what is done",
    "plan": "what each stage would do, before anything is spent",
    "collect": "sources of code → filtered raw code",
    "embed": "raw code → embeddings",
    "select": "embeddings → coreset, by exact k-center",
    "generate": "coreset → CodeOcean, by LLM Generator and Discriminator",
    "train": "CodeOcean → fine-tuned model",
    "serve": "model → OpenAI-compatible endpoint, until Ctrl-C",
    "evaluate": "endpoint → benchmark scores",
    "report": "run directory → one HTML page",
}

Job = Callable[[Config, RunDir], object]


def main(arguments: list[str] | None = None) -> int:
    """`wavecoder <job> …`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if not arguments or arguments[0] in {"-h", "--help"} or arguments[0] not in JOBS:
        listing = "\n".join(f"  {name:9} {what}" for name, what in JOBS.items())
        print(f"usage: wavecoder <job> --config RECIPE [--set section.key=value …] [--run-dir DIR]\n\n{listing}")
        known = not arguments or arguments[0] in {"-h", "--help"}
        if not known:
            print(f"wavecoder: unknown job {arguments[0]!r}", file=sys.stderr)
        return 0 if known else 2
    job = importlib.import_module(f"ray_jobs.{arguments[0]}")
    return int(job.main(arguments[1:]))


def run_job(name: str, job: Job, arguments: list[str] | None = None, flags: dict[str, str] | None = None) -> int:
    """Parse a job's command line, run it, and turn its failures into one line.

    Args:
        name: the job's name.
        job: called with the configuration and the run directory, and with each of `flags` as a keyword.
        arguments: without the program's name; None takes the process's.
        flags: on/off options of this job: name → help.

    Returns:
        Exit code: 0, 1 for a failure of ours or the machine's, 2 for one that the user can mend, 130 for Ctrl-C.
    """
    parser = argparse.ArgumentParser(prog=f"wavecoder {name}", description=JOBS[name])
    parser.add_argument("--config", required=True, help="recipe, such as configs/demo.yaml")
    parser.add_argument("--set", action="append", default=[], metavar="SECTION.KEY=VALUE", help="override a setting")
    parser.add_argument("--run-dir", help="run directory, instead of the recipe's")
    for flag, text in (flags or {}).items():
        parser.add_argument(f"--{flag.replace('_', '-')}", action="store_true", help=text)
    options = parser.parse_args(arguments)
    _set_up_logging()
    run: RunDir | None = None
    try:
        config = load_config(options.config, options.set, options.run_dir)
        run = RunDir(config.run_dir)
        run.write_text(yaml.safe_dump(json.loads(config.model_dump_json()), sort_keys=False), "config.yaml")
        job(config, run, **{flag: getattr(options, flag) for flag in flags or {}})
    except KeyboardInterrupt:
        print(f"wavecoder {name}: stopped; run the same command again to go on", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001 - the top of a job: every failure ends as one line
        return _fail(name, error, run)
    return 0


def _set_up_logging() -> None:
    """Our own lines in our own form, whatever the libraries do to the root logger; of theirs, only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    ours = logging.getLogger("wavecoder")
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(logging.INFO)
    for library in ("ray", "ray.serve", "ray.data", "ray.train", "ray.tune", "httpx", "sentence_transformers"):
        logging.getLogger(library).setLevel(logging.WARNING)
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("TQDM_DISABLE", "1")  # bars of libraries would break up our lines


def _fail(name: str, error: Exception, run: RunDir | None) -> int:
    cause = getattr(error, "cause", None) or error
    ours = not isinstance(cause, ValueError | OSError)
    reason = " ".join(str(cause).split()) or type(cause).__name__
    trace = "".join(traceback.format_exception(error))
    where = ""
    if run is not None and run.local is not None:
        file = Path(run.local) / "error.log"
        try:
            file.write_text(trace)
            where = f" (details: {file})"
        except OSError:
            where = ""
    label = f"{type(cause).__name__}: " if ours else ""
    print(f"wavecoder {name}: {label}{reason[:1500]}{where}", file=sys.stderr)
    return 1 if ours else 2


if __name__ == "__main__":
    sys.exit(main())
