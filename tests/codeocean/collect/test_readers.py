"""CodeSearchNet in both published forms and folders of source, with what goes wrong in real ones."""

import gzip
import inspect
import json
import os
import pickle

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.collect.bare import with_line_feeds
from codeocean.collect.pairs import bare_pair
from codeocean.collect.readers import CodeSearchNetSource, FolderSource, JsonlSource, list_units, read_unit
from codeocean.syntax import has_syntax_error

CODE = 'def add(a, b):\n    """Add two numbers and return the sum."""\n    total = a + b\n    return total\n'
STRIPPED = "def add(a, b):\n    total = a + b\n    return total"
MAPPED = {"code": "content", "docstring": "summary", "license": "license", "path": "file"}
GO = "func Add(a, b int) int {\n\treturn a + b\n}"


def rows_of(source):
    return [row for unit in list_units(source) for batch in read_unit(unit) for row in batch.to_pylist()]


def dataset(path):
    return CodeSearchNetSource(kind="codesearchnet", path=str(path))


def jsonl(path, **settings):
    return JsonlSource(kind="jsonl", path=str(path), **settings)


def folder(path, **settings):
    return FolderSource(kind="folder", path=str(path), **settings)


def original(code=CODE, language="python", **changes):
    record = {"repo": "o/r", "path": "a.py", "func_name": "add", "original_string": code, "language": language,
              "code": code, "code_tokens": ["def"], "docstring": "Add two numbers and return the sum.",
              "docstring_tokens": ["Add"],
              "sha": "abc", "url": "https://github.com/o/r", "partition": "train"}  # fmt: skip
    return json.dumps(record | changes)


def test_original_form_is_read_and_the_docstring_leaves_the_code(tmp_path):
    with gzip.open(tmp_path / "python_train_0.jsonl.gz", "wt") as file:
        file.write(original() + "\n" + original(GO, "go") + "\n")
    python, go = rows_of(dataset(tmp_path))
    assert (python["code"], python["docstring"]) == (STRIPPED, "Add two numbers and return the sum.")
    assert (python["repository"], python["split"], python["reason"]) == ("o/r", "train", "")
    assert (go["code"], go["language"]) == (GO, "go")
    assert len(python["id"]) == 16


def test_a_row_without_url_is_linked_by_its_commit(tmp_path):
    (tmp_path / "a.jsonl").write_text(original(url=None) + "\n" + original(url=None, sha=None) + "\n")
    linked, bare = rows_of(dataset(tmp_path))
    assert (linked["url"], bare["url"]) == ("https://github.com/o/r/blob/abc/a.py", "")


def hub_table(n):
    return pa.table({
        "repository_name": ["o/r"] * n, "func_path_in_repository": ["a.py"] * n, "func_name": ["add"] * n,
        "whole_func_string": [CODE] * n, "language": ["python"] * n, "func_code_string": [CODE] * n,
        "func_code_tokens": [["def"]] * n, "func_documentation_string": ["Add two numbers."] * n,
        "func_documentation_tokens": [["Add"]] * n, "split_name": ["train"] * n, "func_code_url": ["u"] * n,
    })  # fmt: skip


def test_hub_form_streams_by_row_group_and_agrees_with_the_original_form(tmp_path):
    pq.write_table(hub_table(5), tmp_path / "train.parquet", row_group_size=2)
    assert len(list_units(dataset(tmp_path / "train.parquet"))) == 3
    rows = rows_of(dataset(tmp_path / "*.parquet"))
    assert [row["code"] for row in rows] == [STRIPPED] * 5


def test_a_file_url_is_read(tmp_path):
    pq.write_table(hub_table(1), tmp_path / "train.parquet")
    assert len(rows_of(dataset((tmp_path / "train.parquet").as_uri()))) == 1


def test_corrupt_rows_are_counted_and_the_others_go_on(tmp_path):
    lines = ["{", "[]", original(docstring=None), original(code=7), original(code="x\ud800"), original()]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert [row["reason"] for row in rows_of(dataset(tmp_path))] == [
        "corrupt row", "corrupt row", "missing field", "corrupt row", "corrupt row", ""]  # fmt: skip


def test_cut_off_gzip_keeps_the_rows_before_the_cut(tmp_path):
    whole = gzip.compress("\n".join(original(url=str(number) * 50) for number in range(3000)).encode())
    (tmp_path / "a.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    reasons = [row["reason"] for row in rows_of(dataset(tmp_path))]
    assert reasons[-1] == "corrupt file"
    assert reasons.count("") > 100


@pytest.mark.parametrize("content", [b"", b"PAR1 nonsense PAR1", b"\x00" * 100])
def test_corrupt_parquet_is_one_dropped_row(tmp_path, content):
    (tmp_path / "a.parquet").write_bytes(content)
    assert [row["reason"] for row in rows_of(dataset(tmp_path))] == ["corrupt file"]


def test_parquet_of_something_else_is_one_dropped_row(tmp_path):
    pq.write_table(pa.table({"x": [1]}), tmp_path / "a.parquet")
    assert [row["reason"] for row in rows_of(dataset(tmp_path))] == ["not CodeSearchNet's columns"]


def test_folder_skips_what_is_no_source_and_counts_it(tmp_path):
    (tmp_path / "good.py").write_text(CODE)
    (tmp_path / "binary.py").write_bytes(b"x = 1\0")
    (tmp_path / "latin.py").write_bytes("x = 'ü'".encode("latin-1"))
    (tmp_path / "large.py").write_text("# " + "x" * 500)
    (tmp_path / "notes.txt").write_text(CODE)
    (tmp_path / "link.py").symlink_to("/etc/passwd")
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "dep.py").write_text(CODE)
    rows = rows_of(folder(tmp_path, max_file_bytes=400, license="MIT"))
    assert {row["path"]: row["reason"] for row in rows} == {
        "good.py": "", "binary.py": "binary file", "latin.py": "not UTF-8", "large.py": "file too large",
        "link.py": "link leaves the folder"}  # fmt: skip
    good = next(row for row in rows if row["path"] == "good.py")
    assert (good["code"], good["license"], good["name"]) == (STRIPPED, "MIT", "add")


def test_what_is_no_file_of_the_folder_is_counted_and_nothing_is_read_twice(tmp_path):
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (root / "good.py").write_text(CODE)
    (root / "again.py").symlink_to(root / "good.py")
    (root / "circle").symlink_to(root)
    (root / "inner" / "up").symlink_to("../inner")
    (root / "self.py").symlink_to(root / "self.py")
    (root / "broken.py").symlink_to(root / "gone.py")
    (root / "outside").symlink_to(tmp_path)
    (root / "outside.py").symlink_to("/etc/passwd")
    (root / "folder.py").mkdir()
    os.mkfifo(root / "pipe.py")  # would wait for a writer
    assert {row["path"]: row["reason"] for row in rows_of(folder(root))} == {
        "good.py": "", "again.py": "link inside the folder", "circle": "link inside the folder",
        "inner/up": "link inside the folder", "self.py": "broken link", "broken.py": "broken link",
        "outside": "link leaves the folder", "outside.py": "link leaves the folder", "pipe.py": "not a regular file",
    }  # fmt: skip


def test_a_name_that_is_not_unicode_is_a_name(tmp_path):
    with open(os.fsencode(tmp_path) + b"/caf\xe9.py", "w") as file:  # noqa: PTH123 - a name of bytes
        file.write(CODE)
    unit = pickle.loads(pickle.dumps(list_units(folder(tmp_path))[0]))
    assert [row["path"] for batch in read_unit(unit) for row in batch.to_pylist()] == ["caf\ufffd.py"]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.min.js", "/** Doc of it. */\nfunction f() { return 1; }\n", "minified file"),
        ("a.js", "/** Doc. */function f(){return 1}" * 200, "minified file"),
        ("a.py", "# Code generated by protoc. DO NOT EDIT.\n" + CODE, "generated file"),
        ("a_pb2.py", CODE, "generated file"),
        ("a.Designer.cs", "class A {}", "generated file"),
        ("a.d.ts", "export declare function f(): void;\n", "generated file"),
        ("utf16.py", CODE.encode("utf-16"), "binary file"),
        ("shift.py", "x = '日本'".encode("shift-jis"), "not UTF-8"),
        ("line.py", "x = '" + "a" * 900_000 + "'\n", "minified file"),
        ("huge.py", "x = '" + "a" * 50_000_000 + "'\n", "file too large"),
    ],
)
def test_a_file_that_nobody_wrote_or_can_read_is_one_dropped_row(tmp_path, name, content, reason):
    (tmp_path / "good.py").write_text(CODE)
    (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    assert {row["path"]: row["reason"] for row in rows_of(folder(tmp_path))} == {"good.py": "", name: reason}


def test_a_file_larger_than_memory_is_not_opened(tmp_path):
    (tmp_path / "good.py").write_text(CODE)
    with (tmp_path / "sparse.py").open("wb") as file:
        file.truncate(1 << 40)
    assert {row["path"]: row["reason"] for row in rows_of(folder(tmp_path))}["sparse.py"] == "file too large"


@pytest.mark.parametrize(
    "kind", [pa.binary(), pa.large_binary(), pa.binary_view(), pa.string_view(), pa.large_string()]
)
def test_text_that_parquet_holds_as_bytes_is_read(tmp_path, kind):
    record = json.loads(original())
    columns = {name: pa.array([value] * 2).cast(kind) for name, value in record.items() if isinstance(value, str)}
    pq.write_table(pa.table(columns), tmp_path / "a.parquet")
    found = [(row["code"], row["name"], row["split"], row["reason"]) for row in rows_of(dataset(tmp_path))]
    assert found == [(STRIPPED, "add", "train", "")] * 2


def test_bytes_that_are_no_utf8_are_a_corrupt_row(tmp_path):
    record = json.loads(original())
    code = pa.array([record["code"].encode(), b"caf\xe9()"], pa.binary())
    others = {name: pa.array([record[name]] * 2) for name in ("language", "docstring")}
    pq.write_table(pa.table(others | {"code": code}), tmp_path / "a.parquet")
    assert [row["reason"] for row in rows_of(dataset(tmp_path))] == ["", "corrupt row"]


def test_languages_are_known_by_the_names_that_other_data_sets_write(tmp_path):
    names = {"C++": "cpp", "C#": "csharp", "JavaScript": "javascript", "golang": "go", "PHP": "php", "Cobol": "cobol"}
    columns = {"code": "code", "docstring": "docstring", "language": "lang"}
    lines = [json.dumps({"code": GO, "docstring": "Adds.", "lang": name}) for name in names]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    rows = rows_of(jsonl(tmp_path, columns=columns))
    assert [row["language"] for row in rows] == list(names.values())
    assert [row["reason"] for row in rows] == [""] * 5 + ["language not asked for"]
    table = hub_table(2).drop_columns(["language"]).append_column("language", pa.array(["Python", "PYTHON"]))
    pq.write_table(table, tmp_path / "A.PARQUET")
    assert [row["language"] for row in rows_of(dataset(tmp_path / "A.PARQUET"))] == ["python"] * 2


def test_parquet_with_the_original_columns_is_read(tmp_path):
    pq.write_table(pa.Table.from_pylist([json.loads(original())] * 2), tmp_path / "a.parquet")
    found = [(row["code"], row["name"], row["split"], row["reason"]) for row in rows_of(dataset(tmp_path))]
    assert found == [(STRIPPED, "add", "train", "")] * 2


def test_json_at_a_url_is_read(tmp_path):
    (tmp_path / "a.jsonl").write_text(original() + "\n" + original(GO, "go"))
    assert [row["code"] for row in rows_of(dataset((tmp_path / "a.jsonl").as_uri()))] == [STRIPPED, GO]


def test_folders_of_hive_give_the_columns_that_files_lack(tmp_path):
    here = tmp_path / "language=python" / "split_name=a%20b"
    here.mkdir(parents=True)
    pq.write_table(hub_table(2).drop_columns(["language", "split_name"]), here / "part-0.parquet")
    (tmp_path / "language=__HIVE_DEFAULT_PARTITION__").mkdir()
    pq.write_table(hub_table(1), tmp_path / "language=__HIVE_DEFAULT_PARTITION__" / "part-0.parquet")
    rows = rows_of(dataset(tmp_path))
    assert [(row["language"], row["split"], row["code"]) for row in rows] == [
        ("python", "train", STRIPPED), *[("python", "a b", STRIPPED)] * 2]  # fmt: skip
    own = tmp_path / "own"
    (own / "lang=go").mkdir(parents=True)
    (own / "lang=go" / "a.jsonl").write_text(json.dumps({"code": GO, "docstring": "Adds."}))
    columns = {"code": "code", "docstring": "docstring", "language": "lang"}
    assert [row["language"] for row in rows_of(jsonl(own, columns=columns))] == ["go"]


def test_optional_columns_may_hold_lists_numbers_or_nothing(tmp_path):
    table = hub_table(3)
    table = table.set_column(0, "repository_name", pa.array([["o/r", "o/fork"], [], None], pa.list_(pa.string())))
    table = table.set_column(1, "func_path_in_repository", pa.array([1, 2, None]))
    pq.write_table(table, tmp_path / "a.parquet")
    rows = rows_of(dataset(tmp_path / "a.parquet"))
    assert [(row["repository"], row["path"][:1], row["reason"]) for row in rows] == [
        ("o/r, o/fork", "1", ""), ("", "2", ""), ("", "/", "")]  # fmt: skip
    record = {"content": CODE, "summary": "Add two.", "license": ["MIT", "Apache-2.0", "MIT"], "file": {"x": 1}}
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    (row,) = rows_of(jsonl(tmp_path / "a.jsonl", columns=MAPPED, language="python"))
    assert (row["license"], row["path"], row["reason"]) == ("MIT AND Apache-2.0", "", "")


def test_a_line_longer_than_a_row_can_be_is_counted_and_the_next_one_read(tmp_path, monkeypatch):
    monkeypatch.setattr("core.json_records.MAX_RECORD_BYTES", 2000)
    lines = [original(), original("x" * 5000), original("y" * 1999), original()]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    assert [row["reason"] for row in rows_of(dataset(tmp_path))] == ["", "row too large", "row too large", ""]


def test_code_that_no_parser_should_see_is_counted(tmp_path):
    (tmp_path / "a.jsonl").write_text(original("(" * 2_000_000) + "\n" + original())
    assert [row["reason"] for row in rows_of(dataset(tmp_path))] == ["row too large", ""]


def test_large_rows_make_small_batches(tmp_path):
    (tmp_path / "a.jsonl").write_text("\n".join(original("x" * 900_000, "go") for _ in range(20)))
    (unit,) = list_units(dataset(tmp_path))
    assert [batch.num_rows for batch in read_unit(unit)] == [9, 9, 2]


def test_code_search_net_gets_its_licences(tmp_path):
    (tmp_path / "a.jsonl").write_text("\n".join([original(), original(repo="o/other")]))
    (tmp_path / "python_licenses.pkl").write_bytes(pickle.dumps({"o/r": [("LICENSE", "Apache License\nVersion 2.0")]}))
    (tmp_path / "go_licenses.json").write_text(json.dumps({"o/other": "MIT"}))
    source = dataset(tmp_path).model_copy(update={"licenses_file": f"{tmp_path}/*_licenses.*"})
    assert [row["license"] for row in rows_of(source)] == ["Apache-2.0", "MIT"]
    with pytest.raises(FileNotFoundError, match="licenses_file .* does not exist"):
        list_units(source.model_copy(update={"licenses_file": "/no/such.pkl"}))


def test_line_ends_and_byte_order_mark_of_windows_leave_no_trace(tmp_path):
    (tmp_path / "a.py").write_bytes(b"\xef\xbb\xbf" + CODE.replace("\n", "\r\n").encode())
    assert [row["code"] for row in rows_of(folder(tmp_path))] == [STRIPPED]


def test_a_path_does_not_depend_on_the_workers_current_folder(tmp_path, monkeypatch):
    (tmp_path / "a.py").write_text(CODE)
    (tmp_path / "a.jsonl").write_text(original())
    monkeypatch.chdir(tmp_path)
    units = pickle.loads(pickle.dumps([*list_units(folder(".")), *list_units(dataset("a.jsonl"))]))
    monkeypatch.chdir("/")
    assert [row["code"] for unit in units for batch in read_unit(unit) for row in batch.to_pylist()] == [STRIPPED] * 2


def test_batches_hold_a_thousand_rows_at_most_and_units_keep_their_order(tmp_path):
    (tmp_path / "a.jsonl").write_text("\n".join(original(path=f"{number}.py") for number in range(2500)))
    (unit,) = list_units(dataset(tmp_path))
    batches = list(read_unit(unit))
    assert [batch.num_rows for batch in batches] == [1000, 1000, 500]
    for number in range(130):
        (tmp_path / f"{number:03}.py").write_text(CODE)
    units = list_units(folder(tmp_path))
    assert [len(unit.files) for unit in units] == [64, 64, 2]
    assert sum((unit.files for unit in units), ()) == tuple(sorted(f"{number:03}.py" for number in range(130)))


def test_only_the_languages_asked_for_go_on(tmp_path):
    (tmp_path / "a.jsonl").write_text(original() + "\n" + original(GO, "go"))
    source = CodeSearchNetSource(kind="codesearchnet", path=str(tmp_path), languages=("go",))
    assert [row["reason"] for row in rows_of(source)] == ["language not asked for", ""]


def test_docstrings_of_both_sources_agree(tmp_path):
    method = 'def f(self):\n        """Sum up.\n\n        All of it.\n        """\n        return 1\n'
    (tmp_path / "a.jsonl").write_text(original(method, docstring="Sum up.\n\n        All of it.\n        "))
    (tmp_path / "a.py").write_text("class A:\n    " + method)
    (mine,), (theirs,) = rows_of(folder(tmp_path)), rows_of(dataset(tmp_path))
    assert mine["docstring"] == theirs["docstring"] == "Sum up.\n\nAll of it."


def test_a_changed_file_changes_the_fingerprint(tmp_path):
    (tmp_path / "a.py").write_text(CODE)
    before = list_units(folder(tmp_path))[0].fingerprint
    (tmp_path / "a.py").write_text(CODE + "\n")
    assert list_units(folder(tmp_path))[0].fingerprint != before


@pytest.mark.slow
def test_standard_library_gives_thousands_of_functions_that_parse():
    rows = [row for row in rows_of(folder("stdlib", languages=("python",))) if not row["reason"]]
    assert len(rows) > 3000
    assert {(row["license"], row["repository"]) for row in rows} == {("PSF-2.0", "python/cpython")}
    assert all(row["url"].endswith(f"/Lib/{row['path']}") for row in rows)
    assert not any("site-packages" in row["path"] for row in rows)
    assert sum(has_syntax_error(row["code"], "python") for row in rows) == 0


@pytest.mark.parametrize(
    ("source", "error", "message"),
    [
        (folder("/no/such/folder"), FileNotFoundError, "'/no/such/folder' does not exist"),
        (dataset("/no/such/file.parquet"), FileNotFoundError, "does not exist"),
        (
            dataset("https://example.org/data.csv"),
            ValueError,
            r"holds no .parquet, .arrow, .feather or .jsonl file, but data.csv; .* as pandas.read_csv\('data.csv'\)",
        ),
        (dataset("nonsense://example.org/data.jsonl"), OSError, "cannot be reached: Protocol not known"),
    ],
)
def test_missing_source_is_one_clear_line(source, error, message):
    with pytest.raises(error, match=message):
        list_units(source)


def test_empty_folder_is_one_clear_line(tmp_path):
    with pytest.raises(ValueError, match="holds no file of python"):
        list_units(folder(tmp_path))
    (tmp_path / "README").write_text("")
    with pytest.raises(ValueError, match=r"holds no \.parquet"):
        list_units(dataset(tmp_path))


@given(
    st.lists(st.sampled_from(["a", "b ", " ", "  c", "\n", "\t", "\r", "\x1c", "\u2003", "é"]), max_size=8).map("".join)
)
def test_documentation_is_cleaned_as_python_cleans_it(text):
    assert bare_pair("def f(): pass", "python", "f", text)[2] == inspect.cleandoc(with_line_feeds(text))
