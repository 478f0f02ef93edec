"""`wavecoder chaos`: run stages twice, once undisturbed and once struck by kills; does a byte of the data differ?

It starts a Ray of its own for each job, on this machine, and kills only what is below those jobs. On a cluster it
refuses: its nodes may work for others.
"""

from __future__ import annotations

import contextlib
import os
import re
import sys
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from rich.console import Console
from rich.table import Table

from core.object_store import join_url
from core.stages import STAGES
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import REQUIRED, option, parse
from ray_jobs.run.config import load_config
from ray_jobs.run.rundir import RunDir

UNITS = {"s": 1, "m": 60, "h": 3600}


def seconds_of(text: str, key: str) -> float:
    """`90s`, `10m` or `1h` in seconds.

    Raises:
        ValueError: it is no such thing; the option is named.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smh])", text)
    if found is None or not float(found[1]):
        raise ValueError(f"--{key} is {text!r}; a time such as 60s, 10m or 1h is wanted")
    return float(found[1]) * UNITS[found[2]]


def names_of(text: str, allowed: tuple[str, ...], key: str) -> list[str]:
    """Names separated by commas.

    Raises:
        ValueError: one is not allowed.
    """
    names = [name for name in text.split(",") if name]
    wrong = [name for name in names if name not in allowed]
    if wrong or not names:
        raise ValueError(f"--{key} is {text!r}; it takes, separated by commas: {', '.join(allowed)}")
    return names


def run_chaos(given: SimpleNamespace, console: Console) -> bool:
    """Run, strike, compare, and keep the report.

    Returns:
        Whether both runs made the same.

    Raises:
        ValueError: an option is wrong, the job would run on a cluster, or a job fails by itself.
    """
    from ray_jobs.cluster.chaos import KINDS, command_of, compare, is_same, run_struck, schedule
    from ray_jobs.cluster.chaos_store import store_door

    if os.environ.get("RAY_ADDRESS"):
        raise ValueError("RAY_ADDRESS names a cluster, which others may use; chaos kills on a Ray of its own: unset it")
    kinds = names_of(given.kill, KINDS, "kill")
    stages = names_of(given.stages, tuple(stage for stage in STAGES if stage != "serve"), "stages")
    stages.sort(key=list(STAGES).index)
    kills = schedule(given.seed, kinds, seconds_of(given.every, "every"), seconds_of(given.during, "for"))
    load_config(given.config, given.set, given.run_dir)
    if "store" in kinds and not given.run_dir.startswith("s3://"):
        raise ValueError(f"--kill store cuts a bucket off; --run-dir is {given.run_dir!r}, where s3://… is wanted")
    runs = {name: join_url(given.run_dir, name) for name in ("undisturbed", "disturbed")}
    opened = {name: RunDir(url) for name, url in runs.items()}
    if any(opened["disturbed"].manifest(stage) for stage in stages):
        raise ValueError(f"{runs['disturbed']} holds a run already; name another --run-dir")
    logs = Path(given.logs)
    logs.mkdir(parents=True, exist_ok=True)
    struck = {}
    with store_door() if "store" in kinds else contextlib.nullcontext() as door:
        for name, planned in (("undisturbed", []), ("disturbed", kills)):
            console.print(f"{name}: {', '.join(stages)}, {len(planned)} kills planned; log: {logs / name}.log")
            command = partial(command_of, given.config, runs[name], given.set)
            shut = door.shut if door else None
            struck[name] = run_struck(stages, command, planned, logs / f"{name}.log", shut)
    compared = compare(opened["undisturbed"], opened["disturbed"], stages)
    report = {
        "seed": given.seed, "kinds": kinds, "stages": stages, "same": is_same(compared), "compared": compared,
        "seconds": {name: each.seconds for name, each in struck.items()},
        "stage_seconds": {name: each.stage_s for name, each in struck.items()},
        "starts": struck["disturbed"].starts, "kills": struck["disturbed"].kills,
    }  # fmt: skip
    opened["disturbed"].write_json(report, "chaos.json")
    show(report, console)
    console.print(f"kept in {opened['disturbed'].shown('chaos.json')}")
    return bool(report["same"])


def show(report: dict[str, Any], console: Console) -> None:
    """Print the report."""
    table = Table("at, s", "stage", "kind", "what", title="what was killed", title_justify="left")
    for kill in report["kills"]:
        away = f"cut off for {kill['away_s']:.0f} s" if "away_s" in kill else "there was none"
        what = f"{kill['process']} {kill['command']}" if "process" in kill else away
        table.add_row(f"{kill['at_s']:.0f}", kill["stage"], kill["kind"], what)
    console.print(table)
    table = Table("stage", "starts", "seconds", "files", "differ", "missing", "more", "rows", title="what it cost",
                  title_justify="left")  # fmt: skip
    for stage, each in report["compared"].items():
        counts = (len(each[name]) for name in ("differ", "missing", "more"))
        rows = " → ".join(str(count) for count in each["rows"])
        took = " → ".join(f"{own[stage]:.0f}" for own in report["stage_seconds"].values())
        table.add_row(stage, str(report["starts"][stage]), took, str(each["files"]), *map(str, counts), rows)
    console.print(table)
    seconds = report["seconds"]
    verdict = "No byte differs." if report["same"] else "THE DATA DIFFER."
    console.print(f"{verdict} {seconds['undisturbed']:.0f} s undisturbed, {seconds['disturbed']:.0f} s disturbed.")


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job: 0, or 1 where the data differ."""
    given = parse("chaos", JOBS["chaos"], {
        "config": option(str, "recipe", REQUIRED, metavar="RECIPE"),
        "run_dir": option(str, "new folder or URL for both runs", REQUIRED, metavar="DIR"),
        "set": option(list[str], "setting of the recipe, as for every job", [], metavar="KEY=VALUE"),
        "kill": option(str, "what is killed; store is cut off for a while", "driver,worker", metavar="KINDS"),
        "every": option(str, "a kill about so often", "60s", metavar="TIME"),
        "during": option(str, "no kills after so long", "10m", name="--for", metavar="TIME"),
        "seed": option(int, "of the schedule", 0, metavar="N"),
        "stages": option(str, "jobs to run, in order", "collect,embed,select", metavar="STAGES"),
        "logs": option(str, "local folder for what the jobs say", "runs/chaos-logs", metavar="DIR"),
    }, arguments)  # fmt: skip
    same: list[bool] = []
    console = Console(width=None if sys.stdout.isatty() else 120, highlight=False)
    code = run_guarded("chaos", lambda _: same.append(run_chaos(given, console)))
    return code or (0 if same[0] else 1)


if __name__ == "__main__":
    sys.exit(main())
