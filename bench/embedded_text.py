"""What `embed.text` is worth: whether a function finds its twin, and how many different functions get one vector.

`python -m bench.embedded_text [--rows N] [--model NAME]` prints one JSON object. Rows are documented functions of this
Python's standard library and installed packages, in equal numbers shorter and longer than the model's window. A twin of
a row has its names replaced throughout and its documentation reworded: the sentences in another order, without short
words. For each way to send a row, every twin looks for its row among all rows by cosine: `found` is the share that
finds it first, `rank` the mean of 1 / place. `same_code` asks with the code alone, renamed, and `same_words` with the
documentation alone, reworded. `equal_vectors` counts rows that share their vector with another row of other code.
"""

from __future__ import annotations

import argparse
import builtins
import itertools
import json
import keyword
import random
import re
import sys
from typing import Any, get_args

import numpy as np
import pyarrow as pa

from bench.collect import functions
from bench.machine import describe_machine
from codeocean.embed.encoder import Encoder, Tokenizer, mean_of_rows
from codeocean.embed.settings import EmbedConfig
from codeocean.embed.texts import Sent, window_of
from ray_jobs.run.models import resolve_model

_NAME = re.compile(r"(?<![\w'\"])[a-z_][a-z_0-9]{2,}\b(?!['\"])")
_SHORT = re.compile(r"\b\w{1,3}\b ?")
BUILT_IN = frozenset(dir(builtins)) | {"self", "cls"}


def renamed(code: str, chance: random.Random) -> str:
    """The code with other names."""
    names = sorted({name for name in _NAME.findall(code) if not keyword.iskeyword(name) and name not in BUILT_IN})
    new = {name: "".join(chance.choice("bcdfgklmnprst") + chance.choice("aeiou") for _ in range(3)) for name in names}
    return _NAME.sub(lambda match: new.get(match[0], match[0]), code)


def reworded(text: str, chance: random.Random) -> str:
    """The sentences in another order, without short words."""
    sentences = re.split(r"(?<=[.:])\s+|\n\s*\n", text)
    chance.shuffle(sentences)
    return "\n".join(_SHORT.sub("", sentence) for sentence in sentences)


def sample(count: int, model: Any) -> list[dict[str, str]]:
    """Rows, half of them longer than the window."""
    window = window_of(model)
    assert window is not None
    pool = [row for row in itertools.islice(functions(), 0, 32 * count, 4) if 60 < len(row["code"]) < 6000]
    random.Random(0).shuffle(pool)
    lengths = [
        len(each) for each in window.offsets([f"{row['docstring']}\n{row['code']}" for row in pool[: 8 * count]])
    ]
    long = [row for row, length in zip(pool, lengths, strict=False) if length > window.tokens]
    short = [row for row, length in zip(pool, lengths, strict=False) if length <= window.tokens]
    return [*long[: count // 2], *short[: count - count // 2]]


def encoded(encoder: Encoder, sent: Sent, docstrings: list[str], codes: list[str]) -> Any:
    """(N, D) vectors, and what was cut."""
    config = EmbedConfig(text=sent)
    batches, told = Tokenizer(encoder.model, config).of_rows(pa.table({"docstring": docstrings, "code": codes}))
    vectors = [encoder.vectors(batch) for batch in batches]
    return mean_of_rows([batch.rows for batch in batches], vectors, normalize=True), told


def places(queries: Any, corpus: Any) -> dict[str, float]:
    """How well each query finds the row of its number."""
    similarity = queries @ corpus.T
    place = (similarity > np.diag(similarity)[:, None] + 1e-7).sum(1) + 1
    half = len(place) // 2
    return {"found": round(float((place == 1).mean()), 3), "found_long": round(float((place[:half] == 1).mean()), 3),
            "rank": round(float((1 / place).mean()), 3)}  # fmt: skip


def measure(encoder: Encoder, sent: Sent, rows: list[dict[str, str]]) -> dict[str, Any]:
    """One way to send rows."""
    chance = random.Random(1)
    docstrings, codes = [row["docstring"] for row in rows], [row["code"] for row in rows]
    other_words = [reworded(text, chance) for text in docstrings]
    other_names = [renamed(code, chance) for code in codes]
    corpus, told = encoded(encoder, sent, docstrings, codes)
    twins, _ = encoded(encoder, sent, other_words, other_names)
    by_code, _ = encoded(encoder, sent, [""] * len(rows), other_names)
    equal = (np.triu(corpus @ corpus.T, 1) > 1 - 1e-6).any(0).sum()
    found = {"text": sent, "cut": told.cut, "without_code": told.without_code, "texts": len(told.texts),
             "equal_vectors": int(equal), "twins": places(twins, corpus),
             "same_code": places(by_code, corpus)}  # fmt: skip
    if sent != "code":
        by_words, _ = encoded(encoder, sent, other_words, [""] * len(rows))
        found["same_words"] = places(by_words, corpus)
    return found


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=400)
    parser.add_argument("--model", default="package:all-minilm-l6-v2")
    options = parser.parse_args()
    encoder = Encoder(resolve_model(options.model, "--model"), EmbedConfig())
    rows = sample(options.rows, encoder.model)
    found = []
    for sent in get_args(Sent):
        found.append(measure(encoder, sent, rows))
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    print(json.dumps({"bench": "embedded_text", "model": options.model, "machine": describe_machine(),
                      "rows": len(rows), "found": found}))  # fmt: skip


if __name__ == "__main__":
    main()
