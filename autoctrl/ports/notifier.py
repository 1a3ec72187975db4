"""Who is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from autoctrl.model.severity import Severity


class Action(NamedTuple):
    """Something that people may ask for below a message, where a notifier can offer it.

    verb  the operator's verb
    name  what people read
    """

    verb: str
    name: str


class Subject(NamedTuple):
    """What the actions of a message are about.

    store     id of the store
    campaign  campaign of the incident
    tasks     which tasks it is about, as a digest
    """

    store: str
    campaign: str
    tasks: str


class Message(NamedTuple):
    """One thing that people are told.

    Title and text may hold what jobs have printed: whoever passes them on quotes them, so that they
    call nobody and break nothing.

    key       what it is about: equal in all messages about one trouble, so that a notifier can keep
              them together
    severity  how much it matters
    title     one sentence: what is the matter, and on what
    text      further lines, empty if the title says it all
    link      address or path where more can be read, empty if there is none
    revision  counts the messages about one trouble, from 1
    is_over   the trouble is over
    is_again  this very message may have been told before, by a process that was ended meanwhile
    below     id of the message below which this one belongs, as a reminder; empty if it is new
    actions   what people may ask for; a notifier that cannot offer it leaves it out
    subject   what these are about, None without actions
    """

    key: str
    severity: Severity
    title: str
    text: str = ""
    link: str = ""
    revision: int = 1
    is_over: bool = False
    is_again: bool = False
    below: str = ""
    actions: tuple[Action, ...] = ()
    subject: Subject | None = None


class Notifier(Protocol):
    """Who is told.

    Nothing is raised for a service that is down, slow or full: the answer says what was not told.

    has_safe_repeat  a message with ``is_again`` is looked for first, so that people see it once
    """

    has_safe_repeat: bool

    def tell(self, message: Message) -> str | None:
        """Tell people; return the id by which the message can be changed, None if it was not told.

        An id means something to this notifier alone and lasts beyond the process. Raises
        ``PerhapsTold`` if nobody can know whether it was told.
        """

    def change(self, message_id: str, message: Message) -> bool:
        """Replace a message that was told; return whether people can see the new one.

        A notifier that cannot change messages tells the new one beside the old one, or only the one
        that says that the trouble is over.
        """

    def ping(self) -> str:
        """Return one line about the service. Raises ``NotifierError`` with a hint."""
