"""Django's migrations, replayed in their order: the models as the last one leaves them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import msgspec

from backaudit.backend.data.schema.django.classes import custom_user, declared, label_of
from backaudit.backend.data.schema.django.records import Model
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import entries, items, text, texts

_Key = tuple[str, str]


def replayed(project: Project) -> tuple[tuple[Model, ...], str]:
    """The models that the migrations make, and the key of the user model among them."""
    state: dict[_Key, Model] = {}
    for label, operation in _operations(project):
        apply = _APPLY.get(operation.method)
        if apply is not None:
            apply(project, state, label, operation)
    own = custom_user(project)
    user = next((model.key for model in declared(project) if model.cls == own), "") if own else ""
    return tuple(state[key] for key in sorted(state)), user


def raw_statements(project: Project) -> Iterator[Node]:
    """The ``RunSQL`` operations, in order."""
    return (operation for _, operation in _operations(project) if operation.method == "RunSQL")


# -- order -----------------------------------------------------------------------------------------------------------


def _operations(project: Project) -> Iterator[tuple[str, Node]]:
    for label, cls in _ordered(project):
        listed = cls.fields.get("operations")
        for operation in items(listed) if listed is not None else ():
            yield from ((label, part) for part in _parts(operation.origin))


def _parts(operation: Node) -> Iterator[Node]:
    """An operation; of one that says apart what happens to the database, that."""
    if operation.method != "SeparateDatabaseAndState":
        yield operation
        return
    for item in items(operation.arg(0, "database_operations")):
        yield from _parts(item.origin)


def _ordered(project: Project) -> list[tuple[str, ClassView]]:
    """(label, class) of all migrations: each after those it depends on; a squashed one for those that it replaces."""
    known: dict[_Key, ClassView] = {}
    for cls in project.subclasses(*sorted(project.models.kinds["migration-classes"])):
        if "/migrations/" in f"/{cls.file.path}":
            name = cls.file.path.rpartition("/")[2].removesuffix(".py")
            known[label_of(project, cls.file.path), name] = cls
    replaced = {pair for cls in known.values() for pair in _pairs(project, cls, "replaces")}
    found: dict[_Key, ClassView] = {}
    for key in sorted(known):
        if key not in replaced:
            _visit(project, key, known, found, set())
    return [(label, cls) for (label, _), cls in found.items()]


def _visit(
    project: Project, key: _Key, known: dict[_Key, ClassView], found: dict[_Key, ClassView], open_: set[_Key]
) -> None:
    cls = known.get(key)
    if cls is None or key in found or key in open_:
        return
    open_.add(key)
    for pair in _pairs(project, cls, "dependencies"):
        _visit(project, pair, known, found, open_)
    found[key] = cls


def _pairs(project: Project, cls: ClassView, name: str) -> Iterator[_Key]:
    bound = cls.fields.get(name)
    for item in items(bound) if bound is not None else ():
        pair = texts(project, item)
        if len(pair) == 2:
            yield pair[0], pair[1]


# -- operations ------------------------------------------------------------------------------------------------------

_State = dict[_Key, Model]


def _name(project: Project, operation: Node, position: int, *keywords: str) -> str:
    given = [operation.arg(position if n == 0 else None, keyword) for n, keyword in enumerate(keywords)]
    return next((found for node in given if (found := text(project, node))), "")


def _create(project: Project, state: _State, label: str, operation: Node) -> None:
    name = _name(project, operation, 0, "name")
    options = entries(operation.arg(2, "options"))
    managed, proxy = options.get("managed"), options.get("proxy")
    if not name or (managed is not None and managed.const is False) or (proxy is not None and proxy.const is True):
        return
    pairs = [items(item) for item in items(operation.arg(1, "fields"))]
    fields = {text(project, pair[0]): pair[1].origin for pair in pairs if len(pair) == 2}
    state[label, name.lower()] = Model(label=label, name=name, fields=fields, options=options, place=operation.place)


def _delete(project: Project, state: _State, label: str, operation: Node) -> None:
    state.pop((label, _name(project, operation, 0, "name").lower()), None)


def _rename(project: Project, state: _State, label: str, operation: Node) -> None:
    old, new = _name(project, operation, 0, "old_name"), _name(project, operation, 1, "new_name")
    model = state.pop((label, old.lower()), None)
    if model is not None and new:
        state[label, new.lower()] = msgspec.structs.replace(model, name=new)


def _changed(key: str) -> Callable[[Project, _State, str, Node], None]:
    """An operation that sets one of the options."""

    def apply(project: Project, state: _State, label: str, operation: Node) -> None:
        at = (label, _name(project, operation, 0, "name").lower())
        value = operation.arg(1, key)
        if at in state:
            options = {name: node for name, node in state[at].options.items() if name != key}
            options |= {key: value} if value is not None and value.const is not False else {}
            state[at] = msgspec.structs.replace(state[at], options=options)

    return apply


def _retable(project: Project, state: _State, label: str, operation: Node) -> None:
    at = (label, _name(project, operation, 0, "name").lower())
    if at in state:
        state[at] = msgspec.structs.replace(state[at], table=_name(project, operation, 1, "table"))


def _field(project: Project, state: _State, label: str, operation: Node) -> None:
    at, name = (label, _name(project, operation, 0, "model_name").lower()), _name(project, operation, 1, "name")
    call = operation.arg(2, "field")
    if at in state and name and call is not None:
        state[at] = msgspec.structs.replace(state[at], fields={**state[at].fields, name: call.origin})


def _unfield(project: Project, state: _State, label: str, operation: Node) -> None:
    at, name = (label, _name(project, operation, 0, "model_name").lower()), _name(project, operation, 1, "name")
    if at in state:
        fields = {field: call for field, call in state[at].fields.items() if field != name}
        state[at] = msgspec.structs.replace(state[at], fields=fields)


def _refield(project: Project, state: _State, label: str, operation: Node) -> None:
    at = (label, _name(project, operation, 0, "model_name").lower())
    old, new = _name(project, operation, 1, "old_name"), _name(project, operation, 2, "new_name")
    if at in state and old and new:
        fields = {new if field == old else field: call for field, call in state[at].fields.items()}
        renamed = {before: new if after == old else after for before, after in state[at].renamed.items()}
        state[at] = msgspec.structs.replace(state[at], fields=fields, renamed={**renamed, old: new})


def _at(project: Project, state: _State, label: str, operation: Node) -> _Key:
    """The model that an operation is about; one whose creation is not to be seen begins with its class's fields."""
    at = (label, _name(project, operation, 0, "model_name").lower())
    if at not in state:
        for model in declared(project):
            if (model.label, model.name.lower()) == at:
                state[at] = msgspec.structs.replace(model, options={})
    return at


def _index(project: Project, state: _State, label: str, operation: Node) -> None:
    at, made = _at(project, state, label, operation), operation.arg(1, "index")
    if at in state and made is not None:
        state[at] = msgspec.structs.replace(state[at], indexes=(*state[at].indexes, made))


def _constraint(project: Project, state: _State, label: str, operation: Node) -> None:
    at, made = _at(project, state, label, operation), operation.arg(1, "constraint")
    if at in state and made is not None:
        state[at] = msgspec.structs.replace(state[at], constraints=(*state[at].constraints, made))


def _unindex(project: Project, state: _State, label: str, operation: Node) -> None:
    at, name = (label, _name(project, operation, 0, "model_name").lower()), _name(project, operation, 1, "name")
    if at not in state:
        return
    model = state[at]

    def kept(nodes: list[Node] | tuple[Node, ...]) -> tuple[Node, ...]:
        return tuple(node for node in nodes if text(project, node.arg(None, "name")) != name)

    options = {key: node for key, node in model.options.items() if key not in ("indexes", "constraints")}
    state[at] = msgspec.structs.replace(
        model,
        options=options,
        indexes=kept([*items(model.options.get("indexes")), *model.indexes]),
        constraints=kept([*items(model.options.get("constraints")), *model.constraints]),
    )


_APPLY: dict[str, Callable[[Project, _State, str, Node], None]] = {
    "CreateModel": _create,
    "DeleteModel": _delete,
    "RenameModel": _rename,
    "AlterModelTable": _retable,
    "AlterUniqueTogether": _changed("unique_together"),
    "AlterIndexTogether": _changed("index_together"),
    "AddField": _field,
    "AlterField": _field,
    "RemoveField": _unfield,
    "RenameField": _refield,
    "AddIndex": _index,
    "AddIndexConcurrently": _index,
    "RemoveIndex": _unindex,
    "RemoveIndexConcurrently": _unindex,
    "AddConstraint": _constraint,
    "RemoveConstraint": _unindex,
}
