"""The dashboard's queries, and a real Prometheus (Debian: prometheus) that is asked them."""

import contextlib
import json
import math
import shutil
import subprocess
from pathlib import Path

import httpx
import yaml

from serve.gateway.settings import free_port
from tests.serve.stub import until

BOARD = Path(__file__).parents[2] / "deploy" / "monitoring" / "grafana" / "wavecoder.json"


def queries():
    """(panel, query) of the dashboard."""
    panels = json.loads(BOARD.read_text())["panels"]
    return [(panel["title"], target["expr"]) for panel in panels for target in panel.get("targets", [])]


@contextlib.contextmanager
def prometheus(folder, config):
    """URL of a Prometheus that runs by a configuration."""
    folder.mkdir(exist_ok=True)
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    port = free_port()
    command = [shutil.which("prometheus"), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}",
               f"--web.listen-address=127.0.0.1:{port}"]  # fmt: skip
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        until(lambda: is_ready(url))
        yield url
    finally:
        process.terminate()
        process.wait(20)


def is_ready(url):
    try:
        return httpx.get(f"{url}/-/ready", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def shows(url, query):
    """Whether a query gives a number now."""
    answer = httpx.get(f"{url}/api/v1/query", params={"query": query}, trust_env=False, timeout=10).json()
    assert answer["status"] == "success", (query, answer)
    return any(not math.isnan(float(series["value"][1])) for series in answer["data"]["result"])
