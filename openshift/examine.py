"""Examines overlays on an API server: ``examine.py KUBECTL KUBECONFIG OVERLAY...``.

``openshift/check`` starts a server and calls it. They are really applied, so it must be one for
this alone. What only OpenShift has, ``cluster/`` gives the server before.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

Thing = dict[str, Any]  # one object as the API server returns it

HERE = Path(__file__).parent
LIMIT_S = 120
SECRET_MODE = 0o440
CYCLES = {"app.kubernetes.io/component": "cycles"}
BY_JENKINS = {"cycles-are-made-by": "jenkins"}
# What a namespace may be known by: one of these labels of OpenShift's own, or its name.
NAMESPACES = (
    {"network.openshift.io/policy-group": "ingress"},
    {"network.openshift.io/policy-group": "monitoring"},
)
NAME = "kubernetes.io/metadata.name"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class RefusedError(Exception):
    """The API server, or kubectl before it, did not take something; says why."""


class Cluster:
    """An API server, spoken to by kubectl."""

    def __init__(self, kubectl: str, config: str) -> None:
        self.kubectl, self.config = kubectl, config

    def call(self, *words: str, given: object = None) -> subprocess.CompletedProcess[str]:
        """Run kubectl with these words; ``given`` is what it reads as ``-f -``, as JSON."""
        cache = str(Path(self.config).parent / "cache")  # and not below the caller's home
        return subprocess.run(
            [self.kubectl, "--kubeconfig", self.config, "--cache-dir", cache, *words],
            input=json.dumps(given) if given else "",
            capture_output=True,
            text=True,
            timeout=LIMIT_S,
            check=False,
        )

    def must(self, *words: str, given: object = None) -> str:
        """Run kubectl and return what it prints. Raises ``RefusedError``."""
        done = self.call(*words, given=given)
        if done.returncode:
            raise RefusedError(done.stderr.strip())
        return done.stdout

    def prepare(self) -> None:
        """Give the server the kinds and the policy that OpenShift has itself."""
        self.must("apply", "-f", str(HERE / "cluster"))
        self.must("wait", "--for=condition=Established", "crd", "--all", f"--timeout={LIMIT_S}s")

    def make_namespaces(self, overlay: Path) -> None:
        """Make the namespaces that an overlay is for, each as restricted as OpenShift's."""
        text = self.must("kustomize", str(overlay))
        for name in sorted(set(re.findall(r"(?m)^  namespace: (\S+)$", text))):
            meta = {"name": name, "labels": RESTRICTED}
            namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
            self.must("apply", "-f", "-", given=namespace)

    def render(self, overlay: Path) -> list[Thing]:
        """Return the objects of an overlay as the server would keep them."""
        text = self.must("apply", "--dry-run=server", "-o", "json", "-k", str(overlay))
        found = json.loads(text)
        return [*found["items"]] if found["kind"] == "List" else [found]


def examine(cluster: Cluster, overlay: Path) -> list[str]:
    """Return what is wrong with an overlay, nothing if all is well. The server has it then."""
    try:
        cluster.make_namespaces(overlay)
        things = cluster.render(overlay)
        faults = [*find_faults(things)]
        pods = {"apiVersion": "v1", "kind": "List", "items": pods_of(things)}
        cluster.must("create", "--dry-run=server", "-f", "-", given=pods)
        cluster.must("apply", "-k", str(overlay))
    except RefusedError as error:
        return [str(error)]
    left = cluster.call("diff", "-k", str(overlay))
    if left.returncode:
        faults.append(f"Applied twice, it is not the same: {left.stdout or left.stderr}")
    return faults


def pods_of(things: Sequence[Thing]) -> list[Thing]:
    """Return a pod for each template: of a Deployment that breaks a rule the server only warns."""
    return [
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {
                "name": thing["metadata"]["name"],
                "namespace": thing["metadata"].get("namespace", "default"),
                "labels": labels_of(template),
            },
            "spec": template["spec"],
        }
        for thing, template in templates_of(things)
    ]


def templates_of(things: Sequence[Thing]) -> Iterator[tuple[Thing, Thing]]:
    """Yield what has a pod's template, with the template."""
    for thing in things:
        spec = thing.get("spec", {})
        template = spec.get("jobTemplate", {}).get("spec", spec).get("template", {})
        if "containers" in template.get("spec", {}):
            yield thing, template


def find_faults(things: Sequence[Thing]) -> Iterator[str]:
    """Yield what no API server minds: labels that nobody bears, secrets that are seen, and such."""
    yield from _name_makers(things)
    for thing, template in templates_of(things):
        where = f"{thing['kind']} {thing['metadata']['name']}"
        for fault in (*_pod_faults(template), *_missing(things, template)):
            yield f"{where}: {fault}"
    for thing in things:
        where = f"{thing['kind']} {thing['metadata']['name']}"
        for fault in FINDERS.get(thing["kind"], _nothing)(thing, things):
            yield f"{where}: {fault}"
    yield from _open_pods(things)


def _name_makers(things: Sequence[Thing]) -> Iterator[str]:
    """Yield a fault unless exactly one makes the cycles."""
    makers = [
        thing["metadata"]["name"]
        for thing, template in templates_of(things)
        if _bears(labels_of(template), CYCLES)
        or _bears(thing["metadata"].get("annotations", {}), BY_JENKINS)
    ]
    if len(makers) != 1:
        said = ", ".join(makers) or "nobody"
        yield f"{said} makes the cycles. Take one of the components loop, cronjob, jenkins."


def _pod_faults(template: Thing) -> Iterator[str]:
    """Yield what a pod shows or may that it should not."""
    spec = template["spec"]
    if spec.get("automountServiceAccountToken", True):
        yield "it has the token of an account: automountServiceAccountToken: false"
    for volume in spec.get("volumes", []):
        if "secret" in volume and volume["secret"].get("defaultMode") != SECRET_MODE:
            yield f"others than its group may read the secret {volume['name']}: defaultMode: 0440"
    for container in (*spec.get("initContainers", []), *spec["containers"]):
        if "@sha256:" not in container["image"]:
            yield f"the image {container['image']} may be another one tomorrow: name its digest"
        if not container.get("securityContext", {}).get("readOnlyRootFilesystem"):
            yield "it may write into its image: readOnlyRootFilesystem: true"
        if not container.get("resources", {}).get("limits", {}).get("memory"):
            yield "it has no limit of memory"
        if "secretKeyRef" in json.dumps(container.get("env", [])) or "envFrom" in container:
            yield "a secret is a variable, which every process sees: mount it as a file"


def _missing(things: Sequence[Thing], template: Thing) -> Iterator[str]:
    """Yield the claims and settings that a pod mounts and nobody makes."""
    names = {(thing["kind"], thing["metadata"]["name"]) for thing in things}
    for volume in template["spec"].get("volumes", []):
        claim = volume.get("persistentVolumeClaim", {}).get("claimName")
        settings = volume.get("configMap", {}).get("name")
        for kind, name in (("PersistentVolumeClaim", claim), ("ConfigMap", settings)):
            if name and (kind, name) not in names:
                yield f"there is no {kind} {name}"
    affinity = template["spec"].get("affinity", {}).get("podAffinity", {})
    for term in affinity.get("requiredDuringSchedulingIgnoredDuringExecution", []):
        labels = term["labelSelector"].get("matchLabels", {})
        if not any(_bears(labels_of(one), labels) for one in _templates(things)):
            yield f"it must be beside a pod with {labels}, which there is not"


def _service_faults(service: Thing, things: Sequence[Thing]) -> Iterator[str]:
    wanted = service["spec"].get("selector", {})
    chosen = _chosen(things, wanted)
    if not chosen:
        yield f"no pod bears {wanted}"
    for port in service["spec"]["ports"]:
        if port["targetPort"] not in _ports(chosen):
            yield f"its pods have no port {port['targetPort']}"


def _route_faults(route: Thing, things: Sequence[Thing]) -> Iterator[str]:
    name, port = route["spec"]["to"]["name"], route["spec"].get("port", {}).get("targetPort")
    services = [one for one in things if one["kind"] == "Service"]
    ports = [
        item[key]
        for one in services
        if one["metadata"]["name"] == name
        for item in one["spec"]["ports"]
        for key in ("name", "targetPort")
        if key in item
    ]
    if port not in ports:
        yield f"there is no service {name} with a port {port}"
    tls = route["spec"].get("tls", {})
    if tls.get("insecureEdgeTerminationPolicy") != "Redirect":
        yield "it answers without encryption: insecureEdgeTerminationPolicy: Redirect"


def _policy_faults(policy: Thing, things: Sequence[Thing]) -> Iterator[str]:
    wanted = policy["spec"]["podSelector"].get("matchLabels", {})
    chosen = _chosen(things, wanted)
    if not chosen:
        yield f"no pod bears {wanted}"
    for rule in (*policy["spec"].get("ingress", []), *policy["spec"].get("egress", [])):
        for port in rule.get("ports", []):
            name = port.get("port")
            if isinstance(name, str) and name not in _ports(chosen):
                yield f"its pods have no port {name}"
        for peer in (*rule.get("from", []), *rule.get("to", [])):
            labels = peer.get("namespaceSelector", {}).get("matchLabels")
            if labels and [*labels] != [NAME] and labels not in NAMESPACES:
                yield f"no namespace is known to bear {labels}"


def _monitor_faults(monitor: Thing, things: Sequence[Thing]) -> Iterator[str]:
    wanted = monitor["spec"]["selector"].get("matchLabels", {})
    services = [
        one
        for one in things
        if one["kind"] == "Service" and _bears(one["metadata"].get("labels", {}), wanted)
    ]
    ports = {port.get("name") for one in services for port in one["spec"]["ports"]}
    for endpoint in monitor["spec"]["endpoints"]:
        if endpoint.get("port") not in ports:
            yield f"no service that bears {wanted} has a port {endpoint.get('port')}"


def _role_faults(role: Thing, _: Sequence[Thing]) -> Iterator[str]:
    for rule in role["rules"]:
        if {"secrets", "pods", "*"} & {*rule["resources"]} or "*" in rule["verbs"]:
            yield f"it may {', '.join(rule['verbs'])} {', '.join(rule['resources'])}"


def _secret_faults(*_: object) -> Iterator[str]:
    yield "a secret stands in the files: make it by oc create secret, and name it only"


def _nothing(*_: object) -> Iterator[str]:
    yield from ()


def _open_pods(things: Sequence[Thing]) -> Iterator[str]:
    """Yield a fault unless all that nobody allows is denied, and each pod may ask for names."""
    policies = [thing["spec"] for thing in things if thing["kind"] == "NetworkPolicy"]
    if not any(
        spec["podSelector"] == {}
        and {*spec["policyTypes"]} == {"Ingress", "Egress"}
        and not spec.get("ingress")
        and not spec.get("egress")
        for spec in policies
    ):
        yield "no NetworkPolicy denies what the others do not allow"
    for template in _templates(things):
        labels = labels_of(template)
        if not any(
            spec.get("egress") and _bears(labels, spec["podSelector"].get("matchLabels", {}))
            for spec in policies
        ):
            yield f"pods with {labels} may not ask for names, nor for anything else"


def labels_of(template: Thing) -> dict[str, str]:
    """Return the labels of a template's pods."""
    return dict(template["metadata"].get("labels", {}))


def _templates(things: Sequence[Thing]) -> list[Thing]:
    return [template for _, template in templates_of(things)]


def _chosen(things: Sequence[Thing], labels: dict[str, str]) -> list[Thing]:
    return [one for one in _templates(things) if _bears(labels_of(one), labels)]


def _bears(labels: dict[str, str], wanted: dict[str, str]) -> bool:
    return wanted.items() <= labels.items()


def _ports(templates: Sequence[Thing]) -> set[object]:
    """Return the names and the numbers of the ports of pods."""
    containers = [one for template in templates for one in template["spec"]["containers"]]
    ports = [port for one in containers for port in one.get("ports", [])]
    return {port.get("name") for port in ports} | {port["containerPort"] for port in ports}


FINDERS = {
    "Service": _service_faults,
    "Route": _route_faults,
    "NetworkPolicy": _policy_faults,
    "ServiceMonitor": _monitor_faults,
    "Role": _role_faults,
    "Secret": _secret_faults,
}


def main(kubectl: str, config: str, *overlays: str) -> int:
    """Examine overlays one after the other; print what is wrong, and return 1 if anything is."""
    cluster = Cluster(kubectl, config)
    try:
        cluster.prepare()
    except RefusedError as error:
        print(f"openshift/cluster: refused\n  {error}")
        return 1
    result = 0
    for name in overlays:
        faults = examine(cluster, Path(name))
        print(f"{name}: {'refused' if faults else 'taken'}")
        for fault in faults:
            print(f"  {fault}")
        result = result or int(bool(faults))
    return result


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
