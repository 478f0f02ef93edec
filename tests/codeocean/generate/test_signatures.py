"""Which function of some code is tested, and what is shown of it."""

import pytest

from codeocean.generate.signatures import signature_of

HEADS = {
    "python": ("def helper(x):\n    return x\n\ndef work(a: int, b=2) -> int:\n    return helper(a) + b\n", "work",
               "def work(a: int, b=2) -> int"),
    "javascript": ("const g = (a, b) => {\n  return a;\n};\n", "g", "const g = (a, b) =>"),
    "typescript": ("export function f(a: number): string {\n  return `${a}`;\n}\n", "f", "function f(a: number): string"),
    "java": ("public static int f(int a,\n    int b) {\n  return a;\n}", "f", "public static int f(int a, int b)"),
    "go": ("func F(a []int) (int, error) {\n\treturn 1, nil\n}\n", "F", "func F(a []int) (int, error)"),
    "cpp": ("int f(std::vector<int> a) {\n  return 1;\n}\n", "f", "int f(std::vector<int> a)"),
    "rust": ("pub fn f(a: &[i32]) -> i32 {\n    1\n}\n", "f", "pub fn f(a: &[i32]) -> i32"),
}  # fmt: skip


@pytest.mark.parametrize("language", HEADS)
def test_the_head_of_a_function_stands_without_its_body(language):
    code, name, head = HEADS[language]
    found = signature_of(code, language)
    assert (found.name, found.text) == (name, head)


def test_the_instruction_decides_between_functions():
    code = "def a(x):\n    return x\n\ndef b(x):\n    return x\n"
    assert signature_of(code, "python", "Write a(x).").name == "a"
    assert signature_of(code, "python").name == "b"


@pytest.mark.parametrize("code", ["class A:\n    def f(self):\n        pass\n", "x = 1", "def f(:", ""])
def test_what_cannot_be_called_alone_has_none(code):
    assert signature_of(code, "python") is None


def test_a_language_without_a_grammar_has_none():
    assert signature_of("fun f() = 1", "kotlin") is None


def test_java_without_a_bare_method_has_those_of_its_outermost_classes():
    code = (
        "public class Words {\n    Words() { }\n    private static int size(String s) { return s.length(); }\n"
        "    public static int total(String a, String b) { return size(a) + size(b); }\n"
        "    public static void main(String[] args) { total(args[0], args[1]); }\n}"
    )
    found = signature_of(code, "java", "Write a class with the method `size`.")
    assert found is not None and (found.name, found.text) == ("total", "public static int total(String a, String b)")
