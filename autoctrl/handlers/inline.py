"""Workflows whose work is a Python function: called in a child process with a deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autoctrl.errors import WorkflowError
from autoctrl.handlers.handler import Handler
from autoctrl.handlers.run_line import NotKnownYet
from autoctrl.locks.lock import Wait
from autoctrl.model.job import JobSpec
from autoctrl.model.names import INLINE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from autoctrl.handlers.handler import Function, Resources
    from autoctrl.model.task import InputRef, Task


class InlineHandler(Handler):
    """A workflow that calls ``function(task)``, which returns its custom fields or None.

    The function reads ``task.input(…)`` and writes to ``task.output(…)``; it is called at least
    once, in a child process that is ended after ``deadline_s`` seconds. An interruption counts as
    an attempt.
    """

    executor_name = INLINE
    function: Function

    def __init__(
        self,
        workflow: str,
        function: Function,
        *,
        deadline_s: int = 60,
        **declaration: Any,  # noqa: ANN401 - checked by the handler it is passed to
    ) -> None:
        """Declare a workflow; see ``Handler`` for the rest. Raises ``WorkflowError`` as it does."""
        super().__init__(workflow, **declaration)
        given: object = function
        if not callable(given):
            message = f"{workflow}: function={function!r} cannot be called."
            raise WorkflowError(
                message, hint="Give a function of the task that returns its custom fields."
            )
        self.function = function
        self.deadline_s = deadline_s
        self._shared: tuple[Resources, JobSpec] | None = None

    def specs(
        self,
        task: Task,
        resources: Resources,
        inputs: Sequence[InputRef],  # noqa: ARG002 - the contract's signature
        *,
        is_closed: bool,  # noqa: ARG002 - the contract's signature
    ) -> list[JobSpec] | Wait:
        """Return the one part, a call of the function. Raises ``CannotFill`` as any handler."""
        if not self.outputs and not self.inputs:
            return [self._plain_spec(resources)]
        try:
            outputs = self.output_names(self.values(task, resources))
        except NotKnownYet as error:
            return Wait(str(error))
        return [self._plain_spec(resources)._replace(outputs=outputs, inputs=task.inputs)]

    def _plain_spec(self, resources: Resources) -> JobSpec:
        """Return what all calls have in common, made once: thousands of tasks share it."""
        if self._shared is None or self._shared[0] != resources:
            spec = JobSpec(
                argv=(),
                outputs={},
                inputs={},
                environment={},
                memory_mb=resources.memory_mb,
                time_limit_s=self.deadline_s,
                cpus=resources.cpus,
                executor=self.executor_name,
            )
            self._shared = (resources, spec)
        return self._shared[1]

    @property
    def description(self) -> dict[str, Any]:
        """What makes this workflow's versions, for provenance."""
        return {
            **super().description,
            "function": getattr(self.function, "__qualname__", type(self.function).__qualname__),
            "deadline_s": self.deadline_s,
        }


def inline(workflow: str, **declaration: Any) -> Callable[[Function], InlineHandler]:  # noqa: ANN401 - checked by the handler it is passed to
    """Declare a workflow where its function stands: ``@inline("plots", inputs=…, outputs=…)``.

    The arguments are those of ``InlineHandler``. The decorated name then stands for the handler;
    the function itself is its attribute ``function``.
    """

    def declare(function: Function) -> InlineHandler:
        return InlineHandler(workflow, function, **declaration)

    return declare
