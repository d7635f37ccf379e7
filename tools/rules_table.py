"""Writes what docs/ has of the rules, their table and the schemas; ``--check`` only says what is out of date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from backaudit import plugins, ruledoc
from backaudit.config import schema as config
from backaudit.report import json as report
from backaudit.report.jsontext import json_text
from backaudit.report.mistakes import Family, in_order
from backaudit.rule import Rule
from backaudit.rulenames import RuleNames

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "rules.md"
SCHEMAS = ROOT / "docs" / "schemas"
BEGIN, END = "<!-- rules:begin -->", "<!-- rules:end -->"
# Bandit's checks are one data table of some seventy rows that bandit itself documents.
COUNTED = "bandit"


def table(rules: Iterable[Rule]) -> str:
    """The Markdown of all rules by family; the families with one row a rule, bandit's as one line."""
    by_family: dict[str, list[Rule]] = {}
    for rule in sorted(rules, key=lambda rule: rule.id):
        by_family.setdefault(rule.family, []).append(rule)
    return "\n".join(line for family in in_order(by_family) for line in _section(family, by_family[family.name]))


def _section(family: Family, rules: list[Rule]) -> Iterator[str]:
    yield f"### {family.number + ' ' if family.number else ''}{family.title}"
    yield ""
    if family.name == COUNTED:
        shown = sum(rule.shown == "core" for rule in rules)
        yield f"{len(rules)} checks of [bandit](https://bandit.readthedocs.io), {shown} of them shown by default;"
        yield "`backaudit rules --select bandit` lists them."
    else:
        yield "| rule | severity | shown | CWE | what it finds |"
        yield "| --- | --- | --- | --- | --- |"
        for rule in rules:
            cwe = ", ".join(f"[{number}](https://cwe.mitre.org/data/definitions/{number}.html)" for number in rule.cwe)
            title = ruledoc.read(rule.doc).title.rstrip(".").replace("|", "\\|")
            shown_by = "default" if rule.shown == "core" else "`--strict`"
            yield f"| `{rule.id}` | {rule.severity} | {shown_by} | {cwe or '—'} | {title} |"
    yield ""


def with_table(page: str, rules: Iterable[Rule]) -> str:
    """The page's text with what stands between the markers replaced; ValueError if a marker is missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"rules.md lacks {BEGIN} or {END}")
    return f"{head}{BEGIN}\n{table(rules)}{END}{tail}"


def pages() -> dict[Path, str]:
    """All that is made of the rules, as it ought to be."""
    loaded = plugins.load(reraise=True).rules
    own = [rule for rule in loaded if rule.module.partition(".")[0] in ("backaudit_rules", "backaudit")]
    return {
        PAGE: with_table(PAGE.read_text("utf-8"), own),
        SCHEMAS / "config.json": json_text(config.schema(RuleNames(own))),
        SCHEMAS / "report.json": json_text(report.schema()),
    }


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if a page is out of date")
    options = parser.parse_args(arguments)
    outdated = {page: text for page, text in pages().items() if not page.exists() or page.read_text("utf-8") != text}
    for page, text in outdated.items():
        if options.check:
            print(f"{page.relative_to(ROOT)}: out of date; run python -m tools.rules_table", file=sys.stderr)
        else:
            page.parent.mkdir(exist_ok=True)
            page.write_text(text, "utf-8")
    return int(options.check and bool(outdated))


if __name__ == "__main__":
    sys.exit(main())
