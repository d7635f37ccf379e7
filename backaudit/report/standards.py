"""Where the standards that rules cite are to be read: CWE, OWASP Top 10, OWASP API Security Top 10."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from backaudit.rule import Rule

PROJECT_URL = "https://github.com/backaudit/backaudit"
DOCUMENTATION_URL = "https://backaudit.github.io/backaudit"

_TOP10_2021 = (
    "Broken_Access_Control",
    "Cryptographic_Failures",
    "Injection",
    "Insecure_Design",
    "Security_Misconfiguration",
    "Vulnerable_and_Outdated_Components",
    "Identification_and_Authentication_Failures",
    "Software_and_Data_Integrity_Failures",
    "Security_Logging_and_Monitoring_Failures",
    "Server-Side_Request_Forgery_(SSRF)",
)
_TOP10_2025 = (
    "Broken_Access_Control",
    "Security_Misconfiguration",
    "Software_Supply_Chain_Failures",
    "Cryptographic_Failures",
    "Injection",
    "Insecure_Design",
    "Authentication_Failures",
    "Software_or_Data_Integrity_Failures",
    "Security_Logging_and_Alerting_Failures",
    "Mishandling_of_Exceptional_Conditions",
)
_API_2023 = (
    "broken-object-level-authorization",
    "broken-authentication",
    "broken-object-property-level-authorization",
    "unrestricted-resource-consumption",
    "broken-function-level-authorization",
    "unrestricted-access-to-sensitive-business-flows",
    "server-side-request-forgery",
    "security-misconfiguration",
    "improper-inventory-management",
    "unsafe-consumption-of-apis",
)


class Link(msgspec.Struct, frozen=True):
    """Something to read; ``url`` is http or https."""

    text: str
    url: str


def rule_url(rule: Rule) -> str:
    """The page of a built-in rule, made of its docstring. Empty for a third party's rule and for bandit's checks."""
    if rule.module.partition(".")[0] != "backaudit_rules" or rule.family == "bandit":
        return ""
    return f"{DOCUMENTATION_URL}/rules/{rule.id}/"


def standards(rule: Rule) -> tuple[Link, ...]:
    """Links for the rule's CWE and OWASP entries; an entry of an unknown list is left out."""
    return (*(_cwe(number) for number in rule.cwe), *_owasp(rule.owasp))


def _cwe(number: int) -> Link:
    return Link(f"CWE-{number}", f"https://cwe.mitre.org/data/definitions/{number}.html")


def _owasp(entries: tuple[str, ...]) -> Iterator[Link]:
    for entry in entries:
        url = _owasp_url(entry)
        if url:
            yield Link(f"OWASP {entry}", url)


def _owasp_url(entry: str) -> str:
    """``"A04:2025"`` or ``"API2:2023"`` to its page, empty when there is none."""
    code, _, year = entry.partition(":")
    api = code.startswith("API")
    digits = code[3:] if api else code[1:]
    names = {("2021", False): _TOP10_2021, ("2025", False): _TOP10_2025, ("2023", True): _API_2023}.get((year, api))
    if names is None or not digits.isdecimal() or not 1 <= int(digits) <= len(names):
        return ""
    number, name = int(digits), names[int(digits) - 1]
    if api:
        return f"https://owasp.org/API-Security/editions/2023/en/0xa{number:x}-{name}/"
    return f"https://owasp.org/Top10/{year}/A{number:02}_{year}-{name}/"
