"""The safetensors files of a base model, read by name: one layer at a time, so that nobody holds the whole. No Ray."""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors import safe_open
from torch import Tensor

INDEX = "model.safetensors.index.json"


class StoredWeights:
    """Tensors of a model folder or hub id, opened when they are asked for."""

    def __init__(self, model: str) -> None:
        """Find the files; those of a hub id are fetched to its cache first.

        Raises:
            OSError: there are no safetensors.
        """
        folder = Path(model)
        if not folder.is_dir():
            from huggingface_hub import snapshot_download

            folder = Path(snapshot_download(model, allow_patterns=["*.safetensors", "*.json"]))
        self._folder = folder
        self._file_of: dict[str, str] = {}
        if (folder / INDEX).is_file():
            self._file_of = json.loads((folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
        elif (folder / "model.safetensors").is_file():
            with safe_open(folder / "model.safetensors", "pt") as file:
                self._file_of = dict.fromkeys(file.keys(), "model.safetensors")
        else:
            raise OSError(f"{folder} holds no safetensors; pickled weights are not loaded")

    def __contains__(self, name: str) -> bool:
        return name in self._file_of

    def read(self, name: str) -> Tensor:
        """One tensor, in float32 on the CPU."""
        with safe_open(self._folder / self._file_of[name], "pt") as file:
            return file.get_tensor(name).to(torch.float32)
