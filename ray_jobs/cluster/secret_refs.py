"""Secrets of a submitted job, by reference: `NAME=env:OTHER` or `NAME=file:/path`, resolved where the job runs.

A submission names where a secret lies on the cluster, never its value: whatever a submission holds (environment, entry
point, metadata) can be read in Ray's dashboard. The job's own process and every worker resolve the references
themselves, before any other code of ours runs.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

VARIABLE = "WAVECODER_SECRETS"
"""Environment variable that holds the references, one a line."""

SECRET_NAME = re.compile(r"TOKEN(?!IZ)|SECRET|PASSW|CREDENTIAL|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY", re.IGNORECASE)
"""Names of environment variables whose values are secrets."""


def check_reference(reference: str) -> str:
    """The reference as it is, when it is one.

    Raises:
        ValueError: it is none. A value is never repeated: it may be the secret itself.
    """
    name, separator, where = reference.partition("=")
    if not separator or not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError("--secret should read NAME=env:OTHER or NAME=file:/path, with the name of a variable in front")
    kind, _, place = where.partition(":")
    if (kind == "env" and re.fullmatch(r"[A-Za-z_]\w*", place)) or (kind == "file" and place.startswith("/")):
        return reference
    raise ValueError(
        f"--secret {name}=… should say where the secret lies on the cluster, as {name}=env:OTHER or "
        f"{name}=file:/run/secrets/{name.lower()}; its value must not be on a command line"
    )


def check_variable(setting: str) -> tuple[str, str]:
    """Name and value of `NAME=value`.

    Raises:
        ValueError: it is none, or the name is one of a secret.
    """
    name, separator, value = setting.partition("=")
    if not separator or not re.fullmatch(r"[A-Za-z_]\w*", name):
        raise ValueError("--env should read NAME=value, with the name of a variable in front")
    if SECRET_NAME.search(name):
        raise ValueError(
            f"--env {name}=… looks like a secret, and a job's environment can be read in the dashboard; put it on the "
            f"cluster and name the place: --secret {name}=file:/run/secrets/{name.lower()} or --secret {name}=env:OTHER"
        )
    return name, value


def resolve() -> None:
    """Set the variables that the references stand for in this process; run by the job and by each worker.

    Raises:
        ValueError: a reference leads nowhere on this node.
    """
    for reference in filter(None, os.environ.get(VARIABLE, "").splitlines()):
        name, _, where = reference.partition("=")
        kind, _, place = where.partition(":")
        if kind == "env":
            if place not in os.environ:
                raise ValueError(f"secret {name}: no variable {place} is set on this node; set it where Ray is started")
            os.environ[name] = os.environ[place]
        else:
            try:
                os.environ[name] = Path(place).read_text(encoding="utf-8").strip()
            except OSError as error:
                raise ValueError(f"secret {name}: {place} cannot be read on this node ({error.strerror})") from None
