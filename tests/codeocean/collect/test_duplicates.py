"""Duplicates against plain references: sets of tokens, exact Jaccard, and one row at a time."""

import random
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeocean.code_tokens import LONG, read_tokens
from codeocean.collect.duplicate_index import (
    NearDuplicates,
    ShardedIndex,
    SortedRuns,
    band_keys,
    local_shards,
    rows_per_band,
)
from codeocean.collect.duplicates import CANDIDATES, Duplicates, read_one_by_one, row_keys

WORDS = [f"w{number}" for number in range(400)]


def shingles(code):
    words = re.findall(r"\w+|[^\w\s]", code)
    return {tuple(words[start : start + 5]) for start in range(max(len(words) - 4, 1))}


def jaccard(a, b):
    return len(shingles(a) & shingles(b)) / len(shingles(a) | shingles(b))


def corpus(seed, families, size, edits):
    """Families of texts that differ by a few replaced words."""
    chance = random.Random(seed)
    codes = []
    for _ in range(families):
        base = [chance.choice(WORDS) for _ in range(120)]
        for _ in range(size):
            words = list(base)
            for _ in range(chance.randrange(edits + 1)):
                words[chance.randrange(120)] = chance.choice(WORDS)
            codes.append(" ".join(words))
    chance.shuffle(codes)
    return codes


def decide(codes, near, cuts=(), alive=None):
    keys, signatures = row_keys(codes, near.permutations if near else 0)
    duplicates, found, start = Duplicates(near), [], 0
    alive = np.ones(len(codes), bool) if alive is None else alive
    for end in (*cuts, len(codes)):
        found += duplicates.decide(keys[start:end], signatures[start:end], alive[start:end])
        start = end
    return found


@given(st.lists(st.sampled_from(["a = 1", "a  =  1", "b = 2", "c = 3", "c=3", ""]), max_size=20), st.integers(0, 20))
def test_exact_duplicates_match_a_plain_reference_however_the_rows_are_cut(codes, cut):
    seen, expected = set(), []
    for code in codes:
        normal = code.replace(" ", "")
        expected.append("duplicate code" if normal in seen else "")
        seen.add(normal)
    assert decide(codes, None, [min(cut, len(codes))]) == expected


def test_pairs_far_from_the_threshold_are_told_by_exact_jaccard():
    near = NearDuplicates(threshold=0.7, permutations=256)
    codes = corpus(0, families=30, size=6, edits=8)
    reasons, survivors, checked = decide(codes, near), [], 0
    for code, reason in zip(codes, reasons, strict=True):
        nearest = max((jaccard(code, other) for other in survivors), default=0.0)
        if nearest > 0.85 and nearest < 1:
            assert reason == "near duplicate"
            checked += 1
        if nearest < 0.55:
            assert reason == ""
            checked += 1
        if not reason:
            survivors.append(code)
    assert checked > 80


def one_by_one(codes, near, candidates):
    """The definition, row after row."""
    keys, signatures = row_keys(codes, near.permutations)
    bands = band_keys(signatures, rows_per_band(near))
    needed = near.threshold + (1 - near.threshold) / 256
    survivors, reasons = [], []
    for row in range(len(codes)):
        meets = [other for other in survivors if (bands[row] == bands[other]).any()][:candidates]
        if any(keys[row] == keys[other] for other in survivors):
            reasons.append("duplicate code")
        elif any((signatures[row] == signatures[other]).mean() >= needed for other in meets):
            reasons.append("near duplicate")
        else:
            reasons.append("")
            survivors.append(row)
    return reasons


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(0, 200), max_size=6), st.sampled_from([0.5, 0.8, 1.0]))
def test_rows_are_those_of_the_definition_however_they_are_cut(seed, cuts, threshold):
    near = NearDuplicates(threshold=threshold, permutations=64)
    codes = corpus(seed, families=8, size=25, edits=6)
    assert decide(codes, near, sorted(cuts)) == one_by_one(codes, near, CANDIDATES)


@pytest.fixture(scope="module")
def crowded():
    """Codes of which most pairs meet in a band and few are near, and what is decided of them by the first five."""
    near = NearDuplicates(threshold=0.8, permutations=64)
    codes = corpus(3, families=2, size=650, edits=14)
    expected = one_by_one(codes, near, 5)
    assert expected != one_by_one(codes, near, CANDIDATES)
    return near, codes, expected


@pytest.mark.parametrize("cuts", [[], [1], range(37, 1300, 37)])
def test_a_row_is_compared_with_the_first_candidates_only_however_the_rows_are_cut(crowded, cuts, monkeypatch):
    monkeypatch.setattr("codeocean.collect.duplicates.CANDIDATES", 5)
    near, codes, expected = crowded
    assert decide(codes, near, cuts) == expected


def test_a_row_that_stopped_before_makes_no_later_row_a_duplicate():
    codes = ["a b c d e f"] * 3
    assert decide(codes, NearDuplicates(), alive=np.array([False, True, True])) == ["", "", "duplicate code"]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(2, 7), st.integers(0, 150), st.sampled_from([None, 0.5, 0.8]))
def test_any_number_of_shards_keeps_the_rows_that_one_process_keeps(seed, num_shards, known, threshold):
    near = None if threshold is None else NearDuplicates(threshold=threshold, permutations=64)
    codes = [*corpus(seed, families=8, size=20, edits=6), *corpus(seed, families=1, size=20, edits=0)]
    keys, signatures = row_keys(codes, near.permutations if near else 0)
    index = ShardedIndex(local_shards(near, num_shards), num_shards)
    one, many = Duplicates(near), Duplicates(near, index)
    for duplicates in (one, many):
        duplicates.add(keys[:known], signatures[:known])
    alive = np.ones(len(codes) - known, bool)
    assert one.decide(keys[known:], signatures[known:], alive) == many.decide(keys[known:], signatures[known:], alive)


def test_shards_hold_like_shares():
    near, sizes = NearDuplicates(permutations=64), {}

    def call(method, asked):
        for number, (keys, bands, signatures) in asked.items():
            sizes[number] = (len(keys), sum(map(len, bands)), len(signatures))
        return {}

    keys, signatures = row_keys([f"def f{number}(a): return a + {number}" for number in range(2000)], 64)
    ShardedIndex(call, 4).add(keys, signatures, band_keys(signatures, rows_per_band(near)).T)
    assert np.sum(list(sizes.values()), 0).tolist() == [2000, 2000 * (64 // rows_per_band(near)), 2000]
    assert all(0.8 * 500 < keys < 1.2 * 500 and rows == 500 for keys, _, rows in sizes.values())


def test_rows_known_from_before_count():
    codes = corpus(1, families=20, size=5, edits=2)
    near = NearDuplicates()
    keys, signatures = row_keys(codes, near.permutations)
    expected = decide(codes, near)
    kept = [row for row in range(50) if not expected[row]]
    resumed = Duplicates(near)
    resumed.add(keys[kept], signatures[kept])
    assert resumed.decide(keys[50:], signatures[50:], np.ones(50, bool)) == expected[50:]


@pytest.mark.parametrize(("threshold", "permutations"), [(0.3, 16), (0.8, 64), (0.8, 128), (0.95, 128), (1.0, 64)])
def test_a_pair_at_the_threshold_meets_in_a_band(threshold, permutations):
    near = NearDuplicates(threshold=threshold, permutations=permutations)
    length = rows_per_band(near)
    assert 1 - (1 - threshold**length) ** (permutations // length) >= 0.99 or length == 1
    longer = length + 1
    assert length == permutations or 1 - (1 - threshold**longer) ** (permutations // longer) < 0.99


@given(st.lists(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=30), max_size=12), st.integers(0, 2**64 - 1))
def test_sorted_runs_are_a_set(batches, other):
    runs = SortedRuns()
    for batch in batches:
        runs.add(np.array(batch, np.uint64))
    values = [value for batch in batches for value in batch]
    asked = np.array([*values, other, 0, 2**64 - 1], np.uint64)
    assert runs.contains(asked).tolist() == [int(value) in set(values) for value in asked]
    prefixes = np.array([int(value) >> 32 for value in asked], np.uint64)
    numbers, lower = runs.with_prefix(prefixes, 1000)
    found = sorted(
        (int(prefixes[int(number)]) << 32 | int(value)) for number, value in zip(numbers, lower, strict=True)
    )
    assert found == sorted(value for prefix in prefixes for value in values if value >> 32 == prefix)


def test_signatures_do_not_depend_on_the_other_rows_of_a_batch():
    codes = [*corpus(5, 3, 3, 2), "", "x", "a b c d", "a b c d e", "é ü\u4e2d"]
    keys, signatures = row_keys(codes, 64)
    for row, code in enumerate(codes):
        key, signature = row_keys([code], 64)
        assert (key[0], signature[0].tolist()) == (keys[row], signatures[row].tolist())


ONE = "def f(rows):\n    n = 0\n    for row in rows:\n        n += row\n        print(n)\n    return n"
TWO = "def f(rows):\n    n = 0\n    for row in rows:\n        n += row\n    print(n)\n    return n"


@pytest.mark.parametrize("near", [None, NearDuplicates()])
def test_indentation_that_matters_makes_another_function(near):
    def reasons(codes, language):
        keys, signatures = row_keys(codes, near.permutations if near else 0, [language] * len(codes))
        return Duplicates(near).decide(keys, signatures, np.ones(len(codes), bool))

    assert reasons([ONE, TWO], "python") == ["", ""]
    assert reasons([ONE, TWO], "java") == ["", "duplicate code"]
    other = ONE.replace("    ", "\t").replace("\n\tn = 0", "\n\n\tn = 0  ")
    wrapped = ONE.replace("print(n)", "print(\n   n\n)")
    assert reasons([ONE, other, ONE.replace("    ", "  "), wrapped], "python") == ["", *["duplicate code"] * 3]


PIECES = ["a", "if ", "\n", "\n  ", "\n\t", "\n    ", "\n \t", "(", ")", "[", "]", "#", "\r", "\x0c", "\x1c", "_9", " ", "\x7f",
          "b" * LONG, "c" * (LONG + 1)]  # fmt: skip
CODE = st.lists(st.sampled_from(PIECES), max_size=30).map("".join)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(CODE, st.booleans()), min_size=1, max_size=6))
def test_tokens_in_arrays_are_those_of_the_patterns(rows):
    codes, blocks = [code for code, _ in rows], [block for _, block in rows]
    expected = read_one_by_one(codes, blocks)
    found = read_tokens([code.encode() for code in codes], blocks)
    assert found.joined == expected.joined
    assert found.counts.tolist() == expected.counts.tolist()
    assert found.checksums.tolist() == expected.checksums.tolist()


def test_keys_do_not_depend_on_what_is_read_together():
    codes = ["def f(a):\n    return a", "def g():\n    # é\n    return 1", "", "x = 1"] * 3
    keys, signatures = row_keys(codes, 16, ["python"] * 12)
    for number, code in enumerate(codes):
        key, signature = row_keys([code], 16, ["python"])
        assert key[0] == keys[number]
        assert (signature[0] == signatures[number]).all()
