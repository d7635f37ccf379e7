"""Who sends what cannot be read: a client as it likes, or the program's own page, or one who has a role here."""

from __future__ import annotations

from backaudit.backend.access.own_pages import is_of_a_role, is_of_own_pages
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.rule import KNOWN, Assumed, assume

_TAMPERED = assume("reach", "somebody sends another form than the program's own pages do")
_FOLLOWED = assume("reach", "somebody asks for an address that no page of the program links to")
_BY_ROLE = assume("reach", "somebody of that role sends what the page does not")


def left_out(project: Project, source: Node, entry: Code) -> Assumed:
    """That a form lacks a field: a browser sends those of a page, be they empty."""
    in_form = _is_of(project, source, "form-mappings")
    if in_form and is_of_own_pages(project, entry):
        return _TAMPERED
    return unread(project, source, entry)


def no_key(project: Project, source: Node, entry: Code) -> Assumed:
    """That the key of a row has another form: pages have it from the row itself."""
    if _is_of(project, source, "form-mappings") and is_of_own_pages(project, entry):
        return _TAMPERED
    in_address = _is_of(project, source, "page-mappings") or _is_of_path(project, source)
    return _FOLLOWED if in_address and is_of_own_pages(project, entry) else KNOWN


def unread(project: Project, source: Node, entry: Code) -> Assumed:
    """That who has a role sends to a page of theirs what nobody can read."""
    in_page = _is_of(project, source, "page-mappings")
    return _BY_ROLE if in_page and is_of_own_pages(project, entry) and is_of_a_role(project, entry) else KNOWN


def _is_of(project: Project, source: Node, kind: str) -> bool:
    return not project.models.kinds[kind].isdisjoint(request_names(project, source))


def _is_of_path(project: Project, source: Node) -> bool:
    op = source.op
    param = client_input(project, source.code, op.index) if isinstance(op, ops.Param) else None
    return param is not None and param.where == "path"
