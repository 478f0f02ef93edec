"""Settings of the embedding; imports no PyTorch."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import NonNegativeFloat, PositiveInt, model_validator

from codeocean.embed.texts import Sent
from core.settings import EarlierDefault, Execution, Settings


class EmbedConfig(Settings):
    """How raw code becomes vectors (paper, section 2.2.1)."""

    model: str = "package:all-minilm-l6-v2"
    """`sentence-transformers` model: Hugging Face id, folder, or packaged model. The paper's is
    sentence-transformers/all-roberta-large-v1."""

    text: Annotated[Sent, EarlierDefault("docstring and code")] = "share"
    """What is encoded of a row's documentation and code, above all where both do not fit the model's window:
    docs/embedding.md has what each is worth."""

    tokens_per_batch: PositiveInt = 4096
    """Tokens of one forward pass, padding included. The default suits a CPU; a GPU wants 65536 or so."""

    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Arithmetic of the model. "auto" is bfloat16 on a GPU and float32 on a CPU."""

    backend: Literal["torch", "openvino"] = "torch"
    """What computes the model's transformer. "openvino" is for CPUs and a package of its own; float32 vectors are
    the same to about 1e-6, bfloat16 ones differ from PyTorch's bfloat16. docs/embedding.md has what each is worth."""

    dtype: Literal["float32", "float16"] = "float32"
    """Type of the vectors in the artifact."""

    normalize: bool = True
    """Scale every vector to length 1, so that Euclidean distance orders rows as cosine does."""

    actors: Annotated[PositiveInt | Literal["all"], Execution()] = "all"
    """Most encoders at a time. "all" is as many as the cluster's GPUs hold, or one where `gpus_per_actor` is 0."""

    batches_per_actor: Annotated[PositiveInt | None, Execution()] = None
    """Batches that one encoder works on at a time, each on one CPU thread. None is 2 on a GPU (one is copied while the
    other is computed), and on a CPU the machine's cores shared by `actors`."""

    cpus_per_actor: Annotated[PositiveInt, Execution()] = 1
    """Logical CPUs of one encoder."""

    gpus_per_actor: Annotated[NonNegativeFloat, Execution()] = 0.0
    """GPUs of one encoder; a fraction shares a GPU."""

    @model_validator(mode="after")
    def _on_a_cpu(self) -> EmbedConfig:
        if self.backend == "openvino" and self.gpus_per_actor:
            raise ValueError(f"backend 'openvino' computes on CPUs; gpus_per_actor is {self.gpus_per_actor:g}: set it "
                             "to 0, or take torch")  # fmt: skip
        return self
