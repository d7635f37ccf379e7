"""The tables that Django makes of a model: columns, indexes that it adds by itself, tables between many and many."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

import msgspec

from backaudit.backend.data.schema.django.indexes import condition_text, index_of
from backaudit.backend.data.schema.django.library import table_of_library
from backaudit.backend.data.schema.django.records import Model
from backaudit.backend.data.schema.tables import Relation, Table, columns_index, settled
from backaudit.project import Node, Project
from backaudit.project.declarations import items, number, on_delete, text, texts, truth
from backaudit.project.strings import spelled_strings
from backaudit.sql import HOLE, Column, Index, Key

_ONE = frozenset({"OneToOneField", "TreeOneToOneField"})
# Labels and names of models.
_Behind: TypeAlias = "frozenset[tuple[str, str]]"


class Names:
    """Which table and key a foreign key's target has, whatever way it is written."""

    def __init__(self, project: Project, models: Iterable[Model], user: str = "") -> None:
        self.project = project
        self._by_key = {model.key: model for model in models}
        self._by_class = {model.cls: model for model in self._by_key.values() if model.cls}
        self._by_name: dict[str, Model] = {}
        for model in self._by_key.values():
            self._by_name.setdefault(model.name.lower(), model)
        self._user = user.lower()

    def model(self, written: str, label: str = "") -> Model | None:
        """A model by ``label.Name``, by its name alone, or by its class's dotted name."""
        if "AUTH_USER_MODEL" in written:
            return self._by_key.get(self._user)
        name = written.rpartition(".")[2].lower()
        near = self._by_key.get(f"{label}.{name}".lower()) if "." not in written else None
        return self._by_class.get(written) or self._by_key.get(written.lower()) or near or self._by_name.get(name)

    def key(self, written: str, label: str = "", behind: _Behind = frozenset()) -> tuple[str, Column]:
        """(``table.column``, that column) of a target's primary key; what is written if the target is unknown."""
        model = self.model(written, label)
        if model is None:
            name = written.rpartition(".")[2].lower()
            name = "user" if "AUTH_USER_MODEL" in written else name
            known = table_of_library(self.project, name)
            return (f"{known}.id" if known else written), Column(name="id", type="AutoField", nullable=False)
        column = self.primary(model, behind)
        return f"{table_name(self.project, model)}.{column.name}", column

    def primary(self, model: Model, behind: _Behind = frozenset()) -> Column:
        """The primary key of a model: declared, its parent's, or the one that Django adds.

        ``behind``: the models whose keys are made of this one's; in a circle of them it is the one that Django adds.
        """
        own = (model.label, model.name)
        if own in behind:
            return _added_key()
        behind |= {own}
        for name, call in model.fields.items():
            if truth(self.project, call.arg(None, "primary_key")):
                if call.is_call_of("key-fields"):
                    _, target = self.key(_written(self.project, model, call), model.label, behind)
                    return msgspec.structs.replace(target, name=_column_name(self.project, name, call))
                return _column(self.project, name, call)
        if model.parents:
            parent = self.model(model.parents[0], model.label)
            inner = self.primary(parent, behind) if parent is not None else Column(name="id", type="AutoField")
            name = model.parents[0].rpartition(".")[2].lower()
            return msgspec.structs.replace(inner, name=f"{name}_ptr_id", attribute=f"{name}_ptr")
        return _added_key()


def _added_key() -> Column:
    return Column(name="id", attribute="id", type="AutoField", nullable=False, primary_key=True)


def table_name(project: Project, model: Model) -> str:
    named = text(project, model.options.get("db_table"))
    return (model.table or named).strip('"').split('"."')[-1] or f"{model.label}_{model.name.lower()}"


def tables_of(project: Project, model: Model, names: Names) -> Iterator[Table]:
    """The model's own table, then those of its many-to-many fields."""
    columns = _columns(project, model, names)
    own = {column.attribute: column.name for column in columns}
    own |= {old: own[new] for old, new in model.renamed.items() if new in own}
    indexes = (*_own_indexes(project, model, columns), *_meta_indexes(project, model, own))
    table = Table(
        name=table_name(project, model),
        orm="django",
        model=model.cls,
        columns=tuple(columns),
        indexes=indexes,
        relations=tuple(_all_relations(project, model, names)),
        ordering=tuple(_ordering(project, model.options, columns)),
        parents=model.parents,
        place=model.place,
        seeded=model.seeded,
    )
    yield settled(table)
    for name, target, _ in model.many:
        yield _between(model, table.name, name, target, names, None)
    for name, call in model.fields.items():
        if call.is_call_of("many-fields") and call.arg(None, "through") is None:
            target = _written(project, model, call)
            yield _between(model, text(project, call.arg(None, "db_table")) or table.name, name, target, names, call)


# -- columns ---------------------------------------------------------------------------------------------------------


def _columns(project: Project, model: Model, names: Names) -> list[Column]:
    fields = [(name, call) for name, call in model.fields.items() if not call.is_call_of("many-fields")]
    columns = [*model.library, *(_keyed(project, model, name, call, names) for name, call in fields)]
    if not any(column.primary_key for column in columns):
        first = msgspec.structs.replace(names.primary(model), primary_key=True, nullable=False)
        target = names.key(model.parents[0], model.label)[0] if model.parents else ""
        columns.insert(0, msgspec.structs.replace(first, references=target))
    return columns


def _keyed(project: Project, model: Model, name: str, call: Node, names: Names) -> Column:
    column = _column(project, name, call)
    if not call.is_call_of("key-fields"):
        return column
    reference, target = names.key(_written(project, model, call), model.label)
    removal = on_delete(project, call.arg(1, "on_delete"))
    return msgspec.structs.replace(
        column, references=reference, type=target.type, length=target.length, on_delete=removal
    )


def _column(project: Project, name: str, call: Node) -> Column:
    primary = truth(project, call.arg(None, "primary_key"))
    return Column(
        name=_column_name(project, name, call),
        attribute=name,
        type=call.method,
        nullable=truth(project, call.arg(None, "null")),
        unique=primary or call.method in _ONE or truth(project, call.arg(None, "unique")),
        primary_key=primary,
        length=number(call.arg(None, "max_length")) or project.models.lengths.get(call.method),
        default=call.arg(None, "default") is not None,
        server_default=call.arg(None, "db_default") is not None,
        few="Boolean" in call.method or call.arg(None, "choices") is not None or "Enum" in call.method,
    )


def _column_name(project: Project, name: str, call: Node) -> str:
    return text(project, call.arg(None, "db_column")) or (f"{name}_id" if call.is_call_of("key-fields") else name)


def _written(project: Project, model: Model, call: Node) -> str:
    """A relation's target as the code names it; the model's own class for ``self``."""
    first = call.arg(0, "to")
    if first is None:
        return ""
    named = text(project, first)
    if named == "self":
        return model.cls or model.key
    denoted = [cls.name for cls in project.denoted_classes(first)]
    named = named or _named_by_call(project, first.origin)
    spelled = first.spelled or first.origin.spelled
    return denoted[0] if denoted else named or ("AUTH_USER_MODEL" if _is_user(first) else spelled)


def _named_by_call(project: Project, first: Node) -> str:
    """The model that a function names by the texts that it is given, or by the one text that it returns."""
    if first.call is None:
        return ""
    if first.is_call_of("names-models"):
        return ".".join(text(project, argument) for argument in first.args())
    given = spelled_strings(project, first)
    return given[0] if len(given) == 1 and HOLE not in given[0] else ""


def _is_user(first: Node) -> bool:
    parts = [first, *first.origin.args()]
    return any("AUTH_USER_MODEL" in (part.spelled or "") or "AUTH_USER_MODEL" in (part.text or "") for part in parts)


# -- indexes ---------------------------------------------------------------------------------------------------------


def _own_indexes(project: Project, model: Model, columns: Sequence[Column]) -> Iterator[Index]:
    for column in columns:
        call = model.fields.get(column.attribute)
        place = call.place if call is not None else None
        key, unique = column.primary_key, column.unique
        switched = call is not None and _indexed(project, call)
        if _is_text(project, column) and (unique or key or switched):
            yield Index(keys=(Key(column.name, opclass="varchar_pattern_ops"),))
        of_tree = call is None and column.name == "tree_id"
        if any((key, unique, switched, of_tree)):
            yield columns_index(column.name, unique=key or unique, primary=key, place=place)


def _indexed(project: Project, call: Node) -> bool:
    switch = call.arg(None, "db_index")
    if switch is not None:
        return truth(project, switch)
    return call.is_call_of("key-fields") or call.method.endswith("SlugField")


def _meta_indexes(project: Project, model: Model, names: Mapping[str, str]) -> Iterator[Index]:
    options = model.options
    for option in ("unique_together", "index_together"):
        for group in _groups(project, options.get(option)):
            columns = (names.get(name, name) for name in group)
            yield columns_index(*columns, unique=option == "unique_together", place=options[option].place)
    listed = [*items(options.get("indexes")), *items(options.get("constraints"))]
    for item in (*listed, *model.indexes, *model.constraints):
        index = index_of(project, item, dict(names))
        if index is not None:
            yield index


def _groups(project: Project, option: Node | None) -> list[tuple[str, ...]]:
    """The groups of fields of ``unique_together``: several, or one that is written without its list."""
    listed = items(option)
    groups = [texts(project, group) for group in listed if items(group)]
    whole = [texts(project, option)] if len(groups) < len(listed) else []
    return [group for group in (*groups, *whole) if group]


# -- relations -------------------------------------------------------------------------------------------------------


def _all_relations(project: Project, model: Model, names: Names) -> Iterator[Relation]:
    for name, call in model.fields.items():
        yield from _relations(project, model, name, call, names)
    for brought in model.many:
        yield from _brought(model, *brought, names)
    for name, call in model.generic.items():
        yield from _to_generic(project, model, name, call, names)


def _to_generic(project: Project, model: Model, name: str, call: Node, names: Names) -> Iterator[Relation]:
    """A relation to the rows that name their owner by its model and its key."""
    found = names.model(_written(project, model, call), model.label)
    key, typed = (text(project, call.arg(None, option)) for option in ("object_id_field", "content_type_field"))
    if found is not None and found.cls:
        remote, kind = key or "object_id", f"{typed or 'content_type'}_id"
        yield Relation(name=name, target=found.cls, many=True, remote=remote, typed=kind)


def _relations(project: Project, model: Model, name: str, call: Node, names: Names) -> Iterator[Relation]:
    many = call.is_call_of("many-fields")
    if not many and not call.is_call_of("key-fields"):
        return
    written = _written(project, model, call)
    found = names.model(written, model.label)
    target = found.cls if found is not None and found.cls else written
    yield Relation(name=name, target=target, column="" if many else f"{name}_id", many=many, remote="*" if many else "")
    single, remote = call.method in _ONE, "*" if many else f"{name}_id"
    given, asked = (text(project, call.arg(None, option)) for option in ("related_name", "related_query_name"))
    for alias in dict.fromkeys([*_reverse_names(model, given, single=single), *([asked] if asked else [])]):
        yield Relation(name=f"<{alias}", target=target, many=not single, remote=remote)


def _brought(model: Model, name: str, written: str, back: tuple[str, ...], names: Names) -> Iterator[Relation]:
    """A relation to many rows that a library's base brings, from both sides."""
    found = names.model(written)
    target = found.cls if found is not None and found.cls else written
    yield Relation(name=name, target=target, many=True, remote="*")
    for alias in back or _reverse_names(model, "", single=False):
        yield Relation(name=f"<{alias}", target=target, many=True, remote="*")


def _reverse_names(model: Model, given: str, *, single: bool) -> Iterator[str]:
    """The names by which the other side knows a relation: as an attribute, and in look-ups."""
    own = model.name.lower()
    named = given.replace("%(class)s", own).replace("%(app_label)s", model.label) or own + ("" if single else "_set")
    if not named.endswith("+"):
        yield from dict.fromkeys(filter(None, (named, "" if given else own)))


def _between(model: Model, table: str, field: str, written: str, names: Names, call: Node | None) -> Table:
    """The table of a many-to-many field; ``call``: its declaration, None for a library's."""
    columns = [Column(name="id", type="AutoField", primary_key=True, nullable=False)]
    mine, theirs = _sides(model, written, names)
    for side, target in ((mine, model.cls or model.key), (theirs, written)):
        reference, key = names.key(target, model.label)
        columns.append(
            Column(name=f"{side}_id", type=key.type, length=key.length, nullable=False, references=reference)
        )
    indexes = (
        columns_index("id", unique=True, primary=True),
        columns_index(columns[1].name, columns[2].name, unique=True),
        *(index for column in columns[1:] for index in _side_indexes(names.project, column)),
    )
    named = call is not None and call.arg(None, "db_table") is not None
    return Table(
        name=table if named else f"{table}_{field}",
        orm="django",
        columns=tuple(columns),
        indexes=indexes,
        place=call.place if call is not None else model.place,
    )


def _sides(model: Model, written: str, names: Names) -> tuple[str, str]:
    """What the two keys of a many-to-many field's table are named after."""
    other = names.model(written, model.label)
    mine = model.name.lower()
    if other is None:
        return mine, "user" if "AUTH_USER_MODEL" in written else written.rpartition(".")[2].lower()
    theirs = other.name.lower()
    return (f"from_{mine}", f"to_{theirs}") if other.key == model.key else (mine, theirs)


def _is_text(project: Project, column: Column) -> bool:
    return column.type.endswith(tuple(project.models.kinds["text-fields"]))


def _side_indexes(project: Project, column: Column) -> Iterator[Index]:
    if _is_text(project, column):
        yield Index(keys=(Key(column.name, opclass="varchar_pattern_ops"),))
    yield columns_index(column.name)


def _ordering(project: Project, options: Mapping[str, Node], columns: Iterable[Column]) -> Iterator[str]:
    names = {column.attribute: column.name for column in columns}
    for name in texts(project, options.get("ordering")):
        plain = name.lstrip("-")
        yield ("-" if name.startswith("-") else "") + names.get(plain, plain)


__all__ = ["Names", "condition_text", "table_name", "tables_of"]
