"""The IAM policies allow what Ray's launcher calls, on what is ours, and nothing else. Not run against AWS."""

import json
import re
from pathlib import Path

import pytest
import ray

POLICIES = Path(__file__).parents[2] / "deploy" / "aws"
RAYS = Path(ray.__file__).parent / "autoscaler" / "_private" / "aws"

ACTIONS = {
    "authorize_ingress": "ec2:AuthorizeSecurityGroupIngress", "create_instances": "ec2:RunInstances",
    "create_key_pair": "ec2:CreateKeyPair", "create_security_group": "ec2:CreateSecurityGroup",
    "create_tags": "ec2:CreateTags", "describe_images": "ec2:DescribeImages",
    "describe_instance_types": "ec2:DescribeInstanceTypes", "start_instances": "ec2:StartInstances",
    "describe_launch_template_versions": "ec2:DescribeLaunchTemplateVersions",
    "instances.filter": "ec2:DescribeInstances", "key_pairs.filter": "ec2:DescribeKeyPairs",
    "security_groups.filter": "ec2:DescribeSecurityGroups", "subnets.all": "ec2:DescribeSubnets",
    "subnets.filter": "ec2:DescribeSubnets", "node.stop": "ec2:StopInstances",
    "node.terminate": "ec2:TerminateInstances", "role.load": "iam:GetRole", "profile.load": "iam:GetInstanceProfile",
}  # fmt: skip
NEVER = {"create_role", "create_instance_profile", "attach_policy", "add_role"}
"""What Ray does where the head's role is missing: it would give it all of EC2 and S3. docs/security.md makes it before."""

CALLS = (
    r"\.((?:instances|key_pairs|security_groups|subnets)\.(?:filter|all))\("
    r"|\.((?:create|authorize|describe|start|attach|add)_(?!time)[a-z_]+)\(|\b((?:node|role|profile)\.(?:stop|terminate|load))\("
)


def statements(name):
    return json.loads((POLICIES / f"{name}-policy.json").read_text())["Statement"]


def allowed(name):
    listed = [statement["Action"] for statement in statements(name)]
    return {action for actions in listed for action in ([actions] if isinstance(actions, str) else actions)}


def test_the_launcher_may_do_all_that_ray_calls():
    source = (RAYS / "config.py").read_text() + (RAYS / "node_provider.py").read_text()
    called = {next(filter(None, found)) for found in re.findall(CALLS, source)}
    assert called - NEVER == set(ACTIONS)  # else Ray has changed
    assert set(ACTIONS.values()) <= allowed("launcher")
    of_head = {"ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateTags", "ec2:DescribeInstances", "iam:PassRole"}
    assert of_head <= allowed("head")
    assert not [action for action in allowed("worker") if not action.startswith("s3:")]


@pytest.mark.parametrize("name", ["launcher", "head", "worker"])
def test_nobody_may_do_more(name):
    for statement in statements(name):
        assert statement["Effect"] == "Allow"
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert not [action for action in actions if "*" in action]
        assert not set(actions) & {"iam:CreateRole", "iam:AttachRolePolicy", "iam:PutRolePolicy"}
        if statement["Resource"] == "*":  # AWS knows no narrower resource for Describe
            assert all(action.startswith("ec2:Describe") for action in actions)
        if {"ec2:TerminateInstances", "ec2:StopInstances"} & set(actions):
            assert statement["Condition"] == {"StringEquals": {"aws:ResourceTag/ray-cluster-name": "wavecoder"}}
        if "iam:PassRole" in actions:
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}
