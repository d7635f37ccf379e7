"""Whether a body of code turns callers away, and on what ground: home-made guards are recognised by what they do."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.access.proofs import asks_for_secret, proves
from backaudit.backend.access.sessions import is_http_session
from backaudit.backend.web.catching import handlers_in
from backaudit.backend.web.records import GuardKind
from backaudit.backend.web.responses import Answer, answers
from backaudit.backend.web.statuses import status_of
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region
from backaudit.project import Code, Node, Project
from backaudit.project.declarations import items
from backaudit.project.locate import conditions, strings
from backaudit.project.operands import inputs, operands
from backaudit.project.summaries import Summary, summary
from backaudit.vocabulary.meaning import Meaning, meaning
from backaudit.vocabulary.protocols import CLIENT_ERRORS

Kinds = frozenset[GuardKind]

NOTHING: Kinds = frozenset()
_OK = 200
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_DENYING = meaning("access", "refusal")
_IDENTITY = meaning("access", "asked-identity")
_CALLER = meaning("access", "caller")
_ROLE = meaning("access", "asked-role")
_PRIVILEGE = meaning("access", "asked-privilege")
_OWNER = meaning("access", "asked-owner")
_OTHER = meaning("access", "other-ground")
_KEY = meaning("access", "caller-key")


def denials(project: Project, code: Code) -> Kinds:
    """On what grounds a function, its inner functions and the functions it calls turn callers away.

    ``authenticates``: who does not say who they are; ``role``: who lacks a right; ``ownership``: who does not own the
    object; ``secret``: who does not know the server's own secret.
    """
    return frozenset(project.once(_summary).ask(code))


def _summary(project: Project) -> Summary[GuardKind]:
    return summary(project, lambda code: sorted(set(_denials(project, code))))


def _denials(project: Project, code: Code) -> Iterator[GuardKind]:
    found = frozenset(_refusing(project, code))
    yield from found
    if "authenticates" in found and asks_for_secret(project, code):
        yield "secret"


def _refusing(project: Project, code: Code) -> Iterator[GuardKind]:
    for answer in answers(project, code):
        if not _gives_rows(project, answer) and not _is_of_any(project, answer):
            yield from ground(project, answer)
    yield from _unknown_exceptions(project, code)
    yield from _raised_without_proof(project, code)
    for node in code.nodes(ops.Call):
        yield from _called(project, node)
    for inner in code.defined:
        yield from denials(project, inner)


def _gives_rows(project: Project, answer: Answer) -> bool:
    """Whether a view's method only says which rows it is about: fewer for some, where none at all is a refusal."""
    code, op = answer.node.code, answer.node.op
    if not isinstance(op, ops.Return) or code.function.name not in project.models.kinds["chosen-rows"]:
        return False
    return answer.node.to(op.value).method not in project.models.kinds["empty-queries"]


def ground(project: Project, answer: Answer) -> Kinds:
    """The ground of one answer, if it turns the caller away."""
    if answer.status in (401, 403):
        return _kinds(project, answer.node)
    against = list(_negative_tests(answer.node))
    if _lets_strangers_by(answer.node):
        return NOTHING
    if answer.status in _REDIRECTS or keeps_from_view(answer.node):
        text = " ".join(mention(project, test) for test in against)
        if _IDENTITY.holds(text):
            return frozenset({"role"}) if _ROLE.holds(text) else frozenset({"authenticates"})
    return _by_proof(project, answer, against)


def keeps_from_view(node: Node) -> bool:
    """Whether it is a decorator's answer in place of the view's: whatever it says, the view does not run."""
    outer = node.code.enclosing
    handed = {param.name for param in outer.function.params} if outer is not None else set()
    called = (call.func.op for call in node.code.nodes(ops.Call) if call.func is not None)
    return any(isinstance(func, ops.Name) and func.name in handed for func in called)


def _by_proof(project: Project, answer: Answer, against: list[Node]) -> Kinds:
    """An answer of any status turns away where a proof of who calls was asked for and was not given."""
    if answer.status != _OK and any(is_ownership(project, test) for test in against):
        return frozenset({"ownership"})
    if answer.status in (_OK, None):  # Who is known may have left above, and strangers are shown the form.
        around = [test for test, _ in tests_around(answer.node)]
        against = [test for test in against if test in around]
    if _asks_for_role(project, against):
        return frozenset({"role"})
    return frozenset({"authenticates"}) if any(proves(project, test) for test in against) else NOTHING


def _asks_for_role(project: Project, tests: list[Node]) -> bool:
    text = " ".join(mention(project, test) for test in tests)
    return _CALLER.holds(text) and _ROLE.holds(text)


def refusals(project: Project, code: Code) -> Iterator[Node]:
    """Where a body answers 401 or 403, or raises what says as much."""
    yield from (answer.node for answer in answers(project, code) if answer.status in (401, 403))
    yield from _named_refusals(project, code)


def unmet(project: Project, code: Code) -> Iterator[Node]:
    """The conditions of which a body asks that they hold: else it refuses, or sends the caller elsewhere."""
    for answer in answers(project, code):
        if answer.status in _REDIRECTS:
            yield from _negative_tests(answer.node)
    for node in refusals(project, code):
        yield from _negative_tests(node)


def _unknown_exceptions(project: Project, code: Code) -> Iterator[GuardKind]:
    for node in _named_refusals(project, code):
        yield from _kinds(project, node)


def _raised_without_proof(project: Project, code: Code) -> Iterator[GuardKind]:
    """Whatever is raised where a proof of who calls was asked for and is not there."""
    for node in code.nodes(ops.Raise):
        against = [test for test in _negative_tests(node) if proves(project, test)]
        if against:
            text = " ".join(mention(project, test) for test in against)
            yield "role" if _ROLE.holds(text) else "authenticates"


def _named_refusals(project: Project, code: Code) -> Iterator[Node]:
    """Exceptions and answers that no table has, told by their names or by the status that they are given."""
    for value, op in enumerate(code.ops):
        target = op.exception if isinstance(op, ops.Raise) else op.value if isinstance(op, ops.Return) else NONE
        node = code.node(target).origin if target != NONE else None
        made = node is not None and (node.call is not None or isinstance(op, ops.Raise))
        if not made or node is None:
            continue
        if _is_named_as_refusal(project, node.func or node) or (isinstance(op, ops.Raise) and _is_told(project, node)):
            yield code.node(value)


def _is_told(project: Project, made: Node) -> bool:
    """Whether an exception that nothing here defines is told to be a refusal: ``Failure("no", status=403)``."""
    if not project.names(made.func or made) or any(True for _ in project.denoted_classes(made.func or made)):
        return False
    return any(status_of(project, given) in (401, 403) for given in made.args())


def _is_named_as_refusal(project: Project, func: Node) -> bool:
    names = [func.spelled, *project.names(func)]
    names += [owner for cls in project.denoted_classes(func) for owner in project.lineage(cls.name)]
    return any(_DENYING.holds(name) for name in names)


def _called(project: Project, call: Node) -> Iterator[GuardKind]:
    yield from _refused_by_library(project, call)
    for code in () if _tells_of_any(project, call) else project.callees(call):
        if code != call.code and code.function.name != "__init__":
            yield from denials(project, code)


def _is_of_any(project: Project, answer: Answer) -> bool:
    op = answer.node.op
    given = answer.node.to(op.value).origin if isinstance(op, ops.Return) and op.value != NONE else None
    return given is not None and given.call is not None and _tells_of_any(project, given)


def _tells_of_any(project: Project, call: Node) -> bool:
    """Whether a call makes an answer of whatever was caught: who is refused is decided where that was raised."""
    around = [handler for handler in handlers_in(project, call.code) if handler.holds(call.value)]
    given = any(isinstance(argument.origin.op, ops.Caught) for argument in call.args())
    return given and any(handler.broad for handler in around)


def _refused_by_library(project: Project, call: Node) -> Iterator[GuardKind]:
    """For what a library's call turns callers away."""
    names = project.names(call.func) if call.func is not None else ()
    known = project.models.kinds
    kinds: tuple[GuardKind, ...] = ("authenticates", "role")
    for kind in kinds if call.code.function.kind != "module" else ():
        if not known.get(f"guards:{kind}", frozenset()).isdisjoint(names):
            yield kind
    if not known["refusing-proofs"].isdisjoint(names) and not _is_swallowed(call):
        yield "authenticates"
    if not known["hanging-up"].isdisjoint(names) and _asks_who(project, call):
        yield from _kinds(project, call)


def _asks_who(project: Project, node: Node) -> bool:
    """Whether it is decided by the caller that an operation runs."""
    return any(_IDENTITY.holds(mention(project, test)) for test in tests_before(node))


def says_yes(code: Code) -> bool:
    """Whether a function that decides by its answer always answers yes, and raises nothing in place of a no."""
    given = code.returned()
    refuses = any(isinstance(op, ops.Raise) for op in code.ops)
    return bool(given) and not refuses and all(value.const is True for value in given)


def spares_the_unknown(code: Code) -> bool:
    """Whether a dependency gives nothing, and refuses nobody, where what it is handed is not there."""
    return any(_gives_nothing(node) and _is_where_absent(node) for node in code.nodes(ops.Return))


def _is_where_absent(node: Node) -> bool:
    around = (region for region in node.code.regions_of(node.value) if region.kind == "then" and region.test != NONE)
    return any(_is_without(node.code.node(region.test)) for region in around)


def _gives_nothing(node: Node) -> bool:
    op = node.op
    return isinstance(op, ops.Return) and (op.value == NONE or node.to(op.value).is_none)


def _is_without(test: Node) -> bool:
    """``not token`` or ``token is None`` of a parameter."""
    op = test.origin.op
    if isinstance(op, ops.Compare):
        absent = op.operator in ("is", "==") and test.origin.to(op.right).is_none
        return absent and isinstance(test.origin.to(op.left).origin.op, ops.Param)
    return (
        isinstance(op, ops.Unary) and op.operator == "not" and isinstance(test.origin.to(op.value).origin.op, ops.Param)
    )


def asked_for(project: Project, code: Code) -> Kinds:
    """On what grounds a function that decides by its answer says no."""
    if says_yes(code):
        return NOTHING
    text = " ".join(mention(project, value) for value in (*code.returned(), *_tested(code)))
    found: list[tuple[GuardKind, Meaning]] = [("authenticates", _IDENTITY), ("role", _ROLE), ("role", _PRIVILEGE)]
    return frozenset(kind for kind, pattern in found if pattern.holds(text))


def answers_by_role(project: Project, code: Code) -> bool:
    """Whether a function that decides by its answer says what others of the project say of what the caller may do."""
    return any(decides_by_role(project, value) for value in (*code.returned(), *_tested(code)))


def _tested(code: Code) -> Iterator[Node]:
    return (code.node(region.test) for region in code.body.regions if region.kind == "then" and region.test != NONE)


def roles_compared(project: Project, code: Code) -> Iterator[str]:
    """The literals that a body, or one within it, compares what the caller is with: ``user.role == "warden"``."""
    for node in (node for body in code.nested for node in body.nodes(ops.Compare)):
        op = node.op
        assert isinstance(op, ops.Compare)
        for one, other in ((op.left, op.right), (op.right, op.left)):
            if _ROLE.holds(node.to(one).origin.spelled.lower()):
                yield from strings(project, node.to(other))
                yield from (text for item in items(node.to(other).origin) for text in strings(project, item))


def lets_everybody_by(project: Project, code: Code) -> bool:
    """Whether all of a function can be read, so that where no refusal was found there is none.

    A body that is only a stub, and calls of what is not known, leave it open.
    """
    own = [node for node in code.nodes(ops.Call) if not _is_known(project, node)]
    stub = not any(isinstance(op, (ops.Call, ops.Def, ops.Attr, ops.Item, ops.SetAttr)) for op in code.ops)
    return not own and not stub and all(lets_everybody_by(project, part) for part in code.defined)


def _is_known(project: Project, call: Node) -> bool:
    func = call.func
    if func is None or project.callees(call) or isinstance(func.origin.op, ops.Param):
        return func is not None
    names = project.names(func)
    if isinstance(func.origin.op, ops.Name) and any(isinstance(n.op, ops.Param) for n in _outer(func)):
        return True
    return any(not name.startswith("*.") for name in names)


def _outer(func: Node) -> Iterator[Node]:
    """What a name means in the function around: the view that a decorator is given."""
    op, outer = func.origin.op, func.code.parent
    for value, param in enumerate(outer.ops) if outer is not None and isinstance(op, ops.Name) else ():
        if isinstance(param, ops.Param) and outer is not None:
            named = outer.function.params[param.index].name if param.index < len(outer.function.params) else ""
            if isinstance(op, ops.Name) and named == op.name:
                yield outer.node(value)


def _is_swallowed(call: Node) -> bool:
    """Whether what a call raises is caught, and the body goes on."""
    tried = {region.group for region in call.code.regions_of(call.value) if region.kind == "try"}
    handlers = [r for r in call.code.body.regions if r.kind == "except" and r.group in tried]
    return any(region.exits != "raise" and not _ends_refused(call.code, region) for region in handlers)


def _ends_refused(code: Code, region: Region) -> bool:
    """Whether a handler answers that the client is wrong, and nothing is done any more."""
    if region.exits != "return":
        return False
    inside = [answer for answer in answers(code.project, code) if region.first <= answer.value < region.last]
    return bool(inside) and all(answer.status in CLIENT_ERRORS for answer in inside)


def tests_before(node: Node) -> list[Node]:
    """The conditions that decide whether an operation runs: those around it, and those whose branch has left."""
    return [test for test, _ in tests_around(node)] + list(_preceding(node))


def _kinds(project: Project, node: Node) -> Kinds:
    tests = tests_before(node)
    if _for_strangers(node):
        return NOTHING
    text = " ".join(mention(project, test) for test in tests)
    if _OTHER.holds(text) and not _IDENTITY.holds(text):
        return NOTHING
    if any(is_ownership(project, test) for test in tests):
        return frozenset({"ownership"})
    if _ROLE.holds(text) or any(decides_by_role(project, test) for test in tests):
        return frozenset({"role"})
    return frozenset({"authenticates"})


def decides_by_role(project: Project, test: Node) -> bool:
    """Whether a condition is the answer of a function of the project that says yes or no by what the caller may do."""
    for part in operands(test):
        for callee in project.callees(part) if part.call is not None else ():
            if _says_yes_or_no(callee) and "role" in asked_for(project, callee):
                return True
    return False


def _says_yes_or_no(code: Code) -> bool:
    parts = (part for value in code.returned() for part in conditions(value))
    return any(isinstance(part.const, bool) or _is_comparison(part) for part in parts)


def _is_comparison(part: Node) -> bool:
    op = part.op
    return isinstance(op, ops.Compare) or (isinstance(op, ops.Attr) and _PRIVILEGE.holds(op.name))


def _for_strangers(node: Node) -> bool:
    """Whether those are turned away who are logged in: ``if request.user.is_authenticated: refuse``."""
    for test, region in tests_around(node):
        op = test.origin.op
        if isinstance(op, ops.Attr) and op.name == "is_authenticated":
            return region.kind != "else"
        return isinstance(op, ops.Attr) and op.name == "is_anonymous" and region.kind == "else"
    return False


def _lets_strangers_by(node: Node) -> bool:
    """Whether only those are turned away who are logged in: ``if user.is_authenticated and user.terms is None:``."""
    for test, region in tests_around(node):
        op = test.origin.op
        if region.kind == "then" and isinstance(op, ops.Logic) and op.operator == "and":
            parts = (test.origin.to(value).origin.op for value in op.values)
            if any(isinstance(part, ops.Attr) and part.name == "is_authenticated" for part in parts):
                return True
    return False


# -- conditions -----------------------------------------------------------------------------------------------------


def tests_around(node: Node) -> Iterator[tuple[Node, Region]]:
    """The conditions under which an operation runs, innermost first."""
    for region in node.code.regions_of(node.value):
        if region.kind in ("then", "else", "case", "lazy") and region.test != NONE:
            yield node.to(region.test), region


def _preceding(node: Node) -> Iterator[Node]:
    """Conditions whose branch has left before the operation: ``if ok: return ...`` above it."""
    around = {id(region) for region in node.code.regions_of(node.value)}
    parents = {index for index, r in enumerate(node.code.body.regions) if id(r) in around} | {-1}
    for region in node.code.body.regions:
        left = region.exits in ("return", "raise") and region.last <= node.value and region.parent in parents
        if region.kind == "then" and left and region.test != NONE:
            yield node.to(region.test)


def _negative_tests(node: Node) -> Iterator[Node]:
    """Conditions that speak against the caller where the operation runs: ``not x``, ``is None``, the other branch."""
    for test, region in tests_around(node):
        if is_negative(test) != (region.kind == "else"):
            yield test
    for test in _preceding(node):
        if not is_negative(test):
            yield test


def is_negative(test: Node) -> bool:
    """Whether a condition says that something is absent or false."""
    op = test.origin.op
    if isinstance(op, ops.Unary):
        return op.operator == "not" and not is_negative(test.origin.to(op.value))
    if isinstance(op, ops.Compare):
        return op.operator in ("not in", "!=", "is") or (
            op.operator == "==" and not test.origin.to(op.right).const and test.origin.to(op.right).text is None
        )
    if isinstance(op, ops.Logic):
        return any(is_negative(test.origin.to(value)) for value in op.values)
    if isinstance(op, ops.Attr):
        return op.name == "is_anonymous"
    return False


def is_ownership(project: Project, test: Node) -> bool:
    """Whether a condition ties an object to the caller: its owner, or itself where it is a person, beside the user."""
    for node in conditions(test):
        op = node.op
        if isinstance(op, ops.Compare) and op.operator in ("==", "!=", "in", "not in", "is", "is not"):
            left, right = node.to(op.left), node.to(op.right)
            if right.const is None and left.const is None:
                both = ((left, right), (right, left))
                if any(_owns(project, one, other) or _is_the_caller(one, other) for one, other in both):
                    return True
    return False


def _owns(project: Project, owner: Node, caller: Node) -> bool:
    return _OWNER.holds(mention(project, owner)) and _IDENTITY.holds(mention(project, caller))


def _is_the_caller(caller: Node, other: Node) -> bool:
    """``request.user != instance``: whether one side is the caller, or what tells callers apart, and one a thing."""
    here = caller.origin
    op = here.op
    person = here.to(op.base).origin if isinstance(op, ops.Attr) and _KEY.holds(op.name) else here
    if _ROLE.holds(person.spelled.lower()):  # What the caller may do is not who the caller is.
        return False
    if not _CALLER.holds(person.spelled.lower()) or not isinstance(person.op, (ops.Attr, ops.Name, ops.Param)):
        return False
    thing = other.origin
    return isinstance(thing.op, (ops.Call, ops.Attr, ops.Param, ops.Phi, ops.Await, ops.Item))


def sides(node: Node) -> tuple[Node, ...]:
    """The two sides of a comparison; nothing for any other condition."""
    op = node.origin.op
    return (node.origin.to(op.left), node.origin.to(op.right)) if isinstance(op, ops.Compare) else ()


def mention(project: Project, node: Node) -> str:
    """What a value is made of, as one text: the names and literals below it. An HTTP session reads ``http-session``."""
    return " ".join(_words(project, node))


def _words(project: Project, node: Node) -> Iterator[str]:
    for part in operands(node):
        op = part.op
        if isinstance(op, ops.Const):
            yield str(op.value).lower()
            continue
        spelled = part.spelled.lower()
        if is_http_session(project, part):
            yield "http-session"
        elif answers_by_session(project, part):
            yield "http-session"
            yield from (str(inner.text).lower() for inner in _answered(project, part) if inner.text is not None)
        yield spelled


def answers_by_session(project: Project, call: Node) -> bool:
    """Whether a function of the project answers by what the session holds: ``return "user" in session``."""
    return any(is_http_session(project, part) for part in _answered(project, call))


def _answered(project: Project, call: Node) -> Iterator[Node]:
    """What the answers of the project's functions are made of that a call runs."""
    for callee in project.callees(call) if call.call is not None else ():
        for node in callee.returned():
            yield from operands(node)


__all__ = [
    "Kinds", "answers_by_session", "conditions", "denials", "ground", "inputs", "is_negative", "is_ownership",
    "mention", "operands", "refusals", "sides", "tests_around", "tests_before",
]  # fmt: skip
