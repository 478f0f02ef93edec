"""Weights by the model's names ↔ by its published names, through the conversion tables of `transformers`. No Ray here.

`transformers` 5 renames and merges weights when it loads (all experts of a layer become one tensor, `embed_out` becomes
`lm_head`), and takes it back when it saves. The same is done here a group of weights at a time, so that nobody holds
the whole model.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from copy import deepcopy
from typing import Any

import torch
from torch import Tensor
from transformers.conversion_mapping import get_model_conversion_mapping
from transformers.core_model_loading import (
    WeightConverter,
    WeightRenaming,
    dot_natural_key,
    rename_source_key,
    revert_weight_conversion,
)

from training.safetensors_reader import StoredWeights


class ModelWeights:
    """Reads a model's weights under its own names from files that hold them under their published names."""

    def __init__(self, causal: Any, stored: StoredWeights) -> None:
        """Match the names; nothing large is read.

        Args:
            causal: the model, on any device; notes the conversions that it needs, for `by_published_names`.
            stored: its files.
        """
        self._causal, self._stored = causal, stored
        table = get_model_conversion_mapping(causal)
        converters = [entry for entry in table if isinstance(entry, WeightConverter)]
        renamings = [entry for entry in table if isinstance(entry, WeightRenaming)]
        self._converter = {pattern: entry for entry in converters for pattern in entry.source_patterns}
        self._sources: dict[str, list[tuple[str, str | None]]] = {}
        wanted, base = causal.state_dict(), causal.base_model_prefix
        for name in sorted(stored.names, key=dot_natural_key):
            target, pattern = rename_source_key(name, renamings, converters, base, wanted)
            if target not in wanted and name in wanted:
                target, pattern = rename_source_key(name, [], [], base, wanted)
            if target in wanted:
                self._sources.setdefault(target, []).append((name, pattern))
        self._group = {
            made: target for target, sources in self._sources.items()
            for made in (self._convert(target, meta=True) if sources[0][1] else [target])
        }  # fmt: skip
        self.tied: dict[str, str] = causal.get_expanded_tied_weights_keys(all_submodels=True)
        """Names of weights that are others of the model again, and whose they are."""
        for copy, kept in self.tied.items():  # safetensors' `save_model` keeps the first name of the alphabet
            if kept not in self._group and copy in self._group and self._sources[copy][0][1] is None:
                self._sources[kept], self._group[kept] = self._sources[copy], kept
        self._last: tuple[str, dict[str, Tensor]] = ("", {})
        causal._weight_conversions = [entry for entry in table if entry.was_used()]

    def __contains__(self, name: str) -> bool:
        return name in self._group

    def read(self, name: str) -> Tensor:
        """One weight, in float32 on the CPU."""
        group = self._group[name]
        if self._last[0] != group:  # weights that are made together are asked for one after the other
            self._last = (group, self._convert(group))
        return self._last[1][name]

    def shape(self, name: str) -> torch.Size:
        """Of one weight; its values are not read."""
        return self._convert(self._group[name], meta=True)[name].shape

    def _convert(self, target: str, *, meta: bool = False) -> dict[str, Tensor]:
        """The weights that come of one group of stored tensors; with `meta`, their names and shapes alone."""
        sources = self._sources[target]
        read = self._stored.shaped if meta else self._stored.read
        if sources[0][1] is None:
            return {target: read(sources[0][0])}
        converter: Any = deepcopy(self._converter[sources[0][1]])
        for name, pattern in sources:
            converter.add_tensor(target, name, pattern, read(name))
        made = converter.convert(target, model=self._causal, config=self._causal.config)
        return {name: value[0] if isinstance(value, list) else value for name, value in made.items()}


def published_groups(causal: Any, names: Iterable[str]) -> list[list[str]]:
    """The model's names, those together that are published as parts of one tensor."""
    reverse = [entry.reverse_transform() for entry in (causal._weight_conversions or [])[::-1]]
    renamings = [entry for entry in reverse if isinstance(entry, WeightRenaming)]
    converters = [entry for entry in reverse if isinstance(entry, WeightConverter)]
    groups: dict[str, list[str]] = {}
    for name in names:
        published, _ = rename_source_key(name, renamings, converters, reverse=True)
        groups.setdefault(published, []).append(name)
    return list(groups.values())


def by_published_names(causal: Any, weights: dict[str, Tensor]) -> Iterator[tuple[str, Tensor]]:
    """A group of weights under their published names, each with memory of its own."""
    if not causal._weight_conversions:
        yield from weights.items()
        return
    with torch.no_grad():
        for name, tensor in revert_weight_conversion(causal, weights).items():
            yield name, tensor.clone(memory_format=torch.contiguous_format)
