"""Resolve the project's requirements anew and write a lock: `python requirements/renew.py cpu` (or `gpu`).

pip resolves `.[cpu,dev]` or `.[gpu,dev]` in a dry run, held to the versions of the present lock unless `--upgrade` is
given. The CPU lock leaves out packages that exist only as CUDA builds and that vLLM's CPU build does not import.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
HEADER = """\
# The whole {extra} environment, closed under its own dependencies: installed with --no-deps.
# Renew with: python requirements/renew.py {extra}
"""
NOT_ON_CPU = ("torchvision", "torchaudio", "torchcodec", "nvidia-", "cuda-")


def resolve(extra: str, constraints: Path | None) -> list[str]:
    """`name==version` of everything that `.[extra,dev]` needs."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        command = [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet", "--report"]
        command += [report.name, f"{HERE.parent}[{extra},dev]"]
        command += ["-c", str(constraints)] if constraints else []
        subprocess.run(command, check=True)
        found = json.loads(Path(report.name).read_text())["install"]
    pins = ((item["metadata"]["name"], item["metadata"]["version"].split("+")[0]) for item in found)
    return sorted((f"{name}=={version}" for name, version in pins if name != "wavecoder-ray"), key=str.lower)


def main() -> None:
    """Write `requirements/<extra>.lock`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extra", choices=["cpu", "gpu"])
    parser.add_argument("--upgrade", action="store_true", help="take the newest versions that pyproject.toml admits")
    options = parser.parse_args()
    lock = HERE / f"{options.extra}.lock"
    pins = resolve(options.extra, lock if lock.exists() and not options.upgrade else None)
    if options.extra == "cpu":
        pins = [pin for pin in pins if not pin.lower().startswith(NOT_ON_CPU)]
    lock.write_text(HEADER.format(extra=options.extra) + "\n".join(pins) + "\n")
    sys.stdout.write(f"{lock}: {len(pins)} packages\n")


if __name__ == "__main__":
    main()
