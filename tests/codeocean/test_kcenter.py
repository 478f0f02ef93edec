"""Every pick against a literal float64 greedy, on the inputs that break fast ones."""

import itertools

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codeocean import kcenter
from codeocean.kcenter import k_center_greedy


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
    x = np.stack(np.meshgrid(*[np.arange(6)] * 4), axis=-1).reshape(-1, 4).astype(np.float32)
    assert k_center_greedy(x, 400, first=0).indices.tolist() == literal_greedy(x, 400, 0)[0]


def test_duplicates_come_last_in_row_order():
    x = np.repeat(clusters(40, 8, 0.5, 8), 50, axis=0)
    coreset = k_center_greedy(x, 200, first=3)
    assert coreset.indices.tolist() == literal_greedy(x, 200, 3)[0]
    assert (coreset.radii[40:] == 0).all()


def test_a_matrix_of_one_row_repeated_can_be_picked_whole():
    coreset = k_center_greedy(np.ones((1300, 4), np.float32), 1300, first=0)
    assert coreset.indices.tolist() == list(range(1300))


def test_every_prefix_is_the_smaller_coreset():
    x = MATRICES["clusters"]
    assert k_center_greedy(x, 50).indices.tolist() == k_center_greedy(x, 120).indices.tolist()[:50]


def test_first_pick_is_the_row_nearest_the_mean():
    x = MATRICES["clusters"].astype(np.float64)
    assert k_center_greedy(x, 1).indices.tolist() == [int(np.linalg.norm(x - x.mean(0), axis=1).argmin())]


def test_block_and_tile_sizes_do_not_change_the_picks(monkeypatch):
    x = MATRICES["unit sphere"]
    expected = k_center_greedy(x, 200).indices.tolist()
    for block, tile in ((1, 100), (7, 999), (4096, 17)):
        monkeypatch.setattr(kcenter, "BLOCK", block)
        monkeypatch.setattr(kcenter, "TILE_ROWS", tile)
        assert k_center_greedy(x, 200).indices.tolist() == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_any_float_type_is_taken_at_its_own_values(dtype):
    x = torch.from_numpy(MATRICES["clusters"]).to(dtype)
    assert k_center_greedy(x, 100, first=0).indices.tolist() == literal_greedy(x.double().numpy(), 100, 0)[0]


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
    ],
)
def test_bad_input_is_one_clear_line(x, k, first, message):
    with pytest.raises(ValueError, match=message):
        k_center_greedy(x, k, first=first)
