"""Indexes of collections, as drivers' calls and lists of models write them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import entries, items, text, truth
from backaudit.sql import Index, Key

_MARKS = {"$": "text", "#": "hashed", "(": "2dsphere", "*": "2dsphere"}


def called(project: Project, call: Node, keys: str = "keys") -> Iterator[Index]:
    """``create_index("email", unique=True)``, ``IndexModel([("a", ASCENDING), ("b", DESCENDING)])``."""
    first = call.arg(0, keys)
    found = list(_pairs(project, first)) if first is not None else []
    if found:
        partial = call.arg(None, "partialFilterExpression")
        yield Index(
            keys=tuple(Key(name, False, descending) for name, descending, _ in found),
            name=text(project, call.arg(None, "name")),
            unique=truth(project, call.arg(None, "unique")),
            where=", ".join(entries(partial)) if partial is not None else "",
            method=next((method for _, _, method in found if method), "btree"),
            place=call.place,
        )


def listed(project: Project, node: Node | None) -> Iterator[Index]:
    """A list of ``IndexModel(...)``, of names, and of lists of names or pairs."""
    known = project.models.kinds.get("index-records", frozenset())
    for item in items(node):
        made = project.resolved(item)
        if made.call is not None and made.method in known:
            yield from called(project, made, "keys" if made.method == "IndexModel" else "fields")
        elif made.call is None:
            yield from _plain(project, made)


def _plain(project: Project, node: Node) -> Iterator[Index]:
    """``"-created"``, ``("a", "b")``, ``{"fields": ["a"], "unique": True}``, ``[("a", 1)]``."""
    options = entries(node)
    found = list(_pairs(project, options.get("fields", node)))
    if found:
        yield Index(
            keys=tuple(Key(name, False, descending) for name, descending, _ in found),
            name=text(project, options.get("name")),
            unique=truth(project, options.get("unique")),
            method=next((method for _, _, method in found if method), "btree"),
            place=node.place,
        )


def _pairs(project: Project, node: Node) -> Iterator[tuple[str, bool, str]]:
    """(field, descending, method) of each key."""
    made = project.resolved(node)
    alone = text(project, made)
    if alone:
        yield _marked(alone)
    for name, way in entries(made).items():
        yield name, *_way(project, way)
    for item in items(made):
        pair = items(item)
        name = text(project, pair[0]) if pair else ""
        if len(pair) == 2 and name:
            yield name, *_way(project, pair[1])
        elif text(project, item):
            yield _marked(text(project, item))


def _marked(written: str) -> tuple[str, bool, str]:
    """``-created``, ``$title`` and ``#key`` as mongoengine has them."""
    return written.lstrip("+-$#(*"), written.startswith("-"), _MARKS.get(written[:1], "")


def _way(project: Project, node: Node) -> tuple[bool, str]:
    names = {name.rpartition(".")[2] for name in (node.spelled, *project.names(node))}
    made = project.resolved(node)
    if isinstance(made.op, ops.Unary):
        return made.op.operator == "-", ""
    methods = project.models.kinds["document-index-methods"]
    written = text(project, made) or min((name.lower() for name in names if name.lower() in methods), default="")
    return made.const == -1 or "DESCENDING" in names, written if written in methods else ""
