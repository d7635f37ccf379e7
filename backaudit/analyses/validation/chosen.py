"""Columns that a client sets by name, one at a time: of rows, by statements, in documents."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.analyses.validation.privileged import OWNER, gives_power, is_owner, is_power, only_privileged
from backaudit.backend.access.tables import touched_table
from backaudit.backend.data.documents.calls import collection_calls, document
from backaudit.backend.data.documents.tables import document_table
from backaudit.backend.data.schema import Table, schema
from backaudit.backend.web.routes import by_handler
from backaudit.backend.web.signature import limits_of
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.approvals import guarded
from backaudit.flow.client import ClientValue
from backaudit.flow.parameters import bound, sql_parameters
from backaudit.flow.rows import assigned, models
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Origin, Trace
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import annotation_of
from backaudit.project.locate import class_field
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume
from backaudit.vocabulary.meaning import meaning

_ORDINARY = meaning("people", "ordinary-role")
_OF_ADMINS = meaning("access", "of-administrators")
_HEADER = meaning("texts", "sent-in-header")
_TRUTHS = frozenset({"builtins.bool", "builtins.int", "distutils.util.strtobool"})
# Where the new values stand: in a document, in an update of some.
_WHOLE: tuple[Access, ...] = ((),)
_SETTING: tuple[Access, ...] = (("$set",), ("$setOnInsert",))


class ColumnSet(msgspec.Struct, frozen=True):
    """``at`` sets a column to the ``access`` part of a value; ``row``: what has the column, as the reader is told."""

    at: Node
    value: Node
    column: str
    table: Table | None
    row: str
    access: Access = ()


def chosen_columns(project: Project) -> Iterator[Finding]:
    """``User(role=data["role"])``, ``users.insert_one({"role": …})``, ``task.user = User.objects.get(name=…)``."""
    for each in (*_of_rows(project), *_of_statements(project), *_of_documents(project)):
        if project.role(each.at.code.path) == "production" and _matters(each):
            yield from _judged(project, each)


def _matters(each: ColumnSet) -> bool:
    by_attribute = isinstance(each.at.op, ops.SetAttr)
    return gives_power(each.table, each.column) or (by_attribute and is_owner(each.table, each.column))


def _judged(project: Project, each: ColumnSet) -> Iterator[Finding]:
    goal = _Chosen(project, is_owner(each.table, each.column))
    origin = next(Trace(project, goal).origins(each.value, each.access, each.at.value), None)
    if origin is None or _is_harmless(project, origin.node, each.column):
        return
    if any(_is_privileged(project, code) for code in (origin.node.code, each.at.code)):
        return
    power = is_power(each.column)
    yield Finding(
        place=each.at.place.first_line(),
        message=f"The client chooses `{each.column}` of {each.row}: "
        + ("what its user may do." if power else "whose it is."),
        remedy="Set it on the server: from the authenticated user, or in an endpoint for administrators alone.",
        assumed=_by_proxy(origin) if power else OWNER,
        trace=(*origin.steps, Step(each.at.place, f"becomes `{each.column}`")),
    )


def _by_proxy(origin: Origin) -> Assumed:
    return assume("purpose", "no proxy of one's own sets the header") if _HEADER.holds(origin.what) else KNOWN


def _is_harmless(project: Project, schema: Node, name: str) -> bool:
    """Whether a schema lets in nothing but the ranks of those whom the service is for."""
    for cls in project.instances(schema):
        field = class_field(project, cls, name)
        annotation = annotation_of(field) if field is not None else None
        if annotation is not None:
            choices = limits_of(project, {}, project.annotated(annotation), annotation).choices
            return bool(choices) and all(_ORDINARY.holds(choice) for choice in choices)
    return False


def _is_privileged(project: Project, code: Code) -> bool:
    found = project.once(by_handler).get(code, ())
    return any(only_privileged(project, route) for route in found) or _OF_ADMINS.holds(code.function.name.lower())


class _Chosen(ClientValue):
    """A value that a client chose, unless it is checked against a set of known ones."""

    def __init__(self, project: Project, through: bool) -> None:
        super().__init__(project)
        self._through = through

    def ends(self, search: Search, node: Node, access: Access, use: Value) -> bool:
        # What is computed (a balance and an amount) is the server's own doing.
        return isinstance(node.op, (ops.Const, ops.Compare, ops.Bin)) or guarded(node, use, frozenset())

    def through(self, search: Search, call: Node) -> list[Node]:
        """A user who is looked up by what the client says is the client's choice, too; so is what is made a truth."""
        if call.func is not None and not _TRUTHS.isdisjoint(call.code.project.names(call.func)):
            return call.args()
        lookup = self._through and call.method in ("get", "filter", "filter_by", "get_or_404", "get_object_or_404")
        receiver = call.receiver.spelled if call.receiver is not None else "".join(a.spelled for a in call.args()[:1])
        return call.args() if lookup and "user" in receiver.lower() else []


# -- what sets columns -------------------------------------------------------------------------------------------------


def _of_rows(project: Project) -> Iterator[ColumnSet]:
    """What rows are made with, and given later."""
    for cls in project.once(models):
        table, row = project.once(schema).of_model(cls.name), f"a `{cls.cls.name}`"
        for call in project.constructions(cls):
            yield from (ColumnSet(call, value, name, table, row) for name, value in call.keywords().items())
        names = {name for name in cls.fields if is_power(name) or name in ("user", "owner", "author")}
        for name in sorted({*names, *(f"{n}_id" for n in names)}):
            for write in assigned(project, cls, name):
                yield ColumnSet(write.at, write.value, name, table, row)


def _of_statements(project: Project) -> Iterator[ColumnSet]:
    """What SQL and statements of libraries insert or update."""
    for call, parameter in sql_parameters(project):
        if parameter.use == "stored" and is_power(parameter.column):
            table = project.once(schema).table(parameter.table)
            row = f"a row of `{parameter.table}`"
            given = bound(call, parameter)
            yield from (ColumnSet(call, value, parameter.column, table, row, access) for value, access in given)
    for method in sorted(project.models.kinds["sets-columns"]):
        for call in project.calls_of(method):
            yield from _by_name(project, call)


def _by_name(project: Project, call: Node) -> Iterator[ColumnSet]:
    """``update(users).values(role=…)``, ``query.update({User.role: …})``, ``User.objects.filter(…).update(role=…)``."""
    mapping = call.arg(0)
    entries = project.resolved(mapping).entries() if mapping is not None else []
    listed = {key.text or key.spelled.rpartition(".")[2]: value for key, value in entries}
    powers = {name: value for name, value in (listed | call.keywords()).items() if is_power(name)}
    receiver = call.receiver if powers and not project.callees(call) else None
    table = touched_table(project, receiver) if receiver is not None else None
    if table is not None:
        row = f"a row of `{table.name}`"
        yield from (ColumnSet(call, value, name, table, row) for name, value in powers.items())


def _of_documents(project: Project) -> Iterator[ColumnSet]:
    """What documents are made with, and what an update sets in them."""
    for kind in ("collection-inserts", "collection-replacements", "collection-updates"):
        place = 0 if kind == "collection-inserts" else 1
        parts = _SETTING if kind == "collection-updates" else _WHOLE
        for name, call in collection_calls(project, kind):
            given = call.argument((place, "document", "replacement", "update"))
            if given is not None and call.receiver is not None:
                table, row = document_table(project, call.receiver), f"a document of `{name}`"
                named = ((access, column) for access in parts for column in _powers(project, given, access))
                yield from (ColumnSet(call, given, column, table, row, (*access, column)) for access, column in named)


def _powers(project: Project, given: Node, access: Access) -> list[str]:
    """The columns of power among the fields of a part of what a call is given."""
    made = project.resolved(given)
    parts = [value for key, value in made.entries() if (key.text,) == access] if access else [made]
    fields = (field.name for part in parts for field in document(project, part))
    return sorted({name for name in fields if is_power(name)})
