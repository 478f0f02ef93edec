"""Hosts on one machine: network namespaces with names and addresses of their own, joined by one bridge.

All of it lies in namespaces of this process (user, network, mounts, process ids): it needs no root, the machine's own
network stays as it is, and whatever runs in it ends with this process.
"""

import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

UNSHARE = ("unshare", "--user", "--map-root-user", "--net", "--mount", "--pid", "--fork", "--kill-child",
           "--mount-proc")  # fmt: skip
SUBNET, BRIDGE = "10.77.0", "lan"
HERE = f"{SUBNET}.1"
"""Address of this process: the bridge's own."""


def missing():
    """Why this machine can make no hosts; None where it can."""
    tools = [tool for tool in ("unshare", "nsenter", "ip", "tc") if shutil.which(tool) is None]
    if tools:
        return f"{', '.join(tools)} not found (Debian: iproute2, util-linux)"
    made = f"ip link add {BRIDGE} type bridge && ip link add name va type veth peer name vb"
    tried = subprocess.run([*UNSHARE, "sh", "-c", made], capture_output=True, text=True, check=False)
    return f"namespaces are not permitted: {tried.stderr.strip()}" if tried.returncode else None


def inside(module, *arguments, **popen):
    """`python -m module` in namespaces of its own, where it may make hosts; returns it completed."""
    return subprocess.run([*UNSHARE, sys.executable, "-m", module, *arguments], check=False, **popen)


def lay_bridge():
    """What hosts are joined by; only inside `inside`."""
    _do("ip", "link", "set", "lo", "up")
    _do("ip", "link", "add", BRIDGE, "type", "bridge")
    _do("ip", "address", "add", f"{HERE}/24", "dev", BRIDGE)
    _do("ip", "link", "set", BRIDGE, "up")


@dataclass(frozen=True)
class Host:
    """A host: its processes see one network card and a host name of their own. Disk and clock are the machine's."""

    name: str
    address: str
    pid: int
    """A process that holds its namespaces."""

    @property
    def prefix(self):
        """What a command line begins with to run here."""
        return ("nsenter", "--target", str(self.pid), "--net", "--uts")

    @property
    def cable(self):
        """This side's end of its cable."""
        return f"to-{self.name}"

    def cut(self):
        """Pull the cable: what is sent is lost, and no connection is told."""
        _do("ip", "link", "set", self.cable, "down")

    def join(self):
        """Plug it in again."""
        _do("ip", "link", "set", self.cable, "up")

    def throttle(self, mbit_s):
        """Let so many megabits a second through, each way."""
        for prefix, device in (((), self.cable), (self.prefix, "eth0")):
            _do(*prefix, "tc", "qdisc", "replace", "dev", device, "root", "tbf", "rate", f"{mbit_s}mbit", "burst",
                "64kb", "latency", "400ms")  # fmt: skip

    def sent_and_received(self):
        """Bytes that went out of it and came to it so far."""
        (link,) = json.loads(_do("ip", "-json", "-stats", "link", "show", self.cable))
        return link["stats64"]["rx"]["bytes"], link["stats64"]["tx"]["bytes"]


def add_host(name, number):
    """A new host with the subnet's address of this number, from 2 on."""
    holder = subprocess.Popen(["unshare", "--net", "--uts", "sleep", "infinity"])
    host = Host(name, f"{SUBNET}.{number}", holder.pid)
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{holder.pid}/ns/net").readlink() == ours:
        time.sleep(0.01)
    _do("ip", "link", "add", "name", host.cable, "type", "veth", "peer", "name", "eth0", "netns", str(holder.pid))
    _do("ip", "link", "set", host.cable, "master", BRIDGE, "up")
    for command in (
        f"hostname {name}", "ip link set lo up", f"ip address add {host.address}/24 dev eth0", "ip link set eth0 up",
        f"ip route add default via {HERE}",
    ):  # fmt: skip
        _do(*host.prefix, *command.split())
    return host


def _do(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout
