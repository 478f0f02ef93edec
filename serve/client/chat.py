"""A chat with any OpenAI-compatible endpoint, or Anthropic's: one row's question → one row's answer, failures as data.

Nothing that an endpoint sends is trusted: answers are read up to a limit, and whatever is not an answer is a short
reason, counted by whoever asked. Only failures of all questions end a job: a refused key, an account with nothing left
to spend, an unknown model, and an endpoint that answers nobody.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp

from core.chat import ChatAnswer, ChatRequest
from serve.client.bodies import unpacked
from serve.client.completions import MALFORMED, failed, read_completion, written_in_spite
from serve.client.concurrency import Pace
from serve.client.errors import Blame, EndpointError, blame, read_error
from serve.client.refused_fields import learn
from serve.client.retry_after import seconds_to_wait
from serve.client.rules import EndpointRules, chat_body, messages_body, rules_changed, rules_for
from serve.client.settings import EndpointConfig
from serve.client.token_count import counted
from serve.client.upstream import OneServer, Upstream

log = logging.getLogger("wavecoder.serve")

MAX_ANSWER_BYTES = 1 << 20
"""Most of an answer that is read; far more than any `max_tokens` that is sensible here."""

MAX_STREAM_BYTES = 1 << 24
"""The same of a stream, which takes some 300 bytes for a token."""

GIVEN_UP_IN_A_ROW = 8
"""So many questions given up, with no answer to any other in between, and the endpoint counts as gone."""

FORBIDDEN_IN_A_ROW = 8
"""So many 403s with no answer in between, and a harmless question tells again whether the key is still let in."""

MOST_HEADER_BYTES = 1 << 16
"""Of one header: some gateways' are longer than aiohttp's 8 KiB."""

CONNECT_S = 15.0
"""Longest wait for a connection: a machine that is gone refuses none."""

FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 8.0

MOST_LEARNT = 12
"""Times that one question is asked again without something that was refused."""

MakeBody = Callable[[EndpointRules], tuple[str, dict[str, Any]]]
"""Rules → path and body of what is posted."""


@dataclass(frozen=True)
class _Reply:
    """What came of one request."""

    answer: dict[str, Any] | None = None
    error: EndpointError = field(default_factory=lambda: EndpointError(0))
    unreachable: bool = False
    retry_after_s: float = 0.0

    @property
    def reason(self) -> str:
        if self.error.status == 0:
            return self.error.words
        return f"the endpoint says {self.error.status}: {self.error.words}"


class ChatClient:
    """Asks an endpoint. Picklable: it opens its connections where it is first used."""

    def __init__(self, config: EndpointConfig, upstream: Upstream | None = None) -> None:
        """A client with no connections yet.

        Args:
            config: where the endpoint is, what it takes and how patient to be.
            upstream: who knows a shorter way to its replicas.
        """
        self._config = config
        self._general = rules_for(config.url, "", config.preset, config.rules)
        """Rules of the endpoint; each model's own are made when it is first asked."""
        self._given_upstream = upstream
        self._upstream = upstream or OneServer(_with_query(config.url, self._general.query), redirects=True)
        self._session: aiohttp.ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._answered_at, self._given_up = float("-inf"), 0
        self._answered: set[str] = set()
        """Models that gave an answer."""
        self._forbidden = FORBIDDEN_IN_A_ROW
        """403s since the last answer; before the first answer nothing is known of the key."""
        self._fatal: Exception | None = None
        self._probe: asyncio.Future[_Reply] | None = None
        self._rules: dict[str, EndpointRules] = {}
        self._tried: dict[str, list[EndpointRules]] = {}
        self.learnt: dict[str, list[str]] = {}
        """Model → what the endpoint refused by name and is sent no more, in words."""

    @property
    def is_portable(self) -> bool:
        """Whether a copy in another process asks as well: no list of replicas is kept for it in this one."""
        return self._given_upstream is None

    def __getstate__(self) -> dict[str, Any]:
        return {"config": self._config, "upstream": self._given_upstream}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    def __del__(self) -> None:
        self._disconnect()

    async def __call__(self, request: ChatRequest) -> ChatAnswer:
        """One answer: `text, reasoning, finish_reason`, the tokens of `read_usage`, `seconds, error, blame`.

        `error` is "" when it is one, otherwise a short reason, then perhaps a colon and details. `blame` is then
        "model" where the model did not answer, "question" where the endpoint refused this question, and "endpoint"
        where it failed. Busy and failing endpoints are asked again; `seconds` is of the last try.

        Raises:
            ConnectionError: the endpoint answers nobody, after retries.
            PermissionError: it refuses the key, or the account has nothing left to spend.
            ValueError: it has no such model or address.
        """

        def make_body(rules: EndpointRules) -> tuple[str, dict[str, Any]]:
            if rules.api == "messages":
                return "/messages", messages_body(rules, request)
            return "/chat/completions", chat_body(rules, request)

        return cast("ChatAnswer", await self._ask(request.model, make_body))

    async def complete(self, request: ChatRequest) -> ChatAnswer:
        """What continues the one message (/v1/completions, no chat template): the same answer, the same errors."""

        def make_body(rules: EndpointRules) -> tuple[str, dict[str, Any]]:
            body = chat_body(rules.model_copy(update={"token_limit": "max_tokens"}), request)
            (message,) = body.pop("messages")
            return "/completions", body | {"prompt": message["content"]}

        return cast("ChatAnswer", await self._ask(request.model, make_body))

    async def _ask(self, model: str, make_body: MakeBody) -> dict[str, Any]:
        """Ask until there is an answer, a refusal, or patience ends."""
        session, asked, tries, learnt = self._connected(), time.monotonic(), 0, 0
        while True:
            rules = self.rules_of(model)
            route, body = make_body(rules)
            async with self._pace.turn() as began:
                if self._fatal is not None:  # others found out meanwhile that nobody is answered
                    raise type(self._fatal)(*self._fatal.args)
                reply = await self._post(session, route, model, body)
                seconds = round(time.monotonic() - began, 3)
                self._tell_pace(reply, began, seconds)
            if reply.answer is not None:
                self._answered_at, self._given_up, self._forbidden = time.monotonic(), 0, 0
                self._answered.add(model)
                told = reply.answer["prompt_tokens"] or reply.answer["completion_tokens"] or reply.answer["error"]
                counts = {} if told else counted(rules.tokenizer, body, reply.answer)
                return reply.answer | counts | {"seconds": seconds}
            whose = blame(reply.error)
            may_learn = whose in {Blame.QUESTION, Blame.BROKEN} and learnt < MOST_LEARNT
            if may_learn and self.learn_from(model, rules, reply.error, body):
                learnt += 1
                continue
            if whose is Blame.FORBIDDEN:
                whose = Blame.QUESTION if await self._is_let_in(session, model, route) else Blame.KEY
            self._end_if_all_would_fail(whose, reply, model)
            if whose in {Blame.QUESTION, Blame.MODEL}:
                return failed(reply.reason, "question") | {"seconds": seconds}
            tries += whose is Blame.BROKEN
            waited = time.monotonic() - max(asked, self._answered_at)
            if tries > self._config.max_retries or (whose is Blame.BUSY and waited > self._config.timeout_s):
                return self._give_up(reply, model, asked) | {"seconds": seconds}
            if whose is Blame.BROKEN:  # a busy endpoint's pauses are for all questions: the pace keeps them
                pause = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2 ** (tries - 1)) * random.uniform(0.75, 1.0)
                await asyncio.sleep(max(pause, reply.retry_after_s))

    async def _post(self, session: aiohttp.ClientSession, route: str, model: str, body: dict[str, Any]) -> _Reply:
        try:
            async with self._upstream.post(session, route, model, json.dumps(body).encode(), {}) as response:
                read, most = bytearray(), MAX_STREAM_BYTES if body.get("stream") else MAX_ANSWER_BYTES
                async for chunk in response.content.iter_any():
                    read += chunk
                    if len(read) > most:
                        break
                plain = unpacked(bytes(read), response.headers.get("Content-Encoding", ""), most + 1)
                if len(plain) > most:
                    return _Reply(failed(f"answer larger than {most >> 20} MiB", "endpoint"))
                return self._reply(response.status, response.headers, plain)
        except (aiohttp.InvalidURL, aiohttp.NonHttpUrlClientError):
            raise ValueError(f"{self._config.url!r} is no URL of an endpoint") from None
        except aiohttp.ClientConnectorError as error:
            return _Reply(error=EndpointError(0, f"cannot connect: {error}"), unreachable=True)
        except TimeoutError:
            return _Reply(error=EndpointError(0, "no answer in time"))
        except (aiohttp.ClientError, OSError, ValueError) as error:  # half an answer, or what is no HTTP
            return _Reply(error=EndpointError(0, f"broken off: {type(error).__name__} {error}"[:300]))

    def _reply(self, status: int, headers: Any, body: bytes) -> _Reply:
        found = read_completion(body) if 200 <= status < 300 else read_error(status, body)
        if isinstance(found, EndpointError):
            found = written_in_spite(found) or found
        if 300 <= status < 400:
            place = urlsplit(headers.get("Location", ""))._replace(query="", fragment="").geturl()[:200]
            found = EndpointError(status, f"it redirects to {place or 'nowhere'}; name the address that answers")
        is_whole = status == 200 and body.rstrip()[-1:] in {b"}", b"]"}
        if isinstance(found, dict) and (found["error"] != MALFORMED or is_whole):
            return _Reply(found)
        if isinstance(found, dict):  # half an answer, or a page of whatever is in between: asked again
            page = read_error(0, body).words if body.lstrip()[:1] == b"<" else ""
            found = EndpointError(0, f"{MALFORMED}: {page}".rstrip(": "))
        if blame(found) is Blame.BUSY:
            pause = seconds_to_wait(headers, body[:65536].decode("utf-8", "replace"))
        else:  # other refusals tell the state of rate limits that nobody has run into
            pause = seconds_to_wait({name: value for name, value in headers.items() if "retry-after" in name.lower()})
        return _Reply(error=self._without_key(found), retry_after_s=pause)

    def _tell_pace(self, reply: _Reply, began: float, seconds: float) -> None:
        whose = None if reply.answer is not None else blame(reply.error)
        if whose in {Blame.BUSY, Blame.BROKEN} and reply.retry_after_s > self._config.timeout_s:
            self._end(ConnectionError(f"{self._config.url} asks to be left alone for {reply.retry_after_s:.0f} s; "
                                      "run the same command again after that"))  # fmt: skip
        if whose is Blame.BUSY or (whose is Blame.BROKEN and reply.error.status == 503):
            self._pace.refused(began, reply.retry_after_s)
        elif seconds > self._config.timeout_s / 2:
            self._pace.overloaded(began)
        elif whose is None:
            self._pace.went_well(began)

    def rules_of(self, model: str) -> EndpointRules:
        """What the endpoint takes for a model, by all that is known so far."""
        if model not in self._rules:
            config = self._config
            self._rules[model] = rules_for(config.url, model, config.preset, config.rules, thinking=config.thinking)
        return self._rules[model]

    def learn_from(self, model: str, rules: EndpointRules, error: EndpointError, body: dict[str, Any]) -> bool:
        """Whether the question can be asked again without what was refused; told once, however many are in flight."""
        found = learn(rules, error, body)
        tried = self._tried.setdefault(model, [])
        if found is None:
            return False
        if self._rules[model] == rules:
            if found[0] in tried:  # both names of a field are refused
                return False
            tried.append(rules)
            self._rules[model], words = found
            self.learnt.setdefault(model, []).append(words)
            changed = ", ".join(
                f"{name}: {json.dumps(value)}" for name, value in rules_changed(rules, found[0]).items()
            )
            log.warning("%s takes no %s for %s (it says: %s); asked without from now on, as with rules: {%s}",
                        self._config.url, words, model, error.words[:200], changed)  # fmt: skip
        return True

    async def _is_let_in(self, session: aiohttp.ClientSession, model: str, route: str) -> bool:
        """Whether a 403 is about what stands in one prompt: others are answered, or a harmless question would be."""
        if self._forbidden < FORBIDDEN_IN_A_ROW:
            self._forbidden += 1
            return True
        if self._probe is None:
            self._probe = asyncio.ensure_future(self._post_probe(session, model, route))
        reply = await asyncio.shield(self._probe)
        if reply.answer is None and blame(reply.error) in {Blame.KEY, Blame.FORBIDDEN, Blame.ACCOUNT}:
            return False
        self._forbidden, self._probe = 0, None
        return True

    async def _post_probe(self, session: aiohttp.ClientSession, model: str, route: str) -> _Reply:
        rules, hello = self.rules_of(model), ChatRequest(model, [{"role": "user", "content": "Say yes."}], 16)
        if route == "/messages":
            return await self._post(session, route, model, messages_body(rules, hello))
        body = (
            chat_body(rules, hello)
            if route == "/chat/completions"
            else {"model": model, "prompt": "yes", "max_tokens": 1}
        )
        return await self._post(session, route, model, body)

    def _end_if_all_would_fail(self, whose: Blame, reply: _Reply, model: str) -> None:
        """Raise where no other question would be answered either."""
        url, said = self._config.url, f"{reply.error.status}: {reply.error.words}"
        if whose is Blame.KEY:
            name = f"${self._config.api_key_env}" if self._config.api_key_env else "that it was asked without"
            self._end(PermissionError(f"{url} refuses the key {name} ({said})"))
        if whose is Blame.ACCOUNT:
            self._end(PermissionError(f"{url} says that the account's quota is used up or unpaid ({said}); every "
                                      "answer is kept: pay, and run the same command again"))  # fmt: skip
        if whose is Blame.MODEL and model not in self._answered:
            self._end(ValueError(f"{url} knows no model {model!r}, or no chats at all ({said})"))

    def _give_up(self, reply: _Reply, model: str, asked: float) -> dict[str, Any]:
        """After the last try: this question failed, unless nobody else was answered meanwhile either."""
        if self._answered_at < asked:
            self._given_up += 1
            if reply.unreachable or self._given_up >= GIVEN_UP_IN_A_ROW:
                self._end(ConnectionError(f"no answer from {self._config.url} for model {model}: {reply.reason}; every "
                                          "answer so far is kept: run the same command again"))  # fmt: skip
        return failed(reply.reason, "endpoint")

    def _end(self, error: Exception) -> None:
        """Raise, here and for whoever else would ask."""
        self._fatal = error
        raise error

    def _without_key(self, error: EndpointError) -> EndpointError:
        key = os.environ.get(self._config.api_key_env or "", "").strip()
        return EndpointError(error.status, error.words.replace(key, "…"), error.code, error.param, error.html,
                             error.details) if key else error  # fmt: skip

    def _key(self) -> str:
        """The key, without the blanks and newlines around it that files bring.

        Raises:
            PermissionError: there is none, or it holds what no header can.
        """
        name = self._config.api_key_env
        key = os.environ.get(name, "").strip() if name else "none"
        if not key:
            raise PermissionError(f"the key of {self._config.url} is to come from ${name}, which is not set")
        if not re.fullmatch(r"[!-~]+", key):
            raise PermissionError(f"${name} holds blanks, line ends or letters beyond ASCII inside, as no key of "
                                  f"{self._config.url} does; set it to the key alone")  # fmt: skip
        return key

    def session(self) -> aiohttp.ClientSession:
        """The connections of the running event loop, which carry the key."""
        return self._connected()

    def address(self, path: str) -> str:
        """The URL of a path behind the endpoint's own."""
        return OneServer(_with_query(self._config.url, self._general.query)).address(path)

    def headers(self) -> dict[str, str]:
        """What every request carries; raises as `_key` does."""
        key, header = self._key(), self._general.key_header
        return {header: f"Bearer {key}" if header.lower() == "authorization" else key} | self._general.headers

    def _connected(self) -> aiohttp.ClientSession:
        """The session of the running event loop."""
        loop = asyncio.get_running_loop()
        if self._session is None or self._loop is not loop:
            headers = self.headers()
            self._disconnect()
            self._loop, self._pace = loop, Pace(self._config.concurrency)
            self._fatal, self._probe = None, None
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0),  # the pace is the limit
                headers=headers | {"Content-Type": "application/json", "Accept-Encoding": "gzip, deflate"},
                auto_decompress=False,  # some pack otherwise than they were asked to, or say so of what is plain
                timeout=aiohttp.ClientTimeout(total=self._config.timeout_s, sock_connect=CONNECT_S),
                proxy=_proxy(self._config.url),
                max_field_size=MOST_HEADER_BYTES,
            )  # fmt: skip
        return self._session

    def _disconnect(self) -> None:
        """Close the connections of an event loop that is closed: there is nothing left to wait for then."""
        session = getattr(self, "_session", None)
        if session is not None and session.connector is not None and self._loop is not None and self._loop.is_closed():
            with contextlib.suppress(StopIteration):
                session.connector.close().send(None)


def _with_query(url: str, query: dict[str, str]) -> str:
    """A URL with more in its query; what it has already stays."""
    split = urlsplit(url)
    missing = {name: value for name, value in query.items() if name not in dict(parse_qsl(split.query))}
    return split._replace(query="&".join(filter(None, [split.query, urlencode(missing)]))).geturl() if missing else url


def _proxy(url: str) -> str | None:
    """The environment's proxy for an address, found once: aiohttp's own look-up takes a thread for every request."""
    parts = urlsplit(url)
    return None if proxy_bypass(parts.hostname or "") else getproxies().get(parts.scheme)
