"""Sources whose literals hide nothing: each row is a source and what is left of it."""

import pytest

from eval.sandbox.plain_text import without_comments

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
