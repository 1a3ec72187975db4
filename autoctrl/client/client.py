"""The analyst's client: typed questions, and who answers them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from autoctrl.client.answers import FieldsTable, Outputs, Status
from autoctrl.errors import DataError, StoreError, UsageError
from autoctrl.files import digest_of
from autoctrl.model.campaign import PROMPT
from autoctrl.model.unit import format_runs
from autoctrl.views import FieldsLine, OutputLine, to_plain
from autoctrl.views.explanation import Explanation
from autoctrl.views.outputs import short_content
from autoctrl.views.runs import RunLine
from autoctrl.views.shape import read_record

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

    from autoctrl.client.answerer import Answerer, Query
    from autoctrl.model.run import Value

    Runs = str | int | Iterable[int]
    Conditions = Mapping[str, Value | Iterable[Value]]


class Client:
    """Asks one campaign of a project; it writes nothing, and needs no right to write.

    ``runs`` is a selection such as ``"4500-4510,4521"``, a number or numbers; ``where`` names
    values of run attributes, of which any of several may hold; ``quality`` is ``any``, ``usable``
    (no alarm, not stale) or ``good`` (no warning either). What makes no sense is a ``UsageError``;
    where nothing answers it is a ``StoreError``, and where something else does a ``DataError``.
    """

    def __init__(self, answerer: Answerer, campaign: str = PROMPT) -> None:
        """Ask ``answerer`` about ``campaign``. Raises ``UsageError`` if that is no name."""
        _check_name("campaign", campaign)
        self._answerer, self.campaign = answerer, campaign

    def outputs(
        self,
        workflow: str | None = None,
        *,
        runs: Runs = "",
        where: Conditions | None = None,
        quality: str = "any",
        superseded: bool = False,
    ) -> Outputs:
        """Return the published outputs of a workflow, of all for None; with ``superseded`` also
        those of older versions.
        """
        query = _choice(runs, where, quality)
        query |= {"workflow": workflow or "", "superseded": "1" if superseded else ""}
        pages = self._ask_on("outputs", query)
        return Outputs(read_record(OutputLine, one) for page in pages for one in _lines_of(page))

    def fields(
        self,
        workflow: str,
        *,
        runs: Runs = "",
        where: Conditions | None = None,
        quality: str = "any",
    ) -> FieldsTable:
        """Return the custom fields that a workflow's jobs reported, of each task the newest."""
        _check_name("workflow", workflow)
        path = f"fields/{quote(workflow, safe='')}"
        pages = self._ask_on(path, _choice(runs, where, quality))
        lines = (one for page in pages for one in _lines_of(page, "fields"))
        return FieldsTable(read_record(FieldsLine, one) for one in lines)

    def runs(self, runs: Runs = "") -> tuple[RunLine, ...]:
        """Return the campaign's runs with their attributes, by number."""
        pages = self._ask_on("runs", {"runs": _spell_runs(runs)})
        return tuple(read_record(RunLine, one) for page in pages for one in _lines_of(page, "runs"))

    def why(self, run: int | str, workflow: str) -> Explanation:
        """Say how the task of a run, or of a group such as ``fill:8222``, stands, and why."""
        _check_name("workflow", workflow)
        path = f"why/{quote(str(run), safe=':')}/{quote(workflow, safe='')}"
        return read_record(Explanation, self._ask(path, {}))

    def fetch(self, output: OutputLine, folder: str | Path = ".") -> str:
        """Return a path at which an output can be read: where it lies, if that disk is seen from
        here; else a copy of what the page hands over, below ``folder``. A copy is checked, and made
        once.

        Raises ``StoreError`` if it cannot be had whole.
        """
        path = output.local_path
        if path and Path(path).exists():
            return path
        target = _place_of(output, Path(folder))
        if not _is_whole(target, output):
            query: Query = {"name": output.name, "version": str(output.version)}
            query |= {"content": short_content(output), "campaign": output.campaign}
            unit, workflow = quote(output.unit, safe=":"), quote(output.workflow, safe="")
            self._answerer.download(f"output/{unit}/{workflow}", query, target)
        if not _is_whole(target, output):
            target.unlink()
            message = f"The copy of {target.name} has another content than was recorded."
            raise StoreError(message, hint="Ask again: the connection may have broken.")
        return str(target)

    def status(self, runs: Runs = "") -> Status:
        """Return where every run stands in every workflow."""
        query: Query = {"runs": _spell_runs(runs), "limit": "all"}
        return read_record(Status, self._ask("status", query))

    def close(self) -> None:
        """Close what is open; the client answers nothing more."""
        self._answerer.close()

    def __enter__(self) -> Self:
        """Be closed at the end of a with statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the client."""
        self.close()

    def _ask(self, path: str, query: Query) -> Any:  # noqa: ANN401 - whatever is answered
        return self._answerer.ask(path, self._about(query))

    def _ask_on(self, path: str, query: Query) -> list[Any]:
        """Return all pages of an answer in the order of their lines."""
        return [*self._answerer.pages(path, self._about(query))][::-1]

    def _about(self, query: Query) -> Query:
        given = {name: value for name, value in query.items() if value}
        return {"campaign": self.campaign, **given}


def open_client(
    place: str | Path = ".",
    *,
    token: str | Path | None = None,
    campaign: str = PROMPT,
    environment: str | None = None,
) -> Client:
    """Open a project for reading: the folder it lies in, or the address of its web page.

    ``token`` is the page's, or the file that holds it. ``environment`` is one of a folder's
    settings; a page has its own. Raises ``SettingsError``, ``StoreError`` or ``UsageError``.
    """
    scheme, is_address, _ = str(place).partition("://")
    if is_address and isinstance(place, str):
        if scheme.lower() not in {"http", "https"}:
            message = f"'{place}' is not the address of a page."
            raise UsageError(message, hint="It begins with https:// or http://.")
        from autoctrl.client.page import Page

        return Client(Page(place, token), campaign)
    if not str(place) or not Path(place).is_dir():
        message = f"There is no folder '{place}'."
        raise UsageError(message, hint="Name a project's folder, or the address of its page.")
    from autoctrl.client.folder import Folder

    return Client(Folder(Path(place), environment), campaign)


def _place_of(output: OutputLine, folder: Path) -> Path:
    """Return where a copy of an output lies. Raises ``StoreError`` if that is not below the
    folder.
    """
    task = (output.campaign, output.workflow, output.unit, f"v{output.version}")
    names = (*task, short_content(output), Path(output.path or output.name).name)
    if any("/" in name or name in {".", ".."} for name in names):
        message = f"'{'/'.join(names)[:100]}' is no place for a copy of an output."
        raise StoreError(message, hint="This is no page of autoctrl, or it is broken.")
    return folder.joinpath(*names)


def _is_whole(path: Path, output: OutputLine) -> bool:
    """Say whether a file is there and has the size and, if one was recorded, the SHA-256 of an
    output.
    """
    if not path.exists() or path.stat().st_size != output.bytes:
        return False
    sums = [one.partition(":")[2] for one in output.checksums if one.startswith("sha256:")]
    return not sums or digest_of(path).sha256 in sums


def _choice(runs: Runs, where: Conditions | None, quality: str) -> Query:
    wanted = {name: _values_of(name, value) for name, value in (where or {}).items()}
    pairs = [f"{name}={_spell(value)}" for name, values in wanted.items() for value in values]
    return {"runs": _spell_runs(runs), "where": pairs, "quality": quality}


def _values_of(name: str, wanted: Any) -> list[Any]:  # noqa: ANN401 - one value or several
    values = [*wanted] if isinstance(wanted, list | tuple | set | frozenset) else [wanted]
    if not values:
        message = f"No value of {name} is asked for."
        raise UsageError(message, hint=f"Name one, or leave {name} out to have all.")
    return values


def _check_name(what: str, name: object) -> None:
    """Raise ``UsageError`` for what can be no name; one with a slash has no address."""
    if not isinstance(name, str) or not name or "/" in name:
        message = f"{name!r} is not the name of a {what}."
        raise UsageError(message, hint="Names are of letters, digits, dashes and the like.")


def _lines_of(page: Any, name: str = "") -> list[Any]:  # noqa: ANN401 - whatever was answered
    """Return the lines of a page, those below a name if one is given.

    Raises ``DataError`` where there is no list: nothing is not the same as none.
    """
    lines = page.get(name) if name and isinstance(page, dict) else page
    if not isinstance(lines, list | tuple):
        message = f"The answer holds no list{f' of {name}' if name else ''}."
        raise DataError(message, hint="Is it this project's page, and of this version?")
    return [*lines]


def _spell(value: Any) -> str:  # noqa: ANN401 - a value of any type
    return str(to_plain(value))


def _spell_runs(runs: object) -> str:
    if isinstance(runs, str | int):
        return str(runs)
    given: list[object] = [*runs] if isinstance(runs, Iterable) else [runs]
    numbers = [number for number in given if isinstance(number, int)]
    if len(numbers) < len(given):
        message = f"{runs!r} is not a run selection."
        raise UsageError(message, hint='Give a text such as "4500-4510", a number or numbers.')
    if not numbers:
        message = "No run is asked for."
        raise UsageError(message, hint="Name a run, or leave runs out to have all.")
    return format_runs(numbers)
