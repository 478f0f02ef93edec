"""Licences come out of pickles, and nothing else does."""

import os
import pickle
import pickletools

import pytest

from codeocean.collect.licenses import license_names, license_of, load_restricted

MIT = "The MIT License\n\nPermission is hereby granted, free of charge, to any person obtaining a copy"
BSD2 = "Redistribution and use in source and binary forms, with or without modification, are permitted"


class Attack:
    def __init__(self, function, *arguments):
        self.what = (function, arguments)

    def __reduce__(self):
        return self.what


def names(tmp_path, content, name="python_licenses.pkl"):
    path = tmp_path / name
    path.write_bytes(content)
    return license_names(str(path))


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_code_search_nets_shape_is_read_in_every_protocol(tmp_path, protocol):
    found = {"o/mit": [("LICENSE", MIT)], "o/two": [("NOTICE", "Thanks to all."),
             ("COPYING", BSD2)], "o/none": [], "o/ü": [("L", MIT)], "o/name": "Apache-2.0"}  # fmt: skip
    expected = {"o/mit": "MIT", "o/two": "BSD-2-Clause", "o/ü": "MIT", "o/name": "Apache-2.0"}
    assert names(tmp_path, pickle.dumps(found, protocol=protocol)) == expected


@pytest.mark.parametrize(
    "attack",
    [
        pickle.dumps(Attack(os.system, "touch /tmp/never")),
        pickle.dumps({"o/r": Attack(eval, "1")}),
        pickle.dumps({"o/r": Attack(os.system, "true")}, protocol=0),
        b"cos\nsystem\n(S'true'\ntR.",
        b"\x80\x04\x95\x00\x00\x00\x00\x00\x00\x00\x00\x8c\x02os\x8c\x06system\x93.",
        b"\x80\x02]r\xff\xff\xff\x7f.",  # asks for a memo of 2 billion entries
        b"\x80\x02}q\x00.garbage"[:4],
        pickle.dumps({"o/r": 5}),
        pickle.dumps({"o/r": b"bytes"}),
        b"",
        b"not a pickle at all",
        b"\x80\x04h\x05.",
        b"e.",
        b"\x80\x04)).",
    ],
)
def test_anything_else_is_refused_before_it_runs(tmp_path, attack):
    with pytest.raises(ValueError, match="is refused: |holds no mapping"):
        names(tmp_path, attack)


def test_no_instruction_that_looks_up_or_calls_is_allowed():
    from codeocean.collect.licenses import _HARMLESS

    calling = {"GLOBAL", "STACK_GLOBAL", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "REDUCE", "BUILD", "EXT1", "EXT2", "EXT4",
               "PERSID", "BINPERSID"}  # fmt: skip
    known = {opcode.name for opcode in pickletools.opcodes}
    assert calling < known
    assert known > _HARMLESS
    assert not calling & _HARMLESS


def test_the_unpickler_itself_knows_no_names(monkeypatch):
    monkeypatch.setattr("codeocean.collect.licenses._HARMLESS", {opcode.name for opcode in pickletools.opcodes})
    with pytest.raises(ValueError, match=r"it names posix\.system"):
        load_restricted(pickle.dumps(Attack(os.system, "true")))


def test_lists_that_hold_each_other_cost_nothing(tmp_path):
    value: list = []
    for _ in range(100):
        value = [value] * 50
    assert names(tmp_path, pickle.dumps({"o/r": value})) == {}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (MIT, "MIT"), (BSD2, "BSD-2-Clause"), (BSD2 + "\n\n3. Neither the name of X", "BSD-3-Clause"),
        ("  Apache License\n   Version 2.0, January 2004", "Apache-2.0"),
        ("Some words of the GNU Lesser General Public License\n Version 3, 29 June 2007 and on", "LGPL-3.0"),
        ("                    GNU GENERAL PUBLIC LICENSE\n                       Version 2, June 1991", "GPL-2.0"),
        ("GNU AFFERO GENERAL PUBLIC LICENSE\n Version 3, 19 November 2007", "AGPL-3.0"),
        ("All rights reserved by the company, whoever they are and what they want, for ever.", ""),
    ],
)  # fmt: skip
def test_a_text_is_known_by_its_words(text, name):
    assert license_of(text) == name
