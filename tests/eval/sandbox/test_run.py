"""What a program can and cannot do. Each "not covered" has a test that shows it is really not."""

import contextlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from eval.sandbox import isolation
from eval.sandbox import run as sandbox
from eval.sandbox.attack_suite import bait, load_attacks, run_attack
from eval.sandbox.process_tree import watch
from eval.sandbox.run import run_program

ROOT = Path(__file__).parents[3]


def run(source, timeout=5.0, memory_mb=512, **options):
    return run_program(source, language="python", timeout=timeout, memory_mb=memory_mb, **options)


OUTCOMES = {
    "passed": [
        "assert 1 + 1 == 2",
        "import math, json, re, collections",
        "print('x' * 10_000_000)",
        "import threading\nt = threading.Thread(target=print)\nt.start()\nt.join()",
        "open('/tmp/x', 'w').write('y')",
    ],
    "failed": ["assert False"],
    "exception": [
        "1 / 0",
        "import sys; sys.exit(0)",
        "raise SystemExit",
        "raise KeyboardInterrupt",
        "exit()",
    ],
    "syntax": ["def f(:", "x = '\0'"],
    "timeout": [
        "while True: pass",
        "import time; time.sleep(60)",
        "while True:\n    try:\n        while True: pass\n    except BaseException: pass",
    ],
    "memory": ["x = 'a' * 10**10"],
    "crashed": ["import os; os._exit(0)", "import ctypes; ctypes.string_at(0)", "import os; os.abort()"],
}


@pytest.mark.parametrize(("outcome", "source"), [(name, source) for name in OUTCOMES for source in OUTCOMES[name]])
def test_outcomes_are_told_apart(outcome, source):
    assert run(source, timeout=1.0 if outcome == "timeout" else 10.0).outcome == outcome


ATTACKS = {
    "network": "import socket; socket.create_connection(('{host}', {port}), 2)",
    "host file": "open('{secret}').read()",
    "repository": f"import os; assert not os.path.exists({str(ROOT)!r}), 'seen'; raise OSError",
    "password file": "open('/etc/passwd')",
    "write to the system": "open('/usr/x', 'w')",
    "write to the interpreter": f"open({sys.base_prefix + '/x'!r}, 'w')",
    "fork": "import os; os.fork()",
    "subprocess": "import subprocess; subprocess.run(['ls'])",
    "kill the parent": "import os; os.kill(os.getppid(), 9); raise OSError",
    "see other processes": "import os\nassert len([p for p in os.listdir('/proc') if p.isdigit()]) > 3",
    "ptrace": "import ctypes\nif ctypes.CDLL(None, use_errno=True).ptrace(0, 0, 0, 0) < 0: raise OSError",
    "new namespace": "import ctypes\nif ctypes.CDLL(None, use_errno=True).unshare(0x10000000) < 0: raise OSError",
    "fill the disk": "f = open('/tmp/x', 'wb')\nwhile True: f.write(b'x' * 2**20)",
    "many files": "a = [open('/dev/null') for _ in range(1000)]",
    "environment": "import os; os.environ['WAVECODER_SECRET']",
    "raise the limits": "import resource; resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
}


@pytest.mark.parametrize("name", ATTACKS)
def test_attack_fails(name, tmp_path, monkeypatch):
    import socket

    (tmp_path / "secret").write_text("hidden")
    monkeypatch.setenv("WAVECODER_SECRET", "hidden")
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        source = (
            ATTACKS[name]
            .replace("{host}", host)
            .replace("{port}", str(port))
            .replace("{secret}", str(tmp_path / "secret"))
        )
        outcome = run(source)
    assert outcome.outcome in {"failed", "exception", "crashed"}, outcome
    assert "hidden" not in outcome.stdout + outcome.stderr
    assert "seen" not in outcome.stderr


def test_forged_report_does_not_pass():
    forged = (
        "import os\nfor fd in range(3, 64):\n    try: os.write(fd, b'passed')\n    except OSError: pass\nos._exit(0)"
    )
    assert run(forged).outcome == "crashed"


def test_not_covered_by_run_program_a_cheat_can_find_the_nonce_in_the_harness():
    cheat = (
        "import sys, os\nframe = sys._getframe()\nwhile 'order' not in frame.f_locals: frame = frame.f_back\n"
        "os.write(3, (frame.f_locals['order']['nonce'] + ' passed').encode())\nos._exit(0)"
    )
    assert run(cheat).passed


def test_nothing_is_left_behind():
    before = {path.name for path in Path("/tmp").iterdir()}
    run("open('/tmp/left-behind', 'w').write('x')\nimport time\ntime.sleep(60)", timeout=1.0)
    assert "left-behind" not in {path.name for path in Path("/tmp").iterdir()} - before
    running = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert "/bootstrap.py" not in running


def test_output_is_kept_only_up_to_its_limit():
    assert len(run("print('x' * 5_000_000)").stdout) == sandbox.MAX_OUTPUT_BYTES


def test_the_names_that_a_plain_interpreter_has_are_there():
    assert run("for name in ('exit', 'quit', 'help'):\n    eval(name)").passed
    assert run("try:\n    exit(3)\nexcept SystemExit as end:\n    assert end.code == 3").passed


def test_program_reads_its_input():
    assert run("assert input() == 'hello'", stdin="hello\n").passed


def test_without_isolation_it_refuses_unless_told(monkeypatch):
    isolation.isolation.cache_clear()
    monkeypatch.setattr(isolation, "_bubblewrap", lambda: "/bin/false")
    monkeypatch.setattr(isolation, "landlock_version", lambda: 0)
    try:
        with pytest.raises(PermissionError, match="this machine offers no isolation"):
            run("x = 1")
        assert run("x = 1", unsafe_no_sandbox=True).passed
    finally:
        isolation.isolation.cache_clear()


def test_other_languages_are_refused():
    with pytest.raises(ValueError, match="the sandbox runs python, javascript, "):
        run_program("x", language="cobol", timeout=1.0, memory_mb=64)


LANDLOCKED = [
    "a file of the host",
    "network",
    "kills whatever it can",
    "traces its parent",
    "a shell",
    "other processes",
    "reads installed packages",
    "writes beside its own folder",
]


def test_where_namespaces_are_refused_landlock_takes_over_and_says_so(monkeypatch):
    if isolation.landlock_version() < isolation.LANDLOCK_NEEDED:
        pytest.skip(
            f"this kernel's Landlock is version {isolation.landlock_version()}, not {isolation.LANDLOCK_NEEDED}"
        )
    isolation.isolation.cache_clear()
    monkeypatch.setattr(isolation, "_bubblewrap", lambda: "/bin/false")
    before = {path.name for path in Path("/tmp").iterdir()}
    try:
        assert isolation.isolation() == isolation.Isolation("landlock")
        attacks = {attack.name: attack for attack in load_attacks("python")}
        with bait() as laid:
            results = [run_attack(attacks[name], laid) for name in ["honest", *LANDLOCKED]]
    finally:
        isolation.isolation.cache_clear()
    assert all(result.stopped and result.outcome.isolation == "landlock" for result in results), results
    assert not [
        path.name for path in Path("/tmp").iterdir() if path.name.startswith("wavecoder-") and path.name not in before
    ]


def test_many_programs_leave_no_process_no_namespace_and_no_descriptor():
    def state():
        pending, found = [os.getpid()], {}
        while pending:
            for children in Path(f"/proc/{pending.pop()}/task").glob("*/children"):
                for child in children.read_text().split():
                    with contextlib.suppress(FileNotFoundError):  # it is just ending
                        found[child] = tuple(
                            (Path(f"/proc/{child}/ns") / kind).readlink() for kind in ("pid", "mnt", "net")
                        )
                    pending.append(child)
        return len(list(Path("/proc/self/fd").iterdir())), found

    run("x = 1")
    files, processes = state()
    for _ in range(60):
        assert run("import threading; threading.Thread(target=input, daemon=True).start()").passed

    def more():  # what ended late of the programs before is no matter
        files_now, processes_now = state()
        return files_now > files or processes_now.items() - processes.items()

    deadline = time.monotonic() + 60
    while more() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not more()


def test_a_program_that_ends_by_its_limit_of_cpu_before_anybody_looks_is_late():
    """As on a busy machine, where this process gets no processor for as long."""
    order = sandbox.python_order("program", "while True: pass", sandbox.Limits(0.2, 256))
    tree = sandbox.start_python(order)
    assert watch([tree], 600, 60)
    assert sandbox.ending(tree, order, in_time=True) == "timeout"
