"""Repairs of functions that need something of their file are proved with it, and say what is lacking without it."""

from functools import partial

from codeocean.context.python import PythonFile
from codeocean.generate.bugs import draw_bugs
from codeocean.verify.checks import check_instance
from codeocean.verify.edits import prove_edit
from codeocean.verify.programs import in_context
from eval.sandbox import run_program
from eval.sandbox.proof import prove

SANDBOX = partial(prove, timeout=2.0, memory_mb=512)

FILE = '''
import math
STEP = 2

def half(n):
    return n / STEP

def area(a, b):
    """Area of a triangle.

    >>> area(3, 4)
    6.0
    """
    return math.floor(half(a * b) * 10) / 10
'''
CODE = "def area(a, b):\n    return math.floor(half(a * b) * 10) / 10"
TESTS = [
    {"arguments": [3, 4], "expected": 6.0},
    {"arguments": [0, 4], "expected": 0.0},
    {"arguments": [1, 1], "expected": 0.5},
]


def instance(kept: bool):
    context = PythonFile(FILE).context("area", CODE)
    assert context.missing == ""
    source = {"id": "r", "name": "area", "language": "python", "code": CODE, "docstring": ">>> area(3, 4)\n6.0"}
    if kept:
        source |= {"context": context.text, "context_missing": ""}
    bug = next(bug.code for bug in draw_bugs(CODE, "python", 20, 0) if "half(a + b)" in bug.code)
    generation = {"id": "g", "information": bug, "solution": CODE, "instruction": "Repair it.", "target_language": ""}
    return generation, source


def test_a_repair_is_proved_with_what_it_needs(tasks):
    repair = next(task for task in tasks.values() if task.information == "mutated code")
    generation, source = instance(kept=True)
    columns, checks = prove_edit(repair, generation, source, TESTS, SANDBOX)
    assert (columns["proof"], checks["tests"]) == ("tests", "passed")
    assert columns["mutants_killed"] > 0


def test_without_it_the_repair_is_not_runnable_and_says_why(tasks):
    repair = next(task for task in tasks.values() if task.information == "mutated code")
    generation, source = instance(kept=False)
    columns, checks = prove_edit(repair, generation, source, TESTS, SANDBOX)
    assert columns["proof"] == "none"
    assert checks["tests"].startswith("not runnable: NameError")
    source |= {"context": "", "context_missing": "imports from its own package"}
    assert (
        prove_edit(repair, generation, source, TESTS, SANDBOX)[1]["tests"]
        == "not runnable: imports from its own package"
    )


def test_the_probe_calls_the_function_and_not_its_helper(tasks):
    repair = next(task for task in tasks.values() if task.information == "mutated code")

    def run(program, language, stdin):
        return run_program(program, language=language, timeout=20, memory_mb=1024, stdin=stdin)

    checks = check_instance(repair, *instance(kept=True), run)
    assert (checks["examples"], checks["bug"]) == ("passed", "passed")
    assert checks.get("shown by", "area(").startswith("area(")
    assert check_instance(repair, *instance(kept=False), run)["bug"] == "cannot be called alone"


def test_code_without_a_context_stays_as_it_is():
    row = {"language": "python", "code": CODE}
    assert in_context(row, CODE) == in_context(row | {"context": ""}, CODE) == CODE
