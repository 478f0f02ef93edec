"""All clients against one gateway: those that the project installs, and the foreign ones, which are installed here."""

import pytest

from tests.serve.clients.run import NODE, OWN, PYTHON, ask_all, commands
from tests.serve.clients.scripted import Scripted
from tests.serve.stub import running_gateway, stub_upstream

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def results(clients, tmp_path_factory):
    """Script → what its steps gave. One gateway, the clients beside each other."""
    folder = clients[0]
    with stub_upstream(Scripted()) as stub, running_gateway(stub.url, tmp_path_factory.mktemp("gateway")) as gateway:
        return {script: found for script, found, _ in ask_all(commands(folder), gateway, "scripted", folder)}


@pytest.mark.parametrize("script", [*OWN, *PYTHON, *NODE])
def test_every_step_of_a_client_passes_before_an_upstream_that_misbehaves(script, results, clients):
    if script not in results and script not in OWN:
        pytest.skip("; ".join(clients[1]))
    assert results[script]
    assert [(step, result) for step, result in results[script] if result != "passed"] == []
