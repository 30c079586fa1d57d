"""The example for Kubernetes: it parses, fits together, and asks for what the image and the settings can give."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from environment import PREFIX
from settings import Settings

FOLDER = Path(__file__).parents[2] / "deploy" / "kubernetes"
KUSTOMIZATION: dict[str, Any] = yaml.safe_load((FOLDER / "kustomization.yaml").read_text("utf-8"))
OBJECTS: dict[str, list[dict[str, Any]]] = {
    path.name: list(yaml.safe_load_all(path.read_text("utf-8")))
    for path in sorted(FOLDER.glob("*.yaml"))
    if path.name != "kustomization.yaml"
}
ALL = [(file, one) for file, objects in OBJECTS.items() for one in objects]
PODS = {
    file: one["spec"]["template"]["spec"]
    for file, one in ALL
    if one["kind"] in {"Deployment", "WorkerDeployment", "Job"}
}
LAST_WORDS = {"web.yaml": 8, "worker.yaml": 25, "worker-versioned.yaml": 25, "collector.yaml": 35}
"""Seconds that each process may take to end by itself."""


def test_the_kustomization_names_every_file_and_builds() -> None:
    assert set(KUSTOMIZATION["resources"]) == set(OBJECTS) - {"worker-versioned.yaml"}
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("NO KUBECTL FOUND: `kubectl kustomize` puts the example together without a cluster")
    built = subprocess.run([kubectl, "kustomize", str(FOLDER)], capture_output=True, text=True, check=True).stdout
    made = list(yaml.safe_load_all(built))
    assert len(made) == sum(len(objects) for file, objects in OBJECTS.items() if file != "worker-versioned.yaml")
    assert {one["metadata"]["namespace"] for one in made} == {"plazo"}
    assert "image: plazo\n" not in built


@pytest.mark.parametrize("file", PODS)
def test_a_pod_is_confined_bounded_and_takes_secrets_by_reference(file: str) -> None:
    pod = PODS[file]
    container = pod["containers"][0]
    assert pod["securityContext"]["runAsNonRoot"]
    assert not pod["automountServiceAccountToken"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["limits"]["memory"]
    assert container["resources"]["requests"]["cpu"]
    assert {volume["name"] for volume in pod["volumes"]} == {one["name"] for one in container["volumeMounts"]}
    assert {"name": "secrets", "secret": {"secretName": "plazo"}} in pod["volumes"]
    assert pod["terminationGracePeriodSeconds"] > LAST_WORDS.get(file, 0)
    ports = {port["name"] for port in container.get("ports", [])}
    probes = [
        container[name]["httpGet"] for name in ("startupProbe", "livenessProbe", "readinessProbe") if name in container
    ]
    assert all(probe["port"] in ports and probe["path"] in {"/healthz", "/readyz"} for probe in probes)
    assert len(probes) == {"migrate.yaml": 0, "web.yaml": 3}.get(file, 2)


def test_the_settings_are_settings_and_hold_no_secret() -> None:
    data = OBJECTS["settings.yaml"][0]["data"]
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields} | {f"{PREFIX}SECRETS_DIR"}
    assert {name for name in data if name.startswith(PREFIX)} <= known
    assert {name for name in data if not name.startswith(PREFIX)} == {"TEMPORAL_ADDRESS", "TEMPORAL_NAMESPACE"}
    mounted = [one["mountPath"] for one in PODS["web.yaml"]["containers"][0]["volumeMounts"]]
    assert {data["PLAZO_SECRETS_DIR"], data["PLAZO_VAR"]} <= set(mounted)
    assert not any(one["kind"] == "Secret" for _, one in ALL)
    fields = ("keys", "records_url", "reply_secret", "sendgrid_api_key", "inbound_secret", "codec_secret")
    assert not any(f"{PREFIX}{name.upper()}" in data for name in fields)


def test_what_scales_and_what_is_kept_up_is_there() -> None:
    for file, one in ALL:
        names = [other["metadata"]["name"] for other in OBJECTS[file] if other["kind"] == "Deployment"]
        if one["kind"] == "HorizontalPodAutoscaler":
            assert one["spec"]["scaleTargetRef"]["name"] in names
            assert 2 <= one["spec"]["minReplicas"] < one["spec"]["maxReplicas"]
            assert "replicas" not in OBJECTS[file][0]["spec"]  # it is the scaler's to say
        if one["kind"] == "PodDisruptionBudget":
            assert one["spec"]["selector"]["matchLabels"]["part"] in names


def test_with_worker_versioning_the_pod_is_the_same() -> None:
    versioned, plain = PODS["worker-versioned.yaml"], PODS["worker.yaml"]
    images = [one["containers"][0].pop("image") for one in (versioned, plain)]
    assert images == [f"{KUSTOMIZATION['images'][0]['newName']}:{KUSTOMIZATION['images'][0]['newTag']}", "plazo"]
    assert versioned == plain
    connection, deployment, template = OBJECTS["worker-versioned.yaml"]
    assert deployment["spec"]["workerOptions"]["connectionRef"]["name"] == connection["metadata"]["name"]
    assert (
        deployment["spec"]["workerOptions"]["temporalNamespace"]
        == OBJECTS["settings.yaml"][0]["data"]["TEMPORAL_NAMESPACE"]
    )
    assert template["spec"]["temporalWorkerDeploymentRef"]["name"] == deployment["metadata"]["name"]
