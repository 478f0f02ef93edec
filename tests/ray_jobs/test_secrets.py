"""Secrets that a job is given are nowhere afterwards: run directory, output, Ray's own logs. The gateway's are in tests/serve."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from tests.ray_jobs.test_generate_job import prepare
from tests.stub_endpoint import StubEndpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
PLANTED = {
    "TEACHER_KEY": "sk-planted-teacher", "HF_TOKEN": "hf_plantedhub", "RAY_AUTH_TOKEN": "planted-ray-token",
    "AWS_SECRET_ACCESS_KEY": "planted-aws-secret",
}  # fmt: skip


def places_of(needle, folders):
    return [str(path) for folder in folders for path in folder.rglob("*")
            if path.is_file() and not path.is_socket() and needle.encode() in path.read_bytes()]  # fmt: skip


@pytest.fixture
def ray_folder():
    """Where the job's Ray writes; short, as sockets lie in it."""
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_planted_secrets_are_nowhere_afterwards(tmp_path, ray_folder):
    stub = StubEndpoint(0.0)
    with stub.running() as url:
        stub.url = url
        recipe = prepare(tmp_path, stub)
        settings = json.loads(recipe.read_text())
        for role in ("generator", "discriminator"):
            settings["generate"][role]["api_key_env"] = "TEACHER_KEY"
        recipe.write_text(json.dumps(settings))
        environment = os.environ | PLANTED | {"RAY_TMPDIR": str(ray_folder), "PYTHONPATH": str(ROOT)}
        command = [sys.executable, "-m", "ray_jobs.generate", "--config", str(recipe)]
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stderr
    assert stub.keys == {f"Bearer {PLANTED['TEACHER_KEY']}"}  # it was used
    from ray_jobs.report import main

    assert main(["--config", str(recipe)]) == 0
    assert (tmp_path / "run" / "report" / "index.html").is_file()
    assert places_of("TEACHER_KEY", [tmp_path]) and places_of(
        "TOKENIZERS_PARALLELISM", [ray_folder]
    )  # it would be found
    for name, secret in PLANTED.items():
        assert secret not in done.stdout + done.stderr, name
        assert not places_of(secret, [tmp_path, ray_folder]), name
