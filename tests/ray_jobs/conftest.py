"""What tests of the command line leave behind."""

import logging

import pytest


@pytest.fixture(autouse=True)
def quiet_afterwards():
    """The command line's handler holds on to the stderr that pytest captures for one test."""
    yield
    logging.getLogger("wavecoder").handlers.clear()
    logging.getLogger("wavecoder").propagate = True
