"""auth/weak-random-token."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Code, Node, Project
from backaudit.rule import Confidence, Finding, rule
from backaudit.vocabulary.meaning import meaning

_SECRET = meaning("tokens", "secret-value")
_INNOCENT = meaning("tokens", "no-secret")
_MAKES_CODE = meaning("tokens", "code-maker")
_STORES = frozenset({"set_cookie", "set_signed_cookie", "set", "setex", "add"})
# Calls whose result is what they are given, in another form; what another function makes of it is its own affair.
_FORMS = frozenset(
    {
        "str", "join", "hex", "int", "format", "encode", "decode", "b64encode", "urlsafe_b64encode", "md5", "sha1",
        "sha224", "sha256", "sha384", "sha512", "hexdigest", "digest", "upper", "lower", "zfill", "replace", "bytes",
        "list", "tuple", "map", "sum", "new", "sorted", "dict",
    }
)  # fmt: skip
_RANDOM = frozenset(
    {
        "random.choice", "random.choices", "random.randint", "random.random", "random.randrange", "random.sample",
        "random.getrandbits", "random.randbytes", "random.uniform", "numpy.random.randint", "numpy.random.choice",
    }
)  # fmt: skip
_TIME = frozenset({"uuid.uuid1", "time.time", "time.time_ns"})
_HASHES = re.compile(r"hashlib\.|md5|sha1|sha256|b64encode|hexdigest")


@rule(
    "auth/weak-random-token",
    severity="high",
    cwe=330,
    owasp=("A04:2025", "A02:2021", "API2:2023"),
)
def weak_random_token(project: Project) -> Iterator[Finding]:
    """A secret is made from numbers that can be predicted.

    `random` is made for simulations: who has seen a few of its numbers knows all that follow. `uuid1` and the clock are
    known to whoever knows about when the token was made.

    Mend: `secrets.token_urlsafe(32)` for tokens, `secrets.choice` and `secrets.randbelow` for codes, `uuid.uuid4()` for
    ids.

    Bad:
        import random
        import string

        def make_reset_token():
            return "".join(random.choice(string.ascii_letters) for _ in range(32))

    Good:
        import secrets

        def make_reset_token():
            return secrets.token_urlsafe(32)

    Links:
        https://docs.python.org/3/library/secrets.html
    """
    for call in project.calls(*sorted(_RANDOM | _TIME)):
        if project.role(call.code.path) != "production" or call.code.function.kind == "module":
            continue
        func = call.func
        name = next((name for name in project.names(func) if name in _RANDOM | _TIME), "") if func is not None else ""
        goal = _goal(call, name in _TIME)
        if goal is not None:
            told, confidence = goal
            yield Finding(
                place=call.place,
                message=f"`{told}` is made with `{name}`, which can be predicted.",
                remedy="Use the module `secrets`.",
                confidence=confidence,
                scope=call.code.function.qualname,
            )


def _goal(call: Node, clock: bool) -> tuple[str, Confidence] | None:
    """The secret that a random value becomes part of: the variable, the attribute, or what the function gives."""
    code = call.code
    seen = _uses(code, call.value)
    for value in sorted(seen):
        op = code.ops[value]
        name = op.name if isinstance(op, (ops.Bind, ops.SetAttr)) else ""
        if isinstance(op, ops.SetItem):
            name = code.node(op.key).text or ""
        if name == "key" and _is_pick(call):
            continue
        if name and _named(name) and (not clock or _hashed(code, seen)):
            return name, "medium" if name in ("code", "key", "pin") else "high"
    for other in code.nodes(ops.Call):
        name = _handed(other, seen)
        if name and _named(name) and (not clock or _hashed(code, seen)):
            return name, "high"
    outer = _function(code)
    given = any(isinstance(code.ops[value], ops.Return) for value in seen) or code is not outer
    if given and outer is not None and (not clock or _hashed(code, seen)):
        if _named(outer.function.name) and not (outer.function.name.endswith("key") and "cache" in outer.path):
            return outer.function.name, "high"
        if _MAKES_CODE.holds(outer.function.name) and not _INNOCENT.holds(outer.function.name):
            return outer.function.name, "medium"
    return None


def _handed(call: Node, seen: set[int]) -> str:
    """The name under which another call is given the value: a keyword, or a first argument that is a name."""
    op = call.op
    assert isinstance(op, ops.Call)
    keyword = next((name for name, value in op.keywords if value in seen and _named(name)), "")
    named = len(op.args) > 1 and op.args[1] in seen and call.method in _STORES
    return keyword or ((call.to(op.args[0]).text or "") if named else "")


def _is_pick(call: Node) -> bool:
    """One element chosen from a collection, not a text put together from many."""
    regions = call.code.regions_of(call.value)
    repeated = any(region.kind in ("loop", "comp") for region in regions) or call.code.function.kind == "lambda"
    return call.method == "choice" and not repeated


def _function(code: Code) -> Code | None:
    here: Code | None = code
    while here is not None and here.function.kind == "lambda":
        here = here.parent
    return here


def _named(name: str) -> bool:
    lowered = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return _SECRET.holds(lowered) and not _INNOCENT.holds(lowered)


def _hashed(code: Code, seen: set[int]) -> bool:
    """A clock's reading becomes a secret only if something is made of it; otherwise it is a time."""
    calls = (code.node(value) for value in seen if isinstance(code.ops[value], ops.Call))
    return any(_HASHES.search(call.spelled) or call.method in ("uuid1", "str", "hex") for call in calls)


def _uses(code: Code, start: int) -> set[int]:
    """The operations that a value goes into, forwards through expressions, names and comprehensions."""
    seen = {start}
    for value in range(start + 1, len(code.ops)):
        op = code.ops[value]
        foreign = isinstance(op, ops.Call) and op.func not in seen and code.node(value).method not in _FORMS
        if not foreign and any(item in seen for item in _inputs(op)):
            seen.add(value)
    return seen


def _inputs(op: ops.AnyOp) -> list[int]:
    if isinstance(op, ops.Call):
        return [v for v in (op.func, *op.args, *(value for _, value in op.keywords), *op.star) if v != NONE]
    if isinstance(op, (ops.Bind, ops.Return, ops.Await, ops.Format, ops.Comp, ops.SetAttr, ops.SetItem)):
        return [op.value]
    if isinstance(op, ops.Bin):
        return [op.left, op.right]
    if isinstance(op, ops.Build):
        return list(op.items)
    if isinstance(op, (ops.Phi, ops.Logic)):
        return list(op.values)
    if isinstance(op, (ops.Attr, ops.Item, ops.Element)):
        return [op.base]
    return []
