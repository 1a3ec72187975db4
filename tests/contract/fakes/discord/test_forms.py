"""What a message may say, to the character."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.contract.fakes.discord.client import Answer, Client
    from tests.fakes.discord import Discord

MANY = "MAX_EMBED_SIZE_EXCEEDED"
LONG = "BASE_TYPE_MAX_LENGTH"
WANTED = "BASE_TYPE_REQUIRED"
IDS = ["1" * 18, "2" * 18]


def codes(errors: dict[str, Any], path: str = "") -> dict[str, str]:
    """Return the first code at each path of nested errors."""
    found = {}
    for key, inner in errors.items():
        if key == "_errors":
            found[path] = inner[0]["code"]
        else:
            found.update(codes(inner, f"{path}.{key}" if path else key))
    return found


def form_codes(answer: Answer) -> dict[str, str]:
    """Return the codes of a refused form."""
    assert (answer.status, answer.code) == (400, 50035)
    assert answer.body["message"] == "Invalid Form Body"
    return codes(answer.body["errors"])


def field(name: str = "n", value: str = "v", **more: Any) -> dict[str, Any]:
    return {"name": name, "value": value, **more}


FITTING: list[dict[str, Any]] = [
    {"content": "x" * 2000},
    {"content": "\n " + "😀" * 2000 + " \t"},
    {"embeds": [{"title": str(number)} for number in range(10)]},
    {"embeds": [{"title": " " + "t" * 256 + " "}]},
    {"embeds": [{"description": "d" * 4096}]},
    {"embeds": [{"title": "t", "url": "https://example.org/x?y=1", "color": 0xFFFFFF}]},
    {"embeds": [{"title": "t", "timestamp": "2027-01-15T08:00:00.5+01:00", "color": 0}]},
    {"embeds": [{"fields": [field("n" * 256, "v" * 1024, inline=True)]}]},
    {"embeds": [{"fields": [field() for _ in range(25)]}]},
    {"embeds": [{"footer": {"text": "f" * 2048}, "author": {"name": "a" * 256}}]},
    {"embeds": [{"description": " " + "d" * 4096}, {"description": "d" * 1904 + " "}]},
    {"content": "x", "username": " " + "u" * 80 + " "},
    {"content": "x", "username": "u"},
    {"content": "x", "avatar_url": "http://example.org/a.png", "tts": True},
    {"content": "x", "embeds": None, "username": None},
    {"content": "x", "flags": 4096},
    {"content": "x", "flags": 4100},
]


@pytest.mark.parametrize("body", FITTING)
def test_what_fits_is_taken(discord: Discord, client: Client, body: dict[str, Any]) -> None:
    """A message is taken up to each limit, spaces around its texts not counted."""
    assert client.post(**body).status == 200
    assert len(discord.messages) == 1


WRONG: list[tuple[dict[str, Any], dict[str, str]]] = [
    ({"content": "x" * 2001}, {"content": LONG}),
    ({"content": 5}, {"content": "STRING_TYPE_CONVERT"}),
    ({"embeds": {"title": "t"}}, {"embeds": "LIST_TYPE_CONVERT"}),
    ({"embeds": ["t"]}, {"embeds.0": "MODEL_TYPE_CONVERT"}),
    ({"embeds": [{"title": "t"}] * 11}, {"embeds": LONG}),
    ({"embeds": [{"title": "t" * 257}]}, {"embeds.0.title": LONG}),
    ({"embeds": [{}, {"description": "d" * 4097}]}, {"embeds.1.description": LONG}),
    ({"embeds": [{"url": "ftp://example.org"}]}, {"embeds.0.url": "URL_TYPE_INVALID_SCHEME"}),
    ({"embeds": [{"url": "javascript:x()"}]}, {"embeds.0.url": "URL_TYPE_INVALID_SCHEME"}),
    ({"embeds": [{"url": "example.org"}]}, {"embeds.0.url": "URL_TYPE_INVALID_URL"}),
    ({"embeds": [{"url": "https://"}]}, {"embeds.0.url": "URL_TYPE_INVALID_URL"}),
    ({"embeds": [{"url": "https://[a"}]}, {"embeds.0.url": "URL_TYPE_INVALID_URL"}),
    ({"embeds": [{"url": "https://a.b/c d"}]}, {"embeds.0.url": "URL_TYPE_INVALID_URL"}),
    ({"embeds": [{"timestamp": "noon"}]}, {"embeds.0.timestamp": "DATE_TIME_TYPE_PARSE"}),
    ({"embeds": [{"timestamp": 1.5}]}, {"embeds.0.timestamp": "DATE_TIME_TYPE_PARSE"}),
    ({"embeds": [{"color": -1}]}, {"embeds.0.color": "NUMBER_TYPE_MIN"}),
    ({"embeds": [{"color": 0x1000000}]}, {"embeds.0.color": "NUMBER_TYPE_MAX"}),
    ({"embeds": [{"color": "red"}]}, {"embeds.0.color": "NUMBER_TYPE_COERCE"}),
    ({"embeds": [{"fields": [field()] * 26}]}, {"embeds.0.fields": LONG}),
    ({"embeds": [{"fields": [field("n" * 257)]}]}, {"embeds.0.fields.0.name": LONG}),
    ({"embeds": [{"fields": [field("n", "v" * 1025)]}]}, {"embeds.0.fields.0.value": LONG}),
    ({"embeds": [{"fields": [field(" ")]}]}, {"embeds.0.fields.0.name": WANTED}),
    ({"embeds": [{"fields": [field("n", "")]}]}, {"embeds.0.fields.0.value": WANTED}),
    ({"embeds": [{"fields": [{"name": "n"}]}]}, {"embeds.0.fields.0.value": WANTED}),
    (
        {"embeds": [{"fields": [field(inline=1)]}]},
        {"embeds.0.fields.0.inline": "BOOLEAN_TYPE_CONVERT"},
    ),
    ({"embeds": [{"footer": {"text": "f" * 2049}}]}, {"embeds.0.footer.text": LONG}),
    ({"embeds": [{"author": {"name": "a" * 257}}]}, {"embeds.0.author.name": LONG}),
    ({"embeds": [{"author": {}}]}, {"embeds.0.author.name": WANTED}),
    ({"embeds": [{"description": "d" * 4096}, {"description": "d" * 1905}]}, {"embeds": MANY}),
    (
        {
            "embeds": [
                {"title": "t" * 256, "description": "d" * 4000, "author": {"name": "a" * 200}},
                {"fields": [field("n" * 200, "v" * 1000)], "footer": {"text": "f" * 345}},
            ]
        },
        {"embeds": MANY},
    ),
    ({"content": "x", "username": " "}, {"username": "BASE_TYPE_BAD_LENGTH"}),
    ({"content": "x", "username": "u" * 81}, {"username": "BASE_TYPE_BAD_LENGTH"}),
    ({"content": "x", "username": "my DisCord"}, {"username": "USERNAME_INVALID_CONTAINS"}),
    ({"content": "x", "username": "Clyde2"}, {"username": "USERNAME_INVALID_CONTAINS"}),
    ({"content": "x", "avatar_url": "a.png"}, {"avatar_url": "URL_TYPE_INVALID_URL"}),
    ({"content": "x", "tts": "yes"}, {"tts": "BOOLEAN_TYPE_CONVERT"}),
    ({"content": "x", "flags": 64}, {"flags": "BASE_TYPE_CHOICES"}),
    (
        {"content": "x" * 2001, "username": ""},
        {"content": LONG, "username": "BASE_TYPE_BAD_LENGTH"},
    ),
]


@pytest.mark.parametrize(("body", "errors"), WRONG)
def test_what_does_not_fit_is_refused_by_name(
    discord: Discord, client: Client, body: dict[str, Any], errors: dict[str, str]
) -> None:
    """A message that breaks a rule is refused, and the error names each place and rule."""
    assert form_codes(client.post(**body)) == errors
    assert discord.messages == []


def test_body_is_an_object(discord: Discord, client: Client) -> None:
    """A body that is JSON but no object is refused, and calls whom it wants."""
    assert form_codes(client.send("POST", discord.url, b"[]")) == {"": "MODEL_TYPE_CONVERT"}
    assert len(discord.take_violations()) == 1


@pytest.mark.parametrize(
    "body", [{}, {"content": " \n"}, {"embeds": []}, {"embeds": [{}]}, {"content": None}]
)
def test_empty_message_is_refused(client: Client, body: dict[str, Any]) -> None:
    """A message that shows nothing is refused with an error of its own."""
    answer = client.post(**body)
    assert (answer.status, answer.code) == (400, 50006)


def test_edit_keeps_the_limits(client: Client) -> None:
    """An edit is held to the limits of a post."""
    number = client.post(content="hot").body["id"]
    assert form_codes(client.say("PATCH", f"/messages/{number}", content="x" * 2001)) == {
        "content": LONG
    }
    embeds = [{"description": "d" * 4000}, {"description": "d" * 2001}]
    assert form_codes(client.say("PATCH", f"/messages/{number}", embeds=embeds)) == {"embeds": MANY}


def test_embeds_of_one_address_are_merged(discord: Discord, client: Client) -> None:
    """Of embeds with the same address only the first is shown."""
    url = "https://example.org"
    embeds = [{"title": "A", "url": url}, {"title": "B"}, {"title": "C", "url": url}]
    shown = client.post(embeds=embeds).body["embeds"]
    assert [embed["title"] for embed in shown] == ["A", "B"]
    assert len(discord.messages[0].embeds) == 3


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({"poll": {}}, "poll"),
        ({"components": []}, "components"),
        ({"embeds": [{"title": "t", "colour": 5}]}, "embeds.0.colour"),
        ({"embeds": [{"fields": [field(short=True)]}]}, "embeds.0.fields.0.short"),
        ({"allowed_mentions": {"parse": [], "here": True}}, "allowed_mentions.here"),
    ],
)
def test_unknown_key_is_a_violation(
    discord: Discord, client: Client, body: dict[str, Any], key: str
) -> None:
    """A key that the contract does not know is overlooked, as Discord does, and a violation."""
    assert client.post(**{"content": "hot", **body}).status == 200
    [found] = discord.take_violations()
    assert found.startswith(f"unknown key {key}:")


def test_name_cannot_be_edited(discord: Discord, client: Client) -> None:
    """A name in an edit is a violation: it belongs to a post."""
    number = client.post(content="hot").body["id"]
    client.say("PATCH", f"/messages/{number}", username="other")
    assert discord.take_violations()[0].startswith("unknown key username")


@pytest.mark.parametrize(
    ("allowed", "found"),
    [
        (None, "allowed_mentions is missing"),
        ({}, "allowed_mentions without parse"),
        ({"users": IDS}, "allowed_mentions without parse"),
        ({"parse": ["everyone"]}, "allowed_mentions calls whoever a text names"),
        ({"parse": ["users"], "roles": IDS}, "allowed_mentions calls whoever a text names"),
    ],
)
@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_who_may_be_called_is_always_said(
    discord: Discord, client: Client, method: str, allowed: Any, found: str
) -> None:
    """Discord takes a message that lets a text call people; here that is a violation."""
    rest = "?wait=true" if method == "POST" else f"/messages/{client.post(content='x').body['id']}"
    assert client.say(method, rest, content="hot", allowed_mentions=allowed).status == 200
    assert [violation.partition(":")[0] for violation in discord.take_violations()] == [found]


@pytest.mark.parametrize("allowed", [{"parse": [], "roles": IDS}, {"parse": [], "users": IDS}])
def test_people_may_be_called_by_name(client: Client, allowed: dict[str, Any]) -> None:
    """Users and roles may be called by their ids."""
    answer = client.post(content=f"<@{IDS[0]}> <@&{IDS[1]}>", allowed_mentions=allowed)
    assert answer.body["mentions"] == [{"id": IDS[0]}] * ("users" in allowed)
    assert answer.body["mention_roles"] == [IDS[1]] * ("roles" in allowed)


@pytest.mark.parametrize(
    ("allowed", "errors"),
    [
        ({"parse": ["users"], "users": IDS}, {"": "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"}),
        ({"parse": ["roles"], "roles": IDS}, {"": "MESSAGE_ALLOWED_MENTIONS_PARSE_EXCLUSIVE"}),
        ({"parse": ["all"]}, {".parse.0": "BASE_TYPE_CHOICES"}),
        ({"parse": [], "roles": ["shift"]}, {".roles.0": "NUMBER_TYPE_COERCE"}),
        ({"parse": [], "roles": [IDS[0], IDS[0]]}, {".roles": "SET_TYPE_ALREADY_CONTAINS_VALUE"}),
        ({"parse": [], "users": [str(10**17 + n) for n in range(101)]}, {".users": LONG}),
        ([], {"": "MODEL_TYPE_CONVERT"}),
    ],
)
def test_wrong_allowed_mentions_are_refused(
    discord: Discord, client: Client, allowed: Any, errors: dict[str, str]
) -> None:
    """A kind both as a whole and by name, an unknown kind and what is no id are refused."""
    answer = client.post(content="hot", allowed_mentions=allowed)
    assert form_codes(answer) == {f"allowed_mentions{path}": code for path, code in errors.items()}
    discord.take_violations()
