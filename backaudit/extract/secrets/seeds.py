"""Passwords of accounts that code makes, by position: a pair of a list, a value of an INSERT, an argument.

What such a literal is stands elsewhere: at the loop that takes the pairs apart, among the columns of the statement, in
the parameters of the function that is called.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from backaudit.extract.secrets.names import kind_of_name
from backaudit.facts import ops
from backaudit.facts.ops import Value

if TYPE_CHECKING:
    from backaudit.extract.secrets.python import Body

# A step into a value that is taken apart: a position, a key, or any element of it.
_ELEMENT = "*"
_ANY_VALUE = "*value"
_Path = tuple["int | str", ...]

_INSERT = re.compile(
    r"\bINSERT\s+(?:OR\s+\w+\s+|IGNORE\s+)?INTO\s+[^\s(]+\s*\((?P<columns>[^()]*)\)\s*VALUES\s*\((?P<values>[^()]*)\)",
    re.IGNORECASE,
)
_PLACEHOLDER = re.compile(r"\?|%s|\$\d+")
_NAMED = re.compile(r"(?::|%\()(?P<name>\w+)\)?s?")
# What gives the elements of its first argument, as they are.
_SAME_ELEMENTS = frozenset(("list", "tuple", "sorted", "reversed", "iter", "set"))
_HASHING = frozenset(("hash", "encrypt", "hash_password"))
_HASHER = re.compile(r"(?i)pwd|passw|hasher|crypt|argon|hashing")

Located = tuple["Body", Value]


def seeds(body: Body) -> Iterator[tuple[Body, Value, str]]:
    """(the body in which it stands, the literal, what it is called) of each password that is given by position."""
    for op in body.ops:
        if isinstance(op, ops.Call):
            for value, path, name in _given(body, op):
                for where, literal in _literals(body, value, path):
                    yield where, literal, name
        elif isinstance(op, ops.SetAttr) and _is_taken_apart(body, op.value) and _is_password(op.name):
            for where, literal in _literals(body, op.value, ()):
                yield where, literal, op.name


def _is_password(name: str) -> bool:
    return kind_of_name(name) == "password"


def _is_taken_apart(body: Body, value: Value) -> bool:
    return isinstance(body.ops[body.origin(value)], (ops.Part, ops.Element, ops.Item))


def _given(body: Body, op: ops.Call) -> Iterator[tuple[Value, _Path, str]]:
    """The arguments of a call that are passwords."""
    yield from ((value, (), name) for name, value in op.keywords if _is_password(name) and _is_taken_apart(body, value))
    callee = body.callee(op)
    if callee in _HASHING and _HASHER.search(body.receiver(op)):
        yield from ((value, (), callee) for value in op.args[:1])
    yield from _hashed(body, op, callee)
    yield from _inserted(body, op)
    yield from _of_ours(body, op, callee)


def _hashed(body: Body, op: ops.Call, callee: str) -> Iterator[tuple[Value, _Path, str]]:
    at = body.seeding_position(callee)
    if at is not None and at < len(op.args) and not isinstance(body.ops[body.origin(op.args[at])], ops.Const):
        yield op.args[at], (), callee


# -- SQL ---------------------------------------------------------------------------------------------------------------


def _inserted(body: Body, op: ops.Call) -> Iterator[tuple[Value, _Path, str]]:
    statement = body.text_of(op.args[0]) if len(op.args) > 1 else ""
    found = _INSERT.search(statement) if "insert" in statement.lower() else None
    if found is None:
        return
    inner: _Path = (_ELEMENT,) if "many" in body.callee(op) else ()
    columns = [column.strip(" \t\r\n`\"[]'") for column in found["columns"].split(",")]
    position = 0
    for column, value in zip(columns, found["values"].split(","), strict=False):
        named = _NAMED.fullmatch(value.strip())
        key: int | str = named["name"] if named else position
        position += len(_PLACEHOLDER.findall(value))
        if _is_password(column) and (named or _PLACEHOLDER.search(value)):
            yield op.args[1], (*inner, key), column


# -- functions of this file --------------------------------------------------------------------------------------------


def _of_ours(body: Body, op: ops.Call, callee: str) -> Iterator[tuple[Value, _Path, str]]:
    """Positional arguments whose parameter is called a password, of a function that the file has once."""
    named = [function for function in body.facts.functions if function.kind == "function" and function.name == callee]
    if len(named) != 1:
        return
    function = named[0]
    bound = function.cls >= 0 and bool(function.params) and function.params[0].name in ("self", "cls")
    params = function.params[1:] if bound else function.params
    for param, value in zip(params, op.args, strict=False):
        if param.kind in ("positional", "normal") and _is_password(param.name):
            yield value, (), param.name


# -- literals ----------------------------------------------------------------------------------------------------------


def _literals(body: Body, value: Value, path: _Path) -> Iterator[Located]:
    """The literals that (a part of) a value may be, through loops, unpacking and constants of the module."""
    seen: set[tuple[bool, Value, _Path]] = set()
    todo = [(body, value, path)]
    while todo:
        here, value, path = todo.pop()
        value = here.origin(value)
        step = (here is body, value, path)
        if step in seen:
            continue
        seen.add(step)
        op = here.ops[value]
        if not isinstance(op, ops.Const):
            todo += reversed([*_made_of(here, op, path)])
        elif not path and isinstance(op.value, str):
            yield here, value


def _made_of(body: Body, op: ops.AnyOp, path: _Path) -> Iterator[tuple[Body, Value, _Path]]:
    if isinstance(op, ops.Name):
        yield from _of_module(body, op, path)
        return
    parts = _items(body, op, path) if isinstance(op, ops.Build) else _behind(body, op, path)
    yield from ((body, value, rest) for value, rest in parts)


def _behind(body: Body, op: object, path: _Path) -> Iterator[tuple[Value, _Path]]:
    """What a value is taken from, and by which way."""
    if isinstance(op, ops.Part):
        yield op.base, (op.index, *path)
    elif isinstance(op, ops.Element):
        yield op.base, (_ELEMENT, *path)
    elif isinstance(op, ops.Item):
        key = body.ops[body.origin(op.key)]
        if isinstance(key, ops.Const) and isinstance(key.value, (int, str)):
            yield op.base, (key.value, *path)
    elif isinstance(op, ops.Choice):
        yield from ((op.then, path), (op.other, path))
    elif isinstance(op, ops.Call):
        yield from _through_call(body, op, path)


def _through_call(body: Body, op: ops.Call, path: _Path) -> Iterator[tuple[Value, _Path]]:
    callee, func = body.callee(op), body.ops[op.func]
    if callee in _SAME_ELEMENTS and op.args:
        yield op.args[0], path
    elif callee == "enumerate" and op.args and path[:2] == (_ELEMENT, 1):
        yield op.args[0], (_ELEMENT, *path[2:])
    elif callee == "zip" and path[:1] == (_ELEMENT,):
        yield from _zipped(op, path)
    elif isinstance(func, ops.Attr) and callee == "encode":
        yield func.base, path
    elif isinstance(func, ops.Attr):
        yield from ((func.base, inner) for inner in _viewed(callee, path))


def _zipped(op: ops.Call, path: _Path) -> Iterator[tuple[Value, _Path]]:
    """An item of an element of ``zip(names, words)`` is an element of one of them."""
    index = path[1] if len(path) > 1 else None
    if isinstance(index, int):
        yield from ((value, (_ELEMENT, *path[2:])) for value in op.args[index : index + 1])


def _viewed(view: str, path: _Path) -> Iterator[_Path]:
    """The way into a mapping behind the way into its ``values()`` or ``items()``."""
    if view == "values" and path[:1] == (_ELEMENT,):
        yield (_ANY_VALUE, *path[1:])
    elif view == "items" and path[:2] == (_ELEMENT, 1):
        yield (_ANY_VALUE, *path[2:])


def _items(body: Body, op: ops.Build, path: _Path) -> Iterator[tuple[Value, _Path]]:
    """The items of a display that a way into it may mean."""
    head, rest = (path[0], path[1:]) if path else (None, ())
    if op.kind == "dict":
        for key, item in zip(op.keys, op.items, strict=True):
            if head == _ANY_VALUE or (isinstance(head, str) and body.text_of(key) == head):
                yield item, rest
    elif op.kind in ("list", "tuple", "set"):
        if head == _ELEMENT:
            yield from ((item, rest) for item in op.items)
        elif isinstance(head, int) and 0 <= head < len(op.items):
            yield op.items[head], rest


def _of_module(body: Body, op: ops.Name, path: _Path) -> Iterator[tuple[Body, Value, _Path]]:
    module = body.module
    bound = [other.value for other in module.ops if isinstance(other, ops.Bind) and other.name == op.name]
    if module is not body and len(bound) == 1:
        yield module, bound[0], path
