"""Texts of a client's that a library refuses for their length: passwords longer than it hashes."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.callers import unasked_by
from backaudit.analyses.errors.refused import TooLong
from backaudit.analyses.errors.requests import input_behind
from backaudit.backend.web.catching import ending, escapes
from backaudit.flow.trace import Trace
from backaudit.project import Node, Project
from backaudit.rule import Finding, Step
from backaudit.vocabulary.names import is_password_column


def findings(project: Project) -> Iterator[Finding]:
    """Each text that the client may make as long as it likes, and that nothing catches the refusal of."""
    refusing = project.models.words["refuses-length"]
    for call in project.calls(*sorted(refusing)):
        names = project.names(call.func) if call.func is not None else ()
        most, _, raised = next(refusing[name] for name in names if name in refusing).partition(" ")
        text = call.arg(0, "secret")
        path = escapes(project, call, (raised,)) if call.code.file.role == "production" else None
        if text is not None and path is not None:
            yield from _finding(project, call, text, path, raised, int(most))


def _finding(
    project: Project, call: Node, text: Node, path: tuple[Node, ...], raised: str, most: int
) -> Iterator[Finding]:
    sent = input_behind(project, text)
    if sent is None or not is_password_column(sent[1]):
        return  # a token has been read before by what knows its form
    origin = next(Trace(project, TooLong(project, most)).origins(text, (), call.value), None)
    if origin is None:
        return
    place = call.place.first_line()
    exception = raised.rpartition(".")[2]
    yield Finding(
        place=place,
        message=f"`{call.method}()` refuses a text of more than {most} letters, which the client may send: "
        f"{exception}, {ending(project, call, path, 'a 500, not a 422')}.",
        assumed=unasked_by(path),
        shown="strict",
        trace=(*origin.steps, Step(place, "is refused for its length")),
    )
