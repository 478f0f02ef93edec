"""C++: what a function needs without naming it, and files that are not read rightly; the compiler has the last word."""

import subprocess

import pytest

from codeocean.collect.functions import extract_documented
from codeocean.context.contexts import contexts_of
from codeocean.context.placed import placed
from codeocean.context.reasons import INCLUDED, UNDEFINED, UNREAD

WHOLE = {
    "head_macro": ("#define API\nclass API A {\npublic:\n/** D. */\nint f() { return 1; }\n};", "#define API"),
    "enum_operator": (("enum Flag { a = 1, b = 2 };\ninline Flag operator|(Flag x, Flag y) { return Flag(int(x) | int(y)); }\n"
                      "/** D. */\ninline Flag f() { return a | b; }"), "operator|"),
    "macro_call": (
        "#define CONSTANT(type, given) static const type given\nstruct Ring {\nCONSTANT(int, size = 3);\n/** D. */\nint f() { return 3; }\n};",
        "CONSTANT(int, size = 3);",
    ),
    "declared_inside": (
        "class Pile {\nint at = 1;\npublic:\nint f() const;\nint unused();\n};\n/** D. */\ninline int Pile::f() const { return at; }",
        "int f() const;",
    ),
    "union_head": ("union Both {\nint whole;\nchar parts[4];\n};\n/** D. */\ninline int f(Both b) { return b.whole; }", "union Both {"),
    "friends": (("class A {\nclass B;\npublic:\nclass C {\nint at = 1;\nfriend class A;\n};\n"
               "/** D. */\nint f() { C c; return c.at; }\n};"), "friend class A;"),
    "call_operator": (("struct Less {\nbool operator()(int a, int b) const { return a < b; }\n};\n"
                      "template <class T> bool ask(T t) { return t(1, 2); }\n/** D. */\ninline bool f() { return ask(Less()); }"),
                      "operator()"),
    "specialization": (("template <class T> struct Box { T at; };\ntemplate <class T> struct Box<T *> {\nT *at;\n"
                       "/** D. */\nT f() { return *at; }\n};"), "T at;"),
    "using_one": (("struct P { int at; };\nnamespace ways { inline int operator+(P a, P b) { return a.at + b.at; }\n"
                  "inline int unused() { return 1; } }\nusing ways::operator+;\n/** D. */\ninline int f(P a) { return a + a; }"),
                  "operator+"),
    "using_all": ("namespace ways { inline int g() { return 1; } }\nusing namespace ways;\n/** D. */\ninline int f() { return g(); }",
                  "int g()"),
    "paired": (("#define OPEN_NS_BEGIN namespace deep {\n#define OPEN_NS_END }\nOPEN_NS_BEGIN\ninline int g() { return 1; }\n"
               "/** D. */\ninline int f() { return g(); }\nOPEN_NS_END\n"), "namespace deep {"),
}  # fmt: skip


def context_of(text, name="f"):
    found = {one.name.rpartition(".")[2]: one for one in extract_documented(text.encode(), "cpp")}
    return found[name], contexts_of(text.encode(), "cpp")(found[name])


def test_what_is_used_without_its_name_comes_along_and_all_compile(tmp_path):
    whole = []
    for name, (text, kept) in WHOLE.items():
        function, context = context_of(text)
        assert (name, context.missing, kept in context.text, "unused" in context.text) == (name, "", True, False)
        whole.append(f"namespace {name} {{\n{placed(context.text, function.code, 'cpp')}\n}}\n")
    command = ["g++", "-fsyntax-only", "-x", "c++", "-"]
    compiled = subprocess.run(command, input="".join(whole), text=True, capture_output=True, check=False)
    assert compiled.returncode == 0, compiled.stderr


def test_behind_what_did_not_parse_nothing_is_where_it_seems():
    shifted = "struct A {\nint g() { return 1; } }\nint at;\n/** D. */\nint f() { return at; }\n};\n}\n"
    assert context_of(shifted)[1].missing == UNREAD
    assert context_of("namespace a {\n{\nint at;\n}\n/** D. */\ninline int f() { return 1; }\n}\n")[1].missing == UNREAD
    one = "inline int g() { return 1 +* ; }\n/** D. */\ninline int f() { return %s; }\n"
    assert context_of(one % "g()")[1].missing == UNREAD
    assert context_of(one % "2")[1].missing == ""  # what it does not need does not count


def test_a_header_behind_the_function_is_left_out_and_one_of_its_own_may_hold_a_macro():
    _, context = context_of("#include <vector>\n/** D. */\nint f() { return 1; }\n#include <a/f.tcc>\n")
    assert context.text == "#include <vector>"
    named = '#include "a.h"\nA_NAMESPACE_BEGIN\n/** D. */\nint f() { return 1; }\nA_NAMESPACE_END\n'
    assert context_of(named)[1].missing.startswith(INCLUDED)


@pytest.mark.parametrize(
    ("before", "body", "missing"),
    [('#include <utility>\n#include "a.h"', "static_cast<int>(std::forward<double>(x))", ""),
     ('#include <functional>\n#include "a.h"', "std::function<int()>([] { return 1; })()", ""),
     ('#include <utility>\n#include "a.h"', "std::function<int()>([] { return 1; })()", f"{INCLUDED}: function"),
     ("#include <utility>\nnamespace ways { inline int g() { return 1; } }", "ways::g()", ""),
     ('#include <utility>\n#include "a.h"\nnamespace ways { inline int g() { return 1; } }', "ways::g() + ways::h(x)", f"{INCLUDED}: h"),
     ('#include <utility>\n#include "a.h"\nnamespace ways { inline int g() { return 1; } }', "ways::g() + ways::h<int>(x)", f"{INCLUDED}: h"),
     ('#include <utility>\n#include "a.h"', "other::h<int>(x)", f"{INCLUDED}: other")],
)  # fmt: skip
def test_a_name_behind_a_namespace_is_there_or_is_said_to_be_in_a_header(before, body, missing):
    assert context_of(f"{before}\n/** D. */\ninline int f(double x) {{ return {body}; }}\n")[1].missing == missing


def test_a_macro_that_stands_before_the_function_is_needed():
    text = "struct A {\n  int at;\n\n  /** D. */\n  A_DEVICE_FUNC\n  int f() const { return at; }\n};\n"
    function, context = context_of(text)
    assert ("A_DEVICE_FUNC" in function.code, context.missing.endswith(": A_DEVICE_FUNC")) == (True, True)


@pytest.mark.parametrize(
    ("before", "body", "missing"),
    [("class Till;", "return till == nullptr;", ""), ("class Till;", "return till->sum > 0;", f"{UNDEFINED}: Till"),
     ("struct Till;\ninline Till &of(Till *till) { return *till; }", "return &of(till) == till;", ""),
     ("struct Till;\nTill &of(Till *till);", "return of(till).sum > 0;", f"{UNDEFINED}: "),
     ("struct Till;\nstruct Till { int sum; };", "return till->sum > 0;", ""),
     ("class Till;", "return Till::LIMIT > 0;", f"{UNDEFINED}: Till"), ("class Till;", "delete new Till(*till); return true;", f"{UNDEFINED}: Till"),
     ("class Till;\nstruct Shop { Till *held; };", "Shop shop{till}; return shop.held->sum > 0;", f"{UNDEFINED}: Till")],
)  # fmt: skip
def test_a_class_that_is_only_named_is_enough_for_pointers_alone(before, body, missing):
    found = context_of(f"namespace shop {{\n{before}\n/** D. */\ninline bool f(Till *till) {{ {body} }}\n}}\n")[
        1
    ].missing
    assert found.startswith(missing) and bool(found) == bool(missing), found


@pytest.mark.parametrize(
    ("macro", "call", "missing"),
    [("#define MAKES(name) \\\n  name(int n) : n(n) {}", "MAKES(Till)", UNREAD), ("", "MAKES(Till)", UNREAD), ("#define MAKES(name)", "MAKES(Till)", ""),
     ("#define QUIET", "QUIET", ""), ("#define MAKES Till(int n) : n(n) {}", "MAKES", UNREAD)],
)  # fmt: skip
def test_a_macro_that_declares_parts_of_a_class_is_not_left_out(macro, call, missing):
    text = f"{macro}\nclass Till {{\n  {call}\npublic:\n  static int most(int n) {{ return n; }}\n  int n = 0;\n}};\n"
    found = context_of(f"{text}/** D. */\ninline int f() {{ return Till::most(1); }}\n")[1]
    assert found.missing == missing, found
