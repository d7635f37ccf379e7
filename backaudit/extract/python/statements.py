"""Lowers statements: the control flow of one body."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, Literal

import libcst as cst

from backaudit.extract.python.builder import Env, Notes
from backaudit.extract.python.expressions import Expressions, binary_operator
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value

State = tuple[Env, str]


class Statements(Expressions):
    """Adds statements to the builder; one instance lowers one body."""

    def __init__(self, file: Notes, index: int) -> None:
        super().__init__(file, index)
        self._declared: dict[str, Literal["global", "nonlocal"]] = {}
        self._loops: list[tuple[list[State], list[State]]] = []

    def scope_of(self, name: str) -> Any:
        return self._declared.get(name, "local")

    def suite(self, body: cst.BaseSuite | cst.Module) -> None:
        for statement in body.body:
            self.statement(statement)

    def statement(self, node: cst.CSTNode) -> None:
        handler = self._statements.get(type(node))
        if handler is not None:
            handler(self, node)

    def _line(self, node: cst.SimpleStatementLine | cst.SimpleStatementSuite) -> None:
        for statement in node.body:
            self.statement(statement)

    def _expr(self, node: cst.Expr) -> None:
        value = self.expr(node.value)
        if not isinstance(self.ops[value], ops.Const):
            self.emit(ops.Discard(self.span(node), value))

    def _assign(self, node: cst.Assign) -> None:
        value = self.expr(node.value)
        for target in node.targets:
            self.assign(target.target, value)

    def _annotated(self, node: cst.AnnAssign) -> None:
        annotation = self.annotation(node.annotation)
        if node.value is not None:
            self.assign(node.target, self.expr(node.value), annotation)
        elif isinstance(node.target, cst.Name):
            # A declaration without a value: class bodies of schemas and models live on it.
            nothing = self.emit(ops.Opaque(self.span(node.target)))
            self.bind(self.span(node.target), node.target.value, nothing, annotation)

    def annotation(self, node: cst.Annotation | None) -> Value:
        return NONE if node is None else self.type_expression(node.annotation)

    def type_expression(self, node: cst.BaseExpression) -> Value:
        """An annotation's value; a quoted one is read as the expression it quotes."""
        value = self.expr(node)
        made = self.ops[value]
        if not isinstance(made, ops.Const) or not isinstance(made.value, str):
            return value
        quoted = self.file.quoted(made.value, made.at)
        return value if quoted is None else quoted(self)

    def _augment(self, node: cst.AugAssign) -> None:
        old = self.expr(node.target)
        value = self.expr(node.value)
        result = self.emit(ops.Bin(self.span(node), binary_operator(node.operator), old, value))
        self.assign(node.target, result)

    def _return(self, node: cst.Return) -> None:
        value = NONE if node.value is None else self.expr(node.value)
        self.emit(ops.Return(self.span(node), value))
        self.exits = self.exits or "return"

    def _raise(self, node: cst.Raise) -> None:
        exception = NONE if node.exc is None else self.expr(node.exc)
        cause = NONE if node.cause is None else self.expr(node.cause.item)
        self.emit(ops.Raise(self.span(node), exception, cause))
        self.exits = self.exits or "raise"

    def _assert(self, node: cst.Assert) -> None:
        test = self.expr(node.test)
        message = NONE if node.msg is None else self.under("else", node.msg, test)
        self.emit(ops.Assert(self.span(node), test, message))

    def _del(self, node: cst.Del) -> None:
        targets = node.target.elements if isinstance(node.target, (cst.Tuple, cst.List)) else [node.target]
        for target in targets:
            inner = target.value if isinstance(target, cst.Element) else target
            if isinstance(inner, cst.Name):
                self.env.pop(inner.value, None)
            else:
                self.emit(ops.Delete(self.span(inner), self.expr(inner)))

    def _declare(self, node: cst.Global | cst.Nonlocal) -> None:
        kind: Literal["global", "nonlocal"] = "global" if isinstance(node, cst.Global) else "nonlocal"
        for item in node.names:
            self._declared[item.name.value] = kind

    def _import(self, node: cst.Import) -> None:
        for alias in node.names:
            module = dotted(alias.name)
            asname = _asname(alias)
            bound = asname or module.partition(".")[0]
            value = self.emit(ops.Import(self.span(alias), module if asname else bound, "", 0))
            self.file.note_import(module, "", bound, 0, self.index, alias)
            self.bind(self.span(alias), bound, value)

    def _import_from(self, node: cst.ImportFrom) -> None:
        module = dotted(node.module) if node.module is not None else ""
        level = len(node.relative)
        if isinstance(node.names, cst.ImportStar):
            self.file.note_import(module, "*", "*", level, self.index, node)
            return
        for alias in node.names:
            name = dotted(alias.name)
            bound = _asname(alias) or name
            value = self.emit(ops.Import(self.span(alias), module, name, level))
            self.file.note_import(module, name, bound, level, self.index, alias)
            self.bind(self.span(alias), bound, value)

    def _break(self, node: cst.Break) -> None:
        self._leave(1, "break")

    def _continue(self, node: cst.Continue) -> None:
        self._leave(0, "continue")

    def _leave(self, which: int, exits: str) -> None:
        if self._loops and not self.exits:
            self._loops[-1][which].append((dict(self.env), ""))
        self.exits = self.exits or exits

    def _if(self, node: cst.If) -> None:
        test = self.expr(node.test)
        group = self.group()
        before = self.branch()
        self.open("then", self.span(node.body), test, group)
        self._doom(test, dead_if=False)
        self.suite(node.body)
        self.close()
        then = self.branch()
        self.resume(before)
        if node.orelse is None:
            self._doom(test, dead_if=True)
        else:
            self.open("else", self.span(node.orelse), test, group)
            self._doom(test, dead_if=True)
            self._orelse(node.orelse)
            self.close()
        self.join(self.span(node), [then, self.branch()])

    def _doom(self, test: Value, *, dead_if: bool) -> None:
        """Mark this branch unreachable where the condition is a literal (``if False:``, ``while True:``)."""
        made = self.ops[test]
        if isinstance(made, ops.Const) and bool(made.value) is dead_if and not self.exits:
            self.exits = "never"

    def _orelse(self, node: cst.If | cst.Else) -> None:
        if isinstance(node, cst.If):
            self._if(node)
        else:
            self.suite(node.body)

    def _for(self, node: cst.For) -> None:
        iterated = self.expr(node.iter)
        heads = self._heads(node, [*_targets(node.target), *_bound(node.body)])
        entry = self.branch()
        self._loops.append(([], []))
        self.open("loop", self.span(node.body), iterated)
        self.assign(node.target, self.emit(ops.Element(self.span(node.target), iterated)))
        self.suite(node.body)
        self.close()
        self._finish_loop(node, heads, entry)

    def _while(self, node: cst.While) -> None:
        heads = self._heads(node, _bound(node.body))
        test = self.expr(node.test)
        entry = self.branch()
        self._loops.append(([], []))
        self.open("loop", self.span(node.body), test)
        self.suite(node.body)
        self.close()
        made = self.ops[test]
        endless = isinstance(made, ops.Const) and bool(made.value)
        self._finish_loop(node, heads, (entry[0], "never") if endless and not entry[1] else entry)

    def _heads(self, node: cst.For | cst.While, names: Iterable[str]) -> dict[str, Value]:
        """A phi at the loop's head for each name that the loop may rebind."""
        heads: dict[str, Value] = {}
        for name in dict.fromkeys(names):
            if name in self.env:
                heads[name] = self.emit(ops.Phi(self.span(node), name, (self.env[name],)))
                self.env[name] = heads[name]
        return heads

    def _finish_loop(self, node: cst.For | cst.While, heads: dict[str, Value], entry: State) -> None:
        continues, breaks = self._loops.pop()
        ends = [env for env, exits in [self.branch(), *continues] if not exits]
        for name, phi in heads.items():
            self.patch(phi, [env[name] for env in ends if name in env])
        at = self.span(node)
        # Names bound only inside keep their last value; all others are their head's phi again.
        leaving = {**(self.merge(at, ends) if ends else {}), **entry[0]}
        self.env, self.exits = leaving, entry[1]
        if node.orelse is not None:
            self.open("loop-else", self.span(node.orelse.body))
            self.suite(node.orelse.body)
            self.close()
        self.join(at, [self.branch(), *breaks])

    def _with(self, node: cst.With) -> None:
        opened = 0
        for item in node.items:
            manager = self.expr(item.item)
            entered = self.emit(ops.Enter(self.span(item.item), manager))
            if item.asname is not None:
                self.assign(item.asname.name, entered)
            self.open("with", self.span(node.body), manager)
            opened += 1
        self.suite(node.body)
        for _ in range(opened):
            self.close()

    def _try(self, node: cst.Try | cst.TryStar) -> None:
        group = self.group()
        before = self.branch()
        recorder = self.record()
        self.open("try", self.span(node.body), group=group)
        self.suite(node.body)
        self.close()
        self.stop_recording()
        after_body = self.branch()
        caught = self._caught_env(node, before[0], recorder)
        ends = [self._handler(handler, (caught, before[1]), group) for handler in node.handlers]
        self.resume(after_body)
        if node.orelse is not None:
            self.open("try-else", self.span(node.orelse.body), group=group)
            self.suite(node.orelse.body)
            self.close()
        self.join(self.span(node), [self.branch(), *ends])
        if node.finalbody is not None:
            self._finally(node.finalbody, group)

    def _caught_env(self, node: cst.CSTNode, before: Env, binds: Sequence[tuple[str, Value]]) -> Env:
        """What names may hold when an exception comes: their value before, or any that the block gave them."""
        values: dict[str, list[Value]] = {}
        for name, value in binds:
            values.setdefault(name, [before[name]] if name in before else []).append(value)
        env = dict(before)
        at = self.span(node)
        for name, choices in values.items():
            env[name] = self.phi(at, name, choices)
        return env

    def _handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler, state: State, group: int) -> State:
        self.file.note_handler(self.index)
        self.resume(state)
        types = NONE if node.type is None else self.expr(node.type)
        self.open("except", self.span(node), types, group)
        caught = self.emit(ops.Caught(self.span(node), types))
        name = node.name.name.value if node.name is not None and isinstance(node.name.name, cst.Name) else ""
        if name:
            self.bind(self.span(node), name, caught)
        self.suite(node.body)
        self.close()
        if name:
            self.env.pop(name, None)
        return self.branch()

    def _finally(self, node: cst.Finally, group: int) -> None:
        exits, self.exits = self.exits, ""
        self.open("finally", self.span(node.body), group=group)
        self.suite(node.body)
        self.close()
        self.exits = self.exits or exits

    def _match(self, node: cst.Match) -> None:
        subject = self.expr(node.subject)
        group = self.group()
        before = self.branch()
        ends: list[State] = []
        exhaustive = False
        for case in node.cases:
            self.resume(before)
            test = self._pattern(case.pattern, subject)
            self.open("case", self.span(case.body), test, group)
            if case.guard is not None:
                guard = self.expr(case.guard)
                self.open("then", self.span(case.body), guard)
            self.suite(case.body)
            if case.guard is not None:
                self.close()
            self.close()
            ends.append(self.branch())
            exhaustive = exhaustive or (case.guard is None and _wildcard(case.pattern))
        self.join(self.span(node), ends if exhaustive else [*ends, before])

    def _pattern(self, pattern: cst.MatchPattern, subject: Value) -> Value:
        """Bind what the pattern captures; return the test it stands for, as far as it can be said."""
        at = self.span(pattern)
        if isinstance(pattern, cst.MatchValue):
            return self.emit(ops.Compare(at, "==", subject, self.expr(pattern.value)))
        if isinstance(pattern, cst.MatchSingleton):
            return self.emit(ops.Compare(at, "is", subject, self.expr(pattern.value)))
        if isinstance(pattern, cst.MatchOr):
            tests = tuple(self._pattern(element.pattern, subject) for element in pattern.patterns)
            return self.emit(ops.Logic(at, "or", tests))
        if isinstance(pattern, cst.MatchAs):
            test = NONE if pattern.pattern is None else self._pattern(pattern.pattern, subject)
            if pattern.name is not None:
                self.bind(at, pattern.name.value, subject)
            return test if test != NONE else self.emit(ops.Opaque(at))
        self._capture(pattern, subject)
        return self.emit(ops.Opaque(at))

    def _capture(self, pattern: cst.CSTNode, subject: Value) -> None:
        """Bind the names in a pattern to the parts of the subject that they stand for."""
        at = self.span(pattern)
        if isinstance(pattern, (cst.MatchList, cst.MatchTuple)):
            starred = False
            for position, element in enumerate(pattern.patterns):
                starred = starred or isinstance(element, cst.MatchStar)
                part = self.emit(ops.Part(self.span(element), subject, -1 if starred else position))
                self._capture(element if isinstance(element, cst.MatchStar) else element.value, part)
        elif isinstance(pattern, cst.MatchMapping):
            for item in pattern.elements:
                key = self.expr(item.key)
                self._note_key(key)
                self._capture(item.pattern, self.emit(ops.Item(self.span(item), subject, key)))
            if pattern.rest is not None:
                self.bind(self.span(pattern.rest), pattern.rest.value, subject)
        elif isinstance(pattern, cst.MatchClass):
            for positional in pattern.patterns:
                self._capture(positional.value, self.emit(ops.Part(self.span(positional), subject, -1)))
            for keyword in pattern.kwds:
                self._capture(keyword.pattern, self.emit(ops.Attr(self.span(keyword), subject, keyword.key.value)))
        elif isinstance(pattern, (cst.MatchAs, cst.MatchStar)):
            if isinstance(pattern, cst.MatchAs) and pattern.pattern is not None:
                self._capture(pattern.pattern, subject)
            if pattern.name is not None:
                self.bind(at, pattern.name.value, subject)
        elif isinstance(pattern, cst.MatchOr):
            for choice in pattern.patterns:
                self._capture(choice.pattern, subject)

    def _function(self, node: cst.FunctionDef) -> None:
        function = self.file.lower_function(node, self)
        value = self.emit(ops.Def(self.span(node.name), function))
        self.bind(self.span(node.name), node.name.value, value, NONE, self.scope_of(node.name.value))

    def _class(self, node: cst.ClassDef) -> None:
        value = self.emit(ops.ClassDef(self.span(node.name), self.file.lower_class(node, self)))
        self.bind(self.span(node.name), node.name.value, value, NONE, self.scope_of(node.name.value))

    def _type_alias(self, node: cst.TypeAlias) -> None:
        self.bind(self.span(node.name), node.name.value, self.expr(node.value))

    _statements: ClassVar[dict[type[cst.CSTNode], Callable[[Any, Any], None]]] = {
        cst.SimpleStatementLine: _line,
        cst.Expr: _expr,
        cst.Assign: _assign,
        cst.AnnAssign: _annotated,
        cst.AugAssign: _augment,
        cst.Return: _return,
        cst.Raise: _raise,
        cst.Assert: _assert,
        cst.Del: _del,
        cst.Global: _declare,
        cst.Nonlocal: _declare,
        cst.Import: _import,
        cst.ImportFrom: _import_from,
        cst.Break: _break,
        cst.Continue: _continue,
        cst.If: _if,
        cst.For: _for,
        cst.While: _while,
        cst.With: _with,
        cst.Try: _try,
        cst.TryStar: _try,
        cst.Match: _match,
        cst.FunctionDef: _function,
        cst.ClassDef: _class,
        cst.TypeAlias: _type_alias,
    }


def dotted(node: cst.CSTNode) -> str:
    """The text of a dotted name."""
    if isinstance(node, cst.Attribute):
        return f"{dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _asname(alias: cst.ImportAlias) -> str:
    if alias.asname is None or not isinstance(alias.asname.name, cst.Name):
        return ""
    return alias.asname.name.value


def _wildcard(pattern: cst.MatchPattern) -> bool:
    return isinstance(pattern, cst.MatchAs) and pattern.pattern is None


def _targets(target: cst.CSTNode) -> list[str]:
    if isinstance(target, cst.Name):
        return [target.value]
    if isinstance(target, (cst.Tuple, cst.List)):
        return [name for element in target.elements for name in _targets(element.value)]
    return []


def _bound(suite: cst.BaseSuite) -> list[str]:
    """Names that the statements of a suite may bind, nested blocks included, nested functions not."""
    names: list[str] = []
    for statement in suite.body:
        if isinstance(statement, cst.SimpleStatementLine):
            for small in statement.body:
                names += _bound_small(small)
        elif isinstance(statement, cst.BaseSmallStatement):
            names += _bound_small(statement)
        else:
            names += _bound_compound(statement)
    return names


def _bound_small(node: cst.BaseSmallStatement) -> list[str]:
    if isinstance(node, cst.Assign):
        return [name for target in node.targets for name in _targets(target.target)]
    if isinstance(node, (cst.AnnAssign, cst.AugAssign)):
        return _targets(node.target)
    return []


def _bound_compound(node: Any) -> list[str]:
    if isinstance(node, (cst.FunctionDef, cst.ClassDef)):
        return [node.name.value]
    names: list[str] = []
    if isinstance(node, cst.For):
        names += _targets(node.target)
    elif isinstance(node, cst.With):
        names += [name for item in node.items if item.asname is not None for name in _targets(item.asname.name)]
    elif isinstance(node, cst.Match):
        return [name for case in node.cases for name in _bound(case.body)]
    names += _bound(node.body)
    for handler in getattr(node, "handlers", ()):
        names += _bound(handler.body)
    for part in (getattr(node, "orelse", None), getattr(node, "finalbody", None)):
        if isinstance(part, cst.If):
            names += _bound_compound(part)
        elif part is not None:
            names += _bound(part.body)
    return names
