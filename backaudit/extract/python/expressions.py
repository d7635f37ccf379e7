"""Lowers expressions: nodes of ``ast`` to operations, in evaluation order."""

from __future__ import annotations

import ast
import sys
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from backaudit.extract.python.builder import Builder, Notes
from backaudit.extract.python.reading import Malformed, parse_expression
from backaudit.extract.python.strings import Field, Literal, Text, literals
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value

_BINARY: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%", ast.Pow: "**",
    ast.MatMult: "@", ast.LShift: "<<", ast.RShift: ">>", ast.BitAnd: "&", ast.BitOr: "|", ast.BitXor: "^",
}  # fmt: skip
_COMPARE: dict[type[ast.AST], str] = {
    ast.Eq: "==", ast.NotEq: "!=", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.In: "in",
    ast.NotIn: "not in", ast.Is: "is", ast.IsNot: "is not",
}  # fmt: skip
_UNARY: dict[type[ast.AST], str] = {ast.Not: "not", ast.USub: "-", ast.UAdd: "+", ast.Invert: "~"}
_SMALL = 1 << 63


class Expressions(Builder):
    """Adds expressions to the builder. ``index`` is the function's number in its file."""

    def __init__(self, file: Notes, index: int) -> None:
        super().__init__()
        self.file = file
        self.index = index
        self.span = file.span
        self.yields = False

    def expr(self, node: ast.AST) -> Value:
        handler = self._handlers.get(node.__class__)
        return handler(self, node) if handler else self.emit(ops.Opaque(self.span(node)))

    def _name(self, node: ast.Name) -> Value:
        value = self.env.get(node.id)
        if value is not None:
            return value
        self.file.note_read(node.id, self.index)
        return self.emit(ops.Name(self.span(node), node.id))

    def _attribute(self, node: ast.Attribute) -> Value:
        base = self.expr(node.value)
        self.file.note_read(node.attr, self.index)
        return self.emit(ops.Attr(self.span(node), base, node.attr))

    def _constant(self, node: ast.Constant) -> Value:
        value = node.value
        if isinstance(value, str):
            return self.emit(ops.Const(self.span(node), readable(value)))
        if isinstance(value, bytes):
            return self.emit(ops.Const(self.span(node), value.decode("latin-1"), True))
        is_kept = value is None or isinstance(value, (bool, float)) or (isinstance(value, int) and _is_small(value))
        return self.emit(ops.Const(self.span(node), value) if is_kept else ops.Opaque(self.span(node)))  # type: ignore[arg-type]

    def _formatted(self, node: ast.expr) -> Value:
        span = self.span
        pieces = literals(span.text, span.start(node), span.end(node))
        items = [item for piece in pieces for item in self._pieces(piece)]
        return self.emit(ops.Build(span(node), "fstring", tuple(items)))

    def _pieces(self, literal: Literal) -> list[Value]:
        """The parts of one (f-)string literal: constants and replacement fields."""
        if literal.parts is None:
            text, binary = _evaluate(self.span.text[literal.start : literal.end])
            return [self.emit(ops.Const(self.span.between(literal.start, literal.end), text, binary))]
        return [self._piece(part, literal.prefix) for part in literal.parts]

    def _piece(self, part: Text | Field, prefix: str) -> Value:
        at = self.span.between(part.start, part.end)
        if isinstance(part, Text):
            return self.emit(ops.Const(at, _unescape(self.span.text[part.start : part.end], prefix)))
        value = self._within(*part.expression)
        for piece in part.spec:
            if isinstance(piece, Field):
                self._within(*piece.expression)
        written = (self.span.text[piece.start : piece.end] for piece in part.spec if isinstance(piece, Text))
        return self.emit(ops.Format(at, value, part.conversion, "".join(written)))

    def _within(self, start: int, end: int) -> Value:
        """The expression of a replacement field, parsed by itself."""
        outer = self.span
        line, column = outer.line_start(start)
        expression = parse_expression("(" + " " * (column - 1) + outer.text[start:end] + ")")
        if (expression.lineno, expression.col_offset) == (1, 0):
            outer.place(expression, start, end, line)
        self.span = outer.below(line)
        try:
            return self.expr(expression)
        finally:
            self.span = outer

    def _subscript(self, node: ast.Subscript) -> Value:
        base = self.expr(node.value)
        key = self.key(node)
        self._note_key(key)
        return self.emit(ops.Item(self.span(node), base, key))

    def _note_key(self, key: Value) -> None:
        made = self.ops[key]
        if isinstance(made, ops.Const) and isinstance(made.value, str) and made.value.isidentifier():
            self.file.note_read(made.value, self.index)

    def key(self, node: ast.Subscript) -> Value:
        inner = node.slice
        if not isinstance(inner, ast.Tuple) or self.span.is_bracketed(inner, inner.elts):
            return self.expr(inner)
        keys = [self.expr(unstarred(element)) for element in inner.elts]
        return keys[0] if len(keys) == 1 else self.emit(ops.Build(self.span.keys(inner), "tuple", tuple(keys)))

    def _slice(self, node: ast.Slice) -> Value:
        bounds = (node.lower, node.upper, node.step)
        values = tuple(NONE if bound is None else self.expr(bound) for bound in bounds)
        return self.emit(ops.Build(self.span(node), "slice", values))

    def _call(self, node: ast.Call) -> Value:
        callee = node.func
        func = self.expr(callee)
        if isinstance(callee, ast.Attribute):
            self.file.note_call(callee.attr, self.index)
        elif isinstance(callee, ast.Name):
            self.file.note_call(callee.id, self.index)
        self.file.note_value_call(self.ops[self.behind(func)], self.index)
        call = self._arguments(node, func)
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

    def _arguments(self, node: ast.Call, func: Value) -> ops.Call:
        args: list[Value] = []
        keywords: list[tuple[str, Value]] = []
        star: list[Value] = []
        dstar: list[Value] = []
        for given in in_order(node):
            if isinstance(given, ast.keyword):
                value = self.expr(given.value)
                if given.arg is None:
                    dstar.append(value)
                else:
                    keywords.append((given.arg, value))
            elif isinstance(given, ast.Starred):
                star.append(self.expr(given.value))
            else:
                (star if star else args).append(self.expr(given))
        return ops.Call(self.span(node), func, tuple(args), tuple(keywords), tuple(star), tuple(dstar))

    def _sequence(self, node: ast.Tuple | ast.List | ast.Set) -> Value:
        elements = node.elts
        items = [self.expr(unstarred(element)) for element in elements]
        for index, element in enumerate(elements):
            if isinstance(element, ast.Starred):
                items[index] = self.emit(ops.Build(self.span(element), "slice", (items[index], NONE, NONE)))
        return self.emit(ops.Build(self.span(node), _DISPLAYS[type(node)], tuple(items)))

    def _dict(self, node: ast.Dict) -> Value:
        keys: list[Value] = []
        items: list[Value] = []
        for key, value in zip(node.keys, node.values, strict=True):
            keys.append(NONE if key is None else self.expr(key))
            items.append(self.expr(value))
        return self.emit(ops.Build(self.span(node), "dict", tuple(items), tuple(keys)))

    def _binary(self, node: ast.BinOp) -> Value:
        left = self.expr(node.left)
        right = self.expr(node.right)
        return self.emit(ops.Bin(self.span(node), binary_operator(node.op), left, right))

    def _unary(self, node: ast.UnaryOp) -> Value:
        value = self.expr(node.operand)
        made = self.ops[value]
        negates = isinstance(node.op, ast.USub) and isinstance(made, ops.Const)
        if negates and isinstance(made.value, (int, float)) and not isinstance(made.value, bool):  # type: ignore[union-attr]
            return self.emit(ops.Const(self.span(node), -made.value))  # type: ignore[union-attr]
        return self.emit(ops.Unary(self.span(node), _UNARY[type(node.op)], value))

    def _logic(self, node: ast.BoolOp) -> Value:
        """Two at a time, from the left: what stands behind is asked only if all before it came out so."""
        both = isinstance(node.op, ast.And)
        first, *others = node.values
        value = self.expr(first)
        for number, other in enumerate(others, 1):
            right = self.under("then" if both else "else", other, value)
            at = self.span(node) if number == len(others) else self.span.up_to(node, other)
            value = self.emit(ops.Logic(at, "and" if both else "or", (value, right)))
        return value

    def under(self, kind: ops.RegionKind, node: ast.AST, test: Value, group: int = 0) -> Value:
        """An expression that is evaluated only if ``test`` came out as ``kind`` says."""
        self.open(kind, self.span(node), test, group)
        value = self.expr(node)
        exits, self.exits = self.exits, ""
        self.close()
        self.exits = exits
        return value

    def _comparison(self, node: ast.Compare) -> Value:
        at = self.span(node)
        left = self.expr(node.left)
        tests: list[Value] = []
        for operator, comparator in zip(node.ops, node.comparators, strict=True):
            right = self.expr(comparator)
            tests.append(self.emit(ops.Compare(at, _COMPARE[type(operator)], left, right)))
            left = right
        return tests[0] if len(tests) == 1 else self.emit(ops.Logic(at, "and", tuple(tests)))

    def _choice(self, node: ast.IfExp) -> Value:
        test = self.expr(node.test)
        group = self.group()
        then = self.under("then", node.body, test, group)
        other = self.under("else", node.orelse, test, group)
        return self.emit(ops.Choice(self.span(node), test, then, other))

    def _lambda(self, node: ast.Lambda) -> Value:
        return self.emit(ops.Def(self.span(node), self.file.lower_lambda(node, self)))

    def _await(self, node: ast.Await) -> Value:
        value = self.expr(node.value)
        return self.emit(ops.Await(self.span(node), value))

    def _yield(self, node: ast.Yield | ast.YieldFrom) -> Value:
        self.yields = True
        value = NONE if node.value is None else self.expr(node.value)
        return self.emit(ops.Yield(self.span(node), value, isinstance(node, ast.YieldFrom)))

    def _walrus(self, node: ast.NamedExpr) -> Value:
        value = self.expr(node.value)
        bound = self.bind(self.span(node), node.target.id, value)
        for kept in self._outlasting:
            kept[node.target.id] = bound
        return bound

    def _comprehension(self, node: ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp) -> Value:
        outer, kept = dict(self.env), dict[str, Value]()
        self._outlasting.append(kept)
        opened = sum(self._clause(node, number) for number in range(len(node.generators)))
        key = self.expr(node.key) if isinstance(node, ast.DictComp) else NONE
        value = self.expr(node.value if isinstance(node, ast.DictComp) else node.elt)
        exits, self.exits = self.exits, ""
        for _ in range(opened):
            self.close()
        self.exits = exits
        self._outlasting.pop()
        self.env = outer
        self._keep(node, kept)
        return self.emit(ops.Comp(self.span(node), _COMPREHENSIONS[type(node)], value, key))

    def _clause(self, node: Any, number: int) -> int:
        """One ``for`` of a comprehension with its conditions; how many regions it opens."""
        clause: ast.comprehension = node.generators[number]
        iterated = self.expr(clause.iter)
        self.open("comp", self.span.clause(node, number), iterated)
        self.assign(clause.target, self.emit(ops.Element(self.span(clause.target), iterated)))
        before = clause.iter
        for condition in clause.ifs:
            test = self.expr(condition)
            self.open("then", self.span.condition(node, condition, before), test)
            before = condition
        return 1 + len(clause.ifs)

    def _keep(self, node: ast.AST, kept: dict[str, Value]) -> None:
        """What ``:=`` gives names inside a comprehension they have behind it too, if there was an element at all."""
        for name, value in kept.items():
            before = self.env.get(name)
            joined = value if before is None else self.emit(ops.Phi(self.span(node), name, (before, value)))
            self.env[name] = joined

    def assign(self, target: ast.AST, value: Value, annotation: Value = NONE) -> None:
        """Give ``value`` to a target: a name, attribute, item, or a pattern of them."""
        if isinstance(target, ast.Name):
            scope = self.scope_of(target.id)
            if scope != "local":
                self.file.note_read(target.id, self.index)
            self.bind(self.span(target), target.id, value, annotation, scope)
        elif isinstance(target, ast.Attribute):
            base = self.expr(target.value)
            self.file.note_read(target.attr, self.index)
            self.file.note_set(target.attr)
            self.emit(ops.SetAttr(self.span(target), base, target.attr, value, annotation))
        elif isinstance(target, ast.Subscript):
            base = self.expr(target.value)
            key = self.key(target)
            self._note_key(key)
            self.emit(ops.SetItem(self.span(target), base, key, value))
        elif isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target.elts, value)

    def scope_of(self, name: str) -> Any:
        return "local"

    def _unpack(self, elements: Sequence[ast.expr], value: Value) -> None:
        starred = any(isinstance(element, ast.Starred) for element in elements)
        made = self.ops[value]
        if not starred and isinstance(made, ops.Build) and len(made.items) == len(elements) and made.kind != "dict":
            for element, item in zip(elements, made.items, strict=True):
                self.assign(element, item)
            return
        seen = False
        for index, element in enumerate(elements):
            seen = seen or isinstance(element, ast.Starred)
            target = unstarred(element)
            part = self.emit(ops.Part(self.span(target), value, -1 if seen else index))
            self.assign(target, part)

    _handlers: ClassVar[dict[type[ast.AST], Callable[[Any, Any], Value]]] = {
        ast.Name: _name,
        ast.Attribute: _attribute,
        ast.Call: _call,
        ast.Subscript: _subscript,
        ast.Slice: _slice,
        ast.Constant: _constant,
        ast.JoinedStr: _formatted,
        ast.Tuple: _sequence,
        ast.List: _sequence,
        ast.Set: _sequence,
        ast.Dict: _dict,
        ast.BinOp: _binary,
        ast.UnaryOp: _unary,
        ast.BoolOp: _logic,
        ast.Compare: _comparison,
        ast.IfExp: _choice,
        ast.Lambda: _lambda,
        ast.Await: _await,
        ast.Yield: _yield,
        ast.YieldFrom: _yield,
        ast.NamedExpr: _walrus,
        ast.ListComp: _comprehension,
        ast.SetComp: _comprehension,
        ast.GeneratorExp: _comprehension,
        ast.DictComp: _comprehension,
    }
    if sys.version_info >= (3, 14):
        _handlers[ast.TemplateStr] = _formatted


_COMPREHENSIONS: dict[type[ast.AST], str] = {
    ast.ListComp: "list", ast.SetComp: "set", ast.GeneratorExp: "generator", ast.DictComp: "dict",
}  # fmt: skip
_DISPLAYS: dict[type[ast.AST], ops.BuildKind] = {ast.Tuple: "tuple", ast.List: "list", ast.Set: "set"}


def binary_operator(operator: ast.operator) -> str:
    return _BINARY[type(operator)]


def in_order(call: ast.Call) -> Sequence[ast.expr | ast.keyword]:
    """The arguments as they are written: what is unpacked may stand behind what is named."""
    if not call.keywords or not any(isinstance(given, ast.Starred) for given in call.args):
        return [*call.args, *call.keywords]
    return sorted([*call.args, *call.keywords], key=lambda given: (given.lineno, given.col_offset))


def readable(text: str) -> str:
    """A text without lone surrogates: they cannot be encoded, and stand for nothing a rule could read."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def unstarred(node: ast.expr) -> ast.expr:
    """What is unpacked by a star, else the expression itself."""
    return node.value if isinstance(node, ast.Starred) else node


def _is_small(number: int) -> bool:
    return -_SMALL <= number < _SMALL


def _evaluate(source: str) -> tuple[str, bool]:
    """What a literal stands for, and whether it is bytes."""
    try:
        value = ast.literal_eval(source)
    except (SyntaxError, ValueError) as error:
        raise Malformed from error
    return (value.decode("latin-1"), True) if isinstance(value, bytes) else (readable(value), False)


def _unescape(text: str, prefix: str) -> str:
    text = text.replace("{{", "{").replace("}}", "}")
    if "\\" not in text or "r" in prefix.lower():
        return text
    try:
        value = ast.literal_eval('"""' + text.replace('"', '\\"') + '"""')
    except (SyntaxError, ValueError):
        return text
    return readable(str(value))
