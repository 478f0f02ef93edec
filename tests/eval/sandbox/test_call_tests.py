"""Tests that are data, run in languages other than Python."""

import pytest

from eval.sandbox.call_tests import program_of
from eval.sandbox.calls.missing import what_is_missing
from eval.sandbox.literals import Unwritable, literal
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import missing_toolchains

TESTS = [
    {"arguments": [[3, 1, 2], 2], "expected": [1, 2]},
    {"arguments": [[], 2], "expected": []},
    {"arguments": [[5], 0], "expected": []},
    {"arguments": [[9, 8], 5], "expected": [8, 9]},
]
LEAST = {  # the least n items, in order: right, wrong order, and one that does not return
    "javascript": ("function least(items, n) { return [...items].sort((a, b) => a - b).slice(0, n) }", "sort((a, b) => a - b)", "sort((a, b) => b - a)"),
    "typescript": ("export const least = <T extends number>(items: readonly T[], n?: number): T[] => ([...items] as T[]).sort((a: T, b: T) => a - b).slice(0, n!)", "a - b", "b - a"),
    "go": ("func least(items []int, n int) []int {\n\ts := append([]int{}, items...)\n\tsort.Ints(s)\n\tif n > len(s) {\n\t\tn = len(s)\n\t}\n\treturn s[:n]\n}", "sort.Ints(s)", "_ = sort.Ints"),
    "cpp": ("vector<int> least(const std::vector<int>& items, int n) {\n vector<int> s = items; sort(s.begin(), s.end()); s.resize(std::min<size_t>(n, s.size())); return s; }", "sort(s.begin(), s.end());", ""),
    "java": ("public static List<Integer> least(List<Integer> items, int n) {\n List<Integer> s = new ArrayList<>(items); Collections.sort(s); return new ArrayList<>(s.subList(0, Math.min(n, s.size()))); }", "Collections.sort(s);", ""),
    "rust": ("pub fn least(items: &[i32], n: usize) -> Vec<i32> { let mut s = items.to_vec(); s.sort(); s.truncate(n); s }", "s.sort();", ""),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", LEAST)
def test_solutions_are_told_apart_and_mutants_killed(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    right, old, new = LEAST[language]
    wrong = right.replace(old, new)
    found = prove([wrong, right], TESTS, language=language, entry_point="least", mutants=[[], [wrong]], timeout=20, memory_mb=1024)  # fmt: skip
    assert found["outcomes"] == ["FPPF", "PPPP"], found
    assert (found["chosen"], found["kills"]) == ([1], [1])


@pytest.mark.parametrize(
    ("body", "letters"),
    [("process.exit(0)", "DDNN"), ("throw new Error('x')", "EEEE"), ("console.log('0 P'); return 1", "FFFF"),
     ("return { valueOf: () => 1, length: 2, every: () => true }", "FFFF")],
)  # fmt: skip
def test_no_javascript_passes_by_other_means(body, letters):
    if missing_toolchains(["javascript"]):
        pytest.skip("no javascript here")
    code = f"function least(items, n) {{ {body} }}"
    found = prove([code], TESTS, language="javascript", entry_point="least", timeout=5, memory_mb=512)
    assert (found["outcomes"], found["chosen"]) == ([letters], [])


def test_a_language_without_a_runtime_says_so():
    assert (
        prove(["f"], TESTS, language="cobol", entry_point="f", timeout=1, memory_mb=64)["ended"] == "cobol is not run"
    )


@pytest.mark.parametrize(
    ("value", "kind", "language", "text"),
    [([1, 2], "const std::vector<int>&", "cpp", "vector<int>{1, 2}"), ([[1], [2]], "[2][]int", "go", "[2][]int{[]int{int(1)}, []int{int(2)}}"), ({"a": [1.5]}, "map[string][]float64", "go",
     'map[string][]float64{"a": []float64{float64(1.5)}}'), ("x", "&str", "rust", '"x"'), (None, "Option<i32>", "rust",
     "None::<i32>"), ({"1": True}, "Map<Integer, Boolean>", "java",
     "new LinkedHashMap<Integer, Boolean>(Main.<Integer, Boolean>map(1, true))"),
     ([["a"]], "String[][]", "java", 'new String[][]{new String[]{"a"}}'), ("'", "char", "cpp", "char(39)"),
     ([1, "a"], "(i32, &str)", "rust", '((1i32), "a", )'), (2.0, "int", "go", "int(2)"),
     ([-1, None], "List<Object>", "java", "new ArrayList<Object>(Arrays.<Object>asList((Object) (-1), (Object) null))"),
     ({"1": [0.5]}, "map[interface{}]interface{}", "go", 'map[interface{}]interface{}{"1": []interface{}{float64(0.5)}}'),
     (None, "Optional<String>", "java", "Optional.<String>empty()"), (3, "Result<u8, String>", "rust", "Ok::<u8, String>((3u8))"),
     ("é?\n", "string", "cpp", 'string("\\303\\251\\?\\012", 4)'), ("é\n", "String", "java", '"\\u00e9\\012"'),
     ("é", "&str", "rust", '"\\u{e9}"'), ([1, "a"], "std::pair<int, string>", "cpp", 'pair<int, string>{1, string("a", 1)}')],
)  # fmt: skip
def test_values_are_written_by_their_types(value, kind, language, text):
    assert literal(value, kind, language) == text


@pytest.mark.parametrize(
    ("value", "kind", "language"),
    [("1", "int", "cpp"), (True, "int", "go"), (1.5, "long", "java"), ([1], "string", "go"), (1, "Widget", "java"),
     (2**70, "i64", "rust"), ("ab", "char", "cpp"), ({"x": 1}, "map[int]int", "go"), (2**31, "int", "java"),
     (-1, "usize", "rust"), (300, "byte", "go"), ([1], "pair<int, int>", "cpp"), ([1, 2, 3], "(i32, i32)", "rust"),
     ("é", "char", "cpp"), (1.5, "Optional<Integer>", "java"), (10**400, "double", "cpp")],
)  # fmt: skip
def test_a_value_of_another_type_is_no_literal(value, kind, language):
    with pytest.raises(Unwritable):
        literal(value, kind, language)


INFINITE = {
    "javascript": "function f(x) { return 1 / x }",
    "go": "func f(x float64) float64 { return 1 / x }",
    "cpp": "double f(double x) { return 1 / x; }",
    "java": "static double f(double x) { return 1 / x; }",
    "rust": "fn f(x: f64) -> f64 { 1.0 / x }",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", INFINITE)
def test_what_is_infinite_or_off_by_one_is_near_no_number(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    tests = [{"arguments": [3.0], "expected": 0.3333333333}, {"arguments": [0.0], "expected": 4.0},
             {"arguments": [1e-7], "expected": 10000001.0}, {"arguments": [2.0**-32], "expected": 2**32 + 1}]  # fmt: skip
    found = prove([INFINITE[language]], tests, language=language, entry_point="f", timeout=20, memory_mb=1024)
    assert found["outcomes"] == ["PFFF"]


def test_javascript_has_the_same_numbers_and_names_as_json():
    if missing_toolchains(["javascript"]):
        pytest.skip("no javascript here")
    tests = [{"arguments": [0], "expected": {"__proto__": {}}}, {"arguments": [1], "expected": 10**400}]
    code = "function f(x) { return x ? 1 / 0 : {} }"
    found = prove([code], tests, language="javascript", entry_point="f", timeout=5, memory_mb=512)
    assert found["outcomes"] == ["FX"]


SCRIPTS = [
    ("function f(xs: bigint[]): bigint { return xs.reduce((a, b) => a + b, 0n) }", [[2**53 + 1, 2]], 2**53 + 3, 2**53 + 4),
    ("function f(m: ReadonlyMap<number, string[]>): number { return [...m.keys()][0] + m.get(2)!.length }", [{"2": ["a"]}], 3, 4),
    ("type Ids = Set<string>;\ninterface Group { ids: Ids; size?: bigint }\nconst f = (g: Group): bigint => BigInt(g.ids.size) + (g.size ?? 0n)", [{"ids": ["a", "a"], "size": 2}], 3, 4),
    ("function f(a: string, b: string = 'x', c?: number): string { return a + b + c }", ["a", None, None], "axundefined", "a"),
    ("function f(a: string | undefined): boolean { return a === undefined }", [None], True, False),
    ("function f(xs: number[]): void { xs.sort((a, b) => a - b) }", [[10, 9]], [9, 10], [10, 9]),
    ("function* f(n: number): Generator<number> { while (true) yield n++ }", [1], [], [1]),
    ("function* f(n: number): Generator<number> { yield n; yield n }", [1], [1, 1], [1]),
    ("async function f(d: Date): Promise<number> { return d.getTime() }", ["1970-01-01T00:00:01Z"], 1000, 1001),
    ("function f(n: number): Uint8Array { return new Uint8Array(n) }", [2], [0, 0], [0]),
    ("function f(a: number, b: number): number { return a + b }", [1, 3_000_000_000], 3_000_000_001, 3_000_000_002),
    (("enum Size { Small = 1, Large, Huge = Large * 4, Name = 'n' }\nexport enum Way { Up, /* not */ Down }\n"
     "function f(a: Size, b: Way): string { return Size[a] + Way[b] + Size.Huge + Size.Name }"), [2, 1], "LargeDown8n", "SmallUp8n"),
    (("class Base { constructor(readonly kind: string) {} }\nclass Box extends Base {\n"
     "  constructor(private readonly size: number, public name = 'box') { super('b'); this.name += 's' }\n"
     "  told(): string { return this.kind + this.size + this.name }\n}\nconst f = (n: number): string => new Box(n).told()"), [3], "b3boxs", "b3box"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "given", "right", "wrong"), SCRIPTS)
def test_values_that_json_has_not_are_given_and_compared_in_typescript(code, given, right, wrong):
    if missing_toolchains(["typescript"]):
        pytest.skip("no typescript here")
    tests = [{"arguments": given, "expected": right}, {"arguments": given, "expected": wrong}]
    found = prove([code], tests, language="typescript", entry_point="f", timeout=10, memory_mb=512)
    endless = "while (true)" in code  # which is no list
    assert found["outcomes"] == ["FF" if endless else "PF"], found


CHANGED = {  # functions that return nothing, of any type or of one of their own
    "go": "type Item struct{ Name string; n int }\n\nfunc order(items []Item) {\n\tsort.SliceStable(items, func(i, j int) bool { return items[i].n < items[j].n })\n}",
    "cpp": "template <typename T>\nvoid order(std::vector<T>& items) { std::sort(items.begin(), items.end()); }",
    "java": "static <T extends Comparable<T>> void order(List<T> items) { Collections.sort(items); }",
    "rust": "fn order<T: Ord>(items: &mut Vec<T>) { items.sort(); }",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", CHANGED)
def test_what_a_function_changes_is_compared_where_it_returns_nothing(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")

    def items(numbers):
        return [{"name": f"{n}", "n": n} for n in numbers] if language == "go" else numbers

    tests = [{"arguments": [items([3, 1, 2])], "expected": items([1, 2, 3])},
             {"arguments": [items([2, 1])], "expected": items([2, 1])},
             {"arguments": [["b", "a"]], "expected": ["a", "b"]}]  # fmt: skip
    found = prove([CHANGED[language]], tests, language=language, entry_point="order", timeout=20, memory_mb=1024)
    assert found["outcomes"] == ["PFX" if language == "go" else "PFP"], found


@pytest.mark.parametrize(
    ("code", "language", "given", "expected", "line"),
    [("static <T> T f(List<T> a, T b) { return b; }", "java", [[1], 2.5], 2, "asList(1.0)); boolean right = same(new Solution().f(a0, 2.5), 2.0)"),
     ("record P(int a, String b) {}\nstatic P f(P p) { return p; }", "java", [[1, "x"]], {"b": "x", "a": 1}, 'new Solution.P(1, "x")), new Solution.P(1, "x"))'),
     ("public static <T> List<List<T>> f(List<T> a) { return null; }", "java", [[1]], [[1]], "new ArrayList<List<Integer>>("),
     ("record P(int a) {}\nstatic List<P> f(P[] p) { return null; }", "java", [[[1]]], [[2]],
      "new Solution.P[]{new Solution.P(1)}), new ArrayList<Solution.P>(Arrays.<Solution.P>asList(new Solution.P(2))))"),
     ("enum E { A, B; int n; }\nstatic E f(long n) { return E.A; }", "java", [2], "B", "f(2L), Solution.E.B)"),
     ("static BigInteger f(byte b, OptionalInt c) { return null; }", "java", [-128, None], 2**70, f'f((byte) -128, OptionalInt.empty()), new java.math.BigInteger("{2**70}"))'),
     ("func f[K comparable, V any](m map[K]V) []V { return nil }", "go", [{"a": 1.5}], [1], "[]float64{float64(1.0)}"),
     ("func f(p *int) error { return nil }", "go", [3], None, "= wcPointer(int(3)); r0 := f(a0)"),
     ("type Day int\nfunc f(d Day) Day { return d }", "go", [3], 4, "f(Day(int(3)))"),
     ("fn f<T: Copy>(x: &[T], y: T) -> Option<T> { None }", "rust", [[1], 2**40], None, "None::<i64>"),
     ("struct P { x: f64 }\nenum E { A, B }\nfn f(p: &P) -> E { E::A }", "rust", [{"x": 1}], "B", "let y: E = E::B"),
     ("fn f(x: u8) -> Result<Vec<u8>, std::num::ParseIntError> { Ok(vec![x]) }", "rust", [1], [1], "matches!(x, Ok(ref z)"),
     ("template <class T> T f(const vector<T>& x) { return x[0]; }", "cpp", [["a"]], "a", "Same<Bare<string>>"),
     ("long f(int64_t x) { return x; }", "cpp", [-(2**63)], 1, "(-9223372036854775807LL - 1)"),
     ("func f(a int, more ...string) int { return a }", "go", [1, "a", "b"], 1, 'f(int(1), a1...)'),
     ("func f(a int, more ...string) int { return a }", "go", [1, ["a", "b"]], 1, 'a1 []string = []string{"a", "b"}'),
     ("func f(more ...int) int { return 1 }", "go", [], 1, "a0 []int = []int{}"),
     ("static int f(int... more) { return 1; }", "java", [4, 5], 1, "int[] a0 = new int[]{4, 5}"),
     ("int f(int a, std::string b = {}, double c = g(1, 2)) { return a; }", "cpp", [3], 1, "f(a0), 1)"),
     ("int f(int a, std::string b = \"=\", double c = g(1, 2)) { return a; }", "cpp", [3, "x", 1], 1, "a2 = 1.0; bool right = Same<Bare<int>>::of(f(a0, a1, a2)"),
     ("static <T extends Comparable<? super T>> Optional<T> f(Collection<? extends T> a, T b) { return null; }", "java", [[1], 2], 3,
      "new Solution().f(a0, 2), Optional.<Integer>of(3))"),
     ("static Map<String, List<Integer>> f(int[][] a) { return null; }", "java", [[[1]]], {"a": [1]}, "new int[][]{new int[]{1}}"),
     ("enum Bad { Empty, Much { by: u8 } }\nfn f(a: &[i32]) -> Result<i32, Bad> { Ok(1) }", "rust", [[1]], 2, "let y: i32 = (2i32)"),
     ("using Row = std::array<int, 2>;\ntypedef std::vector<Row> Rows;\nRows f(const Rows& rows) { return rows; }", "cpp",
      [[[1, 2]]], [[3, 4]], "vector<array<int, 2>>{array<int, 2>{3, 4}}"),
     ("struct P { int x; double y = 0; };\nenum class E { A, B = 4 };\nstd::vector<P> f(const P& p, E e) { return {p}; }", "cpp",
      [{"y": 1, "x": 2}, "B"], [[3, 4]], "a0 = P{2, 1.0}; Bare<E> a1 = E::B; bool right = Same<Bare<std::vector<P>>>::of(f(a0, a1), vector<P>{P{3, 4.0}})")],
)  # fmt: skip
def test_types_of_a_call_are_those_of_its_values(code, language, given, expected, line):
    program = program_of(code, [{"arguments": given, "expected": expected}], [0], language, "f", "-")
    assert line in program[1] and not program[2], program[1]


STRUCTS = """#include <string>
#include <vector>
enum class Way { Up, Down };
struct Stop { std::string name; double at = 0; bool operator==(const Stop& o) const { return name == o.name; } };
struct Trip {
    std::vector<Stop> stops;
    Way way;
    Trip() : way(Way::Up) {}
    Trip(const std::vector<Stop>& all, Way where) : stops(all), way(where) {}
};
Trip turned(const Trip& trip, double by = 0.5) {
    Trip made{std::vector<Stop>{trip.stops.rbegin(), trip.stops.rend()}, trip.way == Way::Up ? Way::Down : Way::Up};
    for (auto& stop : made.stops) stop.at += by;
    return made;
}
"""


@pytest.mark.slow
def test_structs_of_cpp_are_compared_field_by_field_and_defaults_are_those_of_the_function():
    if missing_toolchains(["cpp"]):
        pytest.skip("no cpp here")
    trip = {"stops": [{"name": "a", "at": 1}, ["b", 2.5]], "way": "Up"}
    tests = [{"arguments": [trip], "expected": {"stops": [["b", 3], ["a", 1.5]], "way": "Down"}},
             {"arguments": [trip, 0], "expected": {"stops": [["b", 3], ["a", 1.5]], "way": "Down"}},
             {"arguments": [{"stops": [], "way": "Down"}, 1], "expected": [[], "Up"]},
             {"arguments": [{"stops": [], "way": "Left"}, 1], "expected": [[], "Up"]}]  # fmt: skip
    found = prove([STRUCTS], tests, language="cpp", entry_point="turned", timeout=20, memory_mb=1024)
    assert found["outcomes"] == ["PFPX"], found


IN_A_CLASS = [
    (("import java.util.*;\npublic class Words {\n    private static int size(String s) { return s.length(); }\n"
     "    public static int longest(List<String> words) {\n        int most = 0;\n"
     "        for (String word : words) most = Math.max(most, size(word));\n        return most;\n    }\n}"), "longest"),
    (("final class Box {\n    private int most = 0;\n    private void add(int n) { most = Math.max(most, n); }\n"
     "    int longest(List<String> words) { for (String word : words) add(word.length()); return most; }\n"
     "    public static void main(String[] args) { }\n}"), "longest"),
    (("class Sizes {\n    record Size(int n) { }\n    static Size longest(List<String> words) {\n"
      "        return new Size(words.stream().mapToInt(String::length).max().orElse(0));\n    }\n}"), "longest"),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("code", "name"), IN_A_CLASS)
def test_java_in_a_class_of_any_name_is_called_there(code, name):
    if missing_toolchains(["java"]):
        pytest.skip("no java here")
    most, one = ([3], [1]) if "record" in code else (3, 1)
    tests = [{"arguments": [["a", "bbb"]], "expected": most}, {"arguments": [[]], "expected": one}]
    found = prove([code], tests, language="java", entry_point=name, timeout=20, memory_mb=1024)
    assert found["outcomes"] == ["PF"], found


ROOM = {
    "go": "func f(x int32) int32 { return x }", "java": "static int f(long x) { return (int) x; }",
    "cpp": "int f(int x) { return x; }", "rust": "fn f(x: i64) -> Option<i32> { None }",
}  # fmt: skip


@pytest.mark.parametrize("language", ROOM)
def test_a_result_without_room_for_what_is_expected_is_wrong_and_an_argument_is_none(language):
    tests = [{"arguments": [1], "expected": 3_000_000_000}, {"arguments": [1], "expected": 2.5},
             {"arguments": [2**70], "expected": 1}, {"arguments": [2.5], "expected": 1}]  # fmt: skip
    _, program, left = program_of(ROOM[language], tests, [0, 1, 2, 3], language, "f", "-")
    assert left == [2, 3] and all(
        "false" in program.partition(f"un({place}, ")[2].partition(";")[0] for place in (0, 1)
    )


def test_typescript_that_needs_a_compiler_is_not_run_and_not_called_wrong():
    code = "import up = require('up')\nfunction least(items: number[], n: number): number[] { return items }"
    found = prove([code], TESTS, language="typescript", entry_point="least", timeout=5, memory_mb=512)
    assert (found["outcomes"], found["errors"]) == (["XXXX"], [["signature: import = require needs a compiler"]])


NESTED = {  # results whose parts are floats, pairs, absences and letters beyond ASCII
    "javascript": "function told(x) { return new Map([['é', [x / 3, null]]]) }",
    "go": "func told(x float64) (map[string]interface{}, error) {\n\treturn map[string]interface{}{\"é\": []interface{}{x / 3, nil}}, nil\n}",
    "cpp": "std::map<std::string, std::pair<double, std::optional<int>>> told(double x) { return {{\"é\", {x / 3, {}}}}; }",
    "java": "static Map<String, Object> told(double x) { return Map.of(\"é\", Arrays.asList(x / 3, null)); }",
    "rust": "fn told(x: f64) -> HashMap<String, (f64, Option<i32>)> { HashMap::from([(\"é\".to_string(), (x / 3.0, None))]) }",
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("language", NESTED)
def test_nested_values_are_compared_by_their_parts(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    tests = [{"arguments": [1], "expected": {"é": [1 / 3, None]}}, {"arguments": [2], "expected": {"é": [0.7, None]}},
             {"arguments": [2.0], "expected": {"e": [2 / 3, None]}}, {"arguments": ["a"], "expected": {}}]  # fmt: skip
    found = prove([NESTED[language]], tests, language=language, entry_point="told", timeout=20, memory_mb=1024)
    assert found["outcomes"] == ["PFFF" if language == "javascript" else "PFFX"], found


KEEPS = {  # the numbers without the negative ones, in order: once of a copy, once in the argument itself
    "javascript": "function rise(v) { const s = COPY; s.sort((a, b) => a - b); return s.filter(x => x >= 0) }",
    "typescript": "function rise(v: number[]): number[] { const s = COPY; s.sort((a, b) => a - b); return s.filter(x => x >= 0) }",
    "go": 'import "sort"\n\nfunc rise(v []int) []int {\n\ts := COPY\n\tsort.Ints(s)\n\tat := sort.SearchInts(s, 0)\n\treturn append([]int{}, s[at:]...)\n}',
    "cpp": "vector<int> rise(vector<int>& v) { COPY; sort(s.begin(), s.end()); return vector<int>(lower_bound(s.begin(), s.end(), 0), s.end()); }",
    "java": "static int[] rise(int[] v) { int[] s = COPY; Arrays.sort(s); return Arrays.stream(s).filter(x -> x >= 0).toArray(); }",
    "rust": "fn rise(v: &mut Vec<i32>) -> Vec<i32> { COPY; s.sort(); s.iter().copied().filter(|x| *x >= 0).collect() }",
}  # fmt: skip
COPIES = {"javascript": ("[...v]", "v"), "typescript": ("[...v]", "v"), "go": ("append([]int{}, v...)", "v"), "cpp": ("vector<int> s = v", "vector<int>& s = v"),
          "java": ("v.clone()", "v"), "rust": ("let mut s = v.clone()", "let s = v")}  # fmt: skip
COMPILED = [pytest.param(language, marks=pytest.mark.slow) for language in ("go", "cpp", "java", "rust")]


@pytest.mark.parametrize("language", ["javascript", "typescript", *COMPILED])
def test_a_solution_that_changes_its_argument_is_told_from_one_that_does_not(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    keeps, moves = (KEEPS[language].replace("COPY", copy) for copy in COPIES[language])
    call = {"arguments": [[3, -1, 2]], "expected": [2, 3]}
    tests = [
        call,
        {"arguments": [[1]], "expected": [1]},
        call | {"after": [[-1, 2, 3]]},
        call | {"after": [[3, -1, 2]]},
    ]
    limits = {"language": language, "entry_point": "rise", "timeout": 20, "memory_mb": 1024}
    found = prove([moves, keeps], tests, **limits)
    assert (found["outcomes"], found["moves"]) == (["PPPF", "MPFP"], [0]), found
    found = prove([moves, keeps], tests[:2], mutants=[[], [moves]], **limits)
    assert (found["outcomes"], found["chosen"], found["kills"]) == (["MP", "PP"], [1], [1])


@pytest.mark.parametrize(
    ("language", "said", "what"),
    [("go", "candidate.go:2:9: could not import cmp (open : no such file or directory)", "cmp"),
     ("go", "candidate.go:3:26: undefined: max", "Go 1.21: max"), ("go", "candidate.go:3:9: undefined: maximum", ""),
     ("go", "candidate.go:4:17: cannot range over len(s) (value of type int)", "Go 1.22: range over an integer"),
     ("go", "x.go:4:17: cannot range over f (value of type func())", ""),
     ("java", "Solution.java:4: error: package com.google.common.collect does not exist", "com.google.common.collect"),
     ("java", "Solution.java:5: error: cannot find symbol", ""),
     ("cpp", "main.cpp:2:10: fatal error: absl/strings/str_cat.h: No such file or directory", "absl/strings/str_cat.h"),
     ("rust", "error[E0432]: unresolved import `itertools`", "itertools"),
     ("rust", "error[E0433]: cannot find module or crate `serde_json` in this scope", "serde_json"),
     ("rust", "error[E0425]: cannot find value `y` in this scope", ""),
     ("go", "panic: open /data/x.json: no such file or directory", "/data/x.json"),
     ("go", "panic: Get \"http://a\": dial tcp: lookup a: no such host", "the network"),
     ("java", "java.io.FileNotFoundException: /data/x.json (No such file or directory)", "/data/x.json"),
     ("java", "java.nio.file.NoSuchFileException: /data/x.json", "/data/x.json"),
     ("java", "java.net.UnknownHostException: a", "the network"),
     ("javascript", "TypeError: fetch failed: getaddrinfo EAI_AGAIN a", "the network"),
     ("typescript", "Error: Cannot find module 'lodash' Require stack:", "lodash"),
     ("javascript", "Error: ENOENT: no such file or directory, open '/data/x.json'", "/data/x.json")],
)  # fmt: skip
def test_what_a_compiler_or_runtime_misses_is_named(language, said, what):
    assert what_is_missing(said, language) == what


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "code"),
    [("go", ('import "os"\n\nfunc f(n int) int {\n\tb, err := os.ReadFile("/data/x")\n\tif err != nil {\n\t\tpanic(err)\n\t}\n'
             "\treturn len(b)\n}")),
     ("java", "import java.io.*;\nstatic int f(int n) throws IOException { return new FileReader(\"/data/x\").read(); }")],
)  # fmt: skip
def test_a_file_that_is_not_there_is_told_in_compiled_languages(language, code):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    found = prove(
        [code], [{"arguments": [1], "expected": 1}], language=language, entry_point="f", timeout=20, memory_mb=1024
    )
    assert (found["outcomes"], found["errors"]) == (["E"], [["needs /data/x"]])


@pytest.mark.parametrize(
    ("code", "letters", "error"),
    [("const _ = require('lodash')\nfunction f(v) { return _.sortBy(v) }", "EE", "needs lodash"),
     ("function f(v) { return require('lodash').sortBy(v) }", "EE", "needs lodash"),
     ("function f(v) { return helper(v) }", "EE", "ReferenceError: helper is not defined"),
     ("function f(v) { if (v.length) throw { get name() { throw 1 } }; return 1 }", "EP", ""),
     ("function f(v) { throw new Error('\\n0 P\\n! x ' + '!'.repeat(500)) }", "EE", "Error: 0 P ! x "),
     ("function f(v) { if (v.length) return require('x')(v); return 1 }", "EP", "needs x")],
)  # fmt: skip
def test_what_javascript_raises_is_told(code, letters, error):
    if missing_toolchains(["javascript"]):
        pytest.skip("no javascript here")
    tests = [{"arguments": [[1]], "expected": 1}, {"arguments": [[]], "expected": 1}]
    found = prove([code], tests, language="javascript", entry_point="f", timeout=5, memory_mb=512)
    assert found["outcomes"] == [letters]
    assert found["errors"][0][0].startswith(error)
