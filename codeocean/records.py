"""What goes through the rooms: the Arrow schemas of every artifact, and the glossary.

Glossary. *pair*: a comment and its code. *pick*: a row that k-center selected. *candidate*: the generator's parsed
answer. *verdict*: the discriminator's. *case*: a verdict kept as a few-shot example. *instance*: a finished CodeOcean
row. *reason*: why a row stops; the empty string means that it goes on. *round*: one slice of the coreset, generated
and judged together.
"""

from __future__ import annotations

import hashlib

import pyarrow as pa

from codeocean.verify.columns import PROOF_COLUMNS

_STRING, _STRINGS = pa.string(), pa.list_(pa.string())

RAW_CODE = pa.schema(
    [
        (name, _STRING)
        for name in (
            "id",
            "language",
            "code",
            "docstring",
            "name",
            "repository",
            "path",
            "url",
            "license",
            "split",
            "source",
        )
    ]
)
"""One (comment, code) pair; `code` holds the function without its documentation, `docstring` the documentation."""

CONTEXT = ("context", "context_missing")
"""Columns that raw code has beside these where a source asks for `context`: source of the same file that the function
needs, to stand before it or around a line `@@function@@`, and why it cannot be run alone even so."""

CORESET = pa.schema([("rank", pa.int64()), ("id", _STRING), ("radius", pa.float64())])
"""`radius` is the distance to the nearest earlier pick when picked, so that every prefix is itself a coreset."""

GENERATIONS = pa.schema([
    ("id", _STRING), ("raw_id", _STRING), ("task", _STRING), ("task_name", _STRING), ("instruction", _STRING),
    ("information", _STRING), ("solution", _STRING), ("target_language", _STRING), ("round", pa.int32()),
    ("attempt", pa.int32()), ("shots", _STRINGS), ("generator", _STRING), ("prompt_version", _STRING),
    ("seed", pa.int64()), ("raw_text", _STRING), ("reasoning", _STRING), ("error", _STRING),
])  # fmt: skip
"""One answer of the LLM Generator: `raw_text` as it came, `reasoning` what was thought before it; `error` is the reason
why it goes no further, empty when it goes to the judge."""

VERDICTS = pa.schema([
    ("id", _STRING),
    ("rules", pa.list_(pa.struct([("rule", _STRING), ("reason", _STRING), ("answer", _STRING)]))),
    ("overall", _STRING), ("reasons", _STRING), ("discriminator", _STRING), ("raw_text", _STRING),
    ("reasoning", _STRING), ("error", _STRING),
])  # fmt: skip
"""One answer of the LLM Discriminator about the generation of the same `id`; `overall` is "yes" or "no"."""

PROOFS = pa.schema([
    ("raw_id", _STRING), ("tests", _STRING), ("refused", _STRING), ("error", _STRING), ("solutions", pa.int32()),
    ("found", _STRING),
])  # fmt: skip
"""Tests of one row's exercise, a JSON list; `refused` (JSON) counts those that were none, by reason; `error` says why
there are none at all; `found` (JSON) is what the sandbox found of `solutions` solutions (`eval/sandbox/proof.py`)."""

INSTANCES = pa.schema([
    ("id", _STRING), ("raw_id", _STRING), ("task", _STRING), ("language", _STRING), ("instruction", _STRING),
    ("input", _STRING), ("output", _STRING), ("provenance", _STRING), *PROOF_COLUMNS,
])  # fmt: skip
"""CodeOcean; `provenance` is a JSON object: models, prompt version, seed, round, few-shot ids, verdict."""


def embeddings_schema(dimensions: int, dtype: pa.DataType) -> pa.Schema:
    """Schema of the embeddings artifact: `dimensions` values of `dtype` (float16 or float32) a row."""
    return pa.schema([("id", _STRING), ("embedding", pa.list_(dtype, dimensions))])


def row_id(code: str) -> str:
    """First 16 hex digits of the SHA-256 of the code's UTF-8 bytes: the same code has the same id everywhere."""
    return hashlib.sha256(code.encode("utf-8", "surrogatepass")).hexdigest()[:16]
