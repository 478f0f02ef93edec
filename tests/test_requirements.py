"""What is made from the locks follows them: the list of licences, and the hashes that `make setup` installs by."""

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


def test_every_pin_but_torch_is_installed_by_its_hash():
    text = (ROOT / "requirements" / "cpu.hashes").read_text()
    hashed = dict(re.findall(r"^(\S+)==(\S+) \\\n    --hash=sha256:[0-9a-f]{64}", text, re.M))
    normal = {name.lower().replace("_", "-"): version for name, version in (pins("cpu") | pins("models")).items()}
    assert normal.pop("torch")
    assert hashed == normal, "run: pip install uv && python requirements/hashes.py"
    assert "--require-hashes -r requirements/cpu.hashes" in (ROOT / "Makefile").read_text()
