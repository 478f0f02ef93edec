"""Rust's modules and types that borrow: as in one plain program."""

import pytest

from eval.sandbox.rust.modules import flattened
from tests.eval.sandbox.test_stubs import outcome

FORMS = {
    "modules": ("pub mod geometry { pub fn area(w: f64, h: f64) -> f64 { w * h } pub mod deep { pub fn twice(x: i32) -> i32 { x * 2 } } #[derive(Debug, Clone, PartialEq)] pub struct Pt { pub x: i32 } impl Pt { pub fn new(x: i32) -> Self { Pt { x } } pub fn get(&self) -> i32 { self.x } } }\nmod util { pub fn inc(x: i32) -> i32 { x + 1 } }\npub fn calls(x: i32) -> i32 { util::inc(x) }", ('w * h', 'w + h'),
        "assert_eq!(geometry::area(2.0, 5.0), 10.0); assert_eq!(geometry::deep::twice(4), 8); assert_eq!(geometry::Pt::new(3).get(), 3); assert_eq!(calls(1), 2); assert_eq!(util::inc(5), 6); use super::geometry::Pt; assert_eq!(Pt::new(1), Pt { x: 1 });"),
    "types that borrow": ("use std::collections::HashMap;\n#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]\npub enum Token<'a> { Word(&'a str), Num(i64), End }\n#[derive(Debug, PartialEq)]\npub struct Doc<'a> { pub title: &'a str, pub words: Vec<&'a str>, pub first: Option<Token<'a>> }\nimpl<'a> Doc<'a> { pub fn parse(text: &'a str) -> Result<Doc<'a>, String> { let mut it = text.lines(); let title = it.next().ok_or(\"empty\".to_string())?; let words: Vec<&str> = it.flat_map(|l| l.split_whitespace()).collect(); let first = words.first().map(|w| Token::Word(w)); Ok(Doc { title, words, first }) } pub fn count(&self, w: &str) -> usize { self.words.iter().filter(|x| **x == w).count() } pub fn push(&mut self, w: &'a str) -> &mut Self { self.words.push(w); self } pub fn longest(&self) -> Option<&'a str> { self.words.iter().copied().max_by_key(|w| w.len()) } }\npub fn tokens<'a>(s: &'a str) -> Vec<Token<'a>> { s.split(' ').map(|w| w.parse().map(Token::Num).unwrap_or(Token::Word(w))).chain(std::iter::once(Token::End)).collect() }\npub fn freq<'a>(s: &'a str) -> HashMap<&'a str, usize> { let mut m = HashMap::new(); for w in s.split(' ') { *m.entry(w).or_insert(0) += 1; } m }\npub fn show(t: &Token) -> String { match t { Token::Word(w) => w.to_string(), Token::Num(n) => n.to_string(), Token::End => \"end\".into() } }", ('filter(|x| **x == w)', 'filter(|x| **x != w)'),
        "let text = String::from(\"T\\nab c ab\"); let mut d = Doc::parse(&text).unwrap(); assert_eq!(d.title, \"T\"); assert_eq!(d.count(\"ab\"), 2); d.push(\"zzz\").push(\"y\"); assert_eq!(d.words.len(), 5); assert_eq!(d.longest(), Some(\"zzz\")); assert_eq!(d.first, Some(Token::Word(\"ab\"))); assert!(Doc::parse(\"\").is_err()); assert_eq!(tokens(\"a 1\"), vec![Token::Word(\"a\"), Token::Num(1), Token::End]); assert_eq!(freq(\"a b a\")[\"a\"], 2); assert_eq!(show(&Token::Num(4)), \"4\");"),
}  # fmt: skip
"""A candidate, what makes it wrong, and what the tests say."""


@pytest.mark.parametrize("is_wrong", [False, True])
def test_modules_and_borrowing_types_are_as_in_one_program(is_wrong):
    """Each in a program of its own test; the wrong ones fail both."""
    made = [made.replace(*change) if is_wrong else made for made, change, _ in FORMS.values()]
    cases = "\n".join(f"    #[test]\n    fn case_{n}() {{ {use} }}" for n, (_, _, use) in enumerate(FORMS.values()))
    done = outcome("rust", "\n".join(made), f"#[cfg(test)]\nmod tests {{\n    use super::*;\n{cases}\n}}\n")
    assert done.outcome == ("failed" if is_wrong else "passed"), done
    assert not is_wrong or "2 failed" in done.stdout


NESTED = """use std::fmt;
pub mod a {
    use super::b::Q;
    use std::fmt;
    // a { in a comment
    pub fn f(q: Q) -> i32 { super::b::g(q.0) + self::inner::h('}' as i32) }
    pub mod inner { pub fn h(x: i32) -> i32 { crate::b::g(x) } }
    #[cfg(test)]
    mod tests { fn f() {} }
}
mod b { pub struct Q(pub i32); pub fn g(x: i32) -> i32 { x } }
"""


def test_what_modules_hold_stands_at_the_top():
    made, tests = flattened(NESTED, "assert_eq!(a::f(b::Q(1)), 126);")
    assert "mod" not in made.split() and "::b" not in made and "b::" not in made and made.count("use std::fmt;") == 1
    assert "pub fn f(q: Q) -> i32 { g(q.0) + h('}' as i32) }" in made and "use super" not in made
    assert "pub mod a {" in tests and "pub mod inner {" in tests and "pub mod b {" in tests


@pytest.mark.parametrize(
    ("candidate", "tests"),
    [(NESTED, "assert_eq!(f(), 1);"), ("mod a { pub fn f() {} }\nmod b { pub fn f() {} }", "a::f(); b::f();")],
)
def test_modules_that_are_not_named_or_whose_names_collide_stay(candidate, tests):
    assert flattened(candidate, tests) == (candidate, tests)
