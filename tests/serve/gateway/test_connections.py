"""Hostile clients of the gateway: odd paths and framing, long heads, slow bodies, floods of connections."""

import socket
import time
from contextlib import suppress

import httpx
import pytest

from serve.gateway.limits import Limits
from tests.serve.stub import error_of, until


@pytest.mark.parametrize(
    "path",
    [
        "//v1/../metrics", "/v1/../metrics", "/%6detrics", "/metrics/", "/metrics%00", "/v1//chat/completions",
        "/v1/models/../../metrics", "/v1/chat/completions//", "/V1/models", "http://127.0.0.1/metrics", "/v1/models%2f..",
        "*", "/;/metrics", "/v1/models/%2e%2e/internal", "/-/healthz",
    ],
)  # fmt: skip
def test_no_spelling_of_a_path_leads_around_the_list(shared, upstream_seen, path):
    request = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    assert shared.raw(f"{request}\r\n".encode()).startswith(b"HTTP/1.1 401 ")
    answer = shared.raw(f"{request}Authorization: Bearer {shared.secret}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert not upstream_seen()


def head(running, *lines):
    start = ["POST /v1/chat/completions HTTP/1.1", "Host: x", f"Authorization: Bearer {running.secret}"]
    return "\r\n".join([*start, "Content-Type: application/json", *lines, "", ""]).encode()


@pytest.mark.parametrize(
    ("lines", "status"),
    [
        (["Content-Length: 5", "Content-Length: 6"], b"400"),
        (["Content-Length: -1"], b"400"),
        (["Content-Length: 4", "Transfer-Encoding: chunked"], b"400"),
        (["Transfer-Encoding: chunked, identity"], b"400"),
        (["Content-Length : 5"], b"400"),
        (["Authorization: Bearer other", "Content-Length: 2"], b"400"),
        (["X: " + "a" * 40_000], b"4"),  # 400 in pieces, 431 at once
        (["Content-Length: 99999999999"], b"413"),
        (["Content-Encoding: gzip", "Content-Length: 2"], b"400"),  # what comes is none
        (["Content-Encoding: br", "Content-Length: 2"], b"415"),
    ],
)
def test_odd_framing_is_refused(shared, upstream_seen, lines, status):
    answer = shared.raw(head(shared, *lines) + b"0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 " + status), answer[:200]
    assert answer.count(b"HTTP/1.1 ") == 1  # what was smuggled behind it is not answered
    assert not upstream_seen()


@pytest.mark.parametrize(
    "long", [b"GET /" + b"a" * 60_000 + b" HTTP/1.1\r\n", b"GET /v1/models HTTP/1.1\r\n" + b"X: y\r\n" * 8_000]
)
def test_a_long_head_is_refused_even_if_it_comes_at_once(shared, long):
    answer = shared.raw(long + f"Host: x\r\nAuthorization: Bearer {shared.secret}\r\n\r\n".encode())
    assert answer.startswith(b"HTTP/1.1 431 "), answer[:200]


def test_a_body_without_end_is_cut(gateway, upstream):
    running = gateway(max_body_bytes=1000)
    piece = b"400\r\n" + b" " * 1024 + b"\r\n"
    assert running.raw(head(running, "Transfer-Encoding: chunked") + piece * 50).startswith(b"HTTP/1.1 413 ")
    assert error_of(running.chat(prompt="x" * 2000)) == (413, "request_too_large")
    assert not upstream.seen


def test_a_flood_of_connections_is_cut_and_the_others_are_served(gateway):
    running = gateway(max_in_flight=8, header_timeout_s=60)
    flood = [socket.create_connection(("127.0.0.1", running.port)) for _ in range(200)]
    for connection in flood:
        connection.settimeout(5)
    assert sum(closed(connection) for connection in flood[100:]) == 100
    for connection in flood[:100]:
        connection.close()
    until(lambda: running.client.get("/health").status_code == 200)


def closed(connection):
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def answers(running):
    with suppress(httpx.TransportError):  # too many connections
        return running.chat().status_code == 200


def test_who_needs_no_key_cannot_hold_a_connection(gateway):
    """By a body that was answered before its end, by answers that nobody reads, or by nonsense after an answer."""
    running = gateway(header_timeout_s=0.3, send_timeout_s=0.3, max_in_flight=2)
    begun = time.monotonic()
    half = b"GET /health HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{"
    assert running.raw(half, timeout_s=60).startswith(b"HTTP/1.1 200 ")
    chunked = b"GET /health HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n"
    assert running.raw(chunked, timeout_s=60).startswith(b"HTTP/1.1 ")
    assert time.monotonic() - begun < 15  # a body has 20 s
    silent = [socket.socket() for _ in range(8)]
    for connection in silent:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # it is soon full
        connection.connect(("127.0.0.1", running.port))
        connection.setblocking(False)
        with suppress(BlockingIOError, ConnectionError):
            for _ in range(400):
                connection.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
    until(lambda: answers(running))
    for connection in silent:
        connection.close()


def test_a_key_that_may_not_ask_holds_no_place_while_its_body_comes(gateway):
    running = gateway(max_in_flight=1, body_timeout_s=5.0)
    poor = running.new_key(limits=Limits(requests_per_minute=1))
    assert running.chat(secret=poor).status_code == 200
    slow = head(running, "Content-Length: 20").replace(running.secret.encode(), poor.encode()) + b"{"
    assert running.raw(slow).startswith(b"HTTP/1.1 429 ")
    assert running.chat().status_code == 200


def test_slow_heads_and_bodies_are_not_waited_for(gateway):
    running = gateway(header_timeout_s=0.3, body_timeout_s=0.3)
    begun = time.monotonic()
    assert running.raw(b"", timeout_s=60) == b""
    assert running.raw(b"GET / HTTP/1.1\r\nHost: ", timeout_s=60) == b""
    assert running.raw(head(running, "Content-Length: 20") + b"{", timeout_s=60).startswith(b"HTTP/1.1 408 ")
    assert time.monotonic() - begun < 9  # a head has 10 s, and a body 20, unless told otherwise
    assert running.chat().status_code == 200
