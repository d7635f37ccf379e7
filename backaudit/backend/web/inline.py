"""Templates that are written into the code: what they print without escaping, and the values that fill them."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.web.templates import Context, Printed, handed, has_element, scanned
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project
from backaudit.project.locate import argument_of, behind


class Inline(msgspec.Struct, frozen=True):
    """A page in a text of the code. ``name``: unlike that of any other; ``made``: the call that is given the text."""

    name: str
    made: Node
    prints: tuple[Printed, ...]
    context: Context


def inline_templates(project: Project) -> tuple[Inline, ...]:
    """The pages that the code compiles from constant texts. Ask with ``project.once``."""
    fillings = project.once(_fillings)
    return tuple(_inline(project, made, text, fillings.get(made, [])) for made, text in _compiled(project))


def _compiled(project: Project) -> Iterator[tuple[Node, Node]]:
    """The calls that make a template, or an answer, of a text with elements of HTML; with that text."""
    table = project.models.sinks.get("template", {})
    for name in sorted(table):
        for call in project.calls(name):
            text = _written_to(project, call, table[name])
            if text is not None and project.role(call.code.path) == "production":
                yield call, text


def _written_to(project: Project, call: Node, arguments: tuple[int | str, ...]) -> Node | None:
    given = (argument_of(call, argument) for argument in arguments)
    constants = (project.constant(value) for value in given if value is not None)
    return next((found for found in constants if found is not None and has_element(found.text or "")), None)


def _fillings(project: Project) -> dict[Node, list[Node]]:
    """The calls that fill a template, by what made it."""
    found: dict[Node, list[Node]] = {}
    for call in project.calls_of("render"):
        for made in behind(project, call.receiver) if call.receiver is not None else ():
            found.setdefault(made, []).append(call)
    return found


def _inline(project: Project, made: Node, text: Node, fillings: list[Node]) -> Inline:
    path, span = made.place.path, made.place.span
    name = f"{path}:{span.line}:{span.column}"
    values: dict[str, Node] = {}
    for call in (made, *fillings):
        values |= handed(project, call)
    prints = (_moved(each, text) for each in scanned(project, name, text.text or ""))
    return Inline(name, made, tuple(prints), Context(path, values))


def _moved(each: Printed, text: Node) -> Printed:
    """What a text prints, where it stands in the code: on its line, as far as the text is spelled line by line."""
    whole, within = text.place.span, each.place.span
    if whole.end_line - whole.line != (text.text or "").count("\n"):
        return msgspec.structs.replace(each, place=text.place)
    line = whole.line + within.line - 1
    first = line == whole.line  # what stands before the text there is not its own
    columns = (whole.column, whole.column + 1) if first else (within.column, within.end_column)
    return msgspec.structs.replace(each, place=Place(text.place.path, Span(line, columns[0], line, columns[1])))
