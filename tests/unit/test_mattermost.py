"""A message in Mattermost's Markdown, and what its notifier concludes without asking anybody."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autoctrl.config import parse_settings
from autoctrl.errors import NotifierError, SettingsError
from autoctrl.mattermost.address import Place, Server, read_secret, read_server
from autoctrl.mattermost.quoting import LONGEST_POST, quote_title
from autoctrl.model.severity import Severity
from autoctrl.notifiers import open_listener
from autoctrl.notifiers.mattermost.calls import Posted
from autoctrl.notifiers.mattermost.failure import Failure, refused, shorten
from autoctrl.notifiers.mattermost.repeat import YOUNG_S, find_told
from autoctrl.notifiers.mattermost.text import spell_post
from autoctrl.notifiers.patience import Patience
from autoctrl.ports import Message
from tests.fakes.mattermost import mentions
from tests.fakes.mattermost.slack import translate

PLAIN = Message("3fa2c1", Severity.ALARM, "[reco]: run 7 failed", "reason: full", "logs/7")
# What breaks out of quotations, if anything does.
PIECES = (
    *("@all", "@here", "@ada", "@", "all", "&#64;", "&amp;", "&", "<!channel>", "<https://x|y>"),
    *("`", "```", "~~~", "\n", "\r", "\r\n", "\n\n    ", "> ", "- ", "# ", "|", "*", "_", "[", "]"),
    *(
        "](",
        ")",
        "\\",
        "https://x/",
        "http://x?a=1",
        ":",
        ".",
        " ",
        "\t",
        "<",
        ">",
        "\x00",
        "\udc80",
    ),
)
HOSTILE = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=4)), max_size=30).map(
    "".join
)
BOT = "url = 'https://chat.example.org'\ntoken_file = 'token'\nteam = 'exp'\nchannel = 'shift'\n"
SERVER = Server("https", "chat.example.org", 443)
PLACE = Place("shift", SERVER, "exp", "shift")


def refusal_of(table: str) -> SettingsError:
    """Return why a table is refused."""
    text = f"[notifiers.shift]\ntype = 'mattermost'\n{table}"
    settings = parse_settings(text, Path("/project"), environ={})
    with pytest.raises(SettingsError) as refusal:
        open_listener(settings, "shift")
    return refusal.value


def parts_of(post: str) -> tuple[str, str]:
    """Return the title and the last line of a post; fail unless one block lies between them."""
    title, fence, *rest = post.split("\n")
    assert set(fence) == {"`"}
    end = next(
        i for i, line in enumerate(rest) if line.strip(" ") == "`" * len(line.strip(" ")) >= fence
    )
    assert rest[end] == fence
    (link,) = rest[end + 1 :]
    return title, link


def test_a_post_says_all_of_a_message() -> None:
    """A bold title with a sign comes first, the text in a block, the link last."""
    assert spell_post(PLAIN) == (
        "🔴 **\\[reco\\]: run 7 failed**\n```\nreason: full\n```\n`logs/7`"
    )
    bare = Message("k", Severity.INFO, "all is well")
    assert spell_post(bare, "mirror") == "🔵 **\\[mirror\\] all is well**"
    assert spell_post(PLAIN._replace(severity=Severity.WARNING))[0] == "🟠"
    assert spell_post(PLAIN._replace(is_over=True))[0] == "🟢"


def test_an_address_can_be_followed() -> None:
    """An address stays as it is, and at the end of a title outside of what is bold."""
    log = "https://logs.example.org/run_7/a_b.txt?x=1"
    assert quote_title(f"failed. Logs: {log}") == f"**failed. Logs:** {log}"
    assert quote_title(f"see {log} there") == f"**see {log} there**"
    assert quote_title(log) == log
    assert spell_post(PLAIN._replace(link=log)).endswith(f"\n{log}")
    assert spell_post(PLAIN._replace(link="a `b`")).endswith("\n`` a `b` ``")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_what_jobs_print_calls_nobody_and_stays_in_its_block(
    title: str, text: str, link: str
) -> None:
    """Whatever stands in a message, nobody is mentioned and the block ends where it should, after
    a server has translated Slack's notation, too.
    """
    post = spell_post(PLAIN._replace(title=title, text=f"x{text}", link=f"x{link}"), title)
    assert not mentions(post)
    assert translate(post) == post
    assert len(post) <= LONGEST_POST
    parts_of(post)


@given(HOSTILE)
def test_a_title_is_one_line(title: str) -> None:
    """No title begins a paragraph, a list or a block."""
    (line,) = spell_post(PLAIN._replace(title=title, text="", link="")).splitlines()
    assert line.startswith("🔴 ")


@pytest.mark.parametrize("piece", ["long ", "`", "```\n@all\n", "@all <!here> ", "&#64;all "])
def test_a_long_text_is_cut_inside_its_block(piece: str) -> None:
    """A post has no more characters than a server takes, and says that it is cut."""
    message = PLAIN._replace(text=f"x{piece * 9000}", title=piece * 9000)
    post = spell_post(message)
    _, link = parts_of(post)
    assert len(post) <= LONGEST_POST
    assert link == "`logs/7`"
    assert "…" in post
    assert not mentions(post)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("", "lacks url, token_file, team, channel"),
        (BOT.replace("team = 'exp'\n", ""), "lacks team"),
        (f"{BOT}webhook_file = 'hook'\n", "has a webhook_file and url"),
        (BOT.replace("https://chat", "chat"), "url is not the address of a server"),
        (BOT.replace("example.org", "example.org:x"), "url is not the address of a server"),
        (BOT.replace("example.org", "example.org?a=b"), "url is not the address of a server"),
    ],
)
def test_a_table_describes_a_bot_or_a_webhook(table: str, said: str) -> None:
    """What is missing, too much or no address is refused with what to do."""
    refusal = refusal_of(table)
    assert said in refusal.message
    assert refusal.hint


def test_without_the_driver_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot says at once which packages are missing."""
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert "extra 'chat'" in refusal_of(BOT).hint


def test_a_server_may_have_a_port_and_a_path() -> None:
    """Both are kept, and the port of the scheme is understood."""
    assert str(read_server("shift", "https://[::1]:8065/mm/")) == "https://[::1]:8065/mm"
    assert read_server("shift", "http://chat") == Server("http", "chat", 80)


def test_a_file_without_one_word_is_refused(tmp_path: Path) -> None:
    """A secret is one word; what else the file holds is not repeated."""
    file = tmp_path / "token"
    with pytest.raises(NotifierError, match="No such file"):
        read_secret("shift", "token_file", file)
    for content in (b"", b"two words", b"\xff\xfe"):
        file.write_bytes(content)
        with pytest.raises(NotifierError, match="does not hold") as refusal:
            read_secret("shift", "token_file", file)
        assert "two words" not in str(refusal.value)
    file.write_text(" word\n")
    assert read_secret("shift", "token_file", file) == "word"


@pytest.mark.parametrize(
    ("status", "of_bot", "of_webhook"),
    [
        (0, "does not answer", "does not answer"),
        (302, "leads elsewhere", "leads elsewhere"),
        (401, "refuses the token", "refuses that"),
        (403, "does not let the bot into 'shift'", "does not let the webhook into its channel"),
        (404, "no channel 'shift' of a team 'exp'", "does not find the webhook"),
        (429, "is asked too often", "is asked too often"),
        (501, "switched off", "incoming webhooks switched off"),
        (502, "a proxy before it is at fault", "a proxy before it is at fault"),
    ],
)
def test_a_refusal_is_explained(status: int, of_bot: str, of_webhook: str) -> None:
    """Each says what is the matter, in the server's words too, and what to do."""
    failure = Failure(status, "so it said")
    for place, words in ((PLACE, of_bot), (Place("shift", SERVER), of_webhook)):
        error = refused(place, failure)
        assert words in error.message
        assert "so it said" in error.message
        assert error.hint


def test_what_a_server_says_is_short_and_holds_no_secret() -> None:
    """Of a page nothing is repeated, of a secret neither."""
    assert shorten("<html>\n<body>", "abc") == "a page of HTML"
    assert shorten("no abc\nhere.", "abc") == "no (redacted) here"
    assert len(shorten("long " * 1000, "abc")) <= 200
    assert shorten("", "abc")


def test_patience_ends() -> None:
    """One waits only as long as a request can still follow; a request is always tried."""
    slept: list[float] = []
    now = [100.0]
    patience = Patience(5.0, time_left=lambda: 9.0, now=lambda: now[0], sleep=slept.append)
    patience.begin()
    assert patience.wait(3)
    assert patience.wait(0)
    assert not patience.wait(8.5)
    assert not patience.wait(None)
    assert patience.request_s == 5
    now[0] = 107.0
    assert patience.request_s == 2
    now[0] = 200.0
    assert patience.request_s == 1
    assert not patience.wait(0)
    assert slept == [3, 0.5]
    patience.begin()
    assert patience.request_s == 5, "the next question has its own time"


def found_among(message: Message, *posts: Posted) -> str:
    """Return the id of what is found at 100,000 s."""
    found = find_told(posts, message, "me", 100_000.0)
    return "" if found is None else found.id


def test_an_earlier_post_of_the_message_is_found() -> None:
    """It is the bot's own, about the same trouble, and rather the same revision than a newer one
    of another.
    """
    same = Posted("same", "me", "", 1.0, "3fa2c1", 1)
    older = Posted("older", "me", "", 99_000.0, "3fa2c1", 0)
    assert found_among(PLAIN, older, same) == "same"
    assert found_among(PLAIN, older) == "older"
    assert found_among(PLAIN, older._replace(at=100_000.0 - YOUNG_S)) == ""
    assert found_among(PLAIN, same._replace(user_id="ada")) == ""
    assert found_among(PLAIN, same._replace(incident="further")) == ""
    assert found_among(PLAIN, same._replace(root_id="root")) == ""


def test_an_earlier_reminder_is_found_below_its_root() -> None:
    """Not the root itself, which says the same, nor the reminder of four hours ago."""
    reminder = PLAIN._replace(below="root")
    root = Posted("root", "me", "", 99_000.0, "3fa2c1", 1)
    young = Posted("young", "me", "root", 99_000.0, "3fa2c1", 1)
    assert found_among(reminder, root) == ""
    assert found_among(reminder, root, young) == "young"
    assert found_among(reminder, young._replace(at=100_000.0 - YOUNG_S)) == ""
    assert found_among(reminder, young._replace(change=2)) == ""
