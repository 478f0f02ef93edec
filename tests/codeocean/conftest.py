"""Rows and tasks that several files use."""

import pytest

from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import load_tasks


@pytest.fixture(scope="session")
def tasks():
    return load_tasks()


@pytest.fixture
def config():
    role = RoleConfig(model="some-model")
    return GenerateConfig(generator=role, discriminator=role, round_size=4, attempts=2, good_shots=2)


def raw_row(number: int = 0, language: str = "python") -> dict[str, str]:
    """A RAW_CODE row."""
    fields = dict.fromkeys(("docstring", "name", "repository", "path", "url", "license", "split", "source"), "")
    code = f"def add_{number}(a, b):\n    return a + b + {number}"
    return fields | {"id": f"{number:016x}", "language": language, "code": code, "docstring": "Add two numbers."}
