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
    from pathlib import Path
    from types import CodeType

FILE_NAME = "handler.py"


class FreshLoader(SourceFileLoader):
    """Compiles a module each time: a cached one passes for fresh if the file was changed within the
    same second.
    """

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
    name = f"autoctrl_workflow_{path.parent.name}".replace("-", "_")
    spec = importlib.util.spec_from_file_location(name, path, loader=FreshLoader(name, str(path)))
    if spec is None or spec.loader is None:
        message = f"{path} is no Python module."
        raise WorkflowError(message)
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent))
    try:
        sys.modules[name] = module
        spec.loader.exec_module(module)
    except AutoctrlError as error:
        message = f"Workflow module {path.parent.name}/{path.name} cannot be loaded: {error}"
        raise WorkflowError(message) from error
    except (Exception, SystemExit) as error:
        where = _line_of(error, path)
        message = (
            f"Workflow module {path.parent.name}/{path.name} cannot be loaded: "
            f"{type(error).__name__}{where}: {error}."
        )
        raise WorkflowError(
            message, hint=f"Try it alone: python {shlex.quote(str(path))}"
        ) from error
    finally:
        sys.path.remove(str(path.parent))
    return _declared(path, vars(module))


def _declared(path: Path, names: dict[str, object]) -> list[Handler]:
    handlers: dict[str, Handler] = {}
    for value in names.values():
        if isinstance(value, Handler) and handlers.setdefault(value.workflow, value) is not value:
            message = (
                f"Workflow module {path.parent.name}/{path.name} declares '{value.workflow}' twice."
            )
            raise WorkflowError(message, hint="Give each handler a name of its own.")
    if not handlers:
        message = f"Workflow module {path.parent.name}/{path.name} declares no handler."
        raise WorkflowError(
            message, hint="Write handler = BatchHandler(…) or handler = InlineHandler(…) in it."
        )
    for handler in handlers.values():
        handler.folder = path.parent
    return list(handlers.values())


def _line_of(error: BaseException, path: Path) -> str:
    line = None
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return "" if line is None else f" in line {line}"
