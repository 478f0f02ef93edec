"""Each rule stops what it names and nothing else; every dropped row has a reason."""

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.collecting import Account, in_sample
from codeocean.filters import FILTERS, FilterConfig, drop_duplicates, filter_batch
from codeocean.sources import READ_SCHEMA

GOOD = {
    "id": "0" * 16, "language": "python", "name": "moving_average", "docstring": "Average over a window of values.",
    "code": "def moving_average(values, width):\n    total = sum(values[:width])\n    return [total / width]\n",
    "path": "a.py", "reason": "",
}  # fmt: skip

BAD = {
    "code too short": {"code": "def f():\n    return 1"},
    "code too long": {"code": "def f():\n" + "    x = 1\n" * 2000},
    "documentation too short": {"docstring": "Works."},
    "test": {"name": "TestThing.test_average"},
    "constructor or standard method": {"name": "Thing.__init__"},
    "blacklisted word": {"docstring": "Load the images of a folder."},
    "generated code": {"docstring": "This file is auto-generated, please do not touch."},
    "hidden text": {"docstring": "Average \u202e over a window of values."},
    "empty body": {"code": "def moving_average(values, width, start, end, steps, unit):\n    # to be done\n    pass\n"},
    "syntax error": {"code": "def moving_average(values, width:\n    total = sum(values[:width])\n    return total\n"},
    "licence": {"license": "GPL-3.0"},
}


def table(*rows):
    return pa.Table.from_pylist([dict.fromkeys(READ_SCHEMA.names, "") | row for row in rows], schema=READ_SCHEMA)


def reasons(*rows, **settings):
    return filter_batch(table(*rows), FilterConfig(**settings))["reason"].to_pylist()


def test_good_row_goes_on():
    assert reasons(GOOD) == [""]


@pytest.mark.parametrize("reason", BAD)
def test_rule_stops_what_it_names(reason):
    assert reasons(GOOD | BAD[reason], licenses=("", "MIT")) == [reason]


def test_only_enabled_rules_apply():
    assert reasons(GOOD | BAD["test"], enabled=("length",)) == [""]


def test_unknown_rule_is_one_clear_line():
    with pytest.raises(ValueError, match="no filter is called nonsense; there are length"):
        FilterConfig(enabled=("nonsense",))


def test_an_earlier_reason_is_kept():
    assert reasons(GOOD | {"reason": "corrupt row"}) == ["corrupt row"]


def test_test_functions_are_told_from_words_with_test_in_them():
    names = ["test_x", "TestCase.testThing", "latest", "contest_winner", "attestation"]
    assert reasons(*[GOOD | {"name": name} for name in names]) == ["test", "test", "", "", ""]


@given(st.lists(st.sampled_from(["a = 1", "a  =  1", "b = 2", "c = 3", "c=3"]), max_size=20), st.integers(0, 20))
def test_duplicates_match_a_plain_reference_however_the_rows_are_cut(codes, cut):
    seen, expected = set(), []
    for code in codes:
        normal = code.replace(" ", "")
        expected.append("duplicate code" if normal in seen else "")
        seen.add(normal)
    rows = table(*[GOOD | {"code": code} for code in codes])
    hashes: set[int] = set()
    found = [drop_duplicates(part, hashes)["reason"].to_pylist() for part in (rows[:cut], rows[cut:])]
    assert found[0] + found[1] == expected


def test_a_dropped_row_does_not_make_its_copy_a_duplicate():
    rows = table(GOOD | {"reason": "test"}, GOOD)
    assert drop_duplicates(rows, set())["reason"].to_pylist() == ["test", ""]


def test_rows_in_are_rows_out_plus_rows_dropped():
    account = Account()
    rows = table(*[GOOD | change for change in BAD.values()], GOOD)
    kept = account.add(filter_batch(rows, FilterConfig()))
    assert account.rows_in == kept.num_rows + sum(account.dropped.values())
    twice = Account.from_note(account.to_note())
    twice.merge(account)
    assert twice.dropped["test"] == 2
    assert twice.languages == {"python": 2 * kept.num_rows}


def test_a_smaller_sample_is_part_of_a_larger_one():
    ids = [f"{number * 7919 % 65536:04x}" for number in range(2000)]
    small, large = ({id_ for id_ in ids if in_sample(id_, share)} for share in (0.1, 0.3))
    assert small < large
    assert 0.07 < len(small) / len(set(ids)) < 0.13
    assert all(in_sample(id_, 1.0) for id_ in ids)


def test_every_rule_says_what_it_does():
    assert all(rule.__doc__ for rule in FILTERS.values())
