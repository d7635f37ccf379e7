"""What objects hold: what was put into them where they are made, by their methods, and by others who share them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TypeAlias

import msgspec

from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow import library
from backaudit.flow.contents import certain
from backaudit.flow.rows import is_model, text_column, writes
from backaudit.flow.search import TRIALS, Search
from backaudit.flow.work import KEY, Work, end, within
from backaudit.project import ClassView, Code, Node, Project
from backaudit.project.nodes import ANY, Access
from backaudit.project.picked import picked
from backaudit.project.types import split
from backaudit.rule import Step, assume

_MODULE_OBJECTS = (ops.Build, ops.Call)
_OTHER_BODIES = 300
_SEVERAL = 2


# -- in the body where an object is ---------------------------------------------------------------------------------


def stored(search: Search, work: Work) -> Iterator[Work]:
    """What was put into the object that this value is, before it was used."""
    code, node = work.node.code, work.node
    if isinstance(node.op, ops.Bind):
        return  # its origin is visited next
    root, path = code.root(node.value)
    if path or (root != node.value and not isinstance(node.op, ops.Name)):
        return  # its base is visited next
    for part, value in code.changes.get(root, ()):
        rest = within(part, work.access)
        if rest is None or _later(code, value, work.use) or _replaced(code, part, value, work.use):
            continue
        yield from effect(search, work, value, rest)
    yield from _by_helpers(search, work, root)


def overwritten(work: Work) -> bool:
    """Whether the part that is wanted of an object was surely given another value before the use."""
    code = work.node.code
    wanted = work.access[0] if work.access else ANY
    if wanted == ANY:
        return False
    before = (value for part, value in code.changes.get(work.node.value, ()) if not part and value < work.use)
    return any(_set_part(code, value) == wanted and certain(code, value, work.use) for value in before)


def _later(code: Code, value: Value, use: Value) -> bool:
    """Whether an effect comes after a use, and no loop is around both."""
    return value >= use and not any(r.kind == "loop" and r.first <= use < r.last for r in code.regions_of(value))


def _replaced(code: Code, part: Access, value: Value, use: Value) -> bool:
    """Whether what an effect put under a key or attribute is surely replaced again before the use."""
    mine = _set_part(code, value)
    if mine is None:
        return False
    set_by = code.ops[value]
    changed = code.ops[set_by.func].base if isinstance(set_by, ops.Call) else set_by.base  # type: ignore[union-attr]
    root, _ = code.root(changed)
    between = (later for other, later in code.changes.get(root, ()) if other == part and value < later < use)
    return any(_set_part(code, later) == mine and certain(code, later, use) for later in between)


def _set_part(code: Code, value: Value) -> str | int | None:
    """The attribute or the literal key that an effect sets."""
    op = code.ops[value]
    if isinstance(op, ops.SetAttr):
        return op.name
    if isinstance(op, ops.Call) and len(op.keywords) == 1 and not (op.args or op.dstar or op.star):
        return op.keywords[0][0] if code.node(value).method == "update" else None
    keys = code.node(op.key).keys if isinstance(op, ops.SetItem) else ()
    return keys[0] if len(keys) == 1 else None


def effect(search: Search, work: Work, value: Value, access: Access) -> Iterator[Work]:
    """What the operation ``value`` of the same body puts into an object, as far as its part ``access`` goes.

    What it puts there is taken as it is when it does so, not as it was when the object was made.
    """
    work = work.at(work.node.to(value), work.access, work.use)
    op = work.node.op
    if isinstance(op, ops.SetAttr):
        yield from _set_attribute(search, work, value, op, access)
    elif isinstance(op, ops.SetItem):
        yield from set_item(work, op.key, op.value, access)
    elif isinstance(op, ops.Call) and not search.project.callees(work.node.to(value)):
        yield from _library_call(search, work, work.node.to(value), op, access)


def _library_call(search: Search, work: Work, call: Node, op: ops.Call, access: Access) -> Iterator[Work]:
    """What a call that is not the project's own puts into the object: of a method, its receiver."""
    wanted = access[0] if access else None
    if library.is_kind(search, call, "sets-by-keys"):
        yield from library.set_by_keys(work.at(call, access, work.use), op)
    elif library.is_kind(search, call, "fills-whole"):
        yield from work.all(op.args[:1], access)
    elif call.is_call_of("fills"):
        # What is written into a file is its text, not its ``name``.
        if wanted == ANY or not isinstance(wanted, str):
            yield from work.all(op.args[-1:], access[1:])
    elif call.method == "setdefault" and len(op.args) > 1:
        yield from set_item(work, op.args[0], op.args[1], access)
    elif call.method in ("update", "extend"):
        yield from work.all((*op.args, *op.dstar), access)
        yield from work.all(_given_as(op, wanted), access[1:])
    elif _is_setattr(call, op):
        yield from set_item(work, op.args[1], op.args[2], access)


def _given_as(op: ops.Call, wanted: str | int | None) -> Iterator[Value]:
    """The keywords of a call that may be the wanted part."""
    return (value for name, value in op.keywords if wanted in (None, ANY, name))


def _is_setattr(call: Node, op: ops.Call) -> bool:
    return call.method == "setattr" and call.receiver is None and len(op.args) == 3


def _set_attribute(search: Search, work: Work, value: Value, op: ops.SetAttr, access: Access) -> Iterator[Work]:
    classes = search.project.instances(work.node.to(op.base))
    views = (view for cls in classes for view in search.project.lineage_views(cls.name))
    setters = [setter for view in views if (setter := view.setters.get(op.name)) is not None]
    if setters and search.may_enter(work.calls, work.node):
        for setter in setters[:1]:
            yield from _in_callee(search, work, work.node.to(value), setter, 0, access)
    elif not access or access[0] in (op.name, ANY):
        yield from work.to(op.value, access[1:])


def set_item(work: Work, key: Value, value: Value, access: Access) -> Iterator[Work]:
    """The part of a mapping that is wanted, of an entry that is put into it."""
    wanted = access[0] if access else None
    if isinstance(wanted, str) and wanted not in (ANY, KEY) and not picked(work.node, work.node.to(key)).may_be(wanted):
        return
    mapping = _gone_through(work, key, value)
    if mapping is not None and wanted is not None:
        yield from work.to(mapping.value, access)
        return
    known = work.node.to(key).keys
    if wanted == KEY:
        yield from work.to(key, access[1:])
    elif wanted in (None, ANY) or not known or wanted in known:
        yield from _entry(work, wanted, known).to(value, access[1:])


def _entry(work: Work, wanted: str | int | None, known: tuple[str | int, ...]) -> Work:
    """The search for an entry that may be another: it is read, or it was set, under a key that is computed."""
    if known:
        return work.as_entry(known[0]) if work.picked and wanted == ANY else work
    return work if wanted in (None, ANY) else work.as_entry(wanted)


def _gone_through(work: Work, key: Value, value: Value) -> Node | None:
    """The mapping of which a key and its own value are taken over, in a loop through its items."""
    name, held = work.node.to(key).origin, work.node.to(value).origin
    if not (isinstance(name.op, ops.Part) and isinstance(held.op, ops.Part)):
        return None
    element = name.to(name.op.base).origin
    same = element == held.to(held.op.base).origin and (name.op.index, held.op.index) == (0, 1)
    gone_through = element.to(element.op.base).origin if same and isinstance(element.op, ops.Element) else None
    return gone_through.receiver if gone_through is not None and gone_through.method == "items" else None


def _by_helpers(search: Search, work: Work, root: Value) -> Iterator[Work]:
    """What functions of the project put into an object that they are given."""
    code = work.node.code
    for part, value in code.handed.get(root, ()):
        call = code.node(value)
        access = within(part, work.access)
        past = value == work.use or _later(code, value, work.use) or call in work.calls
        if access is None or past or not search.may_enter(work.calls, call):
            continue
        for callee, index in search.project.all_of(_takers, call, root, part):
            yield from _in_callee(search, work, call, callee, index, access)


def _takers(project: Project, call: Node, root: Value, part: Access) -> Iterator[tuple[Code, int]]:
    """The functions that a call gives a part of an object, each with the parameter that takes it."""
    for callee in project.callees(call):
        for index in range(len(callee.function.params)):
            argument = project.argument(call, callee, index)
            if argument is not None and argument.code is call.code and call.code.root(argument.value) == (root, part):
                yield callee, index


def _in_callee(search: Search, work: Work, call: Node, callee: Code, index: int, access: Access) -> Iterator[Work]:
    """What a callee puts into its parameter ``index``."""
    inside = work.at(callee.node(index), access, len(callee.ops), search.entered(work.calls, call, callee))
    for part, value in callee.changes.get(index, ()):
        rest = within(part, access)
        if rest is not None:
            yield from effect(search, inside, value, rest)


# -- fields of objects ----------------------------------------------------------------------------------------------


def field(search: Search, work: Work, cls: ClassView, *, constructors: bool = True) -> Iterator[Work]:
    """What methods of a class keep in the attribute of ``self`` that is wanted, whoever calls them."""
    name = str(work.access[0])
    if is_model(search.project, cls.name):
        return  # what one request leaves in a row, another reads: only those who ask for it follow that
    for view in search.project.lineage_views(cls.name):
        for part, change in (*view.cells.get(name, ()), *view.cells.get(ANY, ())):
            if change.code.function.name == "__init__" and not constructors:
                continue
            rest = within(part, work.access)
            if rest is not None:
                inside = _as_made(search, work.elsewhere(change.code.node(0), rest), change, cls)
                yield from effect(search, inside, change.value, rest)
        if name in view.fields:
            yield work.elsewhere(view.fields[name], work.access[1:])


def _as_made(search: Search, work: Work, change: Node, cls: ClassView) -> Work:
    """What a constructor keeps: where objects are made in several places, this may be another of them."""
    code = change.code
    if code.function.name != "__init__" or len(search.callers_of(code)) < _SEVERAL:
        return work
    name = cls.cls.name
    return work.supposing(change.place, f"a `{name}` keeps it", assume("instance", f"it is this `{name}` that is used"))


def of_class(search: Search, work: Work, cls: ClassView) -> Iterator[Work]:
    """What a class itself holds: in its body, and what anyone gives it later."""
    name = str(work.access[0])
    if name in cls.fields:
        yield work.elsewhere(cls.fields[name], work.access[1:])
    for code in _bodies(search.project, name, search.on_trial):
        for root, changes in code.changes.items():
            if not isinstance(code.ops[root], (ops.Name, ops.Import, ops.Param, ops.ClassDef)):
                continue
            if f"type[{cls.name}]" in search.project.types(code.node(root)):
                yield from _changed(search, work, code.node(root), changes, work.access)


def kept(search: Search, work: Work, row: Node, name: str) -> Iterator[Work]:
    """What the project wrote into the column ``name`` of a row that is read, in this request or in another."""
    wanted = search.goal.stored
    if wanted == "never" or (wanted == "built" and not work.built) or work.stored:
        return
    for cls in instances(search.project, row):
        if is_model(search.project, cls.name) and text_column(search.project, cls, name):
            column = f"{cls.cls.name}.{name}"
            read = work.elsewhere(work.node, ())
            read = read.at(work.node, (), work.use, (), Step(work.node.place, f"is read from `{column}`"))
            for write in writes(search.project, cls, name):
                step = Step(write.at.place, f"is stored in `{column}`")
                found = read.at(write.value, write.access, write.at.value, (), step)
                yield msgspec.structs.replace(found, stored=True)


# -- objects that many share ----------------------------------------------------------------------------------------


def shared(search: Search, work: Work) -> Iterator[Work]:
    """What anybody puts into an object that all code shares: of a module, of the request, of the session."""
    node = work.node
    if not work.access or not isinstance(node.op, (ops.Name, ops.Import, ops.Attr)):
        return
    identity = _identity(search.project, node)
    if identity is None:
        return
    for other, path, changes in search.project.all_of(_sharing, identity, search.on_trial):
        yield from _changed(search, work, other, changes, (*path, *work.access))


def _changed(
    search: Search, work: Work, root: Node, changes: Iterable[tuple[Access, Value]], access: Access
) -> Iterator[Work]:
    for part, value in changes:
        rest = within(part, access)
        if rest is not None and not (root.code is work.node.code and _later(root.code, value, work.use)):
            yield from effect(search, work.elsewhere(root, rest), value, rest)


def _identity(project: Project, node: Node) -> str | Node | None:
    """What makes two mentions of a shared object one: its name in a table, or the value that a module gave a name."""
    carriers = project.models.kinds.get("carriers", frozenset())
    op = node.op
    if not isinstance(op, ops.Attr) or op.name in project.once(_carrier_names):
        found = next((name for name in project.names(node) if name in carriers), None)
        if found is not None:
            return found
    bound = project.resolved(node)
    if bound.code.function.kind == "module" and isinstance(bound.op, _MODULE_OBJECTS):
        return bound
    return None


def _carrier_names(project: Project) -> frozenset[str]:
    return frozenset(name.rpartition(".")[2] for name in project.models.kinds.get("carriers", ()))


_Change: TypeAlias = "tuple[Node, Access, list[tuple[Access, Value]]]"


def _sharing(project: Project, identity: str | Node, trials: bool) -> Iterator[_Change]:
    """Where a shared object is changed: the root in some body, the path from there to the object, the changes."""
    names = {identity.rpartition(".")[2]} if isinstance(identity, str) else _names_of(identity)
    own = [identity.code] if isinstance(identity, Node) else []
    for name in sorted(names):
        for code in dict.fromkeys([*own, *_bodies(project, name, trials)]):
            for root, path in _roots_of(code, name, identity):
                if code.changes.get(root):
                    yield code.node(root), path, code.changes[root]


def _names_in(code: Code) -> Iterator[Node]:
    """The values of a body that are read by a name."""
    return chain(code.nodes(ops.Name), code.nodes(ops.Import), code.nodes(ops.Attr))


def _roots_of(code: Code, name: str, identity: str | Node) -> dict[tuple[Value, Access], None]:
    """The values of a body from which the shared object is reached, each with the way to it."""
    mentions = (node for node in _names_in(code) if _ends_in(node, name))
    same = (node for node in mentions if _identity(code.project, node) == identity)
    roots = dict.fromkeys(code.root(node.value) for node in same)
    if isinstance(identity, Node) and code is identity.code:
        roots[code.root(identity.value)] = None
    return roots


def _ends_in(node: Node, name: str) -> bool:
    return getattr(node.op, "name", "") == name


def _names_of(bound: Node) -> set[str]:
    code = bound.code
    return {op.name for op in code.ops if isinstance(op, ops.Bind) and code.origin(op.value) == bound.value}


def _bodies(project: Project, name: str, trials: bool) -> list[Code]:
    """Bodies that serve (those of ``trials`` too, if they count) and mention a name; none if it is everywhere."""
    mentioning = dict.fromkeys(project.mentioning(name))
    found = [code for code in mentioning if trials or code.file.role not in TRIALS]
    if len(found) <= _OTHER_BODIES:
        return found
    project.not_asked(found[0].place, f"what {len(found):,} bodies that mention `{name}` do to it.")
    return []


def instances(project: Project, node: Node) -> list[ClassView]:
    """The project's classes of which a value is one, collections of them aside."""
    return [cls for name in project.types(node) if not split(name)[1] and (cls := project.class_named(name))]


__all__ = ["effect", "end", "field", "instances", "kept", "of_class", "overwritten", "shared", "stored"]
