"""A program's threads are waited for, as where Python ends, and no thread of anybody else is."""

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


@pytest.mark.timeout(30)
@pytest.mark.parametrize("program", [NOT_JOINED, POOL], ids=["a thread nobody joins", "a pool nobody shuts down"])
def test_a_program_ends_with_its_threads_and_not_with_others(program):
    space: dict = {}
    exec(program_candidate(program), space)  # the test's own text, not a model's
    with ThreadPoolExecutor(1) as pool:
        pool.submit(int).result()  # its thread stays, for more work
        assert [space["run_program"](f"{n}\n") for n in (2, 5)] == ["4\n", "10\n"]
