"""Functions and methods of seven languages run in the sandbox behind or inside what collect keeps of their file."""

import subprocess

import pytest

from codeocean.collect.functions import extract_documented
from codeocean.context.contexts import contexts_of
from codeocean.context.placed import placed
from codeocean.context.reasons import FEATURE, INCLUDED, INNER, PLACE, RELATIVE, STAR, UNDEFINED, UNKNOWN
from codeocean.verify.programs import in_context
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import require_toolchain

JAVASCRIPT = """'use strict';
const { sqrt } = Math, fs = require('fs');
const RATE = 3;
let unused = fs.readFileSync;

/** Scaled by the rate. */
export function scaled(n) { return twice(n) * RATE; }

function twice(n) { return n + other(n); }
const other = (n) => n;
class Ring {
  static #step = 2;
  size = 1;
  constructor() { this.items = []; }
  /** The step's multiple. */
  static around(n) { return Ring.#step * Ring.half(n); }
  static half(n) { return n / 2; }
  unused() { return unused; }
}
"""
TYPESCRIPT = """import { join } from 'path';
type Pair<T> = [T, T];
interface Unused { a: number }
enum Kind { A, B }
const swap = <T,>([a, b]: Pair<T>): Pair<T> => [b, a];

/** The second of two, swapped. */
export function second(a: number, b: number): number { return swap([a, b])[0]; }
"""
GO = """// Package a is one.
package a

import (
\t"fmt"
\t"strings"
\tu "unicode"
)

const (
\tlow = iota + 1
\thigh
)

type counter struct{ n int }

func (c *counter) add(k int) { c.n += k * high }
func (c *counter) unused() string { return fmt.Sprint(c.n) }

// Count counts the capitals of a text.
func Count(text string) int {
\tc := &counter{}
\tfor _, r := range strings.TrimSpace(text) {
\t\tif u.IsUpper(r) {
\t\t\tc.add(low)
\t\t}
\t}
\treturn c.n
}
"""
JAVA = """package a.b;

import java.util.*;
import java.util.function.Function;

public final class Totals {
    private static final int STEP = 2;
    private final List<Integer> unused = new ArrayList<>();
    private int calls;

    /** The scaled sum. */
    private static int total(List<Integer> values, int extra) {
        int sum = extra;
        for (int value : values) sum += scaled(value);
        return sum;
    }

    static int scaled(int value) { return value * STEP; }
    Function<String, String> never() { return null; }

    /** Its double. */
    public int twice(int n) { this.calls++; return Helper.add(n, n); }
}

class Helper { static int add(int a, int b) { return a + b; } static int unused() { return 0; } }
"""
CPP = """#include <vector>
#include <numeric>
#ifndef GUARD
#define GUARD
#define SCALE(x) ((x) * kStep)
namespace sums {
namespace detail { constexpr int kStep = 3; int unused() { return 1; }
inline int scaled(int v) { return SCALE(v); } }
using detail::kStep;

/** The scaled sum. */
int total(const std::vector<int>& values) {
    int sum = 0;
    for (int v : values) sum += detail::scaled(v);
    return sum;
}

class Meter {
public:
    explicit Meter(int start) : at_(start) {}
    /// One further.
    int next() { return ++at_; }
    int unused() const;
private:
    int at_;
};
}
#endif
"""
RUST = """//! A crate.
use std::collections::HashMap;
use std::fmt::{self, Write as _};

const STEP: i64 = 2;
static UNUSED: i64 = 3;

#[derive(Clone, Debug)]
struct Tally { counts: HashMap<i64, i64> }

impl Tally {
    fn new() -> Self { Tally { counts: HashMap::new() } }
    fn add(&mut self, n: i64) { *self.counts.entry(n).or_insert(0) += STEP; }
    fn unused(&self) -> i64 { 0 }
    /// The most of any.
    fn most(&self) -> i64 { self.counts.values().copied().max().unwrap_or(0) }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.most()) }
}

/// The count of the commonest.
pub fn commonest(values: &[i64]) -> i64 {
    let mut tally = Tally::new();
    for &v in values { tally.add(v); }
    tally.most()
}
"""
PYTHON = '''import math, os
STEP = 2

class Base:
    kind = "b"

class Meter(Base):
    """Measures."""
    width = STEP
    text = """
kept"""

    def __init__(self, at=0):
        self.at = at

    def __len__(self):
        return math.floor(self.at)

    @staticmethod
    def scaled(n):
        """Scaled."""
        return f"""
{Meter.width * n}""".strip() + Meter.text.strip()

    @property
    def next(self):
        """The next."""
        return self.at + self._step()

    @next.setter
    def next(self, value):
        self.at = value

    def _step(self):
        return self.width

    def unused(self):
        return os.sep
'''
FILES = {"javascript": JAVASCRIPT, "typescript": TYPESCRIPT, "go": GO, "java": JAVA, "cpp": CPP, "rust": RUST,
         "python": PYTHON}  # fmt: skip


def found(text, language):
    """Name → (function, context)."""
    context = contexts_of(text.encode(), language)
    return {one.name: (one, context(one)) for one in extract_documented(text.encode(), language)}


CALLS = [
    ("javascript", "scaled", [[2]], [12]),
    ("javascript", "Ring.around", [[3]], [3]),
    ("typescript", "second", [[1, 2]], [2]),
    ("go", "Count", [["aBC "]], [4]),
    ("java", "Totals.total", [[[1, 2], 1]], [7]),
    ("java", "Totals.twice", [[4]], [8]),
    ("cpp", "total", [[[1, 2]]], [9]),
    ("rust", "commonest", [[[1, 1, 2]]], [4]),
    ("python", "Meter.scaled", [[4]], ["8kept"]),
]


@pytest.mark.parametrize(("language", "name", "calls", "answers"), CALLS, ids=[f"{c[0]} {c[1]}" for c in CALLS])
def test_a_function_is_proved_with_what_it_needs(language, name, calls, answers):
    require_toolchain(language) if language != "python" else None
    function, context = found(FILES[language], language)[name]
    assert context.missing == ""
    assert "unused" not in context.text.lower()
    source = {"language": language, "name": name, "code": function.code, "context": context.text}
    tests = [{"arguments": given, "expected": value} for given, value in zip(calls, answers, strict=True)]
    program = in_context(source, function.code)
    given = {"language": language, "entry_point": name.rpartition(".")[2], "timeout": 20.0, "memory_mb": 2048}
    assert prove([program], tests, **given)["outcomes"] == ["P" * len(tests)], program
    alone = in_context(source | {"context": ""}, function.code)
    assert prove([alone], tests, **given)["outcomes"] != ["P" * len(tests)]


def test_methods_stand_in_their_class_with_what_they_need_of_it():
    meter, context = found(CPP, "cpp")["Meter.next"]
    assert "int at_;" in context.text and "unused" not in context.text
    compiled = subprocess.run(["g++", "-fsyntax-only", "-x", "c++", "-"], input=placed(context.text, meter.code, "cpp"),
                              text=True, capture_output=True, check=False)  # fmt: skip
    assert compiled.returncode == 0, compiled.stderr
    _, context = found(RUST, "rust")["Tally.most"]
    assert PLACE in context.text and "struct Tally" in context.text and "STEP" not in context.text
    function, context = found(PYTHON, "python")["Meter.next"]
    space = {}
    exec(placed(context.text, function.code, "python"), space)
    meter = space["Meter"](3.5)
    assert (meter.next, len(meter), "unused" in context.text, meter.kind) == (5.5, 3, False, "b")
    meter.next = 9
    assert meter.at == 9


@pytest.mark.parametrize(
    ("language", "text", "missing"),
    [
        ("javascript", "import { a } from './b';\n/** D. */\nfunction f() { return a; }", RELATIVE),
        ("javascript", "const a = require('../b');\n/** D. */\nfunction f() { return a(); }", RELATIVE),
        ("javascript", "/** D. */\nfunction f() { return document.title; }", f"{UNKNOWN}: document"),
        ("javascript", "(function () {\n/** D. */\nfunction f() { return 1; }\n})();", INNER),
        ("typescript", "/** D. */\nexport function f(a: Lost): number { return 1; }", f"{UNKNOWN}: Lost"),
        ("go", "package a\n\n// F is.\nfunc F() int { return other() }\n", f"{UNKNOWN}: other"),
        ("java", "import a.b.*;\nclass A {\n/** D. */\nint f() { return B.c(); }\n}", f"{STAR}: B"),
        ("java", "class A {\n/** D. */\nint f() { return g(); }\n}", f"{UNKNOWN}: g"),
        ("cpp", '#include "b.h"\n/** D. */\nint f() { return g(); }', f"{INCLUDED}: g"),
        ("c", "int g(int a);\n/** D. */\nint f(void) { return g(1); }", f"{UNDEFINED}: g"),
        ("rust", "use crate::g;\n/// D.\npub fn f() -> u8 { g() }", RELATIVE),
        ("rust", "/// D.\npub fn f() -> u8 { g!() }", f"{UNKNOWN}: g"),
    ],
)
def test_what_cannot_be_had_is_said(language, text, missing):
    ((_, context),) = found(text, language).values()
    assert (context.text, context.missing) == ("", missing)


@pytest.mark.parametrize(
    ("language", "text", "name", "kept"),
    [
        ("java", ("import java.util.List;\nclass A {\nprivate final int k;\nA(int k) { this.k = k; }\n/** D. */\n"
         "int f() { return k; }\n}"), "A.f", "A(int k)"),
        ("java", ("class A<T extends Comparable<T>> implements Runnable {\npublic void run() {}\n/** D. */\n"
         "int f() { return 1; }\n}"), "A.f", "void run()"),
        ("javascript", ("function A() {}\nA.prototype.g = function () { return 1; };\n"
         "/** D. */\nA.prototype.f = function () { return this.g(); };"), "A.prototype.f", "A.prototype.g"),
        ("cpp", ("class A { public: int f(); int g(); int h(); };\nint A::g() { return 1; }\nint A::h() { return 2; }\n"
         "/** D. */\nint A::f() { return g(); }"), "A.f", "int A::g() { return 1; }"),
        ("go", ("package a\n\ntype t int\n\nfunc (x t) String() string { return \"t\" }\n\n// F is.\n"
         "func F() t { return 1 }\n"), "F", "String()"),
        ("rust", "mod a { pub fn g() -> u8 { 1 } }\n/// D.\npub fn f() -> u8 { a::g() }", "f", "mod a {"),
    ],
)  # fmt: skip
def test_what_belongs_to_it_comes_along(language, text, name, kept):
    _, context = found(text, language)[name]
    assert context.missing == ""
    assert kept in context.text
    assert "h() { return 2" not in context.text


def complete(text, language, name):
    """A function in its context, which has all that it needs."""
    function, context = found(text, language)[name]
    assert context.missing == ""
    return placed(context.text, function.code, language)


RUST_SHAPES = """use std::fmt;
pub struct Line(f64);
/// A shape has the name of what it holds.
enum Shape { Line(Line), Dot }
use self::Shape::*;

mod sealed { pub trait Sealed {} impl Sealed for u8 {} }
trait Whole: sealed::Sealed { fn whole(&self) -> u8; }
impl Whole for u8 { fn whole(&self) -> u8 { *self } }

macro_rules! hexed { ($kind:ident) => { impl fmt::$kind for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result { write!(f, "{}", self.tenth()) } } } }
hexed!(LowerHex);

impl Line {
    fn tenth(&self) -> f64 { self.0 / 10.0 }
    /// As hexadecimal digits.
    fn hex(&self) -> String { format!("{:x}", self) }
    /// Grown by a step.
    fn grow(&self) -> Line { grow(self) }
}
fn grow(line: &Line) -> Line { Line(line.0 + 1.0) }

struct Places<'a> { at: usize, of: &'a [u8] }
impl<'a> Iterator for Places<'a> {
    type Item = usize;
    fn next(&mut self) -> Option<usize> { self.at += 1; if self.at > self.of.len() { None } else { Some(self.at) } }
    fn size_hint(&self) -> (usize, Option<usize>) { (self.of.len() - self.at, Some(self.of.len() - self.at)) }
}
impl<'a> ExactSizeIterator for Places<'a> {}

/// Whether it is a dot.
fn is_dot(shape: &Shape) -> bool { match shape { Dot => true, Shape::Line(_) => false } }
/// The byte as it is.
fn same(byte: u8) -> u8 { byte.whole() }
/// How many places there are.
fn places(of: &[u8]) -> usize { Places { at: 0, of }.len() }
"""


@pytest.mark.parametrize("name", ["is_dot", "same", "places", "Line.hex", "Line.grow"])
def test_rust_compiles_with_what_it_needs(name, tmp_path):
    require_toolchain("rust")
    file = tmp_path / "a.rs"
    file.write_text(complete(RUST_SHAPES, "rust", name))
    compiled = subprocess.run(["rustc", "--crate-type=lib", "--emit=metadata", "--cap-lints=allow", f"-o{tmp_path}/a", file],
                              text=True, capture_output=True, check=False)  # fmt: skip
    assert compiled.returncode == 0, compiled.stderr


@pytest.mark.parametrize(
    ("language", "text", "name", "missing"),
    [
        ("rust", "enum A { Lost(Lost) }\n/// D.\nfn f(a: A) {}", "f", f"{UNKNOWN}: Lost"),
        ("rust", "mod other;\n/// D.\nfn f() -> u8 { other::g() }", "f", RELATIVE),
        ("rust", "#[cfg(feature = \"big\")]\nuse std::slice;\n/// D.\nfn f() { slice::g() }", "f", f"{UNKNOWN}: slice"),
        ("rust", "struct A;\nimpl A {\n/// D.\nfn f(&self) -> u8 { f(self) }\n}", "A.f", f"{UNKNOWN}: f"),
        ("rust", ("struct A;\nimpl std::fmt::Display for A {\nfn fmt(&self) { crate::g() }\n}\n"
         "impl std::error::Error for A { fn description(&self) -> &str { \"\" } }\n/// D.\nfn f(a: A) {}"), "f", ""),
        ("rust", "#[cfg(feature = \"big\")]\n/// D.\nfn f() {}", "f", FEATURE),
        ("rust", "/// D.\nfn f(a: u8) -> u8 { match a { MOST => 1, b => b } }\n", "f", f"{UNKNOWN}: MOST"),
        ("cpp", ("#include <vector>\nclass A {\n#if X\ntemplate <class T>\n#else\ntemplate <typename T>\n#endif\n"
         "int g(int t) { return 1; }\n/** D. */\nint f() { return g(2); }\n};\n"), "A.f", ""),
        ("javascript", "class A {\n/** D. */\nf() { const f = 1; return f; }\n}", "A.f", ""),
        ("javascript", "/** D. */\nexports.f = function () { let f = 1; return f; }", "exports.f", ""),
        ("go", "package a\n\ntype t int\n\n// Sum is.\nfunc (x t) Sum() int { Sum := 1; return Sum }\n", "Sum", ""),
        ("go", "package a\n\ntype t int\n\n// first is.\nfunc (x t) first() int { return first(x) }\n", "first", f"{UNKNOWN}: first"),
        ("java", "class A {\n/** D. */\nstatic <T extends Lost<T>> T f(T a) { return a; }\n}", "A.f", f"{UNKNOWN}: Lost"),
        ("javascript", "class A {\n/** D. */\nf() { return f(); }\n}", "A.f", f"{UNKNOWN}: f"),
    ],
)  # fmt: skip
def test_a_name_is_not_given_by_what_only_looks_so(language, text, name, missing):
    _, context = found(text, language)[name]
    assert context.missing == missing
    assert "Error for" not in context.text


@pytest.mark.parametrize(
    ("language", "text", "name", "kept"),
    [
        ("java", "class A {\nprivate int at;\n/** D. */\nint at() { return at; }\n}", "A.at", "int at;"),
        ("java", "class A {\n/** D. */\nint f(int a) { return f(a, 1); }\nint f(int a, int b) { return a; }\n}", "A.f", "int b"),
        ("rust", "enum A { Sun, Moon }\nuse self::A::*;\n/// D.\nfn f(a: A) -> u8 { match a { Sun | Moon => 1 } }\n", "f", "A::*"),
        ("cpp", "int f(int a, int b) { return a + b; }\n/** D. */\nint f(int a) { return f(a, 1); }", "f", "int b"),
        ("go", ("package a\n\nimport \"hash\"\n\ntype t int\n\nfunc (x t) Write(p []byte) (int, error) { return 0, nil }\n"
         "func (x t) Sum(b []byte) []byte { return b }\nfunc (x t) Reset() {}\nfunc (x t) Size() int { return 1 }\n"
         "func (x t) BlockSize() int { return 1 }\n\n// F is.\nfunc F() hash.Hash { return t(1) }\n"), "F", "BlockSize() int"),
    ],
)  # fmt: skip
def test_what_has_the_same_name_and_what_an_interface_asks_for_come_along(language, text, name, kept):
    _, context = found(text, language)[name]
    assert (context.missing, kept in context.text) == ("", True)
