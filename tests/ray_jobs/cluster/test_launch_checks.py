"""`doctor --cluster FILE`: what the file alone tells, and what AWS (moto) says of it."""

import datetime
from pathlib import Path

import boto3
import pytest
import yaml
from moto import mock_aws

from ray_jobs.cluster import launch_checks
from ray_jobs.cluster.launch_checks import ask_aws, judge_launcher_file

TODAY = datetime.date(2026, 11, 28)
ROOT = Path(__file__).parents[3]


@pytest.fixture
def tree(tmp_path):
    found = yaml.safe_load((ROOT / "cluster.yaml").read_text())
    token = tmp_path / "token"
    token.write_text("x")
    token.chmod(0o600)
    found["file_mounts"] = {"/home/ubuntu/.ray/auth_token": str(token)}
    return found


def written(tmp_path, tree):
    file = tmp_path / "cluster.yaml"
    file.write_text(yaml.safe_dump(tree))
    return str(file)


def faults(findings):
    return {(each.level, each.check): each.said for each in findings if each.level != "ok"}


def test_the_file_of_this_project_lacks_only_the_workers_role(tmp_path, tree):
    found = faults(judge_launcher_file(written(tmp_path, tree), TODAY))
    assert set(found) == {("warning", "role")} and "gpu-spot, train" in found["warning", "role"]


def test_what_is_missing_is_named(tmp_path, tree):
    token = Path(tree["file_mounts"]["/home/ubuntu/.ray/auth_token"])
    token.chmod(0o644)
    tree["provider"]["region"] = "moon-1"
    del tree["available_node_types"]["gpu"]
    found = faults(judge_launcher_file(written(tmp_path, tree), datetime.date(2028, 1, 1)))
    assert "g6e.2xlarge" in found["warning", "prices"] or "is of 2026" in found["warning", "prices"]
    assert "gpu-spot" in found["warning", "fallback"] and "chmod 600" in found["warning", "token"]
    token.unlink()
    assert "ray get-auth-token" in faults(judge_launcher_file(written(tmp_path, tree), TODAY))["problem", "token"]
    del tree["file_mounts"], tree["provider"]["region"]
    found = faults(judge_launcher_file(written(tmp_path, tree), TODAY))
    assert "anybody" in found["problem", "token"] and "provider.region" in found["problem", "region"]


@mock_aws
def test_aws_is_asked_for_types_image_key_and_role(tmp_path, tree, monkeypatch):
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    ec2 = boto3.client("ec2", region_name="us-west-2")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    for kind in tree["available_node_types"].values():
        kind["node_config"] |= {"ImageId": image, "KeyName": "mine", "IamInstanceProfile": {"Name": "worker"},
                                "InstanceType": "m5.large"}  # fmt: skip
    found = faults(ask_aws(written(tmp_path, tree)))
    assert "'mine' is not there" in found["problem", "key pair"] and "'worker' is not there" in found["problem", "role"]
    ec2.create_key_pair(KeyName="mine")
    boto3.client("iam", region_name="us-west-2").create_instance_profile(InstanceProfileName="worker")
    assert not [check for level, check in faults(ask_aws(written(tmp_path, tree))) if level == "problem"]
    tree["available_node_types"]["gpu"]["node_config"] |= {"InstanceType": "x9.moon", "ImageId": "ami-00000000"}
    found = faults(ask_aws(written(tmp_path, tree)))
    assert "us-west-2 offers no x9.moon" in found["problem", "machine type"]
    assert "ami-00000000 is not there" in found["problem", "image"]


def test_quotas_are_compared_with_all_nodes_that_the_file_allows(tree, tmp_path):
    class Told:
        def describe_instance_types(self, InstanceTypes):
            return {
                "InstanceTypes": [{"InstanceType": each, "VCpuInfo": {"DefaultVCpus": 8}} for each in InstanceTypes]
            }

        def get_service_quota(self, ServiceCode, QuotaCode):
            return {"Quota": {"Value": 64.0}}

    kinds, _ = launch_checks.load_launcher_file(written(tmp_path, tree))
    found = {each.said: each.level for each in launch_checks._ask_quotas(Told(), Told(), kinds)}
    assert found["G machines, on demand: 64 vCPUs allowed, up to 48 asked"] == "ok"
    assert (
        found[
            "G machines, spot: 64 vCPUs allowed, up to 80 asked; ask for more (quota L-3819A6DF) or lower max_workers"
        ]
        == "warning"
    )


def test_another_cloud_is_not_asked():
    assert "only AWS is asked" in ask_aws(str(ROOT / "deploy" / "gcp" / "cluster.yaml"))[0].said
