"""Operations of one forward and backward pass, counted on tensors without values: no card, no weights, no time.

`python -m bench.gpu.operations --size 1b` prints one JSON object: how many operations a decoder layer starts, which of
them move data alone, and how many bytes all but matrix products and attention read and write. Rows are packed as on a
card, and attention is one operation, variable-length flash. Views cost nothing and are not counted. `--weights`:
`bfloat16` as FSDP hands them to a layer, or `float32` under autocast, as one worker without FSDP has them.

What a fused step would start in a layer, forward: 2 norms, 1 rotation, 4 + 3 matrix products, 1 attention, 1 gate and 2
sums; backward: two products for each product, and one operation for each other.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Sequence
from typing import Any

import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import AutoModelForCausalLM, LlamaConfig

from bench.mfu import random_examples
from bench.random_llama import SIZES
from training.attention import NAME
from training.loss import Learner
from training.packing import pack, packed_batch

COPIES = {"_to_copy", "clone", "copy_", "cat", "index_select", "select_backward", "slice_backward"}
"""Operations that move data and compute nothing; `_to_copy` is a change of type."""
_FREE = {"_unsafe_view", "empty_like", "new_empty", "empty"}
"""No views by their schema, and yet no work."""
_PRODUCTS = {"mm", "addmm", "bmm", "_varlen_attn", "_varlen_attn_backward"}
FUSED_LAYER = 14 + 14 + 7
"""Operations of a layer whose norms, rotation and gate are one each; products count twice in the backward pass."""


class _Counter(TorchDispatchMode):
    """Counts what reaches a device."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch gives it no types
        self.counts: Counter[str] = Counter()
        self.bytes = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Sequence[Any] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = function.__name__.partition(".")[0]
        made = function(*args, **(kwargs or {}))
        if not function.is_view and name not in _FREE and function.namespace in {"aten", "torch_attn"}:
            self.counts[name] += 1
            if name not in _PRODUCTS:
                touched = [value for value in tree_leaves((args, kwargs, made)) if isinstance(value, torch.Tensor)]
                self.bytes += sum(value.nbytes for value in touched)
        return made


def count_operations(size: str, layers: int, weights: str = "bfloat16") -> tuple[Counter[str], int, int]:
    """One forward and backward pass over a packed row of at most 2,048 tokens.

    Args:
        size: as in `bench.random_llama`.
        layers: of the decoder.
        weights: `bfloat16`, or `float32` under autocast.

    Returns:
        Operations by name, bytes that all but products and attention touch, tokens.
    """
    described = LlamaConfig(**SIZES[size] | {"num_hidden_layers": layers, "use_cache": False})
    rows = random_examples(40, 1000, 1024)
    packed = packed_batch([rows[number] for number in pack([len(row.input_ids) for row in rows], 2048)[0]])
    low = torch.bfloat16 if weights == "float32" else None
    with FakeTensorMode(allow_non_fake_inputs=True), _Counter() as counter:
        causal = AutoModelForCausalLM.from_config(described, dtype=getattr(torch, weights), attn_implementation=NAME)
        counter.counts.clear()  # the weights' start
        counter.bytes = 0
        Learner(causal.train(), "flash", low)(packed).backward()
    return counter.counts, counter.bytes, packed.num_tokens


def summarise(size: str, weights: str = "bfloat16") -> dict[str, Any]:
    """Counts of one layer, as the difference of two models, and of what is around the layers."""
    (two, least, tokens), (three, most, _) = (count_operations(size, layers, weights) for layers in (2, 3))
    layer = Counter({name: three[name] - two[name] for name in three if three[name] > two[name]})
    around = sum(two.values()) - 2 * sum(layer.values())
    depth = LlamaConfig(**SIZES[size]).num_hidden_layers
    return {
        "bench": "operations", "size": size, "weights": weights, "tokens": tokens, "layer": sum(layer.values()),
        "fused_layer": FUSED_LAYER, "copies": {name: layer[name] for name in sorted(COPIES) if layer[name]},
        "bytes_a_token_and_layer": round((most - least) / tokens), "around": around,
        "pass": around + depth * sum(layer.values()), "of_layer": dict(layer.most_common()),
    }  # fmt: skip


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="1b")
    parser.add_argument("--weights", choices=["bfloat16", "float32"], default="bfloat16")
    options = parser.parse_args()
    print(json.dumps(summarise(options.size, options.weights)))


if __name__ == "__main__":
    main()
