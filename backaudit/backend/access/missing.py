"""Look-ups that can find nothing: those that raise, those that give None, and helpers that hand None on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from backaudit.backend.web.routes import entries, injected_bodies
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Value
from backaudit.project import Code, Node, Project
from backaudit.project.holding import conditions
from backaudit.project.locate import on_the_way
from backaudit.project.nodes import operands
from backaudit.project.operands import equal, made_of, walk
from backaudit.project.strings import spelled_strings


def raising(project: Project) -> Iterator[tuple[Node, tuple[str, ...]]]:
    """Look-ups that raise when nothing is found, with what they raise."""
    raises = project.models.raises
    for call in project.calls(*sorted(project.models.kinds["raising-lookups"])):
        func = call.func
        names = project.names(func) if func is not None else ()
        exceptions = next((raises[name] for name in names if name in raises), ())
        if exceptions and call.code.file.role == "production":
            yield call, exceptions


def none_giving(project: Project) -> dict[Node, Node]:
    """Calls whose result is None when nothing is found, with the look-up that says so (itself, or in a helper)."""
    found = {call: call for call in project.calls(*sorted(project.models.kinds["none-lookups"]))}
    found |= _firsts_or_nothing(project)
    level = dict.fromkeys(call.code for call in found)
    done: set[Code] = set()
    while level:  # each turn finds more of the calls that there are
        following: dict[Code, None] = {}
        for code in level:
            given = _hands_on(code, found) if code not in done else None
            done.add(code)
            for call in project.callers(code) if given is not None else ():
                if call not in found:
                    found[call] = found[given] if given is not None else call
                    following[call.code] = None
        # A helper may be judged again once more of the calls in it are known to give None.
        level = following
        done -= set(following)
    return found


def _firsts_or_nothing(project: Project) -> dict[Node, Node]:
    """Calls of helpers that hand out the first of the rows they look up, and None or False where there is none."""
    found: dict[Node, Node] = {}
    finders = sorted(project.models.kinds["all-rows"])
    for rows in (call for method in finders for call in project.calls_of(method)):
        code = rows.code
        if code.function.kind == "function" and _returns_nothing(code) and _returns_first(project, code):
            found.update((call, rows) for call in project.callers(code) if _wants_one(project, call, code))
    return found


def _returns_nothing(code: Code) -> bool:
    return any(_is_nothing(code.node(value)) for node in code.returned() for value in behind(code, node.value))


def _wants_one(project: Project, call: Node, code: Code) -> bool:
    """Whether a call is given one row: it says so where a parameter decides (``rows[0] if one else rows``)."""
    switches = [switch for node in code.returned() if (switch := _switch(node)) is not None]
    given = (project.argument(call, code, switch) for switch in switches)
    return not switches or any(value is not None and value.const is True for value in given)


def _switch(node: Node) -> int | None:
    """The parameter that decides what is returned."""
    op = node.origin.op
    test = node.origin.to(op.test).origin.op if isinstance(op, ops.Choice) else None
    return test.index if isinstance(test, ops.Param) else None


def nothing_given(call: Node) -> str:
    """What a look-up gives when nothing is found, in Python's words."""
    returned = [node for code in call.code.project.callees(call) for node in code.returned()]
    return "False" if any(node.const is False for node in returned) else "None"


def _is_nothing(node: Node) -> bool:
    return node.is_none or node.const is False


def _returns_first(project: Project, code: Code) -> bool:
    return any(_is_first(project, code.node(value)) for node in code.returned() for value in behind(code, node.value))


def _is_first(project: Project, node: Node) -> bool:
    """The first of rows of which was asked whether there are any."""
    op = node.op
    is_first = isinstance(op, ops.Item) and node.to(op.key).const == 0 and asked(node.code, op.base, node.value)
    return is_first and isinstance(op, ops.Item) and all_rows(project, node.to(op.base)) is not None


def all_rows(project: Project, node: Node) -> Node | None:
    """The call that gives all rows which were found, also behind a helper that makes something of each of them."""
    node = node.origin.awaited
    if node.call is None:
        return None
    is_own = bool(project.callees(node))
    if node.is_call_of("all-rows") and not is_own:
        return node
    inside = (all_rows(project, argument) for argument in node.args()) if is_own else ()
    return next(filter(None, inside), None)


def statement_before(fetch: Node) -> Node | None:
    """The call that ran a statement on the cursor, or connection, from which rows are fetched."""
    runners = fetch.code.project.models.kinds["sql-runners"]
    cursor = _on_what(fetch)
    calls = (call for call in fetch.code.nodes(ops.Call) if call.value < fetch.value and call.method in runners)
    found = [call for call in calls if cursor and _on_what(call) == cursor]
    return found[-1] if found else None


def _on_what(call: Node) -> str:
    return call.receiver.spelled if call.receiver is not None else ""


def injected_absences(project: Project) -> dict[Code, dict[Value, Node]]:
    """Parameters that are given what a dependency found, which may be None, to the look-up that says so."""
    found = none_giving(project)
    handed: dict[Code, Node] = {}
    for code in dict.fromkeys(call.code for call in found):
        given = _hands_on(code, found)
        if given is not None:
            handed[code] = found[given]
    absent: dict[Code, dict[Value, Node]] = {}
    for code in project.once(entries) if handed else ():
        for value, op in enumerate(code.ops):
            bodies = injected_bodies(project, code, op.index) if isinstance(op, ops.Param) else ()
            lookup = next((handed[body] for body in bodies if body in handed), None)
            if lookup is not None:
                absent.setdefault(code, {})[value] = lookup
    return absent


def _hands_on(code: Code, found: dict[Node, Node]) -> Node | None:
    """The look-up whose None a function of the project returns."""
    if code.function.kind != "function" or code.function.is_generator:
        return None
    looked = [call for call in found if call.code is code]
    for value, op in enumerate(code.ops):
        if isinstance(op, ops.Return) and op.value != NONE:
            for given in behind(code, op.value):
                if code.node(given) in found and not asked(code, given, value):
                    return code.node(given)
                if looked and code.node(given).is_none:
                    return looked[0]
    return None


def behind(code: Code, value: Value) -> Iterator[Value]:
    """What a value may be: through names, awaits, joins and choices."""
    return (node.value for node in walk(code.node(value), _alternatives) if not isinstance(node.op, _JOINING))


_JOINING = (ops.Await, ops.Phi, ops.Choice)


def _alternatives(node: Node) -> tuple[Value, ...]:
    op = node.op
    if isinstance(op, ops.Choice):
        return (op.then, op.other)
    if isinstance(op, ops.Phi):
        return op.values
    return (op.value,) if isinstance(op, ops.Await) else ()


def asked(code: Code, value: Value, before: Value) -> bool:
    """Whether a condition that stands before an operation looks at ``value``, or at the same look-up made again."""
    return any(_mentions(code, test, value) for test in tests(code, before))


def is_none_there(code: Code, value: Value, use: Value) -> bool:
    """Whether an operation is run just where a value may be None: ``not row and row.name``, ``row and a or row.b``."""
    for region in code.regions_of(use):
        if region.kind in ("then", "else") and region.test != NONE:
            said = _said_of(code, region.test, value, region.kind == "then")
            if said is not None:
                return said == "none"
    return False


def is_known_missing(code: Code, value: Value, use: Value) -> bool:
    """Whether an operation is reached only where a value was None: in a branch of that, or behind the others' exits."""
    return any(_said_of(code, test, value, truth) == "none" for test, truth in conditions(code, use))


def _said_of(code: Code, test: Value, value: Value, truth: bool) -> str | None:
    """What a condition that came out as ``truth`` says of a value: ``none``, ``there``, or nothing."""
    test = code.origin(test)
    op = code.ops[test]
    if alike(code, test, value):
        return "there" if truth else "none"
    if isinstance(op, ops.Unary) and op.operator == "not":
        return _said_of(code, op.value, value, not truth)
    if isinstance(op, ops.Compare) and op.operator in _IS and alike(code, op.left, value):
        nothing = code.node(op.right).is_none
        return ("none" if _IS[op.operator] is truth else "there") if nothing else None
    if isinstance(op, ops.Logic):
        said = [_said_of(code, part, value, truth) for part in op.values]
        return _said_together(said, every=(op.operator == "and") is truth)
    return None


def _said_together(said: list[str | None], *, every: bool) -> str | None:
    """What conditions say of which each holds (``every``), or one of them, nobody knows which."""
    if every:
        return next((found for found in said if found is not None), None)
    return "none" if "none" in said else None


_IS = {"is": True, "==": True, "is not": False, "!=": False}


def tests(code: Code, before: Value) -> Iterator[Value]:
    """The conditions asked before an operation: of branches, loops and assertions, and of ``and``, ``or`` around it."""
    seen: set[Value] = set()
    for region in code.body.regions:
        asks = region.kind in ("then", "else", "loop", "lazy", "case", "comp") and 0 <= region.test < before
        if asks and region.test not in seen and on_the_way(code, region.test, before):
            seen.add(region.test)
            yield region.test
    for value in code.before(before, ops.Assert):
        op = code.ops[value]
        if isinstance(op, ops.Assert):
            yield op.test


def _mentions(code: Code, test: Value, wanted: Value) -> bool:
    return test >= 0 and any(alike(code, part.value, wanted) for part in made_of(code.node(test)))


def alike(code: Code, left: Value, right: Value) -> bool:
    """Whether two values are the same, or written the same way: the same call, attribute or key of the same thing."""
    return equal(lambda value: _bare(code, value), left, right, lambda a, b: _compared(code.ops[a], code.ops[b]))


def _compared(one: ops.AnyOp, two: ops.AnyOp) -> Iterable[tuple[Value, Value]] | None:
    if type(one) is not type(two):
        return None
    if isinstance(one, ops.Const) and isinstance(two, ops.Const):
        return () if one.value == two.value and type(one.value) is type(two.value) else None
    if not isinstance(one, (ops.Attr, ops.Name, ops.Call, ops.Item, ops.Compare)) or _named(one) != _named(two):
        return None
    mine, other = operands(one), operands(two)
    return zip(mine, other, strict=True) if len(mine) == len(other) else None


def _named(op: ops.AnyOp) -> tuple[str, ...]:
    """The names that an operation has itself: of what it reads, or of the keywords that it gives."""
    if isinstance(op, (ops.Attr, ops.Name)):
        return (op.name,)
    return tuple(name for name, _ in op.keywords) if isinstance(op, ops.Call) else ()


def _bare(code: Code, value: Value) -> Value:
    value = code.origin(value)
    op = code.ops[value]
    while isinstance(op, ops.Await):
        value = code.origin(op.value)
        op = code.ops[value]
    return value


def chain(call: Node) -> Iterator[Node]:
    """A call and those of the chain before it, with the calls in their arguments."""
    here: Node | None = call.origin
    while here is not None:
        op = here.op
        if isinstance(op, ops.Await):
            here = here.to(op.value).origin
            continue
        if here.call is None:
            return
        yield here
        for argument in here.args():
            if argument.call is not None:
                yield from chain(argument)
        here = here.receiver.origin if here.receiver is not None else None


def is_aggregate(call: Node) -> bool:
    """Whether the look-up is an aggregate, which always has a row."""
    words = " ".join(_said(part) for part in _around(call)).lower()
    return any(word in words for word in ("count", "sum(", "max(", "min(", "avg(", "exists", "returning", "aggregate"))


def _said(part: Node) -> str:
    """What a call, or a text that it is given, says in words; of a text that is put together what is known of it."""
    if part.text is not None or part.call is not None:
        return str(part.text or part.method)
    return " ".join(spelled_strings(part.code.project, part))


def _around(call: Node) -> Iterator[Node]:
    """The calls of the chain that ends in the look-up, with their arguments; a cursor's statement before it."""
    last = call.origin
    for link in chain(call):
        last = link
        yield link
        yield from link.args()
    receiver = last.receiver
    for effect in last.code.effects.get(receiver.origin.value, ()) if receiver is not None else ():
        if effect < call.value and isinstance(last.code.ops[effect], ops.Call):
            yield from last.code.node(effect).args()
    statement = statement_before(call)
    yield from statement.args() if statement is not None else ()


def admits_none(project: Project, model: Node) -> bool:
    """Whether a response model admits null, or is not one that is known."""
    types = project.annotated(model)
    op = model.origin.op
    optional = isinstance(op, ops.Bin) or "Optional" in model.spelled or "None" in types
    return optional or not any(project.class_named(name) is not None for name in types)
