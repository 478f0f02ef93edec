"""What discriminator, proof and both keep of instances with faults, with a judge that says yes and a tester that knows."""

import asyncio
import json
from functools import partial

from pyarrow import fs as pafs

from codeocean.generate.golden_faults import cases_of, load_pairs
from codeocean.generate.settings import GenerateConfig, PriceConfig, RoleConfig
from codeocean.verify.golden_proof import Judges, decide, figures
from core.journal import Journal, Remembered
from eval.sandbox.proof import prove
from tests.codeocean.scripted import USED

PAIRS = load_pairs()
ROLE = RoleConfig(model="m", price=PriceConfig(prompt=1.0, completion=2.0))


async def believes(request):
    """A judge that believes everything."""
    yes = {"reason": "It holds as far as I can see.", "answer": "yes"}
    rules = [name for name in request.schema["properties"] if name != "overall"]
    return USED | {
        "text": json.dumps(dict.fromkeys(rules, yes) | {"overall": "yes"}),
        "finish_reason": "stop",
        "error": "",
    }


async def knows(request):
    """A tester that knows the calls of the function that it is shown."""
    shown = request.messages[-1]["content"].replace("_", "").lower()
    problem = next(pair.problem for pair in PAIRS if pair.problem.name.replace("_", "") in shown)
    tests = [{"arguments": given, "expected": expected} for given, expected in problem.calls]
    return USED | {"text": json.dumps({"tests": tests}), "finish_reason": "stop", "error": ""}


async def retells(request):
    """A solver that does what a summary says, and knows no other summary than those of right functions."""
    shown = request.messages[-1]["content"]
    pair = next((pair for pair in PAIRS if pair.language == "python" and pair.problem.summary in shown), None)
    code = pair.right if pair else "def count_in_range(*given): return None"
    return USED | {"text": json.dumps({"solution": code.split("\n")}), "finish_reason": "stop", "error": ""}


def test_tests_find_the_faults_that_a_judge_believes(tasks, tmp_path):
    config = GenerateConfig(generator=ROLE, discriminator=ROLE, mutants=4)
    remembered = Remembered(Journal(pafs.LocalFileSystem(), str(tmp_path)))
    sandbox = partial(prove, timeout=5.0, memory_mb=512)
    judges = Judges(config, tasks, (believes, "m"), (knows, "m"), sandbox, (retells, "m"), remembered)
    cases = [case for case in cases_of(PAIRS, ("python",), 3) if case.task in {"generation", "summarization"}]
    decided = asyncio.run(decide(cases, judges))
    found = figures(cases, decided, {"discriminator": ROLE, "tester": ROLE})
    generation = found["generation"]
    assert (generation["discriminator"]["precision"], generation["discriminator"]["recall"]) == (0.5, 1.0)
    assert (generation["proof"]["precision"], generation["both"]["recall"]) == (1.0, 1.0)
    assert generation["both"]["cost_per_instance"] == 2 * generation["proof"]["cost_per_instance"] > 0
    assert (found["summarization"]["proof"]["precision"], found["summarization"]["proof"]["recall"]) == (1.0, 1.0)
    assert found["all"]["discriminator"]["n"] == len(cases) == 12
