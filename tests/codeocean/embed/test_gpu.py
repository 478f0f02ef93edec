"""Vectors on a card. `pytest -m gpu`; needs no packaged model and no Ray."""

import numpy as np
import pytest

from bench.embedding import roberta_large
from bench.random_llama import documented_functions
from codeocean.embed.encoder import Encoder
from codeocean.embed.settings import EmbedConfig


@pytest.mark.gpu
def test_vectors_on_a_gpu_are_those_of_the_cpu(tmp_path):
    model, texts = roberta_large(2, tmp_path), [row["code"] for row in documented_functions(40)]
    on_cpu = Encoder(model, EmbedConfig(), device="cpu").encode(texts)
    for precision, least in (("float32", 0.9999), ("auto", 0.99)):
        on_gpu = Encoder(model, EmbedConfig(precision=precision, tokens_per_batch=16384), device="cuda").encode(texts)
        norms = np.linalg.norm(on_gpu, axis=1) * np.linalg.norm(on_cpu, axis=1)
        assert ((on_gpu * on_cpu).sum(axis=1) / norms).min() >= least
