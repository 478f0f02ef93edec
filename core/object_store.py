"""Folders and files by URL: object stores opened with patience, and their refusals said in words.

The store's own client retries what passes: 429, 500, 503, a reset, a silent connection. It waits longer each time, up
to 20 s, and gives up after `ATTEMPTS` tries: about a minute. Odd answers are the exception (`PatientStore`).
"""

from __future__ import annotations

import io
import os
import posixpath
import random
import re
import time
from collections.abc import Callable
from functools import partial
from itertools import chain, count
from typing import Any

import pyarrow as pa
from pyarrow import fs as pafs

from core.store_address import join_url as join_url  # whoever opens a URL takes these from here, too
from core.store_address import s3_address
from core.store_address import shown_url as shown_url
from core.store_refusals import GONE, NO_REASON, NO_STORE, UNKNOWN_REQUEST, where_of, who_asks
from core.store_refusals import explain as explain

ATTEMPTS = 9
CONNECT_TIMEOUT_S = 10.0
SILENCE_S = 30.0
"""A connection without a byte for so long is given up and asked again."""

SMALL_BYTES = 2**20
"""A file of so many bytes is read by one request, whatever of it is asked for."""

_DID_NOT_FIT, _SHORT = "Failed to flush response stream", "it sent less than the file's"
_NOT_KEPT = "bytes that it took at every try"
KEEPS_MORE = ("this store keeps other bytes than it was sent; set AWS_REQUEST_CHECKSUM_CALCULATION=when_required here "
              "and on the cluster's nodes")  # fmt: skip
_DAMAGED = "BadDigest|BAD_DIGEST|SHA256Mismatch|InvalidDigest|IncompleteBody|OperationAborted"
_MISMATCH = "Response checksums mismatch"
_ENDED = "NO_SUCH_UPLOAD|NoSuchUpload|InvalidPart|EntityTooSmall"
_REPLACED = "InvalidRange"
_ODD = re.compile(
    rf"{_DID_NOT_FIT}|{_SHORT}|{_NOT_KEPT}|{KEEPS_MORE}|{_MISMATCH}|XML_\w*ERROR|{_DAMAGED}|{_ENDED}|"
    f"{_REPLACED}"
)
"""Answers that the store's client gives up at once: more than was asked for, less than was promised, no XML; what came
there was not what was sent; an upload that is not there any more, or was ended by a try whose answer was lost; a file
that was replaced by a shorter one while it was read. And what was taken, and is not there."""

_ONE_BY_ONE = re.compile(
    f"{UNKNOWN_REQUEST}|MissingContentMD5|[Cc]ontent-(?:md5|MD5)|Malformed|InvalidRequest|InvalidArgument|{NO_STORE}"
)
"""How stores refuse to delete several files by one request."""

_REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")

OBJECT_STORES = (pafs.S3FileSystem, pafs.GcsFileSystem)
"""Filesystems in which a file is there when its writing has ended well, and not before; they have no folders."""


def is_object_store(fs: pafs.FileSystem) -> bool:
    """Whether files appear whole at the end of their writing, and folders are only parts of names."""
    inner = getattr(fs, "handler", None)
    return isinstance(inner.fs if isinstance(inner, PatientStore) else fs, OBJECT_STORES)


def open_url(url: str) -> tuple[pafs.FileSystem, str]:
    """The filesystem of a URL and the path inside it.

    `s3://[KEY:SECRET@]bucket/path` may end with `?region=…`, `endpoint_override=…`, `scheme=…` as pyarrow has it; an
    endpoint of AWS_ENDPOINT_URL counts too. Other schemes are opened as pyarrow does.

    Raises:
        ValueError: pyarrow opens no such URL, or an option is unknown.
        OSError: the store refuses or does not answer; the text is `explain`'s.
    """
    try:
        if url.startswith("s3://"):
            return _open_s3(url)
        try:
            return pafs.FileSystem.from_uri(url)
        except ValueError as error:
            reason = str(error).replace(url, shown_url(url))
            raise ValueError(f"{shown_url(url)!r} is no URL that pyarrow opens: {reason}") from None
    except OSError as error:
        raise OSError(explain(str(error)) or str(error)) from None


def _open_s3(url: str) -> tuple[pafs.FileSystem, str]:
    options, path = s3_address(url)
    if "region" not in options and "endpoint_override" not in options:
        own = next((found for name in _REGIONS if (found := os.environ.get(name))), None)
        # The question for the region knows no proxy.
        options["region"] = own if own and "proxy_options" in options else pafs.resolve_s3_region(path.split("/")[0])
    fs = pafs.S3FileSystem(
        connect_timeout=CONNECT_TIMEOUT_S, request_timeout=SILENCE_S, allow_delayed_open=True,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS), **options,
    )  # fmt: skip
    return pafs.PyFileSystem(PatientStore(fs)), path


class PatientStore(pafs.FileSystemHandler):
    """pyarrow's S3 filesystem, which asks again after odd answers too, and whose refusals are said in words.

    pyarrow reads into a buffer of the size that is asked for. Where the store is busy for a moment, and says so in more
    bytes than were asked for, the answer does not fit, and the client gives up without another try. It takes an answer
    that is too short, or an error under the status 200, for the file: here both are told by the file's size.
    """

    def __init__(self, fs: pafs.S3FileSystem) -> None:
        """Wrap a filesystem."""
        self.fs = fs
        self.kept = dict[str, int]()
        """Path → bytes of what was uploaded by this object and seen in the store: a listing may come to it later."""

    def __reduce__(self) -> tuple[type[PatientStore], tuple[pafs.S3FileSystem]]:
        return PatientStore, (self.fs,)  # what another process wrote, this one would not hear of

    def _try(self, call: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        for attempt in count():
            try:
                return call(*arguments, **named)
            except FileNotFoundError:
                raise
            except OSError as error:
                if not _ODD.search(str(error)) or attempt == ATTEMPTS:
                    raise OSError(self._reason(str(error))) from None
                time.sleep(random.random() * min(20.0, 0.1 * 2**attempt))
        raise AssertionError

    def _reason(self, said: str) -> str:
        """The line for a refusal. Where its text is not to be had, as that of a HEAD, a listing is refused with one."""
        line, bucket = explain(said) or said, re.search(r"bucket '([^']*)'", said)
        if bucket is None or (NO_REASON not in line and _DID_NOT_FIT not in said):
            return line
        try:
            key = re.search(r"key '([^']*)'", said)
            folder = posixpath.dirname(key[1]) if key else ""
            self.fs.get_file_info(pafs.FileSelector(posixpath.join(bucket[1], folder), allow_not_found=True))
        except OSError as error:
            told = explain(str(error)) or ""
            return told if told and NO_REASON not in told else line
        if _DID_NOT_FIT in said:  # the answer's text, whatever it was, is lost
            return (f"{where_of(said)}: it was busy at every try, or {who_asks()} lacks the right s3:GetObject or "
                    "kms:Decrypt; run the same command again: finished work is kept")  # fmt: skip
        return f"{where_of(said)}: {who_asks()} lacks the right s3:GetObject"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PatientStore) and bool(self.fs == other.fs)

    def __ne__(self, other: object) -> bool:
        return not self == other

    __hash__ = None  # type: ignore[assignment]

    def get_type_name(self) -> str:  # noqa: D102 - the methods are those of pyarrow.fs.FileSystem
        return "patient+s3"

    def normalize_path(self, path: str) -> str:  # noqa: D102
        return str(self.fs.normalize_path(path))

    def get_file_info(self, paths: list[str]) -> Any:  # noqa: D102
        return self._try(self.fs.get_file_info, paths)

    def get_file_info_selector(self, selector: pafs.FileSelector) -> Any:  # noqa: D102
        return _asked_for(self._try(self.fs.get_file_info, selector), selector)

    def create_dir(self, path: str, recursive: bool) -> None:  # noqa: FBT001
        """Nothing: what is written makes its folder, and a bucket is made by its owner."""

    def delete_dir(self, path: str) -> None:  # noqa: D102
        try:
            self._try(self.fs.delete_dir, path)
        except OSError as error:
            if not _ONE_BY_ONE.search(str(error)):
                raise
            for info in self.get_file_info_selector(pafs.FileSelector(path, recursive=True, allow_not_found=True)):
                if info.is_file:
                    self.delete_file(info.path)
        for file in list(self.kept):
            if file.startswith(f"{path}/"):
                self.kept.pop(file, None)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool) -> None:  # noqa: D102, FBT001
        self._try(self.fs.delete_dir_contents, path, missing_dir_ok=missing_dir_ok)

    def delete_root_dir_contents(self) -> None:  # noqa: D102
        raise NotImplementedError("all buckets of an account are never deleted")

    def delete_file(self, path: str) -> None:  # noqa: D102
        try:
            self._try(self.fs.delete_file, path)
        except OSError as error:
            if GONE not in str(error):  # some stores say 404 of what is not there, or of what a lost answer told of
                raise
        self.kept.pop(path, None)

    def move(self, src: str, dest: str) -> None:  # noqa: D102
        self._try(self.fs.move, src, dest)

    def copy_file(self, src: str, dest: str) -> None:  # noqa: D102
        self._try(self.fs.copy_file, src, dest)

    def open_input_stream(self, path: str) -> Any:  # noqa: D102
        return self.open_input_file(path)

    def open_input_file(self, path: str) -> Any:  # noqa: D102
        file = self._try(self.fs.open_input_file, path)
        if file.size() == 0 and (listed := self._listed_size(path)):
            raise OSError(f"s3://{path}: asked for its length, the store or a proxy in between tells none, and "
                          f"lists {listed} bytes; let HEAD requests pass as they are, or remove the proxy")  # fmt: skip
        if file.size() > SMALL_BYTES:
            return pa.PythonFile(_PatientReader(file, partial(self.read, path)), mode="r")
        files = chain([file], (self.fs.open_input_file(path) for _ in count()))  # its size may be another by now

        def read_whole() -> bytes:
            now = next(files)
            return _read_all(path, now, now.size(), 0)

        return pa.BufferReader(self._try(read_whole))

    def _listed_size(self, path: str) -> int:
        selector = pafs.FileSelector(posixpath.dirname(path), allow_not_found=True)
        return next((info.size or 0 for info in self._try(self.fs.get_file_info, selector) if info.path == path), 0)

    def read(self, path: str, file: pa.NativeFile, size: int, offset: int) -> bytes:
        """So many bytes of an open file, all of them.

        Raises:
            OSError: the store refuses, or sends fewer at each try.
        """
        return bytes(self._try(_read_all, path, file, size, offset))

    def upload(self, path: str, content: pa.Buffer) -> None:
        """Write a file; asked again as a whole where it is not known whether it ended well."""
        self._try(_upload, self.fs, path, content)
        self.kept[path] = content.size

    def open_output_stream(self, path: str, metadata: Any) -> Any:  # noqa: D102
        return self._try(self.fs.open_output_stream, path, compression=None, metadata=metadata)  # the caller compresses

    def open_append_stream(self, path: str, metadata: Any) -> Any:  # noqa: D102
        raise NotImplementedError("object stores cannot append")


def _asked_for(infos: list[pafs.FileInfo], selector: pafs.FileSelector) -> list[pafs.FileInfo]:
    """What a listing was to tell, each file once.

    Some stores tell a file again on the next page, and some that know no delimiter what lies deeper, too.

    Raises:
        OSError: it tells of another folder: who moved or deleted by it would lose what was not meant.
    """
    base, found = selector.base_dir.strip("/"), dict[str, pafs.FileInfo]()
    for info in infos:
        if base and not info.path.startswith(f"{base}/"):
            raise OSError(f"s3://{base}: asked for this folder, the store or a proxy in between lists "
                          f"s3://{info.path}; take another store, or remove the proxy")  # fmt: skip
        if selector.recursive or posixpath.dirname(info.path) == base:
            found.setdefault(info.path, info)
    return list(found.values())


class _PatientReader(io.RawIOBase):
    """A file of an object store for `pyarrow.PythonFile`: each read is tried again."""

    def __init__(self, file: pa.NativeFile, read: Callable[[pa.NativeFile, int, int], bytes]) -> None:
        self._file, self._read, self._at, self._size = file, read, 0, file.size()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def read(self, size: int = -1) -> bytes:
        wanted = self._size - self._at if size is None or size < 0 else min(size, self._size - self._at)
        found = self._read(self._file, wanted, self._at) if wanted > 0 else b""
        self._at += len(found)
        return found

    def close(self) -> None:
        if not self.closed:
            self._file.close()
        super().close()


def _read_all(path: str, file: pa.NativeFile, size: int, offset: int) -> bytes:
    """So many bytes, or an error: pyarrow says that it read them all where the answer was shorter.

    What was not sent is then left in its buffer as it was (findings/pyarrow_s3_short_answers.sh): its end is marked.
    """
    buffer, mark = bytearray(size), os.urandom(min(size, 16))
    buffer[size - len(mark) :] = mark
    try:
        file.seek(offset)
        found = file.readinto(buffer) if size else 0
    except OSError as error:  # which names no file
        raise OSError(f"key '{path.partition('/')[2]}' in bucket '{path.partition('/')[0]}': {error}") from None
    if found != size or (size and buffer.endswith(mark)):
        raise OSError(f"s3://{path}: {_SHORT} {size} bytes at every try; check the network and a proxy in between, and "
                      "run the same command again: finished work is kept")  # fmt: skip
    return bytes(buffer)


def _upload(fs: pafs.FileSystem, path: str, content: pa.Buffer) -> None:
    """Send a file, and look once whether it is there: something in between may answer 200 and keep nothing."""
    with fs.open_output_stream(path, compression=None) as stream:  # by default `.gz` in a name has pyarrow compress
        stream.write(content)
    kept = fs.get_file_info(path).size or 0
    if kept > content.size:  # the checksum at an upload's end, taken for a part of the file
        raise OSError(f"s3://{path}: {KEEPS_MORE}")
    if kept < content.size:
        raise OSError(f"s3://{path}: the store keeps {kept} of {content.size} {_NOT_KEPT}; check the network and a "
                      "proxy in between, and run the same command again: finished work is kept")  # fmt: skip


def upload(fs: pafs.FileSystem, path: str, content: pa.Buffer) -> None:
    """Write a file of an object store by one upload.

    Raises:
        OSError: the store refuses or does not answer.
    """
    store = getattr(fs, "handler", None)
    store.upload(path, content) if isinstance(store, PatientStore) else _upload(fs, path, content)


def kept_files(fs: pafs.FileSystem, folder: str) -> dict[str, int]:
    """Path → bytes of the files below a folder of an object store that `upload` wrote through this `fs`."""
    kept: dict[str, int] = getattr(getattr(fs, "handler", None), "kept", {})
    return {path: kept[path] for path in list(kept) if path.startswith(f"{folder}/")}


def check_there(fs: pafs.FileSystem, path: str, url: str) -> None:
    """Refuse a bucket that is not there: a listing in it would look like an empty folder.

    Raises:
        OSError: it is not there, or the store refuses.
    """
    if not is_object_store(fs):
        return
    bucket = path.split("/")[0]
    try:
        found = fs.get_file_info(bucket).type != pafs.FileType.NotFound
    except OSError as error:
        raise OSError(explain(str(error)) or str(error)) from None
    if not found:
        raise FileNotFoundError(
            f"{shown_url(url)}: there is no such bucket; create it, or correct the URL, or "
            "AWS_ENDPOINT_URL where you set one"
        )
