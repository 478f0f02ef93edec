"""Control groups of version 2. What the kernel does with them is not tested here but by hand: docs/sandbox.md."""

import subprocess

import pytest

from eval.sandbox import cgroups
from eval.sandbox import run as sandbox
from eval.sandbox.cgroups import Group
from eval.sandbox.toolchains import missing_toolchains


@pytest.fixture
def group(tmp_path):
    """A group in a folder that is no kernel's."""
    return Group(tmp_path, 64 * 2**20)


def test_a_tree_has_limits_of_its_own_and_starts_inside(group):
    assert int((group.folder / "memory.max").read_text()) == 64 * 2**20
    assert int((group.folder / "pids.max").read_text()) == cgroups.MAX_PROCESSES
    done = subprocess.run([*group.prefix(), "/bin/sh", "-c", "echo $$"], capture_output=True, text=True, check=True)
    assert done.stdout == (group.folder / "cgroup.procs").read_text()


def test_a_command_that_cannot_join_does_not_run(group):
    (group.folder / "cgroup.procs").mkdir()
    done = subprocess.run([*group.prefix(), "/bin/echo", "ran"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (97, "")


def test_memory_that_ran_out_is_told(group):
    (group.folder / "memory.events").write_text("low 0\noom 0\noom_kill 0\n")
    assert not group.ran_out()
    (group.folder / "memory.events").write_text("low 0\noom 1\noom_kill 2\n")
    assert group.ran_out()


def test_where_there_is_none_it_says_why(monkeypatch, tmp_path):
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    cgroups.delegated.cache_clear()
    try:
        assert cgroups.delegated() == (None, "control groups are of version 1")
    finally:
        cgroups.delegated.cache_clear()


@pytest.mark.skipif(bool(missing_toolchains(["javascript"])), reason="node is not here")
def test_every_tree_with_a_compiler_gets_one(monkeypatch, tmp_path):
    monkeypatch.setattr(sandbox, "delegated", lambda: (tmp_path, ""))
    monkeypatch.setattr(Group, "ran_out", lambda self: False)
    made = []
    monkeypatch.setattr(Group, "remove", lambda self: made.append((self.folder / "cgroup.procs").read_text()))
    done = sandbox.run_program("console.log(1)", language="javascript", timeout=10.0, memory_mb=256)
    assert done.passed, done
    assert len(made) == 1
