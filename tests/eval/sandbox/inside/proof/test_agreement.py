"""The group of solutions that is believed."""

from hypothesis import given
from hypothesis import strategies as st

from eval.sandbox.inside.proof.agreement import groups_of, rank

ROWS = st.integers(0, 5).flatmap(lambda n: st.lists(st.text("PFETD", min_size=n, max_size=n), max_size=5))


@given(ROWS)
def test_groups_part_the_solutions_by_what_they_pass(rows):
    groups = groups_of(rows)
    assert sorted(number for members in groups.values() for number in members) == list(range(len(rows)))
    for passed, members in groups.items():
        assert all({n for n, letter in enumerate(rows[one]) if letter == "P"} == passed for one in members)


@given(ROWS)
def test_the_best_group_has_the_largest_product_of_solutions_and_tests(rows):
    texts = [f"solution {n}" for n in range(len(rows))]
    chosen = rank(rows, texts)
    scores = {len(members) * len(passed): members for passed, members in groups_of(rows).items()}
    if not chosen:
        assert all("P" not in row for row in rows)
    else:
        passed = rows[chosen[0]].count("P")
        assert passed > 0
        assert len(chosen) * passed == max(scores)


def test_one_text_four_times_is_one_solution():
    same = ["return 1", "return 1 ", "return  1", "return 1"]
    assert rank(["PFF"] * 4 + ["FPP"], [*same, "return 2"]) == [4]
    assert rank(["PFF"] * 4 + ["FPP"], ["a", "b", "c", "d", "return 2"]) == [0, 1, 2, 3]


def test_ties_go_to_more_tests_then_to_the_earlier_solution():
    assert rank(["PPF", "FFP", "FFP"], ["a", "b", "c"]) == [0]
    assert rank(["PF", "FP"], ["a", "b"]) == [0]
