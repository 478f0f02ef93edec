"""A server that speaks S3 (moto) on a port of this machine, which counts its requests and misbehaves when told to."""

import itertools
import re
import socket
import threading
import time
from collections import Counter
from dataclasses import dataclass

from werkzeug.serving import WSGIRequestHandler, make_server

KEY = "testing"  # moto takes every key; which one is sent can be seen in `Request.key`


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    query: str
    sent: int
    """Bytes of the body that came."""
    received: int
    """Bytes of the body that went back."""
    status: str

    @property
    def kind(self):
        """The operation, as S3's price list names the groups."""
        if self.method == "GET":
            return "LIST" if "list-type" in self.query else "GET"
        return "DELETE" if "delete" in self.query else self.method


def error(status, code, message="no reason"):
    """A fault: the store's own way of refusing."""
    body = (
        f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message><RequestId>1</RequestId></Error>"
    )

    def answer(environ, start_response):
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        start_response(status, [("Content-Type", "application/xml"), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body.encode()]

    return answer


def reset(environ, start_response):
    """A fault: the connection is cut without an answer."""
    environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    start_response("500 cut", [])
    return []


def slow(seconds):
    """A fault: nothing comes for a while, then the answer does."""

    def answer(environ, start_response):
        time.sleep(seconds)

    return answer


def answered(environ):
    """What the store would answer: status, headers and body."""
    begun = []
    body = b"".join(
        environ["tests.app"](environ, lambda status, headers, exc_info=None: begun.append((status, headers)))
    )
    return (*begun[0], body)


def shortened(environ, start_response):
    """A fault: half of the answer, and a length that fits it."""
    status, headers, body = answered(environ)
    body = body[: len(body) // 2]
    start_response(status, [pair for pair in headers if pair[0].lower() != "content-length"]
                   + [("Content-Length", str(len(body)))])  # fmt: skip
    return [body]


def _sent(environ, start_response, headers, pieces):
    """Send it past the server, and cut the connection."""
    connection = environ["werkzeug.socket"]
    connection.sendall(headers)
    for piece in pieces:
        connection.sendall(piece)
    connection.shutdown(socket.SHUT_RDWR)
    start_response("200 sent", [])
    return []


def closed_early(share, length=True):
    """A fault: the connection ends within the answer, with or without a length that tells."""

    def answer(environ, start_response):
        status, headers, body = answered(environ)
        told = [f"HTTP/1.1 {status}", *(f"{key}: {value}" for key, value in headers
                                        if length or key.lower() != "content-length"), "", ""]  # fmt: skip
        return _sent(environ, start_response, "\r\n".join(told).encode(), [body[: int(len(body) * share)]])

    return answer


def trickled(pause_s):
    """A fault: the answer comes in ten pieces, with pauses."""

    def answer(environ, start_response):
        status, headers, body = answered(environ)
        start_response(status, headers)
        step = len(body) // 10 + 1
        for begin in range(0, len(body), step):
            threading.Event().wait(pause_s)
            yield body[begin : begin + step]

    return answer


def page_of(status):
    """A fault: something in between answers with a page of its own."""

    def answer(environ, start_response):
        environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        body = b"<html><body>Please sign in to this network</body></html>"
        start_response(status, [("Content-Type", "text/html"), ("Content-Length", str(len(body)))])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return answer


def swallowed(environ, start_response):
    """A fault: the request is answered as if it had been done, and nothing is done."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    ended = "uploadId" in environ["QUERY_STRING"] and environ["REQUEST_METHOD"] == "POST"
    body = b"<CompleteMultipartUploadResult><ETag>x</ETag></CompleteMultipartUploadResult>" if ended else b""
    start_response("200 OK", [("ETag", '"x"'), ("Content-Length", str(len(body)))])
    return [body]


def lacking(*names):
    """A fault of listings: files whose keys end so have not come there yet."""

    def answer(environ, start_response):
        status, headers, body = answered(environ)
        kept = re.sub(
            r"<Contents>.*?</Contents>",
            lambda found: "" if re.search(r"<Key>([^<]*)", found[0])[1].endswith(names) else found[0],
            body.decode(),
            flags=re.DOTALL,
        ).encode()
        start_response(status, [(key, str(len(kept)) if key.lower() == "content-length" else value)
                                for key, value in headers])  # fmt: skip
        return [kept]

    return lambda environ: answer if "list-type" in environ["QUERY_STRING"] else None


page = page_of("200 OK")
redirected = error("301 Moved Permanently", "PermanentRedirect", "The bucket must be addressed at another endpoint.")


def every(number, *faults):
    """Each `number`-th request meets the next of the faults."""
    count, faults = itertools.count(1), itertools.cycle(faults)
    return lambda environ: next(faults) if next(count) % number == 0 else None


def when(test, fault):
    """Requests that pass the test of (method, path with query) meet the fault."""
    return lambda environ: (
        fault if test(environ["REQUEST_METHOD"], f"{environ['PATH_INFO']}?{environ['QUERY_STRING']}") else None
    )


def reading(method, path):
    return method == "GET" and "list-type" not in path


def listing(method, path):
    return method == "GET" and "list-type" in path


def first(test, fault):
    """Only the first of these requests meets the fault."""
    met = []
    return when(lambda method, path: test(method, path) and not met and not met.append(path), fault)


def changed(headers_of=lambda headers: headers, body_of=lambda body: body):
    """A fault: the answer with other headers, or another body."""

    def answer(environ, start_response):
        status, headers, body = answered(environ)
        body = body_of(body)
        if environ["REQUEST_METHOD"] != "HEAD":
            headers = [(key, str(len(body)) if key.lower() == "content-length" else value) for key, value in headers]
        start_response(status, headers_of(headers))
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]

    return answer


class ObjectStore:
    def __init__(self, host="127.0.0.1"):
        from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

        self.requests = []
        self.fault = None  # environ -> a fault or None
        self._names = itertools.count()
        self._app = DomainDispatcherApplication(create_backend_app)
        self._server = make_server(host, 0, self._serve, threaded=True, request_handler=_Silent)
        self.url = f"http://{host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.environment = {
            "AWS_ENDPOINT_URL": self.url, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_REGION": "us-east-1", "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true",
        }  # fmt: skip

    def bucket(self):
        """A new bucket's URL."""
        import boto3

        name = f"bucket-{next(self._names)}"
        client = boto3.client("s3", endpoint_url=self.url, aws_access_key_id=KEY, aws_secret_access_key="secret",
                              region_name="us-east-1")  # fmt: skip
        client.create_bucket(Bucket=name)
        return f"s3://{name}"

    def counts(self):
        """Requests by kind."""
        return Counter(request.kind for request in self.requests)

    def stop(self):
        self._server.shutdown()

    def _serve(self, environ, start_response):
        environ["tests.app"] = self._app
        fault = self.fault(environ) if self.fault else None
        status = []

        def started(line, headers, exc_info=None):
            status.append(line)
            return start_response(line, headers, exc_info)

        answer = fault(environ, started) if fault else None
        if answer is None:
            answer = self._app(environ, started)
        answer = list(answer) if not isinstance(answer, list) else answer
        self.requests.append(
            Request(
                environ["REQUEST_METHOD"], environ["PATH_INFO"], environ["QUERY_STRING"],
                int(environ.get("HTTP_X_AMZ_DECODED_CONTENT_LENGTH") or environ.get("CONTENT_LENGTH") or 0), sum(map(len, answer)), status[0] if status else "",
            )
        )  # fmt: skip
        return answer


class _Silent(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *arguments):
        pass
