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
from urllib.parse import parse_qsl, unquote, urlsplit

import pyarrow as pa
from pyarrow import fs as pafs

ATTEMPTS = 9
CONNECT_TIMEOUT_S = 10.0
SILENCE_S = 30.0
"""A connection without a byte for so long is given up and asked again."""

SMALL_BYTES = 2**20
"""A file of so many bytes is read by one request, whatever of it is asked for."""

_DID_NOT_FIT, _SHORT = "Failed to flush response stream", "it sent less than the file's"
_ODD = re.compile(rf"{_DID_NOT_FIT}|{_SHORT}|XML_\w*ERROR")
"""Answers that the store's client gives up at once: more than was asked for, less than was promised, no XML."""

_NO_REASON = "refused without a reason"

OBJECT_STORES = (pafs.S3FileSystem, pafs.GcsFileSystem)
"""Filesystems in which a file is there when its writing has ended well, and not before; they have no folders."""

_ENDPOINT = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
_OPTIONS = {"region", "scheme", "endpoint_override", "tls_ca_file_path", "force_virtual_addressing"}
_REFUSALS = (
    (r"NETWORK_CONNECTION|CONNECTION_TIMEOUT|Couldn't resolve host|curlCode", "it does not answer",
     "check the network, and AWS_ENDPOINT_URL or endpoint_override in the URL where you set one"),
    (r"XML_\w*ERROR", "what it answered is cut off or no XML",
     "check the network, a proxy in between, and AWS_ENDPOINT_URL; then run the same command again"),
    (r"InvalidObjectState|INVALID_OBJECT_STATE|storage class|access tier", "the file is in an archive",
     "restore it in the store, then run again"),
    (r"QuotaExceeded|StorageFull|EntityTooLarge|HTTP status 507", "no room left for it",
     "free some, or have the quota raised, and run the same command again: finished work is kept"),
    (r"SLOW_DOWN|SLOWDOWN|SERVICE_UNAVAILABLE|INTERNAL_FAILURE|THROTTLING|REQUEST_TIMEOUT|HTTP status (?:429|50\d)",
     "it was busy at every try", "run the same command again later: finished work is kept"),
    (r"AccountProblem|AllAccessDisabled|NotSignedUp|OptInRequired", "the account may not use it",
     "ask whoever keeps the store's account"),
    (r"KMS\.", "the key that encrypts the bucket cannot be used",
     "enable it, or give the key of AWS_ACCESS_KEY_ID the rights kms:Decrypt and kms:GenerateDataKey"),
    (r"EXPIRED_?TOKEN|ExpiredToken|TokenRefreshRequired", "the session token has expired",
     "renew AWS_SESSION_TOKEN (or the profile of AWS_PROFILE) and run the same command again: finished work is kept"),
    (r"INVALID_ACCESS_KEY|InvalidAccessKey|UNRECOGNIZED_CLIENT|INVALID_CLIENT_TOKEN|InvalidToken|MISSING_AUTHENTICATION",
     "it does not know the key", "set AWS_ACCESS_KEY_ID, and AWS_SESSION_TOKEN if the key is temporary"),
    (r"SIGNATURE_DOES_NOT_MATCH|SignatureDoesNotMatch|INVALID_SIGNATURE|INCOMPLETE_SIGNATURE",
     "the secret does not belong to the key", "set AWS_SECRET_ACCESS_KEY"),
    (r"REQUEST_TIME_TOO_SKEWED|RequestTimeTooSkewed|REQUEST_EXPIRED|difference between the request time",
     "this machine's clock is off",
     "set the clock: the store takes 15 minutes of difference"),
    (r"AuthorizationHeaderMalformed|PermanentRedirect|TemporaryRedirect|IllegalLocationConstraint|HTTP status 30[17]",
     "the bucket is in another region", "set AWS_REGION, or ?region=NAME in the URL"),
    (r"NO_SUCH_BUCKET|NoSuchBucket|[Bb]ucket not found",
     "there is no such bucket", "create it, or correct the URL"),
    (r"No credentials|NoCredentials|Unable to (?:locate|load) credentials", "no key was found",
     "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, AWS_PROFILE, or give the machine a role"),
)  # fmt: skip
_RIGHTS = {
    "Put": "s3:PutObject", "Upload": "s3:PutObject", "Multipart": "s3:PutObject", "List": "s3:ListBucket",
    "Get": "s3:GetObject", "Delete": "s3:DeleteObject",
    "Copy": "s3:GetObject and s3:PutObject",
}  # fmt: skip


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
        return _open_s3(url) if url.startswith("s3://") else pafs.FileSystem.from_uri(url)
    except OSError as error:
        raise OSError(explain(str(error)) or str(error)) from None


def join_url(url: str, *parts: str) -> str:
    """A path below a URL or path; what the URL says behind `?` stays at its end."""
    address, question, options = url.partition("?") if "://" in url else (url, "", "")
    return "/".join([address.rstrip("/"), *parts]) + question + options


def shown_url(url: str) -> str:
    """A URL as people are told it: without the key and the options that it may hold. A path stays as it is."""
    scheme, found, address = url.partition("://")
    return f"{scheme}://{address.partition('?')[0].rpartition('@')[2]}" if found else url


def _open_s3(url: str) -> tuple[pafs.FileSystem, str]:
    parts = urlsplit(url)
    bucket = parts.netloc.rpartition("@")[2]
    options = dict(parse_qsl(parts.query))
    if not bucket or parts.fragment:
        raise ValueError(f"{_shown(url)} names no bucket; it is s3://bucket/folder")
    if unknown := sorted(set(options) - _OPTIONS):
        raise ValueError(f"{_shown(url)}: {unknown[0]} is no option here; these are: {', '.join(sorted(_OPTIONS))}")
    endpoint = next((found for name in _ENDPOINT if (found := os.environ.get(name))), None)
    if endpoint and "endpoint_override" not in options:
        scheme, _, options["endpoint_override"] = endpoint.rstrip("/").rpartition("://")
        options.setdefault("scheme", scheme or "https")
    if "region" not in options and "endpoint_override" not in options:
        options["region"] = pafs.resolve_s3_region(bucket)
    virtual = options.pop("force_virtual_addressing", "false").lower() == "true"
    fs = pafs.S3FileSystem(
        access_key=unquote(parts.username) if parts.username else None,
        secret_key=unquote(parts.password) if parts.password else None,
        connect_timeout=CONNECT_TIMEOUT_S, request_timeout=SILENCE_S, allow_delayed_open=True,
        retry_strategy=pafs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS), force_virtual_addressing=virtual,
        **options,
    )  # fmt: skip
    return pafs.PyFileSystem(PatientStore(fs)), f"{bucket}/{unquote(parts.path).strip('/')}".rstrip("/")


def explain(said: str) -> str | None:
    """One line for what an object store refused, with the setting to change; None where it is no store's refusal.

    Args:
        said: text of the `OSError` that pyarrow raised.
    """
    if said.startswith("s3://") or not re.search("AWS Error|[Bb]ucket '[^']*' not found", said):
        return None
    where, operation = _where(said), re.search(r"during (\w+) operation", said)
    done = operation[1] if operation else ""
    words = re.sub(r"(key|bucket) '[^']*'", r"\1", said)  # a name may hold any of the words that are looked for
    if re.search(r"No response body|operation: *$", said) and re.search(r"ACCESS_DENIED|HTTP status 40[03]", said):
        # Nothing else is known: a store answers HEAD without a text.
        return (f"{where}: {_NO_REASON}; AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY or AWS_SESSION_TOKEN "
                "is wrong or expired, AWS_REGION is another, or s3:GetObject or s3:ListBucket is missing")  # fmt: skip
    denied = re.search(r"ACCESS_DENIED|AccessDenied", words)
    for pattern, what, mend in () if denied else _REFUSALS:
        if re.search(pattern, words):
            return f"{where}: {what}; {mend}"
    if denied or "HTTP status 403" in words:
        named = re.search(r"not authorized to perform: ([\w:]+)", words)
        right = named[1] if named else next((right for start, right in _RIGHTS.items() if start in done), "for it")
        return f"{where}: the key of AWS_ACCESS_KEY_ID, or this machine's role, lacks the right {right} ({done})"
    return f"{where}: {' '.join(words.split())[:300]}"


def _where(said: str) -> str:
    key, bucket = re.search(r"key '([^']*)'", said), re.search(r"bucket '([^']*)'", said)
    if key and bucket:
        return f"s3://{bucket[1]}/{key[1]}"
    return f"s3://{bucket[1]}" if bucket else "the object store"


class PatientStore(pafs.FileSystemHandler):
    """pyarrow's S3 filesystem, which asks again after odd answers too, and whose refusals are said in words.

    pyarrow reads into a buffer of the size that is asked for. Where the store is busy for a moment, and says so in more
    bytes than were asked for, the answer does not fit, and the client gives up without another try. It takes an answer
    that is too short, or an error under the status 200, for the file: here both are told by the file's size.
    """

    def __init__(self, fs: pafs.S3FileSystem) -> None:
        """Wrap a filesystem."""
        self.fs = fs

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
        if bucket is None or (_NO_REASON not in line and _DID_NOT_FIT not in said):
            return line
        try:
            key = re.search(r"key '([^']*)'", said)
            folder = posixpath.dirname(key[1]) if key else ""
            self.fs.get_file_info(pafs.FileSelector(posixpath.join(bucket[1], folder), allow_not_found=True))
        except OSError as error:
            told = explain(str(error)) or ""
            return told if told and _NO_REASON not in told else line
        if _DID_NOT_FIT in said:
            return line
        return f"{_where(said)}: the key of AWS_ACCESS_KEY_ID, or this machine's role, lacks the right s3:GetObject"

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
        return self._try(self.fs.get_file_info, selector)

    def create_dir(self, path: str, recursive: bool) -> None:  # noqa: FBT001
        """Nothing: what is written makes its folder, and a bucket is made by its owner."""

    def delete_dir(self, path: str) -> None:  # noqa: D102
        self._try(self.fs.delete_dir, path)

    def delete_dir_contents(self, path: str, missing_dir_ok: bool) -> None:  # noqa: D102, FBT001
        self._try(self.fs.delete_dir_contents, path, missing_dir_ok=missing_dir_ok)

    def delete_root_dir_contents(self) -> None:  # noqa: D102
        raise NotImplementedError("all buckets of an account are never deleted")

    def delete_file(self, path: str) -> None:  # noqa: D102
        self._try(self.fs.delete_file, path)

    def move(self, src: str, dest: str) -> None:  # noqa: D102
        self._try(self.fs.move, src, dest)

    def copy_file(self, src: str, dest: str) -> None:  # noqa: D102
        self._try(self.fs.copy_file, src, dest)

    def open_input_stream(self, path: str) -> Any:  # noqa: D102
        return self.open_input_file(path)

    def open_input_file(self, path: str) -> Any:  # noqa: D102
        file = self._try(self.fs.open_input_file, path)
        if file.size() > SMALL_BYTES:
            return pa.PythonFile(_PatientReader(file, partial(self.read, path)), mode="r")
        files = chain([file], (self.fs.open_input_file(path) for _ in count()))  # its size may be another by now

        def read_whole() -> bytes:
            now = next(files)
            return _read_all(path, now, now.size(), 0)

        return pa.BufferReader(self._try(read_whole))

    def read(self, path: str, file: pa.NativeFile, size: int, offset: int) -> bytes:
        """So many bytes of an open file, all of them.

        Raises:
            OSError: the store refuses, or sends fewer at each try.
        """
        return bytes(self._try(_read_all, path, file, size, offset))

    def upload(self, path: str, content: pa.Buffer) -> None:
        """Write a file; asked again as a whole where it is not known whether it ended well."""
        self._try(_upload, self.fs, path, content)

    def open_output_stream(self, path: str, metadata: Any) -> Any:  # noqa: D102
        return self._try(self.fs.open_output_stream, path, compression=None, metadata=metadata)  # the caller compresses

    def open_append_stream(self, path: str, metadata: Any) -> Any:  # noqa: D102
        raise NotImplementedError("object stores cannot append")


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
    with fs.open_output_stream(path, compression=None) as stream:  # by default `.gz` in a name has pyarrow compress
        stream.write(content)


def upload(fs: pafs.FileSystem, path: str, content: pa.Buffer) -> None:
    """Write a file of an object store by one upload.

    Raises:
        OSError: the store refuses or does not answer.
    """
    store = getattr(fs, "handler", None)
    store.upload(path, content) if isinstance(store, PatientStore) else _upload(fs, path, content)


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
        raise FileNotFoundError(f"{_shown(url)}: there is no such bucket; create it, or correct the URL")


def _shown(url: str) -> str:
    return re.sub(r"//[^/@]*@", "//…@", url)
