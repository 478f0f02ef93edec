"""What `torch.compile` makes of a decoder layer, traced without values: no card, no compiler, no time."""

import pytest
import torch
from torch._dynamo.testing import CompileCounterWithBackend
from transformers import AutoConfig, AutoModelForCausalLM

from training.attention import NAME, describe_documents

META = torch.device("meta")
ROWS = [(20, 36, 14), (40, 30), (10, 10, 10, 40), (53,), (200, 101), (9,) * 30]
"""Lengths of the documents of packed rows."""


def programs(kind, kernel, **settings):
    """Programs that a compiled layer consists of after each row."""
    sizes = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 1, "num_attention_heads": 4, "head_dim": 16,
             "num_key_value_heads": 2, "vocab_size": 97, "max_position_embeddings": 512, "use_cache": False}  # fmt: skip
    with META:
        model = AutoModelForCausalLM.from_config(
            AutoConfig.for_model(kind, **sizes, **settings), attn_implementation=NAME, dtype=torch.bfloat16
        )
    torch._dynamo.reset()
    counter, found = CompileCounterWithBackend("eager"), []
    for layer in model.model.layers:
        layer.compile(dynamic=True, backend=counter)
    for lengths in ROWS:
        ids = torch.zeros(1, sum(lengths), dtype=torch.long, device=META)
        model.base_model(input_ids=ids, position_ids=ids, documents=describe_documents(lengths, kernel, META))
        found.append(counter.frame_count)
    return found


@pytest.mark.parametrize(("kind", "settings"), [
    ("llama", {}), ("qwen2", {}), ("mistral", {"sliding_window": 8}),
], ids=["llama", "qwen2", "windows"])  # fmt: skip
def test_a_layer_under_flash_is_one_program_for_rows_of_any_lengths(kind, settings):
    """Before, attention was a break: four programs a layer, and three more for a row of one document."""
    assert programs(kind, "flash", **settings) == [1] * len(ROWS)


def test_other_kernels_stay_outside_of_the_programs():
    """They look at each document; what is around them is not compiled anew for other rows."""
    assert programs("llama", "documents") == [5] * len(ROWS)
