"""Mistakes in the manifests, each of which is refused: by the API server, by the policy that stands
for OpenShift's constraint, or by ``openshift/check``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from openshift.examine import find_faults, pods_of
from tests.acceptance.openshift.server import ask_to_make, changed, named

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.services import Kube

    Change = Callable[[dict[str, Any]], object]
    Things = list[dict[str, Any]]

WEB, ROUTE = ("Deployment", "autoctrl-web"), ("Route", "autoctrl")
CYCLE, SERVICE = ("CronJob", "autoctrl-watch"), ("Service", "autoctrl-web")
CLAIM, RULES = ("PersistentVolumeClaim", "autoctrl-data"), ("PrometheusRule", "autoctrl")
MONITOR, POLICY = ("ServiceMonitor", "autoctrl"), ("NetworkPolicy", "autoctrl-from-router")


def container(spec: dict[str, Any]) -> Any:
    """Return the first container of a Deployment, a CronJob or a pod."""
    job = spec.get("jobTemplate", {}).get("spec", spec)
    return job.get("template", {}).get("spec", job)["containers"][0]


def secure(spec: dict[str, Any]) -> Any:
    """Return what the first container may."""
    return container(spec)["securityContext"]


def job(spec: dict[str, Any]) -> Any:
    """Return the pod of a CronJob."""
    return spec["jobTemplate"]["spec"]["template"]["spec"]


# By name: the object, the change, and a word of the server's refusal.
MISTAKES: dict[str, tuple[tuple[str, str], Change, str]] = {
    "misspelt field": (WEB, lambda spec: spec.update(replica=2), "unknown field"),
    "misspelt field of a container": (
        WEB,
        lambda spec: container(spec).update(imagepullpolicy="Always"),
        "unknown field",
    ),
    "selector of other labels": (
        WEB,
        lambda spec: spec["template"]["metadata"].update(labels={"app": "other"}),
        "does not match",
    ),
    "mount without a volume": (
        WEB,
        lambda spec: container(spec)["volumeMounts"].append({"name": "x", "mountPath": "/x"}),
        "Not found",
    ),
    "memory that is no number": (
        WEB,
        lambda spec: container(spec)["resources"]["limits"].update(memory="128Mb"),
        "quantities must match",
    ),
    "probe of a port that has no name like that": (
        WEB,
        lambda spec: container(spec)["readinessProbe"]["httpGet"].update(port="HTTP_PORT"),
        "readinessProbe",
    ),
    "name that is none": (WEB, lambda spec: container(spec).update(name="Web_1"), "RFC 1123"),
    "port's name that is too long": (
        SERVICE,
        lambda spec: spec["ports"][0].update(name="the_page_for_people"),
        "ports[0].name",
    ),
    "port beyond the last": (
        SERVICE,
        lambda spec: spec["ports"][0].update(port=80800),
        "between 1 and 65535",
    ),
    "Jenkins' cron": (CYCLE, lambda spec: spec.update(schedule="H * * * *"), "schedule"),
    "unknown time zone": (CYCLE, lambda spec: spec.update(timeZone="Etc/Nowhere"), "time zone"),
    "job that restarts for ever": (
        CYCLE,
        lambda spec: job(spec).update(restartPolicy="Always"),
        "restartPolicy",
    ),
    "unknown way of concurrency": (
        CYCLE,
        lambda spec: spec.update(concurrencyPolicy="Never"),
        "concurrencyPolicy",
    ),
    "misspelt field of a route": (
        ROUTE,
        lambda spec: spec["tls"].update(terminaton="edge"),
        "unknown field",
    ),
    "route that lets all pass, open": (
        ROUTE,
        lambda spec: spec.update(
            tls={"termination": "passthrough", "insecureEdgeTerminationPolicy": "Allow"}
        ),
        "encrypted already",
    ),
    "route with too much weight": (
        ROUTE,
        lambda spec: spec["to"].update(weight=1000),
        "less than or equal to 256",
    ),
    "unknown mode of a volume": (
        CLAIM,
        lambda spec: spec.update(accessModes=["ReadWriteEverywhere"]),
        "accessModes",
    ),
    "interval without a unit": (
        MONITOR,
        lambda spec: spec["endpoints"][0].update(interval="30"),
        "interval",
    ),
    "rule that is alert and record": (
        RULES,
        lambda spec: spec["groups"][0]["rules"][0].update(record="a:b"),
        "either an alert or a record",
    ),
    "policy in an unknown direction": (
        POLICY,
        lambda spec: spec.update(policyTypes=["Inside"]),
        "policyTypes",
    ),
}
POD_MISTAKES: dict[str, tuple[Change, str]] = {
    "root": (lambda spec: secure(spec).update(runAsNonRoot=False), "runAsNonRoot"),
    "escalation": (
        lambda spec: secure(spec).update(allowPrivilegeEscalation=True),
        "allowPrivilegeEscalation",
    ),
    "capabilities": (lambda spec: secure(spec).pop("capabilities"), "unrestricted capabilities"),
    "no seccomp": (lambda spec: spec["securityContext"].pop("seccompProfile"), "seccompProfile"),
    "the node's network": (lambda spec: spec.update(hostNetwork=True), "hostNetwork"),
    "a user": (lambda spec: secure(spec).update(runAsUser=1001), "are the namespace's"),
    "a group of files": (
        lambda spec: spec["securityContext"].update(fsGroup=1001),
        "are the namespace's",
    ),
    "the node's folder": (
        lambda spec: spec["volumes"].append({"name": "x", "hostPath": {"path": "/data"}}),
        "hostPath",
    ),
    "an NFS of one's own": (
        lambda spec: spec["volumes"].append(
            {"name": "x", "nfs": {"server": "nfs.example.org", "path": "/data"}}
        ),
        "nfs",
    ),
    "the node's port": (
        lambda spec: container(spec)["ports"][0].update(hostPort=8080),
        "hostPort",
    ),
}
# What no API server minds, by name: the object, the change, and a word of what is found.
SLIPS: dict[str, tuple[tuple[str, str], Change, str]] = {
    "image by a tag": (WEB, lambda spec: container(spec).update(image="a/b:1"), "name its digest"),
    "writable image": (
        WEB,
        lambda spec: secure(spec).pop("readOnlyRootFilesystem"),
        "readOnlyRootFilesystem",
    ),
    "no limit of memory": (WEB, lambda spec: container(spec).pop("resources"), "limit of memory"),
    "secret as a variable": (
        WEB,
        lambda spec: container(spec)["env"].append(
            {"name": "T", "valueFrom": {"secretKeyRef": {"name": "a", "key": "b"}}}
        ),
        "mount it as a file",
    ),
    "secret that all may read": (
        WEB,
        lambda spec: spec["template"]["spec"]["volumes"][1]["secret"].update(defaultMode=420),
        "defaultMode: 0440",
    ),
    "token of an account": (
        WEB,
        lambda spec: spec["template"]["spec"].update(automountServiceAccountToken=True),
        "token of an account",
    ),
    "service for nobody": (SERVICE, lambda spec: spec["selector"].update(app="x"), "no pod bears"),
    "service to no port": (
        SERVICE,
        lambda spec: spec["ports"][0].update(targetPort="web"),
        "no port web",
    ),
    "route to nobody": (ROUTE, lambda spec: spec["to"].update(name="page"), "no service page"),
    "route without redirect": (
        ROUTE,
        lambda spec: spec["tls"].update(insecureEdgeTerminationPolicy="Allow"),
        "without encryption",
    ),
    "policy for nobody": (
        POLICY,
        lambda spec: spec["podSelector"]["matchLabels"].update(app="x"),
        "no pod bears",
    ),
    "policy for no port": (
        POLICY,
        lambda spec: spec["ingress"][0]["ports"][0].update(port="web"),
        "no port web",
    ),
    "policy from nowhere": (
        POLICY,
        lambda spec: spec["ingress"][0]["from"][0]["namespaceSelector"].update(
            matchLabels={"network.openshift.io/policy-group": "ingres"}
        ),
        "no namespace is known",
    ),
    "nothing denied": (
        ("NetworkPolicy", "autoctrl-nothing"),
        lambda spec: spec.update(policyTypes=["Ingress"]),
        "denies what the others do not allow",
    ),
    "nobody asks for names": (
        ("NetworkPolicy", "autoctrl-to-services"),
        lambda spec: spec.pop("egress"),
        "may not ask for names",
    ),
    "monitor of nobody": (
        MONITOR,
        lambda spec: spec["selector"]["matchLabels"].update(app="x"),
        "no service that bears",
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_is_refused_by_the_server(kube: Kube, production: Things, name: str) -> None:
    """What is right is taken; with one mistake it is not, and the server says where."""
    which, change, word = MISTAKES[name]
    thing = named(production, *which)
    assert ask_to_make(kube, thing) == ""
    assert word in ask_to_make(kube, changed(thing, change))


@pytest.mark.parametrize("name", POD_MISTAKES)
def test_a_pod_that_may_too_much_is_refused(kube: Kube, production: Things, name: str) -> None:
    """OpenShift's usual constraint lets in our pods, and none with one right more."""
    change, word = POD_MISTAKES[name]
    pod = named(pods_of(production), "Pod", "autoctrl-web")
    assert ask_to_make(kube, pod) == ""
    assert word in ask_to_make(kube, changed(pod, change))


@pytest.mark.parametrize("name", SLIPS)
def test_a_slip_is_found_by_the_check(production: Things, name: str) -> None:
    """What no API server minds is found by comparing the objects with each other."""
    which, change, word = SLIPS[name]
    others = [
        changed(one, change) if (one["kind"], one["metadata"]["name"]) == which else one
        for one in production
    ]
    assert [*find_faults(production)] == []
    (first, *_) = find_faults(others)
    assert word in first


def without(things: Things, kind: str) -> Things:
    """Return all objects but those of a kind."""
    return [one for one in things if one["kind"] != kind]


def test_what_is_missing_is_found(production: Things) -> None:
    """A claim or settings that a pod mounts, or somebody who makes the cycles, must be there."""
    assert "Deployment autoctrl-web: there is no PersistentVolumeClaim autoctrl-data" in [
        *find_faults(without(production, "PersistentVolumeClaim"))
    ]
    assert any(
        "there is no ConfigMap" in one for one in find_faults(without(production, "ConfigMap"))
    )
    idle = [one for one in production if one["metadata"]["name"] != "autoctrl-loop"]
    assert any("nobody makes the cycles" in one for one in find_faults(idle))


def test_two_who_make_the_cycles_are_found(production: Things, mirror: Things) -> None:
    """A loop and a CronJob beside it are one too many."""
    both = [*production, *(one for one in mirror if one["kind"] == "CronJob")]
    assert any("autoctrl-loop, autoctrl-cycle makes the cycles" in one for one in find_faults(both))


def test_a_secret_in_the_files_is_found(production: Things) -> None:
    """Secrets are named, and never lie among the manifests."""
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "autoctrl-secrets"}}
    assert any("oc create secret" in one for one in find_faults([*production, secret]))
