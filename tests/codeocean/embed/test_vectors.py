"""Slices of vectors on disk, from any form, as stored."""

import uuid
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import fs as pafs

from codeocean.embed.vectors import check_alike, list_parts, open_vectors, read_ids, read_vectors, without_rows

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


ROWS = {
    "ragged": [[1.0, 2.0], [3.0], [4.0, 5.0, 6.0]],
    "missing": [[1.0, 2.0], None, [4.0, 5.0]],
    "missing first": [None, [1.0, 2.0], [4.0, 5.0]],
    "hole": [[1.0, 2.0], [4.0, 5.0], [6.0, None]],
}


@pytest.mark.parametrize(
    ("what", "message"),
    [
        ("damaged", "cannot be read as vectors"),
        ("pickle", "cannot be read as vectors"),
        ("integers", "no matrix of ordinary floats"),
        ("no vectors", "has no column 'embedding' of lists of floats; its columns are id"),
        ("ragged", "row 1 has 1 numbers, the others have 2"),
        ("missing", "row 1 has 0 numbers, the others have 2"),
        ("missing first", "row 0 has 0 numbers, the others have 2"),
        ("hole", "row 2 lacks one of its 2 numbers"),
        ("long doubles", "no matrix of ordinary floats"),
    ],
)
def test_what_holds_no_vectors_is_named(tmp_path, what, message):
    path = tmp_path / ("x.npy" if what in {"pickle", "integers", "long doubles"} else "x.parquet")
    if what == "damaged":
        path.write_bytes(b"PAR1 not really PAR1")
    elif what == "pickle":
        np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    elif what == "integers":
        np.save(path, np.ones((3, 2), dtype=np.int64))
    elif what == "long doubles":
        np.save(path, np.ones((3, 2), dtype=np.longdouble))
    elif what == "no vectors":
        pq.write_table(pa.table({"id": ["a"]}), path)
    else:
        rows = ROWS[what]
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


FLAT = pa.array(X.reshape(-1))
OFFSETS = np.arange(0, X.size + 1, X.shape[1])
COLUMNS = {
    "list": lambda: pa.ListArray.from_arrays(pa.array(OFFSETS, pa.int32()), FLAT),
    "large list (Polars)": lambda: pa.LargeListArray.from_arrays(pa.array(OFFSETS, pa.int64()), FLAT),
    "fixed size list": lambda: pa.FixedSizeListArray.from_arrays(FLAT, X.shape[1]),
    "Arrow's tensor": lambda: pa.FixedShapeTensorArray.from_numpy_ndarray(X),
    "half floats": lambda: pa.LargeListArray.from_arrays(
        pa.array(OFFSETS, pa.int64()), pa.array(X.reshape(-1).astype(np.float16))
    ),
}


@pytest.mark.parametrize("kind", COLUMNS)
def test_every_kind_of_list_holds_vectors(tmp_path, kind):
    table = pa.table({"id": pa.array(range(len(X))), "embedding": COLUMNS[kind]()})
    pq.write_table(table, tmp_path / "x.parquet", row_group_size=37)
    file = open_vectors(FS, str(tmp_path / "x.parquet"))
    assert (file.num_rows, file.dimensions) == (1000, 6)
    found = read_vectors(FS, [file], 20, 700).numpy()
    np.testing.assert_array_equal(found, X[20:700].astype(found.dtype))


def test_several_columns_of_vectors_are_told_by_name(tmp_path):
    values = COLUMNS["list"]()
    pq.write_table(pa.table({"a": values, "b": values}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match="it has several columns of vectors, a, b; call the one that is meant"):
        open_vectors(FS, str(tmp_path / "x.parquet"))
    pq.write_table(pa.table({"a": values, "embedding": values}), tmp_path / "x.parquet")
    assert open_vectors(FS, str(tmp_path / "x.parquet")).column == "embedding"


@pytest.mark.parametrize("column", [pa.array([[1, 2]]), pa.array([[[1.0]]]), pa.array([{"data": [1.0]}])])
def test_what_is_no_vector_is_refused_with_its_type(tmp_path, column):
    pq.write_table(pa.table({"id": ["a"], "embedding": column}), tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=r"embedding \((list|struct)<"):
        open_vectors(FS, str(tmp_path / "x.parquet"))


UUIDS = [uuid.UUID(int=number) for number in (0, 7, 1 << 127)]
RAW = pa.array([each.bytes for each in UUIDS], pa.binary(16))
IDS = {
    "text": (pa.array(["a", "b", "c"]), ["a", "b", "c"]),
    "large text": (pa.array(["a", "b", "c"], pa.large_string()), ["a", "b", "c"]),
    "text view": (pa.array(["a", "b", "c"], pa.string_view()), ["a", "b", "c"]),
    "dictionary": (pa.array(["a", "b", "a"]).dictionary_encode(), ["a", "b", "a"]),
    "ints": (pa.array([1, -2, 3]), ["1", "-2", "3"]),
    "unsigned": (pa.array([1, 2, (1 << 64) - 1], pa.uint64()), ["1", "2", str((1 << 64) - 1)]),
    "UUID as bytes": (RAW, [str(each) for each in UUIDS]),
    "UUID": (pa.ExtensionArray.from_storage(pa.uuid(), RAW), [str(each) for each in UUIDS]),
    "bytes of text": (pa.array([b"a", b"\xc3\xbc", b"c"]), ["a", "ü", "c"]),
    "view of bytes": (pa.array([b"a", b"\xff\x00", b"c"], pa.binary_view()), ["61", "ff00", "63"]),
    "bytes": (pa.array([b"a", b"\xff\x00", b"c"], pa.large_binary()), ["61", "ff00", "63"]),
}


@pytest.mark.parametrize("kind", IDS)
def test_ids_of_every_kind_are_text(tmp_path, kind):
    column, expected = IDS[kind]
    table = pa.table({"id": column, "embedding": pa.FixedSizeListArray.from_arrays(FLAT[:6], 2)})
    pq.write_table(table, tmp_path / "x.parquet")
    files = [open_vectors(FS, str(tmp_path / "x.parquet"))] * 2
    assert read_ids(FS, files).to_pylist() == expected * 2


@pytest.mark.parametrize("name", ["ID", "Id", "iD"])
def test_ids_are_found_whatever_the_case_of_their_column(tmp_path, name):
    vectors = pa.FixedSizeListArray.from_arrays(FLAT[:6], 2)
    pq.write_table(pa.table({name: ["a", "b", "c"], "embedding": vectors}), tmp_path / "x.parquet")
    pq.write_table(pa.table({"id": [4, 5, 6], "ID": ["a", "b", "c"], "embedding": vectors}), tmp_path / "y.parquet")
    files = [open_vectors(FS, str(tmp_path / f"{file}.parquet")) for file in "xy"]
    assert read_ids(FS, files).to_pylist() == ["a", "b", "c", "4", "5", "6"]
    pq.write_table(pa.table({"Id": [4, 5, 6], "ID": ["a", "b", "c"], "embedding": vectors}), tmp_path / "z.parquet")
    with pytest.raises(ValueError, match="has the columns 'Id' and 'ID'; call the one that is meant 'id'"):
        read_ids(FS, [open_vectors(FS, str(tmp_path / "z.parquet"))])


def test_rows_without_the_column_are_numbered_through_all_files(tmp_path):
    pq.write_table(pa.table({"embedding": pa.FixedSizeListArray.from_arrays(FLAT[:6], 2)}), tmp_path / "x.parquet")
    np.save(tmp_path / "x.npy", X[:2, :2])
    files = [open_vectors(FS, str(tmp_path / name)) for name in ("x.parquet", "x.npy")]
    assert read_ids(FS, files).to_pylist() == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([["a"], ["b"], ["c"]]), "column 'id' cannot be read: it holds list<.*>, which is no id"),
        (pa.array([{"x": 1}] * 3), "it holds struct<.*>, which is no id"),
        (pa.array(["a", None, None]), "2 rows have no id; the first is row 1"),
    ],
)
def test_what_is_no_id_is_one_clear_line(tmp_path, column, message):
    table = pa.table({"id": column, "embedding": pa.FixedSizeListArray.from_arrays(FLAT[:6], 2)})
    pq.write_table(table, tmp_path / "x.parquet")
    with pytest.raises(ValueError, match=message):
        read_ids(FS, [open_vectors(FS, str(tmp_path / "x.parquet"))])


@pytest.mark.parametrize(("name", "how"), [
    ("a.npz", 'numpy.load(\'a.npz\')["arr_0"]'), ("a.safetensors", "load_file('a.safetensors')"), ("a.csv", "loadtxt"),
    ("a.arrow", "read_ipc_stream"), ("a.jsonl", "lines=True"), ("a.bin", "fromfile"),
])  # fmt: skip
def test_other_forms_of_vectors_are_refused_with_how_to_convert_them(tmp_path, name, how):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(ValueError, match="they come as .npy, or as Parquet") as caught:
        open_vectors(FS, str(tmp_path / name))
    assert how in str(caught.value)


def test_vectors_of_no_numbers_are_refused(tmp_path):
    np.save(tmp_path / "x.npy", X[:, :0])
    with pytest.raises(ValueError, match=r"write it as \(rows, dimensions\) of float32"):
        open_vectors(FS, str(tmp_path / "x.npy"))
