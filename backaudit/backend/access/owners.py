"""The column that says whose a row is."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations

from backaudit.backend.access.caller import NOBODY, Context, Values, caller_tables, context_of
from backaudit.backend.access.changes import own_changes
from backaudit.backend.access.tables import fetched_table, form_table, is_user_table, touched_table
from backaudit.backend.data.documents.tables import is_collection
from backaudit.backend.data.schema import Column, Table, schema
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import names_people

OWNER_NAME = meaning("people", "owner-column")


# Calls that ask for rows or documents by columns, or write them.
_STORES = ("lookups", "query-writes", "collection-writes")


def owner_column(project: Project, table: Table) -> Column | None:
    """The column that says whose a row is; also that of a table between, filled together with this one."""
    if is_user_table(table):
        return None
    found = _own_owner(project, table) or _by_use(project, table)
    for link in schema(project).tables.values() if found is None else ():
        if len(link.columns) <= 4 and any(_leads_to(column, table) for column in link.columns):
            column = _own_owner(project, link)
            if column is not None and (table.name, link.name) in project.once(_written_together):
                return column
    return found


def parent_owner(project: Project, table: Table) -> tuple[Column, Table] | None:
    """The key by which a row hangs on a parent that is somebody's, and that parent."""
    for column in table.columns:
        target = (column.references.rpartition(".")[0] or column.references).lower()
        parent = schema(project).table(target) if target else None
        if parent is not None and parent is not table and owner_column(project, parent) is not None:
            return column, parent
    return None


def _by_use(project: Project, table: Table) -> Column | None:
    """The key to a person, or what may be one as far as is said, that is filled, or narrowed, with the caller."""
    users = project.once(_user_tables) | project.once(caller_tables)
    for column in table.columns:
        if column.primary_key or column.name in table.primary_key:
            continue
        target = (column.references.rpartition(".")[0] or column.references).lower()
        unsaid = is_collection(project, table) or (not target and _may_be_key(table, column))
        if is_callers(project, table, column) and (target in users or unsaid):
            return column
    return None


def is_callers(project: Project, table: Table, column: Column) -> bool:
    """Whether some handler fills a column with the caller, or compares it, or its object, with the caller."""
    objects = (relation.name for relation in table.relations if relation.column == column.name)
    named = {(table.name, name) for name in (column.name, column.attribute, *objects)}
    return not named.isdisjoint(project.once(_used_for_caller))


def _may_be_key(table: Table, column: Column) -> bool:
    """Whether a column that refers to nothing is called like a key, and not like the table's own.

    One that no two rows share is a name of the row, unless it says that it is somebody's: who signs in by it owns none.
    """
    name = column.name.lower()
    if _is_alone(table, column) and not OWNER_NAME.holds(column.name):
        return False
    return name.endswith("id") and name.removesuffix("id").rstrip("_") != table.name.lower().rstrip("s")


def _is_alone(table: Table, column: Column) -> bool:
    keys = ((column.name,), (column.attribute,))
    return column.unique or any(index.unique and index.columns in keys for index in table.indexes)


def _used_for_caller(project: Project) -> frozenset[tuple[str, str]]:
    """Tables and their columns, or attributes, that handlers fill with the caller or compare with the caller."""
    found: set[tuple[str, str]] = set()
    for code, context in project.once(caller_bodies):
        reader = Values(project, code, context)
        found.update(_set_to_caller(project, code, reader))
        found.update(_compared_with_caller(project, code, reader))
        for call in code.nodes(ops.Call):
            own = [name for name, value in columns_given(call) if reader.identifies(value)]
            table = filled_table(project, call) if own else None
            found |= {(table.name, name.partition("__")[0]) for name in own} if table is not None else set()
    return frozenset(found)


def columns_given(call: Node) -> Iterator[tuple[str, Node]]:
    """What a call says of columns: by keywords, or by the document, or filter, that it is given."""
    yield from call.keywords().items()
    for argument in call.args():
        yield from ((str(key.text), value) for key, value in argument.entries())


def _set_to_caller(project: Project, code: Code, reader: Values) -> Iterator[tuple[str, str]]:
    """``row.owner = user``."""
    for node in code.nodes(ops.SetAttr):
        op = node.op
        table = touched_table(project, node.to(op.base)) if isinstance(op, ops.SetAttr) else None
        if table is not None and isinstance(op, ops.SetAttr) and reader.identifies(node.to(op.value)):
            yield table.name, op.name


def _compared_with_caller(project: Project, code: Code, reader: Values) -> Iterator[tuple[str, str]]:
    """``row.owner_id != user.id``, and the condition of a query."""
    for node in code.nodes(ops.Compare):
        op = node.op
        assert isinstance(op, ops.Compare)
        for column, other in ((op.left, op.right), (op.right, op.left)):
            held = node.to(column).origin
            if op.operator in ("==", "!=") and isinstance(held.op, ops.Attr) and reader.identifies(node.to(other)):
                table = touched_table(project, held.to(held.op.base))
                if table is not None and not reader.identifies(held):
                    yield table.name, held.op.name


def filled_table(project: Project, call: Node) -> Table | None:
    """The table whose columns a call's keywords are: a constructor, a query, a serializer's ``save``."""
    func = call.func
    for _ in project.denoted_classes(func) if func is not None else ():
        made = touched_table(project, call)
        if made is not None:
            return made
    receiver = call.receiver
    form = form_table(project, receiver) if call.method == "save" and receiver is not None else None
    return form or (fetched_table(project, call) if any(map(call.is_call_of, _STORES)) else None)


def caller_bodies(project: Project) -> tuple[tuple[Code, Context], ...]:
    """The bodies of routes, and of functions that they hand the caller to, each with what is known of its caller."""
    found: dict[tuple[Code, Context], None] = {}
    todo = list(_entries(project))
    while todo:
        code, context = todo.pop()
        if (code, context) not in found:
            found[code, context] = None
            todo += _handed_the_caller(project, Values(project, code, context))
    return tuple(found)


def _entries(project: Project) -> Iterator[tuple[Code, Context]]:
    seen: set[Code] = set()
    for route in project.once(routes):
        own = [route.handler] if route.handler.function.kind == "function" else []
        parts = list(route.view.methods.values()) if route.view is not None else []
        for code in (*own, *parts):
            if code not in seen:
                seen.add(code)
                yield (
                    code,
                    Context(context_of(project, route).identity, frozenset()) if code is route.handler else NOBODY,
                )


def _handed_the_caller(project: Project, reader: Values) -> Iterator[tuple[Code, Context]]:
    """The functions that a body gives the caller to, and the methods of objects that hold the caller."""
    for call in reader.code.nodes(ops.Call):
        known = [value for value in call.args() if reader.identifies(value)]
        holds = call.receiver is not None and reader.identifies(call.receiver)
        for callee in project.callees(call) if known or holds else ():
            indexes = range(len(callee.function.params))
            given = ((index, project.argument(call, callee, index)) for index in indexes)
            callers = frozenset(index for index, value in given if value in known)
            if callers or (holds and callee.cls is not None):
                yield callee, Context(callers, frozenset())


def _own_owner(project: Project, table: Table) -> Column | None:
    for column in table.columns:
        if OWNER_NAME.holds(column.name) and _refers_to_person(project, column):
            return column
    for relation in table.relations:
        own = schema(project).of_model(relation.target)
        named = not relation.many and relation.column and OWNER_NAME.holds(relation.name)
        if named and own is not None and is_user_table(own):
            return table.column(relation.column)
    return None


def _refers_to_person(project: Project, column: Column) -> bool:
    """Whether a column leads to a table of people, or at least to none that is of things."""
    users = project.once(_user_tables)
    target = (column.references.rpartition(".")[0] or column.references).lower()
    refers = column.name.endswith("id") or bool(column.references)
    return target in users or (refers and not _is_thing(project, target))


def _is_thing(project: Project, name: str) -> bool:
    """Whether a table that is referred to holds no people: the owner of a data source may be a service."""
    return bool(name) and schema(project).table(name) is not None and not names_people(name)


def _leads_to(column: Column, table: Table) -> bool:
    return (column.references.rpartition(".")[0] or column.references).lower() == table.name.lower()


def _written_together(project: Project) -> frozenset[tuple[str, str]]:
    """Pairs of tables that one function fills."""
    found: set[tuple[str, str]] = set()
    writers = {call.code for name in ("execute", "add", "create", "insert", "save") for call in project.calls_of(name)}
    for code in sorted(writers, key=lambda code: (code.path, code.index)):
        names = {change.table.name for change in own_changes(project, code) if change.table is not None}
        found |= set(permutations(names, 2))
    return frozenset(found)


def _user_tables(project: Project) -> frozenset[str]:
    return frozenset(name for name, table in schema(project).tables.items() if is_user_table(table))
