"""Credentials in files that are not Python, by name and value: a small line grammar for each family of formats.

Reading lines instead of documents keeps positions exact, survives templates in YAML, and costs little.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

import msgspec

from backaudit.extract.dotenv import parse_env
from backaudit.extract.secrets import detectors
from backaudit.extract.secrets.admission import admit
from backaudit.extract.secrets.lines import Lines
from backaudit.extract.secrets.names import kind_of_name
from backaudit.facts.secrets import Position, SecretHit, SecretKind
from backaudit.source import Kind

# What a telling name, or a connection string, has in it. Patterns are tried around these alone.
STEMS = (
    "curl", "mysql",
    "pass", "pwd", "_pw", "secret", "token", "key", "credential", "clave", "senha", "contrase", "auth", "parola", "://",
    "identified by", "_dsn", "md5", "sha1", "crypt(",
)  # fmt: skip
# Where a line ends, also one of Windows: ``$`` would look for ``\n`` alone.
_END = r"(?=[\r\n]|\Z)"
# How far around a stem a line is looked at: minified files are one line.
_BEFORE, _AFTER = 300, 500


class Entry(msgspec.Struct, frozen=True):
    """``name`` has the value at offsets ``start`` to ``end``."""

    name: str
    start: int
    end: int
    position: Position = "file"
    env: str = ""
    free: bool = False


Windows = list[tuple[int, int]]
Grammar = Callable[[str, Windows], Iterator[Entry]]


def find(text: Lines, kind: Kind) -> Iterator[SecretHit]:
    """The credentials of a text by what its format calls them."""
    grammar = _GRAMMARS.get(kind)
    windows = _windows(text.text) if grammar is not None else []
    if grammar is None or not (windows or kind == "text"):
        return
    for entry in grammar(text.text, windows):
        hit = _hit(text, kind, entry)
        if hit is not None:
            yield hit


# A line of code that is commented out.
_COMMENTED = re.compile(
    r"^[ \t]*\#[ \t]*(?:[\w.]+\[)?[\"']?(?P<name>[A-Za-z_]\w*)[\"']?\]?[ \t]*[:=][ \t]*"
    r"(?:\"(?P<double>[^\"\r\n]{8,200})\"|'(?P<single>[^'\r\n]{8,200})')",
    re.MULTILINE,
)


def comments(text: Lines) -> Iterator[SecretHit]:
    """What looks generated under a telling name in Python that is commented out."""
    for found in _COMMENTED.finditer(text.text):
        kind = kind_of_name(found["name"])
        span = text.span(*found.span(_group(found)))
        if kind is not None and admit(found["name"], kind, "comment", found[_group(found)]) == "strong":
            yield SecretHit(span, kind, found["name"], "strong", "comment", (span,))


def has_grammar(kind: Kind) -> bool:
    """Whether a kind of file has names for its values, and is not only searched for forms."""
    return kind in _GRAMMARS


def _windows(text: str) -> Windows:
    """The stretches of text, of whole lines where these are not too long, around what may be a telling name."""
    lowered = text.lower()
    if len(lowered) != len(text):
        return [(0, len(text))]
    found: set[tuple[int, int]] = set()
    for stem in STEMS:
        at = lowered.find(stem)
        while at >= 0:
            start = max(lowered.rfind("\n", 0, at) + 1, at - _BEFORE)
            end = lowered.find("\n", at)
            end = min(len(text) if end < 0 else end, at + _AFTER)
            found.add((start, end))
            at = lowered.find(stem, end)
    return _merged(sorted(found))


def _merged(windows: Windows) -> Windows:
    merged: Windows = []
    for start, end in windows:
        if merged and start <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _matches(pattern: re.Pattern[str], text: str, windows: Windows, more: int = 0) -> Iterator[re.Match[str]]:
    """What a pattern finds in the windows, each of them longer by ``more`` characters."""
    for start, end in windows:
        yield from pattern.finditer(text, start, min(len(text), end + more))


def _hit(text: Lines, file_kind: Kind, entry: Entry) -> SecretHit | None:
    value = text.text[entry.start : entry.end]
    if "://" in value:
        return _connection(text, entry, value)
    kind = _kind_of_entry(entry)
    if kind is None or not value or (file_kind == "xml" and " " in value):
        return None  # what has spaces in XML is a sentence on a page
    strength = admit(entry.name, kind, entry.position, value, entry.free or file_kind in _LIVE)
    if strength is None or strength == "hash":
        return None
    span = text.span(entry.start, entry.end)
    return SecretHit(span, kind, entry.name, strength, entry.position, (span,), env=entry.env)


def _kind_of_entry(entry: Entry) -> SecretKind | None:
    kind: SecretKind | None = "token" if entry.name.lower() == "authorization" else kind_of_name(entry.name)
    return kind or ("password" if entry.position == "seed" else None)


def _connection(text: Lines, entry: Entry, value: str) -> SecretHit | None:
    """A URL with a password, under the name that it has; the form alone would find it too."""
    for found in detectors.urls(value):
        password = text.span(entry.start + found.start, entry.start + found.end)
        span = text.span(entry.start, entry.end)
        position = entry.position if entry.position == "env-default" else "file"
        return SecretHit(
            span, "url", entry.name, found.strength, position, (password,), found.detector, entry.env, found.local
        )
    return None


# Formats in which an entry is there to be used, so that a word is a value too.
_LIVE: frozenset[Kind] = frozenset(("env", "dockerfile", "compose", "workflow", "shell"))

# -- KEY=value -------------------------------------------------------------------------------------------------------

_ENV_NAME = re.compile(r"[A-Za-z_][\w.-]*")


def _env(text: str, _: Windows) -> Iterator[Entry]:
    for pair in parse_env(text):
        if _ENV_NAME.fullmatch(pair.name):
            yield _placed(pair.name, text[pair.start : pair.end], pair.start)


def _entry(found: re.Match[str], group: str, position: Position = "file", free: bool = False) -> Entry:
    """The entry of a match, without white space around its value; ``${NAME:-value}`` is a default."""
    return _placed(found["name"], found[group], found.start(group), position, free)


def _placed(name: str, value: str, start: int, position: Position = "file", free: bool = False) -> Entry:
    start += len(value) - len(value.lstrip())
    end = start + len(value.strip())
    default = _DEFAULT.fullmatch(value.strip())
    if default:
        return Entry(name, start + default.start("value"), start + default.end("value"), "env-default", default["env"])
    return Entry(name, start, end, position, free=free)


_DEFAULT = re.compile(r"\$\{(?P<env>\w+):?[-=](?P<value>[^{}$]+)\}")

# -- name: value, name = value ---------------------------------------------------------------------------------------

_QUOTED_OR_PLAIN = (
    r"(?:\"(?P<double>(?:\\.|[^\"\\\r\n])*)\"|'(?P<single>[^'\r\n]*)'|(?P<plain>[^\s\"'#{\[&*!|>%@`,][^\r\n]*?))"
)
_YAML = re.compile(
    r"^[ \t]*(?:-[ \t]+)?[\"']?(?P<name>[\w.-]+)[\"']?[ \t]*:[ \t]+"
    + _QUOTED_OR_PLAIN
    + r"[ \t]*(?:[ \t]#[^\r\n]*)?"
    + _END,
    re.MULTILINE,
)
_YAML_ITEM = re.compile(
    r"^[ \t]*-[ \t]+(?P<quote>[\"']?)(?P<name>[A-Za-z_][\w.-]*)=(?P<plain>[^\r\n]*?)(?P=quote)[ \t]*"
    r"(?:[ \t]#[^\r\n]*)?" + _END,
    re.MULTILINE,
)
# ``- name: X`` / ``value: y`` of Kubernetes and Render, in either order of keys.
_YAML_PAIR = re.compile(
    r"^[ \t]*-?[ \t]*(?:name|key):[ \t]*[\"']?(?P<name>[\w.-]+)[\"']?[ \t]*\r?\n[ \t]*value:[ \t]+"
    + _QUOTED_OR_PLAIN
    + r"[ \t]*(?:[ \t]#[^\r\n]*)?"
    + _END,
    re.MULTILINE,
)
_INI = re.compile(
    r"^[ \t]*(?P<name>[A-Za-z_][\w.-]*)[ \t]*[=:][ \t]*(?:\"(?P<double>[^\"\r\n]*)\"|'(?P<single>[^'\r\n]*)'"
    r"|(?P<plain>[^\s\"'{\[][^\r\n]*?))"
    r"[ \t]*(?:[ \t][#;][^\r\n]*)?" + _END,
    re.MULTILINE,
)
_TOML = re.compile(
    r"(?:^|[{,])[ \t]*[\"']?(?P<name>[A-Za-z_][\w.-]*)[\"']?[ \t]*=[ \t]*(?:\"(?P<double>(?:\\.|[^\"\\\r\n])*)\""
    r"|'(?P<single>[^'\r\n]*)')",
    re.MULTILINE,
)
_JSON = re.compile(r"\"(?P<name>[\w. -]+)\"\s*:\s*\"(?P<double>(?:\\.|[^\"\\\r\n])*)\"")
# Postman: {"key": "token", "value": "..."}.
_JSON_PAIR = re.compile(
    r"\"(?:key|name)\"\s*:\s*\"(?P<name>[\w. -]+)\"\s*,\s*\"value\"\s*:\s*\"(?P<double>(?:\\.|[^\"\\\r\n])*)\""
)
# Heroku: {"SECRET_KEY": {"value": "..."}}.
_JSON_VALUE = re.compile(
    r"\"(?P<name>[\w.-]+)\"\s*:\s*\{[^{}\"]*(?:\"description\"\s*:\s*\"[^\"]*\"\s*,\s*)?"
    r"\"value\"\s*:\s*\"(?P<double>(?:\\.|[^\"\\\r\n])*)\""
)
_NOTEBOOK = re.compile(
    r"(?P<name>[A-Za-z_]\w*)(?:\\?[\"']\])?[ ]*=[ ]*(?:\\\"(?P<double>[^\"\\\r\n]+)\\\"|'(?P<single>[^'\r\n]+)')"
)


# What is left of Python that cannot be parsed: an assignment of a literal, alone on its line.
_ASSIGNED = re.compile(
    r"^[ \t]*(?:[\w.]+\.)?(?:\w+\[[\"'])?(?P<name>[A-Za-z_]\w*)(?:[\"']\])?[ \t]*=[ \t]*[bBuU]?"
    r"(?:\"(?P<double>[^\"\\\r\n]*)\"|'(?P<single>[^'\\\r\n]*)')[ \t]*(?:\#[^\r\n]*)?" + _END,
    re.MULTILINE,
)


def _yaml(text: str, windows: Windows) -> Iterator[Entry]:
    yield from _commands(text, windows)
    for pattern in (_YAML_ITEM, _YAML_PAIR, _YAML):
        yield from _named(pattern, text, windows)


def _named(pattern: re.Pattern[str], text: str, windows: Windows) -> Iterator[Entry]:
    for found in _matches(pattern, text, windows, 200):
        entry = _entry(found, _group(found))
        if kind_of_name(entry.name) is not None:
            entry = msgspec.structs.replace(entry, free=_beside(found.start("name"), text))
        yield entry


_CONNECTION_KEY = re.compile(
    r"^[ \t]*[\"']?(?:host|hostname|user|username|port|database|dbname|engine|email|login|server)[\"']?[ \t]*[:=]",
    re.IGNORECASE,
)


def _beside(start: int, text: str) -> bool:
    """Whether the line before or after also describes a connection or an account."""
    lines = text[max(0, start - 200) : start + 240].split("\n")[1:]
    return any(_CONNECTION_KEY.match(line) for line in lines)


def _group(found: re.Match[str]) -> str:
    names = found.re.groupindex
    return next(name for name in ("double", "single", "plain") if name in names and found[name] is not None)


def _pairs(*patterns: re.Pattern[str]) -> Grammar:
    def entries(text: str, windows: Windows) -> Iterator[Entry]:
        for pattern in patterns:
            yield from _named(pattern, text, windows)

    return entries


# -- systemd, supervisor ---------------------------------------------------------------------------------------------

_VARIABLES = re.compile(r"^[ \t]*env(?:ironment)?[ \t]*=(?P<rest>[^\r\n]*)", re.MULTILINE | re.IGNORECASE)
# ``"NAME=value with spaces"`` is systemd's, ``NAME="value",OTHER="value"`` supervisor's.
_VARIABLE = re.compile(
    r"\"(?P<quoted>[A-Za-z_]\w*)=(?P<inside>[^\"\r\n]*)\"|(?P<name>[A-Za-z_]\w*)="
    r"(?:\"(?P<double>[^\"\r\n]*)\"|'(?P<single>[^'\r\n]*)'|(?P<plain>[^\s\"',]+))"
)


# A password that stands behind its directive, as Redis writes it, or behind ``>`` among the rights of a user.
_DIRECTIVE = re.compile(
    r"^[ \t]*(?:requirepass|masterauth|sentinel[ \t]+auth-pass[ \t]+\S+)[ \t]+[\"']?(?P<given>[^\s\"'$]+)"
    r"|^[ \t]*user[ \t]+\S+[ \t](?:[^\r\n]*[ \t])?>(?P<user>[^\s$]+)",
    re.MULTILINE,
)


def _ini(text: str, windows: Windows) -> Iterator[Entry]:
    yield from _named(_INI, text, windows)
    yield from _commands(text, windows)
    for found in _DIRECTIVE.finditer(text):
        yield Entry("password", *found.span(found.lastgroup or 0))
    for line in _matches(_VARIABLES, text, windows):
        for found in _VARIABLE.finditer(text, *line.span("rest")):
            name = found["quoted"] or found["name"]
            group = "inside" if found["quoted"] else _group(found)
            entry = _placed(name, found[group], found.start(group))
            yield msgspec.structs.replace(entry, free=True)


# -- Dockerfile, shell -----------------------------------------------------------------------------------------------

_INSTRUCTION = re.compile(
    r"^[ \t]*(?:ENV|ARG)[ \t]+(?P<rest>(?:[^\r\n]*\\\r?\n)*[^\r\n]*)", re.MULTILINE | re.IGNORECASE
)
_WORD = re.compile(
    r"(?P<name>[A-Za-z_]\w*)=(?:\"(?P<double>(?:\\.|[^\"\\])*)\"|'(?P<single>[^']*)'|(?P<plain>[^\s\"'\\;&|)]+))"
)
_OLD_ENV = re.compile(
    r"^[ \t]*ENV[ \t]+(?P<name>[A-Za-z_]\w*)[ \t]+(?P<plain>[^=\s][^\r\n]*)" + _END, re.MULTILINE | re.IGNORECASE
)


def _dockerfile(text: str, _: Windows) -> Iterator[Entry]:
    for instruction in _INSTRUCTION.finditer(text):
        for found in _WORD.finditer(text, *instruction.span("rest")):
            yield _entry(found, _group(found))
    for found in _OLD_ENV.finditer(text):
        yield _entry(found, "plain")


# A password that a command is given: curl -u, mysql -p, redis-server --requirepass, --password.
_COMMAND = re.compile(
    r"\bcurl\b[^\r\n]*?\s(?:-u|--user)[ =]?[\"']?[^\s:\"'$]+:(?P<curl>[^\s\"'$]+)"
    r"|\bmysql(?:dump|admin)?\b[^\r\n]*?\s-p(?P<mysql>[^\s\"'$-][^\s\"'$]*)"
    r"|--(?:requirepass|masterauth|password|db-password)[ =][\"']?(?P<option>[^\s\"'$,\]]+)"
    r"|\b[Aa]uthorization:?[\"']?[ \t,:]*[\"']?(?:Bearer|Token|Basic)[ \t]+(?P<header>[^\s\"';$]+)"
)


def _commands(text: str, windows: Windows) -> Iterator[Entry]:
    for found in _matches(_COMMAND, text, windows):
        group = found.lastgroup or ""
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()].lstrip()
        if not line.startswith("#"):
            yield Entry("authorization" if group == "header" else "password", *found.span(group))


def _shell(text: str, windows: Windows) -> Iterator[Entry]:
    yield from _commands(text, windows)
    for found in _matches(_WORD, text, windows):
        line = text[text.rfind("\n", 0, found.start()) + 1 : found.start()]
        if not line.lstrip().startswith("#") and "$" not in found[_group(found)][:1]:
            yield _entry(found, _group(found))


# -- Terraform -------------------------------------------------------------------------------------------------------

_TF_VARIABLE = re.compile(
    r"variable\s+\"(?P<name>[\w-]+)\"\s*\{[^{}]*?default\s*=\s*\"(?P<double>[^\"\r\n]*)\"", re.DOTALL
)


# -- SQL -------------------------------------------------------------------------------------------------------------

_SQL_PASSWORD = re.compile(
    r"\b(?P<name>(?:WITH\s+)?(?:ENCRYPTED\s+)?PASSWORD|IDENTIFIED\s+BY"
    r"|SET\s+PASSWORD\s*=)\s*(?:PASSWORD\()?\s*'(?P<single>[^'\r\n]+)'",
    re.IGNORECASE,
)
_SQL_HASHED = re.compile(
    r"\b(?P<name>md5|sha1|sha2|sha256|crypt|password|encrypt)\s*\(\s*'(?P<single>[^'\r\n]{3,})'", re.IGNORECASE
)
_SQL_COMMENT = re.compile(
    r"(?:(?<!-)--|#|/\*)[^\r\n]{0,200}?\b(?P<name>password|passwd|pwd|contrase[nñ]i?a|clave|senha|mot de passe|passwort"
    r"|parola)\b[ \t]*(?:is|es|:|=|->|para[^:=\r\n]*[:=])?"
    r"[ \t]*['\"]?(?P<plain>[^\s'\",;()]{4,})",
    re.IGNORECASE,
)
_SQL_STATEMENT = re.compile(r"\b(update|insert|select|alter|create|where)\b", re.IGNORECASE)
_SQL_INSERT = re.compile(
    r"\bINSERT\s+INTO\s+[`\"\[]?[\w.]+[`\"\]]?\s*\((?P<columns>[^()]*)\)\s*VALUES\s*(?P<rows>(?:[^;']|'(?:[^']"
    r"|'')*')*)",
    re.IGNORECASE,
)
# What a column's whole value follows: ``data->>'password'`` reads a field of that name.
_ALONE = re.compile(r"[(,]\s*(?:--[^\r\n]*[\r\n]\s*)*[EeNnBb]?\Z")
_SHORTLY = 200
_SQL_VALUE = re.compile(r"'(?P<text>(?:[^']|'')*)'|(?P<open>\()|(?P<close>\))|(?P<comma>,)|--[^\r\n]*")


def _sql(text: str, windows: Windows) -> Iterator[Entry]:
    for found in _matches(_SQL_PASSWORD, text, windows):
        yield Entry("password", *found.span("single"), "seed")
    for found in _matches(_SQL_HASHED, text, windows):
        yield Entry("password", *found.span("single"), "seed")
    for found in _matches(_SQL_COMMENT, text, windows):
        telling = any(char.isdigit() for char in found["plain"]) and not found["plain"].endswith(":")
        # A statement that was commented out is no note of somebody's password.
        if telling and not _SQL_STATEMENT.search(found.group()):
            yield Entry("password", *found.span("plain"), "seed")
    for found in _SQL_INSERT.finditer(text):
        yield from _inserted(text, found)


def _inserted(text: str, statement: re.Match[str]) -> Iterator[Entry]:
    """The text that an INSERT puts into columns of telling names, row by row."""
    columns = [column.strip(' \t\r\n`"[]') for column in statement["columns"].split(",")]
    telling = {
        at: name
        for at, name in enumerate(columns)
        if kind_of_name(name) or name.lower() in ("password_hash", "pwd_hash")
    }
    if not telling:
        return
    depth, at = 0, 0
    for token in _SQL_VALUE.finditer(text, *statement.span("rows")):
        if token["open"]:
            depth += 1
            at = 0 if depth == 1 else at
        elif token["close"]:
            depth -= 1
        elif token["comma"]:
            at += depth == 1
        elif (
            token["text"]
            and depth == 1
            and at in telling
            and _ALONE.search(text, max(statement.start("rows"), token.start() - _SHORTLY), token.start())
        ):
            yield Entry(telling[at], *token.span("text"), "seed")


# -- XML, CSV ------------------------------------------------------------------------------------------------------

_XML_ELEMENT = re.compile(r"<(?P<name>[A-Za-z_][\w.:-]*)[^<>]*>[ \t]*(?P<plain>[^<>\r\n]+?)[ \t]*</(?P=name)>")
_XML_ATTRIBUTE = re.compile(r"\s(?P<name>[A-Za-z_][\w.:-]*)=(?:\"(?P<double>[^\"<\r\n]+)\"|'(?P<single>[^'<\r\n]+)')")
# ``<property name="password" value="..."/>``, ``<field name="password">...</field>`` (also of Django's fixtures).
_XML_NAMED = re.compile(
    r"<[\w.:-]+[^<>]*?\b(?:name|key)=[\"'](?P<name>[\w.-]+)[\"'][^<>]*?"
    r"(?:\bvalue=(?:\"(?P<double>[^\"<\r\n]+)\"|'(?P<single>[^'<\r\n]+)')|>[ \t]*(?P<plain>[^<>\r\n]+?)[ \t]*</)"
)
_CSV_CELL = re.compile(r"(?:^|(?P<sign>[,;\t]))(?:\"(?P<double>(?:[^\"]|\"\")*)\"|(?P<plain>[^,;\t\r\n\"]*))")


def _xml(text: str, windows: Windows) -> Iterator[Entry]:
    for pattern in (_XML_ELEMENT, _XML_ATTRIBUTE, _XML_NAMED):
        for found in _matches(pattern, text, windows, 200):
            entry = _entry(found, _group(found))
            yield msgspec.structs.replace(entry, name=entry.name.rpartition(":")[2])


def _csv(text: str, _: Windows) -> Iterator[Entry]:
    """Under a header that names a column of passwords, row by row."""
    start, columns = 0, []
    for number, row in enumerate(re.split(r"(?<=\n)", text)):
        cells = list(_CSV_CELL.finditer(row.rstrip("\r\n")))
        if number == 0:
            columns = [(at, cell[_group(cell)].strip()) for at, cell in enumerate(cells)]
            columns = [(at, name) for at, name in columns if kind_of_name(name) == "password"]
        for at, name in columns if number else ():
            if at < len(cells):
                group = _group(cells[at])
                first, last = cells[at].span(group)
                yield Entry(name, start + first, start + last, "seed")
        start += len(row)


# -- files of one credential -----------------------------------------------------------------------------------------

_NETRC = re.compile(r"\bmachine\s+\S+\s+(?:login\s+\S+\s+)?(?P<name>password)\s+(?P<plain>\S+)")
_PGPASS = re.compile(r"^[^:\s#]+:(?:\d+|\*):[^:\s]+:[^:\s]+:(?P<plain>[^\s:]+)" + _END, re.MULTILINE)
_PROSE = re.compile(
    r"(?<![\w-])(?P<name>[A-Za-z_][\w-]{0,40}(?:[Kk]ey|KEY|[Tt]oken|TOKEN|[Ss]ecret|SECRET|[Pp]assword"
    r"|PASSWORD))[`\"']?[ \t]*[=:][ \t]*[`\"']?(?P<plain>[^\s`\"',;<>(){}]+)"
)


def _prose(text: str, windows: Windows) -> Iterator[Entry]:
    for found in _matches(_NETRC, text, windows):
        yield Entry("password", *found.span("plain"), "seed")
    if len(text) < 4000:
        for found in _PGPASS.finditer(text):
            yield Entry("password", *found.span("plain"), "seed")
    for found in _matches(_PROSE, text, windows):
        yield _entry(found, "plain")


_GRAMMARS: Mapping[Kind, Grammar] = {
    "python": _pairs(_ASSIGNED),
    "env": _env,
    "properties": _pairs(_INI),
    "ini": _ini,
    "toml": _pairs(_TOML),
    "yaml": _yaml,
    "compose": _yaml,
    "workflow": _yaml,
    "json": _pairs(_JSON, _JSON_PAIR, _JSON_VALUE),
    "notebook": _pairs(_NOTEBOOK),
    "dockerfile": _dockerfile,
    "shell": _shell,
    "terraform": _pairs(_TOML, _TF_VARIABLE),
    "sql": _sql,
    "text": _prose,
    "xml": _xml,
    "csv": _csv,
}
