"""Response headers that are written by hand and take a protection away."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.backend.web.written_headers import bodies_with, set_headers
from backaudit.facts import ops
from backaudit.project import Code, Node, Project
from backaudit.project.locate import text_of

_NO_AGE = re.compile(r"max-age\s*=\s*0+\b")
# Sources of code, by the directive that says so.
_CODE = re.compile(r"(?:^|;)\s*(default-src|script-src(?:-elem)?)\s+([^;]*)", re.IGNORECASE)


def weakened_headers(project: Project) -> Iterator[tuple[Node, str]]:
    """(where it is written, what it takes away) of each header."""
    for code in bodies_with(project, *_FAULTS):
        yield from _in(project, code)


def _in(project: Project, code: Code) -> Iterator[tuple[Node, str]]:
    for at, name, value in _written(code):
        judge = _FAULTS.get(name.lower())
        text = text_of(project, value)
        fault = judge(text) if judge is not None and text is not None else ""
        if fault:
            yield at, fault


def _written(code: Code) -> Iterator[tuple[Node, str, Node]]:
    """Names and values that stand as headers do: an item that is set, two arguments, an entry, a pair of a list."""
    yield from set_headers(code)
    for display in code.nodes(ops.Build):
        op = display.op
        yield from ((value, name.text or "", value) for name, value in display.entries())
        if isinstance(op, ops.Build) and op.kind == "tuple" and len(op.items) == 2:
            yield display, display.to(op.items[0]).text or "", display.to(op.items[1])


def _transport(text: str) -> str:
    return "browsers are told to forget that the site is HTTPS only" if _NO_AGE.search(text.lower()) else ""


def _policy(text: str) -> str:
    for directive, sources in _CODE.findall(text):
        words = sources.split()
        found = next((word for word in words if word in ("*", "http:", "https:", "data:")), "")
        inline = "'unsafe-inline'" in words and not any(word.startswith(("'nonce-", "'sha")) for word in words)
        if found or inline:
            what = f"`{found}`" if found else "`'unsafe-inline'`"
            return f"`{directive}` allows {what}, so that the policy stops no injected script"
    return ""


def _frames(text: str) -> str:
    return "every site may show this one in a frame" if text.strip().upper() in ("ALLOWALL", "ALLOW-FROM *") else ""


_FAULTS = {
    "strict-transport-security": _transport, "content-security-policy": _policy, "x-frame-options": _frames,
}  # fmt: skip
