"""Whether a condition that holds where a value is used says that the value is harmless there."""

from __future__ import annotations

import string
from collections.abc import Iterator

import msgspec

from backaudit.facts import ops
from backaudit.facts.ops import Region, Value
from backaudit.flow.guards import arriving, of_elements, of_presence
from backaudit.flow.lookups import found_in, keyed_by_calls
from backaudit.flow.patterns import fixes_beginning, pins_down
from backaudit.flow.rows import is_model
from backaudit.flow.verdicts import may_refuse, unread_verdicts
from backaudit.project import Code, Node, Project
from backaudit.project.holding import Condition, atoms, conditions, same_path
from backaudit.project.locate import strings
from backaudit.project.operands import made_of, same, walk
from backaudit.vocabulary.meaning import meaning

ORDER = ("<", "<=", ">", ">=")
_CONVERSIONS = frozenset(("builtins.int", "builtins.float", "uuid.UUID", "ipaddress.ip_address", "decimal.Decimal"))

# Among the guards: a text that was converted on the way is harmless, though not the number that it is.
CONVERTED = "converted"
_CONVERTERS = frozenset(name.rpartition(".")[2] for name in _CONVERSIONS)


class Asked(msgspec.Struct, frozen=True):
    """``node`` is asked about; ``guards``: what a table says of its kind of use; ``by_project``: own checkers count.

    ``doubts``: where the question is a strict one, the checkers that only by their names may have checked the value.
    """

    node: Node
    guards: frozenset[str]
    by_project: bool = True
    doubts: list[Node] | None = None

    def of(self, node: Node) -> Asked:
        """The same question about another value."""
        return msgspec.structs.replace(self, node=node)

    def names(self, way: str, call: Node) -> bool:
        """Whether the table names the callee of ``call``; ``way``: how, empty or a prefix."""
        func = call.func
        names = call.code.project.names(func) if func is not None else ()
        return any(way + name in self.guards for name in (*names, f"*.{call.method}"))


def guarded(
    node: Node,
    at: Value,
    calls: frozenset[str],
    *,
    checked_by_project: bool = True,
    doubts: list[Node] | None = None,
) -> bool:
    """Whether a condition that holds at ``at`` says that ``node`` is harmless.

    It is one of a known set, equal to a constant, of a harmless type or form, or one of ``calls`` (dotted names) or a
    telling function of the project approved of it. A function of the project that raises otherwise approves, too.
    ``doubts``: takes those functions that would approve by their name alone, which is then not enough.
    """
    code = node.code
    asked = Asked(node, calls, checked_by_project, doubts)
    held = [*arriving(code, node.value, at)] if at < len(code.ops) else []
    held += (*conditions(code, at), *of_presence(code, at, node.value))
    if any(_approves(code, test, truth, asked) for test, truth in held):
        return True
    if "one-slash" in calls and _one_slash(code, held, asked):
        return True
    if any(_approves_each(code, test, truth, asked) for test, truth in of_elements(code, at)):
        return True
    if any(_raises_unless(check, asked) for check in (*_checks_before(code, at), *_tried_for(code, at))):
        return True
    collections = [*found_in(code, held, at, node)]
    if any(_known_set(collection) for collection in collections):
        return True
    if doubts is not None:
        unread = (*_unread(code, held, at, node), *collections)
        doubts += [verdict for verdict in unread if verdict not in doubts]
    return False


def _unread(code: Code, held: list[Condition], at: Value, node: Node) -> Iterator[Node]:
    """The calls that may have judged the value before ``at``, and were not understood."""
    yield from unread_verdicts(code, held, node)
    yield from (check for check in _checks_before(code, at) if _is_discarded(check) and may_refuse(check, node))
    yield from keyed_by_calls(code, at, node)


# -- calls that have come back --------------------------------------------------------------------------------------


def _checks_before(code: Code, at: Value) -> tuple[Node, ...]:
    """Calls that have come back whenever ``at`` is reached."""
    return code.project.all_of(_checks, code, code.stretch(at))


def _checks(project: Project, code: Code, at: Value) -> Iterator[Node]:
    for value in code.before(at, ops.Call):
        if same_path(code, value, at, tried=True):
            yield code.node(value)


def _tried_for(code: Code, at: Value) -> Iterator[Node]:
    """Calls that have come back where a value is still what it was before a ``try`` whose handlers replace it."""
    op = code.ops[at] if 0 <= at < len(code.ops) else None
    if not isinstance(op, ops.Phi):
        return
    for tried in (region for region in code.body.regions if region.kind == "try" and region.last <= at):
        caught = [region for region in code.body.regions if region.kind == "except" and region.group == tried.group]
        replaced = (any(_is_put_there(code, value, region) for value in op.values) for region in caught)
        if caught and all(replaced):
            yield from (code.node(v) for v in range(tried.first, tried.last) if isinstance(code.ops[v], ops.Call))


def _is_put_there(code: Code, value: Value, handler: Region) -> bool:
    """Whether a handler puts a value of its own in the place: what it only gives another name is the client's yet."""
    return handler.first <= value < handler.last and isinstance(code.node(value).origin.op, ops.Const)


def _is_discarded(call: Node) -> bool:
    return call.value in call.code.project.once_of(_discarded, call.code)


def _discarded(project: Project, code: Code) -> frozenset[Value]:
    """The calls of a body whose answers it drops, awaited or not."""
    found: set[Value] = set()
    for at in code.before(len(code.ops), ops.Discard):
        op = code.ops[at]
        value = op.value if isinstance(op, ops.Discard) else at
        awaited = value
        while isinstance(made := code.ops[awaited], ops.Await):
            awaited = made.value
        found |= {value, awaited}
    return frozenset(found)


class _Judges(msgspec.Struct, frozen=True):
    """What a call may raise over, whatever value is asked about.

    ``by_receiver``: the table says so of its method; ``may_convert``: so it does if it is a conversion; ``guarding``:
    the parameters of which the functions that it runs come back only if they are harmless.
    """

    by_receiver: bool
    may_convert: bool = False
    guarding: tuple[tuple[Code, int], ...] = ()


def _judges(project: Project, call: Node, guards: frozenset[str]) -> _Judges:
    if call.receiver is not None and Asked(call, guards).names("raises:", call):
        return _Judges(True)
    may_convert = _is_discarded(call) or (CONVERTED in guards and call.method in _CONVERTERS)
    return _Judges(False, may_convert, tuple(_guarding(call, guards)))


def _raises_unless(call: Node, asked: Asked) -> bool:
    """Whether ``call`` raises unless the value, its receiver or one of its arguments, is harmless."""
    code = call.code
    judges = code.project.once_of(_judges, call, asked.guards)
    receiver = call.receiver
    if judges.by_receiver and receiver is not None:
        return _leads(receiver, asked) and not climbs(receiver)
    if not judges.may_convert and not judges.guarding:
        return False
    given = [argument for argument in call.args() if same(code, argument.value, asked.node.value)]
    if judges.may_convert and given and _converts(call):
        return True
    return any(code.project.argument(call, callee, index) in given for callee, index in judges.guarding)


def _converts(call: Node) -> bool:
    """Whether a call raises unless it is given the text of a number, an address or the like, kept or not."""
    return call.func is not None and not _CONVERSIONS.isdisjoint(call.code.project.names(call.func))


def _guarding(call: Node, guards: frozenset[str]) -> list[tuple[Code, int]]:
    """The parameters of which the functions that a call runs come back only if they are harmless."""
    project, discarded = call.code.project, _is_discarded(call)
    codes = project.callees(call)
    return [(code, index) for code in codes for index in project.all_of(_guarded, code, guards, discarded)]


def _guarded(project: Project, callee: Code, guards: frozenset[str], discarded: bool) -> Iterator[int]:
    places = range(len(callee.function.params))
    return (index for index in places if _ends_guarded(callee, index, guards, discarded))


def _ends_guarded(callee: Code, index: int, guards: frozenset[str], discarded: bool) -> bool:
    """Whether a function comes back only of what is harmless: of a call whose answer is kept, by whatever return."""
    params = [n for n in callee.nodes(ops.Param) if isinstance(n.op, ops.Param) and n.op.index == index]
    ends = [len(callee.ops)] if discarded else [node.value for node in callee.results]
    return bool(ends) and any(all(_holds_at(callee, end, Asked(param, guards)) for end in ends) for param in params)


def _holds_at(callee: Code, end: Value, asked: Asked) -> bool:
    if any(_approves(callee, test, truth, asked) for test, truth in conditions(callee, end)):
        return True
    if any(_approves_each(callee, test, truth, asked) for test, truth in of_elements(callee, end)):
        return True
    raising = (check for check in _checks_before(callee, end) if asked.names("raises:", check))
    return any(_raises_unless(check, asked) for check in raising)


# -- one condition --------------------------------------------------------------------------------------------------


def _approves(code: Code, test: Value, truth: bool, asked: Asked) -> bool:
    op = code.ops[test]
    if not truth and same(code, test, asked.node.value):
        return True  # an empty value does no harm
    if isinstance(op, ops.Logic):
        return _joined_approves(code, op, truth, asked)
    if isinstance(op, ops.Bin) and op.operator == "-" and not truth:
        return about(code, op.left, asked.node.value) and _known_set(code.node(op.right))
    if isinstance(op, ops.Compare):
        return _comparison_approves(code, op, truth, asked)
    if isinstance(op, ops.Call):
        return _call_approves(code.node(test), truth, asked)
    if _says_address(code, test, truth, asked) or _found_approves(code.node(test), truth, asked):
        return True
    return not truth and _has_no_host(code, test, asked)


def _has_no_host(code: Code, test: Value, asked: Asked) -> bool:
    """``if urlsplit(target).netloc: …``: without a host it leads nowhere else."""
    op = code.ops[test]
    return isinstance(op, ops.Attr) and op.name in ("netloc", "hostname") and about(code, test, asked.node.value)


def _joined_approves(code: Code, op: ops.Logic, truth: bool, asked: Asked) -> bool:
    """Of ``a or b`` that holds either may: both must approve. Of ``a and b`` that holds one is enough."""
    each = [
        any(_approves(code, atom, holds, asked) for atom, holds in atoms(code, value, truth)) for value in op.values
    ]
    return all(each) if (op.operator == "or") == truth else any(each)


def _comparison_approves(code: Code, op: ops.Compare, truth: bool, asked: Asked) -> bool:
    if op.operator in ("is", "is not") and code.node(op.right).is_none:
        return _presence_approves(code.node(op.left).origin, (op.operator == "is not") == truth, asked)
    if op.operator in ORDER:
        return _order_approves(code, op, truth, asked)
    positive = (op.operator in ("==", "in", "is")) == truth
    if op.operator in ("in", "not in"):
        return _membership_approves(code, op, asked) if positive else _is_free_of(code, op, asked)
    return positive and op.operator in ("==", "!=") and _equality_approves(code, op, asked)


def _presence_approves(found: Node, is_there: bool, asked: Asked) -> bool:
    """``found is not None``, or that it is."""
    approves = _call_approves if isinstance(found.op, ops.Call) else _found_approves
    return approves(found, is_there, asked)


def _membership_approves(code: Code, op: ops.Compare, asked: Asked) -> bool:
    if _lies_in(code.node(op.right).origin, asked):
        return True
    return _decisive(code, op.left, asked.node.value) and _known_set(code.node(op.right))


def _equality_approves(code: Code, op: ops.Compare, asked: Asked) -> bool:
    for mine, other in ((op.left, op.right), (op.right, op.left)):
        held = code.node(other)
        if _decisive(code, mine, asked.node.value) and (_is_fixed(held) or ("row" in asked.guards and _of_row(held))):
            return True
        call = code.node(mine).origin
        if isinstance(call.op, ops.Call) and _folder_is(call, asked):
            return True
    return False


def _of_row(node: Node) -> bool:
    """Whether a value is a column of a row: what equals it is what was stored there."""
    here = node.origin
    project = here.code.project
    base = here.to(here.op.base) if isinstance(here.op, ops.Attr) else None
    return base is not None and any(is_model(project, cls.name) for cls in project.instances(base))


def _order_approves(code: Code, op: ops.Compare, truth: bool, asked: Asked) -> bool:
    value = asked.node.value
    small, large = (op.left, op.right) if op.operator in ("<", "<=") else (op.right, op.left)
    if truth and about(code, small, value) and _is_set_of_known(code.node(large)):
        return True
    sides = [code.node(side) for side in (op.left, op.right)]
    measured = [part for side in sides for part in (side, *(side.args() if side.method == "len" else ()))]
    return "builtins.len" in asked.guards and any(about(code, part.value, value) for part in measured)


def _is_free_of(code: Code, op: ops.Compare, asked: Asked) -> bool:
    """``"x" not in value``, or ``value[0] not in ".-"``."""
    value = asked.node.value
    banned = any(f"not:{text}" in asked.guards for text in texts_of(code.node(op.left)))
    if banned and about(code, op.right, value):
        return True
    return about(code, op.left, value) and any(
        f"not:{each}" in asked.guards for each in _fixed_text(code.node(op.right))
    )


def texts_of(node: Node) -> tuple[str, ...]:
    """The text that a value is, or those that it takes in turn where it goes over a list of them."""
    op = node.origin.op
    if isinstance(op, ops.Format):
        return texts_of(node.origin.to(op.value))
    return strings(node.code.project, node.origin.to(op.base) if isinstance(op, ops.Element) else node)


def _lies_in(parents: Node, asked: Asked) -> bool:
    """``base in path.parents``, of a path without dots."""
    op = parents.op
    if not isinstance(op, ops.Attr) or op.name != "parents" or "inside:*.is_relative_to" not in asked.guards:
        return False
    base = parents.to(op.base)
    return about(parents.code, base.value, asked.node.value) and not climbs(base)


def _folder_is(call: Node, asked: Asked) -> bool:
    """``commonpath([base, value]) == base``."""
    inside = asked.names("inside:", call)
    if not (inside or asked.names("", call)):
        return False
    return any(_holds(call.code, part, asked.node.value, resolved=inside) for part in call.args())


def _decisive(code: Code, part: Value, value: Value) -> bool:
    """Whether ``part`` says what the value is: its scheme alone leads anywhere."""
    op = code.ops[code.origin(part)]
    return not (isinstance(op, ops.Attr) and op.name == "scheme") and about(code, part, value)


def _is_set_of_known(node: Node) -> bool:
    """A set that the code fixes: numbers and texts are compared, too, but contain nothing."""
    found = node.code.project.resolved(node)
    return found.method in ("set", "frozenset") or (isinstance(found.op, ops.Build) and found.op.kind == "set")


def _fixed_text(node: Node) -> str:
    """The characters that a constant text, or a set of one, holds."""
    made = node.origin
    made = made.args()[0].origin if made.method in ("set", "frozenset", "list") and made.args() else made
    if "string.punctuation" in made.code.project.names(made):
        return string.punctuation
    known = made.code.project.constant(made)
    return known.text or "" if known is not None else ""


def _is_fixed(node: Node) -> bool:
    return node.code.project.constant(node) is not None or _is_constant(node)


def _is_constant(node: Node) -> bool:
    """Whether the last name of it is written as constants are."""
    return node.spelled.rpartition(".")[2].lstrip("_").isupper()


def _holds(code: Code, part: Node, value: Value, *, resolved: bool) -> bool:
    """Whether an argument is ``value``, or a display that has it among its items; ``resolved``: without its dots."""
    op = part.origin.op
    inside = op.items if isinstance(op, ops.Build) else (part.value,)
    if resolved and any(_resolves(code.node(item), value) for item in inside):
        return True
    return any(about(code, item, value) and not (resolved and climbs(code.node(item))) for item in inside)


# -- where a text leads ---------------------------------------------------------------------------------------------


def _one_slash(code: Code, held: list[tuple[Value, bool]], asked: Asked) -> bool:
    """``/`` is the first sign of it, and ``//`` is not how it begins: it stays on this site."""
    begins = any(truth and _begins(code, test, asked, "/") for test, truth in held)
    return begins and any(_is_not_doubled(code, test, truth, asked) for test, truth in held)


def _begins(code: Code, test: Value, asked: Asked, text: str) -> bool:
    """``value.startswith(text)`` or ``value[0] == text``."""
    node = code.node(test)
    op = node.op
    if isinstance(op, ops.Compare) and op.operator == "==":
        first = node.to(op.left).origin
        indexed = isinstance(first.op, ops.Item) and first.to(first.op.key).const == 0
        base = first.op.base if isinstance(first.op, ops.Item) else first.value
        return indexed and node.to(op.right).text == text and about(code, base, asked.node.value)
    receiver = node.receiver
    if node.method != "startswith" or receiver is None or not about(code, receiver.value, asked.node.value):
        return False
    return text in prefixes(node)


def _is_not_doubled(code: Code, test: Value, truth: bool, asked: Asked) -> bool:
    if not truth and _begins(code, test, asked, "//"):
        return True
    op = code.ops[test]
    if isinstance(op, ops.Compare) and truth == (op.operator == "!="):
        first = code.node(op.left).origin
        return isinstance(first.op, ops.Item) and code.node(op.right).text == "/"
    return False


def prefixes(starts: Node) -> list[str | None]:
    """The constant texts that ``startswith`` is asked for; None for one that is not known."""
    first = starts.arg(0)
    if first is None:
        return []
    display = starts.code.project.resolved(first)
    items = display.op.items if isinstance(display.op, ops.Build) and display.op.kind != "fstring" else None
    nodes = [display.to(item) for item in items] if items is not None else [first]
    return [_constant_text(node) for node in nodes]


def _constant_text(node: Node) -> str | None:
    op = node.origin.op
    if isinstance(op, ops.Bin) and op.operator == "+":
        left, right = _constant_text(node.origin.to(op.left)), _constant_text(node.origin.to(op.right))
        return left + right if left is not None and right is not None else None
    known = node.code.project.constant(node)
    return known.text if known is not None else None


def _prefix_decides(starts: Node) -> bool:
    """Whether a text that begins so leads to a host, or a place of this site, that the code fixes."""
    return all(text is None or leads_to_one_place(text) for text in prefixes(starts))


def leads_to_one_place(text: str) -> bool:
    """Whether a text that begins a URL fixes where it leads: a host and the slash after it, or a path of this site."""
    _, scheme, rest = text.partition("://")
    if scheme:
        return "/" in rest
    return text.startswith("/") and text[1:2] not in ("", "/", "\\")


def _says_address(code: Code, test: Value, truth: bool, asked: Asked) -> bool:
    """``ipaddress.ip_address(host).is_private`` is denied, ``is_global`` is affirmed."""
    op = code.ops[test]
    if not isinstance(op, ops.Attr) or (f"{'' if truth else 'not:'}address:{op.name}" not in asked.guards):
        return False
    return derives(code, op.base, asked.node.value)


def derives(code: Code, value: Value, source: Value) -> bool:
    """Whether a value is made of ``source`` in the same body, whatever is done to it."""
    return value >= 0 and any(same(code, each.value, source) for each in made_of(code.node(value)))


# -- paths ----------------------------------------------------------------------------------------------------------


def climbs(node: Node) -> bool:
    """Whether a path still has the dots that it was put together with: what it begins with says nothing of it."""
    return any(map(_is_put_together, walk(node, _kept_of)))


def _kept_of(node: Node) -> tuple[Value, ...]:
    """The path that a value is, in another form."""
    op = node.op
    if isinstance(op, ops.Attr) and op.name in node.code.project.models.kinds["location-parts"]:
        return (op.base,)
    if not isinstance(op, ops.Call) or not node.is_call_of("keeps-the-path"):
        return ()
    inner = node.arg(0) if node.method in ("Path", "PurePath", "str", "fspath") else node.receiver
    return (inner.value,) if inner is not None else ()


def _is_put_together(node: Node) -> bool:
    op = node.op
    if isinstance(op, ops.Call):
        is_joined = node.method in ("join", "joinpath", "format") and not node.is_call_of("keeps-the-path")
        return is_joined and not node.is_call_of("resolves-paths")
    if isinstance(op, ops.Bin):
        return op.operator in ("/", "+", "%")
    return isinstance(op, ops.Build) and op.kind == "fstring"


# -- what a value is ------------------------------------------------------------------------------------------------


def about(code: Code, part: Value, value: Value) -> bool:
    """Whether ``part`` is ``value``, or says something about it: its normal form, the host of the URL it is."""
    return any(same(code, each.value, value) for each in walk(code.node(part), _told_of))


def _told_of(node: Node) -> tuple[Value, ...]:
    """What a value says something about."""
    if isinstance(node.op, ops.Attr) and node.op.name in node.code.project.models.kinds["location-parts"]:
        return (node.op.base,)
    if not isinstance(node.op, ops.Call) or not node.is_call_of("keeps-what-is-asked"):
        return ()
    return tuple(each.value for each in (*node.args(), node.receiver) if each is not None)


def _known_set(node: Node) -> bool:
    """A collection that the code fixes: a display, a module's constant, an enumeration, the names of a schema.

    A parameter is one if every caller gives one for it, by however many functions it is handed on.
    """
    seen: set[Node] = set()
    todo: list[Node | None] = [node]
    while todo:
        made = todo.pop()
        made = made.origin if made is not None else None
        if made is not None and isinstance(made.op, ops.Call) and _is_known(made):
            continue
        if made is None or (isinstance(made.op, (ops.Call, ops.Param)) and not _stands_for(made)):
            return False
        if isinstance(made.op, (ops.Call, ops.Param)):
            todo += _stands_for(made) if made not in seen else ()
            seen.add(made)
        elif not _is_fixed_set(made):
            return False
    return True


def _is_known(call: Node) -> bool:
    """Whether a library gives the same set whenever it is asked."""
    project = call.code.project
    return not project.models.kinds["known-sets"].isdisjoint(project.names(call.func or call))


def _stands_for(made: Node) -> list[Node | None]:
    """What has to be a known set for this to be one: what a call copies, what callers give for a parameter."""
    if isinstance(made.op, ops.Param):
        project, index = made.code.project, made.op.index
        return [project.argument(call, made.code, index) for call in project.callers(made.code)]
    inner = made.receiver if made.receiver is not None else made.arg(0)
    return [inner] if made.is_call_of("copies-elements") else []


def _is_fixed_set(made: Node) -> bool:
    op = made.op
    project = made.code.project
    if not project.models.kinds["known-sets"].isdisjoint(project.names(made)):
        return True
    if isinstance(op, (ops.Import, ops.Name)) and _is_told_elsewhere(made):
        return True
    if isinstance(op, ops.Name):
        return op.name.isupper() or _is_display(made.code.project.free(made.code, op.name))
    if isinstance(op, (ops.Attr, ops.Import)):
        return _is_constant(made) or bool(list(made.code.project.denoted_classes(made))) or _is_of_classes(made)
    return isinstance(op, (ops.Build, ops.Comp, ops.ClassDef))


def _is_told_elsewhere(name: Node) -> bool:
    """Whether another module of the project binds a display to an imported name, or what a library fixes."""
    found = name.code.project.resolved(name)
    if found.code.file is name.code.file or found.code.function.kind != "module":
        return False
    return _is_display(found) or (isinstance(found.op, ops.Call) and _known_set(found))


def _is_of_classes(made: Node) -> bool:
    """``self.sorts``, which each class that has it fixes: the class, those above it, those below it."""
    op, cls, project = made.op, made.code.cls, made.code.project
    if cls is None or not isinstance(op, ops.Attr) or made.to(op.base).spelled != "self":
        return False
    views = (*project.lineage_views(cls.name), *project.subclasses(cls.name))
    fields = (view.fields[op.name].origin for view in views if op.name in view.fields)
    found = [field for field in fields if not field.is_none]
    return bool(found) and all(map(_is_written_out, found))


def _is_written_out(field: Node) -> bool:
    """A display or a set, or what a class joins of some."""
    return _is_display(field) or _is_set_of_known(field) or isinstance(field.op, ops.Bin)


def _is_display(found: Node | None) -> bool:
    return found is not None and isinstance(found.origin.op, (ops.Build, ops.Comp))


_TELLING = meaning("inputs", "approving-call")


# -- calls that were asked ------------------------------------------------------------------------------------------


def _call_approves(test: Node, truth: bool, asked: Asked) -> bool:
    if test.method in ("all", "any") and test.receiver is None:
        return _all_or_any(test, truth, asked)
    if truth and (_is_known_row(test, asked) or _is_one_of_list(test, asked)):
        return True
    tested = _tested_parts(test, asked)
    if not tested:
        return False
    if truth:
        return _affirmed_approves(test, tested, asked)
    return asked.names("not:", test) or (asked.by_project and _checker_approves(test, False, asked))


def _tested_parts(test: Node, asked: Asked) -> list[Node]:
    """The arguments of a call, or its receiver, that say something about the value."""
    involved = [*test.args(), *([test.receiver] if test.receiver is not None else [])]
    leads = _leads if asked.names("inside:", test) else _is_asked
    return [part for part in involved if leads(part, asked)]


def _is_asked(part: Node, asked: Asked) -> bool:
    return about(part.code, part.value, asked.node.value)


def _leads(part: Node, asked: Asked) -> bool:
    """Whether a part says where the value leads: it is about it, or the resolved path that is put together of it."""
    return _is_asked(part, asked) or _resolves(part, asked.node.value)


def _resolves(part: Node, value: Value) -> bool:
    """``abspath(join(base, value))``, ``(base / value).resolve()``."""
    here = part.origin
    if not isinstance(here.op, ops.Call) or not here.is_call_of("resolves-paths"):
        return False
    inner = here.arg(0) or here.receiver
    return inner is not None and any(same(here.code, piece.value, value) for piece in walk(inner, _joined))


def _joined(node: Node) -> tuple[Value, ...]:
    """What a path is put together of."""
    op = node.op
    if isinstance(op, ops.Bin):
        return (op.left, op.right) if op.operator == "/" else ()
    made = isinstance(op, ops.Call) and (node.method in ("join", "joinpath") or node.is_call_of("keeps-the-path"))
    return tuple(each.value for each in (*node.args(), node.receiver) if each is not None) if made else ()


def _affirmed_approves(test: Node, tested: list[Node], asked: Asked) -> bool:
    """Whether a call that said yes of some parts of a value has approved of it."""
    if asked.names("inside:", test):
        return not any(climbs(part) for part in tested)
    if test.method == "startswith" and asked.names("prefix:", test):
        return _prefix_decides(test)
    if test.is_call_of("pattern-checks"):
        return pins_down(test) or ("prefix:pattern" in asked.guards and fixes_beginning(test))
    if asked.names("", test) or _checks_form(test):
        return True
    if test.method == "issubset":
        first = test.arg(0)
        return first is not None and _known_set(first)
    if test.method == "isinstance":
        return "builtins.isinstance" in asked.guards or not _keeps_text(test)
    return asked.by_project and _checker_approves(test, True, asked)


def _checks_form(test: Node) -> bool:
    return test.is_call_of("form-checks") and not test.code.project.callees(test)


def _keeps_text(test: Node) -> bool:
    """Whether ``isinstance`` says no more than that it is text, or holds some."""
    project = test.code.project
    holders = project.models.kinds["text-holders"]
    return any(name in holders for argument in test.args()[1:] for name in project.names(argument))


def _all_or_any(test: Node, truth: bool, asked: Asked) -> bool:
    if truth == (test.method == "all"):
        return _each_approved(test, truth, asked)
    made = test.arg(0)
    return truth and made is not None and _matched(made.origin, asked)


def _each_approved(test: Node, truth: bool, asked: Asked) -> bool:
    """``all(good(x) for x in values)``: whether the condition approves of each element."""
    made = test.arg(0)
    made = made.origin if made is not None else None
    if made is None or not isinstance(made.op, ops.Comp):
        return False
    code, value = made.code, made.code.origin(made.op.value)
    held = list(atoms(code, value, truth))
    if any(_approves_each(code, atom, holds, asked) for atom, holds in held):
        return True
    for element in code.nodes(ops.Element):
        op = element.op
        if isinstance(op, ops.Element) and element.value < made.value and _pieces(code, op.base, asked.node.value):
            return any(
                _approves(code, atom, holds, asked.of(element)) or _is_no_step_up(code, atom, holds, asked)
                for atom, holds in held
            )
    return False


def _approves_each(code: Code, test: Value, truth: bool, asked: Asked) -> bool:
    """The same of a condition that held for each element of a loop which has ended."""
    if _says_address(code, test, truth, asked):
        return True
    op = code.ops[test]
    sides = (op.left, op.right) if isinstance(op, ops.Compare) else ()
    for side in sides:
        element = code.ops[code.origin(side)]
        if isinstance(element, ops.Element) and _pieces(code, element.base, asked.node.value):
            return _is_no_step_up(code, test, truth, asked)
    return isinstance(op, ops.Compare) and (op.operator == "not in") == truth and _is_free_of(code, op, asked)


def _pieces(code: Code, base: Value, value: Value) -> bool:
    """Whether ``base`` is the value, or what it is divided into."""
    made = code.node(base).origin
    if made.method == "split" and made.receiver is not None:
        base = made.receiver.value
    return about(code, base, value)


def _is_no_step_up(code: Code, test: Value, truth: bool, asked: Asked) -> bool:
    """``part != ".."`` of each part of a path."""
    op = code.ops[test]
    if not isinstance(op, ops.Compare) or truth != (op.operator == "!="):
        return False
    return any(f"not:{code.node(side).text}" in asked.guards for side in (op.left, op.right))


# -- one of those that are known ------------------------------------------------------------------------------------


def _is_known_row(test: Node, asked: Asked) -> bool:
    """``Row.query.filter_by(address=value).first()`` found something: it is one that was registered."""
    return "row" in asked.guards and any(
        _selects(call, asked) or any(_is_known_row(inner, asked) for inner in _calls_given(call))
        for call in _chain(test)
    )


def _chain(test: Node) -> Iterator[Node]:
    """The calls of a chain, the last first, through ``await``."""
    node: Node | None = test
    while node is not None and isinstance((call := node.awaited).op, ops.Call):
        yield call
        node = call.receiver


def _calls_given(call: Node) -> Iterator[Node]:
    return (argument.origin for argument in call.args() if isinstance(argument.origin.op, ops.Call))


def _selects(call: Node, asked: Asked) -> bool:
    """Whether a query asks for rows whose column equals the value."""
    keyed = call.receiver is not None and any(
        same(call.code, value.value, asked.node.value) for value in call.keywords().values()
    )
    named = call.method in ("filter_by", "filter", "get", "get_or_none", "find_one", "exists", "aget")
    return (keyed and named) or any(_equals(argument.origin, asked) for argument in call.args())


def _equals(node: Node, asked: Asked) -> bool:
    op = node.op
    if not isinstance(op, ops.Compare) or op.operator != "==":
        return False
    return any(same(node.code, side, asked.node.value) for side in (op.left, op.right))


def _is_one_of_list(test: Node, asked: Asked) -> bool:
    """``next((x for x in known if x.link == value), None)`` gave something."""
    first = test.arg(0) if test.method == "next" and test.receiver is None else None
    return first is not None and _matched(first.origin, asked)


def _found_approves(found: Node, truth: bool, asked: Asked) -> bool:
    """A row that was waited for, elements that equal the value, a verdict that is a part of an answer."""
    found = found.origin
    if truth and isinstance(found.op, ops.Await):
        return _is_known_row(found, asked)
    if isinstance(found.op, ops.Comp):
        return truth and _matched(found, asked)
    if not asked.by_project or not isinstance(found.op, (ops.Part, ops.Item, ops.Attr)):
        return False
    call = found.to(found.op.base).origin
    call = call.awaited
    return isinstance(call.op, ops.Call) and _checker_approves(call, truth, asked, _part(found))


def _part(node: Node) -> str | int | None:
    op = node.op
    if isinstance(op, ops.Part):
        return op.index
    if isinstance(op, ops.Attr):
        return op.name
    key = node.to(op.key).const if isinstance(op, ops.Item) else None
    return key if isinstance(key, (str, int)) else None


def _matched(made: Node, asked: Asked) -> bool:
    """Whether a comprehension lets only those through that equal the value."""
    if not isinstance(made.op, ops.Comp):
        return False
    code = made.code
    tests = [test for test, truth in arriving(code, made.op.value, made.value) if truth]
    return any(_equals(code.node(test), asked) for test in (*tests, code.origin(made.op.value)))


# -- the project's own checkers -------------------------------------------------------------------------------------


def _checker_approves(test: Node, said: bool, asked: Asked, part: str | int | None = None) -> bool:
    """Whether a function of the project that said so has checked its argument: by its name, or by what it does."""
    telling = said and part is None and _is_telling(test)
    if telling and asked.doubts is None:
        return True
    passed = _passed_to(test, asked.node.value)
    if any(approves_by_answer(callee, index, asked.guards, said=said, part=part) for callee, index in passed):
        return True
    if telling and asked.doubts is not None and test not in asked.doubts:
        asked.doubts.append(test)
    return False


def _is_telling(test: Node) -> bool:
    """Whether the name of a function of the project says that it approves."""
    return bool(test.code.project.callees(test)) and _TELLING.holds(test.method.lower())


def _passed_to(call: Node, value: Value) -> Iterator[tuple[Code, int]]:
    """The functions that get a value by a call, each with the parameter that takes it."""
    project = call.code.project
    for callee in project.callees(call):
        for index in range(len(callee.function.params)):
            given = project.argument(call, callee, index)
            if given is not None and about(call.code, given.value, value):
                yield callee, index


def approves_by_answer(
    callee: Code, index: int, guards: frozenset[str], *, said: bool = True, part: str | int | None = None
) -> bool:
    """Whether a function answers yes (``said``: or no) only where its parameter is harmless; ``part`` of its answer."""
    asked = Asked(callee.node(index), guards, False)
    answers = [(at, op.value) for at, op in enumerate(callee.ops) if isinstance(op, ops.Return) and op.value >= 0]
    parts = [(at, _of_answer(callee, value, part)) for at, value in answers]
    likely = [(at, value) for at, value in parts if value is None or not _says_other(callee, value, said)]
    return bool(likely) and all(_answer_approves(callee, at, value, said, asked) for at, value in likely)


def _of_answer(code: Code, value: Value, part: str | int | None) -> Value | None:
    """The part of what is returned that is asked: an item of a tuple, a key of a dictionary, a field by keyword."""
    if part is None:
        return value
    made = code.node(value).origin
    op = made.op
    if made.is_dict:
        return next((item.value for key, item in made.entries() if key.const == part), None)
    if isinstance(op, ops.Build):
        return op.items[part] if isinstance(part, int) and part < len(op.items) else None
    given = made.arg(0, str(part))
    return given.value if given is not None else None


def _says_other(code: Code, value: Value, said: bool) -> bool:
    made = code.ops[code.origin(value)]
    return isinstance(made, ops.Const) and bool(made.value) != said


def _answer_approves(code: Code, at: Value, value: Value | None, said: bool, asked: Asked) -> bool:
    held = [*conditions(code, at), *(atoms(code, value, said) if value is not None else ())]
    if any(_approves(code, test, truth, asked) for test, truth in held):
        return True
    if "one-slash" in asked.guards and _one_slash(code, held, asked):
        return True
    return any(_approves_each(code, test, truth, asked) for test, truth in of_elements(code, at))
