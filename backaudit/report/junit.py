"""JUnit XML, which nearly every CI server shows: a suite for every rule that ran, a failed case for every finding."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree
from xml.etree.ElementTree import Element, SubElement

from backaudit.facts.problem import Problem
from backaudit.issue import Issue, Report
from backaudit.report.visible import inert_markup, visible, visible_name
from backaudit.report.wording import explanation, new_issues, place_of
from backaudit.rule import Rule
from backaudit.ruledoc import read


def render(report: Report, **options: object) -> str:
    """One ``testsuites`` element; a rule that found nothing is a case that passed."""
    suites = [*_suites(report)]
    root = Element("testsuites", name="backaudit")
    for count in ("tests", "failures", "errors"):
        root.set(count, str(sum(int(suite.get(count, "0")) for suite in suites)))
    root.extend(suites)
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="unicode")
    return inert_markup(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}\n')


def _suites(report: Report) -> Iterator[Element]:
    found: dict[str, list[Issue]] = {}
    for issue in new_issues(report):
        found.setdefault(issue.rule.id, []).append(issue)
    rules = {rule.id: rule for rule in report.rules} | {of[0].rule.id: of[0].rule for of in found.values()}
    for id in sorted(rules):
        yield _suite(rules[id], found.get(id, ()))
    if report.problems:
        yield _not_analysed(report.problems)


def _suite(rule: Rule, issues: Sequence[Issue]) -> Element:
    suite = _counted(rule.id, tests=len(issues) or 1, failures=len(issues))
    if not issues:
        SubElement(suite, "testcase", name=visible(read(rule.doc).title or rule.id), classname=rule.id)
    for issue in issues:
        place = issue.finding.place
        case = SubElement(
            suite,
            "testcase",
            name=place_of(issue),
            classname=rule.id,
            file=visible_name(place.path),
            line=str(place.span.line),
        )
        failure = SubElement(case, "failure", message=visible(issue.finding.message), type=issue.severity)
        failure.text = visible(f"{place_of(issue)}\n{explanation(issue)}")
    return suite


def _not_analysed(problems: Sequence[Problem]) -> Element:
    suite = _counted("not analysed", tests=len(problems), errors=len(problems))
    for problem in problems:
        name = visible_name(problem.path) or "backaudit"
        case = SubElement(suite, "testcase", name=f"{name}:{problem.line or 1}", classname=problem.kind)
        SubElement(case, "error", message=visible(problem.message), type=problem.kind)
    return suite


def _counted(name: str, *, tests: int, failures: int = 0, errors: int = 0) -> Element:
    return Element("testsuite", name=name, tests=str(tests), failures=str(failures), errors=str(errors))
