"""What a look-up raises that finds nothing, raised by the project itself, and answered by nobody."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from backaudit.analyses.errors.requests import showing
from backaudit.backend.web.catching import ancestry, escapes, reached_functions
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.flow.client import client_origin
from backaudit.project import Node, Project
from backaudit.project.code import last_name
from backaudit.project.holding import conditions
from backaudit.project.operands import made_of
from backaudit.rule import Finding


def findings(project: Project) -> Iterator[Finding]:
    """Each ``raise ObjectDoesNotExist`` after a client's key has led to nothing, which ends as a 500."""
    told = project.once(_told)
    for code in reached_functions(project):
        for node in code.nodes(ops.Raise):
            name = _name_of(project, node)
            if told.isdisjoint(ancestry(project, name)) or not _after_a_look_up(project, node):
                continue
            path = escapes(project, node, (name,))
            if path is not None:
                yield Finding(
                    place=node.place.first_line(),
                    message=f"What is not there is the client's doing, but this {last_name(name)} ends as a 500.",
                    request=showing(project, node, path, (), raises=last_name(name)),
                )


def _told(project: Project) -> frozenset[str]:
    """The last names of what look-ups raise that find nothing, and of what stands for all of these."""
    models = project.models
    every = (models.raises.get(name, ()) for name in models.kinds["raising-lookups"])
    found = {exceptions[0] for exceptions in every if exceptions}
    above = {last_name(models.exceptions.get(exception, "")) for exception in found}
    return frozenset({*map(last_name, found), *(above & models.kinds["meant-exceptions"])})


def _name_of(project: Project, raised: Node) -> str:
    """The class of what is raised, made there or as it is; empty if it is something else."""
    op = raised.op
    exception = raised.to(op.exception).origin if isinstance(op, ops.Raise) and op.exception != NONE else None
    cls = exception.func or exception if exception is not None else None
    return next(iter(sorted(project.names(cls))), "") if cls is not None else ""


def _after_a_look_up(project: Project, raised: Node) -> bool:
    """Whether it is asked before whether rows were found that a client's value picks."""
    asked = (raised.code.node(test) for test, _ in conditions(raised.code, raised.value))
    parts = chain.from_iterable(map(made_of, asked))
    return any(part.is_call_of("lookups") and _is_picked(project, part) for part in parts)


def _is_picked(project: Project, call: Node) -> bool:
    given = chain.from_iterable(map(made_of, (*call.args(), *call.keywords().values())))
    return any(client_origin(project, part) is not None for part in given)
