#!/usr/bin/env bash
# In bfloat16 on a CPU, an embedding's gradient stops growing at 256 tokens, and LayerNorm's hangs on the threads.
#
# The usual guess: sums over many tokens are kept in float32 inside a kernel and rounded once at the end; in bfloat16 a
#   gradient is off by one part in 256 at most. It holds for the weights and biases of Linear, RMSNorm, and for sum().
# True: with torch 2.13.0 on a CPU, the backward pass of an embedding adds token by token in bfloat16: 256 + 1 is 256. A
#   token that stands 10,000 times in a batch gets the gradient of 256. LayerNorm's bias gets 256 for each thread.
#   float16 stops at 2,048; index_add_ is like it, scatter_add_ is not. With float32 weights under autocast it is right.
# Whom it hurts: who trains in bfloat16 on CPUs: frequent tokens (line breaks, indentation) learn as if they were rare.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy
CUDA_VISIBLE_DEVICES="" "$folder/venv/bin/python" - <<'PYTHON'
import torch
from torch import nn

TOKENS = 10_000


def embedding(dtype, autocast=False):
    table = nn.Embedding(4, 1, dtype=dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=autocast):
        table(torch.zeros(TOKENS, dtype=torch.long)).sum().backward()
    return float(table.weight.grad[0])


def bias_of(layer, width, threads):
    torch.set_num_threads(threads)
    layer(torch.randn(TOKENS, width, dtype=torch.bfloat16)).sum().backward()
    return float(layer.bias.grad[0])


def added(name):
    ones = torch.ones(TOKENS, dtype=torch.bfloat16)
    return float(getattr(torch.zeros(1, dtype=torch.bfloat16), name)(0, torch.zeros(TOKENS, dtype=torch.long), ones))


print("torch", torch.__version__, f"gradients that add up {TOKENS} ones")
found = {
    "embedding, float32": embedding(torch.float32),
    "embedding, float32 under autocast": embedding(torch.float32, autocast=True),
    "embedding, bfloat16": embedding(torch.bfloat16),
    "embedding, float16": embedding(torch.float16),
    "LayerNorm's bias, bfloat16, 1 thread": bias_of(nn.LayerNorm(8, dtype=torch.bfloat16), 8, 1),
    "LayerNorm's bias, bfloat16, 2 threads": bias_of(nn.LayerNorm(8, dtype=torch.bfloat16), 8, 2),
    "Linear's bias, bfloat16, 2 threads": bias_of(nn.Linear(8, 8, dtype=torch.bfloat16), 8, 2),
    "index_add_, bfloat16": added("index_add_"),
    "scatter_add_, bfloat16": added("scatter_add_"),
}
for name, value in found.items():
    print(f"{name}: {value}")
expected = [10_000.0, 10_000.0, 256.0, 2048.0, 256.0, 512.0, 9984.0, 256.0, 9984.0]
raise SystemExit(0 if list(found.values()) == expected else "the sums are other ones now")
PYTHON
