"""The early stages on several hosts of this machine, undisturbed, with a host cut off for 30 s, and over a slow cable.

`python -m tests.hosts [--rows N] [--cut STAGE] [--seconds S] [--mbit M]` makes five hosts in network namespaces: an
object store, Ray's head, two nodes, and the user's, who submits each stage with the token. Then it compares the bytes of
the three runs. What it found is in docs/cluster.md.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

from ray_jobs.cluster.chaos import compare, is_same
from ray_jobs.run.rundir import RunDir
from tests.cluster_head import ROOT, add_node, start_head, stop_head
from tests.hosts.network import UNSHARE, add_host, lay_bridge, missing
from tests.object_store import KEY
from tests.ray_jobs.nodes import working

STAGES = ("collect", "embed", "select")
BEGUN = "HOSTS_ARE_MADE"


class Cluster:
    """A store, a head without CPUs, and two nodes of two logical CPUs, each a host."""

    def __init__(self):
        lay_bridge()
        self.store, head, *self.nodes = (
            add_host(name, number) for number, name in enumerate(("store", "head", "node-a", "node-b"), 2)
        )
        served = subprocess.Popen([*self.store.prefix, sys.executable, "-m", "tests.hosts.store", self.store.address],
                                  cwd=ROOT, stdout=subprocess.PIPE, text=True)  # fmt: skip
        told = json.loads(served.stdout.readline())
        self.bucket = told["bucket"]
        os.environ.update(told["variables"])
        home = Path(tempfile.mkdtemp())
        self.head = start_head(home, cpus=0, address=head.address, prefix=head.prefix, variables=told["variables"])
        for number in range(len(self.nodes)):
            self.add(number)

    def add(self, number):
        """Start Ray on a node's host."""
        host, attempt = self.nodes[number], len(list(self.head.folder.glob("n[0-9]*")))
        add_node(self.head, attempt, address=host.address, prefix=host.prefix)

    def run(self, stage, run_dir, rows):
        """Submit a stage with the token and follow it; its seconds."""
        begun = time.monotonic()
        settings = [word for each in (
            "collect.sources=[{kind: folder, path: stdlib, languages: [python]}]", f"collect.sample={rows / 4000}",
            "collect.rows_per_part=64", "embed.actors=2", "embed.cpus_per_actor=1", "select.size=20", "select.shards=2",
        ) for word in ("--set", each)]  # fmt: skip
        job = [stage, "--config", "configs/demo.yaml", "--run-dir", run_dir, *settings]
        done = self.head.wavecoder("submit", "--address", self.head.url, "--", *job, timeout=500)
        if done.returncode:
            raise SystemExit(f"{stage} failed:\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
        return time.monotonic() - begun

    def cut(self, stage, seconds):
        """Wait until a node does the stage's work, and pull its host's cable for so long. Ray starts again if it ended."""
        deadline = time.monotonic() + 120
        while not (found := working(self.head, stage)):
            if time.monotonic() > deadline:
                print("--- no node was at work", flush=True)
                return
            time.sleep(0.1)
        words = " ".join(found[0].cmdline())
        number = next(index for index, host in enumerate(self.nodes) if f"={host.address}" in words)
        self.nodes[number].cut()
        print(f"--- {self.nodes[number].name} is cut off while it does {found[1]}", flush=True)
        time.sleep(seconds)
        self.nodes[number].join()
        print(f"--- {self.nodes[number].name} is back after {seconds:.0f} s", flush=True)
        _, alive = psutil.wait_procs([found[0]], timeout=20)  # a raylet ends that comes back and was taken for dead
        if not alive:
            self.add(number)
        print(f"--- its raylet {'lives' if alive else 'ended, and another one joined'}", flush=True)


def traffic(hosts):
    """Megabytes that the hosts sent so far."""
    return sum(host.sent_and_received()[0] for host in hosts) / 1e6


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=400, help="of raw code, about")
    parser.add_argument("--cut", choices=STAGES, default="embed", help="stage in which a node is cut off")
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--mbit", type=float, default=20, help="of the slow cable, to the first node")
    options = parser.parse_args()
    if reason := missing():
        raise SystemExit(f"hosts cannot be made here: {reason}")
    if BEGUN not in os.environ:
        os.environ[BEGUN] = "1"
        os.execvp(UNSHARE[0], [*UNSHARE, sys.executable, "-m", "tests.hosts", *sys.argv[1:]])
    cluster, same = Cluster(), True
    print(f"{cluster.head.url}, store {os.environ['AWS_ENDPOINT_URL']} with key {KEY}", flush=True)
    try:
        for scenario in ("undisturbed", "cut off", "slow cable"):
            run_dir = f"{cluster.bucket}/{scenario.replace(' ', '-')}"
            if scenario == "slow cable":
                cluster.nodes[0].throttle(options.mbit)
            for stage in STAGES:
                before = traffic([cluster.store]), traffic(cluster.nodes)
                struck = None
                if scenario == "cut off" and stage == options.cut:
                    struck = threading.Thread(target=cluster.cut, args=(stage, options.seconds))
                    struck.start()
                took = cluster.run(stage, run_dir, options.rows)
                if struck:
                    struck.join()
                stored, nodes = traffic([cluster.store]) - before[0], traffic(cluster.nodes) - before[1]
                rows = RunDir(run_dir).manifest(stage)
                print(f"{scenario}: {stage}: {took:.0f} s, {rows['rows_in']} rows in, {rows['rows_out']} out, "
                      f"attempt {rows['attempts']}; the store sent {stored:.1f} MB, the nodes {nodes:.1f} MB", flush=True)  # fmt: skip
            if scenario != "undisturbed":
                compared = compare(RunDir(f"{cluster.bucket}/undisturbed"), RunDir(run_dir), STAGES)
                same &= is_same(compared)
                print(f"{scenario}: {'no byte differs' if is_same(compared) else compared}", flush=True)
    finally:
        stop_head(cluster.head)
    raise SystemExit(not same)


main()
