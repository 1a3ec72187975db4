"""Items: made, read, configured, switched on and off, renamed and deleted."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import TYPE_CHECKING

from tests.fakes.http import Answer
from tests.fakes.jenkins.access import may
from tests.fakes.jenkins.configs import parse_item, written
from tests.fakes.jenkins.core import Call, Core, Row
from tests.fakes.jenkins.pages import failure, not_found, page, quoted, redirect, refused
from tests.fakes.jenkins.state import (
    FOLDER,
    MULTIBRANCH,
    PIPELINE,
    Folder,
    Group,
    Item,
    Job,
    Multibranch,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from xml.etree.ElementTree import Element

KINDS: dict[str, type[Item]] = {PIPELINE: Job, FOLDER: Folder, MULTIBRANCH: Multibranch}
# What an item is called when it is made by a form, and its root element.
MODES = {
    FOLDER: FOLDER,
    MULTIBRANCH: MULTIBRANCH,
    "org.jenkinsci.plugins.workflow.job.WorkflowJob": PIPELINE,
}
UNSAFE = "?*/\\%!@#$^&|<>[]:;"
XML_TYPES = ("text/xml", "application/xml")


def check_name(name: str, naming: str = "") -> None:
    """Refuse a name that no item may have, or that the site does not want."""
    if not name.strip():
        raise failure(400, "No name is specified")
    if name.strip() in (".", ".."):
        raise failure(400, f"{quoted(name.strip())} is not an allowed name")
    if name.strip().endswith("."):
        raise failure(400, f"A name cannot end with {quoted('.')}")
    for character in name:
        if ord(character) < 32 or ord(character) == 127:
            raise failure(400, "No control characters are allowed")
        if character in UNSAFE:
            raise failure(400, f"{quoted(character)} is an unsafe character")
    if naming and not re.fullmatch(naming, name.strip()):
        raise failure(400, f"{quoted(name)} does not match the job name convention pattern")


class Items:
    """Answers the requests about items."""

    def __init__(self, core: Core) -> None:
        self.core = core
        self.forget: Callable[[Item], None] = lambda _: None  # what else goes with an item
        made = frozenset({"name", "mode", "from"})
        renamed = frozenset({"newName"})
        core.rows += [
            Row("POST", "{group}/createItem", self.create, made),
            Row("GET", "{item}/config.xml", self.read),
            Row("POST", "{item}/config.xml", self.configure),
            Row("PUT", "{item}/config.xml", self.refuse),
            Row("DELETE", "{item}/config.xml", self.refuse),
            Row("POST", "{item}/doDelete", self.delete),
            Row("POST", "{item}/disable", self.switch),
            Row("POST", "{item}/enable", self.switch),
            *(Row("GET", f"{{item}}/{verb}", only_post) for verb in ("doDelete", *SWITCHES)),
            Row("POST", "{item}/confirmRename", self.rename, renamed),
            Row("POST", "{item}/doRename", self.rename, renamed),
            # Where redirections lead; a client that follows them needs these.
            Row("GET", "{item}/configure", self.show_configuration),
            Row("GET", "{group}/", self.show),
        ]

    def create(self, call: Call) -> Answer:
        """Make an item from XML, by a form, or as a copy."""
        group = call.group
        if isinstance(group, Multibranch):
            raise not_found()
        self.core.require(call.user, "Item/Create", group)
        media_type = call.request.header("Content-Type")
        mode = call.value("mode")
        if not media_type and mode != "copy":
            raise failure(400, "No Content-Type header set")
        name = call.value("name")
        if name is None:
            raise failure(400, "Query parameter 'name' is required")
        self._check_free(group, name)
        if mode == "copy":
            return self._made(self._copied(call, group, name.strip()), group)
        if media_type.startswith(XML_TYPES):
            config = parse_item(self.core, call.request.body)
            self._made(self._new(group, name.strip(), config), group)
            return Answer(200, media_type="text/plain")
        if mode is None:
            raise failure(400, "No mode given")
        if mode not in MODES:
            raise failure(400, f"No item type {quoted(mode)} is known")
        config = parse_item(self.core, f"<{MODES[mode]}/>".encode())
        return self._made(self._new(group, name.strip(), config), group)

    def _check_free(self, group: Group, name: str) -> None:
        """Refuse a bad name, and one that is taken."""
        check_name(name, self.core.site.naming)
        if group.child(name.strip()) is not None:
            raise failure(400, f"A job already exists with the name {quoted(name.strip())}")

    def _new(self, group: Group, name: str, config: Element) -> Item:
        """Return a new item; 403 if the folder does not take its kind."""
        if group.allowed is not None and config.tag not in group.allowed:
            raise refused(403, f"{group.full_name} does not allow {config.tag}")
        item = KINDS[config.tag](name, group, config)
        item.is_disabled = config.findtext("disabled") == "true"
        return item

    def _copied(self, call: Call, group: Group, name: str) -> Item:
        """Return a copy of an item that is named from here or from the root."""
        origin = call.value("from") or ""
        path = origin.strip("/") if origin.startswith("/") else f"{group.full_name}/{origin}"
        source = self.core_item(path.strip("/"))
        if source is None or not may(call.user, "Item/Read", source.full_name):
            raise failure(400, f"No such job: {origin}")
        return self._new(group, name, deepcopy(source.config))

    def core_item(self, full_name: str) -> Item | None:
        """Return an item by its full name."""
        item: Item | None = self.core.state.root
        for name in full_name.split("/"):
            item = item.child(name) if isinstance(item, Group) else None
        return item

    def _made(self, item: Item, group: Group) -> Answer:
        """Take a new item in, and lead to its configuration."""
        group.add(item)
        item.saves += 1
        return redirect(f"{item.path}configure")

    def read(self, call: Call) -> Answer:
        """Show a config.xml."""
        self.core.require(call.user, "Item/ExtendedRead", call.item)
        may_configure = may(call.user, "Item/Configure", call.item.full_name)
        return written(call.item.config, hides_secrets=not may_configure)

    def configure(self, call: Call) -> Answer:
        """Take a config.xml of the same class; it is saved and its triggers start anew, even if
        nothing changed.
        """
        self.core.require(call.user, "Item/Configure", call.item)
        if isinstance(call.item, Job) and call.item.branch:
            raise refused(500, f"{call.item.full_name} is computed")
        config = parse_item(self.core, call.request.body)
        if config.tag != call.item.config.tag:
            text = f"Expecting class {call.item.config.tag} but got class {config.tag} instead"
            raise refused(500, f"java.io.IOException: {text}")
        call.item.config = config
        call.item.is_disabled = config.findtext("disabled") == "true"
        call.item.saves += 1
        return Answer(200, media_type="text/plain")

    def refuse(self, call: Call) -> Answer:
        """Refuse every other method on a config.xml."""
        raise refused(400, f"Unexpected request method {call.request.method}")

    def delete(self, call: Call) -> Answer:
        """Delete an item, what lies in it, what waits and what runs."""
        self.core.require(call.user, "Item/Delete", call.item)
        parent = call.item.parent
        assert parent is not None
        self.forget(call.item)
        parent.remove(call.item)
        return redirect(parent.path)

    def switch(self, call: Call) -> Answer:
        """Disable or enable an item."""
        self.core.require(call.user, "Item/Configure", call.item)
        item = call.item
        item.is_disabled = call.request.path.endswith("/disable")
        disabled = item.config.find("disabled")
        if disabled is not None:
            disabled.text = "true" if item.is_disabled else "false"
        item.saves += 1
        return redirect(".")

    def rename(self, call: Call) -> Answer:
        """Give an item another name in its folder."""
        item, name = call.item, (call.value("newName") or "").strip()
        parent = item.parent
        assert parent is not None
        self.core.require(call.user, "Item/Configure", item)
        check_name(name, self.core.site.naming)
        if parent.child(name) not in (None, item):
            raise failure(400, f"The name “{name}” is already in use.")
        parent.remove(item)
        item.name = name
        parent.add(item)
        item.saves += 1
        return redirect(item.path)

    def show_configuration(self, call: Call) -> Answer:
        """Show the form for which one must be allowed to configure."""
        self.core.require(call.user, "Item/Configure", call.item)
        return page(f"{call.item.full_name} Config")

    def show(self, call: Call) -> Answer:
        """Show the page of an item or of the server."""
        return page(call.item.full_name or "Dashboard")


SWITCHES = ("disable", "enable")


def only_post(call: Call) -> Answer:
    """Refuse a GET of what only a POST may do."""
    text = f"{call.request.path}: POST is required"
    raise refused(405, text, (("Allow", "POST"),))
