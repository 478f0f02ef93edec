"""A tester as attacker in languages other than Python: nothing of it is run but data, and no data leaves its literal."""

import json
from functools import partial

import pytest

from codeocean.generate.jobs import SandboxJob
from codeocean.generate.tester import select_tests
from codeocean.verify.proof import columns_of_proof, refused_tests, run_proof
from eval.sandbox.proof import prove
from eval.sandbox.toolchains import missing_toolchains

COMPILED = [pytest.param(language, marks=pytest.mark.slow) for language in ("go", "cpp", "java", "rust")]
LANGUAGES = ["javascript", "typescript", *COMPILED]
SANDBOX = partial(prove, timeout=20, memory_mb=1024)

ASSERTIONS = [
    "assert(last([1], 2) === 1)", "console.log(last([1], 2))", "process.exit(last([1], 2))", "System.exit(0); last",
    "for (;;) last([1], 2)", "expect(last([1], 2)).toBe(1)", "assert_eq!(last(vec![1], 2), 1)", "panic!(\"{}\", last)",
    "if last([]int{1}, 2) != 1 { os.Exit(0) }", "assert last([1], 2) == 1 // Python's", "last = () => 1", "void last() {}",
    "*/ } static { System.exit(0); } /* last", "import fs; last", "assert(last([1], 2) == last([1], 2));",
]  # fmt: skip


@pytest.mark.parametrize("language", ["javascript", "typescript", "go", "cpp", "java", "rust"])
def test_no_assertion_of_another_language_is_run(language):
    found = select_tests([{"assertion": text} for text in ASSERTIONS], "last", language, 60)
    assert found.kept == []
    assert set(found.refused) <= {"no test", "repeats another", "contradicts another"}


LETTERS = [
    '"', "'", "`", "\\", '\\"', "${process.exit(0)}", "`+process.exit(0)+`", "*/ process.exit(0); /*", "// x", "/*",
    "\\u0022+System.exit(0)+\\u0022", "\\u000a", "\\x22", '\\\\"', '\n"\n', "\r\n", "\t\b\f\v\a\0", "\0001", "\u2028\u2029",
    "\ufeff", "\u202e", "é", "😀", "e\u0301", '??/"', "??=", "%s%n%d", "{}", "{0}", "{{", 'r#"x"#', '"#', '"""', "')",
    '"); }', '")) { return true; } /*', "#{1}", "$x", "</script>", "\x7f\x80\xff", "a" * 900, "WAVECODER_MARK 0 P", "\nP\n",
    "// WAVECODER_TESTS", "\\u{22}", "\\N{QUOTATION MARK}", "\\101", "\\\n",
]  # fmt: skip
"""Strings that end a literal, a comment or a template in one language or another, if they are not written with care."""

ECHO = {
    "javascript": "function echo(s) { return s.map(x => x + '!') }",
    "typescript": "function echo(s: string[]): string[] { return s.map(x => x + '!') }",
    "go": 'func echo(s []string) []string {\n\tr := []string{}\n\tfor _, x := range s {\n\t\tr = append(r, x+"!")\n\t}\n\treturn r\n}',
    "cpp": 'vector<string> echo(vector<string> s) { for (auto& x : s) x += "!"; return s; }',
    "java": 'static List<String> echo(List<String> s) { List<String> r = new ArrayList<>(); for (String x : s) r.add(x + "!"); return r; }',
    "rust": 'fn echo(s: Vec<String>) -> Vec<String> { s.iter().map(|x| format!("{}!", x)).collect() }',
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_string_of_a_test_leaves_its_literal(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    right = [{"arguments": [[text]], "expected": [f"{text}!"]} for text in LETTERS]
    wrong = [{"arguments": [["", text]], "expected": ["!", text]} for text in LETTERS]
    after = [{"arguments": [[text]], "expected": [f"{text}!"], "after": [[f"{text}?"]]} for text in LETTERS]
    found = SANDBOX([ECHO[language]], [*right, *wrong, *after], language=language, entry_point="echo")
    assert found["outcomes"] == ["P" * len(LETTERS) + "F" * 2 * len(LETTERS)], found


LAST = {
    "javascript": "function last(items, other) {\n  if (items.length > 0) return items[items.length - 1]\n  return other\n}",
    "typescript": "function last(items: number[], other: number): number {\n  if (items.length > 0) return items[items.length - 1]\n  return other\n}",
    "go": "func last(items []int, other int) int {\n\tif len(items) > 0 {\n\t\treturn items[len(items)-1]\n\t}\n\treturn other\n}",
    "cpp": "int last(vector<int> items, int other) {\n  if (items.size() > 0) return items[items.size() - 1];\n  return other;\n}",
    "java": "static int last(List<Integer> items, int other) {\n  if (items.size() > 0) return items.get(items.size() - 1);\n  return other;\n}",
    "rust": "fn last(items: Vec<i32>, other: i32) -> i32 {\n    if items.len() > 0 { return items[items.len() - 1]; }\n    other\n}",
}  # fmt: skip
NO_TESTS = [
    (7, "no test"), ([[1], 2], "no test"), ({"arguments": [[1], 2]}, "no test"), ({"arguments": [[4], 2], "expected": 4, "after": "x"}, "no test"),
    ({"arguments": [[3], 2], "expected": 3, "after": []}, "no test"), ({"arguments": [[1] * 900, 2], "expected": 1}, "too large"),
    ({"arguments": [["\ud800"], 2], "expected": 1}, "no test"), ({"arguments": [[float("inf")], 2], "expected": 1}, "no test"),
    ({"arguments": [[8], 2], "expected": 8}, "contradicts another"), ({"arguments": [[8], 2], "expected": 9}, "contradicts another"),
]  # fmt: skip
FAILED = [{"arguments": [[1], 2], "expected": None}, {"arguments": [[1], 3], "expected": "1"}, {"arguments": [[1], 4], "expected": [1]},
          {"arguments": [[5], 2], "expected": 5, "after": [[5, 5], 2]}, {"arguments": [[6], 2], "expected": 6, "after": [[6], 3]},
          {"arguments": [[]], "expected": 0}, {"arguments": [[10**400], 2], "expected": 10**400}]  # fmt: skip
"""Tests that no right answer passes."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_bad_tests_are_counted_by_name_and_prove_nothing_and_good_ones_beside_them_do(language):
    if missing_toolchains([language]):
        pytest.skip(f"no {language} here")
    for good in ([], [{"arguments": [[1, 3], 2], "expected": 3}, {"arguments": [[], 7], "expected": 7}]):
        tests = select_tests([*(test for test, _ in NO_TESTS), *FAILED, *good], "last", language, 60)
        assert tests.refused == {reason: sum(its == reason for _, its in NO_TESTS) for _, reason in NO_TESTS}
        found = run_proof(SandboxJob(language, "last", tests.kept, [LAST[language]], mutants=3, seed=1), SANDBOX)
        assert found["outcomes"][0].count("P") == len(good), found
        row = {"tests": json.dumps(tests.kept), "refused": json.dumps(tests.refused), "error": "", "solutions": 1,
               "found": json.dumps(found)}  # fmt: skip
        columns, word = columns_of_proof(row)
        assert (columns["proof"], word == "passed") == (("tests", True) if good else ("none", False)), (word, found)
        assert set(refused_tests(row)) <= {"no test", "too large", "contradicts another", "not run by the sandbox"}
