"""Conditional compilation that splits a statement loses no function, in C, C++ and C#."""

import pytest

from codeocean.branches import first_branches
from codeocean.collect.functions import survey
from codeocean.syntax import has_syntax_error

AFTER = "\n/** After. */\nint after(int a) { return 2; }\n"
SPLIT = {
    "two template heads": ("cpp", ("#if HAS_CONCEPTS\ntemplate <Number T>\n#else\ntemplate <class T, class = check<T>>\n#endif\n"
                           "T door(T a, T b) { return a + b; }\n")),
    "three heads": ("cpp", ("#ifdef A\ntemplate <class T>\n#elif defined(B)\ntemplate <class T, int N>\n#else\n"
                    "template <class T, class U>\n#endif\nvoid door(T t) { use(t); }\n")),
    "one inside the other": ("cpp", ("#if A\n# if B\ntemplate <class T>\n# else\ntemplate <class T, class U>\n# endif\n#else\n"
                             "template <class V>\n#endif\nint door(int a) { return a; }\n")),
    "results": ("c", "#ifdef _WIN32\nstatic long\n#else\nstatic int\n#endif\ndoor(int a)\n{\n  return a;\n}\n"),
    "two opening braces": ("c", ("#ifdef _WIN32\nint door(const wchar_t *a)\n{\n  int b = 1;\n#else\nint door(const char *a)\n{\n"
                           "  int b = 2;\n#endif\n  return b;\n}\n")),
    "conditions": ("c", ("int door(int a)\n{\n#ifdef X\n  if (a > 1) {\n#else\n  if (a > 2) {\n#endif\n    return 1;\n  }\n"
                   "  return 0;\n}\n")),
    "an empty branch": ("cpp", "#ifdef A\n#else\ntemplate <class T>\n#endif\nint door(int a) { return a; }\n"),
    "heads of C#": ("csharp", "#if NET8_0\npublic int door(\n#else\ninternal int door(\n#endif\n    int a) { return a; }\n"),
}  # fmt: skip


@pytest.mark.parametrize("name", SPLIT)
def test_a_split_statement_keeps_its_function_and_the_next(name):
    language, text = SPLIT[name]
    after = AFTER.replace("/** After. */", "/// After.") if language == "csharp" else AFTER
    source = f"/** Opens. */\n{text}{after}"
    if language == "csharp":
        source = f"class A {{\n{source}}}\n"
    found = list(survey(source.encode(), language))
    assert [(one.name.rpartition(".")[2], one.docstring, one.lost) for one in found] == [
        ("door", "Opens.", ""), ("after", "After.", ""),
    ]  # fmt: skip
    code = found[0].code
    assert code.count("#if") == code.count("#endif"), code  # all branches are its code
    assert not has_syntax_error(code, language)


WHOLE = [
    "#ifdef A\nint a;\n#else\nint b;\n#endif\n",
    "#ifndef H\n#define H \\\n  1\nint a;\n#endif\n",
    "struct A {\n#ifdef B\npublic:\n#endif\n  int c;\n};\n",
    "int a = f('{', \"#if\"); // (\n#if X\n/* { */ g('('); // }\n#endif\n",
    "#endif\n#else\nint f(\n",
    "#if A\n#if B\nint f(\n",
]


@pytest.mark.parametrize("text", WHOLE)
def test_branches_that_are_whole_stay(text):
    assert first_branches(text.encode()) == text.encode()


def test_a_blank_is_as_long_as_what_it_covers():
    for _, text in SPLIT.values():
        blanked = first_branches(text.encode())
        assert len(blanked) == len(text)
        assert [place for place, sign in enumerate(text) if sign == "\n"] == [
            place for place, sign in enumerate(blanked.decode()) if sign == "\n"
        ]


def test_it_takes_time_by_the_length_alone():
    for text in (
        b"#if A\nint f(\n" * 20_000,
        b"#if A\n#else\n#endif\n" * 20_000,
        b"#if A\nx(\n" * 9_000 + b"#endif\n" * 9_000,
        b"\\\n" * 100_000,
    ):
        first_branches(text)
