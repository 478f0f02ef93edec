"""The clients that the project installs, and the foreign ones where WAVECODER_CLIENTS names their folder."""

import os
from pathlib import Path

import pytest

from tests.serve.clients.run import ask, commands
from tests.serve.clients.scripted import Scripted
from tests.serve.stub import running_gateway, stub_upstream

FOLDER = Path(os.environ["WAVECODER_CLIENTS"]) if "WAVECODER_CLIENTS" in os.environ else None


@pytest.mark.slow
@pytest.mark.parametrize("script", commands(FOLDER))
def test_every_step_of_a_client_passes_before_an_upstream_that_misbehaves(script, tmp_path):
    with stub_upstream(Scripted()) as stub, running_gateway(stub.url, tmp_path) as gateway:
        results = ask(script, commands(FOLDER)[script], gateway.url, gateway.secret, "scripted", FOLDER)
    assert results
    assert [(step, result) for step, result in results if result != "passed"] == []
