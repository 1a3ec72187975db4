"""A strict fake of a Jenkins server, to be set up, used, moved in time, broken and looked at."""

from __future__ import annotations

import secrets
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.fakes.http import Answer, Fault
from tests.fakes.jenkins.access import PERMISSIONS, PROPERTY
from tests.fakes.jenkins.configs import parse_item
from tests.fakes.jenkins.core import Core, Row
from tests.fakes.jenkins.engine import Engine
from tests.fakes.jenkins.items import KINDS, Items
from tests.fakes.jenkins.labels import label_in
from tests.fakes.jenkins.multibranch import Indexing
from tests.fakes.jenkins.reading import Reading
from tests.fakes.jenkins.state import Build, Credential, Folder, Group, Item, Job, Node, User
from tests.fakes.jenkins.triggering import Triggering
from tests.fakes.jenkins.vault import Vault
from tests.fakes.jenkins.views import Views

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

    from tests.fakes.jenkins.running import Runner
    from tests.fakes.jenkins.site import Site

# What one needs to look, and to keep jobs as they should be.
READER = frozenset({"Overall/Read", "Item/Discover", "Item/Read", "View/Read", "Credentials/View"})
EVERYTHING = PERMISSIONS - {"Overall/Administer"}
LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body><form></form></body>"
STARTING = "Please wait while Jenkins is getting ready to work ..."
WAIT_S = 60.0


class Entry(NamedTuple):
    """A request in the ledger; a cut connection has status 0, nobody no name."""

    method: str
    path: str
    query: Mapping[str, str]
    user: str
    status: int


class Jenkins(Core):
    """The server. Use it in a ``with`` block, whose end fails if the contract was violated."""

    def __init__(self, site: Site | None = None, now: float = 1_700_000_000.0) -> None:
        super().__init__(site, now)
        self._home: Path | None = None
        self.engine = Engine(self, lambda: self.home)
        self.items_api = Items(self)
        self.items_api.forget = self.engine.forget
        self.triggering = Triggering(self, self.engine)
        self.indexing = Indexing(self, self.engine, lambda: self.home)
        self.triggering.index = self.indexing.index
        self.engine.on_minute = self.indexing.fire
        self.reading = Reading(self, self.triggering)
        self.views_api = Views(self, self.reading)
        self.vault = Vault(self, self.reading.exporter)
        self.rows += [
            Row("GET", "/crumbIssuer/api/json", self.access.issue),
            Row("POST", PROPERTY, self.access.generate),
        ]
        self.add_node("Built-In Node")

    @property
    def home(self) -> Path:
        """The directory of the server, which is made when it is first needed."""
        if self._home is None:
            self._home = Path(tempfile.mkdtemp(prefix="jenkins-"))
        return self._home

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            self.abandon()
            super().__exit__(kind, error, trace)
        finally:
            if self._home is not None:
                shutil.rmtree(self._home, ignore_errors=True)

    def abandon(self) -> None:
        """Stop every build, and wait for their runners."""
        with self.lock:
            running = [build for build in self.state.builds if build.is_running]
            for build in running:
                self.engine.stop(build, "the end of the test")
        for build in running:
            assert build.thread is not None
            build.thread.join(WAIT_S)

    # What an administrator sets up.

    def add_user(
        self, name: str, permissions: Iterable[str] = EVERYTHING, *, has_password: bool = False
    ) -> User:
        """Make somebody with an API token, ``user.token``, and perhaps a password."""
        unknown = set(permissions) - PERMISSIONS
        if unknown:
            message = f"unknown permissions: {sorted(unknown)}"
            raise ValueError(message)
        user = User(name, set(permissions), secrets.token_urlsafe(24) if has_password else "")
        user.token = user.add_token("first")
        with self.lock:
            self.state.users[name] = user
            self.state.secrets |= {user.token, *filter(None, [user.password])}
        return user

    def expire_tokens(self, user: User) -> None:
        """Let all tokens of somebody end now."""
        for token in user.tokens:
            token.expires = self.now

    def end_sessions(self) -> None:
        """Forget all sessions, so that their crumbs are worth nothing."""
        self.state.sessions.clear()

    def add_node(
        self,
        name: str,
        labels: Iterable[str] = (),
        executors: int = 2,
        environment: Mapping[str, str] | None = None,
    ) -> Node:
        """Make a machine."""
        node = Node(name, set(labels), executors, environment=dict(environment or {}))
        self.state.nodes[name] = node
        return node

    def take_offline(self, name: str, reason: str = "", *, is_on_purpose: bool = False) -> None:
        """Let a node be lost, or mark it as offline on purpose."""
        node = self.state.nodes[name]
        node.is_offline, node.offline_reason = True, reason
        node.is_taken_offline = is_on_purpose

    def bring_online(self, name: str) -> None:
        """Let a node come back."""
        node = self.state.nodes[name]
        node.is_offline, node.offline_reason, node.is_taken_offline = False, "", False

    def add_folder(self, full_name: str) -> Folder:
        """Make a folder, and those above it."""
        group: Group = self.state.root
        for name in full_name.split("/"):
            found = group.child(name)
            if found is None:
                config = parse_item(self, b"<com.cloudbees.hudson.plugins.folder.Folder/>")
                found = Folder(name, group, config)
                group.add(found)
            assert isinstance(found, Folder)
            group = found
        assert isinstance(group, Folder)
        return group

    def add_item(self, full_name: str, config: str | bytes) -> Item:
        """Make a job or a project from a config.xml, and the folders above it."""
        above, _, name = full_name.rpartition("/")
        group = self.add_folder(above) if above else self.state.root
        body = config.encode() if isinstance(config, str) else config
        element = parse_item(self, body)
        item = KINDS[element.tag](name, group, element)
        item.is_disabled = element.findtext("disabled") == "true"
        item.saves += 1
        group.add(item)
        return item

    def add_credential(
        self, folder: str, name: str, secret: str, *, file_name: str = ""
    ) -> Credential:
        """Give a folder, or the root by "", a secret text, or with a name a secret file."""
        group: Group = self.add_folder(folder) if folder else self.state.root
        made = Credential(name, secret, file_name=file_name)
        group.credentials[name] = made
        self.state.secrets.add(secret)
        return made

    def run_with(self, runner: Runner, full_name: str = "") -> None:
        """Say what a job's builds do, or those of all jobs that have no runner of their own."""
        if full_name:
            self.engine.runners[full_name] = runner
        else:
            self.engine.runner = runner

    def require_label(self, full_name: str, label: str) -> None:
        """Let the builds of a job need a node with a label."""
        self.engine.queue.labels[full_name] = label

    def read_labels(self) -> None:
        """Let the builds of each job need a node with the label that its Jenkinsfile names."""
        self.engine.queue.label_of = lambda job: label_in(job, self.home)

    def refuse_queueing(self, full_name: str) -> None:
        """Let a decision handler of the queue turn away the builds of a job."""
        self.engine.queue.refused.add(full_name)

    # What is there.

    def item(self, full_name: str) -> Item | None:
        """Return an item by its full name, or nothing."""
        return self.items_api.core_item(full_name)

    def job(self, full_name: str) -> Job:
        """Return a pipeline by its full name."""
        found = self.item(full_name)
        if not isinstance(found, Job):
            message = f"there is no job {full_name}"
            raise LookupError(message)  # noqa: TRY004 - it is not there
        return found

    @property
    def builds(self) -> list[Build]:
        """Every build so far, in the order in which they started, deleted ones too."""
        with self.lock:
            return list(self.state.builds)

    @property
    def ledger(self) -> list[Entry]:
        """Every request so far."""
        with self.lock:
            exchanges = list(self.exchanges)
        return [
            Entry(
                one.request.method,
                one.request.path,
                one.request.query,
                self.access.name_in(one.request),
                one.answer.status if one.answer else 0,
            )
            for one in exchanges
        ]

    def posts(self, after: int = 0) -> list[Entry]:
        """Return the POSTs of the ledger from a place on."""
        return [entry for entry in self.ledger[after:] if entry.method == "POST"]

    # What happens.

    def tick(self, seconds: float = 0.0, *, wait_s: float = WAIT_S) -> None:
        """Move the clock: timers fire, what waits moves, builds start and end.

        The runners of builds are waited for in real time, at most this long in each step; with 0
        they go on by themselves.
        """
        self.engine.tick(seconds, wait_s, is_up=self._server is not None)

    def wait_for(self, build: Build, seconds: float = WAIT_S) -> Build:
        """Wait in real time until a build has ended, and return it."""
        self.wait_until(lambda: not build.is_running, seconds)
        return build

    def stop_build(self, build: Build, who: str = "somebody") -> None:
        """Abort a build as somebody does on its page."""
        with self.lock:
            self.engine.stop(build, who)

    def restart(self, *, is_starting: bool = False) -> None:
        """Restart in an orderly way: sessions and crumbs end, tokens and the queue stay, and builds
        that do not survive it are aborted. With ``is_starting`` all is 503 until ``be_ready``.
        """
        self.stop()
        self.end_sessions()
        with self.lock:
            doomed = self.engine.interrupt()
        for build in doomed:
            assert build.thread is not None
            build.thread.join(WAIT_S)
        self.is_quieting_down = False
        self.is_starting = is_starting
        self.start()

    @property
    def validator(self) -> Callable[[str], str]:
        """What says what is wrong with a Jenkinsfile, or nothing."""
        return self.triggering.validator

    @validator.setter
    def validator(self, validator: Callable[[str], str]) -> None:
        self.triggering.validator = validator

    def be_ready(self) -> None:
        """Have started."""
        self.is_starting = False

    # What goes wrong.

    def be_starting(self, times: int = 1, where: str = "") -> None:
        """Answer with 503 as long as the server starts."""
        answer = Answer(503, STARTING.encode(), "text/html;charset=utf-8", (("Retry-After", "10"),))
        self.faults.append(Fault(answer, where=where, times=times))

    def be_behind_login(self, times: int = 1, where: str = "") -> None:
        """Let the proxy of a single sign-on answer, with 200 and a page in HTML."""
        answer = Answer(200, LOGIN_PAGE, "text/html;charset=utf-8")
        self.faults.append(Fault(answer, where=where, times=times))

    def be_slow(self, seconds: float, times: int = 1, where: str = "") -> None:
        """Carry out and answer late."""
        self.faults.append(Fault(seconds=seconds, where=where, times=times))

    def lose_answer(self, times: int = 1, where: str = "POST ") -> None:
        """Carry out, and cut the connection before the answer."""
        self.faults.append(Fault(is_lost=True, where=where, times=times))

    def cut(self, times: int = 1, where: str = "") -> None:
        """Cut the connection before anything is carried out."""
        self.faults.append(Fault(is_cut=True, where=where, times=times))
