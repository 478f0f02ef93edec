"""What tests of the command line leave behind, and the one token-protected head node that they submit to."""

import logging

import pytest

from tests.cluster_head import start_head, stop_head


@pytest.fixture(autouse=True)
def quiet_afterwards():
    """The command line's handler holds on to the stderr that pytest captures for one test."""
    yield
    logging.getLogger("wavecoder").handlers.clear()
    logging.getLogger("wavecoder").propagate = True


@pytest.fixture(scope="session")
def token_head(tmp_path_factory):
    """A head node that asks for a token, and its user's environment."""
    head = start_head(tmp_path_factory.mktemp("home"))
    yield head
    stop_head(head)
