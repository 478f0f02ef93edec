"""Stores that are not AWS's, and buckets with a past: listings of other forms, requests that they lack, folders that are
objects, old versions. The right files, or one clear line; never one lost that was not named."""

import re

import boto3
import pytest
from pyarrow import fs as pafs

from core.object_store import open_url
from core.storage import delete_files, move_folder, part_names, read_files, write_bytes
from tests.core.conftest import LARGE, SMALL
from tests.object_store import KEY, changed, error, first, listing, reading, when


def files(fs, folder):
    """Relative paths of the files below a folder."""
    infos = fs.get_file_info(pafs.FileSelector(folder, recursive=True, allow_not_found=True))
    return sorted(info.path.removeprefix(f"{folder}/") for info in infos if info.is_file)


def asked_otherwise(pattern, other):
    """A fault of listings: the store takes the question for another one."""

    def fault(environ):
        if "list-type" in environ["QUERY_STRING"]:
            environ["QUERY_STRING"] = re.sub(pattern, other, environ["QUERY_STRING"])

    return fault


def told_twice(body):
    return re.sub(rb"(<Contents>.*?</Contents>)", rb"\1\1", body, flags=re.DOTALL)


def without(tag):
    return lambda body: re.sub(rb"<%s>[^<]*</%s>|<%s/>" % (tag, tag, tag), b"", body)


LISTINGS = {
    "a key a page": asked_otherwise(r"$|&?max-keys=\d+", "&max-keys=1"),
    "each key twice": when(listing, changed(body_of=told_twice)),
    "no delimiter": asked_otherwise(r"(^|&)delimiter=[^&]*", r"\1"),
    "no times": when(listing, changed(body_of=without(b"LastModified"))),
    "no checksums": when(listing, changed(body_of=without(b"ETag"))),
    "no name space": when(listing, changed(body_of=lambda body: re.sub(rb' xmlns="[^"]*"', b"", body))),
}


@pytest.mark.parametrize("manner", LISTINGS)
def test_a_listing_of_another_form_tells_the_same(store, place, manner):
    fs, root = place
    for number in range(3):
        write_bytes(fs, f"{root}/old/part-{number}.parquet", b"p")
    write_bytes(fs, f"{root}/old/deeper/part-3.parquet", b"p")
    store.fault = LISTINGS[manner]
    assert part_names(fs, f"{root}/old") == [f"part-{number}.parquet" for number in range(3)]
    inside = fs.get_file_info(pafs.FileSelector(root))
    assert sorted((info.base_name, info.size) for info in inside) == [
        ("large", len(LARGE)), ("old", None), ("small", len(SMALL))]  # fmt: skip
    old = files(fs, f"{root}/old")
    move_folder(fs, f"{root}/old", f"{root}/superseded/old", ("manifest.json",))
    assert files(fs, root) == ["large", "small", *(f"superseded/old/{name}" for name in old)]


def test_a_store_that_lists_another_folder_than_it_was_asked_for_moves_and_deletes_nothing(store, place):
    fs, root = place
    before = files(fs, root)
    store.fault = asked_otherwise(r"(^|&)prefix=[^&]*", r"\1prefix=")
    with pytest.raises(OSError, match=rf"^s3://{root}/old: asked for this folder, the store .* lists s3://{root}/"):
        move_folder(fs, f"{root}/old", f"{root}/superseded/old", ("manifest.json",))
    store.fault = None
    assert files(fs, root) == before


def several(method, path):
    return method == "POST" and "?delete" in path


@pytest.mark.parametrize(
    ("status", "code", "says"),
    [
        ("400 Bad Request", "MissingContentMD5", "Missing required header for this request: Content-Md5"),
        ("400 Bad Request", "InvalidRequest", "Missing required header for this request: Content-MD5"),
        ("400 Bad Request", "MalformedXML", "The XML was not well-formed"),
        ("405 Method Not Allowed", "MethodNotAllowed", "POST is not allowed here"),
    ],
)
def test_a_store_that_cannot_delete_several_files_at_once_is_asked_one_by_one(store, place, status, code, says):
    fs, root = place
    store.fault = when(several, error(status, code, says))
    move_folder(fs, f"{root}/old", f"{root}/superseded/old", ("manifest.json",))
    assert files(fs, root) == ["large", "small", "superseded/old/manifest.json", "superseded/old/part"]


WRITING = {
    "Unsupported header 'x-amz-checksum-crc32' received for this API call.": ("400 Bad Request", "InvalidArgument"),
    "aws-chunked encoding is not supported": ("400 Bad Request", "InvalidArgument"),
    "You must provide the Content-Length HTTP header.": ("411 Length Required", "MissingContentLength"),
    "no 100-continue here": ("417 Expectation Failed", "ExpectationFailed"),
    "calculated another signature": ("403 Forbidden", "SignatureDoesNotMatch"),
    "x-amz-content-sha256 differs": ("400 Bad Request", "XAmzContentSHA256Mismatch"),
}


@pytest.mark.parametrize("says", WRITING)
def test_a_store_without_checksums_at_an_upload_s_end_names_the_variable(store, place, says):
    fs, root = place
    store.fault = when(lambda method, path: method == "PUT", error(*WRITING[says], says))
    with pytest.raises(OSError, match=rf"^s3://{root}/new: .*AWS_REQUEST_CHECKSUM_CALCULATION=when_required"):
        write_bytes(fs, f"{root}/new", b"x")


def test_a_condition_that_does_not_hold_and_a_file_that_is_kept_by_rule_are_told(store, place):
    fs, root = place
    store.fault = when(lambda method, path: method == "PUT", error("412 Precondition Failed", "PreconditionFailed"))
    with pytest.raises(OSError, match=rf"^s3://{root}/new: it was changed meanwhile, .*the bucket's policy"):
        write_bytes(fs, f"{root}/new", b"x")
    store.fault = when(
        lambda method, path: method == "DELETE",
        error("403 Forbidden", "AccessDenied", "Access Denied because object protected by object lock."),
    )
    with pytest.raises(OSError, match=rf"^s3://{root}/small: the bucket keeps every file for a time; take one without"):
        delete_files(fs, [f"{root}/small"])


def test_a_file_that_was_replaced_by_a_shorter_one_while_it_was_read_is_read_again(store, place):
    fs, root = place
    refused = error("416 Requested Range Not Satisfiable", "InvalidRange")
    store.fault = first(reading, refused)
    assert read_files(fs, [f"{root}/small"]) == [SMALL]
    store.fault = when(reading, refused)
    with pytest.raises(OSError, match=rf"^s3://{root}/small: it has become shorter while it was read, at every try"):
        read_files(fs, [f"{root}/small"])


def sent_on(environ, start_response):
    """A fault: a page to sign in, which sends to itself."""
    environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    start_response("302 Found", [("Location", f"http://{environ['HTTP_HOST']}/login"), ("Content-Length", "0")])
    return []


def test_a_proxy_that_sends_in_circles_is_told(store, place):
    fs, root = place
    store.fault = lambda environ: sent_on
    for work in (lambda: write_bytes(fs, f"{root}/new", b"x"), lambda: files(fs, root)):
        with pytest.raises(OSError, match="it sends to other addresses; set AWS_REGION"):
            work()


@pytest.mark.parametrize("kind", ["empty objects", "an object of the type of a folder"])
def test_folders_that_are_objects_of_their_own_hold_no_files(store, kind):
    bucket = store.bucket()
    client = boto3.client("s3", endpoint_url=store.url, aws_access_key_id=KEY, aws_secret_access_key="secret",
                          region_name="us-east-1")  # fmt: skip
    for name in ("run", "run/old", "run/superseded"):
        if kind == "empty objects":
            client.put_object(Bucket=bucket.removeprefix("s3://"), Key=f"{name}/")
        else:
            client.put_object(Bucket=bucket.removeprefix("s3://"), Key=name, ContentType="application/x-directory")
    fs, root = open_url(f"{bucket}/run")
    move_folder(fs, f"{root}/old", f"{root}/superseded/old-1", ("manifest.json",))
    write_bytes(fs, f"{root}/old/manifest.json", b"m")
    move_folder(fs, f"{root}/old", f"{root}/superseded/old-2", ("manifest.json",))
    found = fs.get_file_info(pafs.FileSelector(root, recursive=True))
    assert [info.path for info in found if info.is_file and info.size] == [f"{root}/superseded/old-2/manifest.json"]


def test_what_was_deleted_in_a_bucket_with_versions_is_gone_and_may_be_written_again(store):
    bucket = store.bucket()
    client = boto3.client("s3", endpoint_url=store.url, aws_access_key_id=KEY, aws_secret_access_key="secret",
                          region_name="us-east-1")  # fmt: skip
    client.put_bucket_versioning(Bucket=bucket.removeprefix("s3://"), VersioningConfiguration={"Status": "Enabled"})
    fs, root = open_url(f"{bucket}/run")
    for content in (b"first", b"second"):
        write_bytes(fs, f"{root}/old/part-0.parquet", content)
    move_folder(fs, f"{root}/old", f"{root}/aside", ("manifest.json",))
    assert files(fs, root) == ["aside/part-0.parquet"]
    with pytest.raises(FileNotFoundError):
        read_files(fs, [f"{root}/old/part-0.parquet"])
    move_folder(fs, f"{root}/aside", f"{root}/old", ("manifest.json",))
    assert read_files(fs, [f"{root}/old/part-0.parquet"]) == [b"second"]


def test_a_name_with_what_no_url_holds_is_refused_instead_of_shortened():
    for odd in ("a\nb", "a\tb", "a\x7fb"):
        with pytest.raises(ValueError, match=r"which a URL cannot; take another name"):
            open_url(f"s3://bucket/{odd}")
