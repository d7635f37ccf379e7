"""errors/swallowed-exception."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.catching import Handler, answers_in, handlers, logs, raises, reached, uses_exception
from backaudit.backend.web.responses import Answer, answering
from backaudit.facts import ops
from backaudit.facts.ops import NONE
from backaudit.project import Node, Project
from backaudit.project.code import last_name
from backaudit.rule import Confidence, Finding, rule

# What a handler may call and still not have dealt with anything.
_ENDINGS = frozenset(
    (
        "print", "flash", "rollback", "redirect", "url_for", "render_template", "render", "error", "warning", "jsonify",
        "dict",
    )
)  # fmt: skip
_EXITS = frozenset(("exit", "_exit", "abort", "fail", "skip", "quit", "put_nowait", "set_exception"))
_NARROW_BUT_GRAVE = frozenset(
    (
        "IntegrityError", "SQLAlchemyError", "DatabaseError", "OperationalError", "DBAPIError", "PyMongoError",
        "RequestException", "SMTPException", "OSError", "IOError", "ConnectionError", "HTTPError", "ClientError",
        "RedisError",
    )
)  # fmt: skip


@rule("errors/swallowed-exception", severity="medium", cwe=(390, 391), owasp=("A10:2025",), tags=("reliability",))
def swallowed_exception(project: Project) -> Iterator[Finding]:
    """An exception is dropped: neither handled, nor logged, nor raised again.

    A handler that takes everything and says nothing hides bugs as well as the failure it was written for. What should
    have happened did not, the client is told that it did, and nobody will ever know why.

    Mend: catch the one exception that you expect and deal with it; for the rest let it rise, or log it with its
    traceback before going on.

    Bad:
        def send_receipt(mailer, order):
            try:
                mailer.send(order.email, render(order))
                order.receipt_sent = True
                order.save()
            except Exception:
                pass

    Good:
        import logging

        logger = logging.getLogger(__name__)

        def send_receipt(mailer, order):
            try:
                mailer.send(order.email, render(order))
            except ConnectionError:
                logger.exception("no receipt for order %s", order.id)

    Good: the exception is an answer
        def page(args):
            try:
                return int(args.get("page", 1))
            except ValueError:
                return 1

    Links:
        https://cwe.mitre.org/data/definitions/390.html
        https://owasp.org/Top10/2025/A10_2025-Mishandling_of_Exceptional_Conditions/
    """
    for handler in handlers(project):
        confidence = _judge(project, handler)
        if confidence is not None:
            yield Finding(place=handler.place, message=_message(handler), confidence=confidence)


def _message(handler: Handler) -> str:
    going_on = {"return": "returns", "continue": "goes on with the next", "break": "leaves the loop"}
    end = going_on.get(handler.region.exits, "goes on")
    return f"This {handler.label} drops what went wrong and {end}: nothing is logged, raised or told."


def _judge(project: Project, handler: Handler) -> Confidence | None:
    if raises(handler) or logs(project, handler) or uses_exception(project, handler) or _exits(handler):
        return None
    if any(answer.status is None or answer.status >= 400 for answer in _final(project, handler)):
        return None
    if not handler.broad:
        return "low" if _idle(handler) and _grave(project, handler) and not _benign(project, handler) else None
    if _benign(project, handler):
        return None
    return _weigh(project, handler)


def _weigh(project: Project, handler: Handler) -> Confidence | None:
    """How sure it is that nobody wants this, for a handler that takes everything and says nothing."""
    calls = [node for node in handler.tried() if isinstance(node.op, ops.Call)]
    acts = any(call.method in project.models.kinds["acting-methods"] for call in calls)
    only_looks = all(call.method in project.models.kinds["looking-methods"] for call in calls)
    if handler.code.file.role == "script" or _fallback(handler):
        return "low"
    near = reached(project, handler.code)
    if _idle(handler):
        if acts:
            return "high"
        gone = handler.region.exits == "return"
        return "medium" if not gone and (handler.bare or (near and not only_looks)) else "low"
    return "high" if acts and near else "low"


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
    return any(isinstance(node.op, ops.Call) and node.method not in _ENDINGS for node in handler.nodes())


def _benign(project: Project, handler: Handler) -> bool:
    """Whether the block is a clean-up, an optional import, or a part of saying what an object is."""
    kinds = project.models.kinds
    if handler.code.function.name in kinds["clean-up-functions"] | kinds["describing-functions"]:
        return True
    tried = list(handler.tried())
    if _nested_in_clean_up(handler) or any(isinstance(node.op, ops.Import) for node in tried):
        return True
    calls = {node.method for node in tried if isinstance(node.op, ops.Call)}
    tidying = calls & kinds["clean-up-methods"]
    return bool(tidying) and calls <= tidying | kinds["looking-methods"]


def _nested_in_clean_up(handler: Handler) -> bool:
    regions = handler.code.regions_of(handler.region.first)
    return any(region.kind in ("finally", "except") and region is not handler.region for region in regions)


def _exits(handler: Handler) -> bool:
    return any(isinstance(node.op, ops.Call) and node.method in _EXITS for node in handler.nodes())


def _final(project: Project, handler: Handler) -> Iterator[Answer]:
    final = handler.code in answering(project)
    for answer in answers_in(project, handler):
        if answer.how == "raise" or (final and answer.stated):
            yield answer


def _grave(project: Project, handler: Handler) -> bool:
    return any(last_name(name) in _NARROW_BUT_GRAVE for name in handler.caught)
