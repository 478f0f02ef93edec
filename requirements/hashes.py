"""`python requirements/hashes.py` writes cpu.hashes: CPU and model locks with the SHA-256 of each published file.

It asks the package index through uv (`pip install uv`). torch is left out: its wheel differs from machine to machine,
as the default one brings CUDA and the one of a CPU-only index does not, under one version.
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
LOCKS = ("cpu", "models")
WITHOUT = ("torch==",)
HEADER = "# Made by requirements/hashes.py from {locks}; installed with --require-hashes --no-deps.\n"


def pins() -> list[str]:
    """`name==version` of all that is hashed."""
    lines = [line for lock in LOCKS for line in (HERE / f"{lock}.lock").read_text().splitlines()]
    return [line for line in lines if "==" in line and not line.startswith(("#", *WITHOUT))]


def main() -> None:
    """Write the file."""
    with tempfile.NamedTemporaryFile("w", suffix=".in") as wanted:
        wanted.write("\n".join(pins()) + "\n")
        wanted.flush()
        command = ["uv", "pip", "compile", "--no-deps", "--generate-hashes", "--universal", "--no-header", "--quiet"]
        command += ["--no-annotate", "--no-emit-index-url", "--python-version", "3.11", wanted.name]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    header = HEADER.format(locks=" and ".join(f"{lock}.lock" for lock in LOCKS))
    (HERE / "cpu.hashes").write_text(header + done.stdout)


if __name__ == "__main__":
    main()
