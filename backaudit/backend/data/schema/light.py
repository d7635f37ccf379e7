"""Tables of Tortoise's and Peewee's models: fields as calls in the class body, options in ``Meta``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from backaudit.backend.data.schema.tables import Relation, Table, columns_index, settled
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import field_calls, items, number, snake_case, text, texts, truth
from backaudit.sql import Column, Index

_KEYS = frozenset({"ForeignKeyField", "OneToOneField"})
_MANY = frozenset({"ManyToManyField"})
_PRIMARY = frozenset({"AutoField", "BigAutoField", "IdentityField", "PrimaryKeyField"})
# What Peewee's models take over from the Meta of their bases.
_INHERITED = frozenset({"legacy_table_names", "primary_key", "indexes", "database"})
_NAMES = ("table", "table_name", "db_table")
_DEFAULT_LENGTH = 255

LightOrm = Literal["tortoise", "peewee"]


def tables(project: Project) -> Iterator[Table]:
    """The tables of all concrete models of both, then those between many and many."""
    for orm, base in (("tortoise", "tortoise.models.Model"), ("peewee", "peewee.Model")):
        classes = project.subclasses(base)
        made = [
            table for cls in classes if (table := _table(project, cls, "peewee" if orm == "peewee" else "tortoise"))
        ]
        yield from made
        by_model = {table.model: table for table in made}
        for table in made:
            cls = project.class_named(table.model)
            for name, call in _declared(project, cls) if cls is not None else ():
                between = _between(project, table, name, call, by_model) if call.method in _MANY else None
                if between is not None:
                    yield between


def _declared(project: Project, cls: ClassView) -> list[tuple[str, Node]]:
    return [(name, bind.origin) for _, name, bind in field_calls(project, cls) if bind.origin.method.endswith("Field")]


def _table(project: Project, cls: ClassView, orm: LightOrm) -> Table | None:
    options = _options(project, cls, orm)
    declared = _declared(project, cls)
    if truth(project, options.get("abstract")) or not declared or (orm == "peewee" and _is_base(project, cls, options)):
        return None
    columns = [_column(project, name, call, orm) for name, call in declared if call.method not in _MANY]
    calls = dict(declared)
    composite = _composite(project, options, columns)
    if not composite and not any(column.primary_key for column in columns):
        columns.insert(0, Column(name="id", attribute="id", type="AutoField", primary_key=True, nullable=False))
    indexes = (*_own(project, columns, calls, orm), *_together(project, options, columns))
    table = Table(
        name=_table_name(project, cls, options, orm),
        orm=orm,
        model=cls.name,
        columns=tuple(columns),
        indexes=(columns_index(*composite, unique=True, primary=True), *indexes) if composite else indexes,
        relations=tuple(r for name, call in declared for r in _relations(project, cls, name, call)),
        ordering=texts(project, options.get("ordering")),
        place=cls.place,
    )
    return settled(table)


def _options(project: Project, cls: ClassView, orm: LightOrm) -> dict[str, Node]:
    """The entries of ``Meta``; Peewee inherits some of them."""
    found: dict[str, Node] = {}
    for owner in project.lineage(cls.name) if orm == "peewee" else (cls.name,):
        view = project.class_named(owner)
        meta = view.inner.get("Meta") if view is not None else None
        for name, node in meta.fields.items() if meta is not None else ():
            if owner == cls.name or name in _INHERITED:
                found.setdefault(name, node)
    return found


def _is_base(project: Project, cls: ClassView, options: dict[str, Node]) -> bool:
    """Whether a Peewee model is only there for others to extend: it is never given a table's name, nor a key."""
    return any(True for _ in _children(project, cls)) and not any(name in options for name in _NAMES)


def _children(project: Project, cls: ClassView) -> Iterator[ClassView]:
    return (other for other in project.subclasses(cls.name) if other.name != cls.name)


def _table_name(project: Project, cls: ClassView, options: dict[str, Node], orm: LightOrm) -> str:
    named = next((text(project, options[key]) for key in _NAMES if key in options), "")
    legacy = options.get("legacy_table_names")
    snake = orm == "peewee" and legacy is not None and legacy.const is False
    return named or (snake_case(cls.cls.name) if snake else cls.cls.name.lower())


def _composite(project: Project, options: dict[str, Node], columns: list[Column]) -> tuple[str, ...]:
    """The columns of ``primary_key = CompositeKey("a", "b")``."""
    made = options.get("primary_key")
    names = {column.attribute: column.name for column in columns}
    given = made.origin.args() if made is not None and made.origin.method == "CompositeKey" else []
    return tuple(names.get(name, name) for name in (text(project, node) for node in given) if name)


def _between(project: Project, table: Table, name: str, call: Node, models: dict[str, Table]) -> Table | None:
    """The table of a many-to-many field, unless it is a model of its own."""
    written = _target(project, call)
    simple = written.rpartition(".")[2].lower()
    target = models.get(written) or next((t for m, t in models.items() if m.rpartition(".")[2].lower() == simple), None)
    if target is None or call.arg(None, "through_model") is not None:
        return None
    mine, theirs = (f"{t.model.rpartition('.')[2].lower()}_id" for t in (table, target))
    if table.orm == "peewee":
        first, second = sorted((table.name, target.name))
        title = f"{first}_{second}_through"
    else:
        title = text(project, call.arg(None, "through")) or f"{table.name}_{target.name}"
        mine = text(project, call.arg(None, "backward_key")) or mine
        theirs = text(project, call.arg(None, "forward_key")) or theirs
    keys = ((mine, table), (theirs, target))
    columns = tuple(
        Column(name=n, nullable=False, references=f"{t.name}.{(t.primary_key or ('id',))[0]}") for n, t in keys
    )
    single = (columns_index(mine), columns_index(theirs)) if table.orm == "peewee" else ()
    row = (Column(name="id", type="AutoField", primary_key=True, nullable=False),) if table.orm == "peewee" else ()
    made = Table(
        name=title,
        orm=table.orm,
        columns=(*row, *columns),
        indexes=(columns_index(mine, theirs, unique=True), *single),
        place=call.place,
    )
    return settled(made)


def _column(project: Project, name: str, call: Node, orm: LightOrm) -> Column:
    key = call.method in _KEYS
    text_field = call.method == "CharField"
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
        length=number(call.arg(None, "max_length")) or (_DEFAULT_LENGTH if orm == "peewee" and text_field else None),
        default=call.arg(None, "default") is not None,
        references=_target(project, call) if key else "",
        few="Boolean" in call.method or "Enum" in call.method or call.arg(None, "choices") is not None,
    )


def _target(project: Project, call: Node) -> str:
    first = call.arg(0, "model") or call.arg(0, "model_name")
    if first is None:
        return ""
    cls = call.code.cls
    if text(project, first) == "self" and cls is not None:
        return cls.name
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
        made = [item for item in listed if item.origin.call is not None]
        for item in made:
            fields = texts(project, item.arg(None, "fields")) or tuple(text(project, a) for a in item.args())
            if fields and all(fields):
                yield columns_index(*(names.get(f, f) for f in fields), place=item.place)
        listed = [item for item in listed if item not in made]
        for group in listed if made or all(items(item) for item in listed) else [options[option]]:
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
