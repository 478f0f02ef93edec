"""Embed: raw code → one vector a row, with a `sentence-transformers` model. No Ray: runs on any machine with PyTorch.

The text of a row is its documentation and its code, as far as they fit (`texts.py`). A `Tokenizer` (CPU, no weights)
makes token batches of a part's texts, an `Encoder` (CPU or GPU) makes vectors of a batch. Both ask the library: tokens
come from its own `preprocess`, vectors from its own modules in order, so that pooling, dense layers and normalisation
are as the model says and the vectors are those of `SentenceTransformer.encode`.
Source: WaveCoder, section 2.2.1 (all-roberta-large-v1 there, any model here).

Not covered: models that are not fed by one tokenizer (chat templates, routers, static embeddings, modalities) go
through the library's `encode` inside the encoder: their tokenisation does not overlap.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import torch

from codeocean.embed.batches import TokenBatch, plan_batches
from codeocean.embed.compiled import compile_transformer
from codeocean.embed.settings import EmbedConfig
from codeocean.embed.texts import SentTexts, choose_texts, window_of
from codeocean.records import embeddings_schema
from core.node_copy import node_copy

Vectors = np.ndarray[Any, np.dtype[Any]]

_FEATURES = {"input_ids", "token_type_ids", "attention_mask", "modality", "prompt_length"}
"""What `preprocess` gives for a model that a plain tokenizer feeds."""


def load_model(model: str, device: str | None = None, *, weights: bool = True) -> Any:
    """A `SentenceTransformer`; without weights it can only tokenise.

    Args:
        model: Hugging Face folder or id, or URL of a folder.
        device: where; None takes CUDA where there is one.
        weights: load them.

    Raises:
        ValueError: `model` cannot be loaded as an embedding model.
    """
    from sentence_transformers import SentenceTransformer

    folder = node_copy(model)
    options: dict[str, Any] = {"device": device} if weights else {"model_kwargs": {"device_map": "meta"}}
    try:
        return SentenceTransformer(folder, trust_remote_code=False, **options).eval()
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().split("\n")[0]
        raise ValueError(f"embed.model {model!r} is no model that sentence-transformers loads: {reason}") from None


class Tokenizer:
    """Texts → token batches, with the library's own tokens."""

    def __init__(self, model: Any, config: EmbedConfig) -> None:
        """Take a loaded model, with weights or without."""
        self._model, self._budget = model, config.tokens_per_batch
        self._plain = _is_fed_by_a_tokenizer(model)
        self._sent, self._window = config.text, window_of(model) if self._plain else None

    def of_rows(self, rows: pa.Table) -> tuple[list[TokenBatch], SentTexts]:
        """Token batches of rows of RAW_CODE, numbered by row, and what was cut of them."""
        sent = choose_texts(rows["docstring"].to_pylist(), rows["code"].to_pylist(), self._sent, self._window)
        return [replace(batch, rows=sent.rows[batch.rows]) for batch in self.batches(sent.texts)], sent

    def batches(self, texts: list[str]) -> list[TokenBatch]:
        """Token batches that hold every text once; one empty batch for no texts."""
        if not self._plain or not texts:
            return self._text_batches(texts)
        prompt = self._model.prompts.get(self._model.default_prompt_name)
        unpadded = {"text": {"padding": False}, "common": {"return_tensors": None}}
        tokens = self._model.preprocess(texts, prompt=prompt, processing_kwargs=unpadded)
        if not set(tokens) <= _FEATURES:
            return self._text_batches(texts)
        lengths = np.array([len(ids) for ids in tokens["input_ids"]], dtype=np.int32)
        columns = {name: tokens[name] for name in ("input_ids", "token_type_ids") if name in tokens}
        return [
            TokenBatch(
                rows=rows,
                lengths=lengths[rows],
                features={
                    name: np.fromiter((value for row in rows for value in column[row]), dtype=np.int32)
                    for name, column in columns.items()
                },
                prompt_length=tokens.get("prompt_length"),
            )
            for rows in plan_batches(lengths, self._budget)
        ]

    def _text_batches(self, texts: list[str]) -> list[TokenBatch]:
        """Batches by characters, at four to a token, that leave the tokens to the library."""
        limit = self._model.max_seq_length or self._budget
        lengths = np.array([min(len(text) // 4 + 2, limit) for text in texts], dtype=np.int32)
        return [
            TokenBatch(rows=rows, lengths=lengths[rows], features={}, texts=tuple(texts[row] for row in rows))
            for rows in plan_batches(lengths, self._budget)
        ]


class Encoder:
    """One embedding model on one device; several threads may use it."""

    def __init__(self, model: str, config: EmbedConfig, device: str | None = None) -> None:
        """Load the model; arguments and errors as `load_model`, and errors of `compile_transformer`."""
        self._config = config
        compiled = config.backend == "openvino"
        loaded = load_model(model, "cpu" if compiled else device)
        low = config.precision == "bfloat16" or (config.precision == "auto" and loaded.device.type == "cuda")
        self.model: Any = loaded.to(torch.bfloat16 if low and not compiled else torch.float32)
        if compiled:
            if not _is_fed_by_a_tokenizer(loaded):
                raise ValueError(f"embed.backend 'openvino' takes transformers that one tokenizer feeds; {model!r} is "
                                 "none: use torch")  # fmt: skip
            compile_transformer(self.model, low=low)
        tokenizer = getattr(self.model, "tokenizer", None)
        self._side = getattr(tokenizer, "padding_side", "right")
        self._padding = {
            "input_ids": getattr(tokenizer, "pad_token_id", None) or 0,
            "token_type_ids": getattr(tokenizer, "pad_token_type_id", None) or 0,
        }

    @property
    def dimensions(self) -> int:
        """Length of a vector."""
        return int(self.model.get_embedding_dimension())

    @torch.inference_mode()
    def vectors(self, batch: TokenBatch) -> Vectors:
        """(B, D) vectors of a batch, of the configured dtype, in the batch's order."""
        if len(batch.rows) == 0:
            return np.empty((0, self.dimensions), dtype=self._config.dtype)
        if batch.texts:
            vectors_BD = self.model.encode(
                list(batch.texts), batch_size=len(batch.texts), convert_to_tensor=True
            ).float()
        else:
            features = batch.padded(self._padding, self._side)
            device = self.model.device
            on_device = {name: x.to(device) if isinstance(x, torch.Tensor) else x for name, x in features.items()}
            vectors_BD = self.model(on_device)["sentence_embedding"].float()
        if self._config.normalize:
            vectors_BD = torch.nn.functional.normalize(vectors_BD, dim=1)
        return vectors_BD.cpu().numpy().astype(self._config.dtype)

    def encode_rows(self, rows: pa.Table) -> Vectors:
        """(N, D) vectors of N rows of RAW_CODE, in their order, of what `config.text` sends of them."""
        batches, _ = Tokenizer(self.model, self._config).of_rows(rows)
        vectors = [self.vectors(batch) for batch in batches]
        return mean_of_rows([batch.rows for batch in batches], vectors, normalize=self._config.normalize)

    def encode(self, texts: list[str]) -> Vectors:
        """(N, D) vectors of N texts, in their order, of the configured dtype."""
        batches = Tokenizer(self.model, self._config).batches(texts)
        return in_order([batch.rows for batch in batches], [self.vectors(batch) for batch in batches])


def _is_fed_by_a_tokenizer(model: Any) -> bool:
    """Whether the first module is a transformer that takes a text's own tokens and nothing else."""
    from sentence_transformers.base.modules import Transformer
    from transformers import PreTrainedTokenizerBase

    first = model[0]
    return (
        isinstance(first, Transformer)
        and isinstance(first.processor, PreTrainedTokenizerBase)
        and set(first.modality_config) == {"text"}
        and first.transformer_task == "feature-extraction"
    )


def in_order(rows: list[Any], vectors: list[Vectors]) -> Vectors:
    """(N, D) matrix in which the vectors of each batch lie at its rows."""
    ordered = np.empty((sum(map(len, rows)), vectors[0].shape[1]), dtype=vectors[0].dtype)
    ordered[np.concatenate(rows)] = np.concatenate(vectors)
    return ordered


def mean_of_rows(rows: list[Any], vectors: list[Vectors], *, normalize: bool) -> Vectors:
    """(N, D) matrix of rows that may stand in several batches, and in one several times: the mean of their vectors.

    Args:
        rows: of each batch, (B,) integers: the row of each text, 0 to N - 1.
        vectors: of each batch, (B, D) in any floating dtype, which the result has, too.
        normalize: give the means unit length.
    """
    if len(np.unique(owners := np.concatenate(rows))) == len(owners):
        return in_order(rows, vectors)
    found = np.concatenate(vectors)
    sums = np.zeros((owners.max() + 1, found.shape[1]), np.float64)
    np.add.at(sums, owners, found)
    lengths = np.linalg.norm(sums, axis=1) if normalize else np.bincount(owners)
    return (sums / np.maximum(lengths, 1e-12)[:, None]).astype(found.dtype)


def row_texts(rows: pa.Table, config: EmbedConfig) -> list[str]:
    """The whole texts that stand for rows of RAW_CODE, whatever fits the model's window."""
    return choose_texts(rows["docstring"].to_pylist(), rows["code"].to_pylist(), config.text, None).texts


def embeddings_table(ids: pa.ChunkedArray, vectors: Vectors) -> pa.Table:
    """The embeddings artifact's rows."""
    values = pa.array(vectors.reshape(-1))
    embedding = pa.FixedSizeListArray.from_arrays(values, vectors.shape[1])
    return pa.table([ids.combine_chunks(), embedding], schema=embeddings_schema(vectors.shape[1], values.type))


def as_matrix(embeddings: pa.Table) -> Vectors:
    """(N, D) matrix of the embeddings artifact, float16 or float32 as stored."""
    column = embeddings["embedding"].combine_chunks()
    return column.flatten().to_numpy(zero_copy_only=False).reshape(len(column), column.type.list_size)
