"""What bodies do, themselves or by the functions that they call, at any depth: each asked once, circles included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeAlias, TypeVar

from backaudit.facts import ops
from backaudit.project.code import Code
from backaudit.project.nodes import Node
from backaudit.project.solving import Solver

if TYPE_CHECKING:
    from backaudit.project import Project

ItemT = TypeVar("ItemT")
Summary: TypeAlias = "Solver[Code, ItemT]"


def summary(project: Project, compute: Callable[[Code], Iterable[ItemT]]) -> Summary[ItemT]:
    """Answers for all bodies; ``compute`` tells what one does, and asks the summary about those that it calls."""
    return Solver(lambda code: tuple(compute(code)), lambda code: (code.path, code.index), project.steps)


def by_calls(
    code: Code, own: Callable[[Node], ItemT | None], inner: Callable[[Node, Code], Iterable[ItemT]]
) -> Iterator[ItemT]:
    """What the calls of a body do: each its ``own``, else what the functions do that it runs, as done by that call."""
    for call in code.nodes(ops.Call):
        done = own(call)
        if done is not None:
            yield done
            continue
        for callee in code.project.callees(call):
            if callee != code:
                yield from inner(call, callee)
