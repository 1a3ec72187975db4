"""A caller of Jenkins that hides nothing, and the files that the tests send it."""

from __future__ import annotations

import base64
import time
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from tests.contract.fakes.caller import Caller, Reply
from tests.fakes.jenkins import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tests.fakes.jenkins import Run

XML = {"Content-Type": "text/xml; charset=utf-8"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PROPERTIES = "org.jenkinsci.plugins.workflow.job.properties"
ONE_AT_A_TIME = f"<{PROPERTIES}.DisableConcurrentBuildsJobProperty/>"
NO_RESUME = f"<{PROPERTIES}.DisableResumeJobProperty/>"
FOLDER = "<com.cloudbees.hudson.plugins.folder.Folder/>"
PROJECT = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"


def basic(name: str, secret: str) -> dict[str, str]:
    """Return the header that says who one is."""
    return {"Authorization": f"Basic {base64.b64encode(f'{name}:{secret}'.encode()).decode()}"}


class Person(Caller):
    """Calls Jenkins as somebody, by an API token unless told otherwise."""

    def __init__(self, port: int, name: str, secret: str) -> None:
        super().__init__(port)
        self.who = basic(name, secret)

    def get(self, path: str) -> Reply:
        """Ask."""
        return self("GET", path, headers=self.who)

    def post(
        self, path: str, body: str = "", headers: Mapping[str, str] | None = None, **query: str
    ) -> Reply:
        """Ask for something to be done; ``query`` goes into the address."""
        path += f"?{urlencode(query)}" if query else ""
        return self("POST", path, body.encode(), {**self.who, **(headers or {})})

    def create(self, name: str, config: str, where: str = "") -> Reply:
        """Make an item from XML."""
        return self.post(f"{where}/createItem", config, XML, name=name)


def wait_for_file(path: Path, seconds: float = 60) -> None:
    """Wait in real time until a script has made a file."""
    deadline = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < deadline, f"there is no {path.name} after {seconds} s"
        time.sleep(0.005)


def pipeline(properties: str = "", more: str = "", script: str = "x") -> str:
    """Return the config.xml of a job whose Jenkinsfile stands in it."""
    return (
        f"<flow-definition><properties>{properties}</properties>"
        '<definition class="org.jenkinsci.plugins.workflow.cps.CpsFlowDefinition">'
        f"<script>{script}</script><sandbox>true</sandbox></definition>{more}</flow-definition>"
    )


def timer(spec: str) -> str:
    """Return the property of a job that starts by itself."""
    name = f"{PROPERTIES}.PipelineTriggersJobProperty"
    trigger = f"<hudson.triggers.TimerTrigger><spec>{spec}</spec></hudson.triggers.TimerTrigger>"
    return f"<{name}><triggers>{trigger}</triggers></{name}>"


def parameters(*definitions: str) -> str:
    """Return the property of a job with parameters."""
    name = "hudson.model.ParametersDefinitionProperty"
    inside = "".join(definitions)
    return f"<{name}><parameterDefinitions>{inside}</parameterDefinitions></{name}>"


def parameter(kind: str, name: str, default: str = "") -> str:
    """Return a parameter: String, Boolean or Text."""
    tag = f"hudson.model.{kind}ParameterDefinition"
    return f"<{tag}><name>{name}</name><defaultValue>{default}</defaultValue></{tag}>"


def choice(name: str, *choices: str) -> str:
    """Return a parameter with choices."""
    tag = "hudson.model.ChoiceParameterDefinition"
    inside = "".join(f"<string>{one}</string>" for one in choices)
    return (
        f'<{tag}><name>{name}</name><choices class="java.util.Arrays$ArrayList">'
        f'<a class="string-array">{inside}</a></choices></{tag}>'
    )


JOB = "/job/a/job/b"
WITH = f"{JOB}/buildWithParameters"
DECLARED = parameters(
    parameter("String", "RUN", "7"),
    parameter("Boolean", "DRY", "true"),
    choice("MODE", "fast", "slow"),
    parameter("Text", "NOTE").replace("</hud", "<trim>true</trim></hud"),
)
DEFAULTS = {"RUN": "7", "DRY": "true", "MODE": "fast", "NOTE": ""}


def lasting(seconds: float) -> Callable[[Run], Outcome]:
    """Return a runner whose builds take so long."""
    return lambda _: Outcome(seconds=seconds)


def number_of(reply: Reply) -> int:
    """Return the number of the item that was promised."""
    return int(reply.headers["Location"].rstrip("/").rpartition("/")[2])


def queued(person: Person, number: int) -> dict[str, object]:
    """Return what is told of an item of the queue."""
    answer: dict[str, object] = person.get(f"/queue/item/{number}/api/json").json
    return answer
