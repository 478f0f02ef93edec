"""A worker node's ear for the notice that its spot machine will be taken: Ray then drains the node in the time left.

`python -m ray_jobs.cluster.spot` runs beside Ray on each worker of the launcher's files. A draining node takes no new
work, Serve starts replicas elsewhere, and what is running may end. The notice comes from the cloud's metadata
service: AWS gives two minutes, Google Cloud thirty seconds. On Kubernetes the node's own termination handler does
this.
"""

from __future__ import annotations

import http.client
import json
import logging
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from ray_jobs.cluster.open_api import METADATA, own_addresses

log = logging.getLogger("wavecoder.ray_jobs")

INTERVAL_S = 5.0
GOOGLE_S = 30.0


def ask(host: str, port: int, method: str, path: str, headers: dict[str, str]) -> str | None:
    """The answer of the metadata service; None for "there is none"."""
    connection = http.client.HTTPConnection(host, port, timeout=2)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        text = answer.read(10_000).decode("utf-8", "replace")
        return text.strip() if answer.status == 200 else None
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def seconds_left(now: datetime, host: str = METADATA, port: int = 80) -> float | None:
    """Seconds until this machine is taken; None while no notice is given."""
    token = ask(host, port, "PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": "60"})
    if token is not None:
        notice = ask(host, port, "GET", "/latest/meta-data/spot/instance-action", {"X-aws-ec2-metadata-token": token})
        if notice is None:
            return None
        try:
            until = datetime.fromisoformat(json.loads(notice)["time"].replace("Z", "+00:00"))
        except (ValueError, KeyError, TypeError):
            return 0.0  # a notice that we cannot read is a notice all the same
        return max(0.0, (until - now).total_seconds())
    taken = ask(host, port, "GET", "/computeMetadata/v1/instance/preempted", {"Metadata-Flavor": "Google"})
    return GOOGLE_S if taken == "TRUE" else None


def drain(gcs_address: str, left_s: float, addresses: list[str]) -> None:
    """Ask Ray to drain the nodes at these addresses.

    Args:
        gcs_address: `host:port` of the head node.
        left_s: seconds until the machine is taken.
        addresses: this machine's.

    Raises:
        RuntimeError: Ray refused.
    """
    from ray._raylet import GcsClient  # type: ignore[attr-defined]
    from ray.core.generated import autoscaler_pb2, gcs_pb2

    client = GcsClient(address=gcs_address)
    deadline_ms = time.time_ns() // 1_000_000 + int(left_s * 1000)
    reason = autoscaler_pb2.DrainNodeReason.Value("DRAIN_NODE_REASON_PREEMPTION")
    for node_id, node in client.get_all_node_info(timeout=10).items():
        if node.state == gcs_pb2.GcsNodeInfo.ALIVE and node.node_manager_address in addresses:
            accepted, why = client.drain_node(
                node_id.hex(), reason, "the provider takes this spot machine", deadline_ms
            )
            if not accepted:
                raise RuntimeError(f"Ray does not drain this node: {why}")


def listen(left: Callable[[], float | None], act: Callable[[float], None], interval_s: float = INTERVAL_S) -> None:
    """Wait for the notice, act on it once, and end."""
    while (seconds := left()) is None:
        time.sleep(interval_s)
    log.warning("this spot machine is taken in %.0f s; Ray drains it", seconds)
    act(seconds)


def main() -> int:
    """Listen until the notice comes."""
    gcs = sys.argv[1] if len(sys.argv) > 1 else f"{os.environ['RAY_HEAD_IP']}:6379"
    logging.basicConfig(level=logging.INFO)
    listen(lambda: seconds_left(datetime.now(UTC)), lambda seconds: drain(gcs, seconds, own_addresses()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
