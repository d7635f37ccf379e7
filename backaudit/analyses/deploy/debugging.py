"""Whether a switch for debug mode is on: as a literal, unless somebody turns it off, or for any text at all."""

from __future__ import annotations

from typing import Literal

from backaudit.backend.deployment.settings import is_literally
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.vocabulary.meaning import meaning

# "always": it is on, whatever the environment says. "by-default": until the environment turns it off. "any-text": for
# every text in the environment, ``False`` among them.
Debugging = Literal["always", "by-default", "any-text", "off"]

_ON = meaning("texts", "on")


def debugging(project: Project, value: Node) -> Debugging:
    """What the value of such a switch means."""
    if is_literally(project, value, True):
        return "always"
    read = _truth_of_text(project, value)
    if read is not None:
        default = read.arg(1, "default")
        return "always" if default is not None and default.text else "any-text"
    return "by-default" if _default_is_on(project, value) else "off"


def default_of(value: Node) -> Node | None:
    """What stands in where the environment says nothing, of a switch that asks it and is on by that."""
    node = value.origin
    if isinstance(node.op, ops.Compare) and node.op.operator == "==":
        node = _bare(node.to(node.op.left))
    elif node.call is not None and node.is_call_of("reads-truth") and (inner := node.arg(0)) is not None:
        node = inner.origin
    call = _bare(node)
    return call.arg(1, "default") if call.call is not None else None


def _truth_of_text(project: Project, value: Node) -> Node | None:
    """The look-up whose text itself is asked: ``getenv("DEBUG")``, ``bool(getenv("DEBUG", "False"))``."""
    node = value.origin
    asked = node.arg(0) if node.method == "bool" else None
    return _read(project, asked.origin if asked is not None else node)


def _read(project: Project, node: Node) -> Node | None:
    if node.call is None or node.func is None or "cast" in node.keywords():
        return None
    names = project.names(node.func)
    texts = project.models.kinds.get("text-lookups", frozenset())
    # A default that is true is the next question's: it is on until somebody turns it off.
    default = node.arg(1, "default")
    if default is not None and _is_on(default):
        return None
    return node if any(name in texts for name in names) else None


def _default_is_on(project: Project, value: Node) -> bool:
    """Whether a look-up's default means yes: ``config("DEBUG", default=True)``, ``getenv("DEBUG", "1") == "1"``."""
    node = value.origin
    op = node.op
    if isinstance(op, ops.Compare):
        return _accepts_default(project, node, op)
    if isinstance(op, ops.Unary) and op.operator == "not":
        read = _read(project, node.to(op.value).origin)
        return read is not None and not _default_text(read)
    if isinstance(op, ops.Call) and node.is_call_of("reads-truth"):
        inner = node.arg(0)
        if inner is not None and inner.call is not None:
            return _default_is_on(project, inner)
    default = _default(node)
    return default is not None and _is_on(default)


def _is_on(default: Node) -> bool:
    return default.const is True or default.const == 1 or _ON.holds((default.text or "").lower())


def _accepts_default(project: Project, node: Node, op: ops.Compare) -> bool:
    """``getenv("STAGE", "dev") == "dev"``, ``getenv("STAGE") != "production"``: what holds where nothing is set."""
    read, right = _bare(node.to(op.left)), node.to(op.right)
    if not _looks_up(project, read):
        return False
    if op.operator == "!=":
        return right.text is not None and _default_text(read).lower() != right.text.lower()
    default = read.arg(1, "default")
    if op.operator == "==":
        return default is not None and default.text is not None and default.text == right.text
    accepted = right.origin.op
    items = accepted.items if isinstance(accepted, ops.Build) and op.operator == "in" else ()
    return default is not None and any(right.to(item).const == default.const for item in items)


def _looks_up(project: Project, read: Node) -> bool:
    names = project.names(read.func) if read.call is not None and read.func is not None else ()
    known = project.models.kinds.get("env-lookups", frozenset())
    first = read.arg(0) if read.call is not None else None
    told = first is not None and "debug" in (first.text or "").lower()
    return told or any(name in known for name in names)


def _default_text(read: Node) -> str:
    default = read.arg(1, "default")
    return (default.text or "") if default is not None else ""


def _bare(node: Node) -> Node:
    """A look-up without what is done to its text."""
    call = node.origin
    while call.call is not None and call.method in ("lower", "strip", "upper") and call.receiver is not None:
        call = call.receiver.origin
    return call


def _default(node: Node) -> Node | None:
    call = _bare(node)
    name = call.arg(0) if call.call is not None else None
    told = name is not None and "debug" in (name.text or "").lower()
    return call.arg(1, "default") if told else None
