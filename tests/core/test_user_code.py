"""A function that a recipe names is found, and what is wrong with it is one clear line."""

import sys

import pytest

from core.user_code import load_function, source_digest


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before, path = set(sys.modules), list(sys.path)
    yield tmp_path
    sys.path[:] = path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_a_function_in_the_working_directory_is_found(folder):
    (folder / "house_rules.py").write_text("def short(row):\n    return 'short' if len(row) < 3 else None\n")
    assert load_function("house_rules:short", "key", ["row"])("ab") == "short"
    (folder / "pack").mkdir()
    (folder / "pack" / "deep.py").write_text("def give(*, since):\n    return [since]\n")
    assert load_function("pack.deep:give", "key", ["since="])(since=3) == [3]


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        ("", "nowhere:short", "key: there is no module 'nowhere' in"),
        ("def shorten(row): ...", "house_rules:shortn", "has no function 'shortn'; did you mean house_rules:shorten?"),
        ("short = 3", "house_rules:short", "house_rules.py has no function 'short'"),
        ("def short(): ...", "house_rules:short", "must be callable as short(row): too many positional arguments"),
        ("def short(row, limit): ...", "house_rules:short", "missing a required argument: 'limit'"),
        ("import nothing_of_that_name", "house_rules:short", "ModuleNotFoundError: No module named"),
        ("\n1 / 0", "house_rules:short", "cannot be imported (ZeroDivisionError: division by zero at house_rules.py:2"),
        ("def short(row:", "house_rules:short", "SyntaxError"),
    ],
)
def test_a_mistake_is_one_line(folder, content, name, said):
    (folder / "house_rules.py").write_text(content)
    with pytest.raises(ValueError, match=r"^key: ") as caught:
        load_function(name, "key", ["row"])
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_digest_follows_the_source_and_runs_nothing(folder):
    file = folder / "house_rules.py"
    file.write_text("raise SystemExit\n")
    first = source_digest("house_rules:short", "key")
    assert source_digest("house_rules:other", "key") == first
    file.write_text("raise SystemExit  # again\n")
    assert source_digest("house_rules:short", "key") != first
