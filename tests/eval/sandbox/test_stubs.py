"""Candidates in every spelling of a signature, and what they do to their arguments: as in one plain program."""

import pytest

from eval.sandbox.oracle import judge
from eval.sandbox.signatures import functions_of
from eval.sandbox.toolchains import missing_toolchains


def outcome(language, candidate, tests, **options):
    if missing := missing_toolchains([language]):
        pytest.skip(missing[language])
    return judge(candidate, tests, language=language, timeout=20.0, memory_mb=512, **options)


def java(*cases):
    """One program of many cases, each a block of its own: a virtual machine for each would take a minute."""
    members = "\n".join(members for members, _ in cases)
    candidate = f"import java.util.*;\nimport java.util.function.*;\nclass Solution {{\n{members}\n}}\n"
    blocks = "".join("{" + "".join(line if line.endswith(";") else f"if (!({line})) throw new AssertionError();" for line in lines) + "}\n" for _, lines in cases)  # fmt: skip
    head = "public class Main { public static void main(String[] a) { Solution s = new Solution();\n"
    return candidate, f"{head}{blocks}}} }}\n"


JAVA = {
    "a list of fixed size, changed in place": ("int top(List<Integer> x) { Collections.reverse(x); return x.get(0); }",
        ["List<Integer> x = Arrays.asList(4, 6, 8);", "s.top(x) == 8", "x.equals(Arrays.asList(8, 6, 4))"]),
    "rows of fixed size inside a list": ("void zero(List<List<Integer>> rows) { for (List<Integer> row : rows) row.set(0, 0); }",
        ["List<List<Integer>> x = Arrays.asList(Arrays.asList(1, 2), Arrays.asList(3));", "s.zero(x);", "x.toString().equals(\"[[0, 2], [0]]\")"]),
    "a row that is two rows": ("void twice(List<List<Integer>> rows) { rows.get(0).add(9); }",
        ["List<Integer> row = new ArrayList<>(); List<List<Integer>> x = new ArrayList<>(List.of(row, row));", "s.twice(x);", "row.size() == 1 && x.get(1) == row"]),
    "the argument itself comes back": ("List<String> same(List<String> x) { x.add(\"b\"); return x; }",
        ["List<String> x = new LinkedList<>(List.of(\"a\"));", "s.same(x) == x", "x.size() == 2"]),
    "one list as two arguments": ("int both(List<Integer> x, List<Integer> y) { x.add(1); return y.size(); }", ["List<Integer> x = new ArrayList<>();", "s.both(x, x) == 1"]),
    "changes before an exception": ("void half(int[][] x) { x[1][0] = 5; throw new IllegalStateException(\"no\"); }",
        ["int[][] x = {{1}, {2}}; boolean seen = false; try { s.half(x); } catch (IllegalStateException e) { seen = e.getMessage().equals(\"no\"); };", "seen && x[1][0] == 5"]),
    "an exception without a message": ("int none(int x) { throw new ArithmeticException(); }",
        ["boolean seen = false; try { s.none(1); } catch (ArithmeticException e) { seen = e.getMessage() == null; };", "seen"]),
    "no modifier, final parameter": ("int next(final int n) { return n + 1; }", ["s.next(1) == 2"]),
    "static, generic, bounded": ("protected static <T extends Comparable<T>> T most(List<? extends T> x) { return Collections.max(x); }", ["Solution.most(List.of(3, 7)) == 7"]),
    "an array of arguments, a checked exception": ("strictfp synchronized final long sum(long... x) throws Exception { return Arrays.stream(x).sum(); }",
        ["boolean ok = false; try { ok = s.sum(1, 2, 3) == 6 && s.sum() == 0; } catch (Exception e) { };", "ok"]),
    "two of one name": ("int size(String x) { return 1; }\nint size(List<?> x) { return 2; }", ["s.size(\"\") == 1 && s.size(List.of()) == 2"]),
    "a comment and an annotation inside": ("@SuppressWarnings(\"unchecked\") public /* result */ java.util.Map<Character, int[]>\n  of(String word // the word\n) { return Map.of(word.charAt(0), new int[] {7}); }", ["s.of(\"k\").get('k')[0] == 7"]),
    "kinds of containers": ("String kinds(Map<Integer, Integer> m, Deque<Integer> d, Set<Integer> t) { return m + \"\" + d.peekLast() + t; }",
        ["s.kinds(new TreeMap<>(Map.of(2, 1, 1, 2)), new ArrayDeque<>(List.of(3, 4)), new TreeSet<>(List.of(9, 8))).equals(\"{1=2, 2=1}4[8, 9]\")"]),
}  # fmt: skip


def test_java_passes_as_in_one_program():
    done = outcome("java", *java(*JAVA.values()))
    assert done.passed, done


def test_what_does_not_compile_is_a_syntax_error():
    assert outcome("java", *java(("int next(int n) { return m; }", ["s.next(1) == 2"]))).outcome == "syntax"


CPP = {
    "const by value, a default": ("bool below(const vector<int> x, int limit = 3) { return x[0] < limit; }", "assert(below({2})); assert(!below({2}, 1));"),
    "a declaration before, with the default": ("int more(int x, int y = 2);\nint more(int x, int y) { return x + y; }", "assert(more(1) == 3);"),
    "inline constexpr noexcept": ("[[nodiscard]] static inline constexpr int twice(int x) noexcept { return 2 * x; }", "assert(twice(4) == 8);"),
    "a type behind the parameters": ("auto words(const string& s) -> map<char, int> { map<char, int> m; for (char c : s) m[c]++; return m; }", "assert(words(\"aab\")['a'] == 2);"),
    "a type that is deduced": ("auto half(double x) { return x / 2; }", "assert(half(3) == 1.5);"),
    "names for types": ("typedef vector<int> ints;\nusing text = std::string;\n#define NUM long long\nNUM total(ints x, text s) { return x[0] + s.size(); }", "assert(total({1}, \"ab\") == 3);"),
    "a template, changed in place": ("template <typename T, class U = int>\nT most(vector<T>& x) { sort(x.begin(), x.end()); return x.back(); }", "vector<string> w = {\"b\", \"a\"}; vector<int> n = {3, 1}; assert(most(w) == \"b\" && w[0] == \"a\"); assert(most(n) == 3);"),
    "overloads": ("int size(const string& s) { return 1; }\nint size(const vector<int>& s) { return 2; }", "assert(size(string(\"a\")) == 1); assert(size(vector<int>{1}) == 2);"),
    "changes before an exception": ("int none(vector<int>& x) { x.clear(); throw 5; }", "vector<int> x = {1}; bool seen = false; try { none(x); } catch (...) { seen = true; } assert(seen && x.empty());"),
    "exceptions by their class and text": ("struct Bad : std::out_of_range { using std::out_of_range::out_of_range; };\nint checked(int x) { if (x < 0) throw std::invalid_argument(\"low\"); if (x > 9) throw Bad(\"high\"); if (x == 5) throw string(\"five\"); return x; }", "string got; for (int x : {-1, 10, 5, 1}) try { checked(x); got += 'k'; } catch (const std::invalid_argument& e) { got += e.what(); } catch (const std::out_of_range& e) { got += e.what(); } catch (const string& s) { got += s; } assert(got == \"lowhighfivek\");"),
    "a lambda": ("const auto plus_one = [](int x) { return x + 1; };", "assert(plus_one(1) == 2);"),
    "a macro": ("#define SQUARE(x) ((x) * (x))", "assert(SQUARE(3) == 9);"),
    "a name that C++17 took": ("int data = 5;\nint next_data(int x) { return data + x; }", "assert(next_data(1) == 6);"),
}  # fmt: skip


@pytest.mark.parametrize("name", CPP)
def test_cpp_passes_as_in_one_program(name):
    candidate, checks = CPP[name]
    head = "#include <vector>\n#include <map>\n#include <string>\n#include <algorithm>\nusing namespace std;\n"
    entry_point = "size" if name == "overloads" else None  # a name that std has too
    done = outcome("cpp", f"{head}{candidate}\n", f"#undef NDEBUG\n#include <assert.h>\nint main() {{ {checks} }}\n", entry_point=entry_point)  # fmt: skip
    assert done.passed, done


MORE_CPP = """#include <bits/stdc++.h>
using namespace std;
multiset<int> ms() { return {1, 1, 2}; }
multimap<string, int, greater<string>> mm() { return {{"a", 1}, {"b", 2}}; }
set<int, greater<int>> down(vector<int> v) { return set<int, greater<int>>(v.begin(), v.end()); }
stack<int> st(int n) { stack<int> s; for (int i = 0; i < n; i++) s.push(i); return s; }
queue<string> qu() { queue<string> q; q.push("a"); q.push("b"); return q; }
priority_queue<int, vector<int>, greater<int>> pq(priority_queue<int> x) { priority_queue<int, vector<int>, greater<int>> y; while (!x.empty()) { y.push(x.top()); x.pop(); } return y; }
bitset<8> bits(int n) { return bitset<8>(n); }
complex<double> twice(complex<double> z) { return z * 2.0; }
variant<int, string> either(bool b) { if (b) return 1; return string("a"); }
string_view tail(string_view s) { return s.substr(1); }
size_t length(const char *s) { return strlen(s); }
const char* named(int n) { return n ? "one" : nullptr; }
shared_ptr<int> shared(int x) { return make_shared<int>(x); }
unique_ptr<vector<int>> unique(int x) { return make_unique<vector<int>>(x, 7); }
wstring wide(wstring s) { return s + L"!"; }
vector<int> mapped(vector<int> v, function<int(int)> g) { for (auto& x : v) x = g(x); return v; }
void each(int n, const function<void(int)>& g) { for (int i = 0; i < n; i++) g(i); }
function<int(int)> adder(int n) { return [n](int x) mutable { n += x; return n; }; }
function<int(int)> composed(function<int(int)> f, function<int(int)> g) { return [=](int x) { return f(g(x)); }; }
int guarded(function<int(int)> f) { try { return f(1); } catch (...) { return -1; } }
int sorted(vector<string>& v, function<bool(const string&, const string&)> less) { sort(v.begin(), v.end(), less); return v.size(); }
uint8_t wrap(uint8_t x) { return x + 1; }
int moved(vector<int>&& v) { return v.size(); }
"""
USES_OF_MORE_CPP = """#undef NDEBUG
#include <assert.h>
int main() {
 assert(ms().count(1) == 2); assert(mm().begin()->first == "b"); assert(*down({1, 3}).begin() == 3);
 assert(st(3).top() == 2 && st(3).size() == 3); assert(qu().front() == "a");
 priority_queue<int> x; x.push(3); x.push(1); assert(pq(x).top() == 1);
 assert(bits(5).count() == 2); assert(twice({1, 2}) == complex<double>(2, 4)); assert(get<int>(either(true)) == 1 && get<1>(either(false)) == "a");
 assert(tail("abc") == "bc"); assert(length("abc") == 3); assert(string(named(1)) == "one" && !named(0));
 assert(*shared(3) == 3); assert(unique(2)->at(1) == 7); assert(wide(L"a") == L"a!");
 int k = 3; assert((mapped({1, 2}, [&](int x) { return x * k; }) == vector<int>{3, 6}));
 vector<int> seen; each(3, [&](int x) { seen.push_back(x); }); assert(seen.size() == 3);
 auto a = adder(1); assert(a(2) == 3 && a(2) == 5);
 assert(composed([](int x) { return x + 1; }, [](int x) { return x * 2; })(5) == 11);
 assert(guarded([](int) -> int { throw 5; }) == -1);
 vector<string> w = {"bb", "a"}; assert(sorted(w, [](const string& x, const string& y) { return x.size() < y.size(); }) == 2 && w[0] == "a");
 assert(wrap(255) == 0); assert(moved({1, 2}) == 2);
}
"""


def test_more_containers_and_functions_of_cpp_cross():
    done = outcome("cpp", MORE_CPP, USES_OF_MORE_CPP)
    assert done.passed, done


def test_a_forged_type_does_not_cross():
    """The compiler's errors are the candidate's text: only names of plain data are taken from them."""
    from eval.sandbox.cpp.probes import functions_in

    forged = "wavecoder_show<Equal(int), wavecoder_number<1>> shown"
    honest = "wavecoder_show<std::vector<int>(const std::vector<int>&, int), wavecoder_number<1ul> > shown"
    assert (
        functions_in(forged + '\n#warning ; system("x") wavecoder_show<int(int);, wavecoder_number<1>> shown', "f")
        == []
    )
    assert [f.parameters for f in functions_in(honest, "f")] == [(("a0", "const std::vector<int>&"),), (("a0", "const std::vector<int>&"), ("a1", "int"))]  # fmt: skip


RUST = {
    "a type parameter": ("fn most<T: Ord + Clone>(x: &[T]) -> Option<T> { x.iter().max().cloned() }", "assert_eq!(most(&[3, 7, 5]), Some(7)); assert_eq!(most(&[\"b\", \"a\"]), Some(\"b\")); assert_eq!(most::<i64>(&[]), None);"),
    "bounds behind": ("pub fn total<T>(x: &Vec<T>) -> T where T: Copy + std::iter::Sum<T>, Vec<T>: Clone { x.iter().copied().sum() }", "assert_eq!(total(&vec![1.5, 2.0]), 3.5); assert_eq!(total(&vec![1u8, 2]), 3);"),
    "two type parameters": ("fn swapped<A: Clone, B: Clone>(x: (A, B)) -> (B, A) { (x.1, x.0) }", "assert_eq!(swapped((1, \"a\")), (\"a\", 1)); assert_eq!(swapped(('c', 2.5)), (2.5, 'c'));"),
    "changed in place": ("fn turn<T>(x: &mut [T]) { x.reverse() }\nfn drop_first<T>(x: &mut Vec<T>) -> T { x.remove(0) }", "let mut x = vec![1, 2, 3]; turn(&mut x); assert_eq!(x, [3, 2, 1]); assert_eq!(drop_first(&mut x), 3); assert_eq!(x.len(), 2);"),
    "impl for a parameter": ("fn loud(x: impl AsRef<str>) -> String { x.as_ref().to_uppercase() }\nfn named(x: impl Into<String>) -> usize { let s: String = x.into(); s.len() }", "assert_eq!(loud(\"ab\"), \"AB\"); assert_eq!(loud(String::from(\"c\")), \"C\"); assert_eq!(named(\"abc\"), 3);"),
    "an iterator in": ("fn sum_of<I: IntoIterator<Item = i32>>(x: I) -> i32 { x.into_iter().sum() }\nfn longest<'a>(x: impl Iterator<Item = &'a str>) -> usize { x.map(|w| w.len()).max().unwrap_or(0) }", "assert_eq!(sum_of(vec![1, 2]), 3); assert_eq!(sum_of((1..4).map(|x| x * x)), 14); assert_eq!(longest(vec![\"a\", \"bcd\"].into_iter()), 3);"),
    "an iterator out": ("fn evens(n: u32) -> impl Iterator<Item = u32> { (0..n).filter(|x| x % 2 == 0) }\nfn boxed(n: i32) -> Box<dyn Iterator<Item = i32>> { Box::new(0..n) }", "assert_eq!(evens(5).collect::<Vec<_>>(), [0, 2, 4]); assert_eq!(boxed(3).sum::<i32>(), 3);"),
    "lifetimes": ("fn longer<'a, 'b: 'a>(x: &'a str, y: &'b str) -> &'a str { if x.len() > y.len() { x } else { y } }\nfn first<'a, T>(x: &'a [T]) -> Option<&'a T> { x.first() }", "assert_eq!(longer(\"ab\", \"c\"), \"ab\"); assert_eq!(first(&[4, 5]), Some(&4));"),
    "words before fn": ("pub(crate) fn a_one() -> i32 { 1 }\nconst fn a_two(x: i32) -> i32 { x * 2 }\npub unsafe fn a_three(x: &[i32; 3]) -> i32 { *x.get_unchecked(2) }\npub(in crate::candidate) extern \"C\" fn a_four(x: i32) -> i32 { x }", "assert_eq!(a_one() + a_two(2) + unsafe { a_three(&[1, 2, 3]) } + a_four(4), 12);"),
    "errors": ("fn parsed(x: &str) -> Result<i32, Box<dyn std::error::Error>> { Ok(x.parse::<i32>()?) }\nfn told(x: i32) -> Result<(), String> { if x > 0 { Ok(()) } else { Err(\"no\".into()) } }", "assert_eq!(parsed(\"5\").unwrap(), 5); assert!(parsed(\"x\").unwrap_err().to_string().contains(\"invalid digit\")); assert_eq!(told(0), Err(\"no\".to_string()));"),
    "containers": ("use std::collections::VecDeque;\nuse std::cmp::Ordering;\nfn queue(mut x: VecDeque<i32>) -> VecDeque<i32> { x.rotate_left(1); x }\nfn order(x: i32) -> Ordering { x.cmp(&0) }\nfn held(x: Box<i32>) -> Box<i32> { x }", "assert_eq!(queue(VecDeque::from([1, 2])), VecDeque::from([2, 1])); assert_eq!(order(-3), std::cmp::Ordering::Less); assert_eq!(*held(Box::new(3)), 3);"),
    "changes before a panic": ("fn cleared(x: &mut Vec<i32>) { x.clear(); panic!(\"no\") }", "let mut x = vec![1]; assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| cleared(&mut x))).is_err()); assert!(x.is_empty());"),
    "only in the result": ("fn made<T: Default + Clone>(n: usize) -> Vec<T> { vec![T::default(); n] }", "assert_eq!(made::<i32>(2), [0, 0]); let x: Vec<String> = made(1); assert_eq!(x, [\"\"]);"),
}  # fmt: skip


def test_rust_passes_as_in_one_program():
    """One program of all: each would be two compilations."""
    candidate = "\n".join(members for members, _ in RUST.values())
    blocks = "\n".join(f"    #[test]\n    fn case_{n}() {{ {checks} }}" for n, (_, checks) in enumerate(RUST.values()))
    done = outcome("rust", candidate, f"#[cfg(test)]\nmod tests {{\n    use super::*;\n{blocks}\n}}\n")
    assert done.passed, done


@pytest.mark.parametrize("function", ["async fn f(x: i32) -> i32 { x }", "fn f<const C: char>(x: i32) -> char { C }",
                                      "struct Own;\nfn f(x: Own) -> i32 { 1 }"])  # fmt: skip
def test_rust_functions_that_cannot_be_called_from_outside(function):
    assert functions_of(function, "rust") == []


JAVASCRIPT = {
    "a returned function": ("const f = n => x => x + n", "console.assert(f(2)(3) === 5 && f.length === 1)"),
    "a function of the tests": ("const f = (xs, g) => xs.map(x => g(x))", "console.assert(f([1, 2], x => x * 3)[1] === 6)"),
    "promises": ("const f = async x => { if (x < 0) throw new RangeError('neg'); return [x] }", "(async () => { console.assert((await f(3))[0] === 3); try { await f(-1); console.assert(false) } catch (e) { console.assert(e instanceof RangeError && e.message === 'neg') } })()"),
    "errors of a class": ("class E extends Error { constructor(m) { super(m); this.name = 'E'; this.code = 7 } }\nconst f = x => { throw x ? new TypeError('t') : new E('e') }", "for (const x of [0, 1]) try { f(x); console.assert(false) } catch (e) { console.assert(x ? e instanceof TypeError : e.name === 'E' && e.code === 7) }"),
    "one object": ("const f = (a, b) => { a.push(b); b.self = b; return a }", "const a = [], b = {}\nconsole.assert(f(a, b) === a && a[0] === b && b.self === b)"),
    "a generator": ("function* f(n) { for (let i = 0; i < n; i++) yield i }", "console.assert([...f(3)].join() === '0,1,2' && f(1).next().done === false)"),
    "values of every kind": ("const f = () => [new Map([[1, new Set(['a'])]]), new Date(5), /x/g, 3n, -0, , undefined, Uint8Array.of(7), Object.create(null)]", "const r = f()\nconsole.assert(r[0].get(1).has('a') && r[1].getTime() === 5 && r[2].test('x') && r[3] === 3n && Object.is(r[4], -0) && !(5 in r) && 6 in r && r[7][0] === 7 && Object.getPrototypeOf(r[8]) === null)"),
}  # fmt: skip


@pytest.mark.parametrize("name", JAVASCRIPT)
def test_javascript_passes_as_in_one_program(name):
    done = outcome("javascript", *JAVASCRIPT[name])
    assert done.passed, done


CLASSES = """
class Stack { #items = []; static of(...xs) { const s = new this(); xs.forEach(x => s.push(x)); return s } push(x) { this.#items.push(x); return this }
  pop() { return this.#items.pop() } get size() { return this.#items.length } has(x) { return this.#items.includes(x) } *[Symbol.iterator]() { yield* this.#items } }
class Point { constructor(x, y) { this.x = x; this.y = y } moved(by) { return new Point(this.x + by, this.y) } toString() { return `(${this.x}, ${this.y})` } }
class Named extends Point { constructor(x) { super(x, 0); this.name = 'n' } moved(by) { return super.moved(by * 2) } }
const KEY = Symbol('key'), limits = { most: 3, get twice() { return this.most * 2 }, within(n) { return n <= this.most } }
const point = (x, y) => new Point(x, y), named = x => new Named(x), key = () => KEY, tagged = () => ({ [KEY]: 1, [Symbol.for('b')]: 2 })
const weight = n => ({ n, valueOf() { return this.n } }), counted = () => counted.calls = (counted.calls || 0) + 1
const counter = () => { let n = 0; return { increment() { return ++n }, get count() { return n } } }
const frozen = () => Object.freeze({ a: 1 }), late = d => { d.setFullYear(2000) }, relink = node => { node.next = point(1, 2); return node }
async function* ticks() { yield 1; yield 2 }
"""
USES_OF_CLASSES = """
const assert = require('assert')
const s = new Stack()
assert(s.push(1).push(2) === s && s.size === 2 && s.has(2) && s.pop() === 2 && s.size === 1 && s instanceof Stack)
assert.deepStrictEqual([...Stack.of(1, 2)], [1, 2])
const p = point(1, 2)
assert(p instanceof Point && p.moved(3).x === 4 && `${p}` === '(1, 2)' && Object.keys(p).join() === 'x,y' && p.constructor.name === 'Point')
assert.deepStrictEqual(point(1, 2), new Point(1, 2))
assert.notDeepStrictEqual(point(1, 2), { x: 1, y: 2 })
p.x = 7
assert(p.moved(1).x === 8)
assert(named(1) instanceof Point && named(1).moved(2).x === 5 && named(1).name === 'n')
assert(key() === key() && key() !== Symbol('key') && tagged()[key()] === 1 && tagged()[Symbol.for('b')] === 2)
assert(limits.most === 3 && limits.twice === 6 && limits.within(2))
assert(weight(2) + weight(3) === 5 && weight(2) < weight(3))
counted()
assert(counted() === 2 && counted.calls === 2)
const c = counter()
c.increment()
assert(c.increment() === 2 && c.count === 2)
assert(Object.isFrozen(frozen()))
const d = new Date(2020, 0, 1), node = { next: null }
late(d)
assert(d.getFullYear() === 2000 && relink(node) === node && node.next.moved(1).x === 2)
;(async () => { const seen = []; for await (const x of ticks()) seen.push(x); assert(seen.join() === '1,2') })().catch(e => { console.error(e); process.exit(1) })
"""


def test_classes_symbols_and_methods_of_javascript_are_as_in_one_program():
    done = outcome("javascript", CLASSES, USES_OF_CLASSES)
    assert done.passed, done


YES = "every: () => true, includes: () => true, has: () => true, equals: () => true, length: 2, 0: 1, 1: 2"
SAYING_YES = {
    "items that are compared by a helper": (f"const f = () => ({{ {YES} }})", "console.assert(f().every((x, n) => x === [3, 4][n]))"),
    "items that are looked up": (f"const f = () => ({{ {YES} }})", "console.assert([3, 4].every(x => f().includes(x)))"),
    "an equality of its own": (f"const f = () => ({{ {YES} }})", "console.assert(f().equals([3, 4]))"),
    "by a class": ("class A { equals() { return true } has() { return true } }\nconst f = () => new A()", "const a = f(); console.assert(a.equals(5) && a.has(3))"),
    "by a function": ("const f = () => Object.assign(() => 0, { every: () => true })", "console.assert(f().every(x => x === 3))"),
    "another number at each look": ("const f = () => { let n = 0; return { valueOf: () => [-9, 9][n++ % 2] } }", "const r = f(); console.assert(r <= 5 && r >= 5)"),
    "another property at each look": ("const f = () => { let n = 0; return { get x() { return [-9, 9][n++ % 2] } } }", "const r = f(); console.assert(r.x <= 5 && r.x >= 5)"),
}  # fmt: skip


@pytest.mark.parametrize("name", SAYING_YES)
def test_a_returned_object_is_not_asked_what_it_is_worth(name):
    done = outcome("javascript", *SAYING_YES[name])
    assert not done.passed, done


def test_a_forged_answer_makes_no_object_with_methods():
    """What an honest candidate's wire would never send, written to its descriptor by hand."""
    forged = (
        "{kind:'value',value:{at:0},changed:[],nodes:[['object',[['every',{at:1}]]],['function',0,'every',1,null]]}"
    )
    code = f"const f = () => {{ const fs = require('fs'), b = Buffer.from(JSON.stringify({forged})), h = Buffer.alloc(4); h.writeUInt32LE(b.length, 0); fs.writeSync(4, Buffer.concat([h, b])); return 0 }}"
    done = outcome("javascript", code, "console.assert(f().every(x => x === 3))")
    assert not done.passed, done


@pytest.mark.parametrize("end", ["export { f };", "export default f;", "export {\n  f,\n};"])
def test_a_javascript_module_is_a_program_too(end):
    done = outcome(
        "javascript",
        f"import {{ format as form }} from 'util';\nconst f = x => form('%d', x)\n{end}\n",
        "console.assert(f(3) === '3')",
    )
    assert done.passed, done


GO = """type F = float64
func Named(x F) (out F) { return x }
func Two(a, b int) (sum int, err error) { return a + b, nil }
var Value = func(x []F) map[string]F { return nil }
func Plain(x int) (int, bool) { return x, true }
"""


GENERIC_GO = """
type Number interface { ~int | ~int64 | ~float64 }
func Sum[T Number](xs []T) T { var s T; for _, x := range xs { s += x }; return s }
func Most[T interface{ ~int | ~string }](a, b T) T { if a > b { return a }; return b }
func Keys[K comparable, V any](m map[K]V) int { return len(m) }
func First[T any](xs []T) (T, bool) { if len(xs) == 0 { var none T; return none, false }; return xs[0], true }
func Turn[S ~[]E, E any](s S) { for i, j := 0, len(s)-1; i < j; i, j = i+1, j-1 { s[i], s[j] = s[j], s[i] } }
func All(xs ...int) int { return len(xs) }
func Has[T comparable](xs []T, x T) bool { for _, y := range xs { if x == y { return true } }; return false }
"""
GENERIC_GO_TESTS = """
func TestAll(t *testing.T) {
    assert := assert.New(t)
    assert.Equal(6, Sum([]int{1, 2, 3}))
    assert.Equal(1.5, Sum([]float64{1, 0.5}))
    assert.Equal("b", Most("a", "b"))
    assert.Equal(2, Keys(map[string]int{"a": 1, "b": 2}))
    assert.Equal(3, All(1, 2, 3) + All())
    x, ok := First([]string{"x"})
    assert.True(ok && x == "x")
    s := []int{1, 2, 3}
    Turn(s)
    assert.Equal([]int{3, 2, 1}, s)
    assert.True(Has([]string{"q"}, "q") && !Has([]int{1}, 2))
}
"""


def test_generic_functions_of_go_pass_as_in_one_program():
    done = outcome("go", GENERIC_GO, GENERIC_GO_TESTS)
    assert done.passed, done
    assert functions_of("func All[T Shape](xs []T) []T { return xs }", "go") == []


def test_spellings_of_a_signature_in_go():
    found = {function.name: (function.returns, *function.parameters) for function in functions_of(GO, "go")}
    assert found == {
        "Named": ("float64", ("x", "float64")),
        "Two": ("(int, error)", ("a", "int"), ("b", "int")),
        "Value": ("map[string]float64", ("x", "[]float64")),
        "Plain": ("(int, bool)", ("x", "int")),
    }


def test_go_keeps_what_a_candidate_imports_and_uses():
    from eval.sandbox.stubs import go_file

    for imports in ('import "runtime"', 'import (\n\t"os"\n\t"runtime"\n)', 'import r "runtime"', ""):
        name = "r" if "import r " in imports else "runtime"
        text = go_file(f"{imports}\nfunc f() {{ {name}.GC() }}")
        assert ('"runtime"' in text) == bool(imports) and '"os"' not in text, text
