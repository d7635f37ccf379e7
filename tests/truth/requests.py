"""Findings on errors, held against the running application: what is named is sent, and every 500 is asked for.

    python -m tests.truth.requests [FOLDER | FOLDER@PYTHON ...]

Each application is started in a process of its own (``served.py``) on a copy of its folder, under PYTHON, with a
temporary database and without a network. The request of every finding is sent: does it give what we say? Then every
route is sent bad requests (wrong types, missing keys, nulls, unknown keys, duplicates, empty and huge values, another
content type, broken JSON, letters of other alphabets, no session): was every 500 predicted? Without folders the
applications of ``fixtures/apps`` are asked.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, urlencode

import msgspec

from backaudit import plugins
from backaudit.analyses.errors.requests.composing import Draft, composed
from backaudit.analyses.errors.requests.wishes import Wish
from backaudit.backend.endpoints import running
from backaudit.backend.web.inputs.records import Scalar
from backaudit.backend.web.records import UNMOUNTED, Route, Where
from backaudit.backend.web.routes import routes
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.facts.requests import FORM, JSON, Application, Request
from backaudit.project import Code, Project
from backaudit.project.locate import functions_behind
from backaudit.report.requests import target
from backaudit.rule import Finding
from tests.truth.routes import linked

SCRIPT = Path(__file__).with_name("served.py")
APPS = Path(__file__).resolve().parent.parent.parent / "fixtures" / "apps"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
KINDS = {"fastapi": "asgi", "starlette": "asgi", "flask": "flask", "django": "django", "ninja": "django"}
HUGE = "x" * 5000
NO_OBJECTS = ('{"broken', "null", "[]", '"text"', "7", "")
# What JSON has beside texts and numbers.
_ODD: tuple[Any, ...] = ([], {})
_WHOLE: tuple[Where, ...] = ("body", "form")
_TAKEN = re.compile(r"another row whose `(?P<name>\w+)` is (?P<value>.+)")
_LOGIN = re.compile(r"log_?in|sign_?in|token|auth", re.IGNORECASE)
_JOINING = re.compile(r"register|sign_?up|join|users?/?$|create", re.IGNORECASE)
_OUTSIDE = frozenset(
    "ConnectionError ConnectionRefusedError gaierror ConnectError SMTPException SMTPServerDisconnected OSError "
    "TooLong MemoryError TemplateNotFound TemplateDoesNotExist NoSuchModuleError StreamConsumed UnknownHashError "
    "ModuleNotFoundError".split()
)
_NAMED = re.compile(
    r"""(?:getenv|environ\.get|environ\[|environ\.setdefault|\bconfig|\benv(?:\.\w+)?)\s*[(\[]?\s*["']([A-Z][A-Z0-9_]+)["']"""
)
_BY_NAME = (
    (re.compile("DATABASE_UR|DB_UR|SQLALCHEMY"), "sqlite:///rows.sqlite3"),
    (re.compile("RATELIMIT|LIMITER"), "memory://"),
    (re.compile("MONGO"), "mongodb://localhost:27017/rows"),
    (re.compile("REDIS|BROKER|RESULT_BACKEND"), "redis://localhost:6379/0"),
    (re.compile("UR[LI]|ORIGIN"), "https://example.com"),
    (re.compile("PORT|MINUTE|EXPIRE|SECOND|DAYS|HOUR|TTL|LENGTH|SIZE|LIMIT|ROUND|MAX|MIN_"), "30"),
    (re.compile("ALGORITHM"), "HS256"),
    (re.compile("DEBUG|TLS|SSL|_USE_|ENABLE"), "False"),
    (re.compile("MAIL"), "someone@example.com"),
)
_SECRET = "text-of-a-sandbox-0123456789abcdef0123"


class Sent(NamedTuple):
    """A request with what it is for: a finding's, or one that was made up. ``second``: what another row has already is
    what the second of the two rows has.
    """

    request: Request
    finding: Finding | None = None
    login: bool = False
    second: bool = False


class Answered(NamedTuple):
    """What came back: ``raised`` are the classes of the exception, ``frames`` the project's lines it came by."""

    sent: Sent
    status: int
    raised: tuple[str, ...]
    frames: tuple[tuple[str, int], ...]
    said: str = ""
    inside: bool = True

    @property
    def exception(self) -> str:
        return self.raised[0] if self.raised else ""

    @property
    def is_of_driver(self) -> bool:
        """Whether the database's driver refused a number of more than 64 bits, which no column holds."""
        return "OverflowError" in self.raised or "too large to convert" in self.said or "OverflowError" in self.said

    @property
    def is_of_library(self) -> bool:
        """Whether a library that reads forms, or arguments, stumbled by itself over JSON that is no object."""
        request = self.sent.request
        return not self.inside and request.content_type == JSON and request.body in NO_OBJECTS

    @property
    def is_of_server(self) -> bool:
        """Whether a finding says so of PostgreSQL, and the SQLite of the sandbox has taken it."""
        return self.sent.finding is not None and self.sent.request.raises == "DataError" and self.status < 500

    @property
    def is_outside(self) -> bool:
        """Whether the sandbox, not the client, is what failed: nobody answers behind a socket."""
        return not _OUTSIDE.isdisjoint(self.raised) or "sandbox" in self.said or "no such table" in self.said


class Row(msgspec.Struct):
    """A line of the table."""

    framework: str
    exception: str
    true: int = 0
    unreached: int = 0
    predicted: int = 0
    missed: int = 0


class Outcome(NamedTuple):
    """One application, asked: the named requests and whether they hold, the real 500s and whether they were predicted.

    ``outside``: what failed since the sandbox has no other server; ``driver``: numbers that no column holds;
    ``libraries``: bodies that no code of the project has read; ``server``: what PostgreSQL alone is said to refuse.
    """

    name: str
    framework: str
    findings: int
    named: tuple[tuple[Answered, bool], ...]
    real: tuple[tuple[Answered, bool], ...]
    outside: tuple[Answered, ...]
    driver: tuple[Answered, ...]
    libraries: tuple[Answered, ...]
    sent: int
    ready: Any = None
    server: tuple[Answered, ...] = ()


# -- what is sent -----------------------------------------------------------------------------------------------------


def findings(project: Project) -> list[tuple[str, Finding]]:
    """The findings on errors, by rule."""
    loaded = plugins.load_families(frozenset({"errors"}))
    return [(rule.id, found) for rule in loaded.rules for found in rule.check(project)]


def _asked_by_name(found: Iterable[Finding]) -> Iterator[Sent]:
    """What findings name: as it stands, with a caller where a body may ask for one itself, and with values that no row
    of the sandbox has where the finding does not ask for one that is taken.
    """
    for finding in found:
        request = finding.request
        if request is not None:
            yield Sent(request, finding, bool(request.caller))
            if not request.caller:
                yield Sent(request, finding, True)
            if any(map(_TAKEN.fullmatch, request.rows)):
                yield Sent(request, finding, bool(request.caller), True)
            fresh = _fresh(request)
            if fresh is not None:
                yield Sent(fresh, finding, True)


def _fresh(request: Request) -> Request | None:
    """The request with texts that no row has yet; None where it has none, or is about what a row has."""
    if request.before is not None or any(_TAKEN.fullmatch(row) for row in request.rows):
        return None
    if request.content_type == JSON and request.body.startswith("{") and request.body.endswith("}"):
        body = json.dumps({name: _unlike(value) for name, value in json.loads(request.body).items()})
    elif request.content_type == FORM:
        body = urlencode([(name, _unlike(value)) for name, value in parse_qsl(request.body, keep_blank_values=True)])
    else:
        return None
    return msgspec.structs.replace(request, body=body) if body != request.body else None


def _unlike(value: Any) -> Any:
    """A usual value of a request as no row has it; another is what the finding is about."""
    if value == "text":
        return "words"
    return f"other-{value}" if isinstance(value, str) and value.endswith("@example.com") else value


def bad_requests(project: Project) -> Iterator[Request]:
    """Requests that no client should send, for every route and method."""
    for route in project.once(routes):
        if UNMOUNTED in route.tags or route.framework not in KINDS:
            continue
        for method in [name for name in METHODS if not route.methods or name in route.methods]:
            yield from _of_route(project, route, method)


def _of_route(project: Project, route: Route, method: str) -> Iterator[Request]:
    valid = _made(Draft(project, route, method))
    if valid is None:
        return
    yield valid
    yield valid
    for where, name in _inputs(Draft(project, route, method)):
        for value in _values(where):
            yield from _with(project, route, method, Wish("equal", where, name, value))
        yield from _with(project, route, method, Wish("unknown", where, name))
        if where != "path":
            yield from _with(project, route, method, Wish("absent", where, name))
        if where == "body":
            yield from _with(project, route, method, Wish("null", where, name))
            for odd in _ODD:
                yield from _with(project, route, method, Wish("equal", where, name, odd))
    if valid.content_type:
        yield from _other_bodies(valid)


def _inputs(draft: Draft) -> list[tuple[Where, str]]:
    found: dict[tuple[str, str], None] = {}
    for one in draft.known:
        if one.name:
            found[one.where, one.name] = None
    for where in _WHOLE:
        whole = draft.whole.get(where)
        if isinstance(whole, dict):
            found.update(dict.fromkeys((where, name) for name in whole))
    return [(cast("Where", where), name) for where, name in found if where not in ("file", "cookie")]


def _values(where: str) -> tuple[Scalar, ...]:
    if where == "path":
        return ("abc", "0", "-1", "999999", "99999999999999999999", "é☃", "x" * 300)
    if where == "header":
        return ("abc", "", "Bearer", "Bearer abc", "Basic abc")
    if where == "body":
        return ("abc", "", HUGE, "é☃", 7, -1, 999999, 99999999999999999999, True, 1.5)
    return ("abc", "", "-1", "0", "999999", "é☃", HUGE)


def _with(project: Project, route: Route, method: str, wish: Wish) -> Iterator[Request]:
    draft = Draft(project, route, method)
    draft.want(wish)
    made = _made(draft)
    if made is not None:
        yield made


def _other_bodies(valid: Request) -> Iterator[Request]:
    kinds = [pair for pair in valid.headers if pair[0] != "Content-Type"]
    for body in NO_OBJECTS:
        yield msgspec.structs.replace(valid, body=body, headers=(*kinds, ("Content-Type", JSON)))
    yield msgspec.structs.replace(valid, headers=(*kinds, ("Content-Type", "text/plain")))
    yield msgspec.structs.replace(valid, body="", headers=(*kinds, ("Content-Type", FORM)))


def _made(draft: Draft) -> Request | None:
    return composed(draft, wrong="", raises="", at="", status=0, wanted=(), apart=None)


def _logins(project: Project) -> list[Request]:
    """The application's own registrations and logins, by which a caller is known."""
    found: list[tuple[int, Request]] = []
    for route in project.once(routes):
        if "POST" not in (route.methods or ("POST",)) or UNMOUNTED in route.tags or route.framework not in KINDS:
            continue
        made = _made(Draft(project, route, "POST"))
        words = f"{route.path} {route.handler.function.name}"
        is_login = _LOGIN.search(words) is not None and not _JOINING.search(words)
        if made is not None and ("Long-enough-9" in made.body or (is_login and not made.body)):
            found.append((2 if is_login else 1 if _JOINING.search(words) else 3, made))
    return [request for _, request in sorted(found, key=lambda pair: pair[0])]


# -- the process ------------------------------------------------------------------------------------------------------


def ask(
    folder: Path, job: dict[str, Any], python: str, variables: Mapping[str, str], folders: Sequence[str]
) -> tuple[Any, list[dict[str, Any]]]:
    """What the application answers; RuntimeError where it does not start."""
    with tempfile.TemporaryDirectory(prefix="backaudit-served-") as name:
        home = Path(name)
        copy = home / "app"
        shutil.copytree(folder, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", "node_modules", ".venv"))
        for wanted in folders:
            (copy / wanted).mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*_apart(), python, "-X", "utf8", str(SCRIPT)],
            input=json.dumps({**job, "folder": str(copy)}),
            env={**_environment(folder, home), **_own_packages(python), **variables},
            cwd=home,
            capture_output=True,
            text=True,
            timeout=1200,
        )
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if not lines:
        raise RuntimeError(done.stderr.strip()[-2000:] or f"exit code {done.returncode}")
    return lines[0]["ready"], lines[1:]


def _apart() -> list[str]:
    """A namespace without a network, where the system lets one be made."""
    command = ["unshare", "--map-root-user", "--net"]
    try:
        works = subprocess.run([*command, "true"], capture_output=True, timeout=10).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        works = False
    return command if works else []


def _environment(folder: Path, home: Path) -> dict[str, str]:
    found = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    for path in sorted(folder.rglob("*.py")):
        if "site-packages" not in path.parts:
            for name in _NAMED.findall(path.read_text("utf-8", "replace")):
                found.setdefault(name, _setting(name))
    for name in (".env.example", ".env.sample", ".env.template", "example.env", ".env"):
        for file in sorted(folder.rglob(name)):
            for line in file.read_text("utf-8", "replace").splitlines():
                key, sign, value = line.strip().removeprefix("export ").partition("=")
                if sign and re.fullmatch(r"[A-Za-z_]\w*", key) and key not in ("PATH", "HOME"):
                    given = value.strip().strip("\"'")
                    if given and "<" not in given and "DATABASE_URL" not in key:
                        found[key] = given
    return {
        **found, "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1",
        "DATABASE_URL": "sqlite:///rows.sqlite3", "PYTHONHASHSEED": "0",
    }  # fmt: skip


def _own_packages(python: str) -> dict[str, str]:
    """Where our own packages lie, for an application that is started under our interpreter."""
    if python != sys.executable:
        return {}
    return {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path.endswith(("site", "site-packages")))}


def _setting(name: str) -> str:
    return next(
        (value for pattern, value in _BY_NAME if pattern.search(name)), "text-of-a-sandbox-0123456789abcdef0123"
    )


# -- the comparison ---------------------------------------------------------------------------------------------------


def asked(
    folder: Path,
    python: str = sys.executable,
    *,
    application: Application | None = None,
    variables: Mapping[str, str] | None = None,
    folders: Sequence[str] = (),
) -> Outcome:
    """An application's findings held against it. RuntimeError where it does not start.

    ``variables`` and ``folders`` are what it wants to find beside its files.
    """
    project = linked(folder)
    found = findings(project)
    named = list(_asked_by_name(finding for _, finding in found))
    made = list(dict.fromkeys(bad_requests(project)))
    first = next((r for r in (*(s.request for s in named), *made) if r.application is not None), None)
    if first is None and application is None:
        raise RuntimeError("no application can be named")
    start = application or first.application  # type: ignore[union-attr]
    assert start is not None
    framework = first.framework if first is not None else "flask"
    if framework not in KINDS:
        raise RuntimeError(f"nobody can start applications of {framework}")
    guards = sorted({name.rpartition(".")[2] for r in (*(s.request for s in named), *made) for name in r.caller})
    generated = [Sent(request, None, bool(request.caller)) for request in _with_repeats(made)]
    unknown = [Sent(request) for request in _firsts(made) if request.caller]
    sent = [*named, *generated, *unknown]
    job = {
        "kind": KINDS[framework], "application": msgspec.to_builtins(start), "guards": guards,
        "logins": [_as_sent(request, False) for request in _logins(project)],
        "requests": list(_all_lines(sent)),
    }  # fmt: skip
    ready, answers = ask(folder, job, python, variables or {}, folders)
    got = _answered(sent, answers)
    return _compared(folder.name, framework, [f for _, f in found], got, len(sent), ready, _bodies(project))


def _bodies(project: Project) -> dict[str, list[Place]]:
    """What runs for each path, by the paths as they are declared."""
    found: dict[str, list[Place]] = {}
    for route in project.once(routes):
        bodies = [*running(project, route), *_decorating(project, route)]
        found.setdefault(route.path, []).extend(_extent(code) for code in bodies if code.ops)
    return found


def _decorating(project: Project, route: Route) -> Iterator[Code]:
    """What the handler's decorators put around it."""
    for decorator in route.handler.decorators:
        for made in functions_behind(project, decorator.func or decorator):
            yield made
            inner = (node.op.function for node in made.nodes(ops.Def) if isinstance(node.op, ops.Def))
            yield from (made.file.code(index) for index in inner)


def _extent(code: Code) -> Place:
    lines = [op.at.line for op in code.ops]
    return Place(code.path, Span(min(lines), 0, max(lines), 0))


def _firsts(made: Sequence[Request]) -> Iterator[Request]:
    seen: set[tuple[str, str]] = set()
    for request in made:
        if (request.method, request.route) not in seen:
            seen.add((request.method, request.route))
            yield request


def _with_repeats(made: Sequence[Request]) -> Iterator[Request]:
    """Each route's valid request twice: what it makes is there the second time."""
    seen: set[tuple[str, str]] = set()
    for request in made:
        yield request
        if (request.method, request.route) not in seen:
            seen.add((request.method, request.route))
            yield request


def _all_lines(sent: Sequence[Sent]) -> Iterator[dict[str, Any]]:
    """What is sent, line by line: what a finding names, and a route's made-up requests, meet the first rows again."""
    last: tuple[str, str] | None = None
    for one in sent:
        here = (one.request.method, one.request.route)
        fresh = one.finding is not None or here != last
        last = here
        for line in _lines(one):
            yield {**line, "fresh": fresh}
            fresh = False


def _lines(one: Sent) -> list[dict[str, Any]]:
    before = one.request.first
    several = [before, one.request] if before is not None else [one.request]
    return [_as_sent(request, one.login, one.second) for request in several]


def _as_sent(request: Request, login: bool, second: bool = False) -> dict[str, Any]:
    return {
        "method": request.method, "target": target(request), "headers": dict(request.headers),
        "body": request.body if second else _with_others(request), "login": login,
    }  # fmt: skip


def _with_others(request: Request) -> str:
    """The body, where it takes what another row has, with the value of the first of the two rows that there are."""
    body = request.body
    for row in request.rows:
        taken = _TAKEN.fullmatch(row)
        if taken is not None:
            name, value = taken["name"], taken["value"]
            head, at, tail = value.partition("@")
            body = body.replace(f'"{name}": "{value}"', f'"{name}": "{head}1{at}{tail}"')
    return body


def _answered(sent: Sequence[Sent], answers: Sequence[dict[str, Any]]) -> list[Answered]:
    left = iter(answers)
    found = []
    for one in sent:
        lines = [next(left, None) for _ in _lines(one)]
        last = lines[-1]
        if last is not None:
            frames = tuple((path, line) for path, line in last["frames"])
            found.append(
                Answered(
                    one, last["status"], tuple(last["raised"]), frames, last["said"] or last["body"], last["inside"]
                )
            )
    return found


def _compared(
    name: str,
    framework: str,
    found: Sequence[Finding],
    got: Sequence[Answered],
    sent: int,
    ready: Any,
    bodies: Mapping[str, Sequence[Place]],
) -> Outcome:
    server = tuple(one for one in got if one.is_of_server)
    named = _by_finding(one for one in got if one.sent.finding is not None and one not in server)
    real: dict[object, tuple[Answered, bool]] = {}
    apart: dict[str, dict[object, Answered]] = {"outside": {}, "driver": {}, "libraries": {}}
    for one in got:
        if one.status < 500 and one.status != 0:
            continue
        key = (one.sent.request.method, one.sent.request.route, one.exception, one.frames[-1:])
        predicted = _is_predicted(one, found, bodies.get(one.sent.request.route, ()))
        cause = _cause(one, found)
        if cause:
            apart[cause].setdefault(key, one)
        else:
            real.setdefault(key, (one, predicted))
    outside, driver, libraries = (tuple(apart[cause].values()) for cause in ("outside", "driver", "libraries"))
    return Outcome(
        name, framework, len(found), tuple(named), tuple(real.values()), outside, driver, libraries, sent, ready,
        server,
    )  # fmt: skip


def _by_finding(asked_by_name: Iterable[Answered]) -> list[tuple[Answered, bool]]:
    """For each finding whether its request gives what is said, in one of the ways in which it is sent."""
    found: dict[int, tuple[Answered, bool]] = {}
    for one in asked_by_name:
        first, held = found.get(id(one.sent.finding), (one, False))
        found[id(one.sent.finding)] = (one, True) if _holds(one) and not held else (first, held)
    return list(found.values())


def _cause(one: Answered, found: Sequence[Finding]) -> str:
    """Why a 500 is not counted; empty where it is."""
    told = any((finding.place.path, finding.place.span.line) in one.frames for finding in found)
    if one.is_outside:
        return "outside"
    if one.is_of_driver:
        return "driver"
    return "libraries" if one.is_of_library and not told else ""


def _holds(one: Answered) -> bool:
    request = one.sent.request
    return one.status == request.status


def _is_head(found: Span, body: Span) -> bool:
    """Whether a finding stands where a function begins: it is about the whole, whose answer a library refuses."""
    return body.line - 3 <= found.line <= body.line


def _is_predicted(one: Answered, found: Sequence[Finding], bodies: Sequence[Place]) -> bool:
    """Whether a finding says so: it stands where the exception came by, or names this route and such an exception; of
    what was caught, it stands in what runs for the route.
    """
    for finding in found:
        span, path = finding.place.span, finding.place.path
        if not one.raised and any(path == at.path and at.span.line <= span.line <= at.span.end_line for at in bodies):
            return True
        if any(path == frame and span.line - 1 <= line <= span.line + 4 for frame, line in one.frames):
            return True
        if not one.frames and any(path == at.path and _is_head(span, at.span) for at in bodies):
            return True
        request = finding.request
        same = request is not None and (request.route, request.method) == (
            one.sent.request.route,
            one.sent.request.method,
        )
        if (
            same
            and request is not None
            and (request.raises in one.raised or (not one.raised and request.status >= 500))
        ):
            return True
    return False


def _place(request: Request) -> tuple[str, str]:
    return request.method, request.route


# -- what is told -----------------------------------------------------------------------------------------------------


def rows(outcomes: Iterable[Outcome]) -> list[Row]:
    """The table, by framework and exception."""
    found: dict[tuple[str, str], Row] = {}

    def row(framework: str, exception: str) -> Row:
        return found.setdefault((framework, exception), Row(framework, exception or "(answers itself)"))

    for outcome in outcomes:
        for one, holds in outcome.named:
            here = row(outcome.framework, one.sent.request.raises or one.exception)
            here.true += holds
            here.unreached += not holds
        for one, predicted in outcome.real:
            here = row(outcome.framework, one.exception)
            here.predicted += predicted
            here.missed += not predicted
    return [found[key] for key in sorted(found)]


def table(outcomes: Sequence[Outcome]) -> str:
    """The table as text, with the two shares below it."""
    listed = rows(outcomes)
    lines = ["framework  exception                     named: true  not reached | real 500: predicted  missed"]
    lines += [
        f"{r.framework:<10} {r.exception:<32} {r.true:>8} {r.unreached:>12} | {r.predicted:>19} {r.missed:>7}"
        for r in listed
    ]
    true, unreached = sum(r.true for r in listed), sum(r.unreached for r in listed)
    predicted, missed = sum(r.predicted for r in listed), sum(r.missed for r in listed)
    lines.append(f"named requests that give what we say: {true} of {true + unreached} ({_share(true, unreached)})")
    lines.append(f"real 500s that were predicted: {predicted} of {predicted + missed} ({_share(predicted, missed)})")
    return "\n".join(lines)


def _share(part: int, rest: int) -> str:
    return f"{part / (part + rest):.1%}" if part + rest else "none"


def told(outcome: Outcome) -> Iterator[str]:
    """One application: what was sent, and what is not as we say."""
    true = sum(holds for _, holds in outcome.named)
    predicted = sum(known for _, known in outcome.real)
    yield (
        f"{outcome.name} ({outcome.framework}): {outcome.findings} findings name {len(outcome.named)} requests, {true} "
        f"true; {outcome.sent} sent, {len(outcome.real)} real 500s, {predicted} predicted; ready: {outcome.ready}"
    )
    for one, holds in outcome.named:
        if not holds:
            request = one.sent.request
            place = one.sent.finding.place if one.sent.finding is not None else None
            where = f"{place.path}:{place.span.line}" if place is not None else ""
            what = f"{request.method} {target(request)} {request.body[:120]} {request.wrong}"
            got = f"got {one.status} {one.exception} {one.said[:100]}"
            yield f"  not reached  {where}  {what}: said {request.status} {request.raises}, {got}"
    for one, known in outcome.real:
        if not known:
            request = one.sent.request
            where = ":".join(map(str, one.frames[-1])) if one.frames else "?"
            what = f"{request.method} {target(request)[:100]} {request.body[:120]}"
            yield f"  missed  {where}  {what}: {one.exception} {one.said[:120]!r}"
    counted = Counter(one.exception for one in outcome.outside)
    if counted:
        yield f"  of the sandbox: {dict(sorted(counted.items()))}"
    if outcome.driver:
        yield f"  numbers beyond 64 bits that the driver refuses: {len(outcome.driver)}"
    if outcome.server:
        yield f"  what PostgreSQL alone refuses, which is not asked here: {len(outcome.server)}"
    if outcome.libraries:
        yield f"  bodies that are no object, at which a library fails by itself: {len(outcome.libraries)}"


def main() -> int:
    wanted = sys.argv[1:] or [str(path) for path in sorted(APPS.iterdir()) if path.is_dir()]
    outcomes = []
    for argument in wanted:
        name, _, python = argument.partition("@")
        try:
            outcome = asked(Path(name).resolve(), python or sys.executable)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"{Path(name).name}: does not start: {str(error).splitlines()[-1][:300]}", flush=True)
            continue
        outcomes.append(outcome)
        print("\n".join(told(outcome)), flush=True)
    print(table(outcomes))
    return 0


if __name__ == "__main__":
    sys.exit(main())
