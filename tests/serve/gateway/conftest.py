"""One gateway before a stub, for the tests that change nothing in it."""

import pytest

from tests.serve.stub import running_gateway, stub_upstream


@pytest.fixture(scope="module")
def shared(tmp_path_factory):
    """One gateway for the tests that change nothing in it; `shared.upstream` is the stub behind it."""
    with stub_upstream() as stub, running_gateway(stub.url, tmp_path_factory.mktemp("shared")) as running:
        running.upstream = stub
        yield running


@pytest.fixture
def upstream_seen(shared):
    """What has come through to the stub in this test."""
    shared.upstream.seen.clear()
    return lambda: shared.upstream.seen
