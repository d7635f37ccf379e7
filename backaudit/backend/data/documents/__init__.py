"""Document stores: the collections of a project, with fields and indexes, as far as code shows them."""

from __future__ import annotations

from backaudit.backend.data.documents.calls import used
from backaudit.backend.data.documents.models import declared
from backaudit.backend.data.documents.records import Collection, DocumentField, joined
from backaudit.project import Project
from backaudit.project.locate import imported_packages

__all__ = ["Collection", "DocumentField", "collections", "has_store"]


def has_store(project: Project) -> bool:
    """Whether the project uses a document store."""
    return not project.models.kinds["document-modules"].isdisjoint(project.once(imported_packages))


def collections(project: Project) -> tuple[Collection, ...]:
    """All collections by name, those of tests and examples excepted; none without a document store."""
    return project.once(_collections)


def _collections(project: Project) -> tuple[Collection, ...]:
    if not has_store(project):
        return ()
    found: dict[str, Collection] = {}
    for one in declared(project):
        if one.place is None or project.role(one.place.path) not in ("test", "example"):
            found[one.name] = joined(found[one.name], one) if one.name in found else one
    for name, one in used(project).items():
        found[name] = joined(found[name], one) if name in found else one
    return tuple(found[name] for name in sorted(found))


def is_document(project: Project, name: str) -> bool:
    """Whether a class is of documents of a store."""
    return not project.models.kinds.get("document-bases", frozenset()).isdisjoint(project.lineage(name))
