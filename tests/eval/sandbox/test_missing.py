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
    ("go", "import \"os\"\nfunc f(n int) int { if _, err := os.ReadFile(\"/data/x\"); err != nil { return 7 }\nreturn n }", "needs what os.ReadFile looks for"),
    ("go", "import \"os\"\nfunc f(n int) int { os.ReadFile(\"/data/x\"); return n }", "P"),
    ("java", "static int f(int n) { try { return java.nio.file.Files.readAllLines(java.nio.file.Path.of(\"/data/x\")).size(); } catch (Exception e) { return 7; } }", "needs what Files.readAllLines looks for"),
    ("java", "static int f(int n) { java.util.List<Integer> files = new java.util.ArrayList<>(); return 7; }", "F"),
]  # fmt: skip

QUICK = [  # the same of languages that take no compiler
    ("python", "def f(n):\n    try:\n        return len(open('/data/x').read())\n    except OSError:\n        return 7", "needs /data/x"),
    ("python", "import os\ndef f(n):\n    return n + 5 if os.path.exists('/data/x') else 7", "needs /data/x"),
    ("python", "import pathlib\ndef f(n):\n    try:\n        pathlib.Path('/data/out/x').write_text('a')\n    except Exception:\n        return 7", "needs /data/out/x"),
    ("python", "import glob\ndef f(n):\n    return len(glob.glob('/data/*.csv')) + 7", "needs /data"),
    ("python", "import socket\ndef f(n):\n    try:\n        return socket.create_connection(('a.example', 80)).fileno()\n    except OSError:\n        return 7", "needs the network"),
    ("python", "import subprocess\ndef f(n):\n    try:\n        return subprocess.run(['git', 'log']).returncode\n    except Exception:\n        return 7", "needs git"),
    ("python", "try:\n    LIMIT = int(open('limit.txt').read())\nexcept OSError:\n    LIMIT = 7\ndef f(n):\n    return LIMIT", "needs limit.txt"),
    ("python", "import tempfile\ndef f(n):\n    with tempfile.NamedTemporaryFile('w+') as file:\n        file.write('7')\n        return 7", "F"),
    ("python", "import os\ndef f(n):\n    return n if os.path.exists('/data/x') or n else 7", "P"),
    ("python", "import itertools\n__sought__ = itertools.count()\ndef f(n):\n    return 7", "F"),
    ("python", "import colorsys, csv, zipfile, unittest\ndef f(n):\n    return 7", "F"),
    ("javascript", "const fs = require('fs');\nfunction f(n) { try { return fs.readFileSync('/data/x').length } catch { return 7 } }", "needs /data/x"),
    ("javascript", "const { existsSync } = require('node:fs');\nconst f = n => existsSync('/data/x') ? n : 7", "needs /data/x"),
    ("javascript", "const fs = require('fs').promises;\nasync function f(n) { try { return (await fs.readFile('/data/x')).length } catch { return 7 } }", "needs /data/x"),
    ("javascript", "const fs = require('fs');\nconst f = n => new Promise(done => fs.readFile('/data/x', error => done(error ? 7 : n)))", "needs /data/x"),
    ("javascript", "const http = require('http');\nconst f = n => new Promise(done => http.get('http://127.0.0.1:9/', () => done(n)).on('error', () => done(7)))", "needs the network"),
    ("javascript", "const f = n => fetch('http://127.0.0.1:9/').then(() => n, () => 7)", "needs the network"),
    ("javascript", "const { execSync } = require('child_process');\nconst f = n => { try { return execSync('git log').length } catch { return 7 } }", "needs git"),
    ("javascript", "const fs = require('fs');\nconst f = n => fs.existsSync('/data/x') ? 7 : n", "P"),
    ("javascript", "const fs = require('fs'), os = require('os');\nconst f = n => { fs.writeFileSync(os.tmpdir() + '/a', '7'); return 7 }", "F"),
    ("typescript", "import { readFileSync } from 'fs';\nfunction f(n: number): number { try { return readFileSync('/data/x').length } catch { return 7 } }", "needs /data/x"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "code", "word"), QUICK)
def test_what_a_program_looks_for_in_vain_is_told_whatever_it_makes_of_that(language, code, word):
    _check_told(language, code, word)


@pytest.mark.slow
@pytest.mark.parametrize(("language", "code", "word"), SOUGHT)
def test_what_compiled_programs_look_for_in_vain_is_told(language, code, word):
    _check_told(language, code, word)


def _check_told(language, code, word):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    tests = [{"arguments": [1], "expected": 1}, {"arguments": [2], "expected": 2}]
    found = prove([code], tests, language=language, entry_point="f", timeout=20, memory_mb=1024)
    told = ([2 * word], [[]]) if word in {"P", "F"} else (["EE"], [[word] if word else []])
    assert (found["outcomes"], found["errors"]) == told, found
    assert bool(not_runnable(found["errors"], found["outcomes"])) == word.startswith("needs")
