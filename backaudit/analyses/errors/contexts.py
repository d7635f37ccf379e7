"""Keys of a serializer's context that it reads by itself, and that whoever makes the serializer does not hand over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.analyses.errors.conflicts.unset import makes_rows
from backaudit.analyses.errors.requests import showing, valid
from backaudit.backend.access.missing import asked
from backaudit.backend.web.catching import catches, ending, escapes
from backaudit.backend.web.records import Route
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import entries
from backaudit.project.holding import conditions
from backaudit.project.locate import class_field
from backaudit.project.operands import made_of
from backaudit.rule import Finding, Step

_KEY_ERROR = "builtins.KeyError"
_ATTRIBUTE_ERROR = "builtins.AttributeError"
_CHECKS, _SHOWS = "is_valid", "data"


class _Read(msgspec.Struct, frozen=True):
    """``node`` needs ``key`` of the context, or raises. ``checks``: it runs where the serializer checks, else where it
    shows.
    """

    node: Node
    key: str
    raised: str
    checks: bool


def findings(project: Project) -> Iterator[Finding]:
    """Each serializer that is made without what its own methods read of its context."""
    reading = {cls: reads for cls in _serializers(project) if (reads := tuple(_reads(project, cls)))}
    yield from _made_without(project, reading)
    yield from _of_views(project, {cls.name: reads for cls, reads in reading.items()})


def _serializers(project: Project) -> tuple[ClassView, ...]:
    return tuple(project.subclasses(*sorted(project.models.kinds["partial-serializers"])))


def _made_without(project: Project, reading: Mapping[ClassView, tuple[_Read, ...]]) -> Iterator[Finding]:
    for cls, reads in reading.items():
        for made in project.constructions(cls):
            read = next((one for one in reads if _is_missed(project, made, one)), None)
            path = escapes(project, made, (read.raised,)) if read is not None else None
            if read is not None and path is not None and made.code.file.role == "production":
                exception = read.raised.rpartition(".")[2]
                place = made.place.first_line()
                yield Finding(
                    place=place,
                    message=f"`{cls.cls.name}` reads `{read.key}` of its context, which is not handed over here: "
                    f"{exception}, {ending(project, made, path, 'a 500 for every request that comes here')}.",
                    remedy="Hand the context over where the serializer is made.",
                    trace=(
                        Step(place, "makes the serializer without it"),
                        Step(read.node.place.first_line(), f"reads `{read.key}` of the context"),
                    ),
                    request=showing(project, made, path, (), raises=exception),
                )


def _of_views(project: Project, reading: Mapping[str, tuple[_Read, ...]]) -> Iterator[Finding]:
    """The views of a library that make such a serializer themselves, and hand over less than it reads."""
    told: set[str] = set()
    for route in project.once(routes):
        view = route.view
        if view is None or view.name in told or not makes_rows(project, route, view):
            continue
        for cls, read in _missed_by(project, view, reading):
            told.add(view.name)
            yield _of_view(project, route, view, cls, read)
            break


def _missed_by(
    project: Project, view: ClassView, reading: Mapping[str, tuple[_Read, ...]]
) -> Iterator[tuple[ClassView, _Read]]:
    """The serializers of a view with what they read and are not handed."""
    field = class_field(project, view, "serializer_class")
    handed = _handed_by(project, view)
    for cls in project.denoted_classes(field) if field is not None else ():
        missed = (read for read in reading.get(cls.name, ()) if read.key not in handed)
        yield from ((cls, read) for read in missed if read.raised == _KEY_ERROR and read.checks)


def _handed_by(project: Project, view: ClassView) -> frozenset[str]:
    """The keys that a library's view hands over, and those that the project's own view adds."""
    found = set(project.models.kinds["handed-by-views"])
    for name in sorted(project.models.kinds["hands-over-contexts"]):
        code = project.method(view.name, name)
        nodes = map(code.node, range(len(code.ops))) if code is not None else ()
        found |= {node.text for node in nodes if node.text is not None}
    return frozenset(found)


def _of_view(project: Project, route: Route, view: ClassView, cls: ClassView, read: _Read) -> Finding:
    return Finding(
        place=view.place.first_line(),
        message=f"`{cls.cls.name}` reads `{read.key}` of its context, which `{view.cls.name}` does not hand over: "
        f"KeyError, a 500 for every valid request.",
        remedy="Hand the context over where the serializer is made.",
        trace=(Step(read.node.place.first_line(), f"reads `{read.key}` of the context"),),
        request=valid(
            project, route, "POST", raises=_KEY_ERROR, at=read.node.place, wrong="nothing is wrong with it", wanted=201
        ),
    )


# -- what a serializer reads ------------------------------------------------------------------------------------------


def _reads(project: Project, cls: ClassView) -> Iterator[_Read]:
    for owner in project.lineage_views(cls.name):
        for name, code in owner.methods.items():
            if _runs_by_itself(project, name):
                checks = not name.startswith("get_") and name != "to_representation"
                yield from (_Read(node, key, raised, checks) for node, key, raised in _in_method(project, code))


def _runs_by_itself(project: Project, name: str) -> bool:
    """Whether a serializer calls a method of this name itself: a step, or what checks or shows one field."""
    return name in project.models.kinds["serializer-steps"] or name.startswith(("validate_", "get_"))


def _in_method(project: Project, code: Code) -> Iterator[tuple[Node, str, str]]:
    for node in code.nodes(ops.Item):
        op = node.op
        key = node.to(op.key).text if isinstance(op, ops.Item) and _is_context(project, node.to(op.base)) else None
        if key and _is_bare(project, node):
            yield node, key, _KEY_ERROR
    for node in code.nodes(ops.Attr):
        key = _got(project, node)
        if key and _is_bare(project, node, _ATTRIBUTE_ERROR):
            yield node, key, _ATTRIBUTE_ERROR


def _got(project: Project, use: Node) -> str:
    """The key of ``self.context.get("request")`` where an attribute is read of it and nobody asked whether it is."""
    got = use.to(use.op.base).origin if isinstance(use.op, ops.Attr) else use
    first = got.arg(0) if got.method == "get" and len(got.args()) == 1 else None
    if first is None or got.receiver is None or not _is_context(project, got.receiver):
        return ""
    return "" if asked(use.code, got.value, use.value) else first.text or ""


def _is_context(project: Project, node: Node) -> bool:
    op = node.origin.op
    own = node.origin.to(op.base).origin.op if isinstance(op, ops.Attr) else None
    named = isinstance(op, ops.Attr) and op.name in project.models.kinds["contexts-of-serializers"]
    return named and isinstance(own, ops.Param) and own.index == 0


def _is_bare(project: Project, node: Node, raised: str = _KEY_ERROR) -> bool:
    """Whether nothing on the way asks about the context, and nobody catches what is raised."""
    looked_at = (part for test, _ in conditions(node.code, node.value) for part in made_of(node.code.node(test)))
    return catches(project, node, (raised,)) is None and not any(_is_context(project, part) for part in looked_at)


# -- what it is handed ------------------------------------------------------------------------------------------------


def _is_missed(project: Project, made: Node, read: _Read) -> bool:
    """Whether a serializer is made without a key, and goes on to run what reads it."""
    handed = _handed(project, made)
    return handed is not None and read.key not in handed and _comes_to(made, read.checks)


def _handed(project: Project, made: Node) -> frozenset[str] | None:
    """The keys of the context that a construction hands over; None where they are not known."""
    if made.call is not None and (made.call.dstar or made.call.star):
        return None
    given = [made.arg(None, name) for name in sorted(project.models.kinds["contexts-of-serializers"])]
    mapping = next((node for node in given if node is not None), None)
    if mapping is None:
        return frozenset()
    op = mapping.origin.op
    if not isinstance(op, ops.Build) or op.kind != "dict":
        return None
    known = entries(mapping)
    return frozenset(known) if len(known) == len(op.items) else None


def _comes_to(made: Node, checks: bool) -> bool:
    """Whether the body has the serializer check what it was given, or show what it has made of it."""
    code = made.code
    if checks:
        return any(_is_of(call.receiver, made) for call in code.nodes(ops.Call) if call.method == _CHECKS)
    attributes = ((node, node.op) for node in code.nodes(ops.Attr))
    return any(
        isinstance(op, ops.Attr) and op.name == _SHOWS and _is_of(node.to(op.base), made) for node, op in attributes
    )


def _is_of(holder: Node | None, made: Node) -> bool:
    return holder is not None and holder.origin == made.origin
