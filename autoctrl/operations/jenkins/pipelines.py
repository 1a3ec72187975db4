"""The scripts of the jobs that need no checkout, as declarative pipelines. Pure.

A script holds no triggers, parameters or job properties: those stand in the job's configuration. A
parameter reaches the shell as a variable; Groovy never puts one into a command.
"""

from __future__ import annotations

from typing import NamedTuple

INDENT = "    "
FAILED = "A task failed for good in this cycle."
BROKEN = "The cycle could not work, or could not be started: exit code "


class Surroundings(NamedTuple):
    """Where the scripts run.

    agent        label of the agents, empty if any will do
    home         the project's folder on the agent
    path         folders put before the PATH of the agent, empty if none
    environment  environment of the settings, empty if none
    limit_s      a build is aborted after this time
    """

    agent: str
    home: str
    path: str
    environment: str
    limit_s: int


def write_verb(surroundings: Surroundings, verb: str) -> str:
    """Return the pipeline that calls a verb of the command line."""
    command = f'cd "$AUTOCTRL_HOME" && exec autoctrl {verb}'
    return _write(surroundings, verb, [f"sh {_quote_command(surroundings, command)}"])


def write_deploy(surroundings: Surroundings) -> str:
    """Return the pipeline that deploys; what it is given is data, whatever it looks like."""
    command = 'cd "$AUTOCTRL_HOME" && exec autoctrl deploy -- "$ENVIRONMENT" ${REF:+"$REF"}'
    return _write(surroundings, "deploy", [f"sh {_quote_command(surroundings, command)}"])


def write_cycle(surroundings: Surroundings, workflow: str) -> str:
    """Return the pipeline that runs a workflow's handler script and shows its tasks as tests.

    It does what the Jenkinsfile beside the handler does: a task that failed for good makes a build
    unstable, a cycle that could not work makes it fail.
    """
    report = f"cycle-{workflow}.xml"
    handler = f'"$AUTOCTRL_HOME/workflows/{workflow}/handler.py"'
    command = f'rm -f {report} && exec {handler} --junit "$WORKSPACE/{report}"'
    script = _block(
        "script",
        [
            f"def code = sh(returnStatus: true, script: {_quote_command(surroundings, command)})",
            f"if (code == 1) {{ unstable({quote(FAILED)}) }}",
            f"if (code > 1) {{ error({quote(BROKEN)} + code) }}",
        ],
    )
    shown = f"junit testResults: {quote(report)}, allowEmptyResults: true"
    return _write(surroundings, workflow, script, _block("post", _block("always", [shown])))


def quote(text: str) -> str:
    """Return a text as Groovy writes it in single quotes, in which it replaces nothing."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _quote_command(surroundings: Surroundings, command: str) -> str:
    path = surroundings.path
    return quote(f'export PATH="{path}:$PATH" && {command}' if path else command)


def _write(
    surroundings: Surroundings, stage: str, steps: list[str], after: list[str] | None = None
) -> str:
    agent = f"{{ label {quote(surroundings.agent)} }}" if surroundings.agent else "any"
    variables = {"PYTHONUNBUFFERED": "1", "AUTOCTRL_HOME": surroundings.home}
    if surroundings.environment:
        variables["AUTOCTRL_ENVIRONMENT"] = surroundings.environment
    inner = [
        f"agent {agent}",
        *_block("options", [f"timeout(time: {surroundings.limit_s}, unit: 'SECONDS')"]),
        *_block("environment", [f"{name} = {quote(text)}" for name, text in variables.items()]),
        *_block("stages", _block(f"stage({quote(stage)})", _block("steps", steps))),
        *(after or []),
    ]
    return "\n".join(_block("pipeline", inner)) + "\n"


def _block(heading: str, lines: list[str]) -> list[str]:
    return [f"{heading} {{", *(INDENT + line for line in lines), "}"]
