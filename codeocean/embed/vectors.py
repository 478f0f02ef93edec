"""Vectors on disk → slices of the matrix, without a second copy on the way. No Ray here.

Parquet with a column of vectors (the embeddings artifact, or what DuckDB, Polars, Ray Data, pandas wrote), and NumPy's
`.npy`.
"""

from __future__ import annotations

import posixpath
import uuid
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from pyarrow import fs as pafs
from torch import Tensor

from core.storage import check_rows, read_part, written_parts

BATCH_ROWS = 16_384


@dataclass(frozen=True)
class VectorFile:
    """One file of vectors."""

    path: str
    num_rows: int
    dimensions: int
    dtype: str
    """NumPy's name of the stored type."""
    column: str
    """Parquet column of the vectors; empty for `.npy`."""
    first: int = 0
    """Rows of the file that stand before these and are none of them."""


def list_parts(fs: pafs.FileSystem, folder: str) -> list[VectorFile]:
    """The `part-*.parquet` of the embeddings artifact, in order.

    Raises:
        ValueError: one cannot be read, or they do not belong together.
    """
    parts = written_parts(fs, folder)
    if not parts:
        raise ValueError(f"{folder} holds no part-*.parquet; run the embed job first")
    files = []
    for part in parts:
        files.append(open_vectors(fs, posixpath.join(folder, part.name)))
        check_rows(files[-1].path, files[-1].num_rows, part)
    return check_alike(files)


def check_alike(files: list[VectorFile]) -> list[VectorFile]:
    """The files, all of one dimension and type; raises `ValueError`."""
    kinds = {(file.dimensions, file.dtype) for file in files}
    if len(kinds) > 1:
        raise ValueError(f"{posixpath.dirname(files[0].path)} mixes vectors of {sorted(kinds)}; embed all rows alike")
    return files


def without_rows(files: Sequence[VectorFile], dropped: Iterable[int]) -> list[VectorFile]:
    """The files without some rows, numbered over all of them laid end to end: what stands between them, as slices."""
    bounds, kept, offset = sorted(set(dropped)), list[VectorFile](), 0
    for file in files:
        begin, place = 0, bisect_left(bounds, offset)
        while begin < file.num_rows or file.num_rows == 0:
            inside = place < len(bounds) and bounds[place] < offset + file.num_rows
            end = bounds[place] - offset if inside else file.num_rows
            if end > begin:
                kept.append(replace(file, num_rows=end - begin, first=file.first + begin))
            if not inside:
                break
            begin, place = end + 1, place + 1
        offset += file.num_rows
    return kept


def open_vectors(fs: pafs.FileSystem, path: str, column: str = "embedding") -> VectorFile:
    """What a file holds, by its head alone.

    Args:
        fs: its filesystem.
        path: `.parquet` or `.npy`.
        column: of the vectors; another name is taken when it is the only column of vectors.

    Raises:
        ValueError: it cannot be read, or holds no vectors.
    """
    try:
        if path.endswith(".npy"):
            x_ND = np.load(path, mmap_mode="r", allow_pickle=False)
            if x_ND.ndim != 2 or x_ND.dtype.kind != "f" or x_ND.dtype.itemsize > 8 or not x_ND.shape[1]:
                raise ValueError(f"it holds {x_ND.dtype} of shape {x_ND.shape}, no matrix of ordinary floats; write it "
                                 "as (rows, dimensions) of float32")  # fmt: skip
            return VectorFile(path, len(x_ND), x_ND.shape[1], x_ND.dtype.name, "")
        with fs.open_input_file(path) as stream:
            file = pq.ParquetFile(stream)
            field = _vector_field(file.schema_arrow, column)
            numbers = _numbers(field.type)
            assert numbers is not None
            dtype = numbers.to_pandas_dtype().__name__
            return VectorFile(path, file.metadata.num_rows, _dimensions(file, field), dtype, field.name)
    except (pa.ArrowException, ValueError, EOFError) as error:
        suffix = posixpath.splitext(path)[1].lower()
        if suffix not in _CONVERTED:
            raise ValueError(f"{path} cannot be read as vectors: {str(error).splitlines()[0]}") from None
        raise ValueError(
            f"{path} cannot be read as vectors: they come as .npy, or as Parquet with a column of lists of floats; "
            f"convert it, as by {_CONVERTED[suffix].replace('PATH', repr(posixpath.basename(path)))}"
        ) from None


_CONVERTED = {
    ".npz": 'numpy.save("vectors.npy", numpy.load(PATH)["arr_0"])',
    ".safetensors": 'numpy.save("vectors.npy", safetensors.numpy.load_file(PATH)["embeddings"])',
    ".pt": 'numpy.save("vectors.npy", torch.load(PATH, weights_only=True).float().numpy())',
    ".bin": 'numpy.save("vectors.npy", numpy.fromfile(PATH, "float32").reshape(-1, DIMENSIONS))',
    ".csv": 'numpy.save("vectors.npy", numpy.loadtxt(PATH, delimiter=","))',
    ".tsv": 'numpy.save("vectors.npy", numpy.loadtxt(PATH))',
    ".h5": 'numpy.save("vectors.npy", h5py.File(PATH)["embeddings"][:])',
    ".arrow": 'polars.read_ipc_stream(PATH).write_parquet("vectors.parquet")',
    ".feather": 'pandas.read_feather(PATH).to_parquet("vectors.parquet")',
    ".jsonl": 'pandas.read_json(PATH, lines=True).to_parquet("vectors.parquet")',
    ".json": 'pandas.read_json(PATH).to_parquet("vectors.parquet")',
}
"""How other forms become one that is read."""


def _vector_field(schema: pa.Schema, column: str) -> pa.Field:
    found = [field for field in schema if _numbers(field.type) is not None]
    named = [field for field in found if field.name == column]
    if not named and len(found) > 1:
        raise ValueError(f"it has several columns of vectors, {', '.join(field.name for field in found)}; call the one "
                         f"that is meant {column!r}")  # fmt: skip
    if not found:
        columns = ", ".join(f"{field.name} ({field.type})" for field in schema)
        raise ValueError(f"it has no column {column!r} of lists of floats; its columns are {columns}; "
                         "write each vector as one list of float32")  # fmt: skip
    return (named or found)[0]


def _numbers(kind: pa.DataType) -> pa.DataType | None:
    """The type of a vector's numbers; None for a column of anything else.

    Lists of any kind, and what is stored as one: Arrow's `fixed_shape_tensor` and Ray Data's tensors, whose type is
    known to Arrow only where Ray was imported.
    """
    kind = kind.storage_type if isinstance(kind, pa.BaseExtensionType) else kind
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list, pa.types.is_list_view,
             pa.types.is_large_list_view)  # fmt: skip
    if any(test(kind) for test in lists) and pa.types.is_floating(kind.value_type):
        return kind.value_type
    return None


def _dimensions(file: pq.ParquetFile, field: pa.Field) -> int:
    """The length of the first row that has a vector: the rows without one are named when they are read."""
    for batch in file.iter_batches(BATCH_ROWS, columns=[field.name]):
        if found := next(filter(None, pc.list_value_length(_stored(batch.column(0))).to_pylist()), 0):
            return int(found)
    return int(getattr(field.type, "list_size", 0))


def _stored(values: pa.Array) -> pa.Array:
    return values.storage if isinstance(values.type, pa.BaseExtensionType) else values


def read_ids(fs: pafs.FileSystem, files: Sequence[VectorFile]) -> pa.ChunkedArray:
    """The column `id` of files laid end to end as text, whatever wrote it; the rows' numbers where no file has one.

    Raises:
        ValueError: it holds no ids, a row has none, or some files lack the column.
    """
    columns = {file.path: _id_column(fs, file.path) if file.column else "" for file in files}
    if not any(columns.values()):
        return pa.chunked_array([pa.array(range(sum(file.num_rows for file in files))).cast(pa.string())])
    if lacking := [path for path, column in columns.items() if not column]:
        having = next(path for path, column in columns.items() if column)
        raise ValueError(f"{lacking[0]} has no column 'id', which {having} has")
    return pa.chunked_array([_ids_of(fs, file.path, columns[file.path]) for file in files], pa.string())


def check_distinct(ids: pa.ChunkedArray, where: str) -> None:
    """Raises `ValueError` where two rows have the same id: nobody could tell which was picked."""
    counts = pc.value_counts(ids)
    if len(counts) < len(ids):
        often = counts.filter(pc.greater(counts.field("counts"), 1))
        raise ValueError(
            f"{where}: {sum(often.field('counts').to_pylist())} rows share their id with another, such as "
            f"{often[0]['values'].as_py()!r}; give each row its own, or rename the column 'id' to have rows numbered"
        )


def _id_column(fs: pafs.FileSystem, path: str) -> str:
    """`id`, or else the one column that is called so but for its case, as in `ID`; empty where there is none."""
    names = pq.read_schema(path, filesystem=fs).names
    found = ["id"] if "id" in names else [name for name in names if name.lower() == "id"]
    if len(found) > 1:
        raise ValueError(f"{path} has the columns {' and '.join(map(repr, found))}; call the one that is meant 'id'")
    return found[0] if found else ""


def _ids_of(fs: pafs.FileSystem, path: str, column: str) -> pa.Array:
    try:
        ids = _as_text(read_part(fs, path, [column])[column].combine_chunks())
    except (pa.ArrowException, ValueError) as error:
        raise ValueError(f"{path}: its column {column!r} cannot be read: {str(error).splitlines()[0]}") from None
    if ids.null_count:
        row = pc.index(pc.is_null(ids), True).as_py()
        raise ValueError(f"{path}: {ids.null_count} rows have no id; the first is row {row}")
    return ids


def _as_text(ids: pa.Array) -> pa.Array:
    ids = _stored(ids)
    if pa.types.is_dictionary(ids.type):
        ids = ids.dictionary_decode()
    kind = ids.type
    if pa.types.is_nested(kind):
        raise ValueError(f"it holds {kind}, which is no id; text, whole numbers and UUIDs are")
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == 16:
        values = [None if value is None else str(uuid.UUID(bytes=value)) for value in ids.to_pylist()]
        return pa.array(values, pa.string())
    if kind == pa.binary_view() or any(test(kind) for test in (pa.types.is_fixed_size_binary, pa.types.is_binary,
                                                               pa.types.is_large_binary)):  # fmt: skip
        try:
            return ids.cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:  # no UTF-8
            return pa.array([None if value is None else value.hex() for value in ids.to_pylist()], pa.string())
    return ids.cast(pa.string())


def read_vectors(fs: pafs.FileSystem, files: Sequence[VectorFile], start: int, stop: int) -> Tensor:
    """(stop - start, D) rows of the files laid end to end, as stored; read once, straight to their place.

    Args:
        fs: filesystem of the files.
        files: of one dimension D and dtype, in their order.
        start: first row, counted over all files.
        stop: the row behind the last.

    Raises:
        ValueError: a file is damaged, or a row has no vector or one of another length.
    """
    out_ND = np.empty((stop - start, files[0].dimensions), dtype=files[0].dtype)
    offset = 0
    for file in files:
        low, high = max(start - offset, 0), min(stop - offset, file.num_rows)
        if low < high:
            _read_file(fs, file, out_ND[offset + low - start : offset + high - start], file.first + low)
        offset += file.num_rows
    return torch.from_numpy(out_ND)


def _read_file(fs: pafs.FileSystem, file: VectorFile, out_MD: np.ndarray[Any, Any], skip: int) -> None:
    """Fill `out_MD` with the file's rows behind the first `skip`."""
    if not file.column:
        out_MD[:] = np.load(file.path, mmap_mode="r", allow_pickle=False)[skip : skip + len(out_MD)]
        return
    done, first = 0, skip
    try:
        with fs.open_input_file(file.path) as stream:
            reader = pq.ParquetFile(stream)
            groups, skip = _row_groups(reader, skip, len(out_MD))
            for batch in reader.iter_batches(BATCH_ROWS, row_groups=groups, columns=[file.column]):
                vectors = batch.column(0)[skip : skip + len(out_MD) - done]
                skip = max(0, skip - batch.num_rows)
                if len(vectors):
                    out_MD[done : done + len(vectors)] = _matrix(vectors, out_MD.shape[1], first + done)
                    done += len(vectors)
    except (pa.ArrowException, ValueError) as error:
        raise ValueError(f"{file.path} cannot be read as vectors: {str(error).splitlines()[0]}") from None


def _row_groups(reader: pq.ParquetFile, skip: int, wanted: int) -> tuple[list[int], int]:
    """The row groups that hold `wanted` rows behind `skip`, and how many rows to skip within them."""
    groups: list[int] = []
    before, inside = 0, skip
    for number in range(reader.metadata.num_row_groups):
        after = before + reader.metadata.row_group(number).num_rows
        if after > skip and before < skip + wanted:
            inside = skip - before if not groups else inside
            groups.append(number)
        before = after
    return groups, inside


def _matrix(vectors: Any, dimensions: int, first: int) -> np.ndarray[Any, Any]:
    """The vectors as a matrix; `first` is the number of their first row, for a message."""
    vectors = _stored(vectors)
    lengths, flat = pc.fill_null(pc.list_value_length(vectors), 0), vectors.flatten()
    if (row := pc.index(pc.equal(lengths, dimensions), False).as_py()) >= 0:
        numbers = lengths[row].as_py()
        raise ValueError(f"row {first + row} has {numbers} numbers, the others have {dimensions}; leave it out")
    if flat.null_count:
        row = pc.index(pc.is_null(flat), True).as_py() // dimensions
        raise ValueError(f"row {first + row} lacks one of its {dimensions} numbers")
    found: np.ndarray[Any, Any] = flat.to_numpy(zero_copy_only=False).reshape(len(vectors), dimensions)
    return found
