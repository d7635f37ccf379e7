"""Calls of the standard library that keep the parts of what they are given apart: which part becomes which."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.search import Search
from backaudit.flow.work import KEY, Work
from backaudit.project import Node
from backaudit.project.nodes import ANY

_Handler: TypeAlias = "Callable[[Search, Work, Any], Iterator[Work]]"

HELD = "<held>"  # what a variable of a context, or another holder of one value, holds


def special(search: Search, work: Work, op: ops.Call) -> Iterator[Work] | None:
    """Where a search goes on from a call that is described here; None for any other."""
    func = work.node.to(op.func)
    for name in search.project.names(func):
        handler = SPECIAL.get(name) or _of_fields(search, name)
        if handler is not None:
            return handler(search, work, op)
    made = search.project.resolved(func)
    for name in search.project.names(made.to(made.call.func)) if made.call is not None else ():
        getter = _GETTERS.get(name)
        if getter is not None:
            return getter(work, op, made)
    return None


# -- elements -------------------------------------------------------------------------------------------------------


def _zip(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``zip(a, b)``: the n-th part of an element is an element of the n-th argument."""
    wanted = work.access[1] if len(work.access) > 1 else ANY
    chosen = op.args[wanted : wanted + 1] if isinstance(wanted, int) and wanted >= 0 else op.args
    yield from work.all((*chosen, *op.star), (ANY, *work.access[2:]))


def _enumerate(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``enumerate(a)``: only the second part of an element is one of ``a``."""
    if work.access[1:2] != (0,):
        yield from work.all(op.args[:1], (ANY, *work.access[2:]))


def _first_part(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``most_common()``, ``groupby(a)``: the first part of an element is what was there, the second tells of it."""
    receiver = work.node.receiver
    whole = [receiver.value] if receiver is not None and work.node.method == "most_common" else list(op.args[:1])
    if work.access[1:2] in ((0,), (ANY,), ()):
        yield from work.all(whole, (ANY, *work.access[2:]))
    elif work.node.method == "groupby":
        yield from work.all(whole, (ANY, *work.access[3:]))


def _next(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    yield from work.all(op.args[:1], (ANY, *work.access))
    yield from work.all(op.args[1:])


def _extreme(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``max(a)`` is an element of ``a``, ``max(a, b)`` one of both."""
    if len(op.args) == 1:
        yield from work.all(op.args, (ANY, *work.access))
        yield from work.all([value for name, value in op.keywords if name == "default"])
    else:
        yield from work.all(op.args)
    yield from work.all(op.star, (ANY, *work.access))


def _second(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``filter(test, a)``, ``takewhile(test, a)``."""
    yield from work.all(op.args[1:2])


def _joined(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``chain(a, b)``."""
    yield from work.all(op.args, (ANY, *work.access[1:]))
    yield from work.all(op.star, (ANY, ANY, *work.access[1:]))


def _joined_within(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``chain.from_iterable(a)``."""
    yield from work.all(op.args[:1], (ANY, ANY, *work.access[1:]))


def _arranged(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``permutations(a)``: every part of an element is one of ``a``."""
    yield from work.all(op.args[:1], (ANY, *work.access[2:]))


# -- mappings and records -------------------------------------------------------------------------------------------


def _mapping(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``dict(other, key=value)``, of a mapping or of pairs: the keyword hides what the other has under that key."""
    wanted = work.access[0] if work.access else ANY
    named = [value for name, value in op.keywords if wanted in (ANY, name)]
    yield from work.all(named, work.access[1:])
    if named and wanted != ANY:
        return
    for value in (*op.args, *op.star):
        yield from _keyed(work, value)
    yield from work.all(op.dstar)


def _keyed(work: Work, value: Value) -> Iterator[Work]:
    """What stands under a key of a mapping, or is the second part of a pair that has the key as its first."""
    made = work.node.to(value).origin.op
    if isinstance(made, ops.Build) and made.kind in ("list", "tuple", "set"):
        yield from _of_pairs(work, made)
        return
    yield from work.to(value)
    part = 0 if work.access[:1] == (KEY,) else 1
    if isinstance(made, (ops.Call, ops.Comp)):
        yield from work.to(value, (ANY, part, *work.access[1:]))


def _of_pairs(work: Work, display: ops.Build) -> Iterator[Work]:
    wanted = work.access[0] if work.access else ANY
    part = 0 if wanted == KEY else 1
    for item in display.items:
        pair = work.node.to(item).origin.op
        keys = work.node.to(pair.items[0]).keys if isinstance(pair, ops.Build) and pair.items else ()
        if wanted in (ANY, KEY) or not keys or wanted in keys:
            yield from work.to(item, (part, *work.access[1:]))


def _defaulting(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``defaultdict(make, other)``."""
    for value in op.args[1:]:
        yield from _keyed(work, value)
    yield from work.all((value for name, value in op.keywords if work.access[:1] in ((), (ANY,), (name,))), ())


def _same_value(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``dict.fromkeys(keys, value)``."""
    if work.access[:1] == (KEY,):
        yield from work.all(op.args[:1], (ANY, *work.access[1:]))
    else:
        yield from work.all(op.args[1:2], work.access[1:])


def _layers(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``ChainMap(a, b)``."""
    yield from work.all(op.args)


def _replaced(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``dataclasses.replace(one, field=value)``, ``one._replace(field=value)``."""
    wanted = work.access[0] if work.access else ANY
    named = [value for name, value in op.keywords if wanted in (ANY, name)]
    yield from work.all(named, work.access[1:])
    if not named or wanted == ANY:
        receiver = work.node.receiver
        own = [receiver.value] if receiver is not None and work.node.method == "_replace" else op.args[:1]
        yield from work.all((*own, *op.dstar))


def _same(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    yield from work.all(op.args[:1])


def _getattr(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    keys = work.node.to(op.args[1]).keys if len(op.args) > 1 else ()
    for key in keys or (ANY,):
        yield from work.all(op.args[:1], (key, *work.access))
    yield from work.all(op.args[2:])


# -- functions that get a part of what they are called with -----------------------------------------------------------


def _parts_got(work: Work, op: ops.Call, made: Node) -> Iterator[Work]:
    """``itemgetter("a")(row)``, ``attrgetter("a.b")(row)``; of several each has its place in a tuple."""
    keys = [key.const for key in made.args()]
    access = work.access
    if len(keys) > 1:
        at = access[0] if access else ANY
        keys = keys[at : at + 1] if isinstance(at, int) and at >= 0 else keys
        access = access[1:]
    for key in keys:
        path = tuple(key.split(".")) if isinstance(key, str) else (key if isinstance(key, int) else ANY,)
        yield from work.all(op.args[:1], (*path, *access))


def _method_called(work: Work, op: ops.Call, made: Node) -> Iterator[Work]:
    """``methodcaller("strip")(text)``."""
    yield from work.all(op.args[:1], ())


# -- objects that hold values under keys ------------------------------------------------------------------------------


def read_by_keys(search: Search, work: Work, op: ops.Call) -> Iterator[Work]:
    """``options.get("section", "name")``: as ``options["section"]["name"]``; without keys, what a holder holds."""
    receiver = work.node.receiver
    keys = [work.node.to(value).keys for value in op.args] or [(HELD,)]
    if receiver is not None:
        path = tuple(found[0] if len(found) == 1 else ANY for found in keys)
        yield from work.to(receiver.value, (*path, *work.access))


def is_kind(search: Search, call: Node, kind: str) -> bool:
    """Whether a call is of something that a table names as ``kind``."""
    func = call.func
    named: frozenset[str] = search.models.kinds.get(kind, frozenset())
    return func is not None and not named.isdisjoint(search.project.names(func))


def set_by_keys(work: Work, op: ops.Call) -> Iterator[Work]:
    """``options.set("section", "name", value)``: the last argument is kept under the others."""
    keys = [work.node.to(value).keys for value in op.args[:-1]] or [(HELD,)]
    access = work.access
    for found in keys:
        wanted = access[0] if access else ANY
        if found and wanted not in (ANY, *found):
            return
        access = access[1:]
    yield from work.all((*op.args[-1:], *(value for _, value in op.keywords[-1:] if not op.args)), access)


SPECIAL: dict[str, _Handler] = {
    "builtins.zip": _zip,
    "itertools.zip_longest": _zip,
    "itertools.product": _zip,
    "builtins.enumerate": _enumerate,
    "builtins.next": _next,
    "builtins.anext": _next,
    "builtins.max": _extreme,
    "builtins.min": _extreme,
    "builtins.filter": _second,
    "itertools.filterfalse": _second,
    "itertools.takewhile": _second,
    "itertools.dropwhile": _second,
    "itertools.chain": _joined,
    "itertools.chain.from_iterable": _joined_within,
    "itertools.permutations": _arranged,
    "itertools.combinations": _arranged,
    "itertools.combinations_with_replacement": _arranged,
    "itertools.pairwise": _arranged,
    "itertools.batched": _arranged,
    "itertools.groupby": _first_part,
    "collections.Counter.most_common": _first_part,
    "builtins.dict": _mapping,
    "collections.OrderedDict": _mapping,
    "collections.UserDict": _mapping,
    "types.MappingProxyType": _mapping,
    "types.SimpleNamespace": _mapping,
    "argparse.Namespace": _mapping,
    "collections.defaultdict": _defaulting,
    "builtins.dict.fromkeys": _same_value,
    "collections.OrderedDict.fromkeys": _same_value,
    "collections.ChainMap": _layers,
    "dataclasses.replace": _replaced,
    "copy.replace": _replaced,
    "*._replace": _replaced,
    "typing.NamedTuple._replace": _replaced,
    "dataclasses.asdict": _same,
    "dataclasses.astuple": _same,
    "builtins.vars": _same,
    "builtins.getattr": _getattr,
}


def _of_fields(search: Search, name: str) -> _Handler | None:
    """How a function of a library is followed that does to its records what ``dataclasses`` does to those of Python."""
    kinds = search.project.models.kinds
    if name in kinds["replaces-fields"]:
        return _replaced
    return _same if name in kinds["copies-fields"] else None


_GETTERS: dict[str, Callable[[Work, ops.Call, Node], Iterator[Work]]] = {
    "operator.itemgetter": _parts_got,
    "operator.attrgetter": _parts_got,
    "operator.methodcaller": _method_called,
}

__all__ = ["HELD", "SPECIAL", "is_kind", "read_by_keys", "set_by_keys", "special"]
