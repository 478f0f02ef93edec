"""Gateways in front of a stub of the endpoint, and foreign clients."""

import hashlib
import json
import os
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.serve.clients.install import PACKAGES, install
from tests.serve.stub import running_gateway, stub_upstream


@pytest.fixture
def upstream():
    """The stub."""
    with stub_upstream() as stub:
        yield stub


@pytest.fixture
def gateway(upstream, tmp_path):
    """Makes running gateways in front of the stub: `gateway(keys=False, **settings)`."""
    with ExitStack() as stack:
        yield lambda **settings: stack.enter_context(running_gateway(upstream.url, tmp_path, **settings))


@pytest.fixture
def access_log(tmp_path):
    """The lines of the access log."""
    return lambda: [json.loads(line) for line in (tmp_path / "access.jsonl").read_text().splitlines()]


@pytest.fixture(scope="session")
def clients(request, tmp_path_factory):
    """The folder of the foreign clients, and why some are missing."""
    if "WAVECODER_CLIENTS" in os.environ:
        return Path(os.environ["WAVECODER_CLIENTS"]).absolute(), ["WAVECODER_CLIENTS does not hold it"]
    pins = b"".join(file.read_bytes() for file in sorted(PACKAGES.iterdir()))
    name, cache = f"clients-{hashlib.sha256(pins).hexdigest()[:12]}", getattr(request.config, "cache", None)
    folder = Path(cache.mkdir(name)) if cache is not None else tmp_path_factory.mktemp(name)
    return folder, install(folder)
