# ruff: noqa: E501 - tables of programs
"""The same as `bench.fidelity` for JavaScript, TypeScript, Java, C++, Go and Rust: typed functions of a table.

`python -m bench.fidelity.languages [--cases N] [--seed S] [--languages L …]` prints one JSON object. A case is a
function of one kind of argument and what it does (`ACTIONS`), with an argument drawn by its type. Twenty-five of them
are one program. It runs as one plain program, and as candidate and tests through `eval.sandbox.oracle.judge`. What the
tests print of results, of arguments after the call and of exceptions must be the same.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from collections.abc import Iterator
from typing import Any

from bench.machine import describe_machine
from eval.sandbox.literals import literal
from eval.sandbox.oracle import judge
from eval.sandbox.run import run_program
from eval.sandbox.toolchains import missing_toolchains

A_PROGRAM, TIMEOUT_S, MEMORY_MB = 25, 30.0, 1024
LANGUAGES = ("javascript", "typescript", "java", "cpp", "go", "rust")
Case = tuple[str, str, str, Any, int]
"""Type of the argument, type of the result, body, the argument, a small number."""

KINDS = {
    "cpp": "n=int r=double t=string b=bool N=vector<int>& R=vector<double> T=vector<string>& G=vector<vector<int>>& "
    "M=map<string,int>&",
    "go": "n=int r=float64 t=string b=bool N=[]int R=[]float64 T=[]string G=[][]int M=map[string]int",
    "rust": "n=i64 r=f64 t=&str b=bool N=&mut~Vec<i64> R=Vec<f64> T=&mut~Vec<String> G=&mut~Vec<Vec<i64>> "
    "M=BTreeMap<String,i64>",
    "java": "n=int r=double t=String b=boolean N=List<Integer> R=double[] T=List<String> G=int[][] M=Map<String,Integer>",
}
KINDS["javascript"] = KINDS["typescript"] = "n=n r=r t=t b=b N=N R=R T=T G=G M=M"
"""Letters for types: number, real, text, boolean, lists of them, rows of numbers, a map of texts to numbers."""

_JAVASCRIPT = """
nn return a + b | rr return a / b | tt return a + b | bb return !a | NN return a | NN a.reverse(); return a | NN a.push(b)
GG a[0] = a[a.length - 1]; return a | GG a.push(a[0]); return a | MM a.k = b; return a | MM delete a[Object.keys(a)[0]]
Nt throw new RangeError('no ' + b) | NN a.length = 0; throw b | tM return {a, b, c: [a, [b]]} | TT return a.map(x => x + b)
NN return new Set(a) | MM return new Map(Object.entries(a)) | nn return [undefined, null, NaN, -0, a] | tt return null
rr return a === b ? a : -a | nn return BigInt(a) | NN return a.filter(x => x > b) | TT return a.sort() | tt return a[b]
MM return Object.entries(a) | NN return {get: a, deep: {er: [a]}} | tt return [...a].reverse().join('') | RR return a.slice(b)
nn return Symbol.for('s').description + a | bb return String(a) | NN a[5] = b; return a | tt return new Date(b)
nn return /a+/g | NN return Uint8Array.from(a) | tt throw new TypeError(a) | NN return Object.freeze(a) | nn return [,a]
"""
ACTIONS = {
    "javascript": _JAVASCRIPT,
    "typescript": _JAVASCRIPT,
    "java": """
nn return a + b; | rr return a / b; | tt return a + b; | bb return !a; | NN return a; | NN Collections.reverse(a); return a;
NN a.add(b); return a; | NN a.clear(); throw new IllegalStateException("no " + b); | GG a[0][0] = b; return a; | tt return null;
GG int[][] c = a.clone(); c[0] = new int[] {b}; return c; | MM a.put("k", b); return a; | MM a.remove("a"); return a;
MM return new TreeMap<>(a); | TT return new ArrayList<>(a.subList(0, 1)); | TT Collections.sort(a); return a; | RR a[0] = b; return a;
RR return Arrays.copyOf(a, b); | tT return Arrays.asList(a, "" + b, null); | tM return new HashMap<>(Map.of(a, b)); | nn throw new ArithmeticException();
NN return new LinkedList<>(a); | NN a.set(0, a.get(a.size() - 1)); return a; | NN return List.of(b, b); | tt throw new RuntimeException(a);
rr return Double.NaN; | rr return -0.0 * a; | nn return Integer.MAX_VALUE + a; | tt return a.substring(b); | GN return List.of(a.length, a[0].length);
""",
    "cpp": """
nn return a + b; | rr return a / b; | tt return a + to_string(b); | bb return !a; | NN return a; | NN reverse(a.begin(), a.end()); return a;
NN a.push_back(b); return a; | NN a.clear(); throw runtime_error("no"); | GG a[0].push_back(b); return a; | GG swap(a[0], a.back()); return a;
MM a["k"] = b; return a; | MM a.erase("a"); return a; | TT sort(a.begin(), a.end()); return a; | RR for (auto& x : a) x *= b; return a;
rr return NAN; | rr return -0.0; | nn return a / (b - b + 1); | nn throw invalid_argument("x"); | tt return a.substr(b); | tt return string(1, char(b));
tT static vector<string> w; w = {a, a}; return w; | NN static vector<int> v; v = vector<int>(a.rbegin(), a.rend()); return v; | nn return INT_MIN;
""",
    "go": """
nn return a + b | rr return a / float64(b) | tt return a + fmt.Sprint(b) | bb return !a | NN return a | NN a[0] = b; return a
NN return append(a, b) | NN return nil | NN a[len(a)-1], a[0] = a[0], a[len(a)-1]; return a | GG a[0] = nil; return a | GG a[0][0] = b; return a
MM a["k"] = b; return a | MM delete(a, "a"); return a | MM return nil | TT sort.Strings(a); return a | RR for i := range a { a[i] *= 2 }; return a
rr return math.NaN() | rr return math.Inf(b) | nn panic("no") | nn return a / (b - b) | tt return a[b:] | tT return []string{a, ""} | NN return a[1:]
NN a[0] = 7; panic(fmt.Sprint("no ", b)) | tt return string([]byte{byte(b), 0xff}) | GN return []int{len(a), cap(a[0][:0:0])} | nn return math.MaxInt
""",
    "rust": """
nn return a + b; | rr return a / b as f64; | tt return a; | bb return !a; | nn return a.wrapping_mul(i64::MAX); | rr return f64::NAN;
nN return vec![a, b]; | NN a.reverse(); return a.clone(); | NN a.push(b); return a.clone(); | NN a.clear(); panic!("no"); | GG a[0].push(b); return a.clone();
GG a.swap(0, 1); return a.clone(); | TT a.sort(); return a.clone(); | TT a.push(b.to_string()); return a.clone(); | MM let mut a = a; a.insert("k".into(), b); return a;
RR let mut a = a; a.retain(|x| *x > 0.0); return a; | rr return -0.0; | nn return a / (b - b); | tT return vec![a.to_uppercase(); b as usize]; | tt return &a[..0];
tM return BTreeMap::from([(a.to_string(), b)]); | GN return vec![a.len() as i64, b]; | nn return a.pow(b as u32);
""",
}
"""Two letters for the argument's and the result's type, then the body of a function of `a` and the small number `b`."""

HEADS = {
    "javascript": "",
    "typescript": "",
    "java": "import java.util.*;\nclass Solution {\n",
    "cpp": "#include <bits/stdc++.h>\nusing namespace std;\n",
    "go": "",
    "rust": "use std::collections::BTreeMap;\n",
}
SHOWN = {
    "javascript": """const { inspect } = require('util')
const shown = x => inspect(x, { depth: 9, breakLength: Infinity })
function told(n, f, a, b) {
  const say = text => process.stdout.write(`${n} ${text}\\n`)
  for (let turn = 0; turn < 2; turn++) {
    try { const r = f(a, b); say(`${shown(r)} ${r === a}`) } catch (e) { say(`threw ${e instanceof Error ? e.name + e.message : shown(e)}`) }
    say(shown(a))
  }
}
""",
    "java": """public class Main {
    interface Ask { Object of() throws Exception; }
    static String shown(Object x) {
        if (x == null) return "null";
        if (x instanceof int[]) return Arrays.toString((int[]) x);
        if (x instanceof double[]) return Arrays.toString((double[]) x);
        if (x instanceof Object[]) return Arrays.deepToString((Object[]) x);
        if (x instanceof Map) return new TreeMap<>((Map<?, ?>) x).toString();
        return (x instanceof List ? "" : x.getClass().getSimpleName()) + x;
    }
    @SuppressWarnings("unchecked")
    static <K, V> HashMap<K, V> map(Object... pairs) {
        HashMap<K, V> made = new HashMap<>();
        for (int i = 0; i < pairs.length; i += 2) made.put((K) pairs[i], (V) pairs[i + 1]);
        return made;
    }
    static void told(int n, Ask ask, Object a) {
        for (int turn = 0; turn < 2; turn++) {
            try { Object r = ask.of(); System.out.println(n + " " + shown(r) + (a instanceof Number ? "" : " " + (r == a && !(a instanceof String)))); }
            catch (Exception e) { System.out.println(n + " threw " + e); }
            System.out.println(n + " " + shown(a));
        }
    }
    public static void main(String[] arguments) {
        Solution s = new Solution();
""",
    "cpp": """#include <bits/stdc++.h>
using namespace std;
string shown(bool x) { return x ? "true" : "false"; }
string shown(int x) { return to_string(x); }
string shown(double x) { char text[99]; snprintf(text, 99, "%.17g", x); return text; }
string shown(const string& x) { return '"' + x + '"'; }
template <class K, class V> string shown(const map<K, V>& x) { string s = "{"; for (auto& [k, v] : x) s += shown(k) + ":" + shown(v) + ","; return s + "}"; }
template <class T> string shown(const vector<T>& x) { string s = "["; for (auto& y : x) s += shown(y) + ","; return s + "]"; }
template <class F, class A> void told(int n, F ask, A& a) {
    for (int turn = 0; turn < 2; turn++) {
        try { auto r = ask(a); cout << n << " " << shown(r) << "\\n"; } catch (...) { cout << n << " threw\\n"; }
        cout << n << " " << shown(a) << endl;
    }
}
int main() {
""",
    "go": """func told(n int, a interface{}, ask func() interface{}) {
    say := func(text string) { os.Stdout.WriteString(fmt.Sprint(n) + " " + text + "\\n") }
    once := func() {
        defer func() { if e := recover(); e != nil { say("panic") } }()
        say(fmt.Sprintf("%#v", ask()))
    }
    for turn := 0; turn < 2; turn++ { once(); say(fmt.Sprintf("%#v", a)) }
}
""",
    "rust": """use std::io::Write;
fn say(n: i32, text: String) { writeln!(std::io::stdout(), "{} {}", n, text).unwrap() }
fn told<R: std::fmt::Debug>(n: i32, ask: impl FnOnce() -> R) {
    match std::panic::catch_unwind(std::panic::AssertUnwindSafe(ask)) {
        Ok(r) => say(n, format!("{:?}", r)),
        Err(_) => say(n, "panic".to_string()),
    }
}
""",
}
SHOWN["typescript"] = SHOWN["javascript"]


def actions_of(language: str) -> list[tuple[str, str, str]]:
    """Argument's letter, result's letter, body."""
    lines = [part.strip() for part in ACTIONS[language].replace("\n", " | ").split(" | ") if part.strip()]
    return [(line[0], line[1], line[3:]) for line in lines]


def kinds_of(language: str) -> dict[str, str]:
    """Letter → type."""
    return {pair[0]: pair[2:].replace("~", " ") for pair in KINDS[language].split()}


def draw(letter: str, rng: random.Random) -> Any:
    """A value of a kind."""
    if letter in "NRTG":
        return [draw({"N": "n", "R": "r", "T": "t", "G": "N"}[letter], rng) for _ in range(rng.randint(2, 4))]
    if letter == "M":
        return {name: rng.randint(-9, 9) for name in rng.sample(["a", "b", "", "k"], 2)}
    return {"n": rng.choice([0, 1, -1, rng.randint(-99, 99), 2**31 - 1]), "r": rng.choice([0.5, -1.25, 1e300, float(rng.randint(-9, 9))]),
            "t": "".join(rng.choice("ab Z\"\\9\t") for _ in range(rng.randint(2, 6))), "b": rng.random() < 0.5}[letter]  # fmt: skip


def cases(language: str, count: int, seed: int) -> list[Case]:
    """So many of them."""
    rng, actions = random.Random(seed), actions_of(language)
    chosen = [rng.choice(actions) for _ in range(count)]
    return [(taken, given, body, draw(taken, rng), rng.randint(0, 2)) for taken, given, body in chosen]


def programs(language: str, batch: list[Case]) -> tuple[str, str, str]:
    """Candidate, tests, and the plain program."""
    kinds, functions, lines = kinds_of(language), [], []
    for n, (taken, given, body, value, b) in enumerate(batch):
        returns = kinds[given].replace("&mut ", "").rstrip("&") if given != "t" else kinds[given]
        bare = kinds[taken].replace("&mut ", "").rstrip("&")
        a = literal(value, bare if language != "go" else kinds[taken], language)
        functions.append(_FUNCTIONS[language].format(n=n, a=kinds[taken], r=returns, body=body))
        lines.append(_line(language, n, kinds[taken], a, b))
    head, shown = HEADS[language], SHOWN[language]
    candidate, tests = head + "\n".join(functions), shown + "\n".join(lines)
    if language == "java":
        return candidate + "\n}\n", f"{tests}\n}}}}\n", f"{candidate}\n}}\n{tests}\n}}}}\n"
    if language == "cpp":
        return candidate, f"{tests}\n}}\n", f"{candidate}\n{tests}\n}}\n"
    if language == "go":
        tests = f"{shown}func TestAll(t *testing.T) {{\n{chr(10).join(lines)}\n}}\n"
        imports = 'package main\nimport ("fmt"; "math"; "os"; "sort"; "testing")\nvar _, _ = math.Pi, sort.Ints\n'
        return candidate, tests, f"{imports}{candidate}\n{tests}\nfunc main() {{ TestAll(nil) }}\n"
    if language == "rust":
        ran = f"{shown}fn run() {{\n{chr(10).join(lines)}\n}}\n"
        tests = ran + "#[test]\nfn all() { run() }\n"
        return candidate, tests, f"#![allow(warnings)]\n{candidate}\n{ran}\nfn main() {{ run() }}\n"
    return candidate, tests, f"{candidate}\n{tests}"


_FUNCTIONS = {
    "javascript": "function f{n}(a, b) {{ {body} }}",
    "typescript": "function f{n}(a: any, b: number): any {{ {body} }}",
    "java": "public {r} f{n}({a} a, int b) {{ {body} }}",
    "cpp": "{r} f{n}({a} a, int b) {{ {body} }}",
    "go": "func f{n}(a {a}, b int) {r} {{\n {body}\n}}",
    "rust": "fn f{n}(a: {a}, b: i64) -> {r} {{ {body} }}",
}


def _line(language: str, n: int, kind: str, a: str, b: int) -> str:
    """The tests' line for a case."""
    if language == "java":
        return f"{{ final {kind} a = {a}; told({n}, () -> s.f{n}(a, {b}), a); }}"
    if language == "cpp":
        return f"{{ auto a = {a}; told({n}, [](auto& a) {{ return f{n}(a, {b}); }}, a); }}"
    if language == "go":
        return f"{{ a := {a}; told({n}, a, func() interface{{}} {{ return f{n}(a, {b}) }}) }}"
    if language == "rust":
        if kind.startswith("&mut"):
            call = f'told({n}, || f{n}(&mut a, {b})); say({n}, format!("{{:?}}", a));'
            return f"{{ let mut a = {a}; {call} {call} }}"
        return f"{{ let a = {a}; told({n}, || f{n}(a.clone(), {b})); }}"
    return f"told({n}, f{n}, {a}, {b})"


def printed(text: str) -> dict[int, list[str]]:
    """Lines of each case."""
    found: dict[int, list[str]] = {}
    for line in text.splitlines():
        number, _, said = line.partition(" ")
        if number.isdigit():
            found.setdefault(int(number), []).append(said)
    return found


def differences(language: str, batch: list[Case]) -> Iterator[dict[str, Any]]:
    """The cases of a batch on which the two do not agree."""
    candidate, tests, whole = programs(language, batch)
    plain = run_program(whole, language=language, timeout=TIMEOUT_S, memory_mb=MEMORY_MB)
    if not plain.passed:
        raise RuntimeError(f"{language}: {plain}\n{whole}")
    ours = judge(candidate, tests, language=language, timeout=TIMEOUT_S, memory_mb=MEMORY_MB)
    expected, found = printed(plain.stdout), printed(ours.stdout)
    for n, case in enumerate(batch):
        if found.get(n) != expected[n]:
            said = found.get(n) or f"{ours.outcome} {ours.stderr[-600:]}"
            yield {"language": language, "case": case, "plain": expected[n], "ours": said}
            if not found:
                return


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=500)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--languages", nargs="*", default=LANGUAGES)
    options = parser.parse_args()
    missing, begun, counts, first = missing_toolchains(options.languages), time.monotonic(), {}, []
    for language in options.languages:
        if language not in missing:
            drawn = cases(language, options.cases, options.seed)
            batches = [drawn[at : at + A_PROGRAM] for at in range(0, len(drawn), A_PROGRAM)]
            found = [difference for batch in batches for difference in differences(language, batch)]
            counts[language] = {"cases": len(drawn), "differences": len(found)}
            first += found[:8]
    head = {"bench": "fidelity of languages", "machine": describe_machine()}
    print(
        json.dumps(
            head | {"seconds": round(time.monotonic() - begun, 1), "counts": counts, "first": first, "missing": missing}
        )
    )


if __name__ == "__main__":
    main()
