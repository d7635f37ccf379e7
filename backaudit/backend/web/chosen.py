"""Which class a view works with: the one that its field names, or what its method chooses, and for which actions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.holding import conditions
from backaudit.project.locate import behind, class_field
from backaudit.vocabulary.protocols import SAFE

_DEPTH = 4


class Chosen(NamedTuple):
    """A class that a view works with. ``actions``: for which alone, as the code calls them (``list``, ``POST``); None
    for whatever is not said apart.
    """

    cls: ClassView
    actions: frozenset[str] | None

    def reads(self, project: Project) -> bool:
        """Whether it serves actions that read, and no others."""
        return self.actions is not None and self.actions <= project.models.kinds["reading-actions"] | SAFE


def chosen(project: Project, view: ClassView, field: str) -> tuple[Chosen, ...]:
    """What ``field`` of a view (``serializer_class``) may be, what its ``get_`` method chooses first."""
    method = project.method(view.name, f"get_{field}")
    reader = _Reader(project, view, field)
    found = list(reader.returned(method)) if method is not None else []
    declared = () if found and not reader.asks_above else reader.declared()
    return tuple(dict.fromkeys((*found, *declared)))


class _Reader:
    def __init__(self, project: Project, view: ClassView, field: str) -> None:
        self._project, self._view, self._field = project, view, field
        self.asks_above = False

    def declared(self) -> Iterator[Chosen]:
        bound = class_field(self._project, self._view, self._field)
        for cls in self._project.denoted_classes(bound) if bound is not None else ():
            yield Chosen(cls, None)

    def returned(self, method: Code) -> Iterator[Chosen]:
        for node in method.nodes(ops.Return):
            if isinstance(node.op, ops.Return) and node.op.value != NONE:
                actions = self._actions(method, conditions(method, node.value))
                yield from self._of(node.to(node.op.value), actions, 0)

    def _of(self, value: Node, actions: frozenset[str] | None, depth: int) -> Iterator[Chosen]:
        """What a value may be; each alternative for the actions that its own condition says."""
        here = value.origin
        op = here.op
        if self._project.gives_up(depth, _DEPTH, here.place):
            return
        if isinstance(op, ops.Choice):
            for side, truth in ((op.then, True), (op.other, False)):
                said = self._actions(here.code, [(here.code.origin(op.test), truth)])
                yield from self._of(here.to(side), said or actions, depth + 1)
        elif isinstance(op, ops.Phi):
            for part in dict.fromkeys(op.values):
                said = self._actions(here.code, conditions(here.code, part))
                yield from self._of(here.to(part), said or actions, depth + 1)
        else:
            yield from self._single(here, actions)

    def _single(self, here: Node, actions: frozenset[str] | None) -> Iterator[Chosen]:
        classes = tuple(self._project.denoted_classes(here))
        if classes:
            yield from (Chosen(cls, actions) for cls in classes)
        elif self._is_own(here):
            self.asks_above = True
        else:
            yield from self._looked_up(here)

    def _is_own(self, node: Node) -> bool:
        """``super().get_serializer_class()``, or the field itself."""
        if isinstance(node.op, ops.Attr):
            return node.op.name == self._field
        return node.method == f"get_{self._field}"

    def _looked_up(self, here: Node) -> Iterator[Chosen]:
        """``TABLE[action]``, ``TABLE.get(action, Default)``, or a function of the project that is given the table."""
        if isinstance(here.op, ops.Item):
            yield from self._entries(here.to(here.op.base))
        elif here.method == "get" and here.receiver is not None:
            yield from self._entries(here.receiver)
            yield from self._otherwise(here.args()[1:])
        elif here.call is not None:
            for given in here.args():
                yield from self._entries(given)

    def _otherwise(self, given: Iterable[Node]) -> Iterator[Chosen]:
        for node in given:
            if self._is_own(node.origin):
                self.asks_above = True
            yield from (Chosen(cls, None) for cls in self._project.denoted_classes(node))

    def _entries(self, table: Node) -> Iterator[Chosen]:
        for display in self._tables(table):
            for key, made in display.entries():
                said = frozenset((key.text,)) if key.text else None
                yield from (Chosen(cls, said) for cls in self._project.denoted_classes(made))

    def _tables(self, table: Node) -> Iterable[Node]:
        """The displays that a table may be; an attribute of the view is looked for in the view's own class."""
        op = table.origin.op
        own = class_field(self._project, self._view, op.name) if isinstance(op, ops.Attr) else None
        return behind(self._project, own if own is not None else table)

    def _actions(self, code: Code, held: Iterable[tuple[Value, bool]]) -> frozenset[str] | None:
        """The actions that conditions name, where one names some."""
        for test, truth in held:
            op = code.ops[test]
            if isinstance(op, ops.Compare) and (op.operator in ("==", "in")) == truth:
                right = code.node(op.right).origin
                texts = [one.text for one in items(right) or [right]]
                if right.spelled.endswith("SAFE_METHODS"):
                    return frozenset(SAFE)
                if all(texts):
                    return frozenset(text for text in texts if text)
        return None
