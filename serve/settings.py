"""Where the endpoint listens, and what is behind it. No Ray here."""

import errno
import logging
import re
import socket
from typing import Annotated, Literal, Self

from pydantic import Field, PositiveFloat, PositiveInt, field_validator, model_validator

from core.settings import Execution, Settings
from serve.engines.settings import EngineConfig
from serve.gateway.settings import GatewayConfig, is_loopback

log = logging.getLogger("wavecoder.serve")


class ServeConfig(Settings):
    """The endpoint that Ray Serve hosts on the loopback address, and the gateway in front of it."""

    host: Annotated[str, Execution()] = "127.0.0.1"
    """Address that the gateway listens on. Other than the loopback address only with `gateway.keys`."""

    port: Annotated[int, Execution()] = Field(default=8000, ge=1, le=65535)
    """Port of the OpenAI-compatible API. Left out, it is 8000 or the next free one."""

    replica_host: Annotated[Literal["127.0.0.1", "0.0.0.0"], Execution()] = "127.0.0.1"  # noqa: S104 - on a private network, if asked for
    """Address that replicas and Ray Serve's proxy listen on; they answer whoever knows a secret that the endpoint makes
    for itself. 0.0.0.0 on a cluster whose network is private: replicas on other machines are then asked directly, too,
    and by prefix if `routing` says so; else through the proxy, balanced."""

    engine: EngineConfig = EngineConfig()
    """The vLLM replicas behind it."""

    engines: dict[str, EngineConfig] = {}
    """Replicas of single models that differ, by the name that clients ask for; whole, not on top of `engine`."""

    replicas: Annotated[PositiveInt | None, Execution()] = None
    """Replicas of all models together, while a generator and a discriminator of different models are served: they
    move to the model whose queue needs them. None: each model has its `min_replicas` to `max_replicas`."""

    beside: Annotated[tuple[Literal["generator", "discriminator"], ...], Execution()] = ()
    """Models that `wavecoder serve` serves beside the tuned one, as `generate` names them."""

    upstream: Annotated[str | None, Execution()] = None
    """URL, ending in /v1, of a server that answers for the models already, such as Ray Serve on Kubernetes: `wavecoder
    serve` is then the gateway before it and starts nothing else."""

    upstream_key_env: Annotated[str | None, Execution()] = None
    """Environment variable that holds the key which that server asks for, if it asks for one; clients never see it."""

    ready_timeout_s: Annotated[PositiveFloat, Execution()] = 600.0
    """Longest wait until every model answers."""

    gateway: Annotated[GatewayConfig, Execution()] = GatewayConfig()
    """Who may ask, and how much."""

    @property
    def port_named(self) -> bool:
        """Whether the recipe names the port, so that no other will do."""
        return "port" in self.model_fields_set

    def engine_of(self, model: str) -> EngineConfig:
        """The replicas of a model."""
        return self.engines.get(model, self.engine)

    @field_validator("upstream")
    @classmethod
    def _url_of_an_api(cls, upstream: str | None) -> str | None:
        if upstream is not None and not re.fullmatch(r"https?://[^/\s@]+(/[^\s?#]*)?/v1/?", upstream):
            raise ValueError(f"{upstream!r} is no URL that ends in /v1, such as http://wavecoder-serve-svc:8000/v1")
        return upstream

    @model_validator(mode="after")
    def _no_engines_beside_an_upstream(self) -> Self:
        if self.upstream is not None and self.beside:
            raise ValueError("serve.beside starts engines, and serve.upstream starts none: leave one of them out")
        if self.upstream is None and self.upstream_key_env is not None:
            raise ValueError("serve.upstream_key_env names the key of a server that serve.upstream does not name")
        return self

    @model_validator(mode="after")
    def _no_public_address_without_keys(self) -> Self:
        if not is_loopback(self.host) and self.gateway.keys is None:
            raise ValueError(
                f"serve.host {self.host} can be reached by others, so serve.gateway.keys must name a file of API keys; "
                "make one with: wavecoder keys create --keys FILE --name WHO"
            )
        return self


PORTS_TRIED = 100


def listen(host: str, port: int, key: str, *, named: bool = True) -> socket.socket:
    """A socket that listens.

    Args:
        host: address, or name of one.
        port: the port, or the first to try.
        key: the setting that holds it.
        named: the user chose it: no other will do. Else the next free one is taken.

    Raises:
        OSError: one line: something listens there already, or nobody may.
    """
    last = port if named else min(port + PORTS_TRIED - 1, 65535)
    for tried in range(port, last + 1):
        try:
            family, kind, _, _, address = socket.getaddrinfo(host.strip("[]"), tried, type=socket.SOCK_STREAM)[0]
            listening = socket.socket(family, kind)
        except OSError as error:
            raise OSError(f"cannot listen on {host}:{port} ({error.strerror})") from None
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
            listening.listen(2048)
            return listening
        except OSError as error:
            listening.close()
            if error.errno != errno.EADDRINUSE or tried == last:
                raise OSError(f"cannot listen on {host}:{tried} ({error.strerror}); choose another with "
                              f"--set {key}=PORT or stop what listens there") from None  # fmt: skip
    raise AssertionError("a port was tried")


def choose_port(host: str, port: int, key: str, *, named: bool) -> int:
    """The port, or the next free one; arguments and errors as of `listen`."""
    with listen(host, port, key, named=named) as listening:
        chosen: int = listening.getsockname()[1]
    if chosen != port:
        log.info("port %d is taken, so port %d (--set %s=PORT takes another)", port, chosen, key)
    return chosen


def check_port_free(host: str, port: int, key: str) -> None:
    """Raise a one-line `OSError` when something listens on the port already."""
    choose_port(host, port, key, named=True)
