"""A local Ray on a machine that is too busy for Ray's own 30 s."""

import subprocess

import pytest

from ray_jobs.cluster import connect as cluster

TIMED_OUT = Exception("The current node timed out during startup. This could happen because some of the raylet failed")


@pytest.mark.parametrize("failures", [0, 2])
def test_a_ray_that_did_not_start_in_time_is_started_again_without_leftovers(monkeypatch, failures):
    begun, started = [], []

    def init(**options):
        started.append(options)
        if len(started) <= failures:
            begun.append(subprocess.Popen(["sleep", "60"]))  # as Ray leaves its processes
            raise TIMED_OUT

    monkeypatch.setattr(cluster.ray, "init", init)
    cluster.start_patiently(num_cpus=1)
    assert started == [{"address": "local", "num_cpus": 1}] * (failures + 1)
    assert [process.wait(5) for process in begun] == [-9] * failures


def test_a_machine_that_stays_too_busy_is_one_line_and_other_failures_are_themselves(monkeypatch):
    monkeypatch.setattr(cluster.ray, "init", lambda **_: (_ for _ in ()).throw(TIMED_OUT))
    with pytest.raises(OSError, match="in three tries of 30 s: this machine is too busy"):
        cluster.start_patiently()
    monkeypatch.setattr(cluster.ray, "init", lambda **_: (_ for _ in ()).throw(ValueError("no such option")))
    with pytest.raises(ValueError, match="no such option"):
        cluster.start_patiently()
