"""Views: made, read, configured, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.fakes.http import Answer
from tests.fakes.jenkins.configs import parse, written
from tests.fakes.jenkins.core import Call, Core, Row
from tests.fakes.jenkins.elements import LIST_VIEW, VIEWS
from tests.fakes.jenkins.exporting import Bean
from tests.fakes.jenkins.items import XML_TYPES, check_name
from tests.fakes.jenkins.pages import failure, not_found, quoted, redirect
from tests.fakes.jenkins.shapes import put

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

    from tests.fakes.jenkins.reading import Reading


class Views:
    """Answers the requests about views."""

    def __init__(self, core: Core, reading: Reading) -> None:
        self.core = core
        self.reading = reading
        core.rows += [
            Row("POST", "{group}/createView", self.create, frozenset({"name"})),
            # What python-jenkins asks around its create_view, reconfig_view and delete_view.
            Row("GET", "{group}/view/{view}/api/json", self.show, frozenset({"tree", "depth"})),
            Row("GET", "{group}/view/{view}/config.xml", self.read),
            Row("POST", "{group}/view/{view}/config.xml", self.configure),
            Row("POST", "{group}/view/{view}/doDelete", self.delete),
        ]

    def create(self, call: Call) -> Answer:
        """Make a view from XML; the name in the address replaces the one inside."""
        self.core.require(call.user, "View/Create", call.group)
        if not call.request.header("Content-Type").startswith(XML_TYPES):
            self.core.violate(f"{call.request.line}: a view is made from XML")
            raise failure(400, "No Content-Type header set")
        name = call.value("name")
        if name is None:
            raise failure(400, "Query parameter 'name' is required")
        check_name(name)
        if name in call.group.views or name.lower() == "all":
            raise failure(400, f"A view already exists with the name {quoted(name)}")
        call.group.views[name] = self._parsed(call, name)
        return Answer(200, media_type="text/plain")

    def _parsed(self, call: Call, name: str) -> Element:
        config = parse(self.core, call.request.body, VIEWS)
        found = config.find("name")
        if found is None:
            found = put(config, "name")
            config.remove(found)
            config.insert(0, found)
        found.text = name
        return config

    def _config_of(self, call: Call) -> Element:
        config = call.group.views.get(call.params["view"])
        if config is None:
            raise not_found()
        return config

    def show(self, call: Call) -> Answer:
        """Tell of a view: its name and the jobs that it names."""
        config, group = self._config_of(call), call.group
        named = {one.text for one in config.findall("jobNames/string")}
        name = call.params["view"]
        address = self.core.absolute(f"{group.path}view/{name}/")
        beans = self.reading.beans
        jobs = [beans.item(one) for one in group.children.values() if one.name in named]
        fields: dict[str, Any] = {
            "description": lambda: config.findtext("description"),
            "jobs": lambda: jobs,
            "name": lambda: name,
            "property": list,
            "url": lambda: address,
        }
        bean = Bean(LIST_VIEW, fields, ("name", "url"))
        return Answer.of(self.reading.exporter.export(bean, call.request.query))

    def read(self, call: Call) -> Answer:
        """Show a config.xml."""
        self.core.require(call.user, "View/Read", call.group)
        return written(self._config_of(call))

    def configure(self, call: Call) -> Answer:
        """Take a config.xml."""
        self.core.require(call.user, "View/Configure", call.group)
        self._config_of(call)
        call.group.views[call.params["view"]] = self._parsed(call, call.params["view"])
        return Answer(200, media_type="text/plain")

    def delete(self, call: Call) -> Answer:
        """Delete a view."""
        self.core.require(call.user, "View/Delete", call.group)
        self._config_of(call)
        del call.group.views[call.params["view"]]
        return redirect(call.group.path)
