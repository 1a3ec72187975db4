"""A project whose tasks have failed, and a fake Mattermost in which people talk to it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.chat.hooks import list_hooks
from autoctrl.chat.workers import Workers
from autoctrl.compose import open_project
from autoctrl.hooks.exchange import Request
from autoctrl.hooks.ledger import FILE_NAME, Ledger
from autoctrl.incidents import join_failures, list_incidents, relieve_tasks
from autoctrl.machine.outbox import Deed, Fate, Outbox, Post, Result, note, outbox_mark
from autoctrl.model.actor import CYCLE
from autoctrl.model.output import MarkRecord
from autoctrl.model.run import RunRecord
from autoctrl.model.status import TaskStatus
from autoctrl.model.task import TaskRecord, new_task
from autoctrl.model.unit import TaskKey
from autoctrl.ports import Selection
from tests.contract.fakes.caller import Caller
from tests.fakes.http import Answer, HttpFake, Route
from tests.fakes.mattermost import Mattermost, Scene, furnish

if TYPE_CHECKING:
    from collections.abc import Mapping

    from autoctrl.chat.deployment import Deploy
    from autoctrl.hooks.exchange import Hook
    from autoctrl.model.incident import Incident
    from tests.fakes import http, mattermost

ROOT = Path(__file__).parents[2]
PROMPT = "prompt"
PATIENCE_S = 20.0  # a busy machine delays an answer; what is late on purpose says so itself
KEY = "k" * 40
ROLES = ("viewer", "shifter", "operator", "admin")
SETTINGS = """
[notifiers.shift]
type = "mattermost"
url = "{mattermost}"
token_file = "bot"
team = "experiment"
channel = "shift"

[hooks]
url = "{listener}"
secret_file = "key"

[chat]
notifier = "shift"
token_file = "slash"
viewers = "{viewer}"
shifters = "{shifter}"
operators = "{operator}"
admins = "{admin}"
{more}
"""


class Listener(HttpFake):
    """Serves hooks over HTTP; ``shift`` is how far its clock is ahead."""

    def __init__(self) -> None:
        super().__init__()
        self.hooks: Mapping[str, Hook] = {}
        self.shift = timedelta(0)
        self.routes = [Route("POST", "/hooks/mattermost/{what}", self.pass_on)]

    def pass_on(self, request: http.Request) -> Answer:
        now = datetime.now(UTC) + self.shift
        ours = Request(request.method, request.path, request.headers, request.body, now)
        answer = self.hooks[request.path](ours)
        return Answer(answer.status, answer.body, answer.content_type)


class People(NamedTuple):
    """One person of each role, and one that nobody knows."""

    viewer: mattermost.User
    shifter: mattermost.User
    operator: mattermost.User
    admin: mattermost.User
    nobody: mattermost.User


class Chat:
    """All of it: ``say`` types a command, ``press`` a button, ``fill_in`` a dialog."""

    def __init__(self, folder: Path, *, more: str = "", deploy: Deploy | None = None) -> None:
        self.folder, self.deploy = folder, deploy
        self.child: subprocess.Popen[bytes] | None = None
        self.mattermost = Mattermost()
        self.listener = Listener()
        self.complaints: list[str] = []
        self.workers = Workers(patience_s=PATIENCE_S)
        self.mattermost.start()
        self.listener.start()
        self.scene: Scene = furnish(self.mattermost)
        channels = [self.scene.channel]
        names = (*ROLES, "nobody")
        self.people = People(*(self.mattermost.add_user(name, channels) for name in names))
        url = f"{self.listener.url}/hooks/mattermost/command"
        scene = self.scene
        self.command = self.mattermost.add_command(scene.owner, scene.team, "autoctrl", url)
        ids = {role: getattr(self.people, role).id for role in ROLES}
        places = {"mattermost": self.mattermost.url, "listener": self.listener.url}
        text = SETTINGS.format(**places, **ids, more=more)
        (folder / "autoctrl.toml").write_text(text)
        self.write_secret("slash", self.command.token)
        self.write_secret("key", KEY)
        self.write_secret("bot", self.scene.bot.token)
        self.project = open_project(folder)
        self.store = self.project.store
        self.open()

    def open(self) -> None:
        """Open the hooks, as another process would."""
        self.listener.hooks = list_hooks(
            self.project,
            Ledger(self.ledger),
            workers=self.workers,
            deploy=self.deploy,
            complain=self.complaints.append,
        )

    @property
    def ledger(self) -> Path:
        """The file of what was used."""
        return self.project.settings.state_folder / FILE_NAME

    def changes(self, added: str, removed: str = "") -> None:
        """Change the settings, and open everything anew."""
        path = self.folder / "autoctrl.toml"
        path.write_text(f"{path.read_text().replace(removed, '')}\n{added}\n")
        self.project.close()
        self.project = open_project(self.folder)
        self.store = self.project.store
        self.open()

    def open_elsewhere(self, dies: str = "") -> None:
        """Serve the hooks in another process, on the same port; ``dies`` says where it is killed:
        ``before lease``, ``after append``.
        """
        self.listener.stop()
        self.end_child()
        command = [sys.executable, "-m", "tests.integration.chat_child"]
        words = [str(self.folder), str(self.listener.port), dies]
        self.child = subprocess.Popen([*command, *words], cwd=ROOT, stdout=subprocess.PIPE)
        assert self.child.stdout is not None
        assert self.child.stdout.readline() == b"ready\n"

    def end_child(self) -> None:
        if self.child is not None:
            self.child.kill()
            self.child.communicate()

    def close(self) -> None:
        """Wait for what goes on; then nothing may have been wrong."""
        assert self.workers.finish()
        self.end_child()
        self.listener.stop()
        self.mattermost.stop()
        self.project.close()
        self.mattermost.check()
        self.listener.check()
        for line in self.complaints:
            self.mattermost.check_text(line, "a complaint")

    def write_secret(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)

    # What people do.

    def say(
        self, text: str, who: mattermost.User | None = None, **forged: str
    ) -> mattermost.Result:
        """Type a command, by default as the operator."""
        person = who or self.people.operator
        return self.mattermost.slash(
            person, self.scene.channel, f"/autoctrl {text}", forge=forged or None
        )

    def press(
        self, post: mattermost.Post, button: str, who: mattermost.User | None = None, **forged: Any
    ) -> mattermost.Result:
        """Press a button, by default as the shifter."""
        person = who or self.people.shifter
        return self.mattermost.click(post, button, person, forge=forged or None)

    def fill_in(self, reason: str = "the node was down", **forged: Any) -> mattermost.Result:
        """Fill in the newest dialog."""
        dialog = self.mattermost.dialogs[-1]
        return self.mattermost.submit(dialog, {"reason": reason}, forge=forged or None)

    def post(self, what: str, body: bytes) -> int:
        """Send something to a hook as anybody may; return the status."""
        caller = Caller(self.listener.port)
        return caller("POST", f"/hooks/mattermost/{what}", body).status

    # What there is.

    def fails(self, *runs: int, workflow: str = "reco", reason: str = "no pedestal") -> None:
        """Let tasks fail for good, as a cycle writes it."""
        now = self.project.clock.now()
        self.declares(workflow)
        known = {run.number for run in self.store.runs().records}
        new = [run for run in runs if run not in known]
        self.store.append(
            [RunRecord(run, {}, is_closed=True, time=now, actor=CYCLE) for run in new]
        )
        failed = []
        for run in runs:
            born = new_task(TaskKey(PROMPT, workflow, str(run)), (run,), now)
            begun = born.moved(TaskStatus.PROCESSING, now)
            ended = begun.moved(TaskStatus.FAILED, now, reason=reason, log=f"/logs/{run}")
            self.store.append([born, begun])
            failed.append(ended)
        marks = join_failures(self.store, PROMPT, workflow, failed, now)
        self.store.append([*failed, *marks])

    def declares(self, workflow: str) -> None:
        """Let a workflow be known, as from its first cycle on."""
        if not any(mark.name == workflow for mark in self.store.marks("workflow", PROMPT)):
            now, values = self.project.clock.now(), {"position": 0, "after": []}
            self.store.append([MarkRecord("workflow", PROMPT, workflow, values, now)])

    def moves(self, run: int, status: TaskStatus, workflow: str = "reco") -> None:
        """Let a task move on, and out of its incident."""
        task, now = self.task(run, workflow), self.project.clock.now()
        marks = relieve_tasks(self.store, PROMPT, workflow, [task], now)
        self.store.append([task.moved(status, now), *marks])

    def task(self, run: int, workflow: str = "reco") -> TaskRecord:
        (task,) = self.store.tasks(Selection(PROMPT, (workflow,), (str(run),)))
        return task

    def retries(self, run: int, workflow: str = "reco") -> int:
        """Return how often a task was tried again."""
        return self.task(run, workflow).renewals

    @property
    def incident(self) -> Incident:
        """The newest incident."""
        return list_incidents(self.store, PROMPT, with_closed=True)[-1]

    def told(self) -> mattermost.Post:
        """Tell the newest incident, and write down that it was told, or change what was."""
        incident, now = self.incident, self.project.clock.now()
        notifier = self.project.listener("shift").notifier
        message = self.project.message(PROMPT, incident, 0)
        marks = {mark.name: mark for mark in self.store.marks("outbox", PROMPT)}
        before = marks.get("shift")
        if before is None:
            message_id = notifier.tell(message)
            result = Result(Post(Deed.TELL, incident), Fate.SEEN, message_id)
            outbox = note(Outbox(), [result], now)
            self.store.append([outbox_mark(None, outbox, (PROMPT, "shift"), now)])
        else:
            message_id = before.values["told"][incident.id]["message"]
            assert notifier.change(message_id, message)
        return next(post for post in self.mattermost.posts if post.id == message_id)

    def thread(self, root: mattermost.Post) -> list[str]:
        """Return what the bot has said in a thread."""
        assert self.workers.finish()
        bot = self.scene.bot.id
        return [
            post.message
            for post in self.mattermost.posts
            if post.root_id == root.id and post.user_id == bot
        ]
