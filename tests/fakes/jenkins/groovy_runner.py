"""A runner that executes Jenkinsfiles by Groovy for real, and the ``sh`` in them, too."""

from __future__ import annotations

import json
import subprocess
import tempfile
import threading
import xml.etree.ElementTree as ET
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from tests.fakes.jenkins import git
from tests.fakes.jenkins.declaring import UndeclarableError, declared
from tests.fakes.jenkins.running import Declared, Outcome
from tests.fakes.jenkins.shell import Wish, execute
from tests.groovy import groovy_command

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tests.fakes.jenkins.running import Run
    from tests.fakes.jenkins.settings import Source

HARNESS = ("sections.groovy", "harness.groovy")
QUIT_S = 20


class Engine:
    """A Java process that runs one Jenkinsfile after the other."""

    def __init__(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        script = Path(self.folder.name) / "harness.groovy"
        here = Path(__file__).parent
        script.write_text("".join((here / name).read_text() for name in HARNESS))
        self.process = subprocess.Popen(
            groovy_command(script), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def tell(self, message: Mapping[str, Any]) -> None:
        """Send a message."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(message) + "\n")
        self.process.stdin.flush()

    def hear(self) -> dict[str, Any]:
        """Return the next message."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            message = f"Groovy ended with {self.process.wait(QUIT_S)}"
            raise RuntimeError(message)
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        with suppress(OSError):
            self.process.communicate(timeout=QUIT_S)
        self.folder.cleanup()


class Pool:
    """Engines that wait for work; each is used by one build at a time."""

    def __init__(self) -> None:
        self.idle: list[Engine] = []
        self.lock = threading.Lock()

    def run(self, order: Mapping[str, Any], answer: Callable[[dict[str, Any]], Any]) -> Any:
        """Let an engine run a Jenkinsfile; ``answer`` says what it is answered, or nothing.

        Returns its last message.
        """
        with self.lock:
            engine = self.idle.pop() if self.idle else Engine()
        engine.tell(order)
        while (message := engine.hear())["do"] != "end":
            reply = answer(message)
            if reply is not None:
                engine.tell(reply)
        with self.lock:
            self.idle.append(engine)
        return message

    def close(self) -> None:
        """End all engines."""
        while self.idle:
            self.idle.pop().close()


@dataclass
class Repository:
    """The files of a job at the revision that is built."""

    place: Path
    commit: str
    url: str
    branch: str

    @classmethod
    def of(cls, source: Source, home: Path) -> Self:
        """Return the files of a source; GitError if there are none."""
        place = git.mirror(source.url, home)
        return cls(place, git.resolve(place, source.spec), source.url, source.spec)

    def check_out(self, directory: Path) -> dict[str, str]:
        """Put the files into a directory; return the variables that tell of them."""
        git.check_out(self.place, self.commit, directory)
        return {"GIT_COMMIT": self.commit, "GIT_URL": self.url, "GIT_BRANCH": self.branch}


def load(run: Run) -> tuple[str, Repository | None]:
    """Return the Jenkinsfile of a build and its files; GitError if it cannot be had."""
    source = run.source
    if source is None:
        message = "No flow definition, cannot run"
        raise git.GitError(message)
    if source.script is not None:
        return source.script, None
    repository = Repository.of(source, Path(run.environment["JENKINS_HOME"]))
    run.write(f"Checking out Revision {repository.commit} ({repository.branch})\n")
    return git.show(repository.place, repository.commit, source.script_path), repository


def bind(run: Run, wanted: Mapping[str, Mapping[str, str]], folder: Path) -> dict[str, str]:
    """Return the variables of bound credentials; a secret file is written, and its path told."""
    made = {}
    for variable, one in wanted.items():
        found = run.credential(one["id"])
        run.secrets.add(found.secret)
        made[variable] = found.secret
        if one["kind"] == "file":
            path = Path(f"{folder}@tmp") / "secretFiles" / found.file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(found.secret)
            path.chmod(0o400)
            made[variable] = str(path)
    return made


@dataclass
class Session:
    """One build: what Groovy asks for and is answered."""

    run: Run
    repository: Repository | None
    has_told_abort: bool = False
    unknown: list[str] = field(default_factory=list)

    def answer(self, message: dict[str, Any]) -> Any:
        """Answer a message by the method of its name; nothing if none is expected."""
        return getattr(self, f"do_{message['do']}")(message)

    def do_log(self, message: dict[str, Any]) -> None:
        self.run.write(f"{message['text']}\n")

    def do_declare(self, message: dict[str, Any]) -> None:
        try:
            self.run.declare(declared(message))
        except UndeclarableError as error:
            self.unknown.append(str(error))
            self.run.declare(Declared())

    def do_credential(self, message: dict[str, Any]) -> dict[str, Any]:
        try:
            self.run.credential(message["id"])
        except KeyError:
            return {"error": f"Could not find credentials entry with ID '{message['id']}'"}
        bound = bind(self.run, {"VALUE": message}, self.run.workspace)
        return {"value": bound["VALUE"]}

    def do_checkout(self, message: dict[str, Any]) -> dict[str, Any]:
        assert self.repository is not None
        try:
            return {"env": self.repository.check_out(Path(message["directory"]))}
        except git.GitError as error:
            return {"error": str(error)}

    def do_sh(self, message: dict[str, Any]) -> dict[str, Any]:
        secrets = bind(self.run, message["bound"], self.run.workspace)
        post = f" (post: {message['post']})" if message["post"] else ""
        seconds = message["seconds"]
        wish = Wish(
            message["script"],
            {**message["env"], **secrets},
            Path(message["directory"]),
            stage=f"{message['stage']}{post}".strip(),
            seconds=None if seconds is None else float(seconds),
            captures=message["stdout"],
            can_abort=not self.has_told_abort,
        )
        done = execute(self.run, wish)
        if done.stopped:
            self.has_told_abort = self.run.aborted.is_set()
            return {"aborted": done.stopped}
        return {"status": done.status, "output": done.output}

    def _matching(self, message: dict[str, Any]) -> list[str]:
        folder = Path(message["directory"])
        patterns = [one.strip() for one in message["pattern"].split(",")]
        found = {path for one in patterns for path in folder.glob(one) if path.is_file()}
        return sorted(str(path.relative_to(folder)) for path in found)

    def do_artifacts(self, message: dict[str, Any]) -> dict[str, Any]:
        found = self._matching(message)
        self.run.archive("artifacts", found)
        return {"found": len(found)}

    def do_junit(self, message: dict[str, Any]) -> dict[str, Any]:
        found = self._matching(message)
        self.run.archive("junit", found)
        failed = 0
        for name in found:
            root = ET.parse(Path(message["directory"]) / name)  # noqa: S314 - of the test itself
            failed += len(root.findall(".//failure")) + len(root.findall(".//error"))
        return {"found": len(found), "failed": failed}


class GroovyRunner:
    """Runs the Jenkinsfile of a job; what it is not made for raises, which fails the test.

    seconds  how long a build takes on the fake's clock
    """

    def __init__(self, seconds: float = 0.0) -> None:
        self.seconds = seconds
        self.pool = Pool()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.pool.close()

    def __call__(self, run: Run) -> Outcome:
        """Run a build."""
        try:
            jenkinsfile, repository = load(run)
        except git.GitError as error:
            return Outcome("FAILURE", f"ERROR: {error}\n", self.seconds)
        session = Session(run, repository)
        order = {
            "jenkinsfile": jenkinsfile,
            "environment": run.environment,
            "parameters": typed(run.parameters),
            "previous": run.previous,
            "workspace": str(run.workspace),
            "plan": False,
            "scm": repository is not None,
        }
        end = self.pool.run(order, session.answer)
        session.unknown += filter(None, [end["unknown"]])
        if session.unknown:
            raise NotImplementedError("; ".join(session.unknown))
        if end["wrong"]:
            return Outcome("FAILURE", f"WorkflowScript: {end['wrong']}\n", self.seconds)
        return Outcome(end["result"], "", self.seconds)


def typed(parameters: Mapping[str, str]) -> dict[str, str | bool]:
    """Return parameters as ``params`` shows them, truth values as such."""
    truths = {"true": True, "false": False}
    return {name: truths.get(value, value) for name, value in parameters.items()}
