"""Password hashes whose parameters make them cheap to try."""

from __future__ import annotations

import re
from collections.abc import Iterator

from backaudit.analyses.passwords import costs
from backaudit.analyses.passwords.label import NamedPassword
from backaudit.analyses.passwords.stores import speaks_of_passwords
from backaudit.backend.data.queries import call_place
from backaudit.backend.deployment.django_settings import django_setting
from backaudit.backend.deployment.settings import settings_named
from backaudit.facts import ops
from backaudit.facts.place import Place
from backaudit.flow.trace import Trace
from backaudit.project import ClassView, Node, Project
from backaudit.project.code import SERVING
from backaudit.project.declarations import items, text

_WEAK_HASHERS = ("MD5", "SHA1", "Crypt", "Unsalted")
_OPTION = re.compile(r"(?:\w+__)?(?P<scheme>bcrypt(?:_sha256)?|pbkdf2_sha(?:256|512|1))__(?:default_)?rounds")
_METHOD = re.compile(r"pbkdf2:(?P<digest>\w+):(?P<iterations>\d+)|scrypt:(?P<n>\d+):(?P<r>\d+):(?P<p>\d+)")
_Weak = Iterator[tuple[Node, str]]


def cheap_hashes(project: Project) -> Iterator[tuple[Place, str]]:
    """(where, what is so) of hashes that are made, or set up, with too little work."""
    for found in (_bcrypt, _contexts, _pbkdf2, _scrypt, _cryptography, _argon2, _werkzeug):
        for call, what in found(project):
            if project.role(call.code.path) in SERVING:
                yield call_place(call), what
    yield from _django(project)
    yield from _flask(project)


def _bcrypt(project: Project) -> _Weak:
    for name, where in sorted(project.models.sinks["bcrypt-rounds"].items()):
        for call in project.calls(name):
            cost = costs.number(project, call.argument(where))
            what = costs.weak_bcrypt(cost) if cost is not None else None
            if what:
                yield call, what


def _contexts(project: Project) -> _Weak:
    """``CryptContext(bcrypt__rounds=4)`` and ``pbkdf2_sha256.using(rounds=1000)``."""
    for call in project.calls(*sorted(project.models.kinds["hash-contexts"])):
        for name, value in call.keywords().items():
            option = _OPTION.fullmatch(name)
            rounds = costs.number(project, value) if option else None
            what = _rounds(option["scheme"], rounds) if option and rounds is not None else None
            if what:
                yield call, what
    for name in sorted(project.models.kinds["pbkdf2-schemes"]):
        for call in project.calls(name):
            rounds = costs.number(project, call.arg(None, "rounds"))
            what = _rounds(name.split(".")[-2], rounds) if rounds is not None else None
            if what:
                yield call, what


def _rounds(scheme: str, rounds: int) -> str | None:
    if scheme.startswith("bcrypt"):
        return costs.weak_bcrypt(rounds)
    return costs.weak_pbkdf2(scheme.rpartition("_")[2], rounds)


def _pbkdf2(project: Project) -> _Weak:
    for call in project.calls("hashlib.pbkdf2_hmac"):
        digest, given = call.arg(0, "hash_name"), call.arg(1, "password")
        name = text(project, digest)
        iterations = costs.number(project, call.arg(3, "iterations"))
        if not name or iterations is None or given is None:
            continue
        what = costs.weak_pbkdf2(name, iterations)
        if what and _is_password(project, given, call):
            yield call, what


def _is_password(project: Project, node: Node, call: Node) -> bool:
    return next(Trace(project, NamedPassword(project)).origins(node, (), call.value), None) is not None


def _scrypt(project: Project) -> _Weak:
    for call in project.calls("hashlib.scrypt"):
        n, r, p = (costs.number(project, call.arg(None, name)) for name in "nrp")
        given = call.arg(0, "password")
        if n is None or r is None or given is None:
            continue
        what = costs.weak_scrypt(n, r, p or 1)
        if what and _is_password(project, given, call):
            yield call, what


def _cryptography(project: Project) -> _Weak:
    """Key derivation of `cryptography`, where the same body speaks of a password."""
    kinds = project.models.kinds
    for call in project.calls(*sorted(kinds["pbkdf2-derivations"])):
        algorithm, iterations = call.arg(0, "algorithm"), costs.number(project, call.arg(3, "iterations"))
        digest = algorithm.method if algorithm is not None else ""
        what = costs.weak_pbkdf2(digest, iterations) if iterations is not None else None
        if what and speaks_of_passwords(call.code):
            yield call, what
    for call in project.calls(*sorted(kinds["scrypt-derivations"])):
        n, r, p = (costs.number(project, call.arg(index, name)) for index, name in ((2, "n"), (3, "r"), (4, "p")))
        what = costs.weak_scrypt(n, r, p) if n is not None and r is not None and p is not None else None
        if what and speaks_of_passwords(call.code):
            yield call, what


def _argon2(project: Project) -> _Weak:
    """Hashers with parameters; what is not given is the library's default, which is sound."""
    for call in project.calls(*sorted(project.models.kinds["argon2-hashers"])):
        passes, memory = call.arg(None, "time_cost"), call.arg(None, "memory_cost")
        if passes is None and memory is None:
            continue
        t = costs.number(project, passes) if passes is not None else 3
        m = costs.number(project, memory) if memory is not None else 65_536
        what = costs.weak_argon2(m, t) if t is not None and m is not None else None
        if what:
            yield call, what


def _werkzeug(project: Project) -> _Weak:
    for call in project.calls(*sorted(project.models.kinds["hashes-by-method"])):
        method = call.arg(1, "method")
        known = project.constant(method) if method is not None else None
        found = _METHOD.fullmatch(known.text) if known is not None and known.text is not None else None
        what = None
        if found is not None and found["digest"]:
            what = costs.weak_pbkdf2(found["digest"], int(found["iterations"]))
        elif found is not None:
            what = costs.weak_scrypt(int(found["n"]), int(found["r"]), int(found["p"]))
        if what:
            yield call, what


def _django(project: Project) -> Iterator[tuple[Place, str]]:
    setting = django_setting(project, "PASSWORD_HASHERS")
    first = next(iter(items(setting.value)), None) if setting is not None else None
    name = first.text.rpartition(".")[2] if first is not None and first.text else ""
    if first is not None and any(word in name for word in _WEAK_HASHERS):
        yield first.place, f"`{name}`, the first of `PASSWORD_HASHERS`, is a fast hash, and new passwords get it"
    for cls in project.subclasses(*sorted(project.models.kinds.get("django-hashers", ()))):
        if project.role(cls.file.path) in SERVING:
            yield from _hasher_class(project, cls)


def _hasher_class(project: Project, cls: ClassView) -> Iterator[tuple[Place, str]]:
    lineage = project.lineage(cls.name)
    bcrypt = any("BCrypt" in owner for owner in lineage)
    digest = "SHA1" if any("SHA1" in owner for owner in lineage) else "SHA256"
    for field in ("iterations", "rounds"):
        bind = cls.fields.get(field)
        value = costs.number(project, bind) if bind is not None and isinstance(bind.op, ops.Bind) else None
        if bind is None or value is None or (field == "rounds") != bcrypt:
            continue
        what = costs.weak_bcrypt(value) if bcrypt else costs.weak_pbkdf2(digest, value)
        if what:
            yield bind.place, what


def _flask(project: Project) -> Iterator[tuple[Place, str]]:
    for setting in settings_named(project, "BCRYPT_LOG_ROUNDS"):
        cost = costs.number(project, setting.value)
        what = costs.weak_bcrypt(cost) if cost is not None else None
        if what:
            yield setting.place, what
