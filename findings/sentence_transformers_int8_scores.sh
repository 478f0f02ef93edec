#!/usr/bin/env bash
# `dot_score` and `semantic_search` on int8 embeddings wrap around at 128: a vector's nearest is not itself.
#
# The usual guess: int8 embeddings, which the library makes, can be searched by the library; scores are wide integers
#   or floats, as in a vector store.
# True: with sentence-transformers 6.2.0 `dot_score` multiplies in the vectors' own type. A score of 157,784 becomes 88,
#   and all scores lie between -128 and 127. `semantic_search` ranks by them without a warning. `cos_sim` raises an
#   error for int8, which leads to `dot_score`. With .astype("float32") in front, the ranking is that of the floats.
# Whom it hurts: who stores vectors as int8 to save memory: retrieval and deduplication return neighbours that look like
#   results and are close to random; the loss is taken for that of quantization.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check sentence-transformers==6.2.0 torch==2.13.0 numpy==2.3.5
cat > "$folder/scores.py" <<'PYTHON'
from importlib.metadata import version

import numpy as np
from sentence_transformers.util import dot_score, semantic_search
from sentence_transformers.util.quantization import quantize_embeddings

VECTORS, WIDTH, QUERIES = 200, 64, 20
drawn = np.random.default_rng(0).normal(size=(VECTORS, WIDTH)).astype(np.float32)
floats = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
small = quantize_embeddings(floats, "int8", calibration_embeddings=floats)


def itself_nearest(vectors):
    found = semantic_search(vectors[:QUERIES], vectors, top_k=1, score_function=dot_score)
    return sum(hits[0]["corpus_id"] == query for query, hits in enumerate(found))


print("sentence-transformers", version("sentence-transformers"))
right = np.einsum("ij,ij->i", small.astype(int), small.astype(int))[:3].tolist()
scored = dot_score(small[:3], small[:3]).diagonal().tolist()
counts = {"floats": itself_nearest(floats), "int8": itself_nearest(small),
          "int8 as floats": itself_nearest(small.astype(np.float32))}
print(f"products of three vectors with themselves: {right}, dot_score: {scored}")
print(f"of {QUERIES} vectors, so many are their own nearest: {counts}")
unchanged = all(-128 <= score <= 127 for score in scored) and min(right) > 127
unchanged = unchanged and counts["floats"] == counts["int8 as floats"] == QUERIES and counts["int8"] < QUERIES // 4
raise SystemExit(0 if unchanged else "int8 vectors are scored otherwise now")
PYTHON
"$folder/venv/bin/python" "$folder/scores.py" 2>"$folder/errors" || { tail -5 "$folder/errors"; exit 1; }
