"""The attack suite's cheats over the HTTP routes: one batch a route and language, and no reward for any of them."""

import asyncio

import httpx
import pytest

from eval.reward.forms import FUSION_LANGUAGES
from eval.reward.server import RewardServer, one_key
from eval.reward.settings import RewardConfig
from eval.reward.workers import Workers
from eval.sandbox.attack_suite import bait, load_attacks
from eval.sandbox.toolchains import missing_toolchains

ROUTES = ("/reward", "/run_code", "/verify")
FUSION = {name: spelling for spelling, name in FUSION_LANGUAGES.items()}
COMPILED = ("javascript", "java", "cpp", "go", "rust")


def cheats(language, port, path):
    """Names and programs: the honest one and the cheats of a language."""
    chosen = [attack for attack in load_attacks(language) if attack.kind in {"honest", "cheating"}]
    return [(a.name, a.candidate.replace("@SECRET@", path).replace("@PORT@", str(port)), a.tests) for a in chosen]


def response(text):
    return {"output": [{"type": "message", "content": [{"type": "output_text", "text": text}]}]}


def body_of(route, language, candidate, tests):
    """A request of a route's form."""
    fenced = f"Here it is:\n```{language}\n{candidate}\n```\n"
    return {
        "/reward": {"completion": fenced, "tests": tests, "language": language, "timeout_s": 5},
        "/run_code": {"code": candidate, "language": FUSION[language], "tests": tests, "run_timeout": 5},
        "/verify": {"response": response(fenced), "verifier_metadata": {"tests": tests, "language": language}},
    }[route]


def post(batches):
    """The answers of one server to lists of requests, by route."""

    async def ask():
        workers = Workers(RewardConfig(workers=2, timeout_s=5))
        transport = httpx.ASGITransport(RewardServer(workers, one_key("secret-key")).app())
        headers = {"authorization": "Bearer secret-key"}
        async with httpx.AsyncClient(transport=transport, base_url="http://here", timeout=None) as client:
            asked = [client.post(route, json=bodies, headers=headers) for route, bodies in batches]
            return await asyncio.gather(*asked)

    answers = asyncio.run(ask())
    assert [answer.status_code for answer in answers] == [200] * len(answers), answers[0].text
    return answers


def held(names, answers):
    """The honest program is rewarded, and nothing else is."""
    got = {name: (each["reward"], each["outcome"]) for name, each in zip(names, answers, strict=True)}
    honest = {name: got.pop(name) for name in list(got) if name.startswith("honest")}
    assert honest and set(honest.values()) == {(1.0, "passed")}
    assert {name: found for name, found in got.items() if found[0] != 0.0} == {}


@pytest.mark.parametrize("route", ROUTES)
def test_a_batch_of_cheats_gets_no_reward(route):
    with bait() as laid:
        programs = cheats("python", laid.port, laid.path)
        (answer,) = post([(route, [body_of(route, "python", code, tests) for _, code, tests in programs])])
        assert laid.secret not in answer.text and not laid.touched()
    held([name for name, _, _ in programs], answer.json())


@pytest.mark.slow
@pytest.mark.parametrize("language", COMPILED)
def test_cheats_in_other_languages_get_no_reward_on_any_route(language):
    if missing := missing_toolchains([language]):
        pytest.skip(missing[language])
    with bait() as laid:
        programs = cheats(language, laid.port, laid.path)
        batches = [(route, [body_of(route, language, *program[1:]) for program in [programs[0], *programs[1 + at :: 3]]])
                   for at, route in enumerate(ROUTES)]  # fmt: skip
        answers = post(batches)
        assert not any(laid.secret in answer.text for answer in answers) and not laid.touched()
    for at, answer in enumerate(answers):
        held(["honest", *[name for name, _, _ in programs[1 + at :: 3]]], answer.json())


PROGRAMS = {
    "honest": "print(int(input()) * 2)",
    "nothing at all": "",
    "leaves with exit code 0": "import os\nos._exit(0)",
    "leaves by an exception": "raise SystemExit(0)",
    "prints every answer": "for n in range(100): print(n)",
    "prints the harness' marks": "import sys\nprint('passed')\nprint('ready', file=sys.stderr)\nsys.stdout.flush()",
    "reads the expected output": "import gc\nseen = ''.join(x for x in gc.get_objects() if isinstance(x, str))\nprint(8 if '8' + chr(10) + 'expected' in seen else 'no')",
    "an output that equals everything": "import sys\nclass Yes(str):\n    def __eq__(self, other): return True\nsys.stdout.getvalue = lambda: Yes()",
    "a stream of its own": "import sys\nclass Any:\n    def __getattr__(self, name): return lambda *a: 8\nsys.stdout = Any()",
    "writes to the pipes": "import os, struct\nfor fd in range(3, 12):\n    for text in (b'[\"ok\",\"8\\\\n\",[],[]]', b'passed'):\n        try: os.write(fd, struct.pack('<Q', len(text)) + text)\n        except OSError: pass",
    "kills its parent": "import os\ntry: os.kill(os.getppid(), 9)\nexcept OSError: pass\nos._exit(0)",
    "outlives itself": "import os\ntry: os.fork()\nexcept OSError: pass\nos._exit(0)",
    "a thread that goes on": "import threading, time, os\ndef later():\n    while True: time.sleep(0.01); os.write(1, b'8')\nthreading.Thread(target=later, daemon=True).start()",
}
"""Programs of stdin and stdout, as NeMo Gym's `unit_tests` judge them."""


def test_programs_of_stdin_and_stdout_cannot_cheat_either():
    told = {"unit_tests": {"inputs": ["4\n", "21\n"], "outputs": ["8", "42"], "fn_name": None}}
    bodies = [
        {"response": response(f"```python\n{code}\n```"), "verifier_metadata": told} for code in PROGRAMS.values()
    ]
    held(list(PROGRAMS), post([("/verify", bodies)])[0].json())
