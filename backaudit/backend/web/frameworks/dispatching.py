"""Requests that code tells apart by hand, comparing the path: ``dispatch`` in the tables (``http.server``, WSGI)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.backend.web.frameworks.language import Dispatching, Table, tables
from backaudit.backend.web.params import plain_params
from backaudit.backend.web.paths import Template, parse
from backaudit.backend.web.records import Route
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import behind, conditions, functions_behind, text_of
from backaudit.vocabulary.protocols import METHODS

_PATTERNS = frozenset({"match", "fullmatch"})


class _Body:
    """One body of code that tells requests apart."""

    def __init__(self, project: Project, code: Code, spec: Dispatching) -> None:
        self.project = project
        self.code = code
        self.spec = spec

    def paths(self) -> Iterator[tuple[Node, str, Code | None]]:
        """Each path that is asked for, where it is, and the function that a table of handlers gives for it."""
        for value, op in enumerate(self.code.ops):
            node = self.code.node(value)
            if isinstance(op, ops.Compare):
                yield from ((node, text, None) for text in self._compared(node, op))
            elif isinstance(op, ops.Call):
                yield from ((node, text, None) for text in self._asked(node))
                if node.method == "get" and node.receiver is not None:
                    yield from self._looked_up(node, node.receiver, node.arg(0))
            elif isinstance(op, ops.Item):
                yield from self._looked_up(node, node.to(op.base), node.to(op.key))

    def _compared(self, node: Node, op: ops.Compare) -> Iterator[str]:
        left, right = node.to(op.left), node.to(op.right)
        if op.operator == "==":
            pairs = ((left, right), (right, left))
            yield from self._paths(other for one, other in pairs if self.is_path(one))
        elif op.operator == "in" and self.is_path(left):
            yield from self._paths(items(self.project.resolved(right)))

    def _paths(self, nodes: Iterable[Node]) -> Iterator[str]:
        """The literal paths among some values."""
        texts = (text_of(self.project, node) for node in nodes)
        return (text for text in texts if text is not None and text.startswith("/"))

    def _asked(self, call: Node) -> Iterator[str]:
        receiver, first, second = call.receiver, call.arg(0), call.arg(1)
        asks_begin = call.method == "startswith" and receiver is not None and self.is_path(receiver)
        if first is not None and asks_begin:
            begins = items(self.project.resolved(first)) or [first]
            yield from (f"{text}{{rest}}" for text in self._paths(begins))
        elif call.method in _PATTERNS and second is not None and self.is_path(second):
            text = text_of(self.project, first) or ""
            yield from [parse(text, "regex").text] if text.lstrip("^").startswith("/") else []

    def _looked_up(self, node: Node, base: Node, key: Node | None) -> Iterator[tuple[Node, str, Code | None]]:
        if key is None or not self.is_path(key):
            return
        for display in behind(self.project, base):
            for path, value in display.entries():
                if path.text is not None and path.text.startswith("/"):
                    yield node, path.text, next(iter(functions_behind(self.project, value)), None)

    def is_path(self, node: Node) -> bool:
        """Whether a value is the request's path, or a trimmed part of it."""
        return self._is(node, self.spec.path)

    def _is(self, node: Node, wanted: str) -> bool:
        node = node.origin
        op = node.op
        if not wanted:
            return False
        if isinstance(op, ops.Attr):
            return _is_attribute(node, wanted) or (op.name in ("path", "geturl") and self._is(node.to(op.base), wanted))
        if isinstance(op, ops.Item):
            base = node.to(op.base).origin
            return _is_entry(base, node.to(op.key), wanted) or self._is(base, wanted)
        if isinstance(op, ops.Part):
            return self._is(node.to(op.base), wanted)
        if isinstance(op, ops.Logic):
            return any(self._is(node.to(value), wanted) for value in op.values)
        receiver, first = node.receiver, node.arg(0)
        if node.method == "get" and first is not None and _names(receiver, wanted):
            return _is_entry(receiver, first, wanted)
        parts = [part for part in (receiver, first) if part is not None]
        return node.is_call_of("keeps-the-path-text") and any(self._is(part, wanted) for part in parts)

    def methods(self, at: Node) -> tuple[str, ...]:
        """The methods asked for together with a path, inside its branch, or around it."""
        if self.spec.prefix:
            name = self.code.function.name.removeprefix(self.spec.prefix).upper()
            return (name,) if name in METHODS else ()
        around = [r for r in self.code.body.regions if r.kind == "then" and r.test != NONE]
        # The right side of an ``and`` is a region too: the branch itself comes after it.
        own = max((r for r in around if at in self._conditions(r)), key=lambda r: r.last, default=None)
        if own is None:
            return ()
        others = [region for region in around if region is not own]
        inner = [region for region in others if _holds(own, region)]
        outer = [region for region in others if _holds(region, own)]
        asked = ([verb for region in regions for verb in self._verbs(region)] for regions in ([own], inner, outer))
        return tuple(dict.fromkeys(next(filter(None, asked), ())))

    def _conditions(self, region: Region) -> list[Node]:
        return list(conditions(self.code.node(region.test)))

    def _verbs(self, region: Region) -> Iterator[str]:
        for test in self._conditions(region):
            op = test.op
            if isinstance(op, ops.Compare) and op.operator in ("==", "in"):
                left, right = test.to(op.left), test.to(op.right)
                for one, other in ((left, right), (right, left)):
                    if self._is(one, self.spec.method):
                        texts = (text_of(self.project, item) for item in items(self.project.resolved(other)) or [other])
                        yield from (text for text in texts if text in METHODS)


def _bodies(project: Project, name: str, spec: Dispatching) -> Iterator[Code]:
    if spec.prefix:
        for cls in project.subclasses(name):
            yield from (code for method, code in cls.methods.items() if method.startswith(spec.prefix))
        return
    for file in project.files.values():
        for index, function in enumerate(file.facts.functions) if file.role not in ("test", "example") else ():
            names = tuple(param.name for param in function.params if param.name != "self")
            if names == spec.parameters and not _hands_on(file.code(index), spec):
                yield file.code(index)


def _is_attribute(node: Node, wanted: str) -> bool:
    """``self.wanted``."""
    op = node.op
    return isinstance(op, ops.Attr) and op.name == wanted and node.to(op.base).is_self


def _is_entry(mapping: Node | None, key: Node, wanted: str) -> bool:
    """``environ["PATH_INFO"]``, of which ``environ[PATH_INFO]`` is wanted."""
    return _names(mapping, wanted) and key.const == wanted.partition("[")[2].rstrip("]")


def _names(mapping: Node | None, wanted: str) -> bool:
    return mapping is not None and mapping.spelled == wanted.partition("[")[0]


def _holds(outer: Region, inner: Region) -> bool:
    return outer.first <= inner.first and inner.last <= outer.last


def _hands_on(code: Code, spec: Dispatching) -> bool:
    """Whether a body gives the request to another: a middleware."""
    given = (call.args() for call in code.nodes(ops.Call))
    firsts = (arguments[0].origin.op for arguments in given if len(arguments) == len(spec.parameters) and arguments)
    return any(isinstance(first, ops.Param) and first.name == spec.parameters[0] for first in firsts)


def _routes(project: Project, table: Table, code: Code, spec: Dispatching) -> Iterator[Route]:
    body = _Body(project, code, spec)
    found = list(body.paths())
    for node, path, handler in found or [(code.node(0), "/{rest}", None)] if code.ops else ():
        target = handler or code
        template = Template(path, parse(path, "braces").types)
        yield Route(
            methods=body.methods(node),
            path=path,
            handler=target,
            framework=table.framework,
            place=node.place if found else code.place,
            params=plain_params(project, target, template, request=False),
            view=target.cls,
        )


def routes(project: Project) -> tuple[Route, ...]:
    """The paths that hand-written dispatchers tell apart; a dispatcher that tells none apart is one route."""
    found: list[Route] = []
    for name, table in project.once(tables).items():
        if table.dispatch is not None:
            for code in _bodies(project, name, table.dispatch):
                found += _routes(project, table, code, table.dispatch)
    return tuple(found)
