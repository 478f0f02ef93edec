"""One row for a language, and everything that has a row of its own for it agrees."""

from codeocean.grammars import GRAMMARS
from core.languages import CODESEARCHNET, EVALUATED, EXECUTED, LANGUAGE_NAMES, LANGUAGES, canonical, fence_tags
from eval.sandbox.toolchains import TOOLCHAINS


def test_every_collected_language_has_a_grammar_and_every_evaluated_one_a_toolchain():
    assert tuple(LANGUAGES) == LANGUAGE_NAMES
    assert set(GRAMMARS) == set(LANGUAGES)
    assert set(TOOLCHAINS) | {"python"} == set(EXECUTED) <= set(LANGUAGES)
    assert set(EVALUATED) < set(EXECUTED)
    assert set(CODESEARCHNET) <= set(LANGUAGES)


def test_a_suffix_and_an_alias_belong_to_one_language():
    for names in (lambda row: row.suffixes, lambda row: row.aliases):
        found = [name for row in LANGUAGES.values() for name in names(row)]
        assert len(found) == len(set(found))
    assert not {alias for row in LANGUAGES.values() for alias in row.aliases} & set(LANGUAGES)


def test_names_that_people_write_are_understood():
    assert {canonical(name) for name in ("py", "c++", "golang", "rs", "c#")} == {
        "python",
        "cpp",
        "go",
        "rust",
        "csharp",
    }
    assert canonical("cobol") == "cobol"
    assert {"py", "python3", "python"} <= fence_tags("python")
