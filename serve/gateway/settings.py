"""What the gateway in front of the endpoint is told, and which addresses are public. No Ray here."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Annotated, Self

from pydantic import PositiveFloat, PositiveInt, model_validator

from core.settings import Execution, Settings


class GatewayConfig(Settings):
    """The gateway of `wavecoder serve`."""

    keys: str | None = None
    """File of API keys (`wavecoder keys create`). None: who reaches the loopback address may ask."""

    playground: bool = True
    """Answer `/` with the page to try models on. It holds no data and no key."""

    tls_cert: str | None = None
    """File of the TLS certificate, in PEM form, with the ones that lead from it to a known authority. Given it and
    `tls_key`, the gateway speaks HTTPS (TLS 1.2 or newer) and nothing else."""

    tls_key: str | None = None
    """File of its private key, without a pass phrase."""

    max_body_bytes: PositiveInt = 1_048_576
    """Largest request body."""

    max_tokens: PositiveInt | None = None
    """Most tokens that one request may have written, all its choices together; a request that names no number is given
    this one. None leaves it to the engine's context."""

    max_choices: PositiveInt = 16
    """Most answers of one request: `n`, times the number of prompts."""

    max_inputs: PositiveInt = 2048
    """Most texts that one request may have embedded; OpenAI's limit."""

    hosts: tuple[str, ...] = ()
    """Host names, without port, under which clients without keys may ask, besides localhost and the loopback address:
    such as host.docker.internal for containers of this machine. A page of a stranger can use none of these names,
    unless you name one here that others can point at this machine."""

    max_in_flight: PositiveInt = 512
    """Requests passed on at the same time; above it the answer is 429."""

    processes: Annotated[PositiveInt, Execution()] = 1
    """Processes that answer at the same port, each on a core of its own at best. Keys' limits and `max_in_flight` hold
    for all of them together."""

    header_timeout_s: PositiveFloat = 10.0
    """Time in which a connection must send a request's head."""

    send_timeout_s: PositiveFloat = 30.0
    """Longest wait for a client to take what was sent to it."""

    body_timeout_s: PositiveFloat = 20.0
    """Time in which it must send the body."""

    request_timeout_s: PositiveFloat = 600.0
    """Longest time for one answer, streaming included."""

    drain_s: PositiveInt = 30
    """How long answers under way may still take after Ctrl-C or SIGTERM."""

    access_log: str | None = None
    """File of one JSON line per request, without prompts; opened anew when logrotate has moved it. None puts the lines
    among the job's own."""

    log_prompts: bool = False
    """Write request bodies to the access log. They hold what users typed."""

    @model_validator(mode="after")
    def _certificate_and_key(self) -> Self:
        if (self.tls_cert is None) != (self.tls_key is None):
            raise ValueError("tls_cert and tls_key belong together: name both files or neither")
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address. A name other than localhost counts as public."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def names_this_machine(host: str) -> bool:
    """Whether a `Host` header, with a port or without, names the loopback address."""
    return is_loopback(host_name(host.lower()))


def host_name(host: str) -> str:
    """A `Host` header without its port."""
    return host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host


def free_port() -> int:
    """A port of the loopback address on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def keys_file(config: GatewayConfig) -> Path | None:
    """The file of keys, if there is to be one."""
    return Path(config.keys).expanduser() if config.keys is not None else None
