"""The credentials of a folder: made, listed, read without their secret, replaced, deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.etree.ElementTree import Element, SubElement

from tests.fakes.http import Answer
from tests.fakes.jenkins.configs import parse, written
from tests.fakes.jenkins.core import Call, Core, Row
from tests.fakes.jenkins.elements import CREDENTIALS, STRING_CREDENTIAL
from tests.fakes.jenkins.items import XML_TYPES
from tests.fakes.jenkins.pages import failure, not_found, refused
from tests.fakes.jenkins.shapes import put
from tests.fakes.jenkins.state import Credential, Folder

if TYPE_CHECKING:
    from tests.fakes.jenkins.exporting import Exporter

STORE = "{item}/credentials/store/folder/domain/_"
CREDENTIAL = f"{STORE}/credential/{{id}}"


class Vault:
    """Answers the requests about the credentials of folders."""

    def __init__(self, core: Core, exporter: Exporter) -> None:
        self.core = core
        self.exporter = exporter
        chosen = frozenset({"tree", "depth"})
        core.rows += [
            Row("POST", f"{STORE}/createCredentials", self.create),
            Row("GET", f"{STORE}/api/json", self.show_all, chosen),
            Row("GET", f"{CREDENTIAL}/api/json", self.show, chosen),
            Row("GET", f"{CREDENTIAL}/config.xml", self.read),
            Row("POST", f"{CREDENTIAL}/config.xml", self.replace),
            Row("DELETE", f"{CREDENTIAL}/config.xml", self.delete),
        ]

    def _folder_of(self, call: Call, permission: str) -> Folder:
        """Return the folder that is meant; 403 without the right, 404 if it is no folder."""
        if not isinstance(call.item, Folder):
            raise not_found()
        self.core.require(call.user, f"Credentials/{permission}", call.item)
        return call.item

    def _credential_of(self, call: Call, permission: str) -> Credential:
        found = self._folder_of(call, permission).credentials.get(call.params["id"])
        if found is None:
            raise not_found()
        return found

    def _posted(self, call: Call) -> Credential:
        """Return the credential of a body, whose secret is one from now on."""
        if not call.request.header("Content-Type").startswith(XML_TYPES):
            self.core.violate(f"{call.request.line}: a credential is made from XML")
            raise failure(400, "No Content-Type header set")
        found = parse(self.core, call.request.body, CREDENTIALS)
        secret = found.findtext("secret") or ""
        self.core.state.secrets.add(secret)
        texts = {name: found.findtext(name) or "" for name in ("id", "description", "scope")}
        return Credential(texts["id"], secret, texts["description"], texts["scope"])

    def create(self, call: Call) -> Answer:
        """Keep a new credential; 409 if there is one of this id."""
        folder = self._folder_of(call, "Create")
        made = self._posted(call)
        if made.id in folder.credentials:
            raise refused(409, f"there is a credential {made.id} already")
        folder.credentials[made.id] = made
        return Answer(200, media_type="text/plain")

    def show_all(self, call: Call) -> Answer:
        """List the credentials of a folder."""
        folder = self._folder_of(call, "View")
        kind = "com.cloudbees.plugins.credentials.CredentialsStoreAction$DomainWrapper"
        shown: list[dict[str, Any]] = [
            {"id": one.id, "description": one.description} for one in folder.credentials.values()
        ]
        if call.request.query.get("tree") == "credentials[id]":
            shown = [{"id": one["id"]} for one in shown]
        elif "tree" in call.request.query:
            self.core.violate(f"{call.request.line}: this tree is unknown")
        return Answer.of({"_class": kind, "credentials": shown})

    def show(self, call: Call) -> Answer:
        """Tell of a credential, without its secret."""
        found = self._credential_of(call, "View")
        kind = "com.cloudbees.plugins.credentials.CredentialsStoreAction$CredentialsWrapper"
        body = {"_class": kind, "description": found.description, "displayName": found.id}
        folder = call.item.full_name
        body |= {"fullName": f"folder/{folder}/_/{found.id}", "id": found.id}
        return Answer.of(body | {"typeName": "Secret text"})

    def read(self, call: Call) -> Answer:
        """Show a config.xml in which the secret is redacted."""
        found = self._credential_of(call, "View")
        shown = Element(STRING_CREDENTIAL, {"plugin": "plain-credentials@7"})
        for name in ("scope", "id", "description"):
            put(shown, name, getattr(found, name))
        SubElement(SubElement(shown, "secret"), "secret-redacted")
        return written(shown)

    def replace(self, call: Call) -> Answer:
        """Take another secret for an id."""
        old = self._credential_of(call, "Update")
        made = self._posted(call)
        folder = self._folder_of(call, "Update")
        del folder.credentials[old.id]
        folder.credentials[made.id] = made
        return Answer(200, media_type="text/plain")

    def delete(self, call: Call) -> Answer:
        """Delete a credential."""
        found = self._credential_of(call, "Delete")
        del self._folder_of(call, "Delete").credentials[found.id]
        return Answer(200, media_type="text/plain")
