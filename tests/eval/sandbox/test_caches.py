"""What is built once for each machine."""

import fcntl
import shutil
import time

import pytest

from eval.sandbox import caches

pytestmark = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")


@pytest.fixture
def built(tmp_path, monkeypatch):
    """The cache of C++ with a short header, and what asks for it anew."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(caches, "driver", lambda name: "#pragma once\nstruct Short {};\n")
    return lambda: caches.cache_of.__wrapped__("cpp")


def test_the_first_program_does_not_wait_for_the_precompiled_header(built, monkeypatch):
    monkeypatch.setattr(caches, "_precompile", lambda folder: None)
    folder = built()
    assert (folder / "wire.hpp").read_text().startswith("#pragma once")
    assert not (folder / caches.PRECOMPILED).exists()


def test_the_header_is_precompiled_beside_and_shown_whole(built):
    folder = built()
    for _ in range(2400):  # its compiler gives way to everything else
        if (found := folder / caches.PRECOMPILED).exists():
            break
        time.sleep(0.1)
    assert found.read_bytes()[:4] == b"gpch"
    assert not list(folder.glob("*.making"))


def test_one_compiler_precompiles_at_a_time_and_the_next_begins_what_was_given_up(built, monkeypatch):
    started = []
    monkeypatch.setattr(caches.subprocess, "run", lambda command, **_: started.append(command))
    monkeypatch.setattr(caches, "_run", lambda *_: "version")
    folder = built()
    assert len(started) == 1
    with (folder / "precompiling").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        built()
        assert len(started) == 1
    built()
    assert len(started) == 2
