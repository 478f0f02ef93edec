"""Which stage runs on which node type of a launcher's file, and what that costs an hour."""

import datetime
from pathlib import Path

import pytest
import yaml

from ray_jobs.cluster.node_types import LaunchedType, Prices, load_launcher_file, load_prices, place, read_node_types
from ray_jobs.plan import main

ROOT = Path(__file__).parents[3]
HEAD = LaunchedType("head", "small", {"CPU": 4}, 0, 0, head=True)
ONE = LaunchedType("one", "m1", {"CPU": 8, "GPU": 1}, 0, 4, spot=True)
EIGHT = LaunchedType("eight", "m8", {"CPU": 96, "GPU": 8}, 0, 2)
PRICES = Prices(
    datetime.date(2026, 1, 1), "USD", "r", {"m1": {"on_demand": 2.0, "spot": 1.0}, "m8": {"on_demand": 12.0}}
)
KINDS = [HEAD, ONE, EIGHT]


@pytest.mark.parametrize(
    ("workers", "each", "on", "nodes", "per_hour"),
    [
        (3, {"CPU": 1}, "head", 1, 0.0),
        (1, {"CPU": 1, "GPU": 1}, "one", 1, 1.0),
        (4, {"CPU": 8, "GPU": 0.5}, "one", 4, 4.0),  # CPUs are what is short
        (2, {"CPU": 1, "GPU": 2}, "eight", 1, 12.0),
        (16, {"CPU": 1, "GPU": 1}, "eight", 2, 24.0),  # 4 nodes of type one are allowed, 16 would be needed
    ],
)
def test_the_cheapest_type_that_can_take_a_stage(workers, each, on, nodes, per_hour):
    found = place("s", workers, each, KINDS, PRICES)
    assert (found.on, found.nodes, found.per_hour, found.missing) == (on, nodes, per_hour, "")


def test_what_is_missing_is_said():
    assert place("s", 1, {"GPU": 9}, KINDS, PRICES).missing == "no node type has 9 GPUs"
    assert place("s", 3, {"GPU": 8}, KINDS, PRICES).missing == "3 nodes of eight are needed and 2 allowed"


def test_a_price_that_is_unknown_is_not_made_up():
    assert place("s", 1, {"GPU": 8}, KINDS, Prices(PRICES.date, "USD", "r", {})).per_hour is None
    assert PRICES.of(LaunchedType("x", "m8", {}, 0, 1, spot=True)) == 12.0  # no spot price: as on demand


@pytest.mark.parametrize("file", ["cluster.yaml", "deploy/gcp/cluster.yaml"])
def test_every_machine_of_our_files_has_a_price(file):
    kinds, region = load_launcher_file(str(ROOT / file))
    prices = load_prices(None, region)
    assert kinds[0].head
    assert [kind.name for kind in kinds if prices.of(kind) is None] == []
    assert [kind.spot for kind in kinds] == [kind.name.endswith("-spot") for kind in kinds]


@pytest.mark.parametrize(
    ("text", "line"), [("[1]", "available_node_types"), ("{", "--cluster"), ("a: 1", "head_node_type")]
)
def test_another_file_is_refused(tmp_path, text, line):
    file = tmp_path / "other.yaml"
    file.write_text(text)
    with pytest.raises(ValueError, match=line):
        load_launcher_file(str(file))
    with pytest.raises(ValueError, match="should hold date, currency and regions"):
        load_prices(str(file), "r")


def plan(capsys, tmp_path, *arguments):
    code = main(
        ["--config", str(ROOT / "configs" / "paper-ds-6.7b.yaml"), "--run-dir", str(tmp_path / "run"), *arguments]
    )
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_the_plan_says_which_stage_runs_where_and_what_it_costs(capsys, tmp_path):
    prices = tmp_path / "prices.yaml"
    prices.write_text("{date: 2026-01-02, currency: EUR, regions: {us-west-2: {g6e.48xlarge: {on_demand: 5}}}}")
    code, out, _ = plan(capsys, tmp_path, "--cluster", str(ROOT / "cluster.yaml"), "--prices", str(prices))
    assert code == 0
    assert "EUR an hour" in out
    assert "prices of 2026-01-02" in out
    (line,) = [line for line in out.splitlines() if "4 CPUs and 2 GPUs" in line and "generate" in line]
    assert "train-spot" in line
    assert "5.00" in line


def test_a_cluster_without_what_a_stage_asks_for_is_refused(capsys, tmp_path):
    tree = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    for name in ("train", "train-spot"):
        del tree["available_node_types"][name]
    file = tmp_path / "cluster.yaml"
    file.write_text(yaml.safe_dump(tree))
    code, out, err = plan(capsys, tmp_path, "--cluster", str(file))
    assert code == 2
    assert "cannot run generate: no node type has 4 CPUs and 2 GPUs" in err
    assert "no node type has 4 CPUs" in out
    code, _, err = plan(capsys, tmp_path, "--cluster", str(file), "--set", "embed.actors=all")
    assert (code, "begins without a GPU" in err) == (2, True)


def test_node_types_of_no_launcher_file():
    with pytest.raises(ValueError, match="head_node_type"):
        read_node_types({"available_node_types": {"a": {}}, "head_node_type": "b"})
