"""Orders about many tasks, and deployments: said first, done when somebody insists, told later."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from autoctrl.chat.deployment import DeployRequest, DeployTicket
from autoctrl.errors import SettingsError, UsageError
from autoctrl.model.actor import Actor
from autoctrl.model.names import workflow_lease
from autoctrl.model.status import TaskStatus
from tests.integration.chat import PATIENCE_S, PROMPT, Chat

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BUILD = "https://jenkins.example.org/job/deploy/7/"


class Site:
    """Deploys when it is told to go on."""

    def __init__(self) -> None:
        self.asked: list[DeployRequest] = []
        self.may_go_on = threading.Event()
        self.failure = ""

    def __call__(self, request: DeployRequest) -> DeployTicket:
        self.asked.append(request)
        if request.environment == "none":
            message = "There is no environment 'none'."
            raise UsageError(message)
        return DeployTicket(BUILD, self.wait)

    def wait(self) -> str:
        assert self.may_go_on.wait(60)
        if self.failure:
            raise UsageError(self.failure)
        return BUILD


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture
def chat(tmp_path: Path, site: Site) -> Iterator[Chat]:
    """Twenty-five tasks have failed."""
    pytest.importorskip("mattermostdriver")
    made = Chat(tmp_path, deploy=site)
    made.fails(*range(1, 26))
    yield made
    made.close()


def test_many_tasks_are_said_first(chat: Chat) -> None:
    """What would happen, and a button; pressed, it is done, once."""
    answer = chat.say("retry 1-25 reco the node was down")
    assert "Nothing was done yet: these are 25 tasks." in answer.text
    assert "runs 1-25 / reco would go from failed to new." in answer.text
    assert chat.retries(25) == 0
    (shown,) = answer.posts
    pressed = chat.press(shown, "doit", chat.people.operator)
    assert "went from failed to new" in pressed.text
    assert [chat.retries(run) for run in (1, 25)] == [1, 1]
    assert chat.task(7).reason == "the node was down"
    again = chat.press(shown, "doit", chat.people.operator)
    assert "not the same any more" in again.text
    assert chat.retries(1) == 1


def test_an_order_under_way_is_not_given_twice(chat: Chat) -> None:
    """While it waits for a cycle a second press does nothing, also after a restart."""
    (shown,) = chat.say("complete 1-25 reco x").posts
    held = chat.store.lease(workflow_lease(PROMPT, "reco"), "a cycle", 60)
    chat.workers.patience_s = 0.1
    first = chat.press(shown, "doit", chat.people.operator)
    assert "Working on it" in first.text
    chat.workers.patience_s = PATIENCE_S
    chat.open()
    second = chat.press(shown, "doit", chat.people.operator)
    assert "pressed before" in second.text
    chat.store.lease(held.name, "a cycle", 0)
    assert chat.workers.finish()
    assert chat.task(1).status is TaskStatus.DONE
    assert "went from failed to done" in chat.mattermost.posts[-1].message


def test_an_order_that_could_not_begin_may_be_given_again(chat: Chat) -> None:
    """A cycle was at work for longer than a verb waits: the button is good still, once."""
    chat.changes("[cycle]\nverb_wait_s = 0.01")
    (shown,) = chat.say("complete 1-25 reco x").posts
    held = chat.store.lease(workflow_lease(PROMPT, "reco"), "a cycle", 60)
    first = chat.press(shown, "doit", chat.people.operator)
    assert "Nothing was done: The lease prompt/reco is held" in first.text
    chat.store.lease(held.name, "a cycle", 0)
    again = chat.press(shown, "doit", chat.people.operator)
    assert "went from failed to done" in again.text


def test_an_order_is_of_its_person_and_its_tasks(chat: Chat) -> None:
    """Somebody else, other tasks, too late: nothing is done."""
    (shown,) = chat.say("retry 1-25 reco x").posts
    context = shown.actions[0]["integration"]["context"]
    chat.moves(3, TaskStatus.NEW)
    assert "not the same any more" in chat.press(shown, "doit", chat.people.operator).text
    (shown,) = chat.say("retry 1-25 reco x").posts
    post = chat.mattermost.say(chat.people.admin, chat.scene.channel, "hello")
    post.versions[-1].props["attachments"] = shown.props["attachments"]
    assert "whoever said the command" in chat.press(post, "doit", chat.people.admin).text
    assert "reprocess" not in context.values()
    for forged in ({"runs": "1-9"}, {"person": chat.people.admin.id}, {"verb": "reprocess"}):
        answer = chat.press(shown, "doit", chat.people.operator, context=context | forged)
        assert "not signed here" in answer.text
    chat.listener.shift = timedelta(minutes=26)
    assert "That was good until" in chat.press(shown, "doit", chat.people.operator).text
    assert chat.retries(1) == 0


def test_many_tasks_without_buttons_are_for_the_command_line(tmp_path: Path) -> None:
    """Where no address for buttons is set, nothing is done."""
    made = Chat(tmp_path)
    made.fails(*range(1, 26))
    made.changes("", 'secret_file = "key"')
    assert [*made.listener.hooks] == ["/hooks/mattermost/command"]
    answer = made.say("retry 1-25 reco x")
    assert "25 tasks: say it on the command line" in answer.text
    assert made.retries(1) == 0
    made.close()


def test_a_deployment_is_told_as_shifters_know_it(chat: Chat, site: Site) -> None:
    """That it was asked for at once, that it has ended later, both to the caller alone."""
    admin = chat.people.admin
    answer = chat.say("deploy prod v1.2", admin)
    assert answer.text == f"Deployment request for environment prod received: {BUILD}"
    assert site.asked[0][:2] == ("prod", "v1.2")
    assert site.asked[0].actor == Actor(f"admin ({admin.id})", "mattermost")
    site.may_go_on.set()
    assert chat.workers.finish()
    last = chat.mattermost.posts[-1]
    assert last.message == f"Environment prod deployed successfully: {BUILD}"
    assert last.ephemeral_for == answer.posts[0].ephemeral_for == admin.id


def test_a_deployment_that_fails_is_told(chat: Chat, site: Site) -> None:
    """At once or later, with the reason."""
    assert "no environment 'none'" in chat.say("deploy none", chat.people.admin).text
    site.failure = "The build was aborted."
    chat.say("deploy prod", chat.people.admin)
    site.may_go_on.set()
    assert chat.workers.finish()
    assert chat.mattermost.posts[-1].message == "The build was aborted."
    site.may_go_on.clear()
    for words in ("deploy --upload-pack=x", "deploy prod ../x", "deploy prod -x", "deploy a/b"):
        before = len(site.asked)
        assert chat.say(words, chat.people.admin).text
        assert len(site.asked) == before


def test_without_deployments_that_is_said(chat: Chat) -> None:
    """Where nobody carries them out."""
    chat.deploy = None
    chat.open()
    assert "not set up here" in chat.say("deploy prod", chat.people.admin).text


def test_settings_that_make_no_sense_are_refused(chat: Chat) -> None:
    """When the hooks are opened: an id that is none, a key that is too short, no bot."""
    from autoctrl.chat.hooks import list_hooks
    from autoctrl.compose import open_project

    text = (chat.folder / "autoctrl.toml").read_text()
    wrong = {
        text.replace(chat.people.admin.id, "ada"): "no id of a person",
        text.replace('notifier = "shift"', 'notifier = "shfit"'): "Did you mean 'shift'",
        text.replace('token_file = "slash"', 'token_file = "none"'): "No such file",
        text.replace('secret_file = "key"', 'secret_file = "slash"'): "fewer than 32 characters",
    }
    for changed, words in wrong.items():
        (chat.folder / "autoctrl.toml").write_text(changed)
        with open_project(chat.folder) as project, pytest.raises(SettingsError, match=words):
            list_hooks(project, None)  # type: ignore[arg-type]
    (chat.folder / "autoctrl.toml").write_text(text.replace('notifier = "shift"', ""))
    with open_project(chat.folder) as project:
        assert list_hooks(project, None) == {}  # type: ignore[arg-type]
