"""What a client may leave out, handed where None is refused; addresses of clients that may not answer."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors import senders, unsent_files
from backaudit.analyses.errors.arguments import may_be_none
from backaudit.analyses.errors.needed import needs
from backaudit.analyses.errors.requests import Wish, showing, wrong
from backaudit.backend.access.missing import asked, behind
from backaudit.backend.web.catching import entry_of, escapes, reached_functions
from backaudit.backend.web.request_names import request_names
from backaudit.backend.web.routes import client_input
from backaudit.facts import ops
from backaudit.facts.ops import Value
from backaudit.flow.client import client_origin
from backaudit.project import Code, Node, Project
from backaudit.project.operands import walk
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, Finding, Step, assume

_LEFT_OUT = assume("caller", "nothing else has made sure that it was sent")
_NULL = "null"
_SENT_NULL = assume("caller", "nothing else has made sure that it is no null")
_NOBODYS = "http://127.0.0.1:9/"
_TYPE_ERROR = ("builtins.TypeError",)
# What a look-up of Django's that knows no null says of it.
_VALUE_ERROR = ("builtins.ValueError",)
_ATTRIBUTE_ERROR = ("builtins.AttributeError",)


def findings(project: Project) -> Iterator[Finding]:
    """Each call that is given None where the client leaves a value out, and each request to a client's address."""
    yield from _given_none(project)
    yield from _given_to_own(project)
    yield from _unreachable(project)


def absent(project: Project, code: Code) -> dict[Value, Node]:
    """Reads of the request that give None where the client sent nothing."""
    return {call.value: call for call in code.nodes(ops.Call) if may_be_absent(project, call)}


def may_be_absent(project: Project, call: Node) -> bool:
    """Whether a call reads a part of the request that the client may leave out, and gives None then."""
    receiver = call.receiver
    has_default = len(call.args()) != 1 or bool(call.keywords())
    if call.method != "get" or receiver is None or has_default:
        return False
    return _is_of_kinds(project, receiver, ("raising-mappings", "other-client-data"))


def reads_json(project: Project, node: Node) -> bool:
    """Whether a value is the body of the request as JSON, in which anything may be null."""
    return _is_of_kinds(project, node, ("json-bodies",))


def _is_of_kinds(project: Project, node: Node, kinds: tuple[str, ...]) -> bool:
    """Whether a value is a part of the request of these kinds, through names, awaits and ``or {}``."""
    names = frozenset().union(*(project.models.kinds[kind] for kind in kinds))
    return any(not names.isdisjoint(request_names(project, here)) for here in walk(node, _alternatives))


def _alternatives(node: Node) -> tuple[Value, ...]:
    op = node.op
    if isinstance(op, (ops.Logic, ops.Phi)):
        return op.values
    return (op.value,) if isinstance(op, ops.Await) else ()


def _given_none(project: Project) -> Iterator[Finding]:
    refusing = project.models.kinds["refuses-none"]
    for call in project.calls(*sorted(refusing)):
        argument = call.arg(0)
        if argument is not None:
            yield from _refused(project, call, argument, f"`{call.method}()` is given None")
    for call in project.calls(*sorted(project.models.kinds["refuses-no-text"])):
        argument = call.arg(1, "string")
        if argument is not None:
            yield from _refused(project, call, argument, f"`{call.method}()` is given None")
    for call in project.calls(*sorted(project.models.kinds["refuses-none-second"])):
        argument = call.arg(1, "password")
        if argument is not None:
            yield from _refused(project, call, argument, f"`{call.method}()` is given None", _ATTRIBUTE_ERROR)
    for call in _filters(project):
        for name, value in call.call.keywords if call.call is not None else ():
            if name.rpartition("__")[2] in project.models.kinds["look-ups-of-no-null"] and "__" in name:
                yield from _refused(project, call, call.to(value), f"`{name}` is None", _VALUE_ERROR)


def _given_to_own(project: Project) -> Iterator[Finding]:
    """``register(form.get("password"))`` of a function that refuses None in every run."""
    for code in reached_functions(project):
        given = absent(project, code)
        for call in code.nodes(ops.Call) if given else ():
            needed = (need for need in needs(project, call) if need.use != call and need.use.call is not None)
            need = next((need for need in needed if not given.keys().isdisjoint(behind(code, need.given.value))), None)
            if need is not None:
                what = f"`{call.method}()` hands None to `{need.use.method}()`"
                yield from _refused(project, call, need.given, what, inner=need.use)


def _filters(project: Project) -> Iterator[Node]:
    for name in ("filter", "exclude", "get", "Q"):
        yield from project.calls_of(name)


def _refused(
    project: Project,
    call: Node,
    argument: Node,
    what: str,
    raised: tuple[str, ...] = _TYPE_ERROR,
    inner: Node | None = None,
) -> Iterator[Finding]:
    """``inner``: what refuses it in the function that is called, where that is not the call itself."""
    code = call.code
    if code.file.role != "production":
        return
    given = absent(project, code)
    source = next((value for value in behind(code, argument.value) if value in given), None)
    if source is None or asked(code, source, call.value):
        return
    path = escapes(project, call, raised)
    if path is not None:
        read = given[source]
        yield Finding(
            place=call.place.first_line(),
            message=f"{what} where the client sends no value, and refuses it: a 500, not a 400.",
            assumed=_LEFT_OUT + _sender(project, read, entry_of(call, path)),
            trace=(Step(read.place.first_line(), f"`{read.spelled}` gives None if nothing was sent"),),
            request=showing(
                project,
                inner or call,
                (call, *path) if inner else path,
                wrong(project, "absent", read),
                raises=raised[0],
            ),
        )


def attributes(project: Project) -> Iterator[Finding]:
    """What is asked of texts that may be none (nothing was sent, or JSON of another kind), and of files."""
    for code in reached_functions(project):
        told: set[Value] = set()
        for call in code.nodes(ops.Call):
            receiver = call.receiver
            read = receiver.origin if receiver is not None else None
            if read is None or read.value in told or not call.is_call_of("text-methods"):
                continue
            why = _why_no_text(project, read)
            if why is None or asked(code, read.value, call.value):
                continue
            found = _asked_of_none(project, call, read, call, why)
            if found is not None:
                told.add(read.value)
                yield found
        yield from _handed_on(project, code, told)
    yield from unsent_files.findings(project)


def _handed_on(project: Project, code: Code, told: set[Value]) -> Iterator[Finding]:
    """What may be None, given to a function that asks it for a method in every run."""
    for call in code.nodes(ops.Call):
        for need in needs(project, call) if project.callees(call) else ():
            read, use = need.given.origin, need.use
            asks = isinstance(use.op, ops.Attr) and use.op.name in project.models.kinds["text-methods"]
            why = _why_no_text(project, read) if asks and read.value not in told else None
            if why is None or asked(code, read.value, call.value):
                continue
            found = _asked_of_none(project, call, read, use, why)
            if found is not None:
                told.add(read.value)
                yield found


def _asked_of_none(project: Project, call: Node, read: Node, use: Node, why: tuple[str, Assumed]) -> Finding | None:
    """A text's method asked of what may be none, by ``call`` itself or by ``use`` in the function that it runs."""
    path = escapes(project, call, _ATTRIBUTE_ERROR)
    if path is None:
        return None
    method = use.op.name if isinstance(use.op, ops.Attr) else call.method
    asking = () if use == call else (Step(use.place.first_line(), f"`{use.spelled}` is asked here"),)
    return Finding(
        place=call.place.first_line(),
        message=f"`.{method}()` is asked of what may be {why[0]}: AttributeError, a 500, not a 400.",
        assumed=why[1] + _sender(project, read, entry_of(call, path)),
        trace=(Step(read.place.first_line(), f"`{read.spelled}` is what the client sent"), *asking),
        request=showing(project, call, path, _none_sent(project, read, why[0]), raises=_ATTRIBUTE_ERROR[0]),
    )


def _sender(project: Project, read: Node, entry: Code) -> Assumed:
    receiver = read.receiver
    return senders.left_out(project, receiver.origin, entry) if receiver is not None else KNOWN


def _none_sent(project: Project, read: Node, why: str) -> tuple[Wish, ...]:
    if why == _NULL:
        return wrong(project, "null", read)
    return wrong(project, "absent", read) if why == "None" else wrong(project, "equal", read, limit=7)


def _why_no_text(project: Project, read: Node) -> tuple[str, Assumed] | None:
    """Why a read of the request may give no text, and what is supposed of it."""
    if isinstance(read.op, ops.Logic):
        return _why_none_is_left(project, read, read.op)
    if may_be_none(project, read):
        return _NULL, _SENT_NULL
    if may_be_absent(project, read) or _is_unchecked_field(project, read):
        return "None", _LEFT_OUT
    receiver = read.receiver
    if read.method == "get" and receiver is not None and _is_of_kinds(project, receiver, ("json-bodies",)):
        return "a number or null", assume("purpose", "a client sends other than text here")
    return None


def _why_none_is_left(project: Project, read: Node, op: ops.Logic) -> tuple[str, Assumed] | None:
    """The same of ``given and given.strip()``, which is None where the first is, and of ``given or None``."""
    parts = [read.to(value).origin for value in op.values]
    if op.operator == "or":
        return _why_last_is_none(project, parts[-1], parts[:-1])
    left = [part for part in parts if may_be_absent(project, part) or _is_left_out(project, part)]
    return ("None", _LEFT_OUT) if left else None


def _why_last_is_none(project: Project, last: Node, before: list[Node]) -> tuple[str, Assumed] | None:
    """``read or None`` is None where nothing was sent; what the client sent is asked for by the ``or`` itself."""
    if last.const is None and isinstance(last.op, ops.Const):
        sent = any(client_origin(project, part) is not None for part in before)
        return ("None", _LEFT_OUT) if sent else None
    return _why_no_text(project, last)


def _is_left_out(project: Project, read: Node) -> bool:
    """Whether a parameter of a handler is None where the client sends nothing for it."""
    op = read.op
    if not isinstance(op, ops.Param) or client_input(project, read.code, op.index) is None:
        return False
    default = project.default(read.code, op.index)
    marker = default.arg(0, "default") if default is not None and default.call is not None else default
    return marker is not None and isinstance(marker.origin.op, ops.Const) and marker.const is None


def _is_unchecked_field(project: Project, read: Node) -> bool:
    """``form.name.data`` of a form that the body never validates: None where nothing was sent."""
    op = read.op
    field = read.to(op.base).origin if isinstance(op, ops.Attr) and op.name == "data" else None
    form = field.to(field.op.base) if field is not None and isinstance(field.op, ops.Attr) else None
    if form is None or not _is_form(project, form):
        return False
    validated = (call.receiver for call in read.code.nodes(ops.Call) if call.is_call_of("form-validations"))
    return not any(asked_of is not None and asked_of.origin == form.origin for asked_of in validated)


def _is_form(project: Project, node: Node) -> bool:
    known = project.models.kinds["forms"]
    made = node.origin.call is not None
    return made and any(not known.isdisjoint(project.lineage(split(name)[0])) for name in project.types(node))


def _unreachable(project: Project) -> Iterator[Finding]:
    raises = project.models.raises
    for name in sorted(project.models.sinks["url"]):
        for call in project.calls(name) if name in raises else ():
            argument = call.arg(0, "url")
            if argument is None or call.code.file.role != "production":
                continue
            path = escapes(project, call, raises[name])
            origin = client_origin(project, argument, untyped=False) if path is not None else None
            if origin is not None and path is not None and _is_whole(argument):
                exception = raises[name][0].rpartition(".")[2]
                yield Finding(
                    place=call.place.first_line(),
                    message=f"`{call.spelled}` raises {exception} where the client's address does not answer: a "
                    "500, not a 4xx.",
                    assumed=assume("purpose", "the client chooses an address that does not answer"),
                    trace=(*origin.steps, Step(call.place.first_line(), "is asked here")),
                    request=showing(
                        project, call, path, wrong(project, "equal", argument, limit=_NOBODYS), raises=exception
                    ),
                )


def _is_whole(address: Node) -> bool:
    """Whether the address is the client's own, not one of ours with a part of the client's in it."""
    op = address.origin.op
    if isinstance(op, ops.Build) and op.kind == "fstring" and op.items:
        return not isinstance(address.to(op.items[0]).origin.op, ops.Const)
    return not (isinstance(op, ops.Bin) and isinstance(address.to(op.left).origin.op, ops.Const))
