"""A function alone, a class, and a program that is whole already: each becomes one program."""

import pytest

from codeocean.syntax import has_syntax_error
from codeocean.verify.programs import whole_program

FUNCTIONS = {
    "javascript": "const f = (a) => a + 1;",
    "go": "func F(a int) string {\n\treturn fmt.Sprint(a)\n}",
    "java": "public static int f(List<Integer> a) {\n    return a.size();\n}",
    "cpp": "int f(vector<int> a) {\n    return a.size();\n}",
    "rust": "fn f(a: &HashMap<i32, i32>) -> usize {\n    a.len()\n}",
}


@pytest.mark.parametrize("language", FUNCTIONS)
def test_a_function_becomes_a_program_that_parses_and_keeps_it(language):
    program = whole_program(FUNCTIONS[language], language)
    assert FUNCTIONS[language] in program
    assert not has_syntax_error(program, language)
    assert language == "javascript" or "main" in program


def test_what_is_whole_already_stays():
    go = 'package main\n\nimport "fmt"\n\nfunc main() { fmt.Println(1) }\n'
    assert whole_program(go, "go") == go
    assert whole_program("int main() { return 0; }", "cpp").count("main") == 1
    assert whole_program("fn main() {}", "rust").count("main") == 1
    java = whole_program("import java.io.*;\npublic class Main {\n  public static void main(String[] a) {}\n}", "java")
    assert java.count("class Main") == 1 and "import java.io.*;" in java


def test_a_public_class_gives_way_to_the_programs_own():
    java = whole_program("public final class Stack {\n}", "java")
    assert "public final class Stack" not in java and "final class Stack" in java
    assert java.count("public class") == 1


def test_imports_of_go_are_those_that_are_used():
    assert 'import "math/rand"' in whole_program("func f() int { return rand.Intn(3) }", "go")
    assert "import" not in whole_program("func f(s S) int { return s.math.x }", "go")


def test_of_other_languages_none_is_made():
    assert whole_program("def f; end", "ruby") is None
