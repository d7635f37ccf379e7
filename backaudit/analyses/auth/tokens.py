"""Where JSON web tokens are signed and read, and what is known of their claims."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from backaudit.backend.access.denial import operands
from backaudit.backend.deployment.django_settings import dict_entry
from backaudit.backend.deployment.setting import Setting
from backaudit.backend.deployment.settings import settings_named, settings_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import behind, functions_behind, results, strings
from backaudit.project.types import split

_DEPTH = 6
DAY = 86_400.0
_UNITS = {"weeks": 7 * DAY, "days": DAY, "hours": 3_600.0, "minutes": 60.0, "seconds": 1.0}


class Claims(msgspec.Struct, frozen=True):
    """The names of a token's claims; ``whole`` is False if there may be others that the code does not show."""

    names: frozenset[str]
    whole: bool


class Signing(msgspec.Struct, frozen=True):
    """A call that signs a token; ``headed`` if its first argument is the token's header."""

    call: Node
    claims: Claims
    headed: bool = False

    @property
    def key(self) -> Node | None:
        """What it signs with."""
        return self.call.arg(2 if self.headed else 1, "key")


_UNKNOWN = Claims(frozenset(), False)


HMAC = "HS"  # how the names of algorithms begin that sign with a shared key


def serves(call: Node) -> bool:
    """Whether a call runs in what is shipped."""
    return call.code.file.role in ("production", "script")


def signed_with(project: Project, signing: Signing) -> tuple[str, ...]:
    """The algorithms that may sign a token, as far as they are written."""
    if not signing.headed:
        return strings(project, signing.call.argument(("algorithm", 2)))
    header = signing.call.arg(0, "header")
    return strings(project, dict_entry(project, header, "alg")) if header is not None else ()


def names_none(algorithms: Iterable[str]) -> bool:
    """Whether one of them is no signature at all."""
    return any(name.lower() == "none" for name in algorithms)


def signings(project: Project) -> tuple[Signing, ...]:
    """All calls that sign a token, by place."""
    found: list[Signing] = []
    for call in _calls(project, "jwt-encode"):
        found.append(Signing(call, _claims(project, call.argument(("payload", 0, "claims")))))
    for call in _calls(project, "jwt-encode-headed"):
        payload = call.argument(("payload", 1, "claims"))
        found.append(Signing(call, _claims(project, payload), headed=True))
    return tuple(sorted(dict.fromkeys(found), key=lambda signing: signing.call.place))


def issues(project: Project) -> tuple[Node, ...]:
    """Calls of extensions that make a token with claims of their own, by place."""
    return _calls(project, "jwt-encode-extension")


def readings(project: Project) -> tuple[Node, ...]:
    """All calls that read a token and can verify it, by place."""
    found = (*_calls(project, "jwt-decode"), *_calls(project, "jwt-decode-signature"))
    return tuple(sorted(found, key=lambda call: call.place))


def unchecked(project: Project) -> tuple[Node, ...]:
    """Those of the readings that check the signature alone, and leave expiry to a ``validate`` that must follow."""
    return _calls(project, "jwt-decode-signature")


def unverified(project: Project) -> tuple[Node, ...]:
    """Calls that read a token and never verify it, by place."""
    return _calls(project, "jwt-decode-unverified")


def switched(project: Project) -> tuple[Node, ...]:
    """Reads of extensions, which verify unless they are told not to, by place."""
    return _calls(project, "jwt-decode-extension")


def _calls(project: Project, kind: str) -> tuple[Node, ...]:
    known = sorted(project.models.kinds.get(kind, ()))
    return tuple(sorted(dict.fromkeys(project.calls(*known)), key=lambda call: call.place))


def by_hand(project: Project) -> tuple[Node, ...]:
    """``json.loads(b64decode(token.split(".")[1]))``: claims that are read without a library, by place."""
    found: list[Node] = []
    for call in project.calls("json.loads"):
        given = call.arg(0)
        decoded = [node for node in _operands(given) if "b64decode" in node.method] if given is not None else []
        parts = (part for node in decoded for arg in node.args() for part in _operands(arg))
        if any(part.method == "split" and (cut := part.arg(0)) is not None and cut.text == "." for part in parts):
            found.append(call)
    return tuple(sorted(found, key=lambda call: call.place))


def _operands(node: Node) -> list[Node]:
    return list(operands(node))


def token_settings(project: Project, what: str) -> tuple[Setting, ...]:
    """What the production settings say of tokens: ``lifetime``, ``algorithm``, ``algorithms``, ``key``,
    ``verify-signature`` or ``verify-expiry``, by name."""
    return settings_of(project, f"jwt-settings:{what}")


def _claims(project: Project, payload: Node | None) -> Claims:
    return claims(project, payload) if payload is not None else _UNKNOWN


def claims(project: Project, node: Node, depth: int = 0) -> Claims:
    """The claims that a payload has, through copies, updates, parameters and helpers."""
    if project.gives_up(depth, _DEPTH, node.place):
        return _UNKNOWN
    here = project.resolved(node)
    op = here.op
    own = _own(project, here, op, depth)
    added = _added(project, here, depth)
    return Claims(own.names | added.names, own.whole and added.whole)


def _own(project: Project, here: Node, op: ops.Op, depth: int) -> Claims:
    if here.is_dict:
        return _display(project, here, depth)
    if isinstance(op, ops.Call):
        return _called(project, here, depth)
    if isinstance(op, ops.Param):
        return _passed(project, here, op, depth)
    if isinstance(op, (ops.Phi, ops.Choice, ops.Logic)):
        values = (op.then, op.other) if isinstance(op, ops.Choice) else op.values
        return _any([claims(project, here.to(value), depth + 1) for value in values])
    if isinstance(op, ops.Bin) and op.operator in ("|", "|="):
        return _joined([claims(project, here.to(side), depth + 1) for side in (op.left, op.right)])
    return _UNKNOWN


def _display(project: Project, here: Node, depth: int) -> Claims:
    parts: list[Claims] = []
    for key, value in here.entries_and_unpacked():
        if key is None:
            parts.append(claims(project, value, depth + 1))
        else:
            found = project.constant(key)
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
        others = [arg for arg in call.args() if arg not in given]
        inner = [claims(project, arg, depth + 1) for arg in (*others, *_unpacked(call))]
        return _joined([Claims(frozenset(call.keywords()), True), *inner])
    if call.method in ("dict", "model_dump", "_asdict") and receiver is not None:
        return _fields(project, receiver)
    returned = [value for code in project.callees(call) for value in results(code)]
    return _any([claims(project, value, depth + 1) for value in returned]) if returned else _UNKNOWN


def _fields(project: Project, node: Node) -> Claims:
    """The fields of a schema's object."""
    names: set[str] = set()
    for cls in project.instances(node):
        for view in project.lineage_views(cls.name):
            names |= set(view.fields)
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
    for given in (*([first] if first is not None else []), *_unpacked(call)):
        yield claims(project, given, depth + 1)


def _unpacked(call: Node) -> list[Node]:
    """The mappings that a call is given by ``**``."""
    return [call.to(value) for value in call.op.dstar] if isinstance(call.op, ops.Call) else []


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
    """The algorithms that a reading admits, as far as they are literal; None if it names none.

    Objects that read (``JsonWebToken([...])``) are made with theirs.
    """
    given = call.arg(None, "algorithms")
    if given is None and call in project.once(unchecked):
        receiver = call.receiver
        made = project.resolved(receiver) if receiver is not None else None
        given = made.arg(0, "algorithms") if made is not None and made.call is not None else None
    elif given is None:
        given = call.arg(2)
    if given is None:
        return None
    return strings(project, given) or tuple(
        text for item in items(project.resolved(given)) for text in strings(project, item)
    )


def key_by_algorithm(project: Project, call: Node) -> bool:
    """Whether a reading is given a function that chooses the key by the algorithm: none serves for another's."""
    given = (code for argument in call.args() for code in functions_behind(project, argument))
    return any(_compares_algorithms(project, code) for code in given)


def _compares_algorithms(project: Project, code: Code) -> bool:
    """Whether a body compares something with names of algorithms, and gives more than one key."""
    compared = (side for node in code.nodes(ops.Compare) for side in operands(node))
    named = {text for side in compared for text in strings(project, side)}
    return any(name.startswith(HMAC) for name in named) and len(code.returned()) > 1


def verified(project: Project, call: Node) -> bool:
    """Whether a reading checks the signature."""
    return option(project, call, "verify") is not False and option(project, call, "verify_signature") is not False


# -- lifetimes --------------------------------------------------------------------------------------------------------


def lifetimes(project: Project) -> tuple[tuple[Place, float], ...]:
    """How long tokens live, in seconds, where it is said: at the signing, the extension's call or the setting."""
    found: list[tuple[Place, float | None]] = []
    for signing in project.once(signings):
        if project.role(signing.call.code.path) == "production" and "exp" in signing.claims.names:
            said = (_seconds(project, node) for node in _deltas(project, signing.call.code))
            found.append((signing.call.place, max((seconds for seconds in said if seconds is not None), default=None)))
    for call in project.once(issues):
        delta = lifetime_given(call)
        if delta is not None and project.role(call.code.path) == "production":
            found.append((call.place, _seconds(project, project.resolved(delta))))
    for setting in token_settings(project, "lifetime"):
        found.append((setting.place, _seconds(project, project.resolved(setting.value))))
    return tuple((place, seconds) for place, seconds in found if seconds is not None)


def lifetime_given(call: Node) -> Node | None:
    """The lifetime that a call of an extension is given."""
    return call.argument(("expires_delta", "expires_time"))


def _deltas(project: Project, code: Code) -> Iterator[Node]:
    """The lengths of time that a body works with: its own, and what it adds to another, wherever that was set."""
    yield from (node for node in code.nodes(ops.Call) if node.method == "timedelta")
    for node in code.nodes(ops.Bin):
        op = node.op
        for side in (op.left, op.right) if isinstance(op, ops.Bin) and op.operator == "+" else ():
            for value in _added_to_a_time(project, node.to(side)):
                yield from (found for found in behind(project, value) if found.method == "timedelta")


def _added_to_a_time(project: Project, node: Node) -> Iterator[Node]:
    """A value, or the settings that it is read from by a literal key."""
    op = node.origin.op
    key = node.origin.to(op.key).text if isinstance(op, ops.Item) else None
    if key is None:
        yield node
    else:
        yield from (setting.value for setting in settings_named(project, key.upper()))


def _seconds(project: Project, node: Node) -> float | None:
    """The length of ``timedelta(...)`` with literal parts, or of a number of seconds."""
    if node.method != "timedelta":
        return _number(project, node) if isinstance(node.op, ops.Const) and not isinstance(node.const, bool) else None
    given = {unit: node.arg(0 if unit == "days" else None, unit) for unit in _UNITS}
    numbers = {unit: _number(project, part) for unit, part in given.items() if part is not None}
    known = [_UNITS[unit] * number for unit, number in numbers.items() if number is not None]
    return sum(known) if known and len(known) == len(numbers) else None


def _number(project: Project, node: Node, depth: int = 0) -> float | None:
    here = project.resolved(node)
    op = here.op
    if isinstance(op, ops.Const):
        return float(op.value) if isinstance(op.value, (int, float)) else None
    if project.gives_up(depth, _DEPTH, node.place):
        return None
    if isinstance(op, ops.Bin) and op.operator == "*":
        sides = [_number(project, here.to(side), depth + 1) for side in (op.left, op.right)]
        return sides[0] * sides[1] if sides[0] is not None and sides[1] is not None else None
    field = _field(project, here.to(op.base), op.name) if isinstance(op, ops.Attr) else None
    return _number(project, field, depth + 1) if field is not None else None


def _field(project: Project, base: Node, name: str) -> Node | None:
    """What the class of an object gives a name."""
    classes = (project.class_named(split(kind)[0]) for kind in project.types(base))
    return next((cls.fields[name] for cls in classes if cls is not None and name in cls.fields), None)
