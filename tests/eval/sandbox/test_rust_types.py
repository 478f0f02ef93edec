"""Rust's structs, enums and methods between a candidate and its tests."""

from eval.sandbox.rust import signatures as rust_signatures
from eval.sandbox.rust.types import constants, own_types
from tests.eval.sandbox.test_stubs import outcome

CANDIDATE = """
use std::borrow::Cow;
use std::collections::BinaryHeap;
type Grid = Vec<Vec<u8>>;
#[derive(Debug, Clone, PartialEq)]
pub struct Point { pub x: i32, name: String }
#[derive(Debug, PartialEq, Clone, Copy, Eq, Hash)]
enum Color { Red, Blue = 5 }
#[derive(Debug, PartialEq)]
enum Failure { Negative, Big(i32, Color), At { line: usize } }
#[derive(PartialEq, Eq, Clone, Debug)]
pub struct ListNode { pub val: i32, pub next: Option<Box<ListNode>> }
#[derive(Debug, PartialEq, Clone)]
struct Metres(f64);
struct Stack { items: Vec<i32> }
impl Stack {
    pub fn new() -> Self { Stack { items: vec![] } }
    pub fn push(&mut self, x: i32) -> &mut Self { self.items.push(x); self }
    pub fn put(&mut self, x: i32) { self.items.push(x) }
    pub fn pop(&mut self) -> Option<i32> { self.items.pop() }
    fn size(&self) -> usize { self.items.len() }
}
fn point(x: i32) -> Point { Point { x, name: "p".to_string() } }
fn moved(mut p: Point, by: i32) -> Point { p.x += by; p }
fn color(red: bool) -> Color { if red { Color::Red } else { Color::Blue } }
fn checked(x: i32) -> Result<i32, Failure> {
    match x { x if x < 0 => Err(Failure::Negative), 0 => Err(Failure::At { line: 3 }), x if x > 9 => Err(Failure::Big(x, Color::Blue)), x => Ok(x) }
}
fn turned(head: Option<Box<ListNode>>) -> Option<Box<ListNode>> {
    let (mut p, mut h) = (None, head);
    while let Some(mut n) = h { h = n.next.take(); n.next = p; p = Some(n); }
    p
}
fn longer(m: &mut Metres) { m.0 *= 2.0 }
fn grid(g: Grid) -> Grid { g }
fn tight(s: &str) -> Cow<str> { if s.contains(' ') { Cow::Owned(s.replace(' ', "")) } else { Cow::Borrowed(s) } }
fn heap(x: Vec<i32>) -> BinaryHeap<i32> { x.into() }
fn parsed(s: &str) -> Result<i32, std::num::ParseIntError> { s.parse() }
fn total(r: std::ops::Range<i32>) -> i32 { r.sum() }
"""
TESTS = """
#[test]
fn all() {
    assert_eq!(moved(point(1), 2), Point { x: 3, name: "p".to_string() });
    assert!(color(true) == Color::Red && color(false) as i32 == 5);
    assert_eq!((checked(1), checked(-1), checked(0), checked(10)), (Ok(1), Err(Failure::Negative), Err(Failure::At { line: 3 }), Err(Failure::Big(10, Color::Blue))));
    let two = Some(Box::new(ListNode { val: 2, next: None }));
    let back = turned(Some(Box::new(ListNode { val: 1, next: two }))).unwrap();
    assert!(back.val == 2 && back.next.unwrap().val == 1);
    let mut m = Metres(1.5);
    longer(&mut m);
    assert_eq!(m, Metres(3.0));
    let mut s = Stack::new();
    s.put(1);
    s.put(2);
    assert!(s.size() == 2 && s.pop() == Some(2) && s.pop() == Some(1) && s.pop().is_none());
    assert_eq!(grid(vec![vec![1]]), [[1]]);
    assert!(tight("a b") == "ab" && heap(vec![1, 3]).peek() == Some(&3) && total(0..4) == 6);
    assert!(parsed("7") == Ok(7) && parsed("").unwrap_err().to_string().contains("empty") && parsed("x").is_err());
}
"""


def test_types_and_methods_of_rust_pass_as_in_one_program():
    done = outcome("rust", CANDIDATE, TESTS)
    assert done.passed, done


def test_types_of_rust_that_are_more_than_data_do_not_cross():
    source = (
        "struct A { f: fn() }\n#[derive(Debug, Evil)]\nstruct B { x: i32 }\nstruct C<T> { x: T }\nstruct D { a: A }\n"
        "#[derive(Debug)]\nstruct E { x: i32, y: Option<E> }\nenum Option { None }\nstruct i32 { x: u8 }\n"
    )
    found = own_types(source, {"i32", "Option", "u8"})
    assert list(found) == ["C", "E"]
    equal = "impl E {\n    fn eq(&self, o: &E) -> bool { true }\n    fn contains(&self, x: i32) -> bool { true }\n}\n"
    assert rust_signatures.methods(equal, "e.eq(&f); e.contains(3)", found) == []


def test_an_equality_of_the_candidates_own_is_none_here():
    own = (
        "#[derive(Debug)]\nstruct P { x: i32 }\nimpl PartialEq<i32> for P { fn eq(&self, _: &i32) -> bool { true } }\n"
    )
    done = outcome("rust", own + "fn f() -> P { P { x: 0 } }\n", "#[test]\nfn all() { assert!(f() == 5); }\n")
    assert done.outcome == "signature", done


def test_constants_are_literals_of_known_types():
    text = (
        'const A: u8 = 1;\npub static B: &str = "x";\nconst C: P = P { x: A };\nconst D: u8 = f();\nconst E: Q = Q;\n'
    )
    types = own_types("struct P { x: u8 }", {"u8"})
    found = constants(text, types, {"u8", "str", "static"})
    assert [each.split(":")[0] for each in found] == ["pub const A", "pub const B", "pub const C"]


def test_types_that_cannot_cross_do_no_harm_where_the_tests_need_none():
    """Traits with the names of ours: neither program compiles with them."""
    own = (
        "trait Get { fn get(&self) -> i32; }\ntrait Put { fn put(&mut self, x: i32); }\nstruct In(i32);\n"
        "impl Get for In { fn get(&self) -> i32 { self.0 } }\nimpl Put for In { fn put(&mut self, x: i32) { self.0 = x } }\n"
    )
    tests = "#[test]\nfn all() { assert_eq!(f(2), 3); }\n"
    done = outcome("rust", own + "fn f(x: i32) -> i32 { let mut i = In(0); i.put(x + 1); i.get() }\n", tests)
    assert done.passed, done
