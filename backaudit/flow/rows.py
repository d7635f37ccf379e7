"""Rows and documents: which classes they are of, and what the project writes into their columns."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.data.schema import schema
from backaudit.backend.data.updates import Update, open_updates
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import texts
from backaudit.project.nodes import Access
from backaudit.project.types import split
from backaudit.vocabulary.meaning import meaning

_SERVING = ("production", "script")
_NO_TEXT = meaning("columns", "no-text-type")
_MANY = 60


class Write(msgspec.Struct, frozen=True):
    """``value`` (its part ``access``) is written into a column by the operation ``at``."""

    at: Node
    value: Node
    access: Access = ()


def models(project: Project) -> tuple[ClassView, ...]:
    """The project's classes whose instances are rows or documents. Ask with ``project.once``."""
    tables = project.once(schema).tables.values()
    named = [project.class_named(table.model) for table in tables if table.model]
    bases = project.models.kinds.get("document-bases", frozenset())
    documents = project.subclasses(*sorted(bases)) if bases else ()
    return tuple(dict.fromkeys([cls for cls in named if cls is not None] + list(documents)))


def is_model(project: Project, name: str) -> bool:
    """Whether a type name is of a row or document."""
    known = project.once(_model_names)
    return not known.isdisjoint(project.lineage(split(name)[0]))


def _model_names(project: Project) -> frozenset[str]:
    named: frozenset[str] = project.models.kinds.get("row-classes", frozenset())
    return named | {cls.name for cls in project.once(models)}


def text_column(project: Project, cls: ClassView, name: str) -> bool:
    """Whether a column of a model may hold any text."""
    table = project.once(schema).of_model(cls.name)
    column = table.column(name) if table is not None else None
    return column is not None and not _NO_TEXT.holds(column.type.lower())


def writes(project: Project, cls: ClassView, column: str) -> tuple[Write, ...]:
    """Where code that serves writes a column of a model."""
    return project.once_of(_writes, cls, column)


def _writes(project: Project, cls: ClassView, column: str) -> tuple[Write, ...]:
    found = [w for w in _find_writes(project, cls, column) if project.role(w.at.code.path) in _SERVING]
    return tuple(project.bounded(tuple(dict.fromkeys(found)), _MANY, cls.place, f"writes of `{column}`"))


def _find_writes(project: Project, cls: ClassView, column: str) -> Iterator[Write]:
    for call in project.constructions(cls):
        yield from _given(call, column)
    yield from assigned(project, cls, column)
    for update in project.once(_unnamed).get(cls.name, ()):
        given = update.given(column)
        if given is not None and not isinstance(update.at.op, ops.SetAttr):
            yield Write(update.at, *given)
    for call in project.once(_writers).get(cls.name, ()):
        yield from _given(call, column)
    for call, data in project.once(_forms).get(cls.name, {}).get(column, ()):
        yield Write(call, data, (column,))


def assigned(project: Project, cls: ClassView, column: str) -> Iterator[Write]:
    """``row.column = value``, wherever it stands."""
    for code in project.mentioning(column):
        for node in code.nodes(ops.SetAttr):
            op = node.op
            if isinstance(op, ops.SetAttr) and op.name == column and cls in project.instances(node.to(op.base)):
                yield Write(node, node.to(op.value))


def _forms(project: Project) -> dict[str, dict[str, list[tuple[Node, Node]]]]:
    """Forms and serializers that save columns of a model: the calls that give them data, by model and column."""
    kinds = project.models.kinds
    table: dict[str, dict[str, list[tuple[Node, Node]]]] = {}
    for holder in project.subclasses(*sorted(kinds["forms"] | kinds["schemas"])):
        meta = holder.inner.get("Meta")
        if meta is None or "model" not in meta.fields:
            continue
        calls = list(_filled(project, holder))
        for cls in project.denoted_classes(meta.fields["model"].origin):
            for column in _columns(project, meta, cls):
                table.setdefault(cls.name, {}).setdefault(column, []).extend(calls)
    return table


def _filled(project: Project, holder: ClassView) -> Iterator[tuple[Node, Node]]:
    for call in project.calls_of(holder.cls.name):
        if call.func is not None and f"type[{holder.name}]" in project.types(call.func):
            form = not project.models.kinds["forms"].isdisjoint(project.lineage(holder.name))
            data = call.arg(0 if form else None, "data")
            if data is not None:
                yield call, data


def _columns(project: Project, meta: ClassView, cls: ClassView) -> list[str]:
    listed = texts(project, meta.fields.get("fields"))
    if listed and listed != ("__all__",):
        return list(listed)
    excluded = set(texts(project, meta.fields.get("exclude")))
    table = project.once(schema).of_model(cls.name)
    names = [column.attribute or column.name for column in table.columns] if table is not None else []
    return [name for name in names if name not in excluded]


def _unnamed(project: Project) -> dict[str, list[Update]]:
    """Updates of rows where the names of the columns come with the values, by the model's name."""
    table: dict[str, list[Update]] = {}
    for update in open_updates(project):
        for cls in project.instances(update.row):
            if is_model(project, cls.name):
                table.setdefault(cls.name, []).append(update)
    return table


def _writers(project: Project) -> dict[str, list[Node]]:
    """Calls that write rows by keyword (``objects.create``, ``query.update``), by the model's name."""
    table: dict[str, list[Node]] = {}
    for call in project.calls(*sorted(project.models.kinds.get("row-writers", ()))):
        receiver = call.receiver
        for name in project.types(receiver) if receiver is not None else ():
            head, over = split(name)
            owner = project.class_named(over) or project.class_named(head)
            if owner is not None:
                table.setdefault(owner.name, []).append(call)
    return table


def _given(call: Node, column: str) -> Iterator[Write]:
    """The value of a column among a call's keywords, in what is spread over them, or in a mapping it is given."""
    op = call.call
    if op is None:
        return
    keywords = call.keywords()
    if column in keywords:
        yield Write(call, keywords[column])
        return
    yield from (Write(call, call.origin.to(value), (column,)) for value in op.dstar)
    named = (keywords[name] for name in keywords if name in ("defaults", "values"))
    for argument in (*map(call.origin.to, op.args), *named):
        if _has_literal_key(argument.origin, column):
            yield Write(call, argument.origin, (column,))


def _has_literal_key(made: Node, key: str) -> bool:
    """Whether a display of a dictionary has an entry under a key."""
    return any(name.const == key for name, _ in made.entries())
