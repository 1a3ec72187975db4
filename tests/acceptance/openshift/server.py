"""The API server as tests speak to it: by kubectl, and directly where that says enough."""

from __future__ import annotations

import copy
import json
import ssl
import urllib.request
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError

from openshift.examine import Cluster
from tests.services import ROOT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tests.services import Kube

OVERLAYS = ROOT / "openshift/overlays"
PLACES = {
    "Pod": "api/v1/namespaces/{}/pods",
    "Service": "api/v1/namespaces/{}/services",
    "PersistentVolumeClaim": "api/v1/namespaces/{}/persistentvolumeclaims",
    "Deployment": "apis/apps/v1/namespaces/{}/deployments",
    "CronJob": "apis/batch/v1/namespaces/{}/cronjobs",
    "NetworkPolicy": "apis/networking.k8s.io/v1/namespaces/{}/networkpolicies",
    "Route": "apis/route.openshift.io/v1/namespaces/{}/routes",
    "ServiceMonitor": "apis/monitoring.coreos.com/v1/namespaces/{}/servicemonitors",
    "PrometheusRule": "apis/monitoring.coreos.com/v1/namespaces/{}/prometheusrules",
    "RoleBinding": "apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}
# What the server writes into an object, and nobody says who makes one.
THEIRS = ("creationTimestamp", "generation", "managedFields", "resourceVersion", "uid")


def cluster_of(kube: Kube) -> Cluster:
    """Return the server as ``openshift/check`` speaks to it."""
    return Cluster(kube.kubectl, kube.config)


def ask_to_make(kube: Kube, thing: dict[str, Any]) -> str:
    """Return why the server would not make an object, empty if it would; nothing is made."""
    namespace = thing["metadata"].get("namespace", "default")
    place = PLACES[thing["kind"]].format(namespace)
    try:
        post(kube, f"{place}?dryRun=All&fieldValidation=Strict", thing)
    except HTTPError as error:
        return str(json.load(error)["message"])
    return ""


def may(kube: Kube, user: str, namespace: str, verb: str, resource: str) -> bool:
    """Whether a user may do something; a resource outside of the core follows its group and a
    slash.
    """
    group, _, plural = resource.rpartition("/")
    wanted = {"namespace": namespace, "verb": verb, "group": group, "resource": plural}
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {"user": user, "resourceAttributes": wanted},
    }
    answer = post(kube, "apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    return bool(answer["status"]["allowed"])


def post(kube: Kube, place: str, thing: dict[str, Any]) -> Any:
    """Send an object to the server and return its answer. Raises ``HTTPError``."""
    request = urllib.request.Request(  # noqa: S310 - the address is a service's of ours
        f"{kube.url}/{place}",
        json.dumps(thing).encode(),
        {"Authorization": f"Bearer {kube.token}", "Content-Type": "application/json"},
    )
    trust = ssl.create_default_context(cafile=kube.certificate)
    with urllib.request.urlopen(request, timeout=100, context=trust) as answer:  # noqa: S310 - as above
        return json.load(answer)


def named(things: Sequence[dict[str, Any]], kind: str, name: str) -> dict[str, Any]:
    """Return a copy of one object, as somebody would write it who makes another like it."""
    (found,) = (one for one in things if one["kind"] == kind and one["metadata"]["name"] == name)
    thing = copy.deepcopy(found)
    thing.pop("status", None)
    for key in THEIRS:
        thing["metadata"].pop(key, None)
    for key in ("clusterIP", "clusterIPs"):  # given to a service by the server
        thing["spec"].pop(key, None)
    thing["metadata"]["name"] += "-other"
    return thing


def changed(thing: dict[str, Any], change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    """Return a copy of an object with a change to its ``spec``."""
    other = copy.deepcopy(thing)
    change(other["spec"])
    return other
