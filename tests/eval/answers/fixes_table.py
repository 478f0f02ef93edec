"""Answers that mend a function which the question shows, that continue its declaration, and in languages with braces."""

from tests.eval.answers.forms_table import BODY, CODE, HELPED, LINES, PROMPT, SHORT, TQ, WRONG, console, led, numbered
from tests.eval.answers.reading_table import FUNCTIONS, fenced

GOOD, BAD = "        result.append(min(max(value, low), high))", "        result.append(max(min(value, low), high))"
AROUND = [" " + LINES[2], "-" + BAD, "+" + GOOD, " " + LINES[4]]
QUESTION = f"{PROMPT}{WRONG.partition(chr(10))[2]}"

FIXES = {
    "the buggy one quoted, then the fix": f"Your code:\n{fenced(WRONG)}\nThe bug: min and max are swapped.\n{fenced(CODE)}",
    "the question whole, then the fix": f"{fenced(QUESTION)}\nmin and max are swapped. Here is the corrected version:\n{fenced(PROMPT + BODY)}",
    "the fix, then the buggy one": f"{fenced(CODE)}\nIn the code that you posted they were swapped:\n{fenced(WRONG)}",
    "the buggy one, marked": f"{fenced(WRONG.replace(BAD, BAD + '  # <-- BUG: swapped'))}\nshould be\n{fenced(CODE)}",
    "the buggy one in a quotation, no fences": f"{led('> ', WRONG)}\n\nmin and max are swapped:\n\n{CODE}",
    "the buggy one numbered": f"{fenced(numbered('{} | ', code=WRONG), '')}\nLine 4 is wrong.\n{fenced(CODE)}",
    "the buggy one unfenced, then the fix": f"{WRONG}\n\nmin and max are swapped. Fixed:\n\n{CODE}",
    "the line quoted, then the whole": f"Change\n{fenced(BAD.strip())}\nto\n{fenced(GOOD.strip())}\nAll of it:\n{fenced(CODE)}",
    "the whole, then the line": f"{fenced(CODE)}\nThe change:\n{fenced('# before' + chr(10) + BAD.strip() + chr(10) + '# after' + chr(10) + GOOD.strip())}",
    "the line of the fault behind": f"{fenced(CODE)}\n\nThe problem was this line:\n{fenced(BAD)}",
    "a demonstration of the bug behind": f"{fenced(CODE)}\n\nYours fails here:\n{fenced('print(clamp_all([1], 2, 6))  # [6]')}",
    "a patch of the whole": fenced(
        "\n".join(["@@ -1,5 +1,5 @@", *(f" {line}" for line in LINES[:3]), "-" + BAD, "+" + GOOD, f" {LINES[4]}"]),
        "diff",
    ),
    "a patch of one place": fenced(
        "\n".join(["--- a/clamp.py", "+++ b/clamp.py", "@@ -10,3 +10,3 @@", *AROUND]), "diff"
    ),
    "a patch of one place without a head": fenced("\n".join(AROUND), "diff"),
    "a patch without its context": fenced(f"-{BAD}\n+{GOOD}", "diff"),
    "a patch that lost a blank": fenced(
        "\n".join(line.replace("    ", "", 1) if line[0] == " " else line[0] + line[5:] for line in AROUND), "diff"
    ),
    "a patch unfenced": "--- clamp.py\n+++ clamp.py\n@@ -10,3 +10,3 @@\n" + "\n".join(AROUND),
    "a patch with the function's name in its head": fenced(
        "\n".join(["@@ -9,4 +9,4 @@ def clamp_all(values, low, high):", " " + LINES[1], *AROUND]), "diff"
    ),
    "a patch with a note": fenced(
        "\n".join(
            [
                "diff --git a/clamp.py b/clamp.py",
                "index 123..456 100644",
                "--- a/clamp.py",
                "+++ b/clamp.py",
                "@@ -10,3 +10,3 @@",
                *AROUND,
                "\\ No newline at end of file",
            ]
        ),
        "patch",
    ),
    "search and replace of one line": f"clamp.py\n```python\n<<<<<<< SEARCH\n{BAD}\n=======\n{GOOD}\n>>>>>>> REPLACE\n```",
    "search and replace unfenced": f"<<<<<<< SEARCH\n{LINES[2]}\n{BAD}\n=======\n{LINES[2]}\n{GOOD}\n>>>>>>> REPLACE",
    "search and replace of the whole": f"<<<<<<< ORIGINAL\n{WRONG}\n=======\n{CODE}\n>>>>>>> UPDATED",
    "a patch of OpenAI's form": "*** Begin Patch\n*** Update File: clamp.py\n@@ def clamp_all\n"
    + "\n".join(AROUND)
    + "\n*** End Patch",
    "a tool that replaces": '{"command": "str_replace", "path": "clamp.py", "old_str": "'
    + BAD
    + '", "new_str": "'
    + GOOD
    + '"}',
    "struck out and new in one patch, then the whole": f"{fenced('-' + BAD + chr(10) + '+' + GOOD, 'diff')}\n\nComplete:\n{fenced(CODE)}",
    "the whole, then a patch": f"{fenced(CODE)}\n\nWhat changed:\n{fenced('-' + BAD + chr(10) + '+' + GOOD, 'diff')}",
    "two patches": fenced(f"-{LINES[1]}\n+    result = list()", "diff") + "\n" + fenced(f"-{BAD}\n+{GOOD}", "diff"),
    "the fix with a table before": f"| line | bug |\n|---|---|\n| 4 | `{BAD.strip()}` |\n\n{fenced(CODE)}",
    "the fix in bold words": f"**Buggy code:**\n{fenced(WRONG)}\n**Corrected code:**\n{fenced(CODE)}\n**Explanation:** swapped.",
    "the fix renamed and set again": fenced(
        CODE.replace("clamp_all", "clamp_all_fixed") + "\n\nclamp_all = clamp_all_fixed"
    ),
    "there is no bug to see": f"The function:\n{fenced(CODE)}\nis correct, if `low <= high`.",
    "the tests of the question behind": f"{fenced(CODE + chr(10) * 2 + 'assert clamp_all([1, 5, 9], 2, 6) == [2, 5, 6]')}",
    "a check function": fenced(
        CODE + "\n\ndef check(clamp_all):\n    assert clamp_all([1, 5, 9], 2, 6) == [2, 5, 6]\n\ncheck(clamp_all)"
    ),
}

BODIES = {
    "body": BODY,
    "body in a fence": fenced(BODY),
    "body, first line at the margin": BODY.strip(),
    "body, first line at the margin, in a fence": fenced(BODY.strip()),
    "body set out": fenced("\n".join(line[4:] for line in BODY.split("\n"))),
    "body by two": fenced(BODY.replace("    ", "  ")),
    "body by tabs": fenced(BODY.replace("    ", "\t")),
    "body by tabs, first line at the margin": BODY.replace("    ", "\t").strip(),
    "the docstring goes on": f"    >>> clamp_all([], 2, 6)\n    []\n    {TQ}\n{BODY}",
    "the docstring ends": f"    {TQ}\n{BODY}",
    "signature without its types": fenced(CODE),
    "signature and docstring": fenced(PROMPT.partition("\n\n\n")[2] + BODY),
    "signature unfenced, prose around": f"Here is the completed function:\n\n{PROMPT}{BODY}\n\nIt runs in O(n).",
    "body unfenced, prose around": f"Here is the body:\n\n{BODY}\n\nIt runs in O(n).",
    "body and prose right behind": f"{BODY}\nThis clamps each value.",
    "body and tests at the margin": f"{BODY}\n\n\n# Tests\nassert clamp_all([1], 2, 6) == [2]\nprint('ok')",
    "body and check at the margin": f"{BODY}\n\n\ndef check(candidate):\n    assert candidate([1], 2, 6) == [2]\n\n\ncheck(clamp_all)",
    "body that calls a helper behind it": "    return [inside(v, low, high) for v in values]\n\n\ndef inside(v, low, high):\n    return min(max(v, low), high)",
    "body and another signature behind": f"{BODY}\n\n\ndef clamp_one(value, low, high):\n    {TQ}Clamp one.{TQ}\n    pass",
    "body behind a comment": fenced(f"    # Go over all values.\n{BODY}"),
    "body behind an ellipsis": fenced(f"def clamp_all(values, low, high):\n    # ...\n{BODY}"),
    "body with a nested function": fenced(
        "    def inside(v):\n        return min(max(v, low), high)\n\n    return [inside(v) for v in values]"
    ),
    "body of one return in prose": "You just need `return [min(max(v, low), high) for v in values]`.",
    "the prompt's end, then the body": f"...\n    {TQ}\n{BODY}",
    "a body in JSON": '{"body": "    return [min(max(v, low), high) for v in values]"}',
    "a body in JSON, completion": '{"completion": "return [min(max(v, low), high) for v in values]"}',
    "a body in a quotation": led("> ", BODY),
    "a body numbered": fenced(numbered("{} | ", 11, BODY)),
    "a body in a patch": fenced(led("+", BODY), "diff"),
    "a body in marks": f"[BEGIN]\n{BODY}\n[DONE]",
    "a body in tags": f"<code>\n{BODY}\n</code>",
    "a body and its end of turn": f"{BODY}<|im_end|>",
    "a body at a console": fenced(console(SHORT)),
    "prompt, then the body in a second fence": f"{fenced(PROMPT)}\n{fenced(BODY)}",
    "skeleton, then whole": f"{fenced(PROMPT + '    pass')}\n{fenced(PROMPT + BODY)}",
    "helper in the prompt's place": fenced(
        HELPED.replace("def clamp_all(values, low, high):", PROMPT.partition("\n\n\n")[2].rstrip())
    ),
}

BRACED = {
    "javascript": ("const half = (n) => {\n", "  return n / two();\n}", "  return n * two();\n}"),
    "java": (
        "class Solution {\n    public double half(double n) {\n",
        "        return n / two();\n    }\n}",
        "        return n * two();\n    }\n}",
    ),
    "go": ("func half(n float64) float64 {\n", "\treturn n / two()\n}", "\treturn n * two()\n}"),
    "cpp": ("double half(double n){\n", "    return n / two();\n}", "    return n * two();\n}"),
    "rust": ("fn half(n: f64) -> f64 {\n", "    n / two()\n}", "    n * two()\n}"),
}
"""A declaration, its right body and one with a bug."""

J, JS = FUNCTIONS["java"], FUNCTIONS["javascript"]
KEPT = [
    # markup, consoles, numbers: in each language
    *[(name, led(">! ", fenced(code, name)), "n / 2", "!") for name, code in FUNCTIONS.items() if name != "cpp"],
    *[(name, led("> > ", fenced(code, name)), "n / 2", "> >") for name, code in FUNCTIONS.items()],
    *[(name, f"||{code}||", "n / 2", "||") for name, code in FUNCTIONS.items()],
    *[(name, numbered("{:6}→", 1, code), "n / 2", "→") for name, code in FUNCTIONS.items()],
    *[(name, numbered("{}\t", 1, code), "n / 2", "1\t") for name, code in FUNCTIONS.items()],
    *[(name, numbered("L{}: ", 1, code), "n / 2", "L1") for name, code in FUNCTIONS.items()],
    *[(name, numbered("/* {} */ ", 1, code), "n / 2", "") for name, code in FUNCTIONS.items() if name != "cpp"],
    *[(name, f'<pre lang="{name}"><code>{code}</code></pre>', "n / 2", "<pre") for name, code in FUNCTIONS.items()],
    *[(name, f"[source,{name}]\n----\n{code}\n----", "n / 2", "----") for name, code in FUNCTIONS.items()],
    *[(name, f'```{name} title="half" {{1,2}}\n{code}\n``', "n / 2", "`") for name, code in FUNCTIONS.items()],
    *[
        (name, f"<write_to_file>\n<path>half</path>\n<content>\n{code}\n</content>\n</write_to_file>", "n / 2", "<path")
        for name, code in FUNCTIONS.items()
    ],
    *[(name, fenced(code.replace("\n", "\r\r\n"), name), "n / 2", "\r") for name, code in FUNCTIONS.items()],
    *[
        (name, f"In Python:\n```\ndef half(n):\n    return n / 3\n```\nIn {name}:\n```\n{code}\n```", "n / 2", "n / 3")
        for name, code in FUNCTIONS.items()
    ],
    # one language each
    (
        "javascript",
        "```js\n> function half(n) {\n...   return n / 2;\n... }\nundefined\n> half(3)\n1.5\n```",
        "n / 2",
        "undefined|> ",
    ),
    (
        "javascript",
        fenced(
            "function half(n, k) {\n  return k === undefined ? half(n, 2) : n / k;\n}\nmodule.exports = { half };", "js"
        ),
        "n / k",
        "exports",
    ),
    (
        "javascript",
        fenced(
            "import { strict as assert } from 'node:assert';\n\nexport function half(n) {\n  return n / 2;\n}\n\nassert.equal(half(2), 1);",
            "js",
        ),
        "n / 2",
        "assert.equal",
    ),
    ("javascript", fenced("const half = async.memoize ? null : (n) => n / 2;", "js"), "n / 2", ""),
    (
        "javascript",
        fenced(
            "class Halver {\n  constructor(k) { this.k = k; }\n  of(n) { return n / this.k; }\n}\n\nconst halver = new Halver(2);\nconst half = halver.of.bind(halver);",
            "js",
        ),
        "class Halver|new Halver|bind",
        "",
    ),
    (
        "javascript",
        fenced(
            "const curry = (f) => (a) => (b) => f(a, b);\nconst half = curry((k, n) => n / k)(2);\nconsole.log(half(4));",
            "js",
        ),
        "curry|n / k",
        "console",
    ),
    (
        "javascript",
        fenced(
            "describe('half', () => {\n  it('halves', () => expect(half(2)).toBe(1));\n});\n\nfunction half(n) { return n / 2; }",
            "js",
        ),
        "n / 2",
        "describe",
    ),
    (
        "javascript",
        f"{fenced('function half(n) {' + chr(10) + '  return n;' + chr(10) + '}', 'js')}\nOops. Here is the corrected version:\n{fenced(JS, 'js')}",
        "n / 2",
        "return n;",
    ),
    (
        "javascript",
        "1. First\n\n       function half(n) {\n         return n / 2;\n       }\n\n2. Done",
        "n / 2",
        "Done",
    ),
    (
        "java",
        fenced(
            "public class Main {\n    public static double half(double n) { return n / 2; }\n\n    public static void main(String[] args) {\n        System.out.println(half(3));\n    }\n}",
            "java",
        ),
        "n / 2",
        "",
    ),
    (
        "java",
        fenced(
            "class Solution {\n    public double half(double n) { return half(n, 2); }\n\n    private double half(double n, double k) { return n / k; }\n}",
            "java",
        ),
        "half(n, 2)|n / k",
        "",
    ),
    (
        "java",
        fenced(
            "public double half(double n) { return half(n, 2); }\n\nprivate double half(double n, double k) { return n / k; }",
            "java",
        ),
        "half(n, 2)|n / k",
        "",
    ),
    ("java", f"{fenced('import java.util.*;', 'java')}\nthen\n{fenced(J, 'java')}", "import java.util|n / 2", ""),
    (
        "java",
        "jshell> double half(double n) {\n   ...>     return n / 2;\n   ...> }\n|  created method half(double)\n\njshell> half(3)\n$2 ==> 1.5",
        "n / 2",
        "jshell|created",
    ),
    (
        "java",
        f"{fenced(J, 'java')}\n\nTest:\n{fenced('import org.junit.Test;' + chr(10) * 2 + 'public class SolutionTest {' + chr(10) + '    @Test public void half() { }' + chr(10) + '}', 'java')}",
        "n / 2",
        "SolutionTest",
    ),
    (
        "java",
        fenced(
            "import java.util.function.DoubleUnaryOperator;\n\nclass Solution {\n    private static final DoubleUnaryOperator HALF = n -> n / 2;\n\n    public double half(double n) { return HALF.applyAsDouble(n); }\n}",
            "java",
        ),
        "HALF|import",
        "",
    ),
    (
        "go",
        fenced(
            'package main\n\nimport (\n\t"fmt"\n\t"testing"\n)\n\nfunc half(n float64) float64 {\n\treturn n / 2\n}\n\nfunc ExampleHalf() {\n\tfmt.Println(half(2))\n}',
            "go",
        ),
        "n / 2",
        "ExampleHalf",
    ),
    (
        "go",
        fenced(
            "type halver float64\n\nfunc (h halver) of(n float64) float64 { return n / float64(h) }\n\nfunc half(n float64) float64 { return halver(2).of(n) }",
            "go",
        ),
        "type halver|of(n",
        "",
    ),
    (
        "go",
        f"{fenced('import ' + chr(34) + 'math' + chr(34), 'go')}\n{fenced('func half(n float64) float64 {' + chr(10) + chr(9) + 'return math.Abs(n / 2)' + chr(10) + '}', 'go')}",
        "math.Abs|import",
        "",
    ),
    (
        "go",
        fenced(
            "var (\n\ttwo = 2.0\n)\n\nfunc half(n float64) float64 { return n / two }\n\nfunc BenchmarkHalf(b *testing.B) {\n\tfor i := 0; i < b.N; i++ {\n\t\thalf(3)\n\t}\n}",
            "go",
        ),
        "two = 2.0",
        "Benchmark",
    ),
    (
        "cpp",
        fenced(
            "double half(double n, double k);\n\ndouble half(double n) { return half(n, 2); }\n\ndouble half(double n, double k) { return n / k; }",
            "cpp",
        ),
        "half(n, 2)|n / k|k);",
        "",
    ),
    (
        "cpp",
        f"{fenced('#include <cmath>', 'cpp')}\n{fenced('double half(double n) { return std::fabs(n / 2); }', 'cpp')}",
        "#include <cmath>|fabs",
        "",
    ),
    (
        "cpp",
        "Add\n```cpp\n#include <cmath>\n```\nat the top:\n```cpp\ndouble half(double n) {\n    return std::fabs(n / 2);\n}\n```\nand test it:\n```cpp\nint main() {\n    assert(half(2) == 1);\n}\n```",
        "#include <cmath>|fabs",
        "assert",
    ),
    (
        "cpp",
        fenced(
            "template <int K>\nstruct Part { static double of(double n) { return n / K; } };\n\ndouble half(double n) { return Part<2>::of(n); }",
            "cpp",
        ),
        "struct Part|n / K",
        "",
    ),
    (
        "rust",
        fenced(
            "pub fn half(n: f64) -> f64 {\n    half_by(n, 2.0)\n}\n\nfn half_by(n: f64, k: f64) -> f64 {\n    n / k\n}\n\n#[test]\nfn halves() {\n    assert_eq!(half(2.0), 1.0);\n}",
            "rust",
        ),
        "half_by(n, 2.0)|n / k",
        "assert_eq",
    ),
    (
        "rust",
        fenced(
            "mod parts {\n    pub fn of(n: f64) -> f64 { n / 2.0 }\n}\n\nuse parts::of;\n\nfn half(n: f64) -> f64 { of(n) }",
            "rust",
        ),
        "mod parts|use parts",
        "",
    ),
    (
        "rust",
        fenced(
            "const fn two() -> f64 { 2.0 }\n\n#[inline(always)]\npub fn half<T: Into<f64>>(n: T) -> f64\nwhere\n    T: Copy,\n{\n    n.into() / two()\n}",
            "rust",
        ),
        "two()|where",
        "",
    ),
    ("rust", ">> fn half(n: f64) -> f64 {\n..     n / 2.0\n.. }\n>> half(3.0)\n1.5", "n / 2.0", ">>|1.5"),
    *[(name, fenced(code, name).replace("\n", "\\n"), "n / 2", "`|\\n") for name, code in FUNCTIONS.items()],
    *[
        (name, f"{fenced(code, name)}\nNot like this:\n{fenced(code.replace('/ 2', '* 2'), name)}", "n / 2", "* 2")
        for name, code in FUNCTIONS.items()
    ],
]
