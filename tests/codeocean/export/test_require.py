"""What a data set asks of its instances."""

import pytest
from pydantic import ValidationError

from codeocean.export.instances import CodeOceanConfig
from codeocean.export.require import why_left_out
from codeocean.verify.columns import unproved

ROW = unproved() | {
    "proof": "tests",
    "pass_rate": 0.75,
    "mutants_killed": 3,
    "task": "generation",
    "language": "python",
}


@pytest.mark.parametrize(
    ("require", "reason"),
    [({}, ""), ({"proof": "tests"}, ""), ({"proof": ("tests", "equivalent"), "mutants_killed": 3}, ""),
     ({"proof": "equivalent"}, "requirement: proof is tests"), ({"pass_rate": 1.0}, "requirement: pass_rate below 1"),
     ({"solutions_agreeing": 2}, "requirement: solutions_agreeing below 2"), ({"language": "go"},
                                                                              "requirement: language is python")],
)  # fmt: skip
def test_the_first_column_that_falls_short_is_the_reason(require, reason):
    assert why_left_out(ROW, require) == reason


@pytest.mark.parametrize(
    ("require", "words"),
    [({"nothing": 1}, "no column"), ({"proof": 1}, "a word"), ({"pass_rate": "high"}, "a number")],
)
def test_a_column_that_is_none_is_refused_at_once(require, words):
    with pytest.raises(ValidationError, match=words):
        CodeOceanConfig(require=require)


def test_a_record_of_an_older_version_requires_nothing():
    old = CodeOceanConfig().model_dump(mode="json")
    del old["require"]
    assert CodeOceanConfig.from_record(old).identity() == CodeOceanConfig().identity()
