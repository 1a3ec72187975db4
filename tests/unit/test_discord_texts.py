"""What Discord makes of our texts, whatever a job has printed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autoctrl.model.severity import Severity
from autoctrl.notifiers.discord.quoting import (
    CUT,
    GAP,
    LONGEST_DESCRIPTION,
    LONGEST_TITLE,
    clean,
    escape,
    fence,
    is_id,
    write_body,
    write_embed,
    write_link,
)
from autoctrl.notifiers.discord.webhook import Webhook, parse_webhook
from autoctrl.ports import Message
from tests.fakes.discord import NOBODY, blocks, mentions
from tests.fakes.discord import Message as Shown
from tests.fakes.discord.forms import POSTED, Form, read_body

if TYPE_CHECKING:
    from collections.abc import Sequence

PIECES = ["```", "``", "`", "\\", "*", "_", "~~", "||", "[a](b)", "@everyone", "<@11>", "<@&13>"]
PIECES += [
    "# ",
    "- ",
    "> ",
    "\n",
    "\r",
    "\t",
    " ",
    "py",
    "é",
    "🔥",
    "\u202e",
    "\x00",
    "\udc80",
    GAP,
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
SOME = settings(max_examples=50)


ALARM = Message("7/reco", Severity.ALARM, "run 7 / reco failed", "The disk is full.", "logs/7")
WHERE = "camera · production"
TOKEN = "t0ken-_" * 10


def shown(body: dict[str, Any], content: str) -> Shown:
    """Return the message that a body becomes, with a content that we would not write."""
    embeds = tuple(body["embeds"])
    allowed = body["allowed_mentions"]
    return Shown("1", "2", "3", content, embeds, "alarms", None, False, 0, allowed, 0.0)  # noqa: FBT003 - a record of the fake


@SOME
@given(title=TEXTS, text=TEXTS, link=TEXTS)
@example(title="@everyone", text="<@11> @here", link="<@&13>")
def test_a_job_calls_nobody(title: str, text: str, link: str) -> None:
    """A message notifies nobody, and would not if its texts stood where mentions count."""
    body = write_body(ALARM._replace(title=title, text=text, link=link), WHERE)
    assert mentions(shown(body, "")) == NOBODY
    assert mentions(shown(body, title + text + link)) == NOBODY


@SOME
@given(TEXTS)
@example("```\nout\n```")
@example("``````")
@example("a\\```")
@example("py\nx")
def test_no_text_leaves_its_block(text: str) -> None:
    """All of a job's text lies in one block of code, and its characters stay as they are."""
    layout = blocks(fence(text, LONGEST_DESCRIPTION))
    whole = clean(text).strip()
    if not whole:
        assert layout == blocks("")
    else:
        assert layout.outside == ""
        assert [inner.replace(GAP, "") for inner in layout.inside] == [whole.replace(GAP, "")]


@SOME
@given(TEXTS, st.integers(20, 300))
def test_a_title_has_no_markup(text: str, most: int) -> None:
    """Nothing in an escaped line is markup, also where it was cut."""
    line = " ".join(clean(text).split())
    escaped = escape(line, most)
    layout = blocks(escaped)
    assert (layout.marks, layout.spans, layout.inside) == ("", (), ())
    assert len(escaped) <= most
    if not escaped.endswith(CUT):
        assert re.sub(r"\\([^0-9A-Za-z\s])", r"\1", escaped) == line


@SOME
@given(TEXTS)
def test_a_link_is_plain_or_code(link: str) -> None:
    """What is no address of the web stands in code of one line, and does not leave it."""
    layout = blocks(write_link(link))
    assert layout.outside.strip("`") == ""
    assert len(layout.spans) <= 1


@SOME
@given(
    texts=st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), length=st.integers(0, 6000), below=st.booleans()
)
def test_every_limit_is_kept(texts: Sequence[str], length: int, *, below: bool) -> None:
    """Discord accepts the message, however long its texts are."""
    title, text, link, where = ((text * length)[:length] for text in texts)
    message = ALARM._replace(title=title, text=text, link=link, is_again=True)
    body = write_body(message._replace(below="1" * 19 if below else ""), where)
    form = Form()
    read_body(form, body, POSTED)
    assert (form.errors, form.faults) == ({}, [])


@pytest.mark.parametrize("length", [LONGEST_TITLE - 1, LONGEST_TITLE, LONGEST_TITLE + 1])
def test_a_title_is_cut_at_the_limit_and_no_earlier(length: int) -> None:
    """A title that just fits is whole; of a longer one all stands in the text."""
    embed = write_embed(ALARM._replace(title="x" * length), WHERE)
    is_whole = length <= LONGEST_TITLE
    assert len(embed["title"]) == min(length, LONGEST_TITLE)
    assert embed["title"].endswith(CUT) is not is_whole
    assert ("x" * length in embed["description"]) is not is_whole


@pytest.mark.parametrize("excess", [0, 1])
def test_a_text_is_cut_at_the_limit_and_no_earlier(excess: int) -> None:
    """The block takes all the room that the link leaves."""
    room = LONGEST_DESCRIPTION - len("```\n\n```\n`logs/7`")
    embed = write_embed(ALARM._replace(text="x" * (room + excess)), WHERE)
    assert len(embed["description"]) == LONGEST_DESCRIPTION
    assert (CUT in embed["description"]) is bool(excess)


def test_a_message_is_one_embed_in_the_colour_of_its_severity() -> None:
    """Title, text, link, project and state stand in it; what is over is green."""
    assert write_embed(ALARM, WHERE) == {
        "title": "run 7 / reco failed",
        "description": "```\nThe disk is full.\n```\n`logs/7`",
        "color": 0xE74C3C,
        "footer": {"text": "alarm · camera · production"},
    }
    over = write_embed(ALARM._replace(is_over=True, is_again=True), "")
    assert over["color"] == 0x2ECC71
    assert over["footer"] == {"text": "over · perhaps told before"}
    colours = {write_embed(ALARM._replace(severity=one), "")["color"] for one in Severity}
    assert len(colours) == 3


def test_a_reminder_says_which_message_it_is_of() -> None:
    """By its time, in each reader's own zone; an id of something else says no time."""
    first = write_embed(ALARM._replace(below="175928847299117063"), "")["description"]
    assert first.startswith("A reminder of the message of <t:1462015105:f>.\n```")
    other = write_embed(ALARM._replace(below="7/reco"), "")["description"]
    assert other.startswith("A reminder: this was told before.\n```")


@pytest.mark.parametrize(
    ("link", "written"),
    [
        ("https://logs.example.org/a_b/7?x=1#2", "https://logs.example.org/a_b/7?x=1#2"),
        ("http://logs:8080", "http://logs:8080"),
        ("javascript:alert(1)", "`javascript:alert(1)`"),
        ("ftp://logs/7", "`ftp://logs/7`"),
        ("https://ada@logs/7", "`https://ada@logs/7`"),
        ("https://logs/`7`", "`https://logs/'7'`"),
        ("https://logs/7\n@everyone", "`https://logs/7 @everyone`"),
        ("autoctrl incidents show 3f", "`autoctrl incidents show 3f`"),
        ("", ""),
    ],
)
def test_only_addresses_of_the_web_are_links(link: str, written: str) -> None:
    """All else is code, in which nothing is a link or markup."""
    assert write_link(link) == written


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("1" * 17, True), ("1" * 20, True), ("1" * 16, False), ("1/../" * 4, False)],
)
def test_ids_are_numbers(text: str, is_one: bool) -> None:  # noqa: FBT001 - a parameter of the test
    """What another notifier has given is no id of Discord."""
    assert is_id(text) is is_one


@pytest.mark.parametrize("host", ["discord.com", "discordapp.com", "ptb.discord.com"])
@pytest.mark.parametrize("version", ["", "/v6", "/v10"])
def test_the_version_that_we_know_is_asked(host: str, version: str) -> None:
    """Whatever version an address names, and with its thread if it has one."""
    found = parse_webhook(f"https://{host}/api{version}/webhooks/{'1' * 18}/{TOKEN}")
    assert found == Webhook(host, "1" * 18, TOKEN)
    path = f"/api/v10/webhooks/{'1' * 18}/{TOKEN}"
    assert found.target() == path
    assert found.target(is_post=True) == f"{path}?wait=true"
    assert found.target("22") == f"{path}/messages/22"
    text = f"https://{host}/api{version}/webhooks/{'1' * 18}/{TOKEN}?thread_id={'3' * 18}"
    threaded = parse_webhook(text)
    assert threaded is not None
    assert threaded.target() == path
    assert threaded.target(is_post=True) == f"{path}?wait=true&thread_id={'3' * 18}"
    assert threaded.target("22") == f"{path}/messages/22?thread_id={'3' * 18}"


def test_a_webhook_does_not_show_its_token() -> None:
    """Neither when it is printed nor in a text that it has looked at."""
    webhook = Webhook("discord.com", "1" * 18, TOKEN)
    assert TOKEN not in f"{webhook!r} {webhook} {webhook.redact(f'no {TOKEN}')}"


@pytest.mark.parametrize(
    "start",
    [
        "http://discord.com/",
        "https://discord.com.example.org/",
        "https://example.org/discord.com/",
        "https://evildiscord.com/",
        "https://discord.com:8443/",
        "https://ada:pw@discord.com/",
        "http://localhost:80/",
        "https://127.0.0.1:80/",
        "http://127.0.0.1@example.org/",
        "http://127.0.0.1.example.org:80/",
    ],
)
def test_other_hosts_are_refused(start: str) -> None:
    """Only Discord's own are asked, by TLS, and the loopback of tests."""
    assert parse_webhook(f"{start}api/webhooks/{'1' * 18}/{TOKEN}") is None
    assert parse_webhook(f"https://discord.com/api/webhooks/{'1' * 18}/{TOKEN}/slack") is None
    assert parse_webhook(f"https://discord.com/api/webhooks/{'1' * 18}/{TOKEN}\nmore") is None
