"""Jobs on a real local Ray: what they write, what they find again, and what they refuse."""

import gzip
import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from ray.data import DataContext
from sentence_transformers import SentenceTransformer

from codeocean.embed.encoder import as_matrix
from core.storage import read_parts
from ray_jobs.cli import run_job
from ray_jobs.collect import run_collect
from ray_jobs.embed import run_embed
from ray_jobs.run.config import load_config
from ray_jobs.run.models import resolve_model
from ray_jobs.run.rundir import RunDir
from ray_jobs.select import run_select

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

DEMO = "configs/demo.yaml"
FUNCTIONS = Path(__file__).parents[1] / "data" / "functions"
PAIR = """def add_{0}(values, others):
    total = {0}
    for value, other in zip(values, others):
        total += value + other
    if total < 0:
        raise ValueError("the total is negative")
    return total"""


def dataset(folder: Path, files: int, rows: int) -> str:
    """CodeSearchNet's original form: `files` files of `rows` rows each."""
    folder.mkdir(exist_ok=True)
    for file in range(files):
        with gzip.open(folder / f"python_{file}.jsonl.gz", "wt") as stream:
            for row in range(file * rows, file * rows + rows):
                fields = {"code": PAIR.format(row), "docstring": f"Add two numbers and {row} to them.", "language": "python",
                          "repo": "r", "path": "p.py", "func_name": f"add_{row}", "url": "", "partition": "train"}  # fmt: skip
                stream.write(json.dumps(fields) + "\n")
    return f"collect.sources=[{{kind: codesearchnet, path: {folder}}}]"


def settings(source: str, *more: str) -> list[str]:
    return [source, "collect.sample=1.0", "collect.rows_per_part=4", "select.size=5", *more]


def job(capsys, name, run_function, overrides, run_dir) -> tuple[int, str]:
    arguments = ["--config", DEMO, "--run-dir", str(run_dir)] + [part for item in overrides for part in ("--set", item)]
    code = run_job(name, run_function, arguments)
    return code, capsys.readouterr().err.splitlines()[-1]


def test_parts_that_are_there_stay_and_the_rest_ends_the_same(local_ray, tmp_path):
    overrides = settings(dataset(tmp_path / "data", files=4, rows=4))
    config = load_config(DEMO, overrides)
    whole, cut = RunDir(str(tmp_path / "whole")), RunDir(str(tmp_path / "cut"))
    for stage in (run_collect, run_embed, run_select):
        stage(config, whole)
    for stage, function in (
        ("collect", run_collect),
        ("embed", run_embed),
    ):  # as SIGKILL leaves it: parts, and no manifest
        shutil.copytree(tmp_path / "whole" / stage, tmp_path / "cut" / stage)
        folder = tmp_path / "cut" / stage
        (folder / "manifest.json").unlink()
        (folder / "part-00003.parquet").unlink()
        (folder / ".part-00002.parquet.making").write_bytes(b"half a part")
        kept = {path: path.stat().st_mtime_ns for path in folder.glob("part-*.parquet")}
        function(config, cut)
        assert {path: path.stat().st_mtime_ns for path in kept} == kept
        for path in (tmp_path / "whole" / stage).glob("part-*.parquet"):
            assert pq.read_table(folder / path.name).equals(pq.read_table(path))
    assert cut.manifest("collect")["dropped"] == whole.manifest("collect")["dropped"]
    run_select(config, cut)
    coresets = [pq.read_table(tmp_path / name / "select" / "coreset.parquet") for name in ("whole", "cut")]
    assert coresets[0].equals(coresets[1])


def test_the_same_files_come_from_any_number_of_workers_and_any_cut(local_ray, tmp_path):
    overrides = [*settings(dataset(tmp_path / "data", files=6, rows=5)), "collect.rows_per_part=7"]
    with gzip.open(tmp_path / "data" / "python_0.jsonl.gz", "at") as stream:  # the first unit is the last to be done
        stream.write('{"code": "x", "docstring": "too short", "language": "python"}\n' * 20_000)
    for number in range(3):  # copies, near and exact, across files
        shutil.copy(
            tmp_path / "data" / f"python_{number}.jsonl.gz", tmp_path / "data" / f"python_{number + 7}.jsonl.gz"
        )
    config = load_config(DEMO, overrides)
    sharded = load_config(DEMO, [*overrides, "collect.dedup=sharded", "collect.dedup_shards=3"])
    limits = DataContext.get_current().execution_options
    found = []
    for workers in (1, 2, 3):
        limits.resource_limits = limits.resource_limits.copy(cpu=workers)
        run = RunDir(str(tmp_path / f"run{workers}"))
        manifest = run_collect(sharded if workers == 2 else config, run)
        files = {name: (run.local / "collect" / name).read_bytes() for name in manifest["files"]}
        found.append((files, manifest["dropped"], manifest["examples"]))
    limits.resource_limits = limits.resource_limits.copy(cpu=float("inf"))
    assert found[0] == found[1] == found[2]
    assert found[0][1] == {"duplicate code": 15, "near duplicate": 1, "code too short": 40_000}
    sizes = [pq.read_metadata(file).num_rows for file in sorted((run.local / "collect").glob("*.parquet"))]
    assert sizes == [7, 7, 7, 7, 1]
    assert manifest["details"]["rows_per_second_per_core"] > 0
    (run.local / "collect" / "manifest.json").unlink()  # as SIGKILL leaves it, inside a unit
    (run.local / "collect" / "part-00003.parquet").unlink()
    (run.local / "collect" / "part-00004.parquet").unlink()
    again = run_collect(sharded, run)
    assert {name: (run.local / "collect" / name).read_bytes() for name in again["files"]} == found[0][0]
    assert again["dropped"] == manifest["dropped"]


def test_a_tokenizer_of_a_packaged_model_bounds_the_rows(local_ray, capsys, tmp_path):
    source = dataset(tmp_path / "data", files=1, rows=3)
    filters = "collect.filters={tokenizer: 'package:all-minilm-l6-v2', max_tokens: %d}"
    assert (
        run_collect(load_config(DEMO, settings(source, filters % 256)), RunDir(str(tmp_path / "run")))["rows_out"] == 3
    )
    code, line = job(capsys, "collect", run_collect, settings(source, filters % 8), tmp_path / "run")
    assert code == 2
    assert "too many tokens 3" in line


def test_vectors_are_those_of_sentence_transformers(local_ray, tmp_path):
    source = f"collect.sources=[{{kind: folder, path: {FUNCTIONS}, languages: [python]}}]"
    config = load_config(DEMO, settings(source))
    run = RunDir(str(tmp_path))
    run_collect(config, run)
    run_embed(config, run)
    raw = read_parts(run.fs, run.path("collect")).to_pylist()
    embedded = read_parts(run.fs, run.path("embed"))
    assert embedded["id"].to_pylist() == [row["id"] for row in raw]
    model = SentenceTransformer(resolve_model(config.embed.model, "embed.model"))
    expected = model.encode([f"{row['docstring']}\n{row['code']}" for row in raw], normalize_embeddings=True)
    np.testing.assert_allclose(as_matrix(embedded), expected, atol=1e-5)


def test_damaged_rows_are_counted_and_the_rest_goes_on(local_ray, tmp_path):
    overrides = settings(dataset(tmp_path / "data", files=2, rows=3))
    (tmp_path / "data" / "python_7.jsonl.gz").write_bytes(b"no gzip at all")
    with gzip.open(tmp_path / "data" / "python_8.jsonl.gz", "wt") as stream:
        stream.write('{"code": \n' + json.dumps({"code": 1}) + "\n")
    (tmp_path / "data" / "python_9.parquet").write_bytes(b"PAR1 not really PAR1")
    manifest = run_collect(load_config(DEMO, overrides), RunDir(str(tmp_path / "run")))
    assert manifest["rows_out"] == 6
    assert manifest["rows_in"] - manifest["rows_out"] == sum(manifest["dropped"].values()) == 4


@pytest.mark.parametrize("what", ["missing", "empty", "all damaged", "all dropped"])
def test_a_source_that_gives_nothing_is_refused_in_one_line(local_ray, capsys, tmp_path, what):
    data = tmp_path / "data"
    data.mkdir()
    source = f"collect.sources=[{{kind: codesearchnet, path: {data}}}]"
    if what == "missing":
        data.rmdir()
    if what == "all damaged":
        (data / "x.jsonl.gz").write_bytes(b"nothing")
    more = (
        ["collect.filters.min_code_chars=100000", "collect.filters.max_code_chars=200000"]
        if what == "all dropped"
        else []
    )
    if what == "all dropped":
        source = dataset(data, files=1, rows=3)
    code, line = job(capsys, "collect", run_collect, settings(source, *more), tmp_path / "run")
    assert code == 2
    assert line.startswith("wavecoder collect: collect")


def test_a_coreset_larger_than_the_data_is_refused(local_ray, capsys, tmp_path):
    overrides = settings(dataset(tmp_path / "data", files=1, rows=3))
    run = RunDir(str(tmp_path / "run"))
    config = load_config(DEMO, overrides)
    run_collect(config, run)
    run_embed(config, run)
    code, line = job(capsys, "select", run_select, overrides, tmp_path / "run")
    assert code == 2
    assert "select.size is 5 but embed/ holds 3 rows" in line


def test_a_model_that_is_no_encoder_is_refused_in_one_line(local_ray, capsys, tmp_path):
    overrides = settings(dataset(tmp_path / "data", files=1, rows=3))
    run_collect(load_config(DEMO, overrides), RunDir(str(tmp_path / "run")))
    broken = tmp_path / "model"
    broken.mkdir()
    (broken / "config.json").write_text('{"model_type": "no-such-architecture"}')
    code, line = job(capsys, "embed", run_embed, [*overrides, f"embed.model={broken}"], tmp_path / "run")
    assert code == 2
    assert line.startswith("wavecoder embed: embed.model")


def test_a_damaged_part_is_named(local_ray, capsys, tmp_path):
    overrides = settings(dataset(tmp_path / "data", files=2, rows=4))
    run = RunDir(str(tmp_path / "run"))
    run_collect(load_config(DEMO, overrides), run)
    (tmp_path / "run" / "collect" / "part-00001.parquet").write_bytes(b"PAR1 not any more")
    code, line = job(capsys, "embed", run_embed, overrides, tmp_path / "run")
    assert code == 2
    assert "part-00001.parquet" in line


def test_a_stage_without_its_input_says_what_to_run_first(capsys, tmp_path):
    code, line = job(capsys, "embed", run_embed, [], tmp_path)
    assert code == 2
    assert "run the collect job first" in line


def test_other_settings_never_mix_with_old_parts_and_old_ones_come_back(local_ray, tmp_path):
    overrides = settings(dataset(tmp_path / "data", files=2, rows=4))
    run = RunDir(str(tmp_path / "run"))
    first = run_collect(load_config(DEMO, overrides), run)
    other = run_collect(load_config(DEMO, [*overrides, "collect.rows_per_part=8"]), run)
    assert other["digest"] != first["digest"]
    assert other["files"] == ["part-00000.parquet"]
    again = run_collect(load_config(DEMO, overrides), run)
    assert again == first


def test_a_coreset_grows_with_its_corpus_and_keeps_quotas(local_ray, tmp_path, capsys):
    small = settings(dataset(tmp_path / "data", files=2, rows=4))
    run = RunDir(str(tmp_path / "run"))
    for stage in (run_collect, run_embed, run_select):
        stage(load_config(DEMO, small), run)
    first = pq.read_table(tmp_path / "run" / "select" / "coreset.parquet")
    kept = tmp_path / "earlier.parquet"
    shutil.copy(tmp_path / "run" / "select" / "coreset.parquet", kept)
    grown = [*settings(dataset(tmp_path / "data", files=4, rows=4)), "select.size=9", f"select.grow={kept}"]
    for stage in (run_collect, run_embed, run_select):
        manifest = stage(load_config(DEMO, grown), run)
    table = pq.read_table(tmp_path / "run" / "select" / "coreset.parquet")
    assert table["id"].to_pylist()[:5] == first["id"].to_pylist()
    assert manifest["details"]["certificate"]["worst_ratio"] > 1 - 1e-9
    assert manifest["details"]["radius"] <= min(table["radius"].to_pylist()[5:])
    quotas = [*grown, "select.quotas={column: language, at_most: {python: 3}}"]
    code, line = job(capsys, "select", run_select, quotas, tmp_path / "run")
    assert (code, "the quotas allow 3 rows but k is 9" in line) == (2, True)
    pq.write_table(first.set_column(1, "id", [["0" * 16] * 5]), kept)
    code, line = job(capsys, "select", run_select, [*grown, "select.seed=1"], tmp_path / "run")
    assert code == 2
    assert "5 of its 5 rows are not in embed/" in line
