"""Whom a message notifies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fakes.mattermost import mentions

if TYPE_CHECKING:
    from tests.fakes.mattermost import Mattermost, Scene


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("@all", "all"),
        ("hello @Ada, @bob-2. and (@channel)", "ada bob-2 channel"),
        ("@ada.lovelace: look", "ada.lovelace"),
        ("end of it.@here", "here"),
        ("mail ada@example.org", ""),
        ("@@all @all@ada :@all:", ""),
        ("*@all* _@here_ ~~@ada~~ |@bob|", "all here ada bob"),
        ("> @all", "all"),
        ("# @all", "all"),
        ("- @all\n    @here", "all here"),
    ],
)
def test_names_are_found_in_text(text: str, names: str) -> None:
    """A name after @ is a mention, without what ends the sentence; an address is none."""
    assert mentions(text) == set(names.split())


@pytest.mark.parametrize(
    "code",
    [
        "`@all`",
        "`` ` @all ` ``",
        "`a ``` @all `",
        "a `code @all\nover lines` b",
        "```\n@all\n```",
        "````\n```\n@all\n```\n````",
        "~~~ text\n@all\n~~~",
        "```\n@all",
        "  ```\n  @all\n  ```",
        "> ```\n> @all\n> ```",
        "    @all",
        "text\n\n    @all",
        "```text\r\n@all\r\n```",
    ],
)
def test_names_in_code_notify_nobody(code: str) -> None:
    """Spans, fenced blocks and indented blocks of code notify nobody."""
    assert mentions(code) == set()


@pytest.mark.parametrize(
    "text",
    [
        "\\@all",
        "\\`@all\\`",
        "`a\\` @all `",
        "`\\`@all`",
        "&#64;all",
        "&#x40;all",
        "&commat;all",
        "`open @all",
        "``not closed @all `",
        "`a`@all`b`",
        "```\ncode\n```\n@all",
        "````\n```\n````\n@all",
        "```\n~~~\n```\n@all",
        "``` a`b\n@all",
        "> ```\n> code\n\n@all",
        "text\n    @all",
        "`one\n\n@all` two",
        "[@all](http://x/)",
        "![@all](http://x/)",
        "http://x/@all",
        "| a |\n|---|\n| @all |",
    ],
)
def test_what_does_not_protect(text: str) -> None:
    """A backslash, a reference, an open span and the end of a block keep nobody from a call."""
    assert mentions(text) == {"all"}


def test_a_destination_is_no_text() -> None:
    """The address of a link mentions nobody."""
    assert mentions("[run 7](http://x/@all) and `a`") == set()


def test_a_post_tells_whom_it_notifies(server: Mattermost, scene: Scene) -> None:
    """Only members of the channel and the words for everybody are notified."""
    post = server.say(scene.ada, scene.channel, "@owner @stranger @nobody @here `@all`")
    assert post.notified == {"owner", "here"}
    assert post.last.mentions == {"owner", "stranger", "nobody", "here"}


def test_attachments_notify_too(server: Mattermost, scene: Scene) -> None:
    """Texts and fields of attachments are read like the message."""
    fields = [{"title": "Error", "value": "@here", "short": False}]
    attachment = {"pretext": "@all", "text": "`@channel`", "fields": fields}
    post = server.posts_api.save(scene.bot, scene.channel.id, "x", {"attachments": [attachment]})
    assert post.notified == {"all", "here"}
