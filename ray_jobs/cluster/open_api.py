"""Whether anybody on a network can submit jobs to this cluster: its job API runs whatever it is sent.

Found out by trying: a request without a token, at each address of this machine. A machine behind one-to-one NAT does
not see its public address; on AWS and Google Cloud the metadata service tells it.
"""

from __future__ import annotations

import http.client
import ipaddress
import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import psutil

log = logging.getLogger("wavecoder.ray_jobs")

TIMEOUT_S = 2.0
METADATA = "169.254.169.254"


@dataclass(frozen=True)
class Exposure:
    """Addresses at which the job API takes requests without a token."""

    public: tuple[str, ...] = ()
    private: tuple[str, ...] = ()
    """Reachable from other machines of the network."""
    loopback: tuple[str, ...] = ()
    """Reachable from this machine only."""


def own_addresses() -> list[str]:
    """IP addresses of this machine's interfaces, loopback among them."""
    found = [address.address.partition("%")[0] for addresses in psutil.net_if_addrs().values() for address in addresses
             if address.family.name in {"AF_INET", "AF_INET6"}]  # fmt: skip
    return sorted(set(found))


def answers_without_token(host: str, port: int) -> bool:
    """Whether the job API lists jobs for a stranger."""
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    try:
        connection.request("GET", "/api/jobs/")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def is_public(address: str) -> bool:
    """Whether an address is one of the internet."""
    return ipaddress.ip_address(address).is_global


def find_exposure(
    port: int, addresses: Iterable[str] | None = None, public: Callable[[str], bool] = is_public
) -> Exposure:
    """Where the job API at this port of this machine is open.

    Args:
        port: of the dashboard.
        addresses: to try; None takes this machine's.
        public: tells addresses of the internet from others.
    """
    tried = own_addresses() if addresses is None else addresses
    opened = [address for address in tried if answers_without_token(address, port)]
    loopback = [address for address in opened if ipaddress.ip_address(address).is_loopback]
    outside = [address for address in opened if address not in loopback]
    return Exposure(
        tuple(address for address in outside if public(address)),
        tuple(address for address in outside if not public(address)),
        tuple(loopback),
    )


def public_address_by_metadata() -> str | None:
    """This machine's public address by its cloud's metadata service; None where there is none or it is not told."""
    for method, path, headers in (
        ("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"}),
        ("GET", "/computeMetadata/v1/instance/network-interfaces/0/access-configs/0/external-ip",
         {"Metadata-Flavor": "Google"}),
    ):  # fmt: skip
        found = _ask_metadata(method, path, headers)
        if found and method == "PUT":
            found = _ask_metadata("GET", "/latest/meta-data/public-ipv4", {"X-aws-ec2-metadata-token": found})
        if found and _is_address(found):
            return found
    return None


def _ask_metadata(method: str, path: str, headers: dict[str, str]) -> str:
    connection = http.client.HTTPConnection(METADATA, 80, timeout=0.5)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.read(1000).decode("ascii", "replace").strip() if answer.status == 200 else ""
    except (OSError, http.client.HTTPException):
        return ""
    finally:
        connection.close()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def refuse_open_cluster(
    exposure: Exposure, *, allowed: bool, by_metadata: Callable[[], str | None] = public_address_by_metadata
) -> None:
    """Refuse a cluster to which anybody can submit jobs, unless that was allowed; warn where a private network can.

    Args:
        exposure: of its job API.
        allowed: `--allow-open-cluster`.
        by_metadata: tells the public address of a machine behind NAT.

    Raises:
        ValueError: its job API is open at a public address.
    """
    public: Sequence[str] = exposure.public
    if not public and exposure.private and (behind := by_metadata()):
        public = (f"{behind} (by its cloud's metadata service; a firewall may stand before it)",)
    if public and not allowed:
        raise ValueError(
            f"this cluster's job API asks for no token and has a public address, {', '.join(public)}: anybody can run "
            "anything on it. Start Ray with RAY_AUTH_MODE=token and --dashboard-host 127.0.0.1 (docs/cluster.md); "
            "or, if you know who reaches it, add --allow-open-cluster"
        )
    if public or exposure.private:
        log.warning("this cluster's job API asks for no token at %s: whoever reaches it can run anything on it; start "
                    "Ray with RAY_AUTH_MODE=token", ", ".join([*public, *exposure.private]))  # fmt: skip
