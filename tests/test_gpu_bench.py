"""The hour of a GPU, rehearsed on a CPU: no step may fail there for a missing import, and none may end the others."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.gpu.__main__ import all_steps, explain_miss, last_object, run_step, table_of
from bench.gpu.imports import third_party
from bench.gpu.steps import STEPS, Step

ROOT = Path(__file__).parents[1]
LOCK = ROOT / "requirements" / "cpu.lock"
WHEELS = ROOT / "bench" / "gpu_wheels.txt"


def step(code, **more):
    return Step("probe", ("-c", code), ("-c", code), 30.0, "a bar", lambda found: found.get("value"), **more)


@pytest.mark.parametrize(("value", "status"), [(2.0, "met"), (0.5, "missed")])
def test_a_figure_meets_its_bar_or_misses_it(tmp_path, value, status):
    row = run_step(step(f"print('noise'); print('{{\"value\": {value}}}')", least=1.0), tmp_path, 30.0)
    assert (row["status"], row["figure"]) == (status, value)


def test_a_step_that_fails_hangs_or_lacks_a_module_is_told_of(tmp_path):
    failed = run_step(step("raise SystemExit('no card')"), tmp_path, 30.0)
    assert failed["status"] == "failed with code 1" and failed["error"] == "no card"
    assert run_step(step("import time; time.sleep(60)"), tmp_path, 0.5)["status"] == "cut off after 0 s"
    assert run_step(step("", needs=("no_such_module",)), tmp_path, 9.0)["status"] == "left out: needs no_such_module"


def test_a_miss_is_explained_by_its_profile(tmp_path):
    missed = step("", when_missed=("-c", 'print(\'{"kernels": 7, "at": "{out}"}\')'))
    assert explain_miss(missed, {"status": "missed"}, tmp_path, 30.0)["profile"] == {"kernels": 7, "at": str(tmp_path)}


def test_a_bar_without_its_figure_is_missed():
    assert not step("", least=1.0).meets({})
    assert step("").meets({})
    assert last_object('{"a": 1}\n{broken\nthe end') == {"a": 1}


def test_the_table_names_command_figure_bar_and_card():
    rows = [{"name": "mfu", "command": ["python", "-m", "x"], "figure": 0.4512, "bar": "45 %", "status": "met",
             "result": {"machine": {"device": "a card"}}}]  # fmt: skip
    assert "| mfu | `python -m x` | 0.4512 | 45 % | met |" in table_of(rows)
    assert "Card: a card." in table_of(rows)


def test_the_tests_come_first_and_name_every_file_with_a_gpu_test():
    first, *rest = all_steps()
    assert rest == list(STEPS)
    assert {"tests/codeocean/select/test_kcenter.py", "tests/training/test_gpu.py"} <= set(first.command)


def test_modules_of_the_library_and_ours_need_no_wheel():
    assert third_party({"json.decoder", "bench.gpu", "torch.nn", "_cffi", "numpy"}) == ["numpy", "torch"]


def test_the_wheels_are_those_of_the_lock():
    lines = WHEELS.read_text().splitlines()
    assert {line for line in lines if not line.startswith("#")} <= set(LOCK.read_text().splitlines())


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_whole_hour_rehearsed_on_a_cpu(tmp_path):
    command = [sys.executable, "-m", "bench.gpu", "--rehearse", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    rows = {row["name"]: row for row in json.loads((tmp_path / "results.json").read_text())}
    assert done.returncode == 0, [(row["name"], row.get("error")) for row in rows.values() if "error" in row]
    assert set(rows) == {step.name for step in all_steps()}
    for step in STEPS:
        if rows[step.name]["status"] == "rehearsed" and (step.least or step.most):
            assert step.name == "generation" or step.figure(rows[step.name]["result"]) is not None, step.name
    assert (tmp_path / "profile-mfu-1b.txt").read_text()
    text = WHEELS.read_text()
    wheels = {name.replace("-", "_").lower() for name in re.findall(r"^([\w-]+)==", text, re.M)}
    there = {name for line in re.findall(r"^# (?:The card has|Only where installed): (.+)$", text, re.M)
             for name in line.split(", ")}  # fmt: skip
    for step in all_steps():
        file = tmp_path / f"imports-{step.name.replace(' ', '-')}.txt"
        if file.exists():
            imported = set(file.read_text().split())
            assert "ray" not in imported, step.name
            assert imported <= wheels | there, (step.name, sorted(imported - wheels - there))
