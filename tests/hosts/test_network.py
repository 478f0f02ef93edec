"""Hosts of `python -m tests.hosts`: addresses and names of their own, cut off and joined again, throttled."""

import json
import subprocess

import pytest

from tests.cluster_head import ROOT
from tests.hosts.network import inside, missing

reason = missing()


@pytest.mark.skipif(reason is not None, reason=str(reason))
def test_hosts_have_addresses_and_names_and_can_be_cut_off_and_throttled():
    ran = inside("tests.hosts.tried", cwd=ROOT, capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stdout)
    assert seen["names"] == ["one", "two", "three"]
    assert seen["peers"] == ["10.77.0.2", "10.77.0.4"]
    assert seen["cut off"] == ""
    assert seen["loaded over a cut"] == 2_000_020  # what was lost is sent again
    assert seen["seconds"] > 1.5  # two megabytes at one a second, of which the first 64 kB are free
    assert seen["sent"] > 2_000_000


def test_the_machine_itself_has_no_bridge_of_ours():
    shown = subprocess.run(["ip", "link", "show", "lan"], capture_output=True, check=False)
    assert shown.returncode != 0
