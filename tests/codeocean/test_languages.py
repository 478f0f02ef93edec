"""Extraction against Python's own parser, and on small real functions of each language."""

import ast
import inspect
import json
import textwrap
from pathlib import Path

import pytest

from codeocean.languages import GRAMMARS, extract_documented, has_syntax_error, language_of, strip_docstring

STDLIB = Path(json.__file__).parents[1]
MODULES = ("json/decoder.py", "heapq.py", "textwrap.py", "statistics.py", "shutil.py", "difflib.py")

SAMPLES = {
    "javascript": ('/**\n * Adds two numbers.\n * @param a first\n */\nexport const add = (a, b) => {\n  return a + b;\n};\n',
                   "add", "Adds two numbers.\n@param a first"),
    "java": ("class A {\n  /** Doubles it. */\n  @Override\n  public int twice(int x) {\n    return 2 * x;\n  }\n}\n",
             "twice", "Doubles it."),
    "go": ("package a\n\n// Sum adds.\n// Both of them.\nfunc Sum(a, b int) int {\n\treturn a + b\n}\n",
           "Sum", "Sum adds.\nBoth of them."),
    "php": ("<?php\nclass B {\n  /**\n   * Greets.\n   */\n  public function hi($n) {\n    return \"hi $n\";\n  }\n}\n",
            "hi", "Greets."),
    "ruby": ("class A\n  # Squares it.\n  # Really.\n  def square(x)\n    x * x\n  end\nend\n", "square", "Squares it.\nReally."),
}  # fmt: skip


def documented_by_ast(source: str) -> dict[str, tuple[str, str]]:
    """Outermost documented functions with more than a docstring: name → (docstring, AST without it)."""
    found, pending = {}, list(reversed(ast.parse(source).body))
    while pending:
        node = pending.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring and len(node.body) > 1:
                node.body = node.body[1:]
                found.setdefault(node.name, (inspect.cleandoc(docstring), ast.dump(node)))
                continue
        pending.extend(reversed([child for child in ast.iter_child_nodes(node)]))
    return found


@pytest.mark.parametrize("module", MODULES)
def test_python_agrees_with_its_own_parser(module):
    source = (STDLIB / module).read_text()
    expected = documented_by_ast(source)
    found = {}
    for function in extract_documented(source.encode(), "python"):
        found.setdefault(function.name, function)
    assert set(found) == set(expected)
    for name, (docstring, tree) in expected.items():
        assert ast.dump(ast.parse(found[name].code).body[0]) == tree
        assert " ".join(found[name].docstring.split()) == " ".join(docstring.split())


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


def test_a_comment_further_up_documents_nothing():
    assert list(extract_documented(b"# About the file.\n\ndef f\n 1\nend\n", "ruby")) == []


@pytest.mark.parametrize("language", GRAMMARS)
def test_broken_code_is_a_syntax_error(language):
    assert has_syntax_error("def f(:\n  return ((", language)


def test_code_of_another_language_is_a_syntax_error():
    assert has_syntax_error("public int twice(int x) { return 2 * x; }", "python")


def test_strip_docstring_leaves_undocumented_code_to_the_caller():
    assert strip_docstring("def f():\n    return 1\n") is None
    assert strip_docstring('    def f():\n        """Doc."""\n        return 1\n') == "def f():\n    return 1"


def test_deep_nesting_does_not_exhaust_the_stack():
    source = "x = " + "(" * 20_000 + "1" + ")" * 20_000
    assert list(extract_documented(source.encode(), "python")) == []


def test_language_of_a_path():
    assert (language_of("a/b.py"), language_of("a.GO"), language_of("README")) == ("python", "go", None)


def test_unknown_language_is_one_clear_line():
    with pytest.raises(ValueError, match="language 'cobol' is not one of python"):
        has_syntax_error(textwrap.dedent("x"), "cobol")
