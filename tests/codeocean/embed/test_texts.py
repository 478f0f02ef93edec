"""What the encoder is sent fits its window, comes from both parts as the setting says, and what is cut is counted."""

from typing import get_args

import numpy as np
import pyarrow as pa
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from codeocean.embed.encoder import Encoder, Tokenizer, mean_of_rows
from codeocean.embed.settings import EmbedConfig
from codeocean.embed.texts import Sent, Window, choose_texts, window_of
from ray_jobs.run.models import resolve_model

MINILM = resolve_model("package:all-minilm-l6-v2", "embed.model")


def words_of(texts):
    """A tokenizer whose tokens are the words."""
    found = []
    for text in texts:
        at, offsets = 0, []
        for word in text.split():
            begin = text.index(word, at)
            at = begin + len(word)
            offsets.append((begin, at))
        found.append(offsets)
    return found


def numbered(letter, count):
    return " ".join(f"{letter}{number}" for number in range(count))


@pytest.mark.parametrize(
    ("sent", "docs", "codes", "expected"),
    [
        ("share", 30, 30, [*range(5), *range(5)]),
        ("share", 3, 30, [*range(3), *range(7)]),
        ("share", 30, 2, [*range(8), *range(2)]),
        ("head and tail", 30, 30, [*range(5), *range(25, 30)]),
        ("head and tail", 3, 9, [0, 1, 2, 0, 1, 4, 5, 6, 7, 8]),
    ],
)
def test_each_part_has_its_share(sent, docs, codes, expected):
    found = choose_texts([numbered("d", docs)], [numbered("c", codes)], sent, Window(10, words_of))
    assert [int(word[1:]) for word in found.texts[0].split()] == expected
    assert (found.cut, found.without_code) == (1, 0)


def test_windows_hold_every_word_once():
    found = choose_texts(["", numbered("d", 7)], ["a", numbered("c", 18)], "windows", Window(10, words_of))
    assert [len(text.split()) for text in found.texts] == [1, 10, 10, 5]
    assert found.rows.tolist() == [0, 1, 1, 1]
    assert " ".join(found.texts[1:]).split() == f"{numbered('d', 7)} {numbered('c', 18)}".split()
    assert (found.cut, found.without_code) == (0, 0)


@pytest.mark.parametrize(
    ("sent", "cut", "without_code"),
    [("docstring and code", 3, 2), ("code and docstring", 3, 0), ("code", 1, 0), ("share", 3, 0), ("windows", 0, 0)],
)
def test_what_does_not_fit_is_counted(sent, cut, without_code):
    docs = [numbered("d", count) for count in (3, 10, 40, 5, 6)]
    codes = [numbered("c", count) for count in (3, 5, 5, 11, 4)]
    found = choose_texts(docs, codes, sent, Window(10, words_of))
    assert (found.cut, found.without_code) == (cut, without_code)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 40), st.integers(0, 40), st.sampled_from(get_args(Sent)), st.integers(1, 12))
def test_no_text_is_longer_than_the_window_but_where_the_library_cuts(docs, codes, sent, window):
    found = choose_texts([numbered("d", docs)], [numbered("c", codes)], sent, Window(window, words_of))
    longest = max(len(text.split()) for text in found.texts)
    assert longest <= window or sent in {"docstring and code", "code and docstring", "code"}
    if docs + codes <= window and sent != "code":
        assert len(found.texts[0].split()) == docs + codes


@pytest.fixture(scope="module")
def encoder():
    torch.set_num_threads(1)  # threads that share busy cores wait for each other
    return Encoder(MINILM, EmbedConfig(), device="cpu")


ROWS = pa.table({
    "docstring": ["Adds.", "Opens it. " + ":param x: handed on as it is. " * 60, "Opens it. " + ":param x: handed on as it is. " * 60],
    "code": ["def f(a):\n    return a", "def connect(url):\n    return Pool(url)", "def close(all):\n    raise Busy(all)"],
})  # fmt: skip


def vectors(encoder, sent):
    batches, told = Tokenizer(encoder.model, EmbedConfig(text=sent)).of_rows(ROWS)
    found = mean_of_rows(
        [batch.rows for batch in batches], [encoder.vectors(batch) for batch in batches], normalize=True
    )
    return found, told


def test_rows_whose_documentation_fills_the_window_are_told_apart_only_where_code_is_sent(encoder):
    found, told = vectors(encoder, "docstring and code")
    np.testing.assert_array_equal(found[1], found[2])
    assert (told.cut, told.without_code) == (2, 2)
    for sent in ("code and docstring", "share", "head and tail", "windows", "code"):
        found, told = vectors(encoder, sent)
        assert found[1] @ found[2] < 0.999
        np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
        assert told.without_code == 0


def test_the_windows_of_a_real_model_are_as_long_as_it_reads(encoder):
    window = window_of(encoder.model)
    assert window.tokens == 254  # of 256, two are the model's own
    assert [len(each) for each in window.offsets(["def f(a): return a", ""])] == [8, 0]
    assert (
        max(batch.lengths.max() for batch in Tokenizer(encoder.model, EmbedConfig(text="windows")).of_rows(ROWS)[0])
        <= 256
    )


def test_a_mean_of_rows_is_that_of_their_texts():
    rows = [np.array([1, 0]), np.array([1])]
    found = mean_of_rows(rows, [np.array([[1.0, 0], [0, 2]]), np.array([[0.0, 1]])], normalize=False)
    np.testing.assert_array_equal(found, [[0, 2], [0.5, 0.5]])
