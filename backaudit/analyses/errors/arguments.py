"""Arguments that a request parser hands on as None: what the client may leave out, and what it may send as null."""

from __future__ import annotations

from collections.abc import Iterator

from backaudit.backend.web.reads import parser_inputs
from backaudit.backend.web.records import Input
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.declarations import text

# Where JSON may stand, and with it null.
_JSON = ("body", "form")


def may_be_none(project: Project, read: Node) -> bool:
    """Whether a read of what a parser gave, ``args["name"]`` or ``args.name``, is None for some client."""
    parsed = _parsed(project, read)
    if parsed is None:
        return False
    call, key = parsed
    declared = [one for one in parser_inputs(project, call) if one.name == key]
    return bool(declared) and all(_lets_none_pass(project, one) for one in declared)


def _parsed(project: Project, read: Node) -> tuple[Node, str] | None:
    """The call of the parser behind a read of one of its arguments, and the argument's name."""
    op = read.op
    if isinstance(op, ops.Item):
        key, base = text(project, read.to(op.key)), read.to(op.base).origin
    elif isinstance(op, ops.Attr):
        key, base = op.name, read.to(op.base).origin
    else:
        return None
    return (base, key) if key and base.method == "parse_args" and base.receiver is not None else None


def _lets_none_pass(project: Project, declared: Input) -> bool:
    left_out = not declared.required and declared.default is None
    nullable = declared.where in _JSON and not any(_refuses_null(added) for added in _added(project, declared))
    return left_out or nullable


def _added(project: Project, declared: Input) -> Iterator[Node]:
    return (added for added in project.calls_of("add_argument") if added.place == declared.place)


def _refuses_null(added: Node) -> bool:
    said = added.arg(None, "nullable")
    return said is not None and said.const is False


__all__ = ["may_be_none"]
