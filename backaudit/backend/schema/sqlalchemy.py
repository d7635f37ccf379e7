"""Tables of SQLAlchemy's models: declarative and imperative, Flask-SQLAlchemy's and SQLModel's."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.schema.tables import Orm, Relation, Table, columns_index
from backaudit.backend.schema.values import (
    annotation_of,
    entries,
    enumerated,
    field_calls,
    items,
    number,
    snake_case,
    text,
    truth,
)
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.sql import Column, Index, Key, normal

_COLUMN = frozenset({"Column", "mapped_column", "Field"})
_RELATION = frozenset({"relationship", "Relationship", "dynamic_loader"})
_EAGER = frozenset({"joined", "selectin", "subquery", "immediate", "noload", "raise"})
_NOT_TYPES = frozenset(
    {"ForeignKey", "Sequence", "Computed", "Identity", "CheckConstraint", "FetchedValue", "DefaultClause"}
)
_SWITCHES = ("primary_key", "index", "unique")


def tables(project: Project) -> Iterator[Table]:
    """The tables of all mapped classes, then those made by ``Table(...)``."""
    for cls in _models(project):
        table = _table(project, cls)
        if table is not None:
            yield table
    for node in project.calls_of("Table"):
        table = _imperative(project, node)
        if table is not None:
            yield table


def _models(project: Project) -> Iterator[ClassView]:
    """Classes below a declarative base, and those that hold columns though their base is unknown."""
    found = {cls.name: cls for cls in project.subclasses(*project.models.kinds["declarative-base"])}
    for last in ("Column", "mapped_column"):
        for node in project.calls_of(last):
            cls = node.code.cls
            if node.code.function.kind == "class" and cls is not None:
                found.setdefault(cls.name, cls)
    return iter([found[name] for name in sorted(found)])


def _table(project: Project, cls: ClassView) -> Table | None:
    name = _table_name(project, cls)
    if not name:
        return None
    columns: list[Column] = []
    indexes: list[Index] = []
    relations: list[Relation] = []
    for attribute, bind in _bindings(project, cls):
        call = _declaration(bind)
        if call is not None and call.method in _RELATION:
            relations += _relation(project, attribute, call, bind)
        elif attribute.startswith("__"):
            continue
        elif (column := _column(project, attribute, call, bind)) is not None:
            columns.append(column)
            indexes += _column_indexes(project, column, call)
    primary = tuple(column.name for column in columns if column.primary_key)
    if (
        not primary
        and not any(c.name == "id" for c in columns)
        and "id" in {attribute for attribute, _ in _bindings(project, cls)}
    ):
        columns.insert(0, Column(name="id", attribute="id", primary_key=True, nullable=False))
        primary = ("id",)
    if primary:
        indexes.insert(0, columns_index(*primary, unique=True, primary=True))
    indexes += _table_args(project, cls, columns)
    return Table(
        name=name,
        orm=_orm(project, cls),
        model=cls.name,
        columns=tuple(columns),
        indexes=tuple(indexes),
        relations=tuple(relations),
        place=cls.place,
    )


def _orm(project: Project, cls: ClassView) -> Orm:
    if project.inherits(cls.name, "sqlmodel.SQLModel"):
        return "sqlmodel"
    return "flask_sqlalchemy" if project.inherits(cls.name, "flask_sqlalchemy.Model") else "sqlalchemy"


def _table_name(project: Project, cls: ClassView) -> str:
    """The table of a class, empty for abstract bases, mixins and classes that share their parent's table."""
    own = cls.fields
    if truth(project, own.get("__abstract__")) or not _is_mapped(project, cls):
        return ""
    if "__tablename__" in own:
        return text(project, own["__tablename__"]) or snake_case(cls.cls.name)
    keywords = dict(cls.cls.keywords)
    if project.inherits(cls.name, "sqlmodel.SQLModel"):
        return cls.cls.name.lower() if "table" in keywords and truth(project, cls.outer.node(keywords["table"])) else ""
    inherited = "__tablename__" in cls.methods or any(
        "__tablename__" in base.methods
        for base in map(project.class_named, project.lineage(cls.name))
        if base is not None
    )
    if inherited or project.inherits(cls.name, "flask_sqlalchemy.Model"):
        return snake_case(cls.cls.name) if any(_own_columns(cls)) else ""
    if "__table__" in own and (made := own["__table__"].origin).call is not None:
        return text(project, made.arg(0, "name"))
    return ""


def _own_columns(cls: ClassView) -> Iterator[str]:
    for name, bind in cls.fields.items():
        call = _declaration(bind)
        if call is not None and call.method in _COLUMN | _RELATION:
            yield name


def _is_mapped(project: Project, cls: ClassView) -> bool:
    bases = project.models.kinds["declarative-base"]
    return project.inherits(cls.name, *bases) or "__tablename__" in cls.fields or "__table__" in cls.fields


def _bindings(project: Project, cls: ClassView) -> Iterator[tuple[str, Node]]:
    """What the class and its bases bind, with the results of ``declared_attr`` methods."""
    yield from ((name, bind) for _, name, bind in field_calls(project, cls))
    for owner in reversed(project.lineage(cls.name)):
        view = project.class_named(owner)
        for name, method in view.methods.items() if view is not None else ():
            if _declares(method):
                yield from ((name, node) for node in _returned(method))


def _declares(method: Code) -> bool:
    return any("declared_attr" in decorator.spelled for decorator in method.decorators)


def _declaration(bind: Node) -> Node | None:
    """The call that declares a column or relation: also inside ``deferred(...)`` and ``column_property(...)``."""
    call = bind.origin
    if call.call is None:
        return None
    if call.method in ("deferred", "column_property", "synonym"):
        inner = call.arg(0)
        return inner.origin if inner is not None and inner.call is not None else None
    return call


def _column(project: Project, attribute: str, call: Node | None, bind: Node) -> Column | None:
    annotation = annotation_of(bind)
    declared = project.annotated(annotation) if annotation is not None else ()
    if call is None or call.method not in _COLUMN:
        plain = call is None and annotation is not None and _is_column_annotation(project, bind, declared)
        return (
            Column(name=attribute, attribute=attribute, type=_simple(declared), few=enumerated(project, declared))
            if plain
            else None
        )
    inner = call.arg(None, "sa_column")
    source = inner.origin if inner is not None and inner.call is not None else call
    return _described(project, attribute, source, declared)


def _is_column_annotation(project: Project, bind: Node, declared: tuple[str, ...]) -> bool:
    """Whether a bare annotation maps a column: ``Mapped[...]``, or any field of an SQLModel."""
    cls = bind.code.cls
    annotation = annotation_of(bind)
    if cls is None or annotation is None:
        return False
    if project.inherits(cls.name, "sqlmodel.SQLModel"):
        return not any(project.class_named(name) and not enumerated(project, (name,)) for name in declared)
    op = annotation.origin.op
    return isinstance(op, ops.Item) and annotation.origin.to(op.base).spelled.rpartition(".")[2] == "Mapped"


def _described(project: Project, attribute: str, call: Node, declared: tuple[str, ...]) -> Column:
    positional = [call.to(value) for value in call.call.args] if call.call is not None else []
    explicit = positional[0].text if positional else None
    keys = [node for node in positional if node.call is not None and node.method == "ForeignKey"]
    type_ = call.arg(None, "type_") or call.arg(None, "sa_type") or next(iter(_types(positional)), None)
    reference = text(project, call.arg(None, "foreign_key")) or (_target(project, keys[0]) if keys else "")
    nullable = call.arg(None, "nullable")
    primary = truth(project, call.arg(None, "primary_key"))
    spelled = _type_name(type_) or _simple(declared)
    return Column(
        name=explicit or text(project, call.arg(None, "name")) or attribute,
        attribute=attribute,
        type=spelled,
        nullable=not primary and (nullable is None or nullable.const is not False),
        unique=truth(project, call.arg(None, "unique")),
        primary_key=primary,
        length=_length(type_, call),
        default=any(call.arg(None, name) is not None for name in ("default", "server_default", "default_factory")),
        references=reference,
        few=spelled.lower().startswith(("bool", "enum", "choice")) or enumerated(project, declared),
    )


def _types(positional: list[Node]) -> Iterator[Node]:
    for node in positional:
        if node.text is None and not (node.call is not None and node.method in _NOT_TYPES):
            yield node


def _type_name(node: Node | None) -> str:
    if node is None:
        return ""
    return node.method if node.call is not None else node.spelled.rpartition(".")[2]


def _simple(declared: tuple[str, ...]) -> str:
    return declared[0].rpartition(".")[2] if declared else ""


def _length(type_: Node | None, call: Node) -> int | None:
    inside = type_.arg(0, "length") if type_ is not None and type_.call is not None else None
    return number(inside) or number(call.arg(None, "max_length"))


def _target(project: Project, key: Node) -> str:
    """``ForeignKey("users.id")``, ``ForeignKey(column="users.id")`` or ``ForeignKey(User.id)``."""
    first = key.arg(0, "column")
    if first is None:
        return ""
    named = text(project, first)
    if named:
        return ".".join(named.split(".")[-2:])
    op = first.origin.op
    if isinstance(op, ops.Attr):
        for cls in project.denoted_classes(first.origin.to(op.base)):
            return f"{_table_name(project, cls)}.{op.name}"
    return first.spelled


def _column_indexes(project: Project, column: Column, call: Node | None) -> Iterator[Index]:
    source = call.arg(None, "sa_column") if call is not None else None
    source = source.origin if source is not None and source.call is not None else call
    if source is None:
        return
    unique = truth(project, source.arg(None, "unique"))
    if unique or truth(project, source.arg(None, "index")):
        yield columns_index(column.name, unique=unique, place=source.place)


def _table_args(project: Project, cls: ClassView, columns: list[Column]) -> Iterator[Index]:
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        if view is None:
            continue
        declared = [view.fields["__table_args__"]] if "__table_args__" in view.fields else []
        method = view.methods.get("__table_args__")
        declared += _returned(method) if method is not None else []
        for item in (item for node in declared for item in items(node)):
            index = constraint(project, item, {column.attribute: column.name for column in columns})
            if index is not None:
                yield index


def _returned(method: Code) -> list[Node]:
    return [method.node(op.value) for op in method.ops if isinstance(op, ops.Return) and op.value != ops.NONE]


def constraint(project: Project, item: Node, names: dict[str, str]) -> Index | None:
    """The index that an ``Index`` or a constraint makes; ``names``: attribute to column."""
    call = item.origin.call
    if call is None or item.method not in ("Index", "UniqueConstraint", "PrimaryKeyConstraint"):
        return None
    arguments = [item.origin.to(value) for value in call.args]
    arguments = arguments[1:] if item.method == "Index" else arguments
    where = item.arg(None, "postgresql_where") or item.arg(None, "sqlite_where")
    keys = tuple(key for node in arguments if (key := _key(project, node, names)) is not None)
    if not keys:
        return None
    return Index(
        keys=_with_opclasses(project, item, keys),
        name=text(project, item.arg(0, "name")) if item.method == "Index" else "",
        unique=item.method != "Index" or truth(project, item.arg(None, "unique")),
        primary=item.method == "PrimaryKeyConstraint",
        where=_condition(where) if where is not None else "",
        method=text(project, item.arg(None, "postgresql_using")) or "btree",
        place=item.place,
    )


def _with_opclasses(project: Project, item: Node, keys: tuple[Key, ...]) -> tuple[Key, ...]:
    given = entries(item.arg(None, "postgresql_ops"))
    return tuple(msgspec.structs.replace(key, opclass=text(project, given.get(key.text))) for key in keys)


def _condition(node: Node) -> str:
    """A partial index's predicate; ``?`` for what cannot be read, which equals nothing."""
    inner = node.origin.arg(0) if node.origin.method == "text" else None
    if inner is not None and inner.text is not None:
        return normal(inner.text)
    return normal(node.text) if node.text else expression_text(node) or "?"


def expression_text(node: Node) -> str:
    """A simple condition or expression over columns as SQL in normal form, empty if it is not simple."""
    if isinstance(node.op, ops.Bind) and node.origin.method in _COLUMN:
        return node.op.name
    node = node.origin
    op = node.op
    if isinstance(op, ops.Compare):
        left, right = expression_text(node.to(op.left)), node.to(op.right)
        null = right.origin.op
        if isinstance(null, ops.Const) and null.value is None:
            return normal(f"{left} IS {'NOT ' if op.operator in ('!=', 'is not') else ''}NULL") if left else ""
        value = right.const
        spelled = repr(value).upper() if isinstance(value, bool) else repr(value)
        symbol = {"==": "=", "!=": "<>"}.get(op.operator, op.operator)
        return normal(f"{left} {symbol} {spelled}") if left and value is not None else ""
    if node.call is not None:
        return _call_text(node)
    return node.spelled.rpartition(".")[2]


def _call_text(node: Node) -> str:
    receiver = node.receiver
    inside = expression_text(receiver) if receiver is not None else ""
    if node.method in ("is_", "isnot", "is_not") and inside:
        value = node.arg(0)
        spelled = "NULL" if value is None or value.const is None else repr(value.const).upper()
        return normal(f"{inside} IS {'' if node.method == 'is_' else 'NOT '}{spelled}")
    if node.receiver is not None and node.receiver.spelled.rpartition(".")[2] == "func" and node.arg(0) is not None:
        first = node.arg(0)
        argument = expression_text(first) if first is not None else ""
        return normal(f"{node.method}({argument})") if argument else ""
    return ""


def _key(project: Project, node: Node, names: dict[str, str]) -> Key | None:
    node = node.origin if node.origin.call is not None and node.origin.method not in _COLUMN else node
    named = text(project, node)
    if named:
        return Key(names.get(named, named))
    if node.call is not None and node.method in ("desc", "asc", "nulls_last", "nullslast", "nulls_first", "nullsfirst"):
        inner = node.receiver if node.arg(0) is None else node.arg(0)
        key = _key(project, inner, names) if inner is not None else None
        return key and msgspec.structs.replace(key, descending=node.method == "desc" or key.descending)
    if node.call is not None and node.method == "text":
        return _text_key(text(project, node.arg(0)))
    if node.call is not None and node.method not in _COLUMN:
        spelled = expression_text(node)
        return Key(spelled or "?", True)
    name = node.spelled.rpartition(".")[2]
    return Key(names.get(name, name)) if name else None


def _text_key(written: str) -> Key:
    plain = written.lower().removesuffix(" desc").removesuffix(" asc").strip()
    descending = written.lower().endswith(" desc")
    return Key(plain, False, descending) if plain.isidentifier() else Key(normal(plain), True, descending)


def _relation(project: Project, attribute: str, call: Node, bind: Node) -> Iterator[Relation]:
    annotation = annotation_of(bind)
    declared = project.annotated(annotation) if annotation is not None else ()
    target = _target_class(project, call, declared)
    if not target:
        return
    lazy = text(project, call.arg(None, "lazy"))
    keys = call.arg(None, "foreign_keys")
    local = [node.spelled.rpartition(".")[2] for node in (items(keys) or [keys]) if node is not None] if keys else []
    hint = local[0] if local else ""
    many = any(name.startswith(("list[", "builtins.list", "builtins.set")) for name in declared)
    uselist = call.arg(None, "uselist")
    eager = lazy in _EAGER or _is_false(call.arg(None, "lazy"))
    secondary = call.arg(None, "secondary") is not None or call.arg(None, "link_model") is not None
    yield Relation(
        name=attribute,
        target=target,
        column=hint,
        many=(many or secondary) and not (uselist is not None and uselist.const is False),
        eager=eager,
        dynamic=lazy in ("dynamic", "write_only"),
        remote="*" if secondary else "",
    )
    backref = call.arg(None, "backref")
    if backref is not None and not secondary:
        named = text(project, backref) or text(project, backref.arg(0) if backref.call is not None else None)
        lazy = text(project, backref.arg(None, "lazy")) if backref.call is not None else ""
        yield Relation(name=f"<{named}", target=target, eager=lazy in _EAGER, dynamic=lazy == "dynamic")


def _is_false(node: Node | None) -> bool:
    """Whether it is ``lazy=False``, the older spelling of joined loading."""
    return node is not None and node.const is False


def _target_class(project: Project, call: Node, declared: tuple[str, ...]) -> str:
    first = call.arg(0, "argument")
    if first is not None:
        named = text(project, first)
        if named:
            return named
        for cls in project.denoted_classes(first):
            return cls.name
        if isinstance(first.origin.op, ops.Def):
            inside = first.code.file.code(first.origin.op.function)
            return next((n.spelled for n in inside.nodes(ops.Name)), "")
    over = [name.removeprefix("list[").removesuffix("]") for name in declared]
    return next((name for name in over if project.class_named(name) is not None), "") or _quoted(call)


def _quoted(call: Node) -> str:
    """The class in a quoted annotation of the same declaration (``Mapped[list["Post"]]``)."""
    for node in call.code.nodes(ops.Bind):
        op = node.op
        if isinstance(op, ops.Bind) and call.code.origin(op.value) == call.value and op.annotation >= 0:
            return next((n.text for n in _inside(call.code.node(op.annotation)) if n.text), "")
    return ""


def _inside(node: Node) -> Iterator[Node]:
    yield node
    op = node.origin.op
    parts: tuple[int, ...] = ()
    if isinstance(op, ops.Item):
        parts = (op.key,)
    elif isinstance(op, ops.Build):
        parts = op.items
    elif isinstance(op, ops.Bin):
        parts = (op.left, op.right)
    for part in parts:
        yield from _inside(node.origin.to(part))


def _imperative(project: Project, node: Node) -> Table | None:
    """``Table("name", metadata, Column(...), ...)``."""
    name = text(project, node.arg(0, "name"))
    arguments = [node.origin.to(value).origin for value in node.call.args[1:]] if node.call is not None else []
    made = [item for item in arguments if item.call is not None and item.method == "Column"]
    if not name or not made:
        return None
    return from_columns(project, name, arguments, node)


def from_columns(project: Project, name: str, arguments: list[Node], node: Node) -> Table:
    """A table from ``Column(...)`` and constraint calls: of ``Table(...)`` or a migration's ``create_table(...)``."""
    columns: list[Column] = []
    indexes: list[Index] = []
    for item in arguments:
        if item.method == "Column" and item.call is not None and (named := text(project, item.arg(0, "name"))):
            columns.append(_described(project, named, item, ()))
            indexes += _column_indexes(project, columns[-1], item)
        index = constraint(project, item, {})
        indexes += [index] if index is not None else []
    primary = tuple(column.name for column in columns if column.primary_key)
    if primary:
        indexes.insert(0, columns_index(*primary, unique=True, primary=True))
    return Table(name=name, orm="sqlalchemy", columns=tuple(columns), indexes=tuple(indexes), place=node.place)


def late_indexes(project: Project) -> Iterator[tuple[str, Index]]:
    """(model, index) of ``Index("name", User.email)`` calls outside of class bodies."""
    for node in project.calls_of("Index"):
        if node.code.function.kind == "class" or node.call is None or project.role(node.code.path) == "migration":
            continue
        for value in node.call.args[1:2]:
            first = node.origin.to(value)
            for part in _inside_call(first):
                op = part.origin.op
                base = part.origin.to(op.base) if isinstance(op, ops.Attr) else None
                for cls in project.denoted_classes(base) if base is not None else ():
                    index = constraint(project, node, {})
                    if index is not None:
                        yield cls.name, index


def _inside_call(node: Node) -> Iterator[Node]:
    yield node
    for part in node.args():
        yield from _inside_call(part)
