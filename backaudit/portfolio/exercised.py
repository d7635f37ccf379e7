"""What the tests of a project call: routes by the paths that a client is given, or by their names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.portfolio.stack import paired, served
from backaudit.project import Code, Node, Project
from backaudit.project.circles import cut_circles
from backaudit.project.locate import text_of
from backaudit.survey.records import RouteRow
from backaudit.vocabulary.meaning import meaning
from backaudit.vocabulary.names import noun_of
from backaudit.vocabulary.protocols import METHODS

_TEST = meaning("code", "test-function")
_ASSERTION = meaning("code", "assertion")
_RATE = re.compile(r'<coverage\b[^>]*\bline-rate="(?P<rate>[01](?:\.\d+)?)"')
_VERBS = frozenset(method.lower() for method in METHODS) | {"open", "request", "websocket_connect"}
# What stands in a path where a value is filled in: no text of a project holds it.
_HOLE = "\x00"
_PLACEHOLDER = re.compile(r"\\\{[^}]*\\\}")


def test_functions(project: Project) -> tuple[Place, ...]:
    """The functions that a runner of tests would run. Ask with ``project.once``."""
    named = (code for code in _test_code(project) if _TEST.holds(code.function.name))
    return tuple(sorted(code.place for code in named if not _is_of_a_script(project, code)))


def _is_of_a_script(project: Project, code: Code) -> bool:
    """Whether a function is run by its own module and asserts nothing: a try-out that is only called like a test."""
    run = any(call.code.path == code.path for call in project.callers(code))
    calls = code.nodes(ops.Call)
    asserts = any(code.nodes(ops.Assert)) or any(_ASSERTION.holds(call.method) for call in calls)
    return run and not asserts


def _test_code(project: Project) -> Iterator[Code]:
    for file in project.files.values():
        if file.role == "test":
            yield from (file.code(index) for index, f in enumerate(file.facts.functions) if f.kind == "function")


def called_routes(project: Project) -> frozenset[RouteRow]:
    """The routes that a test calls. Ask with ``project.once``."""
    rows = [(row, _pattern(row.path)) for row in served(project)]
    found: set[RouteRow] = set()
    for verb, path in _calls(project):
        fitting = [row for row, pattern in rows if _answers(row, verb) and pattern.fullmatch(path)]
        # What is written out goes before what a placeholder takes in.
        found.update(sorted(fitting, key=lambda row: row.path.count("{"))[:1] if _HOLE not in path else fitting)
    asked = frozenset(_named(project))
    found.update(row for row, route in project.once(paired) if not asked.isdisjoint(_names(project, row, route)))
    return frozenset(found)


def coverage(project: Project) -> tuple[str, float] | None:
    """The report of coverage that lies in the repository, and its rate."""
    for file in project.artefacts("xml"):
        rate = _RATE.search(file.text[:2_000])
        if rate is not None:
            return file.path, float(rate["rate"])
    return None


def _answers(row: RouteRow, verb: str) -> bool:
    return not row.methods or verb not in METHODS or verb in row.methods


def _pattern(path: str) -> re.Pattern[str]:
    """A route's path as tests write it: with any value in its placeholders, with or without the last slash."""
    fixed = _PLACEHOLDER.sub("[^/]+", re.escape(path.rstrip("/")))
    return re.compile(rf"(?:https?://[^/]+)?(?:/[^/]+)*?{fixed}/?")


def _calls(project: Project) -> Iterator[tuple[str, str]]:
    """(method, path) of each request that a test makes."""
    for code in _test_code(project):
        for call in code.nodes(ops.Call):
            if call.method in _VERBS and call.receiver is not None:
                yield from _requested(project, call)


def _requested(project: Project, call: Node) -> Iterator[tuple[str, str]]:
    arguments = [arg for arg in (call.arg(0, "url"), call.arg(1, "url")) if arg is not None]
    for argument in arguments:
        path = _path(project, argument)
        if path.startswith(("/", "http")):
            given = call.arg(0, "method") if call.method == "request" else None
            verb = (given.text or "") if given is not None else call.method
            yield verb.upper(), path
            return


def _path(project: Project, node: Node) -> str:
    """The path that a value is, with holes where values are filled in, without its query."""
    return _text(project, node).partition("?")[0]


@cut_circles(otherwise="")
def _text(project: Project, node: Node) -> str:
    here = project.resolved(node)
    known = here.text
    if known is not None:
        return known
    op = here.op
    if isinstance(op, ops.Build) and op.kind == "fstring":
        return "".join(_text(project, here.to(item)) for item in op.items)
    if isinstance(op, ops.Bin) and op.operator == "+":
        return "".join(_text(project, here.to(side)) for side in (op.left, op.right))
    if isinstance(op, ops.Format) and op.value != NONE:
        return _text(project, here.to(op.value))
    return text_of(project, here) or _HOLE


def _named(project: Project) -> Iterator[str]:
    """Names of routes that tests ask the address of: ``reverse("task-list")``, ``url_for("tasks.create")``."""
    for last in sorted(project.models.kinds["names-routes"]):
        for call in project.calls_of(last):
            name = call.arg(0)
            text = text_of(project, name) if name is not None else None
            if text and project.role(call.code.path) == "test":
                yield re.split(r"[.:]", text)[-1]


def _names(project: Project, row: RouteRow, route: Route) -> Iterator[str]:
    """What a route goes by: the name that it is given, its handler's, or a router's for a list or a single thing."""
    yield row.handler.rpartition(".")[2]
    declared = route.declared
    for key in ("name", "endpoint"):
        text = text_of(project, declared.arg(None, key)) if declared is not None else None
        if text:
            yield text
    base = text_of(project, declared.arg(2, "basename")) if declared is not None else None
    for model in dict.fromkeys(filter(None, (base, *map(noun_of, (*row.writes, *row.reads))))):
        single = "{" in row.path.rstrip("/").rpartition("/")[2]
        yield f"{model}-{'detail' if single else 'list'}"
        yield f"{model}-{row.handler.rpartition('.')[2].replace('_', '-')}"
