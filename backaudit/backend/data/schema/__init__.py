"""The schema that a project's models, migrations and scripts describe.

An index that any source declares counts as existing: models and databases drift apart, and what one of them has is no
news to the reader. So a finding needs all sources to be silent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

import msgspec

from backaudit.backend.data.orms import traits
from backaudit.backend.data.schema import alembic, django, light, scripts, sqlalchemy
from backaudit.backend.data.schema.tables import (
    Engine,
    Orm,
    Relation,
    Schema,
    Table,
    columns_index,
    settled,
    with_definition,
)
from backaudit.backend.deployment.deployables import is_deployable
from backaudit.backend.deployment.settings import settings_named
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.project import Code, Project
from backaudit.project.declarations import snake_case
from backaudit.project.locate import imported_packages, text_of
from backaudit.project.strings import spelled_strings
from backaudit.sql import Column, Definition, Index, Key

__all__ = ["Column", "Index", "Key", "Orm", "Relation", "Schema", "Table", "schema", "snake_case"]


_ADDRESS = re.compile(r"\b(mysql|mariadb|postgres|sqlite)(?:ql)?(?:\+\w+)?://")
# Types by which models say that a column is a key, not what it holds.
_SQLITE = frozenset({"sqlite3", "aiosqlite"})


def schema(project: Project) -> Schema:
    """All tables that the project defines, whatever defines them."""
    return project.once(_schema)


def declared(project: Project) -> Schema:
    """The tables as the models declare them, whatever the migrations say."""
    return project.once(_declared)


def _declared(project: Project) -> Schema:
    found = _from_models(project)
    _add_late(found, project)
    return Schema(found.values())


def migrated(project: Project) -> Schema:
    """The tables as the migrations leave them, whatever the models say."""
    return project.once(_migrated)


def _migrated(project: Project) -> Schema:
    state = alembic.replayed(project)
    state.tables |= {table.name.lower(): table for table in django.migrated(project)}
    for node in django.raw_statements(project):
        first = node.arg(0, "sql")
        for written in spelled_strings(project, first) if first is not None else ():
            state.run(written, node.place)
    return Schema(state.settle().values())


def _schema(project: Project) -> Schema:
    found = _from_models(project)
    _add_definitions(found, project)
    found = {name: settled(table) for name, table in found.items()}
    linked = _linked(project, found)
    engine = _engine(project)
    if engine == "mysql":
        linked = {name: _with_indexed_keys(table) for name, table in linked.items()}
    views = scripts.views(project)
    linked = {
        name: msgspec.structs.replace(table, engine=engine, view=table.name.lower() in views)
        for name, table in linked.items()
    }
    result = Schema(found[name] if name not in linked else linked[name] for name in sorted(found))
    for model, table_name in (*_sharing(project), *sqlalchemy.imperative_models(project)):
        shared = result.table(table_name)
        if shared is not None:
            result.alias(model, shared)
    user = django.custom_user(project)
    table = result.of_model(user) if user else None
    if table is not None:
        result.alias(django.USER, table)
    return result


def _engine(project: Project) -> Engine:
    """The database: by the address that the deployment's files give or the application has, and by the drivers imported
    or required where that is not written out. PostgreSQL where nothing, or more than one, is told.
    """
    deployed = _deployed_on(project)
    if deployed == {"mysql"}:
        return "mysql"
    addresses = [text_of(project, found.value) or "" for found in settings_named(project, "SQLALCHEMY_DATABASE_URI")]
    written = [address for address in addresses if address.startswith(("sqlite", "postgres"))]
    if written:
        return "sqlite" if {*deployed, *(address[:6] for address in written)} == {"sqlite"} else "postgresql"
    named = _drivers(project)
    if named:
        # An engine that is opened on a file of SQLite as well has no index that MySQL would make of itself.
        return "postgresql" if _opens_sqlite(project) and not named <= _SQLITE else _of_drivers(project, named)
    return "sqlite" if deployed == {"sqlite"} else "postgresql"


def may_index_keys(project: Project) -> bool:
    """Whether the project can also run on a database that gives every foreign key an index by itself (MySQL)."""
    others = _drivers(project) & project.models.kinds["mysql-drivers"]
    return _engine(project) != "mysql" and bool(others or "mysql" in _deployed_on(project))


def _opens_sqlite(project: Project) -> bool:
    """Whether a file that opens databases has an address of SQLite among its texts."""
    opening = {node.code.path for node in project.calls(*sorted(project.models.kinds["opened-by-address"]))}
    return any(_names_sqlite(code) for path in sorted(opening) for code in _production(project, path))


def _production(project: Project, path: str) -> Iterator[Code]:
    file = project.files[path]
    if file.role == "production":
        yield from (file.code(number) for number in range(len(file.facts.functions)))


def _names_sqlite(code: Code) -> bool:
    texts = (op.value for op in code.ops if isinstance(op, ops.Const) and isinstance(op.value, str))
    return any(text.startswith("sqlite:") for text in texts)


def _of_drivers(project: Project, named: frozenset[str]) -> Engine:
    if named <= project.models.kinds["mysql-drivers"]:
        return "mysql"
    return "sqlite" if named <= _SQLITE else "postgresql"


def _drivers(project: Project) -> frozenset[str]:
    """The drivers of databases that are imported or required."""
    modules = project.once(imported_packages)
    written = " ".join(file.text for file in project.artefacts("requirements", "toml"))
    known = project.models.kinds["mysql-drivers"] | project.models.kinds["other-drivers"]
    return frozenset(driver for driver in known if driver in modules or re.search(rf"\b{driver}\b", written, re.I))


def _deployed_on(project: Project) -> set[str]:
    """The databases whose addresses stand in the files that deploy the project: other drivers are for tests."""
    found = set()
    for file in project.facts.values():
        if is_deployable(file) and file.kind != "workflow" and "://" in file.text:
            lines = (line for line in file.text.splitlines() if not line.lstrip().startswith("#"))
            found |= {scheme for line in lines for scheme in _ADDRESS.findall(line)}
    return {"mysql" if scheme == "mariadb" else scheme for scheme in found}


def _with_indexed_keys(table: Table) -> Table:
    keys = tuple(columns_index(column.name) for column in table.columns if column.references)
    return msgspec.structs.replace(table, indexes=(*table.indexes, *keys))


def _from_models(project: Project) -> dict[str, Table]:
    found: dict[str, Table] = {}
    for table in (*sqlalchemy.tables(project), *django.tables(project), *light.tables(project)):
        known = found.get(table.name.lower())
        # Classes that share a table (single-table inheritance, a second mapping): the columns of all, the first's name.
        found[table.name.lower()] = table if known is None else _joined(known, table)
    return found


def _sharing(project: Project) -> Iterator[tuple[str, str]]:
    """(model, table) of the classes that have their table in common with another."""
    return ((table.model, table.name) for table in sqlalchemy.tables(project) if table.model)


def _joined(first: Table, second: Table) -> Table:
    definition = Definition(table=first.name, columns=second.columns, indexes=second.indexes)
    joined = with_definition(first, definition, second.place)
    return msgspec.structs.replace(joined, relations=(*first.relations, *second.relations))


def _add_late(found: dict[str, Table], project: Project) -> None:
    """The indexes that are declared outside of their models' classes."""
    by_model = {table.model: name for name, table in found.items() if table.model}
    for model, index in sqlalchemy.late_indexes(project):
        if model in by_model:
            _add(found, Definition(table=by_model[model], indexes=(index,)), None)


def _add_definitions(found: dict[str, Table], project: Project) -> None:
    _add_late(found, project)
    for name, table in migrated(project).tables.items():
        known = found.get(name)
        if known is None and traits(project, table.orm).complete:
            continue
        columns = () if known is not None and traits(project, known.orm).complete else table.columns
        _add(found, Definition(table=table.name, columns=columns, indexes=table.indexes), table.place)
    for definition, place in scripts.added(project):
        _add(found, definition, place)


def _add(found: dict[str, Table], definition: Definition, place: Place | None) -> None:
    name = definition.table.lower()
    known = found.get(name)
    if known is None:
        # An ALTER or CREATE INDEX of a table nobody creates tells too little of it to judge by, but may come before.
        known = Table(name=definition.table, orm="sql", place=place, partial=True)
    found[name] = with_definition(known, definition, place)


def _linked(project: Project, found: dict[str, Table]) -> dict[str, Table]:
    """Tables whose relations and foreign keys now name classes and tables that exist."""
    models = {table.model: table for table in found.values() if table.model}
    simple: dict[str, str] = {}
    for model in sorted(models):
        simple.setdefault(model.rpartition(".")[2].lower(), model)
    keyed = {name: _keyed(table, models, simple) for name, table in found.items()}
    keys = project.models.kinds["key-types"]
    for _ in found:  # a key of a key of a key: no chain is longer than there are tables
        before, keyed = keyed, {name: _typed(table, keyed, keys) for name, table in keyed.items()}
        if keyed == before:
            break
    models = {table.model: table for table in keyed.values() if table.model}
    reverse: dict[str, list[Relation]] = {}
    result: dict[str, Table] = {}
    for name, table in keyed.items():
        relations: list[Relation] = []
        for relation, target in _with_targets(table, models, simple):
            if relation.name.startswith("<"):
                reverse.setdefault(target.model, []).append(_reversed(relation, table, target))
            else:
                relations.append(_resolved(relation, table, target))
        result[name] = msgspec.structs.replace(table, relations=tuple(relations))
    return {name: _with_reverse(table, reverse.get(table.model, ())) for name, table in result.items()}


def _with_targets(table: Table, models: dict[str, Table], simple: dict[str, str]) -> Iterator[tuple[Relation, Table]]:
    """The relations of a table whose targets are known, each with it."""
    for relation in table.relations:
        target = _model(relation.target, models, simple)
        if target is not None:
            yield relation, target


def _keyed(table: Table, models: dict[str, Table], simple: dict[str, str]) -> Table:
    columns = tuple(
        msgspec.structs.replace(c, references=_reference(c.references, models, simple)) for c in table.columns
    )
    return msgspec.structs.replace(table, columns=columns)


def _typed(table: Table, tables: dict[str, Table], keys: frozenset[str]) -> Table:
    """The table whose foreign keys have the type of what they refer to; ``keys``: types that say no more of it."""

    def typed(column: Column) -> Column:
        owner, _, name = column.references.rpartition(".")
        target = tables[owner.lower()].column(name) if owner.lower() in tables else None
        own = bool(column.type) and not any(fnmatchcase(column.type, key) for key in keys)
        if target is None or own or not target.type:
            return column
        return msgspec.structs.replace(column, type=target.type, length=target.length)

    return msgspec.structs.replace(table, columns=tuple(map(typed, table.columns)))


def _with_reverse(table: Table, relations: Iterable[Relation]) -> Table:
    known = {relation.name for relation in table.relations}
    added = tuple(relation for relation in relations if relation.name not in known)
    return msgspec.structs.replace(table, relations=(*table.relations, *added))


def _model(written: str, models: dict[str, Table], simple: dict[str, str]) -> Table | None:
    """A class as code or a string names it: in full, ``app.Model``, or alone."""
    found = models.get(written) or models.get(simple.get(written.rpartition(".")[2].lower(), ""))
    if found is None and written in ("AUTH_USER_MODEL", "settings.AUTH_USER_MODEL"):
        found = models.get(django.USER) or models.get(simple.get("user", ""))
    return found


def _reference(written: str, models: dict[str, Table], simple: dict[str, str]) -> str:
    """A foreign key's target as ``table.column``, as far as it is known; never empty if something was written."""
    if not written or (
        written.count(".") == 1 and written not in models and "models." not in written and not written[0].isupper()
    ):
        return written
    owner, _, attribute = written.rpartition(".")
    named = models.get(owner)
    if named is not None and (column := named.column(attribute)) is not None:
        return f"{named.name}.{column.name}"
    target = _model(written, models, simple)
    if target is None:
        return written
    return f"{target.name}.{(target.primary_key or ('id',))[0]}"


def _resolved(relation: Relation, table: Table, target: Table) -> Relation:
    """A relation with its key: the column given, else a foreign key here to the target, else one there to us."""
    given = table.column(relation.column) if relation.column else None
    if relation.remote or (given is not None and not relation.many):
        column = given.name if given is not None else ""
        return msgspec.structs.replace(relation, target=target.model, column=column)
    here = None if relation.many else _key_to(table, target, relation.name)
    if here is not None and (relation.upwards or table.name != target.name):
        return msgspec.structs.replace(relation, target=target.model, column=here.name)
    there = (target.column(relation.column) if relation.column else None) or _key_to(target, table, "")
    remote = there.name if there is not None else ""
    return msgspec.structs.replace(relation, target=target.model, column="", remote=remote, many=bool(remote))


def _key_to(table: Table, target: Table, name: str) -> Column | None:
    keys = [column for column in table.columns if column.references.partition(".")[0].lower() == target.name.lower()]
    named = [column for column in keys if name and column.name.startswith(name)]
    return named[0] if named else keys[0] if keys else None


def _reversed(relation: Relation, table: Table, target: Table) -> Relation:
    """What a ``backref`` or ``related_name`` puts on the other model."""
    name = relation.name.lstrip("<")
    if not relation.remote:
        plain = msgspec.structs.replace(relation, name=name, target=table.model)
        return _resolved(plain, target, table)
    column = table.column(relation.remote)
    remote = column.name if column is not None else relation.remote
    return msgspec.structs.replace(relation, name=name, target=table.model, remote=remote)
