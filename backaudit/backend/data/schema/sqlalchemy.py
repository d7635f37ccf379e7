"""Tables of SQLAlchemy's models: declarative and imperative, Flask-SQLAlchemy's and SQLModel's."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from backaudit.backend.data.orms import orms, traits
from backaudit.backend.data.schema.columns import column, column_indexes, declaration, described
from backaudit.backend.data.schema.constraints import constraint, references
from backaudit.backend.data.schema.relations import relations
from backaudit.backend.data.schema.tables import Orm, Relation, Table, columns_index, settled
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import field_calls, items, snake_case, text, truth
from backaudit.project.knowledge import BaseModel, BroughtColumn
from backaudit.sql import Column, Index
from backaudit.vocabulary.meaning import meaning

_SNAKE = meaning("texts", "snake-maker")


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


def imperative_models(project: Project) -> Iterator[tuple[str, str]]:
    """(model, table) of classes that ``map_imperatively`` or ``mapper`` maps to a ``Table``."""
    for last in ("map_imperatively", "mapper"):
        for node in project.calls_of(last):
            first, second = node.arg(0, "class_"), node.arg(1, "local_table")
            made = project.resolved(second) if second is not None else None
            name = text(project, made.arg(0, "name")) if made is not None and made.method == "Table" else ""
            for cls in project.denoted_classes(first) if first is not None and name else ():
                yield cls.name, name


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
    name = table_name(project, cls)
    parent = _mapped_parent(project, cls)
    if not name and parent is None:
        return None
    columns, indexes, related = _members_of(project, cls)
    _add_brought(project, cls, columns, indexes)
    if not columns and parent is None and "id" in {attribute for attribute, _ in _bindings(project, cls)}:
        columns.insert(0, Column(name="id", attribute="id", primary_key=True, nullable=False))
    attributes = {made.attribute: made.name for made in columns}
    arguments = list(_table_args(project, cls))
    indexes += [index for item in arguments if (index := constraint(project, item, attributes)) is not None]
    table = Table(
        name=name or table_name(project, parent) if parent is not None else name,
        orm=_orm(project, cls),
        model=cls.name,
        columns=tuple(columns),
        indexes=tuple(indexes),
        relations=tuple(related),
        parents=(parent.name,) if parent is not None and name else (),
        place=cls.place,
    )
    return settled(table, dict(pair for item in arguments for pair in references(project, item)))


def _members_of(project: Project, cls: ClassView) -> tuple[list[Column], list[Index], list[Relation]]:
    """The columns that a class declares, the indexes that they declare, and its relations."""
    columns: list[Column] = []
    indexes: list[Index] = []
    related: list[Relation] = []
    for attribute, bind in _bindings(project, cls):
        call = declaration(bind)
        if call is not None and call.is_call_of("relation-makers"):
            related += relations(project, attribute, call, bind)
        elif not attribute.startswith("__"):
            made = column(project, cls, attribute, bind, _annotated(project, cls, attribute))
            columns += [made[0]] if made is not None else []
            indexes += column_indexes(project, *made) if made is not None else ()
    return columns, indexes, related


def _add_brought(project: Project, cls: ClassView, columns: list[Column], indexes: list[Index]) -> None:
    """Adds what the libraries' classes bring below which a class stands, but for what it declares anew."""
    known = {made.attribute for made in columns}
    for brought in _brought(project, cls):
        if brought.name in known:
            continue
        known.add(brought.name)
        columns.append(
            Column(
                name=brought.name,
                attribute=brought.name,
                type=brought.type,
                length=brought.length,
                nullable=brought.nullable and not brought.key,
                unique=brought.unique,
                primary_key=brought.key,
                default=brought.default or brought.key,
                few=brought.few,
            )
        )
        if brought.unique or brought.indexed:
            indexes.append(columns_index(brought.name, unique=brought.unique))


def _brought(project: Project, cls: ClassView) -> Iterator[BroughtColumn]:
    """What the libraries' classes bring, of those that the class itself adds to a parent's table."""
    above = _mapped_above(project, cls)
    for base in _bases_told(project, cls, above):
        yield from base.columns


def _bases_told(project: Project, cls: ClassView, above: Collection[str] = ()) -> list[BaseModel]:
    """What is known of the libraries' classes that a class stands below, and that are not ``above`` a parent of it."""
    brings = project.models.brings
    return [brings[owner] for owner in project.lineage(cls.name) if owner in brings and owner not in above]


def _orm(project: Project, cls: ClassView) -> Orm:
    return next((name for name, orm in orms(project).items() if project.inherits(cls.name, *orm.below)), "sqlalchemy")


# -- names -----------------------------------------------------------------------------------------------------------


def table_name(project: Project, cls: ClassView) -> str:
    """The table of a class, empty for abstract bases, mixins and classes that share their parent's table."""
    names = project.once(_names)
    if cls.name not in names:
        names[cls.name] = ""
        names[cls.name] = _table_name(project, cls)
    return names[cls.name]


def _names(project: Project) -> dict[str, str]:
    return {}


def _table_name(project: Project, cls: ClassView) -> str:
    own = cls.fields
    if truth(project, own.get("__abstract__")) or not _is_mapped(project, cls):
        return ""
    if "__tablename__" in own:
        return text(project, own["__tablename__"]) or snake_case(cls.cls.name)
    orm = traits(project, _orm(project, cls))
    if orm.asked_by and not _asks_for_table(project, cls, orm.asked_by):
        return ""
    if "__table__" in own and (made := own["__table__"].origin).call is not None:
        return text(project, made.arg(0, "name"))
    declared = _declared_name(project, cls)
    if declared and (orm.asked_by or any(_columns_of(project, cls))):
        return declared
    if orm.unnamed == "lower":
        return cls.cls.name.lower()
    told = _bases_told(project, cls)
    called = next((base.called for base in told if base.called), "")
    in_snake_case = orm.unnamed == "snake" or any(base.unnamed == "snake" for base in told)
    return called or (_name_in_snake_case(project, cls) if in_snake_case else "")


def _asks_for_table(project: Project, cls: ClassView, keyword: str) -> bool:
    """``class Post(SQLModel, table=True)``."""
    keywords = dict(cls.cls.keywords)
    return keyword in keywords and truth(project, cls.outer.node(keywords[keyword]))


def _name_in_snake_case(project: Project, cls: ClassView) -> str:
    """The name that an ORM makes; without a key of its own a class shares the table that it extends."""
    shares = _mapped_parent(project, cls) is not None and not any(_keys(project, cls))
    has_columns = any(_columns_of(project, cls)) or any(_brought(project, cls))
    return snake_case(cls.cls.name) if has_columns and not shares else ""


def _declared_name(project: Project, cls: ClassView) -> str:
    """The name that a base's ``declared_attr`` gives the class."""
    for view in project.lineage_views(cls.name):
        method = view.methods.get("__tablename__")
        for node in _returned(method) if method is not None else ():
            return _evaluated(project, cls, node) or snake_case(cls.cls.name)
    return ""


def _evaluated(project: Project, cls: ClassView, node: Node) -> str:
    """An expression over ``cls.__name__``: case, parts added, functions that spell it with underscores."""
    node = node.origin
    op = node.op
    if isinstance(op, ops.Attr):
        return cls.cls.name if op.name == "__name__" else ""
    if isinstance(op, ops.Bin) and op.operator == "+":
        return _evaluated(project, cls, node.to(op.left)) + _evaluated(project, cls, node.to(op.right))
    if isinstance(op, ops.Format):
        return _evaluated(project, cls, node.to(op.value))
    if isinstance(op, ops.Build) and op.kind == "fstring":
        return "".join(_evaluated(project, cls, node.to(item)) for item in op.items)
    if node.call is not None:
        return _called_name(project, cls, node)
    return text(project, node)


def _called_name(project: Project, cls: ClassView, node: Node) -> str:
    inside = [name for argument in node.args() if (name := _evaluated(project, cls, argument))]
    if _SNAKE.holds(node.method.lower()):
        return snake_case(cls.cls.name)
    receiver = _evaluated(project, cls, node.receiver) if node.receiver is not None else ""
    if node.method in ("lower", "upper") and receiver:
        return receiver.lower() if node.method == "lower" else receiver.upper()
    return snake_case(cls.cls.name) if cls.cls.name in inside else ""


def _is_mapped(project: Project, cls: ClassView) -> bool:
    bases = project.models.kinds["declarative-base"]
    return project.inherits(cls.name, *bases) or "__tablename__" in cls.fields or "__table__" in cls.fields


def _mapped_parent(project: Project, cls: ClassView) -> ClassView | None:
    """The nearest base that has a table."""
    if truth(project, cls.fields.get("__abstract__")):
        return None
    for view in project.lineage_views(cls.name)[1:]:
        if table_name(project, view):
            return view
    return None


# -- members ---------------------------------------------------------------------------------------------------------


def _members(project: Project, cls: ClassView) -> Iterator[tuple[str, Node]]:
    """What the class binds, and its bases as far as they have no table of their own."""
    above = _mapped_above(project, cls)
    yield from ((name, bind) for owner, name, bind in field_calls(project, cls) if owner.name not in above)
    for owner in reversed(project.lineage(cls.name)):
        view = project.class_named(owner) if owner not in above else None
        for name, method in view.methods.items() if view is not None else ():
            if _declares(method):
                yield from ((name, node) for node in _returned(method))


def _mapped_above(project: Project, cls: ClassView) -> set[str]:
    """The bases that have a table, and theirs."""
    above: set[str] = set()
    for owner in project.lineage(cls.name)[1:]:
        view = project.class_named(owner)
        if view is not None and table_name(project, view):
            above.update(project.lineage(owner))
    return above


def _annotated(project: Project, cls: ClassView, attribute: str) -> Node | None:
    """What a ``declared_attr`` method says that it returns."""
    views = project.lineage_views(cls.name)
    method = next((view.methods[attribute] for view in views if attribute in view.methods), None)
    return method.outside(method.function.returns) if method is not None else None


def _bindings(project: Project, cls: ClassView) -> list[tuple[str, Node]]:
    return list(_members(project, cls))


def _columns_of(project: Project, cls: ClassView) -> Iterator[Node]:
    for _, bind in _members(project, cls):
        call = declaration(bind)
        if call is not None and (call.is_call_of("column-makers") or call.is_call_of("relation-makers")):
            yield call


def _keys(project: Project, cls: ClassView) -> Iterator[Node]:
    return (call for call in _columns_of(project, cls) if truth(project, call.arg(None, "primary_key")))


def _declares(method: Code) -> bool:
    return any("declared_attr" in decorator.spelled for decorator in method.decorators)


def _returned(method: Code) -> list[Node]:
    return [method.node(op.value) for op in method.ops if isinstance(op, ops.Return) and op.value != ops.NONE]


def _table_args(project: Project, cls: ClassView) -> Iterator[Node]:
    """The items of ``__table_args__`` of the nearest class that has one; a parent's with a table are its own."""
    for owner in project.lineage(cls.name):
        view = project.class_named(owner)
        if view is None:
            continue
        if owner != cls.name and table_name(project, view):
            return
        method = view.methods.get("__table_args__")
        declared = [view.fields["__table_args__"]] if "__table_args__" in view.fields else []
        declared += _returned(method) if method is not None else []
        if declared:
            yield from (item for node in declared for item in items(node))
            return


# -- imperative ------------------------------------------------------------------------------------------------------


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
            columns.append(described(project, None, named, (item,)))
            indexes += column_indexes(project, columns[-1], (item,))
        index = constraint(project, item, {})
        indexes += [index] if index is not None else []
    table = Table(name=name, orm="sqlalchemy", columns=tuple(columns), indexes=tuple(indexes), place=node.place)
    return settled(table, dict(pair for item in arguments for pair in references(project, item)))


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
