"""Rows handed to a template that follows lazy relations in a loop over them."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.indexes.repeated.loading import Rows, one_row, rows_of
from backaudit.analyses.indexes.repeated.serializing import Shown, row_of
from backaudit.analyses.indexes.repeated.written import reads, template
from backaudit.backend.data.queries.chains import denoted_table
from backaudit.facts.place import Place
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import entries, text


def rendered(project: Project) -> Iterator[Shown]:
    """By a render call with rows in its context, then by Django's list views."""
    if not any(True for _ in project.artefacts("template")):
        return
    for last in sorted(project.models.kinds["renderers"]):
        for node in project.calls_of(last):
            yield from _call(project, node)
    for cls in project.subclasses(*sorted(project.models.kinds["template-list-views"])):
        yield from _list_view(project, cls)


def _call(project: Project, node: Node) -> Iterator[Shown]:
    name = next((argument.text for argument in node.args()[:2] if argument.text), None) or text(
        project, node.arg(None, "name")
    )
    if not name:
        return
    for key, value in _context(node).items():
        rows = rows_of(project, value)
        one = one_row(project, value) if rows is None else None
        shown = rows if rows is not None and not rows.settled else one if one is not None and not one.inert else None
        if shown is not None and shown.is_in_sight:
            yield from _in_template(project, name, key, shown, shown.place, each=one is None)


def _context(node: Node) -> dict[str, Node]:
    found = {name: value for name, value in node.keywords().items() if name not in ("context", "name", "request")}
    call = node.call
    given = [*node.args(), *(node.origin.to(value) for value in (call.dstar if call is not None else ()))]
    for argument in given:
        found |= entries(argument)
    return found


def _list_view(project: Project, cls: ClassView) -> Iterator[Shown]:
    rows = _rows_of_view(project, cls) if "get_queryset" not in cls.methods else None
    if rows is None or rows.settled:
        return
    simple = rows.table.model.rpartition(".")[2].lower()
    app = cls.file.path.rpartition("/")[0].rpartition("/")[2]
    name = text(project, cls.fields.get("template_name")) or f"{app}/{simple}_list.html"
    keys = (text(project, cls.fields.get("context_object_name")), "object_list", f"{simple}_list", "page_obj")
    for key in filter(None, keys):
        yield from _in_template(project, name, key, rows, cls.place)


def _rows_of_view(project: Project, cls: ClassView) -> Rows | None:
    """The rows that a list view shows by its ``queryset``, or else of its ``model``."""
    model, queryset = cls.fields.get("model"), cls.fields.get("queryset")
    if queryset is not None:
        return rows_of(project, queryset)
    table = denoted_table(project, model) if model is not None else None
    return Rows(table=table, origin=model) if table is not None and model is not None else None


def _in_template(project: Project, name: str, key: str, rows: Rows, place: Place, each: bool = True) -> Iterator[Shown]:
    for path, written in _templates(project, name):
        for read in reads(project, path, written, key, rows, each):
            said = f"the template {read.path} {read.text}"
            at = (Place.at_line(read.path, read.line),)
            yield Shown(place, read.relation, said, rows, row_of(read.table), at, read.always)


def _templates(project: Project, name: str) -> Iterator[tuple[str, str]]:
    found = template(project, name)
    if found is not None:
        yield found
