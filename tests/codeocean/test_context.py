"""What a function needs of its file: it runs with that alone, or collect says why not."""

import pytest

from codeocean.collect.folders import folder_units
from codeocean.collect.functions import extract_documented
from codeocean.collect.readers import read_unit
from codeocean.collect.settings import FolderSource
from codeocean.context.placed import placed
from codeocean.context.python import PythonFile, needed_names
from codeocean.context.reasons import (
    INNER,
    RELATIVE,
    STAR,
    TOO_LONG,
    UNKNOWN,
    UNREAD,
)

FILE = '''"""A module."""
import os, re
import os.path as osp
from collections import OrderedDict
from math import (
    floor,
    pi as PI,
)

try:
    import json
except ImportError:
    json = None

LIMIT: int = 3
UNUSED = print("runs")
NAMES = ["a"]
NAMES.append("b")
NAMES[0] = chr(97)
TABLE = {}
for letter in "xy":
    TABLE[letter] = LIMIT


def helper(n):
    """Doc."""
    return floor(n) + other(n)


def other(n, limit=LIMIT):
    return min(n, limit) + round(PI)


@decorated
def never(): pass


class Pair:
    """Two."""
    kind = NAMES

    def both(self):
        """Both."""
        return helper(2)


def plain(a, b):
    """Doc."""
    return max(a, b)


def shadowed(os):
    """Doc."""
    re = [LIMIT for LIMIT in os]
    return re


def deep(n: "Unknown", pairs=()) -> OrderedDict:
    """Doc."""
    def inner(m):
        return helper(m) if m else deep(m)
    return OrderedDict([(inner(n), Pair().both() if TABLE.get("x") else json.dumps([n]))])


def lost(n):
    """Doc."""
    return nowhere(n)


def outer():
    def hidden():
        """Doc."""
        return LIMIT
    return hidden
'''


def contexts(text):
    file = PythonFile(text)
    return {one.name: file.context(one.name, one.code) for one in extract_documented(text.encode(), "python")}


def run(context, code, name):
    space = {}
    exec(compile(f"{context}\n\n\n{code}", "alone", "exec"), space)
    return space[name]


def test_a_function_runs_with_its_context_alone():
    file = PythonFile(FILE)
    functions = {one.name: one.code for one in extract_documented(FILE.encode(), "python")}
    found = file.context("deep", functions["deep"])
    assert found.missing == ""
    assert list(run(found.text, functions["deep"], "deep")(2)) == [2 + 2 + 3]
    assert "UNUSED" not in found.text and "never" not in found.text and "import os" not in found.text
    assert found.text.count('NAMES.append("b")') == 1  # what changes an object that is needed
    assert run(file.context("helper", functions["helper"]).text, functions["helper"], "helper")(5) == 11


@pytest.mark.parametrize("mark", ["\x0c", "\x1c", "\x85", "\u2028"], ids=ascii)
def test_what_is_a_line_break_for_text_and_none_for_python_moves_no_line(mark):
    page = "\x0c\n" if mark == "\x0c" else f"# {mark}\n"  # old files part their sections by form feeds
    file = (f'SIZE = 3\n{page}\n\ndef twice(n):\n    return n * 2\n\n\nclass Box:\n    side = 1\n{page}\n'
            "    def area(self):\n        return self.edge() * SIZE\n\n    def edge(self):\n"
            "        return twice(self.side)\n")  # fmt: skip
    found = PythonFile(file).context("Box.area", "    def area(self):\n        return self.edge() * SIZE\n")
    assert found.missing == ""
    assert "return twice(self.side)" in found.text and "return n * 2" in found.text and "SIZE = 3\n" in found.text


def test_what_needs_nothing_has_an_empty_context():
    found = contexts(FILE)
    for name in ("plain", "shadowed"):
        assert (found[name].text, found[name].missing) == ("", "")


def test_what_cannot_be_run_alone_says_why():
    found = contexts(FILE)
    assert found["lost"].missing == f"{UNKNOWN}: nowhere"
    assert found["Pair.both"].missing == ""
    assert found["hidden"].missing == INNER
    assert found["lost"].text == ""
    head = 'def f(x):\n    """Doc."""\n    return {}\n'
    for text, missing in (
        ("from .a import b\n" + head.format("b(x)"), RELATIVE),
        ("from a import *\n" + head.format("b(x)"), f"{STAR}: b"),
        ("A = [" + "1, " * 9000 + "]\n" + head.format("A"), TOO_LONG),
        ("print 1\n" + head.format("x"), UNREAD),
    ):
        assert [one.missing for one in contexts(text).values()] == [missing]


def test_annotations_of_the_future_need_no_names():
    text = 'from __future__ import annotations\nLIMIT = 2\n\ndef f(x: Unknown) -> Lost:\n    """Doc."""\n    return x + LIMIT\n'
    found = contexts(text)["f"]
    assert found.missing == ""
    code = "def f(x: Unknown) -> Lost:\n    return x + LIMIT\n"
    assert run(found.text, code, "f")(1) == 3


@pytest.mark.parametrize(
    ("code", "names"),
    [
        ("def f(a, b=C):\n    return D.e(a, b)", {"C", "D"}),
        ("@d\ndef f():\n    global G\n    G = 1", {"d"}),
        ("class A(B):\n    x = y\n    def m(self): return x", {"B", "y", "x"}),
        ("def f():\n    return [z for z in w if (lambda q: q + v)(z)]", {"w", "v"}),
        ("def f(x", None),
    ],
)
def test_needed_names_are_those_of_the_scope_rules(code, names):
    assert needed_names(code) == names


def test_a_folder_keeps_contexts_only_if_asked(tmp_path):
    (tmp_path / "a.py").write_text(FILE)
    secret = 'A = "AKIA' + "Q3EGRIZ7" * 2 + '"'
    (tmp_path / "c.py").write_text(f'{secret}\n\ndef hidden_key(x):\n    """Doc."""\n    return A\n')
    (tmp_path / "b.rb").write_text("# F adds.\ndef F(n)\n  n + 1\nend\n")
    for asked in (False, True):
        source = FolderSource(kind="folder", path=str(tmp_path), context=asked)
        rows = [row for unit in folder_units(source) for batch in read_unit(unit) for row in batch.to_pylist()]
        found = {row["name"]: (row["context"][:9], row["context_missing"]) for row in rows}
        assert found["helper"] == (("from math", "") if asked else ("", ""))
        assert found["hidden_key"] == ("", "needs a secret" if asked else "")
        assert found["F"] == ("", "is not looked for in its language" if asked else "")


NAMED_LATE = """TOTAL = 0
TOTAL = TOTAL + 2

def first():
    return TOTAL

def hook(call):
    return call

def run(n):
    return around(n) + first()

def around(n):
    return CHOSEN is run and n

CHOSEN = hook(run)

def top(which, howmuch, super=None):
    return which + howmuch + first()
"""


def test_statements_that_read_the_function_stand_behind_it():
    code = "def run(n):\n    return around(n) + first()"
    context = PythonFile(NAMED_LATE).context("run", code)
    assert context.missing == ""
    assert run(placed(context.text, code, "python"), "", "run")(3) == 5


def test_a_function_may_be_called_top_and_have_a_parameter_super():
    code = "def top(which, howmuch, super=None):\n    return which + howmuch + first()"
    assert needed_names(code) == {"first"}
    assert needed_names("def top():\n    global a\n    a = super\n    return a") == {"a", "super"}
    context = PythonFile(NAMED_LATE).context("top", code)
    assert (context.missing, "TOTAL = 0" in context.text) == ("", True)


def test_an_inner_function_is_not_what_is_assigned_to_its_name():
    text = "def make():\n    key = 1\n    def relax():\n        return key\n    return relax\n\nrelax = make()\n"
    assert PythonFile(text).context("relax", "def relax():\n    return key").missing == INNER


def test_a_statement_that_reads_a_class_before_it_is_defined_is_told():
    text = "from a import Box\nclass Base: pass\nBase.add(Box)\nclass Box(Base):\n    def f(self):\n        return 1\n"
    assert PythonFile(text).context("Box.f", "def f(self):\n    return 1").missing == f"{UNKNOWN}: Box"
