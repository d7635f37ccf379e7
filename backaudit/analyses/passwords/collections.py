"""Collections of document stores: which ones hold passwords, and which queries give their documents with them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.passwords.hashing import password_hash
from backaudit.backend.data.documents import collections
from backaudit.backend.data.documents.calls import document
from backaudit.backend.data.documents.naming import collection_name
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import entries, items, text
from backaudit.vocabulary.names import is_password_column

# Stages of a pipeline that give the documents as they came, or with more in them.
_PASSING = frozenset("$match $sort $limit $skip $sample $unwind $geoNear $addFields $set".split())


def stored_password(project: Project, query: Node) -> str | None:
    """The password's key in what a query gives, if its collection is known to have one and nothing takes it out."""
    if query.receiver is None or not project.once(_with_passwords):
        return None
    if query.method == "aggregate":
        return _piped(project, query)
    key = project.once(_with_passwords).get(_collection(project, query.receiver))
    return key if key is not None and not _hidden(project, _projection(query), key) else None


def _projection(query: Node) -> Node | None:
    if query.method.startswith("find_one_and"):
        return query.arg(None, "projection")
    return query.arg(1, "projection")


def _hidden(project: Project, projection: Node | None, key: str) -> bool:
    """Whether a projection leaves the key out, or cannot be read."""
    if projection is None or (projection.const is None and isinstance(projection.op, ops.Const)):
        return False
    named = entries(project.resolved(projection))
    if not named:
        return True
    shown = {name: node.const for name, node in named.items() if name != "_id"}
    if any(value not in (0, False) for value in shown.values()):
        return key not in shown
    return key in shown


# -- pipelines --------------------------------------------------------------------------------------------------------


def _piped(project: Project, query: Node) -> str | None:
    """The password in what a pipeline gives: of its own documents, or of those that it joins."""
    first = query.arg(0, "pipeline")
    stages = [entries(project.resolved(stage)) for stage in items(project.resolved(first))] if first is not None else []
    known = project.once(_with_passwords)
    own = known.get(_collection(project, query.receiver)) if query.receiver is not None else None
    carried = {"": own} if own is not None else {}
    for stage in stages:
        for operator, told in stage.items():
            carried = _after(project, operator, told, carried)
    return next(("".join((f"{path}." if path else "", key)) for path, key in carried.items()), None)


def _after(project: Project, operator: str, told: Node, carried: dict[str, str]) -> dict[str, str]:
    """The passwords, by the field whose document they are in, behind one stage of a pipeline."""
    if operator == "$lookup":
        return {**carried, **_joined(project, told)}
    if operator in ("$project", "$unset"):
        return {path: key for path, key in carried.items() if _keeps(project, operator, told, path, key)}
    if operator == "$replaceRoot":
        root = entries(project.resolved(told)).get("newRoot")
        path = (root.text or "").removeprefix("$") if root is not None else ""
        return {"": carried[path]} if path and path in carried else {}
    return carried if operator in _PASSING else {}


def _joined(project: Project, told: Node) -> dict[str, str]:
    """``{"from": "users", "as": "author"}``, where no pipeline of its own picks the fields."""
    named = entries(project.resolved(told))
    source, target = (text(project, named.get(name)) for name in ("from", "as"))
    key = project.once(_with_passwords).get(source)
    return {target: key} if key is not None and target and "pipeline" not in named else {}


def _keeps(project: Project, operator: str, told: Node, path: str, key: str) -> bool:
    full = f"{path}.{key}" if path else key
    if operator == "$unset":
        left = [text(project, told), *(text(project, item) for item in items(project.resolved(told)))]
        return not {full, path or full} & set(left)
    shown = {name: node.const for name, node in entries(project.resolved(told)).items() if name != "_id"}
    if not shown:
        return False
    if all(value in (0, False) for value in shown.values()):
        return not {full, path or full} & shown.keys()
    return any(shown.get(name) in (1, True, f"${name}") for name in {full, path or full})


# -- what collections hold --------------------------------------------------------------------------------------------


def _with_passwords(project: Project) -> dict[str, str]:
    """The key of the password by collection."""
    found: dict[str, str] = {}
    for one in collections(project):
        for field in one.fields:
            if is_password_column(field.name):
                found.setdefault(one.name, field.name)
    for method in ("insert_one", "insert_many"):
        for call in project.calls_of(method):
            first, receiver = call.arg(0), call.receiver
            if first is not None and receiver is not None and not project.callees(call):
                name = next(_password_keys(project, first), None)
                collection = _collection(project, receiver)
                if name is not None and collection:
                    found.setdefault(collection, name)
    return found


def _password_keys(project: Project, inserted: Node) -> Iterator[str]:
    yield from (field.name for field in document(project, inserted) if is_password_column(field.name))
    made = project.resolved(inserted)
    for key, item in entries(made).items():
        if password_hash(project, made.to(item.value), made.value):
            yield key


def _collection(project: Project, receiver: Node) -> str:
    """What a collection is called in the database; a name of the code's own where that is all there is."""
    op = project.resolved(receiver).op
    own = op.name if isinstance(op, (ops.Attr, ops.Name, ops.Param)) else ""
    return collection_name(project, receiver) or own
