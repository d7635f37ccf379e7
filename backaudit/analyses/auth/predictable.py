"""Secrets that are made of what can be predicted: draws of a simulation's generator, clocks, texts cut short."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from backaudit.analyses.auth.landing import inputs, is_secret_name, use_of, uses
from backaudit.backend.access.owners import columns_given, filled_table
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.flow.client import client_origin
from backaudit.project import Code, Node, Project
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning

_INNOCENT = meaning("tokens", "no-secret")
_MAKES_CODE = meaning("tokens", "code-maker")
_COOKIES = frozenset({"set_cookie", "set_signed_cookie"})
_HASHES = meaning("tokens", "digest")
_UNKNOWN = meaning("tokens", "unguessable")
# Bits of a random text by the character, and how many a token needs that nobody may try out.
_BITS = (("uuid.uuid4", 4), ("secrets.token_hex", 4), ("secrets.token_urlsafe", 6))
_ENOUGH = 64
_SHORT_BY_NATURE = meaning("tokens", "short-by-nature")
_DEPTH = 2


_CALLED_SO = assume("word", "what it is called says that it is a secret")
_FOUND_BY = assume("purpose", "what is found by it is not for everybody who guesses it")


class Predictable(msgspec.Struct, frozen=True):
    """``told``: what the secret is called; ``source``: what it is made with; ``cut``: the bits that a slice leaves.
    ``clock``: it tells the time.
    """

    call: Node
    told: str
    source: str
    assumed: Assumed
    cut: int = 0
    clock: bool = False


def predictable_secrets(project: Project) -> Iterator[Predictable]:
    """Every secret of the code that serves that is made so."""
    draws, clocks = project.models.kinds["predictable-draws"], project.models.kinds["clocks"]
    for call in project.calls(*sorted(draws | clocks)):
        if project.role(call.code.path) == "production" and not _is_one_of_known(call):
            names = project.names(call.func) if call.func is not None else ()
            source = next((name for name in names if name in draws or name in clocks), "")
            found = _goal(project, call, _first(call), source in clocks)
            if found is not None:
                used = use_of(project, call.code, uses(call.code, _first(call), call.value))
                yield Predictable(call, found[0], source, (*found[1], *used), clock=source in clocks)
    yield from _cut_short(project)


def _first(call: Node) -> frozenset[Value]:
    """The values that the drawn thing is: of ``shuffle`` the list that it changes."""
    given = call.arg(0) if call.method == "shuffle" else None
    if given is None or given.code is not call.code:
        return frozenset((call.value,))
    return frozenset((call.value, given.value, given.origin.value))


def _goal(
    project: Project, call: Node, start: frozenset[Value], clock: bool, depth: int = 0
) -> tuple[str, Assumed] | None:
    """The secret that a value becomes part of: the variable, the attribute, or what the function gives."""
    code = call.code
    seen = uses(code, start, call.value)
    if (clock and not _only_guessable(code, seen)) or _is_authenticated(project, code, seen):
        return None
    told = _kept_as(code, seen) or _given_as(code, seen) or _compared(project, code, seen)
    if told is not None:
        return told
    outer = _function(code)
    given = any(isinstance(code.ops[value], ops.Return) for value in seen) or code is not outer
    if not given or outer is None:
        return None
    return _returned_as(outer) or _named_by_callers(project, outer, depth)


def _kept_as(code: Code, seen: set[Value]) -> tuple[str, Assumed] | None:
    names = (_name_given(code, value) for value in sorted(seen))
    for name in names:
        if name and is_secret_name(name):
            return name, _CALLED_SO if name in ("code", "key", "pin") else KNOWN
    return None


def _name_given(code: Code, value: Value) -> str:
    """The name, attribute or key that an operation keeps something under."""
    op = code.ops[value]
    if isinstance(op, ops.SetItem):
        return code.node(op.key).text or ""
    if isinstance(op, ops.Bind):
        # A loop's variable is one element of what was drawn from, not a text that is put together.
        return "" if isinstance(code.ops[op.value], ops.Element) else op.name
    return op.name if isinstance(op, ops.SetAttr) else ""


def _given_as(code: Code, seen: set[Value]) -> tuple[str, Assumed] | None:
    for other in code.nodes(ops.Call):
        name = _handed(other, seen)
        if name and is_secret_name(name):
            return name, KNOWN
    return None


def _returned_as(outer: Code) -> tuple[str, Assumed] | None:
    name = outer.function.name
    if is_secret_name(name) and not (name.endswith("key") and "cache" in outer.path):
        return name, KNOWN
    if _MAKES_CODE.holds(name) and not _INNOCENT.holds(name):
        return name, _CALLED_SO
    return None


def _named_by_callers(project: Project, outer: Code, depth: int) -> tuple[str, Assumed] | None:
    """The secret that a caller makes of what a function of a neutral name gives."""
    if outer.function.kind == "module" or project.gives_up(depth, _DEPTH - 1, outer.place):
        return None
    for call in project.callers(outer):
        if project.role(call.code.path) == "production":
            found = _goal(project, call, frozenset((call.value,)), False, depth + 1)
            if found is not None:
                return found
    return None


# -- by its use --------------------------------------------------------------------------------------------------------


def _compared(project: Project, code: Code, seen: set[Value]) -> tuple[str, Assumed] | None:
    """The name under which the value is kept, where what a client sends is held against it or finds it."""
    names = [name for name in dict.fromkeys(_kept_names(project, code, seen)) if not _INNOCENT.holds(name.lower())]
    for name in names:
        if name in project.once(_proofs):
            return name, _CALLED_SO
        if name in project.once(_sought):
            return name, _CALLED_SO if project.once(_sought)[name] else _FOUND_BY
    return None


def _kept_names(project: Project, code: Code, seen: set[Value]) -> Iterator[str]:
    for value in sorted(seen):
        op = code.ops[value]
        if isinstance(op, ops.SetAttr):
            yield op.name
        elif isinstance(op, ops.SetItem):
            yield code.node(op.key).text or ""
    for call in code.nodes(ops.Call):
        if call.method in _COOKIES:
            given = call.call.args if call.call is not None else ()
            yield (call.to(given[0]).text or "") if len(given) > 1 and given[1] in seen else ""
        else:
            names = [name for name, value in columns_given(call) if value.value in seen]
            yield from names if names and filled_table(project, call) is not None else ()


def _sought(project: Project) -> Mapping[str, bool]:
    """The columns by which rows are looked up with what a client sends; whether beside another, as a proof for it."""
    found: dict[str, bool] = {}
    for kind in ("lookups", "document-finds"):
        for method in sorted(project.models.kinds[kind]):
            for call in project.calls_of(method):
                asked = dict(_asked_by(call)) if project.role(call.code.path) == "production" else {}
                sent = [name for name, value in asked.items() if client_origin(project, value) is not None]
                found |= {name: len(asked) > 1 or found.get(name, False) for name in sent}
    return {name: beside for name, beside in found.items() if name not in ("", "id", "pk", "_id")}


def _asked_by(call: Node) -> Iterator[tuple[str, Node]]:
    """The columns that a look-up asks by, with what they are compared with."""
    yield from columns_given(call)
    for argument in call.args():
        made = argument.origin
        if isinstance(made.op, ops.Compare) and made.op.operator == "==":
            yield _read_name(made.to(made.op.left)), made.to(made.op.right)


def _proofs(project: Project) -> frozenset[str]:
    """Names whose value is compared with what a client sends under a cookie or field of that name."""
    found: set[str] = set()
    for path in sorted(project.files):
        file = project.files[path]
        for code in file.bodies if file.role == "production" else ():
            for node in code.nodes(ops.Compare):
                op = node.op
                if isinstance(op, ops.Compare) and op.operator in ("==", "!="):
                    found |= set(_proof(project, node.to(op.left), node.to(op.right)))
    return frozenset(found - {""})


def _proof(project: Project, left: Node, right: Node) -> Iterator[str]:
    for kept, sent in ((left, right), (right, left)):
        name = _read_name(kept)
        if not name or name != _read_name(sent):
            continue
        if client_origin(project, sent) is not None and client_origin(project, kept) is None:
            yield name


def _read_name(node: Node) -> str:
    """The last name by which a value is read."""
    made = node.origin
    if isinstance(made.op, (ops.Attr, ops.Param)):
        return made.op.name
    if isinstance(made.op, ops.Item):
        return made.to(made.op.key).text or ""
    first = made.arg(0) if made.call is not None and made.method in ("get", "get_signed_cookie") else None
    return (first.text or "") if first is not None else ""


# -- cut too short -----------------------------------------------------------------------------------------------------


def _cut_short(project: Project) -> Iterator[Predictable]:
    for source, bits in _BITS:
        for call in project.calls(source):
            if project.role(call.code.path) != "production":
                continue
            length = _slice_after(call)
            found = _goal(project, call, frozenset((call.value,)), False) if 0 < length * bits < _ENOUGH else None
            if found is not None and not _SHORT_BY_NATURE.holds(found[0]):
                yield Predictable(call, found[0], source, _CALLED_SO, length * bits)


def _slice_after(call: Node) -> int:
    """How many characters a slice leaves of a text, 0 where none is taken: ``str(uuid4())[:6]``."""
    code = call.code
    forms = {call.value}
    for value in range(call.value + 1, len(code.ops)):
        op = code.ops[value]
        if isinstance(op, ops.Item) and op.base in forms:
            return _end_of(code, op)
        if _is_same_text(code, value, op, forms):
            forms.add(value)
    return 0


def _is_same_text(code: Code, value: Value, op: ops.AnyOp, forms: set[Value]) -> bool:
    """``uuid4().hex``, ``str(uuid4())``, ``token.upper()``: the same characters in another form."""
    if isinstance(op, ops.Attr):
        return op.base in forms and op.name in ("hex", "replace", "upper", "lower")
    if isinstance(op, ops.Call):
        return op.func in forms or (code.node(value).method == "str" and not forms.isdisjoint(op.args))
    return False


def _end_of(code: Code, op: ops.Item) -> int:
    key = code.ops[op.key]
    if not isinstance(key, ops.Build) or key.kind != "slice" or len(key.items) < 2:
        return 0
    first, last = (code.ops[item] if item != NONE else None for item in key.items[:2])
    end = last.value if isinstance(last, ops.Const) else None
    start = first.value if isinstance(first, ops.Const) else None
    if not isinstance(end, int) or end <= 0 or not isinstance(start, (int, type(None))):
        return 0
    return end - (start or 0)


# -- forwards through one body -----------------------------------------------------------------------------------------


def _handed(call: Node, seen: set[Value]) -> str:
    """The name under which another call is given the value: a keyword, or a first argument that is a name."""
    op = call.op
    assert isinstance(op, ops.Call)
    keyword = next((name for name, value in op.keywords if value in seen and is_secret_name(name)), "")
    named = len(op.args) > 1 and op.args[1] in seen and call.is_call_of("keeps-under-a-name")
    return keyword or ((call.to(op.args[0]).text or "") if named else "")


def _is_pick(call: Node) -> bool:
    """One element chosen from a collection, not a text put together from many."""
    regions = call.code.regions_of(call.value)
    repeated = any(region.kind in ("loop", "comp") for region in regions) or call.code.function.kind == "lambda"
    return call.method == "choice" and not repeated


def _is_one_of_known(call: Node) -> bool:
    """Whether one of what is known already is chosen, and no longer text is put together from it."""
    seen = uses(call.code, frozenset((call.value,)), call.value) if _is_pick(call) else {call.value}
    parts = (call.code.ops[value] for value in seen)
    return _is_pick(call) and not any(isinstance(op, (ops.Bin, ops.Build)) for op in parts)


def _function(code: Code) -> Code | None:
    here: Code | None = code
    while here is not None and here.function.kind == "lambda":
        here = here.parent
    return here


def _is_authenticated(project: Project, code: Code, seen: set[Value]) -> bool:
    """Whether a keyed hash or a signature is made of the value: nobody else can make what it goes into."""
    macs = project.models.kinds["macs"]
    for call in code.nodes(ops.Call):
        given = any(arg.value in seen or arg.origin.value in seen for arg in call.args())
        if given and call.func is not None and not macs.isdisjoint(project.names(call.func)):
            return True
    return False


def _only_guessable(code: Code, seen: set[Value]) -> bool:
    """Whether a clock's reading is made into something, and nothing beside it is unknown: otherwise it is a time."""
    calls = [code.node(value) for value in seen if isinstance(code.ops[value], ops.Call)]
    made = [call for call in calls if _HASHES.holds(call.spelled) or call.method in ("uuid1", "hex", *_DIGESTS)]
    return bool(made) and not any(_has_unknown(code, call.value) for call in made)


_DIGESTS = ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "b64encode", "urlsafe_b64encode", "b32encode")


def _has_unknown(code: Code, value: Value) -> bool:
    """Whether a real random value or another secret is among what a value is made of."""
    seen, pending = {value}, [value]
    while pending:
        here = pending.pop()
        node = code.node(here)
        name = node.spelled.rpartition(".")[2]
        key = node.to(node.op.key).text if isinstance(node.op, ops.Item) else ""
        if here != value and (_UNKNOWN.holds(node.spelled) or _secret_name(name) or _secret_name(key or "")):
            return True
        fresh = [one for one in inputs(code.ops[here]) if one not in seen and one >= 0]
        seen.update(fresh)
        pending += fresh
    return False


def _secret_name(name: str) -> bool:
    lowered = name.lower()
    return "secret" in lowered or lowered.endswith(("_key", "salt", "password"))
