"""Lowers statements: the control flow of one body."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Literal

from backaudit.extract.python.builder import Env, Notes
from backaudit.extract.python.expressions import Expressions, binary_operator
from backaudit.extract.python.reading import TryStar, TypeAlias
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.facts.place import Span

State = tuple[Env, str]


class Statements(Expressions):
    """Adds statements to the builder; one instance lowers one body."""

    def __init__(self, file: Notes, index: int) -> None:
        super().__init__(file, index)
        self._declared: dict[str, Literal["global", "nonlocal"]] = {}
        self._loops: list[tuple[list[State], list[State]]] = []

    def scope_of(self, name: str) -> Any:
        return self._declared.get(name, "local")

    def suite(self, body: Sequence[ast.stmt]) -> None:
        for statement in body:
            self.statement(statement)

    def statement(self, node: ast.stmt) -> None:
        handler = self._statements.get(type(node))
        if handler is not None:
            handler(self, node)

    def _expr(self, node: ast.Expr) -> None:
        value = self.expr(node.value)
        if not isinstance(self.ops[value], ops.Const):
            self.emit(ops.Discard(self.span(node), value))

    def _assign(self, node: ast.Assign) -> None:
        value = self.expr(node.value)
        for target in node.targets:
            self.assign(target, value)

    def _annotated(self, node: ast.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        if node.value is not None:
            self.assign(node.target, self.expr(node.value), annotation)
        elif isinstance(node.target, ast.Name):
            # A declaration without a value: class bodies of schemas and models live on it.
            nothing = self.emit(ops.Opaque(self.span(node.target)))
            self.bind(self.span(node.target), node.target.id, nothing, annotation)

    def annotation(self, node: ast.expr | None) -> Value:
        return NONE if node is None else self.type_expression(node)

    def type_expression(self, node: ast.expr) -> Value:
        """An annotation's value; a quoted one is read as the expression it quotes."""
        value = self.expr(node)
        made = self.ops[value]
        if not isinstance(made, ops.Const) or not isinstance(made.value, str):
            return value
        quoted = self.file.quoted(made.value, made.at)
        return value if quoted is None else quoted(self)

    def _augment(self, node: ast.AugAssign) -> None:
        old = self.expr(node.target)
        value = self.expr(node.value)
        result = self.emit(ops.Bin(self.span(node), binary_operator(node.op), old, value))
        self.assign(node.target, result)

    def _return(self, node: ast.Return) -> None:
        value = NONE if node.value is None else self.expr(node.value)
        self.emit(ops.Return(self.span(node), value))
        self.exits = self.exits or "return"

    def _raise(self, node: ast.Raise) -> None:
        exception = NONE if node.exc is None else self.expr(node.exc)
        cause = NONE if node.cause is None else self.expr(node.cause)
        self.emit(ops.Raise(self.span(node), exception, cause))
        self.exits = self.exits or "raise"

    def _assert(self, node: ast.Assert) -> None:
        test = self.expr(node.test)
        message = NONE if node.msg is None else self.under("else", node.msg, test)
        self.emit(ops.Assert(self.span(node), test, message))

    def _del(self, node: ast.Delete) -> None:
        targets = node.targets
        if len(targets) == 1 and isinstance(targets[0], (ast.Tuple, ast.List)):
            targets = targets[0].elts
        for target in targets:
            if isinstance(target, ast.Name):
                self.env.pop(target.id, None)
            else:
                self.emit(ops.Delete(self.span(target), self.expr(target)))

    def _declare(self, node: ast.Global | ast.Nonlocal) -> None:
        kind: Literal["global", "nonlocal"] = "global" if isinstance(node, ast.Global) else "nonlocal"
        self._declared.update(dict.fromkeys(node.names, kind))

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            bound = alias.asname or alias.name.partition(".")[0]
            value = self.emit(ops.Import(self.span(alias), alias.name if alias.asname else bound, "", 0))
            self.file.note_import(alias.name, "", bound, 0, self.index, alias)
            self.bind(self.span(alias), bound, value)

    def _import_from(self, node: ast.ImportFrom) -> None:
        module, level = node.module or "", node.level
        if node.names[0].name == "*":
            self.file.note_import(module, "*", "*", level, self.index, node)
            return
        for alias in node.names:
            bound = alias.asname or alias.name
            value = self.emit(ops.Import(self.span(alias), module, alias.name, level))
            self.file.note_import(module, alias.name, bound, level, self.index, alias)
            self.bind(self.span(alias), bound, value)

    def _break(self, node: ast.Break) -> None:
        self._leave(1, "break")

    def _continue(self, node: ast.Continue) -> None:
        self._leave(0, "continue")

    def _leave(self, which: int, exits: str) -> None:
        if self._loops and not self.exits:
            self._loops[-1][which].append((dict(self.env), ""))
        self.exits = self.exits or exits

    def _if(self, node: ast.If) -> None:
        test = self.expr(node.test)
        group = self.group()
        before = self.branch()
        self.open("then", self.span.suite(node.body), test, group)
        self._doom(test, dead_if=False)
        self.suite(node.body)
        self.close()
        then = self.branch()
        self.resume(before)
        if not node.orelse:
            self._doom(test, dead_if=True)
        else:
            self.open("else", self.span.otherwise(node.body, node.orelse), test, group)
            self._doom(test, dead_if=True)
            self.suite(node.orelse)
            self.close()
        self.join(self.span(node), [then, self.branch()])

    def _doom(self, test: Value, *, dead_if: bool) -> None:
        """Mark this branch unreachable where the condition is a literal (``if False:``, ``while True:``)."""
        made = self.ops[test]
        if isinstance(made, ops.Const) and bool(made.value) is dead_if and not self.exits:
            self.exits = "never"

    def _for(self, node: ast.For | ast.AsyncFor) -> None:
        iterated = self.expr(node.iter)
        heads = self._heads(node, [*_targets(node.target), *_bound(node.body)])
        entry = self.branch()
        self._loops.append(([], []))
        self.open("loop", self.span.suite(node.body), iterated)
        self.assign(node.target, self.emit(ops.Element(self.span(node.target), iterated)))
        self.suite(node.body)
        self.close()
        self._finish_loop(node, heads, entry)

    def _while(self, node: ast.While) -> None:
        heads = self._heads(node, _bound(node.body))
        test = self.expr(node.test)
        entry = self.branch()
        self._loops.append(([], []))
        self.open("loop", self.span.suite(node.body), test)
        self.suite(node.body)
        self.close()
        made = self.ops[test]
        endless = isinstance(made, ops.Const) and bool(made.value)
        self._finish_loop(node, heads, (entry[0], "never") if endless and not entry[1] else entry)

    def _heads(self, node: ast.For | ast.AsyncFor | ast.While, names: Iterable[str]) -> dict[str, Value]:
        """A phi at the loop's head for each name that the loop may rebind."""
        heads: dict[str, Value] = {}
        for name in dict.fromkeys(names):
            if name in self.env:
                heads[name] = self.emit(ops.Phi(self.span(node), name, (self.env[name],)))
                self.env[name] = heads[name]
        return heads

    def _finish_loop(self, node: ast.For | ast.AsyncFor | ast.While, heads: dict[str, Value], entry: State) -> None:
        continues, breaks = self._loops.pop()
        ends = [env for env, exits in [self.branch(), *continues] if not exits]
        for name, phi in heads.items():
            self.patch(phi, [env[name] for env in ends if name in env])
        at = self.span(node)
        # Names bound only inside keep their last value; all others are their head's phi again.
        leaving = {**(self.merge(at, ends) if ends else {}), **entry[0]}
        self.env, self.exits = leaving, entry[1]
        if node.orelse:
            self.open("loop-else", self.span.suite(node.orelse))
            self.suite(node.orelse)
            self.close()
        self.join(at, [self.branch(), *breaks])

    def _with(self, node: ast.With | ast.AsyncWith) -> None:
        opened = 0
        for item in node.items:
            manager = self.expr(item.context_expr)
            entered = self.emit(ops.Enter(self.span(item.context_expr), manager))
            if item.optional_vars is not None:
                self.assign(item.optional_vars, entered)
            self.open("with", self.span.suite(node.body), manager)
            opened += 1
        self.suite(node.body)
        for _ in range(opened):
            self.close()

    def _try(self, node: Any) -> None:
        group = self.group()
        before = self.branch()
        recorder = self.record()
        self.open("try", self.span.suite(node.body), group=group)
        self.suite(node.body)
        self.close()
        self.stop_recording()
        after_body = self.branch()
        caught = self._caught_env(node, before[0], recorder)
        ends = [self._handler(handler, (caught, before[1]), group) for handler in node.handlers]
        self.resume(after_body)
        if node.orelse:
            self.open("try-else", self.span.suite(node.orelse), group=group)
            self.suite(node.orelse)
            self.close()
        self.join(self.span(node), [self.branch(), *ends])
        if node.finalbody:
            self._finally(node.finalbody, group)

    def _caught_env(self, node: ast.AST, before: Env, binds: Sequence[tuple[str, Value]]) -> Env:
        """What names may hold when an exception comes: their value before, or any that the block gave them."""
        values: dict[str, list[Value]] = {}
        for name, value in binds:
            values.setdefault(name, [before[name]] if name in before else []).append(value)
        env = dict(before)
        at = self.span(node)
        for name, choices in values.items():
            env[name] = self.phi(at, name, choices)
        return env

    def _handler(self, node: ast.ExceptHandler, state: State, group: int) -> State:
        self.file.note_handler(self.index)
        self.resume(state)
        types = NONE if node.type is None else self.expr(node.type)
        self.open("except", self.span(node), types, group)
        caught = self.emit(ops.Caught(self.span(node), types))
        if node.name:
            self.bind(self.span(node), node.name, caught)
        self.suite(node.body)
        self.close()
        if node.name:
            self.env.pop(node.name, None)
        return self.branch()

    def _finally(self, body: Sequence[ast.stmt], group: int) -> None:
        exits, self.exits = self.exits, ""
        self.open("finally", self.span.suite(body), group=group)
        self.suite(body)
        self.close()
        self.exits = self.exits or exits

    def _match(self, node: ast.Match) -> None:
        subject = self.expr(node.subject)
        group = self.group()
        before = self.branch()
        ends: list[State] = []
        exhaustive = False
        for case in node.cases:
            self.resume(before)
            test = self._pattern(case.pattern, subject)
            self.open("case", self.span.suite(case.body), test, group)
            if case.guard is not None:
                guard = self.expr(case.guard)
                self.open("then", self.span.suite(case.body), guard)
            self.suite(case.body)
            if case.guard is not None:
                self.close()
            self.close()
            ends.append(self.branch())
            exhaustive = exhaustive or (case.guard is None and _wildcard(case.pattern))
        self.join(self.span(node), ends if exhaustive else [*ends, before])

    def _pattern(self, pattern: ast.pattern, subject: Value) -> Value:
        """Bind what the pattern captures; return the test it stands for, as far as it can be said."""
        at = self._pattern_span(pattern)
        if isinstance(pattern, ast.MatchValue):
            return self.emit(ops.Compare(at, "==", subject, self.expr(pattern.value)))
        if isinstance(pattern, ast.MatchSingleton):
            return self.emit(ops.Compare(at, "is", subject, self.emit(ops.Const(at, pattern.value))))
        if isinstance(pattern, ast.MatchOr):
            tests = tuple(self._pattern(choice, subject) for choice in pattern.patterns)
            return self.emit(ops.Logic(at, "or", tests))
        if isinstance(pattern, ast.MatchAs):
            test = NONE if pattern.pattern is None else self._pattern(pattern.pattern, subject)
            if pattern.name is not None:
                self.bind(at, pattern.name, subject)
            return test if test != NONE else self.emit(ops.Opaque(at))
        self._capture(pattern, subject)
        return self.emit(ops.Opaque(at))

    def _pattern_span(self, pattern: ast.pattern) -> Span:
        is_sequence = isinstance(pattern, ast.MatchSequence)
        return self.span.sequence(pattern) if is_sequence else self.span(pattern)  # type: ignore[no-any-return]

    def _capture(self, pattern: ast.pattern, subject: Value) -> None:
        """Bind the names in a pattern to the parts of the subject that they stand for."""
        if isinstance(pattern, ast.MatchSequence):
            self._capture_parts(pattern.patterns, subject)
        elif isinstance(pattern, ast.MatchMapping):
            self._capture_entries(pattern, subject)
        elif isinstance(pattern, ast.MatchClass):
            for positional in pattern.patterns:
                self._capture(positional, self.emit(ops.Part(self.span(positional), subject, -1)))
            for name, inner in zip(pattern.kwd_attrs, pattern.kwd_patterns, strict=True):
                self._capture(inner, self.emit(ops.Attr(self.span(inner), subject, name)))
        elif isinstance(pattern, (ast.MatchAs, ast.MatchStar)):
            if isinstance(pattern, ast.MatchAs) and pattern.pattern is not None:
                self._capture(pattern.pattern, subject)
            if pattern.name is not None:
                self.bind(self.span(pattern), pattern.name, subject)
        elif isinstance(pattern, ast.MatchOr):
            for choice in pattern.patterns:
                self._capture(choice, subject)

    def _capture_parts(self, patterns: Sequence[ast.pattern], subject: Value) -> None:
        starred = False
        for position, inner in enumerate(patterns):
            starred = starred or isinstance(inner, ast.MatchStar)
            self._capture(inner, self.emit(ops.Part(self.span(inner), subject, -1 if starred else position)))

    def _capture_entries(self, pattern: ast.MatchMapping, subject: Value) -> None:
        for key, inner in zip(pattern.keys, pattern.patterns, strict=True):
            value = self.expr(key)
            self._note_key(value)
            self._capture(inner, self.emit(ops.Item(self.span.up_to(key, inner), subject, value)))
        if pattern.rest is not None:
            self.bind(self.span(pattern), pattern.rest, subject)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> None:
        function = self.file.lower_function(node, self)
        at = self.span.name(node)
        self.bind(at, node.name, self.emit(ops.Def(at, function)), NONE, self.scope_of(node.name))

    def _class(self, node: ast.ClassDef) -> None:
        made = self.file.lower_class(node, self)
        at = self.span.name(node)
        self.bind(at, node.name, self.emit(ops.ClassDef(at, made)), NONE, self.scope_of(node.name))

    def _type_alias(self, node: Any) -> None:
        self.bind(self.span(node.name), node.name.id, self.expr(node.value))

    _statements: ClassVar[dict[type[ast.AST], Callable[[Any, Any], None]]] = {
        ast.Expr: _expr,
        ast.Assign: _assign,
        ast.AnnAssign: _annotated,
        ast.AugAssign: _augment,
        ast.Return: _return,
        ast.Raise: _raise,
        ast.Assert: _assert,
        ast.Delete: _del,
        ast.Global: _declare,
        ast.Nonlocal: _declare,
        ast.Import: _import,
        ast.ImportFrom: _import_from,
        ast.Break: _break,
        ast.Continue: _continue,
        ast.If: _if,
        ast.For: _for,
        ast.AsyncFor: _for,
        ast.While: _while,
        ast.With: _with,
        ast.AsyncWith: _with,
        ast.Try: _try,
        ast.Match: _match,
        ast.FunctionDef: _function,
        ast.AsyncFunctionDef: _function,
        ast.ClassDef: _class,
        TryStar: _try,
        TypeAlias: _type_alias,
    }


def _wildcard(pattern: ast.pattern) -> bool:
    return isinstance(pattern, ast.MatchAs) and pattern.pattern is None


def _targets(target: ast.expr) -> list[str]:
    if isinstance(target, ast.Name):
        return [target.id]
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for element in target.elts for name in _targets(element)]
    return _targets(target.value) if isinstance(target, ast.Starred) else []


def _bound(body: Sequence[ast.stmt]) -> list[str]:
    """Names that the statements of a block may bind, nested blocks included, nested functions not."""
    return [name for statement in body for name in _bound_by(statement)]


def _bound_by(node: Any) -> list[str]:
    if isinstance(node, ast.Assign):
        return [name for target in node.targets for name in _targets(target)]
    if isinstance(node, (ast.AnnAssign, ast.AugAssign)):
        return _targets(node.target)
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Match):
        return [name for case in node.cases for name in _bound(case.body)]
    names: list[str] = []
    if isinstance(node, (ast.For, ast.AsyncFor)):
        names += _targets(node.target)
    elif isinstance(node, (ast.With, ast.AsyncWith)):
        names += [
            name for target in filter(None, (item.optional_vars for item in node.items)) for name in _targets(target)
        ]
    blocks = (getattr(node, "body", ()), *(handler.body for handler in getattr(node, "handlers", ())))
    for block in (*blocks, getattr(node, "orelse", ()), getattr(node, "finalbody", ())):
        names += _bound(block)
    return names
