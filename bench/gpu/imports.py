"""`python -m bench.gpu.imports FILE MODULE ARGUMENTS…`: runs a module as `python -m` does, and writes what it imported.

FILE gets the names of the top-level modules outside the standard library and this project, one a line. The rehearsal
compares them with `bench/gpu_wheels.txt`.
"""

from __future__ import annotations

import runpy
import sys
from pathlib import Path

OURS = {"bench", "codeocean", "core", "eval", "ray_jobs", "report", "serve", "tests", "training"}


def third_party(names: set[str]) -> list[str]:
    """The distributions' modules among dotted names."""
    tops = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names) - OURS
    return sorted(name for name in tops if not name.startswith("_"))


def main() -> None:
    """Run, whatever the end, then write."""
    file, module, *rest = sys.argv[1:]
    sys.argv = [module, *rest]
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    finally:
        Path(file).write_text("\n".join(third_party(set(sys.modules))) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
