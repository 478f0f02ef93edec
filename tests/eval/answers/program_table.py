"""Answers that are programs, methods, expressions, or functions of languages with braces.

`PROGRAMS` answers a problem that reads its input, `METHODS` one whose starter is a class, `PREDICTIONS` are of CRUXEval;
`WRAPPED` is put around one function in every language with braces.
"""

import json

from tests.eval.answers.reading_table import fenced

PROGRAM = "n = int(input())\nprint(n * 2)"
PROGRAMS = {
    "fenced": fenced(PROGRAM),
    "sample io behind": f"{fenced(PROGRAM)}\n\nInput:\n```\n2\n```\nOutput:\n```\n4\n```",
    "sample io before, no tag": f"Example:\n```\n2\n```\ngives\n```\n4\n```\nSo:\n{fenced(PROGRAM)}",
    "sample io before, all no tag": f"Example:\n```\n2\n```\ngives\n```\n4\n```\nSo:\n{fenced(PROGRAM, '')}",
    "def solve + main guard": fenced(
        "def solve():\n    n = int(input())\n    print(n * 2)\n\nif __name__ == '__main__':\n    solve()"
    ),
    "def main called": fenced("import sys\ndef main():\n    n = int(sys.stdin.readline())\n    print(n * 2)\nmain()"),
    "sys.stdin.read": fenced(
        "import sys\ndata = sys.stdin.read().split()\nsys.stdout.write(str(int(data[0]) * 2) + '\\n')"
    ),
    "open 0": fenced("n = int(open(0).read())\nprint(n + n)"),
    "unfenced": PROGRAM,
    "unfenced with prose": f"Here is the program:\n\n{PROGRAM}\n\nIt doubles the number.",
    "function then program in two blocks": f"First a helper:\n{fenced('def double(n):' + chr(10) + '    return n * 2')}\nThen the main program:\n{fenced('n = int(input())' + chr(10) + 'print(double(n))')}",
    "two versions": f"Slow:\n{fenced('n = int(input())' + chr(10) + 's = 0' + chr(10) + 'for i in range(n): s += 2' + chr(10) + 'print(s)')}\nFast:\n{fenced(PROGRAM)}",
    "wrong first": f"A first attempt:\n{fenced('n = int(input())' + chr(10) + 'print(n)')}\nThat is wrong. Final:\n{fenced(PROGRAM)}",
    "cpp first": f"C++:\n{fenced('#include <iostream>' + chr(10) + 'int main(){int n;std::cin>>n;std::cout<<2*n;}', 'cpp')}\nPython:\n{fenced(PROGRAM)}",
    "pseudo first": f"Pseudocode:\n```\nread n\nprint 2n\n```\nCode:\n{fenced(PROGRAM)}",
    "pseudo first parses": f"Idea:\n```\nn = read()\nprint(n)\n```\nCode:\n{fenced(PROGRAM)}",
    "run behind": f"{fenced(PROGRAM)}\nRun:\n```bash\necho 2 | python a.py\n```",
    "test of it behind": f"{fenced(PROGRAM)}\n\nTo test:\n```python\nassert 2 * 2 == 4\n```",
    "think": f"<think>\n{fenced('print(0)')}\n</think>\n{fenced(PROGRAM)}",
    "class Solution with main": fenced(
        "class Solution:\n    def double(self, n):\n        return 2 * n\n\nn = int(input())\nprint(Solution().double(n))"
    ),
    "exit": fenced("import sys\nn = int(input())\nprint(2 * n)\nsys.exit(0)"),
    "quit": fenced("n = int(input())\nprint(2 * n)\nquit()"),
    "threading": fenced(
        "import sys, threading\ndef main():\n    print(int(input()) * 2)\nthreading.stack_size(1 << 26)\nt = threading.Thread(target=main)\nt.start()\nt.join()"
    ),
    "input alias": fenced("import sys\ninput = sys.stdin.readline\nn = int(input())\nprint(2 * n)"),
    "async main": fenced("import asyncio\nasync def main():\n    print(int(input()) * 2)\nasyncio.run(main())"),
    "JSON": json.dumps({"code": PROGRAM}),
    "answer tags": f"<answer>\n{PROGRAM}\n</answer>",
    "code and end of turn": f"{fenced(PROGRAM)}<|im_end|>",
    "next turn": f"{fenced(PROGRAM)}<|im_end|>\n<|im_start|>user\nNow triple.<|im_end|>\n<|im_start|>assistant\n{fenced(PROGRAM.replace('2', '3'))}",
    "explanation pieces behind": f"{fenced(PROGRAM)}\n\n### Explanation\nWe read:\n{fenced('n = int(input())')}\nand print:\n{fenced('print(n * 2)')}",
    "explanation piece behind tagless": f"{fenced(PROGRAM)}\n\nExplanation: `print(n * 2)` doubles:\n```\nn * 2\n```",
    "steps then whole": f"1. Read:\n{fenced('n = int(input())')}\n2. Print:\n{fenced('print(n * 2)')}\n\nWhole:\n{fenced(PROGRAM)}",
    "steps only": f"1. Read:\n{fenced('n = int(input())')}\n2. Print:\n{fenced('print(n * 2)')}",
    "imports in a block": f"{fenced('import sys')}\n\n{fenced('n = int(sys.stdin.readline())' + chr(10) + 'print(2 * n)')}",
    "example usage variant if you want": f"{fenced(PROGRAM)}\n\nIf you want a function:\n{fenced('def double(n):' + chr(10) + '    return n * 2')}",
    "heredoc": fenced(f"cat > a.py << 'EOF'\n{PROGRAM}\nEOF\npython a.py", "bash"),
}

METHOD = "class Solution:\n    def halve(self, n: int) -> float:\n        return n / 2"
METHODS = {
    "class": fenced(METHOD),
    "class unfenced": METHOD,
    "function": fenced("def halve(n):\n    return n / 2"),
    "class and demo": fenced(METHOD + "\n\nsol = Solution()\nprint(sol.halve(3))"),
    "two classes": f"{fenced(METHOD.replace('/', '*'))}\nThat's a mistake. Fixed:\n{fenced(METHOD)}",
    "helper class": fenced(
        "class Node:\n    def __init__(self, v):\n        self.v = v\n\n" + METHOD.replace("n / 2", "Node(n / 2).v")
    ),
    "def solution": fenced(
        "def halve(n):\n    return n / 2\n\nclass Solution:\n    def halve(self, n):\n        return halve(n)"
    ),
    "skeleton first": f"```python\nclass Solution:\n    def halve(self, n: int) -> float:\n        pass\n```\n{fenced(METHOD)}",
    "skeleton first comment": f"```python\nclass Solution:\n    def halve(self, n: int) -> float:\n        # your code here\n```\n{fenced(METHOD)}",
    "skeleton behind": f"{fenced(METHOD)}\nfrom\n```python\nclass Solution:\n    def halve(self, n: int) -> float:\n        pass\n```",
}

WRAPPED = {
    "llama header": "<|start_header_id|>assistant<|end_header_id|>\n\n```{tag}\n{code}\n```<|eot_id|>",
    "next turn": "```{tag}\n{code}\n```<|im_end|>\n<|im_start|>user\nWrong!<|im_end|>\n<|im_start|>assistant\n```{tag}\n{wrong}\n```",
    "next instr": "{code}\n\n### Instruction:\nX\n\n### Response:\n{wrong}",
    "json": "{json}",
    "json prose": "Sure {x}: {json} ok",
    "tool call": '<tool_call>\n{"name": "f", "arguments": {json}}\n</tool_call>',
    "antArtifact": '<antArtifact identifier="half" language="{tag}">\n{code}\n</antArtifact>',
    "draft": "<draft>\n```{tag}\n{wrong}\n```\n</draft>\n```{tag}\n{code}\n```",
    "gemma4": "<|channel>thought\n```{tag}\n{wrong}\n```<channel|>{code}<turn|>",
    "good bad": "✅ Good:\n```{tag}\n{code}\n```\n❌ Bad:\n```{tag}\n{wrong}\n```",
    "bad comment": "```{tag}\n{code}\n```\n```{tag}\n// WRONG\n{wrong}\n```",
    "skeleton behind": "```{tag}\n{code}\n```\nwas\n```{tag}\n{empty}\n```",
    "md indented": "Here:\n\n{ind4}\n\nDone.",
    "eot": "```{tag}\n{code}<EOT>",
    "eot unfenced": "{code}<end_of_turn>",
    "br": "{br}",
    "ansi": "\x1b[34m{code}\x1b[0m",
    "bidi": "```{tag}\n\u200e{code}\n```",
    "boxed": "$\\boxed{{code}}$",
    "cdata": "<code><![CDATA[{code}]]></code>",
    "file comment": "```{tag}\n// file: half.{tag}\n{code}\n```",
    "fence with file": "```{tag}:src/half\n{code}\n```",
    "fence title": '```{tag} title="x"\n{code}\n```',
    "no tag prose wrong": "Original code:\n```\n{wrong}\n```\nFixed code:\n```\n{code}\n```",
    "diff": "```diff\n{diff}\n```",
    "steps": "1. **Step**: text\n2. Done\n\n```{tag}\n{code}\n```\n\n**Complexity**: `O(1)`\n\n- `n`: input",
    "example output": "```{tag}\n{code}\n```\n\nOutput:\n```text\n2.5\n```\nUsage:\n```bash\nrun it\n```",
    "single ticks": "Use `{code}` here.",
    "details": "<details><summary>Code</summary>\n\n```{tag}\n{code}\n```\n</details>",
    "plaintext tag": "```plaintext\n{code}\n```",
    "wrong lang tag": "```text\n{code}\n```",
    "uppercase": "```{TAG}\n{code}\n```",
    "inst": "[/INST] {code}</s>",
}

# fmt: off
KEPT = [
    ("go", "package main\n\nimport \"fmt\"\n\nfunc half(n float64) float64 {\n\treturn n / 2\n}\n\nfunc main() {\n\tfmt.Println(half(3))\n}", 'func half', ''),
    ("go", fenced("func half(n float64) float64 {\n\treturn n / 2\n}","go")+"\n"+fenced("func TestHalf(t *testing.T) {\n\tif half(2) != 1 { t.Fail() }\n}","go"), 'n / 2', 'TestHalf'),
    ("go", fenced("type pair struct {\n\ta, b float64\n}\n\nfunc (p pair) mid() float64 { return p.a / p.b }\n\nfunc half(n float64) float64 {\n\treturn pair{n, 2}.mid()\n}","go"), 'mid()|type pair', ''),
    ("go", fenced("var half = func(n float64) float64 { return n / 2 }","go"), 'var half', ''),
    ("go", fenced("const (\n\tone = iota + 1\n\ttwo\n)\n\nfunc half(n float64) float64 { return n / two }","go"), 'iota', ''),
    ("go", fenced("type num interface{ ~int | ~float64 }\n\nfunc half[T num](n T) T { return n / 2 }","go"), 'type num', ''),
    ("go", fenced("var two float64\n\nfunc init() { two = 2 }\n\nfunc half(n float64) float64 { return n / two }","go"), 'func init', ''),
    ("rust", fenced("impl Solution {\n    pub fn half(n: f64) -> f64 { n / 2.0 }\n}","rust"), 'half', ''),
    ("rust", fenced("fn half(n: f64) -> f64 { n / 2.0 }\n\n#[cfg(test)]\nmod tests {\n    use super::*;\n    #[test]\n    fn t() { assert_eq!(half(2.0), 1.0); }\n}","rust"), 'n / 2.0', 'mod tests'),
    ("rust", fenced("trait Half { fn h(&self) -> f64; }\nimpl Half for f64 { fn h(&self) -> f64 { self / 2.0 } }\nfn half(n: f64) -> f64 { n.h() }","rust"), 'trait Half|impl Half', ''),
    ("rust", fenced("const TWO: f64 = 2.0;\n\nfn half(n: f64) -> f64 { n / TWO }\n\nfn main() { println!(\"{}\", half(3.0)); }","rust"), 'TWO: f64', ''),
    ("rust", fenced("macro_rules! two { () => { 2.0 }; }\nfn half(n: f64) -> f64 { n / two!() }","rust"), 'macro_rules', ''),
    ("rust", fenced("#[derive(Debug, Clone)]\nstruct P { x: f64 }\n\nfn half(n: f64) -> f64 { let p = P { x: n }.clone(); p.x / 2.0 }","rust"), 'derive(Debug, Clone)', ''),
    ("rust", fenced("/// Halves.\n///\n/// ```\n/// assert_eq!(half(2.0), 1.0);\n/// ```\nfn half(n: f64) -> f64 { n / 2.0 }","rust"), 'n / 2.0', ''),
    ("rust", fenced("fn first<'a>(s: &'a [f64]) -> &'a f64 { &s[0] }\nfn half(n: f64) -> f64 { *first(&[n]) / 2.0 }","rust"), "first<'a>", ''),
    ("java", fenced("public static double half(double n) {\n    return n / 2;\n}","java"), 'half', ''),
    ("java", fenced("import java.util.*;\n\npublic class Solution {\n    public double half(double n) { return n / 2; }\n\n    public static void main(String[] args) { System.out.println(new Solution().half(3)); }\n}","java"), 'n / 2', ''),
    ("java", fenced("class Solution {\n    record P(double x) {}\n    public double half(double n) { return new P(n).x() / 2; }\n}","java"), 'record P', ''),
    ("java", fenced("interface Op { double f(double x); }\n\nclass Solution {\n    public double half(double n) { Op o = x -> x / 2; return o.f(n); }\n}","java"), 'interface Op', ''),
    ("java", fenced("class Solution {\n    @SuppressWarnings(\"unchecked\")\n    public double half(double n) { return n / 2; }\n}","java"), 'n / 2', ''),
    ("java", fenced("enum K { TWO(2); final double v; K(double v) { this.v = v; } }\nclass Solution {\n    public double half(double n) { return n / K.TWO.v; }\n}","java"), 'enum K', ''),
    ("java", fenced("class Solution {\n    public double half(double n) {\n        String s = \"\"\"\n            } brace\n            \"\"\";\n        return n / 2;\n    }\n}","java"), 'n / 2', ''),
    ("javascript", fenced("const half = function (n) { return n / 2; };","js"), 'half', ''),
    ("javascript", fenced("export default function half(n) { return n / 2; }","js"), 'n / 2', ''),
    ("javascript", fenced("module.exports = function half(n) { return n / 2; };","js"), 'n / 2', ''),
    ("javascript", fenced("exports.half = (n) => n / 2;","js"), 'n / 2', ''),
    ("javascript", fenced("class M { static two() { return 2; } }\nfunction half(n) { return n / M.two(); }","js"), 'class M', ''),
    ("javascript", fenced("const half = (() => { const two = 2; return (n) => n / two; })();","js"), 'two', ''),
    ("javascript", fenced("let half;\nhalf = (n) => n / 2;","js"), 'n / 2', ''),
    ("javascript", fenced("/**\n * Halves.\n * @example\n * ```js\n * half(2) // 1\n * ```\n */\nfunction half(n) {\n  return n / 2;\n}","js"), 'n / 2', ''),
    ("javascript", fenced("function half(n) {\n  const s = `a ${n} b`;\n  return n / 2;\n}","js"), 'n / 2', ''),
    ("javascript", fenced("function half(n: number): number {\n  return n / 2;\n}","typescript"), 'n / 2', ''),
    ("javascript", fenced("'use strict';\nfunction half(n) { return n / 2; }","js"), 'n / 2', ''),
    ("javascript", fenced("const assert = require('assert');\nconst { floor } = Math;\nfunction half(n) { return n / floor(2.5); }\nassert(half(2) === 1);","js"), 'floor } = Math', 'assert(half'),
    ("javascript", fenced("function* g() { yield 2; }\nconst half = n => n / g().next().value;","js"), 'function* g', ''),
    ("javascript", fenced("const t = {};\nt.two = 2;\n[1].forEach(x => { t[x] = x; });\nfunction half(n) { return n / t.two; }","js"), 't.two = 2', ''),
    ("javascript", fenced("const t = [];\nfor (let i = 0; i < 3; i++) t.push(i);\nfunction half(n) { return n / t[2]; }","js"), 't.push', ''),
    ("javascript", fenced("const t = [];\nfunction fill() { t.push(2); }\nfill();\nfunction half(n) { return n / t[0]; }","js"), 'fill();', ''),
    ("cpp", fenced("#include <bits/stdc++.h>\nusing namespace std;\n\ndouble half(double n) { return n / 2; }\n\nint main() { cout << half(3); }","cpp"), 'n / 2|bits/stdc++', ''),
    ("cpp", fenced("class Solution {\npublic:\n    double half(double n) { return n / 2; }\n};","cpp"), 'n / 2', ''),
    ("cpp", fenced("template <typename T>\nT half(T n) { return n / 2; }","cpp"), 'template', ''),
    ("cpp", fenced("auto half = [](double n) { return n / 2; };","cpp"), 'half', ''),
    ("cpp", fenced("#define TWO 2\ndouble half(double n) { return n / TWO; }","cpp"), '#define TWO', ''),
    ("cpp", fenced("struct P { double x; bool operator<(const P& o) const { return x < o.x; } };\ndouble half(double n) { P p{n}; return p.x / 2; }","cpp"), 'struct P', ''),
    ("cpp", fenced("#ifdef LOCAL\n#define DBG 1\n#endif\n#include <cmath>\ndouble half(double n) { return n / 2; }","cpp"), 'n / 2', ''),
    ("cpp", fenced("#pragma GCC optimize(\"O2\")\n#include <cmath>\ndouble half(double n) { return n / 2; }","cpp"), 'n / 2', ''),
    ("cpp", fenced("namespace util { double two() { return 2; } }\ndouble half(double n) { return n / util::two(); }","cpp"), 'namespace util', ''),
    ("cpp", fenced("double two();\ndouble half(double n) { return n / two(); }\ndouble two() { return 2; }","cpp"), 'double two();', ''),
    ("cpp", fenced("typedef long long ll;\nusing vd = std::vector<double>;\ndouble half(double n) { ll k = 2; vd v{n}; return v[0] / k; }","cpp"), 'typedef|using vd', ''),
    ("cpp", fenced("#pragma once\nstruct P { double x; };","cpp")+"\n"+fenced("#include \"p.h\"\n#include \"math.h\"\ndouble half(double n) { P p{n}; return p.x / 2; }","cpp"), 'struct P|math.h', 'p.h'),
    ("javascript", fenced("export const two = () => 2;","js")+"\n"+fenced("import { two } from './two.js';\nimport fs from 'fs';\nexport function half(n) { return n / two(fs); }","js"), "two = () => 2|'fs'", 'two.js'),
    ("rust", fenced("pub fn two() -> f64 { 2.0 }","rust")+"\n"+fenced("mod two;\nuse two::two;\nuse std::fmt;\nfn half(n: f64) -> f64 { n / two() }","rust"), 'fn two()|std::fmt', 'mod two|two::two'),
    ("cpp", fenced("double half(double n) { auto s = R\"(} ``` )\"; return n / 2; }","cpp"), 'n / 2', ''),
]
"""Language, answer, what the program keeps of it and what it leaves out."""

PREDICTIONS = [
    ("[ANSWER]\nassert f(1) == [2]\n[/ANSWER]","[2]",0),
    ("Output: `[2]`","[2]",0),
    ("**Answer:** `[2]`","[2]",0),
    ("The output is `[2]`.","[2]",0),
    ("\\boxed{[2]}","[2]",0),
    ("$\\boxed{[2]}$","[2]",0),
    ("```python\nassert f(1) == [2]\n```","[2]",0),
    ("f(1) → [2]","[2]",0),
    ("f(1) returns [2]","[2]",0),
    ("[ANSWER][2]","[2]",0),
    ("[ANSWER]f(1) == [2][/ANSWER]","[2]",0),
    ("== [2]","[2]",0),
    ("assert f(1) == [2]  # because","[2]",0),
    ("So the answer is:\n\n```\n[2]\n```","[2]",0),
    ("<answer>[2]</answer>","[2]",0),
    ("Final answer: [2]","[2]",0),
    ("[2]<|im_end|>","[2]",0),
    ("[ANSWER]\n```python\n[2]\n```\n[/ANSWER]","[2]",0),
    ('{"answer": "[2]"}',"[2]",0),
    ("[THOUGHT]\nx = [1]\n[/THOUGHT]\n[ANSWER]\n[2]\n[/ANSWER]","[2]",0),
    ("Let's see, f(1) == [3]? No.\n\nThe final output:\n[2]\n\nThis is because it doubles.","[2]",0),
    ("The function returns the list [2].","[2]",0),
    ("**Output:**\n```\n[2]\n```\n\nExplanation: it is.","[2]",0),
    ("[ANSWER]\nassert f(1) == [2]\n[/ANSWER]","f(1)",1),
    ("f(1)","f(1)",1),
    ("`f(1)`","f(1)",1),
    ("assert f(1) == [2]","f(1)",1),
    ("[ANSWER]assert f(input=1) == [2][/ANSWER]","f(input=1)",1),
    ("So `f(1)` gives [2].","f(1)",1),
    ("The input is 1, i.e. f(1) == [2]","f(1)",1),
    ("```python\nf(1)\n```","f(1)",1),
    ("<answer>f(1)</answer>","f(1)",1),
    ("Input: f(1)","f(1)",1),
]
"""Answers, the expression in each, and whether a call is wanted."""
# fmt: on
