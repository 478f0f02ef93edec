"""Figures on the proof of a data set."""

import pyarrow as pa

from codeocean.records import INSTANCES
from codeocean.verify.columns import unproved
from codeocean.verify.distribution import distribution_of


def test_the_distribution_counts_proofs_mutants_and_refused_tests():
    rows = [{"proof": "tests", "pass_rate": 1.0, "mutants": 4, "mutants_killed": 3, "difficulty": 0.5},
            {"proof": "parses", "pass_rate": 0.5}, {}]  # fmt: skip
    table = pa.Table.from_pylist([unproved() | row for row in rows], schema=INSTANCES)
    assert distribution_of(table, 10, [{"no test": 2}, {}, {"no test": 1, "too large": 1}]) == {
        "proofs": {"none": 1, "parses": 1, "tests": 1}, "instances": 3, "tested": 2, "all_passed": 1, "yield": 0.1, "proved": 0.1,
        "pass_rate": 0.75, "difficulty": 0.5, "refused": {"no test": 3, "too large": 1}, "mutants": 4, "mutants_killed": 3,
        "spread": {"pass_rate": {"50 to 99 %": 1, "100 %": 1}, "difficulty": {"50 to 99 %": 1}, "mutants_killed": {"3": 1}},
    }  # fmt: skip
    nothing = distribution_of(table.slice(0, 0), 0)
    assert (nothing["proofs"], nothing["pass_rate"], nothing["yield"], nothing["spread"]) == ({}, None, 0.0, {})


def test_values_are_counted_in_ranges_with_those_between_that_nothing_has():
    rows = [{"pass_rate": rate, "mutants_killed": killed, "solutions_agreeing": 2}
            for rate, killed in ((0.0, 3), (1 / 60, 4), (0.49, 5), (1.0, 9), (1.0, 10))]  # fmt: skip
    spread = distribution_of(pa.Table.from_pylist([unproved() | row for row in rows], schema=INSTANCES), 5)["spread"]
    assert spread["pass_rate"] == {"0 %": 1, "1 to 49 %": 2, "50 to 99 %": 0, "100 %": 2}
    assert spread["mutants_killed"] == {"3": 1, "4": 1, "5 to 9": 2, "10 or more": 1}
    assert spread["solutions_agreeing"] == {"2": 5}
