"""A Ray head of its own processes, token-protected, on free ports: what a user starts with `ray start --head`."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
TOKEN = "planted-token-0123456789abcdef0123456789abcdef"
HEAD_ID = "f" * 51 + "00000"
FAKE_HEAD = "ray.head.default"
"""Ray's fake provider knows the head node by this id and this type."""


def free_port():
    """Below those that the system lends to connections: what is free now has to be free minutes later."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 200):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise OSError("no port is free")


@dataclass(frozen=True)
class Head:
    """A running head node."""

    url: str
    gcs: str
    folder: Path
    environment: dict

    def run(self, *command, timeout=200):
        """Run a command as a user of this cluster would; returns it completed."""
        return subprocess.run(
            command, cwd=ROOT, env=self.environment, capture_output=True, text=True, timeout=timeout, check=False
        )

    def wavecoder(self, job, *arguments, timeout=200):
        return self.run(sys.executable, "-m", f"ray_jobs.{job}", *arguments, timeout=timeout)


def start_head(home, *, cpus=2, launcher=None, address="127.0.0.1", prefix=(), variables=None):
    """Start a head.

    Args:
        home: folder of its user.
        cpus: logical CPUs of the head itself.
        launcher: node types of a launcher's file, under the autoscaler with Ray's fake provider.
        address: where it listens.
        prefix: of the command line that starts it, such as one that enters another host's namespaces.
        variables: more of its environment.
    """
    folder = Path(tempfile.mkdtemp(prefix="wc"))  # short: Ray's sockets lie in it
    dashboard, gcs = free_port(), free_port()
    token = home / "token"
    token.write_text(TOKEN)
    keep = {"XDG_CACHE_HOME": os.environ.get("XDG_CACHE_HOME", str(Path.home() / ".cache"))}
    # Workers as urgent as the tests beside them: Ray lets them give way (niceness 15), and an engine that shares two
    # cores with another test's would hardly answer.
    environment = keep | {
        "RAY_worker_niceness": "0",
        "HOME": str(home), "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT),
        "RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN_PATH": str(token), "RAY_DISABLE_MEMORY_MONITOR": "1", "RAY_raylet_start_wait_time_s": "120",
    } | (variables or {})  # fmt: skip
    command = [
        *prefix, "ray", "start", "--head", f"--node-ip-address={address}", f"--port={gcs}", f"--dashboard-host={address}",
        f"--dashboard-port={dashboard}", f"--num-cpus={cpus}", f"--temp-dir={folder}", "--object-store-memory=100000000",
        "--disable-usage-stats", "--dashboard-agent-listen-port=0", "--min-worker-port=0", "--max-worker-port=0",
    ]  # fmt: skip
    if launcher is not None:
        (folder / "launcher.yaml").write_text(yaml.safe_dump(faked(launcher, f"{address}:{gcs}"), sort_keys=False))
        command.append(f"--autoscaling-config={folder / 'launcher.yaml'}")
        # No RAY_OVERRIDE_RESOURCES: the fake provider's nodes would inherit it and all have the head's CPUs.
        environment |= {
            "RAY_FAKE_CLUSTER": "1", "RAY_enable_autoscaler_v2": "1", "AUTOSCALER_UPDATE_INTERVAL_S": "1",
            "RAY_OVERRIDE_NODE_ID_FOR_TESTING": HEAD_ID, "RAY_CLOUD_INSTANCE_ID": HEAD_ID,
            "RAY_NODE_TYPE_NAME": FAKE_HEAD,
        }  # fmt: skip
    head = Head(f"http://{address}:{dashboard}", f"{address}:{gcs}", folder, environment)
    try:
        started = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=170, check=False)
        assert started.returncode == 0, started.stdout + started.stderr
    except BaseException:  # what was started in part must not stay
        stop_head(head)
        raise
    return head


def add_node(head, number, cpus=2, address=None, prefix=()):
    """One more node with a temporary folder of its own, on a loopback address or on another host's; its address."""
    folder, address = head.folder / f"n{number}", address or f"127.0.0.{number + 2}"
    folder.mkdir()
    command = [*prefix, "ray", "start", f"--address={head.gcs}", f"--num-cpus={cpus}", f"--temp-dir={folder}", "--disable-usage-stats",
               "--object-store-memory=200000000", "--dashboard-agent-listen-port=0", "--min-worker-port=0",
               "--max-worker-port=0", f"--node-ip-address={address}"]  # fmt: skip
    subprocess.run(command, env=head.environment, check=True, capture_output=True, timeout=170)
    return address


def faked(launcher, gcs):
    """The launcher's file with its own node types, limits and resources, on Ray's fake provider."""
    kinds = {
        FAKE_HEAD if name == launcher["head_node_type"] else name: {
            "resources": dict(kind["resources"]) | {"object_store_memory": 100_000_000},
            "node_config": {},
            "min_workers": kind.get("min_workers", 0),
            "max_workers": kind.get("max_workers", 0),
            "priority": kind.get("priority", 0),
        }
        for name, kind in launcher["available_node_types"].items()
    }
    lists = {key: [] for key in (
        "setup_commands", "head_setup_commands", "worker_setup_commands", "initialization_commands",
         "head_start_ray_commands", "worker_start_ray_commands", "cluster_synced_files", "rsync_exclude", "rsync_filter",
    )}  # fmt: skip
    return lists | {
        "cluster_name": launcher["cluster_name"],
        "max_workers": launcher["max_workers"],
        "idle_timeout_minutes": 0.1,
        "upscaling_speed": launcher.get("upscaling_speed", 1.0),
        "provider": {
            "type": "external",
            "module": "ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider",
            "gcs_address": gcs, "head_node_id": HEAD_ID, "launch_multiple": True, "use_node_id_as_ip": True,
            "disable_node_updaters": True, "disable_launch_config_check": True,
        },
        "available_node_types": kinds,
        "head_node_type": FAKE_HEAD,
        "auth": {},
        "file_mounts": {},
        "file_mounts_sync_continuously": False,
    }  # fmt: skip


def stop_head(head):
    """End every process that has the head's folder on its command line, and nothing else."""
    for _ in range(3):
        for process in Path("/proc").glob("[0-9]*"):
            try:
                if f"{head.folder}/" in (process / "cmdline").read_bytes().decode(errors="replace"):
                    os.kill(int(process.name), signal.SIGKILL)
            except (OSError, ProcessLookupError):
                continue
        time.sleep(0.2)
    shutil.rmtree(head.folder, ignore_errors=True)
