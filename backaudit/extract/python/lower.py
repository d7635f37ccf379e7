"""Lowers one Python file: the only home of libcst besides its neighbours in this folder."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import libcst as cst
import msgspec

from backaudit.extract.python.expressions import Malformed
from backaudit.extract.python.spans import Spans
from backaudit.extract.python.statements import Statements
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.facts.place import Span
from backaudit.facts.python import ENCODER, VALUE_CALLS, Class, Function, ImportFact, ParamFact, ParamKind, PythonFacts


class _Quoted:
    """Spans inside a quoted annotation: all of them are the literal's own."""

    def __init__(self, at: Span) -> None:
        self._at = at

    def __call__(self, node: object) -> Span:
        return self._at

    def join(self, first: object, last: object) -> Span:
        return self._at


class FileLowerer:
    """Numbers the functions and classes of a file in source order and keeps its indexes."""

    def __init__(self, module: cst.Module, text: str) -> None:
        self._module = module
        self.span: Any = Spans(module, text)
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
        body.suite(self._module)
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

    def note_import(self, module: str, name: str, bound: str, level: int, function: int, node: cst.CSTNode) -> None:
        self._imports.append(ImportFact(module, name, bound, level, function, self.span(node)))

    def quoted(self, text: str, at: Span) -> Callable[[Statements], Value] | None:
        """How to lower the expression that a quoted annotation holds; None if it holds none."""
        try:
            expression = cst.parse_expression(text)
        except (cst.ParserSyntaxError, cst.CSTValidationError, ValueError, RecursionError):
            return None

        def lower_here(body: Statements) -> Value:
            outer = body.span
            body.span = _Quoted(at)
            try:
                return body.expr(expression)
            finally:
                body.span = outer

        return lower_here

    def lower_function(self, node: cst.FunctionDef, outer: Statements) -> int:
        decorators = tuple(outer.expr(decorator.decorator) for decorator in node.decorators)
        params = self._params(node.params, outer)
        returns = outer.annotation(node.returns)
        index = len(self._functions)
        self._functions.append(None)
        qualname = self._qualified(node.name.value)
        owner = self._class[-1]
        body = Statements(self, index)
        self._enter(body, params, f"{qualname}.<locals>", -1, node.body)
        self._functions[index] = Function(
            "function", node.name.value, qualname, outer.index, owner, params, decorators, returns,
            node.asynchronous is not None, body.yields, self._handlers.get(index, 0), _doc(node),
            self.span(node), self.span(node.name), _encode(body),
        )  # fmt: skip
        return index

    def lower_lambda(self, node: cst.Lambda, outer: Any) -> int:
        params = self._params(node.params, outer)
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

    def lower_class(self, node: cst.ClassDef, outer: Statements) -> int:
        decorators = tuple(outer.expr(decorator.decorator) for decorator in node.decorators)
        bases = tuple(outer.expr(arg.value) for arg in node.bases)
        keywords = tuple((arg.keyword.value, outer.expr(arg.value)) for arg in node.keywords if arg.keyword is not None)
        index = len(self._classes)
        self._classes.append(None)
        function = len(self._functions)
        self._functions.append(None)
        qualname = self._qualified(node.name.value)
        body = Statements(self, function)
        self._enter(body, (), qualname, index, node.body)
        at, name_at, doc = self.span(node), self.span(node.name), _doc(node)
        self._functions[function] = Function(
            "class", node.name.value, qualname, outer.index, index, (), (), NONE, False, False, 0, "", at, name_at,
            _encode(body),
        )  # fmt: skip
        self._classes[index] = Class(
            node.name.value, qualname, outer.index, bases, keywords, decorators, function, doc, at, name_at
        )
        return index

    def _enter(self, body: Statements, params: Sequence[ParamFact], scope: str, cls: int, suite: cst.BaseSuite) -> None:
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

    def _params(self, node: cst.Parameters, outer: Any) -> tuple[ParamFact, ...]:
        found = [self._param(param, "positional", outer) for param in node.posonly_params]
        found += [self._param(param, "normal", outer) for param in node.params]
        if isinstance(node.star_arg, cst.Param):
            found.append(self._param(node.star_arg, "star", outer))
        found += [self._param(param, "keyword", outer) for param in node.kwonly_params]
        if node.star_kwarg is not None:
            found.append(self._param(node.star_kwarg, "dstar", outer))
        return tuple(found)

    def _param(self, node: cst.Param, kind: ParamKind, outer: Any) -> ParamFact:
        annotation = outer.annotation(node.annotation) if node.annotation is not None else NONE
        default = outer.expr(node.default) if node.default is not None else NONE
        return ParamFact(node.name.value, kind, annotation, default, outer.span(node.name))


def _note(index: dict[str, list[int]], name: str, function: int) -> None:
    where = index.get(name)
    if where is None:
        index[name] = [function]
    elif where[-1] != function:
        where.append(function)


def _encode(body: Statements) -> msgspec.Raw:
    return msgspec.Raw(ENCODER.encode(body.body()))


def _doc(node: cst.Module | cst.FunctionDef | cst.ClassDef) -> str:
    try:
        doc = node.get_docstring(clean=False)
    except (SyntaxError, ValueError) as error:
        raise Malformed from error
    return inspect.cleandoc(doc).encode("utf-8", "replace").decode() if doc else ""
