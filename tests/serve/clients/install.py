"""Installs the foreign clients into a folder: `python -m tests.serve.clients.install FOLDER`.

They are no dependency of the project. Their versions are pinned in `packages/`.
"""

import argparse
import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

PACKAGES = Path(__file__).parent / "packages"
DONE = "installed"
"""File that is written last: what is in the folder, one word a line."""

MOST_S = 300
"""Longest that one half may take."""


def install(folder):
    """Fill the folder, unless it is full; why one half of the clients is missing, a line each. One process at a time."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _fill(folder)


def _fill(folder):
    there = (folder / DONE).read_text().split() if (folder / DONE).exists() else []
    for file in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / file, folder)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps",
           "--no-compile"]  # fmt: skip
    kinds = {
        "node": ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"],
        "python": [*pip, "--target", str(folder / "python"), "-r", str(PACKAGES / "python.txt")],
    }
    missing = []
    for kind, command in kinds.items():
        why = "" if kind in there else _failed(command, folder)
        if why:
            missing.append(f"the clients in {kind} could not be installed ({why})")
        elif kind not in there:
            there.append(kind)
            (folder / DONE).write_text("\n".join(there))
    return missing


def _failed(command, folder):
    if shutil.which(command[0]) is None:
        return f"there is no {command[0]}"
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=MOST_S, check=False,
                              env=os.environ | {"PIP_NO_INPUT": "1"})  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"{command[0]} took longer than {MOST_S} s"
    said = (done.stderr or done.stdout).strip().splitlines() or ["no reason given"]
    return said[-1][:200] if done.returncode else ""


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    faults = install(parser.parse_args().folder.absolute())
    print("\n".join(faults) or "installed")
    sys.exit(bool(faults))
