"""The pipeline on a token-protected head and two nodes, submitted by Ray's own command, while nodes are killed under it.

`python -m tests.ray_jobs.nodes --run-dir DIR [--kill STAGE…] [--full]` runs the demo's pipeline at the size of the tests, or
in full. The node that does the work of each of these stages is killed, and a new one joins; of `select`, in a selection of
its own, as the pipeline's takes no time. One raylet is one node here. What it found is in docs/cluster.md.
"""

import argparse
import json
import re
import signal
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
import requests

from ray_jobs.cluster.job_api import ENDED
from tests.cluster_head import ROOT, TOKEN, add_node, free_port, start_head, stop_head
from tests.test_main_job import OVERRIDES

WORKERS = {
    "collect": ("ray::MapBatches", "ray::Map", "ray::_map_task"), "embed": ("ray::MapWorker",), "select": ("ray::_ShardActor",),
    "generate": ("ray::ServeReplica",), "train": ("ray::RayTrainWorker",), "evaluate": ("ray::ServeReplica",),
}  # fmt: skip
"""Stage → beginnings of the names of processes that do its work."""
SETTLE_S = {"collect": 1, "embed": 4, "select": 4, "evaluate": 47}
"""How long they may work before their node is killed, where nothing tells that they do: an engine has to load first."""


def at_work(stage, log, run_dir):
    """Whether the stage's work is under way: the engine has answered, a step is done."""
    if stage == "generate":
        return any(kept.stat().st_size for kept in run_dir.glob("generate/round-*/.answers-*"))
    return " train: step 1 of " in log.read_text()


def nodes(head):
    """Raylets of the nodes that are no head."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or [""]
        if words[0].endswith("/raylet") and str(head.folder) in " ".join(words) and "--head" not in words:
            found.append(process)
    return found


def working(head, stage):
    """The node that does the stage's work, and the name of the process that does it, once one does."""
    there = {node.pid: node for node in nodes(head)}
    for process in psutil.process_iter(["cmdline", "ppid"]):
        title = (process.info["cmdline"] or [""])[0]
        if process.info["ppid"] in there and title.startswith(WORKERS[stage]) and "IDLE" not in title:
            return there[process.info["ppid"]], title.split()[0]
    return None


def kill_in(head, stage, log, job, run_dir):
    """Kill the node that does the stage's work; what was killed."""
    deadline = time.monotonic() + 600
    while not (found := working(head, stage)) or not (stage in SETTLE_S or at_work(stage, log, run_dir)):
        ended = re.search(rf" {stage}: \d+ rows in, ", log.read_text())
        if ended or time.monotonic() > deadline or state(head, job)[0] in ENDED:
            return f"{stage}: no node to kill"
        time.sleep(0.2)
    time.sleep(SETTLE_S.get(stage, 0))
    node, title = working(head, stage) or found
    node.send_signal(signal.SIGKILL)
    return f"{stage}: killed node {node.pid} with {title}"


def who(head):
    """The processes of the head's nodes, to tell what a job that does not end waits for."""
    raylets = {node.pid for node in nodes(head)}
    titles = [f"{process.info['ppid']}: {(process.info['cmdline'] or [''])[0].strip()}"
              for process in psutil.process_iter(["cmdline", "ppid"]) if process.info["ppid"] in raylets]  # fmt: skip
    return f"nodes {sorted(raylets)}\n" + "\n".join(sorted(titles))


def settings(full):
    """The demo's recipe, generating and scoring less unless it is to be full, wide enough for two nodes."""
    small = {key: value for key, value in OVERRIDES.items() if not key.startswith(("collect.", "ray.", "serve.engine"))}
    own = {"serve.port": free_port(), "embed.actors": 2, "embed.cpus_per_actor": 1, "select.shards": 2}
    # Of few rows several steps: the node is to be killed between two of them.
    values = own if full else small | {"select.size": 8, "train.epochs": 2} | own
    return [word for key, value in values.items() for word in ("--set", f"{key}={value}")]


def submit(head, name, *command):
    """`ray job submit`, as docs/cluster.md says it; the job's name and its log."""
    environment = {"env_vars": {"VLLM_CPU_KVCACHE_SPACE": "1"}, "working_dir": str(ROOT),
                   "excludes": [".git", ".venv", "runs", "*.safetensors"]}  # fmt: skip
    asked = ["ray", "job", "submit", "--address", head.url, "--submission-id", name, "--no-wait", "--runtime-env-json",
             json.dumps(environment), "--", "python", "-m", *command]  # fmt: skip
    sent = head.run(*asked)
    assert sent.returncode == 0, sent.stdout + sent.stderr
    return name, head.folder / "session_latest" / "logs" / f"job-driver-{name}.log"


def state(head, job):
    """Status of a job and what Ray says of it. A head too busy to answer says nothing of the job, so it is asked again."""
    url, asked = f"{head.url}/api/jobs/{job}", {"Authorization": f"Bearer {TOKEN}"}
    for attempt in range(10):
        try:
            facts = requests.get(url, headers=asked, timeout=30)
            facts.raise_for_status()
            return facts.json()["status"], facts.json()["message"]
        except requests.RequestException:
            if attempt == 9:
                raise
            time.sleep(1)
    return None


def follow(head, job, log, to_kill, run_dir, within_s=3600):
    """Print a job's log, killing a node in each of these stages of its run; its last status. It has so many seconds.

    The log is read as a file and the status asked for: a connection that breaks under load would end `ray job logs`.
    """
    told, left, deadline = 0, list(to_kill), time.monotonic() + within_s
    status, message = state(head, job)
    while status not in ENDED or (log.exists() and len(log.read_text()) > told):
        time.sleep(0.5)
        text = log.read_text() if log.exists() else ""
        assert time.monotonic() < deadline, f"no end after {within_s} s:\n{without_dumps(text)[-3000:]}\n{who(head)}"
        print(text[told:], end="", flush=True)
        told = len(text)
        if left and f" {left[0]}: " in text:
            print(f"--- {kill_in(head, left.pop(0), log, job, run_dir)}", flush=True)
            add_node(head, len(list(head.folder.glob("n[0-9]*"))))
        status, message = state(head, job)
    print(f"--- {status}: {message}", flush=True)
    return status


def without_dumps(text):
    """A log without the last words of killed raylets, of which Ray prints twenty long lines each."""
    return "\n".join(line for line in text.splitlines() if "[state-dump]" not in line)


def large_matrix(folder):
    """Vectors that a selection takes some seconds for."""
    file = folder / "vectors.npy"
    np.save(file, np.random.default_rng(0).standard_normal((400_000, 256), dtype=np.float32))
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--kill", nargs="*", choices=list(WORKERS), default=[], metavar="STAGE")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--hold", action="store_true", help="keep the cluster until Enter is pressed, to look at it")
    options = parser.parse_args()
    head = start_head(Path(tempfile.mkdtemp()), cpus=0)
    try:
        for number in range(2):
            add_node(head, number)
        print(f"{head.url} with token {TOKEN}", flush=True)
        ends = []
        if "select" in options.kill:
            command = ["ray_jobs.select", "--embeddings", str(large_matrix(head.folder)), "--k", "8000", "--shards", "2",
                       "--out", str(head.folder / "coreset.parquet")]  # fmt: skip
            ends.append(follow(head, *submit(head, "select", *command), ["select"], options.run_dir))
        command = ["ray_jobs.pipeline", "--config", "configs/demo.yaml", "--run-dir", str(options.run_dir)]
        stages = [stage for stage in WORKERS if stage in options.kill and stage != "select"]
        ends.append(follow(head, *submit(head, "pipeline", *command, *settings(options.full)), stages, options.run_dir))
        if options.hold:
            input("Enter ends it ")
    finally:
        stop_head(head)
    sys.exit(set(ends) != {"SUCCEEDED"})


if __name__ == "__main__":
    main()
