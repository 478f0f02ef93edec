"""The coreset from shards in Ray actors: the same picks whatever is killed."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import ray
from pyarrow import fs as pafs

from codeocean.embed.vectors import list_parts
from codeocean.select import flow as coreset
from codeocean.select.flow import Corpus, choose_coreset
from codeocean.select.kcenter import choose_frame, extend_picks, k_center_greedy, start_picks
from codeocean.select.settings import CoresetConfig

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

FS = pafs.LocalFileSystem()


@pytest.fixture(scope="module")
def embedded(tmp_path_factory):
    """2,000 vectors in three parts: clusters, a lattice's ties, duplicates."""
    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(1300, 8)), rng.integers(0, 3, size=(600, 8)), np.ones((100, 8))]).astype(
        np.float32
    )
    folder = tmp_path_factory.mktemp("embed")
    for number, rows in enumerate(np.array_split(x, 3)):
        vectors = pa.FixedSizeListArray.from_arrays(pa.array(rows.reshape(-1)), 8)
        pq.write_table(pa.table({"id": [f"{number}-{n}" for n in range(len(rows))], "embedding": vectors}),
                       folder / f"part-{number:05d}.parquet")  # fmt: skip
    return folder, x


def test_any_number_of_actors_gives_the_picks_of_one_process(local_ray, embedded):
    folder, x = embedded
    corpus = Corpus(FS, list_parts(FS, str(folder)))
    expected = k_center_greedy(x, 400)
    for shards in (1, 2, 4):  # this Ray has four CPUs; seven shards are in test_kcenter.py
        selection = choose_coreset(CoresetConfig(size=400, shards=shards), corpus)
        assert selection.picks.rows == expected.indices.tolist()
        assert selection.picks.radii.tolist() == expected.radii.tolist()
        assert selection.certificate.worst_ratio > 1 - 1e-9


def test_a_killed_shard_is_read_again_and_the_picks_are_the_same(local_ray, embedded, caplog, monkeypatch):
    folder, x = embedded
    corpus = Corpus(FS, list_parts(FS, str(folder)))
    with monkeypatch.context() as few:
        few.setattr(ray, "cluster_resources", lambda: {"CPU": 2.0})
        shards = coreset.open_shards(CoresetConfig(size=400, shards=3), corpus)
    assert "3 shards want 3 CPUs and the cluster has 2" in caplog.text
    frame = choose_frame(shards, unit=False)
    picks = start_picks(shards, frame, [])
    killed = []

    def kill_one(picks):
        if len(killed) < 2:
            ray.kill(shards._call._actors[len(killed)])
            killed.append(len(picks.rows))

    with caplog.at_level("WARNING"):
        extend_picks(shards, frame, picks, 400, on_block=kill_one)
    assert len(killed) == 2
    assert "was lost" in caplog.text
    assert picks.rows == k_center_greedy(x, 400).indices.tolist()


KILLED = """
import os, signal, sys
from pyarrow import fs as pafs
from codeocean.select import flow as coreset
from codeocean.select import kcenter
from codeocean.select.settings import CoresetConfig
from codeocean.embed.vectors import list_parts
coreset.PROGRESS_SECONDS, kcenter.BLOCK = 0.0, 16
write = coreset.write_part
def write_then_die(*arguments):
    write(*arguments)
    if arguments[2].num_rows > 100:
        os.kill(os.getpid(), signal.SIGKILL)
coreset.write_part = write_then_die
corpus = coreset.Corpus(pafs.LocalFileSystem(), list_parts(pafs.LocalFileSystem(), sys.argv[1]))
coreset.choose_coreset(CoresetConfig(size=400), corpus, checkpoint=sys.argv[2])
"""


def test_a_selection_whose_process_was_killed_goes_on_from_its_picks(embedded, tmp_path, caplog):
    folder, x = embedded
    checkpoint = str(tmp_path / ".picks.parquet")
    command = [sys.executable, "-c", KILLED, str(folder), checkpoint]
    assert subprocess.run(command, cwd=Path(__file__).parents[3], check=False).returncode == -signal.SIGKILL
    kept = pq.read_table(checkpoint).num_rows
    assert 100 < kept < 400
    with caplog.at_level("INFO", logger="wavecoder.codeocean"):
        selection = choose_coreset(
            CoresetConfig(size=400), Corpus(FS, list_parts(FS, str(folder))), checkpoint=checkpoint
        )
    assert f"goes on behind {kept} picks" in caplog.text
    expected = k_center_greedy(x, 400)
    assert selection.picks.rows == expected.indices.tolist()
    assert selection.picks.radii.tolist() == expected.radii.tolist()


def test_baselines_stand_behind_the_same_setting(embedded):
    folder, _ = embedded
    corpus = Corpus(FS, list_parts(FS, str(folder)))
    chosen = {method: choose_coreset(CoresetConfig(size=300, method=method, seed=5), corpus)
              for method in ("k-center", "random", "k-means++")}  # fmt: skip
    for method, selection in chosen.items():
        assert len(set(selection.picks.rows)) == 300
        assert (selection.certificate is None) == (method != "k-center")
        again = choose_coreset(CoresetConfig(size=300, method=method, seed=5), corpus)
        assert again.picks.rows == selection.picks.rows
    other = choose_coreset(
        CoresetConfig(size=300, method="random", seed=6), corpus
    )  # the authors' script ignores its seed
    assert other.picks.rows != chosen["random"].picks.rows
    assert chosen["k-center"].picks.farthest < chosen["k-means++"].picks.farthest
    assert chosen["k-center"].picks.farthest < chosen["random"].picks.farthest
