"""Settings: what decides the data, and what records of older versions stand for."""

from typing import Annotated

import pytest
from pydantic import Field

from core.settings import Before, EarlierDefault, Execution, Settings


class Part(Settings):
    size: int = 1
    threads: Annotated[int, Execution()] = 1


class Whole(Settings):
    part: Part = Part()
    parts: tuple[Part, ...] = ()
    by_name: dict[str, Part] = {}
    port: Annotated[int, Execution()] = Field(default=8000, ge=1)
    window: Annotated[str, Before("cut")] = "mean"


def test_identity_leaves_out_what_changes_only_how_however_deep_it_lies():
    whole = Whole(part=Part(size=2, threads=9), parts=(Part(threads=7),), by_name={"a": Part(threads=5)}, port=1)
    assert whole.identity() == {
        "part": {"size": 2},
        "parts": [{"size": 1}],
        "by_name": {"a": {"size": 1}},
        "window": "mean",
    }


def test_a_record_from_before_a_field_stands_for_what_was_done_then():
    assert Whole.from_record({}).window == "cut"
    assert Whole.from_record({"window": "mean", "parts": [{"size": 3}]}) == Whole(parts=(Part(size=3),))


@pytest.mark.parametrize("record", [{"gone": 1}, {"part": {"size": "large"}}, {"port": 0}])
def test_a_record_that_no_longer_fits_is_refused(record):
    with pytest.raises(ValueError, match="validation error"):
        Whole.from_record(record)


def test_settings_are_frozen_and_strict():
    with pytest.raises(ValueError, match="frozen"):
        Part().size = 2
    with pytest.raises(ValueError, match="valid integer"):
        Part(size="2")


class Changed(Settings):
    text: Annotated[str, EarlierDefault("whole")] = "share"
    size: int = 1


def test_a_default_that_changed_is_accepted_unless_the_recipe_sets_it():
    earlier = Changed(text="whole")
    assert Changed().accepting(earlier) == Changed()
    assert Changed(text="share").accepting(earlier) == earlier  # asked for by name
    assert Changed().accepting(Changed(text="code")).text == "code"
    assert Changed(size=2).accepting(earlier).size == 1
