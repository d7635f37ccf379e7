"""What makes an answer a page that a browser shows, and who writes what stands on it."""

from __future__ import annotations

from backaudit.analyses.validation.markup import BY_ENDING, EVERYWHERE, Shown
from backaudit.analyses.validation.privileged import is_for_a_role
from backaudit.analyses.validation.rendering import unread_extension
from backaudit.analyses.validation.sinks import Flow
from backaudit.backend.web.written_headers import header_among
from backaudit.evidence import Unread
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.types import split
from backaudit.rule import KNOWN, Assumed, assume
from backaudit.vocabulary.meaning import meaning

# Input that a form or a body carries, and no address.
_SENT = meaning("texts", "sent-with-form")


def as_page(flow: Flow) -> Assumed | None:
    """What is supposed where an answer is a page, None where it is told to be no HTML."""
    kinds = flow.sink.code.project.models.kinds
    given = next((value for name, value in flow.sink.keywords().items() if name in kinds["media-type-keywords"]), None)
    headers = flow.sink.arg(None, "headers") if flow.name.endswith("Response") else None
    told = given or (header_among(headers, "content-type") if headers is not None else None)
    if told is not None:
        return KNOWN if "html" in (told.text or told.spelled).lower() else None
    unread = headers is not None and not headers.entries()
    elsewise = flow.name in kinds["no-page-by-itself"] or unread or _is_retyped(flow.sink)
    return None if elsewise or _is_json(flow) else KNOWN


def _is_json(flow: Flow) -> bool:
    """Whether a mapping is sent, of which the framework makes JSON by itself."""
    project, given = flow.sink.code.project, flow.argument.origin
    made = project.names(given.func) if given.func is not None else ()
    types = {split(name)[0] for name in (*project.types(given), *made)}
    return flow.name in project.models.kinds["json-of-mappings"] and "builtins.dict" in types


def _is_retyped(answer: Node) -> bool:
    """Whether the answer is told afterwards that it is something else: by its attribute, or by its header."""
    for effect in answer.code.effects.get(answer.origin.value, ()):
        op = answer.to(effect).op
        if isinstance(op, ops.SetAttr) and op.name in answer.code.project.models.kinds["media-type-keywords"]:
            return "html" not in (answer.to(op.value).text or "")
    for node in answer.code.nodes(ops.SetItem):
        op = node.op
        named = isinstance(op, ops.SetItem) and (node.to(op.key).text or "").lower() == "content-type"
        if named and isinstance(op, ops.SetItem) and "html" not in (node.to(op.value).text or ""):
            return True
    return False


def is_by_trusted(project: Project, shown: Shown) -> bool:
    """Whether only people of a role send it, and no link can make them: whoever writes the pages may write HTML."""
    if shown.origin is None or not _SENT.holds(shown.origin.what):
        return False
    return is_for_a_role(project, shown.origin.node.code)


def supposed(project: Project, shown: Shown) -> Assumed:
    """What is taken for granted of a value that a template prints unescaped."""
    if shown.origin is None:
        # Where one text is marked by hand, somebody has thought of what it holds; where all are, nobody has.
        kind: Unread = "stored" if shown.why in (EVERYWHERE, BY_ENDING) else "reach"
        return assume(kind, "a client has written what is printed")
    if is_by_trusted(project, shown):
        return assume("purpose", "who may send it may not write HTML")
    if shown.origin.stored:
        return assume("stored", "what the row holds was put there as it came")
    extension = unread_extension(project) if shown.why == BY_ENDING else ""
    if extension:
        return assume("guard", f"`{extension}`, which is given the application, does not escape by other endings")
    return KNOWN if shown.printed.raw else assume("effect", "what is around it leaves room for script")


def as_rendered(flow: Flow) -> Assumed | None:
    """None where a template is compiled and dropped: it was only tried for its syntax.

    Also where it is rendered and dropped, if a template of its library can run nothing but what it shows.
    """
    made = flow.harm
    if not flow.name.endswith(("Template", ".from_string")):
        return KNOWN
    dropped = [made.code.node(op.value).origin for op in made.code.ops if isinstance(op, ops.Discard)]
    shows = made.func is not None and not made.code.project.models.kinds["showing-templates"].isdisjoint(
        made.code.project.names(made.func)
    )
    rendered = [node.receiver.origin for node in dropped if shows and node.receiver is not None]
    return None if made in (*dropped, *rendered) else KNOWN
