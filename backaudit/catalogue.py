"""The rules as text: the table of all, and the explanation of one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from itertools import groupby

import msgspec

from backaudit.report.mistakes import in_order
from backaudit.rule import Rule
from backaudit.ruledoc import Example, read

_BOLD, _DIM, _RED, _GREEN, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[0m"
_MAX_WIDTH = 100


def listing(rules: Sequence[Rule], format: str, width: int, color: bool) -> str:
    """All given rules, as a table by family or as JSON."""
    return _json(rules) if format == "json" else "".join(f"{line}\n" for line in _table(rules, width, color))


def explanation(rule: Rule, width: int, color: bool) -> str:
    """Everything that a rule says of itself."""
    return "\n".join(_explain(rule, min(width, _MAX_WIDTH), color)) + "\n"


def _json(rules: Sequence[Rule]) -> str:
    data = [
        {
            "id": rule.id,
            "title": read(rule.doc).title,
            "severity": rule.severity,
            "shown": rule.shown,
            "cwe": rule.cwe,
            "owasp": rule.owasp,
            "tags": rule.tags,
            "aliases": rule.aliases,
            "options": [{"name": one.name, "default": one.default, "help": one.help} for one in rule.options],
        }
        for rule in rules
    ]
    return msgspec.json.format(msgspec.json.encode(data), indent=2).decode() + "\n"


def _table(rules: Sequence[Rule], width: int, color: bool) -> Iterator[str]:
    names = max((len(rule.id) for rule in rules), default=0)
    by_family = {family: list(members) for family, members in groupby(rules, key=lambda rule: rule.family)}
    for family in in_order(by_family):
        number = f"Mistake {family.number}: " if family.number else ""
        yield _paint(_BOLD, number + family.title, color)
        for rule in by_family[family.name]:
            line = f"  {rule.id:<{names}}  {rule.severity:<8}  {_shown(rule):<8}  {read(rule.doc).title.rstrip('.')}"
            yield line if len(line) <= width else line[: max(width, names + 30) - 1] + "…"
        yield ""


def _shown(rule: Rule) -> str:
    return {"core": "default", "strict": "strict"}.get(rule.shown, "by name")


def _explain(rule: Rule, width: int, color: bool) -> Iterator[str]:
    doc = read(rule.doc)
    yield _paint(_BOLD, rule.id, color)
    yield textwrap.fill(doc.title, width)
    yield ""
    yield _paint(_DIM, textwrap.fill(_facts(rule), width), color)
    for paragraph in doc.why:
        yield ""
        yield textwrap.fill(paragraph, width)
    if doc.mend:
        yield ""
        yield _paint(_BOLD, "Mend", color)
        yield textwrap.fill(doc.mend, width)
    for title, style, examples in (("Bad", _RED, doc.bad), ("Good", _GREEN, doc.good)):
        for example in examples:
            yield from _example(title, style, example, color)
    for option in rule.options:
        yield ""
        yield f'Option options."{rule.id}".{option.name} = {option.default!r}: {option.help}'
    if doc.links:
        yield ""
        yield from doc.links


def _facts(rule: Rule) -> str:
    shown = {"core": "shown by default", "strict": "shown with --strict"}.get(rule.shown, "shown when selected by name")
    cwe = [f"CWE-{number}" for number in rule.cwe]
    return " · ".join([f"severity {rule.severity}", shown, *cwe, *rule.owasp])


def _example(title: str, style: str, example: Example, color: bool) -> Iterator[str]:
    yield ""
    yield _paint(style, title, color) + (f" ({example.caption})" if example.caption else "")
    yield ""
    for line in example.code.split("\n"):
        yield f"    {line}".rstrip()


def _paint(style: str, text: str, color: bool) -> str:
    return f"{style}{text}{_RESET}" if color else text
