"""SQL that is executed as text: which table it writes or reads, which columns its condition compares."""

from __future__ import annotations

import re

from backaudit.project import Node, Project
from backaudit.project.strings import spelled_strings

_SQL_TABLE = r"(?:[\"`\[]?\w+[\"`\]]?\.)*[\"`\[]?(\w+)"  # without its schema and quotes
SQL_WRITE = re.compile(rf"^\s*(insert\s+into|update|delete\s+from|replace\s+into)\s+{_SQL_TABLE}", re.I)
SQL_READ = re.compile(rf"\bfrom\s+{_SQL_TABLE}", re.I)
SQL_WHERE = re.compile(r"\bwhere\b(.*)", re.I | re.S)
SQL_EQUAL = re.compile(r"([\w.\"`]+)\s*=\s*(?:%|\?|:|\$|\{|'|\ufffc|<)", re.I)


def sql_text(project: Project, call: Node) -> str:
    """The SQL that a call executes, with unknown parts as a mark; empty if it executes none."""
    func = call.func
    if func is None or call.method not in project.once(_sql_methods):
        return ""
    known = project.models.sinks.get("sql", {})
    position = next((known[name] for name in project.names(func) if name in known), None)
    if position is None and not call.method.startswith("execute"):
        return ""
    first = call.arg(0, "query")
    for text in spelled_strings(project, first) if first is not None else ():
        if re.match(r"\s*(select|insert|update|delete|replace|with)\b", text, re.I):
            return text
    return ""


def _sql_methods(project: Project) -> frozenset[str]:
    known = project.models.sinks.get("sql", {})
    return frozenset(name.rpartition(".")[2] for name in known) | {"execute", "executemany"}
