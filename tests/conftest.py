"""One local Ray for all tests that run jobs in this process."""

import pytest
import ray


@pytest.fixture(scope="session")
def local_ray():
    ray.init(address="local", num_cpus=4, include_dashboard=False, log_to_driver=False, object_store_memory=256 * 2**20)
    yield
    ray.shutdown()
