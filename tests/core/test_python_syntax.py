"""Python's parser in several threads."""

import ast
import sys
import threading

import pytest

from core.python_syntax import python_literal, python_tree

NESTED = "rows = " + "[" * 30 + "1" + "]" * 30 + "\ntotal = " + "+".join("abc" * 10) + "\n"
FLAT = "def add(a, b):\n    return a + b\n" * 20


class Circle:
    """Garbage with a finalizer, which lets another thread in while it is collected."""

    def __init__(self):
        self.own = self

    def __del__(self):
        pass


@pytest.fixture
def hasty():
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(before)


def test_threads_parse_beside_each_other_while_garbage_is_collected(hasty):
    failures = []

    def parse(text):
        try:
            for _ in range(40):
                tree = python_tree(text)
                garbage = [Circle() for _ in range(20)]
                assert ast.dump(tree) == expected[text] and len(garbage) == 20
                assert python_literal("{'a': [1, (2, 3)]}") == {"a": [1, (2, 3)]}
        except BaseException as error:  # a thread's error is no test's
            failures.append(repr(error))

    expected = {text: ast.dump(ast.parse(text)) for text in (NESTED, FLAT)}
    threads = [threading.Thread(target=parse, args=(text,)) for text in (NESTED, FLAT) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


@pytest.mark.parametrize("text", ["def f(:", "x = '\0'", "(" * 300 + ")" * 300])
def test_what_is_no_program_is_told_as_by_ast(text):
    with pytest.raises(Exception) as theirs:
        ast.parse(text)
    with pytest.raises(theirs.type):
        python_tree(text)
