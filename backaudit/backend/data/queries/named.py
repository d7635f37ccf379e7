"""Queries that stand in ``.sql`` files under a name, and are called by it: ``queries.posts_of(connection, author)``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.project import Node, Project

_NAMED = re.compile(r"^--\s*:?name:?\s*:?([\w-]+)[^\n]*\n", re.M)
_COMMENT = re.compile(r"^\s*--[^\n]*\n", re.M)
_VALUE = re.compile(r"(?<![:\w]):(\w+)")


def calls_of_named(project: Project) -> Iterator[tuple[Node, str]]:
    """Every call of a named query that is no function of the project's, with its SQL."""
    for name, text in _named(project).items():
        for node in project.calls_of(name):
            if node.receiver is not None and not project.callees(node):
                yield node, text


def _named(project: Project) -> dict[str, str]:
    """The queries of all files of named ones, by name, where the project loads such files."""
    found: dict[str, str] = {}
    if not any(True for name in sorted(project.models.kinds["sql-file-loaders"]) for _ in project.calls(name)):
        return found
    for file in sorted(project.artefacts("sql"), key=lambda file: file.path):
        parts = list(_NAMED.finditer(file.text))
        ends = [*(part.start() for part in parts[1:]), len(file.text)]
        for part, end in zip(parts, ends, strict=False):
            written = _COMMENT.sub("", file.text[part.end() : end]).strip().rstrip(";")
            found.setdefault(part.group(1).replace("-", "_"), _VALUE.sub("%s", written))
    return found
