"""Whether a query that a function returns is cut to a page further up."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries.chains import chain_of, is_sliced
from backaudit.backend.deployment.settings import entry
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project

_DEPTH = 3


def paged(project: Project, node: Node) -> bool:
    """Whether the query that ``node`` is a link of leaves its function unread, and is paginated by who gets it; of what
    a view's class declares, whether the view shows pages.
    """
    if node.code.cls is not None and node.code.function.kind == "class":
        return page_size(project, node.code.cls)
    return _returned(node.code, node) and _paged(project, node.code, 0)


def _returned(code: Code, link: Node) -> bool:
    values = [code.node(op.value) for op in code.ops if isinstance(op, ops.Return) and op.value != ops.NONE]
    return any(link in chain_of(value) for value in values)


def _paged(project: Project, code: Code, depth: int) -> bool:
    if code.function.name == "get_queryset" and code.cls is not None:
        return page_size(project, code.cls)
    callers = project.callers(code) if depth < _DEPTH else ()
    return any(_cut(project, call, depth) for call in callers)


def page_size(project: Project, cls: ClassView) -> bool:
    """Whether a list view shows its rows page by page."""
    for view in project.lineage_views(cls.name):
        for name in ("pagination_class", "paginate_by"):
            bound = view.fields.get(name)
            if bound is not None:
                return not bound.is_none
    return entry(project, "REST_FRAMEWORK", "DEFAULT_PAGINATION_CLASS") is not None


def _cut(project: Project, call: Node, depth: int) -> bool:
    if is_sliced(call) or any(paged_by in _methods(call.code) for paged_by in sorted(project.models.kinds["pagers"])):
        return True
    return _returned(call.code, call) and _paged(project, call.code, depth + 1)


def _methods(code: Code) -> Iterator[str]:
    return (node.method for node in code.nodes(ops.Call))
