"""Kills by schedule and seed while a recipe's stages run, and whether a byte of what they made differs. No Ray here.

The jobs are processes of their own, each with a Ray of its own on this machine. What is killed is found below the job's
process: the job itself, Ray's raylet (the node), a worker of Ray Data, Ray Train or an actor, a replica of Ray Serve.
The store is not killed but cut off for a while (`ray_jobs.cluster.chaos_store`).
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pyarrow.parquet as pq

from ray_jobs.run.rundir import RunDir

KINDS = ("driver", "node", "worker", "replica", "store")
STORE_S = (5.0, 35.0)
"""Shortest and longest time without the store: its client asks again for about a minute."""
LOOK_S = 0.2
TRIES = 20
"""Starts of one stage before the run counts as lost."""
REST_S = 30.0
"""The second start of a stage is left alone for so long, the third for twice as long, and so on: it gets on at last."""
CLOCKED = {"seconds", "mfu", "memory_bytes", "ended", "wall_s"}
"""Columns and keys that hold what was measured, and differ between any two runs."""


@dataclass(frozen=True)
class Kill:
    """A kill that is planned."""

    at_s: float
    """Seconds of the disturbed run, without those in which a start is left alone."""
    kind: str
    draw: float
    """In [0, 1): which of those that there are is killed; how long the store is cut off."""


@dataclass
class Struck:
    """What happened in one run over all stages."""

    seconds: float = 0.0
    starts: dict[str, int] = field(default_factory=dict)
    """Stage → how often its job was started."""
    kills: list[dict[str, Any]] = field(default_factory=list)
    """`{at_s, kind, draw, stage, process, command}`; a kill without a victim has no process, a store `away_s`."""
    stage_s: dict[str, float] = field(default_factory=dict)
    """Stage → seconds, all its starts together."""


def schedule(seed: int, kinds: Sequence[str], every_s: float, for_s: float) -> list[Kill]:
    """Kills about every `every_s` seconds, up to a quarter earlier or later, until `for_s`: the same for a seed."""
    rng, planned, number = random.Random(seed), [], 1
    while (middle := number * every_s) < for_s:
        at_s = middle + every_s * rng.uniform(-0.25, 0.25)
        planned.append(Kill(round(at_s, 3), rng.choice(list(kinds)), rng.random()))
        number += 1
    return planned


def command_of(config: str, run_dir: str, overrides: Sequence[str], stage: str) -> list[str]:
    """The command line of a stage's job."""
    settings = [part for each in overrides for part in ("--set", each)]
    return [sys.executable, "-m", f"ray_jobs.{stage}", "--config", config, "--run-dir", run_dir, *settings]


def run_struck(
    stages: Sequence[str],
    command: Callable[[str], list[str]],
    kills: Sequence[Kill],
    log: Path,
    shut: Callable[[float], object] | None = None,
) -> Struck:
    """Run the stages' jobs one after the other, strike them, and start again what ends by it.

    Args:
        stages: names of jobs.
        command: stage → command line.
        kills: in order of time; what is left when all stages have ended is not done.
        log: file that takes what the jobs say.
        shut: cuts the store off for so many seconds; None where there is none.

    Raises:
        ValueError: a job fails without having been struck, or again and again.
    """
    struck, left, begun, rested = Struck(), list(kills), time.monotonic(), 0.0
    for stage in stages:
        stage_begun = time.monotonic()
        for start in range(1, TRIES + 1):
            struck.starts[stage] = start
            before = len(struck.kills)
            rest_s, started = REST_S * (start - 1), time.monotonic()
            code = _run_once(command(stage), left, _striker(struck, stage, shut), (begun + rested, rest_s), log)
            rested += min(rest_s, time.monotonic() - started)
            if code == 0:
                break
            if not any({"process", "away_s"} & set(kill) for kill in struck.kills[before:]):
                raise ValueError(f"{stage} ended with exit code {code} and nothing was killed meanwhile; see {log}")
        else:
            raise ValueError(f"{stage} was started {TRIES} times and did not end; kill less often, or see {log}")
        struck.stage_s[stage] = round(time.monotonic() - stage_begun, 1)
    struck.seconds = round(time.monotonic() - begun, 1)
    return struck


def _run_once(
    command: list[str],
    left: list[Kill],
    strike: Callable[[Kill, int], dict[str, Any]],
    times: tuple[float, float],
    log: Path,
) -> int:
    """Start a job and strike it.

    Args:
        command: of the job.
        left: kills that are left; those that are done are taken out.
        strike: does one, and tells of it.
        times: when the run began, and how long this start is left alone.
        log: what the job says, and what was done to it.

    Returns:
        Its exit code.
    """
    begun, rest_s = times
    with log.open("ab") as said:
        job = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    family: dict[int, psutil.Process] = {}
    rests_until = time.monotonic() + rest_s
    try:
        while job.poll() is None:
            family |= {each.pid: each for each in _below(job.pid)}
            now = time.monotonic()
            while now >= rests_until and left and left[0].at_s <= now - rest_s - begun:
                done = strike(left.pop(0), job.pid)
                with log.open("a") as said_too:
                    said_too.write(f"--- chaos: {json.dumps(done)}\n")
            time.sleep(LOOK_S)
    finally:
        _end(family.values(), job)
    return job.returncode


def _striker(
    struck: Struck, stage: str, shut: Callable[[float], object] | None
) -> Callable[[Kill, int], dict[str, Any]]:
    """What does a planned kill and notes it."""

    def strike(kill: Kill, job: int) -> dict[str, Any]:
        if kill.kind == "store" and shut is not None:
            away_s = round(STORE_S[0] + kill.draw * (STORE_S[1] - STORE_S[0]), 1)
            shut(away_s)
            done = asdict(kill) | {"away_s": away_s, "stage": stage}
        else:
            done = _strike(kill, job) | {"stage": stage}
        struck.kills.append(done)
        return done

    return strike


def _strike(kill: Kill, job: int) -> dict[str, Any]:
    """Kill one of a kind by SIGKILL, if there is one."""
    victims = [each for each in [psutil.Process(job), *_below(job)] if kind_of(each, job) == kill.kind]
    if not victims:
        return asdict(kill)
    victims.sort(key=lambda each: each.pid)
    victim = victims[int(kill.draw * len(victims))]
    with contextlib.suppress(psutil.Error):
        told = " ".join(victim.cmdline())[:80] or victim.name()
        victim.send_signal(signal.SIGKILL)
        return asdict(kill) | {"process": victim.pid, "command": told}
    return asdict(kill)


def kind_of(process: psutil.Process, job: int) -> str | None:
    """Which of `KINDS` a process below a job is; None for Ray's other servants."""
    if process.pid == job:
        return "driver"
    try:
        words = process.cmdline()
    except psutil.Error:
        return None
    first = words[0] if words else ""
    if first.endswith("/raylet"):
        return "node"
    if not first.startswith("ray::") or "IDLE" in first or first.split(" ")[0].endswith("Agent"):
        return None  # an agent takes its raylet with it: that is a node's end, and no worker's
    return "replica" if "ServeReplica" in first or "VLLM" in first else "worker"


def _below(pid: int) -> list[psutil.Process]:
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.Error:
        return []


def _end(family: Any, job: subprocess.Popen[bytes]) -> None:
    """What a killed job left behind of its own Ray ends too, or the next one would find its ports taken."""
    if job.poll() is None:
        job.kill()
    job.wait()
    _, alive = psutil.wait_procs(list(family), timeout=10)
    for process in alive:
        with contextlib.suppress(psutil.Error):
            process.kill()


def compare(undisturbed: RunDir, disturbed: RunDir, stages: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Stage → `{files, differ, missing, more, rows}`: names of files by what became of them, and rows out of both runs.

    Manifests tell times and attempts, and are compared by their rows. Columns and keys of `CLOCKED` are left out, and
    TensorBoard's files, whose names are times.
    """
    found = {}
    for stage in stages:
        runs = [_digests(run, stage) for run in (undisturbed, disturbed)]
        rows = [(run.manifest(stage) or {}).get("rows_out") for run in (undisturbed, disturbed)]
        both = runs[0].keys() & runs[1].keys()
        found[stage] = {
            "files": len(runs[0]), "differ": sorted(name for name in both if runs[0][name] != runs[1][name]),
            "missing": sorted(runs[0].keys() - both), "more": sorted(runs[1].keys() - both), "rows": rows,
        }  # fmt: skip
    return found


def is_same(compared: dict[str, dict[str, Any]]) -> bool:
    """Whether nothing differs."""
    return all(
        not (each["differ"] or each["missing"] or each["more"]) and each["rows"][0] == each["rows"][1]
        for each in compared.values()
    )


def _digests(run: RunDir, stage: str) -> dict[str, str]:
    digests = {}
    for name in run.files(stage):
        if not name.startswith("tensorboard/"):
            with run.fs.open_input_file(run.path(stage, name)) as stream:
                digests[name] = hashlib.sha256(_without_times(name, stream.read())).hexdigest()
    return digests


def _without_times(name: str, content: bytes) -> bytes:
    """A file's bytes; where it holds measured times, those of the rest of it. A damaged file has its bytes alone."""
    with contextlib.suppress(ValueError):
        if name.endswith(".json"):
            found = json.loads(content)
            rest = _rest(found)
            return content if rest == found else json.dumps(rest).encode()
        if name.endswith(".parquet"):
            table = pq.read_table(io.BytesIO(content))
            clocked = [column for column in table.column_names if column in CLOCKED]
            return str(table.drop_columns(clocked).to_pylist()).encode() if clocked else content
    return content


def _rest(value: Any) -> Any:
    """A JSON value without the keys of `CLOCKED`."""
    if isinstance(value, dict):
        return {key: _rest(each) for key, each in value.items() if key not in CLOCKED}
    return [_rest(each) for each in value] if isinstance(value, list) else value
