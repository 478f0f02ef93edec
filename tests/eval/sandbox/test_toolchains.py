"""Programs in other languages: run, judged, their ends told apart; what is missing is said."""

import pytest

from eval.sandbox import toolchains as languages
from eval.sandbox.oracle import judge
from eval.sandbox.run import run_program
from eval.sandbox.signatures import functions_of
from eval.sandbox.stubs import go_file, split
from eval.sandbox.toolchains import missing_toolchains

HELLO = {
    "javascript": "console.log('hi')",
    "cpp": '#include <cstdio>\nint main() { puts("hi"); }',
    "rust": 'fn main() { println!("hi"); }',
    "go": 'package main\nimport "fmt"\nfunc main() { fmt.Println("hi") }',
    "java": 'public class Main { public static void main(String[] a) { System.out.println("hi"); } }',
}
FAILS = {
    "javascript": ("process.exit(3)", "exception", "const x = ;", "exception"),
    "cpp": ("#include <cassert>\nint main() { assert(1 == 2); }", "failed", "int main() { return x; }", "syntax"),
    "rust": ("fn main() { assert!(1 == 2); }", "failed", "fn main() { x }", "syntax"),
    "go": ("package main\nfunc main() { var x []int; _ = x[1] }", "exception", "package main\nfunc main() { x }", "syntax"),
    "java": ("public class Main { public static void main(String[] a) { throw new RuntimeException(); } }", "exception", "class {", "syntax"),
}  # fmt: skip
JUDGED = {
    "javascript": ("const f = (x, m) => { x.push(undefined); return new Map([[m.a, [NaN, -0, 10n]]]) }",
                   "const x = [1]\nconst r = f(x, {a: 'k'})\nconsole.assert(x.length === 2 && x[1] === undefined)\nconsole.assert(Number.isNaN(r.get('k')[0]) && Object.is(r.get('k')[1], -0) && r.get('k')[2] === 10n)"),
    "cpp": ("#include <vector>\n#include <map>\n#include <string>\nusing namespace std;\nmap<string,vector<double>> f(vector<int>& x, const string& s, pair<bool,char> p) { x.push_back(7); return {{s + p.second, {0.5, 2}}}; }",
            '#include <assert.h>\nint main() { vector<int> x = {1}; auto m = f(x, "a", {true, \'b\'}); assert(x.back() == 7); assert(m["ab"][0] == 0.5); }'),
    "rust": ("use std::collections::HashMap;\nfn f(x: &mut Vec<i32>, s: &str, o: Option<(u8, f64)>) -> Result<HashMap<char, String>, String> { x.push(7); Ok(HashMap::from([(s.chars().next().unwrap(), format!(\"{:?}\", o))])) }",
             "#[cfg(test)]\nmod tests { use super::*;\n#[test]\nfn t() { let mut x = vec![1]; let m = f(&mut x, \"é\", Some((1, 0.5))).unwrap(); assert_eq!(x, [1, 7]); assert_eq!(m[&'é'], \"Some((1, 0.5))\"); } }"),
    "go": ('import "errors"\nfunc F(x []int, m map[string]interface{}) ([2]interface{}, error) {\n    x[0] = 7\n    return [2]interface{}{m["k"], "s"}, errors.New("no")\n}',
           'func TestF(t *testing.T) {\n    assert := assert.New(t)\n    x := []int{1}\n    r, err := F(x, map[string]interface{}{"k": []string{"v"}})\n    assert.Equal(7, x[0])\n    assert.Equal([2]interface{}{[]string{"v"}, "s"}, r)\n    assert.Equal("no", err.Error())\n}'),
    "java": ("import java.util.*;\nclass Solution {\n    public Map<String, Object> f(List<Integer> x, int[] y, char c) { x.add(7); y[0] = 9; return new TreeMap<>(Map.of(\"k\" + c, Optional.of(1.5))); }\n}",
             "public class Main { public static void main(String[] a) { List<Integer> x = new ArrayList<>(); int[] y = {1}; Map<String, Object> m = new Solution().f(x, y, 'c'); if (!m.equals(Map.of(\"kc\", Optional.of(1.5))) || x.get(0) != 7 || y[0] != 9) throw new AssertionError(m.toString()); } }"),
}  # fmt: skip


@pytest.fixture
def language(request):
    missing = missing_toolchains([request.param])
    if missing:
        pytest.skip(missing[request.param])
    return request.param


every_language = pytest.mark.parametrize("language", HELLO, indirect=True)


@every_language
def test_whole_programs_run_and_their_ends_are_told_apart(language):
    limits = {"language": language, "timeout": 10.0, "memory_mb": 512}
    done = run_program(HELLO[language], **limits)
    assert (done.outcome, done.stdout) == ("passed", "hi\n"), done
    fails, end, broken, broken_end = FAILS[language]
    assert run_program(fails, **limits).outcome == end
    assert run_program(broken, **limits).outcome == broken_end


@every_language
def test_plain_data_crosses_and_changed_arguments_come_back(language):
    candidate, tests = JUDGED[language]
    done = judge(candidate, tests, language=language, timeout=10.0, memory_mb=512)
    assert (done.outcome, done.oracle) == ("passed", "process"), done


def test_a_missing_toolchain_is_one_line_with_the_packages(monkeypatch):
    monkeypatch.setattr(languages, "where", lambda command: command)
    missing = missing_toolchains(["python", "go"])
    assert list(missing) == ["go"]
    assert "apt-get install --no-install-recommends golang-go golang-github-stretchr-testify-dev" in missing["go"]
    assert "\n" not in missing["go"]


def test_a_missing_toolchain_is_never_a_verdict(monkeypatch):
    monkeypatch.setattr(languages, "where", lambda command: command)
    languages.require_toolchain.cache_clear()
    try:
        for run in (
            lambda: run_program("package main", language="go", timeout=5.0, memory_mb=256),
            lambda: judge("x", "y", language="go", timeout=5.0, memory_mb=256),
        ):
            with pytest.raises(FileNotFoundError, match="golang-go"):
                run()
    finally:
        languages.require_toolchain.cache_clear()


def test_an_unknown_language_is_refused():
    with pytest.raises(ValueError, match="the sandbox runs python"):
        missing_toolchains(["cobol"])


@pytest.mark.parametrize(
    ("language", "source", "found"),
    [
        ("cpp", "static inline vector<map<int, string>> f(const string& a, const int b) noexcept {\n}", ("f", "vector<map<int, string>>", (("a", "const string&"), ("b", "const int")))),
        ("cpp", "int f(int a, int b = 3) {", None),
        ("cpp", "struct E {};\nE f(int a) {", None),
        ("cpp", "// int g(int a) {\nint f() {", ("f", "int", ())),
        ("cpp", "vector<int\n#define assert //\n> f(int a) {", None),
        ("rust", "pub fn f(mut a: i32, b: &[u8]) -> (i32, String) {", ("f", "(i32, String)", (("a", "i32"), ("b", "&[u8]")))),
        ("rust", "fn f(a: i32) -> Equal {", None),
        ("go", "func F(a, b int, c map[interface{}]string) (int, error) {", ("F", "(int, error)", (("a", "int"), ("b", "int"), ("c", "map[interface{}]string")))),
        ("go", "func F(a int) interface{} { return a }", ("F", "interface{}", (("a", "int"),))),
    ],
)  # fmt: skip
def test_only_functions_of_plain_data_are_found(language, source, found):
    functions = functions_of(source, language)
    assert [(f.name, f.returns, f.parameters) for f in functions] == ([found] if found else [])


def test_a_function_of_the_language_or_of_the_tests_never_becomes_a_call():
    candidate = "int abs(int x) { return 0; }\nbool same(int a, int b) { return true; }\nint f(int x) { return x; }"
    tests = "bool same(int a, int b) { return a == b; }\nint main() { return !same(abs(f(1)), 1); }"
    assert "abs(int" not in split(candidate, tests, "cpp", "f")[1]["main.cpp"]
    assert split(candidate, tests, "cpp", "f")[1]["main.cpp"].count("same(int") == 1
    assert "f(int a0)" in split(candidate, tests, "cpp", "f")[1]["main.cpp"]


@pytest.mark.parametrize(
    ("language", "candidate", "tests"),
    [
        ("go", "func F(r int, reflect int) int { return r + reflect }", 'func TestF(t *testing.T) { if F(2, 3) != 5 { t.Error("no") } }'),
        ("rust", "fn f(out: i32, from: i32, value: i32) -> i32 { out + from + value }", "#[cfg(test)]\nmod tests { use super::*;\n#[test]\nfn t() { assert_eq!(f(1, 2, 3), 6); } }"),
    ],
)  # fmt: skip
def test_parameters_may_have_any_name(language, candidate, tests):
    if missing := missing_toolchains([language]):
        pytest.skip(missing[language])
    done = judge(candidate, tests, language=language, timeout=10.0, memory_mb=512)
    assert done.passed, done


def test_go_imports_what_is_used_and_nothing_else():
    made = go_file(
        'import (\n  "os"\n  m "math"\n)\nfunc F(s string) string { return strings.ToUpper(s) + fmt.Sprint(m.Pi) }'
    )
    assert [line for line in made.splitlines() if line.startswith("import")] == [
        'import m "math"',
        'import  "fmt"',
        'import  "strings"',
    ]
