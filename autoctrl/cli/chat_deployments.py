"""Deployments that are asked for in the chat: builds of Jenkins carry them out."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from autoctrl.chat.deployment import DeployTicket
from autoctrl.config import find_deployment, load_deployment
from autoctrl.errors import AutoctrlError, DeploymentError
from autoctrl.process import SystemClock

if TYPE_CHECKING:
    from autoctrl.chat.deployment import Deploy, DeployRequest
    from autoctrl.config import Settings
    from autoctrl.config.deployment import Deployment
    from autoctrl.operations.jenkins import Triggered

SUCCESSES = frozenset({"SUCCESS", "UNSTABLE"})  # unstable is a build in which a task failed
IN_CHAT = "asked for in the chat"


def choose_deploy(settings: Settings) -> Deploy | None:
    """Return what carries deployments out, None where the project is not deployed by Jenkins."""
    root = find_deployment(settings.folder)
    if root is None or not settings.jenkins.url:
        return None

    def deploy(request: DeployRequest) -> DeployTicket:
        triggered = trigger(settings, load_deployment(root), request)
        return DeployTicket(triggered.address, partial(_wait, settings, request, triggered))

    return deploy


def trigger(settings: Settings, deployment: Deployment, request: DeployRequest) -> Triggered:
    """Start the build: of the branch in a mirror, else of the job that fulfils requests.

    Raises ``SettingsError`` for an environment that is not declared, ``UsageError`` for a ref that
    cannot be, ``DeploymentError`` or ``JenkinsError``.
    """
    from autoctrl.operations.deployment.refs import choose_default
    from autoctrl.operations.deployment.requests import ask, withdraw
    from autoctrl.operations.deployment.sites import site_of
    from autoctrl.operations.jenkins import trigger_branch, trigger_job

    environment = deployment.environment(request.environment)
    if environment.branches:
        return trigger_branch(settings, request.ref)
    ref = request.ref or choose_default(site_of(deployment, environment.name).rule)
    now = SystemClock().now()
    asked = ask(deployment.root, environment.name, ref, request.actor, IN_CHAT, now)
    try:
        triggered = trigger_job(settings, "deploy", {"ENVIRONMENT": environment.name, "REF": ref})
    except AutoctrlError:
        withdraw(deployment.root, asked)
        raise
    if triggered.is_folded:  # the build fulfils the request of who asked first
        withdraw(deployment.root, asked)
    return triggered


def _wait(settings: Settings, request: DeployRequest, triggered: Triggered) -> str:
    """Return the address of the build once it has ended.

    Raises ``DeploymentError`` if it was no success.
    """
    from autoctrl.operations.jenkins import await_build

    built = await_build(settings, triggered)
    if built.result not in SUCCESSES:
        message = f"Environment {request.environment} was not deployed: {built.result}."
        raise DeploymentError(message, hint=f"The build says why: {built.address}")
    return built.address
