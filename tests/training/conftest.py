"""Rows to train on."""

import pytest

ROWS = [
    {"instruction": f"Write a function that adds {n} to x.", "input": f"def f(x): # {n}" if n % 2 else "",
     "output": f"def add(x):\n    return x + {n}" * (1 + n % 3)}
    for n in range(12)
]  # fmt: skip


@pytest.fixture(scope="session")
def rows():
    return ROWS


@pytest.fixture(scope="session")
def model_folder(tiny_llama):
    return tiny_llama
