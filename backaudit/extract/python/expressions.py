"""Lowers expressions: libcst nodes to operations, in evaluation order."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import libcst as cst

from backaudit.extract.python.builder import Builder, Notes
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.facts.place import Span

_BINARY: dict[type[cst.CSTNode], str] = {
    cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.Divide: "/", cst.FloorDivide: "//", cst.Modulo: "%",
    cst.Power: "**", cst.MatrixMultiply: "@", cst.LeftShift: "<<", cst.RightShift: ">>", cst.BitAnd: "&",
    cst.BitOr: "|", cst.BitXor: "^", cst.AddAssign: "+", cst.SubtractAssign: "-", cst.MultiplyAssign: "*",
    cst.DivideAssign: "/", cst.FloorDivideAssign: "//", cst.ModuloAssign: "%", cst.PowerAssign: "**",
    cst.MatrixMultiplyAssign: "@", cst.LeftShiftAssign: "<<", cst.RightShiftAssign: ">>", cst.BitAndAssign: "&",
    cst.BitOrAssign: "|", cst.BitXorAssign: "^",
}  # fmt: skip
_COMPARE: dict[type[cst.CSTNode], str] = {
    cst.Equal: "==", cst.NotEqual: "!=", cst.LessThan: "<", cst.LessThanEqual: "<=", cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=", cst.In: "in", cst.NotIn: "not in", cst.Is: "is", cst.IsNot: "is not",
}  # fmt: skip
_UNARY: dict[type[cst.CSTNode], str] = {cst.Not: "not", cst.Minus: "-", cst.Plus: "+", cst.BitInvert: "~"}
_CONSTANTS: dict[str, bool | None] = {"None": None, "True": True, "False": False}
_SMALL = 1 << 63


class Malformed(Exception):
    """A literal that the parser passes and the interpreter does not: half an escape, a letter beyond ASCII in bytes."""


class Expressions(Builder):
    """Adds expressions to the builder. ``index`` is the function's number in its file."""

    def __init__(self, file: Notes, index: int) -> None:
        super().__init__()
        self.file = file
        self.index = index
        self.span = file.span
        self.yields = False

    def expr(self, node: cst.CSTNode) -> Value:
        handler = self._handlers.get(type(node))
        return handler(self, node) if handler else self.emit(ops.Opaque(self.span(node)))

    def _name(self, node: cst.Name) -> Value:
        name = node.value
        if name in _CONSTANTS:
            return self.emit(ops.Const(self.span(node), _CONSTANTS[name]))
        value = self.env.get(name)
        if value is not None:
            return value
        self.file.note_read(name, self.index)
        return self.emit(ops.Name(self.span(node), name))

    def _attribute(self, node: cst.Attribute) -> Value:
        base = self.expr(node.value)
        self.file.note_read(node.attr.value, self.index)
        return self.emit(ops.Attr(self.span(node), base, node.attr.value))

    def _integer(self, node: cst.Integer) -> Value:
        number = ast.literal_eval(node.value) if len(node.value) < 30 else _SMALL
        if -_SMALL <= number < _SMALL:
            return self.emit(ops.Const(self.span(node), number))
        return self.emit(ops.Opaque(self.span(node)))

    def _float(self, node: cst.Float) -> Value:
        return self.emit(ops.Const(self.span(node), ast.literal_eval(node.value)))

    def _string(self, node: cst.SimpleString | cst.ConcatenatedString) -> Value:
        pieces = _flat_strings(node)
        if all(isinstance(piece, cst.SimpleString) for piece in pieces):
            text, binary = _evaluate(pieces)
            return self.emit(ops.Const(self.span(node), text, binary))
        items = [item for piece in pieces for item in self._pieces(piece)]
        return self.emit(ops.Build(self.span(node), "fstring", tuple(items)))

    def _formatted(self, node: cst.FormattedString) -> Value:
        return self.emit(ops.Build(self.span(node), "fstring", tuple(self._pieces(node))))

    def _pieces(self, node: Any) -> list[Value]:
        """The parts of one (f-)string literal: constants and replacement fields."""
        if isinstance(node, cst.SimpleString):
            text, binary = _evaluate([node])
            return [self.emit(ops.Const(self.span(node), text, binary))]
        return [self._piece(part, node.prefix) for part in node.parts]

    def _piece(self, part: Any, prefix: str) -> Value:
        if isinstance(part, (cst.FormattedStringText, cst.TemplatedStringText)):
            return self.emit(ops.Const(self.span(part), _unescape(part.value, prefix)))
        value = self.expr(part.expression)
        spec = part.format_spec or ()
        text = "".join(piece.value for piece in spec if hasattr(piece, "value"))
        for piece in spec:
            if hasattr(piece, "expression"):
                self.expr(piece.expression)
        return self.emit(ops.Format(self.span(part), value, part.conversion or "", text))

    def _subscript(self, node: cst.Subscript) -> Value:
        base = self.expr(node.value)
        key = self.key(node)
        self._note_key(key)
        return self.emit(ops.Item(self.span(node), base, key))

    def _note_key(self, key: Value) -> None:
        made = self.ops[key]
        if isinstance(made, ops.Const) and isinstance(made.value, str) and made.value.isidentifier():
            self.file.note_read(made.value, self.index)

    def key(self, node: cst.Subscript) -> Value:
        keys = [self._slice(element) for element in node.slice]
        if len(keys) == 1:
            return keys[0]
        return self.emit(ops.Build(self.span.join(node.slice[0], node.slice[-1]), "tuple", tuple(keys)))

    def _slice(self, element: cst.SubscriptElement) -> Value:
        part = element.slice
        if isinstance(part, cst.Index):
            return self.expr(part.value)
        if not isinstance(part, cst.Slice):
            return self.emit(ops.Opaque(self.span(part)))
        bounds = (part.lower, part.upper, part.step)
        values = tuple(NONE if bound is None else self.expr(bound) for bound in bounds)
        return self.emit(ops.Build(self.span(part), "slice", values))

    def _call(self, node: cst.Call) -> Value:
        func = self.expr(node.func)
        callee = node.func
        if isinstance(callee, cst.Attribute):
            self.file.note_call(callee.attr.value, self.index)
        elif isinstance(callee, cst.Name):
            self.file.note_call(callee.value, self.index)
        self.file.note_value_call(self.ops[self.behind(func)], self.index)
        call = self._arguments(node.args, self.span(node), func)
        if call.args and isinstance(self.ops[func], ops.Attr):
            self._note_key(call.args[0])
        return self.emit(call)

    def behind(self, value: Value) -> Value:
        """The value behind names, as far as this body knows it."""
        made = self.ops[value]
        while isinstance(made, ops.Bind):
            value = made.value
            made = self.ops[value]
        return value

    def _arguments(self, nodes: Sequence[cst.Arg], at: Span, func: Value) -> ops.Call:
        args: list[Value] = []
        keywords: list[tuple[str, Value]] = []
        star: list[Value] = []
        dstar: list[Value] = []
        for node in nodes:
            value = self.expr(node.value)
            if node.keyword is not None:
                keywords.append((node.keyword.value, value))
            elif node.star:
                (star if node.star == "*" else dstar).append(value)
            else:
                (star if star else args).append(value)
        return ops.Call(at, func, tuple(args), tuple(keywords), tuple(star), tuple(dstar))

    def _sequence(self, node: cst.Tuple | cst.List | cst.Set) -> Value:
        items = tuple(self.expr(element.value) for element in node.elements)
        if any(isinstance(element, cst.StarredElement) for element in node.elements):
            items = tuple(
                self.emit(ops.Build(self.span(element), "slice", (item, NONE, NONE)))
                if isinstance(element, cst.StarredElement)
                else item
                for element, item in zip(node.elements, items, strict=True)
            )
        kind: ops.BuildKind = "tuple"
        if isinstance(node, cst.List):
            kind = "list"
        elif isinstance(node, cst.Set):
            kind = "set"
        return self.emit(ops.Build(self.span(node), kind, items))

    def _dict(self, node: cst.Dict) -> Value:
        keys: list[Value] = []
        items: list[Value] = []
        for element in node.elements:
            keys.append(self.expr(element.key) if isinstance(element, cst.DictElement) else NONE)
            items.append(self.expr(element.value))
        return self.emit(ops.Build(self.span(node), "dict", tuple(items), tuple(keys)))

    def _binary(self, node: cst.BinaryOperation) -> Value:
        left = self.expr(node.left)
        right = self.expr(node.right)
        return self.emit(ops.Bin(self.span(node), _BINARY[type(node.operator)], left, right))

    def _unary(self, node: cst.UnaryOperation) -> Value:
        value = self.expr(node.expression)
        made = self.ops[value]
        negates = isinstance(node.operator, cst.Minus) and isinstance(made, ops.Const)
        if negates and isinstance(made.value, (int, float)) and not isinstance(made.value, bool):  # type: ignore[union-attr]
            return self.emit(ops.Const(self.span(node), -made.value))  # type: ignore[union-attr]
        return self.emit(ops.Unary(self.span(node), _UNARY[type(node.operator)], value))

    def _logic(self, node: cst.BooleanOperation) -> Value:
        left = self.expr(node.left)
        both = isinstance(node.operator, cst.And)
        right = self.under("then" if both else "else", node.right, left)
        return self.emit(ops.Logic(self.span(node), "and" if both else "or", (left, right)))

    def under(self, kind: ops.RegionKind, node: cst.CSTNode, test: Value, group: int = 0) -> Value:
        """An expression that is evaluated only if ``test`` came out as ``kind`` says."""
        self.open(kind, self.span(node), test, group)
        value = self.expr(node)
        exits, self.exits = self.exits, ""
        self.close()
        self.exits = exits
        return value

    def _comparison(self, node: cst.Comparison) -> Value:
        at = self.span(node)
        left = self.expr(node.left)
        tests: list[Value] = []
        for target in node.comparisons:
            right = self.expr(target.comparator)
            tests.append(self.emit(ops.Compare(at, _COMPARE[type(target.operator)], left, right)))
            left = right
        return tests[0] if len(tests) == 1 else self.emit(ops.Logic(at, "and", tuple(tests)))

    def _choice(self, node: cst.IfExp) -> Value:
        test = self.expr(node.test)
        group = self.group()
        then = self.under("then", node.body, test, group)
        other = self.under("else", node.orelse, test, group)
        return self.emit(ops.Choice(self.span(node), test, then, other))

    def _lambda(self, node: cst.Lambda) -> Value:
        return self.emit(ops.Def(self.span(node), self.file.lower_lambda(node, self)))

    def _await(self, node: cst.Await) -> Value:
        value = self.expr(node.expression)
        return self.emit(ops.Await(self.span(node), value))

    def _yield(self, node: cst.Yield) -> Value:
        self.yields = True
        if node.value is None:
            return self.emit(ops.Yield(self.span(node), NONE, False))
        delegates = isinstance(node.value, cst.From)
        inner = node.value.item if isinstance(node.value, cst.From) else node.value
        value = self.expr(inner)
        return self.emit(ops.Yield(self.span(node), value, delegates))

    def _walrus(self, node: cst.NamedExpr) -> Value:
        value = self.expr(node.value)
        if not isinstance(node.target, cst.Name):
            return value
        bound = self.bind(self.span(node), node.target.value, value)
        for kept in self._outlasting:
            kept[node.target.value] = bound
        return bound

    def _comprehension(self, node: cst.ListComp | cst.SetComp | cst.GeneratorExp | cst.DictComp) -> Value:
        outer, kept = dict(self.env), dict[str, Value]()
        self._outlasting.append(kept)
        opened = 0
        loop: cst.CompFor | None = node.for_in
        while loop is not None:
            iterated = self.expr(loop.iter)
            self.open("comp", self.span(loop), iterated)
            opened += 1
            self.assign(loop.target, self.emit(ops.Element(self.span(loop.target), iterated)))
            for condition in loop.ifs:
                test = self.expr(condition.test)
                self.open("then", self.span(condition), test)
                opened += 1
            loop = loop.inner_for_in
        key = self.expr(node.key) if isinstance(node, cst.DictComp) else NONE
        value = self.expr(node.value if isinstance(node, cst.DictComp) else node.elt)
        exits, self.exits = self.exits, ""
        for _ in range(opened):
            self.close()
        self.exits = exits
        self._outlasting.pop()
        self.env = outer
        self._keep(node, kept)
        return self.emit(ops.Comp(self.span(node), _COMPREHENSIONS[type(node)], value, key))

    def _keep(self, node: cst.CSTNode, kept: dict[str, Value]) -> None:
        """What ``:=`` gives names inside a comprehension they have behind it too, if there was an element at all."""
        for name, value in kept.items():
            before = self.env.get(name)
            joined = value if before is None else self.emit(ops.Phi(self.span(node), name, (before, value)))
            self.env[name] = joined

    def assign(self, target: cst.CSTNode, value: Value, annotation: Value = NONE) -> None:
        """Give ``value`` to a target: a name, attribute, item, or a pattern of them."""
        if isinstance(target, cst.Name):
            scope = self.scope_of(target.value)
            if scope != "local":
                self.file.note_read(target.value, self.index)
            self.bind(self.span(target), target.value, value, annotation, scope)
        elif isinstance(target, cst.Attribute):
            base = self.expr(target.value)
            self.file.note_read(target.attr.value, self.index)
            self.file.note_set(target.attr.value)
            self.emit(ops.SetAttr(self.span(target), base, target.attr.value, value, annotation))
        elif isinstance(target, cst.Subscript):
            base = self.expr(target.value)
            key = self.key(target)
            self._note_key(key)
            self.emit(ops.SetItem(self.span(target), base, key, value))
        elif isinstance(target, (cst.Tuple, cst.List)):
            self._unpack(target, value)

    def scope_of(self, name: str) -> Any:
        return "local"

    def _unpack(self, target: cst.Tuple | cst.List, value: Value) -> None:
        elements = target.elements
        starred = any(isinstance(element, cst.StarredElement) for element in elements)
        made = self.ops[value]
        if not starred and isinstance(made, ops.Build) and len(made.items) == len(elements) and made.kind != "dict":
            for element, item in zip(elements, made.items, strict=True):
                self.assign(element.value, item)
            return
        seen = False
        for index, element in enumerate(elements):
            seen = seen or isinstance(element, cst.StarredElement)
            part = self.emit(ops.Part(self.span(element.value), value, -1 if seen else index))
            self.assign(element.value, part)

    _handlers: ClassVar[dict[type[cst.CSTNode], Callable[[Any, Any], Value]]] = {
        cst.Name: _name,
        cst.Attribute: _attribute,
        cst.Call: _call,
        cst.Subscript: _subscript,
        cst.SimpleString: _string,
        cst.ConcatenatedString: _string,
        cst.FormattedString: _formatted,
        cst.TemplatedString: _formatted,
        cst.Integer: _integer,
        cst.Float: _float,
        cst.Tuple: _sequence,
        cst.List: _sequence,
        cst.Set: _sequence,
        cst.Dict: _dict,
        cst.BinaryOperation: _binary,
        cst.UnaryOperation: _unary,
        cst.BooleanOperation: _logic,
        cst.Comparison: _comparison,
        cst.IfExp: _choice,
        cst.Lambda: _lambda,
        cst.Await: _await,
        cst.Yield: _yield,
        cst.NamedExpr: _walrus,
        cst.ListComp: _comprehension,
        cst.SetComp: _comprehension,
        cst.GeneratorExp: _comprehension,
        cst.DictComp: _comprehension,
    }


_COMPREHENSIONS: dict[type[cst.CSTNode], str] = {
    cst.ListComp: "list", cst.SetComp: "set", cst.GeneratorExp: "generator", cst.DictComp: "dict",
}  # fmt: skip


def binary_operator(node: cst.CSTNode) -> str:
    return _BINARY[type(node)]


def _flat_strings(node: cst.CSTNode) -> list[cst.CSTNode]:
    pieces: list[cst.CSTNode] = []
    while isinstance(node, cst.ConcatenatedString):
        pieces.append(node.left)
        node = node.right
    pieces.append(node)
    return pieces


def _evaluate(pieces: Sequence[Any]) -> tuple[str, bool]:
    values = [_literal(piece.value) for piece in pieces]
    binary = isinstance(values[0], bytes)
    return "".join(v.decode("latin-1") if isinstance(v, bytes) else v for v in values), binary


def _literal(source: str) -> str | bytes:
    quote = source[0]
    if quote in "\"'" and "\\" not in source and "\r" not in source:
        return source[3:-3] if source[:3] == quote * 3 else source[1:-1]
    try:
        value = ast.literal_eval(source)
    except (SyntaxError, ValueError) as error:
        raise Malformed from error
    # Lone surrogates cannot be encoded; they stand for nothing a rule could read.
    return value if isinstance(value, bytes) else value.encode("utf-8", "replace").decode()


def _unescape(text: str, prefix: str) -> str:
    text = text.replace("{{", "{").replace("}}", "}")
    if "\\" not in text or "r" in prefix.lower():
        return text
    try:
        value = ast.literal_eval('"""' + text.replace('"', '\\"') + '"""')
    except (SyntaxError, ValueError):
        return text
    return str(value).encode("utf-8", "replace").decode()
