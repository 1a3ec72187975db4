"""What the fake keeps in memory: people, items, builds, the queue, nodes."""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from xml.etree.ElementTree import Element

    from tests.fakes.jenkins.running import Run, ShellLine

PIPELINE = "flow-definition"
FOLDER = "com.cloudbees.hudson.plugins.folder.Folder"
MULTIBRANCH = "org.jenkinsci.plugins.workflow.multibranch.WorkflowMultiBranchProject"
TOKEN_LENGTH = 34


@dataclass(eq=False)
class ApiToken:
    """A token of which the server keeps a digest alone."""

    name: str
    digest: str
    expires: float | None = None
    uuid: str = field(default_factory=lambda: str(uuid.uuid4()))


@dataclass(eq=False)
class User:
    """Somebody; ``only`` replaces the permissions at an item and below it, by its full name."""

    name: str
    permissions: set[str] = field(default_factory=set)
    password: str = ""
    token: str = ""
    tokens: list[ApiToken] = field(default_factory=list)
    only: dict[str, set[str]] = field(default_factory=dict)

    def add_token(self, name: str, expires: float | None = None) -> str:
        """Make a token and return it, which happens once."""
        value = f"11{secrets.token_hex(16)}"
        self.tokens.append(ApiToken(name, sha256(value), expires))
        return value


@dataclass(eq=False)
class Credential:
    """A secret of a folder: a text, or a file with a name."""

    id: str
    secret: str
    description: str = ""
    scope: str = "GLOBAL"
    file_name: str = ""


@dataclass(eq=False)
class Item:
    """A job, a folder or a project; the root of all is a group without a name."""

    name: str
    parent: Group | None
    config: Element
    is_disabled: bool = False
    saves: int = 0  # how often it was saved, and its triggers started

    @property
    def full_name(self) -> str:
        """The names of its folders and its own, with slashes."""
        above = self.parent.full_name if self.parent else ""
        return f"{above}/{self.name}" if above else self.name

    @property
    def path(self) -> str:
        """Its address on the server, with a slash at the end."""
        if self.parent is None:
            return "/"
        return f"{self.parent.path}job/{quote(self.name, safe='')}/"

    def chain(self) -> Iterator[Item]:
        """Yield the item and what it lies in, without the root."""
        item: Item | None = self
        while item is not None and item.parent is not None:
            yield item
            item = item.parent

    @property
    def is_buildable(self) -> bool:
        """Whether neither it nor a folder of it is disabled."""
        return not any(item.is_disabled for item in self.chain())


@dataclass(eq=False)
class Group(Item):
    """What items lie in; names are looked up whatever their case. ``allowed`` restricts the kinds
    of its items by their root elements.
    """

    children: dict[str, Item] = field(default_factory=dict)
    credentials: dict[str, Credential] = field(default_factory=dict)
    views: dict[str, Element] = field(default_factory=dict)
    allowed: set[str] | None = None

    def child(self, name: str) -> Item | None:
        """Return what lies in it by a name."""
        return self.children.get(name.lower())

    def add(self, item: Item) -> None:
        """Take an item in."""
        self.children[item.name.lower()] = item

    def remove(self, item: Item) -> None:
        """Let an item go."""
        del self.children[item.name.lower()]

    def walk(self) -> Iterator[Item]:
        """Yield everything below, level by level."""
        for _, item in sorted(self.children.items()):
            yield item
            if isinstance(item, Group):
                yield from item.walk()


@dataclass(eq=False)
class Folder(Group):
    """A folder."""


@dataclass(eq=False)
class Multibranch(Group):
    """A project whose jobs are computed from the branches of a repository."""

    indexings: int = 0
    indexed_at: float = 0.0


@dataclass(eq=False)
class Job(Item):
    """A pipeline; ``declared`` are the properties that its Jenkinsfile declared when last built."""

    builds: dict[int, Build] = field(default_factory=dict)
    next_number: int = 1
    declared: set[str] = field(default_factory=set)
    branch: str = ""  # of a multibranch project
    head: str = ""  # the commit that was built last

    def running(self) -> list[Build]:
        """Return the builds that run."""
        return [build for build in self.builds.values() if build.is_running]


@dataclass(frozen=True)
class Cause:
    """Why a build was asked for."""

    kind: str
    text: str
    user: str = ""


@dataclass(eq=False)
class QueueItem:
    """What waits in the queue, or left it."""

    id: int
    job: Job
    parameters: dict[str, str]
    causes: list[Cause]
    since: float
    due: float
    state: str = "waiting"  # waiting, blocked, buildable, left
    why: str = ""
    buildable_since: float = math.inf
    left_at: float = math.inf
    is_cancelled: bool = False
    build: Build | None = None
    label: str | None = None  # which a node must have, once that is known


@dataclass(eq=False)
class Build:
    """A build; times in seconds since 1970. It ends at ``ends_at`` once its runner has returned."""

    job: Job
    number: int
    queue_id: int
    parameters: dict[str, str]
    causes: list[Cause]
    node: Node
    started: float
    console: str = ""
    result: str | None = None
    ended: float | None = None
    description: str | None = None
    keep_log: bool = False
    previous_result: str | None = None
    lines: list[ShellLine] = field(default_factory=list)
    artifacts: list[str] = field(default_factory=list)
    reports: list[str] = field(default_factory=list)
    aborted: threading.Event = field(default_factory=threading.Event)
    is_stopped_by: str = ""
    has_returned: bool = False  # its runner
    ends_at: float = math.inf
    intended: str = "SUCCESS"
    run: Run | None = None
    thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        """Whether it has not ended."""
        return self.ended is None

    @property
    def path(self) -> str:
        """Its address on the server."""
        return f"{self.job.path}{self.number}/"


@dataclass(eq=False)
class Node:
    """A machine; ``environment`` is what processes find there beside the build's own."""

    name: str
    labels: set[str] = field(default_factory=set)
    executors: int = 2
    is_offline: bool = False
    offline_reason: str = ""
    is_taken_offline: bool = False
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def is_built_in(self) -> bool:
        """Whether it is the server itself."""
        return self.name == "Built-In Node"

    @property
    def all_labels(self) -> set[str]:
        """Its labels and its name, which is one, too."""
        return self.labels | {"built-in" if self.is_built_in else self.name}


@dataclass(eq=False)
class State:
    """Everything; ``secrets`` must appear in no address, console or config.xml."""

    root: Group
    users: dict[str, User] = field(default_factory=dict)
    sessions: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    queue: dict[int, QueueItem] = field(default_factory=dict)
    builds: list[Build] = field(default_factory=list)
    nodes: dict[str, Node] = field(default_factory=dict)
    next_id: int = 1

    def waiting(self) -> list[QueueItem]:
        """Return what waits, in order."""
        return [item for item in self.queue.values() if item.state != "left"]

    def jobs(self) -> list[Job]:
        """Return every pipeline."""
        return [item for item in self.root.walk() if isinstance(item, Job)]

    def busy(self, node: Node) -> int:
        """Return how many executors of a node are taken."""
        return sum(build.is_running and build.node is node for build in self.builds)


def sha256(text: str) -> str:
    """Return a digest in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()
