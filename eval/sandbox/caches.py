"""What every program of a language needs, built once for each machine: precompiled headers, compiled dependencies.

In the user's cache folder, under a digest of the toolchain's version and of our drivers. Sandboxes see it read-only.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shlex
import subprocess
from functools import cache
from pathlib import Path

from eval.sandbox.process_tree import SandboxError
from eval.sandbox.stubs import GO_PACKAGES, driver
from eval.sandbox.toolchains import CRATES, GOPATH, JAVAC, JAVAC_CLASSES, NEEDS, REGISTRY, toolchain_of, where

_VERSION = {"cpp": ["--version"], "rust": ["--version"], "go": ["version"], "java": ["-version"], "javascript": ["-v"],
            "typescript": ["-v"]}  # fmt: skip
PRECOMPILED, NICENESS = "wire.hpp.gch", 10
"""The header as the compiler reads it at once, and how far its making gives way to programs."""

_JAVA = ("Wire.java", "Exchange.java", "Mirrors.java", "Library.java", "Fields.java", "Stubs.java", "StandIns.java")
_DRIVERS = {"cpp": ("wire.hpp", "values.hpp", "needs.c"), "java": _JAVA, "rust": ("needs.c",)}


@cache
def cache_of(language: str) -> Path:
    """The folder of a language's cache, built if it is not there yet.

    Raises:
        SandboxError: it cannot be built.
    """
    version = _run([where(toolchain_of(language).commands[0]), *_VERSION[language]], {})
    text = version + str(GO_PACKAGES) + "".join(map(driver, _DRIVERS.get(language, ())))
    text += JAVAC_CLASSES if language == "java" else ""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "wavecoder"
    folder = base / f"{language}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            _BUILDERS.get(language, lambda _: None)(folder)
            (folder / "complete").touch()
    if language == "cpp" and not (folder / PRECOMPILED).exists():
        _precompile(folder)
    return folder


def _build_cpp(folder: Path) -> None:
    for name in ("wire.hpp", "values.hpp"):
        (folder / name).write_text(driver(name))
    _build_needs(folder, "g++")


def _build_needs(folder: Path, compiler: str) -> None:
    """What tells of files that are not there, to be linked into every program."""
    (folder / "needs.c").write_text(driver("needs.c"))
    _run(
        [where(compiler), "-x", "c", "-O1", "-fPIC", "-w", "-c", str(folder / "needs.c"), "-o", str(folder / NEEDS)], {}
    )


def _precompile(folder: Path) -> None:
    """Start to precompile the header, beside the first programs, which the compiler reads it for in full.

    It takes as long as three verdicts without it. It goes on when this process ends; whoever finds it begun and
    given up begins again.
    """
    making = folder / f"{PRECOMPILED}.making"
    command = [where("g++"), "-std=c++17", "-O0", "-w", "-x", "c++-header", str(folder / "wire.hpp"), "-o", str(making)]
    with (folder / "precompiling").open("w") as lock:  # held by the compiler for as long as it runs
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        script = (
            f'(nice -n {NICENESS} "$@" && mv {shlex.quote(str(making))} {shlex.quote(str(folder / PRECOMPILED))}) &'
        )
        subprocess.run(
            ["/bin/sh", "-c", script, "sh", *command],
            env={"PATH": "/usr/bin:/bin"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(lock.fileno(),),
            start_new_session=True,
            check=False,
        )


def _build_java(folder: Path) -> None:
    sources = [folder / name for name in _DRIVERS["java"]]
    for source in sources:
        source.write_text(driver(source.name))
    archive = [f"-J{option}" for option in (*JAVAC, f"-XX:ArchiveClassesAtExit={folder / JAVAC_CLASSES}")]
    _run([where("javac"), *archive, "-proc:none", "-nowarn", "-d", str(folder), *map(str, sources)], {})


def _build_rust(folder: Path) -> None:
    source = f'[source.crates-io]\nreplace-with = "debian"\n[source.debian]\ndirectory = "{REGISTRY}"\n'
    needs = "".join(f'{name} = "*"\n' for name in CRATES)
    package = f'[package]\nname = "cached"\nversion = "0.0.0"\nedition = "2021"\n[dependencies]\n{needs}'
    for name, text in {".cargo/config.toml": source, "Cargo.toml": package, "src/lib.rs": ""}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    tools = {
        "PATH": f"{Path(where('cargo')).parent}:/usr/bin:/bin",
        "CARGO_HOME": str(folder / "cargo"),
        "CARGO_PROFILE_DEV_DEBUG": "0",
    }
    _run([where("cargo"), "build", "--offline", "--manifest-path", str(folder / "Cargo.toml")], tools, folder)
    _build_needs(folder, "cc")


def _build_go(folder: Path) -> None:
    environment = {"GO111MODULE": "off", "GOPATH": GOPATH, "GOCACHE": str(folder / "build"), "HOME": str(folder),
                   "GOFLAGS": "-trimpath", "PATH": "/usr/bin:/bin", "CGO_ENABLED": "0"}  # fmt: skip
    form = "{{if .Export}}packagefile {{.ImportPath}}={{.Export}}{{end}}"
    listed = _run([where("go"), "list", "-export", "-deps", "-f", form, *GO_PACKAGES.values()], environment)
    (folder / "importcfg").write_text("".join(f"{line}\n" for line in listed.splitlines() if line))


_BUILDERS = {"cpp": _build_cpp, "java": _build_java, "rust": _build_rust, "go": _build_go}


def _run(command: list[str], environment: dict[str, str], folder: Path | None = None) -> str:
    given = {"PATH": "/usr/bin:/bin"} | environment
    done = subprocess.run(command, env=given, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SandboxError(f"{' '.join(command[:3])} … failed: {done.stderr[-500:]}")
    return done.stdout
