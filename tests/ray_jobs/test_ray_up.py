"""`ray up cluster.yaml` and `ray down` against moto's EC2 and IAM: Ray's real launcher, up to where it would log in."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import boto3
import pytest
import yaml

ROOT = Path(__file__).parents[2]
REGION, ROLE = "us-west-2", "ray-autoscaler-v1"
TRUST = {"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}]}  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]


@pytest.fixture
def account(store, monkeypatch, tmp_path):
    """EC2 of an account with the head's role of docs/security.md; nothing can be logged in to."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "ssh").write_text("#!/bin/sh\nexit 255\n")  # moto's addresses are those of strangers
    (tmp_path / "bin" / "ssh").chmod(0o755)
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("t" * 64)
    for name, value in {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}", "HOME": str(tmp_path), "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION, "AUTOSCALER_NODE_START_WAIT_S": "1", "RAY_USAGE_STATS_ENABLED": "0",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    iam = boto3.client("iam", endpoint_url=store.url)
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.put_role_policy(RoleName=ROLE, PolicyName="head",
                        PolicyDocument=(ROOT / "deploy" / "aws" / "head-policy.json").read_text())  # fmt: skip
    iam.create_instance_profile(InstanceProfileName=ROLE)
    iam.add_role_to_instance_profile(InstanceProfileName=ROLE, RoleName=ROLE)
    return boto3.client("ec2", endpoint_url=store.url, region_name=REGION)


@pytest.fixture
def launcher_file(account, tmp_path):
    """cluster.yaml with an image that moto knows; the rest is as users have it."""
    image = account.describe_images()["Images"][0]["ImageId"]
    path = tmp_path / "cluster.yaml"
    path.write_text(re.sub(r"ImageId: \S+", f"ImageId: {image}", (ROOT / "cluster.yaml").read_text()))
    return path


def ray(*arguments):
    program = [str(Path(sys.executable).parent / "ray"), *map(str, arguments)]
    return subprocess.run(program, cwd=ROOT, capture_output=True, text=True, check=False)


def running(account):
    """Instances that cost money."""
    found = [each for page in account.describe_instances()["Reservations"] for each in page["Instances"]]
    return [each for each in found if each["State"]["Name"] in ("pending", "running", "stopping", "stopped")]


def start_worker(path, node_type):
    """What the autoscaler on the head does when a stage asks for a type."""
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
    from ray.autoscaler._private.commands import _bootstrap_config

    config = _bootstrap_config(yaml.safe_load(path.read_text()), no_config_cache=True)
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    tags = {"ray-node-type": "worker", "ray-user-node-type": node_type}
    provider.create_node(config["available_node_types"][node_type]["node_config"], tags, 1)


def test_the_cluster_comes_as_its_file_says_and_goes_whole(account, launcher_file):
    told = ray("up", "-y", "--no-config-cache", launcher_file)
    assert "update-failed" in told.stdout + told.stderr  # it got as far as logging in
    (head,) = running(account)
    tags = {tag["Key"]: tag["Value"] for tag in head["Tags"]}
    assert (head["InstanceType"], tags["ray-cluster-name"], tags["ray-node-type"]) == (
        "m6i.4xlarge",
        "wavecoder",
        "head",
    )
    assert head["IamInstanceProfile"]["Arn"].endswith(f"/{ROLE}")
    assert (head["MetadataOptions"]["HttpTokens"], head["MetadataOptions"]["HttpPutResponseHopLimit"]) == (
        "required",
        1,
    )
    assert "InstanceLifecycle" not in head  # a head is never taken
    (disk,) = account.describe_volumes()["Volumes"]
    assert (disk["Encrypted"], disk["Size"], disk["VolumeType"]) == (True, 500, "gp3")

    for node_type, lifecycle in (("gpu-spot", "spot"), ("gpu", None)):  # the second one is taken where there is no spot
        before = {each["InstanceId"] for each in running(account)}
        start_worker(launcher_file, node_type)
        (worker,) = [each for each in running(account) if each["InstanceId"] not in before]
        assert (worker["InstanceType"], worker.get("InstanceLifecycle")) == ("g6e.2xlarge", lifecycle)
        assert "IamInstanceProfile" not in worker  # Ray gives a role to the head alone
        assert [group["GroupName"] for group in worker["SecurityGroups"]] == ["ray-autoscaler-wavecoder"]

    (group,) = account.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["ray-autoscaler-wavecoder"]}]
                                                )["SecurityGroups"]  # fmt: skip
    from_outside = {(rule.get("FromPort"), rule.get("ToPort")) for rule in group["IpPermissions"] if rule["IpRanges"]}
    inside = [pair["GroupId"] for rule in group["IpPermissions"] for pair in rule["UserIdGroupPairs"]]
    assert from_outside == {(22, 22)} and inside == [group["GroupId"]]  # docs/security.md says how to close 22, too

    assert ray("down", "-y", launcher_file).returncode == 0
    assert running(account) == []
