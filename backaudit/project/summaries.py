"""What bodies do, themselves or by the functions that they call, at any depth: each asked once, circles included."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from backaudit.project.code import Code
from backaudit.project.solving import Solver

if TYPE_CHECKING:
    from backaudit.project import Project

ItemT = TypeVar("ItemT")
Summary: TypeAlias = "Solver[Code, ItemT]"


def summary(project: Project, compute: Callable[[Code], Iterable[ItemT]]) -> Summary[ItemT]:
    """Answers for all bodies; ``compute`` tells what one does, and asks the summary about those that it calls."""
    return Solver(lambda code: tuple(compute(code)), lambda code: (code.path, code.index), project.steps)
