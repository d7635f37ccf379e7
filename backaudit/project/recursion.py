"""Functions that call each other in a circle: as many ways lead through them as one likes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from backaudit.project.code import Code
from backaudit.project.nodes import Node
from backaudit.project.solving import strongly_connected

if TYPE_CHECKING:
    from backaudit.project import Project


class Recursion:
    """The circles of one project's call graph, each function's found once and only as far as it calls others."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._circles: dict[Code, Code | None] = {}
        self._around: dict[Code, tuple[Node, ...]] = {}

    def circle(self, code: Code) -> Code | None:
        """One function that stands for all that call each other in a circle with ``code``; None if none does."""
        if code not in self._circles:
            with self._project.steps.apart():
                for part in strongly_connected([code], self._unknown):
                    self._circles.update(dict.fromkeys(part, self._named(part)))
        return self._circles[code]

    def calls_around(self, code: Code) -> tuple[Node, ...]:
        """The calls of a function by those that are on a circle with it."""
        if code not in self._around:
            circle = self.circle(code)
            calls = self._project.callers(code) if circle is not None else ()
            self._around[code] = tuple(call for call in calls if self.circle(call.code) is circle)
        return self._around[code]

    def _unknown(self, code: Code) -> Iterator[Code]:
        """What a function calls; what is known already leads to nothing that is not."""
        return (callee for callee in dict.fromkeys(self._project.called_by(code)) if callee not in self._circles)

    def _named(self, part: list[Code]) -> Code | None:
        alone = part[0] if len(part) == 1 else None
        return part[0] if alone is None or alone in self._project.called_by(alone) else None
