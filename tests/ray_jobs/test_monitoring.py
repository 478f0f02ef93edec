"""Alerts, dashboard and list of metrics: they fire, and they name metrics that exist. Real Prometheus tools."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from codeocean.generate.flow import METRICS
from ray_jobs.cli import main
from ray_jobs.monitoring import prometheus_config
from serve.gateway.access_log import Traffic
from serve.gateway.settings import GatewayConfig
from tests.ray_jobs.panels import prometheus, queries, shows
from tests.serve.stub import running_gateway, stub_upstream, until
from training.reporting import _GAUGES

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "deploy" / "monitoring"
PROMTOOL = shutil.which("promtool")
with_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (Debian: prometheus)")

OURS = {
    "ray_wavecoder_stage_running", "ray_wavecoder_stage_rows", "ray_wavecoder_stage_seconds",
    "ray_wavecoder_evaluate_verdicts_per_s",
    *(f"ray_wavecoder_generate_{name}" for name in METRICS), *(f"ray_wavecoder_train_{name}" for name in _GAUGES),
}  # fmt: skip


def of_gateway():
    text = Traffic(GatewayConfig()).exposition().decode()
    return {line.split()[2].removesuffix("_total") for line in text.splitlines() if line.startswith("# TYPE wavecoder")}


def named_in(text):
    """Our metrics that a text names, without Prometheus' endings."""
    found = re.findall(r"\b(?:ray_)?wavecoder_[a-z_0-9]+", text)
    return {re.sub(r"_(total|bucket|created)$", "", name) for name in found}


def promtool(*arguments):
    return subprocess.run([PROMTOOL, *arguments], cwd=SHIPPED, capture_output=True, text=True)


@with_promtool
def test_every_alert_fires_on_its_fault_and_only_then():
    done = promtool("test", "rules", "rules_test.yml")
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = set(re.findall(r"alert: (\w+)", (SHIPPED / "rules.yml").read_text()))
    tested = (SHIPPED / "rules_test.yml").read_text()
    assert alerts == {alert for alert in alerts if f"alertname: {alert}" in tested}


@with_promtool
def test_one_command_writes_what_prometheus_accepts(tmp_path, capsys):
    (tmp_path / "key").write_text("wc-secret")
    arguments = ["--out", str(tmp_path / "out"), "--gateway", "127.0.0.1:8000", "--key-file", str(tmp_path / "key")]
    assert main(["monitoring", *arguments]) == 0
    assert "prometheus --config.file=" in capsys.readouterr().out
    written = {path.name: path.read_text() for path in (tmp_path / "out").rglob("*") if path.is_file()}
    assert set(written) == {"prometheus.yml", "rules.yml", "wavecoder.json", "wavecoder.yml"}
    assert not [name for name, text in written.items() if "wc-secret" in text]  # by reference only


@with_promtool
def test_the_gateways_panels_show_what_a_real_prometheus_read(tmp_path):
    ours = [query for _, query in queries() if "wavecoder_gateway" in query]
    assert len(ours) == 5
    with stub_upstream() as upstream, running_gateway(upstream.url, tmp_path) as running:
        (tmp_path / "key").write_text(running.new_key(routes=("metrics",)))
        config = prometheus_config(str(tmp_path / "none.json"), f"127.0.0.1:{running.port}", str(tmp_path / "key"))
        config |= {"global": {"scrape_interval": "1s"}, "rule_files": []}
        with prometheus(tmp_path / "prometheus", config) as url:
            until(lambda: running.chat().status_code == 200 and all(shows(url, query) for query in ours))
            assert not shows(url, "wavecoder_gateway_nothing")


def test_alerts_dashboard_and_docs_name_metrics_that_exist():
    board = (SHIPPED / "grafana" / "wavecoder.json").read_text()
    docs = (ROOT / "docs" / "metrics.md").read_text()
    existing = OURS | of_gateway()
    used = named_in((SHIPPED / "rules.yml").read_text()) | named_in(board)
    assert used <= existing, used - existing
    assert existing <= named_in(docs), existing - named_in(docs)
    panels = json.loads(board)["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
