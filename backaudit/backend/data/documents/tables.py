"""Collections as tables: what asks whose rows are touched need not know that they are documents."""

from __future__ import annotations

from backaudit.backend.data.documents import Collection, collections, has_store, is_document
from backaudit.backend.data.documents.naming import collection_name
from backaudit.backend.data.queries.chains import chain_of
from backaudit.backend.data.schema.tables import Relation, Table, columns_index
from backaudit.project import Node, Project
from backaudit.project.types import split
from backaudit.sql import Column

_KEY = Column(name="_id", attribute="id", nullable=False, primary_key=True, unique=True)


def document_table(project: Project, node: Node) -> Table | None:
    """The collection that a value is, or the one of the documents, or the class of documents, that it is of."""
    known = project.once(_tables)
    if not known:
        return None
    for name in project.types(node):
        head, over = split(name)
        for candidate in (over, head):
            found = known.get(split(candidate)[0]) if "." in candidate else None
            if found is not None:
                return found
    return known.get(collection_name(project, node))


def is_collection(project: Project, table: Table) -> bool:
    """Whether a table stands for a collection, whose fields say nowhere what they lead to."""
    return project.once(_tables).get(table.name) is table


def _tables(project: Project) -> dict[str, Table]:
    """Collections by name, and by the class of their documents."""
    found: dict[str, Table] = {}
    for one in collections(project):
        known = project.models.stores.get(one.store)
        table = _table(one, known.lazy if known is not None else ())
        found.setdefault(one.name, table)
        if one.model:
            found[one.model] = table
    return found


def fetched_documents(project: Project, node: Node) -> Table | None:
    """The collection of which a value holds many documents, of a class some of whose fields lead to others."""
    for name in project.types(node):
        head, over = split(name)
        found = project.once(_tables).get(over) if head not in ("type", "def", "module", "ext", "") else None
        if found is not None and found.relations:
            return found
    return None


def many_documents(project: Project, node: Node) -> str:
    """The collection of which a value is a search that may find many documents, or what it has found; empty if none."""
    if not has_store(project):
        return ""
    known = project.once(_tables)
    for name in project.types(node):
        head, over = split(name)
        found = known.get(over) if head not in ("type", "def", "module", "ext", "") else None
        if found is not None:
            return found.name
    finds = (link for link in chain_of(node) if link.call is not None and link.is_call_of("all-documents"))
    return next((name for link in finds if (name := _searched(project, link))), "")


def _searched(project: Project, call: Node) -> str:
    """The collection that a driver's call searches, if it is known to be one."""
    name = collection_name(project, call.receiver) if call.receiver is not None else ""
    return name if name in project.once(_tables) or _is_of_driver(project, call) else ""


def _is_of_driver(project: Project, call: Node) -> bool:
    """Whether a call is that of a driver's collection, as its types say."""
    names = project.names(call.func) if call.func is not None else ()
    return any(name in project.models.sinks["document"] and not name.startswith("*") for name in names)


def asks_documents(project: Project, call: Node) -> bool:
    """Whether a call asks a store: a driver's search of a collection, or a look-up by a class of documents."""
    receiver = call.receiver
    if receiver is None or project.callees(call):
        return False
    finds = call.is_call_of("document-finds") or call.is_call_of("all-documents")
    if finds and (_is_of_driver(project, call) or document_table(project, receiver) is not None):
        return True
    return _looks_up_by_class(project, call, receiver)


def _looks_up_by_class(project: Project, call: Node, receiver: Node) -> bool:
    kinds = project.models.kinds
    lookups = kinds["none-lookups"] | kinds["raising-lookups"]
    if call.func is None or lookups.isdisjoint(project.names(call.func)):
        return False
    return any(is_document(project, over or head) for head, over in map(split, project.types(receiver)))


def _table(one: Collection, lazy: tuple[str, ...]) -> Table:
    leading = (field for field in one.fields if field.type in lazy)
    columns = (Column(name=field.name, attribute=field.name, references=field.references) for field in one.fields)
    return Table(
        name=one.name,
        orm=one.store,
        model=one.model,
        columns=(_KEY, *columns),
        indexes=(columns_index("_id", unique=True, primary=True),),
        relations=tuple(Relation(name=field.name, target=field.references, column=field.name) for field in leading),
        place=one.place,
    )
