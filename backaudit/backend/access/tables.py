"""The table behind a query, an object, a form; and whether its rows are people who log in."""

from __future__ import annotations

from backaudit.backend.data.documents import collections
from backaudit.backend.data.documents.tables import document_table
from backaudit.backend.data.queries.chains import guessed_model, model_of, table_of
from backaudit.backend.data.schema import Table, schema
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.locate import class_field
from backaudit.project.types import split
from backaudit.vocabulary.meaning import words
from backaudit.vocabulary.names import is_password_column, names_accounts, names_people, names_somebody, names_users


def is_user_table(table: Table) -> bool:
    """Whether the rows of a table are the people who log in, whatever word for people the table is called by."""
    model = table.model.rpartition(".")[2]
    name = model if names_people(model) else table.name
    if not names_people(name):
        return False
    if any(is_password_column(column.name) for column in table.columns):
        return True
    return names_users(name) and not _only_links(table, name)


def _only_links(table: Table, name: str) -> bool:
    """Whether a table of several words (``group_user``) knows nothing of anybody but the key."""
    return len(words(name)) > 1 and bool(table.columns) and not any(names_somebody(c.name) for c in table.columns)


def holds_users(project: Project, name: str) -> bool:
    """Whether a collection or class of documents holds the people who log in: by its name, or a password in it."""
    return names_accounts(name) or name in project.once(_with_passwords)


def _with_passwords(project: Project) -> frozenset[str]:
    """The collections, and the classes of their documents, that have a password's field."""
    found = [one for one in collections(project) if any(is_password_column(field.name) for field in one.fields)]
    named = {name for one in found for name in (one.name, one.model.rpartition(".")[2])}
    return frozenset(named - {""})


def touched_table(project: Project, node: Node) -> Table | None:
    """The table that a query or an object of a model is of."""
    found = table_of(project, node)
    if found is not None:
        return found
    for name in project.types(node):
        head, over = split(name)
        for candidate in (over, head):
            table = schema(project).of_model(candidate) if candidate else None
            if table is not None:
                return table
    return document_table(project, node)


# Calls that are given the model whose row they fetch.
_FETCHERS = frozenset(
    {
        "get", "get_one", "get_or_404", "first_or_404", "one_or_404", "get_object_or_404", "aget_object_or_404",
        "get_list_or_404", "aget_list_or_404",
    }
)  # fmt: skip


def fetched_table(project: Project, call: Node) -> Table | None:
    """The table that a call looks rows up in: of what it is called on, or of the model that it is given."""
    receiver = call.receiver
    found = touched_table(project, receiver) if receiver is not None else None
    first = call.arg(0)
    if found is None and first is not None and (call.method in _FETCHERS or call.is_call_of("document-finds")):
        found = touched_table(project, first)
    return found or table_of(project, call)


def repository_table(project: Project, call: Node) -> Table | None:
    """The table that the class is for whose method is called: a repository, a service with a ``model``."""
    receiver = call.receiver
    for name in project.types(receiver) if receiver is not None else ():
        head, over = split(name)
        found = model_of(project, over if head == "type" else head)
        if found is not None:
            return found
    return None


def told_table(project: Project, call: Node, callee: Code, table: Table | None) -> Table | None:
    """The table that a function touches, as its call says: of what a class does for several, that of the receiver."""
    own = _receivers_own(project, call, callee) if table is not None else None
    if own is not None and table is not None and _is_of(project, callee, table):
        return own
    guessed = guessed_model(project, callee.cls)
    if table is None or table is guessed:
        return repository_table(project, call) or (None if guessed is not None else table)
    return table


def _receivers_own(project: Project, call: Node, callee: Code) -> Table | None:
    """The table of the model on which a method is called that its base class has for all models."""
    receiver = call.receiver
    for name in project.types(receiver) if receiver is not None else ():
        head, over = split(name)
        table = schema(project).of_model(over if head == "type" else head)
        if table is not None and _is_of(project, callee, table):
            return table
    return None


def _is_of(project: Project, callee: Code, table: Table) -> bool:
    """Whether a table's model has a method from a base class that is no model itself."""
    base = callee.cls.name if callee.cls is not None else ""
    return base != table.model and base in project.lineage(table.model) and schema(project).of_model(base) is None


def form_table(project: Project, node: Node) -> Table | None:
    """The table of the model that a model form or serializer saves."""
    for name in project.types(node):
        table = meta_table(project, split(name)[0])
        if table is not None:
            return table
    return None


def meta_table(project: Project, cls: str) -> Table | None:
    """``Meta.model`` of a class."""
    for view in project.lineage_views(cls):
        meta = view.inner.get("Meta")
        if meta is not None and "model" in meta.fields:
            for model in project.denoted_classes(meta.fields["model"]):
                return schema(project).of_model(model.name)
    return None


def generic_table(project: Project, view: ClassView) -> Table | None:
    """The table that a generic class view is over: its ``model``, ``queryset``, form or serializer."""
    for name in ("model", "queryset"):
        field = class_field(project, view, name)
        table = touched_table(project, field) if field is not None else None
        if table is not None:
            return table
    for name in ("serializer_class", "form_class"):
        field = class_field(project, view, name)
        for cls in project.denoted_classes(field) if field is not None else ():
            table = meta_table(project, cls.name)
            if table is not None:
                return table
    return None
