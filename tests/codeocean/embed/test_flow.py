"""The embed stage on a real local Ray: parts, a killed encoder, resume, and who works where."""

import logging
import signal
from contextlib import suppress

import numpy as np
import psutil
import pyarrow as pa
import pytest
from pyarrow import fs as pafs

from codeocean.embed.encoder import Encoder, as_matrix, row_texts
from codeocean.embed.flow import batches_at_a_time, embed, num_actors
from codeocean.embed.settings import EmbedConfig
from codeocean.records import RAW_CODE
from core.storage import part_names, read_part, write_part
from ray_jobs.run.models import resolve_model
from tests.processes import processes_below

MINILM = resolve_model("package:all-minilm-l6-v2", "embed.model")
FS = pafs.LocalFileSystem()
CONFIG = EmbedConfig(tokens_per_batch=256)


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    """Three parts, one of them without rows."""
    folder = tmp_path_factory.mktemp("raw")
    for part, num_rows in enumerate((30, 0, 11)):
        fields = [
            {
                "id": f"{part}-{row}",
                "docstring": "Add numbers. " * (row % 7),
                "code": "def f():\n  pass\n" * (3 * row % 17),
            }
            for row in range(num_rows)
        ]
        write_part(FS, str(folder / f"part-{part:05d}.parquet"), pa.Table.from_pylist(fields, RAW_CODE), {})
    return str(folder)


@pytest.fixture(scope="module")
def whole(local_ray, raw, tmp_path_factory):
    folder = str(tmp_path_factory.mktemp("whole"))
    assert embed(CONFIG, MINILM, FS, raw, folder) == 41
    return folder


def tables(folder: str) -> dict[str, pa.Table]:
    return {name: read_part(FS, f"{folder}/{name}") for name in part_names(FS, folder)}


class KillOnce(logging.Handler):
    """Kills every encoder of this process' Ray at the first line of progress, when a batch is done and more are to come."""

    killed = 0

    def emit(self, record):
        if self.killed or not record.getMessage().startswith("embed:"):
            return
        assert " 100 %" not in record.getMessage()
        for process in processes_below(psutil.Process(), "MapWorker"):
            with suppress(psutil.NoSuchProcess):  # a worker that ended by itself
                process.send_signal(signal.SIGKILL)
                self.killed += 1


@pytest.mark.slow
def test_parts_have_the_names_and_rows_of_the_raw_code_in_order(whole, raw):
    encoder = Encoder(MINILM, CONFIG, device="cpu")
    assert part_names(FS, whole) == part_names(FS, raw)
    for name, table in tables(whole).items():
        rows = read_part(FS, f"{raw}/{name}")
        assert table["id"].to_pylist() == rows["id"].to_pylist()
        np.testing.assert_allclose(as_matrix(table), encoder.encode(row_texts(rows, CONFIG)), atol=1e-6)


@pytest.mark.slow
def test_a_killed_encoder_costs_no_part_and_changes_nothing(whole, raw, tmp_path):
    logger, handler = logging.getLogger("wavecoder.codeocean"), KillOnce()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        assert embed(CONFIG, MINILM, FS, raw, str(tmp_path)) == 41
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)
    assert handler.killed == 1
    assert tables(str(tmp_path)) == tables(whole)


@pytest.mark.slow
def test_finished_parts_stay_and_the_rest_ends_the_same(whole, raw, tmp_path):
    kept = tmp_path / "part-00000.parquet"
    kept.write_bytes((tmp_path.parent / whole / "part-00000.parquet").read_bytes())
    before = kept.stat().st_mtime_ns
    assert embed(CONFIG, MINILM, FS, raw, str(tmp_path)) == 11
    assert kept.stat().st_mtime_ns == before
    assert tables(str(tmp_path)) == tables(whole)
    assert embed(CONFIG, MINILM, FS, raw, str(tmp_path)) == 0


@pytest.mark.slow
def test_a_failure_of_writing_ends_the_stage(local_ray, raw, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError):
        embed(CONFIG, MINILM, FS, raw, str(tmp_path / "file"))


@pytest.mark.parametrize(
    ("actors", "gpus_per_actor", "gpus", "expected"),
    [
        ("all", 0.0, 8, 1),
        ("all", 1.0, 8, 8),
        ("all", 0.25, 2, 8),
        ("all", 0.1, 0.3, 3),
        ("all", 2.0, 5, 2),
        (3, 1.0, 0, 3),
    ],
)
def test_all_actors_are_as_many_as_the_gpus_hold(actors, gpus_per_actor, gpus, expected):
    assert num_actors(EmbedConfig(actors=actors, gpus_per_actor=gpus_per_actor), gpus) == expected


def test_all_actors_of_no_gpu_are_refused_in_one_line():
    with pytest.raises(
        ValueError, match=r"embed\.actors is 'all' and embed\.gpus_per_actor is 1 but the cluster has 0 GPUs"
    ):
        num_actors(EmbedConfig(gpus_per_actor=1.0), 0)


def test_actors_share_the_cores_of_a_cpu_machine(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert batches_at_a_time(EmbedConfig(), 1) == 8
    assert batches_at_a_time(EmbedConfig(), 3) == 2
    assert batches_at_a_time(EmbedConfig(), 20) == 1
    assert batches_at_a_time(EmbedConfig(gpus_per_actor=0.5), 1) == 2
    assert batches_at_a_time(EmbedConfig(batches_per_actor=5), 1) == 5
