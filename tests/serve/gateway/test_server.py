"""The gateway over TLS, with a certificate made by openssl as docs/security.md says."""

import socket
import ssl
import subprocess
import time

import httpx
import pytest

from serve.gateway.server import server_for
from serve.gateway.settings import GatewayConfig

MAKE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
    "-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """Certificate and key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "cert.pem", folder / "key.pem"
    subprocess.run([*MAKE.split(), "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    return {"tls_cert": str(files[0]), "tls_key": str(files[1])}


def test_it_speaks_tls_and_nothing_else(gateway, pair):
    running = gateway(**pair, header_timeout_s=0.5)
    trusting = ssl.create_default_context(cafile=pair["tls_cert"])
    with httpx.Client(base_url=f"https://127.0.0.1:{running.port}", verify=trusting, trust_env=False) as client:
        body = {"model": "wavecoder", "messages": [{"role": "user", "content": "hello"}]}
        answer = client.post("/v1/chat/completions", json=body, headers=running.headers)
        assert answer.json()["choices"][0]["message"]["content"] == "one two three"
        assert client.post("/v1/chat/completions", json=body).status_code == 401
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{running.url}/health", trust_env=False)
    old = ssl.create_default_context(cafile=pair["tls_cert"])
    old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError), socket.create_connection(("127.0.0.1", running.port)) as plain:
        old.wrap_socket(plain, server_hostname="localhost")
    with (
        socket.create_connection(("127.0.0.1", running.port)) as plain,
        trusting.wrap_socket(plain, server_hostname="localhost") as slow,
    ):
        begun = time.monotonic()
        slow.sendall(b"GET /health HTTP/1.1\r\nHost: ")
        assert slow.recv(100) == b""
        assert time.monotonic() - begun < 3


def test_a_pair_that_is_none_is_refused_before_anything_starts(pair, tmp_path):
    with pytest.raises(ValueError, match="name both files or neither"):
        GatewayConfig(tls_cert=pair["tls_cert"])
    swapped = GatewayConfig(tls_cert=pair["tls_key"], tls_key=pair["tls_cert"])
    with pytest.raises(ValueError, match=r"serve\.gateway\.tls_cert .* are no pair in PEM form"):
        server_for(None, "127.0.0.1", 0, swapped)
    missing = GatewayConfig(tls_cert=str(tmp_path / "none.pem"), tls_key=pair["tls_key"])
    with pytest.raises(FileNotFoundError, match="tls_cert .*none.pem: there is no such file"):
        server_for(None, "127.0.0.1", 0, missing)
