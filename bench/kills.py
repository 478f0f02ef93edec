"""Kills: SIGKILL of training workers, drivers and nodes at random steps; are the final weights the undisturbed run's?

`python -m bench.kills --data FILE --kills 10` prints one JSON object. FILE holds instances in the Alpaca form, JSON or
gzipped JSON. A cluster of three nodes (`ray start`, each a process tree of its own) trains a tiny Llama twice: once
undisturbed, once struck. Kinds take turns in random order, at random steps; a killed driver is started again, a killed
node replaced.

`--elastic` trains with one or two workers, as many as there is room for, and does not replace a killed node until the
run has gone on without it. Then losses agree up to rounding only; the workers of each step are printed.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa

from bench.machine import describe_machine
from bench.random_llama import write_random_llama
from bench.training import read_rows
from training.settings import TrainConfig

_LIMIT_S = 300.0
"""Without a step for so long, the run is lost."""


class LocalCluster:
    """A head and other nodes on this machine; each can be killed as a machine dies."""

    def __init__(self, folder: str) -> None:
        """Start the head, with one logical CPU; drivers and what belongs to them live there."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{free.getsockname()[1]}"
        # `ray start` asks every process for a token by default; this cluster has one of its own.
        self._environment = os.environ | {
            "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_TMPDIR": folder, "RAY_health_check_period_ms": "500", "RAY_health_check_failure_threshold": "4",
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }  # fmt: skip
        self._folder, self._count = folder, 0
        self.others: list[subprocess.Popen[bytes]] = []
        self.head = self._start("--head", f"--port={self.address.split(':')[1]}", "--include-dashboard=false",
                                f"--temp-dir={folder}")  # fmt: skip
        self._wait_for_head()

    def add_node(self) -> None:
        """Add a node with one logical CPU."""
        self._count += 1
        self.others.append(self._start(f"--address={self.address}", ip=f"127.0.0.{self._count + 1}"))

    def _wait_for_head(self) -> None:
        host, port = self.address.split(":")
        for _ in range(600):
            with socket.socket() as trial:
                if trial.connect_ex((host, int(port))) == 0:
                    return
            time.sleep(0.1)
        raise TimeoutError(f"Ray's head did not come up within a minute; see {self._folder}/nodes.log")

    def run(self, command: list[str], log: Path) -> subprocess.Popen[bytes]:
        """Start a driver."""
        with log.open("ab") as file:
            return subprocess.Popen(
                command, env=self._environment | {"RAY_ADDRESS": self.address}, stdout=file, stderr=file,
                start_new_session=True,
            )  # fmt: skip

    def stop(self) -> None:
        """Kill all nodes."""
        for node in [*self.others, self.head]:
            kill_tree(node)

    def _start(self, *options: str, ip: str = "127.0.0.1") -> subprocess.Popen[bytes]:
        # Addresses of their own, so that a driver belongs to the head and not to whichever node it finds first.
        command = [sys.executable, "-m", "ray.scripts.scripts", "start", "--block", "--num-cpus=1", *options,
                   f"--node-ip-address={ip}", "--object-store-memory=100000000", "--disable-usage-stats"]  # fmt: skip
        with Path(self._folder, "nodes.log").open("ab") as file:
            return subprocess.Popen(command, env=self._environment, stdout=file, stderr=file, start_new_session=True)


def tree_of(process: subprocess.Popen[bytes]) -> list[psutil.Process]:
    """A process and all below it."""
    try:
        found = psutil.Process(process.pid)
        return [found, *found.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def kill_tree(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL to a process and all below it."""
    for one in tree_of(process):
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()


def train_workers(node: subprocess.Popen[bytes]) -> list[int]:
    """Processes of a node that are workers of Ray Train."""
    found = []
    for process in tree_of(node):
        try:
            if "RayTrainWorker" in " ".join(process.cmdline()):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def steps_told(log: Path) -> list[int]:
    """The steps that drivers told of, from 1; those taken again stand there again."""
    return [int(step) for step in re.findall(rb"train: step (\d+) of", log.read_bytes())] if log.is_file() else []


def strike(kind: str, cluster: LocalCluster, driver: subprocess.Popen[bytes], rng: random.Random) -> bool:
    """Kill one of a kind; False where there is none at the moment."""
    if kind == "driver":
        os.killpg(driver.pid, signal.SIGKILL)
        driver.wait()
        return True
    if kind == "worker":
        pids = sorted(pid for node in [cluster.head, *cluster.others] for pid in train_workers(node))
        if pids:
            os.kill(rng.choice(pids), signal.SIGKILL)
        return bool(pids)
    nodes = [node for node in cluster.others if train_workers(node)]
    if nodes:
        node = rng.choice(nodes)
        cluster.others.remove(node)
        kill_tree(node)
    return bool(nodes)


def struck_run(
    cluster: LocalCluster,
    command: list[str],
    folder: Path,
    strikes: list[tuple[int, str]],
    rng: random.Random,
    lack: int,
) -> None:
    """Train to the end, whatever is killed.

    Args:
        cluster: with nodes.
        command: of the driver.
        folder: for its log.
        strikes: steps and kinds.
        rng: draws which worker or node it is.
        lack: steps to take before a killed node is replaced.
    """
    log = folder / "driver.log"
    driver = cluster.run(command, log)
    waiting, told, moved, replace_at = list(strikes), [0], time.monotonic(), sys.maxsize
    while driver.poll() is None:
        now = [0, *steps_told(log)]
        if now != told:
            told, moved = now, time.monotonic()
        assert time.monotonic() - moved < _LIMIT_S, f"no step for {_LIMIT_S} s; see {log}"
        if waiting and told[-1] >= waiting[0][0] and strike(waiting[0][1], cluster, driver, rng):
            number, kind = waiting.pop(0)
            print(f"killed a {kind} at step {told[-1]} (drawn: {number})", file=sys.stderr, flush=True)
            moved = time.monotonic()
            if kind == "driver":
                driver = cluster.run(command, log)
            if kind == "node":
                replace_at = len(told) + lack
        if len(told) >= replace_at:
            replace_at = sys.maxsize
            cluster.add_node()
        time.sleep(0.02)
    assert driver.returncode == 0, f"the driver ended with {driver.returncode}; see {log}"
    assert not waiting, f"the run ended before {waiting}"


def drive(settings: dict[str, Any], rows: list[dict[str, str]], folder: Path) -> None:
    """The driver: one training run on the cluster of RAY_ADDRESS."""
    import logging

    import ray

    from training.flow import fit

    logging.basicConfig(level=logging.WARNING)
    logging.getLogger("wavecoder").setLevel(logging.INFO)
    ray.init(address=os.environ["RAY_ADDRESS"], log_to_driver=False, logging_level=logging.ERROR)
    result = fit(TrainConfig(**settings), rows=pa.Table.from_pylist(rows), storage_path=f"{folder}/checkpoints",
                 output=f"{folder}/model", lineage={"codeocean": "bench.kills"})  # fmt: skip
    (folder / "result.json").write_text(json.dumps(result))


def draw_strikes(kinds: list[str], count: int, steps: int, rng: random.Random) -> list[tuple[int, str]]:
    """Steps in ascending order, each with a kind; the kinds take turns in random order."""
    drawn = [kind for _ in range(-(-count // len(kinds))) for kind in rng.sample(kinds, len(kinds))][:count]
    return list(zip(sorted(rng.sample(range(3, steps - 3), count)), drawn, strict=True))


def compare(folder: Path) -> dict[str, Any]:
    """The struck run beside the undisturbed one."""
    runs = {
        name: json.loads((folder / name / "result.json").read_text())["steps"] for name in ("undisturbed", "struck")
    }
    losses = {name: [step["loss"] for step in steps] for name, steps in runs.items()}
    weights = [(folder / name / "model" / "model.safetensors").read_bytes() for name in runs]
    return {
        "steps": len(losses["struck"]),
        "weights_equal": weights[0] == weights[1],
        "losses_equal": losses["struck"] == losses["undisturbed"],
        "largest_difference_of_a_loss": max(abs(a - b) for a, b in zip(*losses.values(), strict=True)),
        "workers_of_steps": [step["workers"] for step in runs["struck"]],
        "first_loss": losses["struck"][0], "last_loss": losses["struck"][-1],
    }  # fmt: skip


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="instances in the Alpaca form, JSON or JSON.gz")
    parser.add_argument("--model", help="a folder; the default is a tiny Llama with random weights")
    parser.add_argument("--folder", type=Path, help="where to leave both runs; the default is a temporary one")
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument(
        "--kinds", nargs="+", choices=["worker", "driver", "node"], default=["worker", "driver", "node"]
    )
    parser.add_argument("--seed", type=int, default=0, help="of steps and kinds")
    parser.add_argument("--elastic", action="store_true", help="one or two workers, as there is room")
    parser.add_argument("--drive", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.drive:
        settings = json.loads(options.drive)
        drive(settings, read_rows(options.data)[:12], options.folder)
        return
    with tempfile.TemporaryDirectory(prefix="kills", ignore_cleanup_errors=True) as scratch:
        print(json.dumps(measure(options, scratch)))


def measure(options: argparse.Namespace, scratch: str) -> dict[str, Any]:
    """Both runs on one cluster."""
    folder = (options.folder or Path(scratch, "runs")).resolve()
    rng = random.Random(options.seed)
    epochs = (20 if options.elastic else 2) * options.kills + 2
    settings = {
        "model": options.model or write_random_llama(Path(scratch, "model"), "tiny"), "workers": 2, "epochs": epochs,
        "global_batch": 2, "learning_rate": 1e-3, "checkpoint_every": 3, "max_length": 512,
        "max_failures": 3 * options.kills,
    }  # fmt: skip
    if options.elastic:  # Ray Train takes up about one checkpoint a second, and a step takes a tenth
        settings |= {"min_workers": 1, "resize_every_s": 5.0, "checkpoint_every": 10}
    strikes = draw_strikes(options.kinds, options.kills, 6 * epochs, rng)
    cluster = LocalCluster(scratch)
    try:
        for _ in range(1 if options.elastic else 2):  # the head has room for one worker
            cluster.add_node()
        for name, struck in (("undisturbed", []), ("struck", strikes)):
            (folder / name).mkdir(parents=True)
            command = [sys.executable, "-m", "bench.kills", "--data", str(options.data.resolve()), "--folder",
                       str(folder / name), "--drive", json.dumps(settings)]  # fmt: skip
            struck_run(cluster, command, folder / name, struck, rng, 10 if options.elastic else 0)
    finally:
        cluster.stop()
    return {"bench": "kills", "machine": describe_machine(), "kills": strikes} | compare(folder)


if __name__ == "__main__":
    main()
