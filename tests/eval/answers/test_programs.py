"""A program ends as Python does, with its threads and what it registered for its end, and with nobody else's."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from eval.answers.programs import program_candidate

NOT_JOINED = """
import threading, time
def late():
    time.sleep(0.05)
    print(int(input()) * 2)
threading.Thread(target=late).start()
"""
POOL = """
from concurrent.futures import ThreadPoolExecutor
pool = ThreadPoolExecutor(2)
def double(n):
    return 2 * n
print(pool.submit(double, int(input())).result())
"""

AT_END = """
import atexit, io, sys
lines = io.StringIO()
@atexit.register
def write():
    sys.stdout.write(lines.getvalue())
lines.write(f"{int(input()) * 2}\\n")
sys.exit()
"""
LEFT = """
import sys, threading, time
n = int(input())
threading.Thread(target=lambda: (time.sleep(0.05), print(2 * n))).start()
sys.exit()
"""


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "program",
    [NOT_JOINED, POOL, AT_END, LEFT],
    ids=["a thread nobody joins", "a pool nobody shuts down", "written at the end", "a thread behind sys.exit"],
)
def test_a_program_ends_with_its_threads_and_not_with_others(program):
    space: dict = {}
    exec(program_candidate(program), space)  # the test's own text, not a model's
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # its thread stays, for more work
        assert [space["run_program"](f"{n}\n") for n in (2, 5)] == ["4\n", "10\n"]
