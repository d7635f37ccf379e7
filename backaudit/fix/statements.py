"""SQL that is put together from text and values, as text with marks, and the values bound to them.

What is read: f-strings, also several behind one another, additions, ``%`` and ``format``. A value is bound where one
may stand; a name of a table or a column stays in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

import libcst as cst

from backaudit.fix.files import File, Impossible

# What stands right before a value that stands by itself.
_BEFORE = re.compile(
    r"(=|<|>|\b(like|ilike|limit|offset|between)|\bbetween\s+\S+\s+and|\bvalues\s*\(([^()]*,)?)\s*$", re.IGNORECASE
)
_BEHIND = re.compile(r"\s|[),;]|$")
_FORMAT = re.compile(r"%(\((?P<name>\w+)\))?(?P<kind>.)", re.S)
_REPLACED = re.compile(r"\{\{|\}\}|\{(?P<name>\w*)\}")


class Field:
    """A value in the text, as it is written in the code."""

    def __init__(self, code: str) -> None:
        self.code = code


class Piece:
    """One literal: how it opens, what is in it, how it closes; ``node`` is what it takes the place of."""

    def __init__(self, node: cst.BaseExpression, prefix: str, quote: str, parts: Sequence[str | Field]) -> None:
        self.node, self.prefix, self.quote, self.parts = node, prefix, quote, list(parts)
        self.formats = isinstance(node, cst.FormattedString)

    def written(self) -> str:
        is_plain = not any(isinstance(part, Field) for part in self.parts)
        prefix = re.sub("[fF]", "", self.prefix) if is_plain else self.prefix
        inner = "".join(self._part(part, is_plain=is_plain) for part in self.parts)
        return f"{prefix}{self.quote}{inner}{self.quote}"

    def _part(self, part: str | Field, *, is_plain: bool) -> str:
        """A part in a text that is an f-string or not, which it may have been or not."""
        if isinstance(part, Field):
            return f"{{{part.code}}}"
        if self.formats == (not is_plain):
            return part
        return part.replace("{{", "{").replace("}}", "}") if is_plain else part.replace("{", "{{").replace("}", "}}")


def pieces(node: cst.BaseExpression, file: File) -> list[Piece]:
    """The literals of an expression that puts a text together."""
    if isinstance(node, cst.ConcatenatedString):
        return [*pieces(node.left, file), *pieces(node.right, file)]
    if isinstance(node, cst.FormattedString):
        return [_formatted(node, file)]
    if isinstance(node, cst.SimpleString):
        return [Piece(node, node.prefix, node.quote, [node.raw_value])]
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        return [_added(node, file)]
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Modulo):
        return [_by_percent(node, file)]
    if isinstance(node, cst.Call):
        return [_by_method(node, file)]
    raise Impossible


def _code(node: cst.BaseExpression, file: File) -> str:
    return file.written(file.syntax.span(node))


def _formatted(node: cst.FormattedString, file: File) -> Piece:
    parts: list[str | Field] = []
    for part in node.parts:
        if isinstance(part, cst.FormattedStringText):
            parts.append(part.value)
        elif isinstance(part, cst.FormattedStringExpression):
            if part.conversion or part.format_spec or part.equal:
                raise Impossible
            parts.append(Field(_code(part.expression, file)))
    return Piece(node, node.prefix, node.quote, parts)


def _added(node: cst.BinaryOperation, file: File) -> Piece:
    """``"…" + value + "…"`` as one literal; all of its literals are of one kind."""
    operands = [*_operands(node)]
    literals = [each for each in operands if isinstance(each, cst.SimpleString)]
    kinds = {(each.prefix, each.quote) for each in literals}
    if len(kinds) != 1 or any(isinstance(each, (cst.FormattedString, cst.ConcatenatedString)) for each in operands):
        raise Impossible
    prefix, quote = kinds.pop()
    parts = [each.raw_value if isinstance(each, cst.SimpleString) else Field(_code(each, file)) for each in operands]
    return Piece(node, "f" + prefix, quote, parts)


def _operands(node: cst.BaseExpression) -> Iterator[cst.BaseExpression]:
    if isinstance(node, cst.BinaryOperation) and isinstance(node.operator, cst.Add):
        yield from (*_operands(node.left), *_operands(node.right))
    else:
        yield node


def _by_percent(node: cst.BinaryOperation, file: File) -> Piece:
    text = node.left
    if not isinstance(text, cst.SimpleString):
        raise Impossible
    named = _named(node.right)
    given = [element.value for element in node.right.elements] if isinstance(node.right, cst.Tuple) else [node.right]
    values = iter(() if named else given)

    def field(match: re.Match[str]) -> str | Field:
        if match["kind"] == "%":
            return "%"
        value = named.get(match["name"]) if match["name"] else next(values, None)
        value = value if match["kind"] in "sd" else None
        if value is None:
            raise Impossible
        return Field(_code(value, file))

    return Piece(node, "f" + text.prefix, text.quote, _split(text.raw_value, _FORMAT, field))


def _named(given: cst.BaseExpression) -> dict[str, cst.BaseExpression]:
    """The values of ``% {"name": value}``."""
    if not isinstance(given, cst.Dict):
        return {}
    pairs = [each for each in given.elements if isinstance(each, cst.DictElement)]
    return {each.key.raw_value: each.value for each in pairs if isinstance(each.key, cst.SimpleString)}


def _by_method(node: cst.Call, file: File) -> Piece:
    """``"…{}…".format(value)``."""
    func = node.func
    if not isinstance(func, cst.Attribute) or func.attr.value != "format" or any(arg.star for arg in node.args):
        raise Impossible
    text = func.value
    if not isinstance(text, cst.SimpleString):
        raise Impossible
    named = {arg.keyword.value: arg.value for arg in node.args if arg.keyword is not None}
    numbered = {str(number): arg.value for number, arg in enumerate(node.args) if arg.keyword is None}
    given = {**named, **numbered}
    following = iter(sorted(numbered, key=int))

    def field(match: re.Match[str]) -> str | Field:
        if match["name"] is None:
            return match.group()[0]
        value = given.get(match["name"] or next(following, ""))
        if value is None:
            raise Impossible
        return Field(_code(value, file))

    return Piece(node, "f" + text.prefix, text.quote, _split(text.raw_value, _REPLACED, field))


def _split(text: str, pattern: re.Pattern[str], made: Callable[[re.Match[str]], str | Field]) -> list[str | Field]:
    parts: list[str | Field] = []
    at = 0
    for match in pattern.finditer(text):
        parts += [text[at : match.start()], made(match)]
        at = match.end()
    return [*parts, text[at:]]


# -- values ------------------------------------------------------------------------------------------------------------


def bound(several: Sequence[Piece], mark: Callable[[int, str], str]) -> list[str]:
    """Put a mark where a value stands; returned is the code of the values, in the order of their marks.

    ``mark`` makes the mark of the value with a number and a code. Impossible where no value can be bound.
    """
    places = [(piece, index) for piece in several for index in range(len(piece.parts))]
    values: list[str] = []
    for at, (piece, index) in enumerate(places):
        part = piece.parts[index]
        if isinstance(part, Field):
            before, behind = _texts(places, at)
            value = _value(part.code, before, behind, places, at)
            if value:
                piece.parts[index] = mark(len(values), part.code)
                values.append(value)
    if not values:
        raise Impossible
    return values


def _texts(places: Sequence[tuple[Piece, int]], at: int) -> tuple[str, str]:
    """What stands before and behind a field; another field is a word."""

    def text(some: Sequence[tuple[Piece, int]]) -> str:
        found = (piece.parts[index] for piece, index in some)
        return "".join(part if isinstance(part, str) else "x" for part in found)

    return text(places[:at]), text(places[at + 1 :])


def _value(code: str, before: str, behind: str, places: Sequence[tuple[Piece, int]], at: int) -> str:
    """The code of the value of a field; empty where a name stands and no value."""
    if before.count("'") % 2 == 0:
        return code if _BEFORE.search(before) and _BEHIND.match(behind) else ""
    head, tail = before.rpartition("'")[2], behind.partition("'")[0]
    outside = before[: -len(head) - 1]
    if "'" not in behind or not _BEFORE.search(outside) or not _BEHIND.match(behind[len(tail) + 1 :]):
        raise Impossible
    _cut(places, at, len(head) + 1, len(tail) + 1)
    return _around(head, code, tail)


def _around(head: str, code: str, tail: str) -> str:
    """A value with the text that stood around it between the quotes: ``'%' || value || '%'``."""
    if not head and not tail:
        return code
    quote = "'" if '"' in code else '"'
    if any(character in head + tail for character in "{}\\\n\"'") or quote in code:
        raise Impossible
    return f"f{quote}{head}{{{code}}}{tail}{quote}"


def _cut(places: Sequence[tuple[Piece, int]], at: int, before: int, behind: int) -> None:
    """Take the quotes of a value away, and what stands between them; all of it has to be text right beside."""
    for number, length, is_before in ((at - 1, before, True), (at + 1, behind, False)):
        if not 0 <= number < len(places):
            raise Impossible
        piece, index = places[number]
        part = piece.parts[index]
        if isinstance(part, Field) or len(part) < length:
            raise Impossible
        piece.parts[index] = part[:-length] if is_before else part[length:]


def doubled(several: Sequence[Piece], mark: str) -> None:
    """Per cent signs of the text itself, doubled for drivers whose marks begin with one."""
    for piece in several:
        piece.parts = [
            part.replace("%", "%%") if isinstance(part, str) and part != mark else part for part in piece.parts
        ]
