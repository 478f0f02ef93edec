"""Questions to an endpoint's Batch API (OpenAI's form): half the price, an answer within a day.

Questions that come without a pause between them become one file, the file one batch. A batch is known by its id in the
stage's folder: a job that was cut off finds it again, and its questions wait for it instead of being asked twice. A
question is known by the digest of its request.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import posixpath
from collections.abc import Mapping
from typing import Any, cast

import aiohttp
from pyarrow import fs as pafs

from core.chat import ChatAnswer, ChatRequest
from core.storage import write_bytes
from serve.client.bodies import unpacked
from serve.client.chat import MOST_LEARNT, ChatClient
from serve.client.completions import failed, read_completion
from serve.client.errors import Blame, EndpointError, blame, read_error
from serve.client.rules import chat_body
from serve.client.settings import EndpointConfig

QUIET_S = 2.0
"""So long without a new question, and those that wait become a batch."""

MOST_QUESTIONS, MOST_BYTES = 50_000, 100_000_000
"""Of a batch: OpenAI's limits, the second with room to spare."""

FIRST_POLL_S, LONGEST_POLL_S = 5.0, 60.0

ENDED = {"completed", "expired", "cancelled", "failed"}

Row = dict[str, Any]


class BatchChat:
    """A chat like `ChatClient`. One event loop's; between runs, its state is in the folder."""

    in_batches = True
    """Whoever asks should ask all that can be asked at once."""

    def __init__(
        self,
        config: EndpointConfig,
        fs: pafs.FileSystem,
        folder: str,
        *,
        poll_s: float = FIRST_POLL_S,
        quiet_s: float = QUIET_S,
    ) -> None:
        """A chat that has sent nothing yet.

        Args:
            config: the endpoint.
            fs: filesystem of the run directory.
            folder: where batches are noted.
            poll_s: first pause between looks at a batch.
            quiet_s: so long without a new question, and those that wait become a batch.
        """
        self._quiet_s = quiet_s
        self._client, self._config = ChatClient(config), config
        self._fs, self._folder, self._poll_s = fs, folder, poll_s
        self._waiting: dict[str, tuple[Row, asyncio.Future[Row]]] = {}
        """Digest of a request → the request that goes into the next batch, and who waits for it."""
        self._batches: dict[str, asyncio.Task[dict[str, Row]]] = {}
        """Name of a batch → its answers, by digest."""
        self._batch_of: dict[str, str] | None = None
        self._sender: asyncio.Task[None] | None = None
        self._sending: set[asyncio.Task[None]] = set()

    @property
    def learnt(self) -> dict[str, list[str]]:
        """As `ChatClient.learnt`."""
        return self._client.learnt

    async def __call__(self, request: ChatRequest) -> ChatAnswer:
        """As `ChatClient` answers; `seconds` is 0, as nobody's time was taken.

        Raises:
            ConnectionError, PermissionError, ValueError: as `ChatClient`.
        """
        error = EndpointError(0)
        for _ in range(MOST_LEARNT):
            rules = self._client.rules_of(request.model)
            if rules.api != "chat":
                raise ValueError(f"{self._config.url}: batches are asked in OpenAI's form alone; leave batch out")
            body = chat_body(rules, request)
            # Where no seed is sent, samples of one question have the same body, and each wants an answer of its own.
            sample = None if rules.seed else request.seed
            line = await self._line(body, sample)
            found = _read(line)
            if isinstance(found, dict):
                return cast("ChatAnswer", found | {"seconds": 0.0})
            error = found
            if blame(error) is not Blame.QUESTION or not self._client.learn_from(request.model, rules, error, body):
                break
        if blame(error) in {Blame.KEY, Blame.ACCOUNT}:
            raise PermissionError(f"{self._config.url} says {error.status} in a batch: {error.words}; every answer is "
                                  "kept: mend that, and run the same command again")  # fmt: skip
        kind = "question" if blame(error) is Blame.QUESTION else "endpoint"
        reason = f"the endpoint says {error.status}: {error.words}" if error.status else error.words
        return cast("ChatAnswer", failed(reason, kind) | {"seconds": 0.0})

    async def _line(self, body: Row, sample: int | None) -> Row:
        """The answer's line in the file of its batch, empty where the batch ended without.

        Args:
            body: of the request.
            sample: tells apart requests that are alike.
        """
        if self._batch_of is None:
            self._batch_of = self._noted()
        told = json.dumps(body, sort_keys=True) + ("" if sample is None else f"#{sample}")
        key = hashlib.sha256(told.encode()).hexdigest()[:32]
        if key in self._batch_of:
            lines = await asyncio.shield(self._ended(self._batch_of[key]))
            if isinstance(_read(lines.get(key, {})), dict):
                return lines[key]
            del self._batch_of[key]  # it failed there, in an earlier run: it is asked again
        if key not in self._waiting:
            self._waiting[key] = body, asyncio.get_running_loop().create_future()
            if self._sender is not None:
                self._sender.cancel()
            self._sender = asyncio.create_task(self._send_when_quiet())
        return await self._waiting[key][1]

    async def _send_when_quiet(self) -> None:
        full = len(self._waiting) >= MOST_QUESTIONS
        await asyncio.sleep(0 if full else self._quiet_s)
        waiting, self._waiting, self._sender = self._waiting, {}, None
        for part in _parts(waiting):
            task = asyncio.create_task(self._send(part))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)

    async def _send(self, part: Mapping[str, tuple[Row, asyncio.Future[Row]]]) -> None:
        """Make a batch of questions and hand their answers out."""
        try:
            name = hashlib.sha256("".join(sorted(part)).encode()).hexdigest()[:16]
            note = {"name": name, "keys": sorted(part), "id": ""}
            self._note(note)  # before it is made: if it is made and this process dies, it is found by its name
            lines = [json.dumps({"custom_id": key, "method": "POST", "url": "/v1/chat/completions", "body": body})
                     for key, (body, _) in part.items()]  # fmt: skip
            file = await self._call("POST", "/files", *_upload(name, "\n".join(lines) + "\n"))
            order = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions", "completion_window": "24h",
                     "metadata": {"wavecoder": name}}  # fmt: skip
            made = await self._call("POST", "/batches", json.dumps(order).encode())
            self._note(note | {"id": made["id"]})
            found = await self._ended(name, made["id"])
        except Exception as error:  # noqa: BLE001 - whoever waits for an answer gets the failure
            for _, future in part.values():
                if not future.done():
                    future.set_exception(error)
            return
        for key, (_, future) in part.items():
            if not future.done():
                future.set_result(found.get(key, {}))

    def _ended(self, name: str, batch: str = "") -> asyncio.Task[dict[str, Row]]:
        """The lines of a batch when it has ended; looked at by one task for all who wait."""
        if name not in self._batches:
            self._batches[name] = asyncio.create_task(self._lines(name, batch))
        return self._batches[name]

    async def _lines(self, name: str, batch: str) -> dict[str, Row]:
        batch = batch or self._read_note(f"{name}.json")["id"] or await self._find(name)
        if not batch:  # it was noted and never made
            return {}
        pause = self._poll_s
        while (found := await self._call("GET", f"/batches/{batch}"))["status"] not in ENDED:
            await asyncio.sleep(pause)
            pause = min(LONGEST_POLL_S, pause * 1.5)
        if found["status"] == "failed":
            said = (found.get("errors") or {}).get("data") or [{}]
            self._fs.delete_file(self._path(f"{name}.json"))  # so that a later run makes it anew
            raise ValueError(
                f"{self._config.url} refused the batch {batch}: {said[0].get('message', 'no reason given')}"
            )
        lines: dict[str, Row] = {}
        for file in ("error_file_id", "output_file_id"):
            if found.get(file):
                text = await self._text("GET", f"/files/{found[file]}/content")
                lines |= {line["custom_id"]: line for line in map(json.loads, filter(str.strip, text.split("\n")))}
        return lines

    async def _find(self, name: str) -> str:
        """The id of a batch that was made before its id could be noted."""
        listed = await self._call("GET", "/batches?limit=100")
        return next((one["id"] for one in listed["data"] if (one.get("metadata") or {}).get("wavecoder") == name), "")

    async def _call(self, method: str, path: str, data: bytes | None = None, kind: str = "application/json") -> Row:
        value: Row = json.loads(await self._text(method, path, data, kind))
        return value

    async def _text(self, method: str, path: str, data: bytes | None = None, kind: str = "application/json") -> str:
        """The body of a 200; failures that pass are tried again, others raise."""
        session, error = self._client.session(), EndpointError(0)
        for tries in range(self._config.max_retries + 1):
            try:
                async with session.request(
                    method, self._client.address(path), data=data, headers={"Content-Type": kind}
                ) as answer:
                    packing = answer.headers.get("Content-Encoding", "")
                    content = unpacked(await answer.read(), packing, 1 << 31)
                    if answer.status == 200:
                        return content.decode()
                    error = read_error(answer.status, content)
            except (aiohttp.ClientError, OSError, TimeoutError) as problem:
                error = EndpointError(0, str(problem))
            if blame(error) not in {Blame.BUSY, Blame.BROKEN}:
                break
            await asyncio.sleep(min(LONGEST_POLL_S, self._poll_s * 2**tries))
        what = PermissionError if blame(error) in {Blame.KEY, Blame.ACCOUNT, Blame.FORBIDDEN} else ConnectionError
        raise what(f"{self._config.url}{path} says {error.status}: {error.words}; run the same command again to go on")

    def _path(self, name: str) -> str:
        return posixpath.join(self._folder, name)

    def _note(self, note: Row) -> None:
        write_bytes(self._fs, self._path(f"{note['name']}.json"), json.dumps(note).encode())

    def _read_note(self, name: str) -> Row:
        with self._fs.open_input_stream(self._path(name)) as stream:
            note: Row = json.loads(stream.read())
        return note

    def _noted(self) -> dict[str, str]:
        """Digest of a request → name of the batch that it is in, from earlier runs."""
        infos = self._fs.get_file_info(pafs.FileSelector(self._folder, allow_not_found=True))
        notes = [self._read_note(info.base_name) for info in infos if info.base_name.endswith(".json")]
        return {key: note["name"] for note in notes for key in note["keys"]}


def _upload(name: str, text: str) -> tuple[bytes, str]:
    """A file as a form's body, and the body's type."""
    boundary = hashlib.sha256(text.encode()).hexdigest()
    head = "Content-Disposition: form-data; name="
    file = f'{head}"file"; filename="{name}.jsonl"\r\nContent-Type: application/jsonl\r\n\r\n{text}'
    parts = [f'{head}"purpose"\r\n\r\nbatch', file]
    body = "".join(f"--{boundary}\r\n{part}\r\n" for part in parts) + f"--{boundary}--\r\n"
    return body.encode(), f"multipart/form-data; boundary={boundary}"


def _read(line: Row) -> Row | EndpointError:
    """The answer of a line of an output or error file."""
    response = line.get("response") or {}
    if not line or line.get("error"):
        words = (line.get("error") or {}).get("message", "the batch ended without this answer")
        return EndpointError(0, words)
    content = json.dumps(response.get("body")).encode()
    if response.get("status_code") == 200:
        return read_completion(content)
    return read_error(int(response.get("status_code") or 0), content)


def _parts(waiting: Mapping[str, tuple[Row, asyncio.Future[Row]]]) -> list[dict[str, tuple[Row, asyncio.Future[Row]]]]:
    """Cut where a file would be too large."""
    parts: list[dict[str, tuple[Row, asyncio.Future[Row]]]] = [{}]
    size = 0
    for key, entry in waiting.items():
        size += len(json.dumps(entry[0])) + 200
        if size > MOST_BYTES or len(parts[-1]) >= MOST_QUESTIONS:
            parts.append({})
            size = 0
        parts[-1][key] = entry
    return parts
