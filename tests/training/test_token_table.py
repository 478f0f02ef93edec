"""Rows tokenised once: the same examples in the same order, however the blocks arrive."""

import pyarrow as pa
import pytest

from training.examples import tokenize_instances
from training.model import load_tokenizer
from training.token_table import TokenizedRows, sort_out, tokenize_table


@pytest.fixture(scope="module")
def tokenizer(model_folder):
    return load_tokenizer(model_folder)


def numbered(rows):
    return pa.Table.from_pylist([{"row": number, "task": f"t{number % 2}", **row} for number, row in enumerate(rows)])


def test_blocks_in_any_order_are_the_rows_in_theirs(tokenizer, rows):
    table = numbered(rows)
    blocks = [tokenize_table(table.slice(start, 5), tokenizer, 256) for start in (10, 0, 5)]
    kept, found_counts = sort_out(pa.concat_tables(blocks), 256)
    found = TokenizedRows(kept)
    expected, counts = tokenize_instances(table.to_pylist(), tokenizer, 256)
    assert list(found) == expected
    assert found_counts == counts
    assert list(TokenizedRows(kept, [7, 2])) == [expected[7], expected[2]]
    assert found[2:4] == expected[2:4]
    assert [example.task for example in found[:3]] == ["t0", "t1", "t0"]


def test_rows_that_do_not_fit_are_counted(tokenizer, rows):
    longest = max(tokenize_instances(rows, tokenizer, 512)[0], key=lambda example: len(example.input_ids))
    long = {"instruction": "x " * 2000, "input": "", "output": "y"}
    table = numbered([*rows, long])
    limit = len(longest.input_ids) - 1
    kept, counts = sort_out(tokenize_table(table, tokenizer, limit), limit)
    assert kept.num_rows == len(rows)
    assert counts["prompt_too_long"] == 1
    assert counts["truncated"] >= 1
    with pytest.raises(ValueError, match="none of 13 instances leaves room for a response in train.max_length 5"):
        sort_out(tokenize_table(table, tokenizer, 5), 5)
