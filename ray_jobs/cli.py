"""The command line of every job: `wavecoder <job> …` and `python -m ray_jobs.<job> …` are the same.

A failure that a user can cause ends with one clear line and exit code 2; its traceback is kept in the run directory.
What only names the jobs imports neither Ray nor PyTorch: a job's own file is imported when it is called.
"""

from __future__ import annotations

import errno
import importlib
import logging
import os
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import TYPE_CHECKING

from ray_jobs.cluster.secret_refs import resolve
from ray_jobs.run.completion import ASKED, take_job_out
from ray_jobs.run.ending import obey_sigterm

if TYPE_CHECKING:
    from ray_jobs.run.command_line import Options
    from ray_jobs.run.config import Config
    from ray_jobs.run.rundir import RunDir

log = logging.getLogger("wavecoder.ray_jobs")

JOBS = {
    "pipeline": "all stages in order, skipping what is done",
    "plan": "what each stage would do, before anything is spent",
    "ablate": "one recipe varied, everything common made once → one table with paired intervals",
    "collect": "sources of code → filtered raw code",
    "embed": "raw code → embeddings",
    "select": "embeddings → coreset, by exact k-center",
    "generate": "coreset → judged instances, by LLM Generator and Discriminator",
    "codeocean": "judged instances → CodeOcean: verified, without duplicates and benchmarks",
    "mix": "CodeOcean and other instruction sets → what is trained on",
    "train": "CodeOcean, or the mix → fine-tuned model",
    "serve": "model → OpenAI-compatible endpoint, until Ctrl-C",
    "evaluate": "endpoint → benchmark scores",
    "report": "run directory → one HTML page",
    "reward": "serve: completions and their tests → rewards of reinforcement learning, over HTTP, until Ctrl-C",
    "sandbox": "check: what this machine offers to run programs safely, and the attack suite",
    "inspect": "a quick look at what one stage made",
    "explore": "a local page over a run's rows: filter, search, compare, mark",
    "prompts": "the exact messages that generator and discriminator are sent",
    "judge": "how far the discriminator agrees with hand-made good and bad instances",
    "diff": "what differs between the data of two runs, and why",
    "keys": "API keys of the gateway: create, list, revoke",
    "monitoring": "what Prometheus and Grafana are started with: scraping, alerts, dashboard",
    "submit": "a job, sent to a cluster and followed",
    "watch": "how far each stage of a run is, and what runs where; terminal or page",
    "status": "what a submitted job is doing, and what it waits for",
    "logs": "the log of a submitted job",
    "chaos": "kills by schedule and seed on this machine; does a byte of the data differ?",
    "doctor": "what is wrong or unsafe with this machine or cluster",
}

GROUPS = {
    "All of it": ("pipeline", "plan", "ablate"),
    "One stage": ("collect", "embed", "select", "generate", "codeocean", "mix", "train", "evaluate", "report"),
    "Use the model": ("serve", "keys", "reward"),
    "Look": ("inspect", "watch", "explore", "prompts", "judge", "diff"),
    "Cluster": ("submit", "status", "logs", "doctor", "monitoring"),
    "This machine": ("sandbox", "chaos"),
}
"""The jobs as the help lists them."""

ELSEWHERE = {
    "ablate": "ray_jobs.standalone.ablate",
    "explore": "ray_jobs.standalone.explore",
    "chaos": "ray_jobs.cluster.chaos_job",
    "watch": "ray_jobs.watching.job",
}
"""Job → its module, where that lies with what it uses."""

SECTIONS = {
    name: (name,) for name in ("collect", "embed", "codeocean", "mix", "train", "serve", "evaluate", "report")
} | {
    "select": ("select", "decontaminate"),
    "generate": ("generate", "serve"),
}
"""Job → sections of the recipe that it reads."""

RECIPE_JOBS = frozenset({*SECTIONS, "pipeline", "plan", "judge"})
"""Jobs whose command line is in `ray_jobs.run.recipe_jobs`, as their own file costs seconds to import."""

MAX_REASON_CHARS = 8000
"""Of a failure's line: every wrong setting of a recipe is named, but no library's page of text."""

MAX_LOSS_CHARS = 600
"""Of what Ray says of a loss: what was lost, and why it thinks so."""

Job = Callable[["Config", "RunDir"], object]


def main(arguments: list[str] | None = None) -> int:
    """`wavecoder <job> …`."""
    arguments = sys.argv[1:] if arguments is None else arguments
    job, rest = take_job_out(JOBS) if ASKED in os.environ else (arguments[0] if arguments else "", arguments[1:])
    if job in RECIPE_JOBS:
        return int(importlib.import_module("ray_jobs.run.recipe_jobs").main_of(job)(rest))
    if job in JOBS:
        return int(importlib.import_module(ELSEWHERE.get(job, f"ray_jobs.{job}")).main(rest))
    from ray_jobs.run.command_line import list_jobs

    return list_jobs(JOBS, GROUPS, arguments)


def run_job(
    name: str,
    job: Job,
    arguments: list[str] | None = None,
    more: Options | None = None,
    *,
    only_looks: Callable[[SimpleNamespace], bool] = lambda _: False,
    below: str = "",
) -> int:
    """Parse a job's command line, run it, and turn its failures into one line.

    Args:
        name: the job's name.
        job: called with the configuration and the run directory, and with each of `more` as a keyword.
        arguments: without the program's name; None takes the process's.
        more: options of this job beside those of every job.
        only_looks: whether the job, as it is called, writes nothing: its run directory is not made.
        below: what the help says below the options.

    Returns:
        Exit code: 0, 1 for a failure of ours or the machine's, 2 for one that the user can mend, 130 for Ctrl-C or
        SIGTERM.
    """
    from ray_jobs.run.command_line import RECIPE, flag, parse
    from ray_jobs.run.config import OFFLINE, load_config, recipe_of
    from ray_jobs.run.named_paths import check_no_urls
    from ray_jobs.run.rundir import RunDir

    arguments = sys.argv[1:] if arguments is None else arguments
    open_cluster = flag("allow_open_cluster", "start even on a cluster to which anybody can submit jobs")
    options = RECIPE | (more or {}) | {"allow_open_cluster": open_cluster}
    given = parse(name, JOBS[name], options, arguments, f"{below}\n\n{_settings(name, arguments)}")
    if given.allow_open_cluster:
        given.set.append("ray.allow_open_cluster=true")

    def work(opened: list[RunDir]) -> None:
        config = load_config(recipe_of(given.config, given.run_dir), given.set, given.run_dir)
        check_no_urls(config.model_dump(mode="json"))
        if config.ray.offline:  # before anything asks a hub
            os.environ |= OFFLINE
        run = RunDir(config.run_dir, create=not only_looks(given))
        if not only_looks(given):
            opened.append(run)
            run.write_text(config.as_yaml(), "config.yaml")
            run.check_store()
        with nullcontext() if only_looks(given) else keeping_postmortem(name, run, config.report.title):
            job(config, run, **{option: getattr(given, option) for option in more or ()})

    return run_guarded(name, work)


def _settings(name: str, arguments: list[str]) -> str:
    """The settings that a job reads, where its help is asked for."""
    if not {"-h", "--help"} & set(arguments):
        return ""
    from ray_jobs.run.command_line import settings_help
    from ray_jobs.run.config import Config

    sections = SECTIONS.get(name, ())
    if not sections:
        return f"Sections of the recipe: {', '.join(Config.model_fields)}. The help of a stage names its settings."
    return "\n\n".join(settings_help(section, Config.model_fields[section].annotation) for section in sections)


@contextmanager
def keeping_postmortem(name: str, run: RunDir, title: str) -> Iterator[None]:
    """On a cluster, what it knows of the job is kept in the run directory when the job ends, however it does."""
    error: BaseException | None = None
    try:
        yield
    except BaseException as caught:
        error = caught
        raise
    finally:
        ray = sys.modules.get("ray")
        if os.environ.get("RAY_ADDRESS") and ray is not None and ray.is_initialized():
            from ray_jobs.cluster.bundle import write_postmortem

            folder = write_postmortem(run, name, error)
            log.info("what the cluster knows of this job is kept in %s", run.shown(folder))
            _show_on_the_page(run, title)


def _show_on_the_page(run: RunDir, title: str) -> None:
    """Write the report page again, if there is one: it was made before the job had ended."""
    if not run.exists("report", "index.html"):
        return
    from report.page import write_report

    try:
        write_report(run.fs, run.root, title=title)
    except (OSError, ValueError) as problem:
        log.warning("the report page could not be written again: %s", problem)


_RAYS_ADVICE = re.compile(r"\W*Failed to [\w ]+ after \d+/\d+ attempts \(total backoff.*", re.DOTALL)
"""What Ray Data writes behind the message of whatever a task raised: settings of its own."""


def run_guarded(name: str, work: Callable[[list[RunDir]], None]) -> int:
    """Do a command's work; its failure becomes one line and an exit code.

    Args:
        name: the job's name.
        work: puts the run directory that it opens, if any, into the list: the traceback is kept there.
    """
    _set_up_logging()
    obey_sigterm()
    opened: list[RunDir] = []
    try:
        resolve()
        work(opened)
    except KeyboardInterrupt:
        print(f"wavecoder {name}: stopped; run the same command again to go on", file=sys.stderr)
        return 130
    except Exception as error:  # noqa: BLE001 - the top of a job: every failure ends as one line
        return _fail(name, error, opened[0] if opened else None)
    return 0


def _set_up_logging() -> None:
    """Our own lines in our own form, whatever the libraries do to the root logger; of theirs, only warnings."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", datefmt="%H:%M:%S"))
    ours = logging.getLogger("wavecoder")
    ours.handlers, ours.propagate = [handler], False
    ours.setLevel(logging.INFO)
    for library in ("ray", "ray.serve", "ray.data", "ray.train", "ray.tune", "httpx", "sentence_transformers", "vllm"):
        logging.getLogger(library).setLevel(logging.ERROR)
    os.environ.setdefault("VLLM_LOGGING_LEVEL", "ERROR")


def _fail(name: str, error: Exception, run: RunDir | None) -> int:
    from core.object_store import explain

    cause = root_cause(error)
    users = isinstance(cause, ValueError | OSError)
    said = _RAYS_ADVICE.sub("", str(cause))
    reason = (explain(said) if isinstance(cause, OSError) else None) or " ".join(said.split()) or type(cause).__name__
    if getattr(cause, "errno", None) == errno.ENOSPC or "No space left on device" in reason:
        where = run.shown() if run is not None else "the run directory"
        reason = (
            f"no space left on the disk of {where}; free some and run the same command again: finished work is kept"
        )
    if _is_rays(cause):  # a node or a process of Ray was lost under the job
        reason = f"{reason[:MAX_LOSS_CHARS]}; run the same command again: finished work is kept"
    label = "" if users else f"{type(cause).__name__}: "
    print(f"wavecoder {name}: {label}{reason[:MAX_REASON_CHARS]}{_keep_trace(error, run)}", file=sys.stderr)
    return 2 if users else 1


def root_cause(error: BaseException) -> BaseException:
    """The exception that user code raised, inside those that Ray wraps around it."""
    while _is_rays(error):
        inner = getattr(error, "cause", None) or error.__cause__
        if not isinstance(inner, BaseException) or (_is_rays(inner) and not str(inner)):  # that names no reason
            break
        error = inner
    return error


def _is_rays(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "ray"


def _keep_trace(error: Exception, run: RunDir | None) -> str:
    """Write the traceback to the run directory; says where."""
    if run is None:
        return ""
    try:
        run.write_text("".join(traceback.format_exception(error)), "error.log")
    except OSError:
        return ""
    return f" (details: {run.shown('error.log')})"


if __name__ == "__main__":
    sys.exit(main())
