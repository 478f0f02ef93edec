"""docs/scale.md shows what bench.scale computes, and its formulas behave as physics does."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import scale
from bench.scale import estimate, in_words, table

PAGE = Path(__file__).parents[1] / "docs" / "scale.md"


def test_the_page_shows_the_computed_table():
    assert table([2_000_000, 20_000_000, 1_000_000_000], [1, 8, 64, 256]) in PAGE.read_text()


@given(st.integers(10**6, 10**9), st.integers(1, 255))
def test_more_pairs_never_take_less_and_more_gpus_never_more(pairs, gpus):
    for few, many in zip(estimate(pairs, gpus), estimate(2 * pairs, gpus), strict=True):
        assert many.seconds >= few.seconds and many.requests >= few.requests and many.gigabytes >= few.gigabytes
    for one, two in zip(estimate(pairs, gpus), estimate(pairs, gpus + 1), strict=True):
        assert two.seconds <= one.seconds


def test_what_does_not_fit_is_said():
    assert "does not fit" in estimate(10**9, 8)[2].bound and "does not fit" not in estimate(10**9, 64)[2].bound


def test_the_pages_sentences_are_computed():
    page = " ".join(PAGE.read_text().split())
    most = next(gpus for gpus in range(1, 256) if estimate(2_000_000, gpus)[3].bound != "GPUs")
    assert f"{most} GPUs of the assumed speed" in page
    needs = estimate(20_000_000, 1)
    assert f"20 million pairs on one GPU cost {sum(need.requests for need in needs) * 5e-4:.0f} cents" in page
    assert f"makes {needs[3].requests * 5e-4:.0f} of these" in page


UNITS = {"×": "*", "µs": "*1e-6", " ms": "*1e-3", " KB": "*1e3", " GB": "*1e9", " TFLOP/s": "*1e12", " %": "/100",
         " million": "*1e6", " billion": "*1e9", " s ": " ", ",000": "000", "2,500": "2500", "1,800": "1800"}  # fmt: skip
SECONDS, BYTES, REQUESTS = range(3)


def formulas():
    """Stage → the page's formulas of seconds, bytes and requests, as Python."""
    found = {}
    for line in PAGE.read_text().partition("## The formulas")[2].partition("\nTo all")[0].splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and cells[0] in [need.stage for need in estimate(1, 1)]:
            for sign, python in UNITS.items():
                cells = [cells[0], *(f"{cell} ".replace(sign, python) for cell in cells[1:])]
            found[cells[0]] = cells[1:]
    return found


@pytest.mark.parametrize("pairs", [2_000_000, 77_777_777, 10**9])
@pytest.mark.parametrize("gpus", [1, 8, 100, 256])
def test_the_pages_formulas_give_the_computed_needs(pairs, gpus):
    kept = scale.KEPT * pairs
    names = {"n": pairs, "m": kept, "p": -(-int(kept) // 50_000), "G": gpus, "k": 20_000, "d": 1_024, "max": max,
             "cores": min(max(32, 16 * gpus), -(-161 // 69))}  # fmt: skip
    written = formulas()
    assert len(written) == 5
    for need in estimate(pairs, gpus):
        names["seconds"] = need.seconds
        found = [eval(formula, {"__builtins__": {}}, names) for formula in written[need.stage]]
        assert found[SECONDS] == pytest.approx(need.seconds, rel=1e-9)
        assert found[BYTES] == pytest.approx(need.gigabytes * 1e9, rel=1e-9)
        assert int(found[REQUESTS]) == need.requests


def test_the_pages_bounds_are_computed():
    page = " ".join(PAGE.read_text().split())
    assert f"from {-(-scale.COLLECT_S // scale.COLLECT_DRIVER_S):.0f} cores on" in page
    memory = scale.COLLECT_DRIVER_BYTES
    assert f"needs {memory} GB for a billion pairs" in page and f"{memory} bytes of its index" in page
    cards = next(number for number in range(1, 257) if "does not fit" not in estimate(10**9, number)[2].bound)
    assert f"a billion pairs need {cards} H100s or more in float16" in page
    assert f"at about {round(1 / scale.SCHEDULER_S, -1):.0f} questions a second" in page
    short = estimate(2_000_000, 64)[4].seconds
    assert short < 120 and "On 64 GPUs and more the start takes longer than the training" in page
    for constant in (f"{scale.CORE_HOUR:.3f}", f"{scale.GPU_HOUR:.2f}, an assumed price", f"{scale.KEPT:.0%}".replace("%", " % kept"),
                     f"{scale.TOKENS_PER_ROW} tokens a row", f"{scale.SELECT_S} s of select",
                     f"{scale.SCHEDULER_S * 1e3:.1f} ms a question", f"{scale.ENGINE_TOKENS_S:,} answer tokens",
                     f"{scale.TRAIN_MFU:.1%} MFU of training".replace("%", " %"),
                     f"{scale.COLLECT_S * 1e6:.0f} µs a row of collect"):  # fmt: skip
        assert constant in page, constant
    assert re.search(rf"{scale.ENCODER_MFU:.0%} MFU of the encoder".replace("%", " %"), page)


def test_times_are_told_in_the_unit_they_are_read_in():
    assert [in_words(seconds) for seconds in (59, 120, 7_200, 172_800)] == ["59 s", "2.0 min", "2.0 h", "2.0 d"]
