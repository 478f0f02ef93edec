"""The count of documented functions by language."""

import pyarrow as pa

from codeocean.collect.accounting import Account, CollectConfig, read_filtered
from codeocean.collect.functions import INSIDE
from codeocean.collect.readers import FolderSource, list_units
from codeocean.collect.yields import describe_functions

JAVASCRIPT = """
/** Opens all the doors of a house. */
function open(doors) {
  for (const door of doors) door.open();
  return doors.length;
}

/** Shuts them. */
function shut(doors) {
  /** Shuts a single door. */
  function one(door) { return door.shut(); }
  return doors.map(one);
}
"""


def test_every_documented_function_is_kept_or_has_a_reason(tmp_path):
    (tmp_path / "a.js").write_text(JAVASCRIPT)
    (tmp_path / "b.js").write_bytes(b"\xff\xfe")
    source = FolderSource(kind="folder", path=str(tmp_path))
    config, account = CollectConfig(sources=(source,)), Account()
    for number, unit in enumerate(list_units(source)):
        for table in read_filtered(unit, (number, 0), config):
            account.add(table)
    expected = {
        "javascript": {
            "seen": 3, "extracted": 2, "kept": 1, "not_extracted": {INSIDE: 1},
            "not_kept": {"documentation too short": 1}, "not_read": {"not UTF-8": 1},
        }
    }  # fmt: skip
    assert describe_functions(account.functions) == expected
    twice = Account.from_note(account.to_note())
    twice.merge(account)
    assert describe_functions(twice.functions)["javascript"]["seen"] == 6


def test_notes_of_earlier_parts_may_lack_the_count():
    note = Account().to_note()
    del note["functions"]
    assert Account.from_note(note).functions == {}


def test_rows_without_anything_are_counted_as_not_read():
    account = Account()
    account.add(pa.table({"id": [""], "language": [""], "path": [""], "name": [""], "reason": ["corrupt row"]}))
    assert describe_functions(account.functions) == {
        "unknown": {"seen": 0, "extracted": 0, "kept": 0, "not_read": {"corrupt row": 1}}
    }
