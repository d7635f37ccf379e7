"""What must hold where an operation runs: the branches around it, and the early exits before it."""

from __future__ import annotations

import string
from collections.abc import Iterator

from backaudit.facts import ops
from backaudit.facts.ops import Region, Value
from backaudit.project import Code, Node
from backaudit.vocabulary.meaning import meaning

Condition = tuple[Value, bool]


def conditions(code: Code, at: Value) -> Iterator[Condition]:
    """Atomic conditions (test, truth) that hold whenever operation ``at`` is reached, nearest first."""
    regions = code.body.regions
    for region in reversed(regions):
        if region.first <= at < region.last:
            if region.kind in ("then", "else"):
                yield from _atoms(code, region.test, region.kind == "then")
            elif region.kind == "loop":
                yield from _loop(code, region)
            elif region.kind == "case":
                yield from _atoms(code, region.test, True)
        elif (
            region.last <= at
            and region.kind in ("then", "else")
            and _leaves(code, region)
            and _dominates(code, region, at)
        ):
            yield from _atoms(code, region.test, region.kind != "then")
    for value in range(at):
        op = code.ops[value]
        if isinstance(op, ops.Assert) and _same_path(code, value, at):
            yield from _atoms(code, op.test, True)


def _leaves(code: Code, region: Region) -> bool:
    """Whether control never falls off the end of a branch: it returns, raises, or calls what ends the request."""
    if region.exits:
        return True
    last = next((code.node(v) for v in range(region.last - 1, region.first - 1, -1)), None)
    if last is None or not isinstance(last.op, ops.Discard):
        return False
    call = last.to(last.op.value).origin
    call = call.to(call.op.value).origin if isinstance(call.op, ops.Await) else call
    if call.func is None:
        return False
    responses = code.project.models.responses
    names = code.project.names(call.func)
    if any(name in _EXITS or (name in responses and responses[name].raises) for name in names):
        return True
    return any(_always_raises(callee) for callee in code.project.callees(call))


_EXITS = frozenset({"sys.exit", "builtins.exit", "builtins.quit", "os._exit", "os.abort"})


def _always_raises(code: Code) -> bool:
    """Whether a function ends in a ``raise`` that nothing is around, and returns nowhere."""
    last = code.ops[-1] if code.ops else None
    outermost = not code.regions_of(len(code.ops) - 1)
    return isinstance(last, ops.Raise) and outermost and not any(isinstance(op, ops.Return) for op in code.ops)


def _loop(code: Code, region: Region) -> Iterator[Condition]:
    # Of a ``for`` the test is the iterated value: no condition. Only comparisons and calls can be one.
    if isinstance(code.ops[region.test], (ops.Compare, ops.Logic, ops.Unary)) if region.test >= 0 else False:
        yield from _atoms(code, region.test, True)


def _dominates(code: Code, region: Region, at: Value) -> bool:
    """Whether the statement of an exited branch always runs before ``at``: its parent is around ``at`` too."""
    if region.parent < 0:
        return True
    parent = code.body.regions[region.parent]
    if parent.first <= at < parent.last:
        return True
    # An ``elif`` chain whose branches all leave nests each test in the ``else`` of the one before it; and what a try
    # block checked still holds behind it where its handlers leave.
    if parent.kind in ("then", "else"):
        siblings = [r for r in code.body.regions if r.group == parent.group and r is not parent]
        others = siblings if parent.kind == "else" else [r for r in siblings if r.kind == "else"]
        return bool(others) and all(_leaves(code, other) for other in others) and _dominates(code, parent, at)
    return parent.kind in ("try", "with") and _dominates(code, parent, at)


def _same_path(code: Code, before: Value, at: Value, *, tried: bool = False) -> bool:
    """Whether what ran ``before`` has run whenever ``at`` does; ``tried``: also in a try whose handlers all leave."""
    return all(
        region.first <= at < region.last or (tried and region.kind in ("try", "with") and _handlers_leave(code, region))
        for region in code.regions_of(before)
    )


def _handlers_leave(code: Code, region: Region) -> bool:
    if region.kind == "with":
        return True
    handlers = [r for r in code.body.regions if r.kind == "except" and r.group == region.group]
    return all(_leaves(code, handler) for handler in handlers)


def _atoms(code: Code, test: Value, truth: bool) -> Iterator[Condition]:
    if test < 0:
        return
    test = code.origin(test)
    op = code.ops[test]
    if isinstance(op, ops.Unary) and op.operator == "not":
        yield from _atoms(code, op.value, not truth)
    elif isinstance(op, ops.Logic) and (op.operator == "and") == truth:
        for value in op.values:
            yield from _atoms(code, value, truth)
    else:
        yield test, truth


def arriving(code: Code, value: Value, use: Value) -> Iterator[Condition]:
    """Conditions under which ``value`` is what the operation ``use`` takes: a branch of a choice, join or filter."""
    op = code.ops[use]
    if isinstance(op, ops.Choice) and op.then != op.other:
        if value == op.then:
            yield from _atoms(code, op.test, True)
        elif value == op.other:
            yield from _atoms(code, op.test, False)
    elif isinstance(op, ops.Comp):
        for region in code.body.regions:
            if (
                region.kind == "then"
                and region.last == use
                and code.body.regions[region.parent].kind in ("comp", "then")
            ):
                yield from _atoms(code, region.test, True)
    elif isinstance(op, ops.Phi):
        yield from _joined(code, op, value, use)
        if isinstance(code.ops[value], ops.Bind):
            yield from conditions(code, value)  # what held when the name got the value


def _joined(code: Code, op: ops.Phi, value: Value, use: Value) -> Iterator[Condition]:
    """Of ``if not good(x): x = default``: what ``x`` keeps its value under."""
    others = [other for other in op.values if other != value]
    branches = [r for r in code.body.regions if r.kind in ("then", "else") and r.last <= use]
    for region in reversed(branches):
        inside = [other for other in others if region.first <= other < region.last]
        if inside and not region.first <= value < region.last:
            yield from _atoms(code, region.test, region.kind == "else")
            return


def same(code: Code, left: Value, right: Value, depth: int = 0) -> bool:
    """Whether two values are read from the same place: equal, or the same attribute or key of the same value."""
    left, right = code.origin(left), code.origin(right)
    if left == right:
        return True
    one, two = code.ops[left], code.ops[right]
    if type(one) is not type(two) or depth > 6:
        return False
    if isinstance(one, ops.Attr) and isinstance(two, ops.Attr):
        return one.name == two.name and same(code, one.base, two.base, depth + 1)
    if isinstance(one, ops.Item) and isinstance(two, ops.Item):
        return same(code, one.base, two.base, depth + 1) and same(code, one.key, two.key, depth + 1)
    if isinstance(one, ops.Call) and isinstance(two, ops.Call):
        return (
            len(one.args) == len(two.args)
            and one.keywords == two.keywords == ()
            and same(code, one.func, two.func, depth + 1)
            and all(same(code, a, b, depth + 1) for a, b in zip(one.args, two.args, strict=True))
        )
    if isinstance(one, ops.Const) and isinstance(two, ops.Const):
        return one.value == two.value and type(one.value) is type(two.value)
    return isinstance(one, ops.Name) and isinstance(two, ops.Name) and one.name == two.name


def guarded(node: Node, at: Value, calls: frozenset[str], *, checked_by_project: bool = True) -> bool:
    """Whether a condition that holds at ``at`` says that ``node`` is harmless.

    It is one of a known set, equal to a constant, of a harmless type or form, or one of ``calls`` (dotted names) or a
    telling function of the project approved of it. A function of the project that raises otherwise approves, too.
    """
    code = node.code
    if at < len(code.ops) and any(
        _approves(code, test, truth, node, calls, checked_by_project) for test, truth in arriving(code, node.value, at)
    ):
        return True
    if any(_approves(code, test, truth, node, calls, checked_by_project) for test, truth in conditions(code, at)):
        return True
    return any(_checks(check, node, calls) for check in _checks_before(code, at))


def _checks_before(code: Code, at: Value) -> Iterator[Node]:
    """Calls for their effect alone that have run whenever ``at`` is reached."""
    for value in range(min(at, len(code.ops))):
        op = code.ops[value]
        if isinstance(op, ops.Discard) and _same_path(code, value, at, tried=True):
            made = code.node(op.value).origin
            made = made.to(made.op.value).origin if isinstance(made.op, ops.Await) else made
            if isinstance(made.op, ops.Call):
                yield made


_CONVERSIONS = frozenset(("builtins.int", "builtins.float", "uuid.UUID", "ipaddress.ip_address", "decimal.Decimal"))


def _checks(call: Node, node: Node, calls: frozenset[str]) -> bool:
    """Whether ``call`` raises unless ``node``, one of its arguments, is harmless."""
    code = call.code
    given = [argument for argument in call.args() if same(code, argument.value, node.value)]
    if not given:
        return False
    names = code.project.names(call.func) if call.func is not None else ()
    if not _CONVERSIONS.isdisjoint(names):
        return True
    for callee in code.project.callees(call):
        for index in range(len(callee.function.params)):
            passed = code.project.argument(call, callee, index)
            if passed in given and _ends_guarded(callee, index, calls):
                return True
    return False


def _ends_guarded(callee: Code, index: int, calls: frozenset[str]) -> bool:
    end = len(callee.ops)
    params = [n for n in callee.nodes(ops.Param) if isinstance(n.op, ops.Param) and n.op.index == index]
    return any(
        _approves(callee, test, truth, param, calls, True)
        for param in params
        for test, truth in conditions(callee, end)
    )


def _approves(code: Code, test: Value, truth: bool, node: Node, calls: frozenset[str], by_project: bool) -> bool:
    op = code.ops[test]
    if isinstance(op, ops.Logic):
        return (op.operator == "or") == truth and all(
            _approves(code, code.origin(value), truth, node, calls, by_project) for value in op.values
        )
    if isinstance(op, ops.Bin) and op.operator == "-" and not truth:
        return about(code, op.left, node.value) and _known_set(code.node(op.right))
    if isinstance(op, ops.Compare) and op.operator in ("is", "is not") and _is_none(code, op.right):
        found = code.node(op.left).origin
        answered = (op.operator == "is not") == truth
        return isinstance(found.op, ops.Call) and _call_approves(found, answered, node, calls, by_project)
    if isinstance(op, ops.Compare):
        return _comparison_approves(code, op, truth, node, calls)
    if isinstance(op, ops.Call):
        return _call_approves(code.node(test), truth, node, calls, by_project)
    # ``if urlsplit(target).netloc: …``: without a host it leads nowhere else.
    no_host = isinstance(op, ops.Attr) and op.name in ("netloc", "hostname") and not truth
    return no_host and about(code, test, node.value)


def _is_none(code: Code, value: Value) -> bool:
    op = code.ops[code.origin(value)]
    return isinstance(op, ops.Const) and op.value is None


def _comparison_approves(code: Code, op: ops.Compare, truth: bool, node: Node, calls: frozenset[str]) -> bool:
    if op.operator in ORDER:
        small, large = (op.left, op.right) if op.operator in ("<", "<=") else (op.right, op.left)
        if truth and about(code, small, node.value) and _is_set_of_known(code.node(large)):
            return True
        sides = [code.node(side) for side in (op.left, op.right)]
        measured = [part for side in sides for part in (side, *(side.args() if side.method == "len" else ()))]
        return "builtins.len" in calls and any(about(code, part.value, node.value) for part in measured)
    positive = (op.operator in ("==", "in", "is")) == truth
    if op.operator in ("in", "not in"):
        if positive:
            return about(code, op.left, node.value) and _known_set(code.node(op.right))
        banned = code.node(op.left).const
        if f"not:{banned}" in calls and about(code, op.right, node.value):
            return True
        return about(code, op.left, node.value) and any(
            f"not:{each}" in calls for each in _fixed_text(code.node(op.right))
        )
    if not positive or op.operator not in ("==", "!="):
        return False
    for mine, other in ((op.left, op.right), (op.right, op.left)):
        if about(code, mine, node.value) and _is_fixed(code.node(other)):
            return True
        call = code.node(mine)
        names = code.project.names(call.func) if call.func is not None else ()
        if not calls.isdisjoint(names) and any(_holds(code, part, node.value) for part in call.args()):
            return True
    return False


def _is_set_of_known(node: Node) -> bool:
    """A set that the code fixes: numbers and texts are compared, too, but contain nothing."""
    found = node.code.project.resolved(node)
    return found.method in ("set", "frozenset") or (isinstance(found.op, ops.Build) and found.op.kind == "set")


ORDER = ("<", "<=", ">", ">=")


def _fixed_text(node: Node) -> str:
    """The characters that a constant text, or a set of one, holds."""
    made = node.origin
    made = made.args()[0].origin if made.method in ("set", "frozenset", "list") and made.args() else made
    if "string.punctuation" in made.code.project.names(made):
        return string.punctuation
    known = made.code.project.constant(made)
    return known.text or "" if known is not None else ""


def _is_fixed(node: Node) -> bool:
    return node.code.project.constant(node) is not None or node.spelled.rpartition(".")[2].lstrip("_").isupper()


def _holds(code: Code, part: Node, value: Value) -> bool:
    """Whether an argument is ``value``, or a display that has it among its items."""
    op = part.origin.op
    inside = op.items if isinstance(op, ops.Build) else (part.value,)
    return any(about(code, item, value) for item in inside)


def _says_only_scheme(test: Node) -> bool:
    """``url.startswith(("http://", "https://"))`` says nothing about where it leads."""
    first = test.arg(0)
    display = first.origin if first is not None else None
    if display is None:
        return False
    items = display.op.items if isinstance(display.op, ops.Build) else (display.value,)
    texts = [display.to(item).text for item in items]
    return any(text in ("http", "https", "http://", "https://", "ftp://", "//") for text in texts)


# What keeps a text recognisable: a check of the result is a check of the text.
_TRANSPARENT = frozenset(
    {
        "str", "Path", "PurePath", "abspath", "realpath", "normpath", "resolve", "absolute", "lower", "upper", "strip",
        "set", "frozenset", "list", "tuple", "sorted", "urlparse", "urlsplit", "url_parse", "parse_url", "fspath",
        "casefold", "urljoin", "relpath",
    }
)  # fmt: skip
_URL_PARTS = frozenset({"netloc", "hostname", "scheme", "host", "parent", "parents"})


def about(code: Code, part: Value, value: Value, depth: int = 0) -> bool:
    """Whether ``part`` is ``value``, or says something about it: its normal form, the host of the URL it is."""
    if same(code, part, value):
        return True
    node = code.node(part).origin
    if depth > 3:
        return False
    if isinstance(node.op, ops.Attr) and node.op.name in _URL_PARTS:
        return about(code, node.op.base, value, depth + 1)
    if isinstance(node.op, ops.Call) and node.method in _TRANSPARENT:
        inner = [argument.value for argument in node.args()]
        inner += [node.receiver.value] if node.receiver is not None else []
        return any(about(code, item, value, depth + 1) for item in inner)
    return False


def _known_set(node: Node) -> bool:
    """A collection that the code fixes: a display, a module's constant, an enumeration, the names of a schema."""
    made = node.origin
    if isinstance(made.op, ops.Call) and made.method in _COPIES:
        inner = made.receiver if made.receiver is not None else made.arg(0)
        return inner is not None and _known_set(inner)
    if isinstance(made.op, ops.Build):
        return True
    if isinstance(made.op, ops.Name):
        found = node.code.project.free(made.code, made.op.name)
        return made.op.name.isupper() or (found is not None and isinstance(found.origin.op, (ops.Build, ops.Comp)))
    if isinstance(made.op, (ops.Attr, ops.Import)):
        return made.spelled.rpartition(".")[2].lstrip("_").isupper() or bool(
            list(node.code.project.denoted_classes(made))
        )
    return isinstance(made.op, (ops.Comp, ops.ClassDef))


_FORM_CHECKS = frozenset(
    (
        "isdigit",
        "isnumeric",
        "isdecimal",
        "isalnum",
        "isalpha",
        "isidentifier",
        "is_valid",
    )
)
_COPIES = ("keys", "values", "split", "list", "set", "tuple", "frozenset")
_TELLING = meaning("inputs", "approving-call")


def _call_approves(test: Node, truth: bool, node: Node, calls: frozenset[str], by_project: bool) -> bool:
    code = test.code
    if test.method in ("all", "any") and test.receiver is None:
        return truth == (test.method == "all") and _each_approved(test, truth, node, calls, by_project)
    involved = [*test.args(), *([test.receiver] if test.receiver is not None else [])]
    func = test.func
    names = code.project.names(func) if func is not None else ()
    if not any(about(code, part.value, node.value) for part in involved):
        return False
    if not truth:
        return any(f"not:{name}" in calls for name in (*names, f"*.{test.method}"))
    if test.method == "startswith" and _says_only_scheme(test):
        return False
    if test.method in PATTERN_CHECKS:
        return pins_down(test)
    if not calls.isdisjoint(names) or test.method in _FORM_CHECKS:
        return True
    if test.method == "issubset":
        first = test.arg(0)
        return first is not None and _known_set(first)
    if test.method == "isinstance":
        return "builtins.isinstance" in calls or not {"builtins.str", "builtins.bytes"} & {
            n for a in test.args()[1:] for n in code.project.names(a)
        }
    return by_project and _checker_approves(test, node, calls)


def _each_approved(test: Node, truth: bool, node: Node, calls: frozenset[str], by_project: bool) -> bool:
    """``all(good(x) for x in values)``: whether the condition approves of each element."""
    made = test.arg(0)
    made = made.origin if made is not None else None
    if made is None or not isinstance(made.op, ops.Comp):
        return False
    code, value = made.code, made.code.origin(made.op.value)
    for element in code.nodes(ops.Element):
        op = element.op
        if isinstance(op, ops.Element) and element.value < made.value and about(code, op.base, node.value):
            atoms = list(_atoms(code, value, truth))
            return any(_approves(code, atom, holds, element, calls, by_project) for atom, holds in atoms)
    return False


def _checker_approves(test: Node, node: Node, calls: frozenset[str]) -> bool:
    """Whether a function of the project that said yes has checked its argument: by its name, or by what it does."""
    code = test.code
    callees = code.project.callees(test)
    if callees and _TELLING.holds(test.method.lower()):
        return True
    for callee in callees:
        for index in range(len(callee.function.params)):
            passed = code.project.argument(test, callee, index)
            if passed is not None and same(code, passed.value, node.value) and approves_by_answer(callee, index, calls):
                return True
    return False


def approves_by_answer(callee: Code, index: int, calls: frozenset[str]) -> bool:
    """Whether a function answers yes only where its parameter is harmless."""
    param = callee.node(index)
    answers = [(at, op.value) for at, op in enumerate(callee.ops) if isinstance(op, ops.Return) and op.value >= 0]
    likely = [(at, value) for at, value in answers if not _says_no(callee, value)]
    return bool(likely) and all(_answer_approves(callee, at, value, param, calls) for at, value in likely)


def _says_no(code: Code, value: Value) -> bool:
    made = code.ops[code.origin(value)]
    return isinstance(made, ops.Const) and not made.value


def _answer_approves(code: Code, at: Value, value: Value, param: Node, calls: frozenset[str]) -> bool:
    held = [*_atoms(code, value, True), *conditions(code, at)]
    return any(_approves(code, test, truth, param, calls, False) for test, truth in held)


PATTERN_CHECKS = frozenset({"match", "fullmatch", "search"})
_ANYTHING = frozenset({".*", ".+", "(.*)", "(.+)", ""})


def pins_down(test: Node) -> bool:
    """Whether a regular expression that matched says what the whole text is; an unknown one is believed."""
    project = test.code.project
    receiver = test.receiver
    compiled = project.resolved(receiver) if receiver is not None else None
    given = compiled.arg(0) if compiled is not None and compiled.method == "compile" else test.arg(0)
    constant = project.constant(given) if given is not None else None
    pattern = constant.text if constant is not None else None
    if pattern is None:
        return True
    body = pattern.strip()
    while body.startswith("(?") and body[2:3].isalpha() and ")" in body:
        body = body.partition(")")[2]
    begins = body.startswith(("^", "\\A")) or test.method != "search"
    ends = (body.endswith(("$", "\\Z", "\\z")) and not body.endswith("\\$")) or test.method == "fullmatch"
    inside = body.removeprefix("^").removeprefix("\\A").removesuffix("$").removesuffix("\\Z")
    return begins and ends and inside not in _ANYTHING
