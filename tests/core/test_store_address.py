"""URLs and variables that cannot be right are refused before the first request; right ones reach the store."""

import ssl
import subprocess
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from pyarrow import fs as pafs

from core import object_store
from core.object_store import open_url
from core.storage import read_files, write_bytes
from core.store_address import check_folder
from tests.object_store import error

WRONG_URLS = {
    "s3://bucket/run#2": "write %23", "s3://bucket/a/../b": "write the whole path", "s3://bucket/./b": "whole path",
    "s3://bucket:9000/run": "names a port; .*AWS_ENDPOINT_URL", "s3:///run": "names no bucket",
    "s3://bucket/run?fast": "fast is no option", "s3://bucket/run?region=": "the option region is empty",
    "s3://bucket/run?scheme=ftp": "it is http or https", "ftp://me:pw@bucket/run": "ftp://bucket/run",
}  # fmt: skip
NO_URLS = {
    "s3:/bucket/run": "it is s3://", "s3:bucket": "it is s3://", "S3://bucket/run": "it is s3://",
    "s3a://me:pw@bucket/run": "write s3://", "s3n://bucket": "write s3://", "gs:/bucket": "gs://bucket/folder",
    "arn:aws:s3:::bucket": "write s3://bucket", "https://bucket.s3.amazonaws.com/run": "write s3://bucket",
}  # fmt: skip
WRONG_VARIABLES = {
    "AWS_ENDPOINT_URL": ["htp://host", "http://me:pw@host:9000", "http://", "http://ho st", "http://host?x"],
    "AWS_ENDPOINT_URL_S3": ["ftp://host"], "AWS_SECRET_ACCESS_KEY": ["", "secret\n"], "AWS_ACCESS_KEY_ID": ["", " key"],
    "AWS_SESSION_TOKEN": ["token\n"], "AWS_CA_BUNDLE": ["/nowhere/ca.pem"],
}  # fmt: skip


@pytest.mark.parametrize("url", WRONG_URLS)
def test_a_url_that_cannot_be_right_is_refused_without_its_secrets(store, url):
    with pytest.raises(ValueError, match=WRONG_URLS[url]) as caught:
        open_url(url)
    assert not store.requests and "pw" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize("url", NO_URLS)
def test_what_was_meant_as_a_url_is_no_local_folder(url):
    with pytest.raises(ValueError, match=NO_URLS[url]) as caught:
        check_folder(url)
    assert "pw" not in str(caught.value)


def test_paths_and_urls_are_left_alone():
    for url in ("runs/demo", "/runs/s3", "./s3:x", "s3://bucket/run", "gs://bucket/run", "file:///runs", "s3"):
        check_folder(url)


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name in WRONG_VARIABLES for value in WRONG_VARIABLES[name]]
)
def test_a_variable_that_cannot_be_right_is_named(store, monkeypatch, name, value):
    monkeypatch.setenv(name, value)
    with pytest.raises(ValueError, match=name) as caught:
        open_url("s3://bucket/run")
    assert "pw" not in str(caught.value) and "secret" not in str(caught.value) and "\n" not in str(caught.value)


def test_a_profile_that_is_not_there_is_named_and_a_key_in_the_url_needs_none(store, monkeypatch, tmp_path):
    where = store.bucket()
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    (tmp_path / "credentials").write_text("[team]\naws_access_key_id = k\naws_secret_access_key = s\n")
    (tmp_path / "config").write_text("[profile other]\nregion = eu-west-1\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "taem")
    with pytest.raises(ValueError, match=r"AWS_PROFILE names 'taem'.*\(there: other, team\)"):
        open_url("s3://bucket/run")
    open_url("s3://key:secret@bucket/run")
    monkeypatch.setenv("AWS_PROFILE", "team")
    fs, root = open_url(where)
    write_bytes(fs, f"{root}/x", b"1")


@pytest.mark.parametrize("change", [str.upper, lambda url: f" {url}/\n", lambda url: f"{url}//"],
                         ids=["upper case", "white space", "slashes"])  # fmt: skip
def test_an_endpoint_may_be_written_in_ways(store, monkeypatch, change):
    monkeypatch.setenv("AWS_ENDPOINT_URL", change(store.url))
    fs, root = open_url(f"{store.bucket()}//a b//c+d%/%23é/")
    assert root.endswith("/a b/c+d%/#é")
    write_bytes(fs, f"{root}/x y+%.json", b"1")
    assert read_files(fs, [f"{root}/x y+%.json"]) == [b"1"]


@contextmanager
def tls_door(folder):
    """A server with a certificate that it made itself; every answer is 404."""
    names = [str(folder / "key.pem"), str(folder / "certificate.pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-keyout", names[0], "-out", names[1], "-subj", "/CN=localhost",
                    "-addext", "subjectAltName=DNS:localhost"], check=True, capture_output=True)  # fmt: skip
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(names[1], names[0])
    server = ThreadingHTTPServer(("127.0.0.1", 0), NotFound)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"https://localhost:{server.server_port}", names[1]
    server.shutdown()


class NotFound(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self.send_error(404)

    def log_message(self, *arguments):
        pass


def test_a_store_with_a_ca_of_its_own_is_trusted_by_a_variable(store, monkeypatch, tmp_path):
    monkeypatch.setattr(object_store, "ATTEMPTS", 1)
    with tls_door(tmp_path) as (url, certificate):
        monkeypatch.setenv("AWS_ENDPOINT_URL", url)
        fs, root = open_url("s3://bucket")
        with pytest.raises(OSError, match="certificate is not trusted; name the file of your own CA by AWS_CA_BUNDLE"):
            fs.get_file_info(root)
        monkeypatch.setenv("AWS_CA_BUNDLE", certificate)
        fs, root = open_url("s3://bucket")
        assert fs.get_file_info(root).type == pafs.FileType.NotFound
        monkeypatch.setenv("AWS_ENDPOINT_URL", store.url.replace("http:", "https:"))
        fs, root = open_url("s3://bucket")
        with pytest.raises(OSError, match="speaks no TLS.*write http:// in AWS_ENDPOINT_URL"):
            fs.get_file_info(root)


def test_a_proxy_of_the_environment_is_used_and_its_refusal_is_told(store, monkeypatch):
    monkeypatch.setattr(object_store, "ATTEMPTS", 1)
    where = store.bucket()
    monkeypatch.setenv("HTTP_PROXY", store.url)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://store.invalid:80")
    store.fault = lambda environ: error("407 Proxy Authentication Required", "")
    fs, root = open_url(where)
    with pytest.raises(OSError, match=r"the proxy in between refuses; set HTTPS_PROXY .*NO_PROXY"):
        write_bytes(fs, f"{root}/x", b"1")
    monkeypatch.setenv("NO_PROXY", "store.invalid")
    fs, root = open_url(where)
    with pytest.raises(OSError, match="does not answer; check the network"):
        write_bytes(fs, f"{root}/x", b"1")
