"""What the cluster knows of a job, kept in the run directory when the job ends: `<run>/cluster/<job>/`.

Ray's history dies with its head node. `bundle.json` holds the job, its nodes, actors, tasks by state, failures with
their traces, and events of the autoscaler; `logs/` the ends of the logs of failed workers and of the autoscaler;
`metrics.prom` the last values of the metrics. Secrets are hidden. The report page shows it. Not covered: a job whose
own process is killed (SIGKILL, or the head node lost) writes none.
"""

from __future__ import annotations

import http.client
import logging
import os
import time
from collections.abc import Callable
from dataclasses import asdict, is_dataclass
from datetime import UTC, datetime
from typing import Any

import ray
from ray.util import state

from ray_jobs.cluster.job_api import find_token
from ray_jobs.cluster.redaction import known_secrets, redact, redact_values
from ray_jobs.run.rundir import RunDir

log = logging.getLogger("wavecoder.ray_jobs")

LIMIT, FAILURES, LOGS, LOG_LINES = 1000, 200, 20, 400
"""Rows of a listing, failed tasks, logs of failed workers, lines of each."""
METRICS = tuple(
    f"ray_{name}" for name in ("wavecoder", "node_", "tasks", "actors", "serve_", "object_store", "data_", "train_")
)
MEANT = ("INTENDED", "references to the actor were removed", "killed by `ray.kill`")
"""Words in the death cause of an actor that was no longer needed."""
EMPTY_QUEUE = "_QueueActor.get"
"""Fails each time that nobody put anything in within the time asked for: that is no failure."""
TIMEOUT_S = 10


def write_postmortem(run: RunDir, job: str, error: BaseException | None) -> str:
    """Write the bundle; never fails, for it must not hide the job's own failure.

    Args:
        run: the run directory.
        job: name of the job, such as "pipeline".
        error: what ended it; None for success.

    Returns:
        The bundle's folder inside the run directory.
    """
    context = ray.get_runtime_context()
    name = os.environ.get("RAY_JOB_SUBMISSION_ID") or _submission() or context.get_job_id()
    folder, secrets = f"cluster/{name}", known_secrets()
    missing: dict[str, str] = {}

    def part(what: str, read: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return read()
        except Exception as problem:  # noqa: BLE001 - a part that cannot be read must not cost the others
            missing[what] = f"{type(problem).__name__}: {problem}"[:500]
            return otherwise

    in_job = [("job_id", "=", context.get_job_id())]
    options: dict[str, Any] = {"timeout": TIMEOUT_S, "raise_on_missing_output": False}
    actors = part("actors", lambda: _rows(state.list_actors(filters=in_job, limit=LIMIT, detail=True, **options)), [])
    failed = [*in_job, ("state", "=", "FAILED")]
    tasks = part(
        "failed tasks", lambda: _rows(state.list_tasks(filters=failed, limit=FAILURES, detail=True, **options)), []
    )
    dead = [actor for actor in actors if actor.get("state") == "DEAD" and _unexpected(actor)]
    bundle = {
        "job": {
            "name": name, "job": job, "ended": datetime.now(UTC).isoformat(timespec="seconds"),
            "outcome": "succeeded" if error is None else f"{type(error).__name__}: {error}"[:2000],
            "run_dir": run.shown(), "ray": ray.__version__, "resources": part("resources", ray.cluster_resources, {}),
        },
        "nodes": part("nodes", lambda: _rows(state.list_nodes(limit=LIMIT, detail=True, **options)), []),
        "tasks": part("tasks", lambda: _task_states(context.get_job_id()), {}),
        "failed_tasks": [_failure(task) for task in tasks if task["name"] != EMPTY_QUEUE],
        "actors": [_actor(actor) for actor in actors],
        "placement_groups": part(
            "placement groups", lambda: _rows(state.list_placement_groups(limit=LIMIT, **options)), []
        ),
        "events": part("events", lambda: _rows(state.list_cluster_events(limit=LIMIT, **options)), []),
        "missing": missing,
    }  # fmt: skip
    logs = part("logs", lambda: _logs(dead), {})
    metrics = part("metrics", _metrics, "")
    try:
        for file, text in logs.items():
            run.write_text(redact(text, secrets), folder, "logs", file)
        run.write_text(redact(metrics, secrets), folder, "metrics.prom")
        run.write_json(redact_values(bundle, secrets), folder, "bundle.json")
    except OSError as problem:
        log.warning("what the cluster knew of this job could not be kept in %s: %s", run.shown(folder), problem)
    return folder


def _submission() -> str | None:
    metadata = ray.get_runtime_context().worker.core_worker.get_job_config().metadata
    return str(metadata["job_submission_id"]) if "job_submission_id" in metadata else None


def _rows(listing: Any) -> list[dict[str, Any]]:
    return [asdict(row) if is_dataclass(row) and not isinstance(row, type) else dict(row) for row in listing]


def _task_states(job: str) -> dict[str, dict[str, int]]:
    """Function → state → how many, over the tasks of this job that Ray still knows."""
    found: dict[str, dict[str, int]] = {}
    mine = [("job_id", "=", job)]
    for task in state.list_tasks(filters=mine, limit=10 * LIMIT, timeout=TIMEOUT_S, raise_on_missing_output=False):
        states = found.setdefault(str(task.name), {})
        states[str(task.state)] = states.get(str(task.state), 0) + 1
    return found


def _unexpected(actor: dict[str, Any]) -> bool:
    """Whether an actor died of something, rather than of its job being done."""
    cause = str(actor.get("death_cause") or "")
    return bool(cause) and not any(words in cause for words in MEANT)


def _failure(task: dict[str, Any]) -> dict[str, Any]:
    kept = ("task_id", "name", "node_id", "worker_id", "attempt_number", "error_type", "error_message")
    return {name: task.get(name) for name in kept} | {"ended": task.get("end_time_ms")}


def _actor(actor: dict[str, Any]) -> dict[str, Any]:
    kept = ("actor_id", "class_name", "name", "state", "node_id", "pid", "num_restarts", "death_cause", "repr_name")
    return {name: actor.get(name) for name in kept} | {"failed": actor.get("state") == "DEAD" and _unexpected(actor)}


def _logs(dead: list[dict[str, Any]]) -> dict[str, str]:
    """File name → the end of a log: failed actors' errors, and the autoscaler's on the head node."""
    found = {}
    for actor in dead[:LOGS]:
        name = f"{actor['class_name']}-{actor['actor_id'][:12]}.err"
        found[name] = _log(actor_id=actor["actor_id"], suffix="err")
    heads = [node for node in state.list_nodes(limit=LIMIT, detail=True, timeout=TIMEOUT_S) if node.is_head_node]
    for node in heads:
        found["monitor.log"] = _log(node_id=node.node_id, filename="monitor.log")
    return {name: text for name, text in found.items() if text}


def _log(**which: Any) -> str:
    try:
        return "".join(state.get_log(**which, tail=LOG_LINES, timeout=TIMEOUT_S))
    except Exception as problem:  # noqa: BLE001 - a log that is gone, with its node, must not cost the others
        return f"this log could not be read: {problem}\n"


def _metrics() -> str:
    """Our own and the most telling of Ray's metrics, of every node that is alive, as Prometheus text."""
    lines: list[str] = []
    until = time.monotonic() + TIMEOUT_S
    for node in ray.nodes():
        if node["Alive"] and time.monotonic() < until:
            connection = http.client.HTTPConnection(node["NodeManagerAddress"], node["MetricsExportPort"], timeout=3)
            token = find_token()
            connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {token}"} if token else {})
            text = connection.getresponse().read().decode("utf-8", "replace")
            lines += [line for line in text.splitlines() if line.startswith(METRICS)]
            connection.close()
    return "\n".join(lines[: 5 * LIMIT]) + "\n"
