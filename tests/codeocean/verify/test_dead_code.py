"""Statements that can never run, in every language; and those that only look as if they could not."""

import pytest

from codeocean.verify.dead_code import has_dead_code

TWICE = {
    "python": "def f(a):\n    return a\n    return a + 1\n",
    "javascript": "function f(a) {\n  return a;\n  return a + 1;\n}\n",
    "typescript": "function f(a: number): number {\n  return a;\n  return a + 1;\n}\n",
    "java": "int f(int a) {\n  return a;\n  return a + 1;\n}\n",
    "go": "func f(a int) int {\n\treturn a\n\treturn a + 1\n}\n",
    "php": "function f($a) {\n  return $a;\n  return $a + 1;\n}\n",
    "ruby": "def f(a)\n  return a\n  return a + 1\nend\n",
    "c": "int f(int a) {\n  return a;\n  return a + 1;\n}\n",
    "cpp": "int f(int a) {\n  return a;\n  return a + 1;\n}\n",
    "csharp": "int F(int a) {\n  return a;\n  return a + 1;\n}\n",
    "rust": "fn f(a: i32) -> i32 {\n    return a;\n    return a + 1;\n}\n",
}
BRANCHES = {
    "python": "def f(a):\n    if a:\n        return 1\n    elif a is None:\n        raise ValueError\n    else:\n        return 2\n    a += 1\n",
    "javascript": "function f(a) {\n  if (a) { return 1; } else { throw new Error(); }\n  log(a);\n}\n",
    "java": "int f(int a) {\n  if (a > 1) return 1; else return 2;\n  g(a);\n}\n",
    "go": "func f(a int) int {\n\tif a > 1 {\n\t\treturn 1\n\t} else {\n\t\treturn 2\n\t}\n\tg(a)\n\treturn 3\n}\n",
    "php": "function f($a) {\n  if ($a) { return 1; } else { return 2; }\n  g($a);\n}\n",
    "ruby": "def f(a)\n  if a\n    return 1\n  else\n    return 2\n  end\n  g(a)\nend\n",
    "c": "int f(int a) {\n  for (;;) {\n    if (a) { break; } else { continue; }\n    a++;\n  }\n  return 0;\n}\n",
    "csharp": "int F(int a) {\n  if (a > 1) { return 1; } else { return 2; }\n  G(a);\n}\n",
    "rust": "fn f(a: i32) -> i32 {\n    if a > 1 { return 1; } else { return 2; }\n    g(a)\n}\n",
}
LIVE = {
    "python: a generator": ("python", "def f():\n    return\n    yield 1\n"),
    "python: one branch": ("python", "def f(a):\n    if a:\n        return 1\n    elif a == 0:\n        return 0\n    return 2\n"),
    "python: nested": ("python", "def f(a):\n    for x in a:\n        if x:\n            return x\n    return None\n"),
    "python: behind a loop": ("python", "def f(a):\n    while a:\n        break\n    return a\n"),
    "python: try": ("python", "def f(a):\n    try:\n        return g(a)\n    except ValueError:\n        return 0\n"),
    "javascript: hoisted": ("javascript", "function f(a) {\n  return g(a);\n  function g(b) { return b; }\n}\n"),
    "javascript: switch": ("javascript", "function f(a) {\n  switch (a) {\n    case 1:\n      return 1;\n      break;\n    default:\n      return 2;\n  }\n}\n"),
    "java: switch": ("java", "int f(int a) {\n  switch (a) {\n    case 1: return 1;\n    case 2: return 2;\n    default: return 3;\n  }\n}\n"),
    "c: a label": ("c", "int f(int a) {\n  if (a) goto out;\n  return 1;\nout:\n  free(p);\n  return 0;\n}\n"),
    "c: preprocessor": ("c", "int f(int a) {\n#ifdef X\n  return 1;\n#else\n  return 2;\n#endif\n}\n"),
    "ruby: a modifier": ("ruby", "def f(a)\n  return 1 if a\n  2\nend\n"),
    "ruby: rescue": ("ruby", "def f(a)\n  return g(a)\nrescue StandardError\n  nil\nensure\n  close\nend\n"),
    "rust: an item": ("rust", "fn f(a: i32) -> i32 {\n    return g(a);\n    fn g(b: i32) -> i32 { b }\n}\n"),
    "go: a comment": ("go", "func f(a int) int {\n\treturn a\n\t// the end\n}\n"),
    "no code": ("python", "def f(:"),
}  # fmt: skip


@pytest.mark.parametrize("language", TWICE)
def test_a_function_that_returns_twice(language):
    assert has_dead_code(TWICE[language], language)


@pytest.mark.parametrize("language", BRANCHES)
def test_behind_branches_that_all_end(language):
    assert has_dead_code(BRANCHES[language], language)


@pytest.mark.parametrize(("language", "code"), LIVE.values(), ids=LIVE)
def test_what_can_run(language, code):
    assert not has_dead_code(code, language)
