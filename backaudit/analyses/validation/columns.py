"""Queries whose columns a client chooses: by which rows are asked for, sorted or shown."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.validation.bodies import is_validator
from backaudit.analyses.validation.client_input import ClientInput
from backaudit.analyses.validation.privileged import is_for_a_role
from backaudit.backend.data.documents import collections, is_document
from backaudit.backend.data.documents.calls import collection_calls
from backaudit.backend.data.orms import orms, traits
from backaudit.backend.data.queries.chains import denoted_table, root_table
from backaudit.backend.data.schema import Schema, Table, schema
from backaudit.backend.web.inputs.reads import checked_data
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.search import Search
from backaudit.flow.trace import ANY, KEY, Access, Origin, Trace
from backaudit.project import Node, Project
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import is_password_column, names_users

_SERVING = ("production", "script")
_CAPABILITY = meaning("tokens", "capability")
_KEYS: Access = (KEY,)
_TRUSTED = assume("purpose", "those who may ask may not know all that is kept")
# How many relations in a row a look-up by keywords is followed over.
_RELATIONS = 3


class Choice(msgspec.Struct, frozen=True):
    """A query ``at`` whose columns a client chooses. ``way``: what it does by them; ``table``: whose they are.

    ``secret``: a column among them that nobody should ask by, empty where none is known.
    """

    at: Node
    way: str
    origin: Origin
    table: str = ""
    secret: str = ""
    assumed: Assumed = KNOWN


class Rows(msgspec.Struct, frozen=True):
    """What a query is over. ``by_text``: its columns are named by texts, over relations as well."""

    name: str
    by_text: bool
    secret: str = ""


class ColumnName(ClientInput):
    """A client's text that names a column, with nothing that says which it may be."""

    def __init__(self, project: Project) -> None:
        super().__init__(project, "column")

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        keyed = access[:1] == _KEYS and isinstance(node.op, (ops.Attr, ops.Call))
        if keyed and checked_data(search.project, node) is not None:
            return None  # the keys of what a form or schema let through are its fields
        if access[:1] == _KEYS and isinstance(node.op, ops.Param):
            param = client_input(search.project, node.code, node.op.index)
            if param is not None and param.where == "path":
                return None  # ``**kwargs`` of an address: its keys are the placeholders that the route has
        return super().source(search, node, access)

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        if isinstance(node.op, ops.Call) and is_validator(search.project, node):
            return True
        return super().ends(search, node, access, use)


class PickedColumn(ColumnName):
    """A column of a model that was looked up by a name which a client chose."""

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        name = _picked_by(search.project, node)
        if name is None:
            return None
        found = next(Trace(search.project, ColumnName(search.project)).origins(name, (), node.value), None)
        return found.what if found is not None else None

    def through(self, search: Search, call: Node) -> list[Node]:
        """``column.desc()``, ``desc(column)``, ``func.lower(column)``."""
        given = [call.receiver, call.arg(0)]
        return [node for node in given if node is not None]


def choices(project: Project) -> Iterator[Choice]:
    """Every query in serving code whose columns a client chooses, once."""
    told: set[Node] = set()
    for choice in (*_by_keywords(project), *_by_names(project), *_by_attributes(project), *_of_documents(project)):
        if choice.at not in told:
            told.add(choice.at)
            trusted = is_for_a_role(project, choice.origin.node.code)
            yield msgspec.structs.replace(choice, assumed=_TRUSTED if trusted else KNOWN)


def _serves(project: Project, call: Node) -> bool:
    return project.role(call.code.path) in _SERVING


def _text_origin(project: Project, call: Node, value: Node, access: Access) -> Origin | None:
    return next(Trace(project, ColumnName(project)).origins(value, access, call.value), None)


# -- keywords -------------------------------------------------------------------------------------------------------


def _by_keywords(project: Project) -> Iterator[Choice]:
    """``filter(**request.args)``, ``Q(**{field: text})``, ``get_object_or_404(Model, **data)``."""
    for call, rows in _keyword_calls(project):
        spread = call.call.dstar if call.call is not None else ()
        for value in spread if _serves(project, call) else ():
            origin = _text_origin(project, call, call.origin.to(value), _KEYS)
            if origin is not None:
                yield Choice(call, "asks for rows by", origin, rows.name, rows.secret)


def _keyword_calls(project: Project) -> Iterator[tuple[Node, Rows]]:
    kinds = project.models.kinds
    for method in sorted(kinds["asks-by-keyword"]):
        for call in project.calls_of(method):
            if not project.callees(call) and (rows := _rows(project, call)) is not None:
                yield call, rows
    for name in sorted(kinds["conditions-by-keyword"]):
        for call in project.calls(name):
            yield call, Rows("", by_text=True)
    for name in sorted(kinds["shortcut-lookups"]):
        for call in project.calls_of(name):
            first = call.arg(0)
            table = denoted_table(project, first) if first is not None else None
            yield call, _of_table(project, table) if table is not None else Rows("", by_text=True)


def _rows(project: Project, call: Node) -> Rows | None:
    """What a query is over, if that is known: a table, documents of a class, a library's own users."""
    table = root_table(project, call)
    if table is not None:
        return _of_table(project, table)
    overs = [split(name)[1] for name in project.types(call.receiver)] if call.receiver is not None else []
    documents = (over for over in overs if is_document(project, over))
    cls = next(documents, "")
    if cls:
        return Rows(cls, by_text=True, secret=_secret_of_document(project, cls))
    library = next((over for over in overs if over.partition(".")[0] in orms(project)), "")
    by_text = traits(project, library.partition(".")[0]).queries == "keywords"
    return Rows(library, by_text, _of_library(library)) if library else None


def _of_table(project: Project, table: Table) -> Rows:
    by_text = traits(project, table.orm).queries == "keywords"
    return Rows(table.name, by_text, _secret(project, table, deep=by_text))


def _secret_of_document(project: Project, cls: str) -> str:
    found = next((one for one in collections(project) if cls in (one.model, one.name)), None)
    return next((f"{found.name}.{field.name}" for field in found.fields if _is_secret(field.name)), "") if found else ""


# -- names ----------------------------------------------------------------------------------------------------------


def _by_names(project: Project) -> Iterator[Choice]:
    """``order_by(request.GET["sort"])``, ``values(*fields)`` where columns are named by texts."""
    for kind, way in (("order-links", "sorts by"), ("shows-by-name", "shows")):
        for method in sorted(project.models.kinds[kind]):
            for call in project.calls_of(method):
                rows = _rows(project, call) if _serves(project, call) else None
                if rows is None or not rows.by_text or project.callees(call):
                    continue
                origin = _named(project, call)
                if origin is not None:
                    yield Choice(call, way, origin, rows.name, rows.secret)


def _named(project: Project, call: Node) -> Origin | None:
    op = call.call
    if op is None:
        return None
    found = (_text_origin(project, call, call.origin.to(value), ()) for value in op.args)
    spread = (_text_origin(project, call, call.origin.to(value), (ANY,)) for value in op.star)
    return next((origin for origin in (*found, *spread) if origin is not None), None)


# -- attributes of a model ------------------------------------------------------------------------------------------


def _by_attributes(project: Project) -> Iterator[Choice]:
    """``order_by(getattr(User, sort))``, ``filter(getattr(User, key) == value)``; or the look-up of the column."""
    used: set[Node] = set()
    links = (("order-links", "sorts by"), ("condition-links", "asks for rows by"), ("query-openers", "shows"))
    for kind, way in links if project.once(_are_picked) else ():
        for method in sorted(project.models.kinds[kind]):
            for call in project.calls_of(method):
                for value in _columns_in(call) if _serves(project, call) else ():
                    trace = Trace(project, PickedColumn(project))
                    origin = next(trace.origins(value, (), call.value), None)
                    table = _picked_table(project, origin.node) if origin is not None else None
                    if origin is not None:
                        used.add(origin.node)
                        yield Choice(call, way, _from_client(project, origin), _name(table), _secret(project, table))
    yield from _unused(project, used)


def _are_picked(project: Project) -> bool:
    """Whether a column is looked up anywhere by a name that a client chose: else no query needs to be followed."""
    looked_up = [*project.calls("builtins.getattr"), *_items_of_columns(project)]
    names = ((node, _picked_by(project, node)) for node in looked_up)
    return any(name is not None and _text_origin(project, node, name, ()) is not None for node, name in names)


def _items_of_columns(project: Project) -> Iterator[Node]:
    for code in project.mentioned(_COLUMNS.__contains__):
        yield from code.nodes(ops.Item)


def _unused(project: Project, used: set[Node]) -> Iterator[Choice]:
    """Columns that were looked up, and of which no query was seen."""
    for call in project.calls("builtins.getattr"):
        name = _picked_by(project, call) if _serves(project, call) and call not in used else None
        origin = _text_origin(project, call, name, ()) if name is not None else None
        if origin is not None:
            table = _picked_table(project, call)
            yield Choice(call, "picks", origin, _name(table), _secret(project, table))


def _from_client(project: Project, picked: Origin) -> Origin:
    """The way of the name, from the client to the look-up, then that of the column."""
    name = _picked_by(project, picked.node)
    found = _text_origin(project, picked.node, name, ()) if name is not None else None
    return Origin(picked.node, picked.what, (*found.steps, *picked.steps[1:])) if found is not None else picked


def _columns_in(call: Node) -> Iterator[Node]:
    """The arguments of a query that may be columns, or both sides of what compares one."""
    for argument in call.args():
        made = argument.origin
        if isinstance(made.op, ops.Compare):
            yield made.to(made.op.left)
            yield made.to(made.op.right)
        else:
            yield argument


def _picked_by(project: Project, node: Node) -> Node | None:
    """The name by which a column of a model is looked up: ``getattr(Model, name)``, ``Model.__table__.c[name]``."""
    op = node.op
    if isinstance(op, ops.Call) and node.func is not None and "builtins.getattr" in project.names(node.func):
        name = node.arg(1)
        return name if name is not None and _picked_table(project, node) is not None else None
    if isinstance(op, ops.Item) and _picked_table(project, node) is not None:
        return node.to(op.key)
    return None


def _picked_table(project: Project, node: Node) -> Table | None:
    """The table of which a column is looked up by its name."""
    op = node.op
    first = node.arg(0)
    if first is not None:
        return denoted_table(project, first)
    base = node.to(op.base).origin if isinstance(op, ops.Item) else None
    of_columns = base is not None and isinstance(base.op, ops.Attr) and base.op.name in _COLUMNS
    return denoted_table(project, base) if of_columns and base is not None else None


_COLUMNS = ("c", "columns")


# -- documents ------------------------------------------------------------------------------------------------------


def _of_documents(project: Project) -> Iterator[Choice]:
    """``find({field: text})``, ``find_one(dict(request.args))``: keys that are a query's, not a JSON body's."""
    for kind in ("collection-filters", "collection-searches"):
        for collection, call in collection_calls(project, kind):
            asked = call.arg(0, "filter")
            if asked is None or not _serves(project, call):
                continue
            origin = _text_origin(project, call, asked, _KEYS)
            if origin is not None and not _is_body(project, origin.node):
                secret = _secret_of_document(project, collection)
                yield Choice(call, "asks for documents by", origin, collection, secret)


def _is_body(project: Project, node: Node) -> bool:
    """Whether it is a JSON body, whose values may be operators as well: another rule tells of it."""
    return not project.models.kinds["body-reads"].isdisjoint(request_names(project, node))


# -- what may be reached --------------------------------------------------------------------------------------------


def _name(table: Table | None) -> str:
    return table.name if table is not None else ""


def _secret(project: Project, table: Table | None, deep: bool = False) -> str:
    """A column of a table, or of those that it leads to, by which nobody should ask."""
    return _secret_in(schema(project), table, _RELATIONS if deep else 0) if table is not None else ""


def _secret_in(tables: Schema, table: Table, depth: int) -> str:
    named = [column.name for column in table.columns if _is_secret(column.name)]
    # Beside its value a key is the name of an entry, and no key to anything.
    own = next((name for name in named if name != "key" or table.column("value") is None), "")
    if own or depth == 0:
        return f"{table.name}.{own}" if own else ""
    for relation in table.relations:
        other = tables.of_model(relation.target)
        found = _secret_in(tables, other, depth - 1) if other is not None else _of_library(relation.target)
        if found:
            return found
    return ""


def _is_secret(column: str) -> bool:
    return is_password_column(column) or _CAPABILITY.holds(column)


def _of_library(model: str) -> str:
    """A library's own users have passwords."""
    return f"{model}.password" if names_users(model) else ""
