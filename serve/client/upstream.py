"""Where requests for models go: to one server, or straight to the replicas of a model, past Ray Serve's proxy.

Through the proxy each token of a stream is a Python object that changes hands twice more, which costs more than the
gateway and vLLM's own server together (docs/benchmarks.md). Ray's remedy is HAProxy before the replicas; here the
gateway and the client take its part. No Ray here: whoever knows the replicas says so to `Replicas.update`.
"""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, Protocol
from urllib.parse import urljoin, urlsplit

import aiohttp

from serve.client.routing import Router
from serve.engines.settings import EngineConfig, is_object_storage, slug_of

SERVE_SETTINGS = {
    "RAY_SERVE_ENABLE_DIRECT_INGRESS": "1",
    # How long a replica that is taken away still takes requests, until all who ask it know.
    "RAY_SERVE_DIRECT_INGRESS_MIN_DRAINING_PERIOD_S": "2",
    # How often the controller looks whether anything is to be done; ten times a second costs 4 % of a core.
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.5",
    # How often each process looks whether it has counted something; Ray takes the counts every ten seconds.
    "RAY_SERVE_METRICS_EXPORT_INTERVAL_MS": "2000",
    # vLLM's server in a thread of its own, with a hop for each message, takes 7 ms more to the first token.
    "RAY_SERVE_RUN_USER_CODE_IN_SEPARATE_THREAD": "0",
}
"""Environment of Ray Serve, in which replicas answer HTTP themselves; else all requests go through Serve's proxy."""

ADAPTER_HEADER = "serve_multiplexed_model_id"
"""By which Ray Serve learns the adapter of a request."""


MOST_REDIRECTS = 5

_ITS_PATH = re.compile(r"(/chat/completions|/completions|/messages|/responses|/embeddings|/models)?/*$")
"""What people copy behind a base URL."""

AT_ROOT = ("/tokenize", "/detokenize")
"""What vLLM's server answers beside /v1."""


class UnknownModelError(Exception):
    """No server here has the model."""


class Upstream(Protocol):
    """Servers of the OpenAI API."""

    api_key: str
    """What a client shows at `base_url`."""

    def base_url(self, model: str) -> str:
        """A URL that ends in /v1 and answers for the model to any client."""

    def post(
        self, session: aiohttp.ClientSession, path: str, model: str, body: bytes, headers: Mapping[str, str]
    ) -> AbstractAsyncContextManager[aiohttp.ClientResponse]:
        """The answer to one request.

        Args:
            session: whose connections are used.
            path: behind /v1, or one of `AT_ROOT`.
            model: as the body names it.
            body: JSON.
            headers: sent with it.

        Raises:
            UnknownModelError: there is no such model.
            aiohttp.ClientError: no answer.
        """

    async def models(self, session: aiohttp.ClientSession) -> list[dict[str, Any]]:
        """The models, as `GET /v1/models` lists them."""

    def described(self) -> dict[str, Any]:
        """What another process needs to ask the same servers (`upstream_from`), as JSON; it holds secrets."""

    def there(self) -> dict[str, Sequence[str]]:
        """What `update` was last told."""

    def update(self, there: Mapping[str, Sequence[str]]) -> None:
        """Tell which replicas there are; from any thread.

        Args: there: model → URLs, which end in /v1; none where requests have to go through the proxy.
        """


class OneServer:
    """One URL for all models."""

    api_key = "none"

    def __init__(self, url: str, *, redirects: bool = False, key: str = "") -> None:
        """Args: url: ends in /v1, perhaps with a query; redirects: follow those on its host; key: what it asks for."""
        self._url, self._redirects, self._key = url.strip().rstrip("/"), redirects, key
        split = urlsplit(url.strip())
        path = _ITS_PATH.sub("", split.path)
        self._base = split._replace(path=path, fragment="")
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def address(self, path: str) -> str:
        """The URL of a path, behind which a query stays."""
        return self._base._replace(path=_address(self._base.path, path)).geturl()

    def base_url(self, model: str) -> str:  # noqa: ARG002 - one for all
        """The server's, whatever the model."""
        return self._url

    @asynccontextmanager
    async def post(
        self,
        session: aiohttp.ClientSession,
        path: str,
        model: str,  # noqa: ARG002 - one server for all
        body: bytes,
        headers: Mapping[str, str],
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """As `Upstream.post`."""
        url, headers = self.address(path), {**headers, **self._headers}
        for _ in range(MOST_REDIRECTS):
            async with session.post(url, data=body, headers=headers, allow_redirects=False) as answer:
                onward = _onward(url, answer) if self._redirects else ""
                if not onward:
                    yield answer
                    return
                url = onward
        raise aiohttp.ClientError(f"{self.address(path)} redirects more than {MOST_REDIRECTS} times")

    async def models(self, session: aiohttp.ClientSession) -> list[dict[str, Any]]:
        """As the server lists them."""
        async with session.get(self.address("/models"), headers=self._headers, allow_redirects=False) as answer:
            answer.raise_for_status()
            listed: list[dict[str, Any]] = (await answer.json())["data"]
            return listed

    def described(self) -> dict[str, Any]:
        """As `Upstream.described`."""
        return {"url": self._url, "redirects": self._redirects, "key": self._key}

    def there(self) -> dict[str, Sequence[str]]:
        """Nothing: it is one server."""
        return {}

    def update(self, there: Mapping[str, Sequence[str]]) -> None:
        """As `Upstream.update`: there is nothing to be told."""


class Replicas:
    """The replicas of some models, and Serve's proxy for what cannot reach one: it waits until one is there."""

    def __init__(self, proxy: str, models: Mapping[str, EngineConfig], secret: str) -> None:
        """Of a running endpoint.

        Args:
            proxy: URL of Ray Serve's proxy, without a path.
            models: name → how its replicas run.
            secret: that replicas ask for (`serve.engines.guard.OnlyWithSecret`).
        """
        self.api_key = secret
        self._proxy, self._begun, self._models = proxy, int(time.time()), dict(models)
        self._routers = {name: Router(prefix=engine.routing == "prefix") for name, engine in models.items()}
        self._there: dict[str, Sequence[str]] = dict.fromkeys(models, ())
        self._adapted = {name for name, engine in models.items() if engine.adapters is not None}
        self._fetching = {name for name, engine in models.items() if is_object_storage(engine.adapters or "")}
        """Models whose adapters a replica fetches when it is told their name."""

    def update(self, there: Mapping[str, Sequence[str]]) -> None:
        """As `Upstream.update`."""
        self._there = {name: tuple(there.get(name, ())) for name in self._routers}

    def there(self) -> dict[str, Sequence[str]]:
        """As `Upstream.there`."""
        return dict(self._there)

    def described(self) -> dict[str, Any]:
        """As `Upstream.described`."""
        models = {name: engine.model_dump(mode="json") for name, engine in self._models.items()}
        return {"proxy": self._proxy, "models": models, "secret": self.api_key}

    @property
    def _admission(self) -> dict[str, str]:
        """For both guards: one lets in who names this machine as its host, which no web page can."""
        return {"authorization": f"Bearer {self.api_key}", "host": "localhost"}

    def base_url(self, model: str) -> str:
        """Behind Serve's proxy, which stays while replicas come and go."""
        return f"{self._proxy}/{slug_of(model)}/v1"

    @asynccontextmanager
    async def post(
        self, session: aiohttp.ClientSession, path: str, model: str, body: bytes, headers: Mapping[str, str]
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        """As `Upstream.post`. A replica that cannot be connected to was asked nothing: another one is."""
        name = model if model in self._routers else model.rpartition(":")[0]
        router = self._routers.get(name)
        if router is None:
            raise UnknownModelError(model)
        headers = dict(headers) | self._admission
        if name != model and name in self._fetching:
            headers[ADAPTER_HEADER] = model
        there = list(self._there[name])
        router.forget_all_but(there)
        while there:
            replica = router.choose(there, body)
            with router.asking(replica):
                try:
                    answer = await session.post(
                        _address(replica, path), data=body, headers=headers, allow_redirects=False
                    )
                except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError):
                    there.remove(replica)
                    continue
                async with answer:
                    yield answer
                return
        async with session.post(
            _address(self.base_url(name), path), data=body, headers=headers, allow_redirects=False
        ) as answer:
            yield answer

    async def models(self, session: aiohttp.ClientSession) -> list[dict[str, Any]]:
        """All models, whether a replica runs or not, and the adapters that replicas have loaded."""
        listed = {name: {"id": name, "object": "model", "created": self._begun, "owned_by": "wavecoder"}
                  for name in self._routers}  # fmt: skip
        for url in [url for name in sorted(self._adapted) for url in self._there[name]]:
            with contextlib.suppress(aiohttp.ClientError, ValueError, KeyError):
                async with session.get(f"{url}/models", headers=self._admission) as answer:
                    for model in (await answer.json())["data"]:
                        listed.setdefault(model["id"], model)
        return list(listed.values())


def upstream_from(described: Mapping[str, Any]) -> Upstream:
    """The servers that an `Upstream` of another process described."""
    if "url" in described:
        return OneServer(described["url"], redirects=described["redirects"], key=described["key"])
    models = {name: EngineConfig.model_validate_json(json.dumps(each)) for name, each in described["models"].items()}
    return Replicas(described["proxy"], models, described["secret"])


def _onward(url: str, answer: aiohttp.ClientResponse) -> str:
    """Where an answer redirects to, if the question may go there as it is: on the same host, and not from TLS to plain.

    Elsewhere the key would go to others; and aiohttp makes a GET of a question that is redirected by 301 or 302.
    """
    if answer.status not in {301, 302, 307, 308}:
        return ""
    target = urljoin(url, answer.headers.get("Location", ""))
    before, after = urlsplit(url), urlsplit(target)
    same = before.hostname == after.hostname and after.scheme in {before.scheme, "https"}
    return target if same and target != url else ""


def _address(base: str, path: str) -> str:
    return (base.removesuffix("/v1") if path in AT_ROOT else base) + path
