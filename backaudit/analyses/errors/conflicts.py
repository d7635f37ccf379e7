"""Writes that a constraint of the table can refuse, and nobody expects it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.analyses.errors.requests import Wish, showing, wrong
from backaudit.backend.access.missing import alike, asked, chain, none_giving
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.data.updates import Update, updates
from backaudit.backend.web.catching import catches, ending, escapes, suppressed
from backaudit.facts import ops
from backaudit.facts.requests import Request
from backaudit.flow.client import ClientValue
from backaudit.flow.trace import Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.code import Access
from backaudit.project.strings import spelled_strings
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume

_INTEGRITY = ("sqlalchemy.exc.IntegrityError",)
_COMMITS = frozenset(("commit", "flush"))
_CREATES = frozenset(("create", "acreate"))
_INSERT = re.compile(r"^\s*insert\s+into\s+[\"`\[]?([\w.]+)[\"`\]]?\s*\(([^)]*)\)(.*)$", re.IGNORECASE | re.DOTALL)
_TOLERANT = re.compile(r"on\s+conflict|on\s+duplicate|where\s+not\s+exists", re.IGNORECASE)


class _Write(msgspec.Struct, frozen=True):
    """A client's value on its way into a constrained column; ``made`` gives it to the row, ``node`` stores the row.

    ``access``: the part of ``value`` that is meant. ``fresh``: the row is a new one.
    """

    table: Table
    column: str
    unique: bool
    value: Node
    made: Node
    node: Node
    origin: Origin
    access: Access = ()
    fresh: bool = True

    @property
    def asked_by(self) -> set[str]:
        """The columns by which one asks whether the value is taken, lower case."""
        names = [name.strip().lower() for name in self.column.split(",")]
        return {*names, *(name.removesuffix("_id") for name in names), "id", "pk"}


def findings(project: Project) -> Iterator[Finding]:
    """Each write that a constraint can refuse, neither asked for before nor caught."""
    told: set[Node] = set()
    for write in (*_rows(project), *_changes(project), *_statements(project), *_combinations(project)):
        if write.node in told or _asked_before(project, write):
            continue
        path = escapes(project, write.node, _INTEGRITY)
        if path is None or any(_asked_by_caller(project, call, write) for call in path):
            continue
        told.add(write.node)
        enforced = (
            KNOWN if write.unique else assume("guard", "the database enforces the foreign key, and no form has asked")
        )
        end = ending(project, write.node, path, "a 500")
        yield msgspec.structs.replace(_finding(write, enforced, end), request=_request(project, write, path))


def _request(project: Project, write: _Write, path: tuple[Node, ...]) -> Request | None:
    """A new row twice, a row with what another has, or a reference to none."""
    if write.unique and write.fresh:
        wishes: tuple[Wish, ...] = (Wish("twice", "other", write.column),)
    else:
        wishes = wrong(project, "taken" if write.unique else "unknown", write.value, write.access)
    return showing(project, write.node, path, wishes, raises=_INTEGRITY[0], wanted=(409,) if write.unique else (404,))


def _finding(write: _Write, assumed: Assumed, end: str) -> Finding:
    what = "is unique" if write.unique else "refers to a row"
    return Finding(
        place=write.node.place.first_line(),
        message=f"`{write.table.name}.{write.column}` {what}, the client chooses it, no one catches the error: {end}.",
        assumed=assumed,
        trace=(
            *write.origin.steps,
            Step(write.node.place.first_line(), "is stored, or refused"),
        ),
    )


def constrained(table: Table) -> Iterator[tuple[str, str, bool]]:
    """(attribute, column, unique) of the columns whose value alone can break a constraint."""
    indexes = (index for index in table.indexes if index.unique and len(index.keys) == 1 and not index.where)
    alone = {index.keys[0].text.lower() for index in indexes}
    for column in table.columns:
        made_by_itself = column.primary_key and (not column.unique or column.default)
        unique = column.unique or column.name.lower() in alone
        if not made_by_itself and (unique or column.references):
            yield column.attribute or column.name, column.name, unique


# -- rows of models ------------------------------------------------------------------------------------------------


def _rows(project: Project) -> Iterator[_Write]:
    for table in schema(project).tables.values():
        columns = list(constrained(table)) if table.model else []
        if not columns:
            continue
        for made in constructions(project, table):
            stored = _stored(project, made, made)
            for attribute, column, unique in columns if stored is not None else ():
                value, origin = _given(project, made, attribute, loose=unique)
                if stored is not None and value is not None and origin is not None:
                    access = () if made.arg(None, attribute) is not None else (attribute,)
                    yield _Write(table, column, unique, value, made, stored, origin, access)


def constructions(project: Project, table: Table) -> Iterator[Node]:
    """Calls that make a row of a table: of the class itself, or of its manager's ``create``."""
    model = table.model
    for call in project.calls_of(model.rpartition(".")[2]):
        func = call.func
        if call.code.file.role == "production" and func is not None and model in project.names(func):
            yield call
    for name in sorted(_CREATES):
        for call in project.calls_of(name):
            receiver = call.receiver
            types = project.types(receiver) if receiver is not None else ()
            made = any(split(t)[1] == model and split(t)[0] != "list" for t in types)
            if made and call.code.file.role == "production":
                yield call


def _given(project: Project, made: Node, attribute: str, *, loose: bool) -> tuple[Node | None, Origin | None]:
    """The value that a row gets for a column, and where it comes from if a client chose it.

    ``loose``: keys of an untyped mapping that is spread out count too.
    """
    call = made.call
    assert call is not None
    value = made.arg(None, attribute)
    if value is not None:
        return value, _client(project, value, ())
    for spread in call.dstar:
        node = made.to(spread)
        origin = _client(project, node, (attribute,))
        if origin is not None and (loose or isinstance(origin.node.op, ops.Param)):
            return node, origin
    return None, None


def _client(project: Project, node: Node, access: Access) -> Origin | None:
    return next(Trace(project, ClientValue(project)).origins(node, access), None)


def _stored(project: Project, made: Node, row: Node) -> Node | None:
    """The operation in the same body that stores a row: its own call, a save, a commit, a helper that commits."""
    if made.method in _CREATES and made == row:
        return made
    for value in range(made.value + 1, len(made.code.ops)):
        node = made.code.node(value)
        if not isinstance(node.op, ops.Call):
            continue
        receiver = node.receiver
        own = receiver is not None and receiver.origin == row.origin
        if node.method in _COMMITS or (own and node.method in ("save", "asave")) or _commits(project, node, row):
            return node
    return None


def _commits(project: Project, call: Node, row: Node) -> bool:
    """Whether a call runs a function of the project that stores the row, and lets its error out."""
    concerned = [*call.args(), *([call.receiver] if call.receiver is not None else [])]
    if all(part.origin != row.origin for part in concerned):
        return False
    for code in project.callees(call):
        for inner in code.nodes(ops.Call):
            if inner.method in _COMMITS:
                return catches(project, inner, _INTEGRITY) is None and not suppressed(project, inner, _INTEGRITY)
    return False


def _changes(project: Project) -> Iterator[_Write]:
    """Rows whose attributes are set: one by one, or by a method of the model that takes a mapping."""
    bodies = dict.fromkeys(code for name in ("commit", "flush", "save", "asave") for code in project.calling(name))
    for code in bodies:
        if code.file.role != "production":
            continue
        for update in updates(project, code):
            found = (schema(project).of_model(name) for name in project.types(update.row))
            table = next((table for table in found if table is not None), None)
            if table is not None:
                yield from _changed(project, update, table)


def _changed(project: Project, update: Update, table: Table) -> Iterator[_Write]:
    for attribute, column, unique in constrained(table):
        given = update.given(attribute) if unique else None
        origin = _client(project, *given) if given is not None else None
        stored = _stored(project, update.at, update.row) if origin is not None else None
        if given is not None and origin is not None and stored is not None:
            yield _Write(table, column, True, given[0], update.at, stored, origin, given[1], fresh=False)


# -- several columns together --------------------------------------------------------------------------------------


def _combinations(project: Project) -> Iterator[_Write]:
    """Rows whose columns together are unique, where a client chooses one of them."""
    for table in schema(project).tables.values():
        together = list(_together(table)) if table.model else []
        for made in constructions(project, table) if together else ():
            stored = _stored(project, made, made)
            for names in together if stored is not None else ():
                write = _combination(project, table, names, made, stored) if stored is not None else None
                yield from [write] if write is not None else []


def _together(table: Table) -> Iterator[tuple[str, ...]]:
    """The columns of the keys and unique constraints that have several."""
    for index in table.indexes:
        if index.unique and len(index.keys) > 1 and not index.where and not any(key.expression for key in index.keys):
            yield tuple(key.text for key in index.keys)


def _combination(project: Project, table: Table, names: tuple[str, ...], made: Node, stored: Node) -> _Write | None:
    values = [_value_of(table, made, name) for name in names]
    known = [value for value in values if value is not None]
    if len(known) < len(names):
        return None
    fresh = any(_is_fresh(value) for value in known)
    for value in known:
        origin = _client(project, value, ())
        if origin is not None and (not fresh or _may_repeat(value)):
            return _Write(table, ", ".join(names), True, value, made, stored, origin)
    return None


def _value_of(table: Table, made: Node, name: str) -> Node | None:
    column = table.column(name)
    attributes = [name, *([column.attribute] if column is not None and column.attribute else [])]
    given = (made.arg(None, attribute) for attribute in (*attributes, name.removesuffix("_id")))
    return next((value for value in given if value is not None), None)


def _is_fresh(value: Node) -> bool:
    """Whether a value belongs to a row that the same body has made: nothing refers to it yet."""
    op = value.origin.op
    owner = value.origin.to(op.base).origin if isinstance(op, ops.Attr) else value.origin
    return owner.call is not None and owner.method[:1].isupper()


def _may_repeat(value: Node) -> bool:
    """Whether a value is of an element of a list, which may hold the same twice."""
    node = value.origin
    while isinstance(node.op, (ops.Attr, ops.Item)):
        node = node.to(node.op.base).origin
    return isinstance(node.op, ops.Element) and node.to(node.op.base).method not in ("items", "keys", "set", "values")


# -- statements ----------------------------------------------------------------------------------------------------


def _statements(project: Project) -> Iterator[_Write]:
    tables = schema(project)
    for name in ("execute", "fetchrow", "fetchval"):
        for call in project.calls_of(name):
            first = call.arg(0)
            if first is None or call.code.file.role != "production":
                continue
            for text in spelled_strings(project, first)[:1]:
                found = _INSERT.match(text)
                table = tables.table(found.group(1).rpartition(".")[2]) if found else None
                if found is not None and table is not None and not _TOLERANT.search(found.group(3)):
                    yield from _inserted(
                        project, call, table, [c.strip(' "`[]\n\t') for c in found.group(2).split(",")]
                    )


def _inserted(project: Project, call: Node, table: Table, names: list[str]) -> Iterator[_Write]:
    for attribute, column, unique in constrained(table):
        value = _bound(call, names, column)
        origin = _client(project, value, ()) if value is not None else None
        if value is not None and origin is not None:
            yield _Write(table, attribute or column, unique, value, call, call, origin)


def _bound(call: Node, names: list[str], column: str) -> Node | None:
    """The value bound to a column of an INSERT: by name, or by the order of the columns."""
    lowered = [name.lower() for name in names]
    if column.lower() not in lowered or len(call.args()) < 2:
        return None
    index = lowered.index(column.lower())
    values = call.args()[1].origin
    made = values.op
    if not isinstance(made, ops.Build):
        return None
    if made.kind == "dict":
        pairs = zip(made.keys, made.items, strict=True)
        return next((values.to(item) for key, item in pairs if key >= 0 and values.to(key).text == column), None)
    return values.to(made.items[index]) if index < len(made.items) else None


# -- checks beforehand ---------------------------------------------------------------------------------------------


def _asked_before(project: Project, write: _Write) -> bool:
    """Whether the body has looked the value up before; a unique column alone, since all of its rows count."""
    return _asked_of(project, write.node.code, write.node.value, [write.value], write)


def _asked_by_caller(project: Project, call: Node, write: _Write) -> bool:
    return _asked_of(project, call.code, call.value, call.args(), write)


def _asked_of(project: Project, code: Code, before: int, values: list[Node], write: _Write) -> bool:
    found = project.once(none_giving)
    for value in code.before(before, ops.Call):
        node = code.node(value)
        if not isinstance(node.op, ops.Call) or (node not in found and not node.is_call_of("existence-questions")):
            continue
        if node in found and not asked(code, value, before):
            continue
        lookup = found.get(node, node)
        columns = {*_columns(node), *_columns(lookup)}
        about = columns <= write.asked_by if write.unique else True
        if about and _concerns(code, node, values):
            return True
    return False


def _concerns(code: Code, lookup: Node, values: list[Node]) -> bool:
    """Whether a look-up asks for one of the values, or for a part of the same thing."""
    given = [part for link in chain(lookup) for argument in link.args() for part in _inside(argument)]
    wanted = [part for value in values for part in _inside(value)]
    return any(alike(code, one.value, two.value) or _same_root(one, two) for one in given for two in wanted)


def _same_root(one: Node, two: Node) -> bool:
    """``body.email`` or ``body["email"]`` against ``body`` spread out."""
    op = one.origin.op
    return isinstance(op, (ops.Attr, ops.Item)) and alike(one.code, op.base, two.value)


def _inside(node: Node) -> Iterator[Node]:
    op = node.origin.op
    if isinstance(op, ops.Compare):
        yield node.to(op.right)
    elif isinstance(op, ops.Call) and node.method in (
        "dict",
        "model_dump",
        "lower",
        "strip",
        "vars",
        "jsonable_encoder",
    ):
        yield node.receiver or node.arg(0) or node
    else:
        yield node


def _columns(call: Node) -> Iterator[str]:
    """The columns by which a look-up asks."""
    for link in chain(call):
        if link.method in ("filter", "filter_by", "where", "get", "aget", "exclude", "get_or_404", "get_object_or_404"):
            yield from (name.partition("__")[0].lower() for name in link.keywords())
            for argument in link.args():
                op = argument.origin.op
                left = argument.to(op.left).op if isinstance(op, ops.Compare) else None
                if isinstance(left, ops.Attr):
                    yield left.name.lower()
