"""Reports to render: an ordinary one, and one in which every text is hostile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from backaudit.evidence import assume
from backaudit.facts.place import WHOLE_FILE, Place, Span
from backaudit.facts.problem import Problem
from backaudit.issue import ExcerptLine, Issue, Report
from backaudit.rule import Edit, Finding, Fix, Rule, Severity, Step, rule

HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
    "\"'><svg/onload=alert(1)> ]]> --> </style></script> {{7*7}} {% raw %} [here](https://evil.example/) {0}"
    " \x1b[31mred\x1b]8;;https://evil.example\x07 \x00 \x9b2J \u202egnp.exe \udcff"
)


def make_rule(id: str, severity: Severity = "high", doc: str = "", **more: Any) -> Rule:
    def check(project: Any) -> Iterator[Finding]:
        yield from ()

    check.__doc__ = doc or f"What {id} reports."
    check.__module__ = "backaudit_rules." + id.replace("/", ".").replace("-", "_")
    return rule(id, severity=severity, **more)(check)


WEAK_HASH = make_rule(
    "passwords/weak-hash",
    "high",
    """A fast hash protects a password.

    MD5 is built to be fast: a graphics card tries billions of candidates a second.

    Mend: use a password hasher such as `argon2-cffi`.

    Bad:
        # file: auth.py
        import hashlib

        digest = hashlib.md5(password).hexdigest()

    Good:
        # file: auth.py
        digest = PasswordHasher().hash(password)

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """,
    cwe=916,
    owasp=("A04:2025", "A02:2021", "API2:2023"),
)
SQL_INJECTION = make_rule("validation/sql-injection", "critical", cwe=89, owasp=("A05:2025", "A03:2021"))
BLANKET_500 = make_rule("errors/blanket-500", "medium", cwe=755, owasp=("A10:2025",), tags=("reliability",))
UNINDEXED = make_rule("indexes/unindexed-filter", "low", cwe=1067, owasp=("API4:2023",), tags=("performance",))
DEBUG_ON = make_rule("deploy/debug-on", "high", cwe=489, shown="strict")
RULES = (WEAK_HASH, SQL_INJECTION, BLANKET_500, UNINDEXED, DEBUG_ON)


def place(path: str, line: int, column: int = 4, end_column: int = 20, end_line: int = 0) -> Place:
    return Place(path, Span(line, column, end_line or line, end_column))


def make_issue(rule: Rule, where: Place, message: str = "Something is wrong here.", **more: Any) -> Issue:
    """An issue of ``rule``; ``more`` goes to the issue where it has such a field, else to its finding."""
    own = {name: more.pop(name) for name in Issue.__struct_fields__ if name in more}
    own.setdefault("fingerprint", f"{rule.name}-{where.path}-{where.span.line}-{where.span.column}")
    own.setdefault("severity", rule.severity)
    own.setdefault("status", "new")
    return Issue(rule=rule, finding=Finding(place=where, message=message, **more), **own)


def excerpt(first: int, lines: Sequence[str], spot: int, mark: tuple[int, int]) -> tuple[ExcerptLine, ...]:
    return tuple(ExcerptLine(first + i, text, mark if first + i == spot else None) for i, text in enumerate(lines))


def make_report(*issues: Issue, **more: Any) -> Report:
    settings: dict[str, Any] = {"root_name": "shop", "version": "1.2.3", "rules": RULES, "files": 7} | more
    return Report(issues=issues, **settings)


def ordinary(**more: Any) -> Report:
    """Findings of every severity, with traces, related places, fixes, problems and accepted findings."""
    return make_report(
        make_issue(
            SQL_INJECTION,
            place("app/search.py", 18, 11, 61),
            "The query parameter `q` becomes part of SQL text.",
            remedy="Pass `q` as a bound parameter.",
            scope="search",
            evidence="SELECT * FROM products WHERE name LIKE …",
            line_hash="271789c17abda88f:1",
            trace=(
                Step(place("app/search.py", 15, 11, 17), "`q` is a query parameter"),
                Step(place("app/search.py", 17, 4, 40), "it becomes part of `sql`"),
            ),
            related=(Step(place("app/models.py", 9, 0, 14), "the table is defined here"),),
            excerpt=excerpt(
                16,
                [
                    "    # all of them",
                    "    sql = f\"SELECT * FROM products WHERE name LIKE '%{q}%'\"",
                    "    return db.run(sql)",
                ],
                18,
                (11, 22),
            ),
        ),
        make_issue(
            WEAK_HASH,
            place("app/auth.py", 9, 11, 53),
            "`hashlib.md5` protects a password.",
            scope="hash_password",
            fixes=(
                Fix(
                    summary="Hash with Argon2id",
                    edits=(
                        Edit(place("app/auth.py", 9, 11, 53), "hasher.hash(password)"),
                        Edit(place("app/auth.py", 1, 0, 0), "from argon2 import PasswordHasher\n"),
                    ),
                ),
            ),
            excerpt=excerpt(9, ["    return hashlib.md5(password.encode()).hexdigest()"], 9, (11, 53)),
        ),
        make_issue(
            BLANKET_500,
            place("app/orders.py", 44, 4, 60, end_line=46),
            "A catch-all answers 500 whatever went wrong.",
            assumed=assume("word", "it is a secret"),
            excerpt=excerpt(43, ["        db.commit()", "    except Exception:", "        abort(500)"], 44, (4, 21)),
        ),
        make_issue(UNINDEXED, place("app/orders.py", 20), "`orders.customer_id` is filtered on and has no index."),
        make_issue(DEBUG_ON, Place("app/main file.py", WHOLE_FILE), "Debug mode is on."),
        make_issue(WEAK_HASH, place("app/old.py", 3), status="suppressed", justification="a checksum of a file"),
        make_issue(WEAK_HASH, place("app/old.py", 9), status="baseline"),
        problems=(
            Problem("app/py2.py", "unparsable", "the syntax is not Python 3: a print statement", 3),
            Problem("app/größe.py", "too-large", "20 MB, above the limit of 2 MB"),
        ),
        left_out=(("generated or minified", 3), ("virtual environment", 1204)),
        notes=("The configuration in api/pyproject.toml is not used.",),
        stale_baseline=("passwords/weak-hash app/gone.py login",),
        **more,
    )


def hostile() -> Report:
    """Every text that a scanned project or a third party's rule can choose is an attack."""
    doc = f"{HOSTILE}\n\nWhy {HOSTILE}\n\nMend: {HOSTILE}\n\nBad: {HOSTILE}\n    {HOSTILE}\n\nLinks:\n    javascript://x/%0aalert(1)"
    bad = make_rule("errors/hostile", "high", doc.replace("\x00", ""), cwe=79, owasp=("A99:2025", HOSTILE))
    spot = place(f"a/{HOSTILE}.py", 2, 0, 8)
    step = Step(spot, HOSTILE)
    found = {"remedy": HOSTILE, "scope": HOSTILE, "evidence": HOSTILE, "trace": (step, step), "related": (step,)}
    lines = excerpt(1, [HOSTILE, HOSTILE, HOSTILE * 40], 2, (0, 8))
    fixes = (Fix(summary=HOSTILE, edits=(Edit(spot, HOSTILE),)),)
    return make_report(
        make_issue(bad, spot, HOSTILE, fingerprint=HOSTILE, excerpt=lines, fixes=fixes, **found),
        make_issue(bad, spot, HOSTILE, status="suppressed", justification=HOSTILE, fingerprint="2"),
        root_name=HOSTILE,
        rules=(bad,),
        problems=(Problem(HOSTILE, "crash", HOSTILE, 2),),
        left_out=((HOSTILE, 2),),
        notes=(HOSTILE,),
        stale_baseline=(HOSTILE,),
    )


def many(number: int) -> Report:
    """``number`` findings over some hundred files, as a large project has them."""
    pattern = [issue for issue in ordinary().issues if issue.status == "new"]
    return make_report(*(_copy(pattern[index % len(pattern)], index) for index in range(number)))


def _copy(issue: Issue, index: int) -> Issue:
    where = place(f"app/module{index % 97}.py", 10 + index)
    finding = msgspec.structs.replace(issue.finding, place=where, fixes=())
    lines = excerpt(where.span.line, ["    value = call(argument)", "    return value"], where.span.line, (4, 20))
    return msgspec.structs.replace(issue, finding=finding, excerpt=lines, fingerprint=f"{index:016x}")
