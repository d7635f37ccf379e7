"""Rows that are made: by their class, by a manager, as a copy of an object; and where they are stored, in any body."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.conflicts.writes import Constrained, Write, client, constrained, refused_by
from backaudit.backend.access.missing import behind
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.catching import catches, request_handlers, suppressed
from backaudit.backend.web.inputs.mappings import schema_named
from backaudit.facts import ops
from backaudit.flow.trace import Origin
from backaudit.project import Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.nodes import Access
from backaudit.project.types import split

COMMITS = frozenset(("commit", "flush"))
_SAVES = ("save", "asave")


class NewRow(msgspec.Struct, frozen=True):
    """A row that ``made`` makes. ``whole``: the object whose fields all of its columns are taken from."""

    table: Table
    made: Node
    whole: Node | None = None

    def given(self, project: Project, column: Constrained) -> tuple[Node, Origin, Access] | None:
        """The value for a column, where it comes from, and which part of it is meant, if a client chose it.

        Keys of an untyped mapping that is spread out count for unique columns; nobody sends the key of a table so.
        """
        value = _argument(project, self.table, self.made, column.attribute)
        if value is not None:
            origin = client(project, value)
            return (value, origin, ()) if origin is not None else None
        call = self.made.call
        spread = [self.made.to(one) for one in call.dstar] if call is not None else []
        for node in (*spread, *([self.whole] if self.whole is not None else [])):
            origin = client(project, node, (column.attribute,))
            if origin is not None and (_is_schema(origin, column) or (column.unique and not column.key)):
                return node, origin, (column.attribute,)
        return None

    def named(self, project: Project, attribute: str) -> tuple[Node, Access] | None:
        """What a column is given, by itself or as a part of what is spread out."""
        value = _argument(project, self.table, self.made, attribute)
        if value is not None:
            return value, ()
        call = self.made.call
        spread = [self.made.to(one) for one in call.dstar] if call is not None else []
        wholes = [*spread, *([self.whole] if self.whole is not None else [])]
        return (wholes[0], (attribute,)) if len(wholes) == 1 else None


def _is_schema(origin: Origin, column: Constrained) -> bool:
    """Whether the fields of a parameter are known; what a serializer hands to its own step never has the row's key."""
    op, code = origin.node.op, origin.node.code
    return isinstance(op, ops.Param) and not (column.key and code.cls is not None)


def _argument(project: Project, table: Table, made: Node, attribute: str) -> Node | None:
    """What a call gives for a column: by its name, by the place that a library's method has for it, or by the parameter
    that the model's own constructor sets it to.
    """
    names = project.models.words["row-makers"].get(made.method, "").split()
    index = names.index(attribute) if attribute in names and not project.callees(made) else None
    given = made.arg(index, attribute)
    return given if given is not None else _by_constructor(project, table, made, attribute)


def _by_constructor(project: Project, table: Table, made: Node, attribute: str) -> Node | None:
    code = project.method(table.model, "__init__")
    if code is None or code not in project.callees(made):
        return None
    for node in code.nodes(ops.SetAttr):
        op = node.op
        value = node.to(op.value).origin.op if isinstance(op, ops.SetAttr) and op.name == attribute else None
        if isinstance(value, ops.Param):
            return project.argument(made, code, value.index)
    return None


def new_rows(project: Project, table: Table) -> Iterator[NewRow]:
    """The rows that production code makes of a table."""
    for call in constructions(project, table):
        yield NewRow(table, call)
    for name in sorted(project.models.kinds["row-copiers"]):
        for call in project.calls_of(name):
            first = call.arg(0) if _serves(call) else None
            if first is not None and call.receiver is not None and _denotes(project, call.receiver, table):
                yield NewRow(table, call, first)
    for call in project.calls_of("add"):
        row = call.arg(0)
        sent = row is not None and isinstance(row.origin.op, ops.Param) and call.code in project.once(request_handlers)
        if row is not None and sent and table.model in project.types(row):
            yield NewRow(table, row.origin, row.origin)


def constructions(project: Project, table: Table) -> tuple[Node, ...]:
    """Calls that make a row of a table: of the class itself, or of its manager's methods that store it at once."""
    cls = project.class_named(table.model)
    made = project.constructions(cls) if cls is not None else ()
    named = _of_name(project, table) if cls is None else ()
    others = (*project.once(_by_other_names).get(table.model, ()), *project.once(_managed).get(table.model, ()))
    return tuple(dict.fromkeys(call for call in (*made, *named, *others) if _serves(call)))


def _of_name(project: Project, table: Table) -> Iterator[Node]:
    """Constructions of a class that a library brings."""
    for call in project.calls_of(table.model.rpartition(".")[2]):
        if call.func is not None and table.model in project.names(call.func):
            yield call


def _by_other_names(project: Project) -> dict[str, list[Node]]:
    """Constructions by a name that holds what a library's function gives for a class, by the class."""
    found: dict[str, list[Node]] = {}
    for giver in project.calls(*sorted(project.models.kinds["gives-user-class"])):
        binds = [node.op for node in giver.code.nodes(ops.Bind) if isinstance(node.op, ops.Bind)]
        names = [bind.name for bind in binds if giver.code.origin(bind.value) == giver.value]
        local = [call for call in giver.code.nodes(ops.Call) if call.func is not None and call.func.origin == giver]
        for call in (*local, *(call for name in sorted(set(names)) for call in project.calls_of(name))):
            for name in project.types(call.func) if call.func is not None else ():
                table = project.once(schema).of_model(split(name)[1]) if name.startswith("type[") else None
                found.setdefault(table.model if table is not None else "", []).append(call)
    return found


def _managed(project: Project) -> dict[str, list[Node]]:
    """Calls of ``create`` and its like that no function of the project answers, by the model whose row they store."""
    found: dict[str, list[Node]] = {}
    for name in sorted(project.models.kinds["stores-a-row"]):
        for call in project.calls_of(name):
            table = _stored_by(project, call)
            if table is not None and not project.callees(call):
                found.setdefault(table.model, []).append(call)
    return found


def _stored_by(project: Project, call: Node) -> Table | None:
    """The table of the manager, of the class itself, or of the class that a store of rows is given first."""
    receiver, first = call.receiver, call.arg(0)
    for name in project.types(receiver) if receiver is not None else ():
        head, over = split(name)
        found = project.once(schema).of_model(over) if head != "list" else None
        if found is not None:
            return found
    classes = project.denoted_classes(first) if first is not None else ()
    tables = (project.once(schema).of_model(cls.name) for cls in classes)
    return next((table for table in tables if table is not None), None)


def _denotes(project: Project, node: Node, table: Table) -> bool:
    return any(cls.name == table.model for cls in project.denoted_classes(node))


def _serves(call: Node) -> bool:
    return call.code.file.role == "production"


# -- where they are stored -----------------------------------------------------------------------------------------


class Stored(msgspec.Struct, frozen=True):
    """``node`` stores a row, which its body knows as ``row``."""

    node: Node
    row: Node


def stored(project: Project, made: Node, row: Node) -> Stored | None:
    """Where a row is stored: by its own call, in its body, or where a function that only makes it gives it back."""
    if made.method in project.models.kinds["stores-a-row"] and made == row:
        return Stored(made, row)
    return _stored_in(project, row) or _stored_by_callers(project, made)


@cut_circles()
def _stored_in(project: Project, row: Node) -> Stored | None:
    """The call after ``row`` that stores it: a commit, its own save, a function that it is handed to."""
    for value in range(row.value + 1, len(row.code.ops)):
        node = row.code.node(value)
        if not isinstance(node.op, ops.Call):
            continue
        receiver = node.receiver
        own = receiver is not None and receiver.origin == row.origin
        if node.method in COMMITS or (own and node.method in _SAVES) or _is_flushed(project, node, row):
            return Stored(node, row)
        handed = _stored_by_callee(project, node, row)
        if handed is not None:
            return handed
    return None


def _is_flushed(project: Project, call: Node, row: Node) -> bool:
    """``with session.begin_nested(): session.add(row)``: it is stored at the block's end, within what is around it."""
    if not any(given.origin == row.origin for given in call.args()) or call.method not in ("add", "add_all", "merge"):
        return False
    around = (region for region in call.code.regions_of(call.value) if region.kind == "with")
    entered = (call.code.node(region.test) for region in around if region.test != ops.NONE)
    return any(manager.method in project.models.kinds["flushing-blocks"] for manager in entered)


def _stored_by_callee(project: Project, call: Node, row: Node) -> Stored | None:
    """Where a function stores the row that it is given, and lets the error out: at its call, as all that it is given
    comes by there; in the function itself, where that is for rows of this class alone.
    """
    concerned = [*call.args(), *([call.receiver] if call.receiver is not None else [])]
    if all(part.origin != row.origin for part in concerned):
        return None
    for code in project.callees(call):
        param = _parameter(project, call, code, row)
        inner = _commit_in(project, code) or (_stored_in(project, param) if param is not None else None)
        if inner is not None:
            own = param is not None and _is_declared_for(project, param, row)
            return inner if own else Stored(call, row)
    return None


def _commit_in(project: Project, code: Code) -> Stored | None:
    for node in code.nodes(ops.Call):
        if node.method in COMMITS:
            refused = refused_by(project)
            caught = catches(project, node, refused) is not None or suppressed(project, node, refused)
            return None if caught else Stored(node, node)
    return None


def _parameter(project: Project, call: Node, code: Code, row: Node) -> Node | None:
    """What the function knows a row as that a call hands to it."""
    receiver = call.receiver
    of_itself = receiver is not None and receiver.origin == row.origin and code.cls is not None
    for node in code.nodes(ops.Param):
        op = node.op
        given = project.argument(call, code, op.index) if isinstance(op, ops.Param) else None
        if given is not None and given.origin == row.origin:
            return node
        if of_itself and isinstance(op, ops.Param) and op.index == 0:
            return node
    return None


def _is_declared_for(project: Project, param: Node, row: Node) -> bool:
    """Whether a parameter is declared to be a row of one class, which is not the method's own."""
    op = param.op
    code = param.code
    if not isinstance(op, ops.Param) or code.function.params[op.index].annotation == ops.NONE:
        return False
    return set(project.types(param)) == set(project.types(row))


@cut_circles()
def _stored_by_callers(project: Project, made: Node) -> Stored | None:
    code = made.code
    if not any(made.value in behind(code, node.value) for node in code.returned()):
        return None
    for call in project.callers(code):
        found = _stored_in(project, call) or _stored_by_callers(project, call)
        if found is not None and _serves(call):
            return found
    return None


def is_judged(project: Project, value: Node) -> bool:
    """Whether a value is a field of a schema's object whose own validator has judged it."""
    op = value.origin.op
    if not isinstance(op, ops.Attr):
        return False
    made = (schema_named(project, split(name)[0]) for name in project.types(value.origin.to(op.base)))
    fields = [one.field(op.name) for one in made if one is not None]
    return bool(fields) and all(field is not None and field.validated for field in fields)


# -- what is written -----------------------------------------------------------------------------------------------


def written_rows(project: Project) -> Iterator[Write]:
    """The columns of new rows that a client chooses."""
    for table in project.once(schema).tables.values():
        columns = list(constrained(table)) if table.model else []
        for row in new_rows(project, table) if columns else ():
            place = stored(project, row.made, row.made)
            for column in columns if place is not None else ():
                given = row.given(project, column)
                if given is not None and place is not None and not is_judged(project, given[0]):
                    value, origin, access = given
                    yield Write(
                        table, column.column, column.unique, value, row.made, place.node, origin, access, row=place.row
                    )
