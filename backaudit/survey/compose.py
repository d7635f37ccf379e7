"""Putting the survey together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from backaudit.backend.access.caller import mentions_caller
from backaudit.backend.access.changes import changes
from backaudit.backend.access.reads import reads
from backaudit.backend.access.tables import meta_table
from backaudit.backend.data.documents import collections
from backaudit.backend.data.queries.chains import denoted_table, table_of
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.endpoints import endpoints
from backaudit.backend.web.inputs.applied import applied
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.backend.web.inputs.records import Field, InputSchema, Shape
from backaudit.backend.web.inputs.shapes import shape_of
from backaudit.backend.web.records import UNMOUNTED, Endpoint, GuardKind, Route
from backaudit.backend.web.routes import routes
from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import text
from backaudit.project.locate import strings
from backaudit.survey.extents import Extent
from backaudit.survey.inputs import of_types, sent
from backaudit.survey.records import (
    PASSWORD_CHECK,
    FieldRow,
    Guarding,
    RouteRow,
    SchemaRow,
    Sent,
    StatusRow,
    Survey,
)
from backaudit.survey.security import UNKNOWN, UNKNOWN_SCHEME, scheme_of, schemes
from backaudit.survey.spots import spot
from backaudit.survey.statuses import told
from backaudit.survey.tables import collection_row, is_shown, table_rows
from backaudit.vocabulary.names import is_password_column
from backaudit.vocabulary.protocols import UNSAFE

# Why the views of a library refuse.
_REFUSALS = {400: "what is sent does not validate", 404: "there is no such row"}
_SHOWN = ("production", "script")
_encode = msgspec.msgpack.Encoder(order="deterministic").encode


def survey(project: Project) -> Survey:
    """Routes, schemas and tables of a project. Ask with ``project.once``."""
    rows = sorted(_routes(project), key=lambda row: (row.group, _path_order(row.path), row.methods, row.at))
    found = project.once(schemes)
    used = {guard.scheme for row in rows for guard in row.guards} - {""}
    security = {name: scheme for name, scheme in found.items() if name in used}
    security.update({UNKNOWN: UNKNOWN_SCHEME} if UNKNOWN in used - found.keys() else {})
    return Survey(
        files=len(project.facts),
        routes=tuple(rows),
        schemas=tuple(_schemas(project, rows)),
        tables=tuple(table_rows(project)),
        collections=tuple(collection_row(one) for one in collections(project)),
        security=security,
    )


def extent(project: Project) -> Extent:
    """What the survey would show. Ask with ``project.once``."""
    shown = [route for route in project.once(routes) if _is_served(project, route)]
    tables = [table for table in schema(project).tables.values() if is_shown(project, table)]
    return Extent(
        frozenset(_encode((route.place, route.methods, route.path, route.handler.key)) for route in shown),
        frozenset(_encode((table.place, table.name)) for table in tables),
        frozenset(_encode((one.place, one.name)) for one in collections(project)),
    )


def _is_served(project: Project, route: Route) -> bool:
    return project.role(route.handler.path) in _SHOWN and UNMOUNTED not in route.tags


def _path_order(path: str) -> tuple[str, ...]:
    return tuple(path.split("/"))


# -- routes -----------------------------------------------------------------------------------------------------------


def _routes(project: Project) -> Iterator[RouteRow]:
    judged = project.once(applied)
    for bare, endpoint in zip(project.once(routes), project.once(endpoints), strict=True):
        if not _is_served(project, bare):
            continue
        touched_read, touched_write = _touched(project, endpoint)
        code = bare.handler
        taken = sent(project, endpoint, judged.get(bare, ()))
        guards = tuple(_guards(project, endpoint, taken))
        why = tuple(dict.fromkeys((*told(project, endpoint, taken, guards), *_by_library(project, endpoint))))
        yield RouteRow(
            methods=bare.methods,
            path=bare.path,
            handler=_handler(bare),
            framework=bare.framework,
            group=_group(project, bare),
            at=spot(bare.place),
            guards=guards,
            sent=taken,
            answer=_answer(project, endpoint),
            status=bare.status,
            statuses=_statuses(project, endpoint),
            told=tuple(sorted(why, key=lambda one: one.status)),
            reads=touched_read,
            writes=touched_write,
            summary=_summary(code.function.doc),
        )


def _handler(route: Route) -> str:
    """The function; for a method that a view inherits, the view's name for it."""
    code, view = route.handler, route.view
    inherited = code.function.kind == "function" and code.cls not in (None, view)
    return f"{view.name}.{code.function.name}" if view is not None and inherited else code.name


def _statuses(project: Project, endpoint: Endpoint) -> tuple[int, ...]:
    """Ascending. The 200 of an answer that names no status is the success that the route declares."""
    if endpoint.route.handler.function.kind == "class" and not endpoint.declared:
        return _library_statuses(project, endpoint.route)
    success = [status for status in endpoint.declared if 200 <= status < 300]
    implied = {200} if success and 200 not in success else set()
    return tuple(sorted({*endpoint.declared, *endpoint.returned} - implied))


def _library_statuses(project: Project, route: Route) -> tuple[int, ...]:
    """What REST framework's own views answer: made, found or not, changed, gone, and refused what does not validate."""
    assert route.view is not None
    library = next((n for n in project.lineage(route.view.name) if n.startswith("rest_framework.")), "")
    if not library or len(route.methods) != 1:
        return ()
    method, one = route.methods[0], "{" in route.path.rstrip("/").rpartition("/")[2]
    success = {"POST": 201, "DELETE": 204}.get(method, 200)
    refused = {400} if method in ("POST", "PUT", "PATCH") else set()
    return tuple(sorted({success, *refused, *({404} if one else ())}))


def _by_library(project: Project, endpoint: Endpoint) -> Iterator[StatusRow]:
    """What a library's own view refuses."""
    if endpoint.route.handler.function.kind == "class" and not endpoint.declared:
        for status in _library_statuses(project, endpoint.route):
            if status in _REFUSALS:
                yield StatusRow(status, _REFUSALS[status], spot(endpoint.route.place))


def _summary(doc: str) -> str:
    first = doc.strip().partition("\n\n")[0]
    line = " ".join(first.split())
    end = line.find(". ")
    return (line if end < 0 else line[: end + 1])[:200]


def _group(project: Project, route: Route) -> str:
    """The first tag, the name of the blueprint or router, or the folder of a Django app; else the handler's module."""
    if project.models.framework(route.framework).groups_by_folder:
        file = route.view.file.path if route.view is not None else route.handler.path
        folder = file.rpartition("/")[0]
        parts = [part for part in folder.split("/") if part not in ("views", "api", "src", "apps", "viewsets")]
        return parts[-1] if parts else route.handler.file.module
    tags = list(route.tags)
    for router in route.around[::-1]:
        if not tags:
            tags = list(strings(project, router.arg(None, "tags")))
        name = _name_of_router(project, route, router)
        if name:
            return name
    return tags[0] if tags else route.handler.file.module


def _name_of_router(project: Project, route: Route, router: Node) -> str:
    """What a router is called, where its framework has routers named and this is not the application itself."""
    if not project.models.framework(route.framework).names_groups:
        return ""
    name = text(project, router.arg(0, "name"))
    whole = name == "__main__" or router.method in ("Flask", "Api", "register_blueprint")
    return "" if whole or name.startswith("/") else name


def _guards(project: Project, endpoint: Endpoint, taken: Iterable[Sent]) -> Iterator[Guarding]:
    by_name: dict[str, tuple[set[GuardKind], Place]] = {}
    for step in endpoint.steps:
        if step.kinds and step.how == "check" and _logs_in(project, endpoint.route, taken):
            yield Guarding(PASSWORD_CHECK, (), spot(step.place))
        elif step.kinds:
            kinds, _ = by_name.setdefault(step.name, (set(), step.place))
            kinds.update(step.kinds)
    for name, (kinds, place) in by_name.items():
        proves = bool(kinds - {"rate-limit"})
        scheme = scheme_of(project.once(schemes), name) if proves else ""
        yield Guarding(name, tuple(sorted(kinds)), spot(place), scheme)


def _logs_in(project: Project, route: Route, taken: Iterable[Sent]) -> bool:
    """Whether what a handler refuses is a wrong password, and no caller that it knows."""
    fields = (f.name for one in taken if not one.name for f in _fields(project, one.shape.schema))
    names = (*(one.name for one in taken), *fields)
    return any(map(is_password_column, names)) and not mentions_caller(project, route.handler)


def _fields(project: Project, name: str) -> tuple[Field, ...]:
    known = schema_named(project, name) if name else None
    return known.fields if known is not None else ()


def _answer(project: Project, endpoint: Endpoint) -> Shape | None:
    """The response model, as far as its schemas are known."""
    declared = endpoint.route.response
    shape = shape_of(project, declared) if declared is not None else Shape()
    if shape == Shape() and endpoint.response:
        shape = of_types(project, endpoint.response)
    shape = closed(project, shape)
    return shape if shape != Shape() and shape.kind != "null" else None


def closed(project: Project, shape: Shape) -> Shape:
    """A shape whose schemas are all known; an object of any other class is just an object."""
    if shape.schema and schema_named(project, shape.schema) is None:
        return Shape(kind="any")
    if shape.items is not None:
        shape = msgspec.structs.replace(shape, items=closed(project, shape.items))
    if shape.either:
        shape = msgspec.structs.replace(shape, either=tuple(closed(project, part) for part in shape.either))
    return shape


# -- tables touched ---------------------------------------------------------------------------------------------------


def _touched(project: Project, endpoint: Endpoint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    route = endpoint.route
    read: set[str] = set()
    written: set[str] = set()
    if route.handler.function.kind != "class":
        read |= {table.name for _, table in reads(project, route.handler)}
        written |= {change.table.name for change in changes(project, route.handler) if change.table is not None}
    table = _of_view(project, route)
    if table is not None and (route.handler.function.kind == "class" or not read | written):
        (written if UNSAFE & set(route.methods) else read).add(table.name)
    return tuple(sorted(read - written)), tuple(sorted(written))


def _of_view(project: Project, route: Route) -> Table | None:
    """The table behind a generic view: its ``queryset`` or ``model``, else its serializer's or form's model."""
    views = project.lineage_views(route.view.name) if route.view is not None else ()
    tables = (table for view in views for table in _tables_of(project, view))
    return next(tables, None)


def _tables_of(project: Project, view: ClassView) -> Iterator[Table]:
    for bound in (view.fields[name] for name in ("queryset", "model") if name in view.fields):
        table = denoted_table(project, bound) or table_of(project, bound)
        if table is not None:
            yield table
    for bound in (view.fields[name] for name in ("serializer_class", "form_class") if name in view.fields):
        tables = (meta_table(project, cls.name) for cls in project.denoted_classes(bound))
        yield from (table for table in tables if table is not None)


# -- schemas ----------------------------------------------------------------------------------------------------------


def _schemas(project: Project, rows: Iterable[RouteRow]) -> Iterator[SchemaRow]:
    """The schemas that routes take or answer with, and those inside them, by name."""
    wanted = [name for row in rows for one in row.sent for name in one.shape.schemas()]
    wanted += [name for row in rows for name in (row.answer.schemas() if row.answer is not None else ())]
    found: dict[str, InputSchema] = {}
    while wanted:
        name = wanted.pop()
        made = schema_named(project, name) if name not in found else None
        if made is not None:
            found[name] = made
            wanted += [inner for field in made.fields for inner in field.shape.schemas()]
    titles: dict[str, str] = {}
    for name in sorted(found):
        yield _schema(project, found[name], _unique_title(found[name], titles))


def _unique_title(made: InputSchema, titles: dict[str, str]) -> str:
    numbered = (made.title, *(f"{made.title}_{number}" for number in range(2, 10_000)))
    title = next(title for title in numbered if title not in titles)
    titles[title] = made.name
    return title


def _schema(project: Project, made: InputSchema, title: str) -> SchemaRow:
    return SchemaRow(
        name=made.name,
        title=title,
        library=made.library,
        at=spot(made.place),
        extra=made.extra,
        fields=tuple(_field(project, field) for field in made.fields),
        model=made.model,
    )


def _field(project: Project, field: Field) -> FieldRow:
    return FieldRow(
        name=field.name,
        shape=closed(project, field.shape),
        required=not field.optional and not field.read_only,
        default=field.default,
        validated=field.validated,
        read_only=field.read_only,
        write_only=field.write_only,
    )


__all__ = ["survey"]
