"""Credentials in Python by position, name and value: one walk over the lowered bodies that hold a telling word."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

import msgspec

from backaudit.extract.secrets import detectors, literals
from backaudit.extract.secrets.admission import admit
from backaudit.extract.secrets.lines import Lines
from backaudit.extract.secrets.names import is_constant, kind_of_name
from backaudit.extract.secrets.seeds import seeds
from backaudit.extract.secrets.values import is_digest
from backaudit.facts import ops
from backaudit.facts.ops import NONE, AnyOp, Value
from backaudit.facts.place import Span
from backaudit.facts.python import Function, PythonFacts
from backaudit.facts.secrets import Position, SecretHit, SecretKind
from backaudit.vocabulary.guessing import word_set
from backaudit.vocabulary.meaning import meaning

# A body is decoded only if one of these stands in its lines.
STEMS = (
    "pass", "pwd", "_pw", "secret", "token", "key", "credential", "auth=", "contrase", "clave", "senha",
    "hmac", "fernet", "jwt", "signer", "serializer(", "hashpw", "authorization", "parola", "_dsn", "connect(", "login(",
    "create_user", "create_superuser", "appid", "users", "accounts", "client(", "_sk",
)  # fmt: skip
# Where a signing key is a positional argument: last name of the callee to its position.
_KEYS = {
    "Fernet": 0, "URLSafeTimedSerializer": 0, "URLSafeSerializer": 0, "TimedSerializer": 0, "TimestampSigner": 0,
    "JSONWebSignatureSerializer": 0, "TimedJSONWebSignatureSerializer": 0, "EncryptedCookieStorage": 0,
}  # fmt: skip
# ... and of methods of a module: (module, method).
_MODULE_KEYS = {
    ("jwt", "encode"): 1, ("jwt", "decode"): 1, ("jws", "sign"): 1, ("jws", "verify"): 1, ("hmac", "new"): 0,
    ("AES", "new"): 0, ("hmac", "digest"): 0,
}  # fmt: skip
_SEEDS = {
    "set_password": 0, "generate_password_hash": 0, "make_password": 0, "get_password_hash": 0, "hash_password": 0,
    "hashpw": 0, "create_user": 2, "create_superuser": 2, "encrypt_password": 0,
}  # fmt: skip
_PASSWORDS = {"login": 1, "HTTPBasicAuth": 1, "BasicAuth": 1, "HTTPDigestAuth": 1}
_PAIRS = word_set(
    """
    auth credentials basic_auth http_auth
    """
)
_GETTER = re.compile(
    r"(?i)(get)?_?env(iron)?(_?(var|str|get|or_default|default|value))?|config|(get_)?(secret|setting"
    r"|config)(_value)?|str"
)
_MAPPING_GETTERS = frozenset(("get", "setdefault", "pop"))
_ATTRIBUTE_GETTER = "getattr"
_SETTINGS = re.compile(r"(?i)environ|(^|_)(env|conf|config|settings?|secrets?)($|_)|(config|settings)$")
_WRAPPERS = word_set(
    """
    SecretStr SecretBytes Secret str bytes bytearray b64decode urlsafe_b64decode b64encode unhexlify fromhex
    """
)
_BROUGHT = re.compile(r"(?i)header|request|form|args|json|body|payload|cookie|param|query|meta")
_DATABASE_MODULE = re.compile(r"(?i)sql|db|connector|oracle|maria")
# As a method (``env.str("NAME")``) they read a value by name.
_BUILT_IN = frozenset(("str", "bytes"))
_FIELDS = word_set(
    """
    Field field Option Argument Form Header Cookie Query setting
    """
)
_CHAINED = word_set(
    """
    encode decode strip lower rstrip lstrip
    """
)
# Calls that use what they are given: a password that is a word is one there.
_CONNECTING = re.compile(
    r"connect|create_user|create_superuser|create_engine|pool|client|engine|redis|login|session$|smtp|database"
    r"|broker|basicauth|"
    r"from_mapping|^update$|configure|urlopen|update_or_create|get_or_create|conf",
    re.IGNORECASE,
)
_BESIDE = word_set(
    """
    host hostname user username engine port database db dbname login server is_admin is_superuser usuario address
    """
)
# Of these, what says where something is reached.
_ENDPOINT = _BESIDE & word_set("host hostname engine port database db dbname server address")
# What stands around a literal says that it is shown, not used.
_SHOWN = re.compile(
    r"example|sample|schema_extra|openapi|placeholder|help_text|description|error|message|translation|fixture|mock"
    r"|dummy",
    re.IGNORECASE,
)
_DSN_HINT = ("password=", "pwd=")
# Names of what may be a connection string.
_ADDRESS = re.compile(r"(?i)ur[il]s?$|dsn$|conn|broker|redis|mongo|database|backend|engine|^db|_db$|postgres|celery")
_PEOPLE = meaning("people", "literal-table")
_FIELDS_OF_PEOPLE = word_set(
    """
    id name email mail role roles first_name last_name phone age bio status type
    """
)
# So many words before a URL make a message that says what one looks like.
_SENTENCE = 5
# A URL whose user and password are in pieces of a literal.
_SPLIT_URL = re.compile(r"://[^\s\"'/]{0,80}[\"']\s*\\?\s*[rbufRBUF]{0,2}[\"']")
# A text of more pieces is built of one that doubles itself, and no credential.
_MOST_PIECES = 1_000
_ENUMS = ("Enum", "Choices", "Flag", "NamedTuple")
# The fields of such a class are what the program runs with where the environment says nothing else.
_SETTINGS_BASES = ("Settings",)


class Use(msgspec.Struct, frozen=True):
    """A literal where something gives it a name: a :class:`Const`, or several that are put together."""

    value: Value
    name: str
    kind: SecretKind | None
    position: Position
    free: bool = False
    env: str = ""


def find(text: Lines, facts: PythonFacts, also: tuple[int, ...]) -> Iterator[SecretHit]:
    """The credentials of a module, body by body; one that several names reach comes several times.

    ``also``: lines to look at whatever stands in them.
    """
    split = (text.at(found.start())[0] for found in _SPLIT_URL.finditer(text.text))
    lines = sorted({*_telling_lines(text), *split, *also})
    for index, function in enumerate(facts.functions):
        at = bisect_left(lines, function.at.line)
        if lines and (index == 0 or (at < len(lines) and lines[at] <= function.at.end_line)):
            yield from Body(text, facts, index).hits()


def _telling_lines(text: Lines) -> set[int]:
    lowered = text.text.lower()
    if len(lowered) != len(text.text):
        return set(range(1, len(text.starts) + 1))
    found: set[int] = set()
    for stem in STEMS:
        at = lowered.find(stem)
        while at >= 0:
            found.add(text.at(at)[0])
            end = lowered.find("\n", at)
            at = lowered.find(stem, end) if end >= 0 else -1
    return found


class Body:
    """One body of code under examination."""

    def __init__(self, text: Lines, facts: PythonFacts, index: int) -> None:
        self.text = text
        self.facts = facts
        self.index = index
        self.function: Function = facts.functions[index]
        self.ops: tuple[AnyOp, ...] = self.function.decode().ops

    def hits(self) -> Iterator[SecretHit]:
        for use in self._uses():
            hit = self._hit(use)
            if hit is not None:
                yield hit
        for body, value, name in seeds(self):
            hit = body._hit(Use(value, name, "password", "seed"))
            if hit is not None:
                yield hit

    @cached_property
    def module(self) -> Body:
        """The body of the module, whose constants the others use."""
        return self if self.index == 0 else Body(self.text, self.facts, 0)

    def seeding_position(self, callee: str) -> int | None:
        """Which argument of a function that hashes or makes an account is the password."""
        return _SEEDS.get(callee)

    def _uses(self) -> Iterator[Use]:
        for value, op in enumerate(self.ops):
            kind = type(op)
            if kind in _NAMING:
                yield from _NAMING[kind](self, op)
            elif kind is ops.Const:
                yield from self._const(value, op)
        yield from self._defaults()

    # -- positions -------------------------------------------------------------------------------------------------

    def _const(self, value: Value, op: AnyOp) -> tuple[Use, ...]:
        """Connection strings speak for themselves wherever they stand."""
        text = op.value if isinstance(op, ops.Const) else None
        if isinstance(text, str) and len(text) > 8 and _may_connect(text):
            return (Use(value, "", "url", "text"),)
        return ()

    def _bind(self, op: ops.Bind) -> Iterator[Use]:
        yield from self._people(op)
        in_class = self.function.kind == "class"
        if in_class and self._bases_end_in(_ENUMS) and isinstance(self.ops[op.value], ops.Const):
            return
        free = in_class and self._bases_end_in(_SETTINGS_BASES)
        yield from self._under(op.value, op.name, "field" if in_class else "assignment", free)

    def _people(self, op: ops.Bind) -> Iterator[Use]:
        """``USERS = {"ann": "password"}``: names and what lets them in, if the values look like it."""
        table = self.ops[op.value]
        if not isinstance(table, ops.Build) or table.kind != "dict" or not _PEOPLE.holds(op.name):
            return
        names, values = list(map(self.text_of, table.keys)), list(map(self.text_of, table.items))
        is_record = not (_BESIDE | _FIELDS_OF_PEOPLE).isdisjoint(map(str.lower, names))
        if all(names) and all(values) and not is_record and any(map(_like_password, values)):
            for name, value in zip(names, table.items, strict=True):
                yield from self._as(value, name, "password", "seed")

    def _attribute(self, op: ops.SetAttr) -> Iterator[Use]:
        yield from self._under(op.value, op.name, "attribute")

    def _item(self, op: ops.SetItem) -> Iterator[Use]:
        key = self.ops[op.key]
        if isinstance(key, ops.Const) and isinstance(key.value, str):
            free = bool(_SETTINGS.search(self.spelled(op.base)))
            yield from self._under(op.value, key.value, "item", free)

    def _dict(self, op: ops.Build) -> Iterator[Use]:
        if op.kind != "dict":
            return
        entries = [(self.text_of(key), item) for key, item in zip(op.keys, op.items, strict=True)]
        for name, item in entries:
            if name in _PAIRS:
                yield from self._pair(item)
        telling = [(name, item) for name, item in entries if name and (_kind(name) or _ADDRESS.search(name))]
        lowered = {name.lower() for name, _ in entries if name}
        beside = bool(telling) and not _BESIDE.isdisjoint(lowered)
        for name, item in telling:
            # Of an account, and not of a connection, it is the digest of a password.
            is_stored = _kind(name) == "password" and is_digest(self.text_of(self.origin(item)))
            if not is_stored or not _ENDPOINT.isdisjoint(lowered):
                yield from self._under(item, name, "dict", beside)

    def _compare(self, op: ops.Compare) -> Iterator[Use]:
        if op.operator not in ("==", "!=", "in", "not in"):
            return
        yield from self._compared(op.left, op.right)
        if op.operator in ("==", "!="):
            yield from self._compared(op.right, op.left)

    def _compared(self, named: Value, other: Value) -> Iterator[Use]:
        name = self.spelled(named)
        if not name or _kind(name) is None:
            return
        read = self.ops[self.origin(named)]
        if isinstance(read, ops.Call) and self._read(read, self.callee(read)) == "env-default":
            return  # whether the environment still has a value that nobody should leave there
        if self._is_setting(read):
            return  # and the same of a setting
        right = self.ops[self.origin(other)]
        items = right.items if isinstance(right, ops.Build) and right.kind != "dict" else (other,)
        for item in items:
            value = self.origin(item)
            if self.text_of(value):
                yield Use(value, name, _kind(name), "comparison")

    def _is_setting(self, op: AnyOp) -> bool:
        """``settings.DB_PASSWORD``, ``values["DB_PASSWORD"]``; not what a request brings (``headers["X-API-KEY"]``)."""
        if isinstance(op, ops.Attr):
            return is_constant(op.name)
        if not isinstance(op, ops.Item):
            return False
        key = self.text_of(op.key)
        return key.isidentifier() and is_constant(key) and not _BROUGHT.search(self.spelled(op.base))

    def _either(self, op: ops.Logic) -> Iterator[Use]:
        """``getenv("NAME") or "value"``, whatever it is bound to."""
        name = next((self.spelled(item) for item in op.values if isinstance(self.ops[item], ops.Call)), "")
        if op.operator == "or" and (_kind(name) or _ADDRESS.search(name)):
            for item in op.values[1:]:
                env = self._environment(op)
                yield from self._as(item, name, _kind(name), "env-default" if env else "fallback", env=env)

    def _defaults(self) -> Iterator[Use]:
        for function in self.facts.functions:
            if function.parent == self.index:
                for param in function.params:
                    if param.default != NONE:
                        yield from self._under(param.default, param.name, "parameter")

    def _call(self, op: ops.Call) -> Iterator[Use]:
        callee = self.callee(op)
        connecting = bool(_CONNECTING.search(callee))
        for name, value in op.keywords:
            if name in _PAIRS:
                yield from self._pair(value)
            elif _kind(name) or _ADDRESS.search(name):
                made_with = _kind(name) == "signing-key" and callee[:1].isupper()
                yield from self._under(value, name, "keyword", connecting or made_with)
                yield from self._typed_default(value, name)
        yield from self._getter(op, callee)
        yield from self._positional(op, callee)

    def _pair(self, value: Value) -> Iterator[Use]:
        """``auth=("user", "password")``."""
        op = self.ops[self.origin(value)]
        if isinstance(op, ops.Build) and op.kind == "tuple" and len(op.items) == 2:
            yield from self._as(op.items[1], "password", "password", "argument")

    def _typed_default(self, value: Value, name: str) -> Iterator[Use]:
        """``Env(SECRET_KEY=(str, "default"))``."""
        op = self.ops[self.origin(value)]
        if isinstance(op, ops.Build) and op.kind == "tuple" and len(op.items) == 2 and is_constant(name):
            yield from self._as(op.items[1], name, _kind(name), "env-default", env=name)

    def _getter(self, op: ops.Call, callee: str) -> Iterator[Use]:
        """``getenv("NAME", "value")`` and its kin."""
        name = self._name_read(op, callee)
        if not name or (_kind(name) is None and not _ADDRESS.search(name)):
            return
        position = self._read(op, callee)
        if position is not None:
            for default in self._given_defaults(op, callee):
                env = name if position == "env-default" else ""
                yield from self._as(default, name, _kind(name), position, env=env)

    def _read(self, op: ops.Call, callee: str) -> Position | None:
        """What the default of a call is, if it reads a value by name."""
        if callee in _MAPPING_GETTERS:
            return "env-default" if _SETTINGS.search(self.receiver(op)) else "fallback"
        if callee == _ATTRIBUTE_GETTER and len(op.args) == 3:
            return "env-default" if _SETTINGS.search(self.spelled(op.args[0])) else None
        return "env-default" if _GETTER.fullmatch(callee) else None

    def _name_read(self, op: ops.Call, callee: str) -> str:
        """The name by which a call reads a value: its first argument, of ``getattr(settings, "NAME")`` its second."""
        at = 1 if callee == _ATTRIBUTE_GETTER else 0
        return self.text_of(op.args[at]) if len(op.args) > at else ""

    def _given_defaults(self, op: ops.Call, callee: str) -> list[Value]:
        named = [value for name, value in op.keywords if name in ("default", "fallback")]
        at = 2 if callee == _ATTRIBUTE_GETTER else 1
        return named or list(op.args[at : at + 1])

    def _positional(self, op: ops.Call, callee: str) -> Iterator[Use]:
        receiver = self.receiver(op)
        key = _KEYS.get(callee, _MODULE_KEYS.get((receiver, callee)))
        if key is not None:
            named = [value for name, value in op.keywords if name in ("key", "secret_key", "secret")]
            for value in named or op.args[key : key + 1]:
                yield from self._as(value, callee, "signing-key", "argument")
        seed = _SEEDS.get(callee)
        if seed is not None:
            yield from self._argument(op, seed, callee, "password", "seed")
        second = _PASSWORDS.get(callee, 2 if callee == "connect" and self._opens_database(op, receiver) else None)
        if second is not None and not (callee == "login" and self._is_made(op.args)):
            yield from self._argument(op, second, callee, "password", "argument")
        if callee == "Client" and self.text_of(op.args[0] if op.args else NONE).startswith("AC"):
            yield from self._argument(op, 1, "auth_token", "token", "argument")
        if callee == "compare_digest" and len(op.args) == 2:
            yield from self._compared(op.args[0], op.args[1])
            yield from self._compared(op.args[1], op.args[0])

    def _argument(self, op: ops.Call, at: int, name: str, kind: SecretKind, position: Position) -> Iterator[Use]:
        """What an argument of a call may be, if it is given."""
        for value in op.args[at : at + 1]:
            yield from self._as(value, name, kind, position)

    def _is_made(self, args: tuple[Value, ...]) -> bool:
        """Whether the first of two is an object made for this call: no user's name, so that no password follows it."""
        return bool(args) and isinstance(self.ops[self.origin(args[0])], ops.Call) and not self.spelled(args[0])

    def _opens_database(self, op: ops.Call, receiver: str) -> bool:
        """``connect(host, user, password, ...)``, and not that of sockets and signals."""
        return len(op.args) >= 3 and bool(self.text_of(op.args[0]) or _DATABASE_MODULE.search(receiver))

    # -- values ----------------------------------------------------------------------------------------------------

    def _under(self, value: Value, name: str, position: Position, free: bool = False) -> Iterator[Use]:
        """The literals that may be the value under ``name``."""
        kind = _kind(name)
        if kind is None and not _ADDRESS.search(name):
            return
        yield from self._as(value, name, kind, position, free)

    def _as(
        self,
        value: Value,
        name: str,
        kind: SecretKind | None,
        position: Position,
        free: bool = False,
        env: str = "",
    ) -> Iterator[Use]:
        value = self.origin(value)
        op = self.ops[value]
        if isinstance(op, ops.Const):
            if isinstance(op.value, str) and (kind is not None or _may_connect(op.value)):
                yield Use(value, name, kind, position, free, env)
        elif isinstance(op, ops.Call):
            yield from self._through_call(op, name, kind, position, free, env)
        elif isinstance(op, ops.Logic) and op.operator == "or":
            env = self._environment(op)
            for item in op.values[1:]:
                yield from self._as(item, name, kind, "env-default" if env else position, free, env)
        elif isinstance(op, (ops.Choice, ops.Part)):
            for item in self._ways(op):
                yield from self._as(item, name, kind, position, free, env)
        elif self._pieces(value):
            yield Use(value, name, kind, position, free, env)
        elif isinstance(op, ops.Bin) and op.operator == "+" and not self._is_derived(op):
            for item in (op.left, op.right):
                if len(self.text_of(item)) >= 12:
                    yield Use(item, name, kind, position, False, env)

    def _ways(self, op: ops.Choice | ops.Part) -> tuple[Value, ...]:
        """The values that a choice, or the part of a display, may be."""
        if isinstance(op, ops.Choice):
            return (op.then, op.other)
        built = self.ops[self.origin(op.base)]
        known = isinstance(built, ops.Build) and 0 <= op.index < len(built.items)
        return (built.items[op.index],) if known and isinstance(built, ops.Build) else ()

    def _is_derived(self, op: ops.Bin) -> bool:
        """``MAIN_SECRET + "purpose"``: what is secret in it is another credential."""
        return any(kind_of_name(self.spelled(item)) is not None for item in (op.left, op.right))

    def _pieces(self, value: Value) -> tuple[ops.Const, ...]:
        """The literals of which a text is put together (by ``+`` or as an f-string), none if there is more in it."""
        found: list[ops.Const] = []
        todo = [value]
        while todo and len(found) < _MOST_PIECES:
            op = self.ops[todo.pop()]
            parts = _put_together(op)
            if isinstance(op, ops.Const) and isinstance(op.value, str):
                found.append(op)
            elif parts:
                todo += reversed(parts)
            else:
                return ()
        return () if todo else tuple(found)

    def _environment(self, op: ops.Logic) -> str:
        """The variable of the environment that an ``or`` asks first, empty if it asks something else."""
        for item in op.values:
            call = self.ops[self.origin(item)]
            if isinstance(call, ops.Call) and self._read(call, self.callee(call)) == "env-default":
                return self.spelled(item)
            if isinstance(call, ops.Item) and _SETTINGS.search(self.spelled(call.base)):
                return self.text_of(call.key)
        return ""

    def _through_call(
        self, op: ops.Call, name: str, kind: SecretKind | None, position: Position, free: bool, env: str
    ) -> Iterator[Use]:
        callee = self.callee(op)
        func = self.ops[op.func]
        values: Iterable[Value] = ()
        if callee in _CHAINED and isinstance(func, ops.Attr):
            values = (func.base,)
        elif callee in _WRAPPERS and not (callee in _BUILT_IN and isinstance(func, ops.Attr)):
            values = op.args[:1]
        elif callee in _FIELDS:
            values = [value for key, value in op.keywords if key == "default"] or op.args[:1]
        else:
            read = self._read(op, callee)
            env = self._name_read(op, callee)
            values = self._given_defaults(op, callee) if read is not None and env else ()
            # What a look-up within the default of a variable falls back to is that default.
            within = position == "env-default" and read == "fallback"
            position = position if within else read or position
        for value in values:
            yield from self._as(value, name, kind, position, free, env)

    def origin(self, value: Value) -> Value:
        """What a name stands for in this body."""
        op = self.ops[value]
        while isinstance(op, ops.Bind):
            value = op.value
            op = self.ops[value]
        return value

    def text_of(self, value: Value) -> str:
        """The text of a literal, empty for all else."""
        op = self.ops[value] if value != NONE else None
        return op.value if isinstance(op, ops.Const) and isinstance(op.value, str) else ""

    def spelled(self, value: Value) -> str:
        """The last name by which code reads a value: attribute, variable, constant key, what a getter is asked for."""
        op = self.ops[value]
        if isinstance(op, (ops.Attr, ops.Name, ops.Param, ops.Bind, ops.Phi)):
            return op.name
        if isinstance(op, ops.Import):
            return op.name or op.module.rpartition(".")[2]
        if isinstance(op, ops.Item):
            return self.text_of(op.key)
        if isinstance(op, ops.Await):
            return self.spelled(op.value)
        if isinstance(op, ops.Call):
            func = self.ops[op.func]
            if isinstance(func, ops.Attr) and func.name in _CHAINED:
                return self.spelled(func.base)
            return self.text_of(op.args[0]) if op.args else ""
        return ""

    def callee(self, op: ops.Call) -> str:
        """The last name of what is called."""
        return self.spelled(op.func) if not isinstance(self.ops[op.func], ops.Call) else ""

    def receiver(self, op: ops.Call) -> str:
        """The last name of the object whose method is called."""
        func = self.ops[op.func]
        return self.spelled(func.base) if isinstance(func, ops.Attr) else ""

    # -- verdict ---------------------------------------------------------------------------------------------------

    def _hit(self, use: Use) -> SecretHit | None:
        pieces = self._pieces(use.value)
        value = "".join(str(piece.value) for piece in pieces)
        at = self.ops[use.value].at
        if _may_connect(value):
            return self._connection(use, at, value)
        if use.kind is None or use.kind == "url":
            return None
        strength = admit(use.name, use.kind, use.position, value, use.free)
        shown = strength is not None and self._is_shown(use.value)
        if strength is None or (shown and strength != "strong"):
            return None
        position: Position = "comment" if shown else use.position
        parts = tuple(part for piece in pieces for part in literals.parts(self.text, piece.at))
        return SecretHit(at, use.kind, use.name, strength, position, parts, env=use.env)

    def _connection(self, use: Use, at: Span, value: str) -> SecretHit | None:
        for found in detectors.urls(value):
            if found.strength != "strong" and len(value[: found.start].split()) > _SENTENCE:
                return None
            shown = use.value in self._dropped or self._is_shown(use.value)
            position: Position = "comment" if shown else use.position
            password = value[found.start : found.end]
            parts = tuple(_inside(self.text, part, password) for part in literals.parts(self.text, at))
            return SecretHit(at, "url", use.name, found.strength, position, parts, found.detector, use.env, found.local)
        return None

    @cached_property
    def _dropped(self) -> frozenset[Value]:
        """Strings that are statements: docstrings and what is commented out by quotes."""
        return frozenset(op.value for op in self.ops if isinstance(op, ops.Discard))

    @cached_property
    def _around(self) -> dict[Value, tuple[Value, str]]:
        """For each value: what holds it, and under what name."""
        table: dict[Value, tuple[Value, str]] = {}
        for value, op in enumerate(self.ops):
            if isinstance(op, ops.Build):
                names = [self.text_of(key) for key in op.keys] or [""] * len(op.items)
                table.update((item, (value, name)) for item, name in zip(op.items, names, strict=True))
            elif isinstance(op, ops.Call):
                table.update((item, (value, "")) for item in op.args)
                table.update((item, (value, name)) for name, item in op.keywords)
            elif isinstance(op, (ops.Bind, ops.SetAttr)):
                table.setdefault(op.value, (value, op.name))
        return table

    def _is_shown(self, value: Value) -> bool:
        seen: set[Value] = set()
        while value not in seen and (found := self._around.get(value)) is not None:
            seen.add(value)
            value, name = found
            if _SHOWN.search(name):
                return True
        return False

    def _bases_end_in(self, endings: tuple[str, ...]) -> bool:
        return any(base.endswith(endings) for base in self._bases)

    @cached_property
    def _bases(self) -> tuple[str, ...]:
        """What the bases of the class are called whose body this is."""
        if self.function.cls < 0:
            return ()
        cls = self.facts.classes[self.function.cls]
        outer = Body(self.text, self.facts, cls.parent)
        return tuple(outer.spelled(base) for base in cls.bases)


# What gives a literal its name, by the operation; every method takes its own kind of operation.
_NAMING: Mapping[type[ops.Op], Callable[[Body, Any], Iterator[Use]]] = {
    ops.Call: Body._call,
    ops.Bind: Body._bind,
    ops.SetAttr: Body._attribute,
    ops.SetItem: Body._item,
    ops.Build: Body._dict,
    ops.Compare: Body._compare,
    ops.Logic: Body._either,
}


def _kind(name: str) -> SecretKind | None:
    return "token" if name.lower() in ("authorization", "proxy-authorization") else kind_of_name(name)


def _like_password(value: str) -> bool:
    return "pass" in value.lower() or (any(map(str.isalpha, value)) and any(map(str.isdigit, value)))


def _may_connect(value: str) -> bool:
    return ("://" in value and "@" in value) or ("=" in value and any(hint in value.lower() for hint in _DSN_HINT))


def _inside(text: Lines, part: Span, password: str) -> Span:
    """The stretch of a piece that is the password; the whole piece where the password is split or escaped."""
    start = text.offset(part.line, part.column)
    at = text.text.find(password, start, start + (part.end_column - part.column))
    return text.span(at, at + len(password)) if at >= 0 else part


def _put_together(op: AnyOp) -> tuple[Value, ...]:
    """The parts of a sum or of an f-string."""
    if isinstance(op, ops.Bin):
        return (op.left, op.right) if op.operator == "+" else ()
    return op.items if isinstance(op, ops.Build) and op.kind == "fstring" else ()
