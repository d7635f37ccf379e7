"""Rows handed to a template that follows lazy relations in a loop over them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.indexes.repeated.loading import Rows, rows_of
from backaudit.analyses.indexes.repeated.serializing import Shown
from backaudit.backend.data.queries import call_place
from backaudit.backend.data.queries.chains import denoted_table
from backaudit.backend.data.schema import Table, schema
from backaudit.facts.place import Place, Span
from backaudit.project import ClassView, Node, Project
from backaudit.project.declarations import entries, text

_LOOP = re.compile(r"\{%-?\s*(?:for\s+(\w+)\s+in\s+([\w.]+)|(endfor))\b[^%]*%\}")
_RENDERERS = (
    "render",
    "render_template",
    "TemplateResponse",
    "render_to_response",
    "render_to_string",
    "template_response",
)
_LIST_VIEWS = ("django.views.generic.ListView", "django.views.generic.list.ListView")


def rendered(project: Project) -> Iterator[Shown]:
    """By a render call with rows in its context, then by Django's list views."""
    if not any(True for _ in project.artefacts("template")):
        return
    for last in _RENDERERS:
        for node in project.calls_of(last):
            yield from _call(project, node)
    for cls in project.subclasses(*_LIST_VIEWS):
        yield from _list_view(project, cls)


def _call(project: Project, node: Node) -> Iterator[Shown]:
    name = next((argument.text for argument in node.args()[:2] if argument.text), None) or text(
        project, node.arg(None, "name")
    )
    if not name:
        return
    for key, value in _context(node).items():
        rows = rows_of(project, value)
        if rows is not None and not rows.settled and rows.origin.call is not None:
            yield from _in_template(project, name, key, rows, call_place(rows.origin))


def _context(node: Node) -> dict[str, Node]:
    found = {name: value for name, value in node.keywords().items() if name not in ("context", "name", "request")}
    call = node.call
    given = [*node.args(), *(node.origin.to(value) for value in (call.dstar if call is not None else ()))]
    for argument in given:
        found |= entries(argument)
    return found


def _list_view(project: Project, cls: ClassView) -> Iterator[Shown]:
    if "get_queryset" in cls.methods:
        return
    model, queryset = cls.fields.get("model"), cls.fields.get("queryset")
    table = denoted_table(project, model) if model is not None else None
    rows = rows_of(project, queryset) if queryset is not None else None
    if rows is None and table is not None and model is not None and queryset is None:
        rows = Rows(table=table, origin=model)
    if rows is None or rows.settled:
        return
    simple = rows.table.model.rpartition(".")[2].lower()
    app = cls.file.path.rpartition("/")[0].rpartition("/")[2]
    name = text(project, cls.fields.get("template_name")) or f"{app}/{simple}_list.html"
    keys = (text(project, cls.fields.get("context_object_name")), "object_list", f"{simple}_list", "page_obj")
    for key in keys:
        if key:
            yield from _in_template(project, name, key, rows, cls.place)


def _in_template(project: Project, name: str, key: str, rows: Rows, place: Place) -> Iterator[Shown]:
    for path, written in _templates(project, name):
        for variable, start, body in _loops(written, key):
            for relation in _touched(project, rows.table, variable, body):
                if relation not in rows.eager:
                    at = written.count("\n", 0, start) + 1
                    said = f"the template {path} reads `{relation}` of each row"
                    yield Shown(place, relation, said, rows, (Place(path, Span(at, 0, at, 0)),))


def _templates(project: Project, name: str) -> Iterator[tuple[str, str]]:
    files = [file for file in project.artefacts("template") if file.path == name or file.path.endswith("/" + name)]
    if not files:
        base = name.rpartition("/")[2]
        files = [file for file in project.artefacts("template") if file.path.rpartition("/")[2] == base]
    if len(files) == 1:
        yield files[0].path, files[0].text


def _loops(written: str, key: str) -> Iterator[tuple[str, int, str]]:
    """(variable, offset, body) of the loops over ``key``, its items or its slice, inner loops included."""
    stack: list[tuple[str, str, int]] = []
    for match in _LOOP.finditer(written):
        if not match.group(3):
            stack.append((match.group(1), match.group(2), match.end()))
        elif stack:
            variable, over, start = stack.pop()
            if over in (key, f"{key}.items", f"{key}.all"):
                yield variable, start, written[start : match.start()]


def _touched(project: Project, table: Table, variable: str, body: str) -> Iterator[str]:
    """The lazy relations that a loop's body reads of its variable."""
    inside = " ".join(re.findall(r"\{[{%](.*?)[%}]\}", body, re.S))
    for name in dict.fromkeys(re.findall(rf"(?<![\w.]){re.escape(variable)}\.(\w+)", inside)):
        relation = schema(project).relation(table, name)
        if relation is not None and not relation[1].eager:
            yield name
