"""Notebooks as they really come: both forms, IPython's own lines, other languages, pictures, and what is none."""

import json

import pytest

from codeocean.notebooks import read_notebook
from tests.codeocean.collect.test_readers import CODE, STRIPPED, folder, rows_of


def book(*cells, language="python", **metadata):
    kinds = [{"cell_type": "code", "source": cell, "outputs": [], "metadata": {}} for cell in cells]
    named = {"language_info": {"name": language}} if language else {}
    return {"nbformat": 4, "metadata": named | metadata, "cells": [{"cell_type": "markdown", "source": CODE}, *kinds]}


def extracted(tmp_path, text, **settings):
    (tmp_path / "a.ipynb").write_text(text if isinstance(text, str) else json.dumps(text))
    return [
        (row["name"], row["docstring"], row["language"], row["reason"]) for row in rows_of(folder(tmp_path, **settings))
    ]


def test_functions_of_a_notebook_are_taken_with_its_path(tmp_path):
    (tmp_path / ".ipynb_checkpoints").mkdir()
    picture = {"cell_type": "code", "source": "plot()", "outputs": [{"data": {"image/png": "iVBORw0KGgo" * 200_000}}]}
    content = book(CODE.splitlines(keepends=True))
    content["cells"].append(picture)
    for name in ("a.ipynb", ".ipynb_checkpoints/a-checkpoint.ipynb"):
        (tmp_path / name).write_text(json.dumps(content))
    (row,) = rows_of(folder(tmp_path))
    assert (row["code"], row["docstring"], row["path"]) == (STRIPPED, "Add two numbers and return the sum.", "a.ipynb")


def test_worksheets_of_the_form_before_are_read(tmp_path):
    cell = {"cell_type": "code", "input": [CODE], "language": "python"}
    assert extracted(tmp_path, {"nbformat": 3, "metadata": {}, "worksheets": [{"cells": [cell]}]}) == [
        ("add", "Add two numbers and return the sum.", "python", "")
    ]


@pytest.mark.parametrize("before", [
    "%matplotlib inline\n", "!pip install numpy\n", "files = !ls *.py\n", "took = %timeit -o add(1, 2)\n", "add?\n",
    "?add\n", "%%time\n", "%%writefile sums.py\n", "import numpy as np\n%load_ext autoreload\n",
])  # fmt: skip
def test_lines_of_ipython_hide_no_function(tmp_path, before):
    found = read_notebook(json.dumps(book(before + CODE, "%%bash\nls", "%%html\n<b>def f(): pass</b>")))
    assert found is not None and "<b>" not in found.source
    (row,) = rows_of_text(tmp_path, before)
    assert (row["code"], row["reason"]) == (STRIPPED, "")


def rows_of_text(tmp_path, before):
    (tmp_path / "a.ipynb").write_text(json.dumps(book(before + CODE)))
    return rows_of(folder(tmp_path))


def test_a_line_of_documentation_that_looks_like_ipython_stays(tmp_path):
    code = 'def rate(part, whole):\n    """Rate in percent.\n\n!important: whole is not zero.\n"""\n    return part / whole'
    ((_, docstring, _, _),) = extracted(tmp_path, book(code))
    assert "!important" in docstring


def test_a_notebook_of_another_language_is_read_as_such_or_counted(tmp_path):
    script = "/** Adds two numbers and returns the sum. */\nfunction add(a, b) {\n  return a + b;\n}"
    typed = [("add", "Adds two numbers and returns the sum.", "javascript", "")]
    assert extracted(tmp_path, book(script, language=None, kernelspec={"language": "javascript"})) == typed
    assert extracted(tmp_path, book(script, language="R")) == [("", "", "r", "another language")]
    (tmp_path / "b.py").write_text("x = 1")
    asked = extracted(tmp_path, book(script, language="javascript"), languages=("python",))
    assert asked == [("", "", "javascript", "language not asked for")]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"cells": 3}', '{"cells": [{"cell_type": "code", "source": 7}]}',
                                  '{"metadata": 3, "cells": []}', "[" * 100_000])  # fmt: skip
def test_what_is_no_notebook_is_counted(tmp_path, text):
    assert extracted(tmp_path, text) == [("", "", "python", "not a notebook")]
