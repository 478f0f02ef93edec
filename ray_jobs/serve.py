"""The tuned model behind an OpenAI-compatible endpoint and its gateway, until Ctrl-C."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import openai
import uvicorn

from codeocean.teachers import TeacherConfig
from core.chat import Chat
from core.node_copy import is_url, node_copy
from core.store_address import shown_url
from ray_jobs.cluster.connect import connect, worker_environment
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.models import WEIGHTS, check_model, check_stored_adapters, resolve_model, served_name
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, required, run_stage
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from serve.client.upstream import OneServer, Upstream
from serve.engines.settings import Model, is_object_storage, slug_of
from serve.gateway.app import Gateway
from serve.gateway.processes import answer_together, listen_together
from serve.gateway.server import allow_open_files, server_for
from serve.gateway.settings import free_port
from serve.settings import ServeConfig, check_port_free, listen
from training.template import chat_template_for

log = logging.getLogger("wavecoder.ray_jobs")

TUNED = "wavecoder"
"""The name by which clients ask for the tuned model."""


def model_source(config: Config, run: RunDir, label: str) -> tuple[str, str]:
    """Name that clients ask for, and folder, URL or id, of the model before ("base") or after ("tuned") training."""
    if label == "base":
        return served_name(config.train.model), resolve_model(config.train.model, "train.model")
    required(run, "train")
    return TUNED, run.place("train", "model")


def hosted_models(config: Config, names: tuple[str, ...], engines: str | None = None) -> dict[str, str]:
    """Models of roles of `generate` that have no endpoint of their own: name that clients ask for → where it is.

    Args:
        config: the whole configuration.
        names: of the roles.
        engines: only those that run on such engines.

    Raises:
        ValueError: two models end in the same name, so that requests for one would reach the other.
        FileNotFoundError: a model is not there.
        OSError: an object store refuses.
    """
    settings = {name: getattr(config.generate, name) for name in names}
    hosted = {name: role.model for name, role in settings.items()
              if role.endpoint is None and engines in (None, role.engines)}  # fmt: skip
    called: dict[str, str] = {}
    for name, model in hosted.items():
        first = called.setdefault(slug_of(served_name(model)), model)
        if first != model:
            raise ValueError(f"{first} and generate.{name}.model {model} would both be served as {served_name(first)}; "
                             "rename the folder of one of them")  # fmt: skip
    for name, model in hosted.items():
        if is_url(model):  # what an engine would find out after its start
            check_model(model, f"generate.{name}.model", files=WEIGHTS)
    return {served_name(model): resolve_model(model, f"generate.{name}.model") for name, model in hosted.items()}


@contextmanager
def serving(config: Config, models: dict[str, str]) -> Iterator[Upstream]:
    """What answers for `models` while it is up: name → folder, id, or URL of a folder in an object store."""
    from serve.engines.flow import endpoint  # imports Ray Serve, which other jobs need not

    for name in models:
        adapters = config.serve.engine_of(name).adapters
        if adapters is not None and is_object_storage(adapters):
            check_stored_adapters(adapters)  # before an engine is loaded
    connect(config.ray)
    served = [_as_served(name, source) for name, source in models.items()]
    with endpoint(served, config.serve, worker_environment(config.ray)) as upstream:
        yield upstream


def client_of(upstream: Upstream, model: str, **settings: Any) -> ChatClient:
    """A client of a model that is being served; settings as of `EndpointConfig`."""
    return ChatClient(EndpointConfig(url=upstream.base_url(model), preset="vllm", **settings), upstream)


def endpoint_of(teacher: TeacherConfig, concurrency: int) -> EndpointConfig:
    """Somebody's endpoint, as a teacher's settings name it."""
    assert teacher.endpoint is not None
    return EndpointConfig(
        url=teacher.endpoint,
        api_key_env=teacher.api_key_env,
        concurrency=concurrency,
        preset=teacher.preset,
        rules=teacher.rules,
        thinking=teacher.thinking,
    )


def endpoint_client(teacher: TeacherConfig, concurrency: int) -> ChatClient:
    """A client of somebody's endpoint."""
    return ChatClient(endpoint_of(teacher, concurrency))


def _as_served(name: str, source: str) -> Model:
    described = node_copy(source, weights=False)
    return Model(name, source, chat_template_for(described), described if is_url(source) else None)


@contextmanager
def data_engines(config: Config, name: str, source: str, kind: Literal["data", "sglang"]) -> Iterator[Chat]:
    """A chat with a model whose engines run inside Ray Data: vLLM's, or SGLang's.

    Raises:
        ValueError: they cannot fetch the model from its URL.
    """
    from serve.engines.ray_data import SGLANG, VLLM, data_chat

    shown = shown_url(source)
    if kind == "sglang" and is_url(source):
        raise ValueError(
            f"{shown}: SGLang takes a folder that every node sees, or a hub id, and no URL (engines: sglang)"
        )
    if is_url(source) and ("?" in source or not is_object_storage(source)):
        raise ValueError(
            f"{shown}: engines inside Ray Data (engines: data) are fetched by Ray, by a plain s3://bucket/folder; "
            "name the endpoint by AWS_ENDPOINT_URL, or take engines: serve"
        )
    connect(config.ray)
    model = _as_served(name, source)
    with data_chat(
        model,
        config.serve.engine_of(name),
        worker_environment(config.ray),
        config.generate.concurrency,
        SGLANG if kind == "sglang" else VLLM,
    ) as chat:
        yield chat


def record_serving(config: Config, run: RunDir, upstream: Upstream, seconds_to_ready: float) -> Manifest:
    """Talk to the tuned model as any client would, whole and streaming, and write down how it answered."""

    def work() -> StageResult:
        url = upstream.base_url(TUNED)
        greeted = asyncio.run(_greet(url, upstream.api_key))
        details = {"url": url, "seconds_to_ready": round(seconds_to_ready, 1)} | greeted
        return StageResult(2, 2, details=details)

    return run_stage(run, "serve", covered_by("serve", config), {"train": required(run, "train")["digest"]}, work)


async def _greet(url: str, api_key: str) -> dict[str, Any]:
    client = openai.AsyncOpenAI(base_url=url, api_key=api_key, max_retries=5)
    served = [model.id for model in (await client.models.list()).data]
    question: list[Any] = [{"role": "user", "content": "Write a Python function that reverses a string."}]
    whole = await client.chat.completions.create(model=TUNED, messages=question, max_tokens=64, temperature=0)
    begun, first = time.monotonic(), 0.0
    text, chunks = "", 0
    stream = await client.chat.completions.create(
        model=TUNED, messages=question, max_tokens=64, temperature=0, stream=True
    )
    async for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            first = first or time.monotonic() - begun
            text, chunks = text + chunk.choices[0].delta.content, chunks + 1
    await client.close()
    seconds = time.monotonic() - begun
    return {
        "models": served,
        "answer": (whole.choices[0].message.content or "")[:500],
        "streamed_equal": text == whole.choices[0].message.content,
        "first_token_s": round(first, 3),
        "tokens_per_s": round(chunks / seconds, 1),
    }


def run_serve(config: Config, run: RunDir) -> None:
    """Serve the tuned model and those that `serve.beside` names, or stand before `serve.upstream`, until interrupted.

    Ray Serve listens on a free port of the loopback address, the gateway before it.

    Raises:
        OSError: the port is taken, or a file that the gateway needs cannot be opened.
        ValueError: the file of keys is none, TLS certificate and key are no pair, `serve.upstream`'s key is not set, or
            two models have one name.
    """
    settings = config.serve
    if settings.port_named:
        check_port_free(settings.host, settings.port, "serve.port")
    inner = config.model_copy(update={"serve": settings.model_copy(update={"port": free_port(), "replicas": None})})
    # What it refuses, it refuses before an engine is loaded.
    beside = hosted_models(config, settings.beside)
    if TUNED in beside:
        raise ValueError(f"a model of serve.beside takes the tuned model's name, {TUNED}; rename its folder")
    context = max(settings.engine_of(name).max_model_len for name in (TUNED, *beside))
    gateway = Gateway(settings.gateway, context)
    server = server_for(gateway, settings.host, settings.port, settings.gateway)
    if settings.upstream is not None:
        gateway.upstream = OneServer(settings.upstream, key=_key_of(settings))
        _answer(gateway, server, settings, settings.upstream)
        return
    name, source = model_source(config, run, "tuned")
    begun = time.monotonic()
    with serving(inner, {name: source} | beside) as upstream:
        gateway.upstream = upstream
        record_serving(config, run, upstream, time.monotonic() - begun)
        _answer(gateway, server, settings, f"{source} as model {', '.join([name, *beside])}")


def _key_of(settings: ServeConfig) -> str:
    """What `serve.upstream` asks for; empty when it asks for nothing."""
    name = settings.upstream_key_env
    key = os.environ.get(name, "").strip() if name else ""
    if name and not key:
        raise ValueError(f"the key of {settings.upstream} is to come from ${name}, which is not set")
    return key


def _answer(gateway: Gateway, server: uvicorn.Server, settings: ServeConfig, what: str) -> None:
    """Let the gateway answer until it is interrupted; a port that nobody named is chosen only now."""
    listening = listen(settings.host, settings.port, "serve.port", named=settings.port_named)
    port = listening.getsockname()[1]
    if port != settings.port:
        log.info("port %d is taken, so port %d (--set serve.port=PORT takes another)", settings.port, port)
    where = f"http{'s' if settings.gateway.tls_cert else ''}://{settings.host}:{port}"
    log.info("%s/v1 answers for %s; Ctrl-C ends it", where, what)
    if settings.gateway.playground:
        log.info("to try it: %s/", where)
    if settings.gateway.processes > 1:
        assert gateway.upstream is not None
        sockets = listen_together(listening, settings.gateway.processes)
        answer_together(settings.gateway, gateway.context, gateway.upstream, sockets)
        return
    allow_open_files(settings.gateway)
    try:
        server.run(sockets=[listening])
    except KeyboardInterrupt:
        log.info("stopping")


main = main_of("serve")

if __name__ == "__main__":
    sys.exit(main())
