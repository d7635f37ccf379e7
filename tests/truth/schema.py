"""Tables of the model beside those that a framework really makes: what is equal, missing, too many.

    python -m tests.truth.schema KIND SPEC FOLDER [PYTHON]

makes the tables of the application in FOLDER, whose framework runs under PYTHON (by default this one), in a PostgreSQL
database, and compares its catalogue with what the scan says. Tables that a library brings (Django's own, Alembic's
version) are left out. A column is equal if its name, family of type, length and nullability are; an index if its keys
with their order and operator classes, its method, its predicate and its being unique are.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from backaudit.backend.data.schema import Column, Index, Schema, Table, migrated, schema
from backaudit.project import Project
from backaudit.sql import normal
from tests.truth import postgres
from tests.truth.routes import linked

SCRIPT = Path(__file__).with_name("tables.py")
LIBRARY = re.compile(
    r"^(django_|auth_|account_|socialaccount_|authtoken_|silk_|celery_|token_blacklist_|sites?_)|^(alembic_version|aerich|migratehistory)$"
)
# The first pattern that fits a type's name says its family; types of models and of the database alike.
FAMILIES = (
    ("text", r"^charenum"),
    ("json", r"json|^dict|^mapping"),
    ("uuid", r"uuid|^guid"),
    ("boolean", r"bool"),
    ("array", r"array|\[\]|^list"),
    ("timestamp", r"datetime|timestamp"),
    ("interval", r"interval|duration|timedelta"),
    ("date", r"date"),
    ("time", r"^time"),
    (
        "integer",
        r"^(small|medium|big|tiny|positive.*)?int|serial|autofield|identity|year|primarykeyfield|smallintegerfield|bigintegerfield|integer",
    ),
    ("numeric", r"numeric|decimal|money"),
    ("float", r"float|double|real"),
    ("binary", r"binary|bytea|blob|bytes|pickle"),
    ("enum", r"(?<!on)enum|choicetype"),
    ("inet", r"inet|ipaddress"),
    ("vector", r"vector"),
    ("text", r"char|text|string|str|slug|email|url|file|image|uri|phone|country|bareField"),
)


class Comparison(NamedTuple):
    """What of a kind (columns, or indexes) is equal, what only the framework has, and what only the model has."""

    equal: list[str]
    missing: list[str]
    extra: list[str]

    @property
    def share(self) -> float:
        """Equal ones in all that either side has, 0 to 1; one that differs counts once."""
        names = {line.partition(" ")[0] for line in (*self.missing, *self.extra)}
        whole = len(self.equal) + (len(names) if self.missing or self.extra else 0)
        return len(self.equal) / whole if whole else 1.0

    def __str__(self) -> str:
        lines = [f"  - {line}" for line in self.missing] + [f"  + {line}" for line in self.extra]
        return "\n".join(
            [f"{len(self.equal)} equal, {len(self.missing)} missing, {len(self.extra)} extra: {self.share:.1%}", *lines]
        )


def truth(kind: str, spec: str, folder: Path, dsn: str, python: str = sys.executable) -> dict[str, Any]:
    """The catalogue of the tables made; RuntimeError with what the application said if it makes none."""
    done = subprocess.run(
        [python, "-B", str(SCRIPT), kind, spec, dsn],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr[-3000:])
    found: dict[str, Any] = json.loads(done.stdout[done.stdout.index("{") :])
    return {name: table for name, table in found.items() if not LIBRARY.match(name)}


def family(type_: str) -> str:
    lowered = type_.lower()
    return next((name for name, pattern in FAMILIES if re.search(pattern, lowered)), lowered)


# -- their side ------------------------------------------------------------------------------------------------------


def their_columns(tables: dict[str, Any]) -> set[str]:
    return {
        _their_column(table, name, column)
        for table, found in tables.items()
        for name, column in found["columns"].items()
    }


def _their_column(table: str, name: str, column: dict[str, Any]) -> str:
    length = re.search(r"character(?: varying)?\((\d+)\)", column["type"])
    spelled = "enum" if column["type"] == "enum" else family(column["type"])
    return _line(table, name, spelled, int(length.group(1)) if length and spelled == "text" else None, column["null"])


def _line(table: str, name: str, spelled: str, length: int | None, null: bool) -> str:
    limit = f"({length})" if length else ""
    return f"{table}.{name} {spelled}{limit}{' null' if null else ''}".lower()


def their_indexes(tables: dict[str, Any]) -> list[str]:
    return sorted(_their_index(table, index) for table, found in tables.items() for index in found["indexes"])


def _their_index(table: str, index: dict[str, Any]) -> str:
    keys = ", ".join(
        _key(_plain(text) if expression else text.strip('"'), descending, opclass)
        for text, expression, descending, opclass in index["keys"]
    )
    return _described(table, keys, index["method"], index["unique"], _plain(index["where"]))


def _plain(text: str) -> str:
    """An expression of the catalogue without the casts that the server writes."""
    if not text:
        return ""
    bare = re.sub(
        r"::(character varying|timestamp with(out)? time zone|double precision|\w+)(\(\d+\))?(\[\])?", "", text
    )
    return _tidy(re.sub(r"(?<!\w)\((\"?\w+\"?|'[^']*')\)", r"\1", bare))


def _tidy(text: str) -> str:
    return re.sub(r"[()\s\"]+", " ", normal(text).lower()).strip()


def _key(text: str, descending: bool, opclass: str) -> str:
    return " ".join(
        part
        for part in (
            text.lower(),
            opclass.replace("varchar_pattern_ops", "pattern").replace("text_pattern_ops", "pattern"),
            "desc" if descending else "",
        )
        if part
    )


def _described(table: str, keys: str, method: str, unique: bool, where: str) -> str:
    kind = "" if method in ("btree", "") else f" {method}"
    condition = f" where {where}" if where else ""
    return f"{table.lower()}[{keys}]{' unique' if unique else ''}{kind}{condition}"


def their_keys(tables: dict[str, Any]) -> set[str]:
    return {
        f"{table}.{column} -> {target}".lower()
        for table, found in tables.items()
        for column, target in found["keys"].items()
    }


# -- our side --------------------------------------------------------------------------------------------------------


def our_columns(tables: list[Table]) -> set[str]:
    return {_our_column(table, column) for table in tables for column in table.columns}


def _our_column(table: Table, column: Column) -> str:
    text = family(column.type) == "text" and not re.search(r"text", column.type, re.I)
    return _line(_bare(table.name), column.name, family(column.type), column.length if text else None, column.nullable)


def _bare(name: str) -> str:
    return name.rpartition(".")[2]


def our_indexes(tables: list[Table]) -> list[str]:
    return sorted(_our_index(table, index) for table in tables for index in table.indexes)


def _our_index(table: Table, index: Index) -> str:
    keys = ", ".join(
        _key(_tidy(key.text) if key.expression else key.text, key.descending, key.opclass) for key in index.keys
    )
    return _described(_bare(table.name), keys, index.method, index.unique, _tidy(index.where) if index.where else "")


def our_keys(tables: list[Table]) -> set[str]:
    return {
        f"{_bare(table.name)}.{column.name} -> {_bare_target(column.references)}".lower()
        for table in tables
        for column in table.columns
        if column.references
    }


def _bare_target(reference: str) -> str:
    return ".".join(reference.split(".")[-2:])


# -- the comparison --------------------------------------------------------------------------------------------------


class Outcome(NamedTuple):
    tables: Comparison
    columns: Comparison
    indexes: Comparison
    keys: Comparison

    def __str__(self) -> str:
        return "\n".join(f"{name}: {found}" for name, found in zip(self._fields, self, strict=True))


def modelled(kind: str, project: Project) -> Schema:
    """What the scan says of the source that a kind of truth is about: of migrations alone, or of all together."""
    return migrated(project) if kind in ("alembic", "django-migrations") else schema(project)


def compare(theirs: dict[str, Any], found: Schema) -> Outcome:
    """The model of a project beside a catalogue, table by table."""
    ours = [table for table in found.tables.values() if table.columns and not LIBRARY.match(_bare(table.name))]
    named = {_bare(table.name).lower() for table in ours}
    theirs = {name.lower(): table for name, table in theirs.items()}
    return Outcome(
        _comparison(sorted(theirs), sorted(named)),
        _comparison(sorted(their_columns(theirs)), sorted(our_columns(ours))),
        _comparison(their_indexes(theirs), our_indexes(ours)),
        _comparison(sorted(their_keys(theirs)), sorted(our_keys(ours))),
    )


def _comparison(theirs: list[str], ours: list[str]) -> Comparison:
    left, equal, missing = list(ours), [], []
    for line in theirs:
        if line in left:
            left.remove(line)
            equal.append(line)
        else:
            missing.append(line)
    return Comparison(equal, missing, left)


def main(kind: str, spec: str, folder: str, python: str = sys.executable) -> int:
    with postgres.running() as server:
        theirs = truth(kind, spec, Path(folder), server.database(), python)
    sys.stdout.write(f"{compare(theirs, modelled(kind, linked(Path(folder))))}\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(*sys.argv[1:]))
