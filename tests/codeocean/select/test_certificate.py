"""The check of a coreset finds what is wrong with one."""

import numpy as np
import torch

from codeocean.select.certificate import certify
from codeocean.select.kcenter import k_center_greedy

X = torch.from_numpy(np.random.default_rng(0).normal(size=(2000, 16)).astype(np.float32))
CORESET = k_center_greedy(X, 1200, first=3)


def test_a_greedy_coreset_passes_on_every_row():
    found = certify(X, X[CORESET.indices], CORESET.radii)
    assert found.worst_ratio > 1 - 1e-9
    assert found.radius_error < 1e-9
    assert found.sampled_rows == 2000


def test_the_first_rows_of_the_corpus_do_not_pass():
    """The authors' script saves the first k rows."""
    rows = torch.arange(1200)
    radii = torch.tensor([float("inf"), *[float(torch.cdist(X[r : r + 1], X[:r]).min()) for r in range(1, 1200)]])
    assert certify(X, X[rows], radii.double()).worst_ratio < 0.8


def test_a_wrong_radius_and_a_swapped_pick_are_found():
    radii = CORESET.radii.clone()
    radii[1100] *= 1.01
    assert certify(X, X[CORESET.indices], radii).radius_error > 0.009
    swapped = CORESET.indices.clone()
    swapped[[5, 900]] = swapped[[900, 5]]
    assert (
        certify(X, X[swapped], CORESET.radii).worst_ratio == 1.0
        or certify(X, X[swapped], CORESET.radii).radius_error > 0.1
    )


def test_picks_that_were_given_are_not_held_to_be_greedy():
    chosen = [1, 2, 3, 4]
    coreset = k_center_greedy(X, 50, chosen=chosen)
    assert certify(X, X[coreset.indices], coreset.radii).worst_ratio < 0.9
    assert certify(X, X[coreset.indices], coreset.radii, given=4).worst_ratio > 1 - 1e-9


def test_duplicates_do_not_look_like_errors():
    x = X[:20].repeat(10, 1)
    coreset = k_center_greedy(x, 100)
    found = certify(x, x[coreset.indices], coreset.radii)
    assert found.worst_ratio > 1 - 1e-9
    assert found.radius_error < 1e-9
