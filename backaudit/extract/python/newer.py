"""What libcst's parser reads, as Python's own ``ast``: for syntax that is newer than the interpreter.

Only what the lowering asks of a tree is there: of strings their places alone, no type parameters, no contexts.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar, TypeVar

import libcst as cst

from backaudit.extract.python.bounds import is_affordable
from backaudit.extract.python.cst_spans import Spans
from backaudit.extract.python.nodes import Malformed, TryStar, TypeAlias

NodeT = TypeVar("NodeT", bound=ast.AST)

_BLOCKS = (cst.BaseCompoundStatement, cst.ExceptHandler, cst.ExceptStarHandler, cst.MatchCase)
_SEMICOLON = re.compile(r"[ \t\f]*;")

_OPERATORS: dict[type[cst.CSTNode], type[ast.operator]] = {
    cst.Add: ast.Add, cst.Subtract: ast.Sub, cst.Multiply: ast.Mult, cst.Divide: ast.Div,
    cst.FloorDivide: ast.FloorDiv, cst.Modulo: ast.Mod, cst.Power: ast.Pow, cst.MatrixMultiply: ast.MatMult,
    cst.LeftShift: ast.LShift, cst.RightShift: ast.RShift, cst.BitAnd: ast.BitAnd, cst.BitOr: ast.BitOr,
    cst.BitXor: ast.BitXor, cst.AddAssign: ast.Add, cst.SubtractAssign: ast.Sub, cst.MultiplyAssign: ast.Mult,
    cst.DivideAssign: ast.Div, cst.FloorDivideAssign: ast.FloorDiv, cst.ModuloAssign: ast.Mod,
    cst.PowerAssign: ast.Pow, cst.MatrixMultiplyAssign: ast.MatMult, cst.LeftShiftAssign: ast.LShift,
    cst.RightShiftAssign: ast.RShift, cst.BitAndAssign: ast.BitAnd, cst.BitOrAssign: ast.BitOr,
    cst.BitXorAssign: ast.BitXor,
}  # fmt: skip
_COMPARISONS: dict[type[cst.CSTNode], type[ast.cmpop]] = {
    cst.Equal: ast.Eq, cst.NotEqual: ast.NotEq, cst.LessThan: ast.Lt, cst.LessThanEqual: ast.LtE,
    cst.GreaterThan: ast.Gt, cst.GreaterThanEqual: ast.GtE, cst.In: ast.In, cst.NotIn: ast.NotIn, cst.Is: ast.Is,
    cst.IsNot: ast.IsNot,
}  # fmt: skip
_UNARY: dict[type[cst.CSTNode], type[ast.unaryop]] = {
    cst.Not: ast.Not, cst.Minus: ast.USub, cst.Plus: ast.UAdd, cst.BitInvert: ast.Invert,
}  # fmt: skip
_DISPLAYS: dict[type[cst.CSTNode], Callable[..., ast.expr]] = {
    cst.Tuple: ast.Tuple,
    cst.List: ast.List,
    cst.Set: ast.Set,
}
_COMPREHENSIONS: dict[type[cst.CSTNode], Callable[..., ast.expr]] = {
    cst.ListComp: ast.ListComp, cst.SetComp: ast.SetComp, cst.GeneratorExp: ast.GeneratorExp,
}  # fmt: skip
_NAMED: dict[str, bool | None] = {"None": None, "True": True, "False": False}
# Longer numbers are more than 64 bits hold, whatever they are.
_LONGEST = 30
_HUGE = 1 << 64


def read_module(text: str) -> ast.Module:
    """The module's tree; SyntaxError where libcst refuses the text too."""
    module = concrete(text)
    try:
        return ast.Module(_Reader(module, text).block(module), [])
    except KeyError as error:
        # Where the recursion ends in the middle of a node, the node's end is missing.
        if isinstance(error.__context__, RecursionError):
            raise RecursionError from error
        raise


def concrete(text: str) -> cst.Module:
    """The text as libcst's own tree; SyntaxError where it refuses it, or would take too long."""
    if not is_affordable(text):
        raise SyntaxError("it is too dear to be read")
    try:
        return cst.parse_module(text)
    except cst.ParserSyntaxError as error:
        raise SyntaxError(_reason(error), ("", error.raw_line, 0, "")) from error


def read_expression(text: str) -> ast.expr:
    """The tree of a text that is one expression; SyntaxError where it is none."""
    statements = read_module(text).body
    if len(statements) == 1 and isinstance(statements[0], ast.Expr):
        return statements[0].value
    raise SyntaxError("not an expression")


def _reason(error: cst.ParserSyntaxError) -> str:
    # The parser quotes the offending line, which may hold a secret; its first sentence says enough, or nothing.
    first = error.message.partition("\n")[0].partition(":")[2].strip()
    reason = first.partition(" at ")[0][:120]
    return f"{reason if reason not in ('', 'error') else 'syntax error'}."


class _Reader:
    """Reads one tree; each method makes the node of the same meaning, at the place where ``ast`` has it."""

    def __init__(self, module: cst.Module, text: str) -> None:
        self._spans = Spans(module, text)
        self._text = text

    def _at(self, made: NodeT, node: Any, last: Any = None) -> NodeT:
        start, end = self._spans.offsets(node)[0], self._spans.offsets(node if last is None else last)[1]
        return self._placed(made, start, self._past_semicolon(end) if isinstance(node, _BLOCKS) else end)

    def _past_semicolon(self, end: int) -> int:
        """The end of a block, of which the semicolon after its last statement is a part."""
        after = _SEMICOLON.match(self._text, end)
        return after.end() if after is not None else end

    def _placed(self, made: NodeT, start: int, end: int) -> NodeT:
        place: Any = made
        place.lineno, place.col_offset = self._spans.line_and_bytes(start)
        place.end_lineno, place.end_col_offset = self._spans.line_and_bytes(end)
        return made

    # -- statements ------------------------------------------------------------------------------------------------

    def block(self, suite: Any) -> list[ast.stmt]:
        """The statements of a module or a suite."""
        found: list[ast.stmt] = []
        for node in suite.body:
            if isinstance(node, cst.SimpleStatementLine):
                found += [self._statement(small) for small in node.body]
            else:
                found.append(self._statement(node))
        return found

    def _statement(self, node: cst.CSTNode) -> ast.stmt:
        reader = self._statements.get(type(node))
        return reader(self, node) if reader is not None else self._at(ast.Pass(), node)

    def _expr_statement(self, node: cst.Expr) -> ast.stmt:
        return self._at(ast.Expr(self.expr(node.value)), node)

    def _assign(self, node: cst.Assign) -> ast.stmt:
        targets = [self.expr(target.target) for target in node.targets]
        return self._at(ast.Assign(targets, self.expr(node.value)), node)

    def _annotated(self, node: cst.AnnAssign) -> ast.stmt:
        annotation, value = self.expr(node.annotation.annotation), self._optional(node.value)
        target: Any = self.expr(node.target)
        return self._at(ast.AnnAssign(target, annotation, value, 1), node)

    def _augment(self, node: cst.AugAssign) -> ast.stmt:
        operator = _OPERATORS[type(node.operator)]()
        target: Any = self.expr(node.target)
        return self._at(ast.AugAssign(target, operator, self.expr(node.value)), node)

    def _return(self, node: cst.Return) -> ast.stmt:
        return self._at(ast.Return(self._optional(node.value)), node)

    def _raise(self, node: cst.Raise) -> ast.stmt:
        cause = None if node.cause is None else self.expr(node.cause.item)
        return self._at(ast.Raise(self._optional(node.exc), cause), node)

    def _assert(self, node: cst.Assert) -> ast.stmt:
        return self._at(ast.Assert(self.expr(node.test), self._optional(node.msg)), node)

    def _del(self, node: cst.Del) -> ast.stmt:
        return self._at(ast.Delete([self.expr(node.target)]), node)

    def _global(self, node: cst.Global) -> ast.stmt:
        return self._at(ast.Global([item.name.value for item in node.names]), node)

    def _nonlocal(self, node: cst.Nonlocal) -> ast.stmt:
        return self._at(ast.Nonlocal([item.name.value for item in node.names]), node)

    def _import(self, node: cst.Import) -> ast.stmt:
        return self._at(ast.Import([self._alias(alias) for alias in node.names]), node)

    def _import_from(self, node: cst.ImportFrom) -> ast.stmt:
        names = node.names
        found = [ast.alias("*", None)] if isinstance(names, cst.ImportStar) else [self._alias(name) for name in names]
        module = None if node.module is None else _dotted(node.module)
        return self._at(ast.ImportFrom(module, found, len(node.relative)), node)

    def _alias(self, node: cst.ImportAlias) -> ast.alias:
        return self._at(ast.alias(_dotted(node.name), _name_given(node.asname)), node)

    def _break(self, node: cst.Break) -> ast.stmt:
        return self._at(ast.Break(), node)

    def _continue(self, node: cst.Continue) -> ast.stmt:
        return self._at(ast.Continue(), node)

    def _if(self, node: cst.If) -> ast.stmt:
        orelse = [self._if(node.orelse)] if isinstance(node.orelse, cst.If) else self._else(node.orelse)
        return self._at(ast.If(self.expr(node.test), self.block(node.body), orelse), node)

    def _else(self, node: cst.Else | cst.Finally | None) -> list[ast.stmt]:
        return [] if node is None else self.block(node.body)

    def _for(self, node: cst.For) -> ast.stmt:
        kind = ast.For if node.asynchronous is None else ast.AsyncFor
        target, iterated = self.expr(node.target), self.expr(node.iter)
        return self._at(kind(target, iterated, self.block(node.body), self._else(node.orelse)), node)

    def _while(self, node: cst.While) -> ast.stmt:
        return self._at(ast.While(self.expr(node.test), self.block(node.body), self._else(node.orelse)), node)

    def _with(self, node: cst.With) -> ast.stmt:
        kind = ast.With if node.asynchronous is None else ast.AsyncWith
        items = [
            ast.withitem(self.expr(item.item), None if item.asname is None else self.expr(item.asname.name))
            for item in node.items
        ]
        return self._at(kind(items, self.block(node.body)), node)

    def _try(self, node: cst.Try | cst.TryStar) -> ast.stmt:
        kind: Callable[..., ast.stmt] = ast.Try if isinstance(node, cst.Try) else TryStar
        handlers = [self._handler(handler) for handler in node.handlers]
        body, finalbody = self.block(node.body), self._else(node.finalbody)
        return self._at(kind(body, handlers, self._else(node.orelse), finalbody), node)

    def _handler(self, node: cst.ExceptHandler | cst.ExceptStarHandler) -> ast.ExceptHandler:
        handler = ast.ExceptHandler(self._optional(node.type), _name_given(node.name), self.block(node.body))
        return self._at(handler, node)

    def _match(self, node: cst.Match) -> ast.stmt:
        cases = [
            ast.match_case(self._pattern(case.pattern), self._optional(case.guard), self.block(case.body))
            for case in node.cases
        ]
        return self._at(ast.Match(self.expr(node.subject), cases), node)

    def _function(self, node: cst.FunctionDef) -> ast.stmt:
        kind = ast.FunctionDef if node.asynchronous is None else ast.AsyncFunctionDef
        returns = None if node.returns is None else self.expr(node.returns.annotation)
        decorators = [self.expr(decorator.decorator) for decorator in node.decorators]
        made = kind(node.name.value, self._parameters(node.params), self.block(node.body), decorators, returns)
        return self._at(made, node)

    def _class(self, node: cst.ClassDef) -> ast.stmt:
        bases = [self._argument(base) for base in node.bases]
        keywords = [self._argument(keyword) for keyword in node.keywords]
        decorators = [self.expr(decorator.decorator) for decorator in node.decorators]
        kind: Callable[..., ast.stmt] = ast.ClassDef
        return self._at(kind(node.name.value, bases, keywords, self.block(node.body), decorators), node)

    def _type_alias(self, node: cst.TypeAlias) -> ast.stmt:
        kind: Callable[..., ast.stmt] = TypeAlias
        return self._at(kind(self.expr(node.name), [], self.expr(node.value)), node)

    # -- patterns --------------------------------------------------------------------------------------------------

    def _pattern(self, node: Any) -> ast.pattern:
        if isinstance(node, cst.MatchValue):
            return self._at(ast.MatchValue(self.expr(node.value)), node)
        if isinstance(node, cst.MatchSingleton):
            return self._at(ast.MatchSingleton(_NAMED[node.value.value]), node)
        if isinstance(node, (cst.MatchList, cst.MatchTuple)):
            patterns = [self._pattern(element) for element in node.patterns]
            return self._bracketed(ast.MatchSequence(patterns), node)
        if isinstance(node, (cst.MatchSequenceElement, cst.MatchOrElement)):
            return self._pattern(node.value if isinstance(node, cst.MatchSequenceElement) else node.pattern)
        if isinstance(node, cst.MatchStar):
            return self._at(ast.MatchStar(None if node.name is None else node.name.value), node)
        if isinstance(node, cst.MatchOr):
            return self._at(ast.MatchOr([self._pattern(choice) for choice in node.patterns]), node)
        if isinstance(node, cst.MatchAs):
            inner = None if node.pattern is None else self._pattern(node.pattern)
            return self._at(ast.MatchAs(inner, None if node.name is None else node.name.value), node)
        return self._mapping(node) if isinstance(node, cst.MatchMapping) else self._class_pattern(node)

    def _mapping(self, node: cst.MatchMapping) -> ast.pattern:
        keys = [self.expr(item.key) for item in node.elements]
        patterns = [self._pattern(item.pattern) for item in node.elements]
        return self._at(ast.MatchMapping(keys, patterns, None if node.rest is None else node.rest.value), node)

    def _class_pattern(self, node: cst.MatchClass) -> ast.pattern:
        positional = [self._pattern(element) for element in node.patterns]
        names = [keyword.key.value for keyword in node.kwds]
        named = [self._pattern(keyword.pattern) for keyword in node.kwds]
        return self._at(ast.MatchClass(self.expr(node.cls), positional, names, named), node)

    # -- expressions -----------------------------------------------------------------------------------------------

    def expr(self, node: cst.CSTNode) -> ast.expr:
        """Of what has no counterpart nothing is known."""
        reader = self._expressions.get(type(node))
        return reader(self, node) if reader is not None else self._at(ast.Constant(...), node)

    def _optional(self, node: cst.CSTNode | None) -> ast.expr | None:
        return None if node is None else self.expr(node)

    def _bracketed(self, made: NodeT, node: Any) -> NodeT:
        """A node to which its innermost brackets belong."""
        if node.lpar and not isinstance(node, cst.MatchList):
            return self._at(made, node.lpar[-1], node.rpar[0])
        return self._at(made, node)

    def _name(self, node: cst.Name) -> ast.expr:
        made = ast.Constant(_NAMED[node.value]) if node.value in _NAMED else ast.Name(node.value)
        return self._at(made, node)

    def _attribute(self, node: cst.Attribute) -> ast.expr:
        return self._at(ast.Attribute(self.expr(node.value), node.attr.value), node)

    def _number(self, node: cst.Integer | cst.Float | cst.Imaginary) -> ast.expr:
        is_long = isinstance(node, cst.Integer) and len(node.value) >= _LONGEST
        return self._at(ast.Constant(_HUGE if is_long else _value(node.value)), node)

    def _string(self, node: cst.SimpleString | cst.ConcatenatedString) -> ast.expr:
        pieces = _flat(node)
        if not all(isinstance(piece, cst.SimpleString) for piece in pieces):
            return self._at(ast.JoinedStr([]), node)
        values = [_value(piece.value) for piece in pieces]
        return self._at(ast.Constant(values[0][:0].join(values)), node)

    def _formatted(self, node: cst.CSTNode) -> ast.expr:
        return self._at(ast.JoinedStr([]), node)

    def _call(self, node: cst.Call) -> ast.expr:
        given = [self._argument(argument) for argument in node.args]
        if len(node.args) == 1 and isinstance(node.args[0].value, cst.GeneratorExp) and not node.args[0].value.lpar:
            start, end = self._spans.offsets(node.args[0])
            self._placed(given[0], self._text.rindex("(", 0, start), self._text.index(")", end) + 1)
        args = [argument for argument in given if isinstance(argument, ast.expr)]
        keywords = [argument for argument in given if isinstance(argument, ast.keyword)]
        return self._at(ast.Call(self.expr(node.func), args, keywords), node)

    def _argument(self, node: cst.Arg) -> ast.expr | ast.keyword:
        value = self.expr(node.value)
        if node.keyword is not None or node.star == "**":
            return self._at(ast.keyword(None if node.keyword is None else node.keyword.value, value), node)
        return self._at(ast.Starred(value), node) if node.star else value

    def _subscript(self, node: cst.Subscript) -> ast.expr:
        keys = [self._key(element.slice) for element in node.slice]
        key = keys[0] if len(keys) == 1 else self._at(ast.Tuple(keys), node.slice[0], node.slice[-1])
        return self._at(ast.Subscript(self.expr(node.value), key), node)

    def _key(self, node: cst.BaseSlice) -> ast.expr:
        if isinstance(node, cst.Slice):
            bounds = (self._optional(bound) for bound in (node.lower, node.upper, node.step))
            return self._at(ast.Slice(*bounds), node)
        return self.expr(node.value) if isinstance(node, cst.Index) else self.expr(node)

    def _display(self, node: cst.Tuple | cst.List | cst.Set) -> ast.expr:
        elements = [
            self._at(ast.Starred(self.expr(element.value)), element)
            if isinstance(element, cst.StarredElement)
            else self.expr(element.value)
            for element in node.elements
        ]
        made = _DISPLAYS[type(node)](elements)
        return self._bracketed(made, node) if isinstance(node, cst.Tuple) else self._at(made, node)

    def _dict(self, node: cst.Dict) -> ast.expr:
        keys = [self.expr(element.key) if isinstance(element, cst.DictElement) else None for element in node.elements]
        return self._at(ast.Dict(keys, [self.expr(element.value) for element in node.elements]), node)

    def _binary(self, node: cst.BinaryOperation) -> ast.expr:
        operator = _OPERATORS[type(node.operator)]()
        return self._at(ast.BinOp(self.expr(node.left), operator, self.expr(node.right)), node)

    def _unary(self, node: cst.UnaryOperation) -> ast.expr:
        return self._at(ast.UnaryOp(_UNARY[type(node.operator)](), self.expr(node.expression)), node)

    def _logic(self, node: cst.BooleanOperation) -> ast.expr:
        operator = ast.And() if isinstance(node.operator, cst.And) else ast.Or()
        return self._at(ast.BoolOp(operator, [self.expr(node.left), self.expr(node.right)]), node)

    def _comparison(self, node: cst.Comparison) -> ast.expr:
        operators = [_COMPARISONS[type(target.operator)]() for target in node.comparisons]
        compared = [self.expr(target.comparator) for target in node.comparisons]
        return self._at(ast.Compare(self.expr(node.left), operators, compared), node)

    def _choice(self, node: cst.IfExp) -> ast.expr:
        return self._at(ast.IfExp(self.expr(node.test), self.expr(node.body), self.expr(node.orelse)), node)

    def _lambda(self, node: cst.Lambda) -> ast.expr:
        return self._at(ast.Lambda(self._parameters(node.params), self.expr(node.body)), node)

    def _await(self, node: cst.Await) -> ast.expr:
        return self._at(ast.Await(self.expr(node.expression)), node)

    def _yield(self, node: cst.Yield) -> ast.expr:
        if isinstance(node.value, cst.From):
            return self._at(ast.YieldFrom(self.expr(node.value.item)), node)
        return self._at(ast.Yield(self._optional(node.value)), node)

    def _walrus(self, node: cst.NamedExpr) -> ast.expr:
        target: Any = self.expr(node.target)
        return self._at(ast.NamedExpr(target, self.expr(node.value)), node)

    def _comprehension(self, node: Any) -> ast.expr:
        clauses: list[ast.comprehension] = []
        loop: cst.CompFor | None = node.for_in
        while loop is not None:
            conditions = [self.expr(condition.test) for condition in loop.ifs]
            clauses.append(ast.comprehension(self.expr(loop.target), self.expr(loop.iter), conditions, 0))
            loop = loop.inner_for_in
        if isinstance(node, cst.DictComp):
            return self._at(ast.DictComp(self.expr(node.key), self.expr(node.value), clauses), node)
        made = _COMPREHENSIONS[type(node)](self.expr(node.elt), clauses)
        return self._bracketed(made, node) if isinstance(node, cst.GeneratorExp) else self._at(made, node)

    def _parameters(self, node: cst.Parameters) -> ast.arguments:
        plain = [*node.posonly_params, *node.params]
        star = node.star_arg if isinstance(node.star_arg, cst.Param) else None
        return ast.arguments(
            posonlyargs=self._named(node.posonly_params),
            args=self._named(node.params),
            vararg=None if star is None else self._parameter(star),
            kwonlyargs=self._named(node.kwonly_params),
            kw_defaults=[self._optional(param.default) for param in node.kwonly_params],
            kwarg=None if node.star_kwarg is None else self._parameter(node.star_kwarg),
            defaults=[self.expr(param.default) for param in plain if param.default is not None],
        )

    def _named(self, params: Iterable[cst.Param]) -> list[ast.arg]:
        return [self._parameter(param) for param in params]

    def _parameter(self, node: cst.Param) -> ast.arg:
        annotation = None if node.annotation is None else self.expr(node.annotation.annotation)
        return self._at(ast.arg(node.name.value, annotation), node.name)

    _statements: ClassVar[dict[type[cst.CSTNode], Callable[[Any, Any], ast.stmt]]] = {
        cst.Expr: _expr_statement, cst.Assign: _assign, cst.AnnAssign: _annotated, cst.AugAssign: _augment,
        cst.Return: _return, cst.Raise: _raise, cst.Assert: _assert, cst.Del: _del, cst.Global: _global,
        cst.Nonlocal: _nonlocal, cst.Import: _import, cst.ImportFrom: _import_from, cst.Break: _break,
        cst.Continue: _continue, cst.If: _if, cst.For: _for, cst.While: _while, cst.With: _with, cst.Try: _try,
        cst.TryStar: _try, cst.Match: _match, cst.FunctionDef: _function, cst.ClassDef: _class,
        cst.TypeAlias: _type_alias,
    }  # fmt: skip
    _expressions: ClassVar[dict[type[cst.CSTNode], Callable[[Any, Any], ast.expr]]] = {
        cst.Name: _name, cst.Attribute: _attribute, cst.Call: _call, cst.Subscript: _subscript,
        cst.SimpleString: _string, cst.ConcatenatedString: _string, cst.FormattedString: _formatted,
        cst.TemplatedString: _formatted, cst.Integer: _number, cst.Float: _number, cst.Imaginary: _number,
        cst.Tuple: _display, cst.List: _display, cst.Set: _display, cst.Dict: _dict, cst.BinaryOperation: _binary,
        cst.UnaryOperation: _unary, cst.BooleanOperation: _logic, cst.Comparison: _comparison, cst.IfExp: _choice,
        cst.Lambda: _lambda, cst.Await: _await, cst.Yield: _yield, cst.NamedExpr: _walrus,
        cst.ListComp: _comprehension, cst.SetComp: _comprehension, cst.GeneratorExp: _comprehension,
        cst.DictComp: _comprehension,
    }  # fmt: skip


def _dotted(node: cst.CSTNode) -> str:
    """The text of a dotted name."""
    if isinstance(node, cst.Attribute):
        return f"{_dotted(node.value)}.{node.attr.value}"
    return node.value if isinstance(node, cst.Name) else ""


def _name_given(asname: cst.AsName | None) -> str | None:
    return asname.name.value if asname is not None and isinstance(asname.name, cst.Name) else None


def _flat(node: cst.CSTNode) -> Sequence[Any]:
    pieces: list[cst.CSTNode] = []
    while isinstance(node, cst.ConcatenatedString):
        pieces.append(node.left)
        node = node.right
    return [*pieces, node]


def _value(literal: str) -> Any:
    try:
        return ast.literal_eval(literal)
    except (SyntaxError, ValueError) as error:
        raise Malformed from error
