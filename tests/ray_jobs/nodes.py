"""The pipeline on a token-protected head and two nodes, submitted by Ray's own command, while nodes are killed under it.

`python -m tests.ray_jobs.nodes --run-dir DIR [--kill] [--full]` runs the demo's pipeline at the size of the tests, or in
full. With --kill the node that does a stage's work is killed in each stage, and a new one joins. One raylet is one node
here; it takes a quarter of an hour on two cores. What it found is in docs/cluster.md.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

from tests.cluster_head import ROOT, TOKEN, add_node, free_port, start_head, stop_head
from tests.test_main_job import OVERRIDES

WORKERS = {
    "collect": ("ray::",), "embed": ("ray::MapWorker", "ray::_MapWorker"), "select": ("ray::Shard",),
    "generate": ("ray::ServeReplica",), "train": ("ray::RayTrainWorker",), "evaluate": ("ray::ServeReplica",),
}  # fmt: skip
"""Stage → beginnings of the names of processes that do its work."""
SETTLE_S = {"collect": 1, "embed": 4, "select": 0.5, "generate": 75, "train": 12, "evaluate": 60}
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
    """The node that does the stage's work, once one does."""
    for node in nodes(head):
        for process in node.children():
            title = (process.cmdline() or [""])[0]
            if title.startswith(WORKERS[stage]) and "IDLE" not in title:
                return node, title.split()[0]
    return None


def kill_in(head, stage, log, job):
    """Kill the node that does the stage's work; what was killed."""
    deadline = time.monotonic() + 300
    while not (found := working(head, stage)):
        if time.monotonic() > deadline or job.poll() is not None or f"{stage}: done" in log.read_text():
            return f"{stage}: no node to kill"
        time.sleep(0.1)
    time.sleep(SETTLE_S[stage])
    node, title = working(head, stage) or found
    node.send_signal(signal.SIGKILL)
    return f"{stage}: killed node {node.pid} with {title}"


def settings(full):
    """The demo's recipe, smaller unless it is to be full, and wide enough for two nodes."""
    small = {key: value for key, value in OVERRIDES.items() if key != "ray.dashboard"}
    own = {"serve.port": free_port(), "embed.actors": 2, "embed.cpus_per_actor": 1, "select.shards": 2}
    values = own if full else small | own | {"select.size": 8}
    return [word for key, value in values.items() for word in ("--set", f"{key}={value}")]


def submit(head, run_dir, full, log):
    """`ray job submit`, as README says it, following the job's log."""
    environment = {"env_vars": {"VLLM_CPU_KVCACHE_SPACE": "1"}, "working_dir": str(ROOT),
                   "excludes": [".git", ".venv", "runs", "*.safetensors"]}  # fmt: skip
    command = ["ray", "job", "submit", "--address", head.url, "--submission-id", f"demo-{int(time.time())}",
               "--runtime-env-json", json.dumps(environment), "--", "python", "-m", "ray_jobs.pipeline",
               "--config", "configs/demo.yaml", "--run-dir", str(run_dir), *settings(full)]  # fmt: skip
    return subprocess.Popen(command, cwd=ROOT, env=head.environment, stdout=log.open("w"), stderr=subprocess.STDOUT)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run-dir", type=Path, required=True)
    parser.add_argument("--kill", action="store_true")
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--hold", action="store_true", help="keep the cluster until Enter is pressed, to look at it")
    options = parser.parse_args()
    head = start_head(Path(tempfile.mkdtemp()), cpus=0)
    log, told, added = head.folder / "job.log", 0, 2
    try:
        for number in range(2):
            add_node(head, number)
        print(f"{head.url} with token {TOKEN}; the job's log: {log}", flush=True)
        job = submit(head, options.run_dir, options.full, log)
        left = list(WORKERS) if options.kill else []
        while job.poll() is None:
            time.sleep(0.2)
            text = log.read_text()
            print(text[told:], end="", flush=True)
            told = len(text)
            if left and f"{left[0]}: begins" in text:
                print(f"--- {kill_in(head, left.pop(0), log, job)}", flush=True)
                add_node(head, added)
                added += 1
        print(log.read_text()[told:], f"--- exit code {job.returncode}", sep="", flush=True)
        if options.hold:
            input("Enter ends it ")
    finally:
        stop_head(head)
    sys.exit(job.returncode)


if __name__ == "__main__":
    main()
