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
        "proofs": {"none": 1, "parses": 1, "tests": 1}, "instances": 3, "tested": 2, "all_passed": 1, "yield": 0.1,
        "pass_rate": 0.75, "difficulty": 0.5, "refused": {"no test": 3, "too large": 1}, "mutants": 4, "mutants_killed": 3,
    }  # fmt: skip
    nothing = distribution_of(table.slice(0, 0), 0)
    assert (nothing["proofs"], nothing["pass_rate"], nothing["yield"]) == ({}, None, 0.0)
