"""Embed: raw code → one vector a row, with a `sentence-transformers` model. No Ray: runs on any machine with PyTorch.

The text of a row is its documentation and its code, cut to the model's own length. Vectors are what
`SentenceTransformer.encode` gives for the same texts; rows are encoded longest first, so that a batch pads little.
Source: WaveCoder, section 2.2.1 (all-roberta-large-v1 there, any model here).

Not covered yet: token-budget batches, and tokenising on the CPU while the GPU encodes.
"""

from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, NonNegativeFloat, PositiveInt

from codeocean.records import embeddings_schema


class EmbedConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """How raw code becomes vectors (paper, section 2.2.1)."""

    model: str = "package:all-minilm-l6-v2"
    """`sentence-transformers` model: Hugging Face id, folder, or packaged model. The paper's is
    sentence-transformers/all-roberta-large-v1."""

    text: Literal["docstring and code", "code"] = "docstring and code"
    """What is encoded."""

    batch_size: PositiveInt = 32
    """Rows of one forward pass."""

    dtype: Literal["float32", "float16"] = "float32"
    """Type of the vectors in the artifact."""

    normalize: bool = True
    """Scale every vector to length 1, so that Euclidean distance orders rows as cosine does."""

    actors: PositiveInt = 1
    """Encoders that run at a time."""

    cpus_per_actor: PositiveInt = 1
    """Logical CPUs of one encoder."""

    gpus_per_actor: NonNegativeFloat = 0.0
    """GPUs of one encoder; a fraction shares a GPU."""


class Encoder:
    """One embedding model on one device."""

    def __init__(self, model: str, config: EmbedConfig, device: str | None = None) -> None:
        """Load the model.

        Args:
            model: Hugging Face folder or id.
            config: how to encode.
            device: where; None takes CUDA where there is one.

        Raises:
            ValueError: `model` cannot be loaded as an embedding model.
        """
        from sentence_transformers import SentenceTransformer

        self._config = config
        try:
            self._model: Any = SentenceTransformer(model, device=device, trust_remote_code=False)
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).strip().split("\n")[0]
            raise ValueError(f"embed.model {model!r} is no model that sentence-transformers loads: {reason}") from None

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self._model.get_embedding_dimension())

    def encode(self, texts: list[str]) -> np.ndarray[Any, np.dtype[np.float32]]:
        """(N, D) float32 vectors of N texts, in their order."""
        if not texts:
            return np.empty((0, self.dimensions), dtype=np.float32)
        vectors = self._model.encode(
            texts,
            batch_size=self._config.batch_size,
            normalize_embeddings=self._config.normalize,
            show_progress_bar=False,
            convert_to_numpy=True,
        )
        return np.ascontiguousarray(vectors, dtype=np.float32)

    def embed(self, rows: pa.Table) -> pa.Table:
        """Rows of RAW_CODE → the embeddings artifact's rows, in the same order."""
        texts = [row_text(row, self._config) for row in rows.select(["docstring", "code"]).to_pylist()]
        vectors = self.encode(texts).astype(self._config.dtype)
        values = pa.array(vectors.reshape(-1))
        embedding = pa.FixedSizeListArray.from_arrays(values, vectors.shape[1])
        return pa.table(
            [rows["id"].combine_chunks(), embedding], schema=embeddings_schema(vectors.shape[1], values.type)
        )


def row_text(row: dict[str, str], config: EmbedConfig) -> str:
    """The text that stands for a row."""
    return row["code"] if config.text == "code" else f"{row['docstring']}\n{row['code']}"


def as_matrix(embeddings: pa.Table) -> np.ndarray[Any, Any]:
    """(N, D) matrix of the embeddings artifact, float16 or float32 as stored."""
    column = embeddings["embedding"].combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)
