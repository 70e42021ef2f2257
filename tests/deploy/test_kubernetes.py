"""The manifests, built by kustomize and read by the schemas of Kubernetes, without a cluster."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from command_center.consumer import GROUP
from ingest.supervisor import STOP_SECONDS
from safecity.bus.port import TOPICS
from safecity.bus.roles import ROLES
from safecity.settings import Site, load_site
from tests.deploy.tools import DEPLOY, SECRETS, run, tool, unknown_metrics

KUBERNETES = DEPLOY / "kubernetes"
KEDA = ("ScaledObject", "TriggerAuthentication")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The base with scaling by KEDA, as an overlay has it."""
    folder = tmp_path_factory.mktemp("overlay")
    # Kustomize wants relative paths.
    relative = Path("/".join([".."] * (len(folder.parts) - 1))) / str(KUBERNETES.relative_to("/"))
    (folder / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kustomize.config.k8s.io/v1beta1",
                "kind": "Kustomization",
                "namespace": "safecity",
                "resources": [str(relative)],
                "components": [str(relative / "components" / "keda")],
            }
        )
    )
    made = run(tool("kubectl"), "kustomize", str(folder))
    assert made.returncode == 0, made.stderr
    path = folder / "all.yaml"
    path.write_text(made.stdout)
    return path


@pytest.fixture(scope="module")
def objects(built: Path) -> dict[tuple[str, str], dict[str, Any]]:
    documents = [each for each in yaml.safe_load_all(built.read_text()) if each]
    return {(each["kind"], each["metadata"]["name"]): each for each in documents}


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return load_site(KUBERNETES / "site.toml")


def pods(objects: dict[tuple[str, str], dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {
        name: each["spec"]["template"]["spec"]
        for (kind, name), each in objects.items()
        if kind in ("StatefulSet", "Deployment", "Job")
    }


def test_the_schemas_of_kubernetes_accept_everything(built, objects, tmp_path):
    plain = tmp_path / "plain.yaml"
    plain.write_text(yaml.safe_dump_all(each for (kind, _), each in objects.items() if kind not in KEDA))
    checked = run(tool("kubernetes-validate"), "--strict", str(plain))
    assert checked.returncode == 0, checked.stdout + checked.stderr
    broken = yaml.safe_load_all(plain.read_text())
    wrong = [
        {**each, "spec": {**each["spec"], "replicas": "two"}}
        for each in broken
        if each["kind"] == "Deployment"
    ]
    plain.write_text(yaml.safe_dump_all(wrong))
    assert run(tool("kubernetes-validate"), "--strict", str(plain)).returncode != 0


def test_a_worker_keeps_its_disk_and_has_the_time_to_empty_its_outbox(objects):
    worker = objects["StatefulSet", "safecity-worker"]
    claims = {claim["metadata"]["name"] for claim in worker["spec"]["volumeClaimTemplates"]}
    pod = pods(objects)["safecity-worker"]
    mounts = {mount["mountPath"]: mount["name"] for mount in pod["containers"][0]["volumeMounts"]}
    assert mounts["/var/lib/safecity"] in claims
    assert worker["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"
    assert pod["terminationGracePeriodSeconds"] > STOP_SECONDS + 30


def test_every_pod_is_confined_probed_and_sized(objects):
    for name, pod in pods(objects).items():
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"], name
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["requests"].keys() >= {"cpu", "memory"}
        assert "memory" in container["resources"]["limits"]
        if name != "safecity-topics":
            assert container["livenessProbe"]["httpGet"]["path"] == "/api/v1/health/live"
            assert container["readinessProbe"]["httpGet"]["path"] == "/api/v1/health/ready"
            assert ("PodDisruptionBudget", name) in objects
            assert ("NetworkPolicy", name) in objects


def test_secrets_come_by_reference_and_each_role_has_its_own(objects):
    users = {}
    for name, pod in pods(objects).items():
        (container,) = pod["containers"]
        for variable in container["env"]:
            if variable["name"].startswith("SAFECITY_BUS"):
                users.setdefault(name, set()).add(variable["valueFrom"]["secretKeyRef"]["name"])
    roles = {"safecity-worker": "worker", "safecity-centre": "centre", "safecity-topics": "ops"}
    assert users == {name: {f"safecity-bus-{role}"} for name, role in roles.items()}
    assert set(roles.values()) <= {role.name for role in ROLES}
    assert not [kind for kind, _ in objects if kind == "Secret"]


def test_the_site_file_loads_and_fits_the_manifests(objects, site):
    assert site.bus.sasl is not None
    mounts = pods(objects)["safecity-worker"]["containers"][0]["volumeMounts"]
    assert str(site.bus.tls.ca_file.parent) in {mount["mountPath"] for mount in mounts}
    assert str(site.data_dir) in {mount["mountPath"] for mount in mounts}
    cpus = pods(objects)["safecity-worker"]["containers"][0]["resources"]["requests"]["cpu"]
    assert site.worker.processes == int(cpus)
    ports = {
        p["containerPort"] for pod in pods(objects).values() for p in pod["containers"][0].get("ports", [])
    }
    assert ports == {site.worker.metrics_port, site.centre.port}


def test_scaling_looks_at_what_there_is(objects, site):
    centre, worker = objects["ScaledObject", "safecity-centre"], objects["ScaledObject", "safecity-worker"]
    for scaled in (centre, worker):
        target = scaled["spec"]["scaleTargetRef"]
        assert (target.get("kind", "Deployment"), target["name"]) in objects
        assert scaled["spec"]["maxReplicaCount"] <= site.bus.partitions
    lag = centre["spec"]["triggers"][0]["metadata"]
    assert lag["consumerGroup"] == site.bus.topic_prefix + GROUP
    assert lag["topic"].removeprefix(site.bus.topic_prefix) in TOPICS
    assert lag["bootstrapServers"] == site.bus.bootstrap_servers[0]
    secrets = objects["TriggerAuthentication", "safecity-bus-scaler"]["spec"]["secretTargetRef"]
    assert {ref["name"] for ref in secrets} == {"safecity-bus-scaler", "safecity-bus-ca"}
    load = worker["spec"]["triggers"][0]["metadata"]
    assert unknown_metrics(load["query"]) == set()
    budget = site.worker.processes * site.worker.cpu_share
    assert budget / 2 < float(load["threshold"]) < budget
