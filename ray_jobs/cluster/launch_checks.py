"""What would stop `ray up FILE`, before it costs anything: the file by itself, and what AWS says of it."""

from __future__ import annotations

import datetime
import importlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from core.strict_yaml import read_yaml
from ray_jobs.cluster.node_checks import Finding, Level
from ray_jobs.cluster.node_types import LaunchedType, load_launcher_file, load_prices

STALE_PRICES = datetime.timedelta(days=90)
QUOTAS = {
    ("G", False): "L-DB2E81BA", ("G", True): "L-3819A6DF", ("P", False): "L-417A185B", ("P", True): "L-7212CCBC",
    ("standard", False): "L-1216C47A", ("standard", True): "L-34B43A08",
}  # fmt: skip
"""Family of machines, and whether spot → AWS's code of the quota of vCPUs in a region."""


def judge_launcher_file(path: str, today: datetime.date) -> list[Finding]:
    """What the file alone tells.

    Raises:
        FileNotFoundError, ValueError: it is no launcher's file.
    """
    kinds, region = load_launcher_file(path)
    tree = read_yaml(Path(path).expanduser().read_text(encoding="utf-8")).value
    found = [
        Finding("ok", "region", region) if region else
        Finding("problem", "region", "provider.region is missing; put in where the machines are to run")
    ]  # fmt: skip
    found += [*_judge_prices(kinds, region, today), *_judge_token(tree), *_judge_roles(kinds, tree)]
    twins = Counter(tuple(sorted(kind.resources.items())) for kind in kinds if not kind.spot and not kind.head)
    alone = [kind.name for kind in kinds if kind.spot and not twins[tuple(sorted(kind.resources.items()))]]
    if alone:
        said = f"{', '.join(alone)}: no type on demand has the same resources; without spot capacity a stage waits"
        found.append(Finding("warning", "fallback", said))
    return found


def _judge_prices(kinds: list[LaunchedType], region: str, today: datetime.date) -> list[Finding]:
    prices = load_prices(None, region)
    unknown = sorted({kind.machine for kind in kinds if prices.of(kind) is None})
    found = []
    if unknown:
        said = f"deploy/prices.yaml knows no {', '.join(unknown)} in {region or '?'}; plan --prices FILE takes yours"
        found.append(Finding("warning", "prices", said))
    if today - prices.date > STALE_PRICES:
        found.append(Finding("warning", "prices", f"deploy/prices.yaml is of {prices.date}; look the prices up"))
    return found or [Finding("ok", "prices", f"of {prices.date}")]


def _judge_token(tree: Mapping[str, Any]) -> list[Finding]:
    sources = [str(source) for target, source in (tree.get("file_mounts") or {}).items() if "auth_token" in str(target)]
    if not sources:
        return [
            Finding("problem", "token", "file_mounts lays no auth_token on the nodes; anybody could send them jobs")
        ]
    file = Path(sources[0]).expanduser()
    if not file.is_file():
        said = f"{sources[0]} is not there; make it with: ray get-auth-token --generate"
        return [Finding("problem", "token", said)]
    if file.stat().st_mode & 0o077:
        return [Finding("warning", "token", f"others can read {sources[0]}: chmod 600 {sources[0]}")]
    return [Finding("ok", "token", sources[0])]


def _judge_roles(kinds: list[LaunchedType], tree: Mapping[str, Any]) -> list[Finding]:
    if tree["provider"].get("type") != "aws":
        return []
    without = [kind.name for kind in kinds if not kind.head and "IamInstanceProfile" not in _config(tree, kind)]
    if not without:
        return [Finding("ok", "role", "every node type has one")]
    said = f"{', '.join(without)} have no IamInstanceProfile: they cannot read a run directory in a bucket"
    return [Finding("warning", "role", said)]


def _config(tree: Mapping[str, Any], kind: LaunchedType) -> Mapping[str, Any]:
    found: Mapping[str, Any] = tree["available_node_types"][kind.name].get("node_config") or {}
    return found


def ask_aws(path: str) -> list[Finding]:
    """What AWS says: types offered, images, key pairs, roles, and quotas of vCPUs. Reads only.

    Raises:
        FileNotFoundError, ValueError: it is no launcher's file.
    """
    kinds, region = load_launcher_file(path)
    tree = read_yaml(Path(path).expanduser().read_text(encoding="utf-8")).value
    if tree["provider"].get("type") != "aws":
        return [Finding("warning", "cloud", f"only AWS is asked; {tree['provider'].get('type')} is not")]
    try:
        boto3 = importlib.import_module("boto3")
    except ImportError:
        return [Finding("warning", "AWS", "not asked: pip install '.[aws]'")]

    def client(name: str) -> Any:
        return boto3.client(name, region_name=region)

    checks: dict[str, Callable[[], list[Finding]]] = {
        "machine type": lambda: _ask_types(client("ec2"), kinds, region),
        "image": lambda: _ask_images(client("ec2"), client("ssm"), [_config(tree, kind) for kind in kinds]),
        "key pair": lambda: _ask_keys(client("ec2"), [_config(tree, kind) for kind in kinds]),
        "role": lambda: _ask_roles(client("iam"), [_config(tree, kind) for kind in kinds]),
        "quota": lambda: _ask_quotas(client("service-quotas"), client("ec2"), kinds),
    }
    found = []
    for name, check in checks.items():
        try:
            found += check()
        except Exception as error:  # noqa: BLE001 - botocore's errors are made at run time; one refused question is a finding
            said = " ".join(str(error).split())[:200]
            hint = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
            level: Level = "problem" if "redential" in said or "AuthFailure" in said else "warning"
            found.append(
                Finding(level, name, f"could not be asked: {said}" + (f"; {hint}" if level == "problem" else ""))
            )
    return found


def _ask_types(ec2: Any, kinds: list[LaunchedType], region: str) -> list[Finding]:
    wanted = sorted({kind.machine for kind in kinds if kind.machine})
    answer = ec2.describe_instance_type_offerings(Filters=[{"Name": "instance-type", "Values": wanted}])
    offered = {each["InstanceType"] for each in answer["InstanceTypeOfferings"]}
    missing = [machine for machine in wanted if machine not in offered]
    if missing:
        said = f"{region} offers no {', '.join(missing)}; take another region or another InstanceType"
        return [Finding("problem", "machine type", said)]
    return [Finding("ok", "machine type", f"{region} offers {', '.join(wanted)}")]


def _ask_images(ec2: Any, ssm: Any, configs: list[Mapping[str, Any]]) -> list[Finding]:
    found = []
    for image in sorted({str(config["ImageId"]) for config in configs if "ImageId" in config}):
        name = image
        if image.startswith("resolve:ssm:"):
            names = ssm.get_parameters(Names=[image.removeprefix("resolve:ssm:")])["Parameters"]
            name = names[0]["Value"] if names else ""
        there = bool(name) and ec2.describe_images(Filters=[{"Name": "image-id", "Values": [name]}])["Images"]
        said = f"{image}: {name}" if there else f"ImageId {image} is not there in this region, or not for this account"
        found.append(Finding("ok" if there else "problem", "image", said))
    return found


def _ask_keys(ec2: Any, configs: list[Mapping[str, Any]]) -> list[Finding]:
    found = []
    for name in sorted({str(config["KeyName"]) for config in configs if "KeyName" in config}):
        there = ec2.describe_key_pairs(Filters=[{"Name": "key-name", "Values": [name]}])["KeyPairs"]
        said = name if there else f"KeyName {name!r} is not there; make it, or leave KeyName out and Ray makes one"
        found.append(Finding("ok" if there else "problem", "key pair", said))
    return found


def _ask_roles(iam: Any, configs: list[Mapping[str, Any]]) -> list[Finding]:
    wanted = {profile.get("Name") or str(profile.get("Arn", "")).rpartition("/")[2]
              for config in configs if (profile := config.get("IamInstanceProfile"))}  # fmt: skip
    if not wanted:
        return []
    pages = iam.get_paginator("list_instance_profiles").paginate()
    there = {each["InstanceProfileName"] for page in pages for each in page["InstanceProfiles"]}
    return [Finding("ok" if name in there else "problem", "role",
                    name if name in there else f"IamInstanceProfile {name!r} is not there; docs/security.md makes it")
            for name in sorted(wanted)]  # fmt: skip


def _ask_quotas(quotas: Any, ec2: Any, kinds: list[LaunchedType]) -> list[Finding]:
    """The vCPUs of all nodes that the file allows, against what the account may run in the region."""
    machines = sorted({kind.machine for kind in kinds if kind.machine})
    answer = ec2.describe_instance_types(InstanceTypes=machines)["InstanceTypes"]
    cpus = {each["InstanceType"]: int(each["VCpuInfo"]["DefaultVCpus"]) for each in answer}
    wanted: Counter[tuple[str, bool]] = Counter()
    for kind in kinds:
        wanted[_family(kind.machine), kind.spot] += cpus.get(kind.machine, 0) * (1 if kind.head else kind.max_workers)
    found = []
    for (family, spot), count in sorted(wanted.items()):
        code = QUOTAS[family, spot]
        allowed = quotas.get_service_quota(ServiceCode="ec2", QuotaCode=code)["Quota"]["Value"]
        what = f"{family} machines, {'spot' if spot else 'on demand'}: {allowed:.0f} vCPUs allowed, up to {count} asked"
        low = count > allowed
        more = f"; ask for more (quota {code}) or lower max_workers" if low else ""
        found.append(Finding("warning" if low else "ok", "quota", what + more))
    return found


def _family(machine: str) -> str:
    first = machine[:1].upper()
    return first if first in {"G", "P"} else "standard"
