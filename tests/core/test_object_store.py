"""Against a real S3 server: files whole or not at all, patience with what passes, one line for what does not."""

import pickle
from contextlib import suppress

import pyarrow as pa
import pytest
from pyarrow import fs as pafs

from core import object_store
from core.object_store import explain, is_object_store, join_url, open_url
from core.storage import delete_files, move_folder, part_names, read_files, read_part, write_bytes, write_part
from tests.object_store import error, every, reset, slow, when

LARGE = 12 * 2**20  # of more than one upload part


@pytest.fixture
def place(store):
    fs, root = open_url(f"{store.bucket()}/run")
    store.requests.clear()
    return fs, root


def test_a_part_comes_back_and_costs_one_request_and_a_look(store, place):
    fs, root = place
    table = pa.table({"id": ["a", "b"]})
    write_part(fs, f"{root}/collect/part-00000.parquet", table, {"behind": [1, 2]})
    assert store.counts() == {"PUT": 1, "HEAD": 1}
    assert part_names(fs, f"{root}/collect") == ["part-00000.parquet"]
    assert read_part(fs, f"{root}/collect/part-00000.parquet").equals(table)
    assert is_object_store(pickle.loads(pickle.dumps(fs)))


def test_every_third_request_fails_and_nothing_is_lost(store, place):
    fs, root = place
    store.fault = every(3, error("503 Slow Down", "SlowDown"), reset, error("500 Internal", "InternalError"), slow(0.2))
    contents = [bytes([number]) * 100 for number in range(4)]
    for number, content in enumerate(contents):
        write_bytes(fs, f"{root}/{number}", content)
    assert read_files(fs, [f"{root}/{number}" for number in range(len(contents))]) == contents
    delete_files(fs, [f"{root}/{number}" for number in range(len(contents))])
    store.fault = None
    assert [info.base_name for info in fs.get_file_info(pafs.FileSelector(root)) if info.is_file] == []


def test_an_upload_in_parts_outlasts_a_busy_store_and_is_read_back_in_pieces(store, place):
    fs, root = place
    busy = every(2, error("503 Slow Down", "SlowDown", "wait " * 99))
    store.fault = lambda environ: busy(environ) if environ["REQUEST_METHOD"] != "POST" else None
    content = bytes(range(256)) * (LARGE // 256)
    write_bytes(fs, f"{root}/part", content)
    with fs.open_input_file(f"{root}/part") as stream:
        assert (stream.size(), stream.read(10)) == (LARGE, content[:10])
        stream.seek(LARGE - 5)
        assert stream.read() == content[-5:]


def test_an_upload_that_is_cut_off_leaves_the_old_file(store, place, monkeypatch):
    monkeypatch.setattr(object_store, "ATTEMPTS", 1)
    fs, root = open_url(f"s3://{place[1]}")
    write_bytes(fs, f"{root}/part", b"old")
    for fault in (error("500 Internal", "InternalError"), error("403 Forbidden", "AccessDenied")):
        store.fault = when(lambda method, path: "partNumber=2" in path, fault)
        with pytest.raises(OSError, match="AWS Error|bucket-"):
            write_bytes(fs, f"{root}/part", b"x" * LARGE)
        store.fault = None
        assert read_files(fs, [f"{root}/part"]) == [b"old"]


def test_an_exception_while_writing_leaves_nothing(place):
    fs, root = place
    with pytest.raises(TypeError):
        write_bytes(fs, f"{root}/part", object())
    assert fs.get_file_info(f"{root}/part").type == pafs.FileType.NotFound


@pytest.mark.parametrize("stop_at", range(10))
def test_a_folder_that_is_moved_is_whole_whenever_the_move_is_killed(store, place, monkeypatch, stop_at):
    """Killed at any request, source or target has its record and then all of its files."""
    monkeypatch.setattr(object_store, "ATTEMPTS", 1)
    fs, root = open_url(f"s3://{place[1]}")
    names = [*(f"part-{number:05d}.parquet" for number in range(3)), "stage.json", "manifest.json"]
    for name in names:
        write_bytes(fs, f"{root}/embed/{name}", name.encode())
    left = [stop_at]

    def fault(environ):
        left[0] -= 1
        return error("403 Forbidden", "AccessDenied") if left[0] < 0 else None

    store.fault = fault
    with suppress(OSError):
        move_folder(fs, f"{root}/embed", f"{root}/superseded/embed-1", ("stage.json", "manifest.json"))
    store.fault = None
    for folder in (f"{root}/embed", f"{root}/superseded/embed-1"):
        there = [info.base_name for info in fs.get_file_info(pafs.FileSelector(folder, allow_not_found=True))]
        if "stage.json" in there:
            assert set(there) >= set(names) - {"manifest.json"}
            assert "manifest.json" not in there or set(there) == set(names)
    found = [
        fs.get_file_info(f"{folder}/stage.json").is_file for folder in (f"{root}/embed", f"{root}/superseded/embed-1")
    ]
    assert any(found)


REFUSALS = {
    "AccessDenied": ("403 Forbidden", "lacks the right s3:PutObject"),
    "InvalidAccessKeyId": ("403 Forbidden", "set AWS_ACCESS_KEY_ID"),
    "SignatureDoesNotMatch": ("403 Forbidden", "set AWS_SECRET_ACCESS_KEY"),
    "NoSuchBucket": ("404 Not Found", "there is no such bucket"),
    "ExpiredToken": ("400 Bad Request", "renew AWS_SESSION_TOKEN"),
    "AuthorizationHeaderMalformed": ("400 Bad Request", "set AWS_REGION"),
    "PermanentRedirect": ("301 Moved", "set AWS_REGION"),
    "SlowDown": ("503 Slow Down", "run the same command again later"),
    "InternalError": ("500 Internal", "run the same command again later"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_is_one_line_that_names_what_to_change(store, place, monkeypatch, code):
    monkeypatch.setattr(object_store, "ATTEMPTS", 1)
    fs, root = open_url(f"s3://{place[1]}")
    status, told = REFUSALS[code]
    store.fault = lambda environ: error(status, code)
    with pytest.raises(OSError) as caught:
        write_bytes(fs, f"{root}/collect/region 'x'", b"a")
    line = str(caught.value)
    assert told in line and line.startswith(f"s3://{root}/collect/") and "\n" not in line
    if not status.startswith("404"):  # which is an answer, not a refusal
        told = told.replace("s3:PutObject", "s3:ListBucket")
        with pytest.raises(OSError, match=told):  # this answer has no text: a listing is asked for the reason
            fs.get_file_info(f"{root}/y")


def test_who_may_list_but_not_read_is_told_which_right_is_missing(store, place, monkeypatch):
    monkeypatch.setattr(object_store, "ATTEMPTS", 1)
    fs, root = open_url(f"s3://{place[1]}")
    store.fault = when(lambda method, path: method == "HEAD", error("403 Forbidden", "AccessDenied"))
    with pytest.raises(OSError, match=rf"^s3://{root}/y: .*lacks the right s3:GetObject$"):
        fs.get_file_info(f"{root}/y")


def test_a_store_that_does_not_answer_is_one_line(monkeypatch, store):
    monkeypatch.setattr(object_store, "ATTEMPTS", 1)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    fs, root = open_url("s3://bucket/run")
    with pytest.raises(OSError) as caught:
        write_bytes(fs, f"{root}/x", b"a")
    assert "does not answer; check the network, and AWS_ENDPOINT_URL" in str(caught.value)


def test_the_url_says_key_region_and_endpoint(store, monkeypatch):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    bucket = store.bucket().removeprefix("s3://")
    host = store.url.removeprefix("http://")
    url = f"s3://me:a%2Fb@{bucket}/a%20b/?scheme=http&endpoint_override={host}&region=eu-west-1"
    fs, root = open_url(url)
    assert (root, fs.handler.fs.region) == (f"{bucket}/a b", "eu-west-1")
    write_bytes(fs, f"{root}/x", b"1")
    assert join_url(url, "train", "model").startswith(f"s3://me:a%2Fb@{bucket}/a%20b/train/model?scheme=http&")
    assert join_url("/a/b?c", "d") == "/a/b?c/d"
    for wrong, told in (("s3:///run", "names no bucket"), (f"s3://me:secret@{bucket}?regoin=x", "regoin is no option")):
        with pytest.raises(ValueError, match=told) as caught:
            open_url(wrong)
        assert "secret" not in str(caught.value)


def test_what_is_no_refusal_of_a_store_keeps_its_words():
    assert explain("[Errno 2] No such file or directory: '/bucket/x'") is None
    assert explain("No space left on device") is None
