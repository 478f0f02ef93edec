"""Answers over a raw socket, as odd servers and what stands before them write HTTP; nothing of it costs a row."""

import asyncio
import gzip
import json
import socket
import threading
from contextlib import contextmanager

import pyarrow as pa
import pytest

from core.chat import ChatRequest
from serve.client import chat
from serve.client.settings import EndpointConfig

YES = json.dumps({"choices": [{"message": {"content": "yes"}, "finish_reason": "stop"}]}).encode()
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
CLOSE = b"CLOSE"
"""At an answer's end: the connection is closed behind it."""


def whole(body=YES, status="200 OK", *headers):
    lines = [f"HTTP/1.1 {status}", "Content-Type: application/json", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def packed(codec):
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, codec) as out:
        out.write(YES)
    return sink.getvalue().to_pybytes()


@contextmanager
def answering(replies):
    """The port of a server that writes these bytes, one for each request, and how many it was asked; the last again."""
    listening, asked = socket.create_server(("127.0.0.1", 0)), []

    def serve(connection):
        with connection, connection.makefile("rb") as incoming:
            while incoming.readline():
                length = 0
                while (line := incoming.readline().lower()).strip():
                    length = int(line.split(b":")[1]) if line.startswith(b"content-length:") else length
                asked.append(incoming.read(length))
                reply = replies[min(len(asked), len(replies)) - 1]
                connection.sendall(reply.removesuffix(CLOSE))
                if reply.endswith(CLOSE):
                    return

    def accept():
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(connection,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listening.getsockname()[1], asked
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        thread.join()


def ask_twice(port):
    client = chat.ChatClient(EndpointConfig(url=f"http://127.0.0.1:{port}/v1", max_retries=1))

    async def one_after_another():
        return [await client(ChatRequest("m", [{"role": "user", "content": "x"}], 5)) for _ in range(2)]

    return asyncio.run(one_after_another())


@pytest.mark.parametrize(
    "replies",
    [
        [b"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\n\r\n" + YES + CLOSE],
        [whole(YES, "201 Created")],
        [whole(YES, "200")],
        [whole(YES, "200 OK", "Content-Encoding: UTF-8")],
        [whole(YES, "200 OK", "X-Policy: " + "a" * 20_000)],
        [whole(YES, "200 OK", "Connection: keep-alive") + CLOSE],
        [whole(packed("brotli"), "200 OK", "Content-Encoding: br")],
        [whole(packed("zstd"), "200 OK", "Content-Encoding: zstd")],
        [whole(gzip.compress(packed("gzip")), "200 OK", "Content-Encoding: gzip, x-gzip")],
        [whole(YES, "200 OK", "Content-Encoding: gzip")],
        [whole(YES, "200 OK", "Content-Encoding: deflate")],
        [b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + whole()],
    ],
)
def test_a_right_answer_is_used_however_http_is_written(replies):
    with answering(replies) as (port, asked):
        assert [(answer["text"], answer["error"]) for answer in ask_twice(port)] == [("yes", "")] * 2
    assert len(asked) == 2


@pytest.mark.parametrize(
    "first",
    [
        CLOSE,
        whole(b"", "202 Accepted"),
        whole(b'{"status": "pending"}', "202 Accepted"),
        b"HTTP/1.1 204 No Content\r\n\r\n",
        CHUNKED + b"%x\r\n" % len(YES) + YES[:9] + CLOSE,
        CHUNKED + b"%x\r\n" % len(YES) + YES + b"\r\n" + CLOSE,
        whole().replace(b"Length: ", b"Length: 9") + CLOSE,
    ],
)
def test_what_is_no_whole_answer_is_asked_for_again(first, monkeypatch):
    monkeypatch.setattr(chat, "FIRST_PAUSE_S", 0.01)
    with answering([first, whole()]) as (port, asked):
        assert [(answer["text"], answer["error"]) for answer in ask_twice(port)] == [("yes", "")] * 2
    assert len(asked) == 3


@pytest.mark.parametrize(
    ("error", "text", "finish"),
    [
        ({"message": "Failed to generate JSON.", "failed_generation": '```json\n{"a": 1}\n```'}, '```json\n{"a": 1}\n```', "stop"),
        ({"message": "max completion tokens reached before a valid document", "failed_generation": ""}, "", "length"),
    ],
)  # fmt: skip
def test_what_an_endpoint_found_wrong_itself_is_the_models_answer(error, text, finish):
    body = json.dumps({"error": error | {"code": "json_validate_failed"}}).encode()
    with answering([whole(body, "400 Bad Request")]) as (port, _):
        answer, _ = ask_twice(port)
    assert (answer["text"], answer["finish_reason"], answer["error"], answer["blame"]) == (text, finish, "", "")
