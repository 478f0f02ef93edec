"""No public address without keys."""

import pytest

from ray_jobs.run.config import load_config
from serve.gateway.settings import free_port, is_loopback

DEMO = "configs/demo.yaml"


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.4", "example.org", "", "127.0.0.1.example.org"])
def test_a_public_address_without_keys_is_refused_in_one_line(host):
    with pytest.raises(ValueError, match=r"serve.gateway.keys must name a file.*wavecoder keys create") as caught:
        load_config(DEMO, [f"serve.host={host!r}"])
    assert "\n" not in str(caught.value)
    load_config(DEMO, [f"serve.host={host!r}", "serve.gateway.keys=keys.json"])


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "[::1]", "localhost"])
def test_the_loopback_address_needs_none(host):
    assert is_loopback(host)
    load_config(DEMO, [f"serve.host='{host}'"])


def test_a_free_port_is_one():
    assert 1024 <= free_port() < 65536
