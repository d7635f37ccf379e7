"""Collections that classes declare: mongoengine's and odmantic's fields as calls, beanie's as annotations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial

import msgspec

from backaudit.backend.data.documents.indexes import listed
from backaudit.backend.data.documents.records import Collection, DocumentField, distinct, joined
from backaudit.backend.data.schema.tables import columns_index
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import annotation_of, entries, field_calls, items, text, texts, truth
from backaudit.project.knowledge import StoreModel
from backaudit.sql import Index

_CAPITAL = re.compile(r"(?=[A-Z])")
_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def declared(project: Project) -> Iterator[Collection]:
    """The collections of all document classes; classes that others extend come before these."""
    for name, store in sorted(project.models.stores.items()):
        bases = project.models.kinds[f"{name}-documents"] if not store.of_calls else frozenset()
        registered = _registered(project, store.registered) if store.registered else frozenset()
        for cls in sorted(project.subclasses(*sorted(bases)), key=lambda cls: len(project.lineage(cls.name))):
            if registered and cls.name not in registered:
                continue
            made = _collection(project, cls, name, bases)
            if made is not None:
                yield made


def _registered(project: Project, register: str) -> frozenset[str]:
    """The classes that ``init_beanie(document_models=[...])`` names, all others having no collection.

    Empty if there is no such call, or one whose list is not wholly known.
    """
    found: set[str] = set()
    for call in project.calls_of(register):
        given = items(project.resolved(models)) if (models := call.arg(None, "document_models")) is not None else []
        for item in given:
            named = next((cls.name for cls in project.denoted_classes(item)), "") or text(project, item)
            if project.class_named(named) is None:
                return frozenset()
            found.add(named)
        if not given:
            return frozenset()
    return frozenset(found)


def _collection(project: Project, cls: ClassView, library: str, bases: frozenset[str]) -> Collection | None:
    store = project.models.stores[library]
    options = _options(project, cls, store)
    if truth(project, options.get("abstract")):
        return None
    fields = list(_fields(project, cls, store))
    made = Collection(
        name=_collection_name(project, cls, store, bases),
        store=library,
        model=cls.name,
        fields=distinct(field for field, _ in fields),
        indexes=tuple(index for _, own in fields for index in own),
        place=cls.place,
    )
    given = tuple(listed(project, options.get("indexes")))
    columns = {attribute: field.name for attribute, field in _by_attribute(project, cls, store)}
    renamed = tuple(map(partial(_renamed, names=columns), given))
    return joined(made, msgspec.structs.replace(made, indexes=renamed)) if made.fields or renamed else None


def _collection_name(project: Project, cls: ClassView, store: StoreModel, bases: frozenset[str]) -> str:
    """The name that a document's class, or the first of those it extends, gives its collection."""
    owner = _root(project, cls, store, bases) if store.shared else cls
    return text(project, _options(project, owner, store).get(store.named)) or _default_name(owner, store)


def _renamed(index: Index, names: dict[str, str]) -> Index:
    """An index over the fields as the store knows them, where the model calls them something else."""
    keys = tuple(msgspec.structs.replace(key, text=names.get(key.text, key.text)) for key in index.keys)
    return msgspec.structs.replace(index, keys=keys)


def _root(project: Project, cls: ClassView, store: StoreModel, bases: frozenset[str]) -> ClassView:
    """The farthest document class above that is no mere base: documents of classes below stand in its collection."""
    found = cls
    for name in project.lineage(cls.name):
        view = project.class_named(name)
        if view is not None and not bases.isdisjoint(project.lineage(name)):
            found = found if truth(project, _options(project, view, store).get("abstract")) else view
    return found


def _options(project: Project, cls: ClassView, store: StoreModel) -> dict[str, Node]:
    """``meta``, ``model_config``, or the names of the inner class of settings."""
    given = cls.fields.get(store.options)
    found = entries(given.origin) if given is not None else {}
    if not store.settings:
        return found
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        for name in sorted(project.models.kinds["document-settings"]):
            inner = view.inner.get(name) if view is not None else None
            for key, bind in inner.fields.items() if inner is not None else ():
                if owner == cls.name or key != "name":
                    found.setdefault(key, bind)
    return found


def _default_name(cls: ClassView, store: StoreModel) -> str:
    """What each library calls a collection that is given no name."""
    name = cls.cls.name
    if store.default_name == "class":
        return name
    if store.default_name == "snake-without-model":
        return _WORD.sub("_", name.removesuffix("Model") or name).lower()
    return "_".join(_CAPITAL.split(name)).lower().strip("_")


# -- fields -----------------------------------------------------------------------------------------------------------


def class_fields(project: Project, cls: ClassView) -> Iterator[DocumentField]:
    """What an object's mapping of its fields holds: annotated names, else what its methods set."""
    found = [field for field, _ in _annotated(project, cls)]
    yield from found
    for view in project.lineage_views(cls.name) if not found else ():
        yield from (DocumentField(name=name) for name in (view.assigned))


def _fields(project: Project, cls: ClassView, store: StoreModel) -> Iterator[tuple[DocumentField, tuple[Index, ...]]]:
    return _made(project, cls) if store.fields == "calls" else _annotated(project, cls)


def _by_attribute(project: Project, cls: ClassView, store: StoreModel) -> Iterator[tuple[str, DocumentField]]:
    if store.fields == "calls":
        for _, name, bind in field_calls(project, cls):
            if _is_field(bind.origin):
                yield name, DocumentField(name=_stored_name(project, bind.origin, name))


def _is_field(call: Node) -> bool:
    return call.method.endswith("Field")


def _stored_name(project: Project, call: Node, name: str) -> str:
    given = (text(project, call.arg(None, key)) for key in ("db_field", "key_name"))
    return next(filter(None, given), name)


def _made(project: Project, cls: ClassView) -> Iterator[tuple[DocumentField, tuple[Index, ...]]]:
    for _, attribute, bind in field_calls(project, cls):
        call = bind.origin
        if not _is_field(call) or attribute in project.models.kinds["no-document-fields"]:
            continue
        name = _stored_name(project, call, attribute)
        primary = truth(project, call.arg(None, "primary_key"))
        required = truth(project, call.arg(None, "required")) or primary
        target = _target(project, call) if "Reference" in call.method else ""
        field = DocumentField(name=name, type=call.method, required=required, references=target)
        together = texts(project, call.arg(None, "unique_with"))
        unique = truth(project, call.arg(None, "unique")) or bool(together)
        yield field, (columns_index(name, *together, unique=True, place=bind.place),) if unique or primary else ()


def _target(project: Project, call: Node) -> str:
    first = call.arg(0, "document_type")
    if first is None:
        return ""
    named = next((cls.cls.name for cls in project.denoted_classes(first)), "")
    return named or text(project, first) or first.spelled


def _annotated(project: Project, cls: ClassView) -> Iterator[tuple[DocumentField, tuple[Index, ...]]]:
    kinds = project.models.kinds
    for _, name, bind in field_calls(project, cls):
        annotation = annotation_of(bind)
        own = name.startswith("_") or name in kinds["no-document-fields"]
        if annotation is None or own or "ClassVar" in annotation.spelled:
            continue
        annotation = _written_out(project, annotation)
        value = bind.origin
        stored = _stored_name(project, value, name) if value.method == "Field" else name
        words = annotation_text(annotation)
        leads = words if value.method == "Reference" else _inside_of(project, words)
        marks = [mark for mark in (*_marks(annotation), value) if mark.method in ("Indexed", "Field")]
        field = DocumentField(name=stored, type=words, required=_is_required(bind), references=leads)
        yield field, tuple(_marked_index(project, stored, marks, bind))


def _written_out(project: Project, annotation: Node) -> Node:
    """What a name for an annotation stands for: ``Username = Annotated[str, Indexed(unique=True)]``."""
    meant = project.resolved(annotation)
    return meant if isinstance(meant.op, (ops.Item, ops.Call)) else annotation


def _inside_of(project: Project, words: str) -> str:
    """The class inside of ``Link[…]`` and its kin."""
    around, _, inside = words.partition("[")
    return inside[:-1] if inside and around in project.models.kinds["document-links"] else ""


def _marked_index(project: Project, name: str, marks: list[Node], bind: Node) -> Iterator[Index]:
    """The index that the marks of a field declare."""
    unique = any(truth(project, mark.arg(None, "unique")) for mark in marks)
    if unique or any(mark.method == "Indexed" or truth(project, mark.arg(None, "index")) for mark in marks):
        yield columns_index(name, unique=unique, place=bind.place)


def _is_required(bind: Node) -> bool:
    """Whether nothing is given for the field but its type: ``name: str``, ``name: str = Field(..., max_length=9)``."""
    value = bind.origin
    if value.method == "Field":
        first = value.arg(0, "default")
        return value.arg(None, "default_factory") is None and (first is None or isinstance(first.op, ops.Opaque))
    return isinstance(value.op, ops.Opaque)


def _marks(annotation: Node) -> Iterator[Node]:
    """``Indexed(str)``, and what stands in ``Annotated`` behind the type."""
    here = annotation.origin
    if here.call is not None:
        yield here
    elif isinstance(here.op, ops.Item):
        inside = here.to(here.op.key).origin
        for item in inside.op.items if isinstance(inside.op, ops.Build) else (inside.value,):
            yield from _marks(inside.to(item))


def annotation_text(node: Node) -> str:
    """An annotation as short words: ``str`` for ``Optional[str]``, ``list[Item]``."""
    op = node.op
    if isinstance(op, ops.Call):
        first = node.arg(0)
        return annotation_text(first) if first is not None else ""
    if isinstance(op, ops.Bin):
        return _joined_texts([node.to(op.left), node.to(op.right)], " | ")
    if isinstance(op, ops.Item):
        inner = node.to(op.key).origin.elements()
        base = annotation_text(node.to(op.base))
        if base in node.code.project.models.kinds["document-annotations"]:
            return _joined_texts(inner if base == "Union" else inner[:1], " | ")
        return f"{base}[{_joined_texts(inner, ', ')}]"
    return node.text or node.spelled.rpartition(".")[2] or node.method or _imported(op)


def _joined_texts(parts: list[Node], by: str) -> str:
    return by.join(filter(None, map(annotation_text, parts)))


def _imported(op: ops.Op) -> str:
    if isinstance(op, ops.ClassDef):
        return ""
    return op.name if isinstance(op, ops.Import) else ""
