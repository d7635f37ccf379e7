"""Makes one body: emits operations, keeps the environment, joins it where control joins."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal, Protocol

from backaudit.facts.ops import NONE, AnyOp, Bind, Body, Op, Phi, Region, RegionKind, Value
from backaudit.facts.place import Span

Env = dict[str, Value]


class Notes(Protocol):
    """What the lowering of a body tells and asks of the file around it."""

    span: Any

    def note_call(self, name: str, function: int) -> None:
        """Body ``function`` calls something whose last name is ``name``."""

    def note_value_call(self, func: Op, function: int) -> None:
        """Body ``function`` calls ``func``, which may be a value that holds a function."""

    def note_set(self, name: str) -> None:
        """An attribute of that name is set somewhere."""

    def note_read(self, name: str, function: int) -> None:
        """Body ``function`` reads or sets an attribute, key or global of that name."""

    def note_handler(self, function: int) -> None:
        """Body ``function`` has one more ``except``."""

    def note_import(self, module: str, name: str, bound: str, level: int, function: int, node: ast.AST) -> None:
        """Body ``function`` imports."""

    def quoted(self, text: str, at: Span) -> Callable[[Any], Value] | None:
        """How to lower the expression that a quoted annotation holds; None if it holds none."""

    def lower_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, outer: Any) -> int:
        """Lower a nested function; its number in the file."""

    def lower_lambda(self, node: ast.Lambda, outer: Any) -> int:
        """The same for a lambda."""

    def lower_class(self, node: ast.ClassDef, outer: Any) -> int:
        """The same for a class; its number among the file's classes."""


class Builder:
    """The state while one body is lowered.

    ``env`` maps each local name to its value at this point. ``exits`` is empty while the point can be reached, else how
    control left (``return``, ``raise``, ``continue``, ``break``): what follows is lowered but joins nothing.
    """

    def __init__(self) -> None:
        self.ops: list[AnyOp] = []
        self.regions: list[Region | None] = []
        self.env: Env = {}
        self._outlasting: list[Env] = []  # for each comprehension that is open: what it gives names by ``:=``
        self.exits = ""
        self._open = [-1]
        self._groups = 0
        self._recorders: list[list[tuple[str, Value]]] = []

    def emit(self, op: AnyOp) -> Value:
        self.ops.append(op)
        return len(self.ops) - 1

    def bind(
        self,
        at: Span,
        name: str,
        value: Value,
        annotation: Value = NONE,
        scope: Literal["local", "global", "nonlocal"] = "local",
    ) -> Value:
        bound = self.emit(Bind(at, name, value, annotation, scope))
        if scope == "local":
            self.env[name] = bound
            for recorder in self._recorders:
                recorder.append((name, bound))
        return bound

    def group(self) -> int:
        self._groups += 1
        return self._groups

    def open(self, kind: RegionKind, at: Span, test: Value = NONE, group: int = 0) -> int:
        """Start a region; everything emitted until :meth:`close` belongs to it."""
        self.regions.append(Region(kind, self._open[-1], len(self.ops), -1, test, "", group or self.group(), at))
        self._open.append(len(self.regions) - 1)
        return len(self.regions) - 1

    def close(self) -> None:
        index = self._open.pop()
        opened = self.regions[index]
        assert opened is not None
        self.regions[index] = Region(
            opened.kind,
            opened.parent,
            opened.first,
            len(self.ops),
            opened.test,
            self.exits,
            opened.group,
            opened.at,
        )

    def record(self) -> list[tuple[str, Value]]:
        """Start noting every binding (for handlers: an exception may come after any of them)."""
        recorder: list[tuple[str, Value]] = []
        self._recorders.append(recorder)
        return recorder

    def stop_recording(self) -> None:
        self._recorders.pop()

    def branch(self) -> tuple[Env, str]:
        return dict(self.env), self.exits

    def resume(self, state: tuple[Env, str]) -> None:
        self.env, self.exits = dict(state[0]), state[1]

    def join(self, at: Span, states: Sequence[tuple[Env, str]]) -> None:
        """Continue where the states that still reach this point meet; if none does, stay unreachable."""
        alive = [env for env, exits in states if not exits]
        self.exits = "" if alive else _common([exits for _, exits in states])
        self.env = self.merge(at, alive or [env for env, _ in states])

    def merge(self, at: Span, envs: Sequence[Env]) -> Env:
        if len(envs) == 1:
            return dict(envs[0])
        merged: Env = {}
        for env in envs:
            for name, value in env.items():
                if name not in merged:
                    merged[name] = self._meet(at, name, value, envs)
        return merged

    def _meet(self, at: Span, name: str, first: Value, envs: Sequence[Env]) -> Value:
        if all(env.get(name, first) == first for env in envs):
            return first
        return self.phi(at, name, (env[name] for env in envs if name in env))

    def phi(self, at: Span, name: str, values: Iterable[Value]) -> Value:
        distinct = tuple(dict.fromkeys(values))
        return distinct[0] if len(distinct) == 1 else self.emit(Phi(at, name, distinct))

    def patch(self, phi: Value, values: Iterable[Value]) -> None:
        """Complete the phi at a loop's head once the values at its end are known."""
        old = self.ops[phi]
        assert isinstance(old, Phi)
        distinct = tuple(value for value in dict.fromkeys((*old.values, *values)) if value != phi)
        self.ops[phi] = Phi(old.at, old.name, distinct)

    def body(self) -> Body:
        regions = tuple(region for region in self.regions if region is not None)
        return Body(tuple(self.ops), regions, self.env, self.exits)


def _common(exits: Sequence[str]) -> str:
    return exits[0] if len(set(exits)) == 1 else "return"
