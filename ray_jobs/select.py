"""`<run>/embed` → `<run>/select/coreset.parquet`; or, with `--embeddings`, anybody's vectors → a coreset."""

from __future__ import annotations

import posixpath
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
from pyarrow import fs as pafs

from codeocean.decontaminate.leakage import Leakage
from codeocean.select.settings import CoresetConfig
from core.object_store import open_url
from core.storage import read_part, read_parts, write_part
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.leakage import benchmark_texts, check_raw_code, gate_inputs
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, required, run_stage

if TYPE_CHECKING:
    from codeocean.select.flow import Corpus


def run_select(config: Config, run: RunDir) -> Manifest:
    """Choose the coreset."""
    embedded = required(run, "embed")
    benchmarks = benchmark_texts(config, "raw code")

    def work() -> StageResult:
        from codeocean.select.flow import choose_coreset, coreset_table  # imports torch

        if config.select.shards > 1:
            connect(config.ray)
        leakage = check_raw_code(config, run, benchmarks) if benchmarks else Leakage()
        corpus = _corpus(config.select, run, leakage)
        ids = _kept(read_parts(run.fs, run.path("embed"), ["id"])["id"], leakage)
        chosen = _grown_from(config.select, ids)
        selection = choose_coreset(
            config.select, corpus, chosen=chosen, checkpoint=run.path("select", ".picks.parquet")
        )
        write_part(run.fs, run.path("select", "coreset.parquet"), coreset_table(selection, ids), selection.details())
        dropped = leakage.dropped | {"not selected": corpus.num_rows - config.select.size}
        details = selection.details() | {"leakage": leakage.details(), "encoder_window": leakage.window}
        return StageResult(embedded["rows_out"], config.select.size, dropped, details=details)

    inputs = {"embed": embedded["digest"]} | gate_inputs(config, benchmarks)
    return run_stage(run, "select", covered_by("select", config), inputs, work)


def _kept(values: pa.ChunkedArray, leakage: Leakage) -> pa.ChunkedArray:
    """A column without the rows that repeat a benchmark."""
    if not leakage.reasons:
        return values
    return values.take(pa.array([row for row in range(len(values)) if row not in leakage.reasons]))


def _corpus(config: CoresetConfig, run: RunDir, leakage: Leakage) -> Corpus:
    import torch

    from codeocean.embed.vectors import list_parts, without_rows
    from codeocean.select.flow import Corpus

    whole = list_parts(run.fs, run.path("embed"))
    files = without_rows(whole, leakage.reasons) if leakage.reasons else whole
    if config.quotas is None:
        return Corpus(run.fs, files)
    column = config.quotas.column  # embed writes the rows of collect's parts in their order, under the same names
    parts = [run.path("collect", posixpath.basename(file.path)) for file in whole]
    names = pa.concat_tables([read_part(run.fs, part, [column]) for part in parts])[column]
    groups = _kept(names, leakage).combine_chunks().dictionary_encode()
    return Corpus(run.fs, files, torch.tensor(groups.indices.to_pylist()), groups.dictionary.to_pylist())


def _grown_from(config: CoresetConfig, ids: pa.ChunkedArray) -> list[int]:
    """Rows of the smaller corpus' coreset in this one."""
    if config.grow is None:
        return []
    fs, path = open_url(config.grow) if "://" in config.grow else (pafs.LocalFileSystem(), config.grow)
    earlier = read_part(fs, path, ["id"])["id"].to_pylist()
    row_of = {id_: row for row, id_ in enumerate(ids.to_pylist())}
    missing = [id_ for id_ in earlier if id_ not in row_of]
    if missing:
        raise ValueError(f"select.grow {config.grow}: {len(missing)} of its {len(earlier)} rows are not in embed/, the "
                         f"first is {missing[0]}; a corpus can only grow")  # fmt: skip
    return [row_of[id_] for id_ in earlier]


main = main_of("select")

if __name__ == "__main__":
    sys.exit(main())
