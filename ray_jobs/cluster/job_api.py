"""Ray's job API from outside a cluster: the token, the client, and its failures as one line.

The token is found where Ray itself looks (RAY_AUTH_TOKEN, the file that RAY_AUTH_TOKEN_PATH names, ~/.ray/auth_token).
It goes out in a header, over HTTPS or to a loopback or private address; to a public one over plain HTTP it does not.
"""

from __future__ import annotations

import ipaddress
import logging
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from ray.job_submission import JobSubmissionClient

ENDED = frozenset({"SUCCEEDED", "FAILED", "STOPPED"})


def find_token() -> str | None:
    """The token of the cluster; None when there is none or RAY_AUTH_MODE is "disabled"."""
    if os.environ.get("RAY_AUTH_MODE", "").lower() == "disabled":
        return None
    if os.environ.get("RAY_AUTH_TOKEN"):
        return os.environ["RAY_AUTH_TOKEN"].strip()
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser()
    return file.read_text(encoding="utf-8").strip() or None if file.is_file() else None


def check_address(address: str | None) -> str:
    """URL of the cluster's dashboard.

    Args:
        address: as given, or None for the environment's.

    Raises:
        ValueError: there is none, it is no URL, or the token would cross a public network in the clear.
    """
    address = address or os.environ.get("RAY_API_SERVER_ADDRESS") or os.environ.get("RAY_ADDRESS")
    if not address:
        raise ValueError("no cluster is named; pass --address http://127.0.0.1:8265 (`ray dashboard cluster.yaml` "
                         "opens it) or set RAY_API_SERVER_ADDRESS")  # fmt: skip
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(f"--address {address!r} should be the dashboard's URL, such as http://127.0.0.1:8265")
    if parts.scheme == "http" and _is_public(parts.hostname):
        raise ValueError(
            f"--address {address} is public and not https: the token, and all that the job is told, would cross the "
            "network in the clear; use an SSH tunnel (`ray dashboard cluster.yaml`), a private network or https"
        )
    return address.rstrip("/")


def _is_public(host: str) -> bool:
    try:
        found = {info[4][0] for info in socket.getaddrinfo(host, None)}
    except OSError:
        return False  # connecting fails with a better message
    return any(ipaddress.ip_address(str(address).partition("%")[0]).is_global for address in found)


@contextmanager
def job_api(address: str) -> Iterator[JobSubmissionClient]:
    """A client of the job API at a checked URL; what it is refused ends as one line.

    Raises:
        OSError: nobody answers, or the token is missing or wrong.
        ValueError: the API turned the request down.
    """
    for name in ("RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"):
        os.environ.pop(name, None)  # they would win over the address that was asked for
    from ray.exceptions import AuthenticationError
    from ray.job_submission import JobSubmissionClient

    for name in ("dashboard.modules.job.sdk", "dashboard.modules.dashboard_sdk", "_private.runtime_env.packaging",
                 "_private.runtime_env.working_dir"):  # fmt: skip
        logging.getLogger(f"ray.{name}").setLevel(logging.ERROR)  # each file that stays here would be a line
    token = find_token()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        yield JobSubmissionClient(address, headers=headers)
    except AuthenticationError:
        raise OSError(_refused(address, token)) from None
    except ConnectionError as error:
        raise OSError(f"no Ray cluster answers at {address} ({_first_line(error)}); is the head node up, and is the "
                      "tunnel open (`ray dashboard cluster.yaml`)?") from None  # fmt: skip
    except RuntimeError as error:
        raise ValueError(f"{address}: {_first_line(error)}") from None


def _refused(address: str, token: str | None) -> str:
    if token is None:
        return (f"{address} asks for a token and none was found; set RAY_AUTH_TOKEN_PATH to a file with the cluster's "
                "token, or put it at ~/.ray/auth_token (docs/cluster.md)")  # fmt: skip
    return f"{address} does not take this token; is RAY_AUTH_TOKEN or the token file of another cluster?"


def _first_line(error: Exception) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()]
    return lines[-1].strip()[:300] if lines else type(error).__name__


def job_facts(client: JobSubmissionClient, job: str) -> dict[str, Any]:
    """What the cluster knows of a job, as plain values: status, message, times (s), metadata, entry point."""
    info = client.get_job_info(job)
    return {
        "id": info.submission_id,
        "status": str(info.status.value),
        "message": info.message or "",
        "entrypoint": info.entrypoint,
        "started": (info.start_time or 0) / 1000,
        "ended": (info.end_time or 0) / 1000,
        "metadata": dict(info.metadata or {}),
    }
