"""Whether an exercise asks for its arguments to be changed."""

import pytest

from codeocean.generate.in_place import asks_in_place

ASKED = [
    "Reverse the list in place and return it.", "Sort `items` in-place, then return the number of swaps.",
    "Modify the given array so that zeros come last; return how many there are.", "Updates the map with the counts.",
    "Rotate the matrix itself by 90 degrees.", "Write a function that destructively removes duplicates.",
    "Mutate the input. Do not allocate.", "Change nothing else, but overwrite every cell of the board.",
]  # fmt: skip
NOT = [
    "Return a sorted copy of the list.", "Sort the list and return it.", "Return the list without modifying the input.",
    "The function must not mutate its arguments.", "Do not change the list in place.", "Don't modify the original array.",
    "Never update the dictionary that is given.", "Return a new list instead of sorting in place.", "Find the place of x in v.",
    "Return the updated total.", "Count the modified files.",
]  # fmt: skip


@pytest.mark.parametrize("text", [*ASKED, *NOT])
def test_words_that_ask_for_it_are_told_from_words_that_forbid_it(text):
    assert asks_in_place(text, "def f(v)", "python") == (text in ASKED)


def test_a_mutable_reference_of_rust_asks_for_it_and_one_of_c_plus_plus_does_not():
    assert asks_in_place("Sort.", "fn f(v: &'a mut Vec<i32>) -> usize", "rust")
    assert not asks_in_place("Sort.", "fn f(mut v: Vec<i32>) -> usize", "rust")
    assert not asks_in_place("Sort.", "int f(vector<int>& v)", "cpp")
