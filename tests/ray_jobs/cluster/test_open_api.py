"""A job API that is open to the internet is refused; tried with real sockets."""

import logging
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ray_jobs.cluster.open_api import Exposure, find_exposure, is_public, own_addresses, refuse_open_cluster

OUTSIDE = [address for address in own_addresses() if ":" not in address and not address.startswith("127.")]


def nowhere():
    return None


@pytest.fixture
def job_api():
    """A server that answers like a job API, at a bound address, asking for a token or not."""
    servers = []

    def start(host, status):
        class Answer(BaseHTTPRequestHandler):
            def do_GET(self):
                assert self.path == "/api/jobs/"
                assert "Authorization" not in self.headers
                self.send_response(status)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"[]")

            def log_message(self, *arguments):
                pass

        server = ThreadingHTTPServer((host, 0), Answer)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return server.server_address[1]

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_an_api_that_asks_for_a_token_is_closed_everywhere(job_api):
    assert find_exposure(job_api("0.0.0.0", 401)) == Exposure()


def test_an_api_on_loopback_is_open_to_this_machine_only(job_api):
    found = find_exposure(job_api("127.0.0.1", 200))
    assert (found.public, found.private, "127.0.0.1" in found.loopback) == ((), (), True)
    refuse_open_cluster(found, allowed=False, by_metadata=lambda: "8.8.8.8")  # the metadata is not even asked for


@pytest.mark.skipif(not OUTSIDE, reason="this machine has no address but loopback")
def test_an_api_on_all_addresses_is_refused_where_one_is_public(job_api, caplog):
    port = job_api("0.0.0.0", 200)
    found = find_exposure(port, public=lambda address: address == OUTSIDE[0])
    assert found.public == (OUTSIDE[0],)
    with pytest.raises(ValueError, match="asks for no token .*--allow-open-cluster"):
        refuse_open_cluster(found, allowed=False)
    with caplog.at_level(logging.WARNING, "wavecoder.ray_jobs"):
        refuse_open_cluster(found, allowed=True)
    assert "whoever reaches it" in caplog.text


def test_on_a_private_network_it_is_a_warning_unless_the_cloud_gives_a_public_address(caplog):
    found = Exposure(private=("10.0.0.5",))
    with caplog.at_level(logging.WARNING, "wavecoder.ray_jobs"):
        refuse_open_cluster(found, allowed=False, by_metadata=nowhere)
    assert "10.0.0.5" in caplog.text
    with pytest.raises(ValueError, match=r"8\.8\.8\.8"):
        refuse_open_cluster(found, allowed=False, by_metadata=lambda: "8.8.8.8")


@pytest.mark.parametrize(
    ("address", "public"),
    [("127.0.0.1", False), ("10.1.2.3", False), ("192.168.0.9", False), ("100.64.0.1", False), ("169.254.1.1", False),
     ("8.8.8.8", True), ("::1", False), ("fe80::1", False), ("fd00::1", False), ("2606:4700:4700::1111", True)],
)  # fmt: skip
def test_which_addresses_are_public(address, public):
    assert is_public(address) is public
