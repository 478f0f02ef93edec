"""Odd but valid code: what parsers of the languages call documented, and what hides it from tree-sitter."""

import pytest

from codeocean.collect.functions import HEADER, UNREAD, survey


def found(source: str, language: str) -> dict[str, str]:
    """Name → documentation, or why it is not taken."""
    return {one.name: one.lost or one.docstring for one in survey(source.encode(), language)}


@pytest.mark.parametrize(("language", "source", "expected"), [
    # `type` is a type's name, too
    ("typescript",
     ("type Fee<type extends Kind = 'low'> = (type extends 'low' ? 1 : 2)\n"
     "/** Gives the fee of a kind. */\nexport async function fee<kind, type extends Kind = 'low'>(\n"
     "  a: Fee<type>,\n): Promise<type> {\n  return a as any\n}\n"), {"fee": "Gives the fee of a kind."}),
    # a requirement by a macro between `template` and what it is about
    ("cpp", ("template <typename T>\n    __LIB_requires(std::copyable<T> &&\n                   movable<T>)\n"
            "class Node : public Base {\npublic:\n    //! Made of a body.\n    template <typename B>\n"
            "        __LIB_requires(body<B, T>)\n    LIB_NOINLINE Node(Graph& g, B b) : Base(g), b_(b) { start(); }\n"
            "    //! Resets it.\n    void reset() override { b_ = 0; }\n};\n"),
     {"Node.Node": "Made of a body.", "Node.reset": "Resets it."}),
    ("javascript", ('exports["dim"] = (a) => {\n  return a / 2;\n};\n/** Dims. */\nexports["light"] = function () {};\n'
                   "/** By key. */\nexports[KEY] = function () {};\n"), {"light": "Dims.", "exports[KEY]": "By key."}),
    ("php", "<?php\n/**\n * Plugin Name: Sums\n * Description: Adds sums.\n */\n\nfunction add_sums($a) { return $a + 1; }\n",
     {}),
])  # fmt: skip
def test_what_is_documented(language, source, expected):
    assert found(source, language) == expected


BROKEN = "type F<k extends K = K,\n> = {\n  a: (k extends extends\n"


@pytest.mark.parametrize("function", [
    "export async function fee<low extends Kind = 'low'>(a: Fee<low>): Promise<low> {\n  return a as any\n}\n",
    "function fee(a = { b: 1 }) {\n  return a;\n}\n",
])  # fmt: skip
def test_a_function_that_does_not_parse_is_counted(function):
    assert found(f"{BROKEN}/** Lost. */\n{function}", "typescript") == {"": UNREAD}


@pytest.mark.parametrize(
    ("language", "head"), [("javascript", ""), ("typescript", ""), ("php", "<?php\n"), ("java", "")]
)
def test_documentation_that_may_be_the_files_is_counted_where_no_other_is(language, head):
    word = "" if language == "java" else "function "
    body = f"{word}prefix($a) {{ return $a; }}\n" if language != "java" else "class A { void prefix() { go(); } }\n"
    text = "/**\n * Common prefix of two texts.\n */\n\n"
    functions = {} if language == "java" else {"prefix": HEADER}
    assert found(head + text + body, language) == functions
    documented = (
        body.replace("class A {", "class A { /** Tells it. */") if language == "java" else "/** Tells it. */\n" + body
    )
    assert "Tells it." in found(head + text + documented, language).values()
    assert HEADER not in found(head + text + documented, language).values()
    assert found(head + text.replace("Common prefix of", "Licensed under") + body, language) == {}
