"""The Kubernetes manifests: valid to the letter, their parts fit each other, and no right is given that is not said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from package_hunter.api.metrics import Metrics
from tests.support.requires import ROOT, needs_module

FOLDER = ROOT / "deploy/kubernetes"
KINDS_OF_KUSTOMIZE = {"Kustomization", "Component"}


def documents(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every document below a folder, as ``file: kind name``."""
    for path in sorted(folder.rglob("*.yaml")):
        for found in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            about = found.get("metadata", {})
            place = "/".join(about[word] for word in ("namespace", "name") if word in about)
            yield f"{path.relative_to(FOLDER)}: {found['kind']} {place}", found


ALL = dict(documents(FOLDER))
MANIFESTS = {name: found for name, found in ALL.items() if found["kind"] not in KINDS_OF_KUSTOMIZE}
KUSTOMIZATIONS = sorted(FOLDER.rglob("kustomization.yaml"))


def workloads() -> Iterator[tuple[str, dict[str, Any]]]:
    """What starts pods."""
    for name, found in MANIFESTS.items():
        if "template" in found.get("spec", {}):
            yield name, found


def containers(workload: dict[str, Any]) -> list[dict[str, Any]]:
    pod = workload["spec"]["template"]["spec"]
    return [*pod.get("initContainers", []), *pod["containers"]]


def key(found: dict[str, Any]) -> tuple[str, str, str]:
    return found["kind"], found["metadata"].get("namespace", ""), found["metadata"]["name"]


@pytest.mark.parametrize("name", MANIFESTS)
@pytest.mark.parametrize("version", ["1.30", "1.37"])
def test_each_manifest_is_valid_and_has_no_unknown_field(name: str, version: str) -> None:
    needs_module("kubernetes_validate").validate(MANIFESTS[name], version, strict=True)


def test_a_misspelled_field_would_be_seen() -> None:
    validate = needs_module("kubernetes_validate")
    wrong = next(found for _, found in workloads())
    wrong = {**wrong, "spec": {**wrong["spec"], "replica": 2}}
    with pytest.raises(validate.ValidationError):
        validate.validate(wrong, "1.37", strict=True)


@pytest.mark.parametrize("path", KUSTOMIZATIONS, ids=lambda path: path.parent.name)
def test_what_a_kustomization_names_is_there(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = yaml.safe_load(text)
    named = [*found["resources"], *(patch["path"] for patch in found.get("patches", []) if "path" in patch)]
    offered = [line.split("- ")[1].split()[0] for line in text.splitlines() if line.startswith("#   - ../")]
    assert [name for name in [*named, *offered] if not (path.parent / name).exists()] == []
    beside = {file.name for file in path.parent.glob("*.yaml")} - {path.name}
    assert beside <= set(named), "a file that nothing applies"


def test_each_patch_meets_an_object_of_the_base() -> None:
    base = {key(found) for _, found in documents(FOLDER / "base") if found["kind"] not in KINDS_OF_KUSTOMIZE}
    for path in KUSTOMIZATIONS:
        for patch in yaml.safe_load(path.read_text(encoding="utf-8")).get("patches", []):
            text = patch.get("patch") or (path.parent / patch["path"]).read_text(encoding="utf-8")
            for found in yaml.safe_load_all(text):
                assert key(found) in base, path


def test_every_object_says_its_namespace() -> None:
    for name, found in MANIFESTS.items():
        if found["kind"] != "Namespace":
            assert found["metadata"]["namespace"] in ("package-hunter", "package-hunter-workers"), name


def test_selectors_meet_their_pods() -> None:
    pods = {key(found)[1:]: found["spec"]["template"]["metadata"]["labels"] for _, found in workloads()}
    for name, found in MANIFESTS.items():
        spec = found.get("spec", {})
        selector = spec.get("podSelector", spec.get("selector"))
        if not isinstance(selector, dict):
            continue
        wanted = selector if found["kind"] == "Service" else selector.get("matchLabels", {})
        near = [labels for (space, _), labels in pods.items() if space == found["metadata"]["namespace"]]
        assert any(wanted.items() <= labels.items() for labels in near), name


def test_an_autoscaler_meets_what_it_scales() -> None:
    there = {key(found) for found in MANIFESTS.values()}
    for name, found in MANIFESTS.items():
        if found["kind"] == "HorizontalPodAutoscaler":
            target = found["spec"]["scaleTargetRef"]
            assert (target["kind"], found["metadata"]["namespace"], target["name"]) in there, name


def test_an_autoscaler_follows_a_metric_that_the_server_has() -> None:
    served = {family.name: family for family in Metrics().registry.collect()}
    for name, found in MANIFESTS.items():
        for metric in found.get("spec", {}).get("metrics", []):
            if metric["type"] == "External":
                assert metric["external"]["metric"]["name"] in served, name


def test_no_secret_is_here_and_each_that_is_asked_for_is_listed() -> None:
    assert [name for name, found in MANIFESTS.items() if found["kind"] == "Secret"] == []
    listed = (FOLDER / "base/settings.yaml").read_text(encoding="utf-8")
    for name, found in workloads():
        asked = {
            source["secretRef"]["name"]
            for c in containers(found)
            for source in c.get("envFrom", [])
            if "secretRef" in source
        }
        asked |= {
            e["valueFrom"]["secretKeyRef"]["name"]
            for c in containers(found)
            for e in c.get("env", [])
            if "valueFrom" in e
        }
        asked |= {
            v["secret"]["secretName"] for v in found["spec"]["template"]["spec"]["volumes"] if "secret" in v
        }
        assert [secret for secret in sorted(asked) if f"#   {secret} " not in listed] == [], name
    for name, found in workloads():
        if "owner" in str(found):
            assert "migrate" in name, "the tables' owner is the migration's alone"


@pytest.mark.parametrize("name", dict(workloads()))
def test_only_workers_have_rights_over_their_node(name: str) -> None:
    found = MANIFESTS[name]
    pod = found["spec"]["template"]["spec"]
    worker = found["metadata"]["labels"]["app.kubernetes.io/component"] == "worker"
    assert found["metadata"]["namespace"] == ("package-hunter-workers" if worker else "package-hunter")
    assert pod["automountServiceAccountToken"] is False
    assert "hostNetwork" not in pod and not any("hostPath" in volume for volume in pod["volumes"])
    assert pod.get("hostPID", False) is worker
    for container in containers(found):
        rights = container["securityContext"]
        if worker:
            assert rights == {"privileged": True}
            continue
        assert rights["allowPrivilegeEscalation"] is False and rights["readOnlyRootFilesystem"] is True
        assert rights["capabilities"]["drop"] == ["ALL"]
        # what Kubernetes' own baseline lets a container have, and no more
        allowed = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "KILL", "SETGID", "SETPCAP", "SETUID"}
        assert set(rights["capabilities"].get("add", [])) <= allowed


@pytest.mark.parametrize("name", dict(workloads()))
def test_every_mount_has_its_volume_and_every_container_its_limits(name: str) -> None:
    pod = MANIFESTS[name]["spec"]["template"]["spec"]
    volumes = {volume["name"] for volume in pod["volumes"]}
    for container in containers(MANIFESTS[name]):
        assert {mount["name"] for mount in container.get("volumeMounts", [])} <= volumes
    assert all("memory" in container["resources"]["limits"] for container in pod["containers"])


def test_nothing_may_talk_that_no_policy_names() -> None:
    policies = [found for found in MANIFESTS.values() if found["kind"] == "NetworkPolicy"]
    for space in ("package-hunter", "package-hunter-workers"):
        (closed,) = [
            p["spec"] for p in policies if p["metadata"] == {"name": "default-deny", "namespace": space}
        ]
        assert closed == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    for policy in policies:
        for rule in policy["spec"].get("egress", []):
            assert rule["ports"] and rule["to"], "no rule opens everything"
            for block in (to["ipBlock"] for to in rule["to"] if "ipBlock" in to):
                open_to_all = block["cidr"] == "0.0.0.0/0"
                assert not open_to_all or "169.254.0.0/16" in block["except"], "a cloud's metadata service"
        if policy["metadata"]["namespace"] == "package-hunter-workers":
            assert "ingress" not in policy["spec"], "nobody connects to a worker"
