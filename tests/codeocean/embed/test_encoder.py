"""Vectors against `SentenceTransformer.encode`, for the real MiniLM and for every shape of model that the library loads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import Pooling, StaticEmbedding
from transformers import BertConfig, BertModel, LlamaConfig, LlamaModel

from codeocean.embed import compiled
from codeocean.embed import encoder as embedding
from codeocean.embed.compiled import check_backend
from codeocean.embed.encoder import Encoder, Tokenizer, load_model
from codeocean.embed.settings import EmbedConfig
from ray_jobs.run.models import resolve_model

MINILM = resolve_model("package:all-minilm-l6-v2", "embed.model")
CODE = Path(embedding.__file__).read_text()
TEXTS = ["", " ", "a", "\x00", "Größe \U0001f40d 漢字", "[PAD] [MASK] </s>", "def f():\n\treturn 1", CODE[:700], CODE, CODE * 40,
         *(CODE[start : start + 10 * start] for start in range(1, 30))]  # fmt: skip


def cosines(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    norms = np.linalg.norm(ours, axis=1) * np.linalg.norm(theirs, axis=1)
    return (ours * theirs).sum(axis=1) / norms


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Folders of small models with random weights and MiniLM's tokenizer."""
    folder = tmp_path_factory.mktemp("models")
    torch.manual_seed(0)
    shape = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    BertModel(BertConfig(vocab_size=30522, **shape)).save_pretrained(folder / "bert")
    SentenceTransformer(MINILM, device="cpu").tokenizer.save_pretrained(folder / "bert")

    def save(name: str, modules: list, **options) -> None:
        SentenceTransformer(modules=modules, device="cpu", **options).save(str(folder / name))

    for mode in ("cls", "max", "mean", "lasttoken", "weightedmean"):
        save(mode, [Transformer(str(folder / "bert"), max_seq_length=64), Pooling(32, mode)])
    LlamaModel(LlamaConfig(vocab_size=30522, **shape)).save_pretrained(folder / "llama")
    SentenceTransformer(MINILM, device="cpu").tokenizer.save_pretrained(folder / "llama")
    left = Transformer(str(folder / "llama"), max_seq_length=64)
    left.tokenizer.padding_side = "left"
    save("left padding", [left, Pooling(32, "lasttoken")])
    save("dense", [Transformer(str(folder / "bert"), max_seq_length=64), Pooling(32), Dense(32, 8), Normalize()])
    prompts = {"prompts": {"code": "Represent this code: "}, "default_prompt_name": "code"}
    save("prompt", [Transformer(str(folder / "bert"), max_seq_length=64), Pooling(32, include_prompt=False)], **prompts)
    save("static", [StaticEmbedding(left.tokenizer, embedding_dim=16)])
    return folder


@pytest.fixture(scope="module")
def minilm():
    """The library's vectors of the texts."""
    return SentenceTransformer(MINILM, device="cpu").encode(TEXTS, normalize_embeddings=True)


@pytest.mark.parametrize("budget", [300, 4096])
def test_vectors_of_minilm_are_those_of_the_library(minilm, budget):
    ours = Encoder(MINILM, EmbedConfig(tokens_per_batch=budget), device="cpu").encode(TEXTS)
    assert ours.shape == minilm.shape and ours.dtype == np.float32
    assert cosines(ours, minilm).min() >= 0.9999
    np.testing.assert_allclose(ours, minilm, atol=1e-5)


@pytest.mark.parametrize(
    "name", ["cls", "max", "mean", "lasttoken", "weightedmean", "left padding", "dense", "prompt", "static"]
)
def test_vectors_of_any_model_are_those_of_the_library(tiny, name):
    path = str(tiny / name)
    encoder = Encoder(path, EmbedConfig(normalize=False, tokens_per_batch=200), device="cpu")
    theirs = SentenceTransformer(path, device="cpu").encode(TEXTS)
    ours = encoder.encode(TEXTS)
    assert encoder.dimensions == theirs.shape[1]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


@pytest.mark.parametrize("name", ["mean", "left padding", "prompt", "static"])
def test_a_model_without_weights_makes_the_same_batches(tiny, name):
    config = EmbedConfig(tokens_per_batch=200)
    whole, bare = (load_model(str(tiny / name), weights=weights) for weights in (True, False))
    pairs = zip(Tokenizer(whole, config).batches(TEXTS), Tokenizer(bare, config).batches(TEXTS), strict=True)
    for one, other in pairs:
        assert one.to_arrow().equals(other.to_arrow())
        assert bool(one.texts) == (name == "static")


def test_normalised_float16_vectors_have_length_one(tiny):
    vectors = Encoder(str(tiny / "mean"), EmbedConfig(dtype="float16"), device="cpu").encode(TEXTS)
    assert vectors.dtype == np.float16
    np.testing.assert_allclose(np.linalg.norm(vectors.astype(np.float32), axis=1), 1, atol=2e-3)


def test_bfloat16_is_close_and_not_the_same():
    exact, rough = (Encoder(MINILM, EmbedConfig(precision=name), "cpu").encode(TEXTS) for name in ("auto", "bfloat16"))
    assert 0.99 < cosines(exact, rough).min() < 1
    assert not np.array_equal(exact, rough)


def test_no_texts_give_no_vectors(tiny):
    assert Encoder(str(tiny / "dense"), EmbedConfig(), "cpu").encode([]).shape == (0, 8)


@pytest.mark.parametrize("name", ["mean", "dense", "prompt"])
def test_openvino_gives_the_vectors_of_pytorch(tiny, name):
    pytest.importorskip("openvino")
    of_torch, of_openvino = (
        Encoder(str(tiny / name), EmbedConfig(backend=backend)) for backend in ("torch", "openvino")
    )
    expected = of_torch.encode(TEXTS[:8])
    with ThreadPoolExecutor(2) as pool:  # as an actor works on several batches
        for found in pool.map(of_openvino.encode, [TEXTS[:8]] * 2):
            assert found.dtype == np.float32 and np.abs(found - expected).max() < 2e-6


def test_openvino_refuses_what_no_tokenizer_feeds(tiny):
    pytest.importorskip("openvino")
    with pytest.raises(
        ValueError, match="embed.backend 'openvino' takes transformers that one tokenizer feeds; .*use torch"
    ):
        Encoder(str(tiny / "static"), EmbedConfig(backend="openvino"))


def test_openvino_whose_vectors_are_others_is_refused(tiny):
    """A causal model padded on the left: nothing is left to attend to where a row begins."""
    pytest.importorskip("openvino")
    with pytest.raises(ValueError, match="OpenVINO's vectors of this model are not PyTorch's .cosine nan.; use torch"):
        Encoder(str(tiny / "left padding"), EmbedConfig(backend="openvino"))


def test_a_backend_that_is_not_installed_is_one_line(monkeypatch):
    monkeypatch.setattr(compiled, "find_spec", lambda name: None)
    with pytest.raises(ValueError, match=r"embed.backend 'openvino' needs .*pip install 'wavecoder-ray\[openvino\]'"):
        check_backend("openvino")
    check_backend("torch")


def test_openvino_on_a_gpu_is_refused():
    with pytest.raises(ValueError, match="backend 'openvino' computes on CPUs; gpus_per_actor is 0.5: set it to 0"):
        EmbedConfig(backend="openvino", gpus_per_actor=0.5)


def test_the_backend_is_part_of_what_is_made():
    assert EmbedConfig().identity()["backend"] == "torch"
    assert EmbedConfig(backend="openvino").identity() != EmbedConfig().identity()
