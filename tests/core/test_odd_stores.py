"""Stores and proxies that answer oddly: the right bytes, or one clear line; never a shortened file, never a lost one."""

import pytest
from pyarrow import fs as pafs

from core.storage import copy_up, delete_files, move_folder, read_files, write_bytes
from tests.core.conftest import LARGE, SMALL, UPLOAD
from tests.object_store import (
    answered,
    changed,
    closed_early,
    error,
    first,
    listing,
    page,
    page_of,
    reading,
    redirected,
    reset,
    shortened,
    swallowed,
    trickled,
    when,
)

SHORT = {"cut in the middle": closed_early(0.5), "closed after the headers": closed_early(0.0), "half of it": shortened,
         "no length and half of it": closed_early(0.5, length=False), "an error for a file": error("200 OK", "InternalError"),
         "a page to sign in": page}  # fmt: skip


@pytest.mark.parametrize("manner", SHORT)
@pytest.mark.parametrize("name", ["small", "large"])
def test_an_answer_that_is_not_the_file_is_asked_again_and_told_at_last(store, place, manner, name):
    fs, root = place
    store.fault = first(reading, SHORT[manner])
    assert read_files(fs, [f"{root}/{name}"]) == [SMALL if name == "small" else LARGE]
    store.fault = when(reading, SHORT[manner])
    with pytest.raises(OSError) as caught:
        read_files(fs, [f"{root}/{name}"])
    line = str(caught.value)
    assert line.startswith(f"s3://{root}/{name}: it ") and "\n" not in line
    assert "run the same command again" in line or "check the network" in line


def test_a_slow_store_is_waited_for(store, place):
    fs, root = place
    store.fault = when(reading, trickled(0.02))
    assert read_files(fs, [f"{root}/small", f"{root}/large"]) == [SMALL, LARGE]


def test_a_listing_that_is_cut_off_is_asked_again_and_told_at_last(store, place):
    fs, root = place
    store.fault = first(listing, shortened)
    assert {info.base_name for info in fs.get_file_info(pafs.FileSelector(root)) if info.is_file} == {"small", "large"}
    store.fault = when(listing, shortened)
    with pytest.raises(OSError, match="what it answered is cut off or no XML; check the network"):
        fs.get_file_info(pafs.FileSelector(root))


@pytest.mark.parametrize("fault", [shortened, error("200 OK", "InternalError"), page], ids=["cut", "error", "page"])
def test_an_upload_whose_end_is_not_known_is_sent_again(store, place, fault):
    fs, root = place
    store.fault = first(lambda method, path: method == "POST" and "uploadId" in path, fault)
    write_bytes(fs, f"{root}/new", UPLOAD)
    assert read_files(fs, [f"{root}/new"]) == [UPLOAD]


def ends_an_upload(method, path):
    return method == "POST" and "uploadId" in path


@pytest.mark.parametrize(
    ("content", "step"),
    [(SMALL, lambda method, path: method == "PUT"), (UPLOAD, ends_an_upload)],
    ids=["small", "in parts"],
)
def test_an_upload_that_was_answered_and_not_done_is_sent_again_and_told_at_last(store, place, content, step):
    fs, root = place
    store.fault = first(step, swallowed)
    write_bytes(fs, f"{root}/new", content)
    assert read_files(fs, [f"{root}/new"]) == [content]
    store.fault = when(step, swallowed)
    with pytest.raises(OSError, match=rf"^s3://{root}/newer: the store keeps 0 of {len(content)} bytes.*run the same"):
        write_bytes(fs, f"{root}/newer", content)


def test_an_answer_with_another_checksum_is_asked_again_and_told_at_last(store, place):
    fs, root = place
    other = changed(lambda headers: [*headers, ("x-amz-checksum-crc32", "AAAAAA==")])
    store.fault = first(reading, other)
    assert read_files(fs, [f"{root}/small"]) == [SMALL]
    store.fault = when(reading, other)
    with pytest.raises(OSError, match=rf"^s3://{root}/small: what came here has another checksum .*run the same"):
        read_files(fs, [f"{root}/small"])


def test_a_length_that_is_not_told_is_not_taken_for_an_empty_file(store, place):
    fs, root = place
    write_bytes(fs, f"{root}/nothing", b"")
    store.fault = when(
        lambda method, path: method == "HEAD",
        changed(lambda headers: [pair for pair in headers if pair[0].lower() != "content-length"]),
    )
    with pytest.raises(OSError, match=rf"^s3://{root}/small: asked for its length.*lists {len(SMALL)} bytes"):
        read_files(fs, [f"{root}/small"])
    assert read_files(fs, [f"{root}/nothing"]) == [b""]


def test_a_file_that_is_gone_when_it_is_deleted_is_deleted(store, place):
    fs, root = place
    store.fault = when(lambda method, path: method == "DELETE", error("404 Not Found", "NoSuchKey"))
    delete_files(fs, [f"{root}/small"])


def test_a_store_that_deletes_one_file_at_a_time_moves_folders(store, place):
    fs, root = place
    store.fault = when(lambda method, path: "?delete" in path, error("501 Not Implemented", "NotImplemented"))
    move_folder(fs, f"{root}/old", f"{root}/superseded/old", ("manifest.json",))
    found = fs.get_file_info(pafs.FileSelector(root, recursive=True))
    assert sorted(info.path.removeprefix(f"{root}/") for info in found if info.is_file) == [
        "large", "small", "superseded/old/manifest.json", "superseded/old/part"]  # fmt: skip


def test_a_folder_of_which_a_file_was_answered_and_not_kept_is_whole(store, place, tmp_path):
    fs, root = place
    (tmp_path / "model" / "more").mkdir(parents=True)
    for name, content in (("config.json", SMALL), ("more/weights", UPLOAD)):
        (tmp_path / "model" / name).write_bytes(content)
    for step in (ends_an_upload, lambda method, path: method == "PUT" and "config.json" in path):
        store.fault = first(step, swallowed)
        copy_up(tmp_path / "model", fs, f"{root}/model")
        assert read_files(fs, [f"{root}/model/config.json", f"{root}/model/more/weights"]) == [SMALL, UPLOAD]
        fs.delete_dir(f"{root}/model")


@pytest.mark.parametrize("fault", [shortened, error("200 OK", "InternalError"), page], ids=["cut", "error", "page"])
def test_a_folder_whose_copies_were_not_made_stays_where_it_is(store, place, fault):
    fs, root = place
    store.fault = when(lambda method, path: method == "PUT", fault)
    with pytest.raises(OSError, match=r"is not there|busy at every try|cut off or no XML"):
        move_folder(fs, f"{root}/old", f"{root}/superseded/old", ("manifest.json",))
    store.fault = None
    assert read_files(fs, [f"{root}/old/part", f"{root}/old/manifest.json"]) == [b"p", b"m"]


REFUSALS = {
    "RequestTimeTooSkewed": ("403 Forbidden", "set the clock"),
    "RequestTimeout": ("400 Bad Request", "run the same command again later"),
    "QuotaExceeded": ("403 Forbidden", "no room left"),
    "XMinioStorageFull": ("507 Insufficient Storage", "no room left"),
    "AccountProblem": ("403 Forbidden", "account"),
    "KMS.DisabledException": ("400 Bad Request", "key that encrypts"),
    "ExpiredToken": ("400 Bad Request", "renew AWS_SESSION_TOKEN"),
    "TokenRefreshRequired": ("400 Bad Request", "renew AWS_SESSION_TOKEN"),
    "BadDigest": ("400 Bad Request", "check the network and a proxy in between"),
    "XAmzContentSHA256Mismatch": ("400 Bad Request", "check the network and a proxy in between"),
    "OperationAborted": ("409 Conflict", "run the same command again later"),
    "NotImplemented": ("501 Not Implemented", "set AWS_REQUEST_CHECKSUM_CALCULATION=when_required"),
    "MethodNotAllowed": ("405 Method Not Allowed", "correct the URL, or AWS_ENDPOINT_URL"),
    "EntityTooLarge": ("413 Content Too Large", "limit for one request raised"),
    "KeyTooLongError": ("400 Bad Request", "take a shorter --run-dir"),
    "InvalidBucketName": ("400 Bad Request", "correct the URL"),
    "": ("407 Proxy Authentication Required", "set HTTPS_PROXY"),
    "Teapot": ("418 I'm a teapot", "the store refuses: Teapot no reason (HTTP status 418)"),
}


@pytest.mark.parametrize("code", REFUSALS)
def test_a_refusal_in_the_middle_names_what_to_change(store, place, code):
    fs, root = place
    status, told = REFUSALS[code]
    store.fault = when(lambda method, path: method == "PUT" or reading(method, path), error(status, code))
    for work in (lambda: write_bytes(fs, f"{root}/new", b"x"), lambda: read_files(fs, [f"{root}/small"])):
        with pytest.raises(OSError) as caught:
            work()
        line = str(caught.value)
        assert line.startswith(f"s3://{root}/") and told in line and "\n" not in line


@pytest.mark.parametrize(
    "code", ["BadDigest", "XAmzContentSHA256Mismatch", "OperationAborted", "NoSuchUpload", "InvalidPart"]
)
def test_an_upload_that_came_damaged_or_was_ended_elsewhere_is_sent_again(store, place, code):
    fs, root = place
    store.fault = first(lambda method, path: method == "PUT", error("400 Bad Request", code))
    write_bytes(fs, f"{root}/new", UPLOAD)
    assert read_files(fs, [f"{root}/new"]) == [UPLOAD]


@pytest.mark.parametrize(
    "answer", [reset, error("500 Internal", "InternalError"), error("404 Not Found", "NoSuchUpload")]
)
def test_an_upload_that_ended_well_and_whose_answer_was_lost_is_whole(store, place, answer):
    fs, root = place
    done = []

    def ended(environ, start_response):
        done.append(answered(environ))  # a second end of the same upload is NoSuchUpload
        return answer(environ | {"CONTENT_LENGTH": "0"}, start_response)

    store.fault = first(lambda method, path: method == "POST" and "uploadId" in path, ended)
    write_bytes(fs, f"{root}/new", UPLOAD)
    assert done and read_files(fs, [f"{root}/new"]) == [UPLOAD]


def test_an_upload_that_is_ended_elsewhere_each_time_names_the_lifecycle_rule(store, place):
    fs, root = place
    store.fault = when(
        lambda method, path: method == "POST" and "uploadId" in path, error("404 Not Found", "NoSuchUpload")
    )
    with pytest.raises(OSError, match=rf"^s3://{root}/new: the upload was ended by somebody else.*lifecycle rule"):
        write_bytes(fs, f"{root}/new", UPLOAD)


def test_a_page_where_a_store_was_meant_names_the_endpoint(store, place):
    fs, root = place
    answers = {
        page_of("404 Not Found"): "correct the URL, or AWS_ENDPOINT_URL",
        page_of("400 Bad Request"): "or AWS_ENDPOINT_URL, where you set one, is no store's",
    }
    for fault, told in answers.items():
        store.fault = lambda environ, fault=fault: fault
        for work in (lambda: write_bytes(fs, f"{root}/new", b"x"), lambda: fs.get_file_info(pafs.FileSelector(root))):
            with pytest.raises(OSError, match=told):
                work()


def test_what_the_store_says_of_a_right_or_an_archive_is_told(store, place):
    fs, root = place
    says = "User: arn:aws:iam::1:user/me is not authorized to perform: kms:Decrypt on resource: key/1"
    store.fault = when(reading, error("403 Forbidden", "AccessDenied", says))
    with pytest.raises(OSError, match=rf"^s3://{root}/small: .*lacks the right kms:Decrypt"):
        read_files(fs, [f"{root}/small"])
    says = "The operation is not valid for the object's storage class"
    store.fault = when(reading, error("403 Forbidden", "InvalidObjectState", says))
    with pytest.raises(OSError, match=rf"^s3://{root}/small: the file is in an archive; restore it"):
        read_files(fs, [f"{root}/small"])


def test_a_refusal_that_does_not_fit_in_a_small_file_is_told_by_a_listing(store, place):
    fs, root = place
    write_bytes(fs, f"{root}/tiny", b"ab")
    store.fault = when(lambda method, path: method == "GET", error("400 Bad Request", "ExpiredToken"))
    with pytest.raises(OSError, match=rf"^s3://{root}.*renew AWS_SESSION_TOKEN"):
        read_files(fs, [f"{root}/tiny"])
    store.fault = when(
        reading, error("403 Forbidden", "AccessDenied")
    )  # as of a key that encrypts: the rest is allowed
    with pytest.raises(OSError, match=rf"^s3://{root}/tiny: .*lacks the right s3:GetObject or kms:Decrypt"):
        read_files(fs, [f"{root}/tiny"])


def test_a_bucket_elsewhere_and_a_right_to_delete_that_is_missing_are_told(store, place):
    fs, root = place
    store.fault = lambda environ: redirected
    with pytest.raises(OSError) as caught:
        write_bytes(fs, f"{root}/new", b"x")
    assert "set AWS_REGION" in str(caught.value) and "\n" not in str(caught.value)
    store.fault = when(
        lambda method, path: method == "DELETE" or "delete" in path, error("403 Forbidden", "AccessDenied")
    )
    with pytest.raises(OSError, match="lacks the right s3:DeleteObject"):
        delete_files(fs, [f"{root}/small"])
    with pytest.raises(OSError, match="lacks the right s3:DeleteObject"):
        move_folder(fs, f"{root}/old", f"{root}/superseded/old", ("manifest.json",))
    store.fault = None
    assert read_files(fs, [f"{root}/old/part", f"{root}/small"]) == [b"p", SMALL]
