"""The gateway over TLS, with a certificate made by openssl as docs/security.md says."""

import json
import socket
import ssl
import subprocess
import time

import httpx
import pytest

from serve.gateway.server import server_for
from serve.gateway.settings import GatewayConfig
from tests.serve.stub import until

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
        assert time.monotonic() - begun < 9  # a head has 10 s, unless told otherwise


def test_a_pair_that_is_none_is_refused_before_anything_starts(pair, tmp_path):
    with pytest.raises(ValueError, match="name both files or neither"):
        GatewayConfig(tls_cert=pair["tls_cert"])
    swapped = GatewayConfig(tls_cert=pair["tls_key"], tls_key=pair["tls_cert"])
    with pytest.raises(ValueError, match=r"serve\.gateway\.tls_cert .* are no pair in PEM form"):
        server_for(None, "127.0.0.1", 0, swapped)
    missing = GatewayConfig(tls_cert=str(tmp_path / "none.pem"), tls_key=pair["tls_key"])
    with pytest.raises(FileNotFoundError, match="tls_cert .*none.pem: there is no such file"):
        server_for(None, "127.0.0.1", 0, missing)


def ask_stream(running, version):
    body = json.dumps({"model": "wavecoder", "stream": True, "messages": [{"role": "user", "content": "x"}]})
    head = f"POST /v1/chat/completions HTTP/{version}\r\nHost: localhost\r\nAuthorization: Bearer {running.secret}\r\n"
    return f"{head}Connection: close\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()


def test_streams_are_chunks_where_the_client_knows_them(gateway, upstream):
    upstream.words = [f"word{number} " for number in range(50)]
    running = gateway()
    head, _, framed = running.raw(ask_stream(running, "1.1")).partition(b"\r\n\r\n")
    assert b"transfer-encoding: chunked" in head.lower()
    plain = b""
    while framed:
        size, _, framed = framed.partition(b"\r\n")
        plain, framed = plain + framed[: int(size, 16)], framed[int(size, 16) + 2 :]
    assert (size, framed) == (b"0", b"")
    head, _, bare = running.raw(ask_stream(running, "1.0")).partition(b"\r\n\r\n")
    assert b"chunked" not in head.lower()
    assert bare == plain
    assert plain.count(b"word") == 50
    assert plain.endswith(b"data: [DONE]\n\n")


def test_a_client_that_reads_slowly_gets_all_and_is_waited_for(gateway, upstream):
    upstream.words = ["word " * 100_000] * 60  # 30 MB, more than the kernel holds for both connections
    running = gateway()
    with socket.create_connection(("127.0.0.1", running.port)) as client:
        client.sendall(ask_stream(running, "1.1"))
        until(lambda: upstream.under_way == 1)
        time.sleep(1)
        assert upstream.under_way == 1  # the engine is not read further than the client reads
        answer = b""
        while part := client.recv(1 << 20):
            answer += part
    assert answer.count(b"word ") == 100_000 * 60
    assert answer.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
