"""Sources whose literals hide nothing: each row is a source and what is left of it."""

import pytest

from eval.sandbox.call_tests import without_cpp_aliases
from eval.sandbox.plain_text import longest, without_comments
from eval.sandbox.signatures import plain_go, without_aliases

ROWS = [
    ("go", "a := `x}` // y", 'a := "x\\x7d"  '),
    ("go", "a := '\"' /* \" */ + '`'", "a := '\\x22'   + '\\x60'"),
    ("go", 'a := "{\\"b\\\\"', 'a := "\\x7b\\x22b\\\\"'),
    ("go", "a := `\nfunc init() { }\n`\nb", 'a := "\\x0afunc init\\x28\\x29 \\x7b \\x7d\\x0a"\nb'),
    ("go", "`json:\"a\"`", '"json:\\x22a\\x22"'),
    ("rust", 'r"\\" + { } + r#"""#', '"\\\\" + { } + "\\x22"'),
    ("rust", "fn f<'a>(x: &'a str) -> char { '\\'' }", "fn f<'a>(x: &'a str) -> char { '\\x27' }"),
    ("rust", "b'{' b\"}\" br\"\\\" '\\u{7b}'", "b'\\x7b' b\"\\x7d\" b\"\\\\\" '\\x7b'"),
    ("rust", '"a\\\n   b"', '"ab"'),
    ("cpp", 'R"x(a)" //)x" + "\\n" + \'"\'', '"a\\051\\042 \\057\\057" + "\\n" + \'\\042\''),
    ("cpp", "1'000'000 + f(1)", "1'000'000 + f(1)"),
    ("java", 'f("""\n{"a"}""", \'\\\'\')', 'f("\\012\\173\\042a\\042\\175", \'\\047\')'),
    ("java", '"http://x" // y', '"http:\\057\\057x"  '),
]  # fmt: skip


@pytest.mark.parametrize(("language", "source", "left"), ROWS)
def test_a_literal_hides_nothing_and_keeps_its_value(language, source, left):
    assert without_comments(source, language) == left
    assert without_comments(left, language) == left


def doubling(form, first, levels=16):
    """Other names of types, each of which stands for two of the one before."""
    return first + "".join(form.format(n, n - 1) for n in range(1, levels)) + "\n"


BOMBS = {
    "rust": doubling("type A{0} = (A{1}, A{1});\n", "type A0 = i32;\n"),
    "go": doubling("type A{0} = map[A{1}]A{1}\n", "type A0 = int\n"),
    "cpp": doubling("using A{0} = pair<A{1}, A{1}>;\n", "using A0 = int;\n"),
}
READERS = {"rust": without_aliases, "go": plain_go, "cpp": without_cpp_aliases}


@pytest.mark.parametrize("language", BOMBS)
def test_names_of_names_do_not_grow_without_end(language):
    for bomb in (BOMBS[language], "".join(BOMBS[language].splitlines(keepends=True)[::-1])):
        assert len(READERS[language](bomb)) <= longest(bomb)


def test_the_names_that_programs_have_are_replaced():
    assert without_aliases("type Row = Vec<i32>;\nfn f(x: Row) {}").endswith("fn f(x: Vec<i32>) {}")
    assert plain_go("type Row = []int\nfunc F(x Row) {}").endswith("func F(x []int) {}")
    assert without_cpp_aliases("using Row = vector<int>;\nint f(Row x) {}").strip() == "int f(vector<int> x) {}"
