"""What sync does: the wanted beside the found, to actions. Pure."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from autoctrl.operations.jenkins.config_xml import (
    digest_elements,
    join_configs,
    spell_config,
    write_item,
)
from autoctrl.operations.jenkins.elements import kind_of, read_elements, read_mark

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from xml.etree.ElementTree import Element

    from autoctrl.operations.jenkins.elements import Mark
    from autoctrl.operations.jenkins.jobs import Item

LONGEST_VALUE = 60
OF_ANOTHER = (
    "It is marked as that of '{project}'. Take it over with --adopt, or use another folder."
)
UNMARKED = "It is not marked as ours. Take it over with --adopt, or rename it."


class Verb(StrEnum):
    """What is done with an item."""

    KEEP = "keep"
    CREATE = "create"
    UPDATE = "update"
    ADOPT = "adopt"
    REFUSE = "refuse"
    REMOVE = "remove"
    LEAVE = "leave"


ACTS = frozenset({Verb.CREATE, Verb.UPDATE, Verb.ADOPT, Verb.REMOVE})


class Change(NamedTuple):
    """An element that is not as it shall be."""

    element: str
    found: str
    wanted: str

    def __str__(self) -> str:
        """Return both values if they are short."""
        values = (self.found, self.wanted)
        if any(len(value) > LONGEST_VALUE or "\n" in value for value in values):
            return self.element
        return f"{self.element} {self.found!r} → {self.wanted!r}"


class Action(NamedTuple):
    """What is done with one item.

    verb     what
    name     full name of the item
    text     why, or what it will be; one sentence or a few words
    changes  what is different, of an update
    config   configuration that is sent, empty if none is
    """

    verb: Verb
    name: str
    text: str = ""
    changes: tuple[Change, ...] = ()
    config: str = ""

    @property
    def acts(self) -> bool:
        """Whether anything is sent."""
        return self.verb in ACTS


def plan_sync(
    wanted: Sequence[Item],
    found: Mapping[str, Element],
    project: str,
    *,
    is_adopting: bool,
    is_pruning: bool,
) -> list[Action]:
    """Return an action for each item that is wanted, then for those of ours that are not.

    ``found`` holds the configurations that Jenkins has, by full name; ``project`` is what ours are
    marked with. If the folder is refused, so is everything.
    """
    actions = [_plan_item(item, found, project, is_adopting=is_adopting) for item in wanted]
    if actions[0].verb is Verb.REFUSE:
        return actions[:1]
    names = {item.name for item in wanted}
    leftover = {name: root for name, root in found.items() if name not in names}
    return [*actions, *_plan_leftovers(leftover, project, is_pruning=is_pruning)]


def _plan_item(
    item: Item, found: Mapping[str, Element], project: str, *, is_adopting: bool
) -> Action:
    config = write_item(item, project)
    present = found.get(item.name)
    if present is None:
        return _plan_new(item, found, config)
    mark = read_mark(present)
    reason = _refuse(present, config, mark, project, is_adopting=is_adopting)
    if reason:
        return Action(Verb.REFUSE, item.name, reason)
    changes = compare(read_elements(present), read_elements(config))
    is_ours = mark is not None and mark.project == project
    if is_ours and not changes:
        return Action(Verb.KEEP, item.name, item.gist)
    verb = Verb.UPDATE if is_ours else Verb.ADOPT
    text = _describe(mark, present, changes)
    return Action(verb, item.name, text, changes, spell_config(join_configs(present, config)))


def _plan_new(item: Item, found: Iterable[str], config: Element) -> Action:
    twin = _find_twin(item.name, found)
    if twin:
        return Action(Verb.REFUSE, item.name, f"Jenkins takes it for {twin}. Rename that one.")
    return Action(Verb.CREATE, item.name, item.gist, config=spell_config(config))


def _find_twin(name: str, found: Iterable[str]) -> str:
    """Return the name of which Jenkins cannot tell this one apart, empty if there is none."""
    return next((other for other in found if other.casefold() == name.casefold()), "")


def _refuse(
    present: Element, config: Element, mark: Mark | None, project: str, *, is_adopting: bool
) -> str:
    """Return why what Jenkins has must be left alone, empty if it need not."""
    if present.tag != config.tag:
        kinds = kind_of(present), kind_of(config)
        return f"It is a {kinds[0]}, and a {kinds[1]} is wanted. Rename or remove it in Jenkins."
    if is_adopting or (mark is not None and mark.project == project):
        return ""
    return OF_ANOTHER.format(project=mark.project) if mark else UNMARKED


def compare(found: Mapping[str, str], wanted: Mapping[str, str]) -> tuple[Change, ...]:
    """Return the elements that differ."""
    return tuple(
        Change(element, found.get(element, ""), value)
        for element, value in wanted.items()
        if found.get(element, "") != value
    )


def _describe(mark: Mark | None, present: Element, changes: Iterable[Change]) -> str:
    """Say what is changed, and whether a person had changed it since the last sync."""
    what = ", ".join(map(str, changes)) or "only the mark"
    by_hand = mark is not None and mark.digest != digest_elements(read_elements(present))
    return f"{what} (changed in Jenkins since the last sync)" if by_hand else what


def _plan_leftovers(
    found: Mapping[str, Element], project: str, *, is_pruning: bool
) -> Iterator[Action]:
    """Yield what is done with items of ours that nobody wants any more."""
    for name, root in found.items():
        mark = read_mark(root)
        if mark is not None and mark.project == project:
            if is_pruning:
                yield Action(Verb.REMOVE, name, "no longer wanted; its builds go with it")
            else:
                yield Action(Verb.LEAVE, name, "no longer wanted; --prune removes it")
