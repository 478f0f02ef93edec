"""The attack suite: programs that cheat, break out or take everything (`eval/sandbox/attacks/*.yaml`).

Each answers the tests rightly only if it got its way: one that passes is a hole. Beside them each language has an
honest program, which must pass: a sandbox in which nothing works would stop every attack.
"""

from __future__ import annotations

import os
import secrets
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import yaml

from eval.sandbox.oracle import judge
from eval.sandbox.proof import prove_python
from eval.sandbox.run import Outcome, isolation

WRONG, MUTANT = "def add(a, b): return a - b", "def add(a, b): return a * b"
"""What tests are held against that want a wrong program to count as proved."""
KINDS = ("honest", "cheating", "escape", "resource", "tester")


@dataclass(frozen=True)
class Attack:
    """A program of the suite."""

    language: str
    kind: str
    """honest, cheating, escape or resource; tester: a wrong program whose tests want it to count as proved."""
    name: str
    candidate: str
    tests: str
    entry_point: str | None = None


@dataclass(frozen=True)
class Result:
    """What became of it."""

    attack: Attack
    outcome: Outcome
    stopped: bool
    """For an honest program: whether it passed."""


@dataclass(frozen=True)
class Bait:
    """What the attacks reach for on this machine: a secret file, and a port that listens."""

    path: str
    secret: str
    port: int
    touched: Callable[[], bool]
    """Whether somebody came to the port."""


def load_attacks(language: str) -> list[Attack]:
    """The suite's programs of a language, the honest one first; all JavaScript is TypeScript.

    A cheat that needs tests of its own comes with an honest program for them.
    """
    file = "javascript" if language == "typescript" else language
    text = Path(__file__).with_name("attacks") / f"{file}.yaml"
    suite = yaml.safe_load(text.read_text(encoding="utf-8"))
    found = [Attack(language, "honest", "honest", suite["honest"], suite["tests"])]
    for kind, name, program in [(k, n, each) for k in KINDS[1:] for n, each in suite.get(k, {}).items()]:
        if kind == "tester":
            found.append(Attack(language, kind, name, WRONG, program))
            continue
        own = program if isinstance(program, dict) else {"candidate": program, "tests": suite["tests"]}
        named = {"tests": own["tests"], "entry_point": own.get("entry_point")}
        if "honest" in own:
            found.append(Attack(language, "honest", f"honest: {name}", own["honest"], **named))
        found.append(Attack(language, kind, name, own["candidate"], **named))
    return found


@contextmanager
def bait() -> Iterator[Bait]:
    """Lay out what the attacks reach for."""
    secret = secrets.token_hex(8)
    with tempfile.NamedTemporaryFile("w", prefix="secret-") as file, socket.create_server(("127.0.0.1", 0)) as server:
        file.write(secret)
        file.flush()
        Path(file.name).chmod(0o644)
        server.setblocking(False)

        def touched() -> bool:
            try:
                server.accept()
            except BlockingIOError:
                return False
            return True

        yield Bait(file.name, secret, server.getsockname()[1], touched)


def run_attack(attack: Attack, bait: Bait, *, memory_mb: int = 512) -> Result:
    """Run one program; it is stopped if it neither passed nor showed the secret nor reached the port."""
    if attack.kind == "tester":
        return _run_tester(attack, bait, memory_mb)
    timeout = 1.0 if attack.kind == "resource" else 5.0
    candidate = attack.candidate.replace("@SECRET@", bait.path).replace("@PORT@", str(bait.port))
    outcome = judge(candidate, attack.tests, language=attack.language, entry_point=attack.entry_point,
                    timeout=timeout, memory_mb=memory_mb)  # fmt: skip
    escaped = bait.secret in outcome.stdout + outcome.stderr or bait.touched()
    stopped = outcome.passed if attack.kind == "honest" else not outcome.passed and not escaped
    return Result(attack, outcome, stopped)


def _run_tester(attack: Attack, bait: Bait, memory_mb: int) -> Result:
    """Prove a wrong program by the attack's tests; it passes if they tell it from another program."""
    lines = attack.tests.replace("@SECRET@", bait.path).replace("@PORT@", str(bait.port)).splitlines()
    begun = time.monotonic()
    found = prove_python([attack.candidate], [{"assertion": line} for line in lines], entry_point="add",
                         mutants=[[MUTANT]], timeout=1.0, memory_mb=memory_mb)  # fmt: skip
    word = "passed" if found["by_value"] else "failed"
    outcome = Outcome(word == "passed", word, time.monotonic() - begun, "", str(found), "process", isolation().name)
    return Result(attack, outcome, not found["by_value"] and bait.secret not in str(found) and not bait.touched())


def run_suite(languages: list[str]) -> list[Result]:
    """Run the suite's programs of these languages, as many at a time as there are processors."""
    attacks = [attack for language in languages for attack in load_attacks(language)]
    with bait() as laid, ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda attack: run_attack(attack, laid), attacks))
