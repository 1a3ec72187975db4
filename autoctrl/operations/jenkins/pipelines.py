"""The scripts of the jobs that need no checkout, as declarative pipelines. Pure.

A script holds no triggers, parameters or job properties: those stand in the job's configuration. A
parameter reaches the shell as a variable; Groovy never puts one into a command.
"""

from __future__ import annotations

from typing import NamedTuple

INDENT = "    "
REPORT = "junit.xml"


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
    return _write(surroundings, verb, [command])


def write_deploy(surroundings: Surroundings) -> str:
    """Return the pipeline that deploys; what it is given is data, whatever it looks like."""
    command = 'cd "$AUTOCTRL_HOME" && exec autoctrl deploy -- "$ENVIRONMENT" ${REF:+"$REF"}'
    return _write(surroundings, "deploy", [command])


def write_cycle(surroundings: Surroundings, workflow: str) -> str:
    """Return the pipeline that runs a workflow's handler script and shows its tasks as tests."""
    script = f'"$AUTOCTRL_HOME/workflows/{workflow}/handler.py"'
    commands = [f"rm -f {REPORT}", f'exec {script} --junit "$WORKSPACE/{REPORT}"']
    after = [
        "post {",
        f"{INDENT}always {{",
        f"{INDENT * 2}junit testResults: {quote(REPORT)}, allowEmptyResults: true",
        f"{INDENT}}}",
        "}",
    ]
    return _write(surroundings, workflow, commands, after)


def quote(text: str) -> str:
    """Return a text as Groovy writes it in single quotes, in which it replaces nothing."""
    escaped = text.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n")
    return f"'{escaped}'"


def _write(
    surroundings: Surroundings, stage: str, commands: list[str], after: list[str] | None = None
) -> str:
    if surroundings.path:
        commands = [f'export PATH="{surroundings.path}:$PATH"', *commands]
    agent = f"{{ label {quote(surroundings.agent)} }}" if surroundings.agent else "any"
    variables = {"AUTOCTRL_HOME": surroundings.home}
    if surroundings.environment:
        variables["AUTOCTRL_ENVIRONMENT"] = surroundings.environment
    inner = [
        f"agent {agent}",
        *_block("options", [f"timeout(time: {surroundings.limit_s}, unit: 'SECONDS')"]),
        *_block("environment", [f"{name} = {quote(text)}" for name, text in variables.items()]),
        *_block(
            "stages",
            _block(
                f"stage({quote(stage)})", _block("steps", [f"sh {quote(' && '.join(commands))}"])
            ),
        ),
        *(after or []),
    ]
    return "\n".join(_block("pipeline", inner)) + "\n"


def _block(heading: str, lines: list[str]) -> list[str]:
    return [f"{heading} {{", *(INDENT + line for line in lines), "}"]
