"""Writes the table of rules between the markers in docs/rules.md; ``--check`` only says whether it is up to date."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from backaudit import plugins, ruledoc
from backaudit.report.mistakes import Family, in_order
from backaudit.rule import Rule

PAGE = Path(__file__).resolve().parent.parent / "docs" / "rules.md"
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


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 if the table is out of date")
    options = parser.parse_args(arguments)
    before = PAGE.read_text("utf-8")
    own = [
        rule
        for rule in plugins.load(reraise=True).rules
        if rule.module.partition(".")[0] in ("backaudit_rules", "backaudit")
    ]
    after = with_table(before, own)
    if options.check:
        if after != before:
            print("docs/rules.md: the table of rules is out of date; run python -m tools.rules_table", file=sys.stderr)
        return int(after != before)
    PAGE.write_text(after, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
