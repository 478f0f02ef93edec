"""From an answer's code to a program that the tests can be put behind, in six languages."""

import re
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.languages import EVALUATED
from eval.answers.assemble import candidate_of_code, candidate_of_continuation, candidate_of_solution, go_imports
from eval.answers.braces import cut_at_close, without_block
from eval.answers.declarations import definition_start
from eval.answers.prompts import read_answer
from eval.answers.trees import is_code
from eval.benchmarks.humanevalpack import declaration_of


def problem_in(problems_of, language, number=0, task="fix"):
    return problems_of(f"humaneval{task}-{language}")[number]


@pytest.mark.parametrize("number", [0, 1])
@pytest.mark.parametrize("language", EVALUATED)
def test_an_answer_in_any_form_is_the_same_program(problems_of, language, number):
    """Body, function, or everything with imports, helpers and a main function of its own."""
    problem = problem_in(problems_of, language, number)
    whole = problem.declaration + problem.reference
    signature = problem.declaration.rstrip().rpartition("\n")[2]
    mains = {"python": "\nif 0: pass\n", "javascript": "\nmodule.exports = 1;\n", "go": "\nfunc main() {\n\tif true {\n\t}\n}\n",
             "java": "\npublic class Main {\n  public static void main(String[] args) { if (true) { } }\n}\n",
             "cpp": '\nint main() {\n  const char* brace = "}";\n  return 0;\n}\n',
             "rust": "\nfn main() {\n    println!(\"{}\", '}');\n}\n#[cfg(test)]\nmod tests {\n    use super::*;\n}\n"}  # fmt: skip
    forms = {
        "continuation": candidate_of_continuation(
            problem, problem.reference + "\n" + "trailing prose" * (language != "go")
        ),
        "whole": candidate_of_code(problem, whole),
        "with a main": candidate_of_code(problem, whole + mains[language]),
    }
    if language != "java":
        forms["function alone"] = candidate_of_code(problem, f"{signature}\n{problem.reference}")
    body = re.sub(r"\s+", "", problem.reference)
    for form, candidate in forms.items():
        squeezed = re.sub(r"\s+", "", candidate)
        assert squeezed.count(body.rstrip("}")) == 1, form
        assert len(re.findall(rf"\b{problem.entry_point}\b\s*[=(]", candidate)) >= 1, form
        assert "trailing prose" not in candidate
        if language == "go":
            assert candidate.count("package main") == 1 and "func main" not in candidate
        if language == "java":
            assert "class Main" not in candidate and candidate.count("class Solution") == 1
        if language == "cpp":
            assert "int main" not in candidate and "#include<vector>" in candidate
        if language == "rust":
            assert candidate.count("fn main") == 1 and "mod tests" not in candidate
    helpers = {"makePalindrome", "make_palindrome"} & {problem.entry_point}
    assert not helpers or all("alindrome" in candidate.replace(problem.entry_point, "") for candidate in forms.values())


@pytest.mark.skipif(shutil.which("node") is None, reason="no node on this machine")
def test_javascript_programs_run(problems_of, tmp_path):
    for problem in problems_of("humanevalfix-javascript"):
        for candidate in (candidate_of_continuation(problem, problem.reference),
                          candidate_of_code(problem, "export " + problem.declaration.strip().rpartition("\n")[2] + "\n" + problem.reference)):  # fmt: skip
            (tmp_path / "a.js").write_text(f"{candidate}\n{problem.tests}")
            done = subprocess.run(
                ["node", "a.js"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
            )
            assert done.returncode == 0 and "Assertion failed" not in done.stderr, done.stderr


def test_go_imports_follow_their_use():
    code = '// strings.Join is not used\nfunc f() { fmt.Println("math.Pi", sort.Ints) ; rand.Int() }'
    assert go_imports(code, {"fmt", "strings", "math", "sort", "math/rand"}) == (
        'import (\n    "fmt"\n    "math/rand"\n    "sort"\n)\n'
    )
    assert go_imports("func f() {}", {"fmt"}) == ""


def test_rust_names_are_imported_once(problems_of):
    problem = problem_in(problems_of, "rust")
    own = "use std::collections::HashMap;\nuse std::cmp::{self, max as most};\n\n"
    candidate = candidate_of_code(problem, own + problem.declaration.strip().rpartition("\n")[2] + problem.reference)
    paths = re.findall(r"^use (.*);", candidate, re.MULTILINE)
    names = [path.rpartition(" as ")[2].rpartition("::")[2] for path in paths]
    assert sorted(names) == sorted(set(names))
    assert {"std::collections::HashMap", "std::cmp", "std::cmp::max as most", "std::cmp::max", "regex::Regex"} <= set(
        paths
    )


def test_a_java_method_gets_its_class(problems_of):
    problem = problem_in(problems_of, "java")
    method = problem.declaration.strip().rpartition("\n")[2] + "\n" + problem.reference.rstrip().removesuffix("}")
    candidate = candidate_of_code(problem, f"import java.util.function.*;\n\n{method}")
    assert candidate.startswith(
        "import java.util.*;\nimport java.lang.*;\nimport java.util.function.*;\nclass Solution {"
    )
    public = candidate_of_code(problem, f"package x;\npublic class Solution {{\n{method}\n}}")
    assert "package" not in public and "public class" not in public and "class Solution" in public


def test_faulty_declarations_of_the_data_set_are_made_whole(problems_of):
    go = problem_in(problems_of, "go", 1)
    assert "func IsPalindrome" in go.declaration and "//" not in go.declaration  # its own lacks the helper
    assert "func IsPalindrome" in candidate_of_continuation(go, go.reference)
    row = {"declaration": "string f(string s){ \n   int l;\n", "entry_point": "f"}
    assert declaration_of(row, "cpp") == "string f(string s){\n"


def test_a_java_method_alone_gets_the_helpers(problems_of):
    problem = problem_in(problems_of, "java", 1)
    method = problem.declaration.strip().rpartition("\n")[2] + "\n" + problem.reference.rstrip().removesuffix("}")
    candidate = candidate_of_code(problem, method)
    assert candidate.count("boolean isPalindrome(") == 1 and candidate.count("class Solution") == 1
    own = "    public boolean isPalindrome(String s) { return true; }\n"
    assert candidate_of_code(problem, own + method).count("boolean isPalindrome(") == 1


def test_an_example_in_a_comment_is_no_definition():
    code = '/*\n>>> f("( )") \n{"()"}\n*/\n#include<vector>\nint f(int x){ return 1; }'
    assert definition_start(code, "f", "cpp") == code.index("int f(")


def test_a_python_continuation_ends_with_the_function(adding):
    text = "    return (a +\n        b)\n\nprint(add(input(), 1))\n"
    assert candidate_of_continuation(adding, text).endswith("return (a +\n        b)\n")
    assert "print" in candidate_of_continuation(adding, text, cut=False)


def test_samples_that_are_there_are_not_improved(adding):
    broken = "```python\ndef add(a, b): return a + b\n```"
    assert candidate_of_solution(adding, broken) == broken
    granted = replace(adding, prelude="import re")
    assert candidate_of_solution(granted, "x = re").startswith("import re")


GUARDS = {
    "a block": 'if __name__ == "__main__":\n    print(add(int(input()), 1))',
    "an expression": 'print(add(int(input()), 1)) if __name__ == "__main__" else None',
    "within try": 'try:\n    if __name__ == "__main__":\n        input()\nexcept KeyError:\n    pass',
    "with an else that defines": 'if "__main__" == __name__:\n    input()\nelse:\n    ZERO = 0\nadd(ZERO, 1)',
    "an assertion": 'assert __name__ != "__main__"',
    "a module that is found by its name": "import sys\nassert sys.modules[__name__].add is add",
}


@pytest.mark.parametrize("name", GUARDS)
def test_main_guards_do_not_run(adding, verdict_of, name):
    program = f"def add(a, b):\n    return a + b\n\n\n{GUARDS[name]}\n"
    assert candidate_of_solution(adding, program) == program
    assert verdict_of(program, adding) == "passed"


def test_a_method_of_a_class_of_another_name_is_called_for_in_java(problems_of):
    problem = problem_in(problems_of, "java")
    method = problem.declaration.strip().rpartition("\n")[2] + "\n" + problem.reference.rstrip().removesuffix("}")
    for name in ("Main", "Answer"):
        code = f"public class {name} {{\n{method}\n    {name}() {{ }}\n}}"
        candidate = candidate_of_code(problem, code)
        assert re.search(r"class Solution\b", candidate) and "Solution() { }" in candidate and name not in candidate


@pytest.mark.parametrize("export", ["export { half };", "export { half as default }", "export default half;"])
def test_exports_of_javascript_are_no_part_of_a_script(problems_of, export):
    problem = problem_in(problems_of, "javascript")
    assert (
        candidate_of_solution(problem, f"const half = (n) => n / 2;\n{export}\n").strip()
        == "const half = (n) => n / 2;"
    )


def test_braces_in_strings_and_comments_do_not_count():
    text = " a = \"}\"; // }\n /* } */ b = '}'; if (x) { } }\nrest }"
    assert cut_at_close(text, "cpp") == text.partition("\nrest")[0]
    assert cut_at_close("never closed {", "java", 1) == "never closed {"
    assert without_block("int main() { if (1) { } }\nint x;", r"int[ \t]+main", "cpp") == "\nint x;"
    assert without_block("int x;", r"int[ \t]+main", "cpp") == "int x;"
    assert cut_at_close('x: &\'a str = "{"; r#"}"# }}', "rust") == 'x: &\'a str = "{"; r#"}"# }'


@given(st.text(alphabet="{}\"'/*\\ \nab`#r", max_size=60))
def test_any_text_is_cut_to_a_beginning_of_it(text):
    for language in ("cpp", "rust", "javascript"):
        cut = cut_at_close(text, language)
        assert text.startswith(cut)
        assert cut == text or cut.endswith("}")


OWNERS = [
    ("cpp", "class Solution {\npublic:\n    bool {name}(vector<float>& numbers, float t) { return {yes}; }\n};",
     "{ return Solution().{name}(numbers, threshold); }"),
    ("rust", "impl Solution {\n    pub fn {name}(numbers: Vec<f32>, t: f32) -> bool { {yes} }\n}", "{ Solution::{name}(numbers, threshold) }"),
    ("rust", "struct S {}\n\nimpl S {\n    fn {name}(&self, numbers: Vec<f32>, t: f32) -> bool { {yes} }\n}", "{ (S {}).{name}(numbers, threshold) }"),
    ("go", "type S struct{}\n\nfunc (s *S) {name}(n []float64, t float64) bool { return {yes} }", "{ return new(S).{name}(numbers, threshold) }"),
    ("javascript", "class S {\n  static {name}(n, t) { return {yes}; }\n}", "const {name} = (...given) => ('{name}' in S ? S : new S()).{name}(...given);"),
    ("javascript", "exports.{name} = (n, t) => {yes};", "module.exports.{name};"),
    ("javascript", "module.exports = {\n  {name}(n, t) { return {yes}; },\n};", "module.exports.{name};"),
    ("javascript", "module.exports = function {name}(n, t) { return {yes}; };", "const {name} = typeof module.exports === 'function' ?"),
    ("javascript", "(root => {\n  root.{name} = (n, t) => {yes};\n})(globalThis);", "(globalThis)"),
    ("cpp", "namespace s {\nbool {name}(vector<float> numbers, float t) { return {yes}; }\n}\nusing s::{name};", "using s::{name};"),
]  # fmt: skip


@pytest.mark.parametrize(("language", "form", "wanted"), OWNERS)
def test_a_method_stands_for_the_function_that_the_tests_call(problems_of, language, form, wanted):
    problem = problem_in(problems_of, language, task="synthesize")
    answer = form.replace("{name}", problem.entry_point).replace("{yes}", "1 < 2")
    candidate = read_answer(problem, "chat", f"```{language}\n{answer}\n```")[1]
    assert wanted.replace("{name}", problem.entry_point) in candidate
    assert candidate.count("1 < 2") == 1 and is_code(candidate, language)
