"""A file's language where its suffix says less than its text."""

import pytest

from codeocean.collect.readers import FolderSource, list_units, read_unit
from codeocean.collect.recognition import recognize

C = "#ifndef DOOR_H\n#define DOOR_H\n/** Opens. */\nstatic inline int open_door(int a)\n{\n  return a;\n}\n#endif\n"
GUARDED = '#ifdef __cplusplus\nextern "C" {\n#endif\nint open_door(int a);\n#ifdef __cplusplus\n}\n#endif\n'
CLASS_AS_NAME = "struct kind { int class; };\nint new(struct kind *class)\n{\n  return class->class;\n}\n"
CPP = "#pragma once\nnamespace doors {\nclass Door {\n public:\n  int open() { return 1; }\n};\n}\n"
REFERENCE = "inline int open_door(int &a, bool b = false) {\n  return a;\n}\n"
PHP = "<?php\nfunction open_door($a) {\n  return $a;\n}\n"
OBJECTIVE_C = "#import <Foundation/Foundation.h>\n@interface Door : NSObject\n- (int)open;\n@end\n"


@pytest.mark.parametrize(("name", "text", "language"), [
    ("a.h", C, "c"), ("a.h", GUARDED, "c"), ("a.h", CLASS_AS_NAME, "c"), ("a.h", CPP, "cpp"), ("a.h", REFERENCE, "cpp"),
    ("a.h", "#include <vector>\nextern std::vector<int> doors;\n", "cpp"), ("a.h", "", "c"), ("a.h", OBJECTIVE_C, None),
    ("a.h", "/* class Door { public: */\nint open_door(int a);\n", "c"), ("a.hpp", C, "cpp"), ("a.c", CPP, "c"),
    ("a.C", CPP, "cpp"), ("a.C", CLASS_AS_NAME, "c"), ("a.H", CPP, "cpp"), ("a.inc", PHP, "php"), ("a.inc", CPP, "cpp"),
    ("a.inc", "; assembler\n\tmov ax, bx\n", None), ("a.inc", "procedure Open;\nbegin\n  x := 1;\nend;\n", None),
    ("a.inl", CPP, "cpp"), ("a.ts", "<?xml version='1.0'?>\n<TS language='de'></TS>\n", None), ("a.ts", "let a = 1;", "typescript"),
    ("a.rs", "#pragma version(1)\n#pragma rs java_package_name(a)\n", None), ("a.rs", "fn f() {}\n", "rust"),
    ("a.py", "x = 1\n", "python"), ("a.txt", "x", None),
])  # fmt: skip
def test_language_of_a_file(name, text, language):
    assert recognize(name, text.encode()) == language


@pytest.mark.parametrize("text", ["// a // b\n" * 20_000 + "fn f() {}", "/* a */ " * 20_000 + "x", "/*" * 100_000,
                                  "#ifdef __cplusplus\n" * 20_000, "A_MACRO(x)\n\n" * 20_000, "class A " * 20_000,
                                  "class " + " " * 100_000])  # fmt: skip
@pytest.mark.parametrize("name", ["a.rs", "a.h", "a.inc"])
@pytest.mark.timeout(60)
def test_a_long_text_takes_linear_time(name, text):
    recognize(name, text.encode())


def test_a_folder_reads_headers_for_either_language(tmp_path):
    (tmp_path / "a.h").write_text("/** Opens the door. */\nstatic int open_door(int a)\n{\n  return a;\n}\n")
    (tmp_path / "b.h").write_text("namespace a {\n/// Shuts the door.\ninline int shut(int &a) { return a; }\n}\n")
    for languages, expected in [(("cpp",), ["language not asked for", "shut"]), (("c",), ["open_door", "language not asked for"]),
                                (("c", "cpp"), ["open_door", "shut"])]:  # fmt: skip
        source = FolderSource(kind="folder", path=str(tmp_path), languages=languages)
        rows = [row for unit in list_units(source) for batch in read_unit(unit) for row in batch.to_pylist()]
        assert [row["reason"] or row["name"] for row in rows] == expected
