"""C++ of several files: headers of the package come in, conditions are decided, names are looked up in the library."""

import subprocess

import pytest

from codeocean.collect.folders import folder_rows, folder_units
from codeocean.collect.settings import FolderSource
from codeocean.context.conditions import Condition
from codeocean.context.placed import placed
from codeocean.context.reasons import FEATURE, INCLUDED, UNKNOWN

TREE = {
    "include/shop/base.h": """#ifndef SHOP_BASE_H
#define SHOP_BASE_H
#if defined(_WIN32)
#define SHOP_API __declspec(dllexport)
#else
#define SHOP_API __attribute__((visibility("default")))
#endif
#include <cstdint>
namespace shop {
SHOP_API inline int64_t doubled(int64_t n) { return 2 * n; }
inline int unused() { return 0; }
}
#endif
""",
    "include/shop/till.hpp": """#pragma once
#include <shop/base.h>
namespace shop {
class SHOP_API Till {
public:
  int64_t total() const { return doubled(sum); }
  int64_t sum = 0;
};
}
""",
    "src/use.cpp": """#include "shop/till.hpp"
#include <vector>
#ifdef __APPLE__
#include <mach/clock.h>
#endif
namespace shop {
/** D. */
int64_t f(const std::vector<int64_t> &all) {
  Till till;
  for (int64_t one : all) till.sum += one;
#if SHOP_LOUD
  shout();
#endif
  return till.total();
}
}
""",
}


def rows_of(folder, tree):
    for path, text in tree.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    source = FolderSource(kind="folder", path=str(folder), languages=("cpp",), context=True)
    return {row["name"].rpartition(".")[2]: row for unit in folder_units(source) for row in folder_rows(unit)
            if row["name"]}  # fmt: skip


def compiles(row):
    text = placed(row["context"], row["code"], "cpp")
    done = subprocess.run(["g++", "-std=c++17", "-fsyntax-only", "-x", "c++", "-"], input=text, text=True,
                          capture_output=True, check=False)  # fmt: skip
    return done.returncode == 0, done.stderr


def of_one_file(folder, text):
    return rows_of(folder, {"a.cpp": text})["f"]


def test_headers_of_the_package_come_in_without_what_is_not_needed(tmp_path):
    row = rows_of(tmp_path, TREE)["f"]
    assert (row["context_missing"], "unused" in row["context"], "dllexport" in row["context"]) == ("", False, False)
    assert compiles(row) == (True, "")


@pytest.mark.parametrize("include", ["#include <far/away.h>", '#include "away.h"', '#include "../away.h"'])
def test_a_header_that_is_not_there_gives_nothing(tmp_path, include):
    (tmp_path / "away.h").write_text("inline int g() { return 1; }\n")
    inside = tmp_path / "in"
    assert of_one_file(inside, f"{include}\n/** D. */\nint f() {{ return 1; }}\n")["context"] == ""
    assert (
        of_one_file(inside, f"{include}\n/** D. */\nint f() {{ return g(); }}\n")["context_missing"] == f"{INCLUDED}: g"
    )


def test_a_link_out_of_the_folder_is_not_followed_to_a_header(tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "b.h").write_text("inline int g() { return 1; }\n")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "b.h").symlink_to(tmp_path / "out" / "b.h")
    (tmp_path / "in" / "out").symlink_to(tmp_path / "out")
    for name in ("b.h", "out/b.h"):
        row = of_one_file(tmp_path / "in", f'#include "{name}"\n/** D. */\nint f() {{ return g(); }}\n')
        assert row["context_missing"] == f"{INCLUDED}: g"


@pytest.mark.parametrize(
    ("before", "body", "missing"),
    [("#include <string>", "return (int)std::string(1, 'a').size();", ""),
     ("#include <vector>", "return (int)std::string(1, 'a').size();", f"{UNKNOWN}: string"),
     ("#include <cstring>", "return (int)strlen(\"a\");", ""),
     ("#include <map>", "return (int)strlen(\"a\");", f"{UNKNOWN}: strlen"),
     ("#include <climits>", "return INT_MAX;", ""),
     ("#include <chrono>", "return (int)std::chrono::seconds(1).count();", ""),
     ("#include <set>\nusing std::set;", "return (int)set<int>().size();", ""),
     ("#include <set>\nusing namespace std;", "return (int)set<int>().size();", ""),
     ("#include <set>", "return (int)set<int>().size();", f"{UNKNOWN}: set"),
     ("", "return __builtin_popcount(3u);", ""),
     ("#ifdef _WIN32\ninline int g() { return 1; }\n#endif", "return g();", f"{UNKNOWN}: g"),
     ('#include "config.h"\n#ifdef HAVE_G\ninline int g() { return 1; }\n#endif', "return g();", f"{INCLUDED}: g"),
     ('#include "config.h"\n#ifdef HAVE_G\ninline int g() { return 1; }\n#else\ninline int g() { return 2; }\n#endif',
      "return g();", ""),
     ("#define WAY 3\n#if WAY > 2 && !defined(OTHER)\ninline int g() { return 1; }\n#endif", "return g();", ""),
     ("struct Friendly { friend class Nowhere; int at = 1; };", "return Friendly().at;", ""),
     ("template <class T> struct Box { typedef typename T::template Inner<int> Part; };", "return (int)sizeof(Box<int> *);", ""),
     ("struct file { int at = 1; };\nstruct Request { int n; Request(file *file) : n(file->at) {} };",
      "file one; return Request(&one).n;", ""),
     ("template <class T> int kind();\ntemplate <> inline int kind<char>() { return 1; }", "return kind<char>();", ""),
     ("template <class T> requires true\nint g(T n) { return n; }", "return g(1);", f"{UNKNOWN}: requires_clause"),
     ("#define A_BEGIN_PACK\n#define API\nclass API Aside {\npublic:\n  A_BEGIN_PACK\n  int n;\n};", "return 1;", ""),
     ("#define QUIET __attribute__((noinline))\nQUIET inline int g() { return 1; }", "return g();", "")],
)  # fmt: skip
def test_a_name_is_given_by_its_header_alone_and_a_branch_by_its_condition(tmp_path, before, body, missing):
    row = of_one_file(tmp_path, f"{before}\n/** D. */\nint f() {{\n  {body}\n}}\n")
    assert row["context_missing"] == missing
    assert missing or compiles(row) == (True, "")


def test_a_function_of_another_system_is_not_called_complete(tmp_path):
    assert (
        of_one_file(tmp_path, "#ifdef _WIN32\n/** D. */\nint f() { return 1; }\n#endif\n")["context_missing"] == FEATURE
    )
    unknown = '#include "config.h"\n#ifdef HAVE_F\n/** D. */\nint f() { return 1; }\n#endif\n'
    assert of_one_file(tmp_path, unknown)["context_missing"] == FEATURE


def test_headers_that_include_each_other_or_themselves_end(tmp_path):
    tree = {"a.h": '#include "b.h"\ninline int g() { return 1; }\n', "b.h": '#include "a.h"\n#include "b.h"\n',
            "c.cpp": '#include "a.h"\n/** D. */\nint f() { return 1; }\n'}  # fmt: skip
    assert rows_of(tmp_path, tree)["f"]["context_missing"] == ""


def test_a_header_that_changes_is_seen_by_the_units_of_other_files(tmp_path):
    rows_of(tmp_path, TREE)
    source = FolderSource(kind="folder", path=str(tmp_path), languages=("cpp",), context=True)
    before = [unit.fingerprint for unit in folder_units(source)]
    (tmp_path / "include/shop/base.h").write_text("// another\n")
    assert [unit.fingerprint for unit in folder_units(source)] != before


@pytest.mark.parametrize(
    ("text", "value"),
    [("1 + 2 * 3 == 7 && !0", 1), ("A && 0", 0), ("A || 1", 1), ("A", None), ("defined(B) || defined A", 1),
     ("0x10u >> 2 == 4 ? 5 : 6", 5), ("10 / 0", None), ("(1", None), ("1 2", None), ("'a' == 97", None), ("C(2, 3)", 5)],
)  # fmt: skip
def test_a_condition_has_the_value_that_c_gives_it_or_none(text, value):
    values = {"C": lambda given: sum(map(int, given))}
    found = Condition(
        text, lambda name, given: values[name](given) if name in values else None, lambda name: int(name == "B")
    )
    assert found.value() == value


SPOKEN = """#define SHOP_BEGIN(name) namespace name {
#define SHOP_END }
SHOP_BEGIN(shop)
struct Pair {
  int at = 1;
  Pair &operator=(const Pair &other) { at = other.at; return *this; }
  int operator[](int n) const { return at + n; }
  int operator()() const { return this->operator[](2); }
  Pair &operator++() { ++at; return *this; }
  /** D. */
  int f(const Pair &b) { operator++(); (*this).operator=(b); return operator()(); }
};
SHOP_END
"""


def test_macros_that_open_a_namespace_and_operators_that_are_called_by_name_are_read(tmp_path):
    row = of_one_file(tmp_path, SPOKEN)
    assert (row["context_missing"], "namespace shop {" in row["context"]) == ("", True)
    assert compiles(row) == (True, "")
