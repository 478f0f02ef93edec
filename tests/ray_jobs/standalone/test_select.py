"""The selection alone, for people who bring their own vectors."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs as pafs

from codeocean.select import flow as coreset
from codeocean.select.kcenter import k_center_greedy
from core.storage import read_note
from ray_jobs.select import main

X = np.random.default_rng(0).normal(size=(500, 8)).astype(np.float32)


def test_numpy_vectors_give_a_coreset_of_row_numbers(tmp_path):
    np.save(tmp_path / "x.npy", X)
    out = tmp_path / "out" / "coreset.parquet"
    assert main(["--embeddings", str(tmp_path / "x.npy"), "--k", "50", "--out", str(out)]) == 0
    table = pq.read_table(out)
    expected = k_center_greedy(X, 50)
    assert [int(id_) for id_ in table["id"].to_pylist()] == expected.indices.tolist()
    assert table["radius"].to_pylist() == expected.radii.tolist()
    assert table["rank"].to_pylist() == list(range(50))
    found = read_note(pafs.LocalFileSystem(), str(out))
    assert found["certificate"]["worst_ratio"] > 1 - 1e-5
    assert found["best_possible_radius_at_least"] == found["radius"] / 2
    assert found["radius"] == pytest.approx(float(k_center_greedy(X, 51).radii[50]))


def test_parquet_vectors_keep_their_ids(tmp_path):
    table = pa.table({"id": [f"row-{n}" for n in range(500)], "vector": pa.array(X.tolist(), pa.list_(pa.float32()))})
    pq.write_table(table, tmp_path / "x.parquet")
    arguments = ["--embeddings", str(tmp_path / "x.parquet"), "--k", "20", "--out", str(tmp_path / "c.parquet")]
    assert main([*arguments, "--metric", "cosine", "--first", "7"]) == 0
    expected = k_center_greedy(X, 20, first=7, metric="cosine").indices.tolist()
    assert pq.read_table(tmp_path / "c.parquet")["id"].to_pylist() == [f"row-{row}" for row in expected]


def test_a_selection_that_was_stopped_goes_on_from_its_picks(tmp_path, monkeypatch, capsys):
    np.save(tmp_path / "x.npy", X)
    arguments = ["--embeddings", str(tmp_path / "x.npy"), "--k", "400", "--out", str(tmp_path / "c.parquet")]
    write, written = coreset.write_part, []

    def write_once(*parts):
        if written:
            raise KeyboardInterrupt
        written.append(parts)
        write(*parts)

    monkeypatch.setattr(coreset, "PROGRESS_SECONDS", 0.0)
    monkeypatch.setattr(coreset, "write_part", write_once)
    assert main(arguments) == 130
    assert len(list(tmp_path.glob(".c.parquet.*.picks"))) == 1
    monkeypatch.setattr(coreset, "write_part", write)
    assert main(arguments) == 0
    assert "goes on behind" in capsys.readouterr().err
    assert [int(id_) for id_ in pq.read_table(tmp_path / "c.parquet")["id"].to_pylist()] == (
        k_center_greedy(X, 400).indices.tolist()
    )
    assert list(tmp_path.glob(".c.parquet.*")) == []


@pytest.mark.parametrize(
    ("content", "more", "message"),
    [
        (None, [], "there is no such file"),
        (X, ["--k", "501"], "--k is 501 but"),
        (X, ["--k", "0"], "--k is 0 but"),
        (np.where(np.arange(500)[:, None] == 9, np.nan, X), [], "row 9 of x holds NaN"),
        (X, ["--first", "500"], "--first is 500 but the rows of"),
        (X, ["--first", "-1"], "--first is -1 but the rows of"),
        (X, ["--shards", "0"], "--shards is 0; choose 1 or more"),
        (X[:, 0], [], "cannot be read as vectors"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, capsys, content, more, message):
    if content is not None:
        np.save(tmp_path / "x.npy", content)
    arguments = ["--embeddings", str(tmp_path / "x.npy"), "--k", "5", "--out", str(tmp_path / "c.parquet"), *more]
    assert main(arguments) == 2
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith("wavecoder")]
    assert len(lines) == 1
    assert message in lines[0]
    assert not (tmp_path / "c.parquet").exists()


def test_a_folder_of_ray_datas_tensors_is_one_matrix(tmp_path):
    from ray.data._internal.tensor_extensions.arrow import ArrowTensorArray

    for number, (low, high) in enumerate([(0, 200), (200, 500)]):
        table = pa.table({"id": pa.array(range(low, high)), "data": ArrowTensorArray.from_numpy(X[low:high])})
        pq.write_table(table, tmp_path / f"{number}_000000.parquet")
    out = tmp_path / "out" / "c.parquet"
    assert main(["--embeddings", str(tmp_path), "--k", "30", "--out", str(out)]) == 0
    expected = k_center_greedy(X, 30).indices.tolist()
    assert pq.read_table(out)["id"].to_pylist() == [str(row) for row in expected]


def test_a_folder_of_numpy_files_is_one_matrix(tmp_path, capsys):
    for number, rows in enumerate((X[:200], X[200:])):
        np.save(tmp_path / f"{number}.npy", rows)
    (tmp_path / "_temporary").mkdir()
    np.save(tmp_path / "_temporary" / "0.npy", X[:200])  # what a writer that was killed left
    out = tmp_path / "out" / "c.parquet"
    arguments = ["--embeddings", str(tmp_path), "--k", "30", "--out", str(out)]
    assert main(arguments) == 0
    assert pq.read_table(out)["id"].to_pylist() == [str(row) for row in k_center_greedy(X, 30).indices.tolist()]
    assert main(arguments) == 2
    assert "holds .npy and .parquet files; name a folder of one form" in capsys.readouterr().err
    (tmp_path / "_delta_log").mkdir()
    assert main(arguments) == 2
    assert "is a Delta table" in capsys.readouterr().err


def test_ids_that_are_not_distinct_are_refused_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(coreset, "choose_coreset", None)
    table = pa.table({"id": ["a", "b", "c", "b", *map(str, range(496))], "v": pa.array(X.tolist())})
    pq.write_table(table, tmp_path / "x.parquet")
    assert main(["--embeddings", str(tmp_path / "x.parquet"), "--k", "5", "--out", str(tmp_path / "c.parquet")]) == 2
    assert "2 rows share their id with another, such as 'b'; give each row its own" in capsys.readouterr().err


def test_ids_that_are_none_are_refused_before_the_work(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(coreset, "choose_coreset", None)  # it would fail otherwise than asked for
    table = pa.table({"id": [["a"]] * 500, "embedding": pa.array(X.tolist(), pa.large_list(pa.float32()))})
    pq.write_table(table, tmp_path / "x.parquet")
    arguments = ["--embeddings", str(tmp_path / "x.parquet"), "--k", "5"]
    assert main([*arguments, "--out", str(tmp_path / "c.parquet")]) == 2
    assert "which is no id; text, whole numbers and UUIDs are" in capsys.readouterr().err
    assert main([*arguments, "--out", str(tmp_path)]) == 2
    assert "is a folder; name the file to write in it" in capsys.readouterr().err
