#!/usr/bin/env bash
# model2vec cuts a text by characters before it counts tokens: a text of 400 tokens loses its end at a limit of 512.
#
# The usual guess: `encode(max_length=512)`, the default, embeds the first 512 tokens of a text, as its docstring says.
# True: with model2vec 0.7.0 the text is first cut to 512 times the median length of the vocabulary's entries. Those are
#   short (three characters here). A text whose tokens are longer than that median ends early, and nothing says so. Code
#   has such tokens: long names, and runs of blanks that belong to no token at all. `max_length=None` embeds it all.
# Whom it hurts: who embeds code or documents with static embeddings: two functions with one beginning get one vector.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check model2vec==0.7.0 numpy==2.3.5
"$folder/venv/bin/python" - <<'PYTHON'
import importlib.metadata

import numpy as np
from model2vec import StaticModel
from tokenizers import Tokenizer, models, pre_tokenizers

WORDS = ["subtract", "multiply", "accumulate_gradients", "[UNK]", *(f"x{number}" for number in range(50))]
tokenizer = Tokenizer(models.WordLevel({word: place for place, word in enumerate(WORDS)}, unk_token="[UNK]"))
tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
model = StaticModel(np.eye(len(WORDS), dtype=np.float32), tokenizer)
print("model2vec", importlib.metadata.version("model2vec"))

same = ["accumulate_gradients"] * 200
one, other = (" ".join([*same, *[word] * 200]) for word in ("subtract", "multiply"))
indented = ["\n".join(" " * 12 + f"x{number}" for number in (*[0] * 120, *[last] * 80)) for last in (41, 42)]
for name, texts in (("long names", (one, other)), ("indented lines", indented)):
    tokens = [len(tokenizer.encode(text).ids) for text in texts]
    vectors, whole = model.encode(list(texts)), model.encode(list(texts), max_length=None)
    print(f"two texts of {name}, of {tokens} tokens: equal vectors {np.array_equal(*vectors)}, with max_length=None "
          f"{np.array_equal(*whole)}")
    assert np.array_equal(*vectors) and not np.array_equal(*whole) and max(tokens) < 512, "long texts are kept now"
PYTHON
