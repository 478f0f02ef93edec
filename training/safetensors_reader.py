"""The safetensors files of a base model, read by name: one layer at a time, so that nobody holds the whole. No Ray."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor

from core.storage import sample_digest

_PLAIN = {"F64", "F32", "F16", "BF16", "I64", "BOOL"}

_OF_QUANTISED = (
    "weight_scale_inv", "weight_scale", "input_scale", "weight_packed", "weight_zero_point", "qweight", "qzeros",
    ".absmax", ".quant_map", ".SCB", "proj_blocks",
)  # fmt: skip
"""Endings of names in the layouts of FP8, compressed-tensors, GPTQ, AWQ, bitsandbytes and MXFP4."""

INDEX = "model.safetensors.index.json"


class StoredWeights:
    """Tensors of a model folder or hub id, opened when they are asked for."""

    def __init__(self, model: str) -> None:
        """Find the files; those of a hub id are fetched to its cache first.

        Raises:
            OSError: there are no safetensors, or they are damaged or not all there.
        """
        folder = Path(model)
        if not folder.is_dir():
            from huggingface_hub import snapshot_download

            folder = Path(snapshot_download(model, allow_patterns=["*.safetensors", "*.json"]))
        self._folder = folder
        self._file_of: dict[str, str] = {}
        if (folder / INDEX).is_file():
            self._file_of = self._indexed()
        elif (folder / "model.safetensors").is_file():
            self._file_of = dict.fromkeys(self._names_in("model.safetensors"), "model.safetensors")
        else:
            raise OSError(f"{folder} holds no safetensors; pickled weights are not loaded{_conversion(model, folder)}")

    def _indexed(self) -> dict[str, str]:
        """Each tensor's file, as the index names them, when all are there."""
        try:
            file_of = json.loads((self._folder / INDEX).read_text(encoding="utf-8"))["weight_map"]
        except (ValueError, KeyError, TypeError):
            raise OSError(f"{self._folder / INDEX} is no index of safetensors; download it again") from None
        there = {(file, name) for file in sorted(set(file_of.values())) for name in self._names_in(file)}
        lost = next((name for name, file in file_of.items() if (file, name) not in there), None)
        if lost is not None:
            raise OSError(f"{self._folder / file_of[lost]} lacks {lost!r}, which {INDEX} names; download it again")
        return dict(file_of)

    def _names_in(self, name: str) -> list[str]:
        """The tensors of one file."""
        if not (self._folder / name).is_file():
            raise OSError(f"{self._folder} lacks {name}, which {INDEX} names; download it again")
        try:
            with safe_open(self._folder / name, "pt") as file:
                return list(file.keys())
        except SafetensorError as error:
            raise OSError(f"{self._folder / name} cannot be read: {error}; download it again") from None

    @property
    def names(self) -> list[str]:
        """Of all tensors."""
        return list(self._file_of)

    def shaped(self, name: str) -> Tensor:
        """A tensor's shape, without its values: on the device "meta"."""
        with safe_open(self._folder / self._file_of[name], "pt") as file:
            return torch.empty(file.get_slice(name).get_shape(), device="meta")

    def read(self, name: str) -> Tensor:
        """One tensor, in float32 on the CPU."""
        with safe_open(self._folder / self._file_of[name], "pt") as file:
            return file.get_tensor(name).to(torch.float32)

    def quantised(self) -> str | None:
        """The first tensor that is a low-bit weight or belongs to one; None where weights are plain numbers."""
        for name, file_name in self._file_of.items():
            if name.endswith(_OF_QUANTISED):
                return name
            with safe_open(self._folder / file_name, "pt") as file:
                dtype = file.get_slice(name).get_dtype()
            if dtype not in _PLAIN and not name.endswith("bias"):  # old files hold attention's mask as a bias
                return name
        return None

    def digest(self) -> str:
        """What tells these weights from others of the same sizes: each file's size and samples of its bytes."""
        content = hashlib.sha256()
        for name in sorted(set(self._file_of.values())):
            content.update(f"{name} {sample_digest(self._folder / name)}\n".encode())
        return content.hexdigest()[:16]


def _conversion(model: str, folder: Path) -> str:
    """What makes safetensors of a model that has pickled weights alone."""
    if not any(folder.glob("pytorch_model*.bin")) and Path(model).is_dir():
        return ""
    target = f"{Path(model).name}-safetensors"
    return (". Convert them once, then copy the tokenizer's files there: python -c \"from transformers import "
            f"AutoModelForCausalLM as M; M.from_pretrained('{model}').save_pretrained('{target}')\"")  # fmt: skip
