"""HTML templates: what they print without escaping, and the values that the code hands to them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import msgspec

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place, Span
from backaudit.project import Node, Project

_TOKEN = re.compile(r"\{#.*?#\}|\{\{-?(.*?)-?\}\}|\{%-?\s*(.*?)\s*-?%\}", re.DOTALL)
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
    for token in _TOKEN.finditer(text):
        shown, tag = token.group(1), token.group(2)
        if tag is not None:
            _tag(tag, loops, off)
        elif shown is not None:
            found = _PATH.match(shown)
            filters = _FILTER.findall(shown)
            if found is None or (found.end() < len(shown) and shown[found.end()] != "|") or _ESCAPING & set(filters):
                continue
            why = "the filter `safe`" if "safe" in filters else "`autoescape` off" if off and off[-1] else ""
            yield Printed(path, _place(path, text, token), tuple(found[1].split(".")), why, tuple(loops))


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


def _place(path: str, text: str, token: re.Match[str]) -> Place:
    start = token.start()
    line = text.count("\n", 0, start) + 1
    column = start - (text.rfind("\n", 0, start) + 1)
    width = len(token.group(0).split("\n")[0])
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
