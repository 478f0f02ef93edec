"""Slices of vectors on disk, from any form, as stored."""

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import fs as pafs

from codeocean.embed.vectors import check_alike, list_parts, open_vectors, read_vectors, without_rows

FS = pafs.LocalFileSystem()
X = np.random.default_rng(0).normal(size=(1000, 6)).astype(np.float32)


def write(path, x, column="embedding", row_group_size=37):
    values = pa.array(x.reshape(-1))
    vectors = pa.FixedSizeListArray.from_arrays(values, x.shape[1])
    pq.write_table(
        pa.table({"id": [str(n) for n in range(len(x))], column: vectors}), path, row_group_size=row_group_size
    )


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_every_slice_is_what_was_written(tmp_path, dtype):
    x = X.astype(dtype)
    for number, (low, high) in enumerate([(0, 300), (300, 301), (301, 1000)]):
        write(tmp_path / f"part-{number:05d}.parquet", x[low:high])
    files = list_parts(FS, str(tmp_path))
    assert [file.num_rows for file in files] == [300, 1, 699]
    for start, stop in [(0, 1000), (0, 1), (299, 302), (36, 38), (500, 1000), (999, 1000), (5, 5)]:
        found = read_vectors(FS, files, start, stop)
        assert found.dtype == getattr(torch, np.dtype(dtype).name)
        np.testing.assert_array_equal(found.numpy(), x[start:stop])


@settings(max_examples=15, deadline=None)
@given(st.sets(st.integers(0, 29)), st.integers(0, 30), st.integers(0, 30))
def test_files_without_some_rows_are_the_rest_in_order(tmp_path_factory, dropped, low, high):
    folder = tmp_path_factory.mktemp("parts")
    bounds = [0, *sorted((low, high)), 30]
    for number, (start, stop) in enumerate(pairwise(bounds)):
        write(folder / f"part-{number:05d}.parquet", X[start:stop], row_group_size=4)
    files = without_rows(list_parts(FS, str(folder)), dropped)
    rest = [row for row in range(30) if row not in dropped]
    assert sum(file.num_rows for file in files) == len(rest)
    if files:
        np.testing.assert_array_equal(read_vectors(FS, files, 0, len(rest)).numpy(), X[rest])
        np.testing.assert_array_equal(
            read_vectors(FS, files, len(rest) // 3, len(rest)).numpy(), X[rest][len(rest) // 3 :]
        )


def test_numpy_files_and_lists_of_any_name(tmp_path):
    np.save(tmp_path / "x.npy", X)
    pq.write_table(
        pa.table({"text": ["a"] * 1000, "vector": pa.array(X.tolist(), pa.list_(pa.float32()))}), tmp_path / "x.parquet"
    )
    for name in ("x.npy", "x.parquet"):
        file = open_vectors(FS, str(tmp_path / name))
        assert (file.num_rows, file.dimensions) == (1000, 6)
        np.testing.assert_array_equal(read_vectors(FS, [file], 20, 700).numpy(), X[20:700])


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("damaged", "cannot be read as vectors"),
        ("pickle", "cannot be read as vectors"),
        ("integers", "not a matrix of floats"),
        ("no vectors", "has no column 'embedding' of lists of floats; its columns are id"),
        ("ragged", "a row has no vector of 2 numbers"),
        ("missing", "a row has no vector of 2 numbers"),
    ],
)
def test_what_holds_no_vectors_is_named(tmp_path, what, message):
    path = tmp_path / ("x.npy" if what in {"pickle", "integers"} else "x.parquet")
    if what == "damaged":
        path.write_bytes(b"PAR1 not really PAR1")
    elif what == "pickle":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif what == "integers":
        np.save(path, np.ones((3, 2), dtype=np.int64))
    elif what == "no vectors":
        pq.write_table(pa.table({"id": ["a"]}), path)
    else:
        rows = [[1.0, 2.0], [3.0] if what == "ragged" else None, [4.0, 5.0, 6.0] if what == "ragged" else [4.0, 5.0]]
        pq.write_table(pa.table({"v": pa.array(rows, pa.list_(pa.float32()))}), path)
    with pytest.raises(ValueError, match=message) as caught:
        read_vectors(FS, [open_vectors(FS, str(path))], 0, 3)
    assert str(path) in str(caught.value)


def test_parts_of_different_lengths_are_refused(tmp_path):
    write(tmp_path / "part-00000.parquet", X)
    write(tmp_path / "part-00001.parquet", X[:, :3])
    with pytest.raises(ValueError, match="mixes vectors"):
        list_parts(FS, str(tmp_path))
    assert check_alike([]) == []
