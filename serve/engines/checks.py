"""What a replica would refuse when it starts, refused before: Serve tries three times, and each imports vLLM."""

from __future__ import annotations

import ast
from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from serve.engines.settings import EngineConfig

_WHERE = {
    "engine/arg_utils.py": ("EngineArgs", "AsyncEngineArgs"),
    "entrypoints/launchers/cli_args.py": ("BaseFrontendArgs", "FrontendArgs"),
}
"""vLLM's files and the data classes in them whose fields are the arguments of its engine and of its server."""


def check_engine(config: EngineConfig, accelerators: Collection[str]) -> None:
    """Raise if no replica can run like this.

    Args:
        config: how replicas run.
        accelerators: types that Ray knows.

    Raises:
        ValueError: what is wrong, by the name of the setting.
    """
    if config.accelerator_type is not None and config.gpus == 0:
        raise ValueError(f"accelerator_type {config.accelerator_type} names a GPU, and the replica has none (gpus: 0)")
    if config.accelerator_type not in {None, "A10", *accelerators}:  # A10 stands for A10G
        raise ValueError(
            f"accelerator_type {config.accelerator_type} is none that Ray knows: {', '.join(accelerators)}"
        )
    known = vllm_arguments()
    unknown = sorted(config.extra.keys() - known) if known else []
    if unknown:
        raise ValueError(f"extra: vLLM has no engine argument {', '.join(unknown)}")
    if config.engine_metrics and config.extra.get("disable_log_stats"):
        raise ValueError("engine_metrics are vLLM's statistics: leave disable_log_stats out of extra")


@cache
def vllm_arguments() -> frozenset[str]:
    """Names of the arguments of vLLM's engine and server, from its source; none where it is not installed."""
    package = find_spec("vllm")
    if package is None or package.origin is None:
        return frozenset()
    folder = Path(package.origin).parent
    return frozenset(
        field.target.id
        for file, names in _WHERE.items()
        for node in ast.parse((folder / file).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and node.name in names
        for field in node.body
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
    )
