"""Where JSON web tokens are signed and read, and what is known of their claims."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.backend.locate import behind, items, results, strings
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Node, Project

_DEPTH = 6


class Claims(msgspec.Struct, frozen=True):
    """The names of a token's claims; ``whole`` is False if there may be others that the code does not show."""

    names: frozenset[str]
    whole: bool


class Signing(msgspec.Struct, frozen=True):
    """A call that signs a token."""

    call: Node
    claims: Claims


_UNKNOWN = Claims(frozenset(), False)


def signings(project: Project) -> tuple[Signing, ...]:
    """All calls that sign a token, by place."""
    known = sorted(project.models.kinds.get("jwt-encode", ()))
    found: list[Signing] = []
    for call in project.calls(*known):
        payload = call.arg(1 if _takes_header(project, call) else 0, "payload") or call.arg(None, "claims")
        found.append(Signing(call, claims(project, payload) if payload is not None else _UNKNOWN))
    return tuple(sorted(dict.fromkeys(found), key=lambda signing: signing.call.place))


def _takes_header(project: Project, call: Node) -> bool:
    func = call.func
    return func is not None and any("authlib" in name for name in project.names(func))


def readings(project: Project) -> tuple[Node, ...]:
    """All calls that read a token, by place."""
    known = sorted(project.models.kinds.get("jwt-decode", ()))
    return tuple(sorted(dict.fromkeys(project.calls(*known)), key=lambda call: call.place))


def claims(project: Project, node: Node, depth: int = 0) -> Claims:
    """The claims that a payload has, through copies, updates, parameters and helpers."""
    if depth > _DEPTH:
        return _UNKNOWN
    here = project.resolved(node)
    op = here.op
    own = _own(project, here, op, depth)
    added = _added(project, here, depth)
    return Claims(own.names | added.names, own.whole and added.whole)


def _own(project: Project, here: Node, op: ops.Op, depth: int) -> Claims:
    if isinstance(op, ops.Build) and op.kind == "dict":
        return _display(project, here, op, depth)
    if isinstance(op, ops.Call):
        return _called(project, here, depth)
    if isinstance(op, ops.Param):
        return _passed(project, here, op, depth)
    if isinstance(op, (ops.Phi, ops.Choice, ops.Logic)):
        values = (op.then, op.other) if isinstance(op, ops.Choice) else op.values
        return _any([claims(project, here.to(value), depth + 1) for value in values])
    if isinstance(op, ops.Bin) and op.operator == "|":
        return _joined([claims(project, here.to(side), depth + 1) for side in (op.left, op.right)])
    return _UNKNOWN


def _display(project: Project, here: Node, op: ops.Build, depth: int) -> Claims:
    parts: list[Claims] = []
    for key, value in zip(op.keys, op.items, strict=False):
        if key == NONE:
            parts.append(claims(project, here.to(value), depth + 1))
        else:
            found = project.constant(here.to(key))
            text = found.text if found is not None else None
            parts.append(Claims(frozenset({text}) if text else frozenset(), text is not None))
    return _joined(parts)


def _called(project: Project, call: Node, depth: int) -> Claims:
    receiver = call.receiver
    if call.method in ("copy", "deepcopy") and (receiver is not None or call.arg(0) is not None):
        source = call.arg(0) or receiver
        return claims(project, source, depth + 1) if source is not None else _UNKNOWN
    if call.method == "dict" and receiver is None:
        given = list(call.keywords().values())
        inner = [claims(project, arg, depth + 1) for arg in call.args() if arg not in given]
        return _joined([Claims(frozenset(call.keywords()), True), *inner])
    if call.method in ("dict", "model_dump", "_asdict") and receiver is not None:
        return _fields(project, receiver)
    returned = [value for code in project.callees(call) for value in results(code)]
    return _any([claims(project, value, depth + 1) for value in returned]) if returned else _UNKNOWN


def _fields(project: Project, node: Node) -> Claims:
    """The fields of a schema's object."""
    names: set[str] = set()
    for cls in project.instances(node):
        for owner in project.lineage(cls.name):
            view = project.class_named(owner)
            names |= set(view.fields) if view is not None else set()
    return Claims(frozenset(names), bool(names))


def _passed(project: Project, here: Node, op: ops.Param, depth: int) -> Claims:
    """A parameter: what every caller passes."""
    code = here.code
    calls = project.callers(code) if code.function.kind == "function" else ()
    given = [project.argument(call, code, op.index) for call in calls if project.role(call.code.path) == "production"]
    found = [claims(project, value, depth + 1) for value in given if value is not None]
    if not found:
        return _UNKNOWN
    names = frozenset.intersection(*(claim.names for claim in found))
    return Claims(names, all(claim.whole for claim in found))


def _added(project: Project, here: Node, depth: int) -> Claims:
    """What is stored into a payload after it was made."""
    parts: list[Claims] = []
    for value in here.code.effects.get(here.value, ()):
        store = here.code.node(value)
        op = store.op
        if isinstance(op, ops.SetItem):
            text = project.constant(store.to(op.key))
            parts.append(Claims(frozenset({text.text}) if text and text.text else frozenset(), True))
        elif isinstance(op, ops.Call) and store.method in ("update", "setdefault"):
            parts += _updated(project, store, depth)
    return _joined(parts)


def _updated(project: Project, call: Node, depth: int) -> Iterator[Claims]:
    first = call.arg(0)
    if call.method == "setdefault":
        yield Claims(frozenset({first.text}) if first is not None and first.text else frozenset(), True)
        return
    yield Claims(frozenset(call.keywords()), True)
    if first is not None:
        yield claims(project, first, depth + 1)


def _joined(parts: list[Claims]) -> Claims:
    return Claims(frozenset(name for part in parts for name in part.names), all(part.whole for part in parts))


def _any(parts: list[Claims]) -> Claims:
    """One of several: what may be there counts."""
    return Claims(frozenset(name for part in parts for name in part.names), bool(parts) and all(p.whole for p in parts))


# -- reading ----------------------------------------------------------------------------------------------------------


def option(project: Project, call: Node, name: str) -> object:
    """The literal of ``options={name: ...}`` or of the keyword itself; ``...`` if it is not given or not literal."""
    given = call.arg(None, name)
    if given is None:
        listed = call.arg(None, "options")
        for display in behind(project, listed) if listed is not None else ():
            op = display.op
            for key, value in zip(getattr(op, "keys", ()), getattr(op, "items", ()), strict=False):
                if key != NONE and display.to(key).text == name:
                    given = display.to(value)
    if given is None:
        return ...
    found = project.constant(given)
    return found.const if found is not None else ...


def algorithms(project: Project, call: Node) -> tuple[str, ...] | None:
    """The algorithms that a reading admits, as far as they are literal; None if it names none."""
    given = call.arg(None, "algorithms") or call.arg(2)
    if given is None:
        return None
    return strings(project, given) or tuple(
        text for item in items(project.resolved(given)) for text in strings(project, item)
    )


def verified(project: Project, call: Node) -> bool:
    """Whether a reading checks the signature."""
    if option(project, call, "verify") is False or option(project, call, "verify_signature") is False:
        return False
    return not call.method.startswith("get_unverified")
