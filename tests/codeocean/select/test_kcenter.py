"""Every pick against a literal float64 greedy, on the inputs that break fast ones."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codeocean.select import kcenter, shard
from codeocean.select.kcenter import choose_frame, extend_picks, k_center_greedy, start_picks
from codeocean.select.shard import Shard
from codeocean.select.sharded import ShardGroup


def literal_greedy(x: np.ndarray, k: int, first: int) -> tuple[list[int], list[float]]:
    """The reference: one pick at a time, by float64 differences, ties to the smallest row."""
    x = x.astype(np.float64)
    nearest = np.full(len(x), np.inf)
    picks, radii = [first], [np.inf]
    while len(picks) < k:
        nearest = np.minimum(nearest, np.linalg.norm(x - x[picks[-1]], axis=1))
        nearest[picks] = -1.0
        picks.append(int(nearest.argmax()))
        radii.append(nearest[picks[-1]])
    return picks, radii


def assert_certified(x: np.ndarray, picks: list[int]) -> None:
    """Each pick's true distance is at least (1 - 1e-5) × the true maximum at that moment; no row is picked twice."""
    assert len(set(picks)) == len(picks)
    x = x.astype(np.float64)
    nearest = np.full(len(x), np.inf)
    for earlier, pick in itertools.pairwise(picks):
        nearest = np.minimum(nearest, np.linalg.norm(x - x[earlier], axis=1))
        assert nearest[pick] >= (1 - 1e-5) * nearest.max()


def clusters(n: int, d: int, spread: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(8, d))
    return (centres[rng.integers(8, size=n)] + spread * rng.normal(size=(n, d))).astype(np.float32)


MATRICES = {
    "clusters": clusters(3000, 32, 0.1, 0),
    "tight clusters": clusters(1500, 16, 1e-6, 1),
    "far from the origin": clusters(1500, 8, 0.1, 2) + np.float32(1e4),
    "tiny norms": clusters(1500, 16, 0.1, 3) * np.float32(1e-30),
    "huge norms": clusters(1500, 16, 0.1, 4) * np.float32(1e30),
    "one outlier": np.concatenate([clusters(1500, 16, 0.1, 5), np.full((1, 16), 1e5, np.float32)]),
    "unit sphere": (lambda v: v / np.linalg.norm(v, axis=1, keepdims=True))(clusters(3000, 64, 0.3, 6)),
}


@pytest.mark.parametrize("name", MATRICES)
def test_picks_are_the_literal_ones(name):
    x = MATRICES[name]
    coreset = k_center_greedy(x, 300, first=7)
    picks, radii = literal_greedy(x, 300, 7)
    assert_certified(x, coreset.indices.tolist())
    assert coreset.indices.tolist() == picks
    np.testing.assert_allclose(coreset.radii[1:], radii[1:], rtol=1e-6)


def test_lattice_ties_go_to_the_smallest_row():
    x = LATTICE
    assert k_center_greedy(x, 400, first=0).indices.tolist() == literal_greedy(x, 400, 0)[0]


def test_duplicates_come_last_in_row_order():
    x = np.repeat(clusters(40, 8, 0.5, 8), 50, axis=0)
    coreset = k_center_greedy(x, 200, first=3)
    assert coreset.indices.tolist() == literal_greedy(x, 200, 3)[0]
    assert (coreset.radii[40:] == 0).all()


def test_a_matrix_of_one_row_repeated_can_be_picked_whole():
    coreset = k_center_greedy(np.ones((1300, 4), np.float32), 1300, first=0)
    assert coreset.indices.tolist() == list(range(1300))


def test_one_far_row_does_not_bring_all_others_up_to_date():
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(60, 16))
    x = torch.from_numpy((centres[rng.integers(60, size=20_000)] + 0.01 * rng.normal(size=(20_000, 16))).astype("f4"))
    shard = Shard(x)
    frame = choose_frame(shard, unit=False)
    extend_picks(shard, frame, start_picks(shard, frame, []), 150)
    assert shard.pairs_met < 0.4 * len(x) * 150  # the last far cluster once had half of all pairs met


def test_every_prefix_is_the_smaller_coreset():
    x = MATRICES["clusters"]
    assert k_center_greedy(x, 50).indices.tolist() == k_center_greedy(x, 120).indices.tolist()[:50]


def test_first_pick_is_the_row_nearest_the_mean():
    x = MATRICES["clusters"].astype(np.float64)
    assert k_center_greedy(x, 1).indices.tolist() == [int(np.linalg.norm(x - x.mean(0), axis=1).argmin())]


def test_block_and_tile_sizes_do_not_change_the_picks(monkeypatch):
    x = MATRICES["unit sphere"]
    expected = k_center_greedy(x, 200).indices.tolist()
    for block, tile, chunk in ((1, 100, 1), (7, 999, 3), (4096, 17, 500)):
        monkeypatch.setattr(kcenter, "BLOCK", block)
        monkeypatch.setattr(shard, "TILE_ROWS", tile)
        monkeypatch.setattr(shard, "CHUNK_PICKS", chunk)
        assert k_center_greedy(x, 200).indices.tolist() == expected


def in_shards(x: np.ndarray, num_shards: int, k: int, rows: list[int]) -> tuple[list[int], list[float], float]:
    """Picks from shards of unequal sizes, asked in this process."""
    x_ND = torch.from_numpy(x)
    starts = sorted({0, *np.random.default_rng(num_shards).integers(len(x), size=num_shards - 1).tolist()})
    ends = [*starts[1:], len(x)]
    shards = [Shard(x_ND[start:end], start=start) for start, end in zip(starts, ends, strict=True)]
    group = ShardGroup(lambda method, asked: {n: getattr(shards[n], method)(*own) for n, own in asked.items()}, starts)
    frame = choose_frame(group, unit=False)
    picks = start_picks(group, frame, rows)
    extend_picks(group, frame, picks, k)
    return picks.rows, picks.squared, picks.farthest


LATTICE = np.stack(np.meshgrid(*[np.arange(6)] * 4), axis=-1).reshape(-1, 4).astype(np.float32)


@pytest.mark.parametrize("name", [*MATRICES, "lattice", "tenths", "repeated"])
def test_any_number_of_shards_gives_the_same_picks(name):
    more = {"lattice": LATTICE, "tenths": LATTICE * np.float32(0.1), "repeated": np.repeat(LATTICE[:60], 20, axis=0)}
    x = (MATRICES | more)[name]
    whole = in_shards(x, 1, 250, [])
    for num_shards in (2, 4, 7):
        assert in_shards(x, num_shards, 250, []) == whole


def test_the_radius_of_the_coreset_is_that_of_the_next_pick():
    x = MATRICES["clusters"]
    _, _, farthest = in_shards(x, 1, 100, [3])
    assert farthest == pytest.approx(float(k_center_greedy(x, 101, first=3).radii[-1]), rel=1e-12)


def test_rows_chosen_before_stay_and_the_rest_is_picked_around_them():
    x = MATRICES["clusters"]
    whole = k_center_greedy(x, 150, first=5)
    for kept in (1, 2, 90, 150):
        grown = k_center_greedy(x, 150, chosen=whole.indices[:kept].tolist())
        assert grown.indices.tolist() == whole.indices.tolist()
        assert torch.equal(grown.radii, whole.radii)
    chosen = [7, 1000, 8, 2999]
    grown = k_center_greedy(x, 60, chosen=chosen)
    assert grown.indices[:4].tolist() == chosen
    nearest = np.linalg.norm(x[:, None].astype(np.float64) - x[chosen], axis=2).min(1)
    assert int(grown.indices[4]) == int(nearest.argmax())


def test_cosine_is_euclidean_distance_of_rows_of_length_one():
    x = MATRICES["clusters"] * np.random.default_rng(0).uniform(0.1, 50.0, size=(3000, 1)).astype(np.float32)
    x[17] = 0.0
    x64 = x.astype(np.float64)
    norms = np.linalg.norm(x64, axis=1, keepdims=True)
    unit = x64 / np.where(norms > 0, norms, 1.0)
    coreset = k_center_greedy(x, 200, first=4, metric="cosine")
    assert coreset.indices.tolist() == literal_greedy(unit, 200, 4)[0]
    between = unit[coreset.indices[1]] @ unit[4]
    assert float(coreset.radii[1]) == pytest.approx((2 - 2 * between) ** 0.5)


def literal_with_quotas(x, k, first, groups, at_least, at_most):
    """Greedy over the rows that the quotas still allow."""
    picks, counts = [first], np.bincount([groups[first]], minlength=3)
    while len(picks) < k:
        nearest = np.linalg.norm(x[:, None].astype(np.float64) - x[picks], axis=2).min(1)
        owed = {group: n - counts[group] for group, n in at_least.items() if n > counts[group]}
        for row in range(len(x)):
            full = counts[groups[row]] >= at_most.get(groups[row], len(x))
            reserved = sum(owed.values()) >= k - len(picks) and groups[row] not in owed
            if row in picks or full or reserved:
                nearest[row] = -1.0
        picks.append(int(nearest.argmax()))
        counts[groups[picks[-1]]] += 1
    return picks


@pytest.mark.parametrize("limits", [({}, {0: 5}), ({2: 12}, {}), ({1: 10, 2: 10}, {0: 8}), ({0: 1}, {0: 1, 1: 20})])
def test_quotas_are_kept_and_the_picks_stay_greedy(limits):
    x = clusters(400, 8, 0.3, 11)
    groups = np.random.default_rng(1).choice(3, size=400, p=[0.7, 0.2, 0.1])
    at_least, at_most = limits
    quotas = {"groups": groups, "at_least": at_least, "at_most": at_most}
    picks = k_center_greedy(x, 40, first=int(np.flatnonzero(groups == 0)[0]), quotas=quotas).indices.tolist()
    counts = np.bincount(groups[picks], minlength=3)
    assert all(counts[group] >= least for group, least in at_least.items())
    assert all(counts[group] <= most for group, most in at_most.items())
    assert picks == literal_with_quotas(x, 40, picks[0], groups, at_least, at_most)


@pytest.mark.gpu
def test_a_gpu_picks_what_the_cpu_picks():
    x = torch.from_numpy(MATRICES["unit sphere"])
    assert torch.equal(k_center_greedy(x.cuda(), 300).indices, k_center_greedy(x, 300).indices)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_float_type_is_taken_at_its_own_values(dtype):
    x = torch.from_numpy(MATRICES["clusters"]).to(dtype)
    assert k_center_greedy(x, 100, first=0).indices.tolist() == literal_greedy(x.double().numpy(), 100, 0)[0]


@settings(max_examples=60, deadline=None)
@given(st.integers(2, 60), st.integers(1, 4), st.integers(0, 2**31), st.integers(2, 7), st.data())
def test_shards_of_tied_rows_agree(n, d, seed, num_shards, data):
    x = (np.random.default_rng(seed).integers(-2, 3, size=(n, d)) * 0.1).astype(np.float32)
    k = data.draw(st.integers(1, n))
    assert in_shards(x, num_shards, k, []) == in_shards(x, 1, k, [])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 5), st.integers(0, 2**31), st.sampled_from([1e-6, 1.0, 1e6]), st.data())
def test_small_integers_with_many_ties_match_the_reference(n, d, seed, scale, data):
    x = np.random.default_rng(seed).integers(-2, 3, size=(n, d)) * scale
    k, first = data.draw(st.integers(1, n)), data.draw(st.integers(0, n - 1))
    assert_certified(x, k_center_greedy(x, k, first=first).indices.tolist())


def test_nothing_asked_for_nothing_picked():
    assert len(k_center_greedy(np.zeros((3, 2)), 0).indices) == 0


@pytest.mark.parametrize(
    ("x", "k", "first", "message"),
    [
        (np.zeros((3, 2)), 4, None, "k is 4 but x holds 3 rows"),
        (np.zeros((3, 2)), -1, None, "k is -1"),
        (np.zeros((3, 2)), 2, 3, "first is 3"),
        (np.zeros(3), 1, None, "has shape"),
        (np.array([[0.0], [np.nan]]), 1, None, "row 1 of x holds NaN"),
        (np.array([[np.inf], [0.0]]), 1, None, "row 0 of x holds NaN or infinity"),
        (np.where(np.arange(5000)[:, None] == 4321, np.nan, 1.0), 1, 0, "row 4321 of x holds NaN"),
    ],
)
def test_bad_input_is_one_clear_line(x, k, first, message):
    with pytest.raises(ValueError, match=message):
        k_center_greedy(x, k, first=first)


@pytest.mark.parametrize(
    ("chosen", "limits", "message"),
    [
        ([1, 1], None, "chosen holds a row twice"),
        ([9], None, "one outside 0 to 3"),
        ([0, 1, 2], None, "k is 2 but 3 rows are chosen already"),
        ([], ({0: 3}, {}), "at least 3 rows of group 0 are wanted, but only 2 may be picked"),
        ([], ({0: 2, 1: 1}, {}), "want at least 3 rows together but k is 2"),
        ([], ({}, {0: 1, 1: 0}), "the quotas allow 1 rows but k is 2"),
        ([0, 1], ({}, {0: 1}), None),
    ],
)
def test_what_cannot_be_chosen_is_one_clear_line(chosen, limits, message):
    x = np.arange(8.0).reshape(4, 2)
    quotas = limits and {"groups": np.array([0, 0, 1, 1]), "at_least": limits[0], "at_most": limits[1]}
    if message is None:  # rows that were chosen before may exceed a quota; nothing more of the group is picked
        assert k_center_greedy(x, 3, chosen=chosen, quotas=quotas).indices.tolist() == [0, 1, 3]
        return
    with pytest.raises(ValueError, match=message):
        k_center_greedy(x, 2, chosen=chosen, quotas=quotas)
