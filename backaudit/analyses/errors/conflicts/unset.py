"""Columns that must not be null and that nobody gives a value, where a library's view makes the rows."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.conflicts.writes import exception_told, refused_by
from backaudit.analyses.errors.requests import valid
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.web.catching import answered_globally
from backaudit.backend.web.inputs.applied import Applied, applied_to
from backaudit.backend.web.inputs.classes import column_shape
from backaudit.backend.web.inputs.records import Field, InputSchema
from backaudit.backend.web.records import UNMOUNTED, Route
from backaudit.backend.web.routes import by_handler, routes
from backaudit.facts import ops
from backaudit.facts.requests import JSON, Request
from backaudit.project import ClassView, Code, Project
from backaudit.project.declarations import truth
from backaudit.rule import Finding
from backaudit.vocabulary.protocols import NARROW_FORMATS

_MAKING = "POST"
_CREATED, _FOUND = 201, 302
_UNFILLED = NARROW_FORMATS - {"email"}  # Formats of which an empty text is none, and of which one is stored for others.


def unset_columns(project: Project) -> Iterator[Finding]:
    """Each view whose rows lack a value that their table asks for, however a client words the request."""
    told: set[str] = set()
    for route, view, taken, table in _made(project):
        column = _lacking(project, view, taken.schema, table) if view.name not in told else None
        if column is not None:
            told.add(view.name)
            yield _finding(project, route, view, taken, f"{table.name}.{column.name}")


def nullable_fields(project: Project) -> Iterator[Finding]:
    """Each view of a library's whose schema says that null may be sent for a column that takes none."""
    told: set[str] = set()
    for route, view, taken, table in _made(project):
        column = _refusing(project, view, taken.schema, table) if view.name not in told else None
        if column is not None:
            told.add(view.name)
            name = column.attribute or column.name
            request = _valid(project, route, view, taken, f"`{name}` is null")
            yield Finding(
                place=view.place.first_line(),
                message=f"`{table.name}.{column.name}` takes no NULL, and `{taken.schema.title}` lets the client send "
                "null for it: IntegrityError, a 500, not a 400.",
                request=with_null(request, name) if request is not None else None,
            )


def _made(project: Project) -> Iterator[tuple[Route, ClassView, Applied, Table]]:
    """The routes for which a library's view makes rows of one table by one schema."""
    for route in project.once(routes):
        view = route.view
        if view is None or not makes_rows(project, route, view):
            continue
        taken = [one for one in applied_to(project, route) if one.schema.model]
        table = project.once(schema).table(taken[0].schema.model) if len(taken) == 1 else None
        if table is not None:
            yield route, view, taken[0], table


def _refusing(project: Project, view: ClassView, taken: InputSchema, table: Table) -> Column | None:
    """The first column that takes no NULL, and that the schema, which hands it on as it is, takes null for."""
    if not _hands_on(project, taken):
        return None
    columns = [column for field in taken.fields if _may_be_null(field) and (column := table.column(field.attribute))]
    wanted = [column for column in columns if not (column.nullable or column.primary_key)]
    words = set(_words(project, view, taken, table)) if wanted else set()
    return next((column for column in wanted if words.isdisjoint(_names(column))), None)


def _hands_on(project: Project, taken: InputSchema) -> bool:
    """Whether a schema hands on what it has checked as it is, and makes no row itself."""
    steps = project.models.kinds[f"runs-for:{_MAKING}"] | project.models.kinds["set-on-the-way"]
    return not any(project.method(taken.name, name) is not None for name in sorted(steps))


def _may_be_null(field: Field) -> bool:
    return not field.read_only and field.shape.nullable and not field.validated


def makes_rows(project: Project, route: Route, view: ClassView) -> bool:
    """Whether the library makes a row for a POST of what its own serializer or form has checked."""
    function = route.handler.function
    own = function.kind == "class" or function.name in project.models.kinds["performs"]
    served = _MAKING in route.methods and UNMOUNTED not in route.tags and own
    refused = answered_globally(project, refused_by(project))
    kinds = project.models.kinds["making-views"] | project.models.kinds["creating-views"]
    return served and not refused and project.inherits(view.name, *kinds)


def _lacking(project: Project, view: ClassView, taken: InputSchema, table: Table) -> Column | None:
    """The first column that the table asks for, that the schema does not take, and that no step before gives."""
    if not taken.whole or not _hands_on(project, taken):
        return None  # It makes the row itself.
    shown = {field.attribute for field in taken.fields if field.read_only}
    given = ({field.attribute for field in taken.fields} | _declared(project, taken.name)) - shown
    columns = [column for column in table.columns if given.isdisjoint(_names(column))]
    wanted = [column for column in columns if _is_wanted(project, column) and not _is_stamped(project, table, column)]
    if not wanted:
        return None
    words = set(_words(project, view, taken, table))
    return next((column for column in wanted if words.isdisjoint(_names(column))), None)


def _is_wanted(project: Project, column: Column) -> bool:
    """Whether a row without a value is refused: a text that nobody gives is empty."""
    if column.nullable or column.default or column.server_default or column.primary_key:
        return False
    shape = column_shape(project, column)
    return bool(column.references) or shape.kind in ("boolean", "integer", "number") or shape.format in _UNFILLED


def _is_stamped(project: Project, table: Table, column: Column) -> bool:
    """Whether the library writes the time of the change by itself."""
    made = (view.fields.get(column.attribute) for view in project.lineage_views(table.model))
    call = next((found for found in made if found is not None), None)
    switches = sorted(project.models.kinds["stamping-keywords"])
    return call is not None and any(truth(project, call.arg(None, name)) for name in switches)


def _declared(project: Project, cls: str) -> set[str]:
    """What a class declares by itself, hidden fields too, which take their value from the caller or the code."""
    return {name for view in project.lineage_views(cls) for name in view.fields}


def _names(column: Column) -> set[str]:
    names = {column.name, column.attribute or column.name}
    return names | {name.removesuffix("_id") for name in names}


# -- what the project's own steps give --------------------------------------------------------------------------------


def _words(project: Project, view: ClassView, taken: InputSchema, table: Table) -> Iterator[str]:
    """What the steps on the way to the row name: keywords, keys and attributes that they set."""
    for code in _steps(project, view, taken, table):
        for node in code.nodes(ops.Call):
            yield from node.keywords()
        for value, op in enumerate(code.ops):
            if isinstance(op, ops.SetAttr):
                yield op.name
            elif isinstance(op, ops.Const) and code.node(value).text is not None:
                yield code.node(value).text or ""


def _steps(project: Project, view: ClassView, taken: InputSchema, table: Table) -> Iterator[Code]:
    """The methods of the view, the schema and the model, and what listens to the model's rows."""
    apart = project.models.kinds[f"unasked-steps:{_MAKING}"]
    for name, code in _methods(project, view.name):
        if name not in apart and code not in project.once(by_handler):
            yield code
    for cls in (taken.name, table.model):
        yield from (code for _, code in _methods(project, cls))
    for name in sorted(project.models.kinds["listeners"]):
        files = {call.code.file.path: call.code.file for call in project.calls_of(name)}
        for file in files.values():
            yield from (file.code(index) for index in range(len(file.facts.functions)))


def _methods(project: Project, cls: str) -> Iterator[tuple[str, Code]]:
    for owner in project.lineage_views(cls):
        yield from owner.methods.items()


def _finding(project: Project, route: Route, view: ClassView, taken: Applied, column: str) -> Finding:
    return Finding(
        place=view.place.first_line(),
        message=f"`{column}` must not be null, `{taken.schema.title}` does not take it, and no step of "
        f"`{view.cls.name}` gives it: {_MAKING} {route.path} is a 500 for every valid request.",
        request=_valid(project, route, view, taken, f"nobody gives `{column}` a value"),
    )


def with_null(request: Request, name: str) -> Request | None:
    """A request in JSON with null for one field; None where its body is none that has it."""
    if request.content_type != JSON:
        return None
    body = json.loads(request.body)
    if not isinstance(body, dict):
        return None
    return msgspec.structs.replace(request, body=json.dumps({**body, name: None}), wanted=(400,))


def _valid(project: Project, route: Route, view: ClassView, taken: Applied, wrong: str) -> Request | None:
    return valid(
        project,
        route,
        _MAKING,
        raises=exception_told(project),
        at=view.place,
        wrong=wrong,
        wanted=_FOUND if taken.where == "form" else _CREATED,
    )


__all__ = ["makes_rows", "nullable_fields", "unset_columns"]
