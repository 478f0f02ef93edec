"""Forms in which other tools write rows: each is read, or refused by one line that says what to do."""

import json

import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest

from codeocean.collect.readers import list_units
from tests.codeocean.collect.test_readers import CODE, STRIPPED, dataset, folder, jsonl, rows_of

COLUMNS = {"code": "content", "docstring": "summary", "language": "lang"}
PAIRS = [{"content": CODE, "summary": "Add two.", "lang": "Python", "max_stars_repo_licenses": ["MIT"]}] * 3


def write_parquet(place, table):
    pq.write_table(table, place / "a.parquet")


def write_stream(place, table):  # `save_to_disk` of the datasets library
    with pa.ipc.new_stream(place / "data-00000-of-00001.arrow", table.schema) as writer:
        writer.write_table(table, max_chunksize=2)
    (place / "state.json").write_text('{"_data_files": [{"filename": "data-00000-of-00001.arrow"}]}')
    (place / "dataset_info.json").write_text("{}")
    (place / "cache-1f.arrow").write_bytes(b"what a map left")


def write_feather(place, table):
    feather.write_feather(table, str(place / "a.feather"))


@pytest.mark.parametrize("write", [write_parquet, write_stream, write_feather])
@pytest.mark.parametrize("kind", [pa.string(), pa.large_string(), pa.string_view(), pa.binary(), "dictionary"])
def test_columns_of_your_own_in_parquet_and_arrow_are_read(tmp_path, write, kind):
    table = pa.Table.from_pylist(PAIRS)
    for number, name in enumerate(COLUMNS.values()):
        column = table[name].dictionary_encode() if kind == "dictionary" else table[name].cast(kind)
        table = table.set_column(number, name, column)
    write(tmp_path, table)
    rows = rows_of(jsonl(tmp_path, columns=COLUMNS | {"license": "max_stars_repo_licenses"}))
    assert [(row["code"], row["docstring"], row["language"], row["license"], row["reason"]) for row in rows] == [
        (STRIPPED, "Add two.", "python", "MIT", "")
    ] * 3


@pytest.mark.parametrize("name", ["a.jsonl", "a.parquet"])
def test_a_column_inside_another_is_named_with_a_dot(tmp_path, name):
    records = [{"data": {"code": CODE, "doc": {"text": "Add two."}}}, {"data": {"code": CODE, "doc": None}}]
    if name == "a.jsonl":
        (tmp_path / name).write_text("\n".join(map(json.dumps, records)))
    else:
        pq.write_table(pa.Table.from_pylist(records), tmp_path / name)
    rows = rows_of(jsonl(tmp_path, columns={"code": "data.code", "docstring": "data.doc.text"}, language="python"))
    assert [(row["docstring"], row["reason"]) for row in rows] == [("Add two.", ""), ("", "missing field")]


def test_a_cut_off_arrow_file_keeps_the_rows_before_the_cut(tmp_path):
    write_stream(tmp_path, pa.Table.from_pylist(PAIRS))
    file = tmp_path / "data-00000-of-00001.arrow"
    file.write_bytes(file.read_bytes()[:-60])
    assert [row["reason"] for row in rows_of(jsonl(tmp_path, columns=COLUMNS))] == ["", "", "corrupt file"]


def test_files_of_another_form_are_counted(tmp_path):
    write_parquet(tmp_path, pa.Table.from_pylist(PAIRS))
    for name in ("b.csv", "c.tsv.gz", "d.avro", "README.md", "e.tar.gz"):
        (tmp_path / name).write_text("content\n")
    (tmp_path / "b.parquet").write_bytes(b"")
    pq.write_table(pa.table({"x": [1]}), tmp_path / "f.parquet")
    reasons = [row["reason"] for row in rows_of(jsonl(tmp_path, columns=COLUMNS))]
    assert sorted(reasons) == ["", "", "", *["another form"] * 4, "corrupt file", "not the columns asked for"]


@pytest.mark.parametrize(("name", "said"), [
    ("a.csv", "as pandas.read_csv"), ("a.avro", "as polars.read_avro"), ("a.tar", "unpack it"),
    ("a.jsonl.zip", "unpack it"), ("a.pq", "write its rows as Parquet or JSON lines"),
])  # fmt: skip
def test_another_form_alone_is_refused(tmp_path, name, said):
    (tmp_path / name).write_text("content\n")
    for source in (jsonl(tmp_path, columns=COLUMNS), jsonl(tmp_path / name, columns=COLUMNS), dataset(tmp_path)):
        with pytest.raises(ValueError, match=f"but {name}; .*{said}"):
            list_units(source)


@pytest.mark.parametrize(("mark", "name"), [("_delta_log", "Delta"), ("_versions", "Lance"), (".hoodie", "Hudi"),
                                            ("metadata/v1.metadata.json", "Iceberg")])  # fmt: skip
def test_tables_whose_files_hold_deleted_rows_are_refused(tmp_path, mark, name):
    write_parquet(tmp_path, pa.Table.from_pylist(PAIRS))
    (tmp_path / mark).mkdir(parents=True)
    for source in (jsonl(tmp_path, columns=COLUMNS), dataset(tmp_path)):
        with pytest.raises(ValueError, match=f"is a {name} table"):
            list_units(source)


@pytest.mark.parametrize(("records", "said"), [
    ([{"code": CODE}], r"has no 'content' \(columns.code\), but code;"),
    ({"data": PAIRS[0]}, r"has no 'content' \(columns.code\), but data;"),
])  # fmt: skip
def test_columns_that_the_first_file_lacks_are_refused(tmp_path, records, said):
    (tmp_path / "a.json").write_text(json.dumps(records))
    with pytest.raises(ValueError, match=said):
        list_units(jsonl(tmp_path, columns=COLUMNS))
    write_parquet(tmp_path, pa.Table.from_pylist([{"content": CODE, "lang": "Go"}]))
    with pytest.raises(ValueError, match=r"has no 'summary' \(columns.docstring\), but content, lang;"):
        list_units(jsonl(tmp_path / "a.parquet", columns=COLUMNS))


def test_a_file_is_no_folder_of_sources(tmp_path):
    (tmp_path / "repo.zip").write_bytes(b"")
    with pytest.raises(ValueError, match="is a file; name a folder of source files, an archive unpacked"):
        list_units(folder(tmp_path / "repo.zip"))


CLASSES = {
    "lang": {"names": ["C++", "Python"], "_type": "ClassLabel"},
    "content": {"dtype": "string", "_type": "Value"},
}


def with_classes(table, features):
    return table.replace_schema_metadata({"huggingface": json.dumps({"info": {"features": features}})})


@pytest.mark.parametrize("write", [write_parquet, write_stream, write_feather])
def test_a_class_of_the_datasets_library_is_read_by_its_name(tmp_path, write):
    table = pa.table({"content": [CODE] * 3, "summary": ["Add two."] * 3, "lang": pa.array([1, 0, -1], pa.int64())})
    write(tmp_path, with_classes(table, CLASSES))
    rows = rows_of(jsonl(tmp_path, columns=COLUMNS))
    assert [(row["language"], row["reason"]) for row in rows] == [("python", ""), ("cpp", ""), ("", "missing field")]


def test_a_class_inside_another_column_is_read_by_its_name(tmp_path):
    rows = [{"content": CODE, "summary": "Add two.", "meta": {"lang": 0, "license": 1, "stars": 1}}]
    licence = {"names": ["GPL-3.0", "MIT"], "_type": "ClassLabel"}
    features = {"meta": {"lang": CLASSES["lang"], "license": licence, "stars": {"dtype": "int64", "_type": "Value"}}}
    write_parquet(tmp_path, with_classes(pa.Table.from_pylist(rows), features))
    columns = COLUMNS | {"language": "meta.lang", "license": "meta.license", "name": "meta.stars"}
    (row,) = rows_of(jsonl(tmp_path, columns=columns))
    assert (row["language"], row["license"], row["name"]) == ("cpp", "MIT", "1")


def test_classes_that_the_datasets_library_wrote_are_read(tmp_path):
    from datasets import ClassLabel, Dataset, Features, Value

    kinds = Features(
        {"content": Value("string"), "summary": Value("string"), "lang": ClassLabel(names=["Go", "Python"])}
    )
    data = Dataset.from_dict({"content": [CODE] * 2, "summary": ["Add two."] * 2, "lang": [0, 1]}, features=kinds)
    data.to_parquet(str(tmp_path / "a.parquet"))
    data.save_to_disk(str(tmp_path / "saved"))
    assert [row["language"] for row in rows_of(jsonl(tmp_path, columns=COLUMNS))] == ["go", "python"] * 2


@pytest.mark.parametrize(("content", "said"), [
    ({"content": [CODE], "summary": ["Add two."]}, "by columns"),
    ({"content": {"0": CODE}, "summary": {"0": "Add two."}}, "by columns"),
    ({"columns": ["content", "summary"], "index": [0], "data": [[CODE, "Add two."]]}, "holds its rows in 'data'"),
    ({"data": PAIRS}, "holds its rows in 'data'"),
    ({"schema": {}, "data": [{"content": CODE, "summary": "Add two."}]}, "holds its rows in 'data'"),
    ({"rows": [{"row_idx": 0, "row": {"content": CODE}}]}, "holds its rows in 'rows'"),
])  # fmt: skip
def test_json_that_is_written_by_columns_is_refused(tmp_path, content, said):
    (tmp_path / "a.json").write_text(json.dumps(content))
    with pytest.raises(ValueError, match=rf"a.json.*({said}).*one object a line"):
        list_units(jsonl(tmp_path, columns=COLUMNS | {"language": "lang"}))
