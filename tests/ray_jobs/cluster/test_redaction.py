"""Planted secrets do not come out."""

import pytest

from ray_jobs.cluster.redaction import HIDDEN, known_secrets, redact, redact_values


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer planted0123456789",
        "api_key='planted-value'",
        'AWS_SECRET_ACCESS_KEY="planted/value+1"',
        "RAY_AUTH_TOKEN=planted0123",
        "s3://AKIAPLANTED:planted-secret@bucket/run",
        "the token hf_plantedplanted is refused",
        "key sk-planted-planted-planted",
        "ghp_planted0planted0planted0",
        "AKIAPLANTED012345",
        "-----BEGIN RSA PRIVATE KEY-----\nplanted\n-----END RSA PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_secret_is_hidden(text):
    found = redact(text, [])
    assert HIDDEN in found
    assert "planted" not in found.lower()


@pytest.mark.parametrize(
    "text", ["5 tokens of 10: done", "token: env:TEAM_KEY", "file:///runs/x", "max_tokens=256 was cut"]
)
def test_other_text_stays(text):
    assert redact(text, []) == text


def test_values_of_this_process_are_hidden_wherever_they_stand(monkeypatch):
    secrets = known_secrets(
        {"HF_TOKEN": "unlikely-value", "OTHER": "plain-value", "RAY_AUTH_TOKEN_PATH": "/run/secret"}
    )
    assert "unlikely-value" in secrets
    assert not {"plain-value", "/run/secret"} & set(secrets)
    assert redact("got unlikely-value and plain-value", secrets) == f"got {HIDDEN} and plain-value"


def test_values_under_a_telling_name_are_hidden():
    found = redact_values(
        {"env": {"MY_API_KEY": "x1", "A": "b"}, "list": ["unlikely-value", 3, None]}, ["unlikely-value"]
    )
    assert found == {"env": {"MY_API_KEY": HIDDEN, "A": "b"}, "list": [HIDDEN, 3, None]}
