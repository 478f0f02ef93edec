"""A key given twice is refused with its lines, wherever in the file; YAML that says each thing once is read as always."""

import pytest
import yaml

from core.strict_yaml import RepeatedKeyError, read_yaml


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pick: 1\nlook: 2\npick: 3\n", ["pick is given on lines 1 and 3"]),
        ("a:\n  b: 1\n  'b': 2\n", ["a.b is given on lines 2 and 3"]),
        ("a: {b: 1, c: 2, b: 3}\n", ["a.b is given on line 1"]),
        ("a:\n- x: 1\n- y: 1\n  y: 2\n  y: 3\n", ["a.1.y is given on lines 3, 4 and 5"]),
        ("k: 1\nk: 2\nm: {n: 1, n: 2}\n", ["k is given on lines 1 and 2", "m.n is given on line 3"]),
        ("base: &b {x: 1, x: 2}\nmore: *b\n", ["base.x is given on line 1"]),
        ("a: &a {x: 1}\nb:\n  <<: {y: 1, y: 2}\n", ["b.<<.y is given on line 3"]),
    ],
)
def test_a_repeated_key_is_named_with_its_lines(text, said):
    with pytest.raises(RepeatedKeyError) as caught:
        read_yaml(text)
    assert isinstance(caught.value, ValueError)
    assert all(words in str(caught.value) for words in said)
    assert "\n" not in str(caught.value)


def test_a_repeated_section_is_said_once():
    with pytest.raises(RepeatedKeyError) as caught:
        read_yaml("s: {x: 1}\nt: 1\ns: {x: 2}\n")
    assert str(caught.value).startswith("s is given on lines 1 and 3:")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: 1",
        "- {a: 1}\n- {a: 2}",
        "1: x\n'1': y",
        "base: &b {x: 1}\nmore: {<<: *b, x: 2}",
        "a: &a [1, *a]",
        "{[1]: 2}",
    ],
)
def test_all_else_is_read_as_yaml_reads_it(text):
    try:
        wanted = yaml.safe_load(text)
    except yaml.YAMLError:
        with pytest.raises(yaml.YAMLError):
            read_yaml(text)
        return
    read = read_yaml(text).value
    assert repr(read) == repr(wanted)


def test_lines_of_keys_are_known():
    document = read_yaml("a:\n  b:\n  - {c: 1}\n  -\n    c: 2\n")
    assert document.line_of(("a", "b", 1, "c")) == 5
    assert document.line_of(("a", "b", 1, "missing")) == 5
    assert document.line_of(("nowhere",)) is None
