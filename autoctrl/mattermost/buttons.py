"""The buttons below a message about an incident, and what each of them carries, signed. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from autoctrl.model.signature import sign, verify

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

BUTTON = "button"  # what a signature is for
LASTS = timedelta(days=7)
ACTION_PATH = "/hooks/mattermost/action"


class Button(NamedTuple):
    """What a button asks for, frozen when its message was written.

    store        id of the store that the incident is kept in
    environment  of the settings
    campaign     of the incident
    incident     its id
    verb         what is asked for
    tasks        which tasks the incident was about, as a digest
    """

    store: str
    environment: str
    campaign: str
    incident: str
    verb: str
    tasks: str


class Pressed(NamedTuple):
    """A button of ours that somebody pressed, and the nonce by which one use is known."""

    button: Button
    nonce: str


class Key(NamedTuple):
    """One button as it is shown.

    id     letters and digits only
    name   what stands on it
    style  how it looks
    """

    id: str
    name: str
    style: str = "default"


def sign_button(
    keys: Sequence[str], button: Button, now: datetime, nonce: str
) -> dict[str, str | int]:
    """Return what a button carries, good for a week."""
    return sign(keys, BUTTON, button._asdict(), now + LASTS, nonce)


def read_button(keys: Sequence[str], context: Mapping[str, object], now: datetime) -> Pressed:
    """Return what a pressed button asks for. Raises ``Forged`` or ``Expired``."""
    signed = verify(keys, BUTTON, context, now)
    return Pressed(Button(**signed.values), signed.nonce)


def spell_buttons(
    url: str, buttons: Iterable[tuple[Key, Mapping[str, object]]]
) -> list[dict[str, Any]]:
    """Return the attachments of a post that show these buttons, each with what it carries.

    ``url`` is the address under which the listener is reached.
    """
    address = f"{url.rstrip('/')}{ACTION_PATH}"
    actions = [
        {
            "id": key.id,
            "type": "button",
            "name": key.name,
            "style": key.style,
            "integration": {"url": address, "context": dict(context)},
        }
        for key, context in buttons
    ]
    return [{"fallback": "", "actions": actions}] if actions else []
