"""The way past Serve's proxy, with stubs of vLLM's servers in the places of replicas and proxy."""

import asyncio
import json
import socket
from collections import Counter
from contextlib import ExitStack
from types import SimpleNamespace

import aiohttp
import pytest

from core.chat import ChatRequest
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from serve.client.upstream import ADAPTER_HEADER, OneServer, Replicas, UnknownModelError
from serve.engines.replicas import _reachable
from serve.engines.settings import EngineConfig
from tests.serve.stub import stub_upstream

MODEL, SECRET = "org/a.b", "s3cret"


@pytest.fixture
def servers():
    """Makes a running stub."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(stub_upstream())


@pytest.fixture
def nobody():
    """A URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/v1"


def replicas(proxy, *there, **engine):
    found = Replicas(proxy.removesuffix("/v1"), {MODEL: EngineConfig(**engine)}, SECRET)
    found.update({MODEL: there})
    return found


def post(upstream, *models, text="hello"):
    async def ask():
        async with aiohttp.ClientSession() as session:
            said = []
            for model in models:
                body = json.dumps({"model": model, "messages": [{"role": "user", "content": text}]}).encode()
                headers = {"content-type": "application/json"}
                async with upstream.post(session, "/chat/completions", model, body, headers) as answer:
                    said.append((answer.status, await answer.json()))
            return said

    return asyncio.run(ask())


def test_requests_go_to_the_replicas_in_turn_and_not_through_the_proxy(servers):
    proxy, one, two = servers(), servers(), servers()
    answers = post(replicas(proxy.url, one.url, two.url), *[MODEL] * 6)
    assert [status for status, _ in answers] == [200] * 6
    assert (len(one.seen), len(two.seen), len(proxy.seen)) == (3, 3, 0)
    path, _, headers = one.seen[0]
    assert path == "/v1/chat/completions"
    assert (headers["Authorization"], headers["Host"]) == (f"Bearer {SECRET}", "localhost")  # for the two guards


def test_prompts_that_begin_alike_go_to_one_replica_where_that_is_wanted(servers):
    proxy, one, two = servers(), servers(), servers()
    upstream = replicas(proxy.url, one.url, two.url, routing="prefix")
    for _ in range(4):
        post(upstream, MODEL, text="a" * 2000)
        post(upstream, MODEL, text="b" * 2000)
    found = [Counter(body["messages"][0]["content"][0] for _, body, _ in each.seen) for each in (one, two)]
    assert sorted(map(dict, found), key=str) == [{"a": 4}, {"b": 4}]


def test_a_replica_that_is_not_there_any_more_was_asked_nothing_so_another_is(servers, nobody):
    proxy, one = servers(), servers()
    answers = post(replicas(proxy.url, nobody, one.url), *[MODEL] * 4)
    assert [status for status, _ in answers] == [200] * 4
    assert (len(one.seen), len(proxy.seen)) == (4, 0)


def test_the_proxy_answers_while_no_replica_can_be_reached(servers, nobody):
    proxy = servers()
    assert post(replicas(proxy.url, nobody), MODEL)[0][0] == 200
    assert post(replicas(proxy.url), f"{MODEL}:mine")[0][0] == 200
    assert [path for path, _, _ in proxy.seen] == ["/org--a_b/v1/chat/completions"] * 2


def test_a_request_that_a_replica_took_is_never_sent_twice(servers):
    proxy, one, two = servers(), servers(), servers()
    one.error = (500, "{}", {"Content-Type": "application/json"})
    statuses = [status for status, _ in post(replicas(proxy.url, one.url, two.url), MODEL, MODEL)]
    assert sorted(statuses) == [200, 500]
    assert (len(one.seen), len(two.seen), len(proxy.seen)) == (1, 1, 0)


def test_a_replica_on_another_machine_is_asked_directly_only_if_it_listens_there():
    def target(ip, name):
        return SimpleNamespace(ip=ip, port=30000, name=name)

    here, there, proxy = (
        target("10.0.0.1", "SERVE_REPLICA::x"),
        target("10.0.0.2", "SERVE_REPLICA::y"),
        target("10.0.0.1", "SERVE_PROXY_ACTOR-z"),
    )
    assert _reachable([here], MODEL, "10.0.0.1") == ["http://127.0.0.1:30000/org--a_b/v1"]
    assert _reachable([here, there], MODEL, "10.0.0.1") == []  # Serve's proxy spreads them
    assert _reachable([here, there], MODEL, None) == [f"http://10.0.0.{n}:30000/org--a_b/v1" for n in (1, 2)]
    assert _reachable([proxy], MODEL, "10.0.0.1") == _reachable([proxy], MODEL, None) == []


def test_an_adapter_is_asked_of_its_models_replica_by_name(servers):
    proxy, one = servers(), servers()
    post(replicas(proxy.url, one.url, adapters="s3://bucket/adapters"), f"{MODEL}:mine")
    post(replicas(proxy.url, one.url, adapters="/disk/adapters"), f"{MODEL}:mine")
    assert [body["model"] for _, body, _ in one.seen] == [f"{MODEL}:mine"] * 2
    # Serve fetches it when told; from a disk it is there, and Serve knows none.
    assert [headers.get(ADAPTER_HEADER) for _, _, headers in one.seen] == [f"{MODEL}:mine", None]


def test_a_models_name_may_hold_a_colon_itself(servers):
    proxy, one = servers(), servers()
    upstream = Replicas(proxy.url.removesuffix("/v1"), {"a:b": EngineConfig()}, SECRET)
    upstream.update({"a:b": [one.url]})
    assert post(upstream, "a:b", "a:b:mine")[1][0] == 200
    assert len(one.seen) == 2


def test_a_model_that_is_not_served_is_no_request(servers):
    proxy, one = servers(), servers()
    with pytest.raises(UnknownModelError):
        post(replicas(proxy.url, one.url), "another")
    assert not one.seen and not proxy.seen


def test_models_are_listed_whether_a_replica_runs_or_not(servers, nobody):
    def listed(upstream):
        async def ask():
            async with aiohttp.ClientSession() as session:
                return [model["id"] for model in await upstream.models(session)]

        return asyncio.run(ask())

    one = servers()
    assert listed(replicas(nobody)) == [MODEL]
    assert listed(replicas(nobody, nobody)) == [MODEL]
    assert listed(replicas(nobody, one.url)) == [MODEL]  # without adapters it has nothing to add, and is not asked
    assert listed(replicas(nobody, one.url, adapters="/disk/adapters")) == [MODEL, "wavecoder", "org/other"]
    assert listed(OneServer(one.url)) == ["wavecoder", "org/other"]


def test_the_pipelines_client_takes_the_same_way(servers, nobody):
    one, two = servers(), servers()
    upstream = replicas(nobody, one.url, two.url)
    client = ChatClient(EndpointConfig(url=upstream.base_url(MODEL), max_retries=0), upstream)

    async def ask():
        question = [{"role": "user", "content": "hello"}]
        return await asyncio.gather(*(client(ChatRequest(MODEL, question, 8)) for _ in range(10)))

    assert {answer["text"] for answer in asyncio.run(ask())} == {"one two three"}
    assert len(one.seen) == len(two.seen) == 5
    assert upstream.base_url(MODEL).endswith("/org--a_b/v1")


@pytest.mark.parametrize(
    "copied",
    ["", "/", "//", "/chat/completions", "/completions/", "/responses", "/embeddings", "/models", "/messages", "/ "],
)
def test_what_was_copied_behind_a_base_url_is_no_part_of_it(copied):
    server = OneServer(f" https://host.example/api/v1{copied}")
    assert server.address("/chat/completions") == "https://host.example/api/v1/chat/completions"
    with_query = OneServer(f"https://host.example/v1{copied.strip()}?api-version=2")
    assert with_query.address("/chat/completions") == "https://host.example/v1/chat/completions?api-version=2"
