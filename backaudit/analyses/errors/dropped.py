"""Handlers and suppressions that drop what went wrong."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.analyses.errors.mends import logged
from backaudit.backend.web.catching import (
    Handler,
    answers_in,
    handlers,
    handlers_in,
    leaving_ends,
    logs,
    raises,
    reached,
    reached_functions,
    uses_exception,
)
from backaudit.backend.web.responses import Answer, answering, exception_names
from backaudit.facts import ops
from backaudit.facts.ops import NONE, Region
from backaudit.facts.place import Place
from backaudit.project import Code, Node, Project
from backaudit.project.code import last_name
from backaudit.rule import KNOWN, Assumed, Finding, assume

_ASKED_FOR = assume("wrapper", "this is done for requests")
_UNTOLD = assume("caller", "nobody else tells of the failure")
_UNWANTED = assume("purpose", "the failure is not dropped on purpose")


def findings(project: Project) -> Iterator[Finding]:
    """Each handler and each suppression after which nobody can know that something failed."""
    for handler in handlers(project):
        assumed = _judge(project, handler)
        if assumed is not None:
            message = _message(handler)
            yield Finding(place=handler.place, message=message, assumed=assumed, fixes=(logged(handler),))
        elif _given_back(project, handler):
            yield Finding(
                place=handler.place,
                message=f"This {handler.label} gives the exception back as if it were the result: nobody can tell.",
                assumed=assume("caller", "no caller asks whether it was given an exception"),
            )
    yield from _suppressed(project)
    yield from _left_at_the_end(project)


def _left_at_the_end(project: Project) -> Iterator[Finding]:
    """``finally: return …``: whatever was raised before, in the block or by a handler, is gone."""
    for code in reached_functions(project):
        for region in leaving_ends(code) if code.file.role == "production" else ():
            if not _is_all_caught(project, code, region.group):
                yield Finding(
                    place=_leaving(code, region),
                    message=f"This `{region.exits}` in a `finally` drops whatever was raised before it: nothing is "
                    "logged, raised or told.",
                )


def _leaving(code: Code, region: Region) -> Place:
    """The `return` itself; of a `break` or `continue` the part that it ends."""
    values = range(region.first, region.last)
    found = next((value for value in values if isinstance(code.ops[value], ops.Return)), None)
    return (code.node(found).place if found is not None else Place(code.path, region.at)).first_line()


def _is_all_caught(project: Project, code: Code, group: int) -> bool:
    """Whether a handler of the same ``try`` takes everything, and none raises anything itself."""
    beside = [handler for handler in handlers_in(project, code) if handler.region.group == group]
    return any(handler.broad for handler in beside) and not any(map(raises, beside))


def _given_back(project: Project, handler: Handler) -> bool:
    """Whether the only use of what was caught is to return it, or its text, where callers expect a result."""
    code = handler.code
    if not handler.broad or code in answering(project) or raises(handler) or logs(project, handler):
        return False
    returned = [node for node in handler.nodes() if isinstance(node.op, ops.Return)]
    others = any(not handler.holds(node.value) for node in code.results if isinstance(node.op, ops.Return))
    return others and len(returned) == 1 and _is_exception(handler, returned[0])


def _is_exception(handler: Handler, node: Node) -> bool:
    value = node.to(node.op.value).origin if isinstance(node.op, ops.Return) and node.op.value != NONE else None
    if value is not None and value.method in ("str", "repr") and value.arg(0) is not None:
        value = value.args()[0].origin
    return value is not None and value == handler.exception.origin


def _suppressed(project: Project) -> Iterator[Finding]:
    """``with suppress(Exception):`` around work that acts."""
    for call in project.calls("contextlib.suppress"):
        names = [last_name(name) for argument in call.args() for name in exception_names(project, argument)]
        if call.code.file.role != "production" or {"Exception", "BaseException"}.isdisjoint(names):
            continue
        methods = {inner.method for inner in _calls_inside(call)}
        acts = not methods.isdisjoint(project.models.kinds["acting-methods"])
        if acts and not _tidies(project, methods):
            yield Finding(
                place=call.place.first_line(),
                message=f"`{call.method}({', '.join(names)})` drops whatever goes wrong in this block: "
                "nothing is logged, raised or told.",
                assumed=KNOWN if reached(project, call.code) else _ASKED_FOR,
            )


def _calls_inside(entered: Node) -> list[Node]:
    """The calls of the block of a ``with``."""
    code = entered.code
    blocks = (region for region in code.body.regions if region.kind == "with" and region.test == entered.value)
    block = next(blocks, None)
    inside = map(code.node, range(block.first, block.last)) if block is not None else ()
    return [node for node in inside if isinstance(node.op, ops.Call)]


def _message(handler: Handler) -> str:
    going_on = {"return": "returns", "continue": "goes on with the next", "break": "leaves the loop"}
    end = going_on.get(handler.region.exits, "goes on")
    return f"This {handler.label} drops what went wrong and {end}: nothing is logged, raised or told."


def _judge(project: Project, handler: Handler) -> Assumed | None:
    if raises(handler) or logs(project, handler) or uses_exception(project, handler) or _exits(handler):
        return None
    if any(answer.status is None or answer.status >= 400 for answer in _final(project, handler)):
        return None
    if not handler.broad:
        silent = _idle(handler) and _grave(project, handler) and not _benign(project, handler)
        return assume("purpose", f"{handler.label} is more than what was expected") if silent else None
    if _benign(project, handler):
        return None
    return _weigh(project, handler)


def _weigh(project: Project, handler: Handler) -> Assumed | None:
    """What is supposed of a handler that takes everything and says nothing: that nobody wants this."""
    calls = [node for node in handler.tried() if isinstance(node.op, ops.Call)]
    acts = any(call.method in project.models.kinds["acting-methods"] for call in calls)
    only_looks = all(call.method in project.models.kinds["looking-methods"] for call in calls)
    if handler.code.file.role == "script" or _fallback(handler):
        return _UNWANTED
    near = reached(project, handler.code)
    if _idle(handler):
        if acts:
            return KNOWN
        gone = handler.region.exits == "return"
        return _UNTOLD if not gone and (handler.bare or (near and not only_looks)) else _UNWANTED
    if acts and near:
        return KNOWN
    return _UNTOLD if near and not only_looks and _leaves_nothing(handler) else _UNWANTED


def _leaves_nothing(handler: Handler) -> bool:
    """Whether the body gives None after the handler, else a value: no caller can tell nothing from a failure."""
    code = handler.code
    others = any(isinstance(op, ops.Return) and op.value != NONE for op in code.ops)
    ends = handler.region.exits or code.body.exits
    return others and not ends and not code.function.is_generator


def _idle(handler: Handler) -> bool:
    """Whether the handler does nothing at all (``pass``, ``continue``, ``...``)."""
    if handler.region.exits not in ("", "continue", "return"):
        return False
    for node in handler.nodes():
        if isinstance(node.op, ops.Return) and _gives_nothing(node, node.op):
            continue
        if not isinstance(node.op, (ops.Caught, ops.Bind, ops.Discard, ops.Const, ops.Opaque)):
            return False
        if isinstance(node.op, ops.Bind) and node.origin != handler.exception:
            return False
    return True


def _gives_nothing(node: Node, op: ops.Return) -> bool:
    made = node.to(op.value).origin.op if op.value != NONE else None
    return made is None or (isinstance(made, ops.Const) and made.value in (None, False))


def _fallback(handler: Handler) -> bool:
    """Whether the handler tries another way."""
    return any(isinstance(node.op, ops.Call) and not node.is_call_of("ends-a-handler") for node in handler.nodes())


def _benign(project: Project, handler: Handler) -> bool:
    """Whether the block is a clean-up, an optional import, or a part of saying what an object is."""
    kinds = project.models.kinds
    if handler.code.function.name in kinds["clean-up-functions"] | kinds["describing-functions"]:
        return True
    tried = list(handler.tried())
    if _nested(handler, "finally") or any(isinstance(node.op, ops.Import) for node in tried):
        return True
    calls = {node.method for node in tried if isinstance(node.op, ops.Call)}
    return _tidies(project, calls) or (_nested(handler, "except") and not calls & kinds["acting-methods"])


def _tidies(project: Project, calls: set[str]) -> bool:
    """Whether a block only tidies up: when that fails there is nothing left to do."""
    kinds = project.models.kinds
    tidying = calls & kinds["clean-up-methods"]
    return bool(tidying) and calls <= tidying | kinds["looking-methods"]


def _nested(handler: Handler, kind: str) -> bool:
    regions = handler.code.regions_of(handler.region.first)
    return any(region.kind == kind and region is not handler.region for region in regions)


def _exits(handler: Handler) -> bool:
    return any(isinstance(node.op, ops.Call) and node.is_call_of("exits") for node in handler.nodes())


def _final(project: Project, handler: Handler) -> Iterator[Answer]:
    final = handler.code in answering(project)
    for answer in answers_in(project, handler):
        if answer.how == "raise" or (final and answer.stated):
            yield answer


def _grave(project: Project, handler: Handler) -> bool:
    return any(last_name(name) in project.models.kinds["grave-exceptions"] for name in handler.caught)
