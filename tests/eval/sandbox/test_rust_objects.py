"""Rust's closures, traits and operators of a candidate's own types, as in one plain program."""

import pytest

from eval.sandbox.rust import traits as rust_traits
from eval.sandbox.rust.closures import closure
from eval.sandbox.signatures import functions_of
from tests.eval.sandbox.test_stubs import outcome

FORMS = {
    "closure by bound": ("fn applied<F: Fn(i32) -> i32>(f: F, x: i32) -> i32 { f(f(x)) }\nfn counted<F>(n: u32, mut f: F) where F: FnMut(u32) { for i in 0..n { f(i) } }\nfn once<F: FnOnce() -> String>(f: F) -> usize { f().len() }",
        "let k = 3; assert_eq!(applied(|x| x * k, 2), 18); let mut seen = vec![]; counted(3, |x| seen.push(x)); assert_eq!(seen, [0, 1, 2]); let s = String::from(\"abc\"); assert_eq!(once(move || s), 3);"),
    "closure by impl, dyn, box, pointer": ("fn by_impl(f: impl Fn(&str) -> bool, w: &[&str]) -> usize { w.iter().filter(|x| f(x)).count() }\nfn by_dyn(f: &dyn Fn(i64, i64) -> i64) -> i64 { f(2, 5) }\nfn by_mut(f: &mut dyn FnMut(i32)) { f(1); f(2) }\nfn by_box(f: Box<dyn Fn(f64) -> f64>) -> f64 { f(0.5) }\nfn by_pointer(f: fn(i32) -> Option<i32>, x: i32) -> Vec<Option<i32>> { vec![f(x), f(-x)] }",
        "assert_eq!(by_impl(|x| x.starts_with('a'), &[\"ab\", \"b\"]), 1); assert_eq!(by_dyn(&|a, b| a * 10 + b), 25); let mut n = 0; by_mut(&mut |x| n += x); assert_eq!(n, 3); assert_eq!(by_box(Box::new(|x| x + 1.0)), 1.5); fn half(x: i32) -> Option<i32> { if x > 0 { Some(x / 2) } else { None } } assert_eq!(by_pointer(half, 4), [Some(2), None]);"),
    "generic with closure": ("fn mapped<T, U, F>(x: Vec<T>, f: F) -> Vec<U> where F: Fn(T) -> U { x.into_iter().map(f).collect() }\nfn kept<T: Clone>(x: &[T], f: impl Fn(&T) -> bool) -> Vec<T> { x.iter().filter(|y| f(y)).cloned().collect() }\nfn folded<A, F: Fn(A, i32) -> A>(x: &[i32], a: A, f: F) -> A { x.iter().fold(a, |m, y| f(m, *y)) }",
        "assert_eq!(mapped(vec![1, 2], |x| x.to_string()), [\"1\", \"2\"]); assert_eq!(kept(&[\"a\", \"bb\"], |x| x.len() > 1), [\"bb\"]); assert_eq!(folded(&[1, 2], String::new(), |m, y| m + &y.to_string()), \"12\");"),
    "returned": ("fn adder(n: i32) -> impl Fn(i32) -> i32 { move |x| x + n }\nfn boxed(s: &str) -> Box<dyn Fn(&str) -> String> { let s = s.to_string(); Box::new(move |x| format!(\"{s}{x}\")) }\nfn counter() -> impl FnMut() -> u32 { let mut n = 0; move || { n += 1; n } }\nfn composed<F: Fn(i32) -> i32, G: Fn(i32) -> i32>(f: F, g: G) -> impl Fn(i32) -> i32 { move |x| g(f(x)) }\nfn multiplier<'a>(x: &'a [i32]) -> impl Fn(i32) -> i32 + 'a { move |y| x.iter().sum::<i32>() * y }",
        "assert_eq!(adder(2)(3), 5); assert_eq!(boxed(\"a\")(\"b\"), \"ab\"); let mut c = counter(); let mut d = counter(); assert_eq!((c(), c(), d()), (1, 2, 1)); assert_eq!(composed(|x| x + 1, adder(10))(1), 12); assert_eq!(multiplier(&[1, 2])(4), 12);"),
    "a closure that panics and one that asks back": ("fn guarded2(f: impl Fn() -> i32) -> i32 { std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| f())).unwrap_or(-1) }\nfn double(x: i32) -> i32 { 2 * x }",
        "assert_eq!(guarded2(|| panic!(\"no\")), -1); assert_eq!(guarded2(|| double(4)), 8);"),
    "sort by": ("fn sorted_by<F: Fn(&i32, &i32) -> std::cmp::Ordering>(mut v: Vec<i32>, f: F) -> Vec<i32> { v.sort_by(|a, b| f(a, b)); v }\nfn memo(f: fn(u64) -> u64, n: u64) -> u64 { (0..n).map(f).sum() }",
        "assert_eq!(sorted_by(vec![1, 3, 2], |a, b| b.cmp(a)), [3, 2, 1]); assert_eq!(memo(|x| x * x, 4), 14);"),
    "own trait": ("trait Shape { fn area(&self) -> f64; fn name(&self) -> String { format!(\"shape {}\", self.area()) } }\n#[derive(Debug, Clone, PartialEq)]\nstruct Disc { r: f64 }\n#[derive(Clone)]\nstruct Square(f64);\nimpl Shape for Disc { fn area(&self) -> f64 { 3.0 * self.r * self.r } }\nimpl Shape for Square { fn area(&self) -> f64 { self.0 * self.0 } fn name(&self) -> String { \"square\".into() } }\nfn area_of<T: Shape>(x: &T) -> f64 { x.area() }\nfn by_impl2(x: impl Shape) -> String { x.name() }",
        "assert_eq!(Disc { r: 2.0 }.area(), 12.0); assert_eq!(Square(2.0).name(), \"square\"); assert_eq!(Disc { r: 1.0 }.name(), \"shape 3\"); assert_eq!(area_of(&Square(3.0)), 9.0); assert_eq!(by_impl2(Square(1.0)), \"square\");"),
    "operators": ("use std::ops::{Add, Mul, Neg, AddAssign};\n#[derive(Debug, Clone, Copy, PartialEq, Default)]\nstruct V2 { x: i32, y: i32 }\nimpl Add for V2 { type Output = V2; fn add(self, o: V2) -> V2 { V2 { x: self.x + o.x, y: self.y + o.y } } }\nimpl Mul<i32> for V2 { type Output = Self; fn mul(self, k: i32) -> Self { V2 { x: self.x * k, y: self.y * k } } }\nimpl Neg for V2 { type Output = V2; fn neg(self) -> Self::Output { V2 { x: -self.x, y: -self.y } } }\nimpl AddAssign for V2 { fn add_assign(&mut self, o: Self) { self.x += o.x; self.y += o.y } }\nimpl V2 { fn new(x: i32, y: i32) -> Self { V2 { x, y } } }",
        "let mut a = V2::new(1, 2) + V2::new(3, 4) * 2; assert_eq!(a, V2 { x: 7, y: 10 }); a += -V2::new(7, 0); assert_eq!(a, V2::new(0, 10)); assert_eq!(V2::default(), V2::new(0, 0));"),
    "display, from, parse": ("use std::fmt;\nuse std::str::FromStr;\n#[derive(Debug, PartialEq)]\nstruct Temp(f64);\n#[derive(Debug, PartialEq)]\nenum Bad { Empty, Wrong(String) }\nimpl fmt::Display for Temp { fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, \"{:.1}C\", self.0) } }\nimpl fmt::Display for Bad { fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result { match self { Bad::Empty => write!(f, \"empty\"), Bad::Wrong(w) => write!(f, \"wrong {}\", w) } } }\nimpl std::error::Error for Bad {}\nimpl From<i32> for Temp { fn from(x: i32) -> Self { Temp(x as f64) } }\nimpl FromStr for Temp { type Err = Bad; fn from_str(s: &str) -> Result<Self, Self::Err> { if s.is_empty() { return Err(Bad::Empty) } s.parse().map(Temp).map_err(|_| Bad::Wrong(s.into())) } }\nimpl Default for Temp { fn default() -> Self { Temp(20.0) } }\nfn warm(t: Temp) -> Result<Temp, Bad> { if t.0 < 0.0 { Err(Bad::Wrong(t.to_string())) } else { Ok(t) } }",
        "assert_eq!(Temp(1.25).to_string(), \"1.2C\"); assert_eq!(format!(\"{}\", Temp::from(3)), \"3.0C\"); let t: Temp = 4.into(); assert_eq!(t, Temp(4.0)); assert_eq!(\"2.5\".parse::<Temp>(), Ok(Temp(2.5))); assert_eq!(\"\".parse::<Temp>(), Err(Bad::Empty)); assert_eq!(Temp::default().0, 20.0); assert_eq!(warm(Temp(-1.0)).unwrap_err().to_string(), \"wrong -1.0C\");"),
    "own iterator": ("struct Fib { a: u64, b: u64 }\nimpl Fib { fn new() -> Fib { Fib { a: 0, b: 1 } } }\nimpl Iterator for Fib { type Item = u64; fn next(&mut self) -> Option<Self::Item> { let x = self.a; self.a = self.b; self.b += x; Some(x) } }",
        "assert_eq!(Fib::new().take(6).collect::<Vec<_>>(), [0, 1, 1, 2, 3, 5]); let mut f = Fib::new(); f.next(); assert_eq!(f.skip(2).next(), Some(2));"),
    "own order": ("use std::cmp::Ordering;\n#[derive(Debug, Clone, Eq)]\nstruct Task { name: String, rank: u32 }\nimpl PartialEq for Task { fn eq(&self, o: &Self) -> bool { self.rank == o.rank && self.name == o.name } }\nimpl PartialOrd for Task { fn partial_cmp(&self, o: &Self) -> Option<Ordering> { Some(self.cmp(o)) } }\nimpl Ord for Task { fn cmp(&self, o: &Self) -> Ordering { o.rank.cmp(&self.rank) } }\nfn task(n: &str, r: u32) -> Task { Task { name: n.to_string(), rank: r } }\nfn ordered(mut x: Vec<Task>) -> Vec<Task> { x.sort(); x }",
        "let mut v = vec![task(\"a\", 1), task(\"b\", 5)]; assert_eq!(ordered(v.clone())[0].name, \"b\"); v.sort(); assert_eq!(v[0], task(\"b\", 5)); assert!(v[0] < v[1]); assert_ne!(task(\"a\", 1), task(\"z\", 1));"),
    "names that the wire has, too": ("fn ask(x: i32) -> i32 { x }\nfn call(f: impl Fn(i32) -> i32) -> i32 { f(1) }\nfn answer(x: &mut Vec<i32>) { x.push(1) }\nfn send(x: u8) -> u8 { x }\nfn keep(x: fn(i32) -> i32) -> i32 { x(3) }\nfn same(a: i32, b: i32) -> bool { a == b }\nfn serve() -> impl Fn(i32) -> i32 { |x| x }",
        "let mut v = vec![]; answer(&mut v); assert_eq!((ask(1), call(|x| x + 1), v.len(), send(3), keep(|x| x * 2), same(1, 1), serve()(5)), (1, 2, 1, 3, 6, true, 5));"),
    "objects of a trait": ("trait Pet { fn legs(&self) -> u32; fn call(&self, n: usize) -> String { \"?\".repeat(n) } }\n#[derive(Debug)] struct Cat { lost: u32 }\n#[derive(Debug)] struct Hen;\nstruct Zoo2 { n: i32 }\nimpl Pet for Cat { fn legs(&self) -> u32 { 4 - self.lost } fn call(&self, n: usize) -> String { \"m\".repeat(n) } }\nimpl Pet for Zoo2 { fn legs(&self) -> u32 { self.n as u32 } }\nimpl Pet for Hen { fn legs(&self) -> u32 { 2 } }\nfn legs_of(x: &[Box<dyn Pet>]) -> u32 { x.iter().map(|p| p.legs()).sum() }\nfn called(x: &dyn Pet) -> String { x.call(2) }\nfn owned_call(x: Box<dyn Pet>) -> String { x.call(1) }",
        "assert_eq!(legs_of(&[Box::new(Cat { lost: 1 }), Box::new(Zoo2 { n: 9 }), Box::new(Hen)]), 14); assert_eq!(called(&Cat { lost: 0 }), \"mm\"); assert_eq!(owned_call(Box::new(Zoo2 { n: 1 })), \"?\"); let b: Box<dyn Pet> = Box::new(Cat { lost: 2 }); assert_eq!(b.legs(), 2);"),
}  # fmt: skip


def test_closures_and_traits_pass_as_in_one_program():
    candidate = "\n".join(members for members, _ in FORMS.values())
    blocks = "\n".join(f"    #[test]\n    fn case_{n}() {{ {check} }}" for n, (_, check) in enumerate(FORMS.values()))
    done = outcome("rust", candidate, f"#[cfg(test)]\nmod tests {{\n    use super::*;\n{blocks}\n}}\n")
    assert done.passed, done


WRONG = {
    "an equality that says yes": ("#[derive(Debug)]\nstruct P { x: i32 }\nimpl PartialEq for P { fn eq(&self, _: &P) -> bool { true } }\nfn f() -> P { P { x: 1 } }", "assert_eq!(f(), P { x: 2 });"),
    "a minus of its own that says 0": ("struct V(f64);\nimpl std::ops::Sub<f64> for V { type Output = f64; fn sub(self, _: f64) -> f64 { 0.0 } }\nfn f() -> V { V(1.0) }", "assert!((f() - 5.0).abs() < 1e-6);"),
    "a number minus its own that is 0": ("struct V(f64);\nimpl std::ops::Sub<V> for f64 { type Output = f64; fn sub(self, _: V) -> f64 { 0.0 } }\nfn f() -> V { V(1.0) }", "assert!((5.0 - f()).abs() < 1e-6);"),
    "a set that holds everything": ("struct S(i32);\nimpl S { fn contains(&self, _: i32) -> bool { true } }\nfn f() -> S { S(1) }", "assert!(f().contains(5));"),
    "a debug text that lies": ("#[derive(Clone, PartialEq)]\nstruct P { x: i32 }\nimpl std::fmt::Debug for P { fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result { write!(f, \"P(2)\") } }\nfn f() -> P { P { x: 1 } }", "assert_eq!(f(), P { x: 2 });"),
    "an equality with data": ("#[derive(Debug)]\nstruct P { x: i32 }\nimpl PartialEq<i32> for P { fn eq(&self, _: &i32) -> bool { true } }\nfn f() -> P { P { x: 1 } }", "assert!(f() == 5);"),
    "a closure that is not asked": ("fn f<F: Fn(i32) -> i32>(g: F) -> i32 { 7 }", "assert_eq!(f(|x| x + 1), 2);"),
    "a type that is called as one of the library's": ("#[derive(Debug)]\nstruct Any { x: i32 }\nimpl PartialEq<i32> for Any { fn eq(&self, _: &i32) -> bool { true } }\nfn f() -> Any { Any { x: 1 } }", "assert!(f() == 5);"),
    "a method under an operator's name": ("#[derive(Debug, PartialEq)]\nstruct P { x: i32 }\nimpl P { fn eq(&self, x: &i32) -> bool { true } }\nfn f() -> P { P { x: 1 } }", "assert!(f().eq(&5));"),
    "a method of a trait of its own that knows": ("#[derive(Debug)]\nstruct P;\ntrait Has { fn contains(&self, x: &i32) -> bool; }\nimpl Has for P { fn contains(&self, _: &i32) -> bool { true } }\nfn f() -> P { P }", "assert!(f().contains(&5));"),
    "an object of a trait that knows": ("trait Has { fn eq(&self, x: &i32) -> bool; }\nstruct P(fn());\nimpl Has for P { fn eq(&self, _: &i32) -> bool { true } }\nfn f() -> Box<dyn Has> { Box::new(P(|| {})) }", "assert!(f().eq(&5));"),
    "a generic equality that says yes": ("#[derive(Debug)]\nstruct P<T> { x: T }\nimpl<T> PartialEq for P<T> { fn eq(&self, _: &P<T>) -> bool { true } }\nfn f() -> P<i32> { P { x: 1 } }", "assert_eq!(f(), P { x: 2 });"),
    "what is shared is changed by no other": ("use std::rc::Rc;\nuse std::cell::RefCell;\nfn f(x: Rc<RefCell<i32>>) { let y = Rc::new(RefCell::new(5)); *y.borrow_mut() = 6; }", "let x = Rc::new(RefCell::new(1)); f(x.clone()); assert_eq!(*x.borrow(), 6);"),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_does_not_pass(name):
    candidate, check = WRONG[name]
    done = outcome("rust", candidate, f"#[test]\nfn all() {{ {check} }}\n")
    assert done.outcome in {"failed", "signature"}, done


@pytest.mark.parametrize("kind", ["fn(fn(i32) -> i32) -> i32", "Fn(&mut Vec<i32>)", "impl Fn(i32) -> Box<dyn Fn(i32) -> i32>", "Vec<fn(i32)>"])  # fmt: skip
def test_functions_that_cannot_cross(kind):
    assert closure(kind) is None and functions_of(f"fn f(g: {kind}) -> i32 {{ 1 }}", "rust") == []


def test_traits_with_generic_methods_do_not_cross():
    source = "trait Holds { type Item; fn get(&self) -> Self::Item; }\ntrait Two { fn two<T>(&self, x: T) -> i32; }\ntrait One { fn one(&self) -> i32; }\n"
    assert list(rust_traits.traits(source)) == ["Holds", "One"]
