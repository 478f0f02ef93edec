"""Gateways in front of a stub of the endpoint."""

import json
from contextlib import ExitStack

import pytest

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
