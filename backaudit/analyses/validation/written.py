"""Texts that are written into files which the server runs or renders."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.validation.sinks import Sink
from backaudit.facts import ops
from backaudit.project import Node, Project
from backaudit.project.locate import behind
from backaudit.vocabulary.meaning import meaning

_CODE = meaning("files", "program-file")
_TEMPLATE = meaning("files", "template-file")
_MARKUP = meaning("files", "markup-file")
_DEPTH = 10
_UNKNOWN = "\0"


def written(project: Project, kind: str) -> Iterator[Sink]:
    """Calls that write a text into a file of code (``kind`` is ``code``) or of a template (``template``)."""
    for call, path, text in _writes(project):
        if project.role(call.code.path) in ("production", "script") and kind == _kind(_spelled(project, path, 0)):
            yield Sink(call, text, "written")


def _writes(project: Project) -> Iterator[tuple[Node, Node, Node]]:
    """(the call, the path, the text)."""
    for method in ("write", "writelines", "write_text", "write_bytes"):
        for call in project.calls_of(method):
            receiver, text = call.receiver, call.arg(0, "data")
            if receiver is None or text is None or project.callees(call):
                continue
            path = receiver if method in ("write_text", "write_bytes") else _opened(project, receiver)
            if path is not None:
                yield call, path, text


def _opened(project: Project, file: Node) -> Node | None:
    """The path of a file that is open."""
    for made in behind(project, file):
        if made.method == "open" and made.receiver is not None and made.receiver.spelled not in ("io", "codecs", "os"):
            return made.receiver
        if made.method == "open":
            return made.arg(0, "file")
    return None


def _kind(path: str) -> str:
    if _CODE.holds(path):
        return "code"
    of_templates = "templates" in re.split(r"[/\\]", path) and _MARKUP.holds(path)
    return "template" if _TEMPLATE.holds(path) or of_templates else ""


def _spelled(project: Project, node: Node, depth: int) -> str:
    """A path as far as the code says it; what it does not say stands as one sign."""
    known = project.constant(node)
    if known is not None and known.text is not None:
        return known.text
    if project.gives_up(depth, _DEPTH, node.place):
        return _UNKNOWN
    made = _pieces(project.resolved(node))
    if made is None:
        return _UNKNOWN
    parts, between = made
    return between.join(_spelled(project, part, depth + 1) for part in parts)


def _pieces(made: Node) -> tuple[list[Node], str] | None:
    """What a path is put together from, and by what; None if that is not known."""
    op = made.op
    if isinstance(op, ops.Bin) and op.operator in ("+", "/"):
        return [made.to(op.left), made.to(op.right)], "/" if op.operator == "/" else ""
    if isinstance(op, ops.Build) and op.kind == "fstring":
        return made.elements(), ""
    if isinstance(op, ops.Format):
        return [made.to(op.value)], ""
    first, receiver = made.arg(0), made.receiver
    if made.method in ("join", "Path", "PurePath", "joinpath"):
        before = [receiver] if made.method == "joinpath" and receiver is not None else []
        return [*before, *made.args()], "/"
    if receiver is not None and made.method in ("with_suffix", "resolve", "absolute"):
        return [receiver, first] if made.method == "with_suffix" and first is not None else [receiver], ""
    return None
