"""Literal credentials as rules meet them: each judged once by what it is, where it stands and what the file is for."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import msgspec

from backaudit.analyses.secrets.accounts import handed_over
from backaudit.analyses.secrets.told import Credential, finding_of
from backaudit.backend.access.markers import markers
from backaudit.backend.deployment.besides import loaded_besides
from backaudit.backend.deployment.deployables import is_deployable
from backaudit.backend.deployment.developing import is_for_developers
from backaudit.backend.deployment.stages import Stage, has_counterpart, is_among_tools, stage_of
from backaudit.discover import is_data
from backaudit.evidence import doubt
from backaudit.extract.secrets.values import judge
from backaudit.facts import ops
from backaudit.facts.files import FileFacts
from backaudit.facts.ops import Value
from backaudit.facts.place import Place, Span
from backaudit.facts.secrets import SecretHit, Strength
from backaudit.project import Code, Node, Project
from backaudit.project.operands import walk
from backaudit.rule import KNOWN, Assumed, Finding, assume
from backaudit.source import lines
from backaudit.vocabulary.meaning import meaning

_DEV_SCOPE = meaning("stages", "development-scope")
_TEST_SCOPE = meaning("stages", "test-scope")
_DEV_NAMES = meaning("stages", "development-switch")
_READ_ONLY_TEXT = meaning("files", "password-file")
# The stage of a Dockerfile that a compose file builds: one that builds the developers' is theirs.
_API_CLIENT = meaning("stages", "api-client")
_TOOLS = meaning("stages", "tool")
_SIGNING_NAME = meaning("tokens", "signing-name")
_ROWS_TOLD = 12
_RECORDS_TOLD = 1
# So few are told one by one.
_FEW = 3
_RECORDS = (".json", ".jsonl", ".yaml", ".yml", ".toml", ".xml", ".sql", ".csv")


def credentials(project: Project) -> tuple[Credential, ...]:
    """All credentials of tracked files that are worth showing to somebody, by place."""
    return project.once(_credentials)


def findings(project: Project, rule: str) -> Iterator[Finding]:
    """The findings of one rule of the family."""
    for credential in credentials(project):
        if credential.rule == rule:
            yield finding_of(project, credential)


def _credentials(project: Project) -> tuple[Credential, ...]:
    uses = project.once(_signing_uses)
    managed = any(True for _ in project.calls(*sorted(project.models.kinds.get("token_managers", ()))))
    found = []
    for path, hit in project.secrets():
        file = project.facts[path]
        stage = _stage(project, file, hit)
        assumed = _assumed(project, file, hit, stage) if _is_subject(file) else None
        if assumed is not None and (path, hit.span) not in project.once(markers):
            used = uses.by_span.get((path, hit.span), ()) or _uses_by_name(uses, hit)
            signs = bool(used) or (path, hit.span) in uses.by_span or (managed and hit.kind == "signing-key")
            rule = _rule(project, file, hit, signs)
            found.append(Credential(path, hit, rule, stage, assumed, used))
    known = {(credential.path, credential.hit.span) for credential in found}
    each = list(_grouped([*found, *_unnamed(project, uses, known), *_handed_over(project, known)]))
    return tuple(_shortened(each))


def _grouped(found: list[Credential]) -> Iterator[Credential]:
    """One credential that a file repeats is one finding, where it is used best."""
    groups: dict[tuple[str, str], list[Credential]] = {}
    for number, credential in enumerate(found):
        groups.setdefault((credential.path, credential.hit.digest or str(number)), []).append(credential)
    for group in groups.values():
        best = min(group, key=lambda one: (doubt(one.assumed), one.hit.position == "comment"))
        yield msgspec.structs.replace(best, again=tuple(one.hit for one in group if one is not best))


def _shortened(each: list[Credential]) -> Iterator[Credential]:
    """Of a long table of accounts the first passwords are told one by one, of records in a file only the surest;
    all the others are told with the last of them.
    """
    tables: dict[tuple[str, str], list[Credential]] = {}
    for one in each:
        if one.hit.position == "seed" or _is_of_a_record(one):
            tables.setdefault((one.path, one.hit.name), []).append(one)
    ends: dict[Credential, list[Credential]] = {}
    for table in tables.values():
        seeds = table[0].hit.position == "seed"
        told = _ROWS_TOLD if seeds else _RECORDS_TOLD
        table.sort(key=lambda one: (0 if seeds else doubt(one.assumed), one.hit.span))
        if len(table) > max(told, _FEW):
            ends[table[told - 1]] = table[told:]
    left_out = {one for rest in ends.values() for one in rest}
    for one in each:
        below = tuple(hit for other in ends.get(one, ()) for hit in (other.hit, *other.again))
        if one not in left_out:
            yield msgspec.structs.replace(one, below=below) if below else one


def _is_of_a_record(credential: Credential) -> bool:
    """Whether it is a field of one of many like it in a file of records."""
    return credential.path.endswith(_RECORDS) and bool(credential.hit.name)


def _is_subject(file: FileFacts) -> bool:
    """Whether a file's values are of this query: an env file that is not in git is where they belong."""
    return (file.tracked or file.kind != "env") and file.kind != "key" and not is_data(file.path)


# -- which rule --------------------------------------------------------------------------------------------------------


def _rule(project: Project, file: FileFacts, hit: SecretHit, signs: bool) -> str:
    if is_deployable(file):
        return "secret-in-deploy-file"
    if file.kind == "python" and _is_default(project, file.path, hit):
        return "insecure-env-default"
    if hit.kind == "url" and hit.detector != "URL":
        return "db-url-password"
    if hit.kind == "signing-key" and (signs or hit.position == "argument" or _SIGNING_NAME.holds(hit.name)):
        return "jwt-secret"
    return "hardcoded-secret"


def _is_default(project: Project, path: str, hit: SecretHit) -> bool:
    return hit.position == "env-default" or (hit.position == "field" and _in_settings_class(project, path, hit))


def _in_settings_class(project: Project, path: str, hit: SecretHit) -> bool:
    """Whether a class attribute is a setting that the environment may replace."""
    for cls in project.files[path].classes():
        if cls.cls.at.covers(hit.span.line) and any(
            base.rpartition(".")[2] == "BaseSettings" for base in project.lineage(cls.name)
        ):
            return True
    return False


_IN_A_COMMENT = assume("settings", "what stands in the comment is in use")
_DEVELOPING = assume("settings", "what is deployed uses the same value")
_GUESSED = assume("settings", "where it is deployed nothing puts another value in its place")
_ELSEWHERE = assume("stage", "the value is in use where it is deployed")
_PUBLISHED = assume("purpose", "the value is not meant to be published")
_TOLD_WITH_THE_FILE = assume("purpose", "the value is not told with its file")

# -- how sure ----------------------------------------------------------------------------------------------------------


def _stage(project: Project, file: FileFacts, hit: SecretHit) -> Stage:
    stage = "test" if _TOOLS.holds(file.path) else stage_of(project, file.path)
    if file.kind == "text" and not _READ_ONLY_TEXT.holds(file.path):
        return "example"
    if file.kind == "workflow":
        return "test"
    if stage == "production" and _runs_for_developers(project, file):
        return "development"
    if file.kind == "python" and stage == "production":
        return _stage_of_scope(project, file.path, hit)
    return stage


def _runs_for_developers(project: Project, file: FileFacts) -> bool:
    """Whether a file that deploys something does so on a developer's machine."""
    return is_for_developers(project, file.path) or (is_deployable(file) and is_among_tools(file.path))


def _stage_of_scope(project: Project, path: str, hit: SecretHit) -> Stage:
    scope = project.scope_at(path, hit.span.line)
    if _TEST_SCOPE.holds(scope):
        return "test"
    if _DEV_SCOPE.holds(scope) or project.once(_guarded_by_debug).get((path, hit.span)):
        return "development"
    return "production"


def _guarded_by_debug(project: Project) -> dict[tuple[str, Span], bool]:
    """The literals that only development reaches: ``if DEBUG: ...``."""
    found: dict[tuple[str, Span], bool] = {}
    for path in sorted({path for path, _ in project.secrets() if path in project.files}):
        spans = {hit.span for hit in project.facts[path].secrets}
        for index, function in enumerate(project.files[path].facts.functions):
            around = any(function.at.line <= span.line <= function.at.end_line for span in spans)
            if around or function.kind == "module":
                code = project.files[path].code(index)
                for value, op in enumerate(code.ops):
                    if op.at in spans and any(_is_debug_branch(code, region) for region in code.regions_of(value)):
                        found[(path, op.at)] = True
    return found


def _is_debug_branch(code: Code, region: ops.Region) -> bool:
    return region.kind == "then" and region.test != ops.NONE and _asks_debug(code.node(region.test))


def _asks_debug(test: Node) -> bool:
    op = test.op
    if isinstance(op, ops.Logic):
        return any(_asks_debug(test.to(value)) for value in op.values)
    if isinstance(op, ops.Compare):
        return op.operator in ("==", "in") and any(
            _DEV_NAMES.holds(text) for text in (test.to(op.right).text, test.to(op.left).text) if text
        )
    if isinstance(op, (ops.Attr, ops.Name, ops.Bind)):
        return _DEV_NAMES.holds(op.name)
    if isinstance(op, ops.Bin):
        return False
    call = test.call
    return call is not None and any(_DEV_NAMES.holds(arg.text or "") for arg in test.args())


def _assumed(project: Project, file: FileFacts, hit: SecretHit, stage: Stage) -> Assumed | None:
    strong = hit.strength == "strong"
    if hit.position == "comment":
        formed = hit.kind in ("provider", "private-key") and strong
        left = _IN_A_COMMENT if formed and stage == "production" else _ELSEWHERE
        return left if strong else None
    if stage in ("example", "test"):
        return _ELSEWHERE if strong else None
    if _is_published(file, hit):
        return _PUBLISHED
    # The file itself is reported, with the names of all that is in it.
    if file.kind == "env":
        return _TOLD_WITH_THE_FILE
    return _strong(project, file, hit, stage) if strong else _weak(project, file, hit, stage)


def _strong(project: Project, file: FileFacts, hit: SecretHit, stage: Stage) -> Assumed:
    if stage == "development" and hit.kind not in ("provider", "private-key"):
        beside = _has_deployed_sibling(project, file.path, hit) or _has_deployed_module(project, file)
        return _ELSEWHERE if beside else _DEVELOPING
    if file.kind == "notebook":
        return _DEVELOPING
    besides = loaded_besides(project, file.path) if file.kind == "python" else ""
    return assume("settings", f"`{besides}` puts no other value in its place") if besides else KNOWN


def _has_deployed_sibling(project: Project, path: str, hit: SecretHit) -> bool:
    """Whether the developers' class of settings stands beside another of the same base, that production uses."""
    classes = list(project.files[path].classes()) if path in project.files else []
    own = next((cls for cls in classes if cls.cls.at.covers(hit.span.line)), None)
    if own is None or not _DEV_SCOPE.holds(own.cls.name):
        return False
    bases = set(project.lineage(own.name)[1:]) - {"builtins.object", "object"}
    others = (cls for cls in classes if cls.name != own.name and bases & set(project.lineage(cls.name)[1:]))
    return any(not _DEV_SCOPE.holds(cls.cls.name) and not _TEST_SCOPE.holds(cls.cls.name) for cls in others)


def _has_deployed_module(project: Project, file: FileFacts) -> bool:
    """Whether the developers' module of settings stands beside one that production uses."""
    return file.kind == "python" and has_counterpart(project, file.path)


def committed_assumed(project: Project, file: FileFacts) -> Assumed | None:
    """How sure it is that an env or key file does harm in git; None if it holds nothing that would."""
    hits = [hit for hit in file.secrets if hit.position != "comment"]
    stage = stage_of(project, file.path)
    if not hits or stage == "example":
        return None
    if file.kind == "key" and (stage == "development" or is_among_tools(file.path)):
        return _ELSEWHERE  # of a certificate that nobody else trusts
    if "{{" in file.path:
        return _ELSEWHERE  # of the projects that a template is filled in for, not of this one
    strong = any(hit.strength == "strong" for hit in hits)
    if stage == "production" and file.kind == "env" and _leads_home(file):
        stage = "development"
    if stage == "production":
        return KNOWN if strong else _GUESSED
    return _DEVELOPING if strong and stage == "development" else _ELSEWHERE


def _leads_home(file: FileFacts) -> bool:
    """Whether the addresses in an env file that browsers are sent to are those of this very machine."""
    values = (line.partition("=")[2].strip("\"' ") for line in lines(file.text))
    hosts = [_host(value) for value in values if value.startswith("http")]
    named = [host for host in hosts if "." in host or _DEV_NAMES.holds(host)]
    return bool(named) and all(_DEV_NAMES.holds(host) or host.startswith("127.") for host in named)


def _host(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:  # brackets that are no address
        return ""


def _is_published(file: FileFacts, hit: SecretHit) -> bool:
    """Keys that browsers are given, and tokens that have long run out."""
    if hit.detector == "JSON Web Token" and hit.strength != "strong":
        return True
    return file.kind in ("template", "json") and hit.detector == "Google API key"


def _weak(project: Project, file: FileFacts, hit: SecretHit, stage: Stage) -> Assumed | None:
    if file.kind in ("notebook", "template", "key"):
        return None
    if stage == "development":
        return _ELSEWHERE
    if file.kind == "shell" or (file.kind == "dockerfile" and hit.strength == "placeholder"):
        return _ELSEWHERE
    if file.kind == "python" and _is_for_this_machine(project, file.path, hit):
        return _ELSEWHERE
    if hit.position == "env-default" and (hit.local or is_deployable(file)):
        return _ELSEWHERE
    if file.kind == "json" and (hit.kind == "token" or _API_CLIENT.holds(file.path)):
        return _ELSEWHERE
    # In the ini file of a tool (alembic's) it is the database of whoever ran that last.
    if hit.local and (file.kind == "ini" or project.role(file.path) != "production"):
        return _ELSEWHERE
    return _GUESSED


def _is_for_this_machine(project: Project, path: str, hit: SecretHit) -> bool:
    """Whether a default leads to the machine that it runs on, or is a script's that somebody runs there."""
    at_home = hit.local or project.role(path) == "script"
    return at_home and _is_default(project, path, hit)


# -- keys by their use -------------------------------------------------------------------------------------------------


class SigningUses(msgspec.Struct, frozen=True):
    """Where keys are handed over: by the literal that is the key, and by the name that a configuration has it under."""

    by_span: dict[tuple[str, Span], tuple[Place, ...]]
    by_name: dict[str, tuple[Place, ...]]
    literals: tuple[tuple[Node, Place], ...]


def _signing_uses(project: Project) -> SigningUses:
    sinks = _signing_sinks(project)
    by_span: dict[tuple[str, Span], tuple[Place, ...]] = {}
    by_name: dict[str, tuple[Place, ...]] = {}
    literals = []
    for call in project.calls(*sorted(sinks)):
        names = project.names(call.func) if call.func is not None else ()
        for key in _keys(call, next((sinks[name] for name in names if name in sinks), ())):
            source = project.resolved(key)
            place = call.func.place if call.func is not None else call.place
            for literal in _literals(source):
                where = (literal.code.path, literal.at)
                elsewhere = (place,) if literal != key.origin else ()
                by_span[where] = (*by_span.get(where, ()), *elsewhere)
                literals.append((literal, place if literal != key.origin else literal.place))
            name = _configured_name(source)
            if name:
                by_name[name] = (*by_name.get(name, ()), place)
    return SigningUses(by_span, by_name, tuple(literals))


def _signing_sinks(project: Project) -> dict[str, tuple[int | str, ...]]:
    """What is handed a key, the project's own classes among it."""
    sinks: dict[str, tuple[int | str, ...]] = dict(project.models.sinks.get("signing-key", {}))
    for name, arguments in sorted(sinks.items()):
        sinks.update((cls.name, arguments) for cls in project.subclasses(name))
    return sinks


def _keys(call: Node, wanted: tuple[int | str, ...]) -> Iterator[Node]:
    position = next((item for item in wanted if isinstance(item, int)), None)
    keyword = next((item for item in wanted if isinstance(item, str)), None)
    key = call.arg(position, keyword)
    if key is not None:
        yield key


def _literals(source: Node) -> Iterator[Node]:
    """The strings that a value may be: itself, an alternative's, or what a call is given."""
    return (node for node in walk(source, _alternatives) if isinstance(node.const, str))


def _alternatives(node: Node) -> tuple[Value, ...]:
    op = node.op
    if isinstance(op, ops.Logic):
        return op.values
    if not isinstance(op, ops.Call) or not node.is_call_of("hands-on"):
        return ()
    if node.method == "encode" and node.receiver is not None:
        return (node.receiver.value,)
    return op.args[1:2] if node.method in ("getenv", "get") else op.args[:1]


def _configured_name(source: Node) -> str:
    """``app.config["KEY"]`` and ``settings.KEY`` by their last name."""
    op = source.op
    if isinstance(op, ops.Item):
        return source.to(op.key).text or ""
    return op.name if isinstance(op, ops.Attr) and op.name.isupper() else ""


def _uses_by_name(uses: SigningUses, hit: SecretHit) -> tuple[Place, ...]:
    return uses.by_name.get(hit.name, ()) if hit.kind == "signing-key" and hit.name else ()


def _unnamed(project: Project, uses: SigningUses, known: set[tuple[str, Span]]) -> Iterator[Credential]:
    """Keys whose own name says nothing: their use tells."""
    for literal, place in uses.literals:
        where = (literal.code.path, literal.at)
        verdict = judge(literal.text or "")
        if where in known or verdict == "none" or literal.code.path not in project.files:
            continue
        known.add(where)
        strength: Strength = "strong" if verdict == "strong" else "weak"
        hit = SecretHit(literal.at, "signing-key", "", strength, "argument", (literal.at,))
        file = project.facts[literal.code.path]
        stage = _stage(project, file, hit)
        assumed = _assumed(project, file, hit, stage)
        if assumed is not None:
            used = (place,) if place != literal.place else ()
            yield Credential(file.path, hit, "jwt-secret", stage, assumed, used)


def _handed_over(project: Project, known: set[tuple[str, Span]]) -> Iterator[Credential]:
    """Passwords whose own file does not say that they are: the function that they are given to does."""
    for literal, hit in handed_over(project):
        where = (literal.code.path, literal.at)
        if where in known or literal.code.path not in project.files:
            continue
        known.add(where)
        file = project.facts[literal.code.path]
        stage = _stage(project, file, hit)
        assumed = _assumed(project, file, hit, stage)
        if assumed is not None:
            yield Credential(file.path, hit, _rule(project, file, hit, signs=False), stage, assumed)
