"""passwords/weak-hash."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.passwords.label import NamedPassword
from backaudit.analyses.passwords.schemes import weak_choices
from backaudit.facts import ops
from backaudit.facts.place import Place, Span
from backaudit.flow.rows import is_model
from backaudit.flow.search import Search
from backaudit.flow.trace import Access, Goal, Trace
from backaudit.project import Node, Project
from backaudit.project.code import SERVING
from backaudit.rule import Finding, Step, rule
from backaudit.source import lines
from backaudit.vocabulary.names import means_person, names_people

_IN_SQL = re.compile(r"\b(md5|sha1|sha256|sha224|sha384|sha512|sha2|password)\s*\(\s*'", re.I)
_INSERT = re.compile(r"\binsert\s+into\s+([\w.\"`]+)", re.I)
_MACS = frozenset({"hmac.new", "hmac.digest"})


@rule(
    "passwords/weak-hash",
    severity="high",
    cwe=916,
    owasp=("A04:2025", "A02:2021", "API2:2023"),
)
def weak_hash(project: Project) -> Iterator[Finding]:
    """A fast hash protects passwords.

    MD5 and the SHA family are made to be fast: one graphics card tries billions of guesses a second, and without a salt
    one table of results opens every account at once. A leaked table of such hashes is a leaked table of passwords.

    Mend: use a password hash, which is slow, salted and has its parameters in the result: Argon2id (`argon2-cffi`,
    `pwdlib`), bcrypt, or scrypt. Verify old hashes once more at the next login and store the new one then.

    Bad:
        import hashlib

        def hash_password(password: str) -> str:
            return hashlib.sha256(password.encode()).hexdigest()

    Good:
        import bcrypt

        def hash_password(password: str) -> str:
            return bcrypt.hashpw(password.encode(), bcrypt.gensalt()).decode()

    Links:
        https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    """
    yield from _hash_calls(project)
    yield from _chosen(project)
    yield from _seeds(project)


def _hash_calls(project: Project) -> Iterator[Finding]:
    weak = [name for name, strength in project.models.hashers.items() if strength == "weak"]
    for call in project.calls(*sorted(weak)):
        if project.role(call.code.path) not in SERVING:
            continue
        arguments = [*call.args(), *_updates(call)]
        found = (origin for node in arguments for origin in Trace(project, NamedPassword(project)).origins(node))
        origin = next((one for one in found if not (_is_mac(project, call) and _is_stored(project, one.node))), None)
        if origin is not None and not _is_harmless(project, call):
            name = call.spelled.removesuffix("()")
            yield Finding(
                place=call.place,
                message=f"`{name}` is a fast hash, and what it hashes is a password.",
                trace=(*origin.steps, Step(call.place, f"is hashed with `{name}`")),
            )


def _is_mac(project: Project, call: Node) -> bool:
    return call.func is not None and not _MACS.isdisjoint(project.names(call.func))


def _is_stored(project: Project, node: Node) -> bool:
    """Whether a password is a row's own: a keyed MAC over it signs what was stored, and stores nothing."""
    op = node.op
    if not isinstance(op, ops.Attr):
        return False
    base = node.to(op.base)
    types = project.types(base)
    return any(is_model(project, name) for name in types) if types else means_person(base.spelled.rpartition(".")[2])


def _updates(call: Node) -> Iterator[Node]:
    """What ``h = hashlib.md5(); h.update(x)`` adds."""
    code = call.code
    for effect in code.effects.get(call.value, ()):
        node = code.node(effect)
        if node.method == "update":
            yield from node.args()


class _Digest(Goal):
    def __init__(self, digest: Node) -> None:
        self._digest = digest

    def source(self, search: Search, node: Node, access: Access) -> str | None:
        return "the digest" if node == self._digest else None

    def through(self, search: Search, call: Node) -> Iterator[Node]:
        receiver = call.receiver
        return iter([*call.args(), *([receiver] if receiver is not None else [])])


def _is_harmless(project: Project, call: Node) -> bool:
    """Whether a slow hash takes the digest in, or it only asks whether the password is known to have leaked."""
    strong = {name for name, strength in project.models.hashers.items() if strength == "strong"}
    for node in call.code.nodes(ops.Call):
        takes = node.func is not None and not strong.isdisjoint(project.names(node.func))
        if takes and any(next(Trace(project, _Digest(call)).origins(arg), None) for arg in node.args()):
            return True
    texts = (op.value for op in call.code.ops if isinstance(op, ops.Const) and isinstance(op.value, str))
    return any("pwned" in text for text in texts) or "pwned" in call.code.function.qualname.lower()


def _chosen(project: Project) -> Iterator[Finding]:
    """What a good library is told to hash with."""
    for choice in weak_choices(project):
        yield Finding(place=choice.place, message=choice.message)


def _seeds(project: Project) -> Iterator[Finding]:
    """Rows of users that SQL files fill with fast hashes."""
    for file in project.artefacts("sql"):
        if project.role(file.path) == "test":
            continue
        inserting = False
        for number, line in enumerate(lines(file.text), 1):
            filled = _INSERT.search(line)
            inserting = names_people(filled.group(1)) if filled is not None else inserting
            found = _IN_SQL.search(line) if inserting else None
            if found is not None:
                span = Span(number, found.start(), number, found.start() + len(found.group(1)))
                message = f"A user's password is stored as `{found.group(1).lower()}`, a fast hash."
                yield Finding(place=Place(file.path, span), message=message)
            inserting = inserting and ";" not in line
