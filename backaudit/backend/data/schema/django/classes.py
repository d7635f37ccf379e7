"""Django's models as classes declare them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.schema.django.library import brought_columns, brought_relations, user_classes
from backaudit.backend.data.schema.django.records import Model
from backaudit.facts import ops
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import field_calls, text, truth
from backaudit.sql import Column

_DEPTH = 4


def declared(project: Project) -> tuple[Model, ...]:
    """The concrete models of the project; not those whose tables Django does not manage."""
    return project.once(_declared)


def _declared(project: Project) -> tuple[Model, ...]:
    seeded = _seeded(project)
    found = (_model(project, cls, seeded) for cls in _classes(project))
    return tuple(model for model in found if model is not None)


def custom_user(project: Project) -> str:
    """The project's own user model, empty if it has none or several."""
    found = [cls.name for cls in _classes(project) if replaces_user(project, cls)]
    return found[0] if len(found) == 1 else ""


def replaces_user(project: Project, cls: ClassView) -> bool:
    return project.inherits(cls.name, *user_classes(project)) and not _is_abstract(project, cls)


def _classes(project: Project) -> list[ClassView]:
    found = {cls.name: cls for cls in project.subclasses(*project.models.kinds["django-model-base"])}
    for last in ("ForeignKey", "CharField", "DateTimeField"):
        for node in project.calls_of(last):
            cls = node.code.cls
            inside = cls is not None and node.code.function.kind == "class" and cls.name not in found
            if inside and cls is not None and _is_model_field(project, node):
                found[cls.name] = cls
    return [found[name] for name in sorted(found) if found[name].file.role != "migration"]


def _is_model_field(project: Project, node: Node) -> bool:
    func = node.func
    return func is not None and any(
        name.startswith(tuple(project.models.kinds["field-modules"])) for name in project.names(func)
    )


def _is_abstract(project: Project, cls: ClassView) -> bool:
    meta = cls.inner.get("Meta")
    return meta is not None and truth(project, meta.fields.get("abstract"))


def _model(project: Project, cls: ClassView, seeded: frozenset[str]) -> Model | None:
    options = _options(project, cls)
    managed = options.get("managed")
    if truth(project, options.get("proxy")) or _is_abstract(project, cls) or not _concrete(project, cls):
        return None
    if managed is not None and managed.const is False:
        return None
    parents = _parents(project, cls)
    return Model(
        label=_label(project, cls, options),
        name=cls.cls.name,
        cls=cls.name,
        fields=dict(_fields(project, cls, parents)),
        options=options,
        library=tuple(_library_columns(project, cls)) if not parents else (),
        many=tuple(one for owner in project.lineage(cls.name) for one in brought_relations(project, owner))
        if not parents
        else (),
        parents=parents,
        generic=dict(_generic(project, cls)),
        place=cls.place,
        seeded=cls.cls.name.lower() in seeded,
    )


def _concrete(project: Project, cls: ClassView) -> bool:
    return project.inherits(cls.name, *project.models.kinds["django-model-base"]) or any(
        call.is_call_of("key-fields") or _is_model_field(project, call)
        for _, bind in cls.fields.items()
        if (call := bind.origin).call is not None
    )


def _options(project: Project, cls: ClassView) -> dict[str, Node]:
    """Meta's entries; an abstract base's Meta is inherited if the class has none, or names it as base."""
    for view in project.lineage_views(cls.name):
        meta = view.inner.get("Meta")
        if meta is not None and (view.name == cls.name or _is_abstract(project, view)):
            return _entries(project, meta, 0)
    return {}


def _entries(project: Project, meta: ClassView, depth: int) -> dict[str, Node]:
    inherited = [base for base in meta.bases if isinstance(base.op, ops.Attr)]
    if inherited and project.gives_up(depth, _DEPTH, meta.place):
        inherited = []
    above = [found for base in inherited for found in project.denoted_classes(base)]
    entries: dict[str, Node] = {}
    for base in above:
        entries |= _entries(project, base, depth + 1)
    entries |= meta.fields
    return {name: node for name, node in entries.items() if name != "abstract"}


def _label(project: Project, cls: ClassView, options: dict[str, Node]) -> str:
    named = text(project, options.get("app_label"))
    return named or label_of(project, cls.file.path)


def label_of(project: Project, path: str) -> str:
    """The label of the application in which a file of models or migrations lies."""
    parts = path.split("/")[:-1]
    for inner in ("models", "migrations"):
        parts = parts[: parts.index(inner)] if inner in parts else parts
    configured = project.once(_configured)
    for length in range(len(parts), 0, -1):
        if (label := configured.get("/".join(parts[:length]))) is not None:
            return label
    return parts[-1] if parts else "app"


def _configured(project: Project) -> dict[str, str]:
    """Labels that ``AppConfig`` classes give to the folders of their applications."""
    found: dict[str, str] = {}
    for cls in project.subclasses(*sorted(project.models.kinds["app-configurations"])):
        label = text(project, cls.fields.get("label")) or text(project, cls.fields.get("name")).rpartition(".")[2]
        if label:
            found[cls.file.path.rpartition("/")[0]] = label
    return found


def _parents(project: Project, cls: ClassView) -> tuple[str, ...]:
    """Concrete models that the class extends: their columns are in their own tables."""
    for owner in project.lineage(cls.name)[1:]:
        view = project.class_named(owner)
        if view is None or not view.fields or _is_abstract(project, view):
            continue
        if _concrete(project, view):
            return (owner,)
    return ()


def _fields(project: Project, cls: ClassView, parents: tuple[str, ...]) -> Iterator[tuple[str, Node]]:
    above = {name for parent in parents for name in project.lineage(parent)}
    for owner, name, bind in field_calls(project, cls):
        call = bind.origin
        field = call.call is not None and (call.method.endswith("Field") or call.is_call_of("key-fields"))
        if owner.name not in above and field:
            yield name, call


def _generic(project: Project, cls: ClassView) -> Iterator[tuple[str, Node]]:
    """The relations to rows that name their owner by its model and its key."""
    for _, name, bind in field_calls(project, cls):
        if bind.origin.is_call_of("generic-relations"):
            yield name, bind.origin


def _library_columns(project: Project, cls: ClassView) -> Iterator[Column]:
    classes = filter(None, map(project.class_named, project.lineage(cls.name)))
    own = {name for owner in classes for name in owner.fields}
    seen: set[str] = set()
    for owner in project.lineage(cls.name):
        for column in brought_columns(project, owner):
            if column.attribute not in own | seen:
                seen.add(column.attribute)
                yield column


def _seeded(project: Project) -> frozenset[str]:
    """Models whose rows migrations load: lower-case class names of ``get_model("app", "Name")`` with created rows."""
    found: set[str] = set()
    for node in project.calls_of("get_model"):
        name = node.arg(1, "model_name") if project.role(node.code.path) == "migration" else None
        if name is not None and name.text and _creates(node):
            found.add(name.text.lower())
    return frozenset(found)


def _creates(node: Node) -> bool:
    bound = [
        n
        for n in node.code.nodes(ops.Call)
        if n.method in ("create", "bulk_create", "get_or_create", "update_or_create")
    ]
    return any(_rooted(call, node) for call in bound)


def _rooted(call: Node, model: Node) -> bool:
    here = call.receiver
    while here is not None and isinstance(here.origin.op, ops.Attr):
        here = here.origin.to(here.origin.op.base)
    return here is not None and here.origin == model.origin
