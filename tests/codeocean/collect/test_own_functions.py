"""Rules and sources of the user's own, named as `module:function`."""

import sys

import pyarrow as pa
import pytest
from pydantic import ValidationError

from codeocean.collect.filters import FilterConfig, filter_batch
from codeocean.collect.readers import list_units, read_unit
from codeocean.collect.settings import READ_SCHEMA, FunctionSource
from core.settings import Settings

CODE = 'def area(w, h):\n    """Area of a rectangle."""\n    sides = (w, h)\n    return sides[0] * sides[1]\n'
MODULE = """
def no_area(row):
    return "about areas" if row["name"].startswith("area") else None

def wrong(row):
    return False

def fails(row):
    return row["no such column"]

def pairs(language, code):
    for name in ("area", "area2"):
        yield {"code": code, "docstring": "Area of a rectangle.", "language": language, "name": name}
    yield {"code": code, "docstring": "", "language": language}

def part(shard, num_shards):
    yield {"code": f"x = {shard}", "docstring": f"{shard} of {num_shards}", "language": "python"}

def numbers():
    yield {"code": "x", "docstring": "y", "language": "python"}
    yield {"code": 1}

def stray():
    return [{"text": "x"}]

def words():
    return "words"

def breaks():
    yield {"code": "x", "docstring": "y", "language": "python"}
    raise RuntimeError("the forge says 503")
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    (tmp_path / "own_rules.py").write_text(MODULE)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "own_rules", raising=False)


def batch(*names):
    rows = [dict.fromkeys(READ_SCHEMA.names, "") | {"id": f"id{name}", "code": CODE, "docstring": "d", "name": name}
            for name in names]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=READ_SCHEMA)


def rules(*custom):
    return FilterConfig(enabled=(), custom=custom)


def rows_of(function, **more):
    source = FunctionSource(kind="function", function=f"own_rules:{function}", **more)
    return [row for unit in list_units(source) for part in read_unit(unit) for row in part.to_pylist()]


def test_a_rule_is_asked_after_the_built_in_ones():
    rows = batch("area", "width", "area")
    rows = rows.set_column(rows.schema.get_field_index("reason"), "reason", pa.array(["", "", "code too short"]))
    assert filter_batch(rows, rules("own_rules:no_area"))["reason"].to_pylist() == ["about areas", "", "code too short"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("wrong", "own_rules:wrong returned False for row idarea; return the reason as text, or None"),
        ("fails", "own_rules:fails failed on row idarea (KeyError: 'no such column' at own_rules.py:9)"),
        ("nothing", "own_rules.py has no function 'nothing'"),
    ],
)
def test_a_wrong_rule_is_one_line(rule, said):
    with pytest.raises(ValueError, match=r"^collect\.filters\.custom: ") as caught:
        filter_batch(batch("area"), rules(f"own_rules:{rule}"))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "name", ["no_area", "own_rules.no_area", "own rules:no_area", ":no_area", "own_rules:", "a:b:c"]
)
def test_a_name_of_another_form_is_refused_with_the_recipe(name):
    with pytest.raises(ValidationError, match="is not module:function, such as our_rules:no_todo"):
        rules(name)


def test_rows_of_a_function_are_rows_like_others():
    first, second, empty = rows_of("pairs", arguments={"language": "python", "code": CODE}, license="MIT")
    assert (first["name"], first["license"], first["source"]) == ("area", "MIT", "function:own_rules:pairs")
    assert "Area of a rectangle" not in first["code"]
    assert first["id"] == second["id"]
    assert (empty["reason"], empty["code"]) == ("missing field", "")


def test_shards_are_units_of_their_own():
    rows = rows_of("part", shards=3)
    assert [row["docstring"] for row in rows] == ["0 of 3", "1 of 3", "2 of 3"]


@pytest.mark.parametrize(
    ("function", "more", "said"),
    [
        ("numbers", {}, "own_rules:numbers: row 1: code is int, where text is wanted"),
        ("stray", {}, "row 0 has a column 'text'; the columns are language, code, docstring"),
        ("words", {}, "it returned str, where an iterator of rows is wanted"),
        ("breaks", {}, "own_rules:breaks failed (RuntimeError: the forge says 503 at own_rules.py:"),
        ("pairs", {}, "must be callable as pairs(): missing a required argument: 'language'"),
        ("pairs", {"arguments": {"since": 1}}, "pairs(since=…)"),
        ("words", {"shards": 2}, "words(shard=…, num_shards=…)"),
    ],
)
def test_a_wrong_source_is_one_line(function, more, said):
    with pytest.raises(ValueError, match=r"^collect\.sources, kind function: ") as caught:
        rows_of(function, **more)
    assert said in str(caught.value)


def test_the_digest_of_a_source_follows_its_code_and_arguments(tmp_path):
    def digest(**arguments):
        source = FunctionSource(
            kind="function", function="own_rules:pairs", arguments={"language": "go", "code": "", **arguments}
        )
        return [unit.fingerprint for unit in list_units(source)]

    first = digest()
    assert digest() == first
    assert digest(code="x") != first
    (tmp_path / "own_rules.py").write_text(MODULE + "\n")
    assert digest() != first


def test_rules_of_earlier_runs_need_no_field():
    assert isinstance(FilterConfig.from_record({"min_code_lines": 2}), Settings)
