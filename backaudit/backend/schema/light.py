"""Tables of Tortoise's and Peewee's models: fields as calls in the class body, options in ``Meta``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from backaudit.backend.schema.tables import Relation, Table, columns_index
from backaudit.backend.schema.values import field_calls, items, number, text, texts, truth
from backaudit.project import ClassView, Node, Project
from backaudit.sql import Column, Index

_KEYS = frozenset({"ForeignKeyField", "OneToOneField"})
_MANY = frozenset({"ManyToManyField"})
_PRIMARY = frozenset({"AutoField", "BigAutoField", "IdentityField", "PrimaryKeyField"})


def tables(project: Project) -> Iterator[Table]:
    """The tables of all concrete models of both."""
    for orm, base in (("tortoise", "tortoise.models.Model"), ("peewee", "peewee.Model")):
        for cls in project.subclasses(base):
            table = _table(project, cls, "tortoise" if orm == "tortoise" else "peewee")
            if table is not None:
                yield table


def _table(project: Project, cls: ClassView, orm: Literal["tortoise", "peewee"]) -> Table | None:
    meta = cls.inner.get("Meta")
    options = meta.fields if meta is not None else {}
    declared = [
        (name, bind.origin) for _, name, bind in field_calls(project, cls) if bind.origin.method.endswith("Field")
    ]
    if truth(project, options.get("abstract")) or not declared:
        return None
    columns = [_column(project, name, call) for name, call in declared if call.method not in _MANY]
    if not any(column.primary_key for column in columns):
        columns.insert(0, Column(name="id", attribute="id", primary_key=True, nullable=False))
    named = next((text(project, options[key]) for key in ("table", "table_name", "db_table") if key in options), "")
    calls = dict(declared)
    return Table(
        name=named or cls.cls.name.lower(),
        orm=orm,
        model=cls.name,
        columns=tuple(columns),
        indexes=(*_own(project, columns, calls, orm), *_together(project, options, columns)),
        relations=tuple(r for name, call in declared for r in _relations(project, cls, name, call)),
        ordering=texts(project, options.get("ordering")),
        place=cls.place,
    )


def _column(project: Project, name: str, call: Node) -> Column:
    key = call.method in _KEYS
    primary = call.method in _PRIMARY or any(truth(project, call.arg(None, n)) for n in ("pk", "primary_key"))
    column = next(
        (text(project, call.arg(None, n)) for n in ("source_field", "column_name", "db_column") if call.arg(None, n)),
        "",
    )
    return Column(
        name=column or (f"{name}_id" if key else name),
        attribute=name,
        type=call.method,
        nullable=truth(project, call.arg(None, "null")),
        unique=primary or call.method == "OneToOneField" or truth(project, call.arg(None, "unique")),
        primary_key=primary,
        length=number(call.arg(None, "max_length")),
        default=call.arg(None, "default") is not None,
        references=_target(project, call) if key else "",
        few="Boolean" in call.method or "Enum" in call.method or call.arg(None, "choices") is not None,
    )


def _target(project: Project, call: Node) -> str:
    first = call.arg(0, "model") or call.arg(0, "model_name")
    if first is None:
        return ""
    return next((cls.name for cls in project.denoted_classes(first)), "") or text(project, first) or first.spelled


def _own(project: Project, columns: list[Column], calls: dict[str, Node], orm: str) -> Iterator[Index]:
    for column in columns:
        call = calls.get(column.attribute)
        place = call.place if call is not None else None
        switched = call is not None and any(truth(project, call.arg(None, name)) for name in ("index", "db_index"))
        if column.unique or column.primary_key:
            yield columns_index(column.name, unique=True, primary=column.primary_key, place=place)
        elif switched or (orm == "peewee" and column.references):
            yield columns_index(column.name, place=place)


def _together(project: Project, options: dict[str, Node], columns: list[Column]) -> Iterator[Index]:
    names = {column.attribute: column.name for column in columns}
    for option in ("unique_together", "indexes"):
        listed = items(options.get(option))
        for group in listed if all(items(item) for item in listed) else [options[option]]:
            inside = items(group)
            pair = inside[0] if inside and items(inside[0]) else group
            unique = option == "unique_together" or (
                pair is not group and truth(project, inside[1] if len(inside) > 1 else None)
            )
            fields = texts(project, pair)
            if fields:
                yield columns_index(*(names.get(f, f) for f in fields), unique=unique, place=group.place)


def _relations(project: Project, cls: ClassView, name: str, call: Node) -> Iterator[Relation]:
    if call.method not in _KEYS | _MANY:
        return
    target, many = _target(project, call), call.method in _MANY
    yield Relation(name=name, target=target, column="" if many else f"{name}_id", many=many, remote="*" if many else "")
    reverse = text(project, call.arg(None, "related_name")) or text(project, call.arg(None, "backref"))
    if reverse:
        yield Relation(name=f"<{reverse}", target=target, many=call.method != "OneToOneField", remote=f"{name}_id")
