"""What the gateway in front of the endpoint is told, and that no public address goes without keys. No Ray here."""

from __future__ import annotations

import ipaddress
import socket
from pathlib import Path
from typing import Self

from pydantic import BaseModel, Field, PositiveFloat, PositiveInt, model_validator

from serve.endpoint import ServeConfig


class GatewayConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """The gateway of `wavecoder serve`."""

    keys: str | None = None
    """File of API keys (`wavecoder keys create`). None: who reaches the loopback address may ask."""

    playground: bool = True
    """Answer `/` with the page to try models on. It holds no data and no key."""

    max_body_bytes: PositiveInt = 1_048_576
    """Largest request body."""

    max_tokens: PositiveInt | None = None
    """Most tokens that one request may have written, all its choices together; a request that names no number is given
    this one. None leaves it to the engine's context."""

    max_choices: PositiveInt = 16
    """Most answers of one request: `n`, times the number of prompts or inputs."""

    max_in_flight: PositiveInt = 512
    """Requests passed on at the same time; above it the answer is 429."""

    header_timeout_s: PositiveFloat = 10.0
    """Time in which a connection must send a request's head."""

    body_timeout_s: PositiveFloat = 20.0
    """Time in which it must send the body."""

    request_timeout_s: PositiveFloat = 600.0
    """Longest time for one answer, streaming included."""

    drain_s: PositiveInt = 30
    """How long answers under way may still take after Ctrl-C or SIGTERM."""

    access_log: str | None = None
    """File of one JSON line per request, without prompts; None puts the lines among the job's own."""

    log_prompts: bool = False
    """Write request bodies to the access log. They hold what users typed."""


class GuardedServeConfig(ServeConfig, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """The endpoint that Ray Serve hosts on the loopback address, and the gateway in front of it."""

    host: str = "127.0.0.1"
    """Address that the gateway listens on. Other than the loopback address only with `gateway.keys`."""

    gateway: GatewayConfig = Field(default=GatewayConfig())
    """Who may ask, and how much."""

    @model_validator(mode="after")
    def _no_public_address_without_keys(self) -> Self:
        if not is_loopback(self.host) and self.gateway.keys is None:
            raise ValueError(
                f"serve.host {self.host} can be reached by others, so serve.gateway.keys must name a file of API keys; "
                "make one with: wavecoder keys create --keys FILE --name WHO"
            )
        return self


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address. A name other than localhost counts as public."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def free_port() -> int:
    """A port of the loopback address on which nothing listens now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def keys_file(config: GatewayConfig) -> Path | None:
    """The file of keys, if there is to be one."""
    return Path(config.keys).expanduser() if config.keys is not None else None
