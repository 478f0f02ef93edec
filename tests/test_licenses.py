"""docs/licenses.md names every locked package, at its version, with a licence."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def pins(lock):
    lines = (ROOT / "requirements" / f"{lock}.lock").read_text().splitlines()
    return dict(line.split("==") for line in lines if line and not line.startswith("#"))


def test_every_locked_package_is_named_with_its_licence():
    page = (ROOT / "docs" / "licenses.md").read_text()
    rows = {
        name: (version, found) for name, version, found in re.findall(r"^\| (\S+) \| (\S+) \| (.+) \|$", page, re.M)
    }
    installed = pins("cpu") | pins("models")
    stale = {name for name, version in installed.items() if rows.get(name, ("", ""))[0] != version}
    assert not stale, "run: python requirements/licenses.py"
    assert all(found.strip() for _, found in rows.values())
    assert not [name for name in pins("gpu") if name not in rows and f" {name}" not in page]
