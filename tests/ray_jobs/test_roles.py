"""Which chat each role gets, and whose replicas move; no engine is started."""

from contextlib import contextmanager

import pytest

from ray_jobs import generate
from ray_jobs.run.config import load_config
from serve.client.chat import ChatClient
from serve.client.upstream import OneServer
from serve.engines import replicas as replicas_flow
from serve.engines.rebalance import PATIENCE_S
from tests.ray_jobs.run.test_leakage import DEMO

ROLES = ("generator", "discriminator")


@pytest.fixture
def started(monkeypatch):
    """What would have been started: (kind, models)."""
    found = []

    @contextmanager
    def serving(config, models):
        found.append(("serve", sorted(models)))
        yield OneServer("http://127.0.0.1:9/v1")

    @contextmanager
    def data_engines(config, name, source, kind):
        found.append((kind, [name]))
        yield object()

    monkeypatch.setattr(generate, "serving", serving)
    monkeypatch.setattr(generate, "data_engines", data_engines)
    return found


def chats(*settings):
    config = load_config(DEMO, [f"generate.{setting}" for setting in settings])
    with generate.open_roles(config) as roles:
        return [roles[role] for role in ROLES]


def test_one_model_is_loaded_once_and_shares_its_places(started):
    (one, name), (other, _) = chats("generator.model=o/a", "discriminator.model=o/a")
    assert one is other and isinstance(one, ChatClient) and name == "a"
    assert started == [("serve", ["a"])]


def test_two_models_of_ours_have_places_of_their_own(started):
    (one, _), (other, _) = chats("generator.model=o/a", "discriminator.model=o/b")
    assert one is not other
    assert started == [("serve", ["a", "b"])]


@pytest.mark.parametrize("other", ["p/a.1", "p/a_1", "org:a_1"])
def test_two_models_that_clients_could_not_tell_apart_are_refused(started, other):
    with pytest.raises(ValueError, match="o/a.1 .* would both be served as a.1"):
        chats("generator.model=o/a.1", f"discriminator.model={other}")
    assert not started


def test_a_role_may_run_inside_ray_data_and_the_other_on_an_endpoint(started):
    url = "https://example.com/v1"
    (one, _), (other, name) = chats("generator.model=o/a", "generator.engines=data", "discriminator.model=o/b",
                                    f"discriminator.endpoint={url}")  # fmt: skip
    assert not isinstance(one, ChatClient) and isinstance(other, ChatClient) and name == "o/b"
    assert started == [("data", ["a"])]


@pytest.mark.parametrize("engines", ["data", "sglang"])
def test_one_model_inside_ray_data_serves_both_roles(started, engines):
    settings = [f"{role}.{what}" for role in ROLES for what in ("model=o/a", f"engines={engines}")]
    (one, _), (other, _) = chats(*settings)
    assert one is other
    assert started == [(engines, ["a"])]


def test_a_replica_follows_the_queue(monkeypatch, caplog):
    now, applied = [0.0], []
    monkeypatch.setattr(replicas_flow, "set_replicas", lambda *what: applied.append(what))
    monkeypatch.setattr(generate.time, "monotonic", lambda: now[0])
    two = ["generate.generator.model=o/a.1", "generate.discriminator.model=o/b", "serve.replicas=4"]
    follow = generate.replica_follower(load_config(DEMO, two))
    with caplog.at_level("INFO", logger="wavecoder.ray_jobs"):
        for now[0] in (0.0, PATIENCE_S):
            follow({"generator": 500, "discriminator": 3})
    assert applied == [("wavecoder-b", "LLMServer:b", 1), ("wavecoder-a_1", "LLMServer:a_1", 3)]
    assert caplog.messages == ["one replica moves from b to a.1: {'a.1': 3, 'b': 1}"]
    for settings in (two[:2], [*two[:2], "generate.discriminator.model=o/a.1", "serve.replicas=4"]):
        assert generate.replica_follower(load_config(DEMO, settings)) is None
