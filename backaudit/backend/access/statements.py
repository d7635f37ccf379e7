"""SQL that is executed as text: which table it writes or reads, which columns its condition compares."""

from __future__ import annotations

import re

from backaudit.backend.data.queries.handing import executed_statement
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings

_SQL_TABLE = r"(?:[\"`\[]?\w+[\"`\]]?\.)*[\"`\[]?(\w+)"  # without its schema and quotes
SQL_WRITE = re.compile(rf"^\s*(insert\s+into|update|delete\s+from|replace\s+into)\s+{_SQL_TABLE}", re.I)
SQL_READ = re.compile(rf"\bfrom\s+{_SQL_TABLE}", re.I)
SQL_WHERE = re.compile(r"\bwhere\b(.*)", re.I | re.S)
SQL_COUNTS = re.compile(r"\bset\s+(\w+)\s*=\s*\1\s*[-+][^,]*?(\bwhere\b|$)", re.I)
SQL_EQUAL = re.compile(r"([\w.\"`]+)\s*=\s*(?:%|\?|:|\$|\{|'|\ufffc|<)", re.I)


def sql_text(project: Project, call: Node) -> str:
    """The SQL that a call executes, with unknown parts as a mark; empty if it executes none.

    A function of the project that hands a parameter on to be executed executes what it is called with.
    """
    first = executed_statement(project, call)
    for text in spelled_strings(project, first) if first is not None else ():
        if re.match(r"\s*(select|insert|update|delete|replace|with)\b", text, re.I):
            return text
    return ""


def bound_to(call: Node, sql: str, column: str) -> Node | None:
    """What a statement's parameter gets that a column is compared with, where the code says it."""
    asked = re.search(rf"\b{re.escape(column)}[\"`]?\s*=\s*(?::(\w+)|%\((\w+)\)s|(\?|%s))", sql, re.I)
    if asked is None:
        return None
    name = asked[1] or asked[2]
    if name:
        entries = (pair for argument in call.args() for pair in argument.entries())
        return next((value for key, value in entries if key.text == name), call.keywords().get(name))
    place = len(re.findall(r"\?|%s", sql[: asked.start(3)]))
    for argument in call.args()[1:]:
        op = argument.origin.op
        if isinstance(op, ops.Build) and place < len(op.items):
            return argument.origin.to(op.items[place])
    return None
