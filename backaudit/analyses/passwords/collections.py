"""Collections of document stores: which ones hold passwords, as far as the code that fills them tells."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.stores import keys_set
from backaudit.backend.data.documents.naming import collection_name
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Node, Project
from backaudit.vocabulary.names import is_password_column


def stored_password(project: Project, find: Node) -> str | None:
    """The password's key in the documents that a query gives whole, if its collection is known to have one."""
    if find.receiver is None or len(find.args()) > 1 or "projection" in find.keywords():
        return None
    return project.once(_with_passwords).get(_collection(project, find.receiver))


def _with_passwords(project: Project) -> dict[str, str]:
    """The key of the password by collection."""
    found: dict[str, str] = {}
    for method in ("insert_one", "insert_many"):
        for call in project.calls_of(method):
            first, receiver = call.arg(0), call.receiver
            if first is not None and receiver is not None and not project.callees(call):
                name = next(_password_keys(project, first), None)
                collection = _collection(project, receiver)
                if name is not None and collection:
                    found.setdefault(collection, name)
    return found


def _password_keys(project: Project, document: Node) -> Iterator[str]:
    made = document.origin
    yield from keys_set(document)
    names: list[str | None] = []
    if isinstance(made.op, ops.Build) and made.op.kind == "dict":
        names = [made.to(key).text for key in made.op.keys if key != NONE]
    elif made.method in ("dict", "model_dump", "to_dict") and made.receiver is not None:
        names = [name for cls in project.instances(made.receiver) for name in cls.fields]
    yield from (name for name in names if name is not None and is_password_column(name))


def _collection(project: Project, receiver: Node) -> str:
    """What a collection is called in the database; a name of the code's own where that is all there is."""
    op = project.resolved(receiver).op
    own = op.name if isinstance(op, (ops.Attr, ops.Name, ops.Param)) else ""
    return collection_name(project, receiver) or own
