"""Batches of tokens: every row once, within the budget, and the same tensors as padding row by row."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from codeocean.embed.batches import FULL_ENOUGH, TokenBatch, padding_share, plan_batches

LENGTHS = st.lists(st.integers(0, 60), max_size=80).map(lambda values: np.array(values, dtype=np.int32))


@settings(max_examples=200, deadline=None)
@given(LENGTHS, st.integers(1, 300))
def test_every_row_is_in_one_batch_and_batches_keep_the_budget(lengths, budget):
    batches = plan_batches(lengths, budget)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    for rows in batches:
        assert len(rows) <= 1 or len(rows) * lengths[rows].max() <= budget
    ordered = lengths[np.concatenate(batches)]
    assert (np.diff(ordered) <= 0).all()


@settings(max_examples=200, deadline=None)
@given(LENGTHS, st.integers(1, 300))
def test_a_batch_of_several_lengths_was_less_than_a_quarter_full_before_the_last(lengths, budget):
    for rows in plan_batches(lengths, budget):
        of_batch = lengths[rows]
        if len(rows) and of_batch[0] != of_batch[-1]:
            before_last = (of_batch != of_batch[-1]).sum()
            assert before_last * of_batch[0] < FULL_ENOUGH * budget


def test_many_rows_of_few_lengths_need_next_to_no_padding():
    lengths = np.random.default_rng(0).integers(40, 60, size=5000).astype(np.int32)
    assert padding_share(lengths, plan_batches(lengths, 1000)) < 0.001


def test_padding_share_is_the_share_of_computed_tokens():
    lengths = np.array([4, 2], dtype=np.int32)
    assert padding_share(lengths, [np.array([0, 1])]) == 0.25


@settings(max_examples=100, deadline=None)
@given(LENGTHS.filter(len), st.sampled_from(["left", "right"]), st.one_of(st.none(), st.integers(0, 9)))
def test_padded_tensors_are_those_of_padding_row_by_row(lengths, side, prompt_length):
    lengths = np.sort(lengths)[::-1]
    ids = [np.arange(1, length + 1) + 100 * row for row, length in enumerate(lengths)]
    types = [values % 3 for values in ids]
    flat = {
        name: np.concatenate(rows).astype(np.int32) for name, rows in (("input_ids", ids), ("token_type_ids", types))
    }
    batch = TokenBatch(np.arange(len(lengths), dtype=np.int32), lengths, flat, prompt_length)
    tensors = TokenBatch.from_arrow(batch.to_arrow()).padded({"input_ids": 7}, side)
    assert tensors.get("prompt_length") == prompt_length
    width = max(1, lengths[0])
    for row, length in enumerate(lengths):
        fill = width - length
        for name, values, padding in (
            ("input_ids", ids, 7),
            ("token_type_ids", types, 0),
            ("attention_mask", [np.ones(n) for n in lengths], 0),
        ):
            rest = [padding] * fill
            expected = [*rest, *values[row]] if side == "left" else [*values[row], *rest]
            assert tensors[name][row].tolist() == expected


def test_texts_survive_the_journey():
    batch = TokenBatch(np.array([1, 0], np.int32), np.array([3, 1], np.int32), {}, None, ("zwei \U0001f40d", ""))
    assert TokenBatch.from_arrow(batch.to_arrow()).texts == batch.texts


def test_no_rows_make_one_empty_batch():
    assert [rows.tolist() for rows in plan_batches(np.empty(0, np.int32), 10)] == [[]]
