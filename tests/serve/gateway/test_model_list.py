"""The list of models in the form of whichever API a client speaks."""

import pytest

VERSION = {"anthropic-version": "2023-06-01"}


@pytest.mark.parametrize("path", ["/v1/models", "/v1/models/"])
def test_a_client_of_anthropics_gets_anthropics_list(gateway, path):
    asked = gateway().client.get(path, headers=VERSION).json()
    first = {"type": "model", "id": "wavecoder", "display_name": "wavecoder", "created_at": "1970-01-01T00:00:00Z"}
    assert asked["data"][0] == first
    assert (asked["has_more"], asked["first_id"], asked["last_id"]) == (False, "wavecoder", "org/other")


def test_one_model_and_one_that_is_not_there(gateway):
    client = gateway().client
    assert client.get("/v1/models/org/other", headers=VERSION).json()["display_name"] == "org/other"
    missing = client.get("/v1/models/nobody", headers=VERSION)
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")
    assert missing.headers["request-id"] == missing.json()["request_id"]


def test_clients_of_anthropics_are_told_in_its_words_that_an_address_is_not_served(gateway):
    client = gateway().client
    missing = client.get("/v1/files?beta=true", headers=VERSION)
    assert (missing.status_code, missing.json()["error"]["type"]) == (404, "not_found_error")
    assert client.get("/v1/files").json()["error"]["code"] == "unknown_url"
    assert client.post("/v1/chat/completions", headers=VERSION, json={}).json()["error"]["code"] == "missing_model"


def test_others_get_openais_list(gateway):
    client = gateway().client
    assert client.get("/v1/models").json() == {"object": "list", "data": [{"id": "wavecoder"}, {"id": "org/other"}]}
    assert client.get("/v1/models/nobody").json()["error"]["code"] == "model_not_found"
