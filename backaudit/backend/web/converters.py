"""Converters of addresses that a project declares itself: what a placeholder admits, and what it is made into."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.backend.web.paths import admits_slashes, admits_some
from backaudit.backend.web.records import RouteParam
from backaudit.backend.web.routes import by_handler
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.locate import class_field


class Converter(msgspec.Struct, frozen=True):
    """``narrow``: its pattern admits only some texts; ``made``: the function that judges and converts the text."""

    narrow: bool
    made: Code | None


def is_one_segment(project: Project, code: Code, param: RouteParam) -> bool:
    """Whether a placeholder holds no slash on any way to a function: the address is cut at slashes before."""
    found = project.once(by_handler).get(code, ())
    written = [dict(route.converters).get(param.name) for route in found]
    return bool(written) and all(text is not None and not admits_slashes(text) for text in written)


def converters_of(project: Project, code: Code, param: RouteParam) -> tuple[Converter, ...]:
    """The project's own converters that a placeholder goes through, one for each route that a function answers."""
    known = project.once(_declared)
    found: list[Converter] = []
    for route in project.once(by_handler).get(code, ()) if known else ():
        named = dict(route.converters).get(param.name, "").partition("(")[0]
        if named not in known:
            return ()
        found.append(known[named])
    return tuple(found)


def _declared(project: Project) -> Mapping[str, Converter]:
    """The converters by the name that addresses call them by."""
    return {
        name: _converter(project, cls)
        for name, made in (*_registered(project), *_kept(project))
        for cls in (*project.denoted_classes(made), *project.instances(made))
    }


def _registered(project: Project) -> Iterator[tuple[str, Node]]:
    """``register_converter(Year, "year")``, ``register_url_convertor("year", Year())``."""
    for call in project.calls(*sorted(project.models.kinds["registers-converters"])):
        first, second = call.arg(0), call.arg(1)
        for name, made in ((first, second), (second, first)):
            if name is not None and made is not None and name.text:
                yield name.text, made


def _kept(project: Project) -> Iterator[tuple[str, Node]]:
    """``app.url_map.converters["year"] = Year``."""
    tables = project.models.kinds["converter-tables"]
    for table in sorted(tables):
        for code in project.mentioning(table):
            for node in code.nodes(ops.SetItem):
                op = node.op
                assert isinstance(op, ops.SetItem)
                base, name = node.to(op.base).origin.op, node.to(op.key).text
                if isinstance(base, ops.Attr) and base.name in tables and name:
                    yield name, node.to(op.value)


def _converter(project: Project, cls: ClassView) -> Converter:
    pattern = class_field(project, cls, "regex")
    text = project.constant(pattern) if pattern is not None else None
    narrow = text is not None and bool(text.text) and admits_some(text.text or "")
    methods = (project.method(cls.name, name) for name in sorted(project.models.kinds["converts-placeholders"]))
    return Converter(narrow, next(filter(None, methods), None))
