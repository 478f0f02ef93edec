"""Before Ray Serve's own port: whoever is a browser stays out."""

import pytest
from ray.serve._private.utils import call_function_from_import_path
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from serve.engines.guard import CALLBACK, OnlyWithSecret


@pytest.fixture(scope="module")
def guarded():
    """As Ray finds it."""
    (path,) = CALLBACK.values()
    app = Starlette(routes=[Route("/v1/models", lambda _: PlainTextResponse("in"))])
    for middleware in call_function_from_import_path(path):
        app.add_middleware(middleware.cls)
    return TestClient(app, base_url="http://127.0.0.1:8123")


def test_the_gateway_and_jobs_get_in(guarded):
    assert guarded.get("/v1/models").text == "in"


@pytest.mark.parametrize(
    "headers",
    [{"Origin": "http://evil.example"}, {"Origin": "null"}, {"Sec-Fetch-Site": "cross-site"}, {"Host": "evil.example"},
     {"Host": "127.0.0.1.evil.example:8123"}, {"Host": ""}],
)  # fmt: skip
def test_web_pages_do_not(guarded, headers):
    assert guarded.get("/v1/models", headers=headers).status_code == 403
    assert guarded.options("/v1/models", headers=headers).status_code == 403


@pytest.mark.parametrize(
    "shown", [None, "", "Bearer", "Bearer other", "bearer s3cret", "Bearer s3cret ", "Basic s3cret"]
)
def test_a_replica_answers_who_knows_its_secret_only(shown):
    app = Starlette(routes=[Route("/metrics", lambda _: PlainTextResponse("in"))])
    app.add_middleware(OnlyWithSecret, secret="s3cret")
    client = TestClient(app)
    assert client.get("/metrics", headers={"Authorization": "Bearer s3cret"}).text == "in"
    refused = client.get("/metrics", headers={} if shown is None else {"Authorization": shown})
    assert refused.status_code == 401 and "gateway" in refused.text
