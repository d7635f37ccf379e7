"""Whether what clients send is held against a schema, and whether its texts have a limit."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.portfolio.records import Fact, Lack, Row
from backaudit.portfolio.stack import at_line, counted, lack, listed, route_name, served, surveyed
from backaudit.project import Project
from backaudit.survey.records import FieldRow, RouteRow, SchemaRow, Sent

_WHOLE = ("body", "form")


def row(project: Project) -> Row:
    """The share of bodies and forms that a schema judges, and of their texts that have a limit."""
    taking = [one for one in served(project) if _taken(one)]
    judged = [one for one in taking if not one.raw]
    return Row(
        key="inputs",
        title="Input validation",
        facts=tuple(_facts(project, taking, judged)),
        lacks=tuple(_lacks(project, taking)),
        basis=bool(judged),
        open="" if taking else "no route takes a body or a form",
    )


def _taken(row: RouteRow) -> list[Sent]:
    return [one for one in row.sent if one.where in _WHOLE]


def _facts(project: Project, taking: list[RouteRow], judged: list[RouteRow]) -> Iterator[Fact]:
    if judged:
        yield Fact(f"{len(judged)} of {counted(len(taking), 'body', 'bodies')} are held against a schema")
    texts = input_texts(project)
    bounded = sum(_is_bounded(field) for _, field in texts)
    if texts:
        yield Fact(f"{bounded} of {counted(len(texts), 'text field')} have a greatest length, a pattern or a validator")


def _lacks(project: Project, taking: list[RouteRow]) -> Iterator[Lack]:
    raw = [one for one in taking if one.raw]
    if raw:
        text = f"{len(raw)} of {counted(len(taking), 'body', 'bodies')} are taken as they come: "
        yield lack(project, "inputs/raw", text + listed(list(map(route_name, raw))), at_line(raw[0].at))
    texts = input_texts(project)
    unlimited = [(schema, field) for schema, field in texts if not _is_bounded(field)]
    if 2 * len(unlimited) >= len(texts) > 0:
        names = [f"{schema.title}.{field.name}" for schema, field in unlimited]
        text = f"{len(unlimited)} of {counted(len(texts), 'text field')} may be as long as they like: {listed(names)}"
        yield lack(project, "inputs/unlimited", text, at_line(unlimited[0][0].at))


def input_texts(project: Project) -> tuple[tuple[SchemaRow, FieldRow], ...]:
    """The text fields of the schemas that judge bodies and forms."""
    return project.once(_input_texts)


def _input_texts(project: Project) -> tuple[tuple[SchemaRow, FieldRow], ...]:
    sent = [one for row in served(project) for one in _taken(row)]
    names = dict.fromkeys(name for one in sent for name in one.shape.schemas())
    schemas = [schema for name in names if (schema := surveyed(project).schema(name)) is not None]
    fields = ((schema, field) for schema in schemas for field in schema.fields)
    return tuple((schema, field) for schema, field in fields if not field.read_only and field.shape.kind == "string")


def _is_bounded(field: FieldRow) -> bool:
    return field.validated or field.shape.bounded
