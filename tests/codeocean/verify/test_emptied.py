"""Functions without their work."""

import pytest

from codeocean.generate.ask import fails_to_parse
from codeocean.generate.golden_faults import load_pairs
from codeocean.verify.emptied import emptied
from core.languages import EXECUTED


@pytest.mark.parametrize(
    ("language", "code", "first"),
    [
        ("python", "def f(x):\n    return x", "def f(x):\n    return x\n\ndef f(*given, **_):\n    return None\n"),
        ("typescript", "function f(x: number) { return x }", "function f(x: number) { return null; return x }"),
        ("javascript", "const f = (x) => {\n  return x }", "const f = (x) => { return null;\n  return x }"),
        ("typescript", "export const f = (x: number): number => x", "export const f = (x: number): number => null"),
        ("go", "func f(x int) (int, error) { return g(x) }", "func f(x int) (int, error) { return 0, nil; return g(x) }"),
        ("go", "func f(x int) [2]int { return g(x) }", "func f(x int) [2]int { return [2]int{}; return g(x) }"),
        ("rust", "fn f(x: i32) -> (i32, i32) { (x, x) }", "fn f(x: i32) -> (i32, i32) { return Default::default(); (x, x) }"),
        ("java", "Optional<Integer> f(int x) { return g(x); }", "Optional<Integer> f(int x) { if (true) return null; return g(x); }"),
        ("cpp", "std::pair<int, int> f(int x) { return g(x); }", "std::pair<int, int> f(int x) { return {}; return g(x); }"),
        ("java", "static List<Integer> f(int x) { return g(x); }", "static List<Integer> f(int x) { if (true) return new ArrayList<>(); return g(x); }"),
        ("go", "func f(x int) string { return g(x) }", 'func f(x int) string { return ""; return g(x) }'),
        ("cpp", "std::vector<int> f(const int& x) { return g(x); }", "std::vector<int> f(const int& x) { return {}; return g(x); }"),
        ("rust", "pub fn f(s: &str) -> i32 { s.len() as i32 }", "pub fn f(s: &str) -> i32 { return 0; s.len() as i32 }"),
    ],
)  # fmt: skip
def test_the_body_returns_the_simplest_value(language, code, first):
    assert emptied(code, language, "f", 1) == [first]
    assert emptied(code, language, "f", 0) == []


@pytest.mark.parametrize(
    ("language", "code", "made"),
    [
        ("cpp", "void f(int* x) { *x = 1; }", ["void f(int* x) { return ; *x = 1; }"]),
        ("rust", "fn f(x: &mut i32) { *x = 1 }", ["fn f(x: &mut i32) { return ; *x = 1 }"]),
        ("java", "static void f(int[] x) { x[0] = 1; }", ["static void f(int[] x) { if (true) return ; x[0] = 1; }"]),
        ("go", "func f(x []int) { x[0] = 1 }", ["func f(x []int) { return ; x[0] = 1 }"]),
        (
            "go",
            "func f(a int, p Point) Point { return g(p) }",
            [
                "func f(a int, p Point) Point { return *new(Point); return g(p) }",
                "func f(a int, p Point) Point { return p; return g(p) }",
            ],
        ),
        (
            "rust",
            "fn f(p: Point) -> Point { g(p) }",
            [
                "fn f(p: Point) -> Point { return Default::default(); g(p) }",
                "fn f(p: Point) -> Point { return p; g(p) }",
            ],
        ),
        (
            "cpp",
            "string f(const string& s) { return g(s); }",
            [
                'string f(const string& s) { return ""; return g(s); }',
                "string f(const string& s) { return s; return g(s); }",
            ],
        ),
    ],
)
def test_nothing_is_returned_or_what_was_given(language, code, made):
    assert emptied(code, language, "f", 2) == made


def test_what_has_no_simple_value_is_not_emptied():
    assert emptied("int f(int x) { return x; }", "cpp", "g", 2) == []


def test_every_golden_function_with_a_body_of_its_own_can_be_emptied():
    for pair in load_pairs():
        made = emptied(pair.right, pair.language, pair.name, 2)
        assert made or "=>" in pair.right.partition("\n")[0], (pair.language, pair.name)
        assert not any(fails_to_parse(code, pair.language) for code in made)
    assert {pair.language for pair in load_pairs()} == set(EXECUTED)
