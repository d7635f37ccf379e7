"""validation/sql-injection."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.validation.findings import assumed_of
from backaudit.analyses.validation.mends import values_bound
from backaudit.analyses.validation.sinks import Flow, Flows, Sink, sinks
from backaudit.analyses.validation.unknown import unknown_part
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings
from backaudit.rule import Finding, Step, assume, capitalized, rule
from backaudit.sql import HOLE

_STATEMENT = re.compile(
    r"\s*(--[^\n]*\n\s*|/\*.*?\*/\s*|\(\s*)*"
    r"(select\s.+\sfrom\b|select\s+[\w.]+\s*\(|insert\s+(ignore\s+)?into\s|replace\s+into\s|update\s.+\sset\b"
    r"|delete\s+from\s|with\s.+\sas\b|create\s+(\w+\s+)*(table|index|view|user|role|database|schema)\b|drop\s+\w+\s"
    r"|alter\s+\w+\s|truncate\s|grant\s|copy\s|pragma\s|call\s+\w|explain\s|set\s+\w+|lock\s+table|use\s+\w)",
    re.IGNORECASE | re.DOTALL,
)


@rule("validation/sql-injection", severity="critical", cwe=89, owasp=("A05:2025", "A03:2021"))
def sql_injection(project: Project) -> Iterator[Finding]:
    """What a client sends becomes part of an SQL statement's text.

    The database cannot tell the programmer's SQL from the visitor's. A quotation mark in a search box is enough to read
    other tables, to log in as somebody else or to delete everything.

    Mend: keep the statement constant and hand values over as parameters: `execute("… WHERE name = %s", (name,))`,
    `text("… = :name")` with a dictionary, or the ORM's own expressions. Names of columns and directions of sorting
    cannot be parameters: choose them from a fixed dictionary.

    Bad:
        import sqlite3

        from flask import Flask, request

        app = Flask(__name__)

        @app.get("/users")
        def users():
            name = request.args["name"]
            connection = sqlite3.connect("app.db")
            return connection.execute(f"SELECT id, name FROM users WHERE name = '{name}'").fetchall()

    Bad:
        # file: app/queries.py
        from sqlalchemy import text

        def search(session, term):
            return session.execute(text("SELECT * FROM books WHERE title LIKE '%" + term + "%'")).all()
        # file: app/main.py
        from fastapi import FastAPI

        from app.queries import search

        app = FastAPI()

        @app.get("/books")
        def books(term: str):
            return search(session, term)

    Good:
        import sqlite3

        from flask import Flask, request

        app = Flask(__name__)
        COLUMNS = {"name": "name", "age": "created_at"}

        @app.get("/users")
        def users():
            order = COLUMNS.get(request.args.get("sort"), "name")
            connection = sqlite3.connect("app.db")
            statement = f"SELECT id, name FROM users WHERE name = ? ORDER BY {order}"
            return connection.execute(statement, (request.args["name"],)).fetchall()

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/SQL_Injection_Prevention_Cheat_Sheet.html
        https://cwe.mitre.org/data/definitions/89.html
    """
    told: set[Node] = set()
    passed: set[Node] = set()
    flows = Flows(project, "sql")
    for kind in ("sql", "sql-piece"):
        for sink in sinks(project, kind):
            if sink.call in told or sink.call in passed or (sink.name.startswith("*") and not _is_sql(project, sink)):
                continue
            flow = flows.into(sink)
            finding = None
            if flow is not None:
                passed |= flow.passed
                finding = _finding(project, sink, flow)
            elif kind == "sql":
                finding = _dynamic(project, sink)
            if finding is not None:
                told.add(sink.call)
                yield finding


def _is_sql(project: Project, sink: Sink) -> bool:
    """Whether the constant parts of a text are SQL: an `execute` may be anything's."""
    texts = spelled_strings(project, sink.argument)
    return any(_STATEMENT.match(text.replace(HOLE, " x ")) for text in texts)


def _finding(project: Project, sink: Sink, flow: Flow) -> Finding:
    what = flow.origin.what
    return Finding(
        place=sink.call.place.first_line(),
        message=f"{capitalized(what)} and becomes part of the SQL text that `{sink.call.spelled}` runs.",
        assumed=assumed_of(flow),
        trace=flow.trace("is run as SQL"),
        fixes=tuple(values_bound(project, sink, sink.name)),
    )


def _dynamic(project: Project, sink: Sink) -> Finding | None:
    """A statement put together of parts that no constant gives, though no client is seen behind them."""
    if not _is_sql(project, sink):
        return None
    part = unknown_part(project, sink.argument)
    if part is None:
        return None
    return Finding(
        place=sink.call.place.first_line(),
        message=f"`{part.spelled or 'a value'}` becomes part of the SQL text that `{sink.call.spelled}` runs.",
        assumed=assume("reach", "a client has a say in it"),
        shown="strict",
        trace=(Step(part.place, "is not a constant"), Step(sink.call.place, "is run as SQL")),
    )
