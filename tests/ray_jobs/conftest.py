"""One local Ray for all tests that run jobs in this process."""

import logging

import pytest
import ray


@pytest.fixture(scope="session")
def local_ray():
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def quiet_afterwards():
    """The command line's handler holds on to the stderr that pytest captures for one test."""
    yield
    logging.getLogger("wavecoder").handlers.clear()
