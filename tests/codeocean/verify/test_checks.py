"""What is said to be verified is: by the real sandbox, on code that is right, wrong, endless and hostile."""

import json
import signal
import subprocess
import sys
import time
from functools import partial

import pytest
from pyarrow import fs as pafs

from codeocean.verify.checks import (
    NO_SANDBOX,
    PROBE,
    VerifyConfig,
    check_compiles,
    check_instance,
    check_names,
    count_verified,
    examples_of,
    why_dropped,
)
from codeocean.verify.flow import _run, verify
from eval.sandbox.run import run_program
from tests.codeocean.conftest import raw_row

RUN = partial(_run, run_program, 20.0, 512)
ADD = "def add(a, b):\n    return a + b"


def generation(**fields) -> dict:
    return {"id": "g", "task": "generation", "instruction": "Add.", "information": "", "solution": ADD,
            "target_language": ""} | fields  # fmt: skip


def source(**fields) -> dict:
    return raw_row() | {"code": ADD, "docstring": ""} | fields


def test_examples_of_the_instance_and_of_the_raw_code_are_run(tasks):
    task, documented = tasks["generation"], source(docstring="Add.\n\n>>> add(1, 2)\n3")
    assert check_instance(task, generation(), documented, RUN) == {"parses": "passed", "examples": "passed"}
    wrong = generation(solution="def add(a, b):\n    return a - b")
    assert check_instance(task, wrong, documented, RUN)["examples"] == "failed"
    own = generation(instruction="Add, such as\n>>> add(1, 2)\n4")
    assert check_instance(task, own, source(), RUN)["examples"] == "failed"
    assert check_instance(task, generation(), source(), RUN) == {"parses": "passed"}


def test_examples_that_the_raw_code_itself_does_not_pass_bind_nobody(tasks):
    documented = source(docstring=">>> Context.add(1, 2)\n3")
    assert check_instance(tasks["generation"], generation(), documented, RUN) == {"parses": "passed"}
    assert examples_of(generation(solution="def plus(a, b): return a + b"), documented) == ("", "")


@pytest.mark.parametrize(
    ("mutant", "expected"),
    [
        ("def add(a, b):\n    return a - b", "passed"),
        ("def add(a, b):\n    while True:\n        pass", "passed"),
        ("def add(a, b):\n    return b + a if False else a + b", "no call shows it"),
    ],
)
def test_a_bug_is_a_bug_when_a_call_shows_it(tasks, mutant, expected):
    found = check_instance(tasks["repair"], generation(task="repair", information=mutant), source(), RUN)
    assert found["bug"] == expected
    assert ("shown by" in found) == (expected == "passed")


def test_an_example_shows_a_bug_too(tasks):
    code = "def size(box):\n    return box.width + 1"
    documented = source(code=code, docstring=">>> class B: width = 2\n>>> size(B())\n3")
    row = generation(task="repair", solution=code, information=code.replace("1", "2"))
    assert check_instance(tasks["repair"], row, documented, RUN) == {
        "parses": "passed",
        "examples": "passed",
        "bug": "passed",
    }


def test_what_cannot_be_called_alone_says_so(tasks):
    code = "def go(self):\n    return self.speed + 1"
    row = generation(task="repair", solution=code, information=code.replace("1", "2"))
    assert check_instance(tasks["repair"], row, source(code=code), RUN)["bug"] == "cannot be called alone"


def test_a_call_that_only_waits_for_the_processor_does_not_hang(tasks):
    """Sleeping takes the place of a busy machine: 0.3 s by the clock and none of the processor's."""
    code = "import time\ndef f(x):\n    time.sleep(0.3)\n    return x == 1"
    row = generation(task="repair", solution=code, information=code.replace("x == 1", "x == 2"))
    found = check_instance(tasks["repair"], row, source(code=code), RUN)
    assert (found["bug"], found["shown by"]) == ("passed", "f(1) gives False, not True")


@pytest.mark.parametrize(
    ("code", "mutant", "bug"),
    [
        ("import time\ndef f(x):\n    time.sleep(9)", "def f(x):\n    return 1", "cannot be called alone"),
        ("def f(x):\n    return 1", "import time\ndef f(x):\n    time.sleep(9)", "no call shows it"),
        ("def f(x):\n    return 1", "def f(x):\n    while True: pass", "passed"),
    ],
)
def test_a_sleeper_shows_nothing_and_an_endless_loop_does(tasks, code, mutant, bug):
    row = generation(task="repair", solution=code, information=mutant)
    assert check_instance(tasks["repair"], row, source(code=code), RUN)["bug"] == bug


def test_an_endless_loop_on_a_busy_machine_hangs_and_does_not_wait():
    """The probe is stopped from outside most of the time, as if fifteen programs shared its processor."""
    order = {"code": "def f(x):\n    return 1", "mutant": "def f(x):\n    while True: pass", "reference": "",
             "examples": "", "raw_examples": "", "mark": "mark"}  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-S", str(PROBE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as probe:
        probe.stdin.write(json.dumps(order))
        probe.stdin.close()
        while probe.poll() is None:
            time.sleep(0.01)
            probe.send_signal(signal.SIGSTOP)
            time.sleep(0.14)
            probe.send_signal(signal.SIGCONT)
        found = json.loads(probe.stdout.read().partition("mark")[2])
    assert found["compared"]["shown"] == "f(0) gives no answer, not 1"


@pytest.mark.parametrize(
    "attack", ["import os; os._exit(0)", "raise SystemExit", "while True: pass", "print('passed')"]
)
def test_code_that_ends_its_process_passes_nothing(tasks, attack):
    row = generation(solution=f"{attack}\n{ADD}", instruction=">>> add(1, 2)\n4")
    found = check_instance(tasks["generation"], row, source(), partial(_run, run_program, 3.0, 512))
    assert found["examples"] != "passed"


def test_without_a_sandbox_it_says_so_and_other_languages_too(tasks):
    row = generation(task="repair", information="def add(a, b):\n    return a - b")
    assert check_instance(tasks["repair"], row, source(), None) == {"parses": "passed", "bug": NO_SANDBOX}
    assert check_instance(tasks["repair"], row, source(language="go"), RUN) == {
        "parses": "passed",
        "bug": "not run: go",
    }


class Ended:
    def __init__(self, outcome: str) -> None:
        self.outcome, self.stdout, self.stderr = outcome, "", ""


@pytest.mark.parametrize(
    ("outcome", "expected"),
    [("passed", "passed"), ("syntax", "does not compile alone"), ("timeout", "not run: timeout"), (ValueError("x"), "not run: go"),
     (OSError("no compiler"), "not run: go")],
)  # fmt: skip
def test_a_translation_compiles_as_a_whole_program(tasks, outcome, expected):
    programs = []

    def run(program, language, stdin):
        programs.append((program, language))
        if isinstance(outcome, Exception):
            raise outcome
        return Ended(outcome)

    code = "func Up(s string) string {\n\treturn strings.ToUpper(s)\n}"
    row = generation(task="translation", solution=code, target_language="go")
    assert check_instance(tasks["translation"], row, source(), run) == {"parses": "passed", "compiles": expected}
    assert programs == [(f'package main\n\nimport "strings"\n\n{code}\n\nfunc main() {{}}\n', "go")]
    assert why_dropped(VerifyConfig(), {"compiles": expected}) == ""


def test_a_translation_to_python_compiles_by_its_own_parser_and_other_languages_say_so(tasks):
    assert check_compiles("def f(): pass", "python", None) == "passed"
    assert check_compiles("x = 1", "ruby", RUN) == "not run: ruby"
    assert check_compiles("x", "go", None) == NO_SANDBOX


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("It adds `a` and `b` and returns the sum.", "passed"),
        ("It calls add() twice.", "passed"),
        ("It adds `a` and `c`.", "failed"),
        ("It sorts them with merge_sort first.", "failed"),
        ("It returns the fullName of a user.", "failed"),
        ("It adds its two arguments, or returns `None`.", "mentions none"),
        ("It raises a `TypeError` where `a` is no number.", "passed"),
        ("It runs in JavaScript and Python.", "mentions none"),
    ],
)
def test_names_that_a_summary_mentions_are_in_the_code(prose, expected):
    assert check_names(prose, ADD) == expected


def test_what_fails_stops_unless_it_is_only_to_be_told():
    assert why_dropped(VerifyConfig(), {"parses": "passed", "names": "failed"}) == "verification: names failed"
    assert why_dropped(VerifyConfig(drop_failed=False), {"names": "failed"}) == ""
    hidden = {"bug": "no call shows it"}
    assert why_dropped(VerifyConfig(), hidden) == ""
    assert why_dropped(VerifyConfig(drop_hidden_bugs=True), hidden) == "verification: no call shows the bug"
    assert why_dropped(VerifyConfig(drop_hidden_bugs=True), {"bug": "cannot be called alone"}) == ""


def test_counts_are_by_task_and_check():
    rows = [
        ("repair", {"bug": "passed", "shown by": "f(1)"}),
        ("repair", {"bug": "passed"}),
        ("x", {"names": "failed"}),
    ]
    assert count_verified(rows) == {"repair: bug": {"passed": 2}, "x: names": {"failed": 1}}


@pytest.mark.slow
def test_instances_are_verified_on_ray_once(local_ray, tasks, tmp_path):
    pairs = [(generation(id=str(n), raw_id=str(n), instruction=f">>> add(1, {n})\n4"), source()) for n in range(5)]
    fs, folder = pafs.LocalFileSystem(), str(tmp_path)
    found = verify(VerifyConfig(), tasks, pairs, run_program, fs, folder)
    assert [checks["examples"] for checks in found] == ["failed", "failed", "failed", "passed", "failed"]
    assert verify(VerifyConfig(), tasks, pairs, None, fs, folder) == found  # read back, not run again
    assert (
        verify(VerifyConfig(execute=False), tasks, pairs, run_program, fs, f"{folder}/off")[0]["examples"] == NO_SANDBOX
    )
