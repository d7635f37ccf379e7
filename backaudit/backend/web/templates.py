"""HTML templates: what they print without escaping, and the values that the code hands to them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator

import msgspec

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project

_OPENING = re.compile(r"\{[#{%]")
_CLOSING = {"{#": "#}", "{{": "}}", "{%": "%}"}
_FOR = re.compile(r"for\s+\(?\s*([\w\s,]+?)\s*\)?\s+in\s+([\w.]+)")
_PATH = re.compile(r"\s*([A-Za-z_]\w*(?:\.\w+)*)\s*")
_FILTER = re.compile(r"\|\s*(\w+)")
_ESCAPING = frozenset(
    {
        "e", "escape", "forceescape", "force_escape", "tojson", "striptags", "length", "count", "int", "float", "date",
        "time", "json_script", "escapejs", "urlencode", "floatformat", "filesizeformat", "intcomma", "linebreaks",
        "linebreaksbr", "bleach", "sanitize", "clean", "markdown", "urlize", "pluralize", "yesno", "slugify",
    }
)  # fmt: skip
_HTML = (".html", ".htm", ".jinja2", ".jinja", ".j2", ".xhtml")
_RENDERERS = (
    "render", "render_template", "TemplateResponse", "render_to_response", "render_to_string", "render_template_async",
)  # fmt: skip


class Printed(msgspec.Struct, frozen=True):
    """``{{ path }}`` in a template; ``why``: what turns escaping off there, empty if nothing does.

    ``loops``: for each loop around it, its variables and the path that it runs over.
    """

    template: str
    place: Place
    path: tuple[str, ...]
    why: str
    loops: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]


def printed(project: Project) -> tuple[Printed, ...]:
    """Everything that HTML templates print and do not escape by a filter, by file. Ask with ``project.once``."""
    return tuple(
        each
        for file in project.artefacts("template")
        if file.path.endswith(_HTML) and project.role(file.path) == "production"
        for each in _scan(file.path, file.text)
    )


def _scan(path: str, text: str) -> Iterator[Printed]:
    loops: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    off: list[bool] = []
    starts = [0, *(found.end() for found in re.finditer("\n", text))]
    for start, token in _tokens(text):
        inside = token[2:-2].removeprefix("-").removesuffix("-")
        if token.startswith("{%"):
            _tag(inside.strip(), loops, off)
        elif token.startswith("{{"):
            found = _PATH.match(inside)
            filters = _FILTER.findall(inside)
            if found is None or (found.end() < len(inside) and inside[found.end()] != "|") or _ESCAPING & set(filters):
                continue
            why = "the filter `safe`" if "safe" in filters else "`autoescape` off" if off and off[-1] else ""
            place = _place(path, starts, start, token)
            yield Printed(path, place, tuple(found[1].split(".")), why, tuple(loops))


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Comments, tags and what is printed: each closed by the next end of its kind, with where it starts."""
    at = 0
    missing: set[str] = set()
    while (opening := _OPENING.search(text, at)) is not None:
        closing = _CLOSING[opening[0]]
        end = text.find(closing, opening.end()) if closing not in missing else -1
        if end < 0:
            missing.add(closing)  # nothing of this kind ends from here on: it is not looked for again
            at = opening.start() + 1
        else:
            at = end + 2
            yield opening.start(), text[opening.start() : at]


def _tag(tag: str, loops: list[tuple[tuple[str, ...], tuple[str, ...]]], off: list[bool]) -> None:
    words = tag.split()
    if not words:
        return
    if words[0] == "for":
        found = _FOR.match(tag)
        names = tuple(name.strip() for name in found[1].split(",")) if found else ()
        loops.append((names, tuple(found[2].split(".")) if found else ()))
    elif words[0] == "endfor" and loops:
        loops.pop()
    elif words[0] == "autoescape":
        off.append(words[1:2] in (["false"], ["off"], ["False"]))
    elif words[0] == "endautoescape" and off:
        off.pop()


def _place(path: str, starts: list[int], start: int, token: str) -> Place:
    line = bisect_right(starts, start)
    column = start - starts[line - 1]
    width = len(token.split("\n")[0])
    return Place(path, Span(line, column, line, column + width))


def contexts(project: Project) -> dict[str, tuple[dict[str, Node], ...]]:
    """What the code hands to each template, by the template's name as the code writes it."""
    found: dict[str, list[dict[str, Node]]] = {}
    for last in _RENDERERS:
        for call in project.calls_of(last):
            name = next((a.text for a in call.args()[:3] if a.text and "." in a.text), None)
            if name and project.role(call.code.path) == "production":
                found.setdefault(name, []).append(_given(project, call))
    for name, context in _decorated(project):
        found.setdefault(name, []).append(context)
    return {name: tuple(given) for name, given in found.items()}


def _given(project: Project, call: Node) -> dict[str, Node]:
    found = {name: value for name, value in call.keywords().items() if name not in ("context", "name", "request")}
    values = [*call.args(), *(call.origin.to(value) for value in (call.call.dstar if call.call is not None else ()))]
    for value in values:
        found |= mapping(project, value)
    return found


def mapping(project: Project, node: Node) -> dict[str, Node]:
    """The values of a dictionary by constant key: of its display, ``dict(…)``, and what is stored into it."""
    made = project.resolved(node)
    found: dict[str, Node] = {}
    if isinstance(made.op, ops.Build) and made.op.kind == "dict":
        for key, item in zip(made.op.keys, made.op.items, strict=True):
            name = made.to(key).text if key != NONE else None
            if name is not None:
                found[name] = made.to(item)
    elif made.method == "dict":
        found |= made.keywords()
    else:
        return {}
    for value in made.code.effects.get(made.value, ()):
        op = made.to(value).op
        if isinstance(op, ops.SetItem) and (name := made.to(op.key).text) is not None:
            found[name] = made.to(op.value)
    return found


def _decorated(project: Project) -> Iterator[tuple[str, dict[str, Node]]]:
    """``@template("name.html")`` over a handler that returns its context."""
    for file in project.files.values():
        for index, function in enumerate(file.facts.functions):
            if not function.decorators or file.role != "production":
                continue
            code = file.code(index)
            names = [d.arg(0, "template_name") for d in code.decorators if d.method in ("template", "jinja2_template")]
            for name in (n.text for n in names if n is not None):
                for node in code.nodes(ops.Return) if name else ():
                    if isinstance(node.op, ops.Return) and node.op.value != NONE:
                        yield name or "", mapping(project, node.to(node.op.value))
