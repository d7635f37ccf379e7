"""Lowers one Python file: the only home of libcst besides its neighbours in this folder."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from backaudit.extract.python.expressions import readable, unstarred
from backaudit.extract.python.reading import parse_expression
from backaudit.extract.python.spans import QuotedSpans, Spans
from backaudit.extract.python.statements import Statements
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.facts.place import Span
from backaudit.facts.python import ENCODER, VALUE_CALLS, Class, Function, ImportFact, ParamFact, ParamKind, PythonFacts


class FileLowerer:
    """Numbers the functions and classes of a file in source order and keeps its indexes."""

    def __init__(self, module: ast.Module, text: str) -> None:
        self._module = module
        self.span = Spans(text)
        self._functions: list[Function | None] = []
        self._classes: list[Class | None] = []
        self._imports: list[ImportFact] = []
        self._calls: dict[str, list[int]] = {}
        self._reads: dict[str, list[int]] = {}
        self._handlers: dict[int, int] = {}
        self._scopes: list[str] = []
        self._class: list[int] = [-1]
        self._params_around: list[set[str]] = []
        self._set: set[str] = set()

    def run(self) -> PythonFacts:
        self._functions.append(None)
        body = Statements(self, 0)
        body.suite(self._module.body)
        self._note_named_values(body)
        whole = Span(1, 0, 1, 0)
        self._functions[0] = Function(
            "module", "<module>", "", -1, -1, (), (), NONE, False, False, self._handlers.get(0, 0),
            _doc(self._module), whole, whole, _encode(body),
        )  # fmt: skip
        return PythonFacts(
            tuple(function for function in self._functions if function is not None),
            tuple(cls for cls in self._classes if cls is not None),
            tuple(self._imports),
            {name: tuple(where) for name, where in self._calls.items()},
            {name: tuple(where) for name, where in self._reads.items()},
        )

    def note_call(self, name: str, function: int) -> None:
        _note(self._calls, name, function)

    def note_value_call(self, func: ops.Op, function: int) -> None:
        if isinstance(func, ops.Name):
            if any(func.name in names for names in self._params_around):
                _note(self._calls, VALUE_CALLS, function)
        elif not isinstance(func, (ops.Attr, ops.Import, ops.Def, ops.ClassDef)):
            _note(self._calls, VALUE_CALLS, function)

    def note_set(self, name: str) -> None:
        self._set.add(name)

    def _note_named_values(self, module: Statements) -> None:
        """Calls of module-level names that hold values, and of attributes that are set, may run any function."""
        for name in [*self._calls]:
            value = module.env.get(name)
            made = module.ops[module.behind(value)] if value is not None else None
            if name in self._set or not (made is None or isinstance(made, (ops.Def, ops.ClassDef, ops.Import))):
                known = self._calls.setdefault(VALUE_CALLS, [])
                known.extend(index for index in self._calls[name] if index not in known)

    def note_read(self, name: str, function: int) -> None:
        _note(self._reads, name, function)

    def note_handler(self, function: int) -> None:
        self._handlers[function] = self._handlers.get(function, 0) + 1

    def note_import(self, module: str, name: str, bound: str, level: int, function: int, node: ast.AST) -> None:
        self._imports.append(ImportFact(module, name, bound, level, function, self.span(node)))

    def quoted(self, text: str, at: Span) -> Callable[[Statements], Value] | None:
        """How to lower the expression that a quoted annotation holds; None if it holds none."""
        text = text.strip()
        try:
            expression = parse_expression(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

        def lower_here(body: Statements) -> Value:
            outer = body.span
            body.span = QuotedSpans(text, at)
            try:
                return body.expr(expression)
            finally:
                body.span = outer

        return lower_here

    def lower_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, outer: Statements) -> int:
        decorators = tuple(outer.expr(decorator) for decorator in node.decorator_list)
        params = self._params(node.args, outer)
        returns = outer.annotation(node.returns)
        index = len(self._functions)
        self._functions.append(None)
        qualname = self._qualified(node.name)
        owner = self._class[-1]
        body = Statements(self, index)
        self._enter(body, params, f"{qualname}.<locals>", -1, node.body)
        self._functions[index] = Function(
            "function", node.name, qualname, outer.index, owner, params, decorators, returns,
            isinstance(node, ast.AsyncFunctionDef), body.yields, self._handlers.get(index, 0), _doc(node),
            self.span(node), self.span.name(node), _encode(body),
        )  # fmt: skip
        return index

    def lower_lambda(self, node: ast.Lambda, outer: Any) -> int:
        params = self._params(node.args, outer)
        index = len(self._functions)
        self._functions.append(None)
        qualname = self._qualified("<lambda>")
        body = Statements(self, index)
        body.span = outer.span
        for position, param in enumerate(params):
            body.env[param.name] = body.emit(ops.Param(param.at, param.name, position))
        body.emit(ops.Return(outer.span(node.body), body.expr(node.body)))
        at = outer.span(node)
        self._functions[index] = Function(
            "lambda", "<lambda>", qualname, outer.index, -1, params, (), NONE, False, body.yields, 0, "",
            at, at, _encode(body),
        )  # fmt: skip
        return index

    def lower_class(self, node: ast.ClassDef, outer: Statements) -> int:
        decorators = tuple(outer.expr(decorator) for decorator in node.decorator_list)
        bases = tuple(outer.expr(unstarred(base)) for base in node.bases)
        keywords = tuple((given.arg, outer.expr(given.value)) for given in node.keywords if given.arg is not None)
        index = len(self._classes)
        self._classes.append(None)
        function = len(self._functions)
        self._functions.append(None)
        qualname = self._qualified(node.name)
        body = Statements(self, function)
        self._enter(body, (), qualname, index, node.body)
        at, name_at, doc = self.span(node), self.span.name(node), _doc(node)
        self._functions[function] = Function(
            "class", node.name, qualname, outer.index, index, (), (), NONE, False, False, 0, "", at, name_at,
            _encode(body),
        )  # fmt: skip
        self._classes[index] = Class(
            node.name, qualname, outer.index, bases, keywords, decorators, function, doc, at, name_at
        )
        return index

    def _enter(
        self, body: Statements, params: Sequence[ParamFact], scope: str, cls: int, suite: Sequence[ast.stmt]
    ) -> None:
        self._scopes.append(scope)
        self._class.append(cls)
        self._params_around.append({param.name for param in params})
        for position, param in enumerate(params):
            body.env[param.name] = body.emit(ops.Param(param.at, param.name, position))
        body.suite(suite)
        self._params_around.pop()
        self._class.pop()
        self._scopes.pop()

    def _qualified(self, name: str) -> str:
        return f"{self._scopes[-1]}.{name}" if self._scopes else name

    def _params(self, node: ast.arguments, outer: Any) -> tuple[ParamFact, ...]:
        plain = [*node.posonlyargs, *node.args]
        defaults = [None] * (len(plain) - len(node.defaults)) + node.defaults
        found: list[ParamFact] = []
        for position, (param, default) in enumerate(zip(plain, defaults, strict=True)):
            kind: ParamKind = "positional" if position < len(node.posonlyargs) else "normal"
            found.append(self._param(param, default, kind, outer))
        if node.vararg is not None:
            found.append(self._param(node.vararg, None, "star", outer))
        for param, default in zip(node.kwonlyargs, node.kw_defaults, strict=True):
            found.append(self._param(param, default, "keyword", outer))
        if node.kwarg is not None:
            found.append(self._param(node.kwarg, None, "dstar", outer))
        return tuple(found)

    def _param(self, node: ast.arg, given: ast.expr | None, kind: ParamKind, outer: Any) -> ParamFact:
        annotation = outer.annotation(node.annotation) if node.annotation is not None else NONE
        default = outer.expr(given) if given is not None else NONE
        return ParamFact(node.arg, kind, annotation, default, outer.span.word(node))


def _note(index: dict[str, list[int]], name: str, function: int) -> None:
    where = index.get(name)
    if where is None:
        index[name] = [function]
    elif where[-1] != function:
        where.append(function)


def _encode(body: Statements) -> msgspec.Raw:
    return msgspec.Raw(ENCODER.encode(body.body()))


def _doc(node: ast.Module | ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    doc = ast.get_docstring(node, clean=False)
    return readable(inspect.cleandoc(doc)) if doc else ""
