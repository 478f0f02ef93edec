"""JSON files of any common form → their records, one by one, in bounded memory.

One object a line, one array, arrays in lines or in an array, or pretty objects one below the other (`jq .`); gzip,
Zstandard, bzip2, xz or none; with a byte order mark or not (UTF-8, and UTF-16 as PowerShell writes it); any amount of
white space in front. The content decides, not the file's name. Damage costs the records that it hits.
"""

from __future__ import annotations

import bz2
import codecs
import gzip
import io
import json
import lzma
import re
import zlib
from collections.abc import Generator, Iterator
from typing import Any, NamedTuple

import pyarrow as pa

MAX_RECORD_BYTES = 8_000_000
"""A longer record is counted and never held whole."""
CHUNK_BYTES = 1 << 18

CORRUPT_RECORD, CORRUPT_FILE, TOO_LARGE = "corrupt row", "corrupt file", "row too large"


class DamagedPackingError(Exception):
    """The bytes arrived, and cannot be unpacked."""


STREAM_ERRORS = (OSError, DamagedPackingError)
"""What a stream raises that fails or whose packing is damaged."""

PACKINGS = ("", ".gz", ".zst", ".bz2", ".xz")
"""Suffixes of what is read; the content decides which it is."""

_GZIP, _BZIP2, _ZSTANDARD, _XZ = b"\x1f\x8b", b"BZh", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\x00"
_PRETTY = re.compile(rb"\{\s*\n\s*(?:[\"}]|\Z)")
_scan = json.JSONDecoder().raw_decode
_white = json.decoder.WHITESPACE.match  # type: ignore[attr-defined]  # a compiled pattern


class Record(NamedTuple):
    """One JSON object of a file, or the reason why there is none."""

    value: dict[str, Any] | str
    """The object, or one of `CORRUPT_RECORD`, `CORRUPT_FILE` (nothing can be read behind it) and `TOO_LARGE`."""
    number: int
    """Number of the line or of the array's entry, from 1."""
    in_array: bool

    @property
    def place(self) -> str:
        """Where it is, for a message."""
        return f"{'entry' if self.in_array else 'line'} {self.number}"


def json_records(stream: Any) -> Iterator[Record]:
    """The records of a seekable stream of bytes.

    Raises:
        STREAM_ERRORS: the stream fails, or its packing is damaged; what came before is good.
    """
    text = _Text(unpacked(stream))
    if text.skip_white() == b"[":
        text.read(1)
        # One array a line is read too: what follows the first is lines.
        text.buffer = yield from _entries(text)
    elif text.is_pretty():
        text.buffer = yield from _entries(text, pretty=True)
    yield from _lines(text)


def unpacked(stream: Any) -> Any:
    """The bytes of a seekable stream in one of `PACKINGS`; reading raises one of `STREAM_ERRORS`."""
    magic = stream.read(6)
    stream.seek(0)
    watched = _Watched(stream)
    plain = _plain(watched, magic)
    return stream if plain is watched else io.BufferedReader(_Unpacked(plain, watched), CHUNK_BYTES)


def _plain(stream: Any, magic: bytes) -> Any:
    if magic.startswith(_GZIP):
        return gzip.GzipFile(fileobj=stream)
    if magic.startswith(_BZIP2):
        return bz2.BZ2File(stream)
    if magic == _XZ:
        return lzma.LZMAFile(stream)
    zstandard = magic.startswith(_ZSTANDARD)
    return pa.CompressedInputStream(pa.PythonFile(stream, mode="r"), "zstd") if zstandard else stream


class _Watched(io.RawIOBase):
    """A stream that remembers how it failed: bzip2's and Zstandard's own errors are OSErrors too."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.failure: OSError | None = None

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return int(self._stream.tell())

    def seek(self, offset: int, whence: int = 0) -> int:
        self._stream.seek(offset, whence)
        return self.tell()

    def read(self, size: int = -1) -> bytes:
        try:
            return bytes(self._stream.read(size))
        except OSError as error:
            self.failure = error
            raise


class _Unpacked(io.RawIOBase):
    """What a decompressor makes of a stream, with the stream's own failure told from damage."""

    def __init__(self, plain: Any, packed: _Watched) -> None:
        self._plain, self._packed = plain, packed

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            found = self._plain.read(len(buffer))
        except (OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            if self._packed.failure:
                raise self._packed.failure from None
            raise DamagedPackingError(f"{type(error).__name__}: {error}") from error
        buffer[: len(found)] = found
        return len(found)


class _Text:
    """A stream as UTF-8 behind its byte order mark."""

    def __init__(self, stream: Any) -> None:
        head = stream.read(3)
        while len(head) < 3 and (more := stream.read(3 - len(head))):
            head += more
        self._stream, self._utf16 = stream, head[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
        # Half a pair of surrogates becomes a mark.
        self._decoder = codecs.getincrementaldecoder("utf-16")("replace")
        self.buffer = self._as_utf8(head).removeprefix(codecs.BOM_UTF8)

    def _as_utf8(self, raw: bytes) -> bytes:
        return self._decoder.decode(raw, not raw).encode() if self._utf16 else raw

    def _fill(self) -> bool:
        raw = self._stream.read(CHUNK_BYTES)
        self.buffer += self._as_utf8(raw)
        return bool(raw)

    def close(self) -> None:
        """Read no more."""
        self._stream, self._utf16 = io.BytesIO(), False

    def read(self, size: int) -> bytes:
        """Bytes; none at the end alone."""
        while not self.buffer and self._fill():
            pass
        found, self.buffer = self.buffer[:size], self.buffer[size:]
        return found

    def skip_white(self) -> bytes:
        """The first byte that is no white space, which stays."""
        self.buffer = self.buffer.lstrip()
        while not self.buffer and self._fill():
            self.buffer = self.buffer.lstrip()
        return self.buffer[:1]

    def is_pretty(self) -> bool:
        """Whether the first object goes on below its brace."""
        while len(self.buffer) < MAX_RECORD_BYTES and b"\n" not in self.buffer.strip() and self._fill():
            pass
        return _PRETTY.match(self.buffer) is not None

    def lines(self) -> Iterator[bytes]:
        """Lines of the rest; of one that is too long some of it, longer than `MAX_RECORD_BYTES`."""
        while True:
            *lines, self.buffer = self.buffer.split(b"\n")
            yield from lines
            goes_on = self._fill()
            while goes_on and len(self.buffer) > MAX_RECORD_BYTES and b"\n" not in self.buffer:
                self.buffer = self.buffer[: MAX_RECORD_BYTES + 1]
                goes_on = self._fill()
            if not goes_on:
                yield from self.buffer.split(b"\n")
                return


def _lines(text: _Text) -> Iterator[Record]:
    for number, line in enumerate(text.lines(), 1):
        if len(line) > MAX_RECORD_BYTES:
            yield Record(TOO_LARGE, number, in_array=False)
        elif line.strip():
            yield from (Record(value, number, in_array=False) for value in _objects(_parsed(line)))


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line.rstrip().removesuffix(b","))
    except (ValueError, RecursionError):
        return CORRUPT_RECORD


def _objects(value: Any) -> list[dict[str, Any] | str]:
    """An object, or those of an array, as some write batches; a reason in place of what is none."""
    values = value if isinstance(value, list) and value else [value]
    return [each if isinstance(each, dict) else CORRUPT_RECORD for each in values]


def _entries(text: _Text, *, pretty: bool = False) -> Generator[Record, None, bytes]:
    """The entries of an array whose `[` was read, or pretty objects; returns what was read behind the `]`."""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    buffer, at, number = "", 0, 0
    while True:
        chunk = text.read(CHUNK_BYTES)
        buffer += decoder.decode(chunk, not chunk) + ("]" if pretty and not chunk else "")
        while (at := _white(buffer, at).end()) < len(buffer):
            start = _white(buffer, at + 1).end() if buffer[at] == "," and number else at
            if buffer[start : start + 1] == "]":
                return buffer[start + 1 :].encode("utf-8", "surrogateescape") + decoder.getstate()[0]
            found = _entry(buffer, start, ",]{" if pretty else ",]")
            if found is None:
                break
            value, at = found
            number += 1
            if value == CORRUPT_FILE:
                yield Record(CORRUPT_FILE, number, in_array=True)
                return _nothing_more(text)
            yield from (Record(each, number, in_array=True) for each in _objects(value))
        buffer, at = buffer[at:], 0
        if not chunk or len(buffer) > MAX_RECORD_BYTES:
            if chunk:
                number += 1
                yield Record(TOO_LARGE, number, in_array=True)
            yield Record(CORRUPT_FILE, number + 1, in_array=True)
            return _nothing_more(text)


def _entry(buffer: str, start: int, follows: str) -> tuple[Any, int] | None:
    """An entry and where it ends; None where more must be read to tell. `follows` are signs that may stand behind."""
    try:
        value, end = _scan(buffer, start)
    except json.JSONDecodeError as error:
        cut_off = error.pos > len(buffer) - 16 or error.msg.startswith("Unterminated string")
        return None if cut_off else (CORRUPT_FILE, start)
    except (ValueError, RecursionError):
        return CORRUPT_FILE, start
    behind = _white(buffer, end).end()
    if behind == len(buffer):
        return None  # a number may go on in the next chunk
    if buffer[behind] not in follows:
        return CORRUPT_FILE, start
    return CORRUPT_RECORD if value == CORRUPT_FILE else value, end


def _nothing_more(text: _Text) -> bytes:
    """What follows damage is not looked at."""
    text.close()
    return b""
