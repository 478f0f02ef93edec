"""Prometheus and Grafana for a cluster: writes what both are started with, checks it, and says how to start them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml

from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import REQUIRED, option, parse

SHIPPED = Path(__file__).parents[1] / "deploy" / "monitoring"
TARGETS = "/tmp/ray/prom_metrics_service_discovery.json"  # noqa: S108 - where Ray's head lists its nodes
PROMETHEUS = "http://127.0.0.1:9090"


def prometheus_config(targets: str, gateway: str | None, key_file: str | None) -> dict[str, Any]:
    """What Prometheus reads.

    Args:
        targets: the file in which Ray's head lists the nodes.
        gateway: host:port of the gateway; None leaves it out.
        key_file: file that holds a key with the route `metrics`; Prometheus reads it, it is not copied.
    """
    jobs: list[dict[str, Any]] = [{"job_name": "ray", "file_sd_configs": [{"files": [targets]}]}]
    if gateway is not None:
        gate: dict[str, Any] = {"job_name": "gateway", "static_configs": [{"targets": [gateway]}]}
        if key_file is not None:
            gate["authorization"] = {"credentials_file": str(Path(key_file).expanduser().resolve())}
        jobs.append(gate)
    intervals = {"scrape_interval": "10s", "evaluation_interval": "10s"}
    return {"global": intervals, "rule_files": ["rules.yml"], "scrape_configs": jobs}


def write_all(folder: Path, config: dict[str, Any]) -> None:
    """Write Prometheus' configuration and rules, and what Grafana provisions itself from."""
    if not SHIPPED.is_dir():
        raise FileNotFoundError(f"{SHIPPED} is missing: run from a checkout of the repository")
    provisioning = folder / "grafana" / "provisioning"
    for part in ("datasources", "dashboards"):
        (provisioning / part).mkdir(parents=True, exist_ok=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False))
    shutil.copyfile(SHIPPED / "rules.yml", folder / "rules.yml")
    shutil.copyfile(SHIPPED / "grafana" / "wavecoder.json", folder / "grafana" / "wavecoder.json")
    source = {"name": "WaveCoder", "uid": "wavecoder", "type": "prometheus", "url": PROMETHEUS, "access": "proxy"}
    board = {"name": "WaveCoder", "type": "file", "options": {"path": str((folder / "grafana").resolve())}}
    for part, key, entry in (("datasources", "datasources", source), ("dashboards", "providers", board)):
        text = yaml.safe_dump({"apiVersion": 1, key: [entry]}, sort_keys=False)
        (provisioning / part / "wavecoder.yml").write_text(text)


def check(folder: Path) -> None:
    """Have promtool check what was written, where there is one.

    Raises:
        ValueError: its words.
    """
    promtool = shutil.which("promtool")
    if promtool is None:
        print("promtool is not installed (Debian: apt install prometheus): the files are not checked", file=sys.stderr)
        return
    command = [promtool, "check", "config", str(folder / "prometheus.yml")]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    if done.returncode:
        raise ValueError(f"promtool check config: {done.stdout} {done.stderr}")


def main(arguments: list[str] | None = None) -> int:
    """Command line."""
    options = parse("monitoring", JOBS["monitoring"], {
        "out": option(Path, "folder to write to", REQUIRED, metavar="DIR"),
        "targets": option(str, "file in which Ray's head lists its nodes", TARGETS, metavar="FILE"),
        "gateway": option(str | None, "the gateway of `wavecoder serve`, to be scraped too", metavar="HOST:PORT"),
        "key_file": option(str | None, "holds an API key with the route metrics, and nothing else", metavar="FILE"),
    }, arguments)  # fmt: skip

    def work(_: object) -> None:
        write_all(options.out, prometheus_config(options.targets, options.gateway, options.key_file))
        check(options.out)
        out = options.out.resolve()
        print(
            f"prometheus --config.file={out}/prometheus.yml --storage.tsdb.path={out}/data "
            "--web.listen-address=127.0.0.1:9090\n"
            f"GF_PATHS_PROVISIONING={out}/grafana/provisioning GF_SERVER_HTTP_ADDR=127.0.0.1 grafana server "
            "--homepath /usr/share/grafana"
        )

    return run_guarded("monitoring", work)


if __name__ == "__main__":
    sys.exit(main())
