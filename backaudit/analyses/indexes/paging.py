"""Whether a query that a function returns is cut to a page further up."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.data.queries.chains import chain_of, is_sliced
from backaudit.backend.deployment.django_settings import entry
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project


def paged(project: Project, node: Node) -> bool:
    """Whether the query that ``node`` is a link of leaves its function unread, and is paginated by who gets it; of what
    a view's class declares, whether the view shows pages.
    """
    if node.code.cls is not None and node.code.function.kind == "class":
        return page_size(project, node.code.cls)
    return _returned(node.code, node) and bool(project.solved(_paged, node.code))


def _returned(code: Code, link: Node) -> bool:
    values = [code.node(op.value) for op in code.ops if isinstance(op, ops.Return) and op.value != ops.NONE]
    return any(link in chain_of(value) for value in values)


def _paged(project: Project, code: Code) -> Iterator[bool]:
    """True if who gets the rows that a function returns reads a page of them."""
    view = code.cls if code.function.name == "get_queryset" else None
    cut = any(_cut(project, call) for call in project.callers(code)) if view is None else page_size(project, view)
    if cut:
        yield True


def page_size(project: Project, cls: ClassView) -> bool:
    """Whether a list view shows its rows page by page."""
    for view in project.lineage_views(cls.name):
        for name in ("pagination_class", "paginate_by"):
            bound = view.fields.get(name)
            if bound is not None:
                return not bound.is_none
    return entry(project, "REST_FRAMEWORK", "DEFAULT_PAGINATION_CLASS") is not None


def _cut(project: Project, call: Node) -> bool:
    if is_sliced(call) or any(paged_by in _methods(call.code) for paged_by in sorted(project.models.kinds["pagers"])):
        return True
    return _returned(call.code, call) and bool(project.solved(_paged, call.code))


def _methods(code: Code) -> Iterator[str]:
    return (node.method for node in code.nodes(ops.Call))
