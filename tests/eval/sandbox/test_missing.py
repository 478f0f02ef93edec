"""Code that needs what is not here is told apart; code that is wrong is not excused."""

import pytest

from codeocean.verify.proof import not_runnable
from eval.sandbox.calls.missing import what_is_missing
from eval.sandbox.calls.names import misspelt
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import missing_toolchains

TESTS = [{"arguments": [[3, 1, 2], 2], "expected": [1, 2]}, {"arguments": [[], 2], "expected": []}]


SAID = [  # code, what its compiler says, and what is needed
    ("java", "static int f(int n) { Helper h = new Helper(n); }", "Solution.java:5: error: cannot find symbol\nstatic int f\n   ^\n  symbol:   class Helper\n  location: class Solution\n", "Helper"),
    ("java", "static int f(int n) { return n + LIMIT; }", "S.java:5: error: cannot find symbol\nn\n^\n  symbol:   variable LIMIT\n  location: class Solution\n", "LIMIT"),
    ("java", "class Box { int f(int n) { return helper(n); } }", "S.java:5: error: cannot find symbol\nn\n^\n  symbol:   method helper(int)\n  location: class Box\n", "helper"),
    ("java", "static int f(String s) { return s.size(); }", "S.java:5: error: cannot find symbol\nn\n^\n  symbol:   method size()\n  location: variable s of type String\n", ""),
    ("java", "static int f(int n) { return Math.gcd(n); }", "S.java:5: error: cannot find symbol\nn\n^\n  symbol:   method gcd(int)\n  location: class Math\n", ""),
    ("java", "static int f(int n) { return total; }", "S.java:5: error: cannot find symbol\nn\n^\n  symbol:   variable total\n  location: class Solution\n", ""),
    ("java", "List<Integer> f(int n) { return new ArrayLst<>(); }", "S.java:5: error: cannot find symbol\nn\n^\n  symbol:   class ArrayLst\n  location: class Solution\n", ""),
    ("java", "static int f(int n) { Helper.x(); return \"a\"; }", "S.java:5: error: cannot find symbol\nn\n^\n  symbol:   variable Helper\n  location: class Solution\nS.java:5: error: incompatible types: String cannot be converted to int\n", ""),
    ("java", "import java.util.Lisst;", "S.java:4: error: cannot find symbol\nimport java.util.Lisst;\n^\n  symbol:   class Lisst\n  location: package java.util\n", ""),
    ("cpp", "int f(int n) { return helper(n); }", "main.cpp:3:23: error: ‘helper’ was not declared in this scope\n", "helper"),
    ("cpp", "int f(int n) { Shape s; return s.x; }", "main.cpp:3:16: error: ‘Shape’ was not declared in this scope\nmain.cpp:3:33: error: ‘s’ was not declared in this scope\n", "Shape"),
    ("cpp", "int helper(int);\nint f(int n) { return helper(n); }", "main.cpp:(.text+0x11): undefined reference to `helper(int)'\ncollect2: error: ld returned 1 exit status\n", "helper"),
    ("cpp", "int f(int number) { return nubmer(1); }", "main.cpp:3:28: error: ‘nubmer’ was not declared in this scope; did you mean ‘number’?\n", ""),
    ("cpp", "int f(int n) { return std::frob(n); }", "main.cpp:3:33: error: ‘frob’ is not a member of ‘std’\n", ""),
    ("rust", "fn f(n: i32) -> i32 { Helper::make(n) }", "error[E0433]: cannot find type `Helper` in this scope\n --> candidate.rs:5:23\nerror: aborting due to 1 previous error\n", "Helper"),
    ("rust", "fn f(n: i32) -> i32 { n + limit }", "error[E0425]: cannot find value `limit` in this scope\n", ""),
    ("rust", "fn f(n: i32) -> i32 { log!(n) }", "error: cannot find macro `log` in this scope\n", "log"),
    ("rust", "fn f(number: i32) -> i32 { nubmer(2) }", "error[E0425]: cannot find function `nubmer` in this scope\nhelp: a function with a similar name exists: `number`\n", ""),
    ("rust", "const D: &str = include_str!(\"d.txt\");", "error: couldn't read `d.txt`: No such file or directory (os error 2)\n", "d.txt"),
    ("rust", "mod helper;", "error[E0583]: file not found for module `helper`\n", "helper"),
    ("go", "func f(n int) int { return helper.X(n) }", "candidate.go:2:28: undefined: helper\n", "helper"),
    ("go", "func f(n int) int { return n + Limit }", "candidate.go:2:28: undefined: Limit\n", "Limit"),
    ("go", "func f(n int) int { return strings.Frob(n) }", "candidate.go:2:28: undefined: strings.Frob\n", ""),
    ("go", "func f(n int) int { return helper(n) + \"a\" }", "candidate.go:2:28: undefined: helper\ncandidate.go:2:40: mismatched types\n", ""),
    ("go", "func total(n int) int { return ttoal(n) }", "candidate.go:2:28: undefined: ttoal\n", ""),
]  # fmt: skip


@pytest.mark.parametrize(("language", "code", "said", "what"), SAID)
def test_a_name_of_the_file_around_is_needed_and_a_mistake_is_not_excused(language, code, said, what):
    assert what_is_missing(said, language, code) == what


@pytest.mark.parametrize(
    ("name", "code", "meant"),
    [("itmes", "def f(items): return len(itmes)", "items"), ("resutl", "result = 1; return resutl", "result"),
     ("prime", "primes = [n for n in range(9) if prime(n)]", ""), ("step2", "step1(x); step2(x)", ""),
     ("Node", "node = Node(1)", ""), ("limit", "return n + limit", ""), ("nn", "return nm + nn", "")],
)  # fmt: skip
def test_a_name_that_is_nearly_another_one_is_misspelt(name, code, meant):
    assert misspelt(name, code, "python") == meant


MISSPELT = {
    "python": "def least(items, n):\n    return sorted(itmes)[:n]",
    "javascript": "function least(items, n) { return itmes.slice(0, n) }",
}


@pytest.mark.parametrize("language", MISSPELT)
def test_a_misspelt_name_is_the_code_s_own_mistake(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    found = prove([MISSPELT[language]], TESTS, language=language, entry_point="least", timeout=5, memory_mb=512)
    assert found["errors"][0][0].startswith("misspelt items: ")
    assert not not_runnable(found["errors"], found["outcomes"])


SOUGHT = [  # what a program looks for in vain, however it goes on; and what it does not look for
    ("cpp", "#include <fstream>\nint f(int n) { std::ifstream in(\"/data/x\"); int x = 0; in >> x; return x; }", "needs /data/x"),
    ("cpp", "#include <netdb.h>\n#include <stdexcept>\nint f(int n) { addrinfo* r; if (getaddrinfo(\"a.example\", \"80\", 0, &r)) throw std::runtime_error(\"no\"); return 1; }", "needs the network"),
    ("cpp", "#include <cstdio>\nint f(int n) { FILE* p = fopen(\"/data/y\", \"r\"); return n == 9 ? fgetc(p) : n; }", "P"),
    ("cpp", "#include <stdexcept>\nint f(int n) { throw std::runtime_error(\"/data/x: No such file or directory\"); }", ""),
    ("rust", "fn f(n: i32) -> usize { std::fs::read_to_string(\"/data/x\").unwrap().len() }", "needs /data/x"),
    ("rust", "use std::net::TcpStream;\nfn f(n: i32) -> Result<i32, String> {\n    TcpStream::connect(\"a.example:80\").map(|_| 1).map_err(|e| e.to_string())\n}", "needs the network"),
    ("rust", "fn f(n: i32) -> i32 { panic!(\"No such file or directory (os error 2)\") }", ""),
]  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("language", "code", "word"), SOUGHT)
def test_what_cpp_and_rust_look_for_in_vain_is_told(language, code, word):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    tests = [{"arguments": [1], "expected": 1}, {"arguments": [2], "expected": 2}]
    found = prove([code], tests, language=language, entry_point="f", timeout=20, memory_mb=1024)
    told = (["PP"], [[]]) if word == "P" else (["EE"], [[word] if word else []])
    assert (found["outcomes"], found["errors"]) == told, found
    assert bool(not_runnable(found["errors"], found["outcomes"])) == word.startswith("needs")
