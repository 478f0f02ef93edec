"""A run's folder in a bucket of moto's server, of which requests can be made to fail."""

import pytest

from core import object_store
from core.object_store import open_url
from core.storage import write_bytes

SMALL, LARGE = b"five" * 999, bytes(range(256)) * (3 * 2**20 // 256)
UPLOAD = b"u" * (11 * 2**20)


@pytest.fixture
def place(store, monkeypatch):
    monkeypatch.setattr(object_store, "ATTEMPTS", 2)
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    fs, root = open_url(f"{store.bucket()}/run")
    for name, content in (("small", SMALL), ("large", LARGE), ("old/part", b"p"), ("old/manifest.json", b"m")):
        write_bytes(fs, f"{root}/{name}", content)
    return fs, root
