"""Verdicts from a process that the candidate does not share: what crosses, what does not, and who decides."""

import contextlib
import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from eval.sandbox import run as sandbox
from eval.sandbox.fork_server import fork_server
from eval.sandbox.oracle import judge
from eval.sandbox.process_tree import SandboxError


def outcome(candidate, tests, language="python", timeout=5.0, **options):
    return judge(candidate, tests, language=language, timeout=timeout, memory_mb=512, **options)


CROSSES = {
    "scalars": ("def f(x): return x", "for x in (0, -1, 2**700, 1.5, float('inf'), 'é\\ud800', b'\\xff', None, True, 1j): assert f(x) == x and type(f(x)) is type(x)"),
    "nan": ("def f(x): return x", "import math\nassert math.isnan(f(float('nan')))"),
    "containers": ("def f(x): return x", "for x in ([1, (2, {3})], {'a': {1: ()}}, frozenset([1]), bytearray(b'x'), range(3)): assert f(x) == x and type(f(x)) is type(x)"),
    "library types": ("import collections, decimal, datetime, fractions\ndef f(n): return [collections.Counter('aab'), collections.deque([1]), decimal.Decimal('1.10'), datetime.date(2020, 1, 2), fractions.Fraction(1, 3), datetime.timedelta(1)][n]",
                      "import collections, decimal, datetime, fractions\nassert [f(n) for n in range(6)] == [{'a': 2, 'b': 1}, collections.deque([1]), decimal.Decimal('1.10'), datetime.date(2020, 1, 2), fractions.Fraction(1, 3), datetime.timedelta(1)]"),
    "changed arguments": ("def f(x, d):\n    x.sort()\n    d['k'] = 1", "x, d = [3, 1, 2], {}\nassert f(x, d) is None and x == [1, 2, 3] and d == {'k': 1}"),
    "keywords": ("def f(a, *, b=1): return a - b", "assert f(5, b=2) == 3"),
    "generator": ("def f():\n    n = 0\n    while True:\n        yield n\n        n += 1", "import itertools\nassert list(itertools.islice(f(), 3)) == [0, 1, 2]"),
    "instances": ("class Node:\n    def __init__(self, x): self.x, self.next = x, None\ndef total(n): return n.x + (total(n.next) if n.next else 0)", "a = Node(1)\na.next = Node(2)\nassert total(a) == 3 and a.next.x == 2"),
    "function returned": ("def f(n): return lambda x: x + n", "assert f(2)(3) == 5"),
    "function passed": ("def f(g, x): return g(g(x))", "assert f(lambda x: x * 3, 2) == 18"),
    "exceptions by name": ("class Mine(ValueError): pass\ndef f(): raise Mine('no')", "try: f()\nexcept ValueError as e: assert str(e) == 'no'\nelse: assert False"),
    "an entry point that hides a builtin": ("def sum(a, b): return a * b", "assert sum(3, 4) == 12", {"entry_point": "sum"}),
    "helpers of the tests": ("def poly(x): return 0\ndef f(x): return x", "def poly(x): return x\nassert poly(f(3)) == 3"),
    "a module that only the candidate imports": ("import math\ndef f(): return 1.0", "assert math.isclose(f(), 1.0)"),
}  # fmt: skip


@pytest.mark.parametrize("name", CROSSES)
def test_crosses(name):
    candidate, tests, *options = CROSSES[name]
    done = outcome(candidate, tests, **(options[0] if options else {}))
    assert done.passed, done
    assert done.oracle == "process"


ENDS = {
    "failed": [("def f(): return 1", "assert f() == 2")],
    "exception": [("def f(): return 1 / 0", "f()"), ("import sys\nsys.exit(0)", "f()"), ("x = 1", "assert f() == 1"), ("class A: pass\ndef f(): return A()", "assert f() + 1 == 1")],
    "syntax": [("def f(:", "f()")],
    "timeout": [("def f():\n    while True: pass", "f()")],
    "memory": [("def f(): return len('x' * 10**10)", "f()"), ("x = 'x' * 10**10", "x")],
    "crashed": [("import os\ndef f(): os._exit(0)", "f()"), ("import ctypes\nctypes.string_at(0)", "f()")],
}  # fmt: skip


@pytest.mark.parametrize(("end", "candidate", "tests"), [(end, *pair) for end in ENDS for pair in ENDS[end]])
def test_ends_are_told_apart(end, candidate, tests):
    done = outcome(candidate, tests, timeout=1.0 if end == "timeout" else 5.0)
    assert (done.outcome, done.passed) == (end, False), done


def test_not_covered_tests_that_pass_what_is_no_plain_data_say_so():
    done = outcome("def f(x): return 1", "import threading\nassert f(threading.Lock()) == 1")
    assert done.outcome == "exception"
    assert "the tests pass a lock to the candidate, which is no plain data" in done.stderr


def test_nothing_of_one_program_is_left_for_the_next():
    leaves = "import builtins, math, os\nbuiltins.left = math.pi = 3\nopen('/tmp/left', 'w').write('x')\nos.environ['LEFT'] = '1'\ndef f(): return 1"
    finds = "import builtins, math, os\ndef f(): return [hasattr(builtins, 'left'), math.pi == 3, os.path.exists('/tmp/left'), 'LEFT' in os.environ]"
    assert outcome(leaves, "assert f() == 1").passed
    assert outcome(finds, "assert f() == [False] * 4").passed


def test_random_numbers_differ_from_program_to_program():
    drawn = {outcome("import random\ndef f(): print(random.random())", "f()").stdout for _ in range(3)}
    assert len(drawn) == 3


def test_infrastructure_failures_are_retried_and_then_raised(monkeypatch):
    calls = []

    def fail_twice(*args, **kwargs):
        calls.append(1)
        if len(calls) < 3:
            raise SandboxError("no memory for a fork")
        return start(*args, **kwargs)

    start = sandbox.start_python
    monkeypatch.setattr("eval.sandbox.oracle.start_python", fail_twice)
    monkeypatch.setattr(sandbox.time, "sleep", lambda _: None)
    assert outcome("def f(): return 1", "assert f() == 1").passed
    monkeypatch.setattr(
        "eval.sandbox.oracle.start_python", lambda *a, **k: (_ for _ in ()).throw(SandboxError("never"))
    )
    with pytest.raises(SandboxError, match="never"):
        outcome("def f(): return 1", "assert f() == 1")


def test_a_process_with_many_files_open_judges_as_any():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.ExitStack() as files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 4096), hard))
        files.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(1100):
            files.enter_context(Path(os.devnull).open())
        done = outcome("import os\ndef f(): os._exit(0)", "f()")
    assert (done.outcome, done.passed) == ("crashed", False), done


def test_a_machine_without_memory_is_no_verdict(monkeypatch):
    counts = iter(range(100))
    monkeypatch.setattr(sandbox, "kills_for_memory", lambda: next(counts))
    monkeypatch.setattr(sandbox.time, "sleep", lambda _: None)
    with pytest.raises(SandboxError, match="the machine ran out of memory"):
        sandbox.retried(lambda: sandbox.Outcome(False, "killed", 0.1, "", ""))
    assert sandbox.retried(lambda: sandbox.Outcome(False, "failed", 0.1, "", "")).outcome == "failed"


def test_a_program_cannot_pass_for_an_infrastructure_failure():
    forged = "import os\nos.write(2, b'bwrap: sandbox: did not start')\nos._exit(97)"
    assert outcome(forged, "f()").outcome == "crashed"


@contextlib.contextmanager
def one_processor(programs):
    """Programs that spin on one processor, which the sandbox has for its own, too. The others are for other tests."""
    processor, spin = min(os.sched_getaffinity(0)), [sys.executable, "-c", "while True: pass"]
    server = psutil.Process(fork_server().process_id)
    tree = [server, *server.children(recursive=True)]
    # Sessions of their own: processes of one session may share their turns of a processor.
    spinning = [subprocess.Popen(spin, start_new_session=True) for _ in range(programs)]
    try:
        for process in (*tree, *(psutil.Process(each.pid) for each in spinning)):
            process.cpu_affinity([processor])
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()
        for process in tree:
            process.cpu_affinity([])  # all of them


def test_a_slow_but_correct_program_passes_on_a_machine_four_times_overloaded():
    work = "import time\ndef f():\n    begun = time.process_time()\n    while time.process_time() - begun < 0.5: pass\n    return 1"
    with one_processor(programs=4):
        begun = time.monotonic()
        done = outcome(work, "assert f() == 1", timeout=1.0, packages=())
        took = time.monotonic() - begun
    assert done.passed, done
    assert took > 1.0  # so the machine was as busy as it should be


def test_without_a_fork_server_the_verdicts_are_the_same(monkeypatch):
    from eval.sandbox.isolation import Isolation

    monkeypatch.setattr("eval.sandbox.isolation", lambda: Isolation("namespaces", forks=False))
    assert outcome("def f(x): return x + 1", "assert f(1) == 2").passed
    assert outcome("import os\nos._exit(0)", "assert f(1) == 2").outcome == "crashed"


def test_unsafe_runs_without_isolation_and_says_so():
    done = outcome("def f(x): return x + 1", "assert f(1) == 2", unsafe_no_sandbox=True)
    assert (done.passed, done.isolation) == (True, "none")
