"""docs/scale.md shows what bench.scale computes, and its formulas behave as physics does."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

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


def test_times_are_told_in_the_unit_they_are_read_in():
    assert [in_words(seconds) for seconds in (59, 120, 7_200, 172_800)] == ["59 s", "2.0 min", "2.0 h", "2.0 d"]
