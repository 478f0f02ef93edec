"""The pipeline on a token-protected head and two nodes, submitted by Ray's own command, while nodes are killed under it.

`python -m tests.ray_jobs.nodes --run-dir DIR [--kill STAGE…] [--full]` runs the demo's pipeline at the size of the tests, or
in full. The node that does the work of each of these stages is killed, and a new one joins; of `select`, in a selection of
its own, as the pipeline's takes no time. One raylet is one node here. What it found is in docs/cluster.md.
"""

import argparse
import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil

from tests.cluster_head import ROOT, TOKEN, add_node, free_port, start_head, stop_head
from tests.test_main_job import OVERRIDES

WORKERS = {
    "collect": ("ray::MapBatches", "ray::Map", "ray::_map_task"), "embed": ("ray::MapWorker",), "select": ("ray::_ShardActor",),
    "generate": ("ray::ServeReplica",), "train": ("ray::RayTrainWorker",), "evaluate": ("ray::ServeReplica",),
}  # fmt: skip
"""Stage → beginnings of the names of processes that do its work."""
SETTLE_S = {"collect": 1, "embed": 4, "select": 4, "generate": 75, "train": 12, "evaluate": 47}
"""How long they may work before their node is killed: an engine has to load first."""


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


def kill_in(head, stage, log, job):
    """Kill the node that does the stage's work; what was killed."""
    deadline = time.monotonic() + 300
    while not (found := working(head, stage)):
        ended = re.search(rf" {stage}: \d+ rows in, ", log.read_text())
        if ended or time.monotonic() > deadline or job.poll() is not None:
            return f"{stage}: no node to kill"
        time.sleep(0.1)
    time.sleep(SETTLE_S[stage])
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
    small = {key: value for key, value in OVERRIDES.items() if not key.startswith(("collect.", "ray."))}
    own = {"serve.port": free_port(), "embed.actors": 2, "embed.cpus_per_actor": 1, "select.shards": 2}
    values = own if full else small | {"select.size": 8} | own
    return [word for key, value in values.items() for word in ("--set", f"{key}={value}")]


def submit(head, name, *command):
    """`ray job submit`, as docs/cluster.md says it; the process that follows the job, and the job's log."""
    environment = {"env_vars": {"VLLM_CPU_KVCACHE_SPACE": "1"}, "working_dir": str(ROOT),
                   "excludes": [".git", ".venv", "runs", "*.safetensors"]}  # fmt: skip
    asked = ["ray", "job", "submit", "--address", head.url, "--submission-id", name, "--runtime-env-json",
             json.dumps(environment), "--", "python", "-m", *command]  # fmt: skip
    following = subprocess.Popen(
        asked, cwd=ROOT, env=head.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    return following, head.folder / "session_latest" / "logs" / f"job-driver-{name}.log"


def follow(head, job, log, to_kill, within_s=3600):
    """Print a job's log, killing a node in each of these stages; its exit code. It has so many seconds."""
    told, left, deadline = 0, list(to_kill), time.monotonic() + within_s
    while job.poll() is None or (log.exists() and len(log.read_text()) > told):
        time.sleep(0.2)
        text = log.read_text() if log.exists() else ""
        assert time.monotonic() < deadline, f"no end after {within_s} s:\n{text[-3000:]}\n{who(head)}"
        print(text[told:], end="", flush=True)
        told = len(text)
        if left and f" {left[0]}: " in text:
            print(f"--- {kill_in(head, left.pop(0), log, job)}", flush=True)
            add_node(head, len(list(head.folder.glob("n[0-9]*"))))
    print(f"--- exit code {job.returncode}", flush=True)
    return job.returncode


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
        codes = []
        if "select" in options.kill:
            command = ["ray_jobs.select", "--embeddings", str(large_matrix(head.folder)), "--k", "8000", "--shards", "2",
                       "--out", str(head.folder / "coreset.parquet")]  # fmt: skip
            codes.append(follow(head, *submit(head, "select", *command), ["select"]))
        command = ["ray_jobs.pipeline", "--config", "configs/demo.yaml", "--run-dir", str(options.run_dir)]
        stages = [stage for stage in WORKERS if stage in options.kill and stage != "select"]
        codes.append(follow(head, *submit(head, "pipeline", *command, *settings(options.full)), stages))
        if options.hold:
            input("Enter ends it ")
    finally:
        stop_head(head)
    sys.exit(max(codes))


if __name__ == "__main__":
    main()
