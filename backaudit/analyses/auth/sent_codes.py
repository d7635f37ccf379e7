"""Codes that were sent to a person: who has one need not be logged in, and who lost one asks for another."""

from __future__ import annotations

from backaudit.backend.access.changes import changes
from backaudit.backend.access.owners import owner_column
from backaudit.backend.access.tables import is_user_table, touched_table
from backaudit.backend.data.queries import query_sites
from backaudit.backend.data.schema import Table, schema
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.sql import Use
from backaudit.vocabulary.meaning import meaning

_CODE = meaning("tokens", "sent-code")


def proving(project: Project) -> frozenset[Code]:
    """The bodies that look up the code which was sent to a person. Ask with ``project.once``."""
    return frozenset(site.code for site in query_sites(project) if any(_is_proof(project, use) for use in site.uses))


def _is_proof(project: Project, use: Use) -> bool:
    table = schema(project).table(use.table) if use.role == "filter" and use.form == "eq" else None
    return table is not None and _CODE.holds(use.column) and _is_somebodys(project, table)


def _is_somebodys(project: Project, table: Table) -> bool:
    return is_user_table(table) or owner_column(project, table) is not None


def proves_by_code(project: Project, handler: Code) -> bool:
    """Whether a handler has a helper look up such a code, or holds the one that was kept against what is sent."""
    written = {change.node for change in changes(project, handler)}
    if any(_looks_up(project, call) for call in handler.nodes(ops.Call) if call not in written):
        return True
    return any(_holds_against(project, node) for node in handler.nodes(ops.Compare))


def _looks_up(project: Project, call: Node) -> bool:
    """``EmailChange.get_by(code=code)``."""
    named = any(_CODE.holds(name) for name in call.keywords())
    table = touched_table(project, call) if named and project.callees(call) else None
    return table is not None and _is_somebodys(project, table)


def _holds_against(project: Project, node: Node) -> bool:
    """``activation.code != code``."""
    op = node.op
    if not isinstance(op, ops.Compare) or op.operator not in ("==", "!="):
        return False
    for side in (node.to(op.left).origin, node.to(op.right).origin):
        if isinstance(side.op, ops.Attr) and _CODE.holds(side.op.name):
            table = touched_table(project, side.to(side.op.base))
            return table is not None and _is_somebodys(project, table)
    return False


def keeps_codes(project: Project, table: Table | None) -> bool:
    """Whether the rows of a table are codes that were sent to persons."""
    if table is None or is_user_table(table) or owner_column(project, table) is None:
        return False
    return any(_CODE.holds(column.name) for column in table.columns)
