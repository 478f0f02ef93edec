"""Which comment documents which function: what may stand between them, and what documents something else."""

import pytest

from codeocean.collect.functions import INSIDE, UNREAD, extract_documented, survey
from codeocean.syntax import has_syntax_error

DOC = "Counts the open doors."
BLOCK = f"/**\n * {DOC}\n */\n"
BARE = {
    "javascript": "function count(a) {\n  return a.length;\n}\n",
    "typescript": "export function count(a: string[]): number {\n  return a.length;\n}\n",
    "java": "public int count(int[] a) {\n  return a.length;\n}\n",
    "php": "function count_all($a) {\n  return count($a);\n}\n",
    "c": "int count(const int *a)\n{\n  return a[0];\n}\n",
    "cpp": "template <class T>\nint count(const T &a) {\n  return a.size();\n}\n",
    "csharp": "public int Count(int[] a) {\n  return a.Length;\n}\n",
    "rust": "pub fn count(a: &[i32]) -> usize {\n    a.len()\n}\n",
}
BEFORE = {"java": "class A {\n", "csharp": "class A {\n", "php": "<?php\nclass A {\n"}
AFTER = dict.fromkeys(BEFORE, "}\n")
LINES = {"c": "/// ", "cpp": "//! ", "csharp": "/// ", "rust": "/// "}

BETWEEN = [
    *((language, text) for language in BARE for text in ("\n", "\n\n\n", "// An ordinary remark.\n",
                                                         "\n/* Another one,\n   of two lines. */\n\n")),
    ("javascript", "// eslint-disable-next-line complexity\n"), ("javascript", "/* istanbul ignore next */\n\n"),
    ("javascript", "/*#__PURE__*/ "), ("javascript", "/** @ts-ignore */\n"), ("typescript", "// @ts-expect-error\n"),
    ("typescript", "/** istanbul ignore next */\n"), ("typescript", "// #region counting\n"),
    ("java", "@Override // checked below\n"), ("java", "// NOSONAR\n@SuppressWarnings(\"all\")\n"),
    ("java", "//region counting\n\n"), ("php", "# phpcs:ignore Generic.Files\n"), ("php", "#[Pure]\n// remark\n#[Foo]\n"),
    ("php", "/** @noinspection PhpUnused */\n"), ("c", "#pragma GCC diagnostic push\n"), ("c", "#ifdef WITH_DOORS\n"),
    ("c", "/* clang-format off */\n"), ("c", "/** NOLINTNEXTLINE */\n"), ("c", "__attribute__((noinline)) /* slow */\n"),
    ("cpp", "#pragma once_more \\\n  and on\n"), ("cpp", "// NOLINTNEXTLINE(readability)\n"), ("csharp", "#pragma warning disable CS0618\n"), ("csharp", "#region Doors\n\n"),
    ("csharp", "[Pure] // no side effects\n[Obsolete]\n"), ("csharp", "#if NET8_0\n"), ("csharp", "// ReSharper disable All\n"),
    ("rust", "#[inline] // hot\n#[must_use]\n"), ("rust", "// SAFETY: none needed.\n"), ("rust", "#[cfg(unix)]\n\n// x\n"),
]  # fmt: skip


def found_in(source, language):
    return [(function.name, function.docstring) for function in extract_documented(source.encode(), language)]


def comments_of(language):
    yield BLOCK
    if language in LINES:
        yield LINES[language] + DOC + "\n"


@pytest.mark.parametrize(("language", "between"), BETWEEN)
def test_what_stands_between_comment_and_function_loses_neither(language, between):
    for comment in comments_of(language):
        source = BEFORE.get(language, "") + comment + between + BARE[language] + AFTER.get(language, "")
        ((name, docstring),) = found_in(source, language)
        assert name.rpartition(".")[2].lower().startswith("count")
        assert docstring == DOC


@pytest.mark.parametrize("language", sorted(set(BARE) - {"rust"}))
def test_the_nearest_of_two_comments_documents(language):
    source = BEFORE.get(language, "") + "/** Of another thing. */\n\n" + BLOCK + "\n" + BARE[language]
    assert [docstring for _, docstring in found_in(source + AFTER.get(language, ""), language)] == [DOC]


def test_rust_takes_all_its_documentation():
    source = "/// One.\n\n/// Two.\n#[inline]\n/// Three.\npub fn f() { g(); }\n"
    assert found_in(source, "rust") == [("f", "One.\nTwo.\nThree.")]


FIELDS = {
    "javascript": "class A {\n  doors = 3; %s\n  count(a) { return a.length; }\n}\n",
    "typescript": "class A {\n  doors: number = 3; %s\n  count(a: string) { return a.length; }\n}\n",
    "java": "class A {\n  int doors = 3; %s\n  int count(int[] a) { return a.length; }\n}\n",
    "php": "<?php\nclass A {\n  public $doors = 3; %s\n  public function count($a) { return 3; }\n}\n",
    "c": "int doors = 3; %s\nint count(int *a) { return a[0]; }\n",
    "cpp": "class A {\n  int doors = 3; %s\n  int count(int *a) { return a[0]; }\n};\n",
    "csharp": "class A {\n  int doors = 3; %s\n  int Count(int[] a) { return a[0]; }\n}\n",
}


@pytest.mark.parametrize("language", FIELDS)
@pytest.mark.parametrize(
    "comment", ["/** All doors. */", "/**< All doors. */", "/** @var int */", "/** One\n    of two. */"]
)
def test_a_comment_behind_something_on_its_line_is_about_that(language, comment):
    assert found_in(FIELDS[language] % comment, language) == []


@pytest.mark.parametrize(("language", "comment"), [
    ("c", "/*!< All doors. */"), ("c", "///< All doors."), ("c", "//!< All doors."), ("c", "/// All doors."),
    ("cpp", "/// All doors\n                 /// of the house."), ("cpp", "///< All doors"), ("cpp", "/*! All. */"),
    ("csharp", "/// <summary>All.</summary>"),
])  # fmt: skip
def test_so_is_a_line_comment(language, comment):
    assert found_in(FIELDS[language] % comment, language) == []


@pytest.mark.parametrize("language", ["c", "cpp"])
@pytest.mark.parametrize("comment", ["/**< All doors. */", "/*!< All. */", "///< All doors.", "//!< All doors."])
def test_a_members_comment_on_the_line_below_is_the_members(language, comment):
    assert found_in(f"int doors;\n{comment}\nint count(int *a) {{ return a[0]; }}\n", language) == []


def test_xml_without_a_space_is_documentation():
    source = "class A {\n///<summary>Counts.</summary>\nint Count() { return 1; }\n}\n"
    assert found_in(source, "csharp") == [("A.Count", "Counts.")]


HEADERS = [
    "/**\n * Copyright (c) 2020 The Doors Company.\n * Licensed under the MIT licence.\n */\n",
    "/**\n * @file Everything about doors.\n */\n",
    "/** This file holds what every door needs. */\n",
    "/**\n * doors.js - all about doors\n */\n",
    "/**\n * SPDX-License-Identifier: MIT\n */\n",
    "/** @license MIT */\n",
]


@pytest.mark.parametrize("language", sorted(set(BARE) - {"java", "csharp"}))
@pytest.mark.parametrize("apart", ["", "\n", "// remark\n\n"])
@pytest.mark.parametrize("header", HEADERS)
def test_a_files_header_is_not_the_first_functions(language, apart, header):
    before = "<?php\n" if language == "php" else ""
    assert found_in(before + header + apart + BARE[language], language) == []
    ((_, docstring),) = found_in(before + header + apart + BLOCK + "\n" + BARE[language], language)
    assert docstring.endswith(DOC)


@pytest.mark.parametrize(
    "header", ["/**\n * Helper functions for doors.\n */\n\n", "/** A collection of doors. */\n\n"]
)
def test_an_overview_that_stands_apart_is_not_the_first_functions(header):
    assert found_in(header + BARE["javascript"], "javascript") == []


def test_a_documentation_of_its_own_may_speak_of_licences():
    source = "/**\n * Checks that a module is licensed under a free licence.\n * @param {string} name\n */\n"
    assert len(found_in(source + BARE["javascript"], "javascript")) == 1
    later = "const doors = 3;\n/** Prints the copyright notice. */\n" + BARE["javascript"]
    assert len(found_in(later, "javascript")) == 1


@pytest.mark.parametrize(("language", "source", "names"), [
    ("c", "/** Of a type. */\nstruct PACKED door {\n  int a;\n};\n/** Opens. */\nint open(int a)\n{\n  return a;\n}\n",
     ["open"]),
    ("c", "/** Of a type. */\nunion LIB_API door {\n  int a;\n};\n", []),
    ("c", "/** Opens. */\nLIB_API int open(int a)\n{\n  return a;\n}\n", ["open"]),
    ("c", "/** Opens. */\nLIB_API(int)\nopen(int a)\n{\n  return a;\n}\n", ["open"]),
    ("c", "/** Opens. */\nint LIB_CALL open(int a)\n{\n  return a;\n}\n", ["open"]),
    ("c", "/** Opens. */\nstatic int __init open(int a)\n{\n  return a;\n}\n", ["open"]),
    ("c", "/** Opens. */\nstatic MY_INLINE\nint open(int a)\n{\n  return a;\n}\n", ["open"]),
    ("c", "DECLARE_DOOR(front)\n\n/** Opens. */\nint open(int a)\n{\n  return a;\n}\n", ["open"]),
    ("c", "/** Opens. */\nint (open)(int a)\n{\n  return a;\n}\n", ["open"]),
    ("c", "BEGIN_DECLS\n\n/** Opens. */\nint open(int a)\n{\n  return a;\n}\n\nEND_DECLS\n", ["open"]),
    ("cpp", "class LIB_API Door : public Thing {\n public:\n  /// Opens.\n  int open() { return 1; }\n};\n",
     ["Door.open"]),
    ("cpp", "class LIB_API(2) Door final {\n public:\n  /// Opens.\n  int open() { return 1; }\n};\n", ["Door.open"]),
    ("cpp", "LIB_API\nclass Door {\n public:\n  /// Opens.\n  int open() { return 1; }\n};\n", ["Door.open"]),
    ("cpp", "template <class T>\nstruct LIB_API Door {\n  /// Opens.\n  T open() { return 1; }\n};\n", ["Door.open"]),
    ("cpp", ("class Door : public Thing {\n  Q_OBJECT\n  Q_DISABLE_COPY(Door)\n public:\n  /// Opens.\n"
             "  int open() { return 1; }\n};\n"), ["Door.open"]),
    ("cpp", "LIB_BEGIN_NAMESPACE\n\n/// Opens.\nLIB_INLINE bool open() { return true; }\n\nLIB_END_NAMESPACE\n", ["open"]),
    ("cpp", "class Door {\n  /// Same.\n  friend bool operator==(const Door &a, const Door &b) { return true; }\n};\n",
     ["Door.operator=="]),
    ("cpp", "/// Opens.\nextern \"C\" int open() { return 1; }\n", ["open"]),
    ("cpp", "struct Door {\n  /// Whether it is open.\n  explicit operator bool() const { return is_open; }\n};\n",
     ["Door.operator bool"]),
    ("cpp", "/// Opens.\n[[nodiscard]] // important\nint open() { return 1; }\n", ["open"]),
    ("cpp", "/// Opens.\ntemplate <class T, ENABLE_IF(!std::is_same<T, int>::value)>\nint open(T a) { return 1; }\n", ["open"]),
    ("cpp", "struct Door {\n  constexpr LIB_FAST Door(int a) : size(a) {}\n  /// Opens.\n  int open() { return 1; }\n};\n",
     ["Door.open"]),
    ("cpp", "struct alignas(16) LIB_API Door {\n  /// Opens.\n  int open() { return 1; }\n};\n", ["Door.open"]),
    ("cpp", "class [[nodiscard]] LIB_API Door {\n  /// Opens.\n  int open() { return 1; }\n};\n", ["Door.open"]),
    ("cpp", "enum class LIB_API Kind : int { a, b };\n/// Opens.\nint open() { return 1; }\n", ["open"]),
])  # fmt: skip
def test_macros_hide_neither_types_nor_functions(language, source, names):
    assert [name for name, _ in found_in(source, language)] == names


@pytest.mark.parametrize("between", [
    "#if __cplusplus >= 201703L\n[[nodiscard]]\n#endif\n",
    "# ifdef FAST\ninline\n# else\nstatic\n# endif  // FAST\n",
    "\n#ifndef SLOW\n#endif\n",
])  # fmt: skip
def test_a_condition_between_template_and_function_is_read_by_its_first_branch(between):
    source = (
        f"/** Adds. */\ntemplate <typename T,\n          int N = 2>\n{between}T add(T a, T b) {{\n  return a + b;\n}}\n"
    )
    (function,) = extract_documented(source.encode(), "cpp")
    assert (function.name, function.docstring) == ("add", "Adds.")
    assert between in function.code
    assert not has_syntax_error(function.code, "cpp")


def test_code_keeps_the_macro_that_the_parser_does_not_see():
    (function,) = extract_documented(b"/** Opens. */\nLIB_API int open(int a)\n{\n  return a;\n}\n", "c")
    assert function.code == "LIB_API int open(int a)\n{\n  return a;\n}"


def test_what_a_declaration_macro_declares_keeps_its_documentation():
    source = "/** The front door. */\nDECLARE_DOOR(front)\n\nint open(int a)\n{\n  return a;\n}\n"
    assert found_in(source, "c") == []


@pytest.mark.parametrize("inner", ["//! About the module.\n", "/*! About the module. */\n", "//! One.\n\n//! Two.\n"])
def test_inner_documentation_of_rust_is_the_modules(inner):
    assert found_in(inner + "pub fn f() { g(); }\n", "rust") == []
    assert found_in("mod a {\n" + inner + "/// Does.\npub fn f() { g(); }\n}\n", "rust") == [("f", "Does.")]


@pytest.mark.parametrize(("source", "found"), [
    (("/** Opens. */\nexport function open(a: number): void;\nexport function open(a: string): void;\n"
      "export function open(a: any) { use(a); }\n"), [("open", "Opens.")]),
    (("class D {\n  /** Opens. */\n  open(a: number): void;\n  /** More. */\n  open(a: string): void;\n"
      "  open(a: any) { use(a); }\n}\n"), [("D.open", "Opens.")]),
    ("/** Opens. */\nfunction open(a: number): void;\n/** All. */\nfunction open(a: any) { use(a); }\n",
     [("open", "All.")]),
    ("/** Opens. */\ndeclare function open(a: number): void;\nfunction close(a: any) { use(a); }\n", []),
    ("/** Opens. */\nfunction open(a: number): void;\n\n// remark\nfunction open(a: any) { use(a); }\n",
     [("open", "Opens.")]),
])  # fmt: skip
def test_an_overload_is_documented_on_its_signature(source, found):
    assert found_in(source, "typescript") == found


@pytest.mark.parametrize(
    "head", ["if OLD", "unless NEW", "case x\n  when 1", "begin", "class << self", "if A\n  1\n  else"]
)
def test_the_first_method_of_a_block_keeps_its_comment(head):
    source = f"module Door\n  {head}\n    # Opens.\n    def self.open(a)\n      a + 1\n    end\n  end\nend\n"
    assert found_in(source, "ruby") == [("Door.open", "Opens.")]


@pytest.mark.parametrize("macro", ["cfg_net!", "crate::cfg_rt!"])
def test_functions_in_the_braces_of_an_items_macro_are_functions(macro):
    source = (f"{macro} {{\n    /// Opens.\n    #[inline]\n    pub fn open(a: u32) -> u32 {{\n        a + 1\n    }}\n"
              "    impl Door {\n        /// Shuts.\n        fn shut(&self) { go(); }\n    }\n}\n")  # fmt: skip
    first, second = extract_documented(source.encode(), "rust")
    assert (first.name, first.docstring, first.code) == (
        "open", "Opens.", "#[inline]\npub fn open(a: u32) -> u32 {\n    a + 1\n}")  # fmt: skip
    assert (second.name, second.docstring) == ("Door.shut", "Shuts.")


def test_macros_inside_macros_and_impls():
    source = "impl A {\n    cfg_a! {\n        cfg_b! {\n            /// Opens.\n            fn open() { go(); }\n        }\n    }\n}\n"
    assert found_in(source, "rust") == [("A.open", "Opens.")]


@pytest.mark.parametrize(("member", "name"), [
    ("public static Door operator +(Door a, Door b) { return a; }", "Door.operator +"),
    ("public static bool operator ==(Door a, Door b) => a.X == b.X;", "Door.operator =="),
    ("public static explicit operator int(Door a) { return a.X; }", "Door.explicit operator int"),
    ("public int this[int at] { get { return X + at; } }", "Door.this[]"),
    ("public int this[int at] => X + at;", "Door.this[]"),
    ("~Door() { Close(); }", "Door.~Door"),
])  # fmt: skip
def test_operators_and_indexers_of_csharp_are_functions(member, name):
    assert found_in(f"class Door {{\n  /// <summary>Does.</summary>\n  {member}\n}}\n", "csharp") == [(name, "Does.")]


@pytest.mark.parametrize(("language", "source", "docstring"), [
    ("ruby", "# rubocop:disable Metrics/AbcSize\ndef f\n  1\nend\n", None),
    ("ruby", "# Opens.\n# rubocop:disable Metrics/AbcSize, Style/X\n# More.\ndef f\n  1\nend\n", "Opens.\nMore."),
    ("ruby", "# Opens.\n#--\n# For us alone.\n#++\n# More.\ndef f\n  1\nend\n", "Opens.\nMore."),
    ("ruby", "# Opens.\n#--\n# For us alone.\ndef f\n  1\nend\n", "Opens."),
    ("ruby", "#--\n# For us alone.\ndef f\n  1\nend\n", None),
    ("ruby", "# :nodoc:\ndef f\n  1\nend\n", None),
    ("ruby", "# frozen_string_literal: true\ndef f\n  1\nend\n", None),
    ("ruby", "# Copyright 2020 The Doors Company\ndef f\n  1\nend\n", None),
    ("ruby", "# typed: strict\n# Opens.\ndef f\n  1\nend\n", "Opens."),
    ("ruby", "# Opens.\nsig { params(a: Integer).returns(String) }\ndef f(a)\n  1\nend\n", "Opens."),
    ("ruby", "# Opens.\nsig do\n  params(a: Integer).void\nend\nprivate def f(a)\n  1\nend\n", "Opens."),
    ("ruby", "# Opens.\nsig { void }\n# rubocop:disable X/Y\ndef f\n  1\nend\n", "Opens."),
    ("ruby", "# Opens.\n\ndef f\n  1\nend\n", None),
    ("ruby", "x = 1 # Opens.\ndef f\n  1\nend\n", None),
    ("ruby", "x = \"\n# Opens.\"\ndef f\n  1\nend\n", None),
    ("ruby", "# Note: on an error it opens.\n# Region of the door.\ndef f\n  1\nend\n",
     "Note: on an error it opens.\nRegion of the door."),
    ("go", "package a\n\n//export F\nfunc F() int { return 1 }\n", None),
    ("go", "package a\n\n//go:noinline\n//nolint\nfunc F() int { return 1 }\n", None),
    ("go", "package a\n\n// F opens.\n//\n//export F\nfunc F() int { return 1 }\n", "F opens."),
    ("go", "package a\n\n// #nosec G101\n// nolint:gosec\nfunc F() int { return 1 }\n", None),
    ("go", "package a\n\n// F opens.\n\nfunc F() int { return 1 }\n", None),
    ("go", "package a\n\n/*\nF opens.\n*/\nfunc F() int { return 1 }\n", "F opens."),
    ("javascript", "/** eslint-disable no-console */\nfunction f() { return 1; }\n", None),
    ("javascript", "/** @typedef {Object} Door */\nfunction f() { return 1; }\n", None),
    ("php", "<?php\n/** @codeCoverageIgnore */\nfunction f() { return 1; }\n", None),
    ("c", "/** @defgroup doors All doors */\n\nint f(void) { return 1; }\n", None),
    ("c", "/** @{ */\n\nint f(void) { return 1; }\n", None),
])  # fmt: skip
def test_what_is_said_to_tools_is_no_documentation(language, source, docstring):
    assert [found for _, found in found_in(source, language)] == ([docstring] if docstring else [])


@pytest.mark.parametrize(("language", "source", "names"), [
    ("typescript", "/** Opens. */\nexport const open: Rule<A> = ((a) => a + 1) as any;\n", ["open"]),
    ("typescript", "/** Opens. */\nthis.open = (function (a) { return a; } satisfies F)!;\n", ["this.open"]),
    ("javascript", "/** Opens. */\nvar open = (function inner(a) { return a; });\n", ["open"]),
    ("java", "@interface Door {\n  /** How wide. */\n  int width() default 1;\n}\n", ["Door.width"]),
    ("javascript", "/** All. */\nvar all = (function () {\n  /** Opens. */\n  function open(a) { return a; }\n"
     + "  work();\n" * 2500 + "});\n", ["all", "open"]),
    ("python", "def all():\n  'All.'\n" + "  work()\n" * 3000 + "  def open():\n    'Opens.'\n", ["all", "open"]),
])  # fmt: skip
def test_functions_in_brackets_annotations_and_functions_as_long_as_a_module(language, source, names):
    assert [found for found, _ in found_in(source, language)] == names


def test_sorbets_signature_belongs_to_the_code():
    source = "class A\n  # Opens.\n  sig { void }\n  def f\n    1\n  end\nend\n"
    (function,) = extract_documented(source.encode(), "ruby")
    assert function.code == "sig { void }\ndef f\n  1\nend"


@pytest.mark.parametrize(("source", "name"), [
    ("app.open = function open(a) { return a; };", "app.open"), ("const open = function inner(a) { return a; };", "open"),
    ("module.exports = function open(a) { return a; };", "module.exports"),
    ("export default function open(a) { return a; }", "open"), ("x = { open: (a) => { return a; } };", ""),
])  # fmt: skip
def test_a_function_expression_is_called_what_it_is_assigned_to(source, name):
    assert [found for found, _ in found_in(f"/** Opens. */\n{source}\n", "javascript")] == ([name] if name else [])


@pytest.mark.parametrize("name", ["<=>", "<<", "[]=", "==", "+@", "=~"])
def test_an_operator_of_ruby_is_a_name(name):
    assert found_in(f"class A\n  # Opens.\n  def {name}(other)\n    1\n  end\nend\n", "ruby") == [
        (f"A.{name}", "Opens.")
    ]


def test_a_documentation_of_rust_is_about_what_follows_it_as_for_rustc():
    source = "trait Door {\n    fn lock(&self); /// Opens.\n    fn open(&self) -> u8 { 1 }\n}\n"
    assert found_in(source, "rust") == [("Door.open", "Opens.")]


def test_a_quoted_key_is_a_name_without_its_quotes():
    source = "x = {\n  /** Opens. */\n  'on-open': function (a) { return a; },\n};\n"
    assert found_in(source, "javascript") == [("on-open", "Opens.")]


def test_what_is_not_taken_says_why():
    inner = b"/** Opens. */\nfunction open() {\n  /** Turns. */\n  function turn() { return 1; }\n  return turn;\n}\n"
    assert [(function.name, function.lost) for function in survey(inner, "javascript")] == [
        ("open", ""),
        ("turn", INSIDE),
    ]
    python = b"def open():\n    'Opens.'\n    def turn():\n        'Turns.'\n    return turn\n"
    assert [(function.name, function.lost) for function in survey(python, "python")] == [("open", ""), ("turn", INSIDE)]


def test_documentation_whose_code_does_not_parse_is_counted():
    source = b"class A {\n  /** Opens. */\n  int open(int a) [[ {\n    return a;\n  }\n}\n"
    assert {function.lost for function in survey(source, "java")} <= {"", UNREAD}


@pytest.mark.parametrize("source", ["/// a\n" * 50_000, "/** a */\n" * 20_000, "/*! a */" * 20_000, "#[a]\n" * 20_000])
@pytest.mark.parametrize("language", ["rust", "cpp", "csharp", "javascript"])
@pytest.mark.timeout(60)
def test_comments_without_end_take_linear_time(source, language):
    assert len(found_in(source, language)) <= 1


WRAPPED = {
    "returned": "function make(scale) {\n  /** Opens. */\n  return function door(a) {\n    return a * scale;\n  };\n}\n",
    "another choice": "/** Opens. */\nmodule.exports = Number.door || function door(a) {\n  return a;\n};\n",
    "in brackets": "/** Opens. */\nexport const door = (function (a) {\n  return a;\n});\n",
}


@pytest.mark.parametrize("name", WRAPPED)
@pytest.mark.parametrize("language", ["javascript", "typescript"])
def test_a_function_that_is_returned_or_chosen_is_found(name, language):
    (function,) = extract_documented(WRAPPED[name].encode(), language)
    assert (function.docstring, "door" in function.code) == ("Opens.", True)
    assert name != "returned" or function.code == "function door(a) {\n  return a * scale;\n}"
    assert not has_syntax_error(function.code, language)


TYPES = {
    "signatures that begin with type parameters": "{\n  <A>(a: A): Pair\n\n  <A, B>(a: A, b: B): Pair\n  <\n    C\n  >(c: C): Pair\n}",
    "variance": "Box<number>\ninterface Box<in out A, out B extends A = A, in C = B> { a: A }",
    "signs of mapped types": "{ [K in keyof Door]-?: Door[K] } | { -readonly [K in keyof Door]+?: Door[K] }",
    "as and satisfies": "Opener",
}


@pytest.mark.parametrize("name", TYPES)
def test_types_of_newer_typescript_lose_no_function(name):
    text = f"/** Opens. */\nexport const door = (function (a) {{ return a }}) as any satisfies {TYPES[name]}\n"
    text += f"export const other: {TYPES[name]} = make()\n/** Shuts. */\nexport const shut = (a: number) => a\n"
    assert [one.docstring for one in extract_documented(text.encode(), "typescript")] == ["Opens.", "Shuts."]


def test_a_text_that_parses_nowhere_is_read_in_the_grammar_that_reads_most():
    text = "/** Opens. */\nexport function door() { return <b>one</b> }\nlet = = ;\n/** Shuts. */\nfunction shut() { return 1 }\n"
    assert [one.docstring for one in extract_documented(text.encode(), "typescript")] == ["Opens.", "Shuts."]


def test_a_method_of_a_union_has_its_name():
    text = "union LIB_API Door {\n  int a;\n  /** Opens. */\n  int open(int b) { return b; }\n};\n"
    assert [one.name for one in extract_documented(text.encode(), "cpp")] == ["Door.open"]
