"""From bandit's issues to our records: spans, ``# nosec``, and no secret in a message."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterable
from typing import Any

from backaudit.extract.bandit.checks import Check, Checks
from backaudit.extract.bandit.columns import Columns
from backaudit.extract.bandit.nosec import is_excused, read_excuses
from backaudit.facts.bandit import BanditHit
from backaudit.facts.place import Span

MASK = "********"

_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069\u200f]")
_ADDRESS = re.compile(r"<ast\.(\w+) object at 0x[0-9a-fA-F]+>")
_QUOTED = re.compile(r"'.*'", re.DOTALL)
_QUOTES_SECRET = frozenset({"B105", "B106", "B107"})
# Keyword arguments whose line bandit reports instead of the call's.
_POINTED_AT = frozenset({"debug", "method", "shell", "ssl_version", "verify"})


class Hits:
    """Collects what the checks report on one file, without what a ``# nosec`` comment excuses."""

    def __init__(self, checks: Checks, text: str) -> None:
        self._checks = checks
        self._text = text
        self._columns = Columns(text)
        self._excuses = read_excuses(text)
        self._found: list[BanditHit] = []

    def add(self, check: Check, issue: Any, node: Any, lines_of: ast.AST) -> None:
        """Take bandit's ``issue`` about ``node``; a comment on any line of ``lines_of`` may excuse it."""
        if self._excuses and is_excused(self._excuses, _test_id(check, issue), issue.lineno, _lines(lines_of)):
            return
        literals = self._secrets(check.test_id, node)
        span = self._span(node, issue.lineno, literals)
        self._append(check, issue, span, tuple(self._columns.span(literal) for literal in literals))

    def add_hidden_direction(self) -> None:
        """bandit's one check of the text itself, B613: characters that turn the direction of writing."""
        found = _BIDI.search(self._text)
        check = self._checks.by_id.get("B613")
        if found is None or check is None:
            return
        issue = check.run(_text_context(self._text))
        span = self._columns.character(found.start())
        if issue is not None and not is_excused(self._excuses, check.test_id, span.line, (0, 1)):
            self._append(check, issue, span, ())

    def sorted(self) -> tuple[BanditHit, ...]:
        """All of them, in order of place."""
        return tuple(sorted(self._found, key=lambda hit: (hit.span, hit.test_id, hit.text, hit.secrets)))

    def _append(self, check: Check, issue: Any, span: Span, secrets: tuple[Span, ...]) -> None:
        if check.test_id in _QUOTES_SECRET:
            text = _QUOTED.sub(f"'{MASK}'", issue.text)
        else:  # addresses of nodes get into some messages: they differ from run to run
            text = _ADDRESS.sub(r"\1", issue.text)
        found = (_test_id(check, issue), check.name, issue.severity, issue.confidence, text, issue.cwe.id)
        self._found.append(BanditHit(span, *found, secrets))

    def _span(self, node: Any, reported: int | None, literals: list[Any]) -> Span:
        if isinstance(node, (ast.FunctionDef, ast.ExceptHandler)):
            return self._columns.header(node)
        if reported is None or reported == node.lineno:
            return self._columns.span(node)
        for literal in literals:
            if literal.lineno == reported:
                return self._columns.span(literal)
        there = [keyword for keyword in node.keywords if keyword.value.lineno == reported]
        pointed = [keyword for keyword in there if keyword.arg in _POINTED_AT]
        return self._columns.span((pointed or there)[0].value)

    def _secrets(self, test_id: str, node: Any) -> list[Any]:
        """The literal that bandit's message quotes, and others named like passwords in the same call or signature."""
        if test_id == "B105":
            return [_compared_or_assigned(node)]
        if test_id == "B106":
            named = [(keyword.arg, keyword.value) for keyword in node.keywords]
        elif test_id == "B107":
            named = _defaults(node.args)
        else:
            return []
        return [value for name, value in named if name and _is_text(value) and self._checks.names_password(name)]


def _defaults(arguments: ast.arguments) -> list[tuple[str, Any]]:
    """Arguments with defaults. (bandit pairs them wrongly after positional-only ones; its message is masked anyway.)"""
    positional = [*arguments.posonlyargs, *arguments.args]
    pairs = [
        *zip(positional[len(positional) - len(arguments.defaults) :], arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return [(argument.arg, value) for argument, value in pairs]


def _test_id(check: Check, issue: Any) -> str:
    return str(issue.test_id) or check.test_id


def _is_text(value: ast.expr | None) -> bool:
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _compared_or_assigned(node: Any) -> Any:
    parent = node._bandit_parent
    grandparent = getattr(parent, "_bandit_parent", None)
    if isinstance(parent, ast.Dict):
        return next(value for key, value in zip(parent.keys, parent.values, strict=True) if key is node)
    if isinstance(parent, ast.Subscript) and isinstance(grandparent, ast.Assign):
        return grandparent.value
    if isinstance(parent, ast.Compare):
        return parent.comparators[0]
    return node


def _lines(node: ast.AST) -> Iterable[int]:
    from bandit.core.utils import linerange

    lines: list[int] = linerange(node)
    return lines


def _text_context(text: str) -> Any:
    from bandit.core.context import Context

    # The check decodes by the file's own coding line.
    encoding, _ = tokenize.detect_encoding(io.BytesIO(text.encode()).readline)
    return Context({"file_data": io.BytesIO(text.encode(encoding)), "filename": ""})
