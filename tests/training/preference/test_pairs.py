"""Pairs as tokens: the prompt of serving, answers that end, and nothing that cannot be preferred."""

import pytest

from training.examples import tokenize_instance
from training.model import load_tokenizer
from training.preference.pairs import dpo_rows, in_order, kto_rows, lengths_of, tokenize_pairs, with_mismatched
from training.template import to_messages

PAIRS = [
    {"instruction": f"Multiply x by {n}.", "input": f"def f(x): # {n}" if n % 2 else "",
     "chosen": f"def f(x):\n    return x * {n}", "rejected": f"def f(x):\n    return x + {n}" + " # so" * (n % 3)}
    for n in range(8)
]  # fmt: skip


@pytest.fixture(scope="module")
def tokenizer(model_folder):
    return load_tokenizer(model_folder)


def test_prompt_and_answers_are_those_of_fine_tuning_and_serving(tokenizer):
    pairs, counts = tokenize_pairs(PAIRS, tokenizer, 256)
    assert len(pairs) == 8 and not any(counts.values())
    for row, pair in zip(PAIRS, pairs, strict=True):
        served = tokenizer.apply_chat_template(
            to_messages(row["instruction"], row["input"]), add_generation_prompt=True, return_dict=False
        )
        assert pair.prompt == served
        tuned = tokenize_instance(row | {"output": row["chosen"]}, tokenizer, 256)
        assert pair.prompt + pair.chosen == tuned.input_ids
        assert tokenizer.decode(pair.rejected) == row["rejected"] + tokenizer.eos_token


def test_what_leaves_nothing_to_prefer_is_left_out_and_counted(tokenizer):
    same = PAIRS[0] | {"rejected": PAIRS[0]["chosen"]}
    long = PAIRS[1] | {"instruction": "Please " * 400}
    cut = PAIRS[2] | {"chosen": PAIRS[2]["chosen"] + "\n" + "x = 1\n" * 200}
    pairs, counts = tokenize_pairs([same, long, cut, PAIRS[3]], tokenizer, 256)
    assert len(pairs) == 2
    assert counts["prompt_too_long"] == 2 and counts["truncated"] == 1
    with pytest.raises(ValueError, match="none of 1 instances"):
        tokenize_pairs([long], tokenizer, 256)


def test_kto_has_each_answer_once_and_mismatches_stay_within_a_forward_pass(tokenizer):
    pairs, _ = tokenize_pairs([PAIRS[0], PAIRS[0] | {"rejected": "pass"}, PAIRS[1]], tokenizer, 256)
    rows = kto_rows(pairs)
    assert [row["label"] for row in rows] == [True, False, False, True, False]
    mixed = with_mismatched(rows, 2)
    assert [row["KL_completion_ids"] for row in mixed[:4]] == [rows[n]["completion_ids"] for n in (1, 0, 3, 2)]
    assert sum(learnt for _, learnt in lengths_of(rows[0])) == len(rows[0]["completion_ids"])


def test_every_epoch_has_every_row_once(tokenizer):
    rows = dpo_rows(tokenize_pairs(PAIRS, tokenizer, 256)[0])
    ordered = in_order(rows, 3, 2, seed=1)
    key = [row["chosen_ids"] for row in ordered]
    assert sorted(key[:8]) == sorted(key[8:]) == sorted(row["chosen_ids"] for row in rows)
    assert key[:8] != key[8:]
