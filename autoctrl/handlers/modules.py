"""Finding and loading the workflows of a project: every ``workflows/<name>/handler.py``."""

from __future__ import annotations

import importlib.util
import shlex
import sys
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING

from autoctrl.errors import AutoctrlError, WorkflowError
from autoctrl.handlers.handler import Handler

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path
    from types import CodeType

FILE_NAME = "handler.py"


class FreshLoader(SourceFileLoader):
    """Compiles a module each time: a file may change twice within the second that a cache notes."""

    def get_code(self, fullname: str) -> CodeType:  # noqa: ARG002 - the loader's interface
        """Return the code of the file as it is now."""
        return self.source_to_code(self.get_data(self.path), self.path)


def find_modules(folder: Path) -> list[Path]:
    """Return the handler modules of the project in ``folder``, ordered by name."""
    return sorted(
        path
        for path in (folder / "workflows").glob(f"*/{FILE_NAME}")
        if not path.parent.name.startswith((".", "_"))
    )


def load_module(path: Path) -> list[Handler]:
    """Return the handlers that a module declares, in the order of declaration.

    Modules that lie beside it can be imported by their plain names. Raises ``WorkflowError`` for a
    module that raises, exits, or declares no handler or one workflow twice.
    """
    called = f"Workflow module {path.parent.name}/{path.name}"
    sys.path.insert(0, str(path.parent))
    try:
        names = _execute(path)
    except AutoctrlError as error:
        message = f"{called} cannot be loaded: {error}"
        raise WorkflowError(message) from error
    except (Exception, SystemExit) as error:
        what = f"{type(error).__name__}{_find_line(error, path)}"
        message = f"{called} cannot be loaded: {what}: {error}."
        raise WorkflowError(
            message, hint=f"Try it alone: python {shlex.quote(str(path))}"
        ) from error
    finally:
        sys.path.remove(str(path.parent))
    handlers = _collect_handlers(called, names.values())
    for handler in handlers:
        handler.folder = path.parent
    return handlers


def _execute(path: Path) -> dict[str, object]:
    """Run a module as it is now and return the names that it defines."""
    name = f"autoctrl_workflow_{path.parent.name}".replace("-", "_")
    loader = FreshLoader(name, str(path))
    spec = importlib.util.spec_from_file_location(name, path, loader=loader)
    if spec is None:
        message = f"{path} is not a Python module."
        raise WorkflowError(message)
    sys.modules[name] = module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return vars(module)


def _collect_handlers(called: str, values: Iterable[object]) -> list[Handler]:
    """Return the handlers among the values. Raises ``WorkflowError`` for none, or one twice."""
    handlers: dict[str, Handler] = {}
    for value in values:
        if isinstance(value, Handler) and handlers.setdefault(value.workflow, value) is not value:
            message = f"{called} declares '{value.workflow}' twice."
            raise WorkflowError(message, hint="Give each handler a name of its own.")
    if not handlers:
        message = f"{called} declares no handler."
        raise WorkflowError(
            message, hint="Write handler = BatchHandler(…) in it, or @inline(…) above a function."
        )
    return list(handlers.values())


def _find_line(error: BaseException, path: Path) -> str:
    """Say in which line of the module an error was raised, nothing if it is not known."""
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return "" if line is None else f" in line {line}"
