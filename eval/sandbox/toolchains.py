"""The languages other than Python: their toolchains, how a program is compiled and run, what is missing.

A program runs as `eval/sandbox/inside/launcher.py` inside bubblewrap: files into its private /tmp, the compiler, then
the program with limits of its own and no right to start processes. What every program of a language needs
(precompiled headers, compiled dependencies) is built once for each machine by `eval/sandbox/caches.py`.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

MB = 2**20
REGISTRY, CRATES = "/usr/share/cargo/registry", ("rand", "regex", "md5")
GOPATH = "/usr/share/gocode"
NEEDS = "needs.o"
"""What is linked into programs of C++ and Rust, in the cache's folder: `eval/sandbox/drivers/needs.c`."""
JAVAC, JAVAC_CLASSES = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xmx256m"), "javac.jsa"
"""How Java's compiler runs, and the file of its classes as they are in memory: it starts a third sooner."""


Command = list[str]
Steps = list[list[Command]]


@dataclass(frozen=True)
class Toolchain:
    """How programs of a language are made and run."""

    commands: tuple[str, ...]
    """Programs that must be there."""
    packages: str
    """What provides them, and what the benchmarks' programs import, in Debian."""
    source: str
    """Name of the file of a whole program."""
    files: tuple[str, ...]
    """Patterns of libraries that must be there."""
    compile: Callable[[list[str], str], Steps]
    """Steps that compile source files, given their names and the folder of the cache. Of each step's commands the next
    is tried when one fails."""
    run: Callable[[int, str, str], list[str]]
    """The command that runs the program, given its memory in MB, the folder of the cache, and its part."""
    virtual: bool = False
    """The runtime reserves more address space than it uses: limit its data instead."""
    memory_signs: str = r"(?!)"
    """What stderr says when memory ran out."""
    assertion_signs: str = r"(?!)"
    """What stderr or stdout says when an assertion failed."""


@cache
def where(command: str) -> str:
    """The real path of a command; its name where it is missing."""
    if command in {"rustc", "cargo"}:  # rustup's stand-ins want a home folder
        for folder in sorted(Path.home().glob(".rustup/toolchains/stable-*/bin")):
            if (folder / command).is_file():
                return str(folder / command)
    found = shutil.which(command)
    return str(Path(found).resolve()) if found else command


def _compile_cpp(files: list[str], cached: str) -> Steps:
    sources = [file for file in files if file.endswith(".cpp")]
    include = ["-I", cached] if (Path(cached) / "wire.hpp").exists() else []
    libraries = ["-lcrypto"] if Path("/usr/include/openssl/md5.h").exists() else []
    linked = [f"{cached}/{NEEDS}", "-ldl"] if (Path(cached) / NEEDS).exists() else []
    flags = ["-O0", "-w", "-pipe", *include, *sources, *linked, "-o", "program", *libraries]
    # A name of C++17 (std::data) may clash with one of the program's, under `using namespace std`.
    return [[[where("g++"), f"-std={standard}", *flags] for standard in ("c++17", "c++14")]]


def _compile_rust(files: list[str], cached: str) -> Steps:
    library = Path(cached) / "target" / "debug" / "deps"
    externs = [flag for name in CRATES for found in sorted(library.glob(f"lib{name}-*.rlib"))[:1]
               for flag in ("--extern", f"{name}={found}")]  # fmt: skip
    flags = ["--edition", "2021", "-C", "debuginfo=0", "-C", "opt-level=0", "--cap-lints", "allow"]
    root = next(file for file in files if file != "wire.rs")
    tests = ["--test"] if root == "tests.rs" else []
    linked = ["-C", f"link-arg={cached}/{NEEDS}"] if (Path(cached) / NEEDS).exists() else []
    return [[[where("rustc"), *flags, *linked, *tests, "-L", f"dependency={library}", *externs, root, "-o", "program"]]]


def _compile_go(files: list[str], cached: str) -> Steps:
    configuration = ["-importcfg", f"{cached}/importcfg"]
    sources = [file for file in files if file.endswith(".go")]
    return [
        [[where("go"), "tool", "compile", "-p", "main", "-complete", *configuration, "-o", "program.a", *sources]],
        [[where("go"), "tool", "link", *configuration, "-o", "program", "program.a"]],
    ]


def _compile_java(files: list[str], cached: str) -> Steps:
    options = [*JAVAC, f"-XX:SharedArchiveFile={cached}/{JAVAC_CLASSES}"]
    if "candidate.txt" in files:  # tests that need a stand-in for the candidate
        return [[[where("java"), *options, "-cp", cached, "Stubs", f".:{cached}"]]]
    flags = [
        *(f"-J{option}" for option in options),
        "-proc:none",
        "-nowarn",
        "-encoding",
        "UTF-8",
        "-cp",
        f".:{cached}",
    ]
    return [[[where("javac"), *flags, "-cp", f".:{cached}", *[file for file in files if file.endswith(".java")]]]]


def _run_java(memory_mb: int, cached: str, part: str) -> list[str]:
    flags = ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", f"-Xmx{memory_mb}m", "-Xss64m", "-ea"]
    return [
        where("java"),
        *flags,
        "--add-opens=java.base/java.io=ALL-UNNAMED",
        "--add-opens=java.base/java.util=ALL-UNNAMED",
        "-cp",
        f".:{cached}",
        "Wire" if part == "candidate" else "Main",
    ]


_NODE = Toolchain(
    ("node",),
    "nodejs",
    "program.js",
    (),
    lambda _files, _cached: [],
    lambda memory_mb, _, part: [where("node"), f"--max-old-space-size={memory_mb}", f"{part}.js"],
    virtual=True,
    memory_signs="heap out of memory|Array buffer allocation failed",
    assertion_signs="Assertion failed|AssertionError",
)

TOOLCHAINS: Mapping[str, Toolchain] = {
    "javascript": _NODE,
    "typescript": _NODE,  # as `eval/sandbox/typescript.py` makes JavaScript of it
    "cpp": Toolchain(
        ("g++",), "g++ libboost-dev libssl-dev", "main.cpp",
        ("/usr/include/boost/any.hpp", "/usr/include/openssl/md5.h"), _compile_cpp, lambda *_: ["./program"],
        memory_signs="std::bad_alloc", assertion_signs="Assertion .* failed",
    ),
    "rust": Toolchain(
        ("rustc", "cargo", "cc"),
        "rustc cargo gcc librust-rand-dev librust-regex+default-dev librust-md5-dev", "main.rs",
        tuple(f"{REGISTRY}/{name}-*" for name in CRATES), _compile_rust, lambda *_: ["./program"],
        memory_signs="memory allocation of", assertion_signs="assertion .*failed|assertion failed",
    ),
    "go": Toolchain(
        ("go",), "golang-go golang-github-stretchr-testify-dev", "main.go",
        (f"{GOPATH}/src/github.com/stretchr/testify/assert",), _compile_go, lambda *_: ["./program"],
        virtual=True, memory_signs="out of memory|cannot allocate memory", assertion_signs="Error Trace:",
    ),
    "java": Toolchain(
        ("javac", "java"), "openjdk-17-jdk-headless", "Main.java", (), _compile_java, _run_java,
        virtual=True, memory_signs="OutOfMemoryError", assertion_signs="AssertionError",
    ),
}  # fmt: skip


def missing_toolchains(languages: Iterable[str]) -> dict[str, str]:
    """For each language that this machine cannot run, one line that says what to install.

    Raises:
        ValueError: there is no such language.
    """
    missing = {}
    for language in languages:
        if language == "python":
            continue
        toolchain = toolchain_of(language)
        absent = [name for name in toolchain.commands if where(name) == name]
        absent += [name for name in toolchain.files if not any(Path("/").glob(name.lstrip("/")))]
        if absent:
            missing[language] = (f"{language} needs {', '.join(absent)}; on Debian: "
                                 f"apt-get install --no-install-recommends {toolchain.packages}")  # fmt: skip
    return missing


@cache
def require_toolchain(language: str) -> None:
    """Raise FileNotFoundError, which names the packages, where a language cannot run; ValueError if it never can."""
    for reason in missing_toolchains([language]).values():
        raise FileNotFoundError(reason)


def toolchain_of(language: str) -> Toolchain:
    """The toolchain of a language other than Python; ValueError where there is none."""
    if language not in TOOLCHAINS:
        known = ", ".join(["python", *TOOLCHAINS])
        raise ValueError(f"language is {language!r}; the sandbox runs {known}")
    return TOOLCHAINS[language]


def binds(language: str) -> tuple[str, ...]:
    """What a sandbox of this language shows beside /usr."""
    folders = {str(Path(where(name)).parents[1]) for name in toolchain_of(language).commands if "/" in where(name)}
    shown = [folder for folder in sorted(folders) if not folder.startswith("/usr")]
    return (*shown, *(["/etc/java-17-openjdk"] if language == "java" else []))


def limits_of(language: str, memory_mb: int, cpu_s: int) -> dict[str, int]:
    """Resource limits of a program: name in `resource` → bytes, seconds or a count.

    Args:
        language: whose toolchain says how it reserves addresses.
        memory_mb: MiB that it may use.
        cpu_s: seconds of CPU that it may use.
    """
    virtual = toolchain_of(language).virtual
    memory = {"RLIMIT_DATA": (memory_mb + 768) * MB} if virtual else {"RLIMIT_AS": (memory_mb + 64) * MB}
    return memory | {
        "RLIMIT_CPU": 2 * cpu_s + 2,  # garbage collectors and compilers work beside the program
        "RLIMIT_FSIZE": 64 * MB,
        "RLIMIT_NOFILE": 256,
        "RLIMIT_NPROC": 256,
        "RLIMIT_CORE": 0,
    }


COMPILE_LIMITS = {
    "RLIMIT_DATA": 3072 * MB,
    "RLIMIT_CPU": 120,
    "RLIMIT_FSIZE": 256 * MB,
    "RLIMIT_NOFILE": 1024,
    "RLIMIT_NPROC": 512,
    "RLIMIT_CORE": 0,
}


def describe_end(language: str, word: str, stderr: str, stdout: str = "") -> str:
    """The outcome of a program that ended by itself.

    Args:
        language: its language.
        word: the launcher's: `exit N`, `signal N`, `syntax`, or `gone`.
        stderr: what it wrote.
        stdout: likewise; test frameworks tell of assertions there.
    """
    toolchain = toolchain_of(language)
    kind, _, number = word.partition(" ")
    if kind != "exit" and kind != "signal":
        return {"compiler": "killed"}.get(kind, kind)
    if (kind, number) == ("exit", "0"):
        return "passed"
    if (kind, number) == ("exit", "90"):
        return "gone"
    if (kind, number) == ("exit", "92") or re.search(toolchain.memory_signs, stderr):
        return "memory"
    if (kind, number) == ("exit", "91") or re.search(toolchain.assertion_signs, stderr + stdout):
        return "failed"
    if kind == "exit":
        return "exception"
    if number in {"24"}:  # SIGXCPU
        return "timeout"
    return "killed" if number in {"9", "15", "25", "31"} else "exception" if number == "6" else "crashed"
