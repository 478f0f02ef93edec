"""A function cut out of its file, as CodeSearchNet does it, is again what a folder gives."""

import ast
import inspect
import json
import statistics

import pytest

from codeocean.collect.bare import bare_function
from codeocean.collect.functions import extract_documented
from codeocean.collect.readers import CodeSearchNetSource, FolderSource, list_units, read_unit

JAVA = """class A {{
    /** Counts the words of a text. */
    {0}
}}
"""
METHODS = {
    "java": ('@Override\n    public int count(String text) {\n        String[] words = text.split(" ");\n\n'
             '        return words.length;\n    }'),
    "csharp": 'public int Count(string text) {\n        var words = @"a\n  b";\n        return words.Length;\n    }',
    "php": "public function count($text)\n    {\n        $words = 'a\n  b';\n        return $words;\n    }",
    "typescript": "count(text: string) {\n        const words = `a\n  ${text}`;\n        return words;\n    }",
}  # fmt: skip


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("language", METHODS)
def test_a_method_is_what_its_file_gives(language, line_end):
    method = METHODS[language]
    head = "<?php\n" if language == "php" else ""
    (whole,) = extract_documented((head + JAVA.format(method)).encode(), language)
    assert bare_function(method.replace("\n", line_end) + line_end, language) == whole.code
    assert "\n  b" in whole.code or language in {"java", "typescript"}


PYTHON = '''
class A:
{i}def plain(self, text):
{i}{i}"""Counts the words.

{i}{i}  * deeper: here
{i}{i}     and here
{i}{i}"""
{i}{i}words = text.split()
{i}{i}return len(words)

{i}async def deeper(
{i}{i}self,
{i}{i}text: str = """
  kept
""",
{i}) -> int:
{i}{i}"""Counts them."""
{i}{i}# then
{i}{i}if text:
{i}{i}{i}return 1
{i}{i}return 0

{i}class Inner:
{i}{i}def last(self):
{i}{i}{i}"""Counts none."""
{i}{i}{i}for word in self:
{i}{i}{i}{i}yield word

def top(text):
{i}"""Counts one."""
{i}return text
'''


@pytest.mark.parametrize("indentation", ["    ", "  ", "\t", "        "])
def test_python_functions_of_any_depth_are_what_their_file_gives(indentation):
    source = PYTHON.replace("{i}", indentation)
    names = {"plain": "A.plain", "deeper": "A.deeper", "last": "A.Inner.last", "top": "top"}
    whole = {each.name.rpartition(".")[2]: each.code for each in extract_documented(source.encode(), "python")}
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            cut = ast.get_source_segment(source, node)
            assert bare_function(cut, "python", names[node.name]) == whole[node.name]


def test_a_python_method_without_a_name_is_measured_by_its_steps():
    code = "def f(self):\n        '''Counts.'''\n        if self:\n          return 1"
    assert bare_function(code, "python") == "def f(self):\n  if self:\n    return 1"
    assert bare_function("def f(a):\n        return a", "python") == "def f(a):\n    return a"
    assert bare_function("def f(a):\n    return a", "python") == "def f(a):\n    return a"


def test_most_of_a_real_module_is_what_the_folder_gives():
    source = inspect.getsource(statistics)
    whole = {each.code for each in extract_documented(source.encode(), "python")}
    cut = [ast.get_source_segment(source, node) for node in ast.walk(ast.parse(source))
           if isinstance(node, ast.FunctionDef) and ast.get_docstring(node) and not node.decorator_list]  # fmt: skip
    found = [bare_function(code, "python") in whole for code in cut]
    assert len(found) > 10
    assert sum(found) / len(found) > 0.95


@pytest.mark.parametrize(
    "code",
    ["func F() int {\n\treturn 1\n}", "function (a) {\n  return a\n}", "def f(a)\n  a + 1\nend", "x => x\n  .map(y)"],
)
def test_a_function_at_the_first_column_stays(code):
    assert bare_function(code, "javascript") == code


def test_a_decorated_method_moves_with_its_def():
    code = "@property\n    def size(self):\n        '''Counts.'''\n        return 1"
    assert bare_function(code, "python") == "@property\ndef size(self):\n    return 1"


def test_code_of_no_known_language_only_loses_its_margin():
    assert bare_function("  a\n    b\n", "cobol") == "a\n  b"


def test_ids_of_both_sources_agree(tmp_path):
    (tmp_path / "A.java").write_text(JAVA.format(METHODS["java"]))
    record = {
        "language": "java",
        "code": METHODS["java"].replace("\n", "\r\n"),
        "docstring": "Counts the words\r\nof a text.",
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    sources = (
        FolderSource(kind="folder", path=str(tmp_path)),
        CodeSearchNetSource(kind="codesearchnet", path=str(tmp_path)),
    )
    folder, pairs = ([row for unit in list_units(source) for batch in read_unit(unit) for row in batch.to_pylist()]
                     for source in sources)  # fmt: skip
    assert [row["id"] for row in folder] == [row["id"] for row in pairs]
    assert pairs[0]["docstring"] == "Counts the words\nof a text."


def test_strings_side_by_side_move_with_the_code():
    code = 'def f(self):\n        """Warns."""\n        warn("a "\n             "b", \'\'\'c\n  d\'\'\')'
    assert bare_function(code, "python", "A.f") == "def f(self):\n    warn(\"a \"\n         \"b\", '''c\n  d''')"


def test_a_method_without_documentation_is_not_taken_for_the_function_inside_it():
    code = '@x.y\n    def f(a):\n        def g(b):\n            """Adds one."""\n            return b\n        return g'
    assert bare_function(code, "python", "A.f").startswith("@x.y\ndef f(a):\n    def g(b):")
    assert bare_function(code.replace("(a)", "(a=((1)))"), "python", "A.f").startswith("@x.y\ndef f(a=((1))):")
