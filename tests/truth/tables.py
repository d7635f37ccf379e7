"""What a framework itself makes of an application's models or migrations, as JSON on standard output.

    python tables.py KIND SPEC DSN [FOLDER]

KIND and SPEC: ``sqlalchemy`` with ``module:metadata`` (an attribute path, calls without arguments in it; modules and
attributes before it, divided by commas, are loaded first); ``alembic`` with the folder of its environment;
``django-models`` and ``django-migrations`` with the settings module; ``tortoise``, ``peewee``, ``piccolo`` and ``pony``
with modules; ``sql`` with script files. The tables are really made in the empty PostgreSQL database DSN and read back
from its catalogue.
FOLDER (default: the working directory) is put on the path.

The script stands alone: it runs under the Python of the application, which knows nothing of backaudit.
"""

# mypy: ignore-errors

from __future__ import annotations

import asyncio
import importlib
import json
import os
import sys
from urllib.parse import parse_qs, urlsplit

COLUMNS = """
select c.relname, a.attname, format_type(a.atttypid, a.atttypmod), t.typtype, not a.attnotnull, a.atthasdef
from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
join pg_type t on t.oid = a.atttypid
where c.relkind in ('r', 'p') and a.attnum > 0 and not a.attisdropped
  and n.nspname not in ('pg_catalog', 'information_schema')
order by c.relname, a.attnum
"""
INDEXES = """
select c.relname, i.indexrelid, i.indisunique, i.indisprimary, m.amname, pg_get_expr(i.indpred, i.indrelid, true),
  array(select pg_get_indexdef(i.indexrelid, k + 1, true) from generate_series(0, i.indnkeyatts - 1) k),
  array(select i.indkey[k] = 0 from generate_series(0, i.indnkeyatts - 1) k),
  array(select (i.indoption[k] & 1) = 1 from generate_series(0, i.indnkeyatts - 1) k),
  array(select case when o.opcdefault then '' else o.opcname end from generate_series(0, i.indnkeyatts - 1) k
        join pg_opclass o on o.oid = i.indclass[k] order by k)
from pg_index i join pg_class c on c.oid = i.indrelid join pg_class x on x.oid = i.indexrelid
join pg_am m on m.oid = x.relam join pg_namespace n on n.oid = c.relnamespace
where n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
order by c.relname, x.relname
"""
KEYS = """
select c.relname, a.attname, p.relname || '.' || b.attname
from pg_constraint k join pg_class c on c.oid = k.conrelid join pg_class p on p.oid = k.confrelid
join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
join pg_attribute b on b.attrelid = p.oid and b.attnum = k.confkey[1]
where k.contype = 'f' and array_length(k.conkey, 1) = 1 order by 1, 2
"""


def catalogue(dsn):
    """The tables of a database: columns, indexes and foreign keys of one column."""
    import psycopg

    found = {}
    with psycopg.connect(dsn) as connection:
        for table, name, spelled, kind, null, default in connection.execute(COLUMNS):
            described = {"type": "enum" if kind == "e" else spelled, "null": null, "default": default}
            found.setdefault(table, {"columns": {}, "indexes": [], "keys": {}})["columns"][name] = described
        for table, _, unique, primary, method, where, keys, expressions, descending, classes in connection.execute(
            INDEXES
        ):
            listed = [list(key) for key in zip(keys, expressions, descending, classes, strict=True)]
            index = {"keys": listed, "unique": unique, "primary": primary, "where": where or "", "method": method}
            found[table]["indexes"].append(index)
        for table, column, target in connection.execute(KEYS):
            found[table]["keys"][column] = target
    return found


def attribute(spec):
    """``module:a.b()``."""
    module, _, path = spec.partition(":")
    found = importlib.import_module(module)
    for part in path.split("."):
        found = getattr(found, part.removesuffix("()"))
        found = found() if part.endswith("()") else found
    return found


def modules(spec):
    return [importlib.import_module(name) for name in spec.split(",")]


def sqlalchemy(spec, dsn):
    import sqlalchemy as sa

    *first, last = spec.split(",")
    for name in first:
        attribute(name) if ":" in name else importlib.import_module(name)
    metadata = attribute(last)
    metadata = metadata if isinstance(metadata, sa.MetaData) else metadata.metadata
    engine = sa.create_engine(dsn.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as connection:
        for schema in {table.schema for table in metadata.tables.values() if table.schema}:
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        metadata.create_all(connection)


def alembic(spec, dsn):
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", spec)
    config.set_main_option("sqlalchemy.url", dsn.replace("postgresql://", "postgresql+psycopg://").replace("%", "%%"))
    command.upgrade(config, "heads")


class _NoMigrations(dict):
    """Says of every application that it has no migrations: its tables are made from its models."""

    def __contains__(self, name):
        return True

    def __getitem__(self, name):
        return None


def django(spec, dsn, migrations):
    os.environ["DJANGO_SETTINGS_MODULE"] = spec
    import django as library
    from django.conf import settings
    from django.core.management import call_command

    parts = urlsplit(dsn)
    settings.DATABASES = {
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": parts.path.strip("/"),
            "USER": parts.username,
            "HOST": parse_qs(parts.query)["host"][0],
        }
    }
    if not migrations:
        settings.MIGRATION_MODULES = type(
            "None_", (dict,), {"__contains__": lambda s, k: True, "__getitem__": lambda s, k: None}
        )()
    library.setup()
    call_command("migrate", run_syncdb=True, verbosity=0, interactive=False)


def tortoise(spec, dsn):
    import psycopg
    from tortoise import Tortoise
    from tortoise.backends.base_postgres.schema_generator import BasePostgresSchemaGenerator

    async def script():
        await Tortoise.init(db_url="sqlite://:memory:", modules={"models": spec.split(",")})

        class Client:
            def __eq__(self, other):
                return True

            class capabilities:
                dialect = "postgres"
                inline_comment = False
                safe_indexes = True
                charset = ""

        # Each connection's generator writes for its own dialect: PostgreSQL's, without its driver.
        return BasePostgresSchemaGenerator(Client()).get_create_schema_sql(safe=False)

    text = asyncio.run(script())
    with psycopg.connect(dsn) as connection:
        connection.execute(text)


def peewee(spec, dsn):
    import peewee as library
    import psycopg

    statements = []

    class Recorder(library.PostgresqlDatabase):
        def execute(self, query, commit=None, **context):
            sql, params = self.get_sql_context(**context).sql(query).query()
            assert not params, sql
            statements.append(sql)

        def execute_sql(self, sql, params=None, commit=None):
            statements.append(sql)

    database = Recorder("none")
    database.server_version = 180000
    found = [cls for module in modules(spec) for cls in vars(module).values() if _is_model(library, cls)]
    found = list(dict.fromkeys(found))
    with database.bind_ctx(found):
        for model in library.sort_models(found):
            model._schema.create_all(safe=False)
    with psycopg.connect(dsn) as connection:
        for statement in statements:
            connection.execute(statement)


def _is_model(library, cls):
    return (
        isinstance(cls, type)
        and issubclass(cls, library.Model)
        and cls is not library.Model
        and bool(cls._meta.fields)
        and not cls.__name__.startswith("Base")
    )


def piccolo(spec, dsn):
    import psycopg
    from piccolo.table import Table

    class Writing:
        """An engine that is asked for nothing but its dialect."""

        engine_type = "postgres"

        def get_version_sync(self):
            return 18.0

    found = [cls for module in modules(spec) for cls in vars(module).values() if isinstance(cls, type)]
    with psycopg.connect(dsn) as connection:
        for table in dict.fromkeys(cls for cls in found if issubclass(cls, Table) and cls is not Table):
            table._meta._db = Writing()
            for statement in table.create_table().ddl:
                connection.execute(statement)


def pony(spec, dsn):
    for module in modules(spec):
        module.db.bind(provider="postgres", dsn=dsn)
        module.db.generate_mapping(create_tables=True)


def sql(spec, dsn):
    import psycopg

    with psycopg.connect(dsn) as connection:
        for path in spec.split(","):
            with open(path, encoding="utf-8") as file:
                connection.execute(file.read())


def main(kind, spec, dsn, folder="."):
    os.chdir(folder)
    sys.path.insert(0, os.getcwd())
    makers = {
        "sqlalchemy": sqlalchemy,
        "alembic": alembic,
        "django-models": lambda s, d: django(s, d, False),
        "django-migrations": lambda s, d: django(s, d, True),
        "tortoise": tortoise,
        "peewee": peewee,
        "piccolo": piccolo,
        "pony": pony,
        "sql": sql,
    }
    makers[kind](spec, dsn)
    json.dump(catalogue(dsn), sys.__stdout__)


if __name__ == "__main__":
    main(*sys.argv[1:])
