"""Extraction against Python's own parser, and on small real functions of each language."""

import ast
import inspect
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from codeocean.collect.docstrings import strip_docstring
from codeocean.collect.functions import extract_documented
from codeocean.grammars import GRAMMARS, language_of
from codeocean.syntax import has_empty_body, has_syntax_error, is_comment_only

STDLIB = Path(json.__file__).parents[1]
MODULES = ("json/decoder.py", "heapq.py", "textwrap.py", "statistics.py", "difflib.py", "asyncio/events.py",
           "asyncio/streams.py", "numbers.py", "pydoc.py", "doctest.py", "distutils/command/register.py",
           "smtplib.py", "zipfile.py")  # fmt: skip
"""Among them functions of a docstring alone, escapes in docstrings, and strings that reach back to the first column."""

SAMPLES = {
    "javascript": ("/**\n * Adds two.\n * @param a first\n */\nexport const add = (a, b) => {\n  return a + b;\n};\n",
                   "add", "Adds two.\n@param a first"),
    "java": ("class A {\n  /** Doubles it. */\n  @Override\n  public int twice(int x) {\n    return 2 * x;\n  }\n}\n",
             "A.twice", "Doubles it."),
    "go": ("package a\n\n// Sum adds.\n// Both of them.\nfunc Sum(a, b int) int {\n\treturn a + b\n}\n",
           "Sum", "Sum adds.\nBoth of them."),
    "php": ("<?php\nclass B {\n  /**\n   * Greets.\n   */\n  public function hi($n) {\n    return \"hi $n\";\n  }\n}\n",
            "B.hi", "Greets."),
    "ruby": ("class A\n  # Squares it.\n  # Really.\n  def square(x)\n    x * x\n  end\nend\n", "A.square",
             "Squares it.\nReally."),
    "c": ("#include <x.h>\n\n/**\n * Adds two.\n */\nstatic int *add(int a, int b)\n{\n\treturn &sums[a + b];\n}\n",
          "add", "Adds two."),
    "cpp": (("namespace n {\nclass Stack {\n public:\n  /// Pushes one.\n  /// @param x it\n  template <class T>\n"
            "  int &push(T x) const override { return v(x); }\n};\n}\n"), "Stack.push", "Pushes one.\n@param x it"),
    "csharp": (("class A {\n  /// <summary>Doubles <paramref name=\"x\"/> &amp; more.</summary>\n"
               "  /// <param name=\"x\">The <see cref=\"T:System.Int32\"/>.</param>\n  [Pure]\n"
               "  public int Twice(int x) { return 2 * x; }\n}\n"), "A.Twice",
               "Doubles x & more.\n@param x The System.Int32."),
    "typescript": (("export abstract class A<T> {\n  /** Doubles it. */\n  @memo()\n"
                   "  private twice(x: number): number { return 2 * x; }\n}\n"), "A.twice", "Doubles it."),
    "rust": (("impl<T> Stack<T> {\n    /// Pushes one.\n    /// Really.\n    #[inline]\n"
             "    pub fn push(&mut self, x: T) -> usize {\n        self.v.push(x)\n    }\n}\n"), "Stack.push",
             "Pushes one.\nReally."),
}  # fmt: skip


def documented_by_ast(source: str) -> list[tuple[str, str, str]]:
    """The outermost documented functions in order: name, docstring, and the tree without it."""
    found, pending = [], [(ast.parse(source), "")]
    while pending:
        node, owner = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node, clean=False)
            if docstring is not None:
                node.body = node.body[1:] or [ast.Pass()]
                found.append((owner + node.name, inspect.cleandoc(docstring), ast.dump(node)))
                continue
        elif isinstance(node, ast.ClassDef):
            owner += f"{node.name}."
        pending.extend((child, owner) for child in reversed(list(ast.iter_child_nodes(node))))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_python_agrees_with_its_own_parser(module):
    path = STDLIB / module
    if not path.exists():
        pytest.skip(f"this Python has no {module}")
    source = path.read_text(encoding="utf-8")
    found = [(function.name, function.docstring, ast.dump(ast.parse(function.code).body[0]))
             for function in extract_documented(source.encode(), "python")]  # fmt: skip
    assert found == documented_by_ast(source)


DOCSTRINGS = st.sampled_from(
    ['"""Doc."""', "'Doc.'", 'r"""A\\d"""', '"""A\\n\\tb."""', '("Doc "\n            "more.")', '"A" "b"',
     '"""A\n\n  b\n"""', 'b"no"', 'f"no"', "...", '"""Doc."""; x = 1', '"""Doc."""  # remark']
)  # fmt: skip
BODIES = st.sampled_from(
    ["return 1", "return '''\nflush\n  left\n'''", "# remark\n        return 2", "\n        return '\ta\tb'", "",
     "# remark", "def inner():\n            'Inner.'\n            return 3\n        return inner"]
)  # fmt: skip


@given(DOCSTRINGS, BODIES, st.sampled_from(["", "@staticmethod\n    ", "async "]))
def test_any_docstring_and_body_agree_with_pythons_parser(docstring, body, before):
    source = f"class A:\n    {before}def f(a,\n          b=1):\n        {docstring}\n        {body}\n\n    x = 1\n"
    found = [(function.name, function.docstring, ast.dump(ast.parse(function.code).body[0]))
             for function in extract_documented(source.encode(), "python")]  # fmt: skip
    assert found == documented_by_ast(source)


@pytest.mark.parametrize("language", SAMPLES)
def test_documentation_comment_is_taken_apart_from_the_code(language):
    source, name, docstring = SAMPLES[language]
    (function,) = extract_documented(source.encode(), language)
    assert (function.name, function.docstring) == (name, docstring)
    assert docstring.splitlines()[0] not in function.code
    assert not has_syntax_error(function.code, language)


@pytest.mark.parametrize("language", SAMPLES)
def test_undocumented_function_is_left_out(language):
    source, _, _ = SAMPLES[language]
    bare = "\n".join(line for line in source.splitlines() if not line.strip().startswith(("/**", "*", "//", "#")))
    assert list(extract_documented(bare.encode(), language)) == []


@pytest.mark.parametrize(
    ("language", "source"),
    [
        ("ruby", "# About the file.\n\ndef f\n 1\nend\n"),
        ("go", "package a\n\nvar x = 1 // A remark.\nfunc F() int {\n\treturn x\n}\n"),
        ("javascript", "/* Not a documentation. */\nfunction f() { return 1; }\n"),
        ("javascript", "/**/\nfunction f() { return 1; }\n"),
        ("javascript", "/** About x. */\nconst x = 3, f = () => x;\n"),
        ("javascript", "/** About the call. */\nrun(function () { return 1; });\n"),
        ("python", "def f():\n    b'Bytes.'\n    return 1\n"),
        ("c", "int x; ///< About x.\nint f(void) { return 1; }\n"),
        ("c", "/* Not a documentation. */\nint f(void) { return 1; }\n"),
        ("cpp", "////////////////\nint f() { return 1; }\n"),
        ("rust", "//! About the module.\n\nfn f() {}\n"),
        ("rust", "// A remark.\n#[inline]\nfn f() {}\n"),
    ],
)
def test_a_comment_about_something_else_documents_nothing(language, source):
    assert list(extract_documented(source.encode(), language)) == []


@pytest.mark.parametrize(
    ("language", "source", "name", "code", "docstring"),
    [
        ("go", "// F says.\n//go:noinline\nfunc (t *T) F() string {\n\treturn \"a\tb\"\n}\n", "F",
         'func (t *T) F() string {\n\treturn "a\tb"\n}', "F says."),
        ("ruby", "class A\n  # Hides.\n  private def q\n    1\n  end\nend\n", "A.q", "private def q\n  1\nend",
         "Hides."),
        ("ruby", "class A\n  # Tells.\n  def f\n    <<-B\n  flush\n    B\n  end\nend\n", "A.f",
         "def f\n  <<-B\n  flush\n    B\nend", "Tells."),
        ("ruby", "=begin\nSquares.\n=end\ndef f(x)\n  x * x\nend\n", "f", "def f(x)\n  x * x\nend", "Squares."),
        ("javascript", "/** Keys. */\nA.b = function (x) {\n  return `\n  ${x}`;\n};\n", "A.b",
         "A.b = function (x) {\n  return `\n  ${x}`;\n};", "Keys."),
        ("javascript",
         "class A {\n  /**\n   * Keys:\n   *   - one\n   */\n  get k() {\n    return `\n    a`;\n  }\n}\n", "A.k",
         "get k() {\n  return `\n    a`;\n}", "Keys:\n  - one"),
        ("java", "class A {\n    /** Makes one. */\n    A() {\n        x = 1;\n    }\n}\n", "A.A",
         "A() {\n    x = 1;\n}", "Makes one."),
        ("rust", "#[test]\n/// Doc.\n#[ignore]\nfn f() {\n    a();\n}\n", "f",
         "#[test]\n#[ignore]\nfn f() {\n    a();\n}", "Doc."),
        ("rust", "/// Doc.\n#[test]\n#[ignore]\nfn f() {\n    a();\n}\n", "f",
         "#[test]\n#[ignore]\nfn f() {\n    a();\n}", "Doc."),
        ("cpp", "/// Doc.\ntemplate <class T>\nint A<T>::g() {\n  return 2;\n}\n", "A.g",
         "template <class T>\nint A<T>::g() {\n  return 2;\n}", "Doc."),
        ("cpp", "/*! Doc. */\nint *&A::h() {\n  return x;\n}\n", "A.h", "int *&A::h() {\n  return x;\n}", "Doc."),
        ("typescript", "/** Doc. */\nexport const f = async (x: T): Promise<T> => {\n  return x;\n};\n", "f",
         "export const f = async (x: T): Promise<T> => {\n  return x;\n};", "Doc."),
        ("typescript", "/** Doc. */\nfunction F() {\n  return <div>{x}</div>;\n}\n", "F",
         "function F() {\n  return <div>{x}</div>;\n}", "Doc."),
        ("typescript", "/** Doc. */\nfunction f(x: any) {\n  return <T>x;\n}\n", "f",
         "function f(x: any) {\n  return <T>x;\n}", "Doc."),
        ("csharp", "class A {\n    /** Doc. */\n    public int F(int a) => a + 1;\n}\n", "A.F",
         "public int F(int a) => a + 1;", "Doc."),
        ("php", "<?php\ntrait T {\n  /** Hi. */\n  #[Pure]\n  function f() {\n    return 1;\n  }\n}\n", "T.f",
         "#[Pure]\nfunction f() {\n  return 1;\n}", "Hi."),
    ],
)  # fmt: skip
def test_code_is_moved_to_the_first_column_and_otherwise_kept(language, source, name, code, docstring):
    (function,) = extract_documented(source.encode(), language)
    assert (function.name, function.code, function.docstring) == (name, code, docstring)
    assert not has_syntax_error(function.code, language)


def test_a_comment_documents_the_next_function_only():
    source = b"class A { /** Doc. */ int f() { return 1; } int g() { return 2; } }"
    assert [function.name for function in extract_documented(source, "java")] == ["A.f"]


@pytest.mark.parametrize(
    ("code", "language", "alone"),
    [
        ("# x = 1\n# y = 2", "python", True),
        ("# x = 1\nx = 1", "python", False),
        ("/* a */\n// b", "c", True),
        ("<?php\n// b", "php", True),
        ("// b\nfunc f() {}", "go", False),
        ("def f(:", "python", False),
    ],
)
def test_comments_alone_are_told_from_code(code, language, alone):
    assert is_comment_only(code, language) == alone


def test_documented_function_with_a_syntax_error_is_not_lost():
    (function,) = extract_documented(b'def f(a):\n    """Doc."""\n    return (a +* 1)\n', "python")
    assert has_syntax_error(function.code, "python")


@pytest.mark.parametrize("language", GRAMMARS)
def test_broken_code_is_a_syntax_error(language):
    assert has_syntax_error("def f(:\n  return ((", language)


def test_code_of_another_language_is_a_syntax_error():
    assert has_syntax_error("public int twice(int x) { return 2 * x; }", "python")


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("} class B {", "java"),
        ("} class B {", "javascript"),
        ("} class B {", "php"),
        ("Here is the function:", "php"),
        ("Here is the function:", "go"),
        ("def f(x):\n    return x", "ruby"),
    ],
)
def test_text_that_only_the_wrapping_would_make_a_program_is_a_syntax_error(code, language):
    assert has_syntax_error(code, language)


@pytest.mark.parametrize(
    ("code", "language"),
    [
        ("static async m() { return 1; }", "javascript"),
        ("function (a) { return a; }", "javascript"),
        ("public A(int x) { this.x = x; }", "java"),
        ("@Override\npublic int f() { return 1; }", "java"),
        ("int x = 1;\nSystem.out.println(x);", "java"),
        ("func (t *T) F() int { return 1 }", "go"),
        ("public static function f() { return 1; }", "php"),
        ("<?php\nfunction f() { return 1; }\n?>", "php"),
        ("static int f(void) { return 1; }", "c"),
        ("int f() const override { return 1; }", "cpp"),
        ("A() : x(1) {}", "cpp"),
        ("public override int F() => 1;", "csharp"),
        ("private f(a: number): string { return ''; }", "typescript"),
        ("pub fn push(&mut self, x: T) { self.v.push(x) }", "rust"),
    ],
)
def test_lone_methods_and_programs_are_no_syntax_errors(code, language):
    assert not has_syntax_error(code, language)


@pytest.mark.parametrize(
    ("code", "language", "empty"),
    [
        ("def door\n  nil # later\nend", "ruby", True),
        ("def door\n  nil.to_a\nend", "ruby", False),
        ("def f(\n    a,\n):\n    # to do\n    pass", "python", True),
        ("def f(a):\n    raise NotImplementedError(\n        'later')", "python", True),
        ("def f(a):\n    ...", "python", True),
        ("def f(a):\n    raise ValueError(a)", "python", False),
        ("def f(a):\n    a += 1\n    return None", "python", False),
        ("public int f() { throw new UnsupportedOperationException(); }", "java", True),
        ("int f();", "java", True),
        ("explicit A(int x) : at(x) {}", "cpp", False),
        ("A() {}", "cpp", True),
        ("public A(int x) : base(x) { }", "csharp", False),
        ("constructor(private a: number) {}", "typescript", False),
        ("constructor(readonly a: number) {}", "typescript", False),
        ("constructor(a: number) {}", "typescript", True),
        ("public function __construct(private int $a) {}", "php", False),
        ('func f() {\n\t// to do\n\tpanic("not implemented")\n}', "go", True),
        ("func f() int {\n\treturn 1\n}", "go", False),
        ("f(a) {}", "javascript", True),
        ("const f = (a) => a + 1;", "javascript", False),
        ("const f = () => answer;", "javascript", False),
        ("public function f() { return null; }", "php", True),
        ("def f\nend", "ruby", True),
        ("def f\n  1\nend", "ruby", False),
        ("int f(void)\n{\n\t/* to do */\n}", "c", True),
        ("int f(void)\n{\n\treturn 1;\n}", "c", False),
        ("int F() { throw new NotImplementedException(); }", "csharp", True),
        ("int F() => 1;", "csharp", False),
        ("int F() => throw new NotImplementedException();", "csharp", True),
        ("int F(int a) => a > 0 ? a : throw new NotImplementedException();", "csharp", False),
        ('def f\n  "#{first} #{last}"\nend', "ruby", False),
        ("def f\n  'SELECT ' + columns + ' FROM t'\nend", "ruby", False),
        ("def f\n  return nil\nend", "ruby", True),
        ("Token f() { return NULL; }", "java", False),
        ("Token f() { return null; }", "java", True),
        ("public function f() { return NULL; }", "php", True),
        ("char *f(void) { return NULL; }", "c", True),
        ('fn f() -> String { "a" }', "rust", False),
        ("def f():\n    'to be written'", "python", True),
        ("def f():\n    return NONE", "python", False),
        ("fn f() { todo!() }", "rust", True),
        ("fn f() -> i32 { 1 }", "rust", False),
    ],
)
def test_a_body_without_work_is_empty(code, language, empty):
    assert has_empty_body(code, language) == empty


def test_strip_docstring_leaves_undocumented_code_to_the_caller():
    assert strip_docstring("def f():\n    return 1\n") is None
    assert strip_docstring("x = 1") is None
    assert strip_docstring('    def f():\n        """Doc."""\n        return 1\n') == "def f():\n    return 1"


def test_strip_docstring_does_not_take_an_inner_function_for_the_whole():
    assert strip_docstring("def f():\n    def g():\n        'Doc.'\n        return 1\n    return g\n") is None


def test_strip_docstring_knows_code_search_nets_methods_whose_first_line_is_not_indented():
    code = 'def f(self):\n        """Doc."""\n        return 1'
    assert strip_docstring(code) == "def f(self):\n        return 1"


def test_deep_nesting_does_not_exhaust_the_stack():
    source = "x = " + "(" * 20_000 + "1" + ")" * 20_000
    assert list(extract_documented(source.encode(), "python")) == []


@pytest.mark.parametrize(
    ("language", "source", "count"),
    [
        ("go", "package a\n" + "// c\n" * 100_000 + "func F() int {\n\treturn 1\n}\n", 1),
        ("go", "package a\n" + "/*a*/" * 100_000 + "\nfunc F() int {\n\treturn 1\n}\n", None),
        ("javascript", "/** Doc. */\nfunction f(a) { return 1; }\n" * 20_000, 20_000),
        ("rust", "/// D\nfn f() {}\n" * 20_000, 20_000),
        ("csharp", "/// <summary " * 50_000, 0),
    ],
)
@pytest.mark.timeout(60)
def test_time_grows_with_the_size_of_a_file_and_not_with_its_square(language, source, count):
    found = len(list(extract_documented(source.encode(), language)))
    assert count is None or found == count


def test_language_of_a_path():
    assert (language_of("a/b.py"), language_of("a.GO"), language_of("README")) == ("python", "go", None)


def test_unknown_language_is_one_clear_line():
    with pytest.raises(ValueError, match="language 'cobol' is not one of python"):
        has_syntax_error("x", "cobol")
