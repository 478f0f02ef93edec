"""The attack suite: every program of it is a test. A language without its toolchain is skipped, and says so."""

from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from core.languages import EVALUATED
from eval.sandbox.attack_suite import KINDS, load_attacks, run_suite
from eval.sandbox.toolchains import missing_toolchains

ATTACKS = [attack for language in EVALUATED for attack in load_attacks(language)]


@cache
def results_of(language):
    return {(result.attack.kind, result.attack.name): result for result in run_suite([language])}


@pytest.fixture(autouse=True)
def secret_environment(monkeypatch):
    monkeypatch.setenv("WAVECODER_SECRET", "hidden")


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: f"{attack.language}-{attack.kind}-{attack.name}")
def test_attack_gets_nowhere_and_the_honest_program_passes(attack):
    missing = missing_toolchains([attack.language])
    if missing:
        pytest.skip(missing[attack.language])
    result = results_of(attack.language)[attack.kind, attack.name]
    assert result.stopped, result.outcome


def test_the_suite_is_as_large_as_it_says():
    attacks = [attack for attack in ATTACKS if attack.kind != "honest"]
    count = len([attack for attack in attacks if attack.language != "typescript"])
    told = " ".join((Path(__file__).parents[3] / "docs/sandbox.md").read_text(encoding="utf-8").split())
    assert f"The suite has {count} programs that" in told
    assert {attack.language for attack in attacks} == set(EVALUATED)
    assert {attack.kind for attack in ATTACKS} == set(KINDS)


def test_the_sandbox_goes_on_after_all_of_it():
    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(lambda _: results_of("python")["honest", "honest"].stopped, range(2)))
