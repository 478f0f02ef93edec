"""The public door: `from eval.sandbox import run_program`. Loaded when asked for: scripts inside need none of it."""

from typing import Any


def __getattr__(name: str) -> Any:
    if name != "run_program":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from eval.sandbox.run import run_program

    return run_program
