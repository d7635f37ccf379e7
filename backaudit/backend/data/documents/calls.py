"""Collections that a driver's calls tell of: by what is put into them, asked of them, and indexed."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.documents.indexes import called, listed
from backaudit.backend.data.documents.models import class_fields
from backaudit.backend.data.documents.naming import collection_name
from backaudit.backend.data.documents.records import Collection, DocumentField, distinct, joined
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.declarations import entries, items, text
from backaudit.project.types import split
from backaudit.sql import Index

# How many functions a document is followed back through.
_DEPTH = 3
_SURE = (
    "collection-inserts", "collection-filters", "collection-updates", "collection-replacements", "collection-indexes",
)  # fmt: skip
_LOGIC = ("$and", "$or", "$nor")
_TRUE_OF_MOST = frozenset({"$ne", "$nin", "$not", "$exists", "$type", "$mod"})


def used(project: Project) -> dict[str, Collection]:
    """The collections by name."""
    found: dict[str, Collection] = {}
    for kind in _SURE:
        for name, call in collection_calls(project, kind):
            _add(found, _shown(project, name, kind, call))
    for name, call in collection_calls(project, "collection-searches"):
        if name in found:
            _add(found, _shown(project, name, "collection-filters", call))
    return found


def collection_calls(project: Project, kind: str) -> Iterator[tuple[str, Node]]:
    """(collection, call) of the methods of a kind, in code that is no test."""
    for method in sorted(project.models.kinds.get(kind, frozenset())):
        for call in project.calls_of(method):
            if call.receiver is None or project.callees(call) or project.role(call.code.path) in ("test", "example"):
                continue
            name = collection_name(project, call.receiver)
            if name:
                yield name, call


def searched(project: Project, kind: str) -> Iterator[tuple[str, Node, tuple[str, ...]]]:
    """(collection, call, fields) of the calls of a kind: the fields by whose values its filter finds documents.

    One for each alternative of an OR, with what is asked beside it: each is looked up by itself.
    """
    for name, call in collection_calls(project, kind):
        first = call.argument((0, "filter"))
        if first is not None and kind == "collection-aggregations":
            first = _matched(project, first)
        for asker, mapping in _handed(project, call, first) if first is not None else ():
            around = tuple(_asked(project, mapping))
            for alternative in _alternatives(project, mapping) or ((),):
                yield name, asker, (*around, *alternative)


def _handed(project: Project, call: Node, node: Node, depth: int = 0) -> Iterator[tuple[Node, Node]]:
    """(call, mapping) of each filter that a value may be: made here, by a function, by a caller."""
    made = project.resolved(node)
    op = made.op
    if made.is_dict or (isinstance(op, ops.Call) and made.method == "dict" and made.receiver is None):
        yield call, made
    elif project.gives_up(depth, _DEPTH, node.place):
        return
    elif isinstance(op, ops.Call):
        for given in (given for code in project.callees(made) for given in code.returned()):
            yield from _handed(project, call, given, depth + 1)
    elif isinstance(op, ops.Param):
        for caller, argument in _by_callers(project, made.code, op.index):
            yield from _handed(project, caller, argument, depth + 1)


def _by_callers(project: Project, code: Code, index: int) -> Iterator[tuple[Node, Node]]:
    """(call, value) of what a parameter is given, but for tests."""
    for caller in project.callers(code):
        argument = project.argument(caller, code, index)
        if argument is not None and project.role(caller.code.path) not in ("test", "example"):
            yield caller, argument


def _matched(project: Project, pipeline: Node) -> Node | None:
    """The filter that an aggregation begins with."""
    stages = items(project.resolved(pipeline))
    return entries(project.resolved(stages[0])).get("$match") if stages else None


@cut_circles()
def _asked(project: Project, node: Node) -> Iterator[str]:
    """The fields of a filter, those of conditions that are joined by AND included."""
    for name, value in filled(project.resolved(node)).items():
        if name == "$and":
            for part in items(project.resolved(value)):
                yield from _asked(project, part)
        elif not name.startswith("$") and _is_found_by(project, value):
            yield name


def filled(made: Node) -> dict[str, Node]:
    """The entries of a mapping, those that are set later in the same body included: ``query["year"] = year``."""
    found = _told(made)
    for effect in made.code.effects.get(made.value, ()):
        change = made.to(effect)
        if isinstance(change.op, ops.SetItem) and (name := made.to(change.op.key).text):
            found[name] = change.to(change.op.value)
        elif change.method == "update":
            found |= _told(change)
            found |= _told(first.origin) if (first := change.arg(0)) is not None else {}
    return found


def _told(made: Node) -> dict[str, Node]:
    """The entries of a display, those of another that is unpacked in it, and the keywords of a call."""
    found = dict(made.keywords()) if made.call is not None else {}
    for key, value in made.entries_and_unpacked() if made.is_dict else ():
        if key is None:
            found |= filled(value.origin) if value.origin.is_dict else {}
        elif key.text:
            found[key.text] = value
    return found


def _alternatives(project: Project, node: Node) -> tuple[tuple[str, ...], ...]:
    """The fields of each alternative of a filter's OR."""
    either = entries(project.resolved(node)).get("$or")
    parts = items(project.resolved(either)) if either is not None else []
    return tuple(tuple(_asked(project, part)) for part in parts)


def _is_found_by(project: Project, value: Node) -> bool:
    """Whether an index leaves few documents by what a field is compared with: nothing that is true of most."""
    asked = entries(project.resolved(value))
    pattern = asked.get("$regex")
    if pattern is not None:
        return "$options" not in asked and text(project, pattern).startswith("^")
    return not asked or not _TRUE_OF_MOST.issuperset(asked)


def _add(found: dict[str, Collection], made: Collection) -> None:
    found[made.name] = joined(found[made.name], made) if made.name in found else made


def _shown(project: Project, name: str, kind: str, call: Node) -> Collection:
    """What one call shows of a collection."""
    return Collection(
        name=name,
        store=next((name for name, one in project.models.stores.items() if one.of_calls), ""),
        fields=distinct(_fields(project, kind, call)),
        indexes=tuple(_indexes(project, call)) if kind == "collection-indexes" else (),
        place=call.place,
    )


def _indexes(project: Project, call: Node) -> Iterator[Index]:
    yield from called(project, call) if call.method == "create_index" else listed(project, call.arg(0, "indexes"))


def _fields(project: Project, kind: str, call: Node) -> Iterator[DocumentField]:
    first, second = call.arg(0), call.arg(1)
    if kind == "collection-inserts":
        yield from document(project, first or call.argument(("document", "documents")))
        return
    if kind == "collection-indexes":
        return
    if kind == "collection-updates":
        yield from _update(project, second or call.arg(None, "update"))
    if kind == "collection-replacements":
        yield from document(project, second or call.arg(None, "replacement"))
    yield from _filter(project, first or call.arg(None, "filter"))
    yield from _read(call)


def document(project: Project, node: Node | None, depth: int = 0) -> Iterator[DocumentField]:
    """The fields of a document as far as the code that makes it shows: displays, schemas' dumps, what is set later."""
    if node is None or project.gives_up(depth, _DEPTH, node.place):
        return
    made = project.resolved(node)
    yield from _as_made(project, made, depth)
    for effect in made.code.effects.get(made.value, ()):
        change = made.to(effect).op
        if isinstance(change, ops.SetItem):
            yield DocumentField(name=text(project, made.to(change.key)), type=_type(project, made.to(change.value)))


def _as_made(project: Project, made: Node, depth: int) -> Iterator[DocumentField]:
    """The fields that a document has from the beginning."""
    op = made.op
    if made.is_dict:
        yield from _display(project, made, depth)
    elif isinstance(op, ops.Attr) and op.name == "__dict__":
        yield from _instance(project, made.to(op.base))
    elif isinstance(op, ops.Call):
        yield from _given(project, made, depth)
    elif isinstance(op, ops.Param):
        yield from _instance(project, made)
        for call in project.callers(made.code):
            yield from document(project, project.argument(call, made.code, op.index), depth + 1)
    else:
        for inner in _documents_in(made):
            yield from document(project, inner, depth + 1 if isinstance(op, ops.Phi) else depth)


def _documents_in(made: Node) -> list[Node]:
    """The documents of a list, or those of which a value is one."""
    op = made.op
    if isinstance(op, ops.Phi):
        return [made.to(value) for value in op.values]
    if isinstance(op, ops.Await):
        return [made.awaited]
    return made.elements() if isinstance(op, ops.Build) else []


def _display(project: Project, made: Node, depth: int) -> Iterator[DocumentField]:
    for key, value in made.entries_and_unpacked():
        if key is None:
            yield from document(project, value, depth + 1)
        else:
            yield DocumentField(name=text(project, key), type=_type(project, value))


def _given(project: Project, call: Node, depth: int) -> Iterator[DocumentField]:
    """What a call gives: a schema's dump, a function's result."""
    if call.method in project.models.kinds.get("document-dumps", frozenset()):
        for one in (call.receiver, call.arg(0)):
            if one is not None:
                yield from _instance(project, one)
                yield from document(project, one, depth + 1) if one is not call.receiver else ()
    if call.method == "dict" and call.receiver is None:
        yield from (DocumentField(name=k, type=_type(project, v)) for k, v in call.keywords().items())
    for code in project.callees(call):
        for result in code.returned():
            yield from document(project, result, depth + 1)


def _instance(project: Project, node: Node) -> Iterator[DocumentField]:
    for cls in project.instances(node):
        yield from class_fields(project, cls)


@cut_circles()
def _filter(project: Project, node: Node | None) -> Iterator[DocumentField]:
    """``{"email": e, "$or": [{"a": 1}, {"b": 2}]}``."""
    made = project.resolved(node) if node is not None else None
    for key, value in made.entries() if made is not None else ():
        name = text(project, key)
        if name in _LOGIC:
            for part in items(value):
                yield from _filter(project, part)
        elif name:
            yield DocumentField(name=name)


def _update(project: Project, node: Node | None) -> Iterator[DocumentField]:
    """``{"$set": {"name": n}, "$push": {"tags": t}, "$inc": {"visits": 1}}``."""
    made = project.resolved(node) if node is not None else None
    for key, value in made.entries() if made is not None else ():
        operator = text(project, key)
        fields = document(project, value) if operator.startswith("$") else ()
        if operator in ("$set", "$setOnInsert"):
            yield from fields
        else:
            kind = "list" if operator in ("$push", "$addToSet", "$pull", "$pullAll") else ""
            yield from (DocumentField(name=field.name, type=kind) for field in fields)


def _read(call: Node) -> Iterator[DocumentField]:
    """``user["email"]`` and ``user.get("email")`` of the document that a call found."""
    for base, key in _key_reads(call.code) if call.method.startswith("find_one") else ():
        if base is not None and base.awaited is call.origin:
            yield DocumentField(name=(key.text or "") if key is not None else "")


def _key_reads(code: Code) -> Iterator[tuple[Node | None, Node | None]]:
    """What is read by a key in a body, and the key."""
    for node in code.nodes(ops.Item):
        if isinstance(node.op, ops.Item):
            yield node.to(node.op.base), node.to(node.op.key)
    yield from ((node.receiver, node.arg(0)) for node in code.nodes(ops.Call) if node.method == "get")


def _type(project: Project, node: Node) -> str:
    """The type of a value in Python's words, if it is sure."""
    made = node.origin
    if isinstance(made.op, ops.Const):
        return "" if made.op.value is None else type(made.op.value).__name__
    if isinstance(made.op, ops.Build):
        return {"fstring": "str", "tuple": "list"}.get(made.op.kind, made.op.kind)
    found = {split(name)[0] for name in project.types(made)}
    alone = found.pop() if len(found) == 1 else ""
    usual = alone.removeprefix("builtins.") if alone.startswith("builtins.") else ""
    return project.models.words["document-types"].get(alone, usual)
