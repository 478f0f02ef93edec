"""Marks by a person: written whole beside the run, read back, refused when they are none."""

import pytest
from pyarrow import fs as pafs

from report.explore.marks import marks_digest, read_marks, write_mark

DISK = pafs.LocalFileSystem()


def test_a_mark_is_set_changed_and_taken_away(tmp_path):
    root = str(tmp_path)
    assert read_marks(DISK, root) == {}
    write_mark(DISK, root, "b", "drop", "wrong on „ü“")
    write_mark(DISK, root, "a", "keep")
    marks = read_marks(DISK, root)
    assert {id_: (mark.mark, mark.note) for id_, mark in marks.items()} == {
        "a": ("keep", ""),
        "b": ("drop", "wrong on „ü“"),
    }
    before = marks_digest(marks)
    assert marks_digest(write_mark(DISK, root, "a", "keep", "a note decides nothing")) == before
    assert marks_digest(write_mark(DISK, root, "a", "drop")) != before
    assert list(write_mark(DISK, root, "a", "")) == ["b"]


@pytest.mark.parametrize(("mark", "note"), [("maybe", ""), ("keep", "x" * 3000)])
def test_what_is_no_mark_is_refused(tmp_path, mark, note):
    with pytest.raises(ValueError):
        write_mark(DISK, str(tmp_path), "a", mark, note)


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"a": {"mark": "maybe"}}', '{"a": {"marks": "keep"}}', '{"a": 1}'])
def test_a_damaged_file_is_named(tmp_path, text):
    (tmp_path / "marks.json").write_text(text)
    with pytest.raises(ValueError, match=r"marks\.json"):
        read_marks(DISK, str(tmp_path))
