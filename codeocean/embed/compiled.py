"""The transformer of an embedding model by OpenVINO, on a CPU. No Ray.

What is compiled is converted here, in memory, from the weights that were loaded: no file of another kind is read or
written. The model's other modules stay the library's, and the vectors of two texts are compared with PyTorch's before
anything is encoded. sentence-transformers' own backends need optimum, which does not import beside transformers 5.

Shapes: B texts · T tokens · D dimensions.
"""

from __future__ import annotations

import os
import threading
import warnings
from importlib.util import find_spec
from typing import Any, Literal

import torch
from torch import Tensor

PROBE = ("", "def probe(value):\n    return value + 1\n")
LEAST_COSINE = {"f32": 0.9999, "bf16": 0.99}
"""Of the probe's vectors by OpenVINO and by PyTorch."""


def check_backend(backend: Literal["torch", "openvino"]) -> None:
    """Raise `ValueError` where the backend is not installed."""
    if backend == "openvino" and find_spec("openvino") is None:
        raise ValueError("embed.backend 'openvino' needs the package of that name; pip install "
                         "'wavecoder-ray[openvino]', or leave embed.backend out")  # fmt: skip


def compile_transformer(model: Any, *, low: bool) -> None:
    """Let OpenVINO compute the first module of a `SentenceTransformer`, in place.

    Args:
        model: in float32 on the CPU; its first module is a transformer that one tokenizer feeds.
        low: compute in bfloat16, where the processor has it.

    Raises:
        ValueError: OpenVINO is not there, or it cannot convert the model.
    """
    check_backend("openvino")
    transformer, inputs = model[0].model, dict[str, Any]()
    plain, precision = transformer.forward, "bf16" if low else "f32"

    def recorded(**given: Any) -> Any:
        inputs.update({name: value for name, value in given.items() if isinstance(value, Tensor)})
        return plain(**given)

    with torch.inference_mode():
        transformer.forward = recorded
        expected_BD = _vectors(model)
        transformer.forward = plain
        try:
            transformer.forward = _Compiled(transformer, inputs, precision)
            found_BD = _vectors(model)
        except (RuntimeError, TypeError) as error:
            reason = " ".join(str(error).split())[:200]
            raise ValueError(f"embed.backend: OpenVINO cannot convert this model ({reason}); use torch") from None
    least = float(torch.nn.functional.cosine_similarity(expected_BD, found_BD).min())
    if not least >= LEAST_COSINE[precision]:
        raise ValueError(f"embed.backend: OpenVINO's vectors of this model are not PyTorch's (cosine {least:.4f}); "
                         "use torch")  # fmt: skip


def _vectors(model: Any) -> Tensor:
    """(B, D) of the probe."""
    vectors_BD: Tensor = model(model.preprocess(list(PROBE)))["sentence_embedding"].float()
    return vectors_BD


class _Positional(torch.nn.Module):
    """A transformer as a function of tensors, which is what a tracer wants."""

    def __init__(self, transformer: Any, names: list[str]) -> None:
        super().__init__()
        self.transformer, self.names = transformer, names

    def forward(self, *inputs: Tensor) -> Tensor:
        """(B, T, D) hidden states."""
        given = dict(zip(self.names, inputs, strict=True))
        hidden_BTD: Tensor = self.transformer(**given, return_dict=True).last_hidden_state
        return hidden_BTD


class _Compiled:
    """What stands in for a transformer's `forward`; several threads may call it, and each call uses one core."""

    def __init__(self, transformer: Any, inputs: dict[str, Tensor], precision: str) -> None:
        import openvino

        self._names = list(inputs)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # the tracer's, of values that are constant for these inputs
            converted = openvino.convert_model(
                _Positional(transformer, self._names).eval(), example_input=tuple(inputs.values())
            )
        cores = os.cpu_count() or 1
        options = {"INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": cores, "NUM_STREAMS": cores}
        self._compiled = openvino.Core().compile_model(converted, "CPU", options)
        self._own = threading.local()

    def __call__(self, **given: Any) -> dict[str, Tensor]:
        """(B, T, D) hidden states under the name that the library asks for."""
        if not hasattr(self._own, "request"):
            self._own.request = self._compiled.create_infer_request()
        self._own.request.infer({place: given[name].numpy() for place, name in enumerate(self._names)})
        return {"last_hidden_state": torch.from_numpy(self._own.request.get_output_tensor(0).data.copy())}
